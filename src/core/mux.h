/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_MUX_H
#define WT_CORE_MUX_H

/*
 * The WebTransport half of one connection: its sessions, their streams and datagrams, and what came
 * too early or too late for a session. Sans-I/O: it is told what arrived and asked what to send.
 * Who may use how much is in flow.h and credit.h, who is next in sched.h.
 *
 *   h3 tells:  a session was accepted, a stream arrived, bytes, resets, acknowledgements, datagrams
 *   h3 asks:   which stream next (`wt__mux_next`), which datagram next
 *   mux asks:  `wt_transport`
 *
 * Callbacks of the application are made only in `wt__mux_run` and in the calls that report arrivals,
 * never inside an application's call. Nothing is freed while an application's callback runs: objects
 * that ended go to the `todo` list, and `wt__mux_run` frees them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/session.h>

#include "base/gauge.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/pool.h"
#include "core/ending.h"
#include "core/flow.h"
#include "core/past.h"
#include "core/progress.h"
#include "core/sched.h"
#include "core/sendq.h"
#include "core/transport.h"

/* Session flow control of this end: what each session allows the peer at first, announced in SETTINGS (all
 * zero: no flow control), and how far the data window grows. */
struct wt__flow_windows {
  struct wt__flow_limits initial;
  uint64_t max_data;
};

/* What `wt_session_post` is given. */
typedef void (*wt__session_function)(wt_session *session, void *argument);

struct wt__mux_config {
  size_t max_stream_send_buffer;
  size_t max_datagrams_queued;
  size_t max_early_streams, max_early_datagrams;
  uint64_t early_timeout_ms;
  uint64_t send_timeout_ms;             /* without progress of a stream that has bytes; 0: never */
  uint64_t min_progress;                /* bytes; at least 1 */
  struct wt__progress_counts *progress; /* of the worker; may be NULL */
  struct wt__flow_windows flow;
  const struct wt__log *log;
  struct wt__pool *pool; /* for streams, short messages and datagrams; NULL: they come from the allocator */
  unsigned worker;       /* of a server: which of its threads this is */
  /* Has `wt__session_posted` called with these on the connection's thread. Any thread. WT_ERR_NOMEM. NULL: there is no
   * such way. */
  int (*post)(void *ctx, wt_session *session, wt__session_function function, void *argument);
  void *post_ctx;
};

struct wt__mux {
  const struct wt__mux_config *config;
  const struct wt_transport *transport;
  void *ctx;
  struct wt__gauge *gauge; /* where what it holds counts; what is queued to be sent: apart */
  uint64_t now;            /* of the last call that said so */

  struct wt__map sessions;          /* session id -> wt_session, accepted and not yet freed */
  struct wt__list session_list;     /* those that go on */
  struct wt__list ended_sessions;   /* by `linger_until`: the first has the next deadline */
  struct wt__list stopped_sessions; /* by `stop_until`; linked by `stopped` */
  struct wt__list stuck_sessions;   /* lingered long enough: wait for QUIC alone */
  size_t sessions_open;             /* sessions whose on_close was not called */

  struct wt__sched sched;           /* streams with something to send */
  struct wt__progress_list sending; /* streams whose bytes are not all acknowledged */
  uint64_t sent_total;              /* bytes of all the connection's streams, also those of h3 */
  struct wt__list todo_streams;     /* objects for `wt__mux_run` */
  struct wt__list todo_sessions;
  struct wt__released released;

  struct wt__ring datagram_sessions; /* those with datagrams to send */
  size_t datagram_sessions_len;
  size_t datagrams_out_len; /* of all of them */

  struct wt__list early_streams; /* oldest first: the first has the next deadline */
  size_t early_streams_len;
  struct wt__list refused_streams; /* until QUIC has closed them */
  struct wt__list early_datagrams;
  size_t early_datagrams_len;
  uint64_t early_datagrams_dropped;

  struct wt__past past; /* sessions that ended or were refused */
};

/* What a session is born with. Strings are copied. */
struct wt__session_params {
  const char *path, *protocol, *peer_address;
  int draft;
  const struct wt__flow_limits *peer_limits; /* of the peer's SETTINGS; NULL: no flow control */
  unsigned urgency;                          /* RFC 9218: 0 (first) to 7 */
  bool unanswered;                           /* of a client: `wt__session_answered` or `wt__session_refused` follows */
  const struct wt_session_callbacks *callbacks;
  void *user_data;
};

void wt__mux_init(struct wt__mux *mux, const struct wt__mux_config *config, const struct wt_transport *transport,
                  void *ctx);
/* The connection is over: every session and stream gets its on_close, with what `ending` says, then everything is
 * freed. `transport` is not called any more. */
void wt__mux_free(struct wt__mux *mux, const struct wt__ending *ending);

/* Does what was put off: callbacks, streams for new sessions, ends. Call after every batch of arrivals
 * and before asking what to send. */
void wt__mux_run(struct wt__mux *mux, uint64_t now);
/* Whether the last run left something for want of time. */
static inline bool wt__mux_has_todo(const struct wt__mux *mux) {
  return !wt__list_empty(&mux->todo_streams) || !wt__list_empty(&mux->todo_sessions);
}
/* The next time `wt__mux_run` has something to do by itself, in nanoseconds; UINT64_MAX: none. */
uint64_t wt__mux_expiry(const struct wt__mux *mux);

/* --- Sessions --- */

/* The CONNECT request on stream `id` is accepted. Early streams and datagrams for it are delivered by
 * the next `wt__mux_run`. WT_ERR_NOMEM. */
