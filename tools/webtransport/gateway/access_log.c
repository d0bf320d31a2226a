/* SPDX-License-Identifier: MIT */
/*
 * The access log. The library tells of each session and each request at its end, right after the `on_close` of its own, so also of
 * those that it has refused by itself. Lines are made as those of `webtransport serve` (common/access_line.h). What the gateway
 * alone knows (route, back end, why it has refused the request) is gone by then: it is left here in `on_close`, and taken when the
 * library tells.
 */
#include "gateway/access_log.h"

#include <stdlib.h>
#include <string.h>

#include "common/access_line.h"
#include "gateway/gateway_session.h"

bool access_log_open(struct access_log *log, const char *path, char *message, size_t size) {
  if (path && log->path && !strcmp(path, log->path)) {
    line_writer_reopen(log->writer);
    return true;
  }
  struct access_log made = {0};
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
  json_decref(log->members);
  *log = (struct access_log){0};
}

/* What the gateway knows of a session or request that ends. NULL: nobody wants it. */
static json_t *members_begin(struct access_log *log, const void *of) {
  if (!log->writer) return NULL;
  json_decref(log->members);
  log->members = json_object();
  log->of = of;
  return log->members;
}

static void put_route(json_t *members, const struct route *route, bool is_session, const char *user) {
  const struct route_settings *settings = route ? &route->settings : NULL;
  access_put_text(members, "route", settings ? settings->path : NULL);
  access_put_text(members, "backend", !settings ? NULL : is_session ? settings->target.text : settings->requests.text);
  access_put_text(members, "user", user);
}

/* The gateway and the back end close sessions by the same call as any application. */
static const char *ended_by(const struct gateway_session *session, const struct wt_close_info *info) {
  if (session->code) return "gateway";
  return session->ended_by_backend && info->by == WT_LOCAL ? "backend" : wt_party_name(info->by);
}

static void put_counts(json_t *members, const struct gateway_session *session, const struct wt_session_stats *stats) {
  uint64_t lost = session->datagrams_dropped + session->datagrams_too_large + session->datagrams_refused +
                  stats->datagrams_dropped_outgoing + stats->datagrams_dropped_incoming;
  access_put_count(members, "bytes_in", session->bytes_in);
  access_put_count(members, "bytes_out", session->bytes_out);
  access_put_count(members, "streams", session->streams);
  access_put_count(members, "streams_failed", session->streams_failed);
  access_put_count(members, "streams_refused", session->streams_refused);
  access_put_count(members, "datagrams_in", session->datagrams_in);
  access_put_count(members, "datagrams_out", session->datagrams_out);
  access_put_count(members, "datagrams_lost", lost);
  access_put_count(members, "datagrams_too_large", session->datagrams_too_large);
  access_put_count(members, "datagrams_refused", session->datagrams_refused);
  access_put_count(members, "rtt_us", stats->smoothed_rtt_us);
  if (session->backend_rtt_us)
    access_put_count(members, "backend_rtt_us", session->backend_rtt_us);
  else
    access_put_text(members, "backend_rtt_us", NULL);
}

void access_log_session(struct access_log *log, const struct gateway_session *session,
                        const struct wt_close_info *info) {
  struct wt_session_stats stats = {.size = sizeof stats};
  json_t *members = members_begin(log, session->wt);
  if (!members) return;
  (void)wt_session_get_stats(session->wt, &stats); /* after an error, zeros are logged */
  put_route(members, session->route, true, session->identity.user);
  access_put_text(members, "by", ended_by(session, info));
  put_counts(members, session, &stats);
}

void access_log_request(struct access_log *log, const wt_request *request, const struct access_request *known) {
  json_t *members = members_begin(log, request);
  if (!members) return;
  put_route(members, known->route, wt_request_is_webtransport(request), known->user);
  access_put_text(members, "refusal", known->refusal);
  if (known->answered) access_put_text(members, "error", known->error);
}

void access_log_on_end(const struct wt_access_record *record, void *user_data) {
  struct access_log *log = user_data;
  const void *of = record->session ? (const void *)record->session : record->request;
  json_t *members = log->of == of ? log->members : NULL;
  if (log->writer) {
    json_t *line = access_line(record, false);
    if (!members) { /* the library has answered by itself */
      put_route(line, NULL, record->is_webtransport, NULL);
      access_put_text(line, "refusal", NULL);
    }
    if (members) json_object_update(line, members);
    access_line_write(log->writer, line);
  }
  json_decref(log->members);
  log->members = NULL;
  log->of = NULL;
}
