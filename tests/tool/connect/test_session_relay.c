/* SPDX-License-Identifier: MIT */
/* When `webtransport connect` may think that nothing more will come (session_relay.c). There is no session: the linker
 * puts the functions below in place of the library's (--wrap, cmake/Tests.cmake). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "connect/session_relay.h"

#define WAIT_MS 1000

static int resumed, closed;

void __wrap_wt_stream_resume(wt_stream *stream);
int __wrap_wt_session_get_stats(const wt_session *session, struct wt_session_stats *stats);
int __wrap_wt_session_close(wt_session *session, uint32_t code, const char *reason, size_t len);

void __wrap_wt_stream_resume(wt_stream *stream) {
  (void)stream;
  resumed++;
}

int __wrap_wt_session_get_stats(const wt_session *session, struct wt_session_stats *stats) {
  (void)session;
  *stats = (struct wt_session_stats){.size = stats->size};
  return 0;
}

int __wrap_wt_session_close(wt_session *session, uint32_t code, const char *reason, size_t len) {
  (void)session;
  (void)reason;
  assert_int_equal(code, 0);
  assert_int_equal(len, 0);
  closed++;
  return 0;
}

/* Output gets room again, and in the same moment the time is over that was set before it got stuck. */
static void test_time_that_output_is_stuck_is_not_quiet(void **state) {
  static const struct connect_settings settings = {.carrier = CARRIER_NONE, .wait_given = true, .wait_ms = WAIT_MS};
  struct relay *relay = calloc(1, sizeof *relay);
  struct printed_stream printed = {.relay = relay, .paused = true};
  (void)state;
  assert_non_null(relay);
  relay->settings = &settings;
  relay->session = (wt_session *)(void *)relay; /* not looked into */
  relay->streams = &printed;
  relay->awaiting_quiet = true;
  relay->io.wake = eventfd(0, EFD_NONBLOCK);
  pthread_mutex_init(&relay->io.mutex, NULL);

  int64_t begun = clock_ms();
  relay->quiet_since = begun - 5 * WAIT_MS;
  relay_io_callbacks.on_room(relay);
  assert_int_equal(resumed, 1);
  assert_false(printed.paused);
  relay_io_callbacks.on_alarm(relay);
  assert_int_equal(closed, 0);
  assert_true(relay->io.alarm_at >= begun + WAIT_MS); /* the whole time, from now */

  printed.paused = true;
  relay->quiet_since -= 5 * WAIT_MS;
  relay_io_callbacks.on_alarm(relay);
  assert_int_equal(closed, 0);

  printed.paused = false;
  relay->quiet_since -= 5 * WAIT_MS;
  relay_io_callbacks.on_alarm(relay);
  assert_int_equal(closed, 1);

  close(relay->io.wake);
  pthread_mutex_destroy(&relay->io.mutex);
  free(relay);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_time_that_output_is_stuck_is_not_quiet),
  };
  return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
