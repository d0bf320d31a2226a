/* SPDX-License-Identifier: MIT */
/* When `webtransport connect` may think that nothing more will come (relay.c). There is no session: the linker puts the
 * functions below in place of the library's (--wrap, cmake/Tests.cmake). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "connect/relay.h"

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
  static const struct talk_settings settings = {.carrier = TALK_NONE, .wait_given = true, .wait_ms = WAIT_MS};
  struct talk *talk = calloc(1, sizeof *talk);
  struct channel channel = {.talk = talk, .held = true};
  (void)state;
  assert_non_null(talk);
  talk->settings = &settings;
  talk->session = (wt_session *)(void *)talk; /* not looked into */
  talk->channels = &channel;
  talk->settling = true;
  talk->pipes.wake = eventfd(0, EFD_NONBLOCK);
  pthread_mutex_init(&talk->pipes.mutex, NULL);

  int64_t begun = clock_ms();
  talk->quiet_since = begun - 5 * WAIT_MS;
  talk_pipes_callbacks.on_room(talk);
  assert_int_equal(resumed, 1);
  assert_false(channel.held);
  talk_pipes_callbacks.on_alarm(talk);
  assert_int_equal(closed, 0);
  assert_true(talk->pipes.alarm_at >= begun + WAIT_MS); /* the whole time, from now */

  channel.held = true;
  talk->quiet_since -= 5 * WAIT_MS;
  talk_pipes_callbacks.on_alarm(talk);
  assert_int_equal(closed, 0);

  channel.held = false;
  talk->quiet_since -= 5 * WAIT_MS;
  talk_pipes_callbacks.on_alarm(talk);
  assert_int_equal(closed, 1);

  close(talk->pipes.wake);
  pthread_mutex_destroy(&talk->pipes.mutex);
  free(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_time_that_output_is_stuck_is_not_quiet),
  };
  return cmocka_run_group_tests_name("talk", tests, NULL, NULL);
}
