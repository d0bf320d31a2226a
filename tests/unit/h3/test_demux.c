/* SPDX-License-Identifier: MIT */

/* src/h3/demux.c, settings.c and send.c: whose stream is it, and the SETTINGS both ways. */

#include "h3_fixture.h"

static int handled;

static void count_handler(wt_request *request, void *user_data) {
  (void)user_data;
  handled++;
  assert_int_equal(wt_request_respond(request, 200, NULL, 0, "ok", 2), 0);
}

static struct h3_fixture *started(void) {
  struct h3_fixture *f = h3_new();
  assert_int_equal(wt__routes_set(&f->routes, "/", count_handler, NULL, NULL), 0);
  handled = 0;
  h3_start(f);
  return f;
}

/* --- Our SETTINGS --- */

/* Reads those that were sent on our control stream, stream 3, as a peer of ours would. */
static void own_settings_read(const struct h3_fixture *f, struct wt__settings *settings) {
  const struct h3_stream_log *s = &f->streams[3];
  enum wt__control_event event = WT__CONTROL_KEPT;
  struct wt__control_reader reader;
  wt__control_reader_init(&reader, 1, false);
  for (size_t at = 0, used; event != WT__CONTROL_SETTINGS; at += used) {
    struct wt__control_piece piece;
    assert_true(at < s->sent_len);
    event = wt__control_read(&reader, s->sent + at, s->sent_len - at, &used, &piece);
    if (event == WT__CONTROL_SETTINGS)
      assert_int_equal(wt__settings_read(piece.payload, piece.payload_len, settings), 0);
  }
  wt__control_reader_free(&reader);
}

static void test_demux_sends_own_settings(void **state) {
  struct h3_fixture *f = started();
  struct wt__settings read = {0};
  (void)state;
  h3_flush(f);
  assert_int_equal(f->streams[3].sent[0], 0x00);
  own_settings_read(f, &read);
  assert_int_equal(read.qpack_max_table_capacity, 4096);
  assert_int_equal(read.qpack_blocked_streams, 100);
  assert_int_equal(read.max_field_section_size, 16 * 1024);
  assert_int_equal(read.enable_connect_protocol, 1);
  assert_int_equal(read.h3_datagram, 1);
  assert_int_equal(read.wt_draft02, 1);
  assert_int_equal(read.wt_draft07, 1);
  assert_int_equal(read.wt_draft13, 1);
  assert_int_equal(read.wt_draft15, 1);
  assert_int_equal(read.wt_initial_max_data, 0);
  /* The QPACK streams begin with their types. */
  assert_int_equal(f->streams[7].sent[0], 0x02);
  assert_int_equal(f->streams[11].sent[0], 0x03);
  /* Nothing is sent twice, whatever is acknowledged. */
  for (size_t n = 1; n <= f->streams[3].sent_len; n++) wt__h3_conn_acked(f->conn, 3, n, f->now);
  assert_int_equal(h3_flush(f), 0);
  assert_false(f->closed);
  h3_free(f);
}

static void test_demux_settings_in_pieces_and_blocked(void **state) {
  struct h3_fixture *f = started();
  struct wt__send send;
  size_t first;
  (void)state;
  assert_true(wt__h3_conn_next(f->conn, &send, UINT64_MAX));
  assert_int_equal(send.id, 3);
  h3_take(f, &send, 5);
  assert_true(wt__h3_conn_next(f->conn, &send, UINT64_MAX));
  assert_int_equal(send.id, 3);
  f->streams[3].blocked = true;
  h3_flush(f);
  first = f->streams[3].sent_len;
  assert_int_equal(first, 5);
  assert_int_equal(f->streams[7].sent[0], 0x02); /* the others go on */
  wt__h3_conn_shutdown(f->conn);                 /* a GOAWAY must not overtake the SETTINGS */
  h3_flush(f);
  assert_int_equal(f->streams[3].sent_len, 5);
  f->streams[3].blocked = false;
  wt__h3_conn_unblocked(f->conn, 3);
  h3_flush(f);
  struct wt__settings read = {0};
  own_settings_read(f, &read);
  assert_int_equal(read.h3_datagram, 1);
  /* Behind them: GOAWAY, type 7, length 1, id 0. */
  assert_memory_equal(f->streams[3].sent + f->streams[3].sent_len - 3, "\x07\x01\x00", 3);
  h3_ack(f, 3);
  assert_false(f->closed);
  h3_free(f);
}

