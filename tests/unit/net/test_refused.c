/* SPDX-License-Identifier: MIT */

/*
 * System calls that are refused for good, when a socket is opened or later: another call takes their place, or what
 * uses the socket is told; and no loop runs without a pause. The linker puts the functions below in place of the C
 * library's (cmake/Tests.cmake).
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <cmocka.h>

#include "net/loop.h"

enum {
  CALL_RECVMMSG,
  CALL_RECVMSG,
  CALL_SENDMMSG,
  CALL_SENDMSG,
  CALL_TIMERFD_CREATE,
  CALL_TIMERFD_SETTIME,
  CALL_COUNT
};

static int refused[CALL_COUNT]; /* errno; 0: allowed */
static unsigned called[CALL_COUNT];

static bool is_refused(int call) {
  called[call]++;
  errno = refused[call];
  return refused[call] != 0;
}

int __real_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
ssize_t __real_recvmsg(int fd, struct msghdr *header, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *header, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old);

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
  return is_refused(CALL_RECVMMSG) ? -1 : __real_recvmmsg(fd, messages, count, flags, timeout);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags) {
  return is_refused(CALL_RECVMSG) ? -1 : __real_recvmsg(fd, header, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  return is_refused(CALL_SENDMMSG) ? -1 : __real_sendmmsg(fd, messages, count, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags) {
  return is_refused(CALL_SENDMSG) ? -1 : __real_sendmsg(fd, header, flags);
}

int __wrap_timerfd_create(int clock, int flags) {
  return is_refused(CALL_TIMERFD_CREATE) ? -1 : __real_timerfd_create(clock, flags);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *spec, struct itimerspec *old) {
  return is_refused(CALL_TIMERFD_SETTIME) ? -1 : __real_timerfd_settime(fd, flags, spec, old);
}

/* What a sandbox or the kernel may answer. */
static const int errors[] = {ENOSYS, EPERM, EACCES, EINVAL, EOPNOTSUPP, ENOMEM};
#define ERRORS (sizeof(errors) / sizeof(*errors))

static int all_allowed(void **state) {
  (void)state;
  memset(refused, 0, sizeof(refused));
  memset(called, 0, sizeof(called));
  return 0;
}

static int try_open(struct wt__udp *udp, int *os_error) {
  struct wt__address any = {.len = sizeof(struct sockaddr_in)};
  struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  memcpy(&any.storage, &loopback, sizeof(loopback));
  memset(udp, 0, sizeof(*udp));
  return wt__udp_open(udp, &any, os_error);
}

static void open_socket(struct wt__udp *udp) {
  int os_error;
  assert_int_equal(try_open(udp, &os_error), 0);
}

static struct wt__path path_to(struct wt__udp *from, const struct wt__udp *to) {
  return (struct wt__path){.local = from->bound.storage,
                           .local_len = from->bound.len,
                           .remote = to->bound.storage,
                           .remote_len = to->bound.len,
                           .socket = from};
}

static void count_bytes(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  (void)path, (void)ecn, (void)data;
  *(size_t *)ctx += len;
}

enum {
  PACKET = 1000,
  PACKETS = 10
};

/* A batch and a single packet, there. */
static void check_transfer(struct wt__udp *from, struct wt__udp *to) {
  static const uint8_t data[PACKETS * PACKET];
  struct wt__udp_batch *batch = wt__udp_batch_new();
  struct wt__path path = path_to(from, to);
  size_t got = 0;
  assert_non_null(batch);
  assert_int_equal(wt__udp_send(from, &path, 0, data, sizeof(data), PACKET), 0);
  assert_int_equal(wt__udp_send(from, &path, 0, data, 1, 1), 0);
  assert_int_equal(from->send_error, 0);
  while (got < sizeof(data) + 1) {
    struct pollfd wait = {.fd = to->fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    wt__udp_recv(to, batch, count_bytes, &got);
    assert_int_equal(to->recv_error, 0);
  }
  wt__udp_batch_free(batch);
}

static const unsigned char singly[] = {CALL_RECVMMSG, CALL_SENDMMSG, CALL_SENDMSG};

/* The same where the kernel does not join packets, so that a batch is sent by sendmmsg. */
static void check_transfer_apart(struct wt__udp *from, struct wt__udp *to) {
  bool gso = from->gso;
  from->gso = false;
  check_transfer(from, to);
  from->gso = gso;
}

static void test_refused_before_the_opening(void **state) {
  for (size_t i = 0; i < sizeof(singly) * ERRORS; i++) {
    struct wt__udp a, b;
    all_allowed(state);
    refused[singly[i / ERRORS]] = errors[i % ERRORS];
    open_socket(&a);
    open_socket(&b);
    check_transfer(&a, &b);
    check_transfer_apart(&a, &b);
    wt__udp_close(&a);
    wt__udp_close(&b);
  }
}

static void test_refused_after_the_opening(void **state) {
  for (size_t i = 0; i < sizeof(singly) * ERRORS; i++) {
    struct wt__udp a, b;
    all_allowed(state);
    open_socket(&a);
    open_socket(&b);
    refused[singly[i / ERRORS]] = errors[i % ERRORS];
    check_transfer_apart(&a, &b);
    check_transfer(&a, &b);
    check_transfer(&a, &b);
    /* The second time nothing is tried in vain, unless memory was short. */
    if (singly[i / ERRORS] == CALL_RECVMMSG) assert_int_equal(b.no_recvmmsg, errors[i % ERRORS] != ENOMEM);
    wt__udp_close(&a);
    wt__udp_close(&b);
  }
}

static void test_refused_in_both_ways_is_told_at_the_opening(void **state) {
  struct wt__udp udp;
  int os_error = 0;
  (void)state;
  refused[CALL_RECVMMSG] = ENOSYS;
  refused[CALL_RECVMSG] = EPERM;
  assert_int_not_equal(try_open(&udp, &os_error), 0);
  assert_int_equal(os_error, EPERM);
  assert_string_equal(udp.refused, "recvmsg");
  all_allowed(state);
  refused[CALL_SENDMMSG] = refused[CALL_SENDMSG] = EACCES;
  assert_int_not_equal(try_open(&udp, &os_error), 0);
  assert_int_equal(os_error, EACCES);
  assert_string_equal(udp.refused, "sendmsg");
}

/* As by a firewall: the packets are lost, the reason is kept, and a batch costs a few calls and not one a packet. */
static void test_refused_packets_are_counted(void **state) {
  static const uint8_t data[PACKETS * PACKET];
  static const int network[] = {EPERM, ENOBUFS, ENETUNREACH, EACCES};
  for (size_t i = 0; i < sizeof(network) / sizeof(*network); i++) {
    struct wt__udp a, b;
    all_allowed(state);
    open_socket(&a);
    open_socket(&b);
    struct wt__path path = path_to(&a, &b);
    memset(called, 0, sizeof(called));
    refused[CALL_SENDMSG] = refused[CALL_SENDMMSG] = network[i];
    assert_int_equal(wt__udp_send(&a, &path, 0, data, sizeof(data), PACKET), 0);
    assert_int_equal(a.send_error, network[i]);
    assert_int_equal(a.lost, PACKETS);
    assert_true(called[CALL_SENDMSG] + called[CALL_SENDMMSG] <= 8);
    refused[CALL_SENDMSG] = refused[CALL_SENDMMSG] = a.send_error = 0;
    check_transfer(&a, &b);
    wt__udp_close(&a);
    wt__udp_close(&b);
  }
}

/* --- Runs for several peers --- */

static size_t send_two_runs(struct wt__udp *from, const struct wt__udp *to) {
  struct wt__packet_run runs[2];
  for (size_t i = 0; i < 2; i++)
    runs[i] = (struct wt__packet_run){
        .path = path_to(from, to), .data = (const uint8_t *)"x", .len = 1, .segment = 1, .count = 1};
  memset(called, 0, sizeof(called));
  return wt__udp_send_runs(from, runs, 2);
}

/* A sandbox that comes later: the first run leaves another way, and this call is not tried again. */
static void test_refused_call_for_several_is_found_out(void **state) {
  for (size_t i = 0; i < ERRORS; i++) {
    struct wt__udp a, b;
    all_allowed(state);
    open_socket(&a);
    open_socket(&b);
    assert_int_equal(send_two_runs(&a, &b), 2);
    assert_int_equal(called[CALL_SENDMMSG], 1);
    refused[CALL_SENDMMSG] = errors[i];
    assert_int_equal(send_two_runs(&a, &b), 1);
    assert_int_equal(send_two_runs(&a, &b), errors[i] == ENOMEM);
    assert_int_equal(called[CALL_SENDMMSG], errors[i] == ENOMEM); /* memory may be there again */
    wt__udp_close(&a);
    wt__udp_close(&b);
  }
}

/* As by a firewall: whether the packets are lost, and what is said of it, is for wt__udp_send. */
static void test_refused_runs_are_left_to_the_other_call(void **state) {
  static const int network[] = {EPERM, ENOBUFS, ENETUNREACH, EACCES, EAGAIN, EMSGSIZE, ECONNREFUSED};
  for (size_t i = 0; i < sizeof(network) / sizeof(*network); i++) {
    struct wt__udp a, b;
    all_allowed(state);
    open_socket(&a);
    open_socket(&b);
    refused[CALL_SENDMSG] = refused[CALL_SENDMMSG] = network[i];
    assert_int_equal(send_two_runs(&a, &b), 0);
    assert_int_equal(a.lost, 0);
    assert_int_equal(a.send_error, 0);
    assert_false(a.no_sendmmsg);
    wt__udp_close(&a);
    wt__udp_close(&b);
  }
}

/* --- The loop --- */

struct watch {
  struct wt__loop loop;
  struct wt__socket socket;
  struct wt__udp_batch *batch;
  uint64_t next;
  unsigned passes, first_failures, last_failures;
  int os_error;
  size_t got;
  bool refill; /* on_writable finds it full again */
};

static void on_wake(void *ctx) { (void)ctx; }

static void on_readable(void *ctx, struct wt__socket *socket) {
  struct watch *watch = ctx;
  wt__udp_recv(&socket->udp, watch->batch, count_bytes, &watch->got);
  wt__loop_read(socket, socket->udp.recv_error);
}

static void on_writable(void *ctx, struct wt__socket *socket) {
  if (((struct watch *)ctx)->refill) wt__loop_want_write(socket);
}

static void on_failing(void *ctx, struct wt__socket *socket, int os_error, bool lasting) {
  struct watch *watch = ctx;
  (void)socket;
  watch->os_error = os_error;
  watch->first_failures += !lasting;
  watch->last_failures += lasting;
}

static uint64_t on_pass(void *ctx) {
  struct watch *watch = ctx;
  watch->passes++;
  return watch->next;
}

static const struct wt__loop_callbacks callbacks = {.on_wake = on_wake,
                                                    .on_readable = on_readable,
                                                    .on_writable = on_writable,
                                                    .on_failing = on_failing,
                                                    .on_pass = on_pass};

static void watch_start(struct watch *watch) {
  memset(watch, 0, sizeof(*watch));
  watch->next = UINT64_MAX;
  watch->batch = wt__udp_batch_new();
  assert_non_null(watch->batch);
  open_socket(&watch->socket.udp);
  assert_int_equal(wt__loop_init(&watch->loop, NULL, &callbacks, watch), 0);
  assert_int_equal(wt__loop_start(&watch->loop), 0);
  assert_int_equal(wt__loop_add(&watch->loop, &watch->socket), 0);
}

static void watch_end(struct watch *watch) {
  wt__loop_remove(&watch->socket);
  wt__loop_stop(&watch->loop);
  wt__loop_free(&watch->loop);
  wt__udp_batch_free(watch->batch);
}

static void send_to(const struct wt__udp *to) {
  struct wt__udp from;
  open_socket(&from);
  struct wt__path path = path_to(&from, to);
  assert_int_equal(wt__udp_send(&from, &path, 0, (const uint8_t *)"x", 1, 1), 0);
  wt__udp_close(&from);
}

/* Whatever the errno: a few tries with pauses between them, then it is told that it lasts. */
static void test_refused_reading_does_not_spin(void **state) {
  static const int lasting[] = {EPERM, ENOSYS, EIO, ECONNREFUSED, EBADF, EINTR, ENOMEM};
  for (size_t i = 0; i < sizeof(lasting) / sizeof(*lasting); i += 3) {
    struct watch watch;
    all_allowed(state);
    watch_start(&watch);
    send_to(&watch.socket.udp);
    refused[CALL_RECVMMSG] = refused[CALL_RECVMSG] = lasting[i];
    uint64_t began = uv_hrtime();
    while (watch.last_failures == 0) wt__loop_turn(&watch.loop);
    assert_true(uv_hrtime() - began > UINT64_C(1000000000)); /* pauses of 1.6 s: what passes soon is waited for */
    assert_int_equal(watch.first_failures, 1);
    assert_int_equal(watch.os_error, lasting[i]);
    assert_true(watch.passes < 40);
    watch_end(&watch);
  }
}

static void test_refused_for_a_while(void **state) {
  struct watch watch;
  (void)state;
  watch_start(&watch);
  send_to(&watch.socket.udp);
  refused[CALL_RECVMMSG] = refused[CALL_RECVMSG] = ENOMEM;
  while (watch.socket.failures < 3) wt__loop_turn(&watch.loop);
  all_allowed(state);
  while (watch.got == 0) wt__loop_turn(&watch.loop);
  assert_int_equal(watch.socket.failures, 0);
  assert_int_equal(watch.first_failures, 1);
  assert_int_equal(watch.last_failures, 0);
  watch_end(&watch);
}

/* It is readable, and there is nothing to read. */
static void test_refused_with_again_does_not_spin(void **state) {
  struct watch watch;
  (void)state;
  watch_start(&watch);
  send_to(&watch.socket.udp);
  refused[CALL_RECVMMSG] = EAGAIN;
  while (!watch.socket.deaf) wt__loop_turn(&watch.loop);
  assert_true(watch.passes < 80);
  refused[CALL_RECVMMSG] = 0;
  while (watch.got == 0) wt__loop_turn(&watch.loop);
  assert_int_equal(watch.first_failures + watch.last_failures, 0);
  watch_end(&watch);
}

/* It takes packets, it says, and takes none. */
static void test_refused_writing_does_not_spin(void **state) {
  struct watch watch;
  (void)state;
  watch_start(&watch);
  watch.refill = true;
  wt__loop_want_write(&watch.socket);
  while (!watch.socket.mute) wt__loop_turn(&watch.loop);
  assert_true(watch.passes < 80);
  watch.refill = false;
  while (watch.socket.want_write) wt__loop_turn(&watch.loop);
  assert_int_equal(watch.socket.fulls, 0);
  watch_end(&watch);
}

static void check_time(struct watch *watch) {
  for (int i = 0; i < 3; i++) {
    uint64_t due = uv_hrtime() + 3000000;
    watch->next = due;
    while (uv_hrtime() < due) wt__loop_turn(&watch->loop);
  }
  watch->next = UINT64_MAX;
  assert_true(watch->passes < 40);
}

static void test_refused_timerfd(void **state) {
  struct watch watch;
  (void)state;
  refused[CALL_TIMERFD_CREATE] = ENOSYS;
  watch_start(&watch);
  check_time(&watch);
  watch_end(&watch);
}

static void test_refused_timerfd_later(void **state) {
  struct watch watch;
  (void)state;
  watch_start(&watch);
  check_time(&watch);
  refused[CALL_TIMERFD_SETTIME] = EPERM;
  check_time(&watch);
  watch_end(&watch);
}

/* Without one, a foreign loop is told by the timeout. */
static void test_refused_timerfd_with_a_foreign_loop(void **state) {
  struct watch watch;
  (void)state;
  refused[CALL_TIMERFD_CREATE] = ENOSYS;
  watch_start(&watch);
  wt__loop_step(&watch.loop);
  watch.next = uv_hrtime() + UINT64_C(3600000000000);
  wt__loop_step(&watch.loop);
  int ms = wt__loop_timeout_ms(&watch.loop, UINT64_MAX);
  assert_true(ms > 0 && ms <= 3600001);
  watch_end(&watch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_refused_before_the_opening, all_allowed),
      cmocka_unit_test_setup(test_refused_after_the_opening, all_allowed),
      cmocka_unit_test_setup(test_refused_in_both_ways_is_told_at_the_opening, all_allowed),
      cmocka_unit_test_setup(test_refused_packets_are_counted, all_allowed),
      cmocka_unit_test_setup(test_refused_call_for_several_is_found_out, all_allowed),
      cmocka_unit_test_setup(test_refused_runs_are_left_to_the_other_call, all_allowed),
      cmocka_unit_test_setup(test_refused_reading_does_not_spin, all_allowed),
      cmocka_unit_test_setup(test_refused_for_a_while, all_allowed),
      cmocka_unit_test_setup(test_refused_with_again_does_not_spin, all_allowed),
      cmocka_unit_test_setup(test_refused_writing_does_not_spin, all_allowed),
      cmocka_unit_test_setup(test_refused_timerfd, all_allowed),
      cmocka_unit_test_setup(test_refused_timerfd_later, all_allowed),
      cmocka_unit_test_setup(test_refused_timerfd_with_a_foreign_loop, all_allowed),
  };
  return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
