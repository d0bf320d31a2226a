/* SPDX-License-Identifier: MIT */
/*
 * Carries bytes between standard input and output and a session. What arrives is printed. The session is closed when
 * nothing more is expected, which depends on what carries the input (relay_input.c):
 *
 *   a bidirectional stream    when it has ended in both directions: the server's answer is complete
 *   a refused stream,         when all is delivered and nothing has arrived for a while: there is no other sign of
 *   a unidirectional stream,  the end
 *   datagrams
 *   nothing                   never: the server ends the session
 *
 * --wait sets how long that while is, in each case. The time does not count while standard output is stuck, because
 * what a slow reader holds back has arrived already.
 *
 * When standard output has no room for a stream's bytes, the stream is paused and keeps them (wt_stream_unread), so
 * that flow control stops the server. Datagrams have no flow control: they are dropped and counted.
 */
#include "connect/session_relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/visible_text.h"

enum {
  QUIET_MS = 1000,        /* without --wait */
  CLOSING_MS = 5000,      /* how long a close may take to reach the server; then the connection is cut */
  DELIVERY_CHECK_MS = 10, /* how often we look whether all is delivered */
};

#define WIRE_SESSION_GONE 0x170d7b68 /* WT_SESSION_GONE, draft section 8.3: the stream ended because its session did */

/* --- Messages. --- */

static void message_print(const char *format, va_list args) {
  char text[RELAY_REASON_SIZE + 256];
  vsnprintf(text, sizeof text, format, args);
  fprintf(stderr, "webtransport connect: %s\n", text); /* one call: one line */
}

void relay_complain(const char *format, ...) {
  va_list args;
  va_start(args, format);
  message_print(format, args);
  va_end(args);
}

void relay_fail(struct relay *relay, const char *format, ...) {
  va_list args;
  relay->failed = true;
  va_start(args, format);
  message_print(format, args);
  va_end(args);
}

void relay_say(const struct relay *relay, const char *format, ...) {
  va_list args;
  if (relay->settings->quiet) return;
  va_start(args, format);
  message_print(format, args);
  va_end(args);
}

/* Reports how the server ended a direction of a stream. It is a failure if the input goes there. */
static void stream_end_report(struct printed_stream *printed, const char *what, const struct wt_stream_error *error) {
  struct relay *relay = printed->relay;
  char code[32] = "without a code";
  if (error->has_code) snprintf(code, sizeof code, "code %" PRIu32, error->code);
  if (error->session_gone || error->wire_code == WIRE_SESSION_GONE) return; /* the session's end is reported */
  /* A stream that we gave up may be given up by the server, too. */
  bool input = printed->stream == relay->out && !relay->reset && !relay->settings->stop_given;
  if (input) relay->refused = true;
  if (input)
    relay_fail(relay, "the server %s stream %s: %s", what, printed->source.label, code);
  else
    relay_say(relay, "the server %s stream %s: %s", what, printed->source.label, code);
}

static void stream_log(const struct printed_stream *printed, const char *what) {
  if (printed->relay->settings->verbose) relay_say(printed->relay, "stream %s %s", printed->source.label, what);
}

/* --- Streams. --- */

/* Prints what arrived. Returns how much of it was taken; `*over` is false while more has to be printed at its end. */
static size_t stream_print(struct printed_stream *printed, const uint8_t *data, size_t len, bool fin, bool *over) {
  struct printer *printer = &printed->relay->printer;
  size_t taken;
  switch (printed->messages) {
    case MESSAGES_STREAMS: taken = printer_message(printer, &printed->source, data, len, fin, over); break;
    case MESSAGES_STREAM:
      taken = message_reader_put(&printed->reader, printer, &printed->source, data, len);
      *over = taken == len;
      break;
    default:
      taken = printer_put(printer, &printed->source, data, len);
      *over = taken == len;
      break;
  }
  return taken;
}

