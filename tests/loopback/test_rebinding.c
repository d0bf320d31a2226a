/* SPDX-License-Identifier: MIT */
/*
 * A NAT that gives the client one port after another (RFC 9000, section 9): whoever only receives goes on soon after,
 * and a handshake that it falls into costs no more than a new attempt.
 */
#include "core/session.h"
#include "exchange.h"
#include "pair.h"

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
  net_run_for(&p.net, 3000);
  assert_true(get->body.len > before + 200000);
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

static void test_rebinding_every_50_ms_for_four_seconds(void **state) {
  (void)state;
  for (unsigned i = 0; i < 3; i++) one_storm(20, 50, 4000 + i * 148, 1);
  one_storm(20, 30, 4000, 1);
  one_storm(100, 250, 4000, 1);
  one_storm(20, 100, 4000, 1);
  one_storm(20, 200, 4000, 1);
}

/* Each in hundredths of a round trip. */
static const unsigned PERIODS[] = {10, 25, 50, 100, 130, 200};
static const uint64_t RTTS[] = {20, 40, 100};

static void test_rebinding_faster_than_a_round_trip(void **state) {
  (void)state;
  for (unsigned i = 0; i < 36; i++) {
    uint64_t rtt = RTTS[i / 6 % 3], seed = 1 + i;
    one_storm(rtt, (unsigned)(rtt * PERIODS[i % 6] / 100), 3000 + i * 37, seed);
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

static void test_rebinding_while_datagrams_come(void **state) {
  (void)state;
  static const unsigned every[] = {5, 10, 20, 40, 80};
  for (unsigned i = 0; i < 10; i++) one_storm_of_datagrams(i % 2 ? 20 : 40, every[i / 2]);
}

static void test_rebinding_once(void **state) {
  (void)state;
  one_storm(20, 1, 1, 1);
  one_storm(150, 1, 1, 1);
}

/* At any moment of the handshake: the attempt succeeds or ends, and the next one succeeds. */
static void test_rebinding_inside_the_handshake_costs_an_attempt_at_most(void **state) {
  (void)state;
  for (unsigned at = 0; at < 70; at += 5) {
    struct pair p;
    unsigned port = 0;
    pair_init(&p);
    pair_connect(&p);
    net_run_for(&p.net, at);
    rebind(&p, &port);
    NET_UNTIL(&p.net, 11000, p.link->ready || p.link->ends);
    struct sockaddr_in address = server_address();
    struct client_link *next = client_connect(&p.client, &address, NULL);
    NET_UNTIL(&p.net, 1000, next->ready);
    pair_free(&p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rebinding_every_50_ms_for_four_seconds),
      cmocka_unit_test(test_rebinding_faster_than_a_round_trip),
      cmocka_unit_test(test_rebinding_while_datagrams_come),
      cmocka_unit_test(test_rebinding_once),
      cmocka_unit_test(test_rebinding_inside_the_handshake_costs_an_attempt_at_most),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
