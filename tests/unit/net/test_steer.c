/* SPDX-License-Identifier: MIT */

/* Which socket of several gets a packet (net/steer.c, net/udp.c): real packets over loopback. */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "net/steer.h"
#include "quic/cid.h"

#define WORKERS 3
#define WAIT_MS 5000

static struct wt__udp sockets[WORKERS], client;

static void open_on(struct wt__udp *udp, const char *text) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count;
  const char *why;
  int os_error;
  assert_int_equal(wt__address_parse(text, addresses, &count, &why), 0);
  assert_int_equal(wt__udp_open(udp, &addresses[0], &os_error), 0);
}

static void open_all(void) {
  int os_error = 0;
  open_on(&client, "127.0.0.1:0");
  open_on(&sockets[0], "127.0.0.1:0");
  for (size_t i = 1; i < WORKERS; i++) {
    assert_int_equal(wt__udp_open_beside(&sockets[i], &sockets[0], &os_error), 0);
    assert_true(
        wt__address_equal((struct sockaddr *)&sockets[i].bound.storage, (struct sockaddr *)&sockets[0].bound.storage));
  }
}

static void close_all(void) {
  wt__udp_close(&client);
  for (size_t i = 0; i < WORKERS; i++) wt__udp_close(&sockets[i]);
}

/* Sends one packet and returns the number of the socket that got it. */
static size_t arrives_at(const uint8_t *packet, size_t len) {
  struct pollfd wait[WORKERS];
  uint8_t got[64];
  const struct wt__address *to = &sockets[0].bound;
  assert_int_equal(sendto(client.fd, packet, len, 0, (const struct sockaddr *)&to->storage, to->len), len);
  for (size_t i = 0; i < WORKERS; i++) wait[i] = (struct pollfd){.fd = sockets[i].fd, .events = POLLIN};
  assert_int_equal(poll(wait, WORKERS, WAIT_MS), 1);
  for (size_t i = 0; i < WORKERS; i++) {
    if (!(wait[i].revents & POLLIN)) continue;
    assert_int_equal(recv(sockets[i].fd, got, sizeof(got), 0), len);
    assert_memory_equal(got, packet, len);
    return i;
  }
  fail_msg("poll lies");
  return 0;
}

static void test_steer_goes_by_the_id(void **state) {
  (void)state;
  open_all();
  if (!wt__steer(&sockets[0], WT__CID_LEN, WORKERS)) {
    close_all();
    skip();
  }
  for (unsigned worker = 0; worker < WORKERS; worker++) {
    for (int i = 0; i < 20; i++) {
      uint8_t small[1 + WT__CID_LEN] = {0x40}, large[6 + WT__CID_LEN] = {0xc0, 0, 0, 0, 1, WT__CID_LEN};
      assert_int_equal(wt__cid_generate(small + 1, WT__CID_LEN, worker, WORKERS), 0);
      memcpy(large + 6, small + 1, WT__CID_LEN);
      assert_int_equal(wt__cid_worker(small + 1, WT__CID_LEN, WORKERS), worker);
      assert_int_equal(arrives_at(small, sizeof(small)), worker);
      assert_int_equal(arrives_at(large, sizeof(large)), worker);
    }
  }
  assert_int_equal(arrives_at((const uint8_t *)"\x40", 1), 0); /* too short for an id */
  assert_int_equal(arrives_at((const uint8_t *)"\xc0xxx", 4), 0);
  assert_int_equal(arrives_at((const uint8_t *)"\xc0xxxx\x03\x01\x01", 8), 0); /* its id is cut off */
  close_all();
}

/* The id of a client's first packet has a length of its own. */
static void test_steer_goes_by_ids_of_any_length(void **state) {
  (void)state;
  open_all();
  if (!wt__steer(&sockets[0], 8, WORKERS)) {
    close_all();
    skip();
  }
  for (uint8_t len = 1; len <= WT__CID_MAX_LEN; len++) {
    for (uint8_t last = 0; last < 2 * WORKERS; last++) {
      uint8_t packet[64] = {0xc0, 0, 0, 0, 1, len};
      packet[5 + len] = last;
      packet[6 + len] = (uint8_t)(last + 1); /* of what follows */
      assert_int_equal(arrives_at(packet, sizeof(packet)), last % WORKERS);
    }
  }
  assert_int_equal(arrives_at((const uint8_t *)"\xc0xxxx\0\x01\x01", 8), 0); /* without an id */
  assert_int_equal(arrives_at((const uint8_t *)"\x40\x00\x01\x02\x03\x04\x05\x06\x01", 9), 1);
  assert_int_equal(arrives_at((const uint8_t *)"\x40\x00\x01\x02\x03\x04\x05\x06", 8), 0);
  close_all();
}

static void test_steer_needs_sockets_that_share(void **state) {
  (void)state;
  open_on(&sockets[0], "127.0.0.1:0");
  assert_false(wt__steer(&sockets[0], WT__CID_LEN, WORKERS));
  wt__udp_close(&sockets[0]);
}

/* Before another socket joins in, and after, the address is nobody else's. */
static void test_udp_beside_is_for_our_own(void **state) {
  (void)state;
  struct wt__udp stranger;
  int os_error = 0;
  open_all();
  assert_int_equal(wt__udp_open(&stranger, &sockets[0].bound, &os_error), WT_ERR_IO);
  assert_int_equal(os_error, EADDRINUSE);
  close_all();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_steer_goes_by_the_id),
      cmocka_unit_test(test_steer_goes_by_ids_of_any_length),
      cmocka_unit_test(test_steer_needs_sockets_that_share),
      cmocka_unit_test(test_udp_beside_is_for_our_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
