/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PROBE_ATTEMPT_H
#define WEBTRANSPORT_TOOL_PROBE_ATTEMPT_H

#include <pthread.h>

#include <webtransport/client.h>

/* What can be seen at a moment. Pointers live until the call ends. */
struct look_view {
  const struct wt_connection_info *info; /* NULL: there is no connection */
  wt_session *session;                   /* NULL: there is none */
  wt_dial *dial;                         /* these three only when the dial is over; else NULL, NULL and 0 */
  const struct wt_dial_result *result;
  uint64_t took_us; /* since the dial began */
};

/*
 * One dial to look at a server. The caller sets the first members and leaves the others zero; it has to keep
 * the look until the client is freed.
 */
struct look {
  wt_client *client;
  uint64_t watch_ms; /* how long a session is kept */

  /* When the dial is over, and once more at the end of the watch. May be NULL. */
  void (*on_view)(const struct look_view *view, void *user_data);
  /* The server, or the network, ended the session before. May be NULL. */
  void (*on_close)(const struct wt_close_info *close, void *user_data);
  void *user_data;

  /* What came of it. */
  int error;
  bool shaken, resumed; /* the handshake was done; by a ticket */
  char message[400];

  /* Its own. */
  wt_session *session;
  uint64_t begun_ns;
  pthread_t watcher;
  bool watched, over;
  pthread_mutex_t lock;
  pthread_cond_t ended;
};

/*
 * Dials with `options`, whose callbacks are filled in, and runs the client until nothing is left of it.
 * Returns the dial's error, which is in `look->error` too, with a sentence in `look->message`.
 */
int look_run(struct look *look, const char *url, struct wt_dial_options *options);

/*
 * Sends a GET request for `url` on a connection of its own, and runs the client likewise. Gives whether there
 * was an answer, and whether the handshake was done by a ticket.
 */
void look_request(wt_client *client, const char *url, uint64_t timeout_ms, bool *answered, bool *resumed);

#endif
