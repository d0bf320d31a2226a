/* SPDX-License-Identifier: MIT */

/* The event loop as a server sees it (net/loop.c). */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/loop.h"

#define MS UINT64_C(1000000)

/* What the callbacks are to do, and what they saw. */
struct watch {
  struct wt__loop loop;
  uint64_t next; /* what each pass returns */
  unsigned passes, wakes, readables, writables, errors;
  uint64_t pass_at[8];
  struct wt__socket *closing; /* on_wake removes it and stops the loop */
};

static void on_wake(void *ctx) {
  struct watch *watch = ctx;
  watch->wakes++;
  if (watch->closing) wt__loop_remove(watch->closing);
  if (watch->closing) wt__loop_stop(&watch->loop);
}

static void on_readable(void *ctx, struct wt__socket *socket) {
  struct watch *watch = ctx;
  uint8_t bytes[64];
  watch->readables++;
  while (recv(socket->udp.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) continue;
}

static void on_writable(void *ctx, struct wt__socket *socket) {
  struct watch *watch = ctx;
  (void)socket;
  watch->writables++;
}

static uint64_t on_pass(void *ctx) {
  struct watch *watch = ctx;
  watch->pass_at[watch->passes++ % 8] = wt__loop_now(&watch->loop);
  uint64_t next = watch->next;
  watch->next = UINT64_MAX;
  return next;
}

static void on_error(void *ctx, struct wt__socket *socket) {
  struct watch *watch = ctx;
  struct wt__address remote;
  int os_error;
  while (wt__udp_error(&socket->udp, &remote, &os_error)) {
    assert_int_equal(os_error, ECONNREFUSED);
    watch->errors++;
  }
}

static const struct wt__loop_callbacks callbacks = {
    .on_wake = on_wake,
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_error = on_error,
    .on_pass = on_pass,
};

static void watch_start(struct watch *watch) {
  memset(watch, 0, sizeof(*watch));
  watch->next = UINT64_MAX;
  assert_int_equal(wt__loop_init(&watch->loop, NULL, &callbacks, watch), 0);
  assert_int_equal(wt__loop_start(&watch->loop), 0);
}

static void watch_end(struct watch *watch) {
  wt__loop_stop(&watch->loop);
  wt__loop_free(&watch->loop);
}

static void test_loop_waits_until_the_next_pass_is_due(void **state) {
  (void)state;
  struct watch watch;
  watch_start(&watch);
  uint64_t due = uv_hrtime() + 5 * MS;
  watch.next = due;
  wt__loop_turn(&watch.loop); /* a pass, then the timer */
  assert_int_equal(watch.passes, 1);
  wt__loop_wake(&watch.loop); /* ends the turn after the second pass */
  wt__loop_turn(&watch.loop);
  assert_int_equal(watch.passes, 2);
  assert_true(watch.pass_at[1] >= due);
  watch_end(&watch);
}

/* The grain of libuv's timers is a millisecond. Of many waits of 100 microseconds at least one must be
 * shorter than that, even on a busy machine. */
static void test_loop_timer_is_finer_than_a_millisecond(void **state) {
  (void)state;
  struct watch watch;
  uint64_t best = UINT64_MAX;
  watch_start(&watch);
  for (int i = 0; i < 50; i++) {
    uint64_t begin = uv_hrtime(), took;
    unsigned turns = 0;
    watch.next = begin + MS / 10;
    do {
      wt__loop_turn(&watch.loop);
      turns++;
      took = uv_hrtime() - begin;
    } while (took < MS / 10);
    /* The turn behind a late pass does not block: its idle handle was still active when libuv began it. */
    assert_in_range(turns, 1, 2);
    if (took < best) best = took;
  }
  assert_true(best < MS);
  watch_end(&watch);
}

/* An expiry of 0 or in the past means at once: the loop does not block. */
static void test_loop_pass_at_once(void **state) {
  (void)state;
  struct watch watch;
  watch_start(&watch);
  for (unsigned i = 1; i <= 100; i++) {
    watch.next = i % 2 ? 0 : uv_hrtime();
    wt__loop_turn(&watch.loop);
    assert_int_equal(watch.passes, i);
  }
  watch_end(&watch);
}

/* A deadline that moves back is not set again: it costs one early wake-up, and still nothing is missed. */
static void test_loop_deadline_that_moves_back(void **state) {
  (void)state;
  struct watch watch;
  watch_start(&watch);
  uint64_t begin = uv_hrtime();
  watch.next = begin + 2 * MS;
  wt__loop_wake(&watch.loop);
  wt__loop_turn(&watch.loop);
  uint64_t due = begin + 10 * MS;
  while (uv_hrtime() < due) {
    watch.next = due;
    wt__loop_turn(&watch.loop);
  }
  assert_in_range(watch.passes, 2, 6);
  watch_end(&watch);
}

static void socket_pair(struct wt__socket *socket, int *other) {
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
  memset(socket, 0, sizeof(*socket));
  socket->udp.fd = pair[0];
  *other = pair[1];
}

static void test_loop_socket_readable(void **state) {
  (void)state;
  struct watch watch;
  struct wt__socket socket;
  int other;
  watch_start(&watch);
  socket_pair(&socket, &other);
  assert_int_equal(wt__loop_add(&watch.loop, &socket), 0);
  assert_int_equal(write(other, "x", 1), 1);
  wt__loop_turn(&watch.loop);
  assert_int_equal(watch.readables, 1);
  assert_int_equal(watch.writables, 0);
  wt__loop_remove(&socket);
  assert_int_equal(socket.udp.fd, -1);
  close(other);
  watch_end(&watch);
}

static void test_loop_socket_writable_is_told_once_asked(void **state) {
  (void)state;
  struct watch watch;
  struct wt__socket socket;
  int other;
  char byte;
  watch_start(&watch);
  socket_pair(&socket, &other);
  assert_int_equal(wt__loop_add(&watch.loop, &socket), 0);
  while (write(socket.udp.fd, "x", 1) == 1) continue; /* full */
  wt__loop_want_write(&socket);
  wt__loop_wake(&watch.loop);
  wt__loop_turn(&watch.loop);
  assert_int_equal(watch.writables, 0);
  while (read(other, &byte, 1) == 1) continue;
  wt__loop_turn(&watch.loop);
  assert_int_equal(watch.writables, 1);
  wt__loop_wake(&watch.loop);
  wt__loop_turn(&watch.loop);
  assert_int_equal(watch.writables, 1); /* not asked again */
  wt__loop_remove(&socket);
  close(other);
  watch_end(&watch);
}

/* Both become ready in one turn: once the wake-up has removed the socket, nothing is told of it. */
static void test_loop_stop_inside_a_callback(void **state) {
  (void)state;
  struct watch watch;
  struct wt__socket socket;
  int other;
  watch_start(&watch);
  socket_pair(&socket, &other);
  assert_int_equal(wt__loop_add(&watch.loop, &socket), 0);
  watch.closing = &socket;
  wt__loop_wake(&watch.loop);
  while (wt__loop_turn(&watch.loop)) continue; /* nothing keeps it alive */
  assert_int_equal(watch.wakes, 1);
  assert_int_equal(watch.loop.handles_open, 1); /* the wake-up itself */
  close(other);
  wt__loop_free(&watch.loop);
}

/* Its handles are there, and the loop ends all the same, unless it is held. */
static void test_loop_lazy(void **state) {
  (void)state;
  struct watch watch;
  memset(&watch, 0, sizeof(watch));
  watch.next = UINT64_MAX;
  assert_int_equal(wt__loop_init(&watch.loop, NULL, &callbacks, &watch), 0);
  wt__loop_set_lazy(&watch.loop);
  assert_int_equal(wt__loop_start(&watch.loop), 0);
  assert_false(wt__loop_turn(&watch.loop));
  assert_int_equal(watch.passes, 0);
  wt__loop_hold(&watch.loop, true);
  wt__loop_hold(&watch.loop, true);
  wt__loop_wake(&watch.loop);
  assert_true(wt__loop_turn(&watch.loop));
  assert_int_equal(watch.passes, 1);
  wt__loop_hold(&watch.loop, false);
  assert_false(wt__loop_turn(&watch.loop));
  assert_int_equal(watch.passes, 1);
  watch_end(&watch);
}

/* A packet to a closed port; the socket goes on working afterwards. */
static void test_loop_socket_errors_are_told(void **state) {
  (void)state;
  struct watch watch;
  struct wt__socket sender, receiver;
  struct wt__address any = {.len = sizeof(struct sockaddr_in)}, gone;
  struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  int os_error;
  memcpy(&any.storage, &loopback, sizeof(loopback));
  memset(&sender, 0, sizeof(sender));
  memset(&receiver, 0, sizeof(receiver));
  watch_start(&watch);
  assert_int_equal(wt__udp_open(&sender.udp, &any, &os_error), 0);
  assert_int_equal(wt__udp_open(&receiver.udp, &any, &os_error), 0);
  wt__udp_want_errors(&sender.udp);
  assert_int_equal(wt__loop_add(&watch.loop, &sender), 0);
  gone = receiver.udp.bound;
  wt__udp_close(&receiver.udp);
  const struct wt__path path = {.local = sender.udp.bound.storage,
                                .local_len = sender.udp.bound.len,
                                .remote = gone.storage,
                                .remote_len = gone.len,
                                .socket = &sender.udp};
  for (unsigned i = 1; i <= 3; i++) {
    assert_int_equal(wt__udp_send(&sender.udp, &path, 0, (const uint8_t *)"x", 1, 1), 0);
    while (watch.errors < i) wt__loop_turn(&watch.loop);
  }
  const struct wt__path self = {.local = sender.udp.bound.storage,
                                .local_len = sender.udp.bound.len,
                                .remote = sender.udp.bound.storage,
                                .remote_len = sender.udp.bound.len,
                                .socket = &sender.udp};
  assert_int_equal(wt__udp_send(&sender.udp, &self, 0, (const uint8_t *)"x", 1, 1), 0);
  while (watch.readables == 0) wt__loop_turn(&watch.loop);
  assert_int_equal(watch.errors, 3);
  wt__loop_remove(&sender);
  watch_end(&watch);
}

/* --- Driven from outside --- */

static bool fd_is_readable(const struct watch *watch, int timeout_ms) {
  struct pollfd entry = {.fd = wt__loop_fd(&watch->loop), .events = POLLIN};
  return poll(&entry, 1, timeout_ms) == 1;
}

/* The pass follows what was ready in the same step, and nothing waits. */
static void test_loop_step_is_one_pass_behind_the_events(void **state) {
  (void)state;
  struct watch watch;
  watch_start(&watch);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, UINT64_MAX), 0); /* libuv has not polled yet */
  wt__loop_step(&watch.loop);
  assert_int_equal(watch.passes, 1);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, UINT64_MAX), -1);
  assert_false(fd_is_readable(&watch, 0));
  wt__loop_wake(&watch.loop);
  assert_true(fd_is_readable(&watch, 0));
  wt__loop_step(&watch.loop);
  assert_int_equal(watch.wakes, 1);
  assert_int_equal(watch.passes, 2);
  assert_false(fd_is_readable(&watch, 0));
  watch_end(&watch);
}

