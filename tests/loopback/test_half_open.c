/* SPDX-License-Identifier: MIT */
/*
 * Handshakes that are begun and never finished. Whatever one address or many do, others get in, established
 * connections stay, and what is kept is bounded. Numbers are asserted, not times.
 */
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "world.h"

#define VICTIM 7u /* an address that others forge */

static struct wt__endpoint_stats stats_of(const struct world *w) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w->server.endpoint, &stats);
  return stats;
}

static struct peer *peer_at(struct world *w, unsigned address) {
  struct sockaddr_in server = server_address();
  struct peer_options options = w->options;
  options.address = address;
  return peer_new(&w->net, &server, &options);
}

/* A port of host `host`, another one for each `index` below 200. */
static unsigned port_of(unsigned host, unsigned index) { return host + 256 * index; }

/* Of the server's answers the peer gets no others than Retry packets. */
static enum net_verdict pass_retry(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  (void)ctx;
  (void)index;
  (void)len;
  return direction == NET_TO_SERVER || (data[0] & 0xf0) == 0xf0 ? NET_PASS : NET_DROP;
}

/* Sends an Initial, answers a Retry if one comes, and stops. */
static void leave_half_open(struct world *w, unsigned address) {
  w->net.filter = pass_retry;
  struct peer *peer = peer_at(w, address);
  uint64_t until = w->net.now + 21 * NET_MS; /* a little more than a round trip */
  while (!peer->retry_received && net_step(&w->net, until)) continue;
  peer->silent = true;
  net_run_for(&w->net, 11);
  peer_free(peer);
  w->net.filter = NULL;
}

/* Sends an Initial and no more, as somebody does who forges the address. */
static void forge(struct world *w, unsigned address) {
  struct peer *peer = peer_at(w, address);
  peer->silent = true;
  net_run_for(&w->net, 11);
  peer_free(peer);
}

/* A client that gets a session, and leaves. */
static void assert_served(struct world *w, unsigned address) {
  int64_t id;
  struct peer *peer = peer_at(w, address);
  server_connect(&w->server, peer, "/echo", &id);
  peer_close(peer, WT__H3_NO_ERROR);
  net_run_for(&w->net, 20);
  peer_free(peer);
}

static void start(struct world *w) {
  server_start(&w->server);
  w->options.idle_timeout_ms = 0;
}

/* --- One address --- */

static void one_address(enum wt_retry retry, size_t most) {
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = retry;
  w.server.config.max_connections = 100;
  w.server.config.max_connections_per_address = 10;
  start(&w);
  for (unsigned i = 0; i < 150; i++) {
    leave_half_open(&w, port_of(1, i));
    assert_true(stats_of(&w).handshakes_open <= most);
    if (i % 50 == 49) assert_served(&w, 2);
  }
  struct wt__endpoint_stats stats = stats_of(&w);
  assert_in_range(stats.handshakes_evicted, 2, 30); /* a quarter of ten in a second */
  assert_true(stats.handshakes_dropped > 50);
  assert_int_equal(stats.connections_refused, 0);
  net_run_for(&w.net, 11000); /* and all of it is over */
  assert_int_equal(stats_of(&w).connections_open, 0);
  assert_int_equal(stats_of(&w).handshakes_open, 0);
  assert_served(&w, port_of(1, 199));
  world_free(&w);
}

static void test_half_open_one_address_has_its_share(void **state) {
  (void)state;
  one_address(WT_RETRY_ALWAYS, 10);
  one_address(WT_RETRY_UNDER_LOAD, 20); /* as many without a token, before it is asked for one */
}

static void test_half_open_handshakes_have_a_bound_of_their_own(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_ALWAYS;
  w.server.config.max_handshakes_per_address = 3;
  start(&w);
  for (unsigned i = 0; i < 5; i++) {
    leave_half_open(&w, port_of(1, i));
    net_run_for(&w.net, 1000); /* one a second may give way */
  }
  assert_int_equal(stats_of(&w).handshakes_open, 3);
  assert_int_equal(stats_of(&w).handshakes_evicted, 2);
  assert_served(&w, port_of(1, 9)); /* another client behind the same NAT */
  assert_int_equal(stats_of(&w).handshakes_evicted, 3);
  world_free(&w);
}

