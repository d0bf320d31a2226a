/* SPDX-License-Identifier: MIT */
/*
 * Ordinary HTTP/3 (RFC 9114) on the port that sessions use: requests and bodies both ways, what is
 * skipped, what is an error of a stream and what one of the connection, and static files.
 */
#include <fcntl.h>
#include <nghttp3/nghttp3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h3/files.h"
#include "world.h"

static void http_start(struct world *w) {
  world_init(w, 1);
  world_start(w);
}

/* Waits for the whole answer and takes it apart. */
static void answer(struct world *w, int64_t id, struct response *response) {
  NET_UNTIL(&w->net, 20000, peer_stream(w->peer, id)->fin);
  http_response(w->peer, id, response);
  assert_false(response->malformed);
}

static int answer_status(struct world *w, int64_t id) {
  NET_UNTIL(&w->net, 20000, http_status(w->peer, id) != 0);
  return http_status(w->peer, id);
}

static void assert_still_usable(struct world *w) {
  int64_t id = http_request(w->peer, "GET", "/hello", NULL, true);
  assert_int_equal(answer_status(w, id), 200);
  assert_false(w->peer->ended);
}

static void test_http_get(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  struct response response;
  int64_t id = http_request(w.peer, "GET", "/hello?x=1", NULL, true);
  answer(&w, id, &response);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.body_len, 6);
  assert_memory_equal(response.body, "hello\n", 6);
  char value[32] = "";
  assert_true(response_field(&response, "content-length", value, sizeof(value)));
  assert_string_equal(value, "6");
  response_free(&response);
  struct server_request *request = server_request(&w.server, 0);
  assert_string_equal(request->method, "GET");
  assert_string_equal(request->path, "/hello");
  NET_UNTIL(&w.net, 1000, request->closes == 1);
  assert_int_equal(request->close_error, 0);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->closed);
  assert_int_equal(w.server.counters.requests_total, 1);
  world_free(&w);
}

static void test_http_head_has_fields_alone(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  struct response response;
  answer(&w, http_request(w.peer, "HEAD", "/hello", NULL, true), &response);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.body_len, 0);
  char value[32] = "";
  assert_true(response_field(&response, "content-length", value, sizeof(value)));
  assert_string_equal(value, "6");
  response_free(&response);
  world_free(&w);
}

static void test_http_unknown_path_is_404(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/nowhere", NULL, true)), 404);
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/hello/below", NULL, true)), 404);
  assert_still_usable(&w);
  world_free(&w);
}

static void test_http_too_many_header_bytes_is_431(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  char *big = malloc(20001);
  memset(big, 'v', 20000);
  big[20000] = '\0';
  struct field fields[] = {{"x-big", big}, {NULL, NULL}};
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/hello", fields, true)), 431);
  /* Many small ones are as bad: 32 bytes each count besides names and values. */
  struct field many[51];
  for (size_t i = 0; i < 50; i++) many[i] = (struct field){"x-small", big + 20000 - 300};
  many[50] = (struct field){NULL, NULL};
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/hello", many, true)), 431);
  many[40] = (struct field){NULL, NULL};
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/hello", many, true)), 200);
  assert_null(server_request(&w.server, 1));
  free(big);
  assert_still_usable(&w);
  world_free(&w);
}

/* --- Bodies --- */

static void test_http_post_is_streamed_back(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  static const size_t sizes[] = {0, 1, 5000, 3 << 20};
  for (size_t i = 0; i < 4; i++) {
    uint8_t *data = pattern_new(sizes[i], i);
    int64_t id = http_request(w.peer, "POST", "/post", NULL, false);
    size_t half = sizes[i] / 2;
    http_data(w.peer, id, data, half, false);
    net_run_for(&w.net, 30);
    http_data(w.peer, id, data + half, sizes[i] - half, true);
    struct response response;
    answer(&w, id, &response);
    assert_int_equal(response.status, 200);
    assert_int_equal(response.body_len, sizes[i]);
    assert_true(pattern_matches(response.body, sizes[i], 0, i));
    response_free(&response);
    free(data);
    NET_UNTIL(&w.net, 1000, server_request(&w.server, i)->closes == 1);
    assert_int_equal(server_request(&w.server, i)->close_error, 0);
  }
  world_free(&w);
}

static void test_http_large_answer(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  struct response response;
  answer(&w, http_request(w.peer, "GET", "/source?bytes=3000000", NULL, true), &response);
  assert_int_equal(response.body_len, 3000000);
  assert_true(pattern_matches(response.body, 3000000, 0, 1));
  response_free(&response);
  world_free(&w);
}

