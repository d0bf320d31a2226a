/* SPDX-License-Identifier: MIT */
/*
 * A stream of one session and its counterpart on the other.
 *
 *     opened on one side --> waits for credit of the other side --> both are open --> each closes
 *
 * Bytes go from `on_data` of one stream straight to `wt_stream_write` of the other. What that does not take is given
 * back (wt_stream_unread), so flow control holds the sender. While a stream waits for its counterpart it is paused, and
 * its own peer gets no credit for another one: so limits on streams hold from end to end.
 *
 *     FIN, RESET_STREAM and STOP_SENDING --> the same on the other side, with the same code (draft section 4.4)
 *     one of them without an application's code --> CODE_BROKEN
 *     the session has ended --> nothing: the other session ends, too, and with it its streams
 *
 * A reset of a stream that waits is kept and sent after the counterpart was opened, because it may be all that its
 * sender wanted to say. Such a stream is closed on its own side, so only `max-streams` bounds how many of them wait.
 */
#include "gateway/relay.h"

#include <stdlib.h>

struct relay_end {
  struct relay *relay;
  wt_stream *stream;   /* NULL: not opened yet, or closed */
  bool reset, stopped; /* to be told when it opens: what its counterpart's peer did */
  uint32_t reset_code, stop_code;
  bool rate_waits; /* it has bytes for which the rate leaves no room now */
};

struct relay {
  struct relays *relays;
  struct relay_end ends[SIDES];
  enum wt_stream_kind kind;
  enum relay_side opener;
  bool waiting;
  enum gateway_code code; /* why it ended early */
  struct relay *next, **link;
  struct relay *next_waiting;
};

static struct relay_end *other(struct relay_end *end) { return &end->relay->ends[end == end->relay->ends]; }

/* --- Life. --- */

static void relay_count_end(struct relay *relay) {
  if (relay->relays->session) gateway_session_end_stream(relay->relays->session, relay->code);
}

static void relay_free(struct relay *relay) {
  relay_count_end(relay);
  *relay->link = relay->next;
  if (relay->next) relay->next->link = relay->link;
  free(relay);
}

/* Ends both streams with a code of the gateway. */
static void relay_fail(struct relay *relay, enum gateway_code code) {
  relay->code = code;
  for (size_t side = 0; side < SIDES; side++)
    if (relay->ends[side].stream) wt_stream_abort(relay->ends[side].stream, (uint32_t)code);
}

/* --- Bytes. --- */

static void relay_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct relay_end *from = user_data;
  struct relays *relays = from->relay->relays;
  wt_stream *to = other(from)->stream;
  size_t written = 0;
  if (!to || !relays->session) return;
  size_t allowed = len ? gateway_session_room(relays->session, len) : 0;
  int error = allowed ? wt_stream_write(to, data, allowed, &written) : 0;
  if (error == WT_ERR_NOMEM) relay_fail(from->relay, CODE_FAILED);
  if (error) return; /* the other peer has stopped reading, which comes as a callback */
  if (written && from == &from->relay->ends[SIDE_CLIENT])
    gateway_session_count_in(relays->session, written);
  else if (written)
    gateway_session_count_out(relays->session, written);
  if (written < len) {
    from->rate_waits = written == allowed;
    wt_stream_unread(stream, len - written);
  } else if (fin) {
    wt_stream_end(to);
  }
}

static void relay_on_writable(wt_stream *stream, void *user_data) {
  struct relay_end *from = other(user_data);
  (void)stream;
  if (from->stream && !from->rate_waits) wt_stream_resume(from->stream);
}

/* --- Early ends. --- */

static uint32_t code_of(const struct wt_stream_error *error) { return error->has_code ? error->code : CODE_BROKEN; }

/* For the counts: who ended the stream early first. */
static void note_early(struct relay *relay, const struct relay_end *by) {
  if (!relay->code) relay->code = by == &relay->ends[SIDE_CLIENT] ? CODE_CLIENT : CODE_RESET;
}

static void end_reset(struct relay_end *end, uint32_t code) {
  note_early(end->relay, other(end));
  if (end->stream) {
    wt_stream_reset(end->stream, code);
  } else if (end->relay->waiting) {
    end->reset = true;
    end->reset_code = code;
  }
}

static void end_stop(struct relay_end *end, uint32_t code) {
  note_early(end->relay, other(end));
  if (end->stream) {
    wt_stream_stop_sending(end->stream, code);
  } else if (end->relay->waiting) {
    end->stopped = true;
    end->stop_code = code;
  }
}

static void relay_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream;
  if (!error->session_gone) end_reset(other(user_data), code_of(error));
}

static void relay_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream;
  if (!error->session_gone) end_stop(other(user_data), code_of(error));
}

static void relay_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct relay_end *end = user_data, *left = other(end);
  (void)stream;
  end->stream = NULL;
  if (left->stream && error && error->by == WT_TRANSPORT && !error->session_gone)
    wt_stream_abort(left->stream, CODE_BROKEN);
  if (!left->stream && !end->relay->waiting) relay_free(end->relay);
}

