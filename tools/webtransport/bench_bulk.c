/* SPDX-License-Identifier: MIT */
/*
 * download: sessions at /source, which send --streams unidirectional streams of --size bytes each; when all
 * have ended, the session is closed and the next one asked for. upload: --streams bidirectional streams at
 * a time in standing sessions at /sink, which answers each with {"bytes":N}.
 *
 * An operation is a stream. Lengths are checked, of the download by counting and of the upload by the
 * server's count; contents are not, since it would cost as much as the transfer. Without --size a stream
 * has no end in sight: then rates of bytes are what is measured, and the end of the run cuts it off.
 *
 * Bytes of an upload count when they are acknowledged: that is when the library gives them back.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "source.h"

enum {
  FAILURES_MAX = 3, /* in a row */
  ANSWER_SIZE = 64,
};

/* --- To the client. --- */

struct download_stream {
  struct bench_session *session;
  uint64_t start, received;
};

struct download_state {
  struct bench_slot slot; /* first; an operation in flight is a session */
  struct download_stream *streams;
  uint64_t expected, opened, ended;
};

static size_t download_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct download_state);
}

static bool download_prepare(struct bench_session *session) {
  struct download_state *state = session->state;
  state->streams = calloc(session->worker->settings->streams, sizeof *state->streams);
  return state->streams && slot_add(session, &state->slot, 1);
}

static void download_release(struct bench_session *session) {
  struct download_state *state = session->state;
  free(state->streams);
}

static bool download_issue(struct bench_slot *slot, uint64_t start) {
  struct download_state *state = (struct download_state *)slot;
  struct bench_worker *worker = slot->session->worker;
  const struct bench_settings *settings = worker->settings;
  char url[BENCH_URL_SIZE + 64];
  uint64_t streams = settings->streams < worker->budget ? settings->streams : worker->budget;
  snprintf(url, sizeof url, "%s%cbytes=%" PRIu64 "&streams=%" PRIu64, settings->url,
           strchr(settings->url, '?') ? '&' : '?', settings->size, streams);
  if (!session_dial(slot->session, url)) return false;
  state->expected = streams;
  state->opened = state->ended = 0;
  /* The budget is one of streams; the slot takes one off by itself. */
  if (worker->budget != UINT64_MAX && start >= worker->from) worker->budget -= streams - 1;
  return true;
}

static void download_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct download_stream *download = user_data;
  struct bench_session *session = download->session;
  struct download_state *state = session->state;
  uint64_t size = session->worker->settings->size, now = bench_now();
  (void)stream;
  (void)data;
  if (state->slot.dead) return;
  download->received += len;
  state->slot.since = now;
  slot_received(&state->slot, now, len);
  if (download->received > size || (fin && download->received < size)) {
    session_fail(session, FAULT_MISMATCH, "a stream had %" PRIu64 " bytes%s, not %" PRIu64, download->received,
                 fin ? "" : " and more", size);
    return;
  }
  if (!fin) return;
  slot_record(&state->slot, download->start, now);
  if (++state->ended == state->expected) session_close(session);
}

static void download_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct download_stream *download = user_data;
  (void)stream;
  session_stream_failed(download->session, error);
}

static void download_on_stream(wt_session *handle, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {
      .size = sizeof(struct wt_stream_callbacks),
      .on_data = download_on_data,
      .on_reset = download_on_reset,
  };
  struct bench_session *session = user_data;
  struct download_state *state = session->state;
  (void)handle;
  if (state->slot.dead) return;
  if (state->opened == state->expected || wt_stream_kind_of(stream) != WT_UNIDIRECTIONAL) {
    session_fail(session, FAULT_MISMATCH, "the server opened a stream that was not asked for");
    return;
  }
  struct download_stream *download = &state->streams[state->opened++];
  *download = (struct download_stream){.session = session, .start = bench_now()};
  wt_stream_set_callbacks(stream, &callbacks, download);
}

static void download_closed(struct bench_session *session) {
  struct download_state *state = session->state;
  state->slot.failures = 0;
  slot_release(&state->slot, bench_now());
  slot_pump(&state->slot);
}

static void download_refused(struct bench_session *session) {
  struct download_state *state = session->state;
  slot_release(&state->slot, bench_now());
  if (++state->slot.failures == FAILURES_MAX)
    slot_kill(&state->slot);
  else
    slot_pump(&state->slot);
}

const struct workload download_workload = {
    .name = "download",
    .path = "/source",
    .takes = TAKES_STREAMS | TAKES_SIZE | TAKES_COUNT,
    .default_size = SOURCE_BYTES_MAX,
    .min_size = 1,
    .max_size = SOURCE_BYTES_MAX,
    .endless = true,
    .callbacks = {.on_stream = download_on_stream},
    .state_size = download_state_size,
    .prepare = download_prepare,
    .release = download_release,
    .closed = download_closed,
    .refused = download_refused,
    .issue = download_issue,
};

/* --- To the server. --- */

struct upload_op {
  struct upload_state *state;
  wt_stream *stream;
  uint64_t start, sent;
  char answer[ANSWER_SIZE];
  size_t answer_len;
  struct upload_op *next; /* free ones */
};