static void test_demux_needs_three_streams(void **state) {
  struct h3_fixture *f = h3_new();
  (void)state;
  f->uni_left = 2;
  h3_start(f);
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__H3_GENERAL_PROTOCOL_ERROR);
  h3_free(f);
}

/* --- The peer's SETTINGS --- */

static void test_demux_peer_settings_split_anywhere(void **state) {
  uint8_t bytes[512];
  size_t len = h3_write_settings(bytes, sizeof(bytes), settings_chromium,
                                 sizeof(settings_chromium) / sizeof(settings_chromium[0]));
  (void)state;
  for (size_t cut = 0; cut <= len; cut++) {
    struct h3_fixture *f = started();
    h3_recv(f, H3_CONTROL, bytes, cut, false);
    assert_int_equal(f->conn->has_settings, cut == len);
    h3_recv(f, H3_CONTROL, bytes + cut, len - cut, false);
    assert_true(f->conn->has_settings);
    assert_int_equal(f->conn->peer.wt_draft02, 1);
    assert_int_equal(f->conn->peer.h3_datagram, 1);
    assert_int_equal(f->conn->peer.h3_datagram_draft04, 1);
    assert_int_equal(f->streams[H3_CONTROL].consumed, len);
    assert_false(f->closed);
    h3_free(f);
  }
  /* One byte at a time, and a GREASE frame behind. */
  struct h3_fixture *f = started();
  memcpy(bytes + len, "\x21\x02xy", 4);
  for (size_t i = 0; i < len + 4; i++) h3_recv(f, H3_CONTROL, bytes + i, 1, false);
  assert_true(f->conn->has_settings);
  assert_int_equal(f->streams[H3_CONTROL].consumed, len + 4);
  assert_false(f->closed);
  h3_free(f);
}

static void check_control_fails(const void *bytes, size_t len, bool fin, uint64_t code) {
  struct h3_fixture *f = started();
  h3_recv(f, H3_CONTROL, bytes, len, fin);
  assert_true(f->closed);
  assert_int_equal(f->close_code, code);
  /* Whatever comes after that is harmless. */
  h3_recv(f, H3_CONTROL, bytes, len, fin);
  h3_get(f, 0, "/");
  h3_run(f);
  wt__h3_conn_recv_reset(f->conn, 0, 0, 0);
  wt__h3_conn_stream_closed(f->conn, H3_CONTROL, false, 0);
  wt__h3_conn_shutdown(f->conn);
  assert_int_equal(wt__h3_conn_expiry(f->conn), UINT64_MAX);
  assert_int_equal(handled, 0);
  h3_free(f);
}

static void test_demux_bad_control_stream(void **state) {
  (void)state;
  check_control_fails("\x00\x04\x04\x33\x01\x33\x01", 7, false, WT__H3_SETTINGS_ERROR); /* twice */
  check_control_fails("\x00\x04\x02\x33\x02", 5, false, WT__H3_SETTINGS_ERROR);         /* no boolean */
  check_control_fails("\x00\x04\x02\x04\x02", 5, false, WT__H3_SETTINGS_ERROR);         /* of HTTP/2 */
  check_control_fails("\x00\x04\x01\x33", 4, false, WT__H3_FRAME_ERROR);                /* cut short */
  check_control_fails("\x00\x04\x7f\xff", 4, false, WT__H3_EXCESSIVE_LOAD);
  check_control_fails("\x00\x07\x01\x00", 4, false, WT__H3_MISSING_SETTINGS);
  check_control_fails("\x00\x04\x00", 3, true, WT__H3_CLOSED_CRITICAL_STREAM);
}

