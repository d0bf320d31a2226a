/* SPDX-License-Identifier: MIT */
/*
 * The back end of "https:" whole: a client, the gateway, and a server of WebTransport behind it, on one loop over real
 * sockets. Each test begins with all three.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "common/hash_text.h"
#include "common/hosts.h"
#include "gateway/backend_client.h"
#include "gateway/gateway.h"
#include "gateway/gateway_session.h"
#include "gateway/header_list.h"

enum {
  STREAM_BYTES = 20000,
  PATIENCE_S = 100, /* then the test is killed; nothing here needs it */
  CODES_MAX = 256,
};

/* What one end of the way sees. */
struct seen {
  wt_session *session;
  unsigned streams, fins, datagrams, drains, closes;
  uint64_t bytes;
  unsigned resets, stops;
  uint32_t reset_codes[CODES_MAX], stop_codes[CODES_MAX];
  struct wt_close_info close;
  char reason[64];
};

static struct bed {
  struct gateway *gateway;
  struct hosts hosts;
  wt_server *backend;
  wt_client *client;
  uint8_t backend_hash[32], gateway_hash[32];
  char backend_address[64], gateway_address[64];

  struct header_list asked; /* the fields of the request that came to the back end */
  struct seen at_backend, at_client;
  bool done;
  int status, error;
  char protocol[16], room[16], why[16], alt_svc[16];
} bed;

static void run_until(const bool *condition) {
  while (!*condition) uv_run(&bed.gateway->loop, UV_RUN_ONCE);
}

#define WAIT_FOR(condition)                                                        \
  do {                                                                             \
    while (!(condition)) assert_true(uv_run(&bed.gateway->loop, UV_RUN_ONCE) > 0); \
  } while (0)

/* --- Both ends: they read streams, and note what comes. --- */

static struct seen *seen_of(wt_stream *stream) { return wt_session_user_data(wt_stream_session(stream)); }

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct seen *seen = user_data;
  (void)data;
  if (!wt_stream_is_remote(stream)) return;
  seen->bytes += len;
  if (!fin) return;
  seen->fins++;
  if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_end(stream);
}

static void on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct seen *seen = user_data;
  assert_true(error->has_code);
  seen->reset_codes[seen->resets++] = error->code;
  if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_end(stream);
}

static void on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct seen *seen = user_data;
  (void)stream;
  assert_true(error->has_code);
  seen->stop_codes[seen->stops++] = error->code;
}

static const struct wt_stream_callbacks stream_callbacks = {
    .on_data = on_data, .on_reset = on_reset, .on_stop_sending = on_stop_sending};

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct seen *seen = user_data;
  (void)session;
  seen->streams++;
  assert_int_equal(wt_stream_set_callbacks(stream, &stream_callbacks, seen), 0);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)session;
  assert_memory_equal(data, "ping", len);
  ((struct seen *)user_data)->datagrams++;
}

static void on_drain(wt_session *session, void *user_data) {
  (void)session;
  ((struct seen *)user_data)->drains++;
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct seen *seen = user_data;
  (void)session;
  seen->session = NULL;
  seen->closes++;
  seen->close = *info;
  snprintf(seen->reason, sizeof seen->reason, "%s", info->reason);
}

static const struct wt_session_callbacks session_callbacks = {
    .on_stream = on_stream, .on_datagram = on_datagram, .on_drain = on_drain, .on_close = on_close};

/* --- The back end. --- */

