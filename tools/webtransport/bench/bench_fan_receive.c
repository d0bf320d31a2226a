/* SPDX-License-Identifier: MIT */
/*
 * What subscribers of fan-out get: messages in datagrams, each on a stream of its own, or all on one stream. Each message is
 * compared with what its publisher sent, and counted if it was published within the measured time, whenever it comes.
 *
 * A message of a stream of its own mostly comes whole. Only one that does not gets memory to be put together in.
 */
#include "bench/bench_fan_out.h"

#include <stdlib.h>
#include <string.h>

#include "bench/message_splitter.h"
#include "common/pattern.h"

/* --- A message --- */

/* Without a rate: tells the publisher when all our sessions have its message. */
static void progress_note(struct bench_worker *worker, const struct fan_message *message) {
  struct fan_progress *progress = &worker->fan->publishers[message->publisher];
  if (message->number < progress->number) return; /* the publisher did not wait for it any longer */
  if (message->number > progress->number) progress->sessions = 0;
  progress->number = message->number;
  if (++progress->sessions != progress->share) return;
  if (fan_board_arrived(worker->board, message->publisher, message->number))
    fan_message_complete(worker, message->publisher);
}

static void message_count(struct bench_session *session, const struct fan_message *message, size_t len) {
  struct fan_session *state = session->state;
  struct bench_worker *worker = session->worker;
  struct bench_fan_out *counts = &worker->result.fan_out;
  uint64_t now = clock_ns();
  bool counted = message->due >= worker->from && message->due < worker->until;
  switch (arrivals_add(&state->arrivals[message->publisher], message->number)) {
    case ARRIVAL_NEW: break;
    case ARRIVAL_OVERTAKEN: counts->overtaken += counted; break;
    case ARRIVAL_AGAIN: counts->again += counted; return;
  }
  if (counted) worker->fan->counted++;
  slot_received(&state->slot, now, len);
  slot_record(&state->slot, message->due, now);
  if (!worker->settings->rate) progress_note(worker, message);
}

static bool message_is_right(const struct bench_worker *worker, const struct fan_message *message, const uint8_t *data,
                             size_t len) {
  return message->publisher < worker->board->publisher_count && message->due <= clock_ns() &&
         pattern_matches(fan_pattern_at(message), data + FAN_MESSAGE_HEAD, len - FAN_MESSAGE_HEAD);
}

static bool is_own(const struct bench_session *session, const struct fan_message *message) {
  const struct fan_session *state = session->state;
  return state->publishes && state->publisher == message->publisher;
}

static void message_came(void *ctx, const uint8_t *data, size_t len) {
  struct bench_session *session = ctx;
  struct bench_worker *worker = session->worker;
  struct fan_message message;
  if (worker->phase == PHASE_WAITING) worker->check(worker); /* another worker was faster to begin */
  if (session->closing || worker->phase < PHASE_RUNNING || worker->phase >= PHASE_CLOSING) return;
  if (len != worker->settings->size) {
    session_fail(session, FAULT_MISMATCH, "a message had %zu bytes, not %llu", len,
                 (unsigned long long)worker->settings->size);
    return;
  }
  fan_message_read(data, &message);
  if (message.run != worker->board->run)
    session_fail(session, FAULT_MISMATCH, "somebody else publishes to this topic: give the URL another one");
  else if (is_own(session, &message))
    session_fail(session, FAULT_MISMATCH, "a publisher got its own message");
  else if (!message_is_right(worker, &message, data, len))
    session_fail(session, FAULT_MISMATCH, "a message is not one that was published");
  else
    message_count(session, &message, len);
}

void fan_on_datagram(wt_session *handle, const uint8_t *data, size_t len, void *user_data) {
  (void)handle;
  message_came(user_data, data, len);
}

/* --- A stream for each message --- */

struct partial {
  struct bench_session *session;
  size_t have;
  uint8_t bytes[];
};

static void partial_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct partial *partial = user_data;
  struct bench_session *session = partial->session;
  size_t size = (size_t)session->worker->settings->size;
  (void)stream;
  if (len > size - partial->have) {
    session_fail(session, FAULT_MISMATCH, "a message had more than %zu bytes", size);
    return;
  }
  memcpy(partial->bytes + partial->have, data, len);
  partial->have += len;
  if (fin) message_came(session, partial->bytes, partial->have);
}

static void partial_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct partial *partial = user_data;
  (void)stream;
  session_stream_failed(partial->session, error);
}

static void partial_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  free(user_data);
}

static void partial_begin(struct bench_session *session, wt_stream *stream, const uint8_t *data, size_t len) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = partial_on_data, .on_reset = partial_on_reset, .on_close = partial_on_close};
  struct partial *partial = malloc(sizeof *partial + (size_t)session->worker->settings->size);
  if (!partial) {
    session_fail(session, FAULT_INTERNAL, "out of memory");
    return;
  }
  partial->session = session;
  partial->have = 0;
  wt_stream_set_callbacks(stream, &callbacks, partial);
  partial_on_data(stream, data, len, false, partial);
}

static void each_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  if (fin)
    message_came(user_data, data, len);
  else
    partial_begin(user_data, stream, data, len);
}

static void each_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream;
  session_stream_failed(user_data, error);
}

/* --- One stream for all messages --- */

struct standing {
  struct bench_session *session;
  struct message_splitter splitter;
};

static void standing_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct standing *standing = user_data;
  struct bench_session *session = standing->session;
  (void)stream;
  if (session->closing) return;
  switch (message_splitter_feed(&standing->splitter, data, len, message_came, session)) {
    case MESSAGE_SPLIT_ALL: break;
    case MESSAGE_SPLIT_TOO_LONG: session_fail(session, FAULT_MISMATCH, "a message is longer than was sent"); return;
    case MESSAGE_SPLIT_NOMEM: session_fail(session, FAULT_INTERNAL, "out of memory"); return;
  }
  if (fin) session_fail(session, FAULT_STREAM, "the server ended the stream of a subscription");
}

static void standing_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct standing *standing = user_data;
  (void)stream;
  session_stream_failed(standing->session, error);
}

static void standing_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct standing *standing = user_data;
  (void)stream, (void)error;
  message_splitter_free(&standing->splitter);
  free(standing);
}

static void standing_begin(struct bench_session *session, wt_stream *stream) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = standing_on_data, .on_reset = standing_on_reset, .on_close = standing_on_close};
  struct standing *standing = calloc(1, sizeof *standing);
  if (!standing) {
    session_fail(session, FAULT_INTERNAL, "out of memory");
    return;
  }
  standing->session = session;
  standing->splitter.max = (size_t)session->worker->settings->size;
  wt_stream_set_callbacks(stream, &callbacks, standing);
}

void fan_on_stream(wt_session *handle, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks each = {.on_data = each_on_data, .on_reset = each_on_reset};
  struct bench_session *session = user_data;
  (void)handle;
  if (wt_stream_kind(stream) == WT_BIDIRECTIONAL)
    session_fail(session, FAULT_MISMATCH, "the server opened a bidirectional stream");
  else if (session->worker->settings->delivery == BENCH_DELIVERY_STREAM)
    standing_begin(session, stream);
  else
    wt_stream_set_callbacks(stream, &each, session);
}