/* A later pass comes by the descriptor; one that is due at once, by the timeout. */
static void test_loop_step_when_the_next_is_due(void **state) {
  (void)state;
  struct watch watch;
  watch_start(&watch);
  wt__loop_step(&watch.loop);
  uint64_t due = watch.next = uv_hrtime() + 3 * MS;
  wt__loop_step(&watch.loop);
  assert_true(fd_is_readable(&watch, -1));
  assert_true(uv_hrtime() >= due);
  watch.next = 0;
  wt__loop_step(&watch.loop);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, UINT64_MAX), 0);
  wt__loop_step(&watch.loop);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, UINT64_MAX), -1);
  assert_int_equal(watch.passes, 4);
  watch_end(&watch);
}

/* What the owner knows counts, rounded up; a far time is no overflow. */
static void test_loop_timeout_of_the_owner(void **state) {
  (void)state;
  struct watch watch;
  watch_start(&watch);
  wt__loop_step(&watch.loop);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, 0), 0);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, uv_hrtime()), 0);
  uint64_t due = uv_hrtime() + 3600 * 1000 * MS;
  int ms = wt__loop_timeout_ms(&watch.loop, due);
  assert_true(ms > 0 && uv_hrtime() + (uint64_t)ms * MS >= due);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, UINT64_MAX - 1), INT_MAX);
  watch_end(&watch);
}

