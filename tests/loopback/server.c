/* SPDX-License-Identifier: MIT */
/*
 * The fixture: the layers base to quic as the net layer would put them together, with the simulated
 * network instead of sockets.
 *
 * Records outlive the handles they are about, so that a test can look at them afterwards, and a
 * callback that comes too late finds a record which says so. The rules of the public headers that hold
 * everywhere are asserted here and not in each test.
 */
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/capsule.h"

struct sockaddr_in server_address(void) {
  return net_address(0);
}

static void copy_text(char *dst, size_t size, const char *src) { snprintf(dst, size, "%s", src ? src : ""); }

/* --- Streams --- */

static void stream_callbacks_set(struct server_stream *record);

static struct server_stream *stream_record(struct server_session *session, wt_stream *stream) {
  struct server *server = session->server;
  struct server_stream *record = calloc(1, sizeof(*record));
  assert_non_null(record);
  record->session = session;
  record->stream = stream;
  record->id = wt_stream_id(stream);
  record->uni = wt_stream_kind(stream) == WT_UNIDIRECTIONAL;
  record->remote = wt_stream_is_remote(stream);
  record->frugal = server->frugal;
  assert_ptr_equal(wt_stream_session(stream), session->session);
  if (server->last_stream)
    server->last_stream->next = record;
  else
    server->streams = record;
  server->last_stream = record;
  return record;
}

static void hook_run(struct server_session *session, enum server_event event, struct server_stream *stream) {
  if (session->server->hook) session->server->hook(session->server, event, session, stream);
}

/* Writes what waits on `out`, and holds back its source while not all fits. */
static void echo_pump(struct server_stream *out) {
  struct server_stream *in = out->echo_from;
  if (!out->stream || out->ended) return;
  size_t written = 0, left = out->pending.len - out->pending_at;
  if (left) {
    int error = wt_stream_write(out->stream, out->pending.data + out->pending_at, left, &written);
    if (error) {
      out->ended = true;
      return;
    }
    out->pending_at += written;
  }
  bool all = out->pending_at == out->pending.len;
  if (all) out->pending.len = out->pending_at = 0;
  if (all && out->pending_fin) {
    out->ended = true;
    wt_stream_end(out->stream);
  }
  if (in && in->stream) {
    if (all)
      wt_stream_resume(in->stream);
    else
      wt_stream_pause(in->stream);
  }
}

static void echo_data(struct server_stream *in, const uint8_t *data, size_t len, bool fin) {
  struct server_stream *out = in->echo_to;
  if (!out) return;
  bytes_add(&out->pending, data, len);
  out->pending_fin |= fin;
  echo_pump(out);
}

static void echo_begin(struct server_stream *in) {
  struct server_stream *out = in;
  if (in->uni) {
    int error = 0;
    out = server_open(in->session, true, &error);
    if (!out) {
      wt_stream_stop_sending(in->stream, 1);
      return;
    }
  }
  in->echo_to = out;
  out->echo_from = in;
}

static void on_stream_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct server_stream *record = user_data;
  assert_ptr_equal(record->stream, stream);
  assert_false(record->fin);
  assert_int_equal(record->resets, 0);
  record->rx_total += len;
  if (!record->frugal) bytes_add(&record->rx, data, len);
  record->fin = fin;
  if (record->session->echo) echo_data(record, data, len, fin);
  hook_run(record->session, SERVER_DATA, record);
}

static void on_stream_writable(wt_stream *stream, void *user_data) {
  struct server_stream *record = user_data;
  assert_ptr_equal(record->stream, stream);
  record->writables++;
  if (record->session->echo) echo_pump(record);
  hook_run(record->session, SERVER_WRITABLE, record);
}

static void on_stream_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct server_stream *record = user_data;
  assert_ptr_equal(record->stream, stream);
  assert_int_equal(record->resets, 0);
  record->resets++;
  record->reset_error = *error;
  if (record->session->echo && record->echo_to && record->echo_to->stream) {
    wt_stream_reset(record->echo_to->stream, error->has_code ? error->code : 0);
  }
  hook_run(record->session, SERVER_RESET, record);
}

static void on_stream_stop(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct server_stream *record = user_data;
  assert_ptr_equal(record->stream, stream);
  assert_int_equal(record->stops, 0);
  record->stops++;
  record->stop_error = *error;
  hook_run(record->session, SERVER_STOP, record);
}

