/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_CLIENT_STATE_H
#define WT_NET_CLIENT_STATE_H

/*
 * What a client consists of, and what its files share.
 *
 *   client.c      the calls of the application on the client, the loop's turns, the end
 *   dial.c        a dial: a request for a session
 *   fetch.c       a plain request
 *   pending.c     what those two have in common: the way to a connection, and the time until the answer
 *   connector.c   from a name to a connection: lookups and the race of the addresses
 *   connection.c  a QUIC connection: first an attempt of a connector, then what dials and requests use
 *   timer.c       timers of all of these
 *   failure.c     why there is no session or response
 *
 *     wt_client_dial, wt_client_request
 *          |
 *          v
 *        pending ---- allows pooling, and there is a connection to host:port ----------+
 *          |                                                                           |
 *          v                                                                           v
 *        connector --> lookups --> race --> attempts --> the first connected --> connection --> request --> answer
 *
 * None of these files calls the application from inside one of the application's calls. They put a pending dial or
 * request on the list `failed`, or a connector on the list `scheduled`, and the next pass goes on from there.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "h3/conn.h"
#include "net/driver.h"
#include "net/loop.h"
#include "net/post.h"
#include "net/qlog_files.h"
#include "net/resolve.h"
#include "wire/url.h"

struct wt__tls_client;

struct wt_client {
  struct wt_client_config config;
  struct wt__log log;
  struct wt__qlog_files qlog_files;
  struct wt__driver driver;
  struct wt__tls_client *tls;
  struct wt__h3_counters counters;
  struct wt__resolver resolver;
  struct wt__posts posts, session_posts;
  struct wt__socket sockets[2]; /* at most one for each address family */
  size_t socket_count;

  struct wt__list pending;     /* dials and requests that are not over */
  struct wt__list failed;      /* those of them that have failed: the application does not know yet */
  struct wt__list connectors;  /* under way */
  struct wt__list scheduled;   /* those of them to which something has happened: the next pass runs them */
  struct wt__list connections; /* attempts included */
  size_t connections_len;
  size_t connectors_starting; /* connectors whose first attempt is to come: each will be a connection */
  struct wt__heap timers;

  _Atomic unsigned asked; /* by another thread or a signal handler: to close */
  bool in_run, free_after_run;
  bool freeing;
  char error[512];
};

/* Notes a sentence for `wt_client_error`; returns `error`. */
int wt__client_fail(wt_client *client, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Reads a URL; notes what is wrong with it. WT_ERR_ADDRESS, WT_ERR_NOMEM; WT_ERR_STATE while the client is freed. */
int wt__client_url(wt_client *client, const char *text, struct wt__url *url);
/* Whether there is nothing to wait for: no dial, request, connector or connection. */
bool wt__client_is_idle(const wt_client *client);
/* Keeps the loop running while the client is not idle. To be called after something began or ended. */
void wt__client_hold(wt_client *client);
/* The loop's time. */
uint64_t wt__client_now(wt_client *client);

#endif
