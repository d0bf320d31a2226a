/* SPDX-License-Identifier: MIT */
/*
 * The lines of access logs: JSON Lines, one object for each session and for each request that became none, also for those that
 * the library has refused by itself. `serve` writes them as they are, the gateway adds members of its own.
 *
 * What a client has sent cannot forge a line: jansson escapes quotes and control characters, other bytes are printed as ASCII,
 * and each text is cut. What may be a secret is not there: no query, unless the operator wants it, and no header fields but
 * `origin` and `user-agent`.
 */
#include "common/access_line.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/tool_log.h"

enum {
  TEXT_BYTES = 1024 /* of each text in a line */
};

void access_put_text(json_t *line, const char *name, const char *text) {
  json_object_set_new_nocheck(line, name, text && *text ? json_log_text(text, TEXT_BYTES) : json_null());
}

void access_put_count(json_t *line, const char *name, uint64_t count) {
  json_object_set_new_nocheck(line, name, json_integer((json_int_t)count));
}

static void put_request(json_t *line, const struct wt_access_record *record, bool query) {
  char stamp[40];
  log_time(stamp, sizeof stamp);
  access_put_text(line, "time", stamp);
  access_put_text(line, "http", "3");
  access_put_text(line, "kind", record->is_webtransport ? "session" : "request");
  access_put_text(line, "client", record->peer_address);
  access_put_text(line, "connection", record->connection);
  access_put_count(line, "worker", record->worker);
  access_put_text(line, "method", record->method);
  access_put_text(line, "path", record->path);
  if (query) access_put_text(line, "query", record->query);
  access_put_text(line, "authority", record->authority);
  access_put_text(line, "origin", record->origin);
  access_put_text(line, "user_agent", record->user_agent);
  access_put_text(line, "route", record->route);
  json_object_set_new_nocheck(line, "status", record->status ? json_integer(record->status) : json_null());
  json_object_set_new_nocheck(line, "duration_ms", json_real((double)record->duration_us / 1000));
  access_put_count(line, "bytes_in", record->bytes_received);
  access_put_count(line, "bytes_out", record->bytes_sent);
}

/* A request that became no session. */
static void put_answer(json_t *line, const struct wt_access_record *record) {
  access_put_text(line, "error", record->error ? wt_error_string(record->error) : NULL);
  json_object_set_new_nocheck(line, "wire_code",
                              record->wire_code ? json_integer((json_int_t)record->wire_code) : json_null());
}

static void put_session(json_t *line, const wt_session *session) {
  struct wt_session_stats stats = {.size = sizeof stats};
  (void)wt_session_get_stats(session, &stats); /* after an error, zeros are logged */
  access_put_count(line, "draft", (uint64_t)wt_session_draft(session));
  access_put_text(line, "protocol", wt_session_protocol(session));
  access_put_count(line, "streams_in", stats.streams_accepted);
  access_put_count(line, "streams_out", stats.streams_opened);
  access_put_count(line, "datagrams_in", stats.datagrams_received);
  access_put_count(line, "datagrams_out", stats.datagrams_sent);
  access_put_count(line, "datagrams_dropped", stats.datagrams_dropped_outgoing + stats.datagrams_dropped_incoming);
}

static void put_close(json_t *line, const struct wt_close_info *close) {
  access_put_text(line, "cause", wt_cause_name(close->cause));
  access_put_text(line, "by", wt_party_name(close->by));
  json_object_set_new_nocheck(line, "clean", json_boolean(close->clean));
  json_object_set_new_nocheck(line, "code", close->has_code ? json_integer(close->code) : json_null());
  access_put_text(line, "reason", close->clean ? close->reason : close->message);
  json_object_set_new_nocheck(line, "wire_code",
                              close->clean ? json_null() : json_integer((json_int_t)close->wire_code));
}

json_t *access_line(const struct wt_access_record *record, bool query) {
  json_t *line = json_object();
  put_request(line, record, query);
  if (record->session) {
    put_session(line, record->session);
    put_close(line, record->close);
  } else {
    put_answer(line, record);
  }
  return line;
}

void access_line_write(struct line_writer *writer, json_t *line) {
  char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
  json_decref(line);
  if (text) line_writer_add(writer, text, strlen(text));
  free(text);
}

void serve_access_log_write(const struct wt_access_record *record, void *user_data) {
  const struct serve_access_log *log = user_data;
  access_line_write(log->writer, access_line(record, log->query));
}
