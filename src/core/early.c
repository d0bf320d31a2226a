/* SPDX-License-Identifier: MIT */
/*
 * Streams and datagrams that came before their session (draft section 4.6).
 *
 * QUIC does not keep streams in order. So a stream can be here before the CONNECT request of its session, or before the
 * application has accepted the session. Such streams wait in a list, at most `max_early_streams` of them, each for at
 * most `early_timeout_ms`. Each keeps the bytes that came. QUIC does not hear that these bytes are consumed, so its
 * windows bound them. A stream that is one too many, or that waits too long, is refused with
 * WT_BUFFERED_STREAM_REJECTED.
 *
 * datagram.c keeps early datagrams; this file says when they are delivered or dropped.
 */

#include "core/early.h"

#include "base/clock.h"
#include "core/credit.h"
#include "core/datagram.h"
#include "core/session.h"
#include "core/stream.h"
#include "wire/error_code.h"

#define STREAM_OF(l) WT__CONTAINER_OF(l, struct wt_stream, link)

bool wt__early_has_room(const struct wt__mux *mux) { return mux->early_streams_len < mux->config->max_early_streams; }

void wt__early_add(struct wt__mux *mux, wt_stream *stream, uint64_t now) {
  stream->deadline = now + mux->config->early_timeout_ms * WT__NS_PER_MS;
  wt__list_push_back(&mux->early_streams, &stream->link);
  mux->early_streams_len++;
}

void wt__early_deliver(struct wt__mux *mux, wt_session *session) {
  WT__LIST_FOREACH(it, next, &mux->early_streams) {
    struct wt_stream *stream = STREAM_OF(it);
    if (stream->session_id != session->id) continue;
    mux->early_streams_len--;
    if (session->ended) {
      wt__stream_refuse(stream, WT__WT_SESSION_GONE);
    } else {
      wt__stream_attach(stream, session);
    }
  }
  wt__datagrams_deliver_early(mux, session);
}

static void early_refuse(struct wt__mux *mux, struct wt_stream *stream) {
  mux->early_streams_len--;
  wt__credit_refused(mux, stream->session_id, stream->uni, 1, stream->receiving.received);
  wt__stream_refuse(stream, WT__WT_BUFFERED_STREAM_REJECTED);
}

void wt__early_refuse_session(struct wt__mux *mux, int64_t session_id) {
  WT__LIST_FOREACH(it, next, &mux->early_streams) {
    if (STREAM_OF(it)->session_id == session_id) early_refuse(mux, STREAM_OF(it));
  }
  wt__datagrams_drop_early(mux, session_id);
}

void wt__early_expire(struct wt__mux *mux, uint64_t now) {
  struct wt__link *first;
  while ((first = wt__list_first(&mux->early_streams)) && STREAM_OF(first)->deadline <= now) {
    WT__DEBUG(mux->config->log,
              WT__EVENT_OF("stream_unclaimed", WT__MUX_CONNECTION(mux),
                           WT__INTEGER("session", STREAM_OF(first)->session_id),
                           WT__INTEGER("stream", STREAM_OF(first)->id)),
              "stream %lld: no session %lld in time, refused", (long long)STREAM_OF(first)->id,
              (long long)STREAM_OF(first)->session_id);
    early_refuse(mux, STREAM_OF(first));
  }
  wt__datagrams_expire(mux, now);
}

uint64_t wt__early_expiry(const struct wt__mux *mux) {
  const struct wt__link *first = wt__list_first(&mux->early_streams);
  uint64_t streams = first ? STREAM_OF(first)->deadline : UINT64_MAX;
  uint64_t datagrams = wt__datagrams_expiry(mux);
  return streams < datagrams ? streams : datagrams;
}
