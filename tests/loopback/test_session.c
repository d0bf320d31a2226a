/* SPDX-License-Identifier: MIT */
/*
 * The life of a session (draft-ietf-webtrans-http3-16, sections 4 and 6): streams of both kinds by both
 * sides, drain, and every way in which a session can end. That each handle gets one `on_close` and that no
 * memory stays is checked by the fixture at the end of each of these tests.
 */
#include "world.h"

#define FIVE_K 5120

static void test_session_bidi_of_client_is_echoed(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  uint8_t *data = pattern_new(FIVE_K, 7);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, FIVE_K, true);
  free(data);
  NET_UNTIL(&w.net, 1000, world_received(&w, id, 0, FIVE_K, 7));
  struct server_stream *stream = server_stream(w.session, 0);
  NET_UNTIL(&w.net, 1000, stream->closes == 1);
  assert_true(stream->closed_in_order);
  assert_true(stream->remote);
  assert_int_equal(stream->id, id);
  world_free(&w);
}

static void test_session_uni_of_client_is_echoed_on_a_new_one(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  uint8_t *data = pattern_new(2 * FIVE_K, 8);
  peer_wt_open(w.peer, true, w.id, data, 2 * FIVE_K, true);
  free(data);
  /* The three unidirectional streams before it are HTTP/3's own. */
  NET_UNTIL(&w.net, 1000, peer_server_stream(w.peer, true, 3) && peer_server_stream(w.peer, true, 3)->fin);
  struct peer_stream *back = peer_server_stream(w.peer, true, 3);
  size_t header = peer_wt_header_len(back, w.id);
  assert_true(header > 0);
  assert_true(world_received(&w, back->id, header, 2 * FIVE_K, 8));
  world_free(&w);
}

static void test_session_streams_of_server_reach_client(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  uint8_t *data = pattern_new(FIVE_K, 9);
  for (int uni = 0; uni < 2; uni++) {
    int error = 0;
    size_t written = 0;
    struct server_stream *stream = server_open(w.session, uni, &error);
    assert_non_null(stream);
    assert_false(stream->remote);
    assert_int_equal(wt_stream_write(stream->stream, data, FIVE_K, &written), 0);
    assert_int_equal(written, FIVE_K);
    assert_int_equal(wt_stream_end(stream->stream), 0);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id) && peer_stream(w.peer, stream->id)->fin);
    size_t header = peer_wt_header_len(peer_stream(w.peer, stream->id), w.id);
    assert_true(header > 0);
    assert_true(world_received(&w, stream->id, header, FIVE_K, 9));
    if (!uni) peer_send(w.peer, stream->id, "back", 4, true);
    NET_UNTIL(&w.net, 1000, stream->closes == 1);
    assert_true(stream->closed_in_order);
    if (!uni) assert_memory_equal(stream->rx.data, "back", 4);
  }
  free(data);
  world_free(&w);
}

static void test_session_empty_streams_reach_the_other_side(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  for (int uni = 0; uni < 2; uni++) {
    peer_wt_open(w.peer, uni, w.id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, server_stream(w.session, (size_t)uni) && server_stream(w.session, (size_t)uni)->fin);
    assert_int_equal(server_stream(w.session, (size_t)uni)->rx_total, 0);
  }
  for (int uni = 0; uni < 2; uni++) {
    int error = 0;
    struct server_stream *stream = server_open(w.session, uni, &error);
    assert_int_equal(wt_stream_end(stream->stream), 0);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id) && peer_stream(w.peer, stream->id)->fin);
    struct peer_stream *seen = peer_stream(w.peer, stream->id);
    assert_int_equal(peer_wt_header_len(seen, w.id), seen->rx_len);
  }
  world_free(&w);
}

static void test_session_opened_stream_is_seen_before_any_write(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int error = 0;
  struct server_stream *stream = server_open(w.session, false, &error);
  NET_UNTIL(&w.net, 1000, peer_wt_header_len(peer_stream(w.peer, stream->id), w.id) > 0);
  world_free(&w);
}

/* --- Close by the server --- */

