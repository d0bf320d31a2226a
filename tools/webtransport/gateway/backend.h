/* SPDX-License-Identifier: MIT */
/*
 * Kinds of back ends, and how one is added:
 *
 * 1. A file NAME_backend.c with `const struct backend_kind NAME_backend`, its declaration here and its line in
 *    backend.c. `scheme` is what an address in the configuration begins with.
 * 2. `begin` is called before the client gets its answer, so it can refuse with a status. What it needs for the session
 *    it keeps in `session->backend`.
 * 3. The gateway calls the other functions for what the client does, `tick` now and then, and `end` exactly once after a
 *    `begin` that returned 0.
 *
 * All run on the loop's thread. Counts and limits that all kinds share are in gateway_session.h.
 */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_BACKEND_H
#define WEBTRANSPORT_TOOL_GATEWAY_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/session.h>

struct gateway_session;

struct backend_kind {
  const char *scheme; /* "tcp" */
  bool has_path;      /* the address is a path; false: host and port */
  bool has_streams;   /* streams are connections; false: datagrams go to a socket */
  uint64_t idle_timeout_ms;

  /* Returns 0, or the status with which to refuse the session; `*why` is a sentence for the log then. May be NULL. */
  int (*begin)(struct gateway_session *session, const char **why);
  /* The client opened a stream. NULL: streams are refused with CODE_UNSUPPORTED. */
  void (*on_stream)(struct gateway_session *session, wt_stream *stream);
  /* A datagram of the client. NULL: datagrams are dropped and counted. */
  void (*on_datagram)(struct gateway_session *session, const uint8_t *data, size_t len);
  /* Looks for what takes too long and for what waits for the rate. Must not call `gateway_session_close`. */
  void (*tick)(struct gateway_session *session, uint64_t now_ms);
  /* The session has ended, and its streams' on_close were called. */
  void (*end)(struct gateway_session *session);
};

extern const struct backend_kind tcp_backend, unix_backend;
extern const struct backend_kind udp_backend, unixgram_backend;

/* All kinds, ended by NULL. */
extern const struct backend_kind *const backend_kinds[];

#endif
