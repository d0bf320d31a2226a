/* SPDX-License-Identifier: MIT */
/*
 * download: sessions at /source, where the server sends --streams unidirectional streams of --size bytes each. When all
 * have ended, the session is closed and the next one is opened.
 *
 * An operation is a stream. Its length is checked. Its bytes are not, because that would cost as much as the transfer,
 * and other servers have other patterns. Without --size a stream practically has no end: then the rate of bytes is
 * measured, and the end of the run interrupts the stream.
 */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"

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
  uint64_t size = session->worker->settings->size, now = clock_ns();
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
      .on_data = download_on_data,
      .on_reset = download_on_reset,
  };
  struct bench_session *session = user_data;
  struct download_state *state = session->state;
  (void)handle;
  if (state->slot.dead) return;
  if (state->opened == state->expected || wt_stream_kind(stream) != WT_UNIDIRECTIONAL) {
    session_fail(session, FAULT_MISMATCH, "the server opened a stream that was not asked for");
    return;
  }
  struct download_stream *download = &state->streams[state->opened++];
  *download = (struct download_stream){.session = session, .start = clock_ns()};
  wt_stream_set_callbacks(stream, &callbacks, download);
}

static void download_closed(struct bench_session *session) {
  struct download_state *state = session->state;
  state->slot.failures = 0;
  slot_release(&state->slot, clock_ns());
  slot_pump(&state->slot);
}

static void download_refused(struct bench_session *session) {
  struct download_state *state = session->state;
  slot_refused(&state->slot);
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
