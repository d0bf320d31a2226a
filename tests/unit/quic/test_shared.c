/* SPDX-License-Identifier: MIT */

/* What the endpoints of a server share (quic/shared.c), and packets of one that come to another (quic/endpoint.c). */

#include <pthread.h>
#include <sched.h>

#include "core/sched.h"
#include "quic/half_open.h"
#include "quic/peers.h"
#include "quic/seal.h"
#include "quic/shared.h"
#include "quic/turn.h"
#include "quic_fixture.h"

#define THREADS 4
#define TIMES 20000
#define MAX 3

static struct wt__shared shared;
static atomic_uint held, too_many, refused;

static void *thread_run(void *argument) {
  (void)argument;
  for (int i = 0; i < TIMES; i++) {
    if (!wt__shared_begin(&shared, MAX)) {
      atomic_fetch_add(&refused, 1);
      continue;
    }
    if (atomic_fetch_add(&held, 1) >= MAX) atomic_fetch_add(&too_many, 1);
    sched_yield(); /* so that others find the bound reached, or nearly */
    bool handshake_done = i % 2;
    if (handshake_done) wt__shared_handshake_done(&shared);
    if (wt__shared_peer_handshake(&shared, 7) == 0) wt__shared_peer_remove(&shared, WT__PEERS_HANDSHAKES, 7);
    if (wt__shared_peer_establish(&shared, 7, MAX)) wt__shared_peer_remove(&shared, WT__PEERS_ESTABLISHED, 7);
    wt__shared_owe(&shared);
    while (!wt__shared_pay(&shared)) continue;
    atomic_fetch_sub(&held, 1);
    wt__shared_end(&shared, handshake_done);
  }
  return NULL;
}

static void test_shared_counts_of_many_threads(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  assert_int_equal(wt__shared_init(&shared), 0);
  for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, thread_run, NULL), 0);
  for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(atomic_load(&shared.connections), 0);
  assert_int_equal(atomic_load(&shared.handshakes), 0);
  assert_int_equal(atomic_load(&shared.owed), 0);
  struct wt__peer_counts counts;
  wt__shared_peer_get(&shared, 7, &counts);
  assert_int_equal(counts.established + counts.handshakes, 0);
  assert_true(refused < THREADS * TIMES);
  assert_int_equal(too_many, 0);
  wt__shared_free(&shared);
}

static void test_shared_bounds_are_exact(void **state) {
  (void)state;
  struct wt__peer_counts counts;
  assert_int_equal(wt__shared_init(&shared), 0);
  for (int i = 0; i < MAX; i++) {
    assert_true(wt__shared_begin(&shared, MAX));
    assert_true(wt__shared_peer_establish(&shared, 9, MAX));
  }
  assert_false(wt__shared_begin(&shared, MAX));
  assert_false(wt__shared_peer_establish(&shared, 9, MAX));
  wt__shared_peer_get(&shared, 9, &counts);
  assert_int_equal(counts.established, MAX);
  assert_int_equal(counts.handshakes, 0);
  assert_int_equal(atomic_load(&shared.handshakes), MAX);
  wt__shared_end(&shared, false);
  wt__shared_peer_remove(&shared, WT__PEERS_ESTABLISHED, 9);
  assert_int_equal(atomic_load(&shared.handshakes), MAX - 1);
  assert_true(wt__shared_begin(&shared, MAX));
  assert_true(wt__shared_peer_establish(&shared, 9, MAX));
  wt__shared_free(&shared);
}

/* Beyond the bound there are only as many as others can give way for. */
static void test_shared_owes_what_others_have(void **state) {
  (void)state;
  assert_int_equal(wt__shared_init(&shared), 0);
  assert_false(wt__shared_may_owe(&shared, 0));
  for (int i = 0; i < 3; i++) assert_true(wt__shared_begin(&shared, 3));
  assert_false(wt__shared_may_owe(&shared, 3)); /* all of them are one's own */
  for (int i = 0; i < 2; i++) {
    assert_true(wt__shared_may_owe(&shared, 1));
    wt__shared_owe(&shared);
  }
  assert_false(wt__shared_may_owe(&shared, 1));
  assert_true(wt__shared_pay(&shared) && wt__shared_pay(&shared));
  assert_false(wt__shared_pay(&shared));
  wt__shared_free(&shared);
}

