/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_SIDE_H
#define WT_H3_SIDE_H

/*
 * The differences between the two ends of an HTTP/3 connection: a table for servers (server.c), one for clients (client.c).
 * Every member is set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

struct wt__ending;
struct wt__h3_conn;
struct wt__h3_stream;

struct wt__side {
  bool takes_priority_updates; /* PRIORITY_UPDATE frames are read by us, too (priority.c) */
  unsigned opens;              /* the lowest bit of the ids of the streams that it opens (RFC 9000, section 2.1) */

  /* Makes nghttp3's connection; 0 or an error of nghttp3. */
  int (*http_new)(struct wt__h3_conn *conn, const nghttp3_callbacks *callbacks, nghttp3_settings *settings);

  /* --- Arrivals --- */
  /* The peer opened a bidirectional stream that is not WebTransport's. */
  void (*recv_request)(struct wt__h3_conn *conn, struct wt__h3_stream *stream);
  /* A bidirectional stream of the peer ended before it said what it is. */
  void (*recv_nothing)(struct wt__h3_conn *conn, int64_t id);
  /* The peer's SETTINGS are in. */
  void (*settings_in)(struct wt__h3_conn *conn);
  void (*recv_goaway)(struct wt__h3_conn *conn, int64_t id);
  /* The peer allows more bidirectional streams; it may open so many. */
  void (*streams_allowed)(struct wt__h3_conn *conn);
  void (*max_remote_bidi)(struct wt__h3_conn *conn, uint64_t max);

  /* --- Passes --- */
  /* Put-off work, also before the start; at the end of the pass. */
  void (*run)(struct wt__h3_conn *conn);
  void (*run_end)(struct wt__h3_conn *conn);
  /* When `run` is due; UINT64_MAX: never. */
  uint64_t (*expiry)(const struct wt__h3_conn *conn);
  /* Whether there are messages without an end. */
  bool (*is_used)(const struct wt__h3_conn *conn);

  /* --- The end --- */
  /* A GOAWAY is about to be sent. */
  void (*shutdown)(struct wt__h3_conn *conn);
  /* The connection is over, for the reason `ending`, which may be made more precise; before sessions are told, behind
   * that, and last of all. */
  void (*over)(struct wt__h3_conn *conn, struct wt__ending *ending);
  void (*over_behind_sessions)(struct wt__h3_conn *conn);
  void (*over_at_last)(struct wt__h3_conn *conn);
};

#endif