static void stream_unlink(struct server *server, struct server_stream *record) {
  struct server_stream **at = &server->streams, *before = NULL;
  while (*at != record) {
    before = *at;
    at = &(*at)->next;
  }
  *at = record->next;
  if (server->last_stream == record) server->last_stream = before;
}

static void stream_record_free(struct server_stream *record) {
  if (record->echo_to && record->echo_to != record) record->echo_to->echo_from = NULL;
  if (record->echo_from && record->echo_from != record) record->echo_from->echo_to = NULL;
  bytes_free(&record->rx);
  bytes_free(&record->pending);
  free(record);
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct server_stream *record = user_data;
  struct server *server = record->session->server;
  assert_ptr_equal(record->stream, stream);
  assert_int_equal(record->closes, 0);
  assert_int_equal(record->session->closes, 0); /* a session closes after its streams */
  record->closes++;
  record->closed_in_order = error == NULL;
  record->closed_at = ++server->events;
  if (error) record->close_error = *error;
  hook_run(record->session, SERVER_STREAM_CLOSE, record);
  record->stream = NULL;
  if (server->forget) {
    stream_unlink(server, record);
    stream_record_free(record);
  }
}

static void stream_callbacks_set(struct server_stream *record) {
  struct wt_stream_callbacks callbacks = {
      .on_data = on_stream_data,
      .on_writable = on_stream_writable,
      .on_reset = on_stream_reset,
      .on_stop_sending = on_stream_stop,
      .on_close = on_stream_close,
  };
  wt_stream_set_callbacks(record->stream, &callbacks, record);
  assert_ptr_equal(wt_stream_user_data(record->stream), record);
}

struct server_stream *server_open(struct server_session *session, bool uni, int *error) {
  wt_stream *stream = NULL;
  *error = uni ? wt_session_open_uni(session->session, &stream) : wt_session_open_bidi(session->session, &stream);
  if (*error) return NULL;
  struct server_stream *record = stream_record(session, stream);
  stream_callbacks_set(record);
  return record;
}

/* --- Sessions --- */

static void on_session_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct server_session *record = user_data;
  assert_ptr_equal(record->session, session);
  assert_int_equal(record->closes, 0);
  record->streams++;
  if (record->server->no_stream_callbacks) return;
  struct server_stream *stream_data = stream_record(record, stream);
  stream_callbacks_set(stream_data);
  if (record->echo) echo_begin(stream_data);
  hook_run(record, SERVER_STREAM, stream_data);
}

static void on_session_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct server_session *record = user_data;
  assert_ptr_equal(record->session, session);
  assert_int_equal(record->closes, 0);
  record->datagrams++;
  record->last_datagram.len = 0;
  bytes_add(&record->last_datagram, data, len);
  if (record->echo) wt_session_send_datagram(session, data, len);
  hook_run(record, SERVER_DATAGRAM, NULL);
}

static void on_session_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct server_session *record = user_data;
  assert_ptr_equal(record->session, session);
  record->credits[kind]++;
  hook_run(record, SERVER_CREDIT, NULL);
}

static void on_session_drain(wt_session *session, void *user_data) {
  struct server_session *record = user_data;
  assert_ptr_equal(record->session, session);
  record->drains++;
  hook_run(record, SERVER_DRAIN, NULL);
}

static void session_unlink(struct server *server, struct server_session *record) {
  struct server_session **at = &server->sessions, *before = NULL;
  while (*at != record) {
    before = *at;
    at = &(*at)->next;
  }
  *at = record->next;
  if (server->last_session == record) server->last_session = before;
}

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct server_session *record = user_data;
  struct server *server = record->server;
  assert_ptr_equal(record->session, session);
  assert_int_equal(record->closes, 0);
  for (struct server_stream *stream = server->streams; stream; stream = stream->next) {
    if (stream->session == record) assert_int_equal(stream->closes, 1);
  }
  record->closes++;
  record->closed_at = ++server->events;
  record->info = *info;
  assert_true(info->reason_len <= WT__CLOSE_REASON_MAX);
  assert_int_equal(info->reason[info->reason_len], '\0'); /* a NUL inside is UTF-8 too */
  copy_text(record->reason, sizeof(record->reason), info->reason);
  record->info.reason = record->reason;
  copy_text(record->message, sizeof(record->message), info->message);
  record->info.message = record->message;
  hook_run(record, SERVER_SESSION_CLOSE, NULL);
  record->session = NULL;
  if (server->forget) {
    session_unlink(server, record);
    bytes_free(&record->last_datagram);
    free(record);
  }
}