static void test_session_close_by_server_carries_code_and_reason(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  int64_t uni = peer_wt_open(w.peer, true, w.id, "x", 1, false);
  int error = 0;
  NET_UNTIL(&w.net, 1000, w.session->streams == 2);
  struct server_stream *own = server_open(w.session, true, &error);
  NET_UNTIL(&w.net, 1000, peer_wt_header_len(peer_stream(w.peer, own->id), w.id) > 0);

  assert_int_equal(wt_session_close(w.session->session, 1337, "foobar", 6), 0);
  assert_int_equal(w.session->closes, 0); /* never from inside the call */
  wt_stream *stream = NULL;
  assert_int_equal(wt_session_open_bidi(w.session->session, &stream), WT_ERR_CLOSED);
  assert_int_equal(wt_session_send_datagram(w.session->session, "x", 1), WT_ERR_CLOSED);
  assert_int_equal(wt_session_close(w.session->session, 1, "again", 5), 0);

  struct peer_stream *connect = peer_stream(w.peer, w.id);
  NET_UNTIL(&w.net, 1000, connect->fin);
  struct capsules capsules;
  http_capsules(w.peer, w.id, &capsules);
  assert_true(capsules.closed);
  assert_int_equal(capsules.code, 1337);
  assert_string_equal(capsules.reason, "foobar");
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->info.by, WT_LOCAL);
  assert_int_equal(w.session->info.code, 1337);
  assert_string_equal(w.session->reason, "foobar");
  assert_true(w.session->info.clean);
  http_data(w.peer, w.id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, uni)->stopped && peer_stream(w.peer, bidi)->stopped);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, bidi)->reset && peer_stream(w.peer, own->id)->reset);
  assert_int_equal(peer_stream(w.peer, uni)->stop_code, WT__WT_SESSION_GONE);
  assert_int_equal(peer_stream(w.peer, bidi)->stop_code, WT__WT_SESSION_GONE);
  assert_int_equal(peer_stream(w.peer, bidi)->reset_code, WT__WT_SESSION_GONE);
  assert_int_equal(peer_stream(w.peer, own->id)->reset_code, WT__WT_SESSION_GONE);
  for (size_t i = 0; i < 3; i++) {
    struct server_stream *ended = server_stream(w.session, i);
    assert_int_equal(ended->closes, 1);
    assert_false(ended->closed_in_order);
    assert_true(ended->close_error.session_gone);
    assert_int_equal(ended->close_error.code, 1337);
    assert_int_equal(ended->close_error.by, WT_LOCAL);
  }
  world_free(&w);
}

static void test_session_capsule_and_fin_leave_before_any_stop_sending(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  assert_int_equal(wt_session_close(w.session->session, 5, "why", 3), 0);
  struct peer_stream *connect = peer_stream(w.peer, w.id), *stream = peer_stream(w.peer, bidi);
  /* The peer does not answer: whatever is sent now was sent unasked. */
  NET_UNTIL(&w.net, 1000, connect->fin);
  net_run_for(&w.net, 2000);
  assert_true(connect->fin_at > 0);
  if (connect->stopped) assert_true(connect->fin_at < connect->stop_at);
  assert_true(stream->stopped);
  assert_true(connect->fin_at < stream->stop_at);
  world_free(&w);
}

static void test_session_close_survives_loss_of_its_packet(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  net_run_for(&w.net, 200);
  w.net.link[NET_TO_CLIENT].loss = 1000;
  assert_int_equal(wt_session_close(w.session->session, 77, "gone", 4), 0);
  net_run_for(&w.net, 15);
  w.net.link[NET_TO_CLIENT].loss = 0;
  NET_UNTIL(&w.net, 5000, peer_stream(w.peer, w.id)->fin);
  struct capsules capsules;
  http_capsules(w.peer, w.id, &capsules);
  assert_int_equal(capsules.code, 77);
  assert_string_equal(capsules.reason, "gone");
  world_free(&w);
}

static void test_session_close_reason_is_cut_on_a_character(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  char reason[2001] = "a"; /* one byte, then pairs: 1,024 would cut a pair */
  for (size_t i = 1; i + 1 < 2000; i += 2) memcpy(reason + i, "\xc3\xa9", 2);
  assert_int_equal(wt_session_close(w.session->session, 1, "\xff", 1), WT_ERR_INVALID);
  assert_int_equal(wt_session_close(w.session->session, 2, reason, 1999), 0);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->fin);
  struct capsules capsules;
  http_capsules(w.peer, w.id, &capsules);
  assert_int_equal(capsules.code, 2);
  assert_int_equal(capsules.reason_len, 1023);
  assert_memory_equal(capsules.reason, reason, 1023);
  world_free(&w);
}

