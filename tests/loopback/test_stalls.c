/* SPDX-License-Identifier: MIT */
/*
 * Clients that begin something and do not go on: answers and streams that they do not take, bodies and header sections
 * that they do not send, a byte now and then in place of nothing. All of them keep their connection alive. What is slow
 * for another reason has to live on.
 */
#include "h3/files.h"
#include "wire/varint.h"
#include "world.h"

#define SECOND 1000

/* With a peer that opens its windows by itself, and one that does not. */
static void stalls_init_open(struct world *w) {
  world_init(w, 1);
  w->server.config.h3.no_request_timeout_ms = 0; /* what is left of a connection can be looked at */
}

static void stalls_init(struct world *w) {
  stalls_init_open(w);
  w->options.hold = true;
  w->options.max_stream_data = 1000;
}

/* Lets time pass, in which `step` is made every `every` seconds. */
static void pass(struct world *w, unsigned seconds, unsigned every, void (*step)(struct world *w, int64_t id),
                 int64_t id) {
  for (unsigned i = 0; i < seconds; i++) {
    if (step && i % every == 0) step(w, id);
    if (i % 5 == 0) peer_ping(w->peer);
    net_run_for(&w->net, SECOND);
    assert_false(w->peer->ended);
  }
}

static void wait_for(struct world *w, unsigned seconds) { pass(w, seconds, 1, NULL, 0); }

static uint64_t given_up(const struct world *w) { return w->server.counters.progress.given_up; }

static size_t memory_used(const struct world *w) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w->server.endpoint, &stats);
  return (size_t)stats.memory_used;
}

/* The window of the stream grows by so many bytes. */
static void open_window(struct world *w, int64_t id, uint64_t more) {
  ngtcp2_conn_extend_max_stream_offset(w->peer->conn, id, more);
  ngtcp2_conn_extend_max_offset(w->peer->conn, more);
  peer_flush(w->peer);
}

static void open_10(struct world *w, int64_t id) { open_window(w, id, 10); }
static void open_2000(struct world *w, int64_t id) { open_window(w, id, 2000); }

static void check_cancelled(struct world *w, int64_t id, size_t index) {
  struct server_request *request = server_request(&w->server, index);
  assert_true(peer_stream(w->peer, id)->reset);
  assert_int_equal(peer_stream(w->peer, id)->reset_code, WT__H3_REQUEST_CANCELLED);
  assert_int_equal(request->closes, 1);
  assert_int_equal(request->close_error, WT_ERR_TIMEOUT);
}

static void check_usable(struct world *w) {
  int64_t id = http_request(w->peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w->net, 5 * SECOND, peer_stream(w->peer, id)->fin);
  assert_int_equal(http_status(w->peer, id), 200);
}

/* --- Answers --- */

static void test_stalls_answer_that_nobody_takes_is_given_up(void **state) {
  (void)state;
  static const uint64_t windows[] = {0, 1, 100, 1000};
  for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
    struct world w;
    stalls_init(&w);
    w.options.max_stream_data = windows[i];
    world_start(&w);
    wait_for(&w, 1);
    size_t before = memory_used(&w);
    int64_t id = http_request(w.peer, "GET", "/source?bytes=500000", NULL, true);
    wait_for(&w, 59);
    assert_int_equal(given_up(&w), 0);
    assert_true(memory_used(&w) > before + 200000);
    wait_for(&w, 2);
    assert_int_equal(given_up(&w), 1);
    assert_in_range(memory_used(&w), 0, before + 20000);
    check_cancelled(&w, id, 0);
    world_free(&w);
  }
}

