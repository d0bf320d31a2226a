/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_SERVER_H
#define WT_NET_SERVER_H

/* A server from within: what server.c (the calls of the application) and serve.c (the work) share. */

#include <stdatomic.h>

#include <webtransport/server.h>

#include "base/log.h"
#include "h3/conn.h"
#include "h3/routes.h"
#include "net/config.h"
#include "net/driver.h"
#include "net/listen.h"
#include "net/post.h"
#include "quic/tls.h"

/*
 *   NEW --start--> RUNNING --shutdown--> DRAINING --idle or deadline--> ENDED
 *                     |                                                   ^
 *                     +----------------------- close ---------------------+
 */
enum server_state {
  SERVER_NEW,
  SERVER_RUNNING,
  SERVER_DRAINING,
  SERVER_ENDED
};

/* What other threads and signal handlers ask for. */
enum server_ask {
  ASK_SHUTDOWN = 1,
  ASK_CLOSE = 2
};

struct wt_server {
  struct wt_server_config config;
  struct wt__log log;
  enum server_state state;
  bool in_run, free_after_run;
  char error[512];

  struct wt__routes routes;
  struct wt__tls_context *tls;
  wt_certificate **certificates;
  size_t certificate_count;

  struct wt__driver driver; /* its endpoint: while running or draining */
  struct wt__posts posts;
  _Atomic unsigned asked;
  _Atomic uint64_t asked_deadline_ms;
  uint64_t deadline; /* of the draining; UINT64_MAX: none */

  struct wt__socket *sockets;
  size_t socket_count;
  struct wt__h3_counters counters;
};

extern const struct wt__loop_callbacks wt__serve_callbacks;

/* Opens sockets and makes the endpoint. On an error `server->error` says why, and the state is NEW if it may be
 * tried again. */
int wt__serve_start(struct wt_server *server);

/* Sends CONNECTION_CLOSE to every peer, ends every handle, closes the sockets. Not inside a callback. */
void wt__serve_end(struct wt_server *server);

/* Notes a sentence for `wt_server_error`; returns `error`. */
int wt__server_fail(struct wt_server *server, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
