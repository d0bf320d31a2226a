/* SPDX-License-Identifier: MIT */
/*
 * Limits and counters (draft sections 5.3 to 5.6) work as in QUIC (RFC 9000, section 4). They count from the beginning
 * of the session and only grow, so each capsule replaces all earlier ones.
 *
 * When is a limit extended? A capsule for every byte would cost more than the byte. A capsule that comes too late
 * makes the peer wait. For bytes, the limit is extended when half of the window has been read. For streams, it is
 * extended as soon as one is closed, if the peer has used half of its window: a peer with a hundred open streams that
 * closes one may open another one at once.
 *
 * How large is the window? It has to be bandwidth times delay, which nobody knows before. So it begins small, and
 * doubles while the peer uses it up within two round trips. Half of the window is then read in less than one round
 * trip, which is the time until an extension has an effect.
 *
 * Amounts come from the wire. So they are compared with what is left, and never added before that.
 */

#include "core/flow.h"

bool wt__flow_wanted(const struct wt__flow_limits *limits) {
  return limits->data > 0 || limits->streams[0] > 0 || limits->streams[1] > 0;
}

/* --- The peer's limits --- */

void wt__flow_out_init(struct wt__flow_out *out, uint64_t max) {
  out->max = max;
  out->used = 0;
  out->blocked_at = UINT64_MAX;
}

uint64_t wt__flow_out_room(const struct wt__flow_out *out) { return out->max - out->used; }

void wt__flow_out_use(struct wt__flow_out *out, uint64_t amount) {
  out->used += amount < out->max - out->used ? amount : out->max - out->used;
}

void wt__flow_out_undo(struct wt__flow_out *out, uint64_t amount) {
  out->used -= amount < out->used ? amount : out->used;
}

bool wt__flow_out_raise(struct wt__flow_out *out, uint64_t max) {
  if (max <= out->max) return false;
  out->max = max;
  return true;
}

bool wt__flow_out_blocked(struct wt__flow_out *out) {
  if (out->used < out->max || out->blocked_at == out->max) return false;
  out->blocked_at = out->max;
  return true;
}

/* --- Our limits --- */

static uint64_t flow_min(uint64_t a, uint64_t b) { return a < b ? a : b; }

void wt__flow_in_init(struct wt__flow_in *in, uint64_t window, uint64_t window_max, uint64_t cap, uint64_t step,
                      uint64_t now) {
  *in = (struct wt__flow_in){
      .max = flow_min(window, cap),
      .window = flow_min(window, cap),
      .window_max = flow_min(window > window_max ? window : window_max, cap),
      .cap = cap,
      .step = step,
      .since = now,
  };
}

bool wt__flow_in_use(struct wt__flow_in *in, uint64_t amount) {
  if (amount > in->max - in->used) return false;
  in->used += amount;
  return true;
}

void wt__flow_in_return(struct wt__flow_in *in, uint64_t amount) {
  in->returned += flow_min(amount, in->used - in->returned);
}

static uint64_t flow_in_next_max(const struct wt__flow_in *in) {
  return in->window > in->cap - in->returned ? in->cap : in->returned + in->window;
}

bool wt__flow_in_due(const struct wt__flow_in *in) {
  uint64_t step = in->step ? in->step : (in->window + 1) / 2;
  uint64_t next = flow_in_next_max(in);
  if (next <= in->max) return false;
  return next - in->max >= step && in->max - in->used <= in->window / 2;
}

uint64_t wt__flow_in_extend(struct wt__flow_in *in, uint64_t now, uint64_t round_trip) {
  /* elapsed / (2 * round_trip) < read / window, in numbers that cannot overflow */
  double elapsed = (double)(now - in->since), read = (double)(in->returned - in->since_returned);
  if (round_trip > 0 && elapsed * (double)in->window < 2.0 * (double)round_trip * read) {
    in->window = in->window > in->window_max / 2 ? in->window_max : in->window * 2;
  }
  in->since = now;
  in->since_returned = in->returned;
  in->max = flow_in_next_max(in);
  return in->max;
}
