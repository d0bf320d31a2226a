/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom: one connection makes the loop work for long, by expensive packets, requests, streams or ends, and
 * another wants its echo. Costs are made by the test's callbacks, which move the clock that budgets go by
 * (quic/turn.h). So nothing here depends on how fast the machine is.
 *
 * A turn of the loop is: packets arrive while `hold` is set, then `turn`.
 */
#include "client.h"
#include "world.h"

#define COST NET_MS
#define VISIT 2  /* callbacks of that cost that fit into a connection's budget */
#define UNSEEN 8 /* packets, or ends of streams, before the clock is read for the first time */
#define MANY 40

static struct {
  struct net *net;
  uint64_t time; /* what the clock shows; far ahead of the network's, and it moves only by costs */
  uint64_t step; /* it moves by itself so much whenever it is read, at most; 0: it does not */
  bool hold;     /* packets are received, but no pass follows */
  void (*run)(void *ctx, uint64_t now);
  uint64_t (*expiry)(void *ctx);
} costs;

static uint64_t costly_clock(void *ctx) {
  (void)ctx;
  if (costs.step) costs.time += net_random(costs.net) % costs.step;
  return costs.time;
}

static void costs_init(struct net *net) {
  memset(&costs, 0, sizeof(costs));
  costs.net = net;
  costs.time = net->now + 24 * 3600 * UINT64_C(1000) * NET_MS;
}

static void node_run(void *ctx, uint64_t now) {
  if (!costs.hold) costs.run(ctx, now);
}

static uint64_t node_expiry(void *ctx) { return costs.hold ? UINT64_MAX : costs.expiry(ctx); }

static void take_over(struct net_node *node) {
  costs.run = node->run;
  costs.expiry = node->expiry;
  node->run = node_run;
  node->expiry = node_expiry;
}

/* --- A server with one who hurries and one who wastes its time --- */

struct pair {
  struct world world; /* its peer has a session at /echo */
  struct peer *slow;
  struct server_session *session; /* of `slow`, at /wt */
  int64_t id;
};

static unsigned slow_calls; /* callbacks that cost something */

static void cost(void) {
  slow_calls++;
  costs.time += COST;
}

static bool is_costly(enum server_event event) {
  return event == SERVER_DATA || event == SERVER_STREAM_CLOSE || event == SERVER_SESSION_CLOSE;
}

static void hook(struct server *server, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  (void)server;
  (void)stream;
  if (is_costly(event) && strcmp(session->path, "/wt") == 0) cost();
}

static void handle_slow(wt_request *request, void *user_data) {
  server_request_new(user_data, request);
  cost();
  (void)wt_request_respond(request, 200, NULL, 0, "slow\n", 5);
}

static void pair_init(struct pair *p) {
  struct world *w = &p->world;
  memset(p, 0, sizeof(*p));
  world_init(w, 1);
  costs_init(&w->net);
  server_handle(&w->server, "/slow", handle_slow);
  w->server.hook = hook;
  w->server.config.clock = costly_clock;
  world_start(w);
  take_over(&w->server.node);
  w->session = server_connect(&w->server, w->peer, "/echo", &w->id);
  slow_calls = 0;
}

static struct peer *add_peer(struct pair *p, unsigned address) {
  struct sockaddr_in to = server_address();
  struct peer_options options = p->world.options;
  options.address = address;
  struct peer *peer = peer_new(&p->world.net, &to, &options);
  NET_UNTIL(&p->world.net, 5000, peer->handshake_confirmed && peer->control >= 0);
  return peer;
}

static void pair_start(struct pair *p) {
  pair_init(p);
  p->slow = add_peer(p, 2);
  p->session = server_connect(&p->world.server, p->slow, "/wt", &p->id);
  net_run_for(&p->world.net, 100);
  slow_calls = 0;
}

static void pair_free(struct pair *p) {
  if (p->slow) peer_free(p->slow);
  world_free(&p->world);
}

/* What was sent arrives, without a pass. Acknowledgements of what was received have to wait for one. */
static void receive(struct pair *p) {
  costs.hold = true;
  net_run_for(&p->world.net, 11);
}

