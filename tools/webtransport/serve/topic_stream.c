/* SPDX-License-Identifier: MIT */
/*
 * Messages of a session at /topic on streams. A unidirectional stream is one message, up to its end. On a bidirectional
 * stream each line is a message, without its line end; so `webtransport connect` needs no option, and a page that
 * writes one text without a line end and closes the stream publishes that. Nothing comes back on it.
 *
 * When the rate allows no message, the stream is given its bytes back (wt_stream_unread) and waits in the list of its
 * session. The clock wakes it when there is room, and the bytes come again. So nothing is lost, and flow control holds
 * the sender back.
 *
 * Only the beginning of a message whose end has not come is kept here. These bytes are counted, for each session and for
 * all together: a client could begin many messages and end none.
 */
#include "serve/topic_session.h"

#include <stdlib.h>
#include <string.h>

#include "common/tool_log.h"

enum {
  COLLECTING_MAX = 64 * 1024 * 1024,    /* of the server */
  COLLECTING_SESSION_MAX = 1024 * 1024, /* of a session, or one message of the largest size */
  WAKE_MAX = 1024,                      /* streams of a session that go on at a time */
};

struct topic_stream {
  struct topic_session *owner;
  wt_stream *stream;
  uint8_t *bytes; /* the beginning of a message */
  size_t len, room;
  bool lines;
  bool waiting;
  struct topic_stream *next; /* that waits */
};

/* --- The bytes of a message whose end has not come. --- */

static bool bytes_count(struct topic_session *state, size_t more) {
  uint64_t most = COLLECTING_SESSION_MAX;
  if (most < state->topics->settings.max_message) most = state->topics->settings.max_message;
  if (state->collecting + more > most) return false;
  if (atomic_fetch_add(&state->topics->collecting, more) + more > COLLECTING_MAX) {
    atomic_fetch_sub(&state->topics->collecting, more);
    return false;
  }
  state->collecting += more;
  return true;
}

static void bytes_free(struct topic_stream *in) {
  in->owner->collecting -= in->room;
  atomic_fetch_sub(&in->owner->topics->collecting, in->room);
  free(in->bytes);
  in->bytes = NULL;
  in->len = in->room = 0;
}

static bool bytes_reserve(struct topic_stream *in, size_t len) {
  size_t room = in->room ? in->room : 256;
  while (room < len) room *= 2;
  if (room > in->owner->topics->settings.max_message) room = in->owner->topics->settings.max_message;
  if (room <= in->room) return true;
  if (!bytes_count(in->owner, room - in->room)) return false;
  uint8_t *bytes = realloc(in->bytes, room);
  if (!bytes) {
    in->owner->collecting -= room - in->room;
    atomic_fetch_sub(&in->owner->topics->collecting, room - in->room);
    return false;
  }
  in->bytes = bytes;
  in->room = room;
  return true;
}

/* Returns 0, or the code with which the stream is refused. */
static uint32_t bytes_keep(struct topic_stream *in, const uint8_t *data, size_t len) {
  if (len > in->owner->topics->settings.max_message - in->len) return TOPIC_TOO_LARGE;
  if (!len) return 0;
  if (!bytes_reserve(in, in->len + len)) return TOPIC_NO_MEMORY;
  memcpy(in->bytes + in->len, data, len);
  in->len += len;
  return 0;
}

/* --- Waiting. --- */

static void wait_end(struct topic_stream *in) {
  struct topic_stream **at = &in->owner->first_waiting;
  if (!in->waiting) return;
  while (*at != in) at = &(*at)->next;
  *at = in->next;
  if (!in->next) in->owner->last_waiting = at;
  in->next = NULL;
  in->waiting = false;
}

/* False: there is no clock any more. */
static bool wait_begin(struct topic_stream *in) {
  struct topic_session *state = in->owner;
  if (!state->player.group && tick_clock_add(state->topics->clock, state->worker, TOPIC_HZ, &state->player))
    return false;
  in->waiting = true;
  *state->last_waiting = in;
  state->last_waiting = &in->next;
  return true;
}

