/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_SERVER_STATE_H
#define WT_NET_SERVER_STATE_H

/*
 * What a server and its workers consist of, and what their files share.
 *
 *   server.c   the calls of the application
 *   start.c    sockets, endpoints and threads begin, and end
 *   serve.c    a worker at work
 *   workers.c  what workers get from each other and from other threads
 *   counts.c   what has been counted
 *   takeover.c another process takes over; takeover_state.h has a map of its files
 *
 * What does not belong to a worker is set before the threads begin, or is atomic, or belongs to the thread of worker 0.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/server.h>

#include "base/log.h"
#include "h3/conn.h"
#include "h3/file_body.h"
#include "h3/routes.h"
#include "net/backplane.h"
#include "net/counts.h"
#include "net/driver.h"
#include "net/hub.h"
#include "net/inbox.h"
#include "net/post.h"
#include "net/qlog_files.h"
#include "quic/cid_maker.h"
#include "quic/endpoint.h"
#include "quic/shared.h"
#include "net/takeover_state.h"

struct wt__tls_context;

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
  ASK_CLOSE = 2,
  ASK_TAKEOVER = 4, /* look at the phase: takeover.c */
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
  struct wt__measures measures; /* any thread may read them */
  struct wt__open_files open_files;
  struct wt__counts counts; /* as of the end of the last turn */
  _Atomic unsigned asked;
  uint64_t deadline;   /* of the draining; UINT64_MAX: none */
  uint64_t closes_at;  /* likewise, when sessions are closed; UINT64_MAX: they have been */
  uint64_t settles_at; /* see serve.c; UINT64_MAX: not known */
  bool idle;           /* not among `server->busy` */
  bool held;           /* another process reads the sockets that are shared with it, or will in a moment */
  bool taken;          /* it drains because another process has taken over: its connections end by themselves */
  uint64_t retire_at;  /* then, when it looks for idle connections next */
  struct wt__outbox outbox;
  uint64_t takeover_out, takeover_in, takeover_dropped; /* packets for an older process; for us; lost on the way */
  bool has_thread;
  pthread_t thread;
  char failure[192]; /* why it had to end; "": it did not have to. Its thread's, until that has ended */
};

/* A socket of an older process that had more workers. The kernel gives it nothing any more, as long as it goes by connection
 * ids; it is read because it may hold packets, and because the kernel may not. */
struct wt__extra {
  struct wt__socket socket;
  size_t address; /* its packets count as received by this socket of `worker` */
  unsigned worker;
};

struct wt_server {
  struct wt_server_config config;
  struct wt__log log;
  struct wt__qlog_files qlog_files;
  bool in_run, free_after_run;
  char error[512];

  struct wt__routes routes;
  struct wt__tls_context *tls;
  wt_certificate **certificates;
  size_t certificate_count;
  _Atomic int64_t certificate_expires_at; /* of the one that expires first, since 1970; any thread */

  struct wt__shared shared;
  bool has_shared;
  struct wt__cid_shared ids; /* any thread */
  bool has_ids;
  pthread_mutex_t keys_lock;            /* held by who replaces keys */
  struct wt__keys keys;                 /* for `shared`, when there is one */
  uint8_t reset_key[WT__RESET_KEY_LEN]; /* the configuration's, or random */
  bool abandoned;                       /* by a copy of the process */
  bool steered, unsteered;              /* the kernel goes by connection ids; tests: it is not asked to */

  struct wt__posts posts;
  struct wt__hub hub; /* topics */
  struct wt__carrier carrier;
  _Atomic uint64_t asked_deadline_ms;
  _Atomic bool draining;    /* a worker has been told to end */
  _Atomic unsigned busy;    /* workers that have a request or session, or have not been told to drain */
  _Atomic unsigned running; /* workers but the first that have not ended */

  struct wt__worker *workers;
  unsigned worker_count;
  struct wt__extra *extras;
  size_t extra_count;
  struct wt__takeover *takeover; /* NULL: it takes no part in any */
};

/* Notes a sentence for `wt_server_error`; returns `error`. */
int wt__server_fail(struct wt_server *server, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
