/* SPDX-License-Identifier: MIT */
/*
 * Which operations are in flight, and what is counted.
 *
 * Without --rate the load is closed: a slot begins its next operation when one has finished, and the latency counts
 * from that moment. With --rate the load is open: operation g of a worker is due at a time that is fixed before the
 * run, and belongs to slot g modulo the number of slots. Its latency counts from the time when it was due, also if it
 * began later because the slot was full. If a server stops for a second, all operations of that second show it, not
 * only the few that were in flight (coordinated omission).
 *
 * An operation counts if it begins, or is due, within the measured time, no matter when it finishes: counting those
 * that finish within that time would leave out the slowest. Bytes are counted when they arrive.
 */
#include "bench/bench.h"

#include <stdlib.h>

#include "common/clock.h"

enum {
  FAILURES_MAX = 3, /* in a row; then the slot is given up, because the server is dead */
};

bool slot_add(struct bench_session *session, struct bench_slot *slot, uint64_t limit) {
  struct bench_worker *worker = session->worker;
  if (worker->slot_count == worker->slot_room) {
    size_t room = worker->slot_room ? 2 * worker->slot_room : 64;
    struct bench_slot **slots = realloc(worker->slots, room * sizeof(struct bench_slot *));
    if (!slots) return false;
    worker->slots = slots;
    worker->slot_room = room;
  }
  *slot = (struct bench_slot){.session = session, .index = worker->slot_count, .limit = limit};
  worker->slots[worker->slot_count++] = slot;
  worker->alive++;
  return true;
}

uint64_t slot_due(const struct bench_worker *worker, uint64_t operation) {
  return worker->base + (uint64_t)((double)operation * worker->period);
}

/* Whether an operation may begin now, and from when its time runs. */
static bool slot_next(const struct bench_slot *slot, uint64_t now, uint64_t *start) {
  const struct bench_worker *worker = slot->session->worker;
  if (slot->dead || slot->in_flight >= slot->limit) return false;
  if (worker->settings->rate) {
    if (slot->pending == 0 || worker->phase > PHASE_DRAINING) return false;
    *start = slot_due(worker, slot->turn * worker->slot_count + slot->index);
    return true;
  }
  *start = now;
  return worker->phase == PHASE_RUNNING && now < worker->until && worker->budget > 0;
}

static void slot_began(struct bench_slot *slot, uint64_t now, uint64_t start) {
  struct bench_worker *worker = slot->session->worker;
  if (slot->in_flight++ == 0) slot->since = now;
  worker->in_flight++;
  if (worker->settings->rate) {
    slot->pending--;
    slot->turn++;
    worker->waiting--;
  } else if (worker->budget != UINT64_MAX && start >= worker->from) {
    worker->budget--;
  }
}

static bool is_one_way(const struct bench_settings *settings) {
  return settings->workload->one_way || (settings->workload->one_way_paced && settings->rate);
}

void slot_pump(struct bench_slot *slot) {
  struct bench_worker *worker = slot->session->worker;
  uint64_t start, now = clock_ns();
  while (slot_next(slot, now, &start)) {
    if (!worker->settings->workload->issue(slot, start)) return;
    slot_began(slot, now, start);
    if (is_one_way(worker->settings)) slot_release(slot, now);
  }
}

static bool in_window(const struct bench_worker *worker, uint64_t now) {
  return now >= worker->from && now < worker->until;
}

/* Only this thread writes it; the other one may see it late. */
static void operations_show(struct bench_worker *worker) {
  atomic_store_explicit(&worker->live_operations, worker->result.operations, memory_order_relaxed);
}

void slot_record(struct bench_slot *slot, uint64_t start, uint64_t now) {
  struct bench_worker *worker = slot->session->worker;
  if (start < worker->from || start >= worker->until) return;
  struct bench_result *result = &worker->result;
  result->operations++;
  result->last_ns = now;
  histogram_add(&result->latency, now - start);
  operations_show(worker);
}

bool slot_count(struct bench_slot *slot, uint64_t now) {
  struct bench_worker *worker = slot->session->worker;
  if (!in_window(worker, now)) return false;
  worker->result.operations++;
  worker->result.last_ns = now;
  operations_show(worker);
  return true;
}

void slot_release(struct bench_slot *slot, uint64_t now) {
  struct bench_worker *worker = slot->session->worker;
  slot->since = now;
  if (slot->in_flight == 0) return; /* the slot has been given up */
  slot->in_flight--;
  worker->in_flight--;
}

void slot_kill(struct bench_slot *slot) {
  struct bench_worker *worker = slot->session->worker;
  if (slot->dead) return;
  slot->dead = true;
  worker->result.unfinished += slot->in_flight + slot->pending;
  worker->in_flight -= slot->in_flight;
  worker->waiting -= slot->pending;
  slot->in_flight = slot->pending = 0;
  worker->alive--;
}

void slot_refused(struct bench_slot *slot) {
  slot_release(slot, clock_ns());
  if (++slot->failures >= FAILURES_MAX)
    slot_kill(slot);
  else
    slot_pump(slot);
}

static void bytes_show(struct bench_worker *worker) {
  atomic_store_explicit(&worker->live_bytes, worker->result.bytes_sent + worker->result.bytes_received,
                        memory_order_relaxed);
}

void slot_sent(struct bench_slot *slot, uint64_t now, uint64_t bytes) {
  struct bench_worker *worker = slot->session->worker;
  if (!in_window(worker, now)) return;
  worker->result.bytes_sent += bytes;
  bytes_show(worker);
}

void slot_received(struct bench_slot *slot, uint64_t now, uint64_t bytes) {
  struct bench_worker *worker = slot->session->worker;
  if (!in_window(worker, now)) return;
  worker->result.bytes_received += bytes;
  bytes_show(worker);
}