struct upload_state {
  struct bench_slot slot; /* first */
  struct upload_op *ops, *free;
};

static size_t upload_state_size(const struct bench_settings *settings) {
  (void)settings;
  return sizeof(struct upload_state);
}

static bool upload_prepare(struct bench_session *session) {
  uint64_t streams = session->worker->settings->streams;
  struct upload_state *state = session->state;
  state->ops = calloc(streams, sizeof *state->ops);
  if (!state->ops) return false;
  for (uint64_t i = 0; i < streams; i++) {
    state->ops[i].state = state;
    state->ops[i].next = state->free;
    state->free = &state->ops[i];
  }
  return slot_add(session, &state->slot, streams);
}

static void upload_release(struct bench_session *session) {
  struct upload_state *state = session->state;
  free(state->ops);
}

static void upload_on_release(const uint8_t *data, size_t len, void *user_data) {
  struct upload_state *state = user_data;
  uint64_t now = bench_now();
  (void)data;
  state->slot.since = now;
  slot_sent(&state->slot, now, len);
}

static void upload_write(struct upload_op *op) {
  uint64_t size = op->state->slot.session->worker->settings->size;
  while (op->sent < size) {
    size_t len;
    const uint8_t *data = source_bytes(op->sent, size - op->sent, &len);
    /* On WT_ERR_AGAIN on_writable follows, else on_close. */
    if (wt_stream_write_owned(op->stream, data, len, upload_on_release, op->state)) return;
    op->sent += len;
  }
  wt_stream_end(op->stream);
}

static void upload_on_writable(wt_stream *stream, void *user_data) {
  struct upload_op *op = user_data;
  (void)stream;
  if (op->sent < op->state->slot.session->worker->settings->size) upload_write(op);
}

/* Whether the answer says that all of the stream arrived. */
static bool upload_answer_is_good(struct upload_op *op) {
  static const char key[] = "\"bytes\":";
  op->answer[op->answer_len] = 0;
  const char *at = strstr(op->answer, key);
  return at && strtoull(at + sizeof key - 1, NULL, 10) == op->state->slot.session->worker->settings->size;
}

static void upload_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct upload_op *op = user_data;
  struct bench_slot *slot = &op->state->slot;
  uint64_t now = bench_now();
  size_t room = ANSWER_SIZE - 1 - op->answer_len;
  (void)stream;
  if (slot->dead) return;
  memcpy(op->answer + op->answer_len, data, len < room ? len : room);
  op->answer_len += len < room ? len : room;
  slot_received(slot, now, len);
  if (!fin) return;
  if (upload_answer_is_good(op))
    slot_record(slot, op->start, now);
  else
    session_fail(slot->session, FAULT_MISMATCH, "%" PRIu64 " bytes were sent, and the server answered '%s'",
                 slot->session->worker->settings->size, op->answer);
}

static void upload_on_gone(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct upload_op *op = user_data;
  (void)stream;
  session_stream_failed(op->state->slot.session, error);
}

static void upload_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct upload_op *op = user_data;
  struct upload_state *state = op->state;
  (void)stream;
  op->next = state->free;
  state->free = op;
  slot_release(&state->slot, bench_now());
  if (error) session_stream_failed(state->slot.session, error);
  slot_pump(&state->slot);
  worker_check(state->slot.session->worker);
}

static bool upload_issue(struct bench_slot *slot, uint64_t start) {
  static const struct wt_stream_callbacks callbacks = {
      .size = sizeof(struct wt_stream_callbacks),
      .on_data = upload_on_data,
      .on_writable = upload_on_writable,
      .on_reset = upload_on_gone,
      .on_stop_sending = upload_on_gone,
      .on_close = upload_on_close,
  };
  struct upload_state *state = (struct upload_state *)slot;
  struct upload_op *op = state->free;
  if (!op || !slot->session->session) return false;
  int error = wt_session_open_bidi(slot->session->session, &op->stream);
  if (error) {
    if (error != WT_ERR_STREAM_LIMIT && error != WT_ERR_CLOSED)
      session_fail(slot->session, FAULT_INTERNAL, "a stream could not be opened: %s", wt_error_string(error));
    return false;
  }
  state->free = op->next;
  op->start = start;
  op->sent = 0;
  op->answer_len = 0;
  wt_stream_set_callbacks(op->stream, &callbacks, op);
  upload_write(op);
  return true;
}

static void upload_on_stream_credit(wt_session *handle, enum wt_stream_kind kind, void *user_data) {
  struct bench_session *session = user_data;
  struct upload_state *state = session->state;
  (void)handle;
  if (kind == WT_BIDIRECTIONAL) slot_pump(&state->slot);
}

const struct workload upload_workload = {
    .name = "upload",
    .path = "/sink",
    .takes = TAKES_STREAMS | TAKES_SIZE | TAKES_COUNT,
    .default_size = SOURCE_BYTES_MAX,
    .min_size = 1,
    .max_size = SOURCE_BYTES_MAX,
    .connects_first = true,
    .endless = true,
    .callbacks = {.on_stream_credit = upload_on_stream_credit},
    .state_size = upload_state_size,
    .prepare = upload_prepare,
    .release = upload_release,
    .issue = upload_issue,
};