static void test_http_slow_reader_holds_the_answer_back(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.hold = true;
  w.options.max_stream_data = 20000;
  w.server.config.h3.mux.max_stream_send_buffer = 100000;
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=500000", NULL, true);
  NET_UNTIL(&w.net, 2000, peer_stream(w.peer, id)->rx_total == 20000);
  net_run_for(&w.net, 3000);
  assert_int_equal(peer_stream(w.peer, id)->rx_total, 20000);
  assert_in_range(server_request(&w.server, 0)->source_at, 1, 120000);
  for (int i = 0; i < 200 && !peer_stream(w.peer, id)->fin; i++) {
    peer_consume(w.peer, id);
    net_run_for(&w.net, 30);
  }
  struct response response;
  answer(&w, id, &response);
  assert_int_equal(response.body_len, 500000);
  assert_true(pattern_matches(response.body, 500000, 0, 1));
  response_free(&response);
  world_free(&w);
}

static void test_http_paused_body_holds_the_client_back(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  const size_t len = 1 << 20;
  uint8_t *data = pattern_new(len, 4);
  int64_t id = http_request(w.peer, "POST", "/later", NULL, false);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 0));
  struct server_request *request = server_request(&w.server, 0);
  wt_request_pause(request->request);
  http_data(w.peer, id, data, len, true);
  free(data);
  net_run_for(&w.net, 2000);
  assert_int_equal(request->body.len, 0);
  assert_true(peer_stream(w.peer, id)->tx_sent <= w.server.config.initial_max_stream_data);
  wt_request_resume(request->request);
  assert_int_equal(request->body.len, 0); /* not from inside the call */
  NET_UNTIL(&w.net, 5000, request->body_fin);
  assert_int_equal(request->body.len, len);
  assert_true(pattern_matches(request->body.data, len, 0, 4));
  assert_int_equal(wt_request_respond(request->request, 204, NULL, 0, NULL, 0), 0);
  assert_int_equal(answer_status(&w, id), 204);
  world_free(&w);
}

/* RFC 9114, section 4.1: the answer is whole, the rest of the body is not wanted. */
static void test_http_answer_before_the_body_refuses_the_rest(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  int64_t id = http_request(w.peer, "POST", "/hello", NULL, false);
  http_data(w.peer, id, "some", 4, false);
  assert_int_equal(answer_status(&w, id), 200);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->stopped);
  assert_int_equal(peer_stream(w.peer, id)->stop_code, WT__H3_NO_ERROR);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->closed);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 0)->closes == 1);
  assert_int_equal(server_request(&w.server, 0)->close_error, 0);
  world_free(&w);
}

static void test_http_request_reset_midway(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  for (size_t i = 0; i < 3; i++) {
    int64_t id =
        http_request(w.peer, i == 2 ? "GET" : "POST", i == 2 ? "/source?bytes=100000000" : "/post", NULL, i == 2);
    if (i < 2) http_data(w.peer, id, "partly", 6, false);
    NET_UNTIL(&w.net, 1000, server_request(&w.server, i));
    struct server_request *request = server_request(&w.server, i);
    net_run_for(&w.net, 50);
    if (i == 0) peer_reset(w.peer, id, WT__H3_REQUEST_CANCELLED);
    ngtcp2_conn_shutdown_stream(w.peer->conn, 0, id, WT__H3_REQUEST_CANCELLED);
    peer_flush(w.peer);
    NET_UNTIL(&w.net, 1000, request->closes == 1);
    assert_int_equal(request->close_error, WT_ERR_CLOSED);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->closed);
  }
  assert_still_usable(&w);
  world_free(&w);
}