static struct server_session *session_record(struct server *server) {
  struct server_session *record = calloc(1, sizeof(*record));
  assert_non_null(record);
  record->server = server;
  if (server->last_session)
    server->last_session->next = record;
  else
    server->sessions = record;
  server->last_session = record;
  return record;
}

int server_upgrade(struct server_request *request) {
  struct server *server = request->server;
  struct wt_upgrade_options options;
  wt_upgrade_options_default(&options);
  struct server_session *record = session_record(server);
  record->echo = strncmp(request->path, "/echo", 5) == 0;
  static const struct wt_session_callbacks callbacks = {
      .on_stream = on_session_stream,
      .on_datagram = on_session_datagram,
      .on_stream_credit = on_session_credit,
      .on_drain = on_session_drain,
      .on_close = on_session_close,
  };
  options.callbacks = &callbacks;
  options.user_data = record;
  options.protocols = server->protocols;
  options.protocol_count = server->protocol_count;
  options.require_protocol = server->require_protocol;
  options.headers = server->headers;
  options.header_count = server->header_count;
  if (server->status) options.status = server->status;
  int error = wt_upgrade(request->request, &options, &record->session);
  request->upgrade_error = error;
  if (error) {
    session_unlink(server, record);
    free(record);
    copy_text(request->upgrade_message, sizeof(request->upgrade_message), wt_request_error(request->request));
    return error;
  }
  request->request = NULL;
  request->upgraded = true;
  record->id = wt_session_id(record->session);
  record->draft = wt_session_draft(record->session);
  copy_text(record->path, sizeof(record->path), wt_session_path(record->session));
  copy_text(record->protocol, sizeof(record->protocol), wt_session_protocol(record->session));
  assert_ptr_equal(wt_session_user_data(record->session), record);
  hook_run(record, SERVER_UPGRADED, NULL);
  return 0;
}

struct server_session *server_adopt(struct server *server, wt_session *session, bool echo) {
  struct server_session *record = session_record(server);
  record->session = session;
  record->echo = echo;
  const struct wt_session_callbacks callbacks = {
      .on_stream = on_session_stream,
      .on_datagram = on_session_datagram,
      .on_stream_credit = on_session_credit,
      .on_drain = on_session_drain,
      .on_close = on_session_close,
  };
  wt_session_set_callbacks(session, &callbacks, record);
  record->id = wt_session_id(session);
  record->draft = wt_session_draft(session);
  copy_text(record->path, sizeof(record->path), wt_session_path(session));
  copy_text(record->protocol, sizeof(record->protocol), wt_session_protocol(session));
  hook_run(record, SERVER_UPGRADED, NULL);
  return record;
}

/* --- Requests --- */

static void request_pump(struct server_request *record) {
  if (!record->begun || record->ended || !record->request) return;
  size_t written = 0;
  if (record->echo) {
    if (record->body_at < record->body.len && wt_request_write(record->request, record->body.data + record->body_at,
                                                               record->body.len - record->body_at, &written) != 0) {
      return;
    }
    record->body_at += written;
    if (record->body_at < record->body.len)
      wt_request_pause(record->request);
    else
      wt_request_resume(record->request);
    if (record->body_fin && record->body_at == record->body.len) record->ended = true;
  } else {
    while (record->source_left) {
      size_t len = record->source_left < 65536 ? (size_t)record->source_left : 65536;
      uint8_t *all = pattern_new(record->source_at + len, 1);
      int error = wt_request_write(record->request, all + record->source_at, len, &written);
      free(all);
      if (error) return;
      record->source_at += written;
      record->source_left -= written;
      if (written < len) return;
    }
    record->ended = true;
  }
  if (record->ended) assert_int_equal(wt_request_end(record->request), 0);
}

static void on_request_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct server_request *record = user_data;
  assert_ptr_equal(record->request, request);
  assert_false(record->body_fin);
  bytes_add(&record->body, data, len);
  record->body_fin = fin;
  request_pump(record);
}

static void on_request_writable(wt_request *request, void *user_data) {
  struct server_request *record = user_data;
  assert_ptr_equal(record->request, request);
  request_pump(record);
}

