/* SPDX-License-Identifier: MIT */

/* UDP sockets in batches (net/udp.c), over loopback of both families. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "net/udp.h"

#define WAIT_MS 5000
#define BATCH_LEN (5 * 1200 + 500)

struct received {
  size_t count, bytes;
  size_t lens[512];
  unsigned ecn;
  uint8_t data[BATCH_LEN];
  struct wt__path path; /* of the last one */
};

static void receive(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  struct received *received = ctx;
  assert_true(received->count < 512);
  received->lens[received->count++] = len;
  if (received->bytes + len <= sizeof(received->data)) memcpy(received->data + received->bytes, data, len);
  received->bytes += len;
  received->ecn = ecn;
  received->path = *path;
}

/* Reads until `count` datagrams are there. */
static void receive_all(struct wt__udp *udp, size_t count, struct received *received) {
  struct wt__udp_batch *batch = wt__udp_batch_new();
  assert_non_null(batch);
  memset(received, 0, sizeof(*received));
  while (received->count < count) {
    struct pollfd wait = {.fd = udp->fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    wt__udp_recv(udp, batch, receive, received);
  }
  assert_int_equal(received->count, count);
  wt__udp_batch_free(batch);
}

static void open_on(struct wt__udp *udp, const char *text) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count;
  const char *why;
  int os_error = 0;
  assert_int_equal(wt__address_parse(text, addresses, &count, &why), 0);
  assert_int_equal(wt__udp_open(udp, &addresses[0], &os_error), 0);
  assert_int_not_equal(wt__address_port((struct sockaddr *)&udp->bound.storage), 0);
}

/* Skips the calling test on a machine without IPv6. */
static void need_ipv6(void) {
  struct wt__udp udp;
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count;
  const char *why;
  int os_error = 0;
  assert_int_equal(wt__address_parse("[::1]:0", addresses, &count, &why), 0);
  if (wt__udp_open(&udp, &addresses[0], &os_error)) {
    assert_true(os_error == EAFNOSUPPORT || os_error == EADDRNOTAVAIL);
    skip();
  }
  wt__udp_close(&udp);
}

static struct wt__path path_between(struct wt__udp *from, const struct wt__udp *to) {
  return (struct wt__path){
      .local = from->bound.storage,
      .local_len = from->bound.len,
      .remote = to->bound.storage,
      .remote_len = to->bound.len,
      .socket = from,
  };
}

static void fill(uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i * 7 + i / 256);
}

static void check_ecn(const char *address) {
  struct wt__udp a, b;
  struct received received;
  open_on(&a, address);
  open_on(&b, address);
  struct wt__path path = path_between(&a, &b);
  for (unsigned ecn = 0; ecn < 4; ecn++) {
    assert_int_equal(wt__udp_send(&a, &path, ecn, (const uint8_t *)"hello", 5, 5), 0);
    receive_all(&b, 1, &received);
    assert_int_equal(received.lens[0], 5);
    assert_memory_equal(received.data, "hello", 5);
    assert_int_equal(received.ecn, ecn);
    assert_ptr_equal(received.path.socket, &b);
    assert_true(wt__address_equal((struct sockaddr *)&received.path.remote, (struct sockaddr *)&a.bound.storage));
    assert_true(wt__address_equal((struct sockaddr *)&received.path.local, (struct sockaddr *)&b.bound.storage));
  }
  wt__udp_close(&a);
  wt__udp_close(&b);
}

static void test_udp_carries_ecn_over_ipv4(void **state) {
  (void)state;
  check_ecn("127.0.0.1:0");
}

static void test_udp_carries_ecn_over_ipv6(void **state) {
  (void)state;
  need_ipv6();
  check_ecn("[::1]:0");
}

static void check_batch(const char *address, bool gso) {
  struct wt__udp a, b;
  struct received received;
  uint8_t data[BATCH_LEN];
  fill(data, sizeof(data));
  open_on(&a, address);
  open_on(&b, address);
  a.gso = a.gso && gso;
  struct wt__path path = path_between(&a, &b);
  assert_int_equal(wt__udp_send(&a, &path, 2, data, sizeof(data), 1200), 0);
  receive_all(&b, 6, &received);
  for (size_t i = 0; i < 5; i++) assert_int_equal(received.lens[i], 1200);
  assert_int_equal(received.lens[5], 500);
  assert_memory_equal(received.data, data, sizeof(data));
  assert_int_equal(received.ecn, 2);
  wt__udp_close(&a);
  wt__udp_close(&b);
}

