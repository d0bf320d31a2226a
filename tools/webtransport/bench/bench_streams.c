/* SPDX-License-Identifier: MIT */
/*
 * Workloads in which each operation has a bidirectional stream of its own. The stream is opened, written, answered, and
 * closed when both sides have ended it; then its place is free for the next operation.
 *
 * stream-echo: a message that comes back from /echo. Its bytes are compared with the pattern of common/pattern.h, which
 * begins at another offset for each stream.
 *
 * upload: --size bytes to /sink, which answers with {"bytes":N}, --streams at a time. N is checked. Without --size a
 * stream practically has no end, and the end of the run interrupts it. The library gets the bytes without a copy. They
 * count when it releases them, because the server has acknowledged them then.
 */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"

enum {
  ANSWER_SIZE = 64,
};

struct streams_op {
  struct streams_state *state;
  wt_stream *stream;
  uint64_t start, phase, sent, received;
  char answer[ANSWER_SIZE]; /* of an upload */
  struct streams_op *next;  /* free ones */
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

static bool is_upload(const struct bench_slot *slot) {
  return slot->session->worker->settings->workload == &upload_workload;
}

static uint64_t op_size(const struct streams_op *op) { return op->state->slot.session->worker->settings->size; }

static bool streams_prepare(struct bench_session *session) {
  const struct bench_settings *settings = session->worker->settings;
  uint64_t limit = settings->workload == &upload_workload ? settings->streams : settings->outstanding;
  struct streams_state *state = session->state;
  state->ops = calloc(limit, sizeof *state->ops);
  if (!state->ops) return false;
  for (uint64_t i = 0; i < limit; i++) {
    state->ops[i].state = state;
    state->ops[i].next = state->free;
    state->free = &state->ops[i];
  }
  return slot_add(session, &state->slot, limit);
}

static void streams_release(struct bench_session *session) {
  struct streams_state *state = session->state;
  free(state->ops);
}

/* --- Writing. --- */

static void upload_on_release(const uint8_t *data, size_t len, void *user_data) {
  struct streams_state *state = user_data;
  uint64_t now = clock_ns();
  (void)data;
  state->slot.since = now;
  slot_sent(&state->slot, now, len);
}

static void streams_write(struct streams_op *op) {
  bool owned = is_upload(&op->state->slot);
  uint64_t size = op_size(op);
  while (op->sent < size) {
    size_t len, written = 0;
    const uint8_t *data = pattern_bytes(op->phase + op->sent, size - op->sent, &len);
    int error = owned ? wt_stream_write_owned(op->stream, data, len, upload_on_release, op->state)
                      : wt_stream_write(op->stream, data, len, &written);
    if (error) return; /* on_writable follows, or on_close */
    op->sent += owned ? len : written;
    if (!owned && written < len) return; /* on_writable follows */
  }
  wt_stream_end(op->stream);
}

static void streams_on_writable(wt_stream *stream, void *user_data) {
  struct streams_op *op = user_data;
  (void)stream;
  if (op->sent < op_size(op)) streams_write(op);
}

/* --- Answers. --- */

static void echo_answer(struct streams_op *op, const uint8_t *data, size_t len, bool fin, uint64_t now) {
  struct bench_slot *slot = &op->state->slot;
  uint64_t size = op_size(op);
  bool good = pattern_matches(op->phase + op->received, data, len);
  op->received += len;
  if (!good || op->received > size || (fin && op->received < size)) {
    session_fail(slot->session, FAULT_MISMATCH, "the answer on a stream is not what was sent: %" PRIu64 " bytes, %s",
                 op->received, good ? "the wrong number" : "some of them wrong");
    return;
  }
  if (!fin) return;
  slot_sent(slot, now, size);
  slot_record(slot, op->start, now);
}

static void upload_answer(struct streams_op *op, const uint8_t *data, size_t len, bool fin, uint64_t now) {
  static const char key[] = "\"bytes\":";
  struct bench_slot *slot = &op->state->slot;
  size_t room = ANSWER_SIZE - 1 - (size_t)op->received;
  if (len > room) len = room;
  memcpy(op->answer + op->received, data, len);
  op->received += len;
  if (!fin) return;
  op->answer[op->received] = 0;
  const char *at = strstr(op->answer, key);
  if (at && strtoull(at + sizeof key - 1, NULL, 10) == op_size(op))
    slot_record(slot, op->start, now);
  else
    session_fail(slot->session, FAULT_MISMATCH, "%" PRIu64 " bytes were sent, and the server answered '%s'",
                 op_size(op), op->answer);
}

static void streams_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct streams_op *op = user_data;
  struct bench_slot *slot = &op->state->slot;
  uint64_t now = clock_ns();
  (void)stream;
  if (slot->dead) return;
  slot_received(slot, now, len);
  if (is_upload(slot))
    upload_answer(op, data, len, fin, now);
  else
    echo_answer(op, data, len, fin, now);
}

/* --- Beginning and end. --- */

static void streams_on_abort(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
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
  slot_release(&state->slot, clock_ns());
  if (error) session_stream_failed(state->slot.session, error);
  slot_pump(&state->slot);
  state->slot.session->worker->check(state->slot.session->worker);
}

static bool streams_issue(struct bench_slot *slot, uint64_t start) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = streams_on_data,
      .on_writable = streams_on_writable,
      .on_reset = streams_on_abort,
      .on_stop_sending = streams_on_abort,
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

const struct workload upload_workload = {
    .name = "upload",
    .path = "/sink",
    .takes = TAKES_STREAMS | TAKES_SIZE | TAKES_COUNT,
    .default_size = SOURCE_BYTES_MAX,
    .min_size = 1,
    .max_size = SOURCE_BYTES_MAX,
    .connects_first = true,
    .endless = true,
    .callbacks = {.on_stream_credit = streams_on_stream_credit},
    .state_size = streams_state_size,
    .prepare = streams_prepare,
    .release = streams_release,
    .issue = streams_issue,
};
