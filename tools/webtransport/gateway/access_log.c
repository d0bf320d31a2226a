/* SPDX-License-Identifier: MIT */
/*
 * The access log. A line is one JSON object, which common/line_writer.h writes without making the loop wait. Texts of clients are
 * cut and go through json_log_text. The query of the request is left out, because it may have a
 * secret.
 */
#include "gateway/access_log.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/tool_log.h"
#include "gateway/gateway_session.h"

enum {
  TEXT_BYTES = 1024 /* of each text of a client in a line */
};

static json_t *count_json(uint64_t count) { return json_integer((json_int_t)count); }

static json_t *text_json(const char *text) { return text && text[0] ? json_log_text(text, TEXT_BYTES) : json_null(); }

bool access_log_open(struct access_log *log, const char *path, char *message, size_t size) {
  if (path && log->path && !strcmp(path, log->path)) {
    line_writer_reopen(log->writer);
    return true;
  }
  struct access_log made = {NULL, NULL};
  if (path) {
    made.writer = line_writer_open("access log", path, NULL, message, size);
    if (!made.writer) return false;
    made.path = strdup(path); /* NULL: a reload opens it anew */
  }
  access_log_close(log);
  *log = made;
  return true;
}

void access_log_reopen(struct access_log *log) { line_writer_reopen(log->writer); }

void access_log_close(struct access_log *log) {
  line_writer_close(log->writer);
  free(log->path);
  *log = (struct access_log){NULL, NULL};
}

static void put_time(json_t *line) {
  char stamp[40];
  log_time(stamp, sizeof stamp);
  json_object_set_new(line, "time", json_string(stamp));
}

static void put_who(json_t *line, const struct gateway_session *session, const wt_session *wt) {
  char path[ROUTE_PATH_SIZE];
  const char *whole = wt_session_path(wt);
  snprintf(path, sizeof path, "%.*s", (int)strcspn(whole, "?"), whole);
  json_object_set_new(line, "client", json_text(wt_session_peer_address(wt)));
  json_object_set_new(line, "route", json_text(session->route->settings.path));
  json_object_set_new(line, "path", text_json(path));
  json_object_set_new(line, "backend", json_text(session->route->settings.target.text));
  json_object_set_new(line, "origin", text_json(wt_session_header(wt, "origin")));
  json_object_set_new(line, "user", text_json(session->identity.user));
  json_object_set_new(line, "draft", json_integer(wt_session_draft(wt)));
  json_object_set_new(line, "protocol", text_json(wt_session_protocol(wt)));
}

/* The gateway and the back end close sessions by the same call as any application. */
static const char *ended_by(const struct gateway_session *session, const struct wt_close_info *info) {
  if (session->code) return "gateway";
  return session->ended_by_backend && info->by == WT_LOCAL ? "backend" : wt_party_name(info->by);
}

static void put_end(json_t *line, const struct gateway_session *session, const struct wt_close_info *info) {
  json_object_set_new(line, "by", json_string(ended_by(session, info)));
  json_object_set_new(line, "cause", json_string(wt_cause_name(info->cause)));
  json_object_set_new(line, "code", info->has_code ? json_integer(info->code) : json_null());
  json_object_set_new(line, "reason", text_json(info->clean ? info->reason : info->message));
  json_object_set_new(line, "clean", json_boolean(info->clean));
}

static void put_counts(json_t *line, const struct gateway_session *session, const struct wt_session_stats *stats) {
  uint64_t duration = gateway_now(session->gateway) - session->began_ms;
  json_object_set_new(line, "duration_ms", count_json(duration));
  json_object_set_new(line, "bytes_in", count_json(session->bytes_in));
  json_object_set_new(line, "bytes_out", count_json(session->bytes_out));
  json_object_set_new(line, "streams", count_json(session->streams));
  json_object_set_new(line, "streams_failed", count_json(session->streams_failed));
  json_object_set_new(line, "streams_refused", count_json(session->streams_refused));
  json_object_set_new(line, "datagrams_in", count_json(session->datagrams_in));
  json_object_set_new(line, "datagrams_out", count_json(session->datagrams_out));
  uint64_t lost = session->datagrams_dropped + session->datagrams_too_large + session->datagrams_refused +
                  stats->datagrams_dropped_outgoing + stats->datagrams_dropped_incoming;
  json_object_set_new(line, "datagrams_lost", count_json(lost));
  json_object_set_new(line, "datagrams_too_large", count_json(session->datagrams_too_large));
  json_object_set_new(line, "datagrams_refused", count_json(session->datagrams_refused));
  json_object_set_new(line, "rtt_us", count_json(stats->smoothed_rtt_us));
  json_object_set_new(line, "backend_rtt_us",
                      session->backend_rtt_us ? count_json(session->backend_rtt_us) : json_null());
}

static void line_write(struct access_log *log, json_t *line) {
  char *text = line ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
  json_decref(line);
  if (text) line_writer_add(log->writer, text, strlen(text));
  free(text);
}

void access_log_write(struct access_log *log, const struct gateway_session *session, const wt_session *wt,
                      const struct wt_close_info *info) {
  struct wt_session_stats stats = {.size = sizeof stats};
  if (!log->writer) return;
  (void)wt_session_get_stats(wt, &stats); /* after an error, zeros are logged */
  json_t *line = json_object();
  put_time(line);
  put_who(line, session, wt);
  put_end(line, session, info);
  put_counts(line, session, &stats);
  line_write(log, line);
}

void access_log_write_request(struct access_log *log, const struct request_line *request) {
  const struct route_settings *settings = &request->route->settings;
  if (!log->writer) return;
  json_t *line = json_object();
  put_time(line);
  json_object_set_new(line, "client", json_text(wt_request_peer_address(request->request)));
  json_object_set_new(line, "route", json_text(settings->path));
  json_object_set_new(line, "path", text_json(wt_request_path(request->request)));
  json_object_set_new(line, "backend", json_text(settings->requests.text));
  json_object_set_new(line, "origin", text_json(wt_request_origin(request->request)));
  json_object_set_new(line, "user", text_json(request->user));
  json_object_set_new(line, "method", text_json(request->method));
  json_object_set_new(line, "status", request->status ? json_integer(request->status) : json_null());
  json_object_set_new(line, "error", text_json(request->error));
  json_object_set_new(line, "duration_ms", count_json(gateway_now(request->gateway) - request->began_ms));
  json_object_set_new(line, "bytes_in", count_json(request->bytes_in));
  json_object_set_new(line, "bytes_out", count_json(request->bytes_out));
  line_write(log, line);
}