static void test_udp_batch_is_cut_by_the_kernel(void **state) {
  (void)state;
  check_batch("127.0.0.1:0", true);
  need_ipv6();
  check_batch("[::1]:0", true);
}

static void test_udp_batch_without_gso(void **state) {
  (void)state;
  check_batch("127.0.0.1:0", false);
  need_ipv6();
  check_batch("[::1]:0", false);
}

/* More packets than one call of the kernel takes. */
static void test_udp_batch_of_many_small_packets(void **state) {
  (void)state;
  struct wt__udp a, b;
  struct received received;
  uint8_t data[300 * 20];
  fill(data, sizeof(data));
  open_on(&a, "127.0.0.1:0");
  open_on(&b, "127.0.0.1:0");
  struct wt__path path = path_between(&a, &b);
  assert_int_equal(wt__udp_send(&a, &path, 0, data, sizeof(data), 20), 0);
  receive_all(&b, 300, &received);
  assert_int_equal(received.bytes, sizeof(data));
  assert_memory_equal(received.data, data, sizeof(data));
  wt__udp_close(&a);
  wt__udp_close(&b);
}

/* On a wildcard socket the address that the peer used is known, and the answer leaves from it. */
static void test_udp_wildcard_answers_from_the_address_asked(void **state) {
  (void)state;
  struct wt__udp client, server;
  struct received received;
  open_on(&client, "127.0.0.1:0");
  open_on(&server, "0.0.0.0:0");
  struct wt__address asked = server.bound;
  ((struct sockaddr_in *)(void *)&asked.storage)->sin_addr.s_addr = htonl(0x7f000002);
  struct wt__path path = path_between(&client, &server);
  path.remote = asked.storage;
  assert_int_equal(wt__udp_send(&client, &path, 0, (const uint8_t *)"?", 1, 1), 0);
  receive_all(&server, 1, &received);
  assert_true(wt__address_equal((struct sockaddr *)&received.path.local, (struct sockaddr *)&asked.storage));

  assert_int_equal(wt__udp_send(&server, &received.path, 0, (const uint8_t *)"!", 1, 1), 0);
  receive_all(&client, 1, &received);
  assert_true(wt__address_equal((struct sockaddr *)&received.path.remote, (struct sockaddr *)&asked.storage));
  wt__udp_close(&client);
  wt__udp_close(&server);
}

static void test_udp_ipv6_wildcard_leaves_ipv4_alone(void **state) {
  (void)state;
  struct wt__udp v6, v4;
  char text[WT__ADDRESS_TEXT_MAX];
  need_ipv6();
  open_on(&v6, "[::]:0");
  snprintf(text, sizeof(text), "0.0.0.0:%u", wt__address_port((struct sockaddr *)&v6.bound.storage));
  open_on(&v4, text);
  wt__udp_close(&v6);
  wt__udp_close(&v4);
}

static void test_udp_taken_port_is_an_error(void **state) {
  (void)state;
  struct wt__udp first, second;
  int os_error = 0;
  open_on(&first, "127.0.0.1:0");
  assert_int_equal(wt__udp_open(&second, &first.bound, &os_error), WT_ERR_IO);
  assert_int_equal(os_error, EADDRINUSE);
  assert_int_equal(second.fd, -1);
  wt__udp_close(&first);
}

/* A packet that is too large is lost, and that is told; what follows still goes. */
static void test_udp_too_large_is_a_loss_that_is_told(void **state) {
  (void)state;
  static const uint8_t huge[65535 + 1];
  struct wt__udp a, b;
  struct received received;
  open_on(&a, "127.0.0.1:0");
  open_on(&b, "127.0.0.1:0");
  struct wt__path path = path_between(&a, &b);
  assert_int_equal(wt__udp_send(&a, &path, 0, huge, sizeof(huge), sizeof(huge)), WT_ERR_TOO_LARGE);
  assert_int_equal(wt__udp_send(&a, &path, 0, (const uint8_t *)"x", 1, 1), 0);
  receive_all(&b, 1, &received);
  assert_int_equal(received.lens[0], 1);
  wt__udp_close(&a);
  wt__udp_close(&b);
}

