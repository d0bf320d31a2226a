/* SPDX-License-Identifier: MIT */
/*
 * tick: a game in small. Each session is a player, at /tick of the server. It sends a datagram of --size bytes --hz times a
 * second, each player at another time of the interval, and the server sends one of the same size to all players at the
 * same time, as often. An operation is a datagram in either direction.
 *
 * The server numbers its ticks, so a tick that is missing shows, and how far each one is from the ideal grid
 * (tick_distance.c). That distance includes the time that the server takes for the players before this one, and the time
 * that we take to read their datagrams: use --workers for many players. The player numbers its datagrams too, and the
 * server tells how many of them have come. Lost datagrams are no error.
 */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/pattern.h"
#include "common/tick.h"

struct tick_state {
  struct bench_slot slot; /* first */
  uint64_t moves;         /* datagrams sent */
  uint64_t received;      /* ticks within the measured time */
  uint64_t lowest, highest;
  struct tick first, last; /* of those: what the server told of our datagrams */
};

static size_t tick_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct tick_state);
}

static bool tick_prepare(struct bench_session *session) {
  struct tick_state *state = session->state;
  return slot_add(session, &state->slot, 1);
}

static bool tick_issue(struct bench_slot *slot, uint64_t start) {
  struct tick_state *state = (struct tick_state *)slot;
  struct bench_worker *worker = slot->session->worker;
  uint8_t data[TICK_BYTES_MAX];
  size_t len, size = (size_t)worker->settings->size;
  uint64_t now = clock_ns();
  (void)start;
  if (!slot->session->session) return false;
  memcpy(data, pattern_bytes(0, size, &len), size);
  move_write(data, state->moves);
  int error = wt_session_send_datagram(slot->session->session, data, size);
  if (error && error != WT_ERR_CLOSED)
    session_fail(slot->session, FAULT_INTERNAL, "a datagram could not be sent: %s", wt_error_string(error));
  if (error) return false;
  state->moves++;
  slot_sent(slot, now, size);
  if (slot_count(slot, now)) worker->result.ticks.sent++;
  return true;
}

static void tick_count(struct tick_state *state, const struct tick *tick) {
  if (state->received++ == 0) {
    state->lowest = state->highest = tick->number;
    state->first = state->last = *tick;
    return;
  }
  if (tick->number < state->lowest) state->lowest = tick->number;
  if (tick->number > state->highest) {
    state->highest = tick->number;
    state->last = *tick;
  }
}

static void tick_on_datagram(wt_session *handle, const uint8_t *data, size_t len, void *user_data) {
  struct bench_session *session = user_data;
  struct tick_state *state = session->state;
  struct bench_worker *worker = session->worker;
  struct tick tick;
  uint64_t now = clock_ns();
  (void)handle;
  if (state->slot.dead) return;
  if (len != worker->settings->size) {
    session_fail(session, FAULT_MISMATCH, "a tick had %zu bytes, not %llu", len,
                 (unsigned long long)worker->settings->size);
    return;
  }
  tick_read(data, &tick);
  slot_received(&state->slot, now, len);
  bool counted = slot_count(&state->slot, now);
  tick_distances_add(&worker->result.ticks.distances, (int64_t)(now - tick_due(tick.number, worker->settings->hz)),
                     counted);
  if (!counted) return;
  worker->result.ticks.received++;
  tick_count(state, &tick);
}

/* How much `now` is above `before`; a server that tells nonsense must not make a number of 20 digits of it. */
static uint64_t since(uint64_t now, uint64_t before) { return now > before ? now - before : 0; }

/* A player that got nothing, though the run was long enough for it. */
static bool was_left_out(const struct bench_worker *worker, const struct tick_state *state) {
  uint64_t now = clock_ns(), end = now < worker->until ? now : worker->until;
  return state->received == 0 && since(end, worker->from) >= worker->settings->patience_ns;
}

static void tick_closed(struct bench_session *session) {
  struct tick_state *state = session->state;
  struct bench_result *result = &session->worker->result;
  if (was_left_out(session->worker, state)) {
    result_fault(result, FAULT_STALLED, "a player got no tick for %llu ms",
                 (unsigned long long)(session->worker->settings->patience_ns / NS_PER_MS));
    return;
  }
  if (state->received == 0) return;
  result->ticks.lost += since(state->highest - state->lowest + 1, state->received);
  result->ticks.moves_lost +=
      since(since(state->last.next, state->first.next), since(state->last.received, state->first.received));
}

const struct workload tick_workload = {
    .name = "tick",
    .path = "/tick",
    .takes = TAKES_SIZE | TAKES_HZ,
    .default_size = TICK_BYTES_DEFAULT,
    .min_size = TICK_BYTES_MIN,
    .max_size = TICK_BYTES_MAX,
    .connects_first = true,
    .one_way = true,
    .callbacks = {.on_datagram = tick_on_datagram},
    .state_size = tick_state_size,
    .prepare = tick_prepare,
    .closed = tick_closed,
    .issue = tick_issue,
};
