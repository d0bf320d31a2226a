/* SPDX-License-Identifier: MIT */
/*
 * Requests whose client makes no progress. core/stream.c does the same for the streams of sessions. A request waits for its
 * client with three things:
 *
 *    header section   it has to be whole within a time that begins with the stream's first byte. The same holds for a stream
 *                     that has not said yet what it is, and for fields that wait for QPACK's dynamic table.
 *    body             as long as the application wants it; during a pause the application is waited for, not the client
 *    answer           as long as a part of it is not acknowledged
 *
 * Body and answer are watched for progress (core/progress.h). Capsules of sessions are not: a session may be silent for
 * days, and what it can make us keep is bounded.
 *
 * How it ends (RFC 9114, section 4.1.1): a request that was not processed at all is reset with H3_REQUEST_REJECTED, so that
 * the client knows it may try again; any other with H3_REQUEST_CANCELLED, since its answer is abandoned. It is not our
 * fault, so it is not H3_INTERNAL_ERROR. The application gets WT_ERR_TIMEOUT.
 */

#include "h3/stalls.h"

#include "base/clock.h"
#include "h3/body.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/file_body.h"
#include "h3/request.h"
#include "h3/streams.h"
#include "wire/error_code.h"

#define IS_UNI(id) (((id)&2) != 0)
#define RECORD_OF(l) WT__CONTAINER_OF(l, struct wt__h3_stream, incomplete)

/* --- Giving up --- */

static void request_give_up(wt_request *request, uint64_t wire_code, const char *what, uint64_t timeout_ms) {
  struct wt__h3_conn *conn = request->conn;
  struct wt__log_limit *lines = wt__progress_count(conn->config->mux.progress);
  WT__INFO_LIMITED(conn->config->log, lines, conn->now,
                   WT__EVENT_OF("request_stalled", WT__H3_CONNECTION(conn), WT__INTEGER("request", request->id),
                                WT__TEXT("path", request->path), WT__TEXT("part", what),
                                WT__INTEGER("timeout_ms", timeout_ms)),
                   "request %lld from %s is given up: %s made no progress in %llu ms", (long long)request->id,
                   conn->peer_address, what, (unsigned long long)timeout_ms);
  request->timed_out = true;
  wt__request_abort(request, wire_code);
}

/* --- Header sections --- */

void wt__stalls_watch_header(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  uint64_t timeout_ms = conn->config->header_timeout_ms;
  if (timeout_ms == 0 || wt__link_linked(&record->incomplete)) return;
  record->deadline = conn->now + timeout_ms * WT__NS_PER_MS;
  wt__list_push_back(&conn->incomplete, &record->incomplete);
}

static void record_give_up(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  struct wt__log_limit *lines;
  if (record->kind == WT__H3_HTTP) { /* only requests wait for their header section */
    request_give_up(record->owner, WT__H3_REQUEST_REJECTED, "its header section", conn->config->header_timeout_ms);
    return;
  }
  lines = wt__progress_count(conn->config->mux.progress);
  WT__INFO_LIMITED(conn->config->log, lines, conn->now,
                   WT__EVENT_OF("stream_stalled", WT__H3_CONNECTION(conn), WT__INTEGER("stream", record->id),
                                WT__TEXT("part", "header"), WT__INTEGER("timeout_ms", conn->config->header_timeout_ms)),
                   "stream %lld from %s is given up: its header did not come in %llu ms", (long long)record->id,
                   conn->peer_address, (unsigned long long)conn->config->header_timeout_ms);
  wt__streams_refuse(conn, record, WT__H3_REQUEST_REJECTED);
  wt__h3_stop_sending(conn, record->id, IS_UNI(record->id) ? WT__H3_STREAM_CREATION_ERROR : WT__H3_REQUEST_REJECTED);
}

static void headers_run(struct wt__h3_conn *conn) {
  struct wt__link *first;
  while ((first = wt__list_first(&conn->incomplete)) && RECORD_OF(first)->deadline <= conn->now) {
    wt__list_remove(first);
    if (!wt__stalls_header_is_whole(RECORD_OF(first))) record_give_up(conn, RECORD_OF(first));
  }
}

/* --- Answers --- */

static struct wt__progress_state answer_state(const struct wt__progress *progress) {
  const wt_request *request = WT__CONTAINER_OF(progress, wt_request, answer_progress);
  const struct wt__body_out *out = &request->out;
  const struct wt__h3_stream *record = request->stream;
  uint64_t left = out->queue.end - out->acked + (request->file ? wt__file_body_left(request->file) : 0);
  bool unsent = request->file || (out->ended && !request->fin_sent);
  bool open = request->in.discard && !request->in.fin; /* the client's side, though it was asked to end it */
  if (!record || request->ended != WT__REQUEST_OPEN || !request->answered)
    return (struct wt__progress_state){.waits = false};
  return (struct wt__progress_state){
      .waits = left > 0 || unsent || record->acked == 0 || open,
      .turn = wt__h3_stream_room(request->conn, request->id) > 0 && (unsent || left > 0),
      .done = record->acked,
      .left = left,
      .total = request->conn->mux.sent_total,
  };
}

static void answer_give_up(struct wt__progress *progress) {
  wt_request *request = WT__CONTAINER_OF(progress, wt_request, answer_progress);
  request_give_up(request, WT__H3_REQUEST_CANCELLED, "its answer", request->conn->config->mux.send_timeout_ms);
}

void wt__stalls_watch_answer(wt_request *request) {
  if (wt__progress_watch(&request->conn->answers, &request->answer_progress)) wt__h3_wake(request->conn);
}

/* --- Bodies --- */

static bool body_is_wanted(const wt_request *request) {
  return request->stream && request->stage == WT__REQUEST_DISPATCHED && request->callbacks.on_body &&
         !request->is_webtransport && !request->in.paused && !request->in.fin && !request->in.discard &&
         request->ended == WT__REQUEST_OPEN;
}

static struct wt__progress_state body_state(const struct wt__progress *progress) {
  const wt_request *request = WT__CONTAINER_OF(progress, wt_request, body_progress);
  return (struct wt__progress_state){
      .waits = body_is_wanted(request),
      .turn = true, /* we cannot know whether the client sends another body first */
      .done = request->in.received,
      .left = UINT64_MAX,
      .total = request->conn->bodies_total,
  };
}

static void body_give_up(struct wt__progress *progress) {
  wt_request *request = WT__CONTAINER_OF(progress, wt_request, body_progress);
  request_give_up(request, WT__H3_REQUEST_CANCELLED, "its body", request->conn->config->body_timeout_ms);
}

void wt__stalls_watch_body(wt_request *request) {
  if (body_is_wanted(request)) wt__progress_watch(&request->conn->bodies, &request->body_progress);
}

/* --- A connection --- */

void wt__stalls_init(struct wt__h3_conn *conn) {
  const struct wt__h3_config *config = conn->config;
  wt__list_init(&conn->incomplete);
  wt__progress_list_init(&conn->answers, config->mux.send_timeout_ms, config->mux.min_progress);
  wt__progress_list_init(&conn->bodies, config->body_timeout_ms, config->mux.min_progress);
}

void wt__stalls_run(struct wt__h3_conn *conn) {
  static const struct wt__progress_kind answers = {answer_state, answer_give_up}, bodies = {body_state, body_give_up};
  headers_run(conn);
  wt__progress_run(&conn->answers, &answers, conn->now);
  wt__progress_run(&conn->bodies, &bodies, conn->now);
}