/* --- Close by the client --- */

static void test_session_close_by_client_is_told_to_the_application(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  struct bytes bytes = {0};
  capsule_close(&bytes, 4242, "enough \xe2\x82\xac");
  http_data(w.peer, w.id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->info.by, WT_PEER);
  assert_int_equal(w.session->info.code, 4242);
  assert_true(w.session->info.has_code);
  assert_string_equal(w.session->reason, "enough \xe2\x82\xac");
  assert_true(w.session->info.clean);
  struct server_stream *stream = server_stream(w.session, 0);
  assert_true(stream->close_error.session_gone);
  assert_int_equal(stream->close_error.by, WT_PEER);
  assert_int_equal(stream->close_error.code, 4242);
  assert_true(stream->close_error.has_code);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, bidi)->reset && peer_stream(w.peer, bidi)->stopped);
  assert_int_equal(peer_stream(w.peer, bidi)->reset_code, WT__WT_SESSION_GONE);
  /* The stream is closed in answer, and everything on it with it. */
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->closed);
  assert_true(peer_stream(w.peer, w.id)->fin);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_session_close_capsule_without_fin_ends_it(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct bytes bytes = {0};
  capsule_close(&bytes, 3, "no fin");
  http_data(w.peer, w.id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->info.code, 3);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->fin || peer_stream(w.peer, w.id)->reset);
  world_free(&w);
}

/* A close capsule with code 0 says a code, a FIN alone says none. */
static void test_session_close_with_code_zero_has_a_code(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct bytes bytes = {0};
  capsule_close(&bytes, 0, "");
  http_data(w.peer, w.id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->info.code, 0);
  assert_true(w.session->info.has_code && w.session->info.clean);
  world_free(&w);
}

static void test_session_bare_fin_is_code_zero(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  peer_wt_open(w.peer, false, w.id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  http_data(w.peer, w.id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_false(w.session->info.has_code);
  struct server_stream *stream = server_stream(w.session, 0);
  assert_true(stream->close_error.session_gone && !stream->close_error.has_code);
  assert_int_equal(w.session->info.by, WT_PEER);
  assert_int_equal(w.session->info.code, 0);
  assert_string_equal(w.session->reason, "");
  assert_true(w.session->info.clean);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->closed);
  world_free(&w);
}

static void test_session_reset_of_connect_ends_it(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  peer_reset(w.peer, w.id, WT__H3_REQUEST_CANCELLED);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->info.by, WT_PEER);
  assert_false(w.session->info.clean);
  assert_int_equal(w.session->info.wire_code, WT__H3_REQUEST_CANCELLED);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, bidi)->reset);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->fin || peer_stream(w.peer, w.id)->reset);
  world_free(&w);
}

static void test_session_stop_sending_of_connect_ends_it(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  peer_stop_sending(w.peer, w.id, WT__H3_REQUEST_CANCELLED);
  NET_UNTIL(&w.net, 2000, w.session->closes == 1);
  assert_int_equal(w.session->info.by, WT_PEER);
  assert_false(w.session->info.clean);
  assert_int_equal(w.session->info.wire_code, WT__H3_REQUEST_CANCELLED);
  world_free(&w);
}

/* Both may be sent together, and the capsule may be the one that is lost. */
static void test_session_close_capsule_behind_a_stop_sending_keeps_code_and_reason(void **state) {
  (void)state;
  struct world w;
  struct bytes bytes = {0};
  world_session(&w, "/wt");
  peer_stop_sending(w.peer, w.id, WT__WT_SESSION_GONE);
  net_run_for(&w.net, 500);
  assert_int_equal(w.session->closes, 0);
  capsule_close(&bytes, 1337, "foobar");
  http_data(w.peer, w.id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 400, w.session->closes == 1);
  assert_true(w.session->info.clean);
  assert_int_equal(w.session->info.by, WT_PEER);
  assert_int_equal(w.session->info.code, 1337);
  net_run_for(&w.net, 10000);
  assert_false(w.peer->ended && w.peer->close_code != WT__H3_NO_ERROR);
  world_free(&w);
}

