/* SPDX-License-Identifier: MIT */

/*
 * The rule of webtransport.h for NULL: a function that returns an error returns WT_ERR_INVALID, and any other function
 * does nothing or returns 0, false, NULL or an empty text. Each exported function with a pointer argument is called here
 * once for each of its pointers that must not be NULL. The last test reads the headers and fails if one is missing.
 */

#include "h3_fixture.h"

#include <dirent.h>

#define SEEN_MAX 512
#define UNSET ((void *)(uintptr_t)0x5a5a)

static const char *seen[SEEN_MAX];
static size_t seen_count;

static void see(const char *name) {
  assert_true(seen_count < SEEN_MAX);
  seen[seen_count++] = name;
}

#define CALL(function, check) \
  do {                        \
    see(#function);           \
    check;                    \
  } while (0)
#define INVALID(function, ...) CALL(function, assert_int_equal(function(__VA_ARGS__), WT_ERR_INVALID))
#define ZERO(function, ...) CALL(function, assert_int_equal(function(__VA_ARGS__), 0))
#define GIVES_NULL(function, ...) CALL(function, assert_null(function(__VA_ARGS__)))
#define EMPTY(function, ...) CALL(function, assert_string_equal(function(__VA_ARGS__), ""))
#define NOTHING(function, ...) CALL(function, function(__VA_ARGS__))

/* --- A session, one of its streams, and a request that waits for its answer --- */

static struct {
  wt_request *request;
  wt_session *session;
  wt_stream *stream;
} app;

static void on_session(wt_request *request, void *user_data) {
  (void)user_data;
  assert_int_equal(wt_upgrade(request, NULL, &app.session), 0);
}

static void on_request(wt_request *request, void *user_data) {
  (void)user_data;
  app.request = request;
}

static int set_up(void **state) {
  struct h3_fixture *f = h3_new();
  memset(&app, 0, sizeof(app));
  assert_int_equal(wt__routes_set(&f->routes, "/wt", on_session, NULL, NULL), 0);
  assert_int_equal(wt__routes_set(&f->routes, "/", on_request, NULL, NULL), 0);
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "sec-webtransport-http3-draft02", "1"), false);
  h3_get(f, 4, "/?a=b");
  h3_run(f);
  assert_non_null(app.session);
  assert_non_null(app.request);
  assert_int_equal(wt_session_open_bidi(app.session, &app.stream), 0);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  h3_free(*state);
  return 0;
}

static void session_function(wt_session *session, void *argument) { (void)session, (void)argument; }
static void release(const uint8_t *data, size_t len, void *user_data) { (void)data, (void)len, (void)user_data; }

