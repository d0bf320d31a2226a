/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_CONNECTOR_H
#define WT_NET_CONNECTOR_H

/* From a host and a port to a connection: lookups and the race of the addresses. See connector.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

#include "base/list.h"
#include "net/address.h"
#include "net/failure.h"
#include "net/pending.h"
#include "net/race.h"
#include "net/resolve.h"
#include "net/timer.h"
#include "wire/url.h"

#define WT__ATTEMPTS_MAX (2 * WT__ADDRESSES_MAX)

struct wt__connection;
struct wt__snapshot;

/* An address that was tried. */
struct wt__attempt {
  struct wt__connection *connection; /* NULL: over */
  char address[WT__ADDRESS_TEXT_MAX];
  uint64_t begun, ended;
  int error;
  char message[WT__FAILURE_MAX];
};

struct wt__connector {
  wt_client *client;
  struct wt__link link;      /* in the client's `connectors`; not once it is over */
  struct wt__link scheduled; /* in the client's `scheduled` */
  struct wt__list waiting;   /* pending dials and requests */
  size_t refs;               /* those, and the ones that have their answer and may still ask what was tried */
  char host_port[WT__HOST_PORT_MAX];
  char host[WT__URL_HOST_MAX];
  uint16_t port;
  bool is_v6, pooling;
  enum wt_congestion_control congestion_control;
  struct wt__timer timer;
  struct wt__race race;
  struct wt__lookup *lookups[2]; /* by enum wt__race_family */
  int lookup_error;
  bool begun, no_memory;
  bool starting; /* counted in the client's `connectors_starting` */
  uint64_t begun_at;
  struct wt__attempt *attempts[WT__ATTEMPTS_MAX];
  size_t attempt_count;
  struct wt__snapshot *info; /* of the last connection that failed; NULL: none */
};

/* Makes `pending` wait for a connector: one that it may share, or a new one. WT_ERR_AGAIN, WT_ERR_NOMEM. */
int wt__connector_join(struct wt__pending *pending);
/* `pending` does not wait any more. When nobody waits, the connector gives up. */
void wt__connector_leave(struct wt__pending *pending);
/* Drops the reference that `pending` has. */
void wt__connector_release(struct wt__pending *pending);
/* Runs those that are scheduled. */
void wt__connectors_run(wt_client *client);
/* A connection tells: its attempt is over, one way or the other. */
void wt__connector_won(struct wt__connector *connector, struct wt__attempt *attempt);
void wt__connector_lost(struct wt__connector *connector, struct wt__attempt *attempt,
                        const struct wt__failure *failure);
/* Keeps what is known of an attempt's connection, for those that ask when it is gone. */
void wt__connector_keep_info(struct wt__connector *connector, const struct wt__connection *connection);
/* Says what it was doing, for a sentence about a timeout. */
void wt__connector_describe_timeout(const struct wt__connector *connector, const char *time,
                                    struct wt__failure *failure);

#endif