static void on_request_close(wt_request *request, int error, void *user_data) {
  struct server_request *record = user_data;
  assert_ptr_equal(record->request, request);
  assert_int_equal(record->closes, 0);
  record->closes++;
  record->close_error = error;
  record->request = NULL;
}

struct server_request *server_request_new(struct server *server, wt_request *request) {
  struct server_request *record = calloc(1, sizeof(*record));
  assert_non_null(record);
  record->server = server;
  record->request = request;
  copy_text(record->method, sizeof(record->method), wt_request_method(request));
  copy_text(record->path, sizeof(record->path), wt_request_path(request));
  if (server->last_request)
    server->last_request->next = record;
  else
    server->requests = record;
  server->last_request = record;
  struct wt_request_callbacks callbacks = {
      .on_body = on_request_body,
      .on_writable = on_request_writable,
      .on_close = on_request_close,
  };
  wt_request_set_callbacks(request, &callbacks, record);
  assert_ptr_equal(wt_request_user_data(request), record);
  return record;
}

static void handle_hello(wt_request *request, void *user_data) {
  server_request_new(user_data, request);
  const struct wt_header header = {"content-type", "text/plain"};
  int error = wt_request_respond(request, 200, &header, 1, "hello\n", 6);
  /* A session is not accepted this way (section 3.2: 405 where a resource does not speak WebTransport). */
  if (error == WT_ERR_INVALID) (void)wt_request_respond(request, 405, NULL, 0, NULL, 0);
}

static void handle_post(wt_request *request, void *user_data) {
  struct server_request *record = server_request_new(user_data, request);
  record->echo = true;
  record->begun = wt_request_begin(request, 200, NULL, 0) == 0;
}

static void handle_source(wt_request *request, void *user_data) {
  struct server_request *record = server_request_new(user_data, request);
  char bytes[32] = "0";
  (void)wt_request_get_query_value(request, "bytes", bytes, sizeof(bytes));
  record->source_left = strtoull(bytes, NULL, 10);
  record->begun = wt_request_begin(request, 200, NULL, 0) == 0;
  request_pump(record);
}

static void handle_later(wt_request *request, void *user_data) { server_request_new(user_data, request); }

static void handle_session(wt_request *request, void *user_data) {
  struct server *server = user_data;
  struct server_request *record = server_request_new(server, request);
  int error = server_upgrade(record);
  if (!error) return;
  int status = server->reject_status ? server->reject_status : wt_upgrade_status(error);
  (void)wt_request_respond(request, status, NULL, 0, record->upgrade_message, strlen(record->upgrade_message));
}

void server_handle(struct server *server, const char *pattern, wt_handler_callback handler) {
  assert_int_equal(wt__routes_set(&server->routes, pattern, handler, server, NULL), 0);
}

/* --- The node --- */

/* 0, or WT_ERR_TOO_LARGE if packets were lost for that. */
static int packets_send(struct server *server, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                        size_t len, size_t segment) {
  struct sockaddr_in local, remote;
  int result = 0;
  memcpy(&local, &path->local, sizeof(local));
  memcpy(&remote, &path->remote, sizeof(remote));
  assert_ptr_equal(path->socket, server);
  assert_true(segment > 0);
  assert_true(len <= WT__MAX_BATCH);
  for (size_t at = 0; at < len; at += segment) {
    size_t n = len - at < segment ? len - at : segment;
    if (net_refuses(server->net, &server->node, n)) {
      result = WT_ERR_TOO_LARGE;
      continue;
    }
    net_send(server->net, &server->node, &local, &remote, ecn, data + at, n);
  }
  return result;
}

static int endpoint_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                         size_t segment) {
  struct server *server = ctx;
  server->send_calls++;
  if (server->socket_full) {
    server->sends_refused++;
    return WT_ERR_AGAIN;
  }
  return packets_send(server, path, ecn, data, len, segment);
}

/* As the kernel does: stops at the first run that does not pass, without a word. */
static size_t endpoint_send_runs(void *ctx, const struct wt__packet_run *runs, size_t count) {
  struct server *server = ctx;
  size_t sent = 0;
  assert_true(count >= 2 && count <= WT__MAX_RUNS);
  server->send_calls++;
  for (; sent < count && !server->socket_full; sent++) {
    const struct wt__packet_run *run = &runs[sent];
    if (net_refuses(server->net, &server->node, run->segment)) break;
    (void)packets_send(server, &run->path, run->ecn, run->data, run->len, run->segment);
    if (server->socket_room && --server->socket_room == 0) server->socket_full = true;
  }
  server->runs_shared += sent;
  return sent;
}