static void turn(struct pair *p) { wt__endpoint_run(p->world.server.endpoint, p->world.net.now); }

static bool is_done(struct pair *p) { return wt__endpoint_expiry(p->world.server.endpoint) > p->world.net.now; }

static struct wt__endpoint_stats stats_of(struct pair *p) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(p->world.server.endpoint, &stats);
  return stats;
}

static uint64_t sent_to_clients(struct pair *p) { return p->world.net.counts[NET_TO_CLIENT].sent; }

/* Lets the turns that are due follow each other; none makes more than `max` costly callbacks. */
static void turns(struct pair *p, unsigned max) {
  for (int i = 0; !is_done(p); i++) {
    unsigned before = slow_calls;
    assert_true(i < 2000);
    turn(p);
    if (slow_calls - before > max) fail_msg("%u callbacks in one turn", slow_calls - before);
  }
}

static int64_t ask_echo(struct pair *p) { return peer_wt_open(p->world.peer, false, p->world.id, "hurry", 5, true); }

/* The echo is among the packets that have left: it arrives without another turn of the server. */
static void check_echo_left(struct pair *p, int64_t id) {
  costs.hold = true;
  net_run_for(&p->world.net, 11);
  const struct peer_stream *stream = peer_stream(p->world.peer, id);
  assert_true(stream->fin);
  assert_memory_equal(stream->rx + stream->rx_len - 5, "hurry", 5);
}

/* Each in a packet of its own: the sender paces them. They arrive without a pass. */
static void send_slow_packets(struct pair *p, struct peer *peer, int64_t session, unsigned count) {
  costs.hold = true;
  for (unsigned i = 0; i < count; i++) {
    assert_true(peer_wt_open(peer, true, session, "slow", 4, false) >= 0);
    net_run_for(&p->world.net, 1);
  }
}

static void test_turn_expensive_packets_wait_behind_the_others(void **state) {
  struct pair p;
  (void)state;
  pair_start(&p);
  /* At first nobody knows that they are expensive; the second time they are known from the first packet on. */
  unsigned limits[] = {UNSEEN + 1, VISIT + 1};
  for (unsigned round = 0; round < 2; round++) {
    unsigned before = slow_calls;
    send_slow_packets(&p, p.slow, p.id, MANY);
    int64_t id = ask_echo(&p);
    receive(&p);
    assert_true(slow_calls > before);
    assert_true(slow_calls - before <= limits[round]);
    turn(&p);
    check_echo_left(&p, id);
    assert_true(slow_calls - before <= limits[round] + 1);
    turns(&p, 1);
    assert_int_equal(slow_calls - before, MANY); /* and none is lost */
    costs.hold = false;
    net_run_for(&p.world.net, 200);
  }
  struct wt__endpoint_stats stats = stats_of(&p);
  assert_true(stats.packets_put_off > 0);
  assert_int_equal(stats.packets_cut_off, 0);
  assert_true(stats.longest_visit >= VISIT * COST);
  assert_true(stats.longest_visit <= (UNSEEN + VISIT + 1) * COST);
  pair_free(&p);
}

static void test_turn_many_expensive_connections_delay_no_more_than_one(void **state) {
  struct pair p;
  struct peer *peers[8];
  int64_t ids[8];
  (void)state;
  pair_init(&p);
  for (unsigned i = 0; i < 8; i++) {
    peers[i] = add_peer(&p, 2 + i);
    server_connect(&p.world.server, peers[i], "/wt", &ids[i]);
  }
  net_run_for(&p.world.net, 100);
  for (unsigned i = 0; i < 8; i++) send_slow_packets(&p, peers[i], ids[i], MANY);
  receive(&p);
  for (int i = 0; i < 20; i++) { /* while all of them have packets that wait */
    unsigned before = slow_calls;
    int64_t id = ask_echo(&p);
    receive(&p);
    assert_int_equal(slow_calls, before);
    turn(&p);
    check_echo_left(&p, id);
    assert_int_equal(slow_calls, before + 1);
  }
  turns(&p, 1);
  assert_int_equal(slow_calls, 8 * MANY);
  for (unsigned i = 0; i < 8; i++) peer_free(peers[i]);
  pair_free(&p);
}