static const struct wt_stream_callbacks relay_callbacks = {
    .on_data = relay_on_data,
    .on_writable = relay_on_writable,
    .on_reset = relay_on_reset,
    .on_stop_sending = relay_on_stop_sending,
    .on_close = relay_on_close,
};

/* --- Opening. --- */

static int counterpart_open(struct relay *relay) {
  struct relay_end *to = &relay->ends[!relay->opener];
  wt_session *wt = relay->relays->wt[!relay->opener];
  if (!wt) return WT_ERR_CLOSED;
  int error =
      relay->kind == WT_BIDIRECTIONAL ? wt_session_open_bidi(wt, &to->stream) : wt_session_open_uni(wt, &to->stream);
  if (error) return error;
  error = wt_stream_set_callbacks(to->stream, &relay_callbacks, to);
  if (!error) return 0;
  wt_stream_abort(to->stream, CODE_FAILED); /* it has no callbacks that would come */
  to->stream = NULL;
  return error;
}

/* What was to be said to the counterpart before it was there. */
static void counterpart_greet(struct relay *relay) {
  struct relay_end *to = &relay->ends[!relay->opener];
  if (to->reset) wt_stream_reset(to->stream, to->reset_code);
  if (to->stopped) wt_stream_stop_sending(to->stream, to->stop_code);
  if (relay->ends[relay->opener].stream) wt_stream_resume(relay->ends[relay->opener].stream);
}

/* Opens the counterpart. False: there is no credit now. The relay may be freed. */
static bool relay_connect(struct relay *relay) {
  int error = counterpart_open(relay);
  if (error == WT_ERR_STREAM_LIMIT) return false;
  relay->waiting = false;
  if (error) {
    relay_fail(relay, error == WT_ERR_CLOSED ? CODE_GONE : CODE_FAILED);
    if (!relay->ends[relay->opener].stream) relay_free(relay);
    return true;
  }
  counterpart_greet(relay);
  return true;
}

static void relay_wait(struct relay *relay) {
  struct relays *relays = relay->relays;
  struct relay **first = &relays->waiting[!relay->opener][relay->kind].first;
  struct relay **last = &relays->waiting[!relay->opener][relay->kind].last;
  if (*first)
    (*last)->next_waiting = relay;
  else
    *first = relay;
  *last = relay;
}

void relay_open(struct relays *relays, enum relay_side side, wt_stream *stream) {
  enum wt_stream_kind kind = wt_stream_kind(stream);
  if (!gateway_session_begin_stream(relays->session)) {
    wt_stream_abort(stream, CODE_LIMIT);
    return;
  }
  struct relay *relay = calloc(1, sizeof *relay);
  if (!relay || wt_stream_set_callbacks(stream, &relay_callbacks, &relay->ends[side])) {
    free(relay);
    gateway_session_end_stream(relays->session, CODE_FAILED);
    wt_stream_abort(stream, CODE_FAILED);
    return;
  }
  relay->relays = relays;
  relay->kind = kind;
  relay->opener = side;
  relay->waiting = true;
  for (size_t i = 0; i < SIDES; i++) relay->ends[i].relay = relay;
  relay->ends[side].stream = stream;
  relay->next = relays->list;
  relay->link = &relays->list;
  if (relay->next) relay->next->link = &relay->next;
  relays->list = relay;
  wt_stream_pause(stream);
  if (relays->waiting[!side][kind].first || !relay_connect(relay)) relay_wait(relay);
}

void relays_on_credit(struct relays *relays, enum relay_side side, enum wt_stream_kind kind) {
  struct relay *relay;
  while ((relay = relays->waiting[side][kind].first)) {
    struct relay *next = relay->next_waiting;
    if (!relay_connect(relay)) return;
    relays->waiting[side][kind].first = next;
  }
}

/* --- Time, and the end of the session. --- */

void relays_tick(struct relays *relays) {
  for (struct relay *relay = relays->list; relay; relay = relay->next) {
    for (size_t side = 0; side < SIDES; side++) {
      struct relay_end *end = &relay->ends[side];
      if (!end->rate_waits) continue;
      end->rate_waits = false;
      if (end->stream) wt_stream_resume(end->stream);
    }
  }
}

void relays_end(struct relays *relays) {
  for (struct relay *relay = relays->list, *next; relay; relay = next) {
    next = relay->next;
    relay->waiting = false;
    if (!relay->ends[SIDE_CLIENT].stream && !relay->ends[SIDE_BACKEND].stream)
      relay_free(relay);
    else
      relay_count_end(relay);
  }
  for (size_t side = 0; side < SIDES; side++)
    for (size_t kind = 0; kind < 2; kind++) relays->waiting[side][kind].first = NULL;
  relays->session = NULL;
}
