/* SPDX-License-Identifier: MIT */

/*
 * What a newcomer writes first, from the public headers alone, in one program: tables of callbacks without sizes, a loop
 * that writes while there is room, a walk over all fields and parameters of a request, an answer with a status and a field
 * of one's own, the close of a whole connection with a code, and one loop of poll(2) for all of it.
 */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/webtransport.h>

#define UPLOAD_LEN (3 * 1024 * 1024) /* three queues full */
#define CODE 7

static struct {
  char fields[512], query[128]; /* as the handler saw them */
  size_t datagrams, received, left;
  unsigned writables, server_closes, client_closes;
  struct wt_close_info end; /* on the client; without its texts */
  char end_message[64];
  int status;
  char room[16];
  int input[2]; /* a pipe in place of the program's standard input */
} app;

/* --- The server --- */

static void print_request(const wt_request *request) {
  struct wt_header header;
  char name[32], value[32];
  size_t len = 0;
  for (size_t i = 0; wt_request_get_header_at(request, i, &header) == 0; i++) {
    len += (size_t)snprintf(app.fields + len, sizeof(app.fields) - len, "%s: %s\n", header.name, header.value);
    assert_true(len < sizeof(app.fields));
  }
  len = 0;
  for (size_t i = 0; wt_request_get_query_at(request, i, name, sizeof(name), value, sizeof(value)) == 0; i++) {
    len += (size_t)snprintf(app.query + len, sizeof(app.query) - len, "%s=%s\n", name, value);
    assert_true(len < sizeof(app.query));
  }
}

static void on_upload(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  (void)data, (void)user_data;
  app.received += len;
  if (fin) wt_session_close_connection(wt_stream_session(stream), wt_error_code_to_wire(CODE), "enough", 6);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_upload};
  (void)session, (void)user_data;
  assert_int_equal(wt_stream_set_callbacks(stream, &callbacks, NULL), 0);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)session, (void)data, (void)len, (void)user_data;
  app.datagrams++;
}

static void on_server_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session, (void)info, (void)user_data;
  app.server_closes++;
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {
      .on_stream = on_stream, .on_datagram = on_datagram, .on_close = on_server_close};
  static const struct wt_header headers[] = {{"x-room", "blue"}};
  struct wt_upgrade_options options;
  (void)user_data;
  print_request(request);
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.status = 204;
  options.headers = headers;
  options.header_count = 1;
  assert_int_equal(wt_upgrade(request, &options, NULL), 0);
}

/* --- The client --- */

static void upload(wt_stream *stream) {
  static const uint8_t bytes[64 * 1024];
  size_t room, written;
  while ((room = wt_stream_writable(stream)) > 0 && app.left > 0) {
    size_t len = app.left < room ? app.left : room;
    if (len > sizeof(bytes)) len = sizeof(bytes);
    assert_int_equal(wt_stream_write(stream, bytes, len, &written), 0);
    assert_int_equal(written, len);
    app.left -= len;
    if (app.left == 0) assert_int_equal(wt_stream_end(stream), 0);
  }
}

static void on_writable(wt_stream *stream, void *user_data) {
  (void)user_data;
  app.writables++;
  upload(stream);
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_writable = on_writable};
  wt_stream *stream;
  (void)user_data;
  assert_int_equal(result->error, 0);
  app.status = result->status;
  const char *room = wt_dial_header(dial, "x-room");
  snprintf(app.room, sizeof(app.room), "%s", room ? room : "");
  for (int i = 0; i < 20; i++) assert_int_equal(wt_session_send_datagram(result->session, "hello", 5), 0);
  assert_int_equal(wt_session_open_bidi(result->session, &stream), 0);
  assert_int_equal(wt_stream_set_callbacks(stream, &callbacks, NULL), 0);
  upload(stream);
}

static void on_client_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session, (void)user_data;
  app.client_closes++;
  app.end = *info;
  snprintf(app.end_message, sizeof(app.end_message), "%s", info->message);
  assert_int_equal(write(app.input[1], "quit\n", 5), 5);
}

static wt_client *dial(const char *address, uint8_t hash[1][32]) {
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks session_callbacks = {.on_close = on_client_close};
  struct wt_client_config config;
  struct wt_dial_options options;
  wt_client *client;
  char url[128];
  wt_client_config_default(&config);
  config.certificate_hashes = hash;
  config.certificate_hash_count = 1;
  assert_int_equal(wt_client_new(&config, &client, NULL, 0), 0);
  snprintf(url, sizeof(url), "https://%s/room?name=ann&color=%%23fff&quiet", address);
  wt_dial_options_default(&options);
  options.callbacks = &callbacks;
  options.session_callbacks = &session_callbacks;
  assert_int_equal(wt_client_dial(client, url, &options, NULL), 0);
  return client;
}

/* --- The loop --- */

static int shorter(int a, int b) { return a < 0 || (b >= 0 && b < a) ? b : a; }

/* Until a line is typed. */
static void run(wt_server *server, wt_client *client) {
  struct pollfd fds[] = {{.fd = app.input[0], .events = POLLIN},
                         {.fd = wt_server_fd(server), .events = POLLIN},
                         {.fd = wt_client_fd(client), .events = POLLIN}};
  while (!fds[0].revents) {
    assert_int_equal(wt_server_turn(server), 0);
    assert_true(wt_client_turn(client) >= 0);
    assert_true(poll(fds, 3, shorter(wt_server_timeout_ms(server), wt_client_timeout_ms(client))) >= 0);
  }
}

static wt_server *serve(char *address, size_t size, uint8_t hash[32]) {
  struct wt_server_config config;
  wt_certificate *certificate;
  wt_server *server;
  wt_server_config_default(&config);
  config.listen = (const char *const[]){"127.0.0.1:0"};
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  wt_certificate_get_sha256(certificate, hash);
  assert_int_equal(wt_server_add_certificate(server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_handle(server, "/room", on_request, NULL), 0);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_get_address(server, 0, address, size), 0);
  return server;
}

static void test_obvious_programs_work(void **state) {
  char address[64];
  uint8_t hash[1][32];
  uint32_t code;
  (void)state;
  app.left = UPLOAD_LEN;
  assert_int_equal(pipe(app.input), 0);
  wt_server *server = serve(address, sizeof(address), hash[0]);
  wt_client *client = dial(address, hash);
  run(server, client);
  wt_client_free(client);
  wt_server_free(server);
  close(app.input[0]);
  close(app.input[1]);

  assert_true(app.datagrams > 0); /* some may be lost */
  assert_int_equal(app.server_closes, 1);
  assert_int_equal(app.client_closes, 1);
  assert_int_equal(app.received, UPLOAD_LEN);
  assert_true(app.writables >= 2);
  assert_non_null(strstr(app.fields, ":path: /room?name=ann&color=%23fff&quiet\n"));
  assert_non_null(strstr(app.fields, ":method: CONNECT\n"));
  assert_string_equal(app.query, "name=ann\ncolor=#fff\nquiet=\n");
  assert_int_equal(app.status, 204);
  assert_string_equal(app.room, "blue");
  assert_int_equal(app.end.cause, WT_CAUSE_PEER);
  assert_true(app.end.connection);
  assert_true(wt_error_code_from_wire(app.end.wire_code, &code));
  assert_int_equal(code, CODE);
  assert_string_equal(app.end_message, "enough");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_obvious_programs_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