/* STOP_SENDING and RESET_STREAM in one packet once freed a session twice in another implementation. */
static void test_session_stop_and_reset_together_end_it_once(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t bidi = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  ngtcp2_conn_shutdown_stream(w.peer->conn, 0, bidi, wt__error_to_wire(1));
  ngtcp2_conn_shutdown_stream(w.peer->conn, 0, w.id, WT__H3_REQUEST_CANCELLED);
  peer_flush(w.peer);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(server_stream(w.session, 0)->closes, 1);
  net_run_for(&w.net, 1000);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_session_connection_close_ends_everything(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  peer_wt_open(w.peer, false, w.id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, w.session->streams == 1);
  peer_close(w.peer, WT__H3_NO_ERROR);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_not_equal(w.session->info.by, WT_LOCAL);
  assert_false(w.session->info.clean);
  assert_int_equal(w.session->info.wire_code, WT__H3_NO_ERROR);
  assert_int_equal(server_stream(w.session, 0)->closes, 1);
  world_free(&w);
}

/* --- Capsules --- */

static void test_session_bad_close_reasons_are_message_errors(void **state) {
  (void)state;
  char long_reason[1026];
  memset(long_reason, 'r', 1025);
  long_reason[1025] = '\0';
  const char *reasons[] = {long_reason, "bad \xc3\x28", "surrogate \xed\xa0\x80", "cut \xe2\x82"};
  for (size_t i = 0; i < 4; i++) {
    struct world w;
    world_session(&w, "/wt");
    struct bytes bytes = {0};
    capsule_close(&bytes, 9, reasons[i]);
    http_data(w.peer, w.id, bytes.data, bytes.len, true);
    bytes_free(&bytes);
    NET_UNTIL(&w.net, 1000, w.session->closes == 1);
    assert_false(w.session->info.clean);
    assert_int_equal(w.session->info.wire_code, WT__H3_MESSAGE_ERROR);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->reset);
    assert_int_equal(peer_stream(w.peer, w.id)->reset_code, WT__H3_MESSAGE_ERROR);
    assert_false(w.peer->ended);
    world_free(&w);
  }
}

