/* SPDX-License-Identifier: MIT */
/*
 * Faults that were published of other WebTransport stacks, played to ours: as a server to a scripted client, and as a
 * client to a server that has gone wrong. All four are of webtransport-go:
 *
 *   CVE-2026-21434        a close capsule's reason of any length was read and kept
 *   CVE-2026-21435        without credit for the CONNECT stream a close never ended
 *   CVE-2026-21438        streams that were closed stayed in the session's table
 *   GHSA-g35j-m5xg-vh3q   a capsule of an unknown type was kept whole, before it was skipped
 */
#include "base/mem.h"
#include "core/session.h"
#include "h3/conn_state.h"
#include "h3/stalls.h"
#include "pair.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "wire/varint.h"

#define SECOND 1000
#define ENORMOUS ((UINT64_C(1) << 62) - 1) /* the longest that a capsule can announce */
#define SLACK 20000                        /* bytes that a connection needs for anything at all */
#define UNKNOWN_CAPSULE (0x1f * 99 + 0x21)

/* The head of a capsule whose value is to follow. */
static size_t capsule_head(uint8_t head[static 16], uint64_t type, uint64_t len) {
  size_t n = wt__varint_write(head, type);
  return n + wt__varint_write(head + n, len);
}

static size_t memory_used(const struct world *w) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w->server.endpoint, &stats);
  return (size_t)stats.memory_used;
}

/* --- What the server of `pair` does wrong: bytes of its own on the CONNECT stream of a session. --- */

struct wrong {
  struct pair p;
  struct server_session *ours;   /* the client's */
  struct server_session *theirs; /* the server's */
};

static void wrong_init(struct wrong *w) {
  pair_ready(&w->p);
  w->ours = client_session(&w->p.client, w->p.link, "/echo");
  w->theirs = session_opposite(&w->p.server, w->ours);
  assert_non_null(w->theirs);
}

static void wrong_send(struct wrong *w, const void *data, size_t len) {
  if (!w->theirs->session) return; /* the client has ended it */
  wt__session_send_capsule(w->theirs->session, data, len);
  net_run_for(&w->p.net, 100); /* until it has room for the next one */
}

static void check_client_usable(struct wrong *w) {
  assert_non_null(client_session(&w->p.client, w->p.link, "/echo"));
  assert_int_equal(w->p.link->ends, 0);
}

/* --- CVE-2026-21434 --- */

/* What ends the session is the length that is announced: one byte of the reason, or a megabyte, makes no difference. */
static void test_cve_2026_21434_close_reason_of_enormous_length_is_not_kept(void **state) {
  (void)state;
  static const uint64_t lengths[] = {4 + 1025, 65536, UINT64_C(1) << 30, ENORMOUS};
  uint8_t *reason = pattern_new(1 << 20, 7), head[16];
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    struct world w;
    world_session(&w, "/wt");
    size_t before = memory_used(&w);
    http_data(w.peer, w.id, head, capsule_head(head, WT__CAPSULE_CLOSE_SESSION, lengths[i]), false);
    NET_UNTIL(&w.net, SECOND, w.session->closes == 1);
    assert_false(w.session->info.clean);
    assert_int_equal(w.session->info.wire_code, WT__H3_MESSAGE_ERROR);
    http_data(w.peer, w.id, reason, 1 << 20, false);
    net_run_for(&w.net, SECOND);
    assert_in_range(memory_used(&w), 0, before + SLACK);
    assert_true(peer_stream(w.peer, w.id)->reset);
    assert_int_equal(peer_stream(w.peer, w.id)->reset_code, WT__H3_MESSAGE_ERROR);
    assert_false(w.peer->ended);
    world_free(&w);
  }
  free(reason);
}

