/* SPDX-License-Identifier: MIT */
/*
 * The QUIC side as a client sees it (RFC 9000): address validation, versions, handshakes on a bad network,
 * timeouts, stateless reset, new addresses, key updates, limits, and packets that mean nothing.
 */
#include "world.h"

/* An echo of `len` bytes within `ms`: the connection works. */
static void assert_echo(struct world *w, size_t len, uint64_t ms) {
  uint8_t *data = pattern_new(len, len);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, len, true);
  free(data);
  NET_UNTIL(&w->net, ms, world_received(w, id, 0, len, len));
}

static struct wt__endpoint_stats stats_of(const struct world *w) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w->server.endpoint, &stats);
  return stats;
}

static struct peer *another_peer(struct world *w, unsigned address) {
  struct sockaddr_in server = server_address();
  struct peer_options options = w->options;
  options.address = address;
  return peer_new(&w->net, &server, &options);
}

/* --- Address validation and versions --- */

static void test_quic_retry_always(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_ALWAYS;
  world_start(&w);
  assert_true(w.peer->retry_received);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  assert_echo(&w, 1000, 1000);
  assert_int_equal(stats_of(&w).connections_total, 1);
  world_free(&w);
}

static void test_quic_retry_under_load_alone(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_UNDER_LOAD;
  w.server.config.retry_threshold = 3;
  world_start(&w);
  assert_false(w.peer->retry_received);
  struct peer *silent[4];
  for (unsigned i = 0; i < 4; i++) {
    silent[i] = another_peer(&w, 10 + i);
    silent[i]->silent = true; /* its first flight is on its way, and that was all */
  }
  net_run_for(&w.net, 50);
  assert_in_range(stats_of(&w).handshakes_open, 3, 4); /* the fourth may have been asked to prove itself */
  struct peer *late = another_peer(&w, 20);
  NET_UNTIL(&w.net, 1000, late->handshake_done);
  assert_true(late->retry_received);
  peer_free(late);
  for (unsigned i = 0; i < 4; i++) peer_free(silent[i]);
  world_free(&w);
}

static void test_quic_version_negotiation(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  server_start(&w.server);
  w.options.version = 0x1a2a3a4a;
  w.peer = another_peer(&w, 1);
  NET_UNTIL(&w.net, 1000, w.peer->version_negotiated);
  bool v1 = false;
  for (size_t i = 0; i < w.peer->server_version_count; i++) v1 |= w.peer->server_versions[i] == NGTCP2_PROTO_VER_V1;
  assert_true(v1);
  assert_int_equal(stats_of(&w).connections_total, 0);
  world_free(&w);
}

/* --- The handshake --- */

static void test_quic_handshake_with_lost_packets(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct world w;
    world_init(&w, seed);
    w.net.link[0].loss = w.net.link[1].loss = 200;
    server_start(&w.server);
    w.peer = another_peer(&w, 1);
    NET_UNTIL(&w.net, 10000, w.peer->handshake_confirmed || w.peer->ended);
    if (w.peer->ended) fail_msg("seed %u: ended with %d", (unsigned)seed, w.peer->end_error);
    world_free(&w);
  }
}

static enum net_verdict drop_first_of_server(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                             size_t len) {
  (void)data;
  (void)len;
  return direction == NET_TO_CLIENT && index < *(uint64_t *)ctx ? NET_DROP : NET_PASS;
}

static void test_quic_handshake_without_the_first_answer(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  uint64_t count = 4;
  w.net.filter = drop_first_of_server;
  w.net.filter_ctx = &count;
  server_start(&w.server);
  w.peer = another_peer(&w, 1);
  NET_UNTIL(&w.net, 8000, w.peer->handshake_confirmed);
  world_free(&w);
}

static enum net_verdict first_of_client_late(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                             size_t len) {
  (void)ctx;
  (void)data;
  (void)len;
  return direction == NET_TO_SERVER && index == 0 ? NET_LATE : NET_PASS;
}

