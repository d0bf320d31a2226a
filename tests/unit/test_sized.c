/* SPDX-License-Identifier: MIT */
/* A struct of an older header is never written past. */

#include "base/sized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <webtransport/client.h>
#include <webtransport/server.h>

struct grown {
  size_t size;
  int first, second;
};

static void test_sized_shorter_is_not_written_past(void **state) {
  struct grown all = {sizeof(all), 1, 2}, old = {0, 77, 88};
  (void)state;
  wt__sized_write(&old, offsetof(struct grown, second), &all, sizeof(all));
  assert_int_equal(old.size, offsetof(struct grown, second));
  assert_int_equal(old.first, 1);
  assert_int_equal(old.second, 88);
}

static void test_sized_longer_tells_how_much_is_known(void **state) {
  struct grown all = {sizeof(all), 1, 2};
  struct {
    struct grown known;
    int newer;
  } dst = {{0, 0, 0}, 99};
  (void)state;
  wt__sized_write(&dst, sizeof(dst), &all, sizeof(all));
  assert_int_equal(dst.known.size, sizeof(all));
  assert_int_equal(dst.known.second, 2);
  assert_int_equal(dst.newer, 99);
}

static void test_sized_without_room_nothing_is_written(void **state) {
  struct grown all = {sizeof(all), 1, 2};
  uint8_t byte = 7;
  (void)state;
  wt__sized_write(&byte, 1, &all, sizeof(all));
  wt__sized_write(NULL, sizeof(all), &all, sizeof(all));
  assert_int_equal(byte, 7);
}

/* Every `_init` of the public headers, with room for all but the last byte, and that byte guarded. */
#define CHECK_INIT(type, init)                         \
  do {                                                 \
    struct type given;                                 \
    uint8_t *last = (uint8_t *)&given + sizeof(given); \
    memset(&given, 0xa5, sizeof(given));               \
    init(&given, sizeof(given) - 1);                   \
    assert_int_equal(given.size, sizeof(given) - 1);   \
    assert_int_equal(last[-1], 0xa5);                  \
  } while (0)

static void test_sized_inits_of_the_api_stay_within_the_size_given(void **state) {
  (void)state;
  CHECK_INIT(wt_server_config, wt_server_config_init);
  CHECK_INIT(wt_client_config, wt_client_config_init);
  CHECK_INIT(wt_upgrade_options, wt_upgrade_options_init);
  CHECK_INIT(wt_dial_options, wt_dial_options_init);
  CHECK_INIT(wt_exchange_options, wt_exchange_options_init);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sized_shorter_is_not_written_past),
      cmocka_unit_test(test_sized_longer_tells_how_much_is_known),
      cmocka_unit_test(test_sized_without_room_nothing_is_written),
      cmocka_unit_test(test_sized_inits_of_the_api_stay_within_the_size_given),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
