/* SPDX-License-Identifier: MIT */
/*
 * Memory: nothing grows with what has come and gone, and no allocation that fails does more harm than the
 * request, stream, session or connection it was for.
 */
#include "base/mem.h"
#include "quic/seal.h"
#include "world.h"

#define MANY_STREAMS 10000
#define MANY_SESSIONS 500
#define SLACK 64 /* blocks that ngtcp2 and nghttp3 hold for packets in flight come and go */

static void many_start(struct world *w) {
  world_init(w, 1);
  w->server.config.h3.max_session_rate = 0; /* many, one after the other */
  w->net.link[0].delay = w->net.link[1].delay = 1 * NET_MS;
  w->options.frugal = true;
  w->server.frugal = true;
  w->server.forget = true;
  world_start(w);
  NET_UNTIL(&w->net, 1000, w->peer->control >= 0);
}

/* `frugal` keeps no bytes, so the status is not seen: the server's record says it. */
static struct server_session *many_connect(struct world *w, const char *path, int64_t *id) {
  *id = http_connect(w->peer, "webtransport", path, NULL, NULL);
  NET_UNTIL(&w->net, 1000, w->server.last_session && w->server.last_session->id == *id);
  return w->server.last_session;
}

static void streams_run(struct world *w, unsigned count) {
  uint64_t before = w->session->streams;
  for (unsigned i = 0; i < count; i++) {
    int64_t id = -1;
    for (int tries = 0; id < 0 && tries < 1000; tries++) {
      id = peer_wt_open(w->peer, i % 4 == 3, w->id, "some bytes", 10, i % 5 != 4);
      if (id < 0) net_run_for(&w->net, 1);
    }
    assert_true(id >= 0);
    if (i % 5 == 4) { /* some end with a reset */
      net_run_for(&w->net, 3);
      peer_reset(w->peer, id, wt__error_to_wire(i));
    }
    if (i % 10 == 0) net_run_for(&w->net, 5);
  }
  NET_UNTIL(&w->net, 60000, w->session->streams == before + count && w->server.streams == NULL);
  net_run_for(&w->net, 1000);
}

static void test_memory_stays_where_it_was_after_many_streams(void **state) {
  (void)state;
  struct world w;
  many_start(&w);
  w.session = many_connect(&w, "/echo", &w.id);
  streams_run(&w, 500); /* tables have their size then */
  int64_t live = wt__mem_live();
  streams_run(&w, MANY_STREAMS);
  int64_t growth = wt__mem_live() - live;
  if (growth > SLACK) fail_msg("%lld blocks more than before", (long long)growth);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void sessions_run(struct world *w, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    w->session = many_connect(w, i % 2 ? "/echo" : "/wt", &w->id);
    peer_wt_open(w->peer, false, w->id, "left open", 9, false);
    peer_wt_open(w->peer, true, w->id, "ended", 5, true);
    peer_wt_datagram(w->peer, w->id, "datagram", 8);
    net_run_for(&w->net, 5);
    struct bytes bytes = {0};
    capsule_close(&bytes, i, "next");
    if (i % 3 == 0) http_data(w->peer, w->id, bytes.data, bytes.len, true);
    if (i % 3 == 1) peer_reset(w->peer, w->id, WT__H3_REQUEST_CANCELLED);
    if (i % 3 == 2) {
      assert_int_equal(wt_session_close(w->session->session, i, "server", 6), 0);
      http_data(w->peer, w->id, NULL, 0, true);
    }
    bytes_free(&bytes);
    NET_UNTIL(&w->net, 1000, w->server.sessions == NULL);
  }
  net_run_for(&w->net, 1000);
}

static void test_memory_stays_where_it_was_after_many_sessions(void **state) {
  (void)state;
  struct world w;
  many_start(&w);
  sessions_run(&w, 50);
  int64_t live = wt__mem_live();
  sessions_run(&w, MANY_SESSIONS);
  int64_t growth = wt__mem_live() - live;
  if (growth > SLACK) fail_msg("%lld blocks more than before", (long long)growth);
  assert_int_equal(w.server.counters.sessions_open, 0);
  assert_int_equal(w.server.counters.sessions_total, MANY_SESSIONS + 50);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_memory_of_a_connection_is_given_back(void **state) {
  (void)state;
  struct world w;
  many_start(&w);
  peer_close(w.peer, WT__H3_NO_ERROR);
  net_run_for(&w.net, 5000);
  peer_free(w.peer);
  w.peer = NULL;
  int64_t live = wt__mem_live();
  struct sockaddr_in address = server_address();
  for (unsigned i = 0; i < 100; i++) {
    struct peer_options options = w.options;
    options.address = 2 + i % 50;
    w.peer = peer_new(&w.net, &address, &options);
    NET_UNTIL(&w.net, 1000, w.peer->handshake_confirmed && w.peer->control >= 0);
    w.session = many_connect(&w, "/echo", &w.id);
    peer_wt_open(w.peer, false, w.id, "abc", 3, false);
    net_run_for(&w.net, 10);
    if (i % 2)
      peer_close(w.peer, WT__H3_NO_ERROR);
    else
      w.peer->silent = true;
    if (i % 2 == 0) net_run_for(&w.net, 50000); /* a PING in between moves the idle timeout once */
    NET_UNTIL(&w.net, 5000, w.server.sessions == NULL);
    peer_free(w.peer);
    w.peer = NULL;
  }
  net_run_for(&w.net, 5000);
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w.server.endpoint, &stats);
  assert_int_equal(stats.connections_open, 0);
  int64_t growth = wt__mem_live() - live;
  if (growth > 8) fail_msg("%lld blocks more than before", (long long)growth);
  world_free(&w);
}

