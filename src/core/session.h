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

/* How long an ended session waits for its last bytes to leave and for the peer to end its side. */
#define WT__SESSION_LINGER_NS (5 * WT__NS_PER_S)

/* How long it waits at most for the peer to acknowledge a close of ours: where much is lost, QUIC's probes come seconds
 * apart, and a reset of the CONNECT stream would take code and reason along. */
#define WT__SESSION_CLOSE_NS (6 * WT__SESSION_LINGER_NS)

/* How long the close capsule may come behind a STOP_SENDING: a retransmission or two. */
#define WT__SESSION_STOP_NS WT__NS_PER_S

/* The most bytes of capsules that wait to be sent; a peer that does not read them gets H3_EXCESSIVE_LOAD. */
#define WT__SESSION_CAPSULE_QUEUE_MAX (64 * 1024)

/* Section 5; nothing but `on` and `parked` is valid unless it is on. */
struct wt__session_flow {
  bool on;
  struct wt__flow_out data_out, streams_out[2]; /* by enum wt_stream_kind */
  struct wt__flow_in data_in, streams_in[2];
  bool tell_data_blocked, tell_streams_blocked[2];
  struct wt__list parked; /* streams that have bytes and no credit */
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
  void *message; /* of the layer above: see `wt__session_set_message` */
  void (*message_release)(void *message);
  struct wt_session_callbacks callbacks;
  void *user_data;
  struct wt_stream_callbacks stream_callbacks; /* with which its streams begin, if `has_stream_callbacks` */
  void *stream_user_data;

  struct wt__link link, todo;
  struct wt__session_flow flow;
  struct wt__sched_session sched;
  struct wt__list datagrams;     /* to be sent, oldest first */
  struct wt__link datagram_turn; /* in mux->datagram_sessions */
  size_t datagrams_len;
  struct wt__list streams; /* all that QUIC has not closed or the application was not told the end of */

  struct wt__sendq capsules; /* what the CONNECT stream carries from us */
  uint64_t capsules_acked;
  struct wt__capsule_reader reader;

  struct wt_close_info end; /* valid once `ended`; `reason` is owned */
  uint64_t linger_until;    /* 0: not set */
  uint64_t close_until;     /* set with it: the last moment of lingering for a close that is on its way */
  struct wt__link stopped;  /* in mux->stopped_sessions, after STOP_SENDING with `stop_code` */
  uint64_t stop_until, stop_code;
  struct wt_session_stats stats;

  bool has_stream_callbacks;
  enum wt__session_start start;
  enum wt__connect_state connect;
  enum wt__drain drain;
  bool drain_sent;     /* we have told the peer that the session ends soon */
  bool ended;          /* no more streams, datagrams, callbacks but the last ones */
  bool close_told;     /* on_close was called */
  bool aborted;        /* its streams were reset on the wire */
  bool close_received; /* a close capsule or FIN came: nothing may follow */
  bool datagram_size_pending;
  bool wants_credit[2], credit_pending[2]; /* by enum wt_stream_kind */

  atomic_uint posts; /* calls that wait, on any thread; while there are any, the memory stays */
  bool freed;        /* all but the memory; the last of those calls frees it */
};

/* Puts the session on the list that `wt__mux_run` works off. */
static inline void wt__session_todo(wt_session *session) {
  if (!wt__link_linked(&session->todo)) wt__list_push_back(&session->mux->todo_sessions, &session->todo);
}
/* Does what is due. Returns with the session possibly freed. */
void wt__session_run(wt_session *session, uint64_t now);
/* Ends it for the application; what happens on the wire is up to the caller. `reason` is copied. */
void wt__session_end(wt_session *session, enum wt_party by, uint32_t code, const char *reason, size_t reason_len,
                     bool clean, uint64_t wire_code);
/* The same, because its connection has ended. `ending` lives until `wt__session_tell`. */
void wt__session_end_connection(wt_session *session, const struct wt__ending *ending);
/* The peer broke the rules of the session (not of the connection): its CONNECT stream is reset with `wire_code`. */
void wt__session_break(wt_session *session, uint64_t wire_code);
/* Queues a capsule. The session ends with H3_EXCESSIVE_LOAD if the queue is full. */
void wt__session_send_capsule(wt_session *session, const uint8_t *data, size_t len);
/* The session is to end soon, as the peer or the whole connection wants: `on_drain` follows, once. */
void wt__session_announce_drain(wt_session *session);
/* Tells the application the end of all streams and of the session. */
void wt__session_tell(wt_session *session);
void wt__session_free(wt_session *session);

#endif
