/* SPDX-License-Identifier: MIT */

/* src/base/map.c: checked against an array for a hundred thousand random steps, then its bounds. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/map.h"
#include "base/mem.h"

#define MODEL_KEYS 512

static int things[MODEL_KEYS]; /* addresses to store */

static uint32_t next_random(uint32_t *seed) { return *seed = *seed * 1664525 + 1013904223; }

static void test_map_empty_has_nothing(void **state) {
  (void)state;
  struct wt__map map;
  wt__map_init(&map);
  assert_null(wt__map_get(&map, 0));
  assert_null(wt__map_remove(&map, 0));
  wt__map_free(&map);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_map_set_replaces(void **state) {
  (void)state;
  struct wt__map map;
  wt__map_init(&map);
  assert_int_equal(wt__map_set(&map, 0, &things[0]), 0);
  assert_int_equal(wt__map_set(&map, UINT64_MAX, &things[1]), 0);
  assert_int_equal(wt__map_set(&map, 0, &things[2]), 0);
  assert_int_equal(map.len, 2);
  assert_ptr_equal(wt__map_get(&map, 0), &things[2]);
  assert_ptr_equal(wt__map_get(&map, UINT64_MAX), &things[1]);
  assert_int_equal(wt__map_set(&map, 5, NULL), WT_ERR_INVALID);
  assert_ptr_equal(wt__map_remove(&map, 0), &things[2]);
  assert_null(wt__map_remove(&map, 0));
  assert_int_equal(map.len, 1);
  wt__map_free(&map);
  assert_int_equal(wt__mem_live(), 0);
}

/* Keys of a small range come and go, so that runs of slots form, wrap around and close again. */
static void test_map_agrees_with_a_model(void **state) {
  (void)state;
  struct wt__map map;
  void *model[MODEL_KEYS] = {NULL};
  size_t len = 0;
  uint32_t seed = 1;
  wt__map_init(&map);
  for (int step = 0; step < 100000; step++) {
    uint32_t key = next_random(&seed) >> 8 & (MODEL_KEYS - 1);
    /* Phases of growth and of decline. */
    if ((next_random(&seed) >> 16) % 100 < (step / 10000 % 2 ? 20 : 70)) {
      void *value = &things[next_random(&seed) >> 8 & (MODEL_KEYS - 1)];
      assert_int_equal(wt__map_set(&map, key * 4, value), 0);
      len += !model[key];
      model[key] = value;
    } else {
      assert_ptr_equal(wt__map_remove(&map, key * 4), model[key]);
      len -= model[key] != NULL;
      model[key] = NULL;
    }
    assert_int_equal(map.len, len);
    key = next_random(&seed) >> 8 & (MODEL_KEYS - 1);
    assert_ptr_equal(wt__map_get(&map, key * 4), model[key]);
    if (step % 1000) continue;
    for (uint32_t k = 0; k < MODEL_KEYS; k++) assert_ptr_equal(wt__map_get(&map, k * 4), model[k]);
  }
  wt__map_free(&map);
  assert_int_equal(wt__mem_live(), 0);
}

static void count_value(uint64_t key, void *value, void *arg) {
  unsigned *seen = arg;
  assert_ptr_equal(value, &things[key / 4]);
  seen[key / 4]++;
}

static void test_map_each_visits_every_value_once(void **state) {
  (void)state;
  struct wt__map map;
  unsigned seen[100] = {0};
  wt__map_init(&map);
  wt__map_each(&map, count_value, seen);
  for (uint64_t i = 0; i < 100; i++) assert_int_equal(wt__map_set(&map, i * 4, &things[i]), 0);
  wt__map_each(&map, count_value, seen);
  for (size_t i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
  wt__map_free(&map);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_map_shrinks_and_does_not_age(void **state) {
  (void)state;
  struct wt__map map;
  wt__map_init(&map);
  for (uint64_t i = 0; i < 10000; i++) assert_int_equal(wt__map_set(&map, i, things), 0);
  assert_true(map.cap >= 10000 && map.cap <= 32768);
  for (uint64_t i = 0; i < 10000; i++) assert_ptr_equal(wt__map_remove(&map, i), things);
  assert_true(map.cap <= 16);
  /* A window of ten keys that moves on, as streams do: the size stays. */
  for (uint64_t i = 0; i < 100000; i++) {
    assert_int_equal(wt__map_set(&map, i * 4, things), 0);
    if (i >= 10) assert_ptr_equal(wt__map_remove(&map, (i - 10) * 4), things);
    assert_true(map.cap <= 32);
  }
  wt__map_free(&map);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_map_survives_out_of_memory(void **state) {
  (void)state;
  struct wt__map map;
  wt__map_init(&map);
  wt__mem_fail_after(0);
  assert_int_equal(wt__map_set(&map, 1, things), WT_ERR_NOMEM);
  assert_null(wt__map_get(&map, 1));
  uint64_t len = 0, failures = 0;
  while (len < 100) {
    wt__mem_fail_after(0); /* an insertion that grows fails, changes nothing, and succeeds next time */
    int rc = wt__map_set(&map, len, things);
    wt__mem_fail_after(SIZE_MAX);
    if (rc) {
      assert_int_equal(rc, WT_ERR_NOMEM);
      assert_int_equal(map.len, len);
      assert_int_equal(wt__map_set(&map, len, things), 0);
      failures++;
    }
    len++;
  }
  assert_true(failures >= 4);
  for (uint64_t i = 0; i < len; i++) {
    wt__mem_fail_after(0); /* a removal that cannot shrink still removes */
    assert_ptr_equal(wt__map_remove(&map, i), things);
    wt__mem_fail_after(SIZE_MAX);
    for (uint64_t k = 0; k < len; k++) assert_ptr_equal(wt__map_get(&map, k), k > i ? things : NULL);
  }
  wt__map_free(&map);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_map_empty_has_nothing),        cmocka_unit_test(test_map_set_replaces),
      cmocka_unit_test(test_map_agrees_with_a_model),      cmocka_unit_test(test_map_each_visits_every_value_once),
      cmocka_unit_test(test_map_shrinks_and_does_not_age), cmocka_unit_test(test_map_survives_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
