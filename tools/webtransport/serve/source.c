/* SPDX-License-Identifier: MIT */
/*
 * /source?bytes=N&streams=M for sessions: M unidirectional streams of N bytes each. Downloads are measured against it,
 * so it does nothing else: the bytes are those of common/pattern.h, and are queued without a copy
 * (`wt_stream_write_owned`).
 *
 * Datagrams are echoed, so that a client can tell how long one takes while streams fill the path.
 *
 * Up to OPEN_MAX streams are open at once. The next one opens when one has closed, or when the peer allows more streams
 * (`on_stream_credit`).
 */
#include <stdbool.h>
#include <stdlib.h>

#include "common/pattern.h"
#include "serve/endpoint_session.h"
#include "serve/endpoints.h"
#include "serve/respond.h"

enum {
  OPEN_MAX = 256
};

struct source_session {
  struct endpoint_session base; /* first */
  uint64_t bytes;               /* of each stream */
  uint64_t to_open;             /* streams not opened yet */
  unsigned int open;
};

struct source_stream {
  struct source_session *owner;
  uint64_t at; /* bytes queued */
};

static void source_pump(wt_stream *stream, struct source_stream *source) {
  uint64_t bytes = source->owner->bytes;
  while (source->at < bytes) {
    size_t len;
    const uint8_t *data = pattern_bytes(source->at, bytes - source->at, &len);
    if (wt_stream_write_owned(stream, data, len, pattern_release, NULL)) return; /* on_writable or on_close follows */
    source->at += len;
  }
  wt_stream_end(stream);
}

static void source_on_writable(wt_stream *stream, void *user_data) {
  struct source_stream *source = user_data;
  if (source->at < source->owner->bytes) source_pump(stream, source);
}

static void source_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct source_stream *source = user_data;
  (void)stream;
  endpoint_session_record_stop(&source->owner->base, error);
}

static void source_open_streams(wt_session *session, struct source_session *state);

static void source_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct source_stream *source = user_data;
  struct source_session *state = source->owner;
  free(source);
  state->open--;
  if (!error || !error->session_gone) source_open_streams(wt_stream_session(stream), state);
}

static bool source_open_stream(wt_session *session, struct source_session *state) {
  static const struct wt_stream_callbacks callbacks = {
      .on_writable = source_on_writable,
      .on_stop_sending = source_on_stop_sending,
      .on_close = source_on_close,
  };
  wt_stream *stream;
  struct source_stream *source = malloc(sizeof *source);
  if (!source) return false;
  if (wt_session_open_uni(session, &stream)) {
    free(source);
    return false;
  }
  *source = (struct source_stream){.owner = state};
  state->open++;
  state->to_open--;
  wt_stream_set_callbacks(stream, &callbacks, source);
  source_pump(stream, source);
  return true;
}

static void source_open_streams(wt_session *session, struct source_session *state) {
  while (state->to_open && state->open < OPEN_MAX)
    if (!source_open_stream(session, state)) return;
}

static void source_on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  if (kind == WT_UNIDIRECTIONAL) source_open_streams(session, user_data);
}

static void source_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)user_data;
  (void)wt_session_send_datagram(session, data, len); /* one that is too large for the way back is lost, as in echo.c */
}

static void source_on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  endpoint_session_closed(user_data, session, info);
  free(user_data);
}

void source_accept(wt_request *request, const struct endpoints *endpoints) {
  static const struct wt_session_callbacks callbacks = {
      .on_datagram = source_on_datagram,
      .on_stream_credit = source_on_stream_credit,
      .on_close = source_on_session_close,
  };
  uint64_t bytes, streams;
  if (!query_number(request, "bytes", SOURCE_BYTES_DEFAULT, SOURCE_BYTES_MAX, &bytes)) return;
  if (!query_number(request, "streams", 1, SOURCE_STREAMS_MAX, &streams)) return;
  struct source_session *state = calloc(1, sizeof *state);
  if (!state) {
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  state->bytes = bytes;
  state->to_open = streams;
  wt_session *session = endpoint_session_accept(&state->base, endpoints, request, &callbacks);
  if (session)
    source_open_streams(session, state);
  else
    free(state);
}