static void node_recv(void *ctx, const struct sockaddr_in *local, const struct sockaddr_in *remote, unsigned ecn,
                      const uint8_t *data, size_t len, uint64_t now) {
  struct server *server = ctx;
  struct wt__path path;
  memset(&path, 0, sizeof(path));
  memcpy(&path.local, local, sizeof(*local));
  memcpy(&path.remote, remote, sizeof(*remote));
  path.local_len = path.remote_len = sizeof(*local);
  path.socket = server;
  /* A copy of its own, of exactly this size: reading past the end is then found. */
  uint8_t *copy = malloc(len);
  assert_non_null(copy);
  memcpy(copy, data, len);
  wt__endpoint_recv(server->endpoint, &path, ecn, copy, len, now);
  free(copy);
}

static void node_run(void *ctx, uint64_t now) { wt__endpoint_run(((struct server *)ctx)->endpoint, now); }

static uint64_t node_expiry(void *ctx) { return wt__endpoint_expiry(((struct server *)ctx)->endpoint); }

static wt_certificate *certificate(void) {
  static wt_certificate *shared;
  if (!shared) assert_int_equal(wt_certificate_generate(NULL, 0, 13, &shared), 0);
  return shared;
}

void server_config_default(struct server *server) {
  struct wt__endpoint_config *config = &server->config;
  config->send = endpoint_send;
  config->send_runs = endpoint_send_runs;
  config->send_ctx = server;
  config->log = &server->log;
  config->idle_timeout_ms = 30000;
  config->keep_alive_ms = 15000;
  config->handshake_timeout_ms = 10000;
  config->retry = WT_RETRY_NEVER;
  config->retry_threshold = 256;
  config->max_connections = 1024;
  config->max_connections_per_address = 1024;
  config->max_handshakes_per_address = 256;
  config->initial_max_data = 1 << 20;
  config->max_data = 16 << 20;
  config->initial_max_stream_data = 256 << 10;
  config->max_stream_data = 6 << 20;
  config->max_streams_bidi = config->max_streams_uni = 256;
  struct wt__h3_config *h3 = &config->h3;
  h3->routes = &server->routes;
  h3->counters = &server->counters;
  h3->settings_timeout_ms = 5000;
  h3->no_request_timeout_ms = 10000;
  h3->max_sessions_per_connection = 16;
  h3->header_timeout_ms = 30000;
  h3->body_timeout_ms = h3->mux.send_timeout_ms = 60000;
  h3->mux.min_progress = 1024;
  h3->mux.progress = &server->counters.progress;
  h3->mux.datagrams = &server->counters.datagrams;
  h3->max_session_rate = 100;
  h3->open_files = &server->open_files;
  h3->max_open_files_per_connection = 32;
  h3->max_header_bytes = 16 << 10;
  h3->drafts = WT_DRAFT_ALL;
  h3->log = &server->log;
  h3->mux.max_stream_send_buffer = 256 << 10;
  h3->mux.max_datagrams_queued = 256;
  h3->mux.max_early_streams = h3->mux.max_early_datagrams = 64;
  h3->mux.early_timeout_ms = 5000;
  h3->mux.flow.initial.data = 1 << 20;
  h3->mux.flow.initial.streams[WT_BIDIRECTIONAL] = h3->mux.flow.initial.streams[WT_UNIDIRECTIONAL] = 100;
  h3->mux.flow.max_data = 16 << 20;
  h3->mux.log = &server->log;
}

void server_init(struct server *server, struct net *net) {
  memset(server, 0, sizeof(*server));
  wt_certificate *own = certificate(); /* shared by all tests of a program, so not counted */
  server->live_before = wt__mem_live();
  server->net = net;
  server->log.level = getenv("LOOPBACK_LOG") ? WT_LOG_DEBUG : WT_LOG_NONE;
  wt__routes_init(&server->routes);
  wt__open_files_init(&server->open_files, 512);
  wt__progress_counts_init(&server->counters.progress);
  server_handle(server, "/hello", handle_hello);
  server_handle(server, "/post", handle_post);
  server_handle(server, "/source", handle_source);
  server_handle(server, "/later", handle_later);
  server_handle(server, "/wt", handle_session);
  server_handle(server, "/echo", handle_session);
  assert_int_equal(wt__tls_context_new(&server->tls, true), 0);
  assert_int_equal(wt__tls_context_set_certificates(server->tls, &own, 1), 0);
  memset(server->reset_key, 0x5a, sizeof(server->reset_key));
  server_config_default(server);
}