/* Who gives way is told, since its address is known to be its own; nothing is kept of it. */
static void test_half_open_oldest_gives_way_and_hears_of_it(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_ALWAYS;
  w.server.config.max_handshakes_per_address = 2;
  start(&w);
  struct peer *first = peer_at(&w, port_of(1, 0)), *next = NULL;
  NET_UNTIL(&w.net, 1000, first->retry_received);
  first->silent = true;
  leave_half_open(&w, port_of(1, 1));
  net_run_for(&w.net, 100);
  next = peer_at(&w, port_of(1, 2));
  NET_UNTIL(&w.net, 1000, next->retry_received);
  first->silent = false;
  NET_UNTIL(&w.net, 1000, first->ended);
  assert_true(first->close_received);
  assert_false(first->close_is_app);
  assert_int_equal(first->close_code, 0x02); /* CONNECTION_REFUSED */
  assert_true(wt__list_empty(&w.server.endpoint->ended));
  NET_UNTIL(&w.net, 1000, next->handshake_done);
  peer_free(first);
  peer_free(next);
  world_free(&w);
}

/* Clients that come in a crowd and mean it do not push each other out: who finds no place sends again. */
static void test_half_open_crowd_behind_a_nat_is_served(void **state) {
  (void)state;
  struct world w;
  struct peer *peers[40];
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_UNDER_LOAD;
  w.server.config.max_handshakes_per_address = 8;
  start(&w);
  for (unsigned i = 0; i < 40; i++) peers[i] = peer_at(&w, port_of(1, i));
  for (unsigned i = 0; i < 40; i++) NET_UNTIL(&w.net, 10000, peers[i]->handshake_confirmed);
  assert_true(stats_of(&w).handshakes_dropped > 0);
  assert_int_equal(stats_of(&w).handshakes_evicted, 0);
  assert_int_equal(stats_of(&w).connections_total, 40);
  for (unsigned i = 0; i < 40; i++) peer_free(peers[i]);
  world_free(&w);
}

/* A token of an earlier connection validates the address as well as a Retry does. */
static void test_half_open_established_ones_count_with_handshakes(void **state) {
  (void)state;
  struct world w;
  struct peer *peers[2];
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_ALWAYS;
  w.server.config.max_connections_per_address = 3;
  start(&w);
  for (unsigned i = 0; i < 2; i++) {
    peers[i] = peer_at(&w, port_of(1, i));
    NET_UNTIL(&w.net, 1000, peers[i]->handshake_confirmed);
  }
  for (unsigned i = 2; i < 5; i++) {
    leave_half_open(&w, port_of(1, i));
    net_run_for(&w.net, 1000);
  }
  assert_int_equal(stats_of(&w).connections_open, 3);
  assert_int_equal(stats_of(&w).handshakes_open, 1);
  struct peer *third = peer_at(&w, port_of(1, 5));
  NET_UNTIL(&w.net, 2000, third->handshake_confirmed);
  struct peer *fourth = peer_at(&w, port_of(1, 6));
  NET_UNTIL(&w.net, 1000, fourth->ended);
  assert_int_equal(fourth->close_code, 0x02);
  assert_int_equal(stats_of(&w).connections_refused, 1);
  assert_int_equal(stats_of(&w).connections_open, 3); /* those that are established never give way */
  peer_free(fourth);
  peer_free(third);
  for (unsigned i = 0; i < 2; i++) peer_free(peers[i]);
  world_free(&w);
}

/* --- Forged addresses --- */

static void test_half_open_forged_address_locks_nobody_out(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_UNDER_LOAD;
  w.server.config.max_connections_per_address = 4;
  start(&w);
  for (unsigned i = 0; i < 50; i++) forge(&w, port_of(VICTIM, i));
  assert_int_equal(stats_of(&w).handshakes_open, 4); /* then the address was asked for a proof */
  assert_int_equal(stats_of(&w).handshakes_evicted, 0);
  assert_served(&w, port_of(VICTIM, 60));
  assert_served(&w, 9);
  world_free(&w);
}

/* Without Retry forged handshakes can take all connections, but the oldest of them give way. */
static void test_half_open_forged_ones_give_way_without_retry(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_NEVER;
  w.server.config.max_connections = 20;
  start(&w);
  for (unsigned i = 0; i < 60; i++) forge(&w, 10 + i);
  assert_int_equal(stats_of(&w).connections_open, 20);
  assert_int_equal(stats_of(&w).handshakes_evicted, 40);
  assert_served(&w, 5);
  assert_int_equal(stats_of(&w).connections_refused, 0);
  world_free(&w);
}

struct answers {
  uint64_t packets, bytes, asked;
};