static void test_demux_second_control_stream(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  H3_SETTINGS(f, settings_chromium);
  h3_recv(f, 6, "\x00\x04\x00", 3, false);
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__H3_STREAM_CREATION_ERROR);
  h3_free(f);
}

static void test_demux_critical_streams(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  H3_SETTINGS(f, settings_chromium);
  wt__h3_conn_stream_closed(f->conn, H3_CONTROL, true, 0);
  assert_int_equal(f->close_code, WT__H3_CLOSED_CRITICAL_STREAM);
  h3_free(f);
  f = started();
  wt__h3_conn_recv_stop_sending(f->conn, 7, 0);
  assert_int_equal(f->close_code, WT__H3_CLOSED_CRITICAL_STREAM);
  h3_free(f);
}

/* --- Diverted streams --- */

static void test_demux_diverts_split_anywhere(void **state) {
  static const uint8_t bidi[] = {0x40, 0x41, 0x00, 'h', 'e', 'l', 'l', 'o'};
  static const uint8_t uni[] = {0x40, 0x54, 0x40, 0x00, 'h', 'e', 'l', 'l', 'o'};
  (void)state;
  for (size_t cut = 0; cut < sizeof(bidi); cut++) {
    struct h3_fixture *f = started();
    h3_recv(f, 4, bidi, cut, false);
    h3_recv(f, 4, bidi + cut, sizeof(bidi) - cut, false);
    assert_int_equal(wt__streams_find(f->conn, 4)->kind, WT__H3_WEBTRANSPORT);
    assert_int_equal(f->streams[4].consumed, 3); /* the header; the rest waits for its session */
    h3_recv(f, 10, uni, cut, false);
    h3_recv(f, 10, uni + cut, sizeof(uni) - cut, true);
    assert_int_equal(wt__streams_find(f->conn, 10)->kind, WT__H3_WEBTRANSPORT);
    assert_int_equal(f->streams[10].consumed, 4);
    assert_int_equal(f->conn->mux.early_streams_len, 2);
    assert_false(f->closed);
    h3_free(f);
  }
}

static void test_demux_bad_session_id(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_recv(f, 4, "\x40\x41\x02", 3, false);
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__H3_ID_ERROR);
  h3_free(f);
}