void server_set_secrets(struct server *server, const struct wt__vec *secrets, size_t count) {
  struct wt__ticket_secrets tickets;
  assert_int_equal(wt__keys_derive(&server->fleet, &tickets, secrets, count), 0);
  assert_int_equal(wt__tls_context_set_ticket_secrets(server->tls, &tickets), 0);
  if (server->endpoint) wt__shared_set_keys(&server->shared, &server->fleet);
}

void server_start(struct server *server) {
  server->config.tls = server->tls;
  server->config.h3.max_streams_bidi = server->config.max_streams_bidi;
  server->config.h3.max_stream_data = server->config.max_stream_data;
  assert_int_equal(wt__shared_init(&server->shared), 0);
  wt__keys_fix_reset(&server->shared.keys, server->reset_key);
  if (server->fleet.token_count) wt__shared_set_keys(&server->shared, &server->fleet);
  server->config.shared = &server->shared;
  assert_int_equal(wt__endpoint_new(&server->endpoint, &server->config), 0);
  server->node.address = server->address.sin_port ? server->address : server_address();
  server->node.is_server = true;
  server->node.recv = node_recv;
  server->node.run = node_run;
  server->node.expiry = node_expiry;
  server->node.ctx = server;
  net_attach(server->net, &server->node);
}

void server_stop(struct server *server) {
  if (!server->endpoint) return;
  net_detach(server->net, &server->node);
  wt__endpoint_free(server->endpoint);
  server->endpoint = NULL;
  assert_int_equal(atomic_load(&server->shared.budget.used), 0); /* all that was counted was taken off again */
  wt__shared_free(&server->shared);
}

void server_records_free(struct server *server) {
  while (server->streams) {
    struct server_stream *record = server->streams;
    server->streams = record->next;
    assert_int_equal(record->closes, 1);
    stream_record_free(record);
  }
  while (server->sessions) {
    struct server_session *record = server->sessions;
    server->sessions = record->next;
    assert_int_equal(record->closes, 1);
    bytes_free(&record->last_datagram);
    free(record);
  }
  while (server->requests) {
    struct server_request *record = server->requests;
    server->requests = record->next;
    assert_int_equal(record->closes, record->upgraded ? 0 : 1);
    bytes_free(&record->body);
    free(record);
  }
}

void server_free(struct server *server) {
  server_stop(server);
  wt__tls_context_free(server->tls);
  wt__routes_free(&server->routes);
  server_records_free(server);
  assert_int_equal(server->open_files.count, 0);
  assert_int_equal(server->counters.sessions_open, 0);
  assert_int_equal(wt__mem_live(), server->live_before);
}

/* --- Finding records --- */

struct server_session *server_session(struct server *server, size_t index) {
  struct server_session *record = server->sessions;
  while (record && index--) record = record->next;
  return record;
}

struct server_stream *server_stream(struct server_session *session, size_t index) {
  if (!session) return NULL;
  for (struct server_stream *record = session->server->streams; record; record = record->next) {
    if (record->session == session && index-- == 0) return record;
  }
  return NULL;
}

struct server_request *server_request(struct server *server, size_t index) {
  struct server_request *record = server->requests;
  while (record && index--) record = record->next;
  return record;
}

static struct server_session *session_by_id(struct server *server, int64_t id) {
  struct server_session *found = NULL;
  for (struct server_session *record = server->sessions; record; record = record->next) {
    if (record->id == id && !record->closes) found = record;
  }
  return found;
}

struct server_session *server_connect(struct server *server, struct peer *peer, const char *path, int64_t *id) {
  NET_UNTIL(server->net, 5000, peer->handshake_done && (peer->control >= 0 || !peer->options.send_settings));
  *id = http_connect(peer, "webtransport", path, NULL, NULL);
  NET_UNTIL(server->net, 5000, http_status(peer, *id) != 0);
  assert_int_equal(http_status(peer, *id), 200);
  struct server_session *session = session_by_id(server, *id);
  assert_non_null(session);
  return session;
}
