/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_FLOW_H
#define WT_CORE_FLOW_H

/*
 * The arithmetic of session flow control (draft section 5): our limits, which the peer obeys (`flow_in`), and the
 * peer's limits, which we obey (`flow_out`). Bytes and streams are counted in the same way.
 *
 *   flow_in:    0 .... returned ........ used ............... max = what the peer was told
 *                         |<------------- window ----------------->|   after an extension
 *
 * It knows no session and no clock. credit.c uses it.
 */

#include <stdbool.h>
#include <stdint.h>

#define WT__FLOW_MAX_STREAMS (UINT64_C(1) << 60)    /* section 5.6.2 */
#define WT__FLOW_MAX_DATA ((UINT64_C(1) << 62) - 1) /* the largest varint */

/* What one side allows each session at first, as its SETTINGS say. `streams` is indexed by enum wt_stream_kind. */
struct wt__flow_limits {
  uint64_t data, streams[2];
};

/* Whether a side that announces these limits asks for flow control (section 5.1). */
bool wt__flow_wanted(const struct wt__flow_limits *limits);

/* --- The peer's limits --- */

struct wt__flow_out {
  uint64_t max, used;
  uint64_t blocked_at; /* the limit in our last blocked capsule; UINT64_MAX: none was sent */
};

void wt__flow_out_init(struct wt__flow_out *out, uint64_t max);
/* How much may still be used. */
uint64_t wt__flow_out_room(const struct wt__flow_out *out);
/* Uses `amount`, at most the room. */
void wt__flow_out_use(struct wt__flow_out *out, uint64_t amount);
/* Takes `amount` back, which was not needed. */
void wt__flow_out_undo(struct wt__flow_out *out, uint64_t amount);
/* A capsule brings a new limit. False if it is not larger, which is an error of the session. */
bool wt__flow_out_raise(struct wt__flow_out *out, uint64_t max);
/* We need more than the limit. True, once for each limit, if the peer has to be told. */
bool wt__flow_out_blocked(struct wt__flow_out *out);

/* --- Our limits --- */

struct wt__flow_in {
  uint64_t max, used, returned;
  uint64_t window, window_max;    /* how much may be used beyond `returned`, now and at most */
  uint64_t cap;                   /* `max` never exceeds it */
  uint64_t step;                  /* the smallest increase for which a capsule is sent; 0: half the window */
  uint64_t since, since_returned; /* the time when `max` was last extended, and `returned` at that time */
};

/* `step`: see above. `now` and round-trip times have the same unit. */
void wt__flow_in_init(struct wt__flow_in *in, uint64_t window, uint64_t window_max, uint64_t cap, uint64_t step,
                      uint64_t now);
/* The peer used `amount`. False if it was not allowed that much, which is an error of the session. */
bool wt__flow_in_use(struct wt__flow_in *in, uint64_t amount);
/* `amount` of it was read or closed, and the peer may use it again. */
void wt__flow_in_return(struct wt__flow_in *in, uint64_t amount);
/* Whether to tell the peer a new limit: it has at most half the window left, and the limit grows by at least `step`. */
bool wt__flow_in_due(const struct wt__flow_in *in);
/* Extends the limit and returns it. If since the last extension more than a window was read in two round trips, the
 * peer may be waiting for us: the window doubles, up to its maximum. */
uint64_t wt__flow_in_extend(struct wt__flow_in *in, uint64_t now, uint64_t round_trip);

#endif