/* The server gives up: before the answer, in the middle of it, and before the body has come. */
static void test_http_answer_reset_by_the_application(void **state) {
  static const char *const paths[] = {"/later", "/source?bytes=100000000", "/post"};
  (void)state;
  struct world w;
  http_start(&w);
  for (size_t i = 0; i < 3; i++) {
    int64_t id = http_request(w.peer, i == 2 ? "POST" : "GET", paths[i], NULL, i != 2);
    NET_UNTIL(&w.net, 1000, server_request(&w.server, i));
    struct server_request *request = server_request(&w.server, i);
    net_run_for(&w.net, 50);
    assert_int_equal(wt_request_reset(request->request, UINT64_C(1) << 62), WT_ERR_INVALID);
    assert_int_equal(wt_request_reset(request->request, WT__H3_INTERNAL_ERROR), 0);
    assert_int_equal(wt_request_reset(request->request, WT__H3_INTERNAL_ERROR), WT_ERR_CLOSED);
    assert_int_not_equal(wt_request_respond(request->request, 200, NULL, 0, NULL, 0), 0);
    NET_UNTIL(&w.net, 1000, request->closes == 1);
    assert_int_equal(request->close_error, WT_ERR_CLOSED);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->reset);
    assert_int_equal(peer_stream(w.peer, id)->reset_code, WT__H3_INTERNAL_ERROR);
  }
  assert_still_usable(&w);
  world_free(&w);
}

static void test_http_connection_lost_midway(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  http_request(w.peer, "GET", "/source?bytes=100000000", NULL, true);
  http_request(w.peer, "POST", "/post", NULL, false);
  http_request(w.peer, "GET", "/later", NULL, true);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 2));
  peer_close(w.peer, WT__H3_NO_ERROR);
  for (size_t i = 0; i < 3; i++) {
    NET_UNTIL(&w.net, 1000, server_request(&w.server, i)->closes == 1);
    assert_int_equal(server_request(&w.server, i)->close_error, WT_ERR_CLOSED);
  }
  world_free(&w);
}

/* --- What is skipped --- */

static void test_http_grease_is_skipped(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  /* A stream of an unknown type, whole and cut short. */
  static const uint8_t stream[] = {0x21, 'g', 'r', 'e', 'a', 's', 'e'};
  peer_send(w.peer, peer_open_uni(w.peer), stream, sizeof(stream), true);
  peer_send(w.peer, peer_open_uni(w.peer), stream, sizeof(stream), false);
  peer_send(w.peer, peer_open_uni(w.peer), NULL, 0, true);
  /* Frames of unknown types: on the control stream, before the HEADERS, between DATA, at the end. */
  struct bytes bytes = {0};
  bytes_frame(&bytes, 0x1f * 3 + 0x21, "control", 7);
  NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
  peer_send(w.peer, w.peer->control, bytes.data, bytes.len, false);
  bytes.len = 0;
  const struct field fields[] = {
      {":method", "POST"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/post"}, {NULL, NULL}};
  bytes_frame(&bytes, 0x1f * 4 + 0x21, "before", 6);
  http_headers(&bytes, fields);
  bytes_frame(&bytes, 0x1f * 5 + 0x21, NULL, 0);
  bytes_frame(&bytes, 0x00, "bo", 2);
  bytes_frame(&bytes, 0x1f * 6 + 0x21, "between", 7);
  bytes_frame(&bytes, 0x00, "dy", 2);
  bytes_frame(&bytes, 0x1f * 7 + 0x21, "behind", 6);
  int64_t id = peer_open_bidi(w.peer);
  for (size_t i = 0; i < bytes.len; i++) {
    peer_send(w.peer, id, bytes.data + i, 1, i + 1 == bytes.len);
    if (i % 3 == 0) net_run_for(&w.net, 1);
  }
  bytes_free(&bytes);
  struct response response;
  answer(&w, id, &response);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.body_len, 4);
  assert_memory_equal(response.body, "body", 4);
  response_free(&response);
  assert_still_usable(&w);
  world_free(&w);
}

/* --- Errors --- */

static void test_http_malformed_requests_are_stream_errors(void **state) {
  (void)state;
  static const struct field cases[][7] = {
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}}, /* no path */
      {{":scheme", "https"}, {":authority", "localhost"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"Upper", "case"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"connection", "close"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {":status", "200"}},
      {{":method", "GET"}, {":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"x", "a"}, {":authority", "late"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", ""}},
      {{":method", "GET"}, {":protocol", "webtransport"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/wt"}},
      {{":method", "CONNECT"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/wt"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"te", "gzip"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"content-length", "-1"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a b"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "no-slash"}},
  };
  struct world w;
  http_start(&w);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct bytes bytes = {0};
    http_headers(&bytes, cases[i]);
    int64_t id = peer_open_bidi(w.peer);
    peer_send(w.peer, id, bytes.data, bytes.len, true);
    bytes_free(&bytes);
    struct peer_stream *stream = peer_stream(w.peer, id);
    NET_UNTIL(&w.net, 1000, stream->reset || http_status(w.peer, id) != 0 || w.peer->ended);
    if (!stream->reset) fail_msg("case %zu ends the connection, or is answered", i);
    assert_int_equal(stream->reset_code, WT__H3_MESSAGE_ERROR);
  }
  assert_null(server_request(&w.server, 0));
  assert_still_usable(&w);
  world_free(&w);
}

/* RFC 9114, section 4.1.2: another malformed message, and not a fault of the connection. */
static void test_http_content_length_must_be_true(void **state) {
  (void)state;
  static const char *const contents[] = {"", "short", "what is too long"};
  struct world w;
  http_start(&w);
  for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
    struct field fields[] = {{"content-length", "10"}, {NULL, NULL}};
    int64_t id = http_request(w.peer, "POST", "/post", fields, false);
    http_data(w.peer, id, contents[i], strlen(contents[i]), true);
    struct peer_stream *stream = peer_stream(w.peer, id);
    NET_UNTIL(&w.net, 1000, stream->reset || w.peer->ended);
    if (!stream->reset) fail_msg("case %zu ends the connection, or is answered", i);
    assert_int_equal(stream->reset_code, WT__H3_MESSAGE_ERROR);
  }
  assert_still_usable(&w);
  world_free(&w);
}