static enum net_verdict count_answers(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                      size_t len) {
  struct answers *answers = ctx;
  (void)index;
  (void)data;
  if (direction == NET_TO_CLIENT) {
    answers->packets++;
    answers->bytes += len;
  } else {
    answers->asked += len;
  }
  return NET_PASS;
}

/* One that gives way unvalidated ends in silence (RFC 9000, section 8.1). */
static void test_half_open_forged_ones_end_in_silence(void **state) {
  (void)state;
  struct world w;
  struct answers answers = {0, 0, 0};
  world_init(&w, 1);
  w.server.config.max_connections = 1;
  start(&w);
  w.net.filter = count_answers;
  w.net.filter_ctx = &answers;
  forge(&w, 10);
  uint64_t packets = answers.packets; /* of one that takes nobody's place */
  assert_true(packets > 0);
  for (unsigned i = 0; i < 10; i++) forge(&w, 11 + i);
  assert_int_equal(stats_of(&w).handshakes_evicted, 10);
  assert_int_equal(answers.packets, 11 * packets);
  assert_true(answers.bytes <= 3 * answers.asked);
  assert_true(wt__list_empty(&w.server.endpoint->ended));
  world_free(&w);
}

/* A client that was sent a Retry may have sent its Initial twice. So an address that had too many handshakes a moment ago
 * has to prove itself for some seconds more. */
static void test_half_open_proof_is_asked_for_a_while(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_UNDER_LOAD;
  w.server.config.max_handshakes_per_address = 2;
  start(&w);
  forge(&w, port_of(1, 0));
  struct peer *early = peer_at(&w, port_of(1, 1));
  net_run_for(&w.net, 11);
  struct peer *retried = peer_at(&w, port_of(1, 2));
  NET_UNTIL(&w.net, 1000, early->handshake_confirmed && retried->handshake_confirmed);
  assert_false(early->retry_received);
  assert_true(retried->retry_received);
  struct peer *next = peer_at(&w, port_of(1, 3));
  NET_UNTIL(&w.net, 1000, next->handshake_confirmed);
  assert_true(next->retry_received);
  net_run_for(&w.net, 3500);
  struct peer *last = peer_at(&w, port_of(1, 4));
  NET_UNTIL(&w.net, 1000, last->handshake_confirmed);
  assert_false(last->retry_received);
  peer_free(early);
  peer_free(retried);
  peer_free(next);
  peer_free(last);
  world_free(&w);
}

/* --- Many addresses --- */

static size_t half_open_of(struct world *w, unsigned address, bool validated) {
  struct sockaddr_in from = net_address(address);
  uint64_t key = wt__peers_key(&w->server.endpoint->shared->peers, (const struct sockaddr *)&from);
  const struct wt__half_open_address *found = wt__half_open_find(&w->server.endpoint->half_open, key);
  return found ? found->counts[validated] : 0;
}

/* Where all connections are taken: first one of the newcomer's own address, else one that nobody has proven to be there,
 * else the oldest. */
static void test_half_open_who_gives_way_first(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_UNDER_LOAD;
  w.server.config.retry_threshold = 0; /* an honest client is asked for a proof */
  w.server.config.max_connections = 4;
  start(&w);
  leave_half_open(&w, port_of(1, 0));
  leave_half_open(&w, port_of(2, 0));
  w.server.endpoint->config.retry = WT_RETRY_NEVER;
  forge(&w, port_of(3, 0));
  forge(&w, port_of(3, 1));
  w.server.endpoint->config.retry = WT_RETRY_UNDER_LOAD;
  assert_int_equal(half_open_of(&w, 1, true) + half_open_of(&w, 2, true) + half_open_of(&w, 3, false), 4);

  leave_half_open(&w, port_of(2, 1)); /* its own, though others are older or path_unvalidated */
  assert_int_equal(half_open_of(&w, 1, true), 1);
  assert_int_equal(half_open_of(&w, 2, true), 1);
  assert_int_equal(half_open_of(&w, 3, false), 2);
  leave_half_open(&w, port_of(4, 0)); /* an path_unvalidated one, though others are older */
  leave_half_open(&w, port_of(5, 0));
  assert_int_equal(half_open_of(&w, 1, true), 1);
  assert_int_equal(half_open_of(&w, 2, true), 1);
  assert_int_equal(half_open_of(&w, 3, false), 0);
  leave_half_open(&w, port_of(6, 0)); /* the oldest */
  assert_int_equal(half_open_of(&w, 1, true), 0);
  assert_int_equal(half_open_of(&w, 2, true), 1);
  world_free(&w);
}

