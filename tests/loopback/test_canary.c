/* SPDX-License-Identifier: MIT */

/*
 * What becomes of sessions with an ngtcp2 on which a feature cannot stand (src/quic/canary.c): the feature is off, and
 * everything else goes on. The ngtcp2 here has the habits; the canary is told that it has not.
 */

#include "pair.h"
#include "quic/canary.h"
#include "quic/cid_maker.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "world.h"

#define CODE(n) wt__error_to_wire((uint32_t)(n))
#define STREAMS 200

static const struct wt__canary none;

/* The client announces RESET_STREAM_AT. */
static void world_without(struct world *w) {
  wt__canary_pretend(&none);
  world_init(w, 1);
  w->options.reset_at = PEER_RESET_AT | PEER_RESET_AT_DRAFT;
  world_start(w);
  w->session = server_connect(&w->server, w->peer, "/echo", &w->id);
}

static void world_end(struct world *w) {
  world_free(w);
  wt__canary_pretend(NULL);
}

static void check_echo(struct world *w, uint64_t seed) {
  uint8_t *data = pattern_new(20000, seed);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, 20000, true);
  NET_UNTIL(&w->net, 20000, peer_stream(w->peer, id)->fin);
  assert_true(world_received(w, id, 0, 20000, seed));
  free(data);
}

static void test_canary_resets_of_ours_are_plain(void **state) {
  (void)state;
  struct world w;
  world_without(&w);
  for (uint32_t i = 0; i < STREAMS; i++) {
    int error = 0;
    size_t written;
    struct server_stream *stream = server_open(w.session, true, &error);
    if (!stream) {
      net_run_for(&w.net, 100);
      stream = server_open(w.session, true, &error);
    }
    assert_non_null(stream);
    assert_int_equal(wt_stream_write(stream->stream, "abc", 3, &written), 0);
    assert_int_equal(wt_stream_reset(stream->stream, i), 0);
  }
  net_run_for(&w.net, 1000);
  assert_int_equal(w.peer->reset_at_frames, 0);
  for (const struct server_stream *stream = w.server.streams; stream; stream = stream->next) {
    const struct peer_stream *there = peer_stream(w.peer, stream->id);
    assert_true(there->reset && there->reset_code == CODE(stream->close_error.code));
    assert_int_equal(stream->closes, 1);
    assert_true(peer_wt_header_len(there, w.id) > 0);
  }
  check_echo(&w, 1);
  world_end(&w);
}

/* It is not announced, so the client resets plainly; such resets reach the session, and ngtcp2 alone deals with them. */
static void test_canary_resets_of_the_peer_arrive(void **state) {
  (void)state;
  struct world w;
  world_without(&w);
  assert_int_equal(w.peer->server_reset_at, 0);
  int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0) && server_stream(w.session, 0)->rx.len == 3);
  peer_reset(w.peer, id, CODE(7));
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0)->resets == 1);
  assert_int_equal(server_stream(w.session, 0)->reset_error.code, 7);
  check_echo(&w, 2);
  world_end(&w);
}

/* Our client asks servers for RESET_STREAM_AT. It does not while it could not send the frame itself. */
static void test_canary_our_client_still_has_sessions(void **state) {
  (void)state;
  struct pair p;
  wt__canary_pretend(&none);
  pair_init(&p);
  p.client.config.h3.require_reset_at = true;
  pair_connect(&p);
  struct client_dial *dial = client_dial(p.link, "/wt", NULL, NULL);
  NET_UNTIL(&p.net, 5000, dial->replies);
  assert_int_equal(dial->error, 0);
  assert_int_equal(dial->status, 200);
  pair_free(&p);
  wt__canary_pretend(NULL);
}

static struct wt__conn *conn_of(const struct server *server) {
  return WT__CONTAINER_OF(wt__list_first(&server->endpoint->conns), struct wt__conn, link);
}

static void scheme_of(struct wt__cid_scheme *scheme, const char *server_id) {
  struct wt_connection_ids ids;
  char why[WT__CID_WHY_MAX] = "";
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_QUIC_LB);
  ids.config_id = server_id[0] == 'a' ? 0 : 1;
  ids.server_id = (const uint8_t *)server_id;
  ids.server_id_len = 4;
  assert_int_equal(wt__cid_scheme_read(scheme, &ids, 1, why, sizeof(why)), 0);
}

/* Running connections keep their ids; that holds for any number of changes. */
static void test_canary_connections_keep_their_ids(void **state) {
  (void)state;
  struct world w;
  struct wt__cid_shared ids;
  struct wt__cid_scheme scheme;
  char why[WT__CID_WHY_MAX] = "";
  bool changed;
  wt__canary_pretend(&none);
  scheme_of(&scheme, "aaaa");
  world_init(&w, 1);
  assert_int_equal(wt__cid_shared_init(&ids, &scheme), 0);
  w.server.config.ids = &ids;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  for (uint64_t i = 0; i < 3; i++) {
    uint64_t next = conn_of(&w.server)->cid_issue.next;
    scheme_of(&scheme, i % 2 ? "aaaa" : "bbbb");
    assert_int_equal(wt__cid_shared_set(&ids, &scheme, &changed, why, sizeof(why)), 0);
    w.server.node.run(w.server.node.ctx, w.net.now);
    check_echo(&w, i);
    net_run_for(&w.net, 1000);
    assert_int_equal(conn_of(&w.server)->cid_issue.next, next);
    assert_int_equal(conn_of(&w.server)->cid_issue.retire_prior_to, 0);
  }
  world_end(&w);
  wt__cid_shared_free(&ids);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_canary_resets_of_ours_are_plain),
      cmocka_unit_test(test_canary_resets_of_the_peer_arrive),
      cmocka_unit_test(test_canary_our_client_still_has_sessions),
      cmocka_unit_test(test_canary_connections_keep_their_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
