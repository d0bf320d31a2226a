/* SPDX-License-Identifier: MIT */
/*
 * stream-echo: each message has a bidirectional stream of its own, which both sides end. An operation lasts
 * from the opening of the stream to the end of the answer; its place is free for the next one when the
 * stream has closed.
 */
#include "bench.h"

#include <stdlib.h>

#include "source.h"

struct streams_op {
  struct streams_state *state;
  wt_stream *stream;
  uint64_t start, phase, sent, received;
  bool answered;
  struct streams_op *next; /* free ones */
};

struct streams_state {
  struct bench_slot slot; /* first */
  struct streams_op *ops, *free;
  uint64_t count;
};

static size_t streams_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct streams_state);
}

static bool streams_prepare(struct bench_session *session) {
  uint64_t outstanding = session->worker->settings->outstanding;
  struct streams_state *state = session->state;
  state->ops = calloc(outstanding, sizeof *state->ops);
  if (!state->ops) return false;
  for (uint64_t i = 0; i < outstanding; i++) {
    state->ops[i].state = state;
    state->ops[i].next = state->free;
    state->free = &state->ops[i];
  }
  return slot_add(session, &state->slot, outstanding);
}

static void streams_release(struct bench_session *session) {
  struct streams_state *state = session->state;
  free(state->ops);
}

static void streams_write(struct streams_op *op) {
  uint64_t size = op->state->slot.session->worker->settings->size;
  while (op->sent < size) {
    size_t len, written;
    const uint8_t *data = source_bytes(op->phase + op->sent, size - op->sent, &len);
    if (wt_stream_write(op->stream, data, len, &written)) return; /* on_close tells */
    op->sent += written;
    if (written < len) return; /* on_writable follows */
  }
  wt_stream_end(op->stream);
}

static void streams_on_writable(wt_stream *stream, void *user_data) {
  struct streams_op *op = user_data;
  (void)stream;
  if (op->sent < op->state->slot.session->worker->settings->size) streams_write(op);
}

static void streams_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct streams_op *op = user_data;
  struct bench_slot *slot = &op->state->slot;
  uint64_t size = slot->session->worker->settings->size, now = bench_now();
  (void)stream;
  if (slot->dead) return;
  bool good = pattern_matches(op->phase + op->received, data, len);
  op->received += len;
  if (!good || op->received > size || (fin && op->received < size)) {
    session_fail(slot->session, FAULT_MISMATCH, "the answer on a stream is not what was sent: %llu bytes, %s",
                 (unsigned long long)op->received, good ? "the wrong number" : "some of them wrong");
    return;
  }
  slot_received(slot, now, len);
  if (!fin) return;
  op->answered = true;
  slot_sent(slot, now, size);
  slot_record(slot, op->start, now);
}

static void streams_on_gone(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct streams_op *op = user_data;
  (void)stream;
  session_stream_failed(op->state->slot.session, error);
}

static void streams_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct streams_op *op = user_data;
  struct streams_state *state = op->state;
  (void)stream;
  op->next = state->free;
  state->free = op;
  slot_release(&state->slot, bench_now());
  if (error) session_stream_failed(state->slot.session, error);
  slot_pump(&state->slot);
  worker_check(state->slot.session->worker);
}

static bool streams_issue(struct bench_slot *slot, uint64_t start) {
  static const struct wt_stream_callbacks callbacks = {
      .size = sizeof(struct wt_stream_callbacks),
      .on_data = streams_on_data,
      .on_writable = streams_on_writable,
      .on_reset = streams_on_gone,
      .on_stop_sending = streams_on_gone,
      .on_close = streams_on_close,
  };
  struct streams_state *state = (struct streams_state *)slot;
  struct streams_op *op = state->free;
  if (!op || !slot->session->session) return false;
  int error = wt_session_open_bidi(slot->session->session, &op->stream);
  if (error) {
    if (error != WT_ERR_STREAM_LIMIT && error != WT_ERR_CLOSED)
      session_fail(slot->session, FAULT_INTERNAL, "a stream could not be opened: %s", wt_error_string(error));
    return false;
  }
  state->free = op->next;
  op->start = start;
  op->sent = op->received = 0;
  op->answered = false;
  op->phase = state->count++ * BENCH_PHASE_STEP;
  wt_stream_set_callbacks(op->stream, &callbacks, op);
  streams_write(op);
  return true;
}

static void streams_on_stream_credit(wt_session *handle, enum wt_stream_kind kind, void *user_data) {
  struct bench_session *session = user_data;
  struct streams_state *state = session->state;
  (void)handle;
  if (kind == WT_BIDIRECTIONAL) slot_pump(&state->slot);
}

const struct workload stream_echo_workload = {
    .name = "stream-echo",
    .path = "/echo",
    .takes = TAKES_SIZE | TAKES_OUTSTANDING | TAKES_RATE | TAKES_COUNT,
    .default_size = 100,
    .max_size = 1 << 24,
    .connects_first = true,
    .callbacks = {.on_stream_credit = streams_on_stream_credit},
    .state_size = streams_state_size,
    .prepare = streams_prepare,
    .release = streams_release,
    .issue = streams_issue,
};
