/* SPDX-License-Identifier: MIT */
/*
 * echo: messages of --size bytes on bidirectional streams that stay open, --streams in each session. A message is
 * answered when as many bytes have come back as were sent up to its end.
 *
 * The bytes of a stream are the pattern of common/pattern.h from an offset that differs between streams. Each byte that
 * comes back is compared with the pattern, so lost, doubled, swapped and misdelivered bytes show, and no message has to
 * be kept for it.
 */
#include "bench/bench.h"

#include <stdlib.h>

#include "common/pattern.h"

struct echo_stream {
  struct bench_slot slot;
  wt_stream *stream;
  uint64_t phase;    /* offset of its first byte in the pattern */
  uint64_t to_send;  /* bytes of all messages that have begun */
  uint64_t sent;     /* of those: taken by the library */
  uint64_t received; /* bytes that came back */
  uint64_t next;     /* the answer is complete with this many */
  uint64_t *starts;  /* of the messages in flight, in a ring of `slot.limit` */
  uint64_t first;    /* the oldest of them */
};

struct echo_state {
  size_t opened;
  struct echo_stream *streams;
  uint64_t *starts;
};

static size_t echo_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct echo_state);
}

static bool echo_prepare(struct bench_session *session) {
  const struct bench_settings *settings = session->worker->settings;
  struct echo_state *state = session->state;
  state->streams = calloc(settings->streams, sizeof *state->streams);
  state->starts = calloc(settings->streams * settings->outstanding, sizeof *state->starts);
  if (!state->streams || !state->starts) return false;
  for (size_t i = 0; i < settings->streams; i++) {
    struct echo_stream *echo = &state->streams[i];
    if (!slot_add(session, &echo->slot, settings->outstanding)) return false;
    echo->starts = &state->starts[i * settings->outstanding];
    echo->next = settings->size;
    echo->phase = echo->slot.index * BENCH_PHASE_STEP;
  }
  return true;
}

static void echo_release(struct bench_session *session) {
  struct echo_state *state = session->state;
  free(state->streams);
  free(state->starts);
}

static void echo_write(struct echo_stream *echo) {
  while (echo->sent < echo->to_send) {
    size_t len, written;
    const uint8_t *data = pattern_bytes(echo->phase + echo->sent, echo->to_send - echo->sent, &len);
    if (wt_stream_write(echo->stream, data, len, &written)) return; /* its end is told by a callback */
    echo->sent += written;
    if (written < len) return; /* on_writable follows */
  }
}

static void echo_on_writable(wt_stream *stream, void *user_data) {
  (void)stream;
  echo_write(user_data);
}

static void echo_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct echo_stream *echo = user_data;
  struct bench_slot *slot = &echo->slot;
  uint64_t size = slot->session->worker->settings->size, now = clock_ns();
  (void)stream;
  if (slot->dead) return;
  if (!pattern_matches(echo->phase + echo->received, data, len) || echo->received + len > echo->sent) {
    session_fail(slot->session, FAULT_MISMATCH, "wrong bytes came back after %llu that were right",
                 (unsigned long long)echo->received);
    return;
  }
  echo->received += len;
  slot_received(slot, now, len);
  while (slot->in_flight && echo->received >= echo->next) {
    slot_record(slot, echo->starts[echo->first], now);
    slot_sent(slot, now, size); /* counted with the answer, so that both directions are of the same messages */
    if (++echo->first == slot->limit) echo->first = 0;
    echo->next += size;
    slot_release(slot, now);
  }
  if (fin) {
    session_fail(slot->session, FAULT_STREAM, "the server ended a standing stream");
    return;
  }
  slot_pump(slot);
  slot->session->worker->check(slot->session->worker);
}

static bool echo_issue(struct bench_slot *slot, uint64_t start) {
  struct echo_stream *echo = (struct echo_stream *)slot;
  uint64_t at = echo->first + slot->in_flight;
  if (!echo->stream) return false;
  echo->starts[at < slot->limit ? at : at - slot->limit] = start;
  echo->to_send += slot->session->worker->settings->size;
  echo_write(echo);
  return true;
}

static void echo_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct echo_stream *echo = user_data;
  (void)stream;
  echo->stream = NULL;
  if (error) session_stream_failed(echo->slot.session, error);
}

static void echo_on_abort(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct echo_stream *echo = user_data;
  (void)stream;
  session_stream_failed(echo->slot.session, error);
}

static void echo_open(struct bench_session *session) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = echo_on_data,
      .on_writable = echo_on_writable,
      .on_reset = echo_on_abort,
      .on_stop_sending = echo_on_abort,
      .on_close = echo_on_close,
  };
  struct echo_state *state = session->state;
  while (state->opened < session->slot_count) {
    struct echo_stream *echo = &state->streams[state->opened];
    int error = wt_session_open_bidi(session->session, &echo->stream);
    if (error == WT_ERR_STREAM_LIMIT) return; /* on_stream_credit follows, or the worker's patience ends */
    if (error) {
      session_fail(session, FAULT_INTERNAL, "a stream could not be opened: %s", wt_error_string(error));
      return;
    }
    wt_stream_set_callbacks(echo->stream, &callbacks, echo);
    state->opened++;
  }
  session_settle(session);
}

static void echo_on_stream_credit(wt_session *handle, enum wt_stream_kind kind, void *user_data) {
  struct bench_session *session = user_data;
  (void)handle;
  if (kind == WT_BIDIRECTIONAL && !session->closing) echo_open(session);
}

const struct workload echo_workload = {
    .name = "echo",
    .path = "/echo",
    .takes = TAKES_STREAMS | TAKES_SIZE | TAKES_OUTSTANDING | TAKES_RATE | TAKES_COUNT,
    .default_size = 100,
    .min_size = 1,
    .max_size = 1 << 24,
    .connects_first = true,
    .callbacks = {.on_stream_credit = echo_on_stream_credit},
    .state_size = echo_state_size,
    .prepare = echo_prepare,
    .release = echo_release,
    .opened = echo_open,
    .issue = echo_issue,
};