static void test_half_open_many_addresses_give_way_to_newcomers(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.retry = WT_RETRY_UNDER_LOAD;
  w.server.config.max_connections = 20;
  start(&w);
  struct peer *old = peer_at(&w, 1);
  NET_UNTIL(&w.net, 1000, old->handshake_confirmed);
  for (unsigned i = 0; i < 60; i++) {
    leave_half_open(&w, 10 + i);
    assert_true(stats_of(&w).connections_open <= 20);
    if (i % 10 == 9) assert_served(&w, 2);
  }
  assert_true(stats_of(&w).handshakes_evicted >= 40);
  assert_int_equal(stats_of(&w).connections_refused, 0);
  assert_false(old->ended);
  peer_free(old);
  world_free(&w);
}

static void test_half_open_memory_is_made_free(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.max_memory = 1 << 20;
  start(&w);
  for (unsigned i = 0; i < 60; i++) {
    forge(&w, 10 + i);
    assert_true(stats_of(&w).handshakes_open * WT__BUDGET_HANDSHAKE <= (1 << 20) / WT__BUDGET_HANDSHAKES_PART);
  }
  assert_true(stats_of(&w).handshakes_evicted > 0);
  assert_int_equal(stats_of(&w).memory_refused_connections, 0);
  assert_true(stats_of(&w).memory_used < 1 << 20);
  struct peer *peer = peer_at(&w, 2);
  NET_UNTIL(&w.net, 1000, peer->handshake_confirmed);
  peer_free(peer);
  world_free(&w);
}

/* What is left of connections that have ended is worth less than a new one, too. */
static void test_half_open_remains_give_way_to_newcomers(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.max_memory = 1 << 20;
  w.server.config.max_connections = 100000;
  start(&w);
  for (unsigned i = 0; i < 1000; i++) {
    struct peer *peer = peer_at(&w, 10 + i);
    peer_close(peer, 0);
    if (i % 16 == 0) net_run_for(&w.net, 1); /* faster than remains go by themselves */
    assert_true(stats_of(&w).memory_used < wt__budget_full(1 << 20));
    peer_free(peer);
  }
  net_run_for(&w.net, 20);
  assert_int_equal(stats_of(&w).handshakes_evicted, 0);
  assert_int_equal(stats_of(&w).memory_refused_connections, 0);
  assert_int_equal(stats_of(&w).connections_open, 0);
  assert_served(&w, 2);
  world_free(&w);
}

/* --- Time --- */

static enum net_verdict drop_answers(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                     size_t len) {
  (void)ctx;
  (void)index;
  (void)data;
  (void)len;
  return direction == NET_TO_CLIENT ? NET_DROP : NET_PASS;
}

/* The time of a handshake is absolute: packets that go on coming do not prolong it. */
static void test_half_open_trickle_ends(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.net.filter = drop_answers;
  w.server.config.handshake_timeout_ms = 8000;
  start(&w);
  w.peer = peer_at(&w, 1); /* hears nothing, and sends its Initial again and again */
  uint64_t before = w.net.counts[NET_TO_SERVER].sent;
  net_run_for(&w.net, 7900);
  assert_true(w.net.counts[NET_TO_SERVER].sent >= before + 3);
  assert_int_equal(stats_of(&w).handshakes_open, 1);
  assert_int_equal(stats_of(&w).connections_total, 1);
  net_run_for(&w.net, 1000);
  assert_int_equal(stats_of(&w).handshakes_open, 0);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_half_open_one_address_has_its_share),
      cmocka_unit_test(test_half_open_handshakes_have_a_bound_of_their_own),
      cmocka_unit_test(test_half_open_oldest_gives_way_and_hears_of_it),
      cmocka_unit_test(test_half_open_crowd_behind_a_nat_is_served),
      cmocka_unit_test(test_half_open_established_ones_count_with_handshakes),
      cmocka_unit_test(test_half_open_forged_address_locks_nobody_out),
      cmocka_unit_test(test_half_open_forged_ones_give_way_without_retry),
      cmocka_unit_test(test_half_open_forged_ones_end_in_silence),
      cmocka_unit_test(test_half_open_proof_is_asked_for_a_while),
      cmocka_unit_test(test_half_open_who_gives_way_first),
      cmocka_unit_test(test_half_open_many_addresses_give_way_to_newcomers),
      cmocka_unit_test(test_half_open_memory_is_made_free),
      cmocka_unit_test(test_half_open_remains_give_way_to_newcomers),
      cmocka_unit_test(test_half_open_trickle_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
