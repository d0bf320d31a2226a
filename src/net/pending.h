/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_PENDING_H
#define WT_NET_PENDING_H

/* What a dial and a plain request have in common until they are over. See pending.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

#include "base/list.h"
#include "net/failure.h"
#include "net/timer.h"
#include "wire/url.h"

struct wt__connection;
struct wt__connector;
struct wt__pending;
struct wt__snapshot;

/* What differs between the two. */
struct wt__pending_kind {
  bool is_session;
  /* The connection's handshake is done: sends the request, unless it has to wait for the server's SETTINGS. */
  void (*connected)(struct wt__pending *pending);
  /* The connection's SETTINGS are in and allow WebTransport. */
  void (*ready)(struct wt__pending *pending);
  /* Gives up a request that was sent already. True: h3 will tell its end. False: nothing was sent. */
  bool (*give_up)(struct wt__pending *pending);
  /* Tells the application about `pending->failure`, and frees it. */
  void (*report_failure)(struct wt__pending *pending);
};

struct wt__pending {
  wt_client *client;
  const struct wt__pending_kind *kind;
  struct wt__link link;   /* in the client's `pending` */
  struct wt__link failed; /* in the client's `failed` */
  struct wt__link wait;   /* in the list of `connector`, or of `connection` */
  struct wt__url url;
  struct wt__connector *connector;   /* that it waited for, kept for `wt_dial_get_attempt`; NULL: none */
  struct wt__connection *connection; /* that it was given, while that lives */
  struct wt__snapshot *info;         /* of the last connection, if it is not there any more; NULL: none */
  struct wt__timer timer;
  uint64_t begun, timeout_ms;
  bool pooling;
  enum wt_congestion_control congestion_control; /* of a connection that is made for it */
  enum wt_dial_stage stage;
  struct wt__failure failure;
};

#define WT__PENDING_OF(l, member) WT__CONTAINER_OF(l, struct wt__pending, member)
#define WT__HOST_PORT_MAX (WT__URL_HOST_MAX + 16)

/* What both kinds are asked for. */
struct wt__pending_options {
  uint64_t timeout_ms;
  bool pooling;
  enum wt_congestion_control congestion_control;
};

/* Begins. It takes over `url`, also after an error. WT_ERR_AGAIN, WT_ERR_NOMEM. */
int wt__pending_begin(struct wt__pending *pending, wt_client *client, const struct wt__pending_kind *kind,
                      struct wt__url *url, const struct wt__pending_options *options);
void wt__pending_free(struct wt__pending *pending);
/* It is over. The first failure counts; `report_failure` follows, from the loop. */
void wt__pending_fail(struct wt__pending *pending, const struct wt__failure *failure);
/* Gives up at the application's wish. */
void wt__pending_cancel(struct wt__pending *pending, const char *message);
/* The answer is in: no more timeout. */
void wt__pending_answered(struct wt__pending *pending);
/* Its connection cannot be shared: it gets one of its own. */
void wt__pending_reconnect(struct wt__pending *pending);
/* Tells the application about all that have failed. */
void wt__pending_report_failures(wt_client *client);
/* "host:port" of its URL. */
void wt__pending_host_port(const struct wt__pending *pending, char *text, size_t size);
/* Fills `*info` from the connection, or what is left of it. WT_ERR_STATE, WT_ERR_INVALID. */
int wt__pending_get_info(const struct wt__pending *pending, struct wt_connection_info *info);

#endif
