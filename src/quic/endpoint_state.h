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
#include "quic/endpoint.h"
#include "quic/half_open.h"
#include "quic/shared.h"
#include "quic/turn.h"

struct wt__endpoint {
  struct wt__endpoint_config config;
  struct wt__cid_map cids;
  struct wt__shared own, *shared; /* the latter: `own`, or that of the server */
  struct wt__list conns, ended;   /* open ones; closing and draining ones, oldest first */
  size_t ended_len;
  struct wt__half_open half_open; /* of a server */
  size_t debt;                    /* connections let in for which other workers end one: admit.c */
  struct wt__list ready;          /* touched or woken: run by the next pass */
  struct wt__list round;   /* those of which this pass runs as many as there is time for, and the next one the others */
  struct wt__list waiting; /* would write, but the socket is full */
  struct wt__heap timers;
  struct wt__endpoint_stats stats;
  struct wt__gauge_sum gauge; /* of connections' gauges */
  size_t told;                /* of it, in `shared->budget` */
  size_t withheld;            /* connections */
  size_t told_over;           /* in `shared->budget.over` */
  uint64_t evict_at;          /* the next look at who has to go; UINT64_MAX: memory is not full */
  uint64_t now;
  bool busy;                          /* a callback may be on the stack: nothing is freed */
  bool shutdown_wanted, close_wanted; /* asked for while busy */
  bool shutting_down;
  struct wt__rate resets; /* stateless ones */
  /* In the log: who is not admitted, ends of connections, paths that carry less, sessions that begin. */
  struct wt__log_limit admit_lines, ending_lines, path_lines, session_lines;
  struct wt__pool pool; /* of all its connections */
  struct wt__batch batch;
  struct wt__turn turn;
  struct wt__lane strangers; /* of packets that belong to no connection */
  struct wt__gauge strangers_gauge;
};

#endif