static void test_http_broken_protocol_ends_the_connection(void **state) {
  (void)state;
  static const struct {
    bool uni, control; /* on a new stream of this kind; on the control stream */
    const char *data;
    size_t len;
    bool fin;
    uint64_t code;
  } cases[] = {
      {false, false, "\x00\x01x", 3, false, WT__H3_FRAME_UNEXPECTED},        /* DATA before HEADERS */
      {false, false, "\x04\x00", 2, false, WT__H3_FRAME_UNEXPECTED},         /* SETTINGS on a request */
      {false, false, "\x02\x00", 2, false, WT__H3_FRAME_UNEXPECTED},         /* a frame of HTTP/2 */
      {true, false, "\x00\x04\x00", 3, false, WT__H3_STREAM_CREATION_ERROR}, /* a second control stream */
      {true, false, "\x01\x00", 2, false, WT__H3_STREAM_CREATION_ERROR},     /* a push from a client */
      {true, true, "\x04\x00", 2, false, WT__H3_FRAME_UNEXPECTED},           /* second SETTINGS */
      {true, true, "\x00\x00", 2, false, WT__H3_FRAME_UNEXPECTED},           /* DATA on the control stream */
      {true, true, "", 0, true, WT__H3_CLOSED_CRITICAL_STREAM},
      {false, false, "\x01\x03\xff\xff\xff", 5, false, WT__QPACK_DECOMPRESSION_FAILED},
      {true, false, "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13, false, WT__QPACK_ENCODER_STREAM_ERROR},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world w;
    http_start(&w);
    NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
    int64_t id = cases[i].control ? w.peer->control : cases[i].uni ? peer_open_uni(w.peer) : peer_open_bidi(w.peer);
    peer_send(w.peer, id, cases[i].data, cases[i].len, cases[i].fin);
    net_run_for(&w.net, 1000);
    if (!w.peer->ended || w.peer->close_code != cases[i].code || !w.peer->close_is_app) {
      fail_msg("case %zu: ended %d code 0x%llx", i, w.peer->ended, (unsigned long long)w.peer->close_code);
    }
    world_free(&w);
  }
}

static void test_http_first_control_frame_must_be_settings(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.send_settings = false;
  world_start(&w);
  static const uint8_t goaway[] = {0x00, 0x07, 0x01, 0x00};
  peer_send(w.peer, peer_open_uni(w.peer), goaway, sizeof(goaway), false);
  NET_UNTIL(&w.net, 1000, w.peer->ended);
  assert_int_equal(w.peer->close_code, WT__H3_MISSING_SETTINGS);
  world_free(&w);
}

static void test_http_settings_of_server_name_every_draft(void **state) {
  (void)state;
  struct world w;
  http_start(&w);
  NET_UNTIL(&w.net, 1000, peer_server_stream(w.peer, true, 0) && peer_server_stream(w.peer, true, 0)->rx_len > 10);
  struct peer_stream *control = NULL;
  for (size_t i = 0; i < 3; i++) {
    struct peer_stream *stream = peer_server_stream(w.peer, true, i);
    if (stream && stream->rx_len && stream->rx[0] == 0x00) control = stream;
  }
  assert_non_null(control);
  assert_int_equal(control->rx[1], 0x04);
  static const uint64_t expected[] = {0x08, 0x33, 0x2b603742, 0xc671706a, 0x14e9cd29, 0x2c7cf000};
  for (size_t i = 0; i < 6; i++) {
    struct bytes pair = {0};
    bytes_varint(&pair, expected[i]);
    bytes_varint(&pair, 1);
    bool found = memmem(control->rx, control->rx_len, pair.data, pair.len) != NULL;
    bytes_free(&pair);
    if (!found) fail_msg("setting 0x%llx=1 is missing", (unsigned long long)expected[i]);
  }
  world_free(&w);
}

/* --- Static files --- */

struct files {
  char root[64], www[80], secret[80];
};

static void file_write(const char *folder, const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static void files_new(struct files *files) {
  snprintf(files->root, sizeof(files->root), "%s/loopback-files-XXXXXX", P_tmpdir);
  assert_non_null(mkdtemp(files->root));
  snprintf(files->www, sizeof(files->www), "%s/www", files->root);
  snprintf(files->secret, sizeof(files->secret), "%s/secret.txt", files->root);
  assert_int_equal(mkdir(files->www, 0700), 0);
  char sub[128], link[128];
  snprintf(sub, sizeof(sub), "%s/sub", files->www);
  assert_int_equal(mkdir(sub, 0700), 0);
  file_write(files->root, "secret.txt", "secret");
  file_write(files->www, "page.html", "0123456789");
  file_write(files->www, "index.html", "index");
  file_write(sub, "a b.txt", "spaced");
  snprintf(link, sizeof(link), "%s/out.txt", files->www);
  assert_int_equal(symlink(files->secret, link), 0);
  snprintf(link, sizeof(link), "%s/outdir", files->www);
  assert_int_equal(symlink(files->root, link), 0);
}

static void files_free(struct files *files) {
  static const char *const names[] = {"www/sub/a b.txt", "www/out.txt",    "www/outdir",
                                      "www/page.html",   "www/index.html", "secret.txt"};
  char path[256];
  for (size_t i = 0; i < 6; i++) {
    snprintf(path, sizeof(path), "%s/%s", files->root, names[i]);
    assert_int_equal(unlink(path), 0);
  }
  snprintf(path, sizeof(path), "%s/sub", files->www);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(rmdir(files->www), 0);
  assert_int_equal(rmdir(files->root), 0);
}

static void files_start(struct world *w, struct files *files) {
  files_new(files);
  world_init(w, 1);
  assert_int_equal(wt__files_route(&w->server.routes, "/files/", files->www), 0);
  world_start(w);
}

static void test_http_files_are_served(void **state) {
  (void)state;
  struct world w;
  struct files files;
  files_start(&w, &files);
  static const struct {
    const char *path, *body;
    int status;
  } cases[] = {
      {"/files/page.html", "0123456789", 200}, {"/files/", "index", 200},
      {"/files/sub/a%20b.txt", "spaced", 200}, {"/files/page.html?query", "0123456789", 200},
      {"/files/none.html", NULL, 404},         {"/files/sub/", NULL, 404},
  };
  for (size_t i = 0; i < 6; i++) {
    struct response response;
    answer(&w, http_request(w.peer, "GET", cases[i].path, NULL, true), &response);
    assert_int_equal(response.status, cases[i].status);
    if (cases[i].body) {
      assert_int_equal(response.body_len, strlen(cases[i].body));
      assert_memory_equal(response.body, cases[i].body, response.body_len);
    }
    response_free(&response);
  }
  struct response response;
  char value[128];
  answer(&w, http_request(w.peer, "HEAD", "/files/page.html", NULL, true), &response);
  assert_int_equal(response.body_len, 0);
  assert_true(response_field(&response, "content-length", value, sizeof(value)));
  assert_string_equal(value, "10");
  assert_true(response_field(&response, "content-type", value, sizeof(value)));
  assert_memory_equal(value, "text/html", 9);
  assert_true(response_field(&response, "etag", value, sizeof(value)));
  response_free(&response);
  struct field match_lines[] = {{"if-none-match", "\"a\""}, {"if-none-match", value}, {NULL, NULL}};
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/files/page.html", match_lines, true)), 304);
  struct field match[] = {{"if-none-match", value}, {NULL, NULL}};
  assert_int_equal(answer_status(&w, http_request(w.peer, "GET", "/files/page.html", match, true)), 304);
  assert_int_equal(answer_status(&w, http_request(w.peer, "POST", "/files/page.html", NULL, true)), 405);
  int64_t connect = http_connect(w.peer, "webtransport", "/files/page.html", NULL, NULL);
  assert_int_equal(answer_status(&w, connect), 405);
  world_free(&w);
  files_free(&files);
}

static void test_http_files_ranges(void **state) {
  (void)state;
  struct world w;
  struct files files;
  files_start(&w, &files);
  static const struct {
    const char *range, *body, *content_range;
    int status;
  } cases[] = {
      {"bytes=2-4", "234", "bytes 2-4/10", 206}, {"bytes=7-", "789", "bytes 7-9/10", 206},
      {"bytes=-3", "789", "bytes 7-9/10", 206},  {"bytes=0-99", "0123456789", "bytes 0-9/10", 206},
      {"bytes=10-", NULL, "bytes */10", 416},    {"bytes=0-1,3-4", "0123456789", NULL, 200},
      {"lines=1-2", "0123456789", NULL, 200},
  };
  for (size_t i = 0; i < 7; i++) {
    struct field fields[] = {{"range", cases[i].range}, {NULL, NULL}};
    struct response response;
    char value[64] = "";
    answer(&w, http_request(w.peer, "GET", "/files/page.html", fields, true), &response);
    assert_int_equal(response.status, cases[i].status);
    if (cases[i].body) {
      assert_int_equal(response.body_len, strlen(cases[i].body));
      assert_memory_equal(response.body, cases[i].body, response.body_len);
    }
    assert_int_equal(response_field(&response, "content-range", value, sizeof(value)), cases[i].content_range != NULL);
    if (cases[i].content_range) assert_string_equal(value, cases[i].content_range);
    response_free(&response);
  }
  world_free(&w);
  files_free(&files);
}

static void test_http_files_have_no_way_out(void **state) {
  (void)state;
  static const char *const paths[] = {
      "/files/../secret.txt",
      "/files/%2e%2e/secret.txt",
      "/files/..%2fsecret.txt",
      "/files/sub/../../secret.txt",
      "/files/%2E%2E%2Fsecret.txt",
      "/files/....//secret.txt",
      "/files/out.txt",
      "/files/outdir/secret.txt",
      "/files/..\\secret.txt",
      "/files/%5c..%5csecret.txt",
      "/files//etc/passwd",
      "/files/%2fetc/passwd",
      "/files/page.html%00.txt",
      "/files/%",
      "/files/%zz",
      "/files/./page.html/../../secret.txt",
      "/files/..;/secret.txt",
      "/files/%252e%252e/secret.txt",
  };
  struct world w;
  struct files files;
  files_start(&w, &files);
  for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
    struct response response;
    answer(&w, http_request(w.peer, "GET", paths[i], NULL, true), &response);
    if (response.status != 404 && response.status != 400) fail_msg("%s: %d", paths[i], response.status);
    assert_null(response.body_len ? memmem(response.body, response.body_len, "secret", 6) : NULL);
    response_free(&response);
  }
  world_free(&w);
  files_free(&files);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_http_get),
      cmocka_unit_test(test_http_head_has_fields_alone),
      cmocka_unit_test(test_http_unknown_path_is_404),
      cmocka_unit_test(test_http_too_many_header_bytes_is_431),
      cmocka_unit_test(test_http_post_is_streamed_back),
      cmocka_unit_test(test_http_large_answer),
      cmocka_unit_test(test_http_slow_reader_holds_the_answer_back),
      cmocka_unit_test(test_http_paused_body_holds_the_client_back),
      cmocka_unit_test(test_http_answer_before_the_body_refuses_the_rest),
      cmocka_unit_test(test_http_request_reset_midway),
      cmocka_unit_test(test_http_answer_reset_by_the_application),
      cmocka_unit_test(test_http_connection_lost_midway),
      cmocka_unit_test(test_http_grease_is_skipped),
      cmocka_unit_test(test_http_malformed_requests_are_stream_errors),
      cmocka_unit_test(test_http_content_length_must_be_true),
      cmocka_unit_test(test_http_broken_protocol_ends_the_connection),
      cmocka_unit_test(test_http_first_control_frame_must_be_settings),
      cmocka_unit_test(test_http_settings_of_server_name_every_draft),
      cmocka_unit_test(test_http_files_are_served),
      cmocka_unit_test(test_http_files_ranges),
      cmocka_unit_test(test_http_files_have_no_way_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