static void test_stalls_answer_that_is_taken_by_the_byte_is_given_up(void **state) {
  (void)state;
  struct world w;
  stalls_init(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=500000", NULL, true);
  pass(&w, 100, 1, open_10, id);
  check_cancelled(&w, id, 0);
  assert_int_equal(given_up(&w), 1);
  world_free(&w);
}

/* The rest is less than the least, and is to be taken all the same. */
static void test_stalls_last_bytes_of_an_answer_are_waited_for_no_longer(void **state) {
  (void)state;
  struct world w;
  stalls_init(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=1500", NULL, true);
  pass(&w, 100, 8, open_10, id);
  check_cancelled(&w, id, 0);
  world_free(&w);
}

static void test_stalls_slow_answer_lives(void **state) {
  (void)state;
  struct world w;
  stalls_init(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=50000", NULL, true);
  pass(&w, 30 * 30, 30, open_2000, id);
  assert_int_equal(given_up(&w), 0);
  assert_true(peer_stream(w.peer, id)->fin);
  assert_int_equal(server_request(&w.server, 0)->close_error, 0);
  world_free(&w);
}

static void test_stalls_answer_waits_for_ever_if_configured_so(void **state) {
  (void)state;
  struct world w;
  stalls_init(&w);
  w.server.config.h3.mux.send_timeout_ms = 0;
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=50000", NULL, true);
  wait_for(&w, 600);
  assert_int_equal(given_up(&w), 0);
  for (int i = 0; i < 100 && !peer_stream(w.peer, id)->fin; i++) {
    peer_consume(w.peer, id);
    net_run_for(&w.net, 30);
  }
  assert_true(peer_stream(w.peer, id)->fin);
  world_free(&w);
}

/* An application that writes a little now and then: nothing waits for the client between. */
static void write_event(struct world *w, int64_t id) {
  (void)id;
  size_t written;
  assert_int_equal(wt_request_write(server_request(&w->server, 0)->request, "event\n", 6, &written), 0);
  assert_int_equal(written, 6);
}

static void test_stalls_slow_application_is_not_the_client_s_fault(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/later", NULL, true);
  wait_for(&w, 200); /* no answer at all */
  wt_request *request = server_request(&w.server, 0)->request;
  assert_int_equal(wt_request_begin(request, 200, NULL, 0), 0);
  pass(&w, 300, 70, write_event, id);
  assert_int_equal(given_up(&w), 0);
  assert_int_equal(wt_request_end(request), 0);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  world_free(&w);
}

/* It writes more often than acknowledgements come, so that the queue is never empty. */
static void test_stalls_little_at_a_time_without_a_pause_lives(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  w.net.link[NET_TO_SERVER].delay = w.net.link[NET_TO_CLIENT].delay = 200 * NET_MS;
  world_start(&w);
  http_request(w.peer, "GET", "/later", NULL, true);
  NET_UNTIL(&w.net, 5000, server_request(&w.server, 0));
  wt_request *request = server_request(&w.server, 0)->request;
  assert_int_equal(wt_request_begin(request, 200, NULL, 0), 0);
  for (int i = 0; i < 1500; i++) {
    size_t written;
    if (i % 50 == 0) peer_ping(w.peer);
    assert_int_equal(wt_request_write(request, "x", 1, &written), 0);
    net_run_for(&w.net, 100);
  }
  assert_int_equal(given_up(&w), 0);
  world_free(&w);
}

/* A long download keeps a second one waiting for minutes, on a link of 40 kB a second. */
static void test_stalls_answer_that_waits_for_its_turn_lives(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  w.options.max_stream_data = 64 << 20;
  w.options.max_data = 64 << 20;
  w.net.link[NET_TO_CLIENT].bandwidth = 40000;
  w.net.link[NET_TO_CLIENT].queue_max = 500 * NET_MS;
  world_start(&w);
  int64_t first = http_request(w.peer, "GET", "/source?bytes=6000000", NULL, true);
  int64_t second = http_request(w.peer, "GET", "/source?bytes=20000", NULL, true);
  wait_for(&w, 130);
  assert_false(peer_stream(w.peer, first)->fin);
  assert_int_equal(peer_stream(w.peer, second)->rx_total, 0); /* or this test shows nothing */
  wait_for(&w, 60);
  assert_true(peer_stream(w.peer, first)->fin);
  assert_true(peer_stream(w.peer, second)->fin);
  assert_int_equal(given_up(&w), 0);
  world_free(&w);
}

/* As many as the client may have, with the connection's window shut: nobody's turn will come. */
static void test_stalls_closed_connection_window_is_given_up(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  w.options.hold = true;
  w.options.max_data = 2000;
  world_start(&w);
  size_t before = memory_used(&w);
  for (int i = 0; i < 30; i++) http_request(w.peer, "GET", "/source?bytes=500000", NULL, true);
  wait_for(&w, 30);
  assert_true(memory_used(&w) > before + 30 * 100000);
  wait_for(&w, 50);
  assert_int_equal(given_up(&w), 30);
  assert_in_range(memory_used(&w), 0, before + 100000);
  world_free(&w);
}

static void handle_empty(wt_request *request, void *user_data) {
  assert_int_equal(wt_request_respond(request, 204, NULL, 0, NULL, 0), 0);
  (void)user_data;
}

/* Header sections alone, and short bodies, that cannot leave. */
static void test_stalls_short_answers_are_given_up_too(void **state) {
  (void)state;
  static const char *const paths[] = {"/hello", "/nowhere", "/empty"};
  for (size_t i = 0; i < 3; i++) {
    struct world w;
    stalls_init(&w);
    w.options.max_stream_data = 3;
    server_handle(&w.server, "/empty", handle_empty);
    world_start(&w);
    int64_t id = http_request(w.peer, i == 0 ? "HEAD" : "GET", paths[i], NULL, true);
    wait_for(&w, 61);
    assert_int_equal(given_up(&w), 1);
    assert_true(peer_stream(w.peer, id)->reset);
    assert_true(peer_stream(w.peer, id)->closed);
    world_free(&w);
  }
}

/* The answer is taken, but the client's side of the stream stays open, whatever it is told. */
static void test_stalls_open_side_of_the_client_is_given_up(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  w.options.deaf_to_stops = true;
  world_start(&w);
  int64_t id = http_request(w.peer, "POST", "/hello", NULL, false);
  wait_for(&w, 80);
  assert_true(peer_stream(w.peer, id)->fin);
  assert_int_equal(server_request(&w.server, 0)->closes, 1);
  assert_int_equal(server_request(&w.server, 0)->close_error, WT_ERR_TIMEOUT);
  world_free(&w);
}

/* --- Streams of sessions --- */

static void check_stream_given_up(struct world *w, struct server_stream *stream) {
  assert_int_equal(given_up(w), 1);
  assert_int_equal(stream->closes, 1);
  assert_false(stream->closed_in_order);
  assert_int_equal(stream->close_error.by, WT_TRANSPORT);
  assert_false(stream->close_error.has_code);
  assert_false(stream->close_error.session_gone);
  assert_int_equal(stream->close_error.wire_code, WT__H3_EXCESSIVE_LOAD);
  assert_int_equal(w->session->closes, 0);
}

static void test_stalls_stream_that_nobody_takes_is_given_up(void **state) {
  (void)state;
  for (int i = 0; i < 8; i++) {
    struct world w;
    bool uni = i % 2, reset_at = i / 2 % 2, shut = i / 4;
    stalls_init(&w);
    /* Enough for the answer's header; with one byte less not even a stream's header can leave. */
    w.options.max_stream_data = 1000;
    w.options.reset_at = reset_at ? PEER_RESET_AT : 0;
    if (reset_at) {
      w.options.settings = peer_settings_draft15;
      w.options.settings_count = peer_settings_draft15_count;
    }
    if (shut) w.options.max_data = 500;
    world_start(&w);
    w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
    if (shut) { /* fills the connection's window */
      int64_t id = http_request(w.peer, "GET", "/source?bytes=1000", NULL, true);
      net_run_for(&w.net, 500);
      peer_stop_sending(w.peer, id, 0);
      net_run_for(&w.net, 500);
    }
    int error;
    struct server_stream *stream = server_open(w.session, uni, &error);
    assert_non_null(stream);
    uint8_t *data = pattern_new(50000, 1);
    size_t written;
    assert_int_equal(wt_stream_write(stream->stream, data, 50000, &written), 0);
    free(data);
    assert_int_equal(written, 50000);
    wait_for(&w, 59);
    assert_int_equal(stream->closes, 0);
    wait_for(&w, 20);
    check_stream_given_up(&w, stream);
    struct peer_stream *seen = peer_server_stream(w.peer, uni, uni ? 3 : 0);
    if (!shut) {
      assert_non_null(seen);
      assert_true(seen->reset || seen->got_reset_at);
      assert_int_equal(seen->got_reset_at ? seen->reset_at_code : seen->reset_code, WT__H3_EXCESSIVE_LOAD);
      if (!uni) assert_true(seen->stopped);
    }
    wait_for(&w, 300);
    assert_int_equal(given_up(&w), 1);
    world_free(&w);
  }
}

/* The peer's own stream, whose echo it does not read. Others of the session go on. */
static void test_stalls_stream_of_the_peer_is_given_up(void **state) {
  (void)state;
  struct world w;
  stalls_init(&w);
  w.options.max_stream_data = 30000;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  uint8_t *data = pattern_new(60000, 1);
  peer_wt_open(w.peer, false, w.id, data, 60000, false);
  free(data);
  wait_for(&w, 80);
  check_stream_given_up(&w, server_stream(w.session, 0));
  data = pattern_new(20000, 2);
  int64_t id = peer_wt_open(w.peer, false, w.id, data, 20000, true);
  free(data);
  NET_UNTIL(&w.net, 5000, world_received(&w, id, 0, 20000, 2));
  world_free(&w);
}

/* Credit of the session that never comes, while QUIC's windows are wide open. */
static void test_stalls_credit_of_the_session_is_the_peer_s_too(void **state) {
  (void)state;
  static const uint64_t settings[] = {0x33, 1, 0x2c7cf000, 1, 0x2b61, 100, 0x2b64, 10, 0x2b65, 10};
  struct world w;
  stalls_init_open(&w);
  w.options.settings = settings;
  w.options.settings_count = 5;
  w.options.reset_at = PEER_RESET_AT;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  int error;
  struct server_stream *stream = server_open(w.session, true, &error);
  assert_non_null(stream);
  uint8_t data[5000] = {0};
  size_t written;
  assert_int_equal(wt_stream_write(stream->stream, data, sizeof(data), &written), 0);
  wait_for(&w, 80);
  check_stream_given_up(&w, stream);
  world_free(&w);
}

static void echo_10(struct world *w, int64_t id) { peer_send(w->peer, id, "0123456789", 10, false); }

static void test_stalls_silent_streams_live(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  int64_t silent = peer_wt_open(w.peer, false, w.id, "hello", 5, false);
  int64_t uni = peer_wt_open(w.peer, true, w.id, "x", 1, false);
  int64_t seldom = peer_wt_open(w.peer, false, w.id, "hello", 5, false);
  pass(&w, 1000, 130, echo_10, seldom);
  assert_int_equal(given_up(&w), 0);
  echo_10(&w, silent);
  echo_10(&w, uni);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, silent)->rx_len == 15);
  NET_UNTIL(&w.net, 1000, peer_server_stream(w.peer, true, 3) && peer_server_stream(w.peer, true, 3)->rx_total > 10);
  world_free(&w);
}

static void capsule_byte(struct world *w, int64_t id) { http_data(w->peer, id, "\x1e", 1, false); }

static void test_stalls_slow_capsules_are_no_reason(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/echo");
  /* A capsule of an unknown type, of 64 bytes, a byte at a time. */
  http_data(w.peer, w.id, "\x3f\x40\x40", 3, false);
  pass(&w, 600, 10, capsule_byte, w.id);
  assert_int_equal(given_up(&w), 0);
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

/* --- Bodies --- */

static void body_byte(struct world *w, int64_t id) { http_data(w->peer, id, "b", 1, false); }

static void body_2000(struct world *w, int64_t id) {
  uint8_t data[2000] = {0};
  http_data(w->peer, id, data, sizeof(data), false);
}

static void test_stalls_body_that_does_not_come_is_given_up(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    struct world w;
    stalls_init_open(&w);
    world_start(&w);
    int64_t id = http_request(w.peer, "POST", "/post", NULL, false);
    http_data(w.peer, id, "some", 4, false);
    if (i == 0) wait_for(&w, 59);
    if (i == 0) assert_int_equal(given_up(&w), 0);
    pass(&w, i == 0 ? 20 : 80, 1, i == 1 ? body_byte : NULL, id);
    check_cancelled(&w, id, 0);
    assert_true(peer_stream(w.peer, id)->stopped);
    check_usable(&w);
    world_free(&w);
  }
}

static void test_stalls_slow_body_lives(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "POST", "/post", NULL, false);
  pass(&w, 600, 40, body_2000, id);
  assert_int_equal(given_up(&w), 0);
  http_data(w.peer, id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  world_free(&w);
}

static void test_stalls_body_waits_for_ever_if_configured_so(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  w.server.config.h3.body_timeout_ms = 0;
  world_start(&w);
  int64_t id = http_request(w.peer, "POST", "/post", NULL, false);
  pass(&w, 600, 100, body_byte, id);
  assert_int_equal(given_up(&w), 0);
  http_data(w.peer, id, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  world_free(&w);
}

/* What the application does not take, the client cannot send. */
static void test_stalls_paused_body_is_the_application_s_time(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "POST", "/later", NULL, false);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 0));
  wt_request *request = server_request(&w.server, 0)->request;
  http_data(w.peer, id, "some", 4, false);
  wait_for(&w, 50);
  wt_request_pause(request);
  wait_for(&w, 300);
  assert_int_equal(given_up(&w), 0);
  wt_request_resume(request); /* the client has its whole time from now on */
  wait_for(&w, 55);
  assert_int_equal(given_up(&w), 0);
  wait_for(&w, 25);
  check_cancelled(&w, id, 0);
  world_free(&w);
}