/* Browsers' ClientHello needs two packets, and they may swap on the way. */
/* RFC 9001, section 8.1: who names no protocol is refused as well as who names another one. */
static void test_quic_client_without_h3_is_refused(void **state) {
  (void)state;
  static const char *const offers[] = {NULL, "h2", "h3-29", "hq-interop"};
  for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
    struct world w;
    world_init(&w, 1);
    w.options.alpn = offers[i];
    server_start(&w.server);
    struct sockaddr_in address = server_address();
    w.peer = peer_new(&w.net, &address, &w.options);
    NET_UNTIL(&w.net, 5000, w.peer->ended || w.peer->handshake_confirmed);
    assert_true(w.peer->close_received);
    assert_int_equal(w.peer->close_code, 0x178); /* no_application_protocol */
    world_free(&w);
  }
}

static void test_quic_client_hello_over_two_packets(void **state) {
  (void)state;
  for (int late = 0; late < 2; late++) {
    for (int retry = WT_RETRY_NEVER; retry <= WT_RETRY_ALWAYS; retry++) {
      struct world w;
      world_init(&w, 1);
      w.options.hello_padding = 1500;
      w.server.config.retry = (enum wt_retry)retry;
      if (late) w.net.filter = first_of_client_late;
      server_start(&w.server);
      w.peer = another_peer(&w, 1);
      assert_true(w.net.counts[NET_TO_SERVER].sent >= 2); /* else this tests nothing */
      NET_UNTIL(&w.net, 5000, w.peer->handshake_confirmed || w.peer->ended);
      assert_true(w.peer->handshake_confirmed);
      world_free(&w);
    }
  }
}

static void test_quic_unfinished_handshake_times_out(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  server_start(&w.server);
  w.peer = another_peer(&w, 1);
  w.peer->silent = true;
  net_run_for(&w.net, 100);
  assert_int_equal(stats_of(&w).connections_open, 1);
  assert_int_equal(stats_of(&w).handshakes_open, 1);
  net_run_for(&w.net, 15000);
  assert_int_equal(stats_of(&w).connections_open, 0);
  assert_int_equal(stats_of(&w).handshakes_open, 0);
  world_free(&w);
}

struct byte_count {
  uint64_t bytes[2];
};

static enum net_verdict count_bytes(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                    size_t len) {
  (void)index;
  (void)data;
  ((struct byte_count *)ctx)->bytes[direction] += len;
  return NET_PASS;
}

/* RFC 9000, section 8.1: at most three times what came, until the address is known to be real. */
static void test_quic_unproven_address_gets_three_times_its_bytes(void **state) {
  (void)state;
  struct world w;
  struct byte_count count = {{0, 0}};
  world_init(&w, 1);
  w.net.filter = count_bytes;
  w.net.filter_ctx = &count;
  server_start(&w.server);
  w.peer = another_peer(&w, 1);
  w.peer->silent = true;
  net_run_for(&w.net, 20000);
  assert_true(count.bytes[NET_TO_CLIENT] > 0);
  assert_true(count.bytes[NET_TO_CLIENT] <= 3 * count.bytes[NET_TO_SERVER]);
  world_free(&w);
}

/* --- Ends --- */

static void test_quic_stateless_reset_after_a_restart(void **state) {
  (void)state;
  for (int same_key = 1; same_key >= 0; same_key--) {
    struct world w;
    world_session(&w, "/echo");
    assert_echo(&w, 100, 1000);
    server_stop(&w.server);
    if (!same_key) w.server.reset_key[0] ^= 1;
    server_start(&w.server);
    uint8_t *data = pattern_new(500, 1);
    peer_wt_datagram(w.peer, w.id, data, 500);
    free(data);
    net_run_for(&w.net, 100);
    assert_int_equal(w.peer->stateless_reset, same_key);
    assert_int_equal(stats_of(&w).connections_total, 0);
    world_free(&w);
  }
}

/* RFC 9000, section 10.3.3: a reset is smaller than what it answers, or two endpoints could play ping-pong. */
static void test_quic_stateless_reset_is_smaller_than_its_cause(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  server_start(&w.server);
  struct byte_count count;
  w.net.filter = count_bytes;
  w.net.filter_ctx = &count;
  w.peer = another_peer(&w, 1); /* for its node: packets of no connection leave from there */
  w.peer->silent = true;
  net_run_for(&w.net, 20000);
  for (size_t len = 1; len < 120; len++) {
    uint8_t packet[128];
    for (size_t i = 0; i < len; i++) packet[i] = (uint8_t)net_random(&w.net);
    packet[0] = (uint8_t)((packet[0] & 0x3f) | 0x40); /* a short header */
    struct sockaddr_in to = server_address();
    memset(&count, 0, sizeof(count));
    net_send(&w.net, &w.peer->node, &w.peer->node.address, &to, 0, packet, len);
    net_run_for(&w.net, 50);
    assert_true(count.bytes[NET_TO_CLIENT] < len);
  }
  world_free(&w);
}

