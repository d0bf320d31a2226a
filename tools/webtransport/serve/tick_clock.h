/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_TICK_CLOCK_H
#define WEBTRANSPORT_TOOL_TICK_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/session.h>

enum {
  TICK_RATES_MAX = 16, /* different rates at a time */
};

/* Keeps time for endpoints. Any thread may call the functions below, each for the players of its own worker. */
struct tick_clock;
struct tick_group;

/* A session that gets ticks. The caller owns it and fills the members above the line. */
struct tick_player {
  wt_session *session;
  /* Called for each tick, on the thread of the worker. It may remove its own player, and no other one. */
  void (*on_tick)(struct tick_player *player, uint64_t number);
  /* --- */
  struct tick_group *group; /* NULL: it gets none */
  struct tick_player *before, *after;
};

/* For a server of that many workers. NULL: out of memory. */
struct tick_clock *tick_clock_new(unsigned workers);
/* No tick comes any more. To be called before the server is freed; NULL does nothing. */
void tick_clock_stop(struct tick_clock *clock);
/* To be called after the server was freed; NULL does nothing. */
void tick_clock_free(struct tick_clock *clock);

/* The player gets `hz` ticks a second, until it is removed. Returns NULL, or why not. On the thread of `worker`. */
const char *tick_clock_add(struct tick_clock *clock, unsigned worker, uint64_t hz, struct tick_player *player);
/* Does nothing if the player was not added. On the same thread, also inside a tick. */
void tick_clock_remove(struct tick_clock *clock, struct tick_player *player);

#endif
