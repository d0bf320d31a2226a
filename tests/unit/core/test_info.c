/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/info.h"
#include "mux_fixture.h"

static void fake_get_info(void *ctx, struct wt_connection_info *info) {
  (void)ctx;
  const size_t size = info->size;
  *info = (struct wt_connection_info){.size = size, .draft = 15, .max_udp_payload_size = 1400};
}

static void test_info_comes_from_below(void **state) {
  struct mux_fixture f;
  struct wt_transport transport = fake_transport;
  struct wt_connection_info info = {.size = sizeof(info), .draft = 7};
  (void)state;
  fixture_init(&f);
  transport.get_info = fake_get_info;
  f.mux.transport = &transport;
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_get_connection_info(session, &info), 0);
  assert_int_equal(info.draft, 15);
  assert_int_equal(info.max_udp_payload_size, 1400);
  assert_int_equal(info.size, sizeof(info));
  transport.get_info = NULL;
  assert_int_equal(wt_session_get_connection_info(session, &info), 0);
  assert_int_equal(info.draft, 0); /* nothing is known */
  fixture_end(&f);
}

static int error_in_close;

static void close_asks(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct wt_connection_info all = {.size = sizeof(all)};
  (void)info, (void)user_data;
  error_in_close = wt_session_get_connection_info(session, &all);
}

static void test_info_is_gone_in_the_last_callback(void **state) {
  struct mux_fixture f;
  const struct wt_session_callbacks callbacks = {.on_close = close_asks};
  (void)state;
  fixture_init(&f);
  error_in_close = 0;
  wt_session_set_callbacks(fixture_session(&f, 0), &callbacks, NULL);
  fixture_end(&f);
  assert_int_equal(error_in_close, WT_ERR_CLOSED);
}

static void test_info_fits_the_callers_struct(void **state) {
  const struct wt_connection_info all = {.size = sizeof(all), .peer_address = "192.0.2.1:443", .draft = 2};
  struct {
    struct wt_connection_info info;
    uint64_t newer;
  } larger = {.info = {.size = sizeof(larger)}, .newer = 77};
  struct wt_connection_info small = {.size = offsetof(struct wt_connection_info, max_udp_payload_size)};
  (void)state;
  assert_int_equal(wt__info_copy(&larger.info, &all), 0);
  assert_string_equal(larger.info.peer_address, "192.0.2.1:443");
  assert_int_equal(larger.info.size, sizeof(larger));
  assert_int_equal(larger.newer, 0);
  assert_int_equal(wt__info_copy(&small, &all), WT_ERR_INVALID);
  assert_null(small.peer_address);
  small.size = 0;
  assert_int_equal(wt__info_copy(&small, &all), WT_ERR_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_info_comes_from_below),
      cmocka_unit_test(test_info_is_gone_in_the_last_callback),
      cmocka_unit_test(test_info_fits_the_callers_struct),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