static void test_quic_idle_timeout_ends_a_dead_connection(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.idle_timeout_ms = 5000;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  w.peer->silent = true;
  net_run_for(&w.net, 4500);
  assert_int_equal(w.session->closes, 0);
  NET_UNTIL(&w.net, 3000, w.session->closes == 1);
  assert_int_equal(w.session->info.by, WT_TRANSPORT);
  assert_false(w.session->info.clean);
  assert_int_equal(stats_of(&w).connections_open, 0);
  world_free(&w);
}

static void test_quic_keep_alive_holds_a_silent_session(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.idle_timeout_ms = 6000;
  w.server.config.keep_alive_ms = 2000;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  uint64_t steps = w.net.steps;
  net_run_for(&w.net, 60000);
  assert_false(w.peer->ended);
  assert_int_equal(w.session->closes, 0);
  assert_true(w.net.steps - steps < 600); /* some for each PING, but no busy loop */
  assert_echo(&w, 100, 1000);
  world_free(&w);
}

/* Browsers fall silent when a page ends its session; such a connection must go. */
static void test_quic_connection_without_requests_is_closed(void **state) {
  (void)state;
  for (int after_session = 0; after_session < 2; after_session++) {
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    if (after_session) {
      w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
      net_run_for(&w.net, 20000);
      assert_int_equal(stats_of(&w).connections_open, 1);
      struct bytes bytes = {0};
      capsule_close(&bytes, 0, "");
      http_data(w.peer, w.id, bytes.data, bytes.len, true);
      bytes_free(&bytes);
      NET_UNTIL(&w.net, 1000, w.session->closes == 1);
    }
    uint64_t since = w.net.now;
    NET_UNTIL(&w.net, 15000, w.peer->ended);
    assert_in_range((w.net.now - since) / NET_MS, 9000, 11000);
    assert_true(w.peer->close_received);
    assert_true(w.peer->close_is_app);
    assert_int_equal(w.peer->close_code, WT__H3_NO_ERROR);
    net_run_for(&w.net, 2000);
    assert_int_equal(stats_of(&w).connections_open, 0);
    world_free(&w);
  }
}

/* The same when the client rejects nothing and says nothing: a session that the server closed. */
static void test_quic_silent_client_after_close_by_server(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  assert_int_equal(wt_session_close(w.session->session, 1, "bye", 3), 0);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  net_run_for(&w.net, 20000);
  assert_true(w.peer->ended);
  assert_int_equal(stats_of(&w).connections_open, 0);
  world_free(&w);
}

static void test_quic_close_of_client_frees_the_connection(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  peer_close(w.peer, WT__H3_NO_ERROR);
  net_run_for(&w.net, 3000);
  assert_int_equal(stats_of(&w).connections_open, 0);
  assert_true(wt__endpoint_is_idle(w.server.endpoint));
  assert_true(wt__endpoint_expiry(w.server.endpoint) == UINT64_MAX);
  world_free(&w);
}

static void test_quic_shutdown_refuses_new_connections(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  wt__endpoint_shutdown(w.server.endpoint, w.net.now);
  struct peer *late = another_peer(&w, 2);
  net_run_for(&w.net, 3000);
  assert_false(late->handshake_done);
  assert_echo(&w, 100, 1000);
  peer_free(late);
  world_free(&w);
}

/* --- New addresses and keys --- */

/* Begins a long echo and lets some of it happen. */
static int64_t echo_half(struct world *w, size_t len) {
  uint8_t *data = pattern_new(len, 5);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, len, true);
  free(data);
  NET_UNTIL(&w->net, 10000, peer_stream(w->peer, id)->rx_len > len / 4);
  assert_false(peer_stream(w->peer, id)->fin);
  return id;
}