static void test_null_sessions(void **state) {
  struct wt_connection_info info = {.size = sizeof(info)};
  struct wt_session_stats stats = {.size = sizeof(stats)};
  struct wt_header header;
  wt_stream *stream = UNSET;
  const void *der = UNSET;
  size_t len = 1;
  uint8_t out[8];
  (void)state;
  INVALID(wt_session_set_callbacks, NULL, NULL, NULL);
  INVALID(wt_session_set_stream_callbacks, NULL, NULL, NULL);
  GIVES_NULL(wt_session_user_data, NULL);
  ZERO(wt_session_id, NULL);
  EMPTY(wt_session_path, NULL);
  EMPTY(wt_session_protocol, NULL);
  GIVES_NULL(wt_session_header, NULL, "origin");
  GIVES_NULL(wt_session_header, app.session, NULL);
  INVALID(wt_session_get_header_at, NULL, 0, &header);
  INVALID(wt_session_get_header_at, app.session, 0, NULL);
  ZERO(wt_session_draft, NULL);
  EMPTY(wt_session_peer_address, NULL);
  INVALID(wt_session_open_bidi, NULL, &stream);
  assert_null(stream);
  INVALID(wt_session_open_bidi, app.session, NULL);
  INVALID(wt_session_open_uni, NULL, &stream);
  INVALID(wt_session_open_uni, app.session, NULL);
  INVALID(wt_session_send_datagram, NULL, "x", 1);
  INVALID(wt_session_send_datagram, app.session, NULL, 1);
  assert_int_equal(wt_session_send_datagram(app.session, NULL, 0), 0);
  ZERO(wt_session_max_datagram_size, NULL);
  NOTHING(wt_session_set_datagram_max_age, NULL, 1);
  INVALID(wt_session_close, NULL, 0, NULL, 0);
  INVALID(wt_session_close, app.session, 0, NULL, 1);
  INVALID(wt_session_close_connection, NULL, 0, NULL, 0);
  INVALID(wt_session_close_connection, app.session, 0, NULL, 1);
  NOTHING(wt_session_drain, NULL);
  INVALID(wt_session_export_keying_material, NULL, "label", NULL, 0, out, sizeof(out));
  INVALID(wt_session_export_keying_material, app.session, NULL, NULL, 0, out, sizeof(out));
  INVALID(wt_session_export_keying_material, app.session, "label", NULL, 1, out, sizeof(out));
  INVALID(wt_session_export_keying_material, app.session, "label", NULL, 0, NULL, sizeof(out));
  INVALID(wt_session_get_stats, NULL, &stats);
  INVALID(wt_session_get_stats, app.session, NULL);
  INVALID(wt_session_post, NULL, session_function, NULL);
  INVALID(wt_session_post, app.session, NULL, NULL);
  ZERO(wt_session_worker, NULL);
  INVALID(wt_session_get_connection_info, NULL, &info);
  INVALID(wt_session_get_connection_info, app.session, NULL);
  INVALID(wt_session_get_peer_certificate, NULL, 0, &der, &len);
  assert_null(der);
  assert_int_equal(len, 0);
  INVALID(wt_session_get_peer_certificate, app.session, 0, NULL, &len);
  INVALID(wt_session_get_peer_certificate, app.session, 0, &der, NULL);
}

static void test_null_subscriptions(void **state) {
  struct wt_subscription_stats stats = {.size = sizeof(stats)};
  (void)state;
  NOTHING(wt_subscribe_options_init, NULL, sizeof(struct wt_subscribe_options));
  INVALID(wt_session_subscribe, NULL, "t", 1, NULL);
  INVALID(wt_session_subscribe, app.session, NULL, 1, NULL);
  INVALID(wt_session_unsubscribe, NULL, "t", 1);
  INVALID(wt_session_unsubscribe, app.session, NULL, 1);
  INVALID(wt_session_get_subscription_stats, NULL, "t", 1, &stats);
  INVALID(wt_session_get_subscription_stats, app.session, NULL, 1, &stats);
  INVALID(wt_session_get_subscription_stats, app.session, "t", 1, NULL);
}

static void test_null_streams(void **state) {
  size_t written = 1;
  (void)state;
  INVALID(wt_stream_set_callbacks, NULL, NULL, NULL);
  GIVES_NULL(wt_stream_user_data, NULL);
  GIVES_NULL(wt_stream_session, NULL);
  ZERO(wt_stream_id, NULL);
  ZERO(wt_stream_kind, NULL);
  ZERO(wt_stream_is_remote, NULL);
  INVALID(wt_stream_write, NULL, "x", 1, &written);
  assert_int_equal(written, 0);
  INVALID(wt_stream_write, app.stream, NULL, 1, &written);
  INVALID(wt_stream_write_owned, NULL, "x", 1, release, NULL);
  INVALID(wt_stream_write_owned, app.stream, NULL, 1, release, NULL);
  INVALID(wt_stream_write_owned, app.stream, "x", 1, NULL, NULL);
  ZERO(wt_stream_writable, NULL);
  INVALID(wt_stream_end, NULL);
  INVALID(wt_stream_reset, NULL, 0);
  INVALID(wt_stream_stop_sending, NULL, 0);
  NOTHING(wt_stream_abort, NULL, 0);
  INVALID(wt_stream_set_priority, NULL, 0, 0);
  NOTHING(wt_stream_pause, NULL);
  INVALID(wt_stream_unread, NULL, 0);
  NOTHING(wt_stream_resume, NULL);
}