static void test_udp_unreachable_is_a_loss(void **state) {
  (void)state;
  struct wt__udp a, gone;
  open_on(&a, "127.0.0.1:0");
  open_on(&gone, "127.0.0.1:0");
  struct wt__path path = path_between(&a, &gone);
  wt__udp_close(&gone);
  for (int i = 0; i < 3; i++) assert_int_equal(wt__udp_send(&a, &path, 0, (const uint8_t *)"x", 1, 1), 0);
  wt__udp_close(&a);
}

/* --- Runs for several peers --- */

static struct wt__packet_run run_of(struct wt__udp *from, const struct wt__udp *to, unsigned ecn, const uint8_t *data,
                                    size_t len, size_t segment) {
  return (struct wt__packet_run){.path = path_between(from, to),
                                 .ecn = ecn,
                                 .data = data,
                                 .len = len,
                                 .segment = segment,
                                 .count = (len + segment - 1) / segment};
}

static void check_runs(const char *address) {
  struct wt__udp a, b, c;
  struct received at_b, at_c;
  uint8_t data[BATCH_LEN];
  fill(data, sizeof(data));
  open_on(&a, address);
  open_on(&b, address);
  open_on(&c, address);
  const struct wt__packet_run runs[] = {
      run_of(&a, &b, 2, data, sizeof(data), 1200),
      run_of(&a, &c, 1, data, 5, 5),
      run_of(&a, &c, 1, data + 5, 7, 7),
  };
  assert_int_equal(wt__udp_send_runs(&a, runs, 3), a.gso ? 3 : 0);
  if (a.gso) {
    receive_all(&b, 6, &at_b);
    assert_memory_equal(at_b.data, data, sizeof(data));
    assert_int_equal(at_b.lens[5], 500);
    assert_int_equal(at_b.ecn, 2);
    receive_all(&c, 2, &at_c);
    assert_memory_equal(at_c.data, data, 12);
    assert_int_equal(at_c.lens[0], 5);
    assert_int_equal(at_c.ecn, 1);
    assert_true(wt__address_equal((struct sockaddr *)&at_c.path.remote, (struct sockaddr *)&a.bound.storage));
  }
  a.gso = false; /* a message for each packet is what wt__udp_send makes of it */
  assert_int_equal(wt__udp_send_runs(&a, runs, 3), 0);
  assert_int_equal(wt__udp_send_runs(&a, runs + 1, 2), 2);
  receive_all(&c, 2, &at_c);
  a.no_sendmmsg = true;
  assert_int_equal(wt__udp_send_runs(&a, runs + 1, 2), 0);
  wt__udp_close(&a);
  wt__udp_close(&b);
  wt__udp_close(&c);
}

static void test_udp_runs_go_to_several_peers(void **state) {
  (void)state;
  check_runs("127.0.0.1:0");
  need_ipv6();
  check_runs("[::1]:0");
}

/* On a wildcard socket each leaves from the address that its peer knows. */
static void test_udp_runs_leave_from_their_addresses(void **state) {
  (void)state;
  struct wt__udp server, clients[2];
  struct wt__packet_run runs[2];
  struct received received;
  open_on(&server, "0.0.0.0:0");
  for (unsigned i = 0; i < 2; i++) {
    open_on(&clients[i], "127.0.0.1:0");
    runs[i] = run_of(&server, &clients[i], 0, (const uint8_t *)"!", 1, 1);
    ((struct sockaddr_in *)(void *)&runs[i].path.local)->sin_addr.s_addr = htonl(0x7f000002 + i);
  }
  assert_int_equal(wt__udp_send_runs(&server, runs, 2), 2);
  for (unsigned i = 0; i < 2; i++) {
    receive_all(&clients[i], 1, &received);
    const struct sockaddr_in *from = (const struct sockaddr_in *)(const void *)&received.path.remote;
    assert_int_equal(from->sin_addr.s_addr, htonl(0x7f000002 + i));
    wt__udp_close(&clients[i]);
  }
  wt__udp_close(&server);
}