void topic_on_tick(struct tick_player *player, uint64_t number) {
  struct topic_session *state = (struct topic_session *)((char *)player - offsetof(struct topic_session, player));
  (void)number;
  for (size_t room = topic_room(state, WAKE_MAX, 1); room && state->first_waiting; room--) {
    struct topic_stream *in = state->first_waiting;
    wait_end(in);
    wt_stream_resume(in->stream); /* its bytes come after this; if there is no room then, it waits again */
  }
  if (!state->first_waiting) tick_clock_remove(state->topics->clock, player);
}

/* --- The stream. --- */

static void stream_refuse(struct topic_stream *in, uint32_t code) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  atomic_fetch_add(&in->owner->topics->refused, 1);
  log_limited(&limit, WT_LOG_WARN, "%s: a message on a stream to %s was not published: %s",
              wt_session_peer_address(in->owner->session), wt_session_path(in->owner->session),
              code == TOPIC_TOO_LARGE ? "it is too large" : "too many are unfinished, or memory is short");
  bytes_free(in);
  wt_stream_abort(in->stream, code);
}

/* Publishes what was kept and these bytes, which end the message. Returns false if they have to come again; else sets
 * `*code`, as bytes_keep does. */
static bool message_end(struct topic_stream *in, const uint8_t *data, size_t len, uint32_t *code) {
  enum topic_verdict verdict;
  size_t kept = in->len;
  *code = 0;
  if (len > in->owner->topics->settings.max_message - kept) {
    *code = TOPIC_TOO_LARGE;
    return true;
  }
  if (!topic_room(in->owner, 1, kept + len)) return false;
  if (kept) {
    *code = bytes_keep(in, data, len);
    if (*code) return true;
    verdict = topic_publish(in->owner, in->bytes, in->len);
  } else {
    verdict = topic_publish(in->owner, data, len);
  }
  if (verdict == TOPIC_LATER) {
    in->len = kept;
    return false;
  }
  bytes_free(in);
  *code = verdict == TOPIC_LOST ? TOPIC_NO_MEMORY : 0;
  return true;
}

/* Finds the next piece of a message; true: the message ends with it. `*used` also counts the line end. */
static bool piece_find(const struct topic_stream *in, const uint8_t *data, size_t len, bool fin, size_t *piece,
                       size_t *used) {
  const uint8_t *line_end = in->lines && len ? memchr(data, '\n', len) : NULL;
  *piece = line_end ? (size_t)(line_end - data) : len;
  *used = *piece + (line_end ? 1 : 0);
  if (line_end) return true;
  return fin && (!in->lines || len || in->len);
}

static void topic_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct topic_stream *in = user_data;
  size_t piece, used = 0, at = 0;
  uint32_t code;
  do {
    bool whole = piece_find(in, data + at, len - at, fin, &piece, &used);
    if (!whole) {
      code = bytes_keep(in, data + at, piece);
    } else if (!message_end(in, data + at, piece, &code)) {
      if (wait_begin(in)) {
        wt_stream_unread(stream, len - at);
        return;
      }
      code = TOPIC_NO_MEMORY;
    }
    if (code) {
      stream_refuse(in, code);
      return;
    }
    at += used;
  } while (at < len);
  if (fin && in->lines) wt_stream_end(stream);
}

static void topic_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct topic_stream *in = user_data;
  endpoint_session_record_reset(&in->owner->base, error);
  bytes_free(in); /* a message that was not finished is none */
  if (in->lines) wt_stream_end(stream);
}

static void topic_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct topic_stream *in = user_data;
  (void)stream;
  endpoint_session_record_stop(&in->owner->base, error);
}

static void topic_on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct topic_stream *in = user_data;
  (void)stream, (void)error;
  wait_end(in);
  bytes_free(in);
  free(in);
}

void topic_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = topic_on_data,
      .on_reset = topic_on_reset,
      .on_stop_sending = topic_on_stop_sending,
      .on_close = topic_on_stream_close,
  };
  struct topic_stream *in = calloc(1, sizeof *in);
  (void)session;
  if (!in) {
    wt_stream_abort(stream, TOPIC_NO_MEMORY);
    return;
  }
  in->owner = user_data;
  in->stream = stream;
  in->lines = wt_stream_kind(stream) == WT_BIDIRECTIONAL;
  wt_stream_set_callbacks(stream, &callbacks, in);
}
