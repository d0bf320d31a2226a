/* SPDX-License-Identifier: MIT */
/*
 * A session between standard input and output: what arrives is printed, and the session is closed when there is
 * nothing left to expect. When that is depends on what carries the input (relay_input.c):
 *
 *   a bidirectional stream    its end in both directions; that is the server's answer, complete
 *   one that is refused,      no end is to be seen, so: all was delivered, and then nothing arrived for a while
 *   a unidirectional one,
 *   datagrams
 *   nothing                   never, the server ends the session
 *
 * --wait sets that while for each of them. It is only counted when output is not stuck: what is held back by a slow
 * reader has arrived already.
 *
 * A stream for whose bytes there is no room is paused with what is left of them (wt_stream_unread), so that flow
 * control holds the server back. Datagrams cannot be held back: they are dropped and counted.
 */
#include "connect/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum {
  QUIET_MS = 1000,        /* without --wait */
  CLOSING_MS = 5000,      /* how long a close may take to reach the server; then the connection is cut */
  DELIVERY_CHECK_MS = 10, /* how often it is looked whether all was delivered */
};

#define WIRE_SESSION_GONE 0x170d7b68 /* WT_SESSION_GONE, draft section 8.3: the streams' part in a session's end */

/* --- Messages. --- */

static void message_print(const char *format, va_list args) {
  char text[TALK_REASON_SIZE + 256];
  vsnprintf(text, sizeof text, format, args);
  fprintf(stderr, "webtransport connect: %s\n", text); /* one call: one line */
}

void talk_complain(const char *format, ...) {
  va_list args;
  va_start(args, format);
  message_print(format, args);
  va_end(args);
}

void talk_fail(struct talk *talk, const char *format, ...) {
  va_list args;
  talk->failed = true;
  va_start(args, format);
  message_print(format, args);
  va_end(args);
}

void talk_say(const struct talk *talk, const char *format, ...) {
  va_list args;
  if (talk->settings->quiet) return;
  va_start(args, format);
  message_print(format, args);
  va_end(args);
}

/* Tells how the server ended a direction of a stream: that matters if the input goes there. */
static void stream_tell(struct channel *channel, const char *what, const struct wt_stream_error *error) {
  struct talk *talk = channel->talk;
  char code[32] = "without a code";
  if (error->has_code) (void)snprintf(code, sizeof code, "code %" PRIu32, error->code);
  if (error->session_gone || error->wire_code == WIRE_SESSION_GONE) return; /* the session's end is told */
  /* What was given up from here may be given up there, too. */
  bool input = channel->stream == talk->out && !talk->reset && !talk->settings->stop_given;
  if (input) talk->refused = true;
  if (input)
    talk_fail(talk, "the server %s stream %s: %s", what, channel->source.label, code);
  else
    talk_say(talk, "the server %s stream %s: %s", what, channel->source.label, code);
}

static void stream_trace(const struct channel *channel, const char *what) {
  if (channel->talk->settings->verbose) talk_say(channel->talk, "stream %s %s", channel->source.label, what);
}

/* --- Streams. --- */

static void channel_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct channel *channel = user_data;
  struct talk *talk = channel->talk;
  size_t printed = printer_put(&talk->printer, &channel->source, data, len);
  talk->quiet_since = clock_ms();
  if (printed < len) {
    channel->held = true;
    wt_stream_unread(stream, len - printed);
  } else if (fin) {
    printer_end(&talk->printer, &channel->source);
    stream_trace(channel, "was ended by the server");
  }
}

static void channel_on_writable(wt_stream *stream, void *user_data) {
  struct channel *channel = user_data;
  if (stream == channel->talk->out) feed_pump(channel->talk);
}

static void channel_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct channel *channel = user_data;
  (void)stream;
  printer_end(&channel->talk->printer, &channel->source);
  stream_tell(channel, "reset", error);
}

static void channel_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct channel *channel = user_data;
  if (stream != channel->talk->out || channel->talk->input_over) return;
  stream_tell(channel, "reads no more of", error);
  feed_stop(channel->talk);
}

static void channel_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct channel *channel = user_data, **at;
  struct talk *talk = channel->talk;
  bool out = stream == talk->out;
  printer_end(&talk->printer, &channel->source);
  if (!error) stream_trace(channel, "is over");
  for (at = &talk->channels; *at && *at != channel;) at = &(*at)->next;
  if (*at) *at = channel->next;
  free(channel);
  if (!out) return;
  talk->out = NULL;
  talk->quiet_since = clock_ms();
  if (!talk->input_over) feed_stop(talk);
  if (talk->settings->carrier == TALK_BIDI && !talk->refused)
    talk_finish(talk);
  else
    talk_settle(talk);
}

static const struct wt_stream_callbacks channel_callbacks = {
    .on_data = channel_on_data,
    .on_writable = channel_on_writable,
    .on_reset = channel_on_reset,
    .on_stop_sending = channel_on_stop_sending,
    .on_close = channel_on_close,
};

bool talk_listen(struct talk *talk, wt_stream *stream) {
  bool both = wt_stream_kind(stream) == WT_BIDIRECTIONAL, remote = wt_stream_is_remote(stream);
  struct channel *channel = calloc(1, sizeof *channel);
  if (!channel) return false;
  channel->talk = talk;
  channel->stream = stream;
  (void)snprintf(channel->source.label, sizeof channel->source.label, "%" PRId64 " %s%s", wt_stream_id(stream),
                 both ? "bidi" : "uni", remote ? " <-" : "");
  channel->next = talk->channels;
  talk->channels = channel;
  wt_stream_set_callbacks(stream, &channel_callbacks, channel);
  if (talk->settings->stop_given && (both || remote)) wt_stream_stop_sending(stream, talk->settings->stop_code);
  stream_trace(channel, remote ? "was opened by the server" : "is open");
  return true;
}