static void test_session_data_after_close_capsule_is_a_message_error(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct bytes bytes = {0};
  capsule_close(&bytes, 9, "last words");
  capsule(&bytes, 0x1f * 5 + 0x21, "more", 4);
  http_data(w.peer, w.id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->reset);
  assert_int_equal(peer_stream(w.peer, w.id)->reset_code, WT__H3_MESSAGE_ERROR);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_session_unknown_capsules_are_skipped(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  uint8_t *noise = pattern_new(70000, 3);
  struct bytes bytes = {0};
  capsule(&bytes, 0x1f * 77 + 0x21, NULL, 0);
  capsule(&bytes, 0xff37a2, "register", 8);
  capsule(&bytes, 0x1f * 99 + 0x21, noise, 70000);
  capsule(&bytes, WT__CAPSULE_DATAGRAM, "unused", 6);
  free(noise);
  http_data(w.peer, w.id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  net_run_for(&w.net, 500);
  assert_int_equal(w.session->closes, 0);
  int64_t id = peer_wt_open(w.peer, false, w.id, "still", 5, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  assert_memory_equal(peer_stream(w.peer, id)->rx, "still", 5);
  assert_int_equal(w.session->datagrams, 0);
  world_free(&w);
}

/* Chromium sends one right behind the CONNECT, before any answer. */
static void test_session_capsule_before_the_answer_is_kept(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  world_start(&w);
  NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
  int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
  struct bytes bytes = {0};
  capsule(&bytes, 0x1f * 77 + 0x21, "grease", 6);
  capsule(&bytes, WT__CAPSULE_DRAIN_SESSION, NULL, 0);
  http_data(w.peer, id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, http_status(w.peer, id) == 200);
  struct server_session *session = server_session(&w.server, 0);
  NET_UNTIL(&w.net, 1000, session->drains == 1);
  world_free(&w);
}

static void test_session_capsule_split_at_every_byte(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct bytes bytes = {0};
  capsule(&bytes, 0x1f * 99 + 0x21, "some", 4);
  capsule_close(&bytes, 0x01020304, "reason");
  for (size_t split = 1; split < bytes.len; split++) {
    http_data(w.peer, w.id, bytes.data, split, false);
    net_run_for(&w.net, 30);
    http_data(w.peer, w.id, bytes.data + split, bytes.len - split, true);
    NET_UNTIL(&w.net, 1000, w.session->closes == 1);
    assert_int_equal(w.session->info.code, 0x01020304);
    assert_string_equal(w.session->reason, "reason");
    assert_true(w.session->info.clean);
    w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  }
  /* And every byte in a frame and a packet of its own. */
  for (size_t i = 0; i < bytes.len; i++) {
    http_data(w.peer, w.id, bytes.data + i, 1, i + 1 == bytes.len);
    net_run_for(&w.net, 5);
  }
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->info.code, 0x01020304);
  bytes_free(&bytes);
  world_free(&w);
}

static void test_session_malformed_capsules_are_datagram_errors(void **state) {
  (void)state;
  static const struct {
    uint64_t type;
    const char *value;
    size_t len;
    bool cut; /* the stream ends inside of it */
  } cases[] = {
      {WT__CAPSULE_CLOSE_SESSION, "abc", 3, false},        /* no room for the code */
      {WT__CAPSULE_DRAIN_SESSION, "x", 1, false},          /* must be empty */
      {WT__CAPSULE_MAX_DATA, "", 0, false},                /* no value */
      {WT__CAPSULE_MAX_STREAMS_BIDI, "\x40", 1, false},    /* half a varint */
      {WT__CAPSULE_MAX_STREAMS_UNI, "\x01\x01", 2, false}, /* more than a varint */
      {WT__CAPSULE_CLOSE_SESSION, "abcdefgh", 8, true},
      {0x1f * 99 + 0x21, "unknown", 7, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world w;
    world_session(&w, "/wt");
    struct bytes bytes = {0};
    capsule(&bytes, cases[i].type, cases[i].value, cases[i].len);
    http_data(w.peer, w.id, bytes.data, bytes.len - (cases[i].cut ? 2 : 0), cases[i].cut);
    bytes_free(&bytes);
    NET_UNTIL(&w.net, 1000, w.session->closes == 1);
    assert_false(w.session->info.clean);
    assert_int_equal(w.session->info.wire_code, WT__H3_DATAGRAM_ERROR);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->reset);
    assert_int_equal(peer_stream(w.peer, w.id)->reset_code, WT__H3_DATAGRAM_ERROR);
    assert_false(w.peer->ended);
    world_free(&w);
  }
}

/* --- Drain --- */

static void test_session_drain_by_client_reaches_the_application_once(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  struct bytes bytes = {0};
  capsule(&bytes, WT__CAPSULE_DRAIN_SESSION, NULL, 0);
  http_data(w.peer, w.id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  net_run_for(&w.net, 100);
  assert_int_equal(w.session->drains, 1);
  int64_t id = peer_wt_open(w.peer, false, w.id, "on", 2, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  assert_int_equal(w.session->closes, 0);
  http_data(w.peer, w.id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  assert_int_equal(w.session->drains, 1); /* also after everything that made the session run again */
  world_free(&w);
}

static void test_session_drain_by_server_is_sent_once(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  wt_session_drain(w.session->session);
  net_run_for(&w.net, 100);
  size_t before = peer_stream(w.peer, w.id)->rx_len;
  wt_session_drain(w.session->session);
  net_run_for(&w.net, 100);
  struct capsules capsules;
  http_capsules(w.peer, w.id, &capsules);
  assert_true(capsules.drained);
  assert_int_equal(peer_stream(w.peer, w.id)->rx_len, before);
  int64_t id = peer_wt_open(w.peer, false, w.id, "on", 2, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

static void test_session_goaway_of_client_is_a_drain(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  static const uint8_t goaway[] = {0x07, 0x01, 0x00};
  peer_send(w.peer, w.peer->control, goaway, sizeof(goaway), false);
  NET_UNTIL(&w.net, 1000, w.session->drains == 1);
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

static void test_session_shutdown_drains_and_refuses_new_ones(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  wt__endpoint_shutdown(w.server.endpoint, w.net.now);
  NET_UNTIL(&w.net, 1000, w.session->drains == 1);
  assert_false(wt__endpoint_is_idle(w.server.endpoint));
  net_run_for(&w.net, 100);
  struct capsules capsules;
  http_capsules(w.peer, w.id, &capsules);
  assert_true(capsules.drained);
  int64_t refused = http_request(w.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, refused)->reset || peer_stream(w.peer, refused)->stopped);
  uint64_t code = peer_stream(w.peer, refused)->reset ? peer_stream(w.peer, refused)->reset_code
                                                      : peer_stream(w.peer, refused)->stop_code;
  assert_int_equal(code, WT__H3_REQUEST_REJECTED);
  /* What goes on, goes on. */
  int64_t id = peer_wt_open(w.peer, false, w.id, "on", 2, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  http_data(w.peer, w.id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, w.session->closes == 1);
  NET_UNTIL(&w.net, 1000, wt__endpoint_is_idle(w.server.endpoint));
  wt__endpoint_close(w.server.endpoint, w.net.now);
  NET_UNTIL(&w.net, 1000, w.peer->ended);
  assert_true(w.peer->close_is_app);
  assert_int_equal(w.peer->close_code, WT__H3_NO_ERROR);
  world_free(&w);
}

/* --- Pooling --- */

static void test_session_three_and_a_get_on_one_connection(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  world_start(&w);
  int64_t ids[3];
  struct server_session *sessions[3];
  for (size_t i = 0; i < 3; i++) sessions[i] = server_connect(&w.server, w.peer, "/echo", &ids[i]);
  int64_t get = http_request(w.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, get)->fin);
  assert_int_equal(http_status(w.peer, get), 200);
  http_data(w.peer, ids[1], NULL, 0, true);
  NET_UNTIL(&w.net, 1000, sessions[1]->closes == 1);
  for (size_t i = 0; i < 3; i += 2) {
    int64_t id = peer_wt_open(w.peer, false, ids[i], "alive", 5, true);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
    assert_int_equal(sessions[i]->closes, 0);
  }
  assert_int_equal(w.server.counters.sessions_open, 2);
  assert_int_equal(w.server.counters.sessions_total, 3);
  world_free(&w);
}

/* --- Ending it from inside each callback --- */

static void hook_close(struct server *server, enum server_event event, struct server_session *session,
                       struct server_stream *stream) {
  (void)stream;
  if (event != *(enum server_event *)server->hook_ctx) return;
  /* Also on a session that is ending: does nothing then. */
  assert_int_equal(wt_session_close(session->session, 99, "inside", 6), 0);
}

/* Something of everything, so that each callback comes at least once. */
static void act_everything(struct world *w) {
  int error = 0;
  struct server_stream *own = w->session->session ? server_open(w->session, false, &error) : NULL;
  if (own) {
    uint8_t *much = pattern_new(1 << 20, 1);
    size_t written;
    (void)wt_stream_write(own->stream, much, 1 << 20, &written);
    free(much);
  }
  peer_wt_open(w->peer, false, w->id, "abc", 3, true);
  int64_t reset = peer_wt_open(w->peer, false, w->id, "abc", 3, false);
  peer_wt_open(w->peer, true, w->id, "abc", 3, true); /* closes as soon as it was read */
  peer_wt_datagram(w->peer, w->id, "d", 1);
  struct bytes bytes = {0};
  capsule(&bytes, WT__CAPSULE_DRAIN_SESSION, NULL, 0);
  http_data(w->peer, w->id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  net_run_for(&w->net, 100);
  peer_reset(w->peer, reset, wt__error_to_wire(3));
  if (own && peer_stream(w->peer, own->id)) peer_stop_sending(w->peer, own->id, wt__error_to_wire(4));
  net_run_for(&w->net, 500);
}

static void test_session_close_inside_every_callback(void **state) {
  (void)state;
  static const enum server_event events[] = {SERVER_UPGRADED,     SERVER_STREAM,       SERVER_DATAGRAM, SERVER_DRAIN,
                                             SERVER_DATA,         SERVER_WRITABLE,     SERVER_RESET,    SERVER_STOP,
                                             SERVER_STREAM_CLOSE, SERVER_SESSION_CLOSE};
  for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
    enum server_event event = events[i];
    struct world w;
    world_init(&w, 1);
    w.server.hook = hook_close;
    w.server.hook_ctx = &event;
    world_start(&w);
    NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
    w.id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
    NET_UNTIL(&w.net, 1000, server_session(&w.server, 0));
    w.session = server_session(&w.server, 0);
    NET_UNTIL(&w.net, 1000, http_status(w.peer, w.id) == 200);
    act_everything(&w);
    if (event == SERVER_SESSION_CLOSE) http_data(w.peer, w.id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, w.session->closes == 1);
    if (event != SERVER_SESSION_CLOSE) {
      assert_int_equal(w.session->info.by, WT_LOCAL);
      assert_int_equal(w.session->info.code, 99);
      NET_UNTIL(&w.net, 1000, peer_stream(w.peer, w.id)->fin);
      struct capsules capsules;
      http_capsules(w.peer, w.id, &capsules);
      assert_string_equal(capsules.reason, "inside");
    }
    assert_false(w.peer->ended);
    world_free(&w);
  }
}

static void test_session_stats_count(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  int64_t id = peer_wt_open(w.peer, false, w.id, "12345", 5, true);
  peer_wt_datagram(w.peer, w.id, "d", 1);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin && w.peer->rx_datagram_count == 1);
  NET_UNTIL(&w.net, 1000, server_stream(w.session, 0)->closes == 1);
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(w.session->session, &stats), 0);
  assert_int_equal(stats.bytes_received, 5);
  assert_int_equal(stats.bytes_sent, 5);
  assert_int_equal(stats.streams_accepted, 1);
  assert_int_equal(stats.streams_opened, 0);
  assert_int_equal(stats.streams_open, 0);
  assert_int_equal(stats.datagrams_received, 1);
  assert_int_equal(stats.datagrams_sent, 1);
  assert_in_range(stats.min_rtt_us, 19000, 50000); /* 10 ms each way */
  stats.size = 1;
  assert_int_equal(wt_session_get_stats(w.session->session, &stats), WT_ERR_INVALID);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_session_bidi_of_client_is_echoed),
      cmocka_unit_test(test_session_uni_of_client_is_echoed_on_a_new_one),
      cmocka_unit_test(test_session_streams_of_server_reach_client),
      cmocka_unit_test(test_session_empty_streams_reach_the_other_side),
      cmocka_unit_test(test_session_opened_stream_is_seen_before_any_write),
      cmocka_unit_test(test_session_close_by_server_carries_code_and_reason),
      cmocka_unit_test(test_session_capsule_and_fin_leave_before_any_stop_sending),
      cmocka_unit_test(test_session_close_survives_loss_of_its_packet),
      cmocka_unit_test(test_session_close_reason_is_cut_on_a_character),
      cmocka_unit_test(test_session_close_by_client_is_told_to_the_application),
      cmocka_unit_test(test_session_close_capsule_without_fin_ends_it),
      cmocka_unit_test(test_session_close_with_code_zero_has_a_code),
      cmocka_unit_test(test_session_bare_fin_is_code_zero),
      cmocka_unit_test(test_session_reset_of_connect_ends_it),
      cmocka_unit_test(test_session_stop_sending_of_connect_ends_it),
      cmocka_unit_test(test_session_close_capsule_behind_a_stop_sending_keeps_code_and_reason),
      cmocka_unit_test(test_session_stop_and_reset_together_end_it_once),
      cmocka_unit_test(test_session_connection_close_ends_everything),
      cmocka_unit_test(test_session_bad_close_reasons_are_message_errors),
      cmocka_unit_test(test_session_data_after_close_capsule_is_a_message_error),
      cmocka_unit_test(test_session_unknown_capsules_are_skipped),
      cmocka_unit_test(test_session_capsule_before_the_answer_is_kept),
      cmocka_unit_test(test_session_capsule_split_at_every_byte),
      cmocka_unit_test(test_session_malformed_capsules_are_datagram_errors),
      cmocka_unit_test(test_session_drain_by_client_reaches_the_application_once),
      cmocka_unit_test(test_session_drain_by_server_is_sent_once),
      cmocka_unit_test(test_session_goaway_of_client_is_a_drain),
      cmocka_unit_test(test_session_shutdown_drains_and_refuses_new_ones),
      cmocka_unit_test(test_session_three_and_a_get_on_one_connection),
      cmocka_unit_test(test_session_close_inside_every_callback),
      cmocka_unit_test(test_session_stats_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