/* One that does not keep the loop running is served all the same. */
static void test_loop_step_of_a_lazy_one(void **state) {
  (void)state;
  struct watch watch;
  memset(&watch, 0, sizeof(watch));
  watch.next = UINT64_MAX;
  assert_int_equal(wt__loop_init(&watch.loop, NULL, &callbacks, &watch), 0);
  wt__loop_set_lazy(&watch.loop);
  assert_int_equal(wt__loop_start(&watch.loop), 0);
  wt__loop_step(&watch.loop);
  assert_int_equal(wt__loop_timeout_ms(&watch.loop, UINT64_MAX), -1);
  wt__loop_wake(&watch.loop);
  assert_true(fd_is_readable(&watch, 0));
  wt__loop_step(&watch.loop);
  assert_int_equal(watch.wakes, 1);
  assert_int_equal(watch.passes, 2);
  watch_end(&watch);
}

/* --- Several on one loop --- */

/* Two on a caller's loop: the pass of each asks something of the other, `asks` times in all. */
struct sharer {
  struct wt__loop loop;
  struct sharer *other;
  unsigned asks, passes;
  bool asked;
};

static uint64_t sharer_on_pass(void *ctx) {
  struct sharer *sharer = ctx;
  sharer->passes++;
  sharer->asked = false;
  if (sharer->asks > 0) {
    sharer->asks--;
    sharer->other->asked = true;
  }
  return UINT64_MAX;
}

