/* SPDX-License-Identifier: MIT */

/*
 * How long one connection may keep the loop busy.
 *
 * One loop serves many connections, so a connection that takes long makes all others wait. A peer can cause that with
 * packets that are cheap to send and expensive to read, and an application with a slow callback. So the time that each
 * connection takes is measured, and each has a budget:
 *
 *     packets ----> within the budget of this turn (2 ms)? --yes--> handled at once
 *                                      |
 *                                      no: copied, behind those of this connection that wait already
 *                                      v
 *     pass:    timers (2 ms) --> connections that are ready (5 ms, 2 ms each) --> packets that wait (1 ms)
 *
 * What does not fit goes on in the next turn, which begins at once, but asks the sockets for packets first. So the
 * others' packets are handled before more of the expensive ones. All connections with packets that wait share one
 * millisecond of each turn, so many of them delay the others no more than one does. Among themselves the one is next that
 * has had least: one that is late by accident, because the machine was busy elsewhere, catches up at once.
 *
 * A large transfer is no attack, though on a slow machine one batch of it may take more than 2 ms: while no packet is
 * expensive, the budget for packets is 8 ms. Reading ends after 2 ms anyhow (net/driver.c), so it is that batch. And where
 * there is one connection alone, nobody waits behind it, so what was put off gets 5 ms.
 *
 * The grain is a packet on the way in, and an event (a request, a stream, a session) in a run: the call of the
 * application, or of ngtcp2, that takes long is not interrupted.
 *
 * What waits has a maximum for each connection, and counts among what it holds (quic/pressure.c). Beyond it packets are
 * dropped, as a router does whose queue is full: congestion control then makes the peer slower.
 *
 * Reading the clock takes some 30 ns, a packet of a large transfer little more than a microsecond. So the clock is read
 * after each eighth packet, and the time of all eight is charged to the connection of the last one: a connection with more
 * packets is the last one more often. Once eight packets took long, the clock is read after each of the next 64, and each
 * connection is charged with its own time. The smaller pieces of work in a run are treated in the same way, as are runs and
 * timers, which may take longer because they write a batch of packets. Each request is always measured alone.
 *
 * Time in which the machine ran other programs counts for nobody (lost_time.c). So `at` is behind the clock by all that was
 * lost, and all times of this file that are not called clock_at are compared with it.
 */

#include "quic/turn.h"

#include <string.h>

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/mem.h"

#define LINES_BURST 10
#define LINES_RATE 1 /* a second */

void wt__turn_init(struct wt__turn *turn, uint64_t (*clock)(void *ctx),
                   bool (*thread_time)(void *ctx, struct wt__thread_time *time), void *ctx) {
  *turn = (struct wt__turn){.clock = clock, .clock_ctx = ctx, .number = 1};
  turn->lost = (struct wt__lost_time){.read = thread_time, .ctx = ctx};
  wt__heap_init(&turn->late);
  wt__log_limit_init(&turn->lines, LINES_RATE, LINES_BURST);
}

void wt__turn_free(struct wt__turn *turn) { wt__heap_free(&turn->late); }

void wt__lane_init(struct wt__lane *lane, struct wt__gauge *gauge) {
  *lane = (struct wt__lane){.gauge = gauge};
  wt__heap_node_init(&lane->late);
  lane->end = &lane->first;
}

/* --- Time --- */

static void lane_charge(struct wt__turn *turn, struct wt__lane *lane, uint64_t time) {
  if (lane->turn != turn->number) lane->spent = 0;
  lane->turn = turn->number;
  lane->spent += time;
  if (lane->spent > turn->longest_visit) turn->longest_visit = lane->spent;
}

static unsigned clock_each_next(unsigned left, uint64_t time, uint64_t costly) {
  if (time >= costly) return WT__TURN_CLOCK_EACH;
  return left ? left - 1 : 0;
}

/* `unclocked` pieces of work, and `runs`, took `time`. */
static void turn_judge_costs(struct wt__turn *turn, uint64_t time) {
  if (turn->unclocked)
    turn->clock_each = clock_each_next(turn->clock_each, time, (turn->unclocked + turn->runs) * WT__TURN_COSTLY);
  if (turn->runs) turn->clock_each_run = clock_each_next(turn->clock_each_run, time, turn->runs * WT__TURN_COSTLY_RUN);
  turn->unclocked = turn->runs = 0;
}

static void turn_begin(struct wt__turn *turn) {
  turn->began = turn->at;
  wt__lost_time_begin(&turn->lost, turn->clock_at);
}

/* The clock shows `now`. Between two turns the thread waits: that is nobody's time, and none of it is lost. */
static void turn_account(struct wt__turn *turn, uint64_t now) {
  uint64_t time = now > turn->clock_at ? now - turn->clock_at : 0;
  turn->clock_at += time;
  if (turn->began) time -= wt__lost_time_of(&turn->lost, time, turn->clock_at);
  if (turn->lane) lane_charge(turn, turn->lane, time);
  turn_judge_costs(turn, time);
  turn->at += time;
  if (!turn->began) turn_begin(turn);
}

static uint64_t turn_read(struct wt__turn *turn) {
  turn_account(turn, turn->clock(turn->clock_ctx));
  return turn->at;
}

/* Whether the next piece of work may be accounted together with those before it, without reading the clock. */
static bool turn_skips_clock(const struct wt__turn *turn) {
  return turn->unclocked < WT__TURN_CLOCK_EVERY && !turn->clock_each;
}