static void stream_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct printed_stream *printed = user_data;
  struct relay *relay = printed->relay;
  bool over;
  size_t taken = stream_print(printed, data, len, fin, &over);
  relay->quiet_since = clock_ms();
  if (taken < len || (fin && !over)) {
    printed->paused = true;
    wt_stream_unread(stream, len - taken);
    return;
  }
  if (!fin) return;
  printer_end(&relay->printer, &printed->source);
  stream_log(printed, "was ended by the server");
  if (printed->messages == MESSAGES_STREAM && !message_reader_is_between(&printed->reader))
    relay_fail(relay, "stream %s ended inside a message: is it of a topic with ?delivery=stream?",
               printed->source.label);
}

static void stream_on_writable(wt_stream *stream, void *user_data) {
  struct printed_stream *printed = user_data;
  if (stream == printed->relay->out) input_send(printed->relay);
}

static void stream_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct printed_stream *printed = user_data;
  (void)stream;
  printer_end(&printed->relay->printer, &printed->source);
  stream_end_report(printed, "reset", error);
}

static void stream_on_stop_sending(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct printed_stream *printed = user_data;
  if (stream != printed->relay->out || printed->relay->input_over) return;
  stream_end_report(printed, "reads no more of", error);
  input_stop(printed->relay);
}

static void stream_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct printed_stream *printed = user_data, **at;
  struct relay *relay = printed->relay;
  bool out = stream == relay->out;
  printer_end(&relay->printer, &printed->source);
  if (!error) stream_log(printed, "is over");
  for (at = &relay->streams; *at && *at != printed;) at = &(*at)->next;
  if (*at) *at = printed->next;
  free(printed);
  if (!out) return;
  relay->out = NULL;
  relay->quiet_since = clock_ms();
  if (!relay->input_over) input_stop(relay);
  if (relay->settings->carrier == CARRIER_BIDI && !relay->refused)
    relay_close(relay);
  else
    relay_await_quiet(relay);
}

static const struct wt_stream_callbacks stream_callbacks = {
    .on_data = stream_on_data,
    .on_writable = stream_on_writable,
    .on_reset = stream_on_reset,
    .on_stop_sending = stream_on_stop_sending,
    .on_close = stream_on_close,
};

bool relay_add_stream(struct relay *relay, wt_stream *stream) {
  bool both = wt_stream_kind(stream) == WT_BIDIRECTIONAL, remote = wt_stream_is_remote(stream);
  struct printed_stream *printed = calloc(1, sizeof *printed);
  if (!printed) return false;
  printed->relay = relay;
  printed->stream = stream;
  snprintf(printed->source.label, sizeof printed->source.label, "%" PRId64 " %s%s", wt_stream_id(stream),
           both ? "bidi" : "uni", remote ? " <-" : "");
  printed->messages = remote && !both ? (enum messages_mode)relay->settings->messages : MESSAGES_NONE;
  printed->source.message = printed->messages != MESSAGES_NONE;
  printed->next = relay->streams;
  relay->streams = printed;
  wt_stream_set_callbacks(stream, &stream_callbacks, printed);
  if (relay->settings->stop_given && (both || remote)) wt_stream_stop_sending(stream, relay->settings->stop_code);
  stream_log(printed, remote ? "was opened by the server" : "is open");
  return true;
}

/* --- The session. --- */

static void session_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct relay *relay = user_data;
  bool both = wt_stream_kind(stream) == WT_BIDIRECTIONAL;
  (void)session;
  relay->quiet_since = clock_ms();
  if (!relay_add_stream(relay, stream)) {
    relay_fail(relay, "out of memory");
    relay_close(relay);
  } else if (both) {
    wt_stream_end(stream); /* the input goes elsewhere */
  }
}

static void session_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct relay *relay = user_data;
  (void)session;
  relay->quiet_since = clock_ms();
  if (!printer_datagram(&relay->printer, data, len, relay->settings->binary)) relay->dropped++;
}

static void session_on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct relay *relay = user_data;
  (void)session;
  if (kind == (relay->settings->carrier == CARRIER_BIDI ? WT_BIDIRECTIONAL : WT_UNIDIRECTIONAL))
    input_on_stream_credit(relay);
}

static void session_on_drain(wt_session *session, void *user_data) {
  (void)session;
  relay_say(user_data, "the server asks to end the session soon");
}