static void test_demux_early_streams_bounded_and_timed(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  for (int64_t id = 0; id < 8; id++) h3_recv(f, 2 + 4 * id, "\x40\x54\x00x", 4, false);
  assert_int_equal(f->conn->mux.early_streams_len, 8);
  h3_recv(f, 4, "\x40\x41\x00x", 4, false); /* one too many */
  assert_int_equal(wt__streams_find(f->conn, 4)->kind, WT__H3_REFUSED);
  assert_int_equal(f->streams[4].reset_code, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_int_equal(f->streams[4].stop_code, WT__WT_BUFFERED_STREAM_REJECTED);
  h3_recv(f, 4, "more", 4, true);
  assert_int_equal(f->streams[4].consumed, 8);
  wt__h3_conn_stream_closed(f->conn, 4, true, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_null(wt__streams_find(f->conn, 4));
  assert_int_equal(wt__h3_conn_expiry(f->conn), f->now + 5000 * H3_MS);
  f->now += 5000 * H3_MS;
  h3_run(f);
  assert_true(f->streams[2].stopped);
  assert_int_equal(f->conn->mux.early_streams_len, 0);
  h3_free(f);
}

static void test_demux_ends_before_header(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_recv(f, 0, NULL, 0, true);
  assert_int_equal(f->streams[0].reset_code, WT__H3_REQUEST_INCOMPLETE);
  h3_recv(f, 4, "\x40", 1, true);
  assert_int_equal(f->streams[4].reset_code, WT__H3_REQUEST_INCOMPLETE);
  assert_int_equal(f->streams[4].consumed, 1);
  h3_recv(f, 8, "\x40\x41", 2, false);
  wt__h3_conn_recv_reset(f->conn, 8, 7, 0);
  assert_int_equal(f->streams[8].reset_code, WT__H3_REQUEST_CANCELLED);
  assert_int_equal(f->streams[8].consumed, 2);
  wt__h3_conn_recv_reset(f->conn, 12, 7, 0); /* the first that is heard of it */
  assert_true(f->streams[12].reset);
  h3_recv(f, 14, "\x40", 1, true); /* unidirectional: tolerated */
  wt__h3_conn_recv_reset(f->conn, 18, 7, 0);
  assert_false(f->streams[14].reset || f->streams[14].stopped || f->streams[18].reset || f->streams[18].stopped);
  assert_int_equal(f->streams[14].consumed, 1);
  for (int64_t id = 0; id <= 18; id += 2) wt__h3_conn_stream_closed(f->conn, id, false, 0);
  assert_int_equal(f->conn->streams.len, 0);
  assert_false(f->closed);
  /* The QPACK decoder stream has its type and no cancellation. */
  h3_flush(f);
  assert_int_equal(f->streams[11].sent_len, 1);
  h3_free(f);
}

static void test_demux_diverted_ids_are_known_to_goaway(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  H3_SETTINGS(f, settings_draft15);
  h3_get(f, 0, "/");
  h3_recv(f, 8, "\x40\x41\x00x", 4, false);
  wt__h3_conn_stream_closed(f->conn, 8, false, 0);
  /* A priority for it leaves nothing behind in nghttp3. */
  h3_recv(f, H3_CONTROL, "\x80\x0f\x07\x00\x04\x08u=1", 9, false);
  assert_false(f->closed);
  h3_run(f);
  wt__h3_conn_shutdown(f->conn);
  h3_run(f);
  assert_memory_equal(f->streams[3].sent + f->streams[3].sent_len - 3, "\x07\x01\x0c", 3); /* GOAWAY 12 */
  /* Streams of sessions go on; new requests do not. */
  h3_recv(f, 16, "\x40\x41\x18x", 4, false);
  assert_int_equal(wt__streams_find(f->conn, 16)->kind, WT__H3_WEBTRANSPORT);
  h3_get(f, 20, "/");
  assert_int_equal(f->streams[20].reset_code, WT__H3_REQUEST_REJECTED);
  assert_int_equal(f->streams[20].stop_code, WT__H3_REQUEST_REJECTED);
  assert_int_equal(f->streams[20].sent_len, 0);
  h3_run(f);
  assert_int_equal(handled, 1);
  assert_false(f->streams[16].reset);
  h3_free(f);
}

static void test_demux_unknown_unidirectional(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_recv(f, 6, "\x21junk", 5, false);
  assert_int_equal(f->streams[6].stop_code, WT__H3_STREAM_CREATION_ERROR);
  h3_recv(f, 6, "junk", 4, true);
  assert_int_equal(f->streams[6].consumed, 9);
  wt__h3_conn_stream_closed(f->conn, 6, false, 0);
  assert_false(f->closed);
  h3_free(f);
}

static void test_demux_unknown_frames_before_headers(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  for (size_t i = 0; i < 4; i++) h3_recv(f, 0, &"\x40\x21\x01x"[i], 1, false); /* GREASE, in a two-byte type */
  h3_get(f, 0, "/");
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 200);
  h3_free(f);
}

/* 0x41 is the first thing on a stream, or an error of the connection (draft section 4.3). */
static void test_demux_signal_in_the_middle(void **state) {
  (void)state;
  for (int64_t id = 0; id <= H3_CONTROL; id += H3_CONTROL) {
    for (size_t cut = 0; cut < 2; cut++) {
      struct h3_fixture *f = started();
      H3_SETTINGS(f, settings_chromium);
      h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/")), false);
      if (id == 0) h3_data(f, 0, "\x40\x41 in a payload means nothing", 29, false);
      h3_recv(f, id, "\x21\x02\x40\x41", 4, false); /* nor does it in one of GREASE */
      assert_false(f->closed);
      h3_recv(f, id, "\x40\x41", cut, false);
      h3_recv(f, id, &"\x40\x41\x00"[cut], 3 - cut, false);
      assert_true(f->closed);
      assert_int_equal(f->close_code, WT__H3_FRAME_ERROR);
      h3_free(f);
    }
  }
}

static void test_demux_stop_sending_first(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  wt__h3_conn_recv_stop_sending(f->conn, 0, 7);
  h3_get(f, 0, "/");
  h3_run(f);
  assert_int_equal(handled, 0);
  assert_true(f->streams[0].reset);
  wt__h3_conn_recv_stop_sending(f->conn, 4, 7);
  h3_recv(f, 4, "\x40\x41\x00x", 4, false);
  h3_run(f);
  assert_int_equal(wt__streams_find(f->conn, 4)->kind, WT__H3_WEBTRANSPORT);
  assert_false(f->closed);
  h3_free(f);
}

/* --- Time --- */

static void test_demux_idle_connection_is_closed(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_run(f);
  assert_int_equal(wt__h3_conn_expiry(f->conn), f->now + 10000 * H3_MS);
  assert_true(wt__h3_conn_is_idle(f->conn));
  f->now += 9999 * H3_MS;
  h3_get(f, 0, "/");
  h3_run(f);
  assert_false(wt__h3_conn_is_idle(f->conn));
  assert_int_equal(wt__h3_conn_expiry(f->conn), UINT64_MAX);
  f->now += 60000 * H3_MS;
  h3_run(f);
  assert_false(f->closed);
  h3_finish(f, 0);
  assert_true(wt__h3_conn_is_idle(f->conn));
  assert_int_equal(wt__h3_conn_expiry(f->conn), f->now + 10000 * H3_MS);
  f->now += 10000 * H3_MS;
  h3_run(f);
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__H3_NO_ERROR);
  h3_free(f);
}