static void test_turn_requests_are_handled_a_few_at_a_time(void **state) {
  struct pair p;
  int64_t ids[100];
  (void)state;
  pair_start(&p);
  for (unsigned i = 0; i < 100; i++) ids[i] = http_request(p.slow, "GET", "/slow", NULL, true);
  int64_t id = ask_echo(&p);
  receive(&p);
  assert_int_equal(slow_calls, 0);
  turn(&p);
  assert_true(slow_calls >= VISIT);
  assert_true(slow_calls <= VISIT + 1);
  check_echo_left(&p, id);
  turns(&p, VISIT + 1);
  assert_int_equal(slow_calls, 100);
  costs.hold = false;
  for (unsigned i = 0; i < 100; i++) NET_UNTIL(&p.world.net, 5000, http_status(p.slow, ids[i]) == 200);
  pair_free(&p);
}

/* A session that ends takes its streams along: 60 calls of `on_close`. */
static void test_turn_streams_of_a_session_end_a_few_at_a_time(void **state) {
  struct pair p;
  struct bytes close = {0};
  (void)state;
  pair_start(&p);
  send_slow_packets(&p, p.slow, p.id, 60);
  costs.hold = false;
  net_run_for(&p.world.net, 500);
  assert_int_equal(slow_calls, 60);
  slow_calls = 0;
  for (struct server_stream *it = p.world.server.streams; it; it = it->next) {
    if (it->stream && it->session == p.session) wt_stream_stop_sending(it->stream, 1);
  }
  peer_flush(p.slow);
  net_run_for(&p.world.net, 15); /* STOP_SENDING is with the peer, whose resets are on their way */
  int64_t id = ask_echo(&p);
  receive(&p);
  turns(&p, UNSEEN + VISIT); /* light work as a rule: that it is not shows after some of it */
  check_echo_left(&p, id);
  assert_int_equal(slow_calls, 60);
  capsule_close(&close, 0, "");
  http_data(p.slow, p.id, close.data, close.len, true);
  bytes_free(&close);
  costs.hold = false;
  net_run_for(&p.world.net, 1000);
  pair_free(&p);
}

static void test_turn_connections_that_expire_together_end_a_few_at_a_time(void **state) {
  struct pair p;
  struct peer *peers[50];
  (void)state;
  pair_init(&p);
  for (unsigned i = 0; i < 50; i++) {
    int64_t id;
    peers[i] = add_peer(&p, 2 + i);
    server_connect(&p.world.server, peers[i], "/wt", &id);
    peers[i]->silent = true;
  }
  /* They have fallen silent, and the server's clock stands still until all of them have timed out. */
  slow_calls = 0;
  costs.hold = true;
  p.world.peer->silent = true;
  p.world.net.now += 60000 * NET_MS;
  turns(&p, VISIT + 1);
  assert_int_equal(slow_calls, 50);
  for (unsigned i = 0; i < 50; i++) peer_free(peers[i]);
  pair_free(&p);
}

/* Before an end there is no next turn: a flush tells every client that its session is closed, whatever it costs. */
static void test_turn_a_flush_runs_all_connections(void **state) {
  struct pair p;
  struct peer *peers[50];
  int64_t ids[50];
  (void)state;
  pair_init(&p);
  for (unsigned i = 0; i < 50; i++) {
    peers[i] = add_peer(&p, 2 + i);
    server_connect(&p.world.server, peers[i], "/wt", &ids[i]);
  }
  net_run_for(&p.world.net, 500);
  struct wt__endpoint *endpoint = p.world.server.endpoint;
  costs.hold = true;
  slow_calls = 0;
  uint64_t before = sent_to_clients(&p);
  wt__endpoint_close_sessions(endpoint, "bye", p.world.net.now);
  turn(&p);
  assert_in_range(slow_calls, 1, 49); /* each close costs, so one pass is not enough */
  wt__endpoint_flush(endpoint, p.world.net.now);
  assert_int_equal(slow_calls, 50);
  assert_true(sent_to_clients(&p) - before >= 50);
  receive(&p);
  for (unsigned i = 0; i < 50; i++) {
    struct capsules capsules;
    http_capsules(peers[i], ids[i], &capsules);
    assert_true(capsules.closed);
  }
  costs.hold = false;
  for (unsigned i = 0; i < 50; i++) peer_free(peers[i]);
  pair_free(&p);
}

