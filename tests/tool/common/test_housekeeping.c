/* SPDX-License-Identifier: MIT */
/* The beats for a watchdog: they come while all loops turn, and stay away while one hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include <uv.h>

#include "common/housekeeping.h"

#define WATCHDOG_US 200000

static struct bed {
  uv_loop_t loop;
  uv_timer_t timer; /* keeps the loop turning */
  wt_server *server;
  struct service service;
  struct housekeeping *housekeeping;
  int manager;         /* the service manager's socket */
  uint64_t hangs_for;  /* what a worker is said to have taken so far, in microseconds */
  unsigned short_once; /* how many calls more of the statistics tell of that, before it is over; 0: all */
  unsigned asked;      /* how often there were statistics */
} bed;

int __real_wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats);
int __wrap_wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats);

/* Another worker that hangs. */
int __wrap_wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats) {
  int error = __real_wt_server_get_stats(server, stats);
  bed.asked++;
  stats->current_turn_us = bed.hangs_for;
  if (bed.short_once && --bed.short_once == 0) bed.hangs_for = 0;
  return error;
}

static void on_timer(uv_timer_t *timer) { (void)timer; }

static int setup(void **state) {
  static const char *const listen = "127.0.0.1:0";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct wt_server_config config;
  wt_certificate *certificate;
  char message[256];
  (void)state;
  memset(&bed, 0, sizeof bed);
  assert_int_equal(uv_loop_init(&bed.loop), 0);
  wt_server_config_default(&config);
  config.listen = &listen;
  config.loop = &bed.loop;
  assert_int_equal(wt_server_new(&config, &bed.server, NULL, 0), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  assert_int_equal(wt_server_add_certificate(bed.server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(bed.server), 0);
  uv_timer_init(&bed.loop, &bed.timer);
  uv_timer_start(&bed.timer, on_timer, 1, 1);

  snprintf(bed.service.notify, sizeof bed.service.notify, "/tmp/test_housekeeping.%d", (int)getpid());
  memcpy(address.sun_path, bed.service.notify, sizeof bed.service.notify);
  bed.manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  assert_int_equal(bind(bed.manager, (struct sockaddr *)&address, sizeof address), 0);
  bed.service.watchdog_us = WATCHDOG_US;
  const struct housekeeping_config housekeeping = {.server = bed.server, .service = &bed.service};
  bed.housekeeping = housekeeping_start(&housekeeping, message, sizeof message);
  assert_non_null(bed.housekeeping);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  housekeeping_stop(bed.housekeeping);
  wt_server_free(bed.server);
  uv_close((uv_handle_t *)&bed.timer, NULL);
  uv_run(&bed.loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&bed.loop), 0);
  close(bed.manager);
  unlink(bed.service.notify);
  return 0;
}

static unsigned beats_take(void) {
  char text[64];
  unsigned beats = 0;
  for (ssize_t len; (len = recv(bed.manager, text, sizeof text, 0)) >= 0; beats++) {
    assert_int_equal(len, 10);
    assert_memory_equal(text, "WATCHDOG=1", 10);
  }
  return beats;
}

static void wait_for_beats(unsigned count) {
  for (unsigned beats = 0; beats < count; beats += beats_take()) uv_run(&bed.loop, UV_RUN_ONCE);
}

static void wait_until_asked(unsigned times) {
  for (bed.asked = 0; bed.asked < times;) uv_run(&bed.loop, UV_RUN_ONCE);
}

static void test_beats_come_while_the_loops_turn(void **state) {
  (void)state;
  wait_for_beats(3);
}

static void test_no_beat_comes_while_a_worker_hangs(void **state) {
  (void)state;
  wait_for_beats(1);
  bed.hangs_for = WATCHDOG_US / 2 + 1;
  wait_until_asked(1);
  (void)beats_take(); /* of just before */
  wait_until_asked(5);
  assert_int_equal(beats_take(), 0);
  bed.hangs_for = WATCHDOG_US / 2;
  wait_for_beats(2);
}

/* The long turn was that of the loop that is asked: it beats in its next one, not half a period later. */
static void test_a_loop_that_goes_on_beats_at_once(void **state) {
  (void)state;
  wait_for_beats(1);
  bed.hangs_for = WATCHDOG_US;
  bed.short_once = 1;
  wait_until_asked(2);
  assert_int_equal(bed.hangs_for, 0);
  assert_int_equal(beats_take(), 1);
}

/* The server makes calls that wait also when it is freed. */
static void test_a_beat_that_waits_outlives_the_rest(void **state) {
  (void)state;
  wait_for_beats(1);
  uv_sleep(WATCHDOG_US / 1000); /* the loop stands, and two beats would have been due */
  housekeeping_stop(bed.housekeeping);
  bed.housekeeping = NULL;
  for (int turns = 0; turns < 10; turns++) uv_run(&bed.loop, UV_RUN_ONCE);
  assert_int_equal(beats_take(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_beats_come_while_the_loops_turn, setup, teardown),
      cmocka_unit_test_setup_teardown(test_no_beat_comes_while_a_worker_hangs, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_loop_that_goes_on_beats_at_once, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_beat_that_waits_outlives_the_rest, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