static uint64_t sharer_due(void *ctx) { return ((struct sharer *)ctx)->asked ? 0 : UINT64_MAX; }

static void sharer_on_wake(void *ctx) { (void)ctx; }

/* libuv calls the pass that was started last first, so what the first asks the second in its pass came too late. */
static void test_loop_sharers_are_not_left_waiting(void **state) {
  static const struct wt__loop_callbacks sharer_callbacks = {
      .on_wake = sharer_on_wake, .on_pass = sharer_on_pass, .due = sharer_due};
  struct sharer sharers[2] = {{.asks = 3}, {.asks = 3}};
  uv_loop_t uv;
  (void)state;
  assert_int_equal(uv_loop_init(&uv), 0);
  for (int i = 0; i < 2; i++) {
    sharers[i].other = &sharers[!i];
    assert_int_equal(wt__loop_init(&sharers[i].loop, &uv, &sharer_callbacks, &sharers[i]), 0);
    assert_int_equal(wt__loop_start(&sharers[i].loop), 0);
  }
  for (int i = 0; i < 10; i++) {
    uv_run(&uv, UV_RUN_NOWAIT);
    bool blocks = uv_backend_timeout(&uv) != 0;
    assert_true(!blocks || !(sharers[0].asked || sharers[1].asked));
  }
  for (int i = 0; i < 2; i++) {
    assert_int_equal(sharers[i].asks, 0);
    assert_true(sharers[i].passes >= 3);
  }
  assert_int_not_equal(uv_backend_timeout(&uv), 0); /* and then they are quiet */
  for (int i = 0; i < 2; i++) {
    wt__loop_stop(&sharers[i].loop);
    wt__loop_free(&sharers[i].loop);
  }
  assert_int_equal(uv_loop_close(&uv), 0);
}

