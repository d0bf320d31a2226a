/* SPDX-License-Identifier: MIT */
/*
 * A bad network: packets are lost, swapped, doubled and damaged, each run by a seed, and every byte that
 * comes back is compared. A failing seed is printed; it draws the same lots again.
 */
#include "world.h"

#define SEEDS 20
#define BIDI 10
#define UNI 5
#define DATAGRAMS 40

static size_t bidi_len(unsigned i) { return i == 0 ? 200000 : (size_t)i * 2111; }
static size_t uni_len(unsigned i) { return 1 + (size_t)i * 7001; }

struct workload {
  int64_t bidi[BIDI], uni[UNI], get, post;
};

static void workload_start(struct world *w, struct workload *work) {
  for (unsigned i = 0; i < BIDI; i++) {
    uint8_t *data = pattern_new(bidi_len(i), i);
    work->bidi[i] = peer_wt_open(w->peer, false, w->id, data, bidi_len(i), true);
    free(data);
    if (i % 3 == 0) net_run_for(&w->net, 3);
  }
  for (unsigned i = 0; i < UNI; i++) {
    uint8_t *data = pattern_new(uni_len(i), 100 + i);
    work->uni[i] = peer_wt_open(w->peer, true, w->id, data, uni_len(i), true);
    free(data);
  }
  work->get = http_request(w->peer, "GET", "/source?bytes=50000", NULL, true);
  work->post = http_request(w->peer, "POST", "/post", NULL, false);
  uint8_t *body = pattern_new(30000, 55);
  http_data(w->peer, work->post, body, 30000, true);
  free(body);
  for (unsigned i = 0; i < DATAGRAMS; i++) {
    uint8_t *data = pattern_new(700, 200 + i);
    data[0] = (uint8_t)i;
    peer_wt_datagram(w->peer, w->id, data, 700);
    free(data);
    net_run_for(&w->net, 2);
  }
}

static bool answer_whole(struct world *w, int64_t id, size_t len, uint64_t seed) {
  if (!peer_stream(w->peer, id)->fin) return false;
  struct response response;
  http_response(w->peer, id, &response);
  bool same = response.status == 200 && response.body_len == len && pattern_matches(response.body, len, 0, seed);
  response_free(&response);
  return same;
}

/* Each unidirectional stream comes back on some stream of the server's, told apart by its length. */
static bool uni_whole(struct world *w, unsigned i) {
  for (size_t at = 0; peer_server_stream(w->peer, true, at) || at < 3; at++) {
    struct peer_stream *stream = peer_server_stream(w->peer, true, at);
    size_t header = peer_wt_header_len(stream, w->id);
    if (header && stream->fin && stream->rx_len == header + uni_len(i)) {
      return pattern_matches(stream->rx + header, uni_len(i), 0, 100 + i);
    }
  }
  return false;
}

static bool workload_done(struct world *w, const struct workload *work) {
  for (unsigned i = 0; i < BIDI; i++) {
    if (!peer_stream(w->peer, work->bidi[i])->fin) return false;
  }
  for (unsigned i = 0; i < UNI; i++) {
    if (!uni_whole(w, i)) return false;
  }
  return peer_stream(w->peer, work->get)->fin && peer_stream(w->peer, work->post)->fin;
}

static unsigned datagrams_check(struct world *w) {
  unsigned count = 0, seen[DATAGRAMS] = {0};
  struct peer_datagram *datagram;
  while ((datagram = peer_take_datagram(w->peer))) {
    assert_int_equal(datagram->len, 701);
    unsigned i = datagram->data[1];
    assert_in_range(i, 0, DATAGRAMS - 1);
    assert_true(pattern_matches(datagram->data + 2, 699, 1, 200 + i));
    assert_int_equal(seen[i]++, 0); /* a doubled packet is one packet */
    free(datagram);
    count++;
  }
  return count;
}

static void run_seed(uint64_t seed) {
  struct world w;
  struct workload work;
  world_init(&w, seed);
  for (int direction = 0; direction < 2; direction++) {
    struct net_link *link = &w.net.link[direction];
    link->loss = (unsigned)(seed % 5) * 50;
    link->reorder = seed % 2 ? 100 : 0;
    link->reorder_by = 30 * NET_MS;
    link->duplicate = seed % 3 ? 50 : 0;
    link->corrupt = seed % 4 ? 20 : 0;
    link->delay = (2 + seed) * NET_MS;
  }
  w.server.config.handshake_timeout_ms = 60000;
  w.server.config.idle_timeout_ms = 60000;
  w.options.idle_timeout_ms = 60000;
  struct sockaddr_in address = server_address();
  server_start(&w.server);
  w.peer = peer_new(&w.net, &address, &w.options);
  NET_UNTIL(&w.net, 60000, w.peer->handshake_done);
  w.id = http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  NET_UNTIL(&w.net, 20000, http_status(w.peer, w.id) == 200);
  w.session = server_session(&w.server, 0);
  workload_start(&w, &work);
  NET_UNTIL(&w.net, 120000, workload_done(&w, &work));
  for (unsigned i = 0; i < BIDI; i++) assert_true(world_received(&w, work.bidi[i], 0, bidi_len(i), i));
  assert_true(answer_whole(&w, work.get, 50000, 1));
  assert_true(answer_whole(&w, work.post, 30000, 55));
  unsigned datagrams = datagrams_check(&w);
  if (!w.net.link[0].loss && !w.net.link[0].corrupt) assert_int_equal(datagrams, DATAGRAMS);
  assert_int_equal(wt_session_close(w.session->session, (uint32_t)seed, "done", 4), 0);
  NET_UNTIL(&w.net, 30000, peer_stream(w.peer, w.id)->fin);
  struct capsules capsules;
  http_capsules(w.peer, w.id, &capsules);
  assert_int_equal(capsules.code, seed);
  assert_string_equal(capsules.reason, "done");
  world_free(&w);
}

static void test_loss_mixed_work_arrives_whole(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    print_message("seed %u\n", (unsigned)seed);
    run_seed(seed);
  }
}

/* The network is quiet for a while in the middle: nobody may give up before the idle timeout. */
static void test_loss_survives_an_outage(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  uint8_t *data = pattern_new(500000, 3);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, 500000, true);
  free(data);
  net_run_for(&w.net, 60);
  assert_false(peer_stream(w.peer, id)->fin);
  w.net.link[0].loss = w.net.link[1].loss = 1000;
  net_run_for(&w.net, 8000);
  w.net.link[0].loss = w.net.link[1].loss = 0;
  NET_UNTIL(&w.net, 20000, world_received(&w, id, 0, 500000, 3));
  world_free(&w);
}

/* With the lots the same, the same packets are lost: a seed names a network. */
static void test_loss_decisions_repeat_by_seed(void **state) {
  (void)state;
  struct net first, second;
  net_init(&first, 77);
  net_init(&second, 77);
  for (int i = 0; i < 1000; i++) assert_true(net_random(&first) == net_random(&second));
  net_init(&second, 78);
  assert_true(net_random(&first) != net_random(&second));
  net_free(&first);
  net_free(&second);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loss_mixed_work_arrives_whole),
      cmocka_unit_test(test_loss_survives_an_outage),
      cmocka_unit_test(test_loss_decisions_repeat_by_seed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
