/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_BACKPLANE_H
#define WT_NET_BACKPLANE_H

/* A server's backplane (webtransport/backplane.h): it begins with worker 0 and ends with it. */

#include <stdbool.h>

#include <webtransport/backplane.h>

struct wt_server;

enum wt__carrier_state {
  WT__CARRIER_NEW, /* not started, or there is no backplane */
  WT__CARRIER_STARTED,
  WT__CARRIER_STOPPING,
  WT__CARRIER_STOPPED
};

struct wt__carrier {
  struct wt_backplane *backplane; /* NULL: none */
  struct wt_backplane_host host;
  enum wt__carrier_state state; /* of worker 0's thread */
};

/* Starts it, if there is one. Its error, with a sentence. */
int wt__carrier_start(struct wt_server *server);
/* Stops it, if it was started. Worker 0 is woken when it has. On the thread of worker 0, not inside a callback. */
void wt__carrier_stop(struct wt_server *server);
/* Whether nothing of it is on the loop. */
bool wt__carrier_is_idle(const struct wt_server *server);
void wt__carrier_free(struct wt_server *server);

#endif