/* --- Pauses --- */

struct pausing {
  struct watch watch;
  struct wt__socket *read[4];
  unsigned reads, passes_then;
};

static void pausing_on_pause(void *ctx, struct wt__socket *socket) {
  struct pausing *pausing = ctx;
  if (pausing->reads < 4) pausing->read[pausing->reads] = socket;
  pausing->reads++;
  pausing->passes_then = pausing->watch.passes;
}

static const struct wt__loop_callbacks pausing_callbacks = {
    .on_wake = on_wake,
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_pause = pausing_on_pause,
    .on_pass = on_pass,
};

/* The last pass was that long ago, and said that the next one is due so long after it. */
static void pausing_turn(struct pausing *pausing, uint64_t ago, uint64_t due_after) {
  pausing->reads = 0;
  pausing->watch.loop.passed_at = uv_hrtime() - ago;
  pausing->watch.loop.next_pass = pausing->watch.loop.passed_at + due_after;
  wt__loop_step(&pausing->watch.loop);
}

/* Sockets are read before the pass, if it finds deadlines that are over behind a time in which nothing ran. */
static void test_loop_reads_all_after_a_pause(void **state) {
  (void)state;
  struct pausing pausing = {.watch.next = UINT64_MAX};
  struct watch *watch = &pausing.watch;
  struct wt__socket sockets[3];
  int others[3];
  assert_int_equal(wt__loop_init(&watch->loop, NULL, &pausing_callbacks, &pausing), 0);
  assert_int_equal(wt__loop_start(&watch->loop), 0);
  for (int i = 0; i < 3; i++) {
    socket_pair(&sockets[i], &others[i]);
    assert_int_equal(wt__loop_add(&watch->loop, &sockets[i]), 0);
  }
  wt__loop_step(&watch->loop);
  assert_int_equal(pausing.reads, 0); /* the first pass */
  pausing_turn(&pausing, 40000 * MS, 30000 * MS);
  assert_int_equal(pausing.reads, 3);
  assert_int_equal(pausing.passes_then, watch->passes - 1);
  pausing_turn(&pausing, 40000 * MS, 50000 * MS); /* nothing is due */
  assert_int_equal(pausing.reads, 0);
  wt__loop_hold_reading(&sockets[0], true); /* another process reads it */
  wt__loop_remove(&sockets[2]);
  pausing_turn(&pausing, WT__LOOP_PAUSE_MS * MS, 0);
  assert_int_equal(pausing.reads, 1);
  assert_ptr_equal(pausing.read[0], &sockets[1]);
  wt__loop_step(&watch->loop); /* that was the last pass now */
  assert_int_equal(pausing.reads, 1);
  wt__loop_remove(&sockets[0]);
  wt__loop_remove(&sockets[1]);
  watch_end(watch);
  for (int i = 0; i < 3; i++) close(others[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loop_waits_until_the_next_pass_is_due),
      cmocka_unit_test(test_loop_timer_is_finer_than_a_millisecond),
      cmocka_unit_test(test_loop_pass_at_once),
      cmocka_unit_test(test_loop_deadline_that_moves_back),
      cmocka_unit_test(test_loop_socket_readable),
      cmocka_unit_test(test_loop_socket_writable_is_told_once_asked),
      cmocka_unit_test(test_loop_stop_inside_a_callback),
      cmocka_unit_test(test_loop_lazy),
      cmocka_unit_test(test_loop_socket_errors_are_told),
      cmocka_unit_test(test_loop_step_is_one_pass_behind_the_events),
      cmocka_unit_test(test_loop_step_when_the_next_is_due),
      cmocka_unit_test(test_loop_timeout_of_the_owner),
      cmocka_unit_test(test_loop_step_of_a_lazy_one),
      cmocka_unit_test(test_loop_sharers_are_not_left_waiting),
      cmocka_unit_test(test_loop_reads_all_after_a_pause),
  };
  return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