static void turn_charge_to(struct wt__turn *turn, struct wt__lane *lane, bool skip_clock) {
  if (!turn->clock || turn->lane == lane) return;
  if (!turn->fresh && !skip_clock) turn_read(turn);
  turn->fresh = false;
  turn->lane = lane;
  turn->runs++;
}

void wt__turn_charge(struct wt__turn *turn, struct wt__lane *lane) { turn_charge_to(turn, lane, false); }

void wt__turn_charge_lightly(struct wt__turn *turn, struct wt__lane *lane) {
  turn_charge_to(turn, lane, turn->runs < WT__TURN_CLOCK_EVERY && !turn->clock_each_run && turn_skips_clock(turn));
}

bool wt__turn_within(struct wt__turn *turn, uint64_t since, uint64_t max) {
  return !turn->clock || turn_read(turn) - since < max;
}

void wt__turn_allow(struct wt__turn *turn, uint64_t max) { turn->until = turn->at + max; }

bool wt__turn_has_time(struct wt__turn *turn, bool light) {
  if (!turn->clock) return true;
  turn->unclocked++;
  return (light && turn_skips_clock(turn)) || turn_read(turn) < turn->until;
}

void wt__turn_pass(struct wt__turn *turn, uint64_t now) {
  if (!turn->clock) return;
  turn_account(turn, now);
  turn->lane = NULL;
  turn->fresh = true;
}

void wt__turn_end(struct wt__turn *turn) {
  if (!turn->clock) return;
  turn_read(turn);
  turn->lane = NULL;
  turn->fresh = false;
  turn->began = 0;
  turn->number++;
}

/* --- Packets --- */

bool wt__turn_admits(struct wt__turn *turn, struct wt__lane *lane) {
  if (!turn->clock) return true;
  if (!turn->began || !turn_skips_clock(turn)) turn_read(turn);
  turn->lane = lane;
  turn->fresh = false;
  turn->unclocked++;
  uint64_t max = turn->clock_each ? WT__TURN_LANE_MAX : WT__TURN_CHEAP_MAX;
  return !lane->first && (lane->turn != turn->number || lane->spent < max);
}

/* One that waited before goes on where it was, unless all others are further. 0, or WT_ERR_NOMEM. */
static int lane_join(struct wt__turn *turn, struct wt__lane *lane) {
  uint64_t key = lane->late.key > turn->late_from ? lane->late.key : turn->late_from;
  return wt__heap_set(&turn->late, &lane->late, key);
}

static size_t put_off_size(const struct wt__put_off *packet) { return sizeof(*packet) + packet->len; }

bool wt__turn_put_off(struct wt__turn *turn, struct wt__lane *lane, size_t room, const struct wt__path *path,
                      unsigned ecn, const uint8_t *data, size_t len) {
  size_t size = sizeof(struct wt__put_off) + len;
  if (turn->unclocked) turn->unclocked--; /* it says nothing about what packets cost */
  if (room > WT__TURN_PUT_OFF_MAX - lane->bytes) room = WT__TURN_PUT_OFF_MAX - lane->bytes;
  struct wt__put_off *packet = size <= room ? wt__malloc(size) : NULL;
  if (!packet || (!lane->first && lane_join(turn, lane))) {
    wt__free(packet);
    turn->dropped++;
    return false;
  }
  *packet = (struct wt__put_off){.path = *path, .len = len, .ecn = ecn};
  memcpy(packet->data, data, len);
  *lane->end = packet;
  lane->end = &packet->next;
  lane->bytes += size;
  wt__gauge_add(lane->gauge, size);
  turn->put_off++;
  return true;
}

static struct wt__put_off *lane_take(struct wt__turn *turn, struct wt__lane *lane) {
  struct wt__put_off *packet = lane->first;
  lane->first = packet->next;
  lane->bytes -= put_off_size(packet);
  wt__gauge_remove(lane->gauge, put_off_size(packet));
  if (lane->first) return packet;
  lane->end = &lane->first;
  wt__heap_remove(&turn->late, &lane->late);
  return packet;
}

bool wt__turn_has_late(const struct wt__turn *turn) { return wt__heap_min(&turn->late) != NULL; }

struct wt__put_off *wt__turn_take_late(struct wt__turn *turn, struct wt__lane **lane) {
  struct wt__heap_node *node = wt__heap_min(&turn->late);
  if (!node) return NULL;
  *lane = WT__CONTAINER_OF(node, struct wt__lane, late);
  turn->late_from = node->key;
  wt__turn_charge(turn, *lane);
  return lane_take(turn, *lane);
}

bool wt__turn_served(struct wt__turn *turn, struct wt__lane *lane, uint64_t since, uint64_t max) {
  uint64_t began = turn->at;
  if (!turn->clock) return true;
  turn_read(turn);
  if (turn->lane == lane) { /* else it is gone */
    lane->late.key += turn->at - began;
    if (lane->first) (void)wt__heap_set(&turn->late, &lane->late, lane->late.key); /* it is there: cannot fail */
  }
  return turn->at - since < max;
}

void wt__put_off_free(struct wt__put_off *packet) { wt__free(packet); }

void wt__lane_clear(struct wt__turn *turn, struct wt__lane *lane) {
  while (lane->first) wt__free(lane_take(turn, lane));
  if (turn->lane == lane) turn->lane = NULL;
}