static void test_quic_migration_to_a_new_address(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  int64_t id = echo_half(&w, 1 << 20);
  peer_migrate(w.peer, 2);
  NET_UNTIL(&w.net, 20000, world_received(&w, id, 0, 1 << 20, 5));
  assert_int_equal(stats_of(&w).connections_total, 1);
  assert_echo(&w, 1000, 1000);
  world_free(&w);
}

static void test_quic_rebinding_of_a_nat(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  int64_t id = echo_half(&w, 1 << 20);
  struct sockaddr_in seen = net_address(7);
  net_rebind(&w.peer->node, &seen);
  NET_UNTIL(&w.net, 30000, world_received(&w, id, 0, 1 << 20, 5));
  seen = net_address(8);
  net_rebind(&w.peer->node, &seen);
  assert_echo(&w, 100000, 10000);
  assert_int_equal(stats_of(&w).connections_total, 1);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_quic_key_update(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  for (int i = 0; i < 5; i++) {
    net_run_for(&w.net, 500); /* the one before must be over (RFC 9001, section 6.5) */
    peer_update_key(w.peer);
    assert_echo(&w, 100000, 5000);
  }
  assert_false(w.peer->ended);
  world_free(&w);
}

/* --- A socket that is full --- */

static void test_quic_full_socket_keeps_packets(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  uint8_t *data = pattern_new(1 << 20, 6);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, 1 << 20, true);
  free(data);
  for (int i = 0; i < 400 && !peer_stream(w.peer, id)->fin; i++) {
    uint64_t refused = w.server.sends_refused;
    w.server.socket_full = true;
    net_run_for(&w.net, 10);
    /* Asked once or twice, then left alone until the socket is writable. */
    assert_true(w.server.sends_refused - refused <= 3);
    w.server.socket_full = false;
    wt__endpoint_writable(w.server.endpoint, w.net.now);
    net_run_for(&w.net, 15);
  }
  assert_true(w.server.sends_refused > 0);
  NET_UNTIL(&w.net, 1000, world_received(&w, id, 0, 1 << 20, 6));
  world_free(&w);
}

/* However long it was full: what timed out meanwhile ends when it is writable again. */
static void test_quic_full_socket_then_idle_timeout(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  w.server.socket_full = true;
  peer_wt_open(w.peer, false, w.id, "x", 1, true);
  uint64_t steps = w.net.steps;
  net_run_for(&w.net, 60000);
  assert_true(w.net.steps - steps < 1000);
  assert_true(w.peer->ended); /* of its own idle timeout */
  w.server.socket_full = false;
  wt__endpoint_writable(w.server.endpoint, w.net.now);
  NET_UNTIL(&w.net, 31000, w.session->closes == 1);
  assert_int_equal(w.session->info.by, WT_TRANSPORT);
  world_free(&w);
}

/* --- Limits and nonsense --- */

static void test_quic_more_connections_than_allowed_are_refused(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.max_connections = 3;
  world_start(&w);
  struct peer *peers[3];
  for (unsigned i = 0; i < 3; i++) {
    peers[i] = another_peer(&w, 2 + i);
    net_run_for(&w.net, 200);
  }
  assert_true(peers[0]->handshake_done && peers[1]->handshake_done);
  assert_false(peers[2]->handshake_done);
  assert_true(peers[2]->ended);
  assert_false(peers[2]->close_is_app);
  assert_int_equal(peers[2]->close_code, 0x02); /* CONNECTION_REFUSED */
  assert_int_equal(stats_of(&w).connections_open, 3);
  peer_close(peers[0], WT__H3_NO_ERROR);
  net_run_for(&w.net, 3000);
  struct peer *next = another_peer(&w, 9);
  NET_UNTIL(&w.net, 1000, next->handshake_done);
  peer_free(next);
  for (unsigned i = 0; i < 3; i++) peer_free(peers[i]);
  world_free(&w);
}