static void test_null_questions_about_requests(void **state) {
  struct wt_connection_info info = {.size = sizeof(info)};
  struct wt_header header;
  char name[8] = "unset", value[8] = "unset";
  const void *der = UNSET;
  size_t len;
  (void)state;
  GIVES_NULL(wt_request_user_data, NULL);
  EMPTY(wt_request_method, NULL);
  EMPTY(wt_request_path, NULL);
  EMPTY(wt_request_query, NULL);
  EMPTY(wt_request_authority, NULL);
  EMPTY(wt_request_protocol, NULL);
  EMPTY(wt_request_peer_address, NULL);
  EMPTY(wt_request_error, NULL);
  GIVES_NULL(wt_request_origin, NULL);
  GIVES_NULL(wt_request_server, NULL);
  ZERO(wt_request_worker, NULL);
  ZERO(wt_request_is_webtransport, NULL);
  INVALID(wt_request_get_query_value, NULL, "a", value, sizeof(value));
  assert_string_equal(value, "");
  INVALID(wt_request_get_query_value, app.request, NULL, value, sizeof(value));
  INVALID(wt_request_get_query_value, app.request, "a", NULL, sizeof(value));
  INVALID(wt_request_get_query_at, NULL, 0, name, sizeof(name), value, sizeof(value));
  assert_string_equal(name, "");
  INVALID(wt_request_get_query_at, app.request, 0, NULL, sizeof(name), value, sizeof(value));
  INVALID(wt_request_get_query_at, app.request, 0, name, sizeof(name), NULL, sizeof(value));
  INVALID(wt_request_get_protocol_at, NULL, 0, value, sizeof(value));
  assert_string_equal(value, "");
  INVALID(wt_request_get_protocol_at, app.request, 0, NULL, sizeof(value));
  INVALID(wt_request_get_protocol_at, app.request, 0, value, 0);
  GIVES_NULL(wt_request_header, NULL, "origin");
  GIVES_NULL(wt_request_header, app.request, NULL);
  INVALID(wt_request_get_header_at, NULL, 0, &header);
  INVALID(wt_request_get_header_at, app.request, 0, NULL);
  INVALID(wt_request_get_peer_certificate, NULL, 0, &der, &len);
  assert_null(der);
  INVALID(wt_request_get_peer_certificate, app.request, 0, NULL, &len);
  INVALID(wt_request_get_peer_certificate, app.request, 0, &der, NULL);
  INVALID(wt_request_get_connection_info, NULL, &info);
  INVALID(wt_request_get_connection_info, app.request, NULL);
}

static void test_null_answers(void **state) {
  static const struct wt_header nameless = {NULL, "x"}, valueless = {"x", NULL};
  wt_session *session = UNSET;
  size_t written = 1;
  (void)state;
  INVALID(wt_request_set_callbacks, NULL, NULL, NULL);
  INVALID(wt_request_inform, NULL, 103, NULL, 0);
  INVALID(wt_request_inform, app.request, 103, NULL, 1);
  INVALID(wt_request_respond, NULL, 200, NULL, 0, NULL, 0);
  INVALID(wt_request_respond, app.request, 200, NULL, 1, NULL, 0);
  INVALID(wt_request_respond, app.request, 200, NULL, 0, NULL, 1);
  INVALID(wt_request_respond, app.request, 200, &nameless, 1, NULL, 0);
  INVALID(wt_request_respond, app.request, 200, &valueless, 1, NULL, 0);
  INVALID(wt_request_serve_file, NULL, "/", "/");
  INVALID(wt_request_serve_file, app.request, NULL, "/");
  INVALID(wt_request_serve_file, app.request, "/", NULL);
  INVALID(wt_upgrade, NULL, NULL, &session);
  assert_null(session);
  INVALID(wt_request_reset, NULL, 0x102);
  INVALID(wt_request_close_connection, NULL, 0, NULL, 0);
  INVALID(wt_request_close_connection, app.request, 0, NULL, 1);
  NOTHING(wt_request_pause, NULL);
  NOTHING(wt_request_resume, NULL);
  INVALID(wt_request_begin, NULL, 200, NULL, 0);
  INVALID(wt_request_begin, app.request, 200, NULL, 1);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  INVALID(wt_request_write, NULL, "x", 1, &written);
  assert_int_equal(written, 0);
  INVALID(wt_request_write, app.request, NULL, 1, &written);
  INVALID(wt_request_write_owned, NULL, "x", 1, release, NULL);
  INVALID(wt_request_write_owned, app.request, NULL, 1, release, NULL);
  INVALID(wt_request_write_owned, app.request, "x", 1, NULL, NULL);
  ZERO(wt_request_writable, NULL);
  INVALID(wt_request_end, NULL);
}