/* --- Header sections --- */

static void headers_of(struct bytes *bytes) {
  const struct field fields[] = {
      {":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/hello"}, {NULL, NULL}};
  http_headers(bytes, fields);
}

static void check_rejected(struct world *w, int64_t id) {
  const struct peer_stream *stream = peer_stream(w->peer, id);
  assert_true(stream->reset);
  assert_int_equal(stream->reset_code, WT__H3_REQUEST_REJECTED);
  assert_true(stream->stopped);
}

/* The first byte of a frame; of a frame's type of two bytes; a frame's head; all but the last byte. */
static void test_stalls_header_sections_that_never_end_are_rejected(void **state) {
  (void)state;
  struct bytes bytes = {0};
  headers_of(&bytes);
  const size_t lengths[] = {1, 2, 3, bytes.len - 1, 0};
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  int64_t session = http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  int64_t ids[5];
  for (size_t i = 0; i < 5; i++) {
    ids[i] = peer_open_bidi(w.peer);
    peer_send(w.peer, ids[i], i == 4 ? (const uint8_t *)"\x40" : bytes.data, i == 4 ? 1 : lengths[i], false);
  }
  wait_for(&w, 29);
  assert_int_equal(given_up(&w), 0);
  wait_for(&w, 2);
  assert_int_equal(given_up(&w), 5);
  for (size_t i = 0; i < 5; i++) check_rejected(&w, ids[i]);
  assert_null(server_request(&w.server, 1));
  assert_int_equal(http_status(w.peer, session), 200);
  check_usable(&w);
  bytes_free(&bytes);
  world_free(&w);
}