/* A reason that has the length it may have, and its bytes before the end come in one piece with others. */
static void test_cve_2026_21434_close_reason_of_the_longest_length_is_told(void **state) {
  (void)state;
  struct world w;
  char reason[1025];
  struct bytes bytes = {0};
  memset(reason, 'r', 1024);
  reason[1024] = '\0';
  world_session(&w, "/wt");
  capsule_close(&bytes, 9, reason);
  http_data(w.peer, w.id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, SECOND, w.session->closes == 1);
  assert_true(w.session->info.clean);
  assert_string_equal(w.session->reason, reason);
  world_free(&w);
}

static void test_cve_2026_21434_client_keeps_no_enormous_close_reason(void **state) {
  (void)state;
  static const uint64_t lengths[] = {4 + 1025, ENORMOUS};
  uint8_t head[16], zeros[1000] = {0};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    struct wrong w;
    wrong_init(&w);
    wrong_send(&w, head, capsule_head(head, WT__CAPSULE_CLOSE_SESSION, lengths[i]));
    NET_UNTIL(&w.p.net, SECOND, w.ours->closes == 1);
    assert_false(w.ours->info.clean);
    assert_int_equal(w.ours->info.wire_code, WT__H3_MESSAGE_ERROR);
    wrong_send(&w, zeros, sizeof(zeros));
    check_client_usable(&w);
    pair_free(&w.p);
  }
}

/* --- CVE-2026-21435 --- */

/* The application hears of the end at once, whatever the client allows. The session is gone after a while, its stream is
 * reset, which needs no credit, and others are served. */
static void test_cve_2026_21435_close_ends_without_credit_for_the_connect_stream(void **state) {
  (void)state;
  static const uint64_t windows[] = {0, 40, 200};
  char reason[1024];
  memset(reason, 'r', sizeof(reason));
  for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
    struct world w;
    world_init(&w, 1);
    w.options.hold = true;
    w.options.max_stream_data = windows[i];
    world_start(&w);
    NET_UNTIL(&w.net, SECOND, w.peer->control >= 0);
    w.id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
    NET_UNTIL(&w.net, SECOND, w.server.last_session); /* its answer may not have come through */
    w.session = w.server.last_session;
    (void)http_connect(w.peer, "webtransport", "/wt", NULL, NULL); /* another, which keeps the connection in use */
    NET_UNTIL(&w.net, SECOND, w.server.last_session != w.session);
    peer_wt_open(w.peer, true, w.id, "left open", 9, false);
    NET_UNTIL(&w.net, SECOND, w.session->streams == 1);
    assert_int_equal(wt_session_close(w.session->session, 7, reason, sizeof(reason)), 0);
    net_run_for(&w.net, 1);
    assert_int_equal(w.session->closes, 1);
    assert_int_equal(server_stream(w.session, 0)->closes, 1);
    assert_int_equal(w.server.counters.sessions_open, 1);
    for (int s = 0; s < 45 && !peer_stream(w.peer, w.id)->reset; s++) {
      peer_ping(w.peer);
      net_run_for(&w.net, SECOND);
    }
    assert_true(peer_stream(w.peer, w.id)->reset);
    assert_int_equal(peer_stream(w.peer, w.id)->reset_code, WT__WT_SESSION_GONE);
    assert_false(w.peer->ended);
    world_free(&w);
  }
}

/* The server reads what comes on the CONNECT stream and does not let more of it come. */
static struct wt_transport miser;
static void miser_consume(void *ctx, int64_t id, uint64_t len) { (void)ctx, (void)id, (void)len; }

static bool has_one_session(const struct wrong *w) {
  const struct wt__mux *mux = &w->p.link->h3->mux;
  return wt__list_empty(&mux->ended_sessions) && wt__list_empty(&mux->stuck_sessions) && mux->sessions_open == 1;
}

