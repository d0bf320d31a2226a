/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_CONNECTION_H
#define WT_NET_CONNECTION_H

/* One QUIC connection of a client. See connection.c. */

#include <stdbool.h>

#include <webtransport/client.h>

#include "base/list.h"
#include "net/address.h"
#include "net/failure.h"
#include "net/loop.h"
#include "net/pending.h"
#include "net/timer.h"

struct wt__attempt;
struct wt__connector;
struct wt__h3_conn;
struct wt__snapshot;

struct wt__connection {
  wt_client *client;
  struct wt__link link; /* in the client's `connections` */
  struct wt__h3_conn *h3;
  struct wt__connector *connector; /* whose attempt it is; NULL: it won, or was given up */
  struct wt__attempt *attempt;
  struct wt__address remote;
  struct wt__list users; /* dials and requests that were given it */
  char host_port[WT__HOST_PORT_MAX];
  bool pooling, connected, ready, closing;
  bool unused; /* h3 has nothing on it */
  struct wt__timer linger;
};

#define WT__CONNECTION_OF(l) WT__CONTAINER_OF(l, struct wt__connection, link)

/* Begins a connection as an attempt of `connector`; on an error `failure` says why. */
int wt__connection_begin(struct wt__connector *connector, struct wt__attempt *attempt, const struct wt__address *remote,
                         struct wt__failure *failure);
/* Ends it; h3 tells its users. */
void wt__connection_close(struct wt__connection *connection);
/* One that `pending` may share, or NULL. */
struct wt__connection *wt__connection_find(const struct wt__pending *pending);
/* `pending` uses it from now on; it does not use it, or not any more. */
void wt__connection_add_user(struct wt__connection *connection, struct wt__pending *pending);
void wt__connection_drop_user(struct wt__pending *pending);
/* Handles errors that the network reports about packets of `socket`. */
void wt__connections_errors(wt_client *client, struct wt__socket *socket);
/* What is known of the connection at present. NULL: out of memory. */
struct wt__snapshot *wt__connection_snapshot(const struct wt__connection *connection);

#endif