static void backend_handle(wt_request *request, void *user_data) {
  static const struct wt_header fields[] = {{"x-room", "7"}, {"alt-svc", "h3=\":1\""}};
  static const struct wt_header refusal[] = {{"x-why", "full"}, {"alt-svc", "h3=\":1\""}};
  static const char *const protocols[] = {"two"};
  struct wt_upgrade_options options;
  struct wt_header field;
  (void)user_data;
  header_list_free(&bed.asked);
  for (size_t i = 0; !wt_request_get_header_at(request, i, &field); i++)
    assert_true(header_list_add(&bed.asked, field.name, field.value));
  if (!strcmp(wt_request_path(request), "/mute")) return;
  if (!strcmp(wt_request_path(request), "/full")) {
    wt_request_respond(request, 429, refusal, 2, "no", 2);
    return;
  }
  wt_upgrade_options_default(&options);
  options.callbacks = &session_callbacks;
  options.user_data = &bed.at_backend;
  options.protocols = protocols;
  options.protocol_count = 1;
  options.headers = fields;
  options.header_count = 2;
  options.status = strcmp(wt_request_path(request), "/made") ? 200 : 201;
  assert_int_equal(wt_upgrade(request, &options, &bed.at_backend.session), 0);
}

static bool any_origin(const wt_request *request, void *user_data) {
  (void)request, (void)user_data;
  return true;
}

