/* SPDX-License-Identifier: MIT */
/*
 * /echo for sessions: what a client sends comes back. A bidirectional stream is echoed on itself, a unidirectional
 * stream on a new one, a datagram as a datagram. FIN, RESET_STREAM and STOP_SENDING are echoed too, the latter two with
 * their code.
 *
 *                on_data -> write ----------------------> the peer takes it
 *                             | took less than all
 *                             v
 *                  give the rest back (unread), which pauses `in`
 *                             | on_writable
 *                             v
 *                        resume `in`
 *
 * So if a peer does not read its echo, we soon do not read from the peer: its flow-control window stays closed.
 *
 * If the peer allows no more unidirectional streams, echoes wait in the order of arrival until `on_stream_credit`, with
 * `in` paused. A peer that allows none could open and reset streams without end, so beyond WAITING_MAX streams are
 * refused.
 */
#include <stdlib.h>

#include "serve/endpoint_session.h"
#include "serve/endpoints.h"

enum {
  WAITING_MAX = 256,
  REFUSED_CODE = 1, /* the code for streams that cannot be echoed */
};

struct echo_session {
  struct endpoint_session base; /* first */
  struct echo *waiting, **waiting_end;
  size_t waiting_count;
};

/* One echo: bytes come in on `in` and leave on `out`, which are the same stream or two. */
struct echo {
  struct echo_session *owner;
  wt_stream *in, *out; /* NULL once closed, `out` also before it was opened */
  bool fin;            /* `in` has ended, and so has `out` */
  bool waiting;        /* for a stream to be allowed */
  bool reset;          /* `in` was reset with `reset_code` */
  uint32_t reset_code;
  struct echo *next;
};

/* Gives up: both directions are aborted. */
static void echo_abort(struct echo *echo) {
  if (echo->in) wt_stream_stop_sending(echo->in, REFUSED_CODE);
  if (echo->out) wt_stream_reset(echo->out, REFUSED_CODE);
}

static void echo_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct echo *echo = user_data;
  size_t written = 0;
  int error = echo->out ? wt_stream_write(echo->out, data, len, &written) : WT_ERR_CLOSED;
  if (error == WT_ERR_NOMEM) echo_abort(echo);
  if (error) return; /* the peer stopped it or the session ended: another callback follows */
  if (written < len) {
    wt_stream_unread(stream, len - written);
  } else if (fin) {
    echo->fin = true;
    wt_stream_end(echo->out);
  }
}

static void echo_on_writable(wt_stream *stream, void *user_data) {
  struct echo *echo = user_data;
  if (stream == echo->out && echo->in) wt_stream_resume(echo->in);
}

static void echo_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct echo *echo = user_data;
  (void)stream;
  endpoint_session_record_reset(&echo->owner->base, error);
  echo->reset = true;
  echo->reset_code = stream_error_code(error);
  if (echo->out) wt_stream_reset(echo->out, echo->reset_code);
}

static void echo_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct echo *echo = user_data;
  (void)stream;
  endpoint_session_record_stop(&echo->owner->base, error);
  if (echo->in) wt_stream_stop_sending(echo->in, stream_error_code(error));
}

static void echo_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct echo *echo = user_data;
  bool in = stream == echo->in;
  if (in) echo->in = NULL;
  if (stream == echo->out) echo->out = NULL;
  /* `in` was closed without a FIN or a reset: the echo must not look complete. */
  if (in && echo->out && !echo->fin && !echo->reset) wt_stream_reset(echo->out, stream_error_code(error));
  if (!echo->in && !echo->out && !echo->waiting) free(echo);
}

static const struct wt_stream_callbacks echo_callbacks = {
    .on_data = echo_on_data,
    .on_writable = echo_on_writable,
    .on_reset = echo_on_reset,
    .on_stop_sending = echo_on_stop_sending,
    .on_close = echo_on_close,
};

static void echo_attach(struct echo *echo, wt_stream *out) {
  echo->out = out;
  wt_stream_set_callbacks(out, &echo_callbacks, echo);
  if (echo->reset)
    wt_stream_reset(out, echo->reset_code);
  else if (echo->in)
    wt_stream_resume(echo->in);
}

static void echo_wait(struct echo *echo) {
  struct echo_session *state = echo->owner;
  if (state->waiting_count == WAITING_MAX) {
    echo_abort(echo);
    return;
  }
  echo->waiting = true;
  wt_stream_pause(echo->in);
  *state->waiting_end = echo;
  state->waiting_end = &echo->next;
  state->waiting_count++;
}

static void waiting_pop(struct echo_session *state) {
  struct echo *echo = state->waiting;
  state->waiting = echo->next;
  if (!state->waiting) state->waiting_end = &state->waiting;
  state->waiting_count--;
  echo->next = NULL;
  echo->waiting = false;
}

static void echo_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct echo *echo = malloc(sizeof *echo); /* glibc's calloc is slower, and there may be a stream a message */
  bool both = wt_stream_kind(stream) == WT_BIDIRECTIONAL;
  wt_stream *out;
  if (!echo) {
    wt_stream_stop_sending(stream, REFUSED_CODE);
    if (both) wt_stream_reset(stream, REFUSED_CODE);
    return;
  }
  *echo = (struct echo){.owner = user_data, .in = stream, .out = both ? stream : NULL};
  wt_stream_set_callbacks(stream, &echo_callbacks, echo);
  if (both) return;
  /* Echoes that wait come first. */
  int error = echo->owner->waiting ? WT_ERR_STREAM_LIMIT : wt_session_open_uni(session, &out);
  if (!error)
    echo_attach(echo, out);
  else if (error == WT_ERR_STREAM_LIMIT)
    echo_wait(echo);
  else
    echo_abort(echo);
}

static void echo_on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct echo_session *state = user_data;
  wt_stream *out;
  if (kind != WT_UNIDIRECTIONAL) return;
  while (state->waiting) {
    struct echo *echo = state->waiting;
    if (wt_session_open_uni(session, &out)) return;
    waiting_pop(state);
    echo_attach(echo, out);
  }
}

static void echo_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)user_data;
  /* A datagram that is too large for the way back is lost, as datagrams may be. */
  (void)wt_session_send_datagram(session, data, len);
}

static void echo_on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct echo_session *state = user_data;
  while (state->waiting) {
    struct echo *echo = state->waiting;
    waiting_pop(state);
    free(echo); /* its stream has closed already */
  }
  endpoint_session_closed(&state->base, session, info);
  free(state);
}

static const struct wt_session_callbacks echo_session_callbacks = {
    .on_stream = echo_on_stream,
    .on_datagram = echo_on_datagram,
    .on_stream_credit = echo_on_stream_credit,
    .on_close = echo_on_session_close,
};

void echo_accept(wt_request *request, const struct endpoints *endpoints) {
  struct echo_session *state = calloc(1, sizeof *state);
  if (!state) {
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  state->waiting_end = &state->waiting;
  if (!endpoint_session_accept(&state->base, endpoints, request, &echo_session_callbacks)) free(state);
}