/* Of each direction's key, where its context is counted: GnuTLS's are not. */
static int64_t contexts_counted(void) {
  static const uint8_t key[16];
  struct wt__seal *seal = wt__seal_new(WT__SEAL_AES_128_GCM, key);
  wt__seal_free(seal);
  return seal ? 2 : 0;
}

static void test_memory_for_packets_is_given_back_by_an_idle_connection(void **state) {
  (void)state;
  struct world w;
  many_start(&w);
  w.session = many_connect(&w, "/echo", &w.id);
  streams_run(&w, 10);
  for (int i = 0; i < 3; i++) {
    peer_wt_datagram(w.peer, w.id, "datagram", 8);
    net_run_for(&w.net, 1000);
    int64_t live = wt__mem_live();
    net_run_for(&w.net, 500);
    assert_int_equal(wt__mem_live(), live); /* not yet */
    net_run_for(&w.net, 1500);
    assert_int_equal(wt__mem_live(), live - contexts_counted());
  }
  streams_run(&w, 10);
  assert_false(w.peer->ended);
  world_free(&w);
}

/* --- Each allocation failing in turn --- */

/* A whole session's life, which may go wrong anywhere. Returns whether all of it went well. */
static bool life_run(struct world *w) {
  struct sockaddr_in address = server_address();
  w->peer = peer_new(&w->net, &address, &w->options);
  net_run_for(&w->net, 300);
  if (!w->peer->handshake_done || w->peer->ended) return false;
  int64_t get = http_request(w->peer, "GET", "/hello", NULL, true);
  int64_t post = http_request(w->peer, "POST", "/post", NULL, false);
  http_data(w->peer, post, "body", 4, true);
  int64_t id = http_connect(w->peer, "webtransport", "/echo", "https://localhost:4000", NULL);
  int64_t early = peer_wt_open(w->peer, false, id, "early", 5, true);
  peer_wt_datagram(w->peer, id, "early", 5);
  net_run_for(&w->net, 100);
  int64_t uni = peer_wt_open(w->peer, true, id, "uni", 3, true);
  int64_t reset = peer_wt_open(w->peer, false, id, "reset", 5, false);
  struct server_session *session = server_session(&w->server, 0);
  int error = 0;
  struct server_stream *own = session && session->session ? server_open(session, false, &error) : NULL;
  size_t written;
  if (own) (void)wt_stream_write(own->stream, "from the server", 15, &written);
  net_run_for(&w->net, 100);
  if (!w->peer->ended && reset >= 0) peer_reset(w->peer, reset, wt__error_to_wire(1));
  if (session && session->session) (void)wt_session_send_datagram(session->session, "d", 1);
  if (session && session->session) (void)wt_session_close(session->session, 7, "over", 4);
  net_run_for(&w->net, 100);
  if (w->peer->ended) return false;
  http_data(w->peer, id, NULL, 0, true);
  net_run_for(&w->net, 100);
  struct peer_stream *echoed = peer_stream(w->peer, early);
  return uni >= 0 && http_status(w->peer, get) == 200 && http_status(w->peer, post) == 200 && session &&
         session->closes == 1 && echoed && echoed->fin && echoed->rx_len == 5;
}

/* Whether the failure that was ordered is still to come: then the run made fewer allocations. */
static bool failure_pending(void) {
  for (int i = 0; i < 100000; i++) {
    void *block = wt__malloc(1);
    if (!block) return true;
    wt__free(block);
  }
  return false;
}

static bool life_with_failure(size_t count, bool *well) {
  struct world w;
  world_init(&w, 1);
  server_start(&w.server);
  wt__mem_fail_after(count);
  *well = life_run(&w);
  bool pending = failure_pending();
  wt__mem_fail_after(SIZE_MAX);
  /* Whatever failed, the next client is served. */
  peer_free(w.peer);
  struct sockaddr_in address = server_address();
  struct peer_options options = w.options;
  options.address = 2;
  w.peer = peer_new(&w.net, &address, &options);
  NET_UNTIL(&w.net, 2000, w.peer->handshake_done);
  int64_t get = http_request(w.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w.net, 2000, http_status(w.peer, get) == 200);
  world_free(&w);
  return !pending;
}

static void test_memory_each_allocation_may_fail(void **state) {
  (void)state;
  size_t count = 0, well = 0;
  for (; count < 3000; count++) {
    bool good = false;
    if (!life_with_failure(count, &good)) break;
    well += good;
  }
  print_message("count: server, each of %zu allocations failed, %zu of the failures harmed nothing\n", count, well);
  assert_in_range(count, 50, 2999); /* all of them were tried */
  bool good = false;
  assert_false(life_with_failure(count + 1000, &good)); /* and without any failure all goes well */
  assert_true(good);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_stays_where_it_was_after_many_streams),
      cmocka_unit_test(test_memory_stays_where_it_was_after_many_sessions),
      cmocka_unit_test(test_memory_of_a_connection_is_given_back),
      cmocka_unit_test(test_memory_for_packets_is_given_back_by_an_idle_connection),
      cmocka_unit_test(test_memory_each_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