static void test_cve_2026_21435_client_close_ends_without_credit_for_the_connect_stream(void **state) {
  (void)state;
  struct wrong w;
  char reason[1024];
  memset(reason, 'r', sizeof(reason));
  pair_init(&w.p);
  w.p.server.config.initial_max_stream_data = w.p.server.config.max_stream_data = 500;
  pair_connect(&w.p);
  NET_UNTIL(&w.p.net, 5 * SECOND, w.p.link->ready);
  struct wt__conn *conn = WT__CONTAINER_OF(wt__list_first(&w.p.server.endpoint->conns), struct wt__conn, link);
  miser = *conn->h3->transport;
  miser.consume = miser_consume;
  conn->h3->transport = &miser;
  w.ours = client_session(&w.p.client, w.p.link, "/echo");
  w.theirs = session_opposite(&w.p.server, w.ours);
  assert_non_null(client_session(&w.p.client, w.p.link, "/echo")); /* keeps the connection in use */
  assert_int_equal(wt_session_close(w.ours->session, 7, reason, sizeof(reason)), 0);
  net_run_for(&w.p.net, 1);
  assert_int_equal(w.ours->closes, 1);
  net_run_for(&w.p.net, 2 * SECOND);
  assert_int_equal(w.theirs->closes, 0); /* the capsule has not come through */
  NET_UNTIL(&w.p.net, 45 * SECOND, has_one_session(&w));
  NET_UNTIL(&w.p.net, 5 * SECOND, w.theirs->closes == 1);
  pair_free(&w.p);
}

/* --- CVE-2026-21438 --- */

static void streams_come_and_go(struct wrong *w, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    int error = 0;
    struct server_stream *stream = server_open(w->theirs, i % 2 == 0, &error);
    for (int tries = 0; !stream && tries < 1000; tries++) {
      net_run_for(&w->p.net, 1);
      stream = server_open(w->theirs, i % 2 == 0, &error);
    }
    assert_non_null(stream);
    size_t written;
    assert_int_equal(wt_stream_write(stream->stream, "some bytes", 10, &written), 0);
    if (i % 5 == 4) {
      net_run_for(&w->p.net, 25);
      if (stream->stream) wt_stream_reset(stream->stream, i);
    } else {
      assert_int_equal(wt_stream_end(stream->stream), 0);
    }
    if (i % 10 == 0) net_run_for(&w->p.net, 25);
  }
  NET_UNTIL(&w->p.net, 60 * SECOND, w->p.client.records.streams == NULL && w->p.server.streams == NULL);
  net_run_for(&w->p.net, SECOND);
}

/* A server opens and ends streams for ever; test_memory.c has it the other way round. */
static void test_cve_2026_21438_client_forgets_streams_that_are_closed(void **state) {
  (void)state;
  struct wrong w;
  pair_init(&w.p);
  w.p.server.forget = w.p.client.records.forget = true;
  w.p.server.frugal = w.p.client.records.frugal = true;
  pair_connect(&w.p);
  NET_UNTIL(&w.p.net, 5 * SECOND, w.p.link->ready);
  w.ours = client_session(&w.p.client, w.p.link, "/wt");
  w.ours->echo = true;
  w.theirs = session_opposite(&w.p.server, w.ours);
  streams_come_and_go(&w, 200); /* tables have their size then */
  int64_t live = wt__mem_live();
  streams_come_and_go(&w, 1000);
  assert_true(wt__list_empty(&w.ours->session->streams));
  assert_in_range(wt__mem_live(), 0, live + 64);
  pair_free(&w.p);
}

/* --- GHSA-g35j-m5xg-vh3q --- */