/* --- Servers, clients, certificates --- */

static void server_function(wt_server *server, void *argument) { (void)server, (void)argument; }
static void client_function(wt_client *client, void *argument) { (void)client, (void)argument; }

static void test_null_servers(void **state) {
  struct wt_fleet_keys keys;
  struct wt_server_config config;
  struct wt_server_stats stats = {.size = sizeof(stats)};
  struct wt_topic_stats topics = {.size = sizeof(topics)};
  wt_certificate *none = NULL;
  wt_server *server;
  char address[64];
  (void)state;
  NOTHING(wt_server_config_init, NULL, sizeof(config));
  NOTHING(wt_connection_ids_init, NULL, WT_CONNECTION_ID_RANDOM, sizeof(struct wt_connection_ids));
  NOTHING(wt_upgrade_options_init, NULL, sizeof(struct wt_upgrade_options));
  wt_server_config_default(&config);
  config.log_level = WT_LOG_NONE;
  INVALID(wt_server_new, &config, NULL, NULL, 0);
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  INVALID(wt_server_handle, NULL, "/", on_request, NULL);
  INVALID(wt_server_handle, server, NULL, on_request, NULL);
  INVALID(wt_server_handle, server, "/", NULL, NULL);
  INVALID(wt_server_handle_files, NULL, "/", "/");
  INVALID(wt_server_handle_files, server, NULL, "/");
  INVALID(wt_server_handle_files, server, "/", NULL);
  INVALID(wt_server_add_certificate, NULL, none);
  INVALID(wt_server_add_certificate, server, NULL);
  INVALID(wt_server_set_certificates, NULL, &none, 1);
  INVALID(wt_server_set_certificates, server, NULL, 1);
  INVALID(wt_server_set_certificates, server, &none, 1);
  NOTHING(wt_fleet_keys_init, NULL, sizeof(keys));
  wt_fleet_keys_default(&keys);
  INVALID(wt_server_set_fleet_keys, NULL, &keys, NULL, 0);
  INVALID(wt_server_set_fleet_keys, server, NULL, NULL, 0);
  INVALID(wt_server_set_connection_ids, NULL, NULL, NULL, 0);
  INVALID(wt_server_start, NULL);
  INVALID(wt_server_run, NULL);
  INVALID(wt_server_fd, NULL);
  CALL(wt_server_timeout_ms, assert_int_equal(wt_server_timeout_ms(NULL), -1));
  INVALID(wt_server_turn, NULL);
  INVALID(wt_server_listen_and_serve_tls, NULL, "x", "x");
  INVALID(wt_server_listen_and_serve_tls, server, NULL, "x");
  INVALID(wt_server_listen_and_serve_tls, server, "x", NULL);
  INVALID(wt_server_get_address, NULL, 0, address, sizeof(address));
  INVALID(wt_server_get_address, server, 0, NULL, sizeof(address));
  NOTHING(wt_server_shutdown, NULL, 0);
  NOTHING(wt_server_close, NULL);
  INVALID(wt_server_post, NULL, server_function, NULL);
  INVALID(wt_server_post, server, NULL, NULL);
  INVALID(wt_server_get_stats, NULL, &stats);
  INVALID(wt_server_get_stats, server, NULL);
  INVALID(wt_server_write_metrics, NULL, WT_METRICS_OPENMETRICS, NULL, NULL);
  INVALID(wt_server_write_metrics, server, WT_METRICS_OPENMETRICS, NULL, NULL);
  INVALID(wt_server_publish, NULL, "t", 1, "x", 1, NULL);
  INVALID(wt_server_publish, server, NULL, 1, "x", 1, NULL);
  INVALID(wt_server_publish, server, "t", 1, NULL, 1, NULL);
  assert_int_equal(wt_server_publish(server, "t", 1, NULL, 0, NULL), 0);
  ZERO(wt_server_subscribers, NULL, "t", 1);
  ZERO(wt_server_subscribers, server, NULL, 1);
  INVALID(wt_server_get_topic_stats, NULL, "t", 1, &topics);
  INVALID(wt_server_get_topic_stats, server, NULL, 1, &topics);
  INVALID(wt_server_get_topic_stats, server, "t", 1, NULL);
  NOTHING(wt_topic_limits_init, NULL, sizeof(struct wt_topic_limits));
  INVALID(wt_server_set_backplane, NULL, NULL);
  INVALID(wt_server_set_backplane, server, NULL);
  INVALID(wt_server_set_topic_limits, NULL, NULL);
  INVALID(wt_server_set_topic_limits, server, NULL);
  EMPTY(wt_server_error, NULL);
  NOTHING(wt_takeover_options_init, NULL, sizeof(struct wt_takeover_options));
  INVALID(wt_server_takeover, NULL, "/", NULL);
  INVALID(wt_server_takeover, server, NULL, NULL);
  INVALID(wt_server_takeover_give, NULL, "x", 0);
  INVALID(wt_server_takeover_give, server, NULL, 0);
  INVALID(wt_server_takeover_receive, NULL, "x");
  INVALID(wt_server_takeover_receive, server, NULL);
  NOTHING(wt_server_free, NULL);
  wt_server_free(server);
}