/* The third is too large: it is for wt__udp_send to say that, and the others leave. */
static void test_udp_runs_stop_at_one_that_does_not_pass(void **state) {
  (void)state;
  static const uint8_t huge[65535 + 1];
  struct wt__udp a, b;
  struct wt__packet_run runs[5];
  struct received received;
  open_on(&a, "127.0.0.1:0");
  open_on(&b, "127.0.0.1:0");
  for (size_t i = 0; i < 5; i++) runs[i] = run_of(&a, &b, 0, huge, i == 2 ? sizeof(huge) : 10 + i, sizeof(huge));
  assert_int_equal(wt__udp_send_runs(&a, runs, 5), 2);
  assert_int_equal(wt__udp_send_runs(&a, runs + 2, 3), 0);
  assert_int_equal(wt__udp_send(&a, &runs[2].path, 0, huge, sizeof(huge), sizeof(huge)), WT_ERR_TOO_LARGE);
  assert_int_equal(wt__udp_send_runs(&a, runs + 3, 2), 2);
  receive_all(&b, 4, &received);
  assert_int_equal(received.bytes, 10 + 11 + 13 + 14);
  assert_int_equal(a.send_error, 0);
  wt__udp_close(&a);
  wt__udp_close(&b);
}

static void test_udp_runs_stop_at_a_full_socket(void **state) {
  (void)state;
  int pair[2];
  size_t sent, all = 0;
  assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
  struct wt__udp udp = {.fd = pair[0], .family = AF_UNIX};
  struct wt__packet_run runs[WT__MAX_RUNS];
  for (size_t i = 0; i < WT__MAX_RUNS; i++)
    runs[i] = (struct wt__packet_run){.path.socket = &udp, .data = (const uint8_t *)"x", .len = 1, .segment = 1};
  do all += sent = wt__udp_send_runs(&udp, runs, WT__MAX_RUNS);
  while (sent == WT__MAX_RUNS);
  assert_int_equal(wt__udp_send(&udp, &runs[0].path, 0, runs[0].data, 1, 1), WT_ERR_AGAIN);
  uint8_t byte;
  for (; all > 0; all--) assert_int_equal(read(pair[1], &byte, 1), 1);
  assert_int_equal(wt__udp_send_runs(&udp, runs, 3), 3);
  close(pair[1]);
  wt__udp_close(&udp);
}

static void test_udp_nothing_to_receive(void **state) {
  (void)state;
  struct wt__udp a;
  struct received received = {0};
  struct wt__udp_batch *batch = wt__udp_batch_new();
  assert_non_null(batch);
  open_on(&a, "127.0.0.1:0");
  assert_false(wt__udp_recv(&a, batch, receive, &received));
  assert_int_equal(received.count, 0);
  wt__udp_batch_free(batch);
  wt__udp_close(&a);
}

/* On loopback a sender's buffer never fills. A pair of local sockets, which ignore the control messages of
 * IP, takes a few packets and then refuses. */
static void test_udp_full_socket_says_again(void **state) {
  (void)state;
  int pair[2];
  static const uint8_t data[4096];
  assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
  struct wt__udp udp = {.fd = pair[0], .family = AF_UNIX};
  struct wt__path path = {.socket = &udp};
  /* The first packets of the batch are taken; the rest counts as lost, so that they are not sent twice. */
  assert_int_equal(wt__udp_send(&udp, &path, 0, data, sizeof(data), 1), 0);
  assert_int_equal(wt__udp_send(&udp, &path, 0, data, sizeof(data), 1), WT_ERR_AGAIN);
  assert_int_equal(wt__udp_send(&udp, &path, 0, data, 1, 1), WT_ERR_AGAIN);
  uint8_t byte;
  assert_int_equal(read(pair[1], &byte, 1), 1);
  assert_int_equal(wt__udp_send(&udp, &path, 0, data, 1, 1), 0);
  close(pair[1]);
  wt__udp_close(&udp);
}

/* --- Sockets that somebody else has bound --- */