/* What waits is freed with its connection, and with the endpoint; a packet that ends the connection may be among it. */
static void test_turn_waiting_packets_go_with_their_connection(void **state) {
  struct pair p;
  (void)state;
  for (int way = 0; way < 3; way++) {
    pair_start(&p);
    uint64_t held = stats_of(&p).memory_used;
    send_slow_packets(&p, p.slow, p.id, MANY);
    if (way == 0) peer_close(p.slow, WT__H3_NO_ERROR);
    receive(&p);
    assert_true(stats_of(&p).packets_put_off > 0);
    assert_true(stats_of(&p).memory_used > held);
    if (way == 1) wt__endpoint_close(p.world.server.endpoint, p.world.net.now);
    if (way < 2) turns(&p, UINT32_MAX);
    if (way == 1) { /* what is left are the ends that were sent */
      assert_true(stats_of(&p).memory_used < held);
      costs.hold = false;
      net_run_for(&p.world.net, 10000);
      assert_int_equal(stats_of(&p).memory_used, 0);
    }
    pair_free(&p);
  }
}

/* First packets belong to no connection yet, and cost a handshake each: they have one budget together. */
static void test_turn_new_connections_wait_behind_the_others(void **state) {
  struct pair p;
  struct peer *peers[60];
  struct sockaddr_in to = server_address();
  (void)state;
  pair_init(&p);
  uint64_t before = stats_of(&p).connections_total;
  for (unsigned i = 0; i < 60; i++) {
    struct peer_options options = p.world.options;
    options.address = 2 + i;
    peers[i] = peer_new(&p.world.net, &to, &options);
  }
  int64_t id = ask_echo(&p);
  costs.step = 2 * NET_MS;
  receive(&p);
  assert_true(stats_of(&p).connections_total > before);
  assert_true(stats_of(&p).connections_total < before + 60);
  assert_true(stats_of(&p).packets_put_off > 0);
  costs.step = 0;
  turn(&p);
  check_echo_left(&p, id);
  costs.hold = false;
  for (unsigned i = 0; i < 60; i++) NET_UNTIL(&p.world.net, 5000, peers[i]->handshake_confirmed);
  for (unsigned i = 0; i < 60; i++) peer_free(peers[i]);
  pair_free(&p);
}

/* A client whose first packet is not answered in time sends it again, and one with a large ClientHello sends two at once. All of
 * them wait as packets of no connection, which is not true any more when the first of them has made one. */
static void test_turn_first_packets_that_waited_together_are_of_one_connection(void **state) {
  struct pair p;
  struct peer *peers[60];
  struct sockaddr_in to = server_address();
  (void)state;
  pair_init(&p);
  p.world.net.link[NET_TO_SERVER].duplicate = 1000;
  for (unsigned i = 0; i < 60; i++) {
    struct peer_options options = p.world.options;
    options.address = 2 + i;
    peers[i] = peer_new(&p.world.net, &to, &options);
  }
  costs.step = 2 * NET_MS;
  receive(&p);
  assert_true(stats_of(&p).packets_put_off > 60);
  p.world.net.link[NET_TO_SERVER].duplicate = 0;
  costs.step = 0;
  costs.hold = false;
  for (unsigned i = 0; i < 60; i++) NET_UNTIL(&p.world.net, 5000, peers[i]->handshake_confirmed);
  assert_int_equal(stats_of(&p).connections_total, 61);
  for (unsigned i = 0; i < 60; i++) peer_free(peers[i]);
  pair_free(&p);
}

