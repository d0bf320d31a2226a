/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_FLOW_H
#define WT_CORE_FLOW_H

/*
 * The arithmetic of session flow control (draft section 5): limits of ours that the peer obeys (`flow_in`)
 * and limits of the peer's that we obey (`flow_out`). Bytes and streams count alike.
 *
 *   flow_in:    0 .... returned ........ used ............... max = what the peer was told
 *                         |<------------- window ----------------->|   after an extension
 *
 * Pure: no session, no clock. credit.c puts it to use.
 */

#include <stdbool.h>
#include <stdint.h>

#define WT__FLOW_MAX_STREAMS (UINT64_C(1) << 60)    /* section 5.6.2 */
#define WT__FLOW_MAX_DATA ((UINT64_C(1) << 62) - 1) /* the largest varint */

/* What one side allows each session at first: its SETTINGS. `streams` is indexed by enum wt_stream_kind. */
struct wt__flow_limits {
  uint64_t data, streams[2];
};

/* Whether a side that announces these limits asks for flow control (section 5.1). */
bool wt__flow_wanted(const struct wt__flow_limits *limits);

/* --- The peer's limits --- */

struct wt__flow_out {
  uint64_t max, used;
  uint64_t blocked_at; /* the limit that a blocked capsule named last; UINT64_MAX: none */
};

void wt__flow_out_init(struct wt__flow_out *out, uint64_t max);
/* How much may still be used. */
uint64_t wt__flow_out_room(const struct wt__flow_out *out);
/* Uses `amount`, at most the room. */
void wt__flow_out_use(struct wt__flow_out *out, uint64_t amount);
/* Takes back what was used for nothing. */
void wt__flow_out_undo(struct wt__flow_out *out, uint64_t amount);
/* A capsule named a new limit. False if it does not increase: an error of the session. */
bool wt__flow_out_raise(struct wt__flow_out *out, uint64_t max);
/* The limit is in the way. True, once for each limit, if the peer is to be told. */
bool wt__flow_out_blocked(struct wt__flow_out *out);

/* --- Our limits --- */

struct wt__flow_in {
  uint64_t max, used, returned;
  uint64_t window, window_max;    /* what may be used beyond `returned`, now and once grown */
  uint64_t cap;                   /* `max` never passes it */
  uint64_t step;                  /* the least increase worth a capsule; 0: half the window */
  uint64_t since, since_returned; /* when `max` was last extended, and `returned` then */
};

/* `step`: see above. `now` and round-trip times have one unit, which one does not matter here. */
void wt__flow_in_init(struct wt__flow_in *in, uint64_t window, uint64_t window_max, uint64_t cap, uint64_t step,
                      uint64_t now);
/* The peer used `amount`. False if that is more than it was allowed: an error of the session. */
bool wt__flow_in_use(struct wt__flow_in *in, uint64_t amount);
/* `amount` of it was read, or closed, and may be used again. */
void wt__flow_in_return(struct wt__flow_in *in, uint64_t amount);
/* Whether the peer is to be told a new limit: at most half the window is left to it, and the limit grows by
 * `step` or more. */
bool wt__flow_in_due(const struct wt__flow_in *in);
/* Extends the limit and returns it. The window doubles, up to its maximum, if since the last extension it
 * was used up at a rate of more than one window in two round trips: the peer may be waiting for us. */
uint64_t wt__flow_in_extend(struct wt__flow_in *in, uint64_t now, uint64_t round_trip);

#endif