/* --- Two endpoints of one server --- */

static struct {
  unsigned worker;
  size_t count, len;
  uint8_t data[1500];
} passed;

static void on_forward(void *ctx, unsigned worker, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                       size_t len) {
  assert_ptr_equal(ctx, &passed);
  assert_ptr_equal(path->socket, &net);
  assert_int_equal(ecn, 1);
  assert_true(len <= sizeof(passed.data));
  passed.worker = worker;
  passed.count++;
  passed.len = len;
  memcpy(passed.data, data, len);
}

/* A packet whose id names worker 1 of 2, at worker 0: true if it is passed on. */
static bool is_passed(bool steered, uint8_t first, uint32_t version) {
  struct wt__endpoint_config config;
  struct wt__endpoint *endpoint;
  struct wt__endpoint_stats stats;
  uint8_t packet[1200] = {first};
  size_t before = passed.count;
  net_init();
  server_config(&config);
  config.workers = 2;
  config.forward = on_forward;
  config.forward_ctx = &passed;
  config.steered = steered;
  assert_int_equal(wt__endpoint_new(&endpoint, &config), 0);
  if (first & 0x80) {
    const uint8_t head[] = {
        first,      (uint8_t)(version >> 24), (uint8_t)(version >> 16), (uint8_t)(version >> 8), (uint8_t)version,
        WT__CID_LEN};
    memcpy(packet, head, sizeof(head));
  }
  uint8_t *last = packet + (first & 0x80 ? 5 : 0) + WT__CID_LEN;
  *last = 5;
  wt__endpoint_recv(endpoint, &net.path, 1, packet, sizeof(packet), net.now);
  *last = 4; /* its own: never passed on */
  size_t after = passed.count;
  wt__endpoint_recv(endpoint, &net.path, 1, packet, sizeof(packet), net.now);
  assert_int_equal(passed.count, after);
  wt__endpoint_get_stats(endpoint, &stats);
  assert_int_equal(stats.packets_received, after > before ? 1 : 2); /* counted where it is read */
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  if (after > before) {
    assert_int_equal(passed.worker, 1);
    assert_int_equal(passed.len, sizeof(packet));
  }
  return after > before;
}

static void test_endpoint_passes_on_what_it_does_not_know(void **state) {
  (void)state;
  const uint32_t v1 = NGTCP2_PROTO_VER_V1, v2 = NGTCP2_PROTO_VER_V2;
  assert_true(is_passed(true, 0x40, 0));
  assert_true(is_passed(false, 0x40, 0));
  assert_true(is_passed(false, 0xe0, v1)); /* Handshake */
  assert_true(is_passed(false, 0xf0, v2));
  assert_true(is_passed(true, 0xc0, v1)); /* Initial, 0-RTT: their ids are the client's choice */
  assert_false(is_passed(false, 0xc0, v1));
  assert_false(is_passed(false, 0xd0, v1));
  assert_false(is_passed(false, 0xd0, v2));
  assert_false(is_passed(false, 0xe0, v2));
  assert_false(is_passed(true, 0xc0, 0x1a2a3a4a)); /* version negotiation needs no connection */
}