static void test_null_clients(void **state) {
  struct wt_client_stats stats = {.size = sizeof(stats)};
  struct wt_dial_options options;
  wt_client *client;
  wt_dial *dial = UNSET;
  wt_exchange *exchange = UNSET;
  (void)state;
  NOTHING(wt_client_config_init, NULL, sizeof(struct wt_client_config));
  NOTHING(wt_dial_options_init, NULL, sizeof(struct wt_dial_options));
  NOTHING(wt_exchange_options_init, NULL, sizeof(struct wt_exchange_options));
  INVALID(wt_client_new, NULL, NULL, NULL, 0);
  assert_int_equal(wt_client_new(NULL, &client, NULL, 0), 0);
  wt_dial_options_default(&options);
  INVALID(wt_client_dial, NULL, "https://localhost/", &options, &dial);
  assert_null(dial);
  INVALID(wt_client_dial, client, NULL, &options, &dial);
  INVALID(wt_client_dial, client, "https://localhost/", NULL, &dial);
  INVALID(wt_client_dial, client, "https://localhost/", &options, &dial); /* without callbacks */
  INVALID(wt_client_request, NULL, "https://localhost/", NULL, &exchange);
  assert_null(exchange);
  INVALID(wt_client_request, client, NULL, NULL, &exchange);
  INVALID(wt_client_run, NULL);
  INVALID(wt_client_fd, NULL);
  CALL(wt_client_timeout_ms, assert_int_equal(wt_client_timeout_ms(NULL), -1));
  INVALID(wt_client_turn, NULL);
  NOTHING(wt_client_close, NULL);
  INVALID(wt_client_post, NULL, client_function, NULL);
  INVALID(wt_client_post, client, NULL, NULL);
  INVALID(wt_client_get_stats, NULL, &stats);
  INVALID(wt_client_get_stats, client, NULL);
  EMPTY(wt_client_error, NULL);
  NOTHING(wt_client_free, NULL);
  wt_client_free(client);
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  (void)dial, (void)result, (void)user_data;
}