/* --- The session. --- */

static void session_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct talk *talk = user_data;
  bool both = wt_stream_kind(stream) == WT_BIDIRECTIONAL;
  (void)session;
  talk->quiet_since = clock_ms();
  if (!talk_listen(talk, stream)) {
    talk_fail(talk, "out of memory");
    talk_finish(talk);
  } else if (both) {
    wt_stream_end(stream); /* the input goes elsewhere */
  }
}

static void session_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct talk *talk = user_data;
  (void)session;
  talk->quiet_since = clock_ms();
  if (!printer_datagram(&talk->printer, data, len, talk->settings->binary)) talk->dropped++;
}

static void session_on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct talk *talk = user_data;
  (void)session;
  if (kind == (talk->settings->carrier == TALK_BIDI ? WT_BIDIRECTIONAL : WT_UNIDIRECTIONAL)) feed_on_credit(talk);
}

static void session_on_drain(wt_session *session, void *user_data) {
  (void)session;
  talk_say(user_data, "the server asks to end the session soon");
}

static void session_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct talk *talk = user_data;
  (void)session;
  talk->session = NULL;
  talk->out = NULL;
  talk->closed = true;
  talk->cause = info->cause;
  talk->clean = info->clean;
  talk->code = info->code;
  talk->wire_code = info->wire_code;
  talk->wire_is_h3 = info->wire_is_h3;
  talk->connection = info->connection;
  printer_visible(info->clean ? info->reason : info->message, talk->reason, sizeof talk->reason);
}

const struct wt_session_callbacks talk_callbacks = {
    .on_stream = session_on_stream,
    .on_datagram = session_on_datagram,
    .on_stream_credit = session_on_stream_credit,
    .on_drain = session_on_drain,
    .on_close = session_on_close,
};

void talk_begin(struct talk *talk, wt_session *session) {
  talk->session = session;
  feed_begin(talk);
}

void talk_finish(struct talk *talk) {
  if (!talk->session || talk->finishing) return;
  talk->finishing = true;
  feed_stop(talk);
  const char *reason = talk->settings->close_reason ? talk->settings->close_reason : "";
  if (wt_session_close(talk->session, talk->settings->close_code, reason, strlen(reason))) {
    talk_fail(talk, "the session cannot be closed with this reason: it is not UTF-8");
    (void)wt_session_close(talk->session, talk->settings->close_code, "", 0);
  }
  pipes_alarm(&talk->pipes, CLOSING_MS);
}

/* --- The end. --- */

/* How long nothing must have arrived; negative: that does not matter. */
static int64_t quiet_needed(const struct talk *talk) {
  if (talk->settings->wait_given) return talk->settings->wait_ms;
  if (talk->settings->carrier == TALK_BIDI) return talk->refused ? QUIET_MS : -1;
  return talk->settings->carrier == TALK_NONE ? -1 : QUIET_MS;
}

void talk_settle(struct talk *talk) {
  if (!talk->session || talk->finishing || talk->settling || quiet_needed(talk) < 0) return;
  talk->settling = true;
  talk->quiet_since = clock_ms();
  pipes_alarm(&talk->pipes, DELIVERY_CHECK_MS); /* what was written just now has left by then */
}

static bool output_is_stuck(const struct talk *talk) {
  for (const struct channel *channel = talk->channels; channel; channel = channel->next)
    if (channel->held) return true;
  return false;
}

static void settle_check(struct talk *talk) {
  int64_t now = clock_ms();
  bool busy = output_is_stuck(talk) || !feed_delivered(talk);
  if (busy) talk->quiet_since = now;
  int64_t left = talk->quiet_since + quiet_needed(talk) - now;
  if (busy)
    pipes_alarm(&talk->pipes, DELIVERY_CHECK_MS);
  else if (left > 0)
    pipes_alarm(&talk->pipes, left);
  else
    talk_finish(talk);
}

/* --- What the thread of standard input and output tells; also after the session. --- */

static void pipes_on_room(void *user_data) {
  struct talk *talk = user_data;
  for (struct channel *channel = talk->channels; channel; channel = channel->next) {
    if (!channel->held) continue;
    channel->held = false;
    talk->quiet_since = clock_ms(); /* until now output was stuck, whether or not it was looked meanwhile */
    wt_stream_resume(channel->stream);
  }
}

static void pipes_on_alarm(void *user_data) {
  struct talk *talk = user_data;
  if (talk->finishing)
    wt_client_close(talk->pipes.client);
  else if (!talk->session)
    return;
  else if (talk->reset_due)
    feed_reset(talk);
  else if (talk->chunk_len)
    feed_pump(talk);
  else if (talk->settling)
    settle_check(talk);
}

static void pipes_on_output_failed(int error, void *user_data) {
  struct talk *talk = user_data;
  talk->failed = true;
  /* A reader that has seen enough is no news. */
  if (error != EPIPE) talk_complain("cannot write to standard output: %s", strerror(error));
  talk_finish(talk);
}

const struct pipes_callbacks talk_pipes_callbacks = {
    .on_input = feed_on_input,
    .on_room = pipes_on_room,
    .on_alarm = pipes_on_alarm,
    .on_output_failed = pipes_on_output_failed,
};