static void test_stalls_header_sections_have_one_time_for_all_their_bytes(void **state) {
  (void)state;
  struct bytes bytes = {0};
  headers_of(&bytes);
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  int64_t id = peer_open_bidi(w.peer);
  for (size_t i = 0; i < 16; i++) {
    peer_send(w.peer, id, bytes.data + i, 1, false);
    wait_for(&w, 2);
  }
  check_rejected(&w, id);
  bytes_free(&bytes);
  world_free(&w);
}

static void test_stalls_fields_that_wait_for_qpack_are_rejected(void **state) {
  (void)state;
  const struct field fields[] = {{":method", "GET"},  {":scheme", "https"}, {":authority", "localhost"},
                                 {":path", "/hello"}, {"x", "y"},           {NULL, NULL}};
  struct bytes headers = {0}, inserts = {0};
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  int64_t id = peer_open_bidi(w.peer);
  http_headers_dynamic(&headers, &inserts, id, fields);
  peer_send(w.peer, id, headers.data, headers.len, true);
  wait_for(&w, 31);
  assert_int_equal(given_up(&w), 1);
  assert_int_equal(peer_stream(w.peer, id)->reset_code, WT__H3_REQUEST_REJECTED);
  check_usable(&w);
  bytes_free(&headers);
  bytes_free(&inserts);
  world_free(&w);
}