static void test_quic_more_connections_of_one_address_than_allowed_are_refused(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.max_connections_per_address = 1;
  world_start(&w);
  NET_UNTIL(&w.net, 1000, w.peer->handshake_done);
  net_run_for(&w.net, 200);
  struct peer *same = another_peer(&w, 256 + 1), *other = another_peer(&w, 2);
  NET_UNTIL(&w.net, 1000, other->handshake_done);
  assert_false(same->handshake_done);
  assert_true(same->ended);
  assert_int_equal(same->close_code, 0x02); /* CONNECTION_REFUSED */
  peer_close(w.peer, WT__H3_NO_ERROR);
  net_run_for(&w.net, 3000);
  struct peer *next = another_peer(&w, 512 + 1);
  NET_UNTIL(&w.net, 1000, next->handshake_done);
  peer_free(next);
  peer_free(other);
  peer_free(same);
  world_free(&w);
}

static void test_quic_many_clients_at_once(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  world_start(&w);
  struct peer *peers[20];
  int64_t ids[20];
  for (unsigned i = 0; i < 20; i++) peers[i] = another_peer(&w, 2 + i);
  for (unsigned i = 0; i < 20; i++) {
    server_connect(&w.server, peers[i], "/echo", &ids[i]);
    ids[i] = peer_wt_open(peers[i], false, ids[i], &i, sizeof(i), true);
  }
  for (unsigned i = 0; i < 20; i++) {
    NET_UNTIL(&w.net, 1000, peer_stream(peers[i], ids[i])->fin);
    assert_memory_equal(peer_stream(peers[i], ids[i])->rx, &i, sizeof(i));
  }
  for (unsigned i = 0; i < 20; i++) peer_free(peers[i]);
  world_free(&w);
}

static void test_quic_packets_of_random_bytes(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  struct sockaddr_in to = server_address(), from = net_address(99);
  for (int i = 0; i < 3000; i++) {
    uint8_t packet[1400];
    size_t len = 1 + net_random(&w.net) % sizeof(packet);
    for (size_t j = 0; j < len; j++) packet[j] = (uint8_t)net_random(&w.net);
    if (i % 3 == 0 && len > 6) { /* looks like an Initial of version 1 */
      static const uint8_t start[] = {0xc3, 0, 0, 0, 1, 8};
      memcpy(packet, start, sizeof(start));
      if (i % 2) len = 1300;
    }
    net_send(&w.net, &w.peer->node, i % 2 ? &from : &w.peer->node.address, &to, 0, packet, len);
    if (i % 100 == 0) net_run_for(&w.net, 5);
  }
  net_run_for(&w.net, 100);
  assert_false(w.peer->ended);
  assert_echo(&w, 1000, 2000);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quic_retry_always),
      cmocka_unit_test(test_quic_retry_under_load_alone),
      cmocka_unit_test(test_quic_version_negotiation),
      cmocka_unit_test(test_quic_handshake_with_lost_packets),
      cmocka_unit_test(test_quic_handshake_without_the_first_answer),
      cmocka_unit_test(test_quic_client_without_h3_is_refused),
      cmocka_unit_test(test_quic_client_hello_over_two_packets),
      cmocka_unit_test(test_quic_unfinished_handshake_times_out),
      cmocka_unit_test(test_quic_unproven_address_gets_three_times_its_bytes),
      cmocka_unit_test(test_quic_stateless_reset_after_a_restart),
      cmocka_unit_test(test_quic_stateless_reset_is_smaller_than_its_cause),
      cmocka_unit_test(test_quic_idle_timeout_ends_a_dead_connection),
      cmocka_unit_test(test_quic_keep_alive_holds_a_silent_session),
      cmocka_unit_test(test_quic_connection_without_requests_is_closed),
      cmocka_unit_test(test_quic_silent_client_after_close_by_server),
      cmocka_unit_test(test_quic_close_of_client_frees_the_connection),
      cmocka_unit_test(test_quic_shutdown_refuses_new_connections),
      cmocka_unit_test(test_quic_migration_to_a_new_address),
      cmocka_unit_test(test_quic_rebinding_of_a_nat),
      cmocka_unit_test(test_quic_key_update),
      cmocka_unit_test(test_quic_full_socket_keeps_packets),
      cmocka_unit_test(test_quic_full_socket_then_idle_timeout),
      cmocka_unit_test(test_quic_more_connections_than_allowed_are_refused),
      cmocka_unit_test(test_quic_more_connections_of_one_address_than_allowed_are_refused),
      cmocka_unit_test(test_quic_many_clients_at_once),
      cmocka_unit_test(test_quic_packets_of_random_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