static wt_server *server_start(const struct wt_server_config *config, wt_handler_callback handler, void *user_data,
                               uint8_t hash[32], char address[64]) {
  wt_certificate *certificate;
  wt_server *server;
  assert_int_equal(wt_server_new(config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_handle(server, "/", handler, user_data), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  wt_certificate_get_sha256(certificate, hash);
  assert_int_equal(wt_server_add_certificate(server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(server), 0);
  assert_int_equal(wt_server_get_address(server, 0, address, 64), 0);
  return server;
}

static const char *const listen_address = "127.0.0.1:0";

static void backend_start(uint64_t stream_limit) {
  struct wt_server_config config;
  wt_server_config_default(&config);
  config.listen = &listen_address;
  config.loop = &bed.gateway->loop;
  config.check_origin = any_origin;
  if (stream_limit) config.wt_max_streams_bidi = config.wt_max_streams_uni = stream_limit;
  bed.backend = server_start(&config, backend_handle, NULL, bed.backend_hash, bed.backend_address);
}

/* --- The gateway. --- */

static void routes_ready(struct routes *routes, void *user_data) {
  (void)user_data;
  bed.gateway->routes = routes;
}

static void member_set(struct route_settings *settings, const char *name, const char *value) {
  char message[200];
  if (!route_settings_set(settings, name, value, message, sizeof message)) fail_msg("%s: %s", name, message);
}

static struct route_settings *route_make(const char *path, const char *address, const char *suffix,
                                         const char *const (*members)[2]) {
  static struct route_settings defaults;
  struct route_settings *settings = malloc(sizeof *settings);
  char message[200], url[128], hash[65];
  assert_non_null(settings);
  route_settings_default(&defaults);
  assert_true(route_settings_begin(settings, &defaults, path, message, sizeof message));
  snprintf(url, sizeof url, "https://%s%s", address, suffix);
  member_set(settings, "backend", url);
  hash_hex(bed.backend_hash, hash);
  member_set(settings, "backend-insecure-hash", hash);
  member_set(settings, "origin", "https://play.example");
  for (; members && (*members)[0]; members++) member_set(settings, (*members)[0], (*members)[1]);
  assert_true(route_settings_finish(settings, message, sizeof message));
  return settings;
}

/* Returns a socket that takes packets and answers none. */
static int black_hole(char address[64]) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
  snprintf(address, 64, "127.0.0.1:%u", ntohs(at.sin_port));
  return fd;
}

static int hole;

static void gateway_start(void) {
  static const char *const patience[][2] = {{"connect-timeout", "200ms"}, {NULL, NULL}};
  static const char *const keep[][2] = {
      {"host", "keep"}, {"answer-header", "x-why"}, {"protocol", "three"}, {NULL, NULL}};
  struct wt_server_config config;
  char closed[64], silent[64], message[200];
  close(black_hole(closed));
  hole = black_hole(silent);
  struct route_settings *list[] = {
      route_make("/", bed.backend_address, "", NULL),
      route_make("/moved/", bed.backend_address, "/base/", NULL),
      route_make("/kept/", bed.backend_address, "", keep),
      route_make("/closed", closed, "", NULL),
      route_make("/silent", silent, "", patience),
      route_make("/mute", bed.backend_address, "", patience),
      route_make("/waiting", silent, "", NULL),
  };
  enum {
    COUNT = sizeof list / sizeof list[0]
  };
  assert_true(backend_clients_open(bed.gateway, list, COUNT, message, sizeof message));
  assert_non_null(routes_new(&bed.gateway->loop, list, COUNT, NULL, routes_ready, NULL));
  for (size_t i = 0; i < COUNT; i++) free(list[i]);
  hosts_init(&bed.hosts);
  assert_null(hosts_add(&bed.hosts, "any"));
  bed.gateway->hosts = &bed.hosts;
  wt_server_config_default(&config);
  config.listen = &listen_address;
  gateway_configure(bed.gateway, &config);
  bed.gateway->server = server_start(&config, gateway_handle, bed.gateway, bed.gateway_hash, bed.gateway_address);
}

/* --- The client. --- */

static void client_start(uint64_t stream_limit) {
  struct wt_client_config config;
  wt_client_config_default(&config);
  config.loop = &bed.gateway->loop;
  config.certificate_hashes = &bed.gateway_hash;
  config.certificate_hash_count = 1;
  if (stream_limit) config.wt_max_streams_bidi = config.wt_max_streams_uni = stream_limit;
  assert_int_equal(wt_client_new(&config, &bed.client, NULL, 0), 0);
}

static void copy(char *text, size_t size, const char *from) { snprintf(text, size, "%s", from ? from : ""); }

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  (void)user_data;
  bed.done = true;
  bed.status = result->status;
  bed.error = result->error;
  bed.at_client.session = result->session;
  copy(bed.protocol, sizeof bed.protocol, result->session ? wt_session_protocol(result->session) : "");
  copy(bed.room, sizeof bed.room, wt_dial_header(dial, "x-room"));
  copy(bed.why, sizeof bed.why, wt_dial_header(dial, "x-why"));
  copy(bed.alt_svc, sizeof bed.alt_svc, wt_dial_header(dial, "alt-svc"));
}

static void dial_begin(const char *path, wt_dial **dial) {
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  static const char *const protocols[] = {"one", "two", "three"};
  static const struct wt_header fields[] = {{"x-game", "chess"}, {"forwarded", "for=10.0.0.1"}};
  struct wt_dial_options options;
  char url[200];
  wt_dial_options_default(&options);
  options.callbacks = &callbacks;
  options.session_callbacks = &session_callbacks;
  options.session_user_data = &bed.at_client;
  options.protocols = protocols;
  options.protocol_count = 3;
  options.headers = fields;
  options.header_count = 2;
  options.origin = "https://play.example";
  options.authority = "play.example";
  snprintf(url, sizeof url, "https://%s%s", bed.gateway_address, path);
  bed.done = false;
  assert_int_equal(wt_client_dial(bed.client, url, &options, dial), 0);
}

static void dial(const char *path) {
  dial_begin(path, NULL);
  run_until(&bed.done);
}

static void assert_asked(const char *name, const char *value) {
  const char *found = header_list_get(&bed.asked, name);
  if (!value) assert_null(found);
  if (!value) return;
  assert_non_null(found);
  assert_string_equal(found, value);
}

/* --- Each test. --- */

static int begin(void **state) {
  uint64_t limit = *state ? 2 : 0;
  alarm(PATIENCE_S);
  memset(&bed, 0, sizeof bed);
  bed.gateway = calloc(1, sizeof *bed.gateway);
  assert_non_null(bed.gateway);
  assert_int_equal(uv_loop_init(&bed.gateway->loop), 0);
  gateway_loop_begin(bed.gateway);
  backend_start(limit);
  gateway_start();
  client_start(limit);
  return 0;
}

static int begin_with_two_streams(void **state) {
  *state = &bed;
  return begin(state);
}

static int end(void **state) {
  struct gateway *gateway = bed.gateway;
  (void)state;
  wt_client_free(bed.client);
  wt_server_free(gateway->server);
  assert_null(gateway->sessions);
  backend_clients_free(gateway);
  wt_server_free(bed.backend);
  routes_free(gateway->routes);
  gateway_loop_end(gateway);
  while (uv_run(&gateway->loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&gateway->loop), 0);
  peers_free(&gateway->peers);
  hosts_free(&bed.hosts);
  header_list_free(&bed.asked);
  close(hole);
  free(gateway);
  return 0;
}

static void test_a_request_and_its_answer_go_through(void **state) {
  (void)state;
  dial("/game/1?room=7");
  assert_int_equal(bed.status, 200);
  assert_string_equal(bed.protocol, "two");
  assert_string_equal(bed.room, "7");
  assert_string_equal(bed.alt_svc, "");
  assert_asked(":path", "/game/1?room=7");
  assert_asked(":authority", bed.backend_address);
  assert_asked("origin", "https://play.example");
  assert_asked("x-game", "chess");
  assert_asked("forwarded", "for=127.0.0.1;proto=https;host=\"play.example\"");
  assert_asked("x-forwarded-host", "play.example");
  assert_asked("wt-available-protocols", "\"one\", \"two\", \"three\"");
}

static void test_the_status_of_the_answer_is_the_back_end_s(void **state) {
  (void)state;
  dial("/made");
  assert_int_equal(bed.status, 201);
  assert_int_equal(bed.error, 0);
  dial("/full");
  assert_int_equal(bed.status, 429);
  assert_string_equal(bed.why, "full");
  assert_string_equal(bed.alt_svc, "");
}

static void test_a_route_s_own_rules(void **state) {
  (void)state;
  dial("/moved/a/b?c");
  assert_int_equal(bed.status, 200);
  assert_asked(":path", "/base/a/b?c");
  dial("/kept/x");
  assert_int_equal(bed.status, 200);
  assert_asked(":path", "/kept/x");
  assert_asked(":authority", "play.example");
  assert_asked("wt-available-protocols", "\"three\"");
  assert_string_equal(bed.room, ""); /* answer-header names another one */
  assert_string_equal(bed.protocol, "");
}

static void test_back_ends_that_do_not_answer(void **state) {
  (void)state;
  dial("/closed");
  assert_int_equal(bed.status, 502);
  dial("/silent");
  assert_int_equal(bed.status, 504);
  dial("/mute");
  assert_int_equal(bed.status, 504);
  assert_null(bed.gateway->sessions);
}

static void test_a_client_that_does_not_wait(void **state) {
  wt_dial *waiting;
  (void)state;
  dial_begin("/waiting", &waiting);
  WAIT_FOR(bed.gateway->sessions);
  assert_int_equal(bed.gateway->sessions->route->counts->sessions_open, 1);
  wt_dial_cancel(waiting);
  WAIT_FOR(!bed.gateway->sessions);
  dial("/x"); /* and all goes on */
  assert_int_equal(bed.status, 200);
}

static void test_closes_go_both_ways(void **state) {
  (void)state;
  dial("/x");
  wt_session_close(bed.at_client.session, 7, "bye", 3);
  WAIT_FOR(bed.at_backend.closes);
  assert_true(bed.at_backend.close.clean);
  assert_int_equal(bed.at_backend.close.code, 7);
  assert_string_equal(bed.at_backend.reason, "bye");
  memset(&bed.at_client, 0, sizeof bed.at_client);
  dial("/x");
  wt_session_close(bed.at_backend.session, UINT32_MAX, "so late", 7);
  WAIT_FOR(bed.at_client.closes);
  assert_int_equal(bed.at_client.close.code, UINT32_MAX);
  assert_string_equal(bed.at_client.reason, "so late");
}

static void test_an_end_without_a_close_has_a_code(void **state) {
  (void)state;
  dial("/x");
  wt_session_close_connection(bed.at_client.session, 0x100, NULL, 0);
  WAIT_FOR(bed.at_backend.closes);
  assert_int_equal(bed.at_backend.close.code, CODE_GONE);
  memset(&bed.at_client, 0, sizeof bed.at_client);
  dial("/x");
  wt_session_close_connection(bed.at_backend.session, 0x100, NULL, 0);
  WAIT_FOR(bed.at_client.closes);
  assert_int_equal(bed.at_client.close.code, CODE_GONE);
}

static void test_drains_go_both_ways(void **state) {
  (void)state;
  dial("/x");
  wt_session_drain(bed.at_client.session);
  WAIT_FOR(bed.at_backend.drains);
  wt_session_drain(bed.at_backend.session);
  WAIT_FOR(bed.at_client.drains);
  assert_int_equal(bed.at_client.closes + bed.at_backend.closes, 0);
}

static void test_datagrams_go_both_ways(void **state) {
  static uint8_t large[65536];
  (void)state;
  dial("/x");
  assert_int_equal(wt_session_send_datagram(bed.at_client.session, "ping", 4), 0);
  WAIT_FOR(bed.at_backend.datagrams);
  assert_int_equal(wt_session_send_datagram(bed.at_backend.session, "ping", 4), 0);
  WAIT_FOR(bed.at_client.datagrams);
  assert_int_equal(bed.gateway->sessions->datagrams_in, 1);
  assert_int_equal(bed.gateway->sessions->datagrams_out, 1);
  assert_int_equal(wt_session_send_datagram(bed.at_client.session, large, sizeof large), WT_ERR_TOO_LARGE);
}

/* --- Streams. --- */

struct source {
  wt_session *session;
  enum wt_stream_kind kind;
  unsigned left;
  bool reset; /* each is reset at once, with its number as the code */
};

static void source_run(struct source *source) {
  static uint8_t bytes[STREAM_BYTES];
  wt_stream *stream;
  while (source->left) {
    int error = source->kind == WT_BIDIRECTIONAL ? wt_session_open_bidi(source->session, &stream)
                                                 : wt_session_open_uni(source->session, &stream);
    if (error == WT_ERR_STREAM_LIMIT) return;
    assert_int_equal(error, 0);
    size_t written;
    assert_int_equal(wt_stream_set_callbacks(stream, &stream_callbacks, seen_of(stream)), 0);
    assert_int_equal(wt_stream_write(stream, bytes, sizeof bytes, &written), 0);
    assert_int_equal(written, sizeof bytes);
    if (source->reset)
      wt_stream_reset(stream, source->left);
    else
      wt_stream_end(stream);
    source->left--;
  }
}

/* More streams than the other side allows at a time, of both kinds: none is lost. */
static void relay_many(struct seen *from, struct seen *to, unsigned count) {
  struct source bidi = {from->session, WT_BIDIRECTIONAL, count, false},
                uni = {from->session, WT_UNIDIRECTIONAL, count, false};
  uint64_t before = to->bytes;
  unsigned fins = to->fins;
  while (to->fins < fins + 2 * count) {
    source_run(&bidi);
    source_run(&uni);
    uv_run(&bed.gateway->loop, UV_RUN_ONCE);
  }
  assert_int_equal(to->bytes - before, (uint64_t)2 * count * STREAM_BYTES);
  assert_int_equal(to->resets, 0);
}

static void test_streams_go_both_ways(void **state) {
  (void)state;
  dial("/x");
  relay_many(&bed.at_client, &bed.at_backend, 20);
  relay_many(&bed.at_backend, &bed.at_client, 20);
}

/* The gateway allows each side 100 streams, of which 98 wait: their bytes must not use up what the others need. */
static void test_limits_of_one_side_hold_the_other(void **state) {
  (void)state;
  dial("/x");
  relay_many(&bed.at_client, &bed.at_backend, 150);
  relay_many(&bed.at_backend, &bed.at_client, 150);
  assert_int_equal(bed.gateway->sessions->streams_refused, 0);
}

static void assert_codes(const uint32_t *codes, unsigned count) {
  bool found[CODES_MAX] = {false};
  for (unsigned i = 0; i < count; i++) {
    assert_true(codes[i] >= 1 && codes[i] <= count && !found[codes[i]]);
    found[codes[i]] = true;
  }
}

static void resets_relay(struct seen *from, struct seen *to, enum wt_stream_kind kind, unsigned count) {
  struct source source = {from->session, kind, count, true};
  to->resets = 0;
  while (to->resets < count) {
    source_run(&source);
    uv_run(&bed.gateway->loop, UV_RUN_ONCE);
  }
  assert_codes(to->reset_codes, count);
}

static void test_resets_keep_their_codes_also_while_they_wait(void **state) {
  (void)state;
  dial("/x");
  for (int kind = WT_BIDIRECTIONAL; kind <= WT_UNIDIRECTIONAL; kind++) {
    resets_relay(&bed.at_client, &bed.at_backend, (enum wt_stream_kind)kind, 60);
    resets_relay(&bed.at_backend, &bed.at_client, (enum wt_stream_kind)kind, 60);
  }
}

static void stops_relay(struct seen *from, struct seen *to) {
  wt_stream *stream;
  unsigned stops = to->stops;
  assert_int_equal(wt_session_open_bidi(from->session, &stream), 0);
  assert_int_equal(wt_stream_set_callbacks(stream, &stream_callbacks, from), 0);
  wt_stream_stop_sending(stream, 4000000000u);
  WAIT_FOR(to->stops > stops);
  assert_int_equal(to->stop_codes[stops], 4000000000u);
  wt_stream_end(stream);
}

static void test_stops_keep_their_codes(void **state) {
  (void)state;
  dial("/x");
  stops_relay(&bed.at_client, &bed.at_backend);
  stops_relay(&bed.at_backend, &bed.at_client);
}

/* --- Connections. --- */

static void test_sessions_share_a_connection(void **state) {
  struct wt_client_stats stats = {.size = sizeof stats};
  struct route *route;
  (void)state;
  for (int i = 0; i < 5; i++) {
    memset(&bed.at_client, 0, sizeof bed.at_client);
    dial("/x");
    assert_int_equal(bed.status, 200);
  }
  route = routes_find(bed.gateway->routes, "/x");
  assert_int_equal(wt_client_get_stats(backend_client_of(bed.gateway, &route->settings), &stats), 0);
  assert_int_equal(stats.sessions_open, 5);
  assert_int_equal(stats.connections_open, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_WITH_TWO_STREAMS(name) cmocka_unit_test_setup_teardown(name, begin_with_two_streams, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_request_and_its_answer_go_through),
      TEST(test_the_status_of_the_answer_is_the_back_end_s),
      TEST(test_a_route_s_own_rules),
      TEST(test_back_ends_that_do_not_answer),
      TEST(test_a_client_that_does_not_wait),
      TEST(test_closes_go_both_ways),
      TEST(test_an_end_without_a_close_has_a_code),
      TEST(test_drains_go_both_ways),
      TEST(test_datagrams_go_both_ways),
      TEST(test_streams_go_both_ways),
      TEST_WITH_TWO_STREAMS(test_limits_of_one_side_hold_the_other),
      TEST_WITH_TWO_STREAMS(test_resets_keep_their_codes_also_while_they_wait),
      TEST_WITH_TWO_STREAMS(test_stops_keep_their_codes),
      TEST(test_sessions_share_a_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