static void test_ghsa_g35j_unknown_capsule_of_enormous_length_is_not_kept(void **state) {
  (void)state;
  static const uint64_t types[] = {UNKNOWN_CAPSULE, WT__CAPSULE_DATAGRAM, ENORMOUS};
  uint8_t *noise = pattern_new(1 << 20, 7), head[16];
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    struct world w;
    world_session(&w, "/echo");
    size_t before = memory_used(&w);
    http_data(w.peer, w.id, head, capsule_head(head, types[i], ENORMOUS), false);
    for (int megabytes = 0; megabytes < 4; megabytes++) {
      http_data(w.peer, w.id, noise, 1 << 20, false);
      net_run_for(&w.net, SECOND);
      assert_in_range(memory_used(&w), 0, before + SLACK);
    }
    assert_int_equal(peer_stream(w.peer, w.id)->tx_acked,
                     peer_stream(w.peer, w.id)->tx_len); /* nothing was left waiting */
    assert_int_equal(w.session->closes, 0);
    int64_t id = peer_wt_open(w.peer, false, w.id, "still", 5, true);
    NET_UNTIL(&w.net, SECOND, peer_stream(w.peer, id)->fin);
    http_data(w.peer, w.id, NULL, 0, true); /* in the middle of a capsule */
    NET_UNTIL(&w.net, SECOND, w.session->closes == 1);
    assert_false(w.session->info.clean);
    world_free(&w);
  }
  free(noise);
}

/* The same before the application has accepted: it waits, and no more than the stream's window. */
static void test_ghsa_g35j_unknown_capsule_before_the_answer_has_the_window_as_its_bound(void **state) {
  (void)state;
  struct world w;
  uint8_t *noise = pattern_new(1 << 20, 7), head[16];
  world_init(&w, 1);
  w.server.config.initial_max_stream_data = w.server.config.max_stream_data = w.server.config.h3.max_stream_data =
      65536;
  world_start(&w);
  NET_UNTIL(&w.net, SECOND, w.peer->control >= 0);
  w.id = http_connect(w.peer, "webtransport", "/later", NULL, NULL);
  NET_UNTIL(&w.net, SECOND, server_request(&w.server, 0));
  size_t before = memory_used(&w);
  http_data(w.peer, w.id, head, capsule_head(head, UNKNOWN_CAPSULE, ENORMOUS), false);
  http_data(w.peer, w.id, noise, 1 << 20, false);
  net_run_for(&w.net, 5 * SECOND);
  assert_in_range(memory_used(&w), before, before + 3 * 65536);
  assert_int_equal(server_upgrade(server_request(&w.server, 0)), 0);
  net_run_for(&w.net, 5 * SECOND);
  assert_in_range(memory_used(&w), 0, before + SLACK);
  assert_int_equal(peer_stream(w.peer, w.id)->tx_acked, peer_stream(w.peer, w.id)->tx_len);
  free(noise);
  world_free(&w);
}

static void test_ghsa_g35j_client_keeps_no_unknown_capsule(void **state) {
  (void)state;
  struct wrong w;
  uint8_t head[16], *noise = pattern_new(16384, 7);
  wrong_init(&w);
  wrong_send(&w, head, capsule_head(head, UNKNOWN_CAPSULE, ENORMOUS));
  int64_t live = wt__mem_live();
  for (int i = 0; i < 100; i++) wrong_send(&w, noise, 16384);
  net_run_for(&w.p.net, SECOND);
  assert_null(w.ours->session->reader.value);
  assert_in_range(wt__mem_live(), 0, live + 64);
  assert_int_equal(w.ours->closes, 0);
  check_client_usable(&w);
  free(noise);
  pair_free(&w.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cve_2026_21434_close_reason_of_enormous_length_is_not_kept),
      cmocka_unit_test(test_cve_2026_21434_close_reason_of_the_longest_length_is_told),
      cmocka_unit_test(test_cve_2026_21434_client_keeps_no_enormous_close_reason),
      cmocka_unit_test(test_cve_2026_21435_close_ends_without_credit_for_the_connect_stream),
      cmocka_unit_test(test_cve_2026_21435_client_close_ends_without_credit_for_the_connect_stream),
      cmocka_unit_test(test_cve_2026_21438_client_forgets_streams_that_are_closed),
      cmocka_unit_test(test_ghsa_g35j_unknown_capsule_of_enormous_length_is_not_kept),
      cmocka_unit_test(test_ghsa_g35j_unknown_capsule_before_the_answer_has_the_window_as_its_bound),
      cmocka_unit_test(test_ghsa_g35j_client_keeps_no_unknown_capsule),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