int wt__mux_session_new(struct wt__mux *mux, int64_t id, const struct wt__session_params *params, wt_session **out);
/* Takes back a session that `wt__mux_session_new` made in the same call of the application: it was never accepted. */
void wt__mux_session_undo(wt_session *session);
/* Stream `id` will never be a session (ordinary request, rejected, reset): refuses what came early for it. */
void wt__mux_session_refused(struct wt__mux *mux, int64_t id);

/* Keeps `message`, which is what the session was made by, for the layer above; `release` frees it with the session. */
void wt__session_set_message(wt_session *session, void *message, void (*release)(void *message));
/* NULL: there is none. */
const void *wt__session_message(const wt_session *session);

/* The subprotocol of a session that was made before the answer. Copied. WT_ERR_NOMEM. */
int wt__session_set_protocol(wt_session *session, const char *protocol);
/* The server accepted it: callbacks that waited come in the next `wt__mux_run`. */
void wt__session_answered(wt_session *session);
/* The server refused it, or there will be no answer: ends it, unless the application did, and calls `on_close`, of its
 * streams too. Not inside an application's call. */
void wt__session_refused(wt_session *session, enum wt_party by, uint64_t wire_code);
/* The same, because the connection has ended. */
void wt__session_refused_by_end(wt_session *session, const struct wt__ending *ending);

/* Makes a call that was posted: with NULL for a session that has ended. */
void wt__session_posted(wt_session *session, wt__session_function function, void *argument);

/* The client has changed the session's priority. */
void wt__session_set_urgency(wt_session *session, unsigned urgency);

/* Capsule bytes of the CONNECT stream; its FIN; its abrupt end (reset by the peer). */
void wt__session_recv(wt_session *session, const uint8_t *data, size_t len);
void wt__session_recv_fin(wt_session *session);
void wt__session_recv_reset(wt_session *session, uint64_t wire_code);
/* STOP_SENDING on the CONNECT stream: we can say no more there, but the peer's last words may be on their way. */
void wt__session_recv_stop_sending(wt_session *session, uint64_t wire_code);
/* GOAWAY came, or this end shuts down: tells the application. */
void wt__mux_drain(struct wt__mux *mux);
/* Closes every session with code 0 and that reason; those that the peer has not answered yet go on. */
void wt__mux_close_sessions(struct wt__mux *mux, const char *reason);

/* What the session has for its CONNECT stream, read like a stream's queue. `wt__session_acked`: `len` more
 * bytes were acknowledged, in order. */
size_t wt__session_peek(wt_session *session, struct wt__vec *vecs, size_t max_vecs, bool *fin);
void wt__session_sent(wt_session *session, size_t len, bool fin);
void wt__session_acked(wt_session *session, uint64_t len);
/* The CONNECT stream is closed in both directions; `session_closed` may have come before or comes after. */
void wt__session_connect_closed(wt_session *session);

/* --- Streams --- */

/* A stream of the peer, whose header said `session_id`, was opened. NULL if it was refused (reset and
 * STOP_SENDING were sent; the rest of its bytes are the caller's to consume) or memory is out. */
wt_stream *wt__mux_stream_new_remote(struct wt__mux *mux, int64_t id, bool uni, int64_t session_id, uint64_t now);
void wt__stream_recv(wt_stream *stream, const uint8_t *data, size_t len, bool fin);
/* The stream's header had `len` bytes; to be said before a reset. */
void wt__stream_set_recv_header(wt_stream *stream, size_t len);
/* The reset that follows leaves the first `reliable_size` bytes, the header among them, to be read all the same. */
void wt__stream_recv_promise(wt_stream *stream, uint64_t reliable_size);
/* A stream that was stopped here ended in order after `final_size` bytes, header included. */
void wt__stream_recv_final_size(wt_stream *stream, uint64_t final_size);
/* `final_size` counts the stream header. */
void wt__stream_recv_reset(wt_stream *stream, uint64_t wire_code, uint64_t final_size);
void wt__stream_recv_stop_sending(wt_stream *stream, uint64_t wire_code);
/* Everything below `offset` (which counts the stream header) was acknowledged. */
void wt__stream_acked(wt_stream *stream, uint64_t offset);
/* The peer extended the stream's window. */
void wt__stream_unblocked(wt_stream *stream);
/* QUIC has closed the stream; the pointer is not to be used after this. */
void wt__stream_closed(wt_stream *stream);
/* The peer allows more streams of ours. */
void wt__mux_streams_allowed(struct wt__mux *mux, bool uni);

/* The next stream with bytes. False: none. Then one of the three follows for it. */
bool wt__mux_next(struct wt__mux *mux, struct wt__send *send, wt_stream **stream);
void wt__stream_sent(wt_stream *stream, size_t len, bool fin);
void wt__stream_blocked(wt_stream *stream);      /* flow control: wait for `wt__stream_unblocked` */
void wt__stream_write_closed(wt_stream *stream); /* the transport takes no more for it */

/* --- Datagrams --- */

/* A QUIC DATAGRAM came. H3_ID_ERROR and H3_DATAGRAM_ERROR close the connection. */
void wt__mux_recv_datagram(struct wt__mux *mux, const uint8_t *data, size_t len, uint64_t now);
/* The next datagram to send, header included: sessions take turns, and send their oldest first. False: none.
 * `wt__mux_datagram_done` then removes it. */
bool wt__mux_next_datagram(struct wt__mux *mux, struct wt__vec *datagram);
void wt__mux_datagram_done(struct wt__mux *mux, bool sent);
/* `max_datagram_len` of the transport has changed: sessions are told by the next `wt__mux_run`. */
void wt__mux_datagram_len_changed(struct wt__mux *mux);

#endif
