/* SPDX-License-Identifier: MIT */

/* src/quic/cid.c: owners are found by any of their ids, also among ids with equal hashes. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/cid.h"

struct owner {
  struct wt__list cids;
};

static void test_cid_finds_its_owner(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  struct wt__cid_map map;
  static struct owner owners[500];
  uint8_t cids[500][2][WT__CID_MAX_LEN];
  assert_int_equal(wt__cid_map_init(&map), 0);
  for (size_t i = 0; i < 500; i++) {
    wt__list_init(&owners[i].cids);
    for (size_t k = 0; k < 2; k++) {
      assert_int_equal(wt__cid_generate(cids[i][k], WT__CID_LEN, 0, 1), 0);
      assert_int_equal(wt__cid_map_add(&map, cids[i][k], WT__CID_LEN, &owners[i], &owners[i].cids), 0);
    }
  }
  for (size_t i = 0; i < 500; i++) {
    assert_ptr_equal(wt__cid_map_find(&map, cids[i][0], WT__CID_LEN), &owners[i]);
    assert_ptr_equal(wt__cid_map_find(&map, cids[i][1], WT__CID_LEN), &owners[i]);
    assert_null(wt__cid_map_find(&map, cids[i][1], WT__CID_LEN - 1));
    wt__cid_map_remove(&map, cids[i][0], WT__CID_LEN, &owners[i].cids);
    wt__cid_map_remove(&map, cids[i][0], WT__CID_LEN, &owners[i].cids); /* nothing */
    assert_null(wt__cid_map_find(&map, cids[i][0], WT__CID_LEN));
    assert_ptr_equal(wt__cid_map_find(&map, cids[i][1], WT__CID_LEN), &owners[i]);
  }
  for (size_t i = 0; i < 500; i++) wt__cid_map_remove_all(&map, &owners[i].cids);
  assert_int_equal(map.map.len, 0);
  wt__cid_map_free(&map);
  assert_int_equal(wt__mem_live(), live);
}

static void test_cid_of_any_length(void **state) {
  (void)state;
  struct wt__cid_map map;
  struct owner owners[WT__CID_MAX_LEN + 1];
  uint8_t bytes[255] = {0};
  assert_int_equal(wt__cid_map_init(&map), 0);
  for (size_t len = 1; len <= WT__CID_MAX_LEN; len++) { /* all zeros: only the length tells them apart */
    wt__list_init(&owners[len].cids);
    assert_int_equal(wt__cid_map_add(&map, bytes, len, &owners[len], &owners[len].cids), 0);
    assert_int_equal(wt__cid_map_add(&map, bytes, len, &owners[len], &owners[len].cids), WT_ERR_INVALID);
  }
  for (size_t len = 1; len <= WT__CID_MAX_LEN; len++)
    assert_ptr_equal(wt__cid_map_find(&map, bytes, len), &owners[len]);
  assert_null(wt__cid_map_find(&map, bytes, 0));
  assert_null(wt__cid_map_find(&map, bytes, sizeof(bytes)));
  assert_int_equal(wt__cid_map_add(&map, bytes, 0, &owners[1], &owners[1].cids), WT_ERR_INVALID);
  assert_int_equal(wt__cid_map_add(&map, bytes, 21, &owners[1], &owners[1].cids), WT_ERR_INVALID);
  for (size_t len = 1; len <= WT__CID_MAX_LEN; len++) wt__cid_map_remove_all(&map, &owners[len].cids);
  wt__cid_map_free(&map);
}

/* Hangs three ids in one chain by hand, as equal hashes would, and takes them out in every order. */
static void test_cid_with_equal_hashes(void **state) {
  (void)state;
  static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (size_t o = 0; o < 6; o++) {
    struct wt__cid_map map;
    struct wt__list list;
    uint8_t id[3][8] = {{1}, {2}, {3}};
    struct wt__cid *cids[3];
    wt__list_init(&list);
    assert_int_equal(wt__cid_map_init(&map), 0);
    for (int i = 0; i < 3; i++) {
      assert_int_equal(wt__cid_map_add(&map, id[i], 8, &map, &list), 0);
      cids[i] = WT__CONTAINER_OF(list.head.prev, struct wt__cid, link);
    }
    for (int i = 1; i < 3; i++) {
      (void)wt__map_remove(&map.map, cids[i]->hash);
      cids[i]->hash = cids[0]->hash;
    }
    cids[0]->same_hash = cids[1];
    cids[1]->same_hash = cids[2];
    uint64_t hash = cids[0]->hash;
    for (size_t i = 0; i < 3; i++) {
      wt__cid_map_remove(&map, id[orders[o][i]], 8, &list);
      size_t chained = 0;
      for (const struct wt__cid *cid = wt__map_get(&map.map, hash); cid; cid = cid->same_hash) chained++;
      assert_int_equal(chained, 2 - i);
    }
    assert_int_equal(map.map.len, 0);
    wt__cid_map_free(&map);
  }
}

static void test_cid_generated_ones_differ(void **state) {
  (void)state;
  uint8_t a[WT__CID_LEN], b[WT__CID_LEN];
  assert_int_equal(wt__cid_generate(a, sizeof(a), 0, 1), 0);
  assert_int_equal(wt__cid_generate(b, sizeof(b), 0, 1), 0);
  assert_memory_not_equal(a, b, WT__CID_LEN);
}

/* Whatever the number of workers, an id names the one it was made for, and its last byte is any that does. */
static void test_cid_names_its_worker(void **state) {
  (void)state;
  uint8_t id[WT__CID_LEN];
  static const unsigned counts[] = {1, 2, 3, 7, 100, 129, 255, WT__WORKERS_MAX};
  for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
    for (unsigned worker = 0; worker < counts[i]; worker++) {
      for (int k = 0; k < 8; k++) {
        assert_int_equal(wt__cid_generate(id, sizeof(id), worker, counts[i]), 0);
        assert_int_equal(wt__cid_worker(id, sizeof(id), counts[i]), worker);
      }
    }
  }
  bool seen[256] = {false};
  size_t different = 0;
  for (int k = 0; k < 2000; k++) {
    assert_int_equal(wt__cid_generate(id, sizeof(id), 1, 64), 0);
    uint8_t last = id[sizeof(id) - 1];
    if (!seen[last]) different++;
    seen[last] = true;
  }
  assert_int_equal(different, 4); /* 1, 65, 129, 193; that one is missing: 3 in 10^249 */
}

static void test_cid_without_memory(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  struct wt__cid_map map;
  struct wt__list list;
  uint8_t id[8] = {1};
  wt__list_init(&list);
  assert_int_equal(wt__cid_map_init(&map), 0);
  for (size_t i = 0; i < 2; i++) {
    wt__mem_fail_after(i);
    assert_int_equal(wt__cid_map_add(&map, id, sizeof(id), &map, &list), WT_ERR_NOMEM);
    wt__mem_fail_after(SIZE_MAX);
    assert_true(wt__list_empty(&list));
    assert_null(wt__cid_map_find(&map, id, sizeof(id)));
  }
  wt__cid_map_free(&map);
  assert_int_equal(wt__mem_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cid_finds_its_owner),   cmocka_unit_test(test_cid_of_any_length),
      cmocka_unit_test(test_cid_with_equal_hashes), cmocka_unit_test(test_cid_generated_ones_differ),
      cmocka_unit_test(test_cid_names_its_worker),  cmocka_unit_test(test_cid_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
