/* SPDX-License-Identifier: MIT */
/*
 * The WebTransport half of a connection: which session a stream of the peer belongs to, and what is to be done next.
 *
 * A stream of the peer goes to its session, waits for it (early.c), or is refused. It is refused if its session ended
 * or was refused a short while ago (past.c).
 *
 * `wt__mux_run` makes the application's callbacks and frees what is over. `wt__mux_next` says which stream sends next:
 * sched.c knows whose turn it is, and credit.c how much the peer allows.
 */

#include "core/mux.h"

#include <string.h>

#include "core/credit.h"
#include "core/datagram.h"
#include "core/early.h"
#include "core/session.h"
#include "core/stream.h"
#include "wire/error_code.h"

#define STREAM_OF(l, member) WT__CONTAINER_OF(l, struct wt_stream, member)
#define SESSION_OF(l, member) WT__CONTAINER_OF(l, struct wt_session, member)

void wt__mux_init(struct wt__mux *mux, const struct wt__mux_config *config, const struct wt_transport *transport,
                  void *ctx) {
  memset(mux, 0, sizeof(*mux));
  mux->config = config;
  mux->transport = transport;
  mux->ctx = ctx;
  mux->gauge = transport->gauge ? transport->gauge(ctx) : NULL;
  mux->qlog = transport->qlog ? transport->qlog(ctx) : NULL;
  wt__past_init(&mux->past, mux->gauge);
  wt__map_init(&mux->sessions);
  wt__list_init(&mux->session_list);
  wt__list_init(&mux->ended_sessions);
  wt__list_init(&mux->stopped_sessions);
  wt__list_init(&mux->stuck_sessions);
  wt__sched_init(&mux->sched);
  wt__progress_list_init(&mux->sending, config->send_timeout_ms, config->min_progress);
  wt__list_init(&mux->todo_streams);
  wt__list_init(&mux->todo_sessions);
  wt__ring_init(&mux->datagram_sessions);
  wt__list_init(&mux->fresh_sessions);
  wt__list_init(&mux->early_streams);
  wt__list_init(&mux->refused_streams);
  wt__list_init(&mux->early_datagrams);
}

/* --- The transport after the end of the connection: its functions do nothing --- */

static int gone_open_stream(void *ctx, bool uni, int64_t *id) {
  (void)ctx, (void)uni, (void)id;
  return WT_ERR_CLOSED;
}
static void gone_stream_code(void *ctx, int64_t id, uint64_t code) { (void)ctx, (void)id, (void)code; }
static void gone_wake(void *ctx) { (void)ctx; }
static size_t gone_max_datagram_len(void *ctx) {
  (void)ctx;
  return 0;
}
static void gone_close(void *ctx, uint64_t code, const char *reason) { (void)ctx, (void)code, (void)reason; }
static void gone_keep_alive(void *ctx, bool on) { (void)ctx, (void)on; }
static void gone_path_stats(void *ctx, struct wt__path_stats *stats) { (void)ctx, (void)stats; }
static void gone_get_info(void *ctx, struct wt_connection_info *info) {
  const size_t size = info->size;
  (void)ctx;
  *info = (struct wt_connection_info){.size = size};
}
static int gone_peer_certificate(void *ctx, size_t index, struct wt__vec *der) {
  (void)ctx, (void)index, (void)der;
  return WT_ERR_CLOSED;
}
static int gone_export_keys(void *ctx, const char *label, const void *context, size_t context_len, void *out,
                            size_t out_len) {
  (void)ctx, (void)label, (void)context, (void)context_len, (void)out, (void)out_len;
  return WT_ERR_CLOSED;
}
static void gone_connect(void *ctx, int64_t id) { (void)ctx, (void)id; }

static const struct wt_transport transport_gone = {
    .open_stream = gone_open_stream,
    .reset_stream = gone_stream_code,
    .stop_sending = gone_stream_code,
    .consume = gone_stream_code,
    .wake = gone_wake,
    .max_datagram_len = gone_max_datagram_len,
    .close_connection = gone_close,
    .leave_connection = gone_close,
    .set_keep_alive = gone_keep_alive,
    .path_stats = gone_path_stats,
    .get_info = gone_get_info,
    .peer_certificate = gone_peer_certificate,
    .export_keys = gone_export_keys,
    .connect_wake = gone_connect,
    .connect_reset = gone_stream_code,
    .session_closed = gone_connect,
};

static void streams_free(struct wt__list *streams) {
  struct wt__link *first;
  while ((first = wt__list_first(streams))) wt__stream_free(STREAM_OF(first, link));
}

static void sessions_free(struct wt__list *sessions) {
  struct wt__link *first;
  while ((first = wt__list_first(sessions))) {
    wt_session *session = SESSION_OF(first, link);
    wt__session_tell(session);
    streams_free(&session->streams);
    wt__session_free(session);
  }
}

void wt__mux_free(struct wt__mux *mux, const struct wt__ending *ending) {
  struct wt__link *first;
  mux->transport = &transport_gone;
  while ((first = wt__list_first(&mux->session_list))) {
    wt__session_end_connection(SESSION_OF(first, link), ending);
  }
  mux->qlog = NULL; /* it ends with the connection */
  sessions_free(&mux->ended_sessions);
  sessions_free(&mux->stuck_sessions);
  streams_free(&mux->early_streams);
  streams_free(&mux->refused_streams);
  wt__datagrams_free(mux);
  wt__released_run(&mux->released);
  wt__map_free(&mux->sessions);
  wt__past_free(&mux->past);
}

/* --- Streams of the peer --- */

static void stream_refuse_unmade(struct wt__mux *mux, int64_t id, bool uni) {
  if (!uni) mux->transport->reset_stream(mux->ctx, id, WT__WT_BUFFERED_STREAM_REJECTED);
  mux->transport->stop_sending(mux->ctx, id, WT__WT_BUFFERED_STREAM_REJECTED);
}

