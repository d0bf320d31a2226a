/* SPDX-License-Identifier: MIT */
/*
 * /sink for sessions: everything is read and counted. The only answer is {"bytes":N} on a bidirectional stream that the
 * client has ended, with the number of bytes that arrived. The library counts datagrams. Uploads are measured against
 * it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/endpoint_session.h"
#include "serve/endpoints.h"

struct sink_stream {
  struct endpoint_session *state;
  uint64_t bytes;
};

static void sink_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct sink_stream *sink = user_data;
  char answer[48];
  size_t written;
  (void)data;
  sink->bytes += len;
  if (!fin || wt_stream_kind(stream) != WT_BIDIRECTIONAL) return;
  int answer_len = snprintf(answer, sizeof answer, "{\"bytes\":%" PRIu64 "}\n", sink->bytes);
  /* These are the first bytes on the stream, so they fit. Without them there must be no FIN. */
  if (wt_stream_write(stream, answer, (size_t)answer_len, &written) || written < (size_t)answer_len)
    wt_stream_reset(stream, 0);
  else
    wt_stream_end(stream);
}

static void sink_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct sink_stream *sink = user_data;
  endpoint_session_record_reset(sink->state, error);
  if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_reset(stream, stream_error_code(error));
}

static void sink_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct sink_stream *sink = user_data;
  (void)stream;
  endpoint_session_record_stop(sink->state, error);
}

static void sink_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream;
  (void)error;
  free(user_data);
}

static void sink_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = sink_on_data,
      .on_reset = sink_on_reset,
      .on_stop_sending = sink_on_stop_sending,
      .on_close = sink_on_close,
  };
  struct sink_stream *sink = calloc(1, sizeof *sink);
  (void)session;
  if (!sink) {
    wt_stream_stop_sending(stream, 0);
    if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_reset(stream, 0);
    return;
  }
  sink->state = user_data;
  wt_stream_set_callbacks(stream, &callbacks, sink);
}

static void sink_on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  endpoint_session_closed(user_data, session, info);
  free(user_data);
}

void sink_accept(wt_request *request, const struct endpoints *endpoints) {
  static const struct wt_session_callbacks callbacks = {
      .on_stream = sink_on_stream,
      .on_close = sink_on_session_close,
  };
  struct endpoint_session *state = calloc(1, sizeof *state);
  if (!state)
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
  else if (!endpoint_session_accept(state, endpoints, request, &callbacks))
    free(state);
}