static void test_stalls_unidirectional_streams_without_a_type_are_stopped(void **state) {
  (void)state;
  struct world w;
  stalls_init_open(&w);
  world_start(&w);
  http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  int64_t half = peer_open_uni(w.peer), signal = peer_open_uni(w.peer), unknown = peer_open_uni(w.peer);
  peer_send(w.peer, half, "\x40", 1, false);
  peer_send(w.peer, signal, "\x40\x54", 2, false);    /* a session's stream, whose session is not said */
  peer_send(w.peer, unknown, "\x21grease", 7, false); /* known not to matter */
  wait_for(&w, 31);
  assert_int_equal(given_up(&w), 2);
  assert_true(peer_stream(w.peer, half)->stopped);
  assert_int_equal(peer_stream(w.peer, half)->stop_code, WT__H3_STREAM_CREATION_ERROR);
  assert_true(peer_stream(w.peer, signal)->stopped);
  check_usable(&w);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stalls_answer_that_nobody_takes_is_given_up),
      cmocka_unit_test(test_stalls_answer_that_is_taken_by_the_byte_is_given_up),
      cmocka_unit_test(test_stalls_last_bytes_of_an_answer_are_waited_for_no_longer),
      cmocka_unit_test(test_stalls_slow_answer_lives),
      cmocka_unit_test(test_stalls_answer_waits_for_ever_if_configured_so),
      cmocka_unit_test(test_stalls_slow_application_is_not_the_client_s_fault),
      cmocka_unit_test(test_stalls_little_at_a_time_without_a_pause_lives),
      cmocka_unit_test(test_stalls_answer_that_waits_for_its_turn_lives),
      cmocka_unit_test(test_stalls_closed_connection_window_is_given_up),
      cmocka_unit_test(test_stalls_short_answers_are_given_up_too),
      cmocka_unit_test(test_stalls_open_side_of_the_client_is_given_up),
      cmocka_unit_test(test_stalls_stream_that_nobody_takes_is_given_up),
      cmocka_unit_test(test_stalls_stream_of_the_peer_is_given_up),
      cmocka_unit_test(test_stalls_credit_of_the_session_is_the_peer_s_too),
      cmocka_unit_test(test_stalls_silent_streams_live),
      cmocka_unit_test(test_stalls_slow_capsules_are_no_reason),
      cmocka_unit_test(test_stalls_body_that_does_not_come_is_given_up),
      cmocka_unit_test(test_stalls_slow_body_lives),
      cmocka_unit_test(test_stalls_body_waits_for_ever_if_configured_so),
      cmocka_unit_test(test_stalls_paused_body_is_the_application_s_time),
      cmocka_unit_test(test_stalls_header_sections_that_never_end_are_rejected),
      cmocka_unit_test(test_stalls_header_sections_have_one_time_for_all_their_bytes),
      cmocka_unit_test(test_stalls_fields_that_wait_for_qpack_are_rejected),
      cmocka_unit_test(test_stalls_unidirectional_streams_without_a_type_are_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
