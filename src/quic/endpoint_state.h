/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ENDPOINT_STATE_H
#define WT_QUIC_ENDPOINT_STATE_H

/* What an endpoint consists of, for the files that make up an endpoint and its connections. endpoint.h has its calls. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/pool.h"
#include "base/rate.h"
#include "quic/batch.h"
#include "quic/cid.h"
#include "quic/cid_maker.h"
#include "quic/endpoint.h"
#include "quic/half_open.h"
#include "quic/shared.h"
#include "quic/token_clock.h"
#include "quic/turn.h"

struct wt__endpoint {
  struct wt__endpoint_config config;
  struct wt__cid_map cids;
  struct wt__cid_shared own_ids;
  struct wt__cid_maker ids;       /* at a server */
  unsigned ids_generation;        /* of the configuration to which connections were told to move */
  size_t cid_len;                 /* of ids in short headers: of all that it gives out */
  struct wt__shared own, *shared; /* `shared` is `own`, or the server's */
  struct wt__list conns, ended;   /* open connections; closing and draining ones, oldest first */
  size_t ended_len;
  struct wt__half_open half_open; /* at a server */
  size_t debt;             /* connections let in beyond a bound, for which other workers have to end one: admit.c */
  struct wt__list ready;   /* touched or woken: run by the next pass */
  struct wt__list round;   /* this pass runs as many of them as it has time for; the next pass runs the others */
  struct wt__list waiting; /* want to write, but the socket is full */
  struct wt__heap timers;
  struct wt__endpoint_stats stats;
  struct wt__gauge_sum gauge; /* the sum of all connections' gauges */
  size_t published;           /* how much of it `shared->budget` contains */
  size_t withheld;            /* connections whose MAX_DATA is not extended */
  size_t published_over;      /* how much `shared->budget.over` contains */
  uint64_t evict_at;          /* when to look next for connections to close; UINT64_MAX: memory is not full */
  uint64_t now;
  bool busy;                          /* a callback may be on the stack: nothing is freed */
  bool shutdown_wanted, close_wanted; /* asked for while busy */
  bool shutting_down;
  bool refusing;                /* new connections, and nothing else */
  struct wt__origin origin;     /* of the packet that is being received */
  struct wt__rate resets;       /* packets answered with stateless resets */
  struct wt__rate fleet_resets; /* likewise, with the keys of a fleet */
  struct wt__token_clock token_clock;
  /* Lines of the log: who is not admitted, ends of connections, paths that carry less, sessions that begin. */
  struct wt__log_limit admit_lines, ending_lines, path_lines, session_lines;
  struct wt__pool pool; /* for all its connections */
  struct wt__batch batch;
  struct wt__turn turn;
  struct wt__lane unknown_lane; /* for packets that belong to no connection */
  struct wt__gauge unknown_gauge;
};

struct wt__conn;

/* The packet waits behind those of other connections; `conn`: NULL if it belongs to none. */
void wt__endpoint_put_off(struct wt__endpoint *endpoint, struct wt__conn *conn, const struct wt__path *path,
                          unsigned ecn, const uint8_t *data, size_t len);

#endif
