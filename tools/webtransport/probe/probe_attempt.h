/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PROBE_ATTEMPT_H
#define WEBTRANSPORT_TOOL_PROBE_ATTEMPT_H

#include <pthread.h>

#include <webtransport/client.h>

/* What is known at one moment. The pointers are valid until the callback returns. */
struct probe_observation {
  const struct wt_connection_info *info; /* NULL: there is no connection */
  wt_session *session;                   /* NULL: there is none */
  wt_dial *dial; /* this and the next two are set only when the dial is over; else NULL, NULL and 0 */
  const struct wt_dial_result *result;
  uint64_t took_us; /* since the dial began */
};

/*
 * One attempt to open a session, to observe the server. The caller sets the first members, leaves the others zero, and
 * keeps the attempt until the client is freed.
 */
struct probe_attempt {
  wt_client *client;
  uint64_t watch_ms; /* how long a session stays open; 0: it is closed at once */

  /* Called when the dial is over, and again when the session has been open for `watch_ms`. May be NULL. */
  void (*on_observation)(const struct probe_observation *observation, void *user_data);
  /* Called if the server or the network ends the session before that. May be NULL. */
  void (*on_close)(const struct wt_close_info *close, void *user_data);
  void *user_data;

  /* The result. */
  int error;
  bool handshake_done, resumed; /* the handshake was completed; with a session ticket */
  char message[400];

  /* Internal. */
  wt_session *session;
  uint64_t begun_ns;
  pthread_t watcher;
  bool watched, over;
  pthread_mutex_t lock;
  pthread_cond_t ended;
};

/*
 * Dials with `options`, fills in their callbacks, and runs the client until it has nothing left to do. Returns the
 * dial's error, which is also in `attempt->error`, with a sentence in `attempt->message`.
 */
int probe_attempt_run(struct probe_attempt *attempt, const char *url, struct wt_dial_options *options);

/*
 * Sends a GET request for `url` on a connection of its own, and runs the client until it has nothing left to do.
 * `*answered`: there was an answer. `*resumed`: the handshake used a session ticket.
 */
void probe_request(wt_client *client, const char *url, uint64_t timeout_ms, bool *answered, bool *resumed);

#endif