static void session_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct relay *relay = user_data;
  (void)session;
  relay->session = NULL;
  relay->out = NULL;
  relay->closed = true;
  relay->cause = info->cause;
  relay->clean = info->clean;
  relay->code = info->code;
  relay->wire_code = info->wire_code;
  relay->wire_is_h3 = info->wire_is_h3;
  relay->connection = info->connection;
  visible_text(info->clean ? info->reason : info->message, relay->reason, sizeof relay->reason);
}

const struct wt_session_callbacks relay_session_callbacks = {
    .on_stream = session_on_stream,
    .on_datagram = session_on_datagram,
    .on_stream_credit = session_on_stream_credit,
    .on_drain = session_on_drain,
    .on_close = session_on_close,
};

void relay_begin(struct relay *relay, wt_session *session) {
  relay->session = session;
  input_begin(relay);
}

void relay_close(struct relay *relay) {
  if (!relay->session || relay->finishing) return;
  relay->finishing = true;
  input_stop(relay);
  const char *reason = relay->settings->close_reason ? relay->settings->close_reason : "";
  if (wt_session_close(relay->session, relay->settings->close_code, reason, strlen(reason))) {
    relay_fail(relay, "the session cannot be closed with this reason: it is not UTF-8");
    (void)wt_session_close(relay->session, relay->settings->close_code, "", 0);
  }
  io_set_alarm(&relay->io, CLOSING_MS);
}

/* --- The end. --- */

/* How long nothing must arrive before the session is closed; negative: it is not closed for that. */
static int64_t quiet_needed(const struct relay *relay) {
  if (relay->settings->wait_given) return relay->settings->wait_ms;
  if (relay->settings->carrier == CARRIER_BIDI) return relay->refused ? QUIET_MS : -1;
  return relay->settings->carrier == CARRIER_NONE ? -1 : QUIET_MS;
}

void relay_await_quiet(struct relay *relay) {
  if (!relay->session || relay->finishing || relay->awaiting_quiet || quiet_needed(relay) < 0) return;
  relay->awaiting_quiet = true;
  relay->quiet_since = clock_ms();
  io_set_alarm(&relay->io, DELIVERY_CHECK_MS); /* by then, bytes written just now have been sent */
}

static bool output_is_stuck(const struct relay *relay) {
  for (const struct printed_stream *printed = relay->streams; printed; printed = printed->next)
    if (printed->paused) return true;
  return false;
}

static void quiet_check(struct relay *relay) {
  int64_t now = clock_ms();
  bool busy = output_is_stuck(relay) || !input_delivered(relay);
  if (busy) relay->quiet_since = now;
  int64_t left = relay->quiet_since + quiet_needed(relay) - now;
  if (busy)
    io_set_alarm(&relay->io, DELIVERY_CHECK_MS);
  else if (left > 0)
    io_set_alarm(&relay->io, left);
  else
    relay_close(relay);
}

/* --- Callbacks of standard_io.h. They also come after the session has closed. --- */

static void io_on_room(void *user_data) {
  struct relay *relay = user_data;
  for (struct printed_stream *printed = relay->streams; printed; printed = printed->next) {
    if (!printed->paused) continue;
    printed->paused = false;
    relay->quiet_since = clock_ms(); /* standard output was stuck until now */
    wt_stream_resume(printed->stream);
  }
}

static void io_on_alarm(void *user_data) {
  struct relay *relay = user_data;
  if (relay->finishing)
    wt_client_close(relay->io.client);
  else if (!relay->session)
    return;
  else if (relay->reset_due)
    input_reset(relay);
  else if (relay->chunk_len)
    input_send(relay);
  else if (relay->awaiting_quiet)
    quiet_check(relay);
}

static void io_on_output_failed(int error, void *user_data) {
  struct relay *relay = user_data;
  relay->failed = true;
  /* A reader that has closed its pipe does not want more: no message. */
  if (error != EPIPE) relay_complain("cannot write to standard output: %s", strerror(error));
  relay_close(relay);
}

const struct standard_io_callbacks relay_io_callbacks = {
    .on_input = input_on_data,
    .on_room = io_on_room,
    .on_alarm = io_on_alarm,
    .on_output_failed = io_on_output_failed,
};