/* A token of one endpoint saves the Retry of another, and a packet of that one's client finds its way there. */
static void test_endpoints_are_one_server(void **state) {
  (void)state;
  struct wt__endpoint_config config;
  struct wt__endpoint *first, *second;
  struct client client, again;
  struct client_options options = {.max_datagram_frame_size = 65535};
  struct wt__endpoint_stats stats;
  net_init();
  server_config(&config);
  assert_int_equal(wt__shared_init(&shared), 0);
  config.shared = &shared;
  config.retry = WT_RETRY_ALWAYS;
  config.workers = 2;
  config.forward = on_forward;
  config.forward_ctx = &passed;
  assert_int_equal(wt__endpoint_new(&first, &config), 0);
  config.worker = 1;
  assert_int_equal(wt__endpoint_new(&second, &config), 0);

  client_init(&client, &options);
  converse(&client, first);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
  assert_true(client.retried && client.token_len > 0);
  options.token = client.token;
  options.token_len = client.token_len;
  client_init(&again, &options);
  converse(&again, second);
  assert_true(ngtcp2_conn_get_handshake_completed(again.quic));
  assert_false(again.retried);
  assert_int_equal(atomic_load(&shared.connections), 2);

  uint8_t packet[1500];
  ngtcp2_ccerr error;
  ngtcp2_ccerr_default(&error);
  ngtcp2_ssize len =
      ngtcp2_conn_write_connection_close(again.quic, NULL, NULL, packet, sizeof(packet), &error, net.now);
  assert_true(len > 0);
  size_t before = passed.count;
  wt__endpoint_recv(first, &net.path, 1, packet, (size_t)len, net.now);
  assert_int_equal(passed.count, before + 1);
  assert_int_equal(passed.worker, 1);
  wt__endpoint_recv(second, &net.path, 1, passed.data, passed.len, net.now);
  wt__endpoint_get_stats(second, &stats);
  assert_int_equal(stats.connections_open, 0);
  assert_int_equal(atomic_load(&shared.connections), 1);
  client_free(&client);
  client_free(&again);
  wt__endpoint_free(first);
  wt__endpoint_free(second);
  assert_int_equal(atomic_load(&shared.connections), 0);
  wt__shared_free(&shared);
  wt__tls_context_free(config.tls);
}

/* All of the first worker's connections are half-open: a client of the second gets in, and one of them goes. */
static void test_endpoint_pays_for_what_another_let_in(void **state) {
  (void)state;
  struct wt__endpoint_config config;
  struct wt__endpoint *first, *second;
  struct client silent[2], client;
  struct client_options options = {.max_datagram_frame_size = 65535};
  struct wt__endpoint_stats stats;
  net_init();
  server_config(&config);
  assert_int_equal(wt__shared_init(&shared), 0);
  config.shared = &shared;
  config.retry = WT_RETRY_NEVER;
  config.max_connections = 2;
  config.workers = 2;
  assert_int_equal(wt__endpoint_new(&first, &config), 0);
  config.worker = 1;
  assert_int_equal(wt__endpoint_new(&second, &config), 0);
  for (int i = 0; i < 2; i++) {
    client_init(&silent[i], &options);
    (void)client_flush(&silent[i], first);
  }
  net.len = 0;
  client_init(&client, &options);
  converse(&client, second);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
  assert_int_equal(atomic_load(&shared.connections), 3);
  wt__endpoint_run(first, net.now);
  wt__endpoint_get_stats(first, &stats);
  assert_int_equal(stats.handshakes_open, 1);
  assert_int_equal(stats.handshakes_evicted, 1);
  assert_int_equal(atomic_load(&shared.connections), 2);
  assert_int_equal(atomic_load(&shared.owed), 0);
  for (int i = 0; i < 2; i++) client_free(&silent[i]);
  client_free(&client);
  wt__endpoint_free(first);
  wt__endpoint_free(second);
  assert_int_equal(atomic_load(&shared.handshakes), 0);
  wt__shared_free(&shared);
  wt__tls_context_free(config.tls);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shared_counts_of_many_threads),
      cmocka_unit_test(test_shared_bounds_are_exact),
      cmocka_unit_test(test_shared_owes_what_others_have),
      cmocka_unit_test(test_endpoint_passes_on_what_it_does_not_know),
      cmocka_unit_test(test_endpoints_are_one_server),
      cmocka_unit_test(test_endpoint_pays_for_what_another_let_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