static void test_null_dials(void **state) {
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  struct wt_connection_info info = {.size = sizeof(info)};
  struct wt_attempt attempt = {.size = sizeof(attempt)};
  struct wt_dial_options options;
  struct wt_header header;
  wt_client *client;
  wt_dial *dial;
  (void)state;
  assert_int_equal(wt_client_new(NULL, &client, NULL, 0), 0);
  wt_dial_options_default(&options);
  options.callbacks = &callbacks;
  assert_int_equal(wt_client_dial(client, "https://127.0.0.1:1/", &options, &dial), 0);
  NOTHING(wt_dial_cancel, NULL);
  GIVES_NULL(wt_dial_header, NULL, "x");
  GIVES_NULL(wt_dial_header, dial, NULL);
  INVALID(wt_dial_get_header_at, NULL, 0, &header);
  INVALID(wt_dial_get_header_at, dial, 0, NULL);
  INVALID(wt_dial_get_connection_info, NULL, &info);
  INVALID(wt_dial_get_connection_info, dial, NULL);
  INVALID(wt_dial_get_attempt, NULL, 0, &attempt);
  INVALID(wt_dial_get_attempt, dial, 0, NULL);
  wt_client_free(client);
}

static void test_null_exchanges(void **state) {
  struct wt_connection_info info = {.size = sizeof(info)};
  struct wt_exchange_options options;
  struct wt_header header;
  wt_client *client;
  wt_exchange *exchange;
  size_t written = 1;
  (void)state;
  assert_int_equal(wt_client_new(NULL, &client, NULL, 0), 0);
  wt_exchange_options_default(&options);
  options.method = "POST";
  options.has_body = true;
  assert_int_equal(wt_client_request(client, "https://127.0.0.1:1/", &options, &exchange), 0);
  ZERO(wt_exchange_status, NULL);
  GIVES_NULL(wt_exchange_header, NULL, "x");
  GIVES_NULL(wt_exchange_header, exchange, NULL);
  INVALID(wt_exchange_get_header_at, NULL, 0, &header);
  INVALID(wt_exchange_get_header_at, exchange, 0, NULL);
  INVALID(wt_exchange_write, NULL, "x", 1, &written);
  assert_int_equal(written, 0);
  INVALID(wt_exchange_write, exchange, NULL, 1, &written);
  ZERO(wt_exchange_writable, NULL);
  INVALID(wt_exchange_end, NULL);
  NOTHING(wt_exchange_pause, NULL);
  NOTHING(wt_exchange_resume, NULL);
  NOTHING(wt_exchange_cancel, NULL);
  GIVES_NULL(wt_exchange_user_data, NULL);
  INVALID(wt_exchange_get_connection_info, NULL, &info);
  INVALID(wt_exchange_get_connection_info, exchange, NULL);
  wt_client_free(client);
}

static void test_null_certificates(void **state) {
  static const char *const nameless[] = {NULL};
  struct wt_certificate_info info = {.size = sizeof(info)};
  wt_certificate *certificate = UNSET;
  char *pem, message[64];
  uint8_t hash[32];
  (void)state;
  INVALID(wt_certificate_load, NULL, "x", &certificate, message, sizeof(message));
  assert_null(certificate);
  assert_string_not_equal(message, "");
  INVALID(wt_certificate_load, "x", NULL, &certificate, NULL, 0);
  INVALID(wt_certificate_load, "x", "x", NULL, NULL, 0);
  certificate = UNSET;
  INVALID(wt_certificate_load_stapled, NULL, "x", "x", &certificate, message, sizeof(message));
  assert_null(certificate);
  INVALID(wt_certificate_load_stapled, "x", NULL, "x", &certificate, NULL, 0);
  INVALID(wt_certificate_load_stapled, "x", "x", NULL, &certificate, NULL, 0);
  INVALID(wt_certificate_load_stapled, "x", "x", "x", NULL, NULL, 0);
  INVALID(wt_certificate_parse, NULL, 1, "x", 1, &certificate, NULL, 0);
  INVALID(wt_certificate_parse, "x", 1, NULL, 1, &certificate, NULL, 0);
  assert_int_equal(wt_certificate_parse(NULL, 0, NULL, 0, &certificate, NULL, 0), WT_ERR_CERTIFICATE); /* empty texts */
  INVALID(wt_certificate_parse, "x", 1, "x", 1, NULL, NULL, 0);
  INVALID(wt_certificate_generate, NULL, 0, 1, NULL);
  INVALID(wt_certificate_generate, NULL, 1, 1, &certificate);
  INVALID(wt_certificate_generate, nameless, 1, 1, &certificate);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  NOTHING(wt_certificate_get_sha256, NULL, hash);
  NOTHING(wt_certificate_get_sha256, certificate, NULL);
  ZERO(wt_certificate_expires_at, NULL);
  ZERO(wt_certificate_matches, NULL, "localhost");
  ZERO(wt_certificate_matches, certificate, NULL);
  INVALID(wt_certificate_export, NULL, &pem, NULL);
  NOTHING(wt_pem_free, NULL);
  INVALID(wt_certificate_describe, NULL, 1, 0, &info);
  INVALID(wt_certificate_describe, "x", 1, 0, NULL);
  GIVES_NULL(wt_certificate_ref, NULL);
  NOTHING(wt_certificate_free, NULL);
  wt_certificate_free(certificate);
  ZERO(wt_error_code_from_wire, 0, NULL); /* allowed: only the verdict is wanted */
}

