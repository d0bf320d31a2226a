/* SPDX-License-Identifier: MIT */
/*
 * The access log of `webtransport serve`: JSON Lines, one object for each session and for each request that became none, also
 * for those that the library has refused by itself.
 *
 * What a client has sent cannot forge a line: jansson escapes quotes and control characters, other bytes are printed as ASCII,
 * and each text is cut. What may be a secret is not there: no query, unless the operator wants it, and no header fields but
 * `origin` and `user-agent`.
 */
#include "serve/access_log.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/tool_log.h"

enum {
  TEXT_BYTES = 1024 /* of each text in a line */
};

static void put_text(json_t *line, const char *name, const char *text) {
  json_object_set_new_nocheck(line, name, text && *text ? json_log_text(text, TEXT_BYTES) : json_null());
}

static void put_count(json_t *line, const char *name, uint64_t count) {
  json_object_set_new_nocheck(line, name, json_integer((json_int_t)count));
}

static void put_request(json_t *line, const struct wt_access_record *record, bool query) {
  char stamp[40];
  log_time(stamp, sizeof stamp);
  put_text(line, "time", stamp);
  put_text(line, "kind", record->is_webtransport ? "session" : "request");
  put_text(line, "client", record->peer_address);
  put_text(line, "connection", record->connection);
  put_count(line, "worker", record->worker);
  put_text(line, "method", record->method);
  put_text(line, "path", record->path);
  if (query) put_text(line, "query", record->query);
  put_text(line, "authority", record->authority);
  put_text(line, "origin", record->origin);
  put_text(line, "user_agent", record->user_agent);
  put_text(line, "route", record->route);
  json_object_set_new_nocheck(line, "status", record->status ? json_integer(record->status) : json_null());
  json_object_set_new_nocheck(line, "duration_ms", json_real((double)record->duration_us / 1000));
  put_count(line, "bytes_in", record->bytes_received);
  put_count(line, "bytes_out", record->bytes_sent);
}

/* A request that became no session. */
static void put_answer(json_t *line, const struct wt_access_record *record) {
  put_text(line, "error", record->error ? wt_error_string(record->error) : NULL);
  json_object_set_new_nocheck(line, "wire_code",
                              record->wire_code ? json_integer((json_int_t)record->wire_code) : json_null());
}

static void put_session(json_t *line, const wt_session *session) {
  struct wt_session_stats stats = {.size = sizeof stats};
  (void)wt_session_get_stats(session, &stats); /* after an error, zeros are logged */
  put_count(line, "draft", (uint64_t)wt_session_draft(session));
  put_text(line, "protocol", wt_session_protocol(session));
  put_count(line, "streams_in", stats.streams_accepted);
  put_count(line, "streams_out", stats.streams_opened);
  put_count(line, "datagrams_in", stats.datagrams_received);
  put_count(line, "datagrams_out", stats.datagrams_sent);
  put_count(line, "datagrams_dropped", stats.datagrams_dropped_outgoing + stats.datagrams_dropped_incoming);
}

static void put_close(json_t *line, const struct wt_close_info *close) {
  put_text(line, "cause", wt_cause_name(close->cause));
  put_text(line, "by", wt_party_name(close->by));
  json_object_set_new_nocheck(line, "clean", json_boolean(close->clean));
  json_object_set_new_nocheck(line, "code", close->has_code ? json_integer(close->code) : json_null());
  put_text(line, "reason", close->clean ? close->reason : close->message);
  json_object_set_new_nocheck(line, "wire_code",
                              close->clean ? json_null() : json_integer((json_int_t)close->wire_code));
}

void serve_access_log_write(const struct wt_access_record *record, void *user_data) {
  const struct serve_access_log *log = user_data;
  json_t *line = json_object();
  put_request(line, record, log->query);
  if (record->session) {
    put_session(line, record->session);
    put_close(line, record->close);
  } else {
    put_answer(line, record);
  }
  char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
  json_decref(line);
  if (text) line_writer_add(log->writer, text, strlen(text));
  free(text);
}
