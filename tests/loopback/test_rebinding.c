/* SPDX-License-Identifier: MIT */
/*
 * A NAT that gives the client one port after another (RFC 9000, section 9): whoever only receives goes on soon after,
 * and a handshake that it falls into costs no more than a new attempt.
 */
#include "core/session.h"
#include "exchange.h"
#include "pair.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"

#define BYTES 30000000

/* A download, and where it is. */
static void path_begin(struct pair *p, uint64_t rtt, uint64_t seed) {
  memset(p, 0, sizeof(*p));
  pair_init(p);
  p->net.random = seed;
  p->net.link[0].delay = p->net.link[1].delay = rtt * NET_MS / 2;
  p->net.link[NET_TO_CLIENT].bandwidth = 1000000;
  p->net.link[NET_TO_CLIENT].queue_max = 50 * NET_MS;
  p->server.config.h3.no_request_timeout_ms = 60000;
  pair_connect(p);
  NET_UNTIL(&p->net, 5000, p->link->ready);
}

static struct client_exchange *download_begin(struct pair *p, uint64_t rtt, uint64_t seed) {
  path_begin(p, rtt, seed);
  char path[64];
  (void)snprintf(path, sizeof(path), "/source?bytes=%d", BYTES);
  struct client_exchange *get = exchange_on(p->link, "GET", path, NULL);
  NET_UNTIL(&p->net, 5000, get->body.len > 100000 + seed % 7 * 10000);
  return get;
}

static void rebind(struct pair *p, unsigned *port) {
  struct sockaddr_in seen = net_address(1);
  seen.sin_port = htons((uint16_t)(20000 + (*port)++));
  net_rebind(&p->client.node, &seen);
}

static void storm(struct pair *p, unsigned every, unsigned ms) {
  unsigned port = 0;
  for (unsigned at = 0; at < ms; at += every) {
    rebind(p, &port);
    net_run_for(&p->net, every);
  }
}

