/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_SESSION_H
#define WEBTRANSPORT_TOOL_GATEWAY_SESSION_H

#include <webtransport/request.h>

#include "gateway/gateway.h"
#include "gateway/identity.h"

/* A session and what it has used. It lives from the request to the session's on_close, or to the end of the request. */
struct gateway_session {
  struct gateway *gateway;
  struct route *route;
  struct peer *peer;
  wt_request *request;            /* while it waits for the back end; else NULL */
  wt_session *wt;                 /* NULL before the client has its answer */
  void *backend;                  /* of the kind of the back end */
  struct identity identity;       /* of the client, as the authorization has found it out */
  struct connection *connections; /* of its streams, with back ends that have such */
  struct gateway_session *next, **link;

  uint64_t began_ms, active_ms; /* by gateway_now */
  enum gateway_code code;       /* with which the gateway closed it; CODE_NONE: it did not */
  bool ended_by_backend;        /* the back end closed it, with a code of its own */
  uint64_t backend_rtt_us;      /* round trips to the back end, where that is known */
  uint64_t streams, streams_open, streams_refused, streams_failed;
  uint64_t bytes_in, bytes_out; /* of streams and datagrams; "in" is from the client */
  uint64_t datagrams_in, datagrams_out;
  uint64_t datagrams_dropped, datagrams_too_large, datagrams_refused;
};

/* Accepts the request, now or when the back end has been asked, and takes the contents of `identity`; or returns the status
 * with which to refuse it, and `*why` is a sentence then. */
int gateway_session_accept(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity,
                           const char **why);

/* Closes the session with a code and its reason. */
void gateway_session_close(struct gateway_session *session, enum gateway_code code);

void gateway_session_tick(struct gateway_session *session, uint64_t now_ms);

/* --- For back ends. --- */

/* How the client's request is answered that waited. */
struct gateway_answer {
  int status;           /* 2xx: accepted */
  const char *why;      /* a sentence, if it is refused */
  const char *protocol; /* the subprotocol that the back end chose, or "" */
  const struct wt_header *headers;
  size_t header_count;
};

/* What a `begin` that returned BEGIN_LATER waited for. Returns whether there is a session; if not, `end` was called and
 * `session` is freed. */
bool gateway_session_begun(struct gateway_session *session, const struct gateway_answer *answer);

/* Counts a new stream. False: there are too many, and nothing was counted. */
bool gateway_session_begin_stream(struct gateway_session *session);
/* Counts its end; `code` is why it ended early, or CODE_NONE. */
void gateway_session_end_stream(struct gateway_session *session, enum gateway_code code);

/* Returns how many of `wanted` bytes may be sent now. Less: some wait for `tick`, which comes soon. */
size_t gateway_session_room(struct gateway_session *session, size_t wanted);

/* Count bytes that were sent. */
void gateway_session_count_in(struct gateway_session *session, size_t bytes);
void gateway_session_count_out(struct gateway_session *session, size_t bytes);

/* Whether nothing was sent since `active_ms` for longer than the route allows. */
bool gateway_session_is_idle(const struct gateway_session *session, uint64_t active_ms, uint64_t now_ms);

#endif