wt_stream *wt__mux_stream_new_remote(struct wt__mux *mux, int64_t id, bool uni, int64_t session_id, uint64_t now) {
  wt_session *session = wt__map_get(&mux->sessions, (uint64_t)session_id);
  bool early = session ? session->start != WT__SESSION_STARTED : !wt__past_has_id(&mux->past, session_id);
  /* The bound holds for streams without a session. A session that exists, but has not started yet, takes as many as its
   * peer may open: a server may send its answer and a hundred streams in one burst. */
  bool full = early && !session && !wt__early_has_room(mux);
  wt_stream *stream;
  mux->now = now;
  /* With flow control a refused stream gets a record, too: it counts the credit that the peer uses for it. */
  if ((session && session->ended) || (!session && !early) || (full && !wt__flow_wanted(&mux->config->flow.initial))) {
    stream_refuse_unmade(mux, id, uni);
    return NULL;
  }
  stream = wt__stream_alloc(mux, id, uni, true);
  if (!stream) {
    stream_refuse_unmade(mux, id, uni);
    return NULL;
  }
  stream->session_id = session_id;
  if (!early) {
    wt__stream_attach(stream, session);
    return stream;
  }
  if (full) {
    wt__credit_refused(mux, session_id, uni, 1, 0);
    wt__stream_refuse(stream, WT__WT_BUFFERED_STREAM_REJECTED);
    return stream;
  }
  wt__early_add(mux, stream, now);
  return stream;
}

void wt__mux_session_refused(struct wt__mux *mux, int64_t id) {
  wt__past_add_id(&mux->past, id);
  wt__early_refuse_session(mux, id);
}

/* The first session in the list is the one whose last stream was opened longest ago. */
void wt__mux_streams_allowed(struct wt__mux *mux, bool uni) {
  WT__LIST_FOREACH(it, next, &mux->session_list) {
    wt_session *session = SESSION_OF(it, link);
    if (!session->wants_credit[uni]) continue;
    session->wants_credit[uni] = false;
    session->credit_pending[uni] = true;
    wt__session_todo(session);
  }
}

/* --- Running --- */

static bool mux_has_time(const struct wt__mux *mux) {
  return !mux->transport->has_time || mux->transport->has_time(mux->ctx, true);
}

/* Runs streams and sessions that have something to do, while there is time. */
static void mux_run_todo(struct wt__mux *mux) {
  struct wt__link *l;
  do {
    if ((l = wt__list_first(&mux->todo_streams))) {
      wt__list_remove(l);
      wt__stream_run(STREAM_OF(l, todo));
    } else if ((l = wt__list_first(&mux->todo_sessions))) {
      wt__list_remove(l);
      wt__session_run(SESSION_OF(l, todo), mux->now);
    }
  } while (wt__mux_has_todo(mux) && mux_has_time(mux));
}

void wt__mux_run(struct wt__mux *mux, uint64_t now) {
  mux->now = now;
  wt__early_expire(mux, now);
  WT__LIST_FOREACH(it, next, &mux->ended_sessions) {
    if (SESSION_OF(it, link)->linger_until > now) break;
    wt__session_todo(SESSION_OF(it, link));
  }
  WT__LIST_FOREACH(it, next, &mux->stopped_sessions) {
    if (SESSION_OF(it, stopped)->stop_until > now) break;
    wt__session_todo(SESSION_OF(it, stopped));
  }
  mux_run_todo(mux);
  wt__datagrams_date(mux); /* also those that callbacks have just queued */
  wt__streams_run_progress(mux);
  wt__released_run(&mux->released);
}

uint64_t wt__mux_expiry(const struct wt__mux *mux) {
  const struct wt__link *first;
  uint64_t expiry = wt__early_expiry(mux);
  uint64_t sending = wt__progress_expiry(&mux->sending);
  if (sending < expiry) expiry = sending;
  first = wt__list_first(&mux->ended_sessions);
  if (first && SESSION_OF(first, link)->linger_until < expiry) expiry = SESSION_OF(first, link)->linger_until;
  first = wt__list_first(&mux->stopped_sessions);
  if (first && SESSION_OF(first, stopped)->stop_until < expiry) expiry = SESSION_OF(first, stopped)->stop_until;
  return expiry;
}

void wt__mux_drain(struct wt__mux *mux) {
  WT__LIST_FOREACH(it, next, &mux->session_list) {
    wt_session *session = SESSION_OF(it, link);
    wt_session_drain(session);
    wt__session_announce_drain(session);
  }
}

void wt__mux_close_sessions(struct wt__mux *mux, const char *reason) {
  WT__LIST_FOREACH(it, next, &mux->session_list) {
    wt_session *session = SESSION_OF(it, link);
    if (session->start != WT__SESSION_ASKED) (void)wt_session_close(session, 0, reason, strlen(reason));
  }
}

/* --- Sending --- */

bool wt__mux_next(struct wt__mux *mux, struct wt__send *send, wt_stream **out) {
  struct wt__sched_entry *entry;
  while ((entry = wt__sched_next(&mux->sched))) {
    struct wt_stream *stream = STREAM_OF(entry, sched);
    if (!wt__sendq_pending(&stream->sending.queue)) {
      wt__sched_remove(entry);
      continue;
    }
    send->id = stream->id;
    send->count = wt__sendq_peek(&stream->sending.queue, send->vecs, WT__SEND_VECS, WT__SEND_ENOUGH, &send->fin);
    if (!wt__credit_limit(stream, send)) {
      wt__stream_lacks_credit(stream);
      continue;
    }
    *out = stream;
    return true;
  }
  return false;
}
