/* SPDX-License-Identifier: MIT */
/*
 * setup: sessions are opened and closed, one after another in each of --sessions slots. An operation lasts from the
 * dial to the server's answer, with name lookup and handshake. Each session has a new connection, unless sessions share
 * connections (--pooled). With --resume, the connections after the first use the tickets of earlier ones. With --size,
 * the operation also has a message of so many bytes, which comes back from /echo on a stream.
 *
 * idle: sessions are opened and stay open. The library keeps them alive; nothing else happens.
 */
#include "bench/bench.h"

#include "common/pattern.h"

enum {
  SETUP_SIZE_MAX = 16384, /* what a new stream takes at once */
};

struct setup_state {
  struct bench_slot slot;
  uint64_t start, received;
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

static void setup_done(struct bench_session *session) {
  struct setup_state *state = session->state;
  state->slot.failures = 0;
  slot_record(&state->slot, state->start, clock_ns());
  session_close(session);
}

/* --- The message. --- */

static void message_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct bench_session *session = user_data;
  struct setup_state *state = session->state;
  uint64_t size = session->worker->settings->size;
  (void)stream;
  if (state->slot.dead || session->closing) return;
  bool good = pattern_matches(state->received, data, len);
  state->received += len;
  if (!good || state->received > size || (fin && state->received < size))
    session_fail(session, FAULT_MISMATCH, "the answer is not what was sent");
  else if (fin)
    setup_done(session);
}

static void message_on_abort(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream;
  session_stream_failed(user_data, error);
}

static void message_send(struct bench_session *session) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = message_on_data,
      .on_reset = message_on_abort,
      .on_stop_sending = message_on_abort,
  };
  struct setup_state *state = session->state;
  size_t len, written = 0;
  const uint8_t *data = pattern_bytes(0, session->worker->settings->size, &len); /* all of it: less than a period */
  wt_stream *stream;
  int error = wt_session_open_bidi(session->session, &stream);
  state->received = 0;
  if (!error) {
    wt_stream_set_callbacks(stream, &callbacks, session);
    error = wt_stream_write(stream, data, len, &written);
  }
  if (error || written < len)
    session_fail(session, FAULT_INTERNAL, "a message could not be sent: %s", wt_error_string(error));
  else
    wt_stream_end(stream);
}

static void setup_opened(struct bench_session *session) {
  if (session->worker->settings->size)
    message_send(session);
  else
    setup_done(session);
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
    .takes = TAKES_SIZE | TAKES_RATE | TAKES_COUNT | TAKES_RESUME,
    .max_size = SETUP_SIZE_MAX,
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