static void test_demux_max_streams(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  wt__h3_conn_max_remote_bidi(f->conn, 300);
  wt__h3_conn_max_remote_bidi(f->conn, 299); /* does not go back */
  assert_int_equal(f->conn->max_remote_bidi, 300);
  h3_free(f);
}

static void test_demux_without_memory(void **state) {
  bool failed = true;
  (void)state;
  for (size_t after = 0; failed && after < 200; after++) {
    struct h3_fixture *f = h3_new();
    int rv;
    assert_int_equal(wt__routes_set(&f->routes, "/", count_handler, NULL, NULL), 0);
    wt__mem_fail_after(after);
    rv = wt__h3_conn_new(&f->conn, &f->config, &fake_transport, f, "192.0.2.1:1", f->now);
    if (rv == 0) wt__h3_conn_start(f->conn, 65535);
    wt__mem_fail_after(SIZE_MAX);
    failed = rv != 0 || f->closed;
    if (rv != 0) {
      assert_int_equal(rv, WT_ERR_NOMEM);
      f->conn = NULL;
    }
    h3_free(f);
  }
  assert_false(failed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_demux_sends_own_settings),
      cmocka_unit_test(test_demux_settings_in_pieces_and_blocked),
      cmocka_unit_test(test_demux_needs_three_streams),
      cmocka_unit_test(test_demux_peer_settings_split_anywhere),
      cmocka_unit_test(test_demux_bad_control_stream),
      cmocka_unit_test(test_demux_second_control_stream),
      cmocka_unit_test(test_demux_critical_streams),
      cmocka_unit_test(test_demux_diverts_split_anywhere),
      cmocka_unit_test(test_demux_bad_session_id),
      cmocka_unit_test(test_demux_early_streams_bounded_and_timed),
      cmocka_unit_test(test_demux_ends_before_header),
      cmocka_unit_test(test_demux_diverted_ids_are_known_to_goaway),
      cmocka_unit_test(test_demux_unknown_unidirectional),
      cmocka_unit_test(test_demux_unknown_frames_before_headers),
      cmocka_unit_test(test_demux_signal_in_the_middle),
      cmocka_unit_test(test_demux_stop_sending_first),
      cmocka_unit_test(test_demux_idle_connection_is_closed),
      cmocka_unit_test(test_demux_max_streams),
      cmocka_unit_test(test_demux_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
