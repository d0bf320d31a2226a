/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_SESSION_H
#define WT_CORE_SESSION_H

/* The inside of a session, for the files of core. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <webtransport/session.h>

#include "base/clock.h"
#include "base/list.h"
#include "core/flow.h"
#include "core/mux.h"
#include "core/sched.h"
#include "core/sendq.h"
#include "wire/capsule.h"

/* How long an ended session waits until its last bytes have left and the peer has ended its side. */
#define WT__SESSION_LINGER_NS (5 * WT__NS_PER_S)

/* How long it waits at most until the peer acknowledges our close capsule. On a path that loses much, seconds pass
 * between QUIC's probes. To reset the CONNECT stream earlier would lose the code and the reason. */
#define WT__SESSION_CLOSE_NS (6 * WT__SESSION_LINGER_NS)

/* How long after a STOP_SENDING the peer's close capsule may come: time for one or two retransmissions. */
#define WT__SESSION_STOP_NS WT__NS_PER_S

/* The most bytes of capsules that wait to be sent. A peer that does not read them gets H3_EXCESSIVE_LOAD. */
#define WT__SESSION_CAPSULE_QUEUE_MAX (64 * 1024)

/* Session flow control (draft section 5). Unless it is `on`, only `on` and `parked` are valid. */
struct wt__session_flow {
  bool on;
  struct wt__flow_out data_out, streams_out[2]; /* by enum wt_stream_kind */
  struct wt__flow_in data_in, streams_in[2];
  bool tell_data_blocked, tell_streams_blocked[2]; /* these capsules are to be sent */
  struct wt__list parked;                          /* streams that have bytes, but no credit for them */
};

/* How far its beginning is. */
enum wt__session_start {
  WT__SESSION_ASKED,    /* of a client: no answer yet. It is used already, but the application hears of nothing */
  WT__SESSION_ACCEPTED, /* what came early is not delivered yet */
  WT__SESSION_STARTED,
};

/* How far our direction of the CONNECT stream is. It never goes back to an earlier state. */
enum wt__connect_state {
  WT__CONNECT_OPEN,
  WT__CONNECT_FIN_SENT, /* the transport has our FIN */
  WT__CONNECT_STOPPED,  /* the peer reads no more of it */
  WT__CONNECT_CLOSED,   /* both directions are closed */
};

/* What the application knows about the peer's wish that the session ends soon. */
enum wt__drain {
  WT__DRAIN_NONE, /* there is no such wish */
  WT__DRAIN_DUE,  /* `on_drain` is to be called */
  WT__DRAIN_TOLD,
};

struct wt_session {
  struct wt__mux *mux;
  int64_t id;
  char *path, *protocol, *peer_address;
  int draft;
  void *message; /* the layer above keeps it here: see `wt__session_set_message` */
  void (*message_release)(void *message);
  struct wt_session_callbacks callbacks;
  void *user_data;
  struct wt_stream_callbacks stream_callbacks; /* its streams begin with these, if `has_stream_callbacks` */
  void *stream_user_data;

  struct wt__link link, todo;
  struct wt__session_flow flow;
  struct wt__sched_session sched;
  struct wt__list datagrams;     /* those to be sent, oldest first */
  struct wt__link datagram_turn; /* in mux->datagram_sessions */
  size_t datagrams_len;
  struct wt__link fresh;                       /* in mux->fresh_sessions */
  size_t fresh_datagrams_len;                  /* how many, the last of `datagrams`, have an age that has not begun */
  uint64_t datagram_max_age;                   /* in nanoseconds, of those; 0: none */
  uint64_t datagram_delay, datagram_delay_max; /* in nanoseconds, in this queue: smoothed, and the longest */
  uint64_t began_at;                           /* when it was made */
  uint64_t number;                             /* unique on the worker of a server; set once */
  struct wt__list subscriptions;               /* to topics: see subscription.h */
  struct wt__list hungry;                      /* those of them that wait for a stream */
  size_t subscriptions_len;
  struct wt__list streams; /* all that are not freed: see stream.h */

  struct wt__sendq capsules; /* the bytes that we send on the CONNECT stream */
  uint64_t capsules_acked;
  struct wt__capsule_reader reader;

  struct wt_close_info end; /* valid once `ended`; `reason` is owned */
  uint64_t linger_until;    /* when its CONNECT stream is reset, if it has not closed before; 0: not set. UINT64_MAX: it
                             * was reset */
  uint64_t close_until;     /* `linger_until` is not put off any more after this; set together with it */
  struct wt__link stopped;  /* in mux->stopped_sessions, after STOP_SENDING with `stop_code` */
  uint64_t stop_until, stop_code;
  struct wt_session_stats stats;

  enum wt__session_start start;
  enum wt__connect_state connect;
  enum wt__drain drain;
  bool has_stream_callbacks;
  bool drain_sent;     /* we have told the peer that the session ends soon */
  bool ended;          /* it takes no more streams and datagrams; only the callbacks about its end follow */
  bool close_told;     /* on_close was called */
  bool aborted;        /* its streams were reset on the wire */
  bool close_received; /* a close capsule or a FIN came: no capsule may follow */
  bool datagram_size_pending;
  bool credit_unasked;    /* only subscriptions want credit for unidirectional streams, not the application */
  bool wants_credit[2];   /* a stream could not be opened for want of credit; by enum wt_stream_kind */
  bool credit_pending[2]; /* credit came since, and `on_stream_credit` is to be called; likewise */

  atomic_uint posts; /* posted calls that wait, counted on any thread. The memory stays while there are any */
  bool freed;        /* everything but this memory; the last of the posted calls frees it */
};

/* Makes the next `wt__mux_run` call `wt__session_run`. */
static inline void wt__session_todo(wt_session *session) {
  if (!wt__link_linked(&session->todo)) wt__list_push_back(&session->mux->todo_sessions, &session->todo);
}
/* Makes the callbacks that wait, and does what is due. May free the session. */
void wt__session_run(wt_session *session, uint64_t now);
/* Ends it for the application. The caller does what is needed on the wire. `reason` is copied. */
void wt__session_end(wt_session *session, enum wt_party by, uint32_t code, const char *reason, size_t reason_len,
                     bool clean, uint64_t wire_code);
/* The same, because its connection has ended. `ending` must stay valid until `wt__session_tell`. */
void wt__session_end_connection(wt_session *session, const struct wt__ending *ending);
/* The peer broke the rules of the session (not of the connection): its CONNECT stream is reset with `wire_code`. */
void wt__session_break(wt_session *session, uint64_t wire_code);
/* Queues a capsule. The session ends with H3_EXCESSIVE_LOAD if the queue is full. */
void wt__session_send_capsule(wt_session *session, const uint8_t *data, size_t len);
/* The session is to end soon, as the peer or the whole connection wants: `on_drain` follows, once. */
void wt__session_announce_drain(wt_session *session);
/* Ends our side of the CONNECT stream, behind the capsules that wait. */
void wt__session_send_fin(wt_session *session);
/* Calls `on_close` of all its streams, and then its own. */
void wt__session_tell(wt_session *session);
void wt__session_free(wt_session *session);

#endif
