/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_SERVER_H
#define WT_NET_SERVER_H

/*
 * A server from within: what server.c (the calls of the application), start.c (its beginning), serve.c (the work) and
 * counts.c share.
 *
 * What is not a worker's is set before the threads begin, or is atomic, or belongs to the thread of worker 0.
 */

#include <pthread.h>
#include <stdatomic.h>

#include <webtransport/server.h>

#include "base/log.h"
#include "h3/conn.h"
#include "h3/routes.h"
#include "net/config.h"
#include "net/driver.h"
#include "net/inbox.h"
#include "net/listen.h"
#include "net/post.h"
#include "quic/shared.h"
#include "quic/tls.h"

/*
 *   NEW --start--> RUNNING --shutdown--> DRAINING --all idle, or deadline--> CLOSED ----> ENDED
 *                     |                                                        ^
 *                     +------------------------- close ------------------------+
 *
 * Each worker has a state of its own. Worker 0 stays CLOSED, without connections, until the others have ENDED, so that
 * the end of its loop is the end of the server; for the others the one follows upon the other.
 */
enum server_state {
  SERVER_NEW,
  SERVER_RUNNING,
  SERVER_DRAINING,
  SERVER_CLOSED,
  SERVER_ENDED
};

/* What other threads and signal handlers ask for. */
enum server_ask {
  ASK_SHUTDOWN = 1,
  ASK_CLOSE = 2
};

/* What `wt_server_get_stats` adds up over the workers. */
#define WT__COUNTS(X)           \
  X(connections_open)           \
  X(connections_total)          \
  X(connections_refused)        \
  X(sessions_open)              \
  X(sessions_total)             \
  X(requests_total)             \
  X(handshakes_open)            \
  X(handshakes_evicted)         \
  X(handshakes_dropped)         \
  X(packets_received)           \
  X(packets_sent)               \
  X(bytes_received)             \
  X(bytes_sent)                 \
  X(memory_used)                \
  X(memory_refused_connections) \
  X(memory_refused_requests)    \
  X(memory_closed_connections)  \
  X(memory_refused_packets)     \
  X(streams_given_up)           \
  X(long_turns)                 \
  X(packets_put_off)            \
  X(packets_cut_off)

/* Of these it tells the largest. */
#define WT__MAXIMA(X) \
  X(longest_turn_us)  \
  X(longest_visit_us)

struct wt__counts {
#define WT__COUNT_MEMBER(name) _Atomic uint64_t name;
  WT__COUNTS(WT__COUNT_MEMBER)
  WT__MAXIMA(WT__COUNT_MEMBER)
#undef WT__COUNT_MEMBER
};

struct wt__worker {
  struct wt_server *server;
  unsigned index;
  enum server_state state;
  struct wt__driver driver;   /* its endpoint: while running or draining */
  struct wt__socket *sockets; /* as many as each other worker has, in the same order */
  size_t socket_count;
  struct wt__posts posts; /* of `wt_session_post` */
  struct wt__inbox inbox;
  struct wt__h3_counters counters;
  struct wt__open_files open_files;
  struct wt__counts counts; /* as of the end of the last turn */
  _Atomic unsigned asked;
  uint64_t deadline;   /* of the draining; UINT64_MAX: none */
  uint64_t closes_at;  /* likewise, when sessions are closed; UINT64_MAX: they have been */
  uint64_t settles_at; /* see serve.c; UINT64_MAX: not known */
  bool idle;           /* not among `server->busy` */
  bool has_thread;
  pthread_t thread;
  char failure[192]; /* why it had to end; "": it did not have to. Its thread's, until that has ended */
};

struct wt_server {
  struct wt_server_config config;
  struct wt__log log;
  bool in_run, free_after_run;
  char error[512];

  struct wt__routes routes;
  struct wt__tls_context *tls;
  wt_certificate **certificates;
  size_t certificate_count;

  struct wt__shared shared;
  bool has_shared;
  uint8_t reset_key[WT__RESET_KEY_LEN];
  bool abandoned;          /* by a copy of the process */
  bool steered, unsteered; /* the kernel goes by connection ids; tests: it is not asked to */

  struct wt__posts posts;
  _Atomic uint64_t asked_deadline_ms;
  _Atomic unsigned busy;    /* workers that have a request or session, or have not been told to drain */
  _Atomic unsigned running; /* workers but the first that have not ended */

  struct wt__worker *workers;
  unsigned worker_count;
};

extern const struct wt__loop_callbacks wt__serve_callbacks;

/* --- start.c --- */

/* Opens sockets, makes the endpoints, begins the threads. On an error `server->error` says why, and the state is NEW
 * if it may be tried again. */
int wt__server_begin(struct wt_server *server);

/* Ends what runs: CONNECTION_CLOSE to every peer, `on_close` for every handle, no more sockets. Not inside a
 * callback. */
void wt__server_end(struct wt_server *server);

/* In a copy of the process (fork.h), before its loop is run or started: goes on, if that can be. WT_ERR_STATE,
 * WT_ERR_IO. */
int wt__server_adopt(struct wt_server *server);
/* In a copy that cannot go on with it: closes the sockets here and leaves all else alone. */
void wt__server_abandon(struct wt_server *server);

/* Waits for the threads, which are about to end. */
void wt__server_join(struct wt_server *server);

/* --- serve.c --- */

/* Any thread, and signal handlers. */
void wt__worker_ask(struct wt__worker *worker, unsigned what);

/* Sends CONNECTION_CLOSE to the worker's peers and ends its handles. On its thread, not inside a callback. */
void wt__worker_close(struct wt__worker *worker);

/* Closes what the loop does not have. */
void wt__worker_close_parts(struct wt__worker *worker);

/* Takes a packet to the worker it belongs to: of `struct wt__endpoint_config`; `ctx` is the worker that got it. */
void wt__worker_pass(void *ctx, unsigned to, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                     size_t len);

/* Of `struct wt__mux_config`; `ctx` is the worker. */
int wt__worker_post(void *ctx, wt_session *session, wt__session_function function, void *argument);

/* --- counts.c --- */

/* Makes the worker's counts known to other threads. */
void wt__counts_publish(struct wt__worker *worker);

/* Notes a sentence for `wt_server_error`; returns `error`. */
int wt__server_fail(struct wt_server *server, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
