/* SPDX-License-Identifier: MIT */
/*
 * datagram-echo: datagrams of --size bytes, with --outstanding of each session in flight. A datagram in flight has a
 * place. It begins with the number of that place and a count of how often the place was used; the rest is the pattern
 * of common/pattern.h.
 *
 * A datagram that has not come back within --patience is lost, and its place is free again. If it comes back later, its
 * count is old, and it is late. Neither is an error, because datagrams may be lost. Wrong bytes are an error.
 */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"

enum {
  HEAD_SIZE = 8,
};

struct datagram_place {
  uint64_t start;
  uint64_t sent_at; /* 0: free */
  uint32_t use;
  uint32_t next; /* free one after it; NONE: the last */
};

#define NONE UINT32_MAX

struct datagram_state {
  struct bench_slot slot; /* first */
  struct datagram_place *places;
  uint32_t free;
  uint8_t *buffer;
};

static size_t datagram_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct datagram_state);
}

static bool datagram_prepare(struct bench_session *session) {
  const struct bench_settings *settings = session->worker->settings;
  struct datagram_state *state = session->state;
  size_t len;
  state->places = calloc(settings->outstanding, sizeof *state->places);
  state->buffer = malloc(settings->size);
  if (!state->places || !state->buffer) return false;
  for (uint32_t i = 0; i < settings->outstanding; i++)
    state->places[i].next = i + 1 < settings->outstanding ? i + 1 : NONE;
  memcpy(state->buffer, pattern_bytes(0, settings->size, &len), settings->size);
  return slot_add(session, &state->slot, settings->outstanding);
}

static void datagram_release(struct bench_session *session) {
  struct datagram_state *state = session->state;
  free(state->places);
  free(state->buffer);
}

static void place_free(struct datagram_state *state, uint32_t at, uint64_t now) {
  struct datagram_place *place = &state->places[at];
  place->sent_at = 0;
  place->use++;
  place->next = state->free;
  state->free = at;
  slot_release(&state->slot, now);
}

static bool datagram_issue(struct bench_slot *slot, uint64_t start) {
  struct datagram_state *state = (struct datagram_state *)slot;
  size_t size = (size_t)slot->session->worker->settings->size;
  uint32_t at = state->free;
  if (at == NONE || !slot->session->session) return false;
  struct datagram_place *place = &state->places[at];
  memcpy(state->buffer, &at, sizeof at);
  memcpy(state->buffer + sizeof at, &place->use, sizeof place->use);
  int error = wt_session_send_datagram(slot->session->session, state->buffer, size);
  if (error == WT_ERR_TOO_LARGE)
    session_fail(slot->session, FAULT_INTERNAL, "the path takes datagrams of up to %zu bytes",
                 wt_session_max_datagram_size(slot->session->session));
  else if (error && error != WT_ERR_CLOSED)
    session_fail(slot->session, FAULT_INTERNAL, "a datagram could not be sent: %s", wt_error_string(error));
  if (error) return false;
  state->free = place->next;
  place->start = start;
  place->sent_at = clock_ns();
  slot_sent(slot, place->sent_at, size);
  return true;
}

static void datagram_on_datagram(wt_session *handle, const uint8_t *data, size_t len, void *user_data) {
  struct bench_session *session = user_data;
  struct datagram_state *state = session->state;
  size_t size = (size_t)session->worker->settings->size;
  uint32_t at, use;
  uint64_t now = clock_ns();
  (void)handle;
  if (state->slot.dead) return;
  bool good = len == size && pattern_matches(HEAD_SIZE, data + HEAD_SIZE, len - HEAD_SIZE);
  if (good) {
    memcpy(&at, data, sizeof at);
    memcpy(&use, data + sizeof at, sizeof use);
    good = at < session->worker->settings->outstanding;
  }
  if (!good) {
    session_fail(session, FAULT_MISMATCH, "a datagram of %zu bytes is not one that was sent", len);
    return;
  }
  struct datagram_place *place = &state->places[at];
  if (place->sent_at == 0 || place->use != use) {
    session->worker->result.datagrams_late++;
    return;
  }
  slot_received(&state->slot, now, len);
  slot_record(&state->slot, place->start, now);
  place_free(state, at, now);
  slot_pump(&state->slot);
  session->worker->check(session->worker);
}

static void datagram_expire(struct bench_session *session, uint64_t now) {
  struct datagram_state *state = session->state;
  const struct bench_worker *worker = session->worker;
  if (state->slot.dead) return;
  for (uint32_t i = 0; i < worker->settings->outstanding; i++) {
    struct datagram_place *place = &state->places[i];
    if (place->sent_at == 0 || now - place->sent_at < worker->settings->patience_ns) continue;
    if (place->start >= worker->from && place->start < worker->until) session->worker->result.datagrams_lost++;
    place_free(state, i, now);
  }
  slot_pump(&state->slot);
}

const struct workload datagram_echo_workload = {
    .name = "datagram-echo",
    .path = "/echo",
    .takes = TAKES_SIZE | TAKES_OUTSTANDING | TAKES_RATE | TAKES_COUNT,
    .default_size = 100,
    .min_size = HEAD_SIZE,
    .max_size = PATTERN_PERIOD,
    .connects_first = true,
    .callbacks = {.on_datagram = datagram_on_datagram},
    .state_size = datagram_state_size,
    .prepare = datagram_prepare,
    .release = datagram_release,
    .issue = datagram_issue,
    .expire = datagram_expire,
};