static void one_storm(uint64_t rtt, unsigned every, unsigned ms, uint64_t seed) {
  struct pair p;
  struct client_exchange *get = download_begin(&p, rtt, seed);
  storm(&p, every, ms);
  size_t before = get->body.len;
  NET_UNTIL(&p.net, 3000, get->body.len > before + 20000);
  before = get->body.len;
  net_run_for(&p.net, 1500);
  assert_true(get->body.len > before + 200000);
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

static void test_rebinding_every_50_ms_for_four_seconds(void **state) {
  (void)state;
  for (unsigned i = 0; i < 2; i++) one_storm(20, 50, 4000 + i * 148, 1);
  one_storm(20, 30, 4000, 1);
  one_storm(100, 250, 4000, 1);
  one_storm(20, 100, 4000, 1);
  one_storm(20, 200, 4000, 1);
}

/* Each in hundredths of a round trip. */
static const unsigned PERIODS[] = {25, 50, 100, 130};
static const uint64_t RTTS[] = {20, 40, 100};

static void test_rebinding_faster_than_a_round_trip(void **state) {
  (void)state;
  for (unsigned i = 0; i < 12; i++) {
    uint64_t rtt = RTTS[i / 4], seed = 1 + i;
    one_storm(rtt, (unsigned)(rtt * PERIODS[i % 4] / 100), 2500 + i * 37, seed);
  }
}

static void one_storm_of_datagrams(uint64_t rtt, unsigned every) {
  struct pair p;
  uint8_t data[1000] = {0};
  path_begin(&p, rtt, every);
  struct server_session *client = client_session(&p.client, p.link, "/wt"), *server = server_session(&p.server, 0);
  unsigned port = 0;
  uint64_t before = 0;
  for (unsigned at = 0; at < 9000; at += 5) {
    if (at == 7000) before = client->datagrams;
    if (at > 1000 && at < 5000 && at % every == 0) rebind(&p, &port);
    for (int i = 0; i < 4; i++) (void)wt_session_send_datagram(server->session, data, sizeof(data));
    net_run_for(&p.net, 5);
  }
  assert_true(client->datagrams > before + 1500); /* of 1,600 that were sent in the last two seconds */
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

/* Messages that come one by one, after a flow, are acknowledged and nothing else: no PING stands behind each. */
static void test_messages_one_by_one_cost_no_pings(void **state) {
  (void)state;
  struct pair p;
  uint8_t data[100] = {0};
  path_begin(&p, 20, 1);
  struct server_session *client = client_session(&p.client, p.link, "/wt"), *server = server_session(&p.server, 0);
  struct wt__link *link = wt__list_first(&p.client.endpoint->conns);
  struct wt__conn *conn = WT__CONTAINER_OF(link, struct wt__conn, link);
  uint64_t before = 0;
  for (unsigned i = 0; i < 100; i++) {
    (void)wt_session_send_datagram(server->session, data, sizeof(data));
    net_run_for(&p.net, 5);
  }
  for (unsigned i = 0; i < 30; i++) {
    if (i == 10) before = conn->packets_sent;
    (void)wt_session_send_datagram(server->session, data, sizeof(data));
    wt__endpoint_run(p.server.endpoint, p.net.now);
    net_run_for(&p.net, 300);
  }
  assert_int_equal(client->datagrams, 130);
  assert_int_equal(conn->packets_sent - before, 20);
  pair_free(&p);
}

/* What is lost besides must not leave the client with a full window and without a timer. */
static void test_rebinding_on_a_lossy_path(void **state) {
  (void)state;
  for (unsigned i = 0; i < 8; i++) {
    struct pair p;
    struct client_exchange *get = download_begin(&p, 20, 1 + i);
    p.net.link[0].loss = p.net.link[1].loss = 50;
    storm(&p, 26, 4000 + i * 37);
    size_t before = get->body.len;
    NET_UNTIL(&p.net, 5000, get->body.len > before + 20000);
    pair_free(&p);
  }
}

static void test_rebinding_while_datagrams_come(void **state) {
  (void)state;
  static const unsigned every[] = {5, 10, 20, 40, 80};
  for (unsigned i = 0; i < 5; i++) one_storm_of_datagrams(i % 2 ? 40 : 20, every[i]);
}

static void test_rebinding_once(void **state) {
  (void)state;
  one_storm(20, 1, 1, 1);
  one_storm(150, 1, 1, 1);
}

/* One packet that is lost besides, and what the server sends after a moment. */
struct handshake {
  struct pair pair;
  int lost_direction; /* -1: none */
  uint64_t lost_index;
  uint64_t deaf_from; /* of packets to the server, those from this one on are lost */
  uint64_t count_from, sent;
};

static enum net_verdict handshake_filter(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                         size_t len) {
  struct handshake *h = ctx;
  (void)data;
  if (direction == NET_TO_SERVER && index >= h->deaf_from) return NET_DROP;
  if (direction == NET_TO_CLIENT && h->pair.net.now >= h->count_from) h->sent += len;
  return (int)direction == h->lost_direction && index == h->lost_index ? NET_DROP : NET_PASS;
}

/* Begins a connection, and changes the port, or the address, after `at` milliseconds. */
static void handshake_begin(struct handshake *h, uint64_t rtt, unsigned at, bool port_alone) {
  struct sockaddr_in seen = net_address(port_alone ? 1 : 77);
  seen.sin_port = htons(20000);
  h->pair.net.link[0].delay = h->pair.net.link[1].delay = rtt * NET_MS / 2;
  h->pair.net.filter = handshake_filter;
  h->pair.net.filter_ctx = h;
  pair_connect(&h->pair);
  net_run_for(&h->pair.net, at);
  net_rebind(&h->pair.client.node, &seen);
}

static void handshake_init(struct handshake *h) {
  memset(h, 0, sizeof(*h));
  pair_init(&h->pair);
  h->lost_direction = -1;
  h->deaf_from = h->count_from = UINT64_MAX;
}

/* A session begins, and has a stream, within `ms` of the connection's begin. */
static void handshake_succeeds(struct handshake *h, uint64_t rtt, unsigned at, bool port_alone, uint64_t ms) {
  int error;
  size_t written;
  handshake_begin(h, rtt, at, port_alone);
  struct client_dial *dial = client_dial(h->pair.link, "/wt", NULL, &error);
  NET_UNTIL(&h->pair.net, ms - at, dial->replies == 1);
  assert_non_null(dial->session);
  struct server_stream *stream = server_open(dial->session, true, &error);
  assert_int_equal(wt_stream_write(stream->stream, "hello", 5, &written), 0);
  NET_UNTIL(&h->pair.net, 1000, stream_opposite(&h->pair.server, stream));
  assert_int_equal(h->pair.link->ends, 0);
  pair_free(&h->pair);
}

/* A new attempt would begin no earlier than the first probe timeout, three times the initial round-trip time of RFC
 * 9002, and take the round trips that any does. The same attempt succeeds in that time. */
static void test_rebinding_inside_the_handshake_costs_no_more_than_an_attempt(void **state) {
  (void)state;
  struct handshake h;
  for (unsigned i = 0; i < 20; i++) {
    unsigned rtt = i % 2 ? 20 : 100;
    handshake_init(&h);
    handshake_succeeds(&h, rtt, i / 4 * rtt / 4, i / 2 % 2, 1000 + 5 * rtt);
  }
}

/* With one of the next packets lost besides, the second probe timeout is waited for. */
static void test_rebinding_inside_the_handshake_on_a_lossy_path(void **state) {
  (void)state;
  struct handshake h;
  for (unsigned i = 0; i < 20; i++) {
    handshake_init(&h);
    h.lost_direction = (int)(i % 2);
    h.lost_index = 1 + i / 2 % 2;
    handshake_succeeds(&h, 20, i / 4 * 10, i % 3 == 0, 3000 + 5 * 20);
  }
}

/* An address that nobody has validated gets three times what came from it (RFC 9000, section 8.1), and no more. */
static void test_rebinding_inside_the_handshake_amplifies_nothing(void **state) {
  (void)state;
  for (unsigned at = 0; at < 20; at += 5) {
    struct handshake h;
    handshake_init(&h);
    h.pair.client.config.handshake_timeout_ms = 60000;
    handshake_begin(&h, 20, at, at % 2);
    uint64_t before = h.pair.net.counts[NET_TO_SERVER].sent;
    net_run_for(&h.pair.net, 5);
    h.deaf_from = before + 1;
    NET_UNTIL(&h.pair.net, 40000, h.pair.net.counts[NET_TO_SERVER].sent > before);
    h.count_from = h.pair.net.now + 9 * NET_MS;
    net_run_for(&h.pair.net, 60000);
    assert_in_range(h.sent, 1, 3 * 1200);
    pair_free(&h.pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rebinding_every_50_ms_for_four_seconds),
      cmocka_unit_test(test_rebinding_faster_than_a_round_trip),
      cmocka_unit_test(test_rebinding_on_a_lossy_path),
      cmocka_unit_test(test_rebinding_while_datagrams_come),
      cmocka_unit_test(test_rebinding_once),
      cmocka_unit_test(test_messages_one_by_one_cost_no_pings),
      cmocka_unit_test(test_rebinding_inside_the_handshake_costs_no_more_than_an_attempt),
      cmocka_unit_test(test_rebinding_inside_the_handshake_on_a_lossy_path),
      cmocka_unit_test(test_rebinding_inside_the_handshake_amplifies_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