/* A socket bound to a loopback address, or to no port; blocking, with no option of ours. `v6only` 0: to "[::]". */
static int foreign(int family, int type, bool bound, int v6only) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (!v6only) v6.sin6_addr = in6addr_any;
  int fd = socket(family, type, 0);
  assert_true(fd >= 0);
  if (family == AF_INET6) assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)), 0);
  const struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
  if (bound) assert_int_equal(bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)), 0);
  return fd;
}

static void check_duplicate(int family) {
  struct wt__udp server, client;
  struct received received;
  int os_error = 0, fd = foreign(family, SOCK_DGRAM, true, 1);
  assert_int_equal(wt__udp_duplicate(&server, fd, &os_error), 0);
  assert_int_not_equal(server.fd, fd);
  assert_int_equal(close(fd), 0); /* ours goes on */
  assert_true(fcntl(server.fd, F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(server.fd, F_GETFL) & O_NONBLOCK);
  open_on(&client, family == AF_INET ? "127.0.0.1:0" : "[::1]:0");
  struct wt__path path = path_between(&client, &server);
  assert_int_equal(wt__udp_send(&client, &path, 2, (const uint8_t *)"hello", 5, 5), 0);
  receive_all(&server, 1, &received);
  assert_int_equal(received.ecn, 2); /* so the options are set */
  wt__udp_close(&client);
  wt__udp_close(&server);
}

static void test_udp_duplicate_serves_like_one_of_ours(void **state) {
  (void)state;
  check_duplicate(AF_INET);
  need_ipv6();
  check_duplicate(AF_INET6);
}

static void check_refused(int fd, const char *call, int expected) {
  struct wt__udp udp;
  int os_error = 0;
  assert_int_equal(wt__udp_duplicate(&udp, fd, &os_error), WT_ERR_IO);
  assert_string_equal(udp.refused, call);
  assert_int_equal(os_error, expected);
  assert_int_equal(udp.fd, -1);
  if (expected == EBADF) return;
  assert_true(fcntl(fd, F_GETFD) >= 0); /* still the caller's */
  close(fd);
}

static void test_udp_duplicate_refuses_what_cannot_serve(void **state) {
  (void)state;
  int closed = foreign(AF_INET, SOCK_DGRAM, true, 0), pair[2];
  close(closed);
  check_refused(closed, "fcntl F_DUPFD_CLOEXEC", EBADF);
  check_refused(foreign(AF_INET, SOCK_STREAM, true, 0), "getsockopt SO_TYPE", EPROTOTYPE);
  check_refused(foreign(AF_INET, SOCK_DGRAM, false, 0), "it is bound to no port", EINVAL);
  assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
  check_refused(pair[0], "getsockopt SO_TYPE", EPROTOTYPE);
  close(pair[1]);
  need_ipv6();
  check_refused(foreign(AF_INET6, SOCK_DGRAM, true, 0), "it takes IPv4 too (IPV6_V6ONLY is not set)", EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_udp_carries_ecn_over_ipv4),
      cmocka_unit_test(test_udp_carries_ecn_over_ipv6),
      cmocka_unit_test(test_udp_batch_is_cut_by_the_kernel),
      cmocka_unit_test(test_udp_batch_without_gso),
      cmocka_unit_test(test_udp_batch_of_many_small_packets),
      cmocka_unit_test(test_udp_wildcard_answers_from_the_address_asked),
      cmocka_unit_test(test_udp_ipv6_wildcard_leaves_ipv4_alone),
      cmocka_unit_test(test_udp_taken_port_is_an_error),
      cmocka_unit_test(test_udp_too_large_is_a_loss_that_is_told),
      cmocka_unit_test(test_udp_unreachable_is_a_loss),
      cmocka_unit_test(test_udp_full_socket_says_again),
      cmocka_unit_test(test_udp_runs_go_to_several_peers),
      cmocka_unit_test(test_udp_runs_leave_from_their_addresses),
      cmocka_unit_test(test_udp_runs_stop_at_one_that_does_not_pass),
      cmocka_unit_test(test_udp_runs_stop_at_a_full_socket),
      cmocka_unit_test(test_udp_nothing_to_receive),
      cmocka_unit_test(test_udp_duplicate_serves_like_one_of_ours),
      cmocka_unit_test(test_udp_duplicate_refuses_what_cannot_serve),
  };
  return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
