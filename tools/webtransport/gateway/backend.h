/* SPDX-License-Identifier: MIT */
/*
 * Kinds of back ends, and how one is added:
 *
 * 1. A file NAME_backend.c with `const struct backend_kind NAME_backend`, its declaration here and its line in
 *    backend.c. `scheme` is what an address in the configuration begins with.
 * 2. `begin` is called before the client gets its answer, so it can refuse with a status. What it needs for the session
 *    it keeps in `session->backend`.
 * 3. A `begin` that has to ask the back end first returns BEGIN_LATER, and the kind calls `gateway_session_begun` when it
 *    knows. Until then the request waits in `session->request`, and no function but `end` is called.
 * 4. The gateway calls the other functions for what the client does, `tick` now and then, and `end` exactly once after a
 *    `begin` that did not refuse.
 *
 * All run on the loop's thread. Counts and limits that all kinds share are in gateway_session.h.
 */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_BACKEND_H
#define WEBTRANSPORT_TOOL_GATEWAY_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/request.h>

struct gateway_session;

struct backend_kind {
  const char *scheme; /* "tcp" */
  bool has_path;      /* the address is a path; false: host and port */
  uint16_t url_port;  /* not 0: the address is a URL, of which this is the default port */
  bool has_streams;   /* streams are connections, each with an idle time of its own; false: the session has one */
  bool has_sessions;  /* false: it takes no sessions, and the functions below are not called */
  bool has_requests;  /* it also takes requests that are no sessions, by its URL */
  uint64_t idle_timeout_ms;

  /* Returns 0, BEGIN_LATER, or the status with which to refuse the session; `*why` is a sentence for the log then. May
   * be NULL. */
  int (*begin)(struct gateway_session *session, wt_request *request, const char **why);
  /* The client opened a stream. NULL: streams are refused with CODE_UNSUPPORTED. */
  void (*on_stream)(struct gateway_session *session, wt_stream *stream);
  bool takes_unidirectional; /* false: such streams are refused, too */
  /* The client lets the gateway open more streams. May be NULL. */
  void (*on_stream_credit)(struct gateway_session *session, enum wt_stream_kind kind);
  /* The client, or the end of the gateway, asks for the end of the session. May be NULL. */
  void (*on_drain)(struct gateway_session *session);
  /* A datagram of the client. NULL: datagrams are dropped and counted. */
  void (*on_datagram)(struct gateway_session *session, const uint8_t *data, size_t len);
  /* Looks for what takes too long and for what waits for the rate. Must not call `gateway_session_close`. */
  void (*tick)(struct gateway_session *session, uint64_t now_ms);
  /* The session has ended as `info` says, and its streams' on_close were called. NULL: it has never begun. */
  void (*end)(struct gateway_session *session, const struct wt_close_info *info);
};

#define BEGIN_LATER (-1)

extern const struct backend_kind tcp_backend, unix_backend;
extern const struct backend_kind udp_backend, unixgram_backend;
extern const struct backend_kind https_backend, http_backend;

/* All kinds, ended by NULL. */
extern const struct backend_kind *const backend_kinds[];

#endif
