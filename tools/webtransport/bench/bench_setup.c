/* SPDX-License-Identifier: MIT */
/*
 * setup: sessions are opened and closed, one after another in each of --sessions slots. An operation lasts from the
 * dial to the server's answer, with name lookup and handshake. Each session has a new connection, unless sessions share
 * connections (--pooled). With --resume, the connections after the first use the tickets of earlier ones.
 *
 * idle: sessions are opened and stay open. The library keeps them alive; nothing else happens.
 */
#include "bench/bench.h"

struct setup_state {
  struct bench_slot slot;
  uint64_t start;
};

static size_t setup_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct setup_state);
}

static bool setup_prepare(struct bench_session *session) {
  struct setup_state *state = session->state;
  return slot_add(session, &state->slot, 1);
}

static bool setup_issue(struct bench_slot *slot, uint64_t start) {
  struct setup_state *state = slot->session->state;
  state->start = start;
  return session_dial(slot->session, slot->session->worker->settings->url);
}

static void setup_opened(struct bench_session *session) {
  struct setup_state *state = session->state;
  state->slot.failures = 0;
  slot_record(&state->slot, state->start, clock_ns());
  session_close(session);
}

static void setup_closed(struct bench_session *session) {
  struct setup_state *state = session->state;
  slot_release(&state->slot, clock_ns());
  slot_pump(&state->slot);
}

static void setup_refused(struct bench_session *session) {
  struct setup_state *state = session->state;
  slot_refused(&state->slot);
}

const struct workload setup_workload = {
    .name = "setup",
    .path = "/echo",
    .takes = TAKES_RATE | TAKES_COUNT | TAKES_RESUME,
    .state_size = setup_state_size,
    .prepare = setup_prepare,
    .opened = setup_opened,
    .closed = setup_closed,
    .refused = setup_refused,
    .issue = setup_issue,
};

static size_t idle_state_size(const struct bench_settings *settings) {
  (void)settings;
  return 1;
}

static bool idle_prepare(struct bench_session *session) {
  (void)session;
  return true;
}

const struct workload idle_workload = {
    .name = "idle",
    .path = "/echo",
    .connects_first = true,
    .state_size = idle_state_size,
    .prepare = idle_prepare,
};
