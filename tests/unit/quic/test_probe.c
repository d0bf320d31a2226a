/* SPDX-License-Identifier: MIT */

/*
 * src/quic/probe.c: when a probe is wanted, and what leaves then. That it frees connections which would be stuck without
 * it is for tests/loopback/test_sim.c: that takes losses in the right places.
 */

#include "conn_fixture.h"
#include "core/mux.h"
#include "quic/conn.h"
#include "quic/probe.h"
#include "quic/wake.h"

/* Runs the endpoint when it is due next. */
static void step(void) {
  uint64_t expiry = wt__endpoint_expiry(endpoint);
  if (expiry > net.now) net.now = expiry;
  wt__endpoint_run(endpoint, net.now);
}

/* Sends until the window is full, and loses all of it. */
static void fill_window(void) {
  assert_int_equal(h3.conn->transport->open_stream(h3.conn->ctx, true, &h3.stream), 0);
  h3.stream_len = sizeof(h3_zeros);
  wt__conn_wake(conn);
  wt__endpoint_run(endpoint, net.now);
  for (int i = 0; i < 1000 && ngtcp2_conn_get_cwnd_left(conn->quic); i++) step();
  assert_int_equal(ngtcp2_conn_get_cwnd_left(conn->quic), 0);
  h3.stream = -1; /* nothing more to say */
  net.len = 0;
}

static bool wants(uint8_t *carrier, size_t *len) {
  uint64_t number = 0;
  *len = wt__probe_next(conn, carrier, &number);
  if (*len) assert_int_equal(number, WT__PROBE_NUMBER);
  return *len != 0;
}

static void test_probe_is_wanted_with_a_full_window_alone(void **state) {
  (void)state;
  uint8_t carrier[WT__CARRIER_MAX];
  size_t len;
  begin(65535);
  wt__probe_expired(conn);
  assert_false(wants(carrier, &len));
  fill_window();
  assert_false(wants(carrier, &len));
  conn->handshake_done = false;
  wt__probe_expired(conn);
  assert_false(wants(carrier, &len));
  conn->handshake_done = true;
  wt__probe_expired(conn);
  assert_true(wants(carrier, &len));
  assert_int_equal(len, 9);
  assert_memory_equal(carrier, "\xff\xff\xff\xff\xff\xff\xff\xff\x01", 9);
  assert_true(wants(carrier, &len)); /* until it is sent */
  wt__probe_sent(conn);
  assert_false(wants(carrier, &len));
}

static void test_probe_leads_the_packets_of_a_timeout(void **state) {
  (void)state;
  begin(65535);
  fill_window();
  for (int i = 0; i < 1000 && !net.len; i++) step();
  assert_int_equal(ngtcp2_conn_get_cwnd_left(conn->quic), 0);
  assert_int_equal(net.len, 2);
  assert_true(net.to_client[0].len < 100);
  assert_true(net.to_client[1].len > 1000); /* repeats what was lost */
  assert_false(conn->probe_wanted);
  client_receive(&client);
  assert_int_equal(client.error, 0);
  assert_int_equal(client.datagrams, 0); /* it is a PING to the peer */
  converse(&client, endpoint);
  assert_int_equal(client.received, h3.stream_sent);
}

static void test_probe_is_forgotten_when_the_window_opens(void **state) {
  (void)state;
  uint8_t carrier[WT__CARRIER_MAX];
  size_t len;
  begin(65535);
  fill_window();
  wt__probe_expired(conn);
  assert_true(conn->probe_wanted);
  converse(&client, endpoint);
  assert_true(ngtcp2_conn_get_cwnd_left(conn->quic) > 0);
  assert_false(wants(carrier, &len));
  assert_false(conn->probe_wanted);
}

static void test_probe_needs_a_peer_that_takes_datagrams(void **state) {
  (void)state;
  uint8_t carrier[WT__CARRIER_MAX];
  size_t len;
  begin(0);
  fill_window();
  wt__probe_expired(conn);
  assert_false(wants(carrier, &len));
  converse(&client, endpoint);
  assert_int_equal(client.error, 0);
  assert_int_equal(client.received, h3.stream_sent);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_probe_is_wanted_with_a_full_window_alone, tear_down),
      cmocka_unit_test_teardown(test_probe_leads_the_packets_of_a_timeout, tear_down),
      cmocka_unit_test_teardown(test_probe_is_forgotten_when_the_window_opens, tear_down),
      cmocka_unit_test_teardown(test_probe_needs_a_peer_that_takes_datagrams, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