/* Whatever is put off where: everything arrives, in order. */
static void test_turn_nothing_is_lost_or_mixed_up_when_time_is_short(void **state) {
  struct pair p;
  (void)state;
  for (unsigned round = 0; round < 4; round++) {
    int64_t ids[20], requests[20];
    pair_start(&p);
    costs.step = (round + 1) * NET_MS;
    if (round & 1) p.world.net.link[0].loss = p.world.net.link[1].loss = 30;
    for (unsigned i = 0; i < 20; i++) {
      uint8_t *data = pattern_new(20000, i);
      ids[i] = peer_wt_open(p.world.peer, false, p.world.id, data, 20000, true);
      requests[i] = http_request(p.slow, "GET", "/hello", NULL, true);
      free(data);
    }
    for (unsigned i = 0; i < 20; i++) {
      NET_UNTIL(&p.world.net, 60000, world_received(&p.world, ids[i], 0, 20000, i));
      NET_UNTIL(&p.world.net, 60000, http_status(p.slow, requests[i]) == 200);
    }
    pair_free(&p);
  }
}

/* While packets come for a connection that waits for its run, it keeps its place. */
static void test_turn_a_busy_connection_has_its_run(void **state) {
  struct pair p;
  struct peer *peers[20];
  int64_t ids[20], echo = -1;
  (void)state;
  pair_init(&p);
  for (unsigned i = 0; i < 20; i++) {
    peers[i] = add_peer(&p, 2 + i);
    server_connect(&p.world.server, peers[i], "/wt", &ids[i]);
  }
  net_run_for(&p.world.net, 100);
  /* Each has requests for more than a turn; and the one with the echo is the last in line. */
  for (unsigned i = 0; i < 20; i++) {
    for (unsigned k = 0; k < 5; k++) http_request(peers[i], "GET", "/slow", NULL, true);
  }
  receive(&p);
  echo = ask_echo(&p);
  receive(&p);
  unsigned passes = 0;
  uint64_t sent = sent_to_clients(&p);
  while (!peer_stream(p.world.peer, echo)->fin) {
    assert_true(++passes < 20); /* 20 connections of two or three milliseconds, five of them in a turn */
    peer_ping(p.world.peer);
    receive(&p);
    turn(&p);
    receive(&p);
  }
  assert_true(sent_to_clients(&p) > sent);
  turns(&p, 3 * (VISIT + 1));
  for (unsigned i = 0; i < 20; i++) peer_free(peers[i]);
  pair_free(&p);
}

/* --- A client, one of whose servers wastes its time --- */

static void client_hook(struct server *records, enum server_event event, struct server_session *session,
                        struct server_stream *stream) {
  (void)records;
  (void)stream;
  if (event == SERVER_DATA && strcmp(session->path, "/wt") == 0) cost();
}

static void test_turn_of_a_client_is_shared_out_too(void **state) {
  struct net net;
  struct server server;
  struct client client;
  (void)state;
  net_init(&net, 1);
  costs_init(&net);
  server_init(&server, &net);
  server_start(&server);
  client_init(&client, &net, 1);
  client.config.clock = costly_clock;
  client.records.hook = client_hook;
  client_start(&client);
  take_over(&client.node);
  struct sockaddr_in to = server_address();
  struct client_link *slow = client_connect(&client, &to, NULL), *quick = client_connect(&client, &to, NULL);
  NET_UNTIL(&net, 5000, slow->ready && quick->ready);
  client_session(&client, slow, "/wt");
  struct server_session *quick_end = client_session(&client, quick, "/echo");
  struct server_session *wastes = server_session(&server, 0), *hurries = server_session(&server, 1);
  net_run_for(&net, 100);
  slow_calls = 0;
  costs.hold = true;
  size_t written;
  int error;
  for (unsigned i = 0; i < MANY; i++) {
    struct server_stream *stream = server_open(wastes, true, &error);
    assert_int_equal(wt_stream_write(stream->stream, "slow", 4, &written), 0);
    wt__endpoint_run(server.endpoint, net.now);
    net_run_for(&net, 1); /* a packet each */
  }
  struct server_stream *stream = server_open(hurries, true, &error);
  assert_int_equal(wt_stream_write(stream->stream, "hurry", 5, &written), 0);
  wt__endpoint_run(server.endpoint, net.now);
  net_run_for(&net, 11);
  assert_true(slow_calls > 0);
  assert_true(slow_calls <= UNSEEN + 1);
  assert_int_equal(server_stream(quick_end, 0)->rx_total, 5); /* before most of the others */
  costs.hold = false;
  NET_UNTIL(&net, 5000, slow_calls == MANY);
  client_free(&client);
  server_free(&server);
  net_free(&net);
}