/* --- Members of options and configurations --- */

#define NO_LIST(member, count) options.member = NULL, options.count = 1
#define NULL_INSIDE(member, count) options.member = &none, options.count = 1

static void test_null_lists_of_an_upgrade(void **state) {
  static const char *const none = NULL;
  static const struct wt_header nameless = {NULL, "x"}, valueless = {"x", NULL};
  struct h3_fixture *f = *state;
  struct wt_upgrade_options options;
  h3_send_request(f, 8,
                  H3_FIELDS(H3_CONNECT("webtransport", "/"), "sec-webtransport-http3-draft02", "1",
                            "wt-available-protocols", "\"a\""),
                  false);
  h3_run(f);
  assert_true(wt_request_is_webtransport(app.request));
  wt_upgrade_options_default(&options);
  NO_LIST(protocols, protocol_count);
  INVALID(wt_upgrade, app.request, &options, NULL);
  NULL_INSIDE(protocols, protocol_count);
  INVALID(wt_upgrade, app.request, &options, NULL);
  options.protocol_count = 0;
  NO_LIST(headers, header_count);
  INVALID(wt_upgrade, app.request, &options, NULL);
  options.headers = &nameless;
  INVALID(wt_upgrade, app.request, &options, NULL);
  options.headers = &valueless;
  INVALID(wt_upgrade, app.request, &options, NULL);
}

static void test_null_lists_of_a_client(void **state) {
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  static const char *const none = NULL;
  static const struct wt_header nameless = {NULL, "x"}, valueless = {"x", NULL};
  wt_client *client;
  (void)state;
  assert_int_equal(wt_client_new(NULL, &client, NULL, 0), 0);
  {
    struct wt_dial_options options;
    wt_dial_options_default(&options);
    options.callbacks = &callbacks;
    NO_LIST(protocols, protocol_count);
    INVALID(wt_client_dial, client, "https://localhost/", &options, NULL);
    NULL_INSIDE(protocols, protocol_count);
    INVALID(wt_client_dial, client, "https://localhost/", &options, NULL);
    options.protocol_count = 0;
    NO_LIST(headers, header_count);
    INVALID(wt_client_dial, client, "https://localhost/", &options, NULL);
    options.headers = &nameless;
    INVALID(wt_client_dial, client, "https://localhost/", &options, NULL);
    options.headers = &valueless;
    INVALID(wt_client_dial, client, "https://localhost/", &options, NULL);
  }
  struct wt_exchange_options options;
  wt_exchange_options_default(&options);
  NO_LIST(headers, header_count);
  INVALID(wt_client_request, client, "https://localhost/", &options, NULL);
  options.headers = &nameless;
  INVALID(wt_client_request, client, "https://localhost/", &options, NULL);
  options.headers = &valueless;
  INVALID(wt_client_request, client, "https://localhost/", &options, NULL);
  options.header_count = 0;
  options.body_len = 1;
  INVALID(wt_client_request, client, "https://localhost/", &options, NULL);
  options.body_len = 0;
  options.method = NULL;
  INVALID(wt_client_request, client, "https://localhost/", &options, NULL);
  wt_client_free(client);
}