/* Packets of a connection wait, its CONNECTION_CLOSE among them. The stateless reset that comes behind belongs to no id that
 * the client knows, and must not be handled before them all the same. */
static void test_turn_of_a_client_no_reset_overtakes_what_waits(void **state) {
  struct net net;
  struct server server;
  struct client client;
  (void)state;
  net_init(&net, 1);
  costs_init(&net);
  server_init(&server, &net);
  server_start(&server);
  client_init(&client, &net, 1);
  client.config.clock = costly_clock;
  client.records.hook = client_hook;
  client_start(&client);
  take_over(&client.node);
  struct sockaddr_in to = server_address();
  struct client_link *link = client_connect(&client, &to, NULL);
  NET_UNTIL(&net, 5000, link->ready);
  struct server_session *session = client_session(&client, link, "/wt");
  struct server_session *wastes = server_session(&server, 0);
  net_run_for(&net, 100);
  net.link[NET_TO_SERVER].delay = 200 * NET_MS;
  assert_int_equal(wt_session_send_datagram(session->session, "for whom?", 9), 0);
  wt__endpoint_run(client.endpoint, net.now);
  slow_calls = 0;
  costs.hold = true;
  for (unsigned i = 0; i < MANY; i++) {
    size_t written;
    int error;
    struct server_stream *stream = server_open(wastes, true, &error);
    assert_int_equal(wt_stream_write(stream->stream, "slow", 4, &written), 0);
    wt__endpoint_run(server.endpoint, net.now);
    net_run_for(&net, 1); /* a packet each */
  }
  wt__endpoint_close(server.endpoint, net.now);
  net_run_for(&net, 20);
  server_stop(&server);
  server_start(&server); /* with the same key: it answers the datagram with a reset */
  uint64_t before = net.counts[NET_TO_CLIENT].delivered;
  net_run_for(&net, 200);
  assert_true(net.counts[NET_TO_CLIENT].delivered > before);
  assert_true(slow_calls < MANY);
  assert_int_equal(link->ends, 0);
  costs.hold = false;
  NET_UNTIL(&net, 5000, link->ends);
  assert_int_equal(slow_calls, MANY);
  assert_int_equal(link->end.by, WT_PEER);
  client_free(&client);
  server_free(&server);
  net_free(&net);
}

/* Ordinary traffic on a clock that stands still: nothing is put off. */
static void test_turn_puts_nothing_off_without_need(void **state) {
  struct pair p;
  (void)state;
  pair_start(&p);
  uint8_t *data = pattern_new(500000, 3);
  int64_t id = peer_wt_open(p.world.peer, false, p.world.id, data, 500000, true);
  free(data);
  NET_UNTIL(&p.world.net, 20000, world_received(&p.world, id, 0, 500000, 3));
  assert_int_equal(stats_of(&p).packets_put_off, 0);
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_turn_expensive_packets_wait_behind_the_others),
      cmocka_unit_test(test_turn_many_expensive_connections_delay_no_more_than_one),
      cmocka_unit_test(test_turn_requests_are_handled_a_few_at_a_time),
      cmocka_unit_test(test_turn_streams_of_a_session_end_a_few_at_a_time),
      cmocka_unit_test(test_turn_connections_that_expire_together_end_a_few_at_a_time),
      cmocka_unit_test(test_turn_a_flush_runs_all_connections),
      cmocka_unit_test(test_turn_waiting_packets_go_with_their_connection),
      cmocka_unit_test(test_turn_new_connections_wait_behind_the_others),
      cmocka_unit_test(test_turn_first_packets_that_waited_together_are_of_one_connection),
      cmocka_unit_test(test_turn_nothing_is_lost_or_mixed_up_when_time_is_short),
      cmocka_unit_test(test_turn_a_busy_connection_has_its_run),
      cmocka_unit_test(test_turn_of_a_client_is_shared_out_too),
      cmocka_unit_test(test_turn_of_a_client_no_reset_overtakes_what_waits),
      cmocka_unit_test(test_turn_puts_nothing_off_without_need),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