static void test_null_lists_of_configurations(void **state) {
  static const char *const none = NULL;
  wt_server *server;
  wt_client *client;
  (void)state;
  for (int i = 0; i < 6; i++) {
    struct wt_server_config options;
    wt_server_config_default(&options);
    options.log_level = WT_LOG_NONE;
    if (i == 0) NO_LIST(listen, listen_count);
    if (i == 1) NULL_INSIDE(listen, listen_count);
    if (i == 2) NO_LIST(cipher_suites, cipher_suite_count);
    if (i == 3) NULL_INSIDE(cipher_suites, cipher_suite_count);
    if (i == 4) NO_LIST(groups, group_count);
    if (i == 5) NULL_INSIDE(groups, group_count);
    INVALID(wt_server_new, &options, &server, NULL, 0);
  }
  for (int i = 0; i < 5; i++) {
    struct wt_client_config options;
    wt_client_config_default(&options);
    if (i == 0) NO_LIST(certificate_hashes, certificate_hash_count);
    if (i == 1) NO_LIST(cipher_suites, cipher_suite_count);
    if (i == 2) NULL_INSIDE(cipher_suites, cipher_suite_count);
    if (i == 3) NO_LIST(groups, group_count);
    if (i == 4) NULL_INSIDE(groups, group_count);
    INVALID(wt_client_new, &options, &client, NULL, 0);
  }
}

/* --- None is missing --- */

static bool is_seen(const char *name) {
  for (size_t i = 0; i < seen_count; i++)
    if (strcmp(seen[i], name) == 0) return true;
  return false;
}

/* `text` follows WT_API: "int wt_server_run(wt_server *server);". */
static bool check_declaration(const char *text) {
  const char *open = strchr(text, '('), *end = strchr(text, ';'), *begin = open;
  char name[100];
  assert_true(open && end && open < end);
  while (begin[-1] == '_' || (begin[-1] >= 'a' && begin[-1] <= 'z') || (begin[-1] >= '0' && begin[-1] <= '9')) begin--;
  snprintf(name, sizeof(name), "%.*s", (int)(open - begin), begin);
  if (!memchr(open, '*', (size_t)(end - open)) || is_seen(name)) return true;
  print_error("%s has a pointer argument and is not called with NULL here\n", name);
  return false;
}

static size_t check_header(const char *folder, const char *file) {
  static char text[256 * 1024];
  char path[1200];
  size_t wrong = 0;
  snprintf(path, sizeof(path), "%s/%s", folder, file);
  FILE *header = fopen(path, "r");
  assert_non_null(header);
  text[fread(text, 1, sizeof(text) - 1, header)] = '\0';
  fclose(header);
  for (const char *at = text; (at = strstr(at, "\nWT_API ")); at++)
    wrong += !check_declaration(at + strlen("\nWT_API "));
  return wrong;
}

static void test_null_is_tried_with_every_function(void **state) {
  const char *root = getenv("WT_SOURCE_DIR");
  char folder[900];
  size_t wrong = 0, headers = 0;
  (void)state;
  if (!root) skip(); /* started by hand: CTest sets it */
  snprintf(folder, sizeof(folder), "%s/include/webtransport", root);
  DIR *files = opendir(folder);
  assert_non_null(files);
  for (const struct dirent *file; (file = readdir(files));) {
    if (!strstr(file->d_name, ".h")) continue;
    wrong += check_header(folder, file->d_name);
    headers++;
  }
  closedir(files);
  assert_true(headers > 5);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_null_sessions, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_null_subscriptions, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_null_streams, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_null_questions_about_requests, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_null_answers, set_up, tear_down),
      cmocka_unit_test(test_null_servers),
      cmocka_unit_test(test_null_clients),
      cmocka_unit_test(test_null_dials),
      cmocka_unit_test(test_null_exchanges),
      cmocka_unit_test(test_null_certificates),
      cmocka_unit_test_setup_teardown(test_null_lists_of_an_upgrade, set_up, tear_down),
      cmocka_unit_test(test_null_lists_of_a_client),
      cmocka_unit_test(test_null_lists_of_configurations),
      cmocka_unit_test(test_null_is_tried_with_every_function),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
