/* SPDX-License-Identifier: MIT */
/*
 * Sends the input to the server. A stream carries its bytes as they are. When the stream takes no more, the rest waits
 * and no more input is read. With --datagrams, each line without its line end becomes a datagram; with --binary, each
 * piece that was read does, and is cut if it is too large.
 *
 * The library has no callback for room in its datagram queue, and a full queue drops its oldest datagrams. So only a
 * few datagrams are queued at a time, and more follow after a millisecond. What the network loses is lost.
 */
#include <inttypes.h>
#include <string.h>

#include "connect/session_relay.h"

enum {
  DATAGRAMS_WAITING = 64, /* the library's queue has 256 places */
  DATAGRAMS_RETRY_MS = 1,
  RESET_CHECK_MS = 10,
};

static struct wt_session_stats session_stats(const struct relay *relay) {
  struct wt_session_stats stats = {.size = sizeof stats};
  (void)wt_session_get_stats(relay->session, &stats);
  return stats;
}

/* --- A stream. --- */

static void stream_open(struct relay *relay) {
  bool both = relay->settings->carrier == CARRIER_BIDI;
  wt_stream *stream;
  int error = both ? wt_session_open_bidi(relay->session, &stream) : wt_session_open_uni(relay->session, &stream);
  relay->out_wanted = error == WT_ERR_STREAM_LIMIT;
  if (relay->out_wanted) {
    relay_say(relay, "the server allows no stream yet; waiting");
    return;
  }
  if (error || !relay_add_stream(relay, stream)) {
    relay_fail(relay, "cannot open a stream: %s", wt_error_string(error ? error : WT_ERR_NOMEM));
    relay_close(relay);
    return;
  }
  relay->out = stream;
  io_request_input(&relay->io);
}

static void stream_pump(struct relay *relay) {
  size_t written = 0;
  int error = relay->out ? wt_stream_write(relay->out, relay->chunk, relay->chunk_len, &written) : WT_ERR_CLOSED;
  if (error) { /* on_stop_sending or on_close reports why */
    if (error != WT_ERR_CLOSED) relay_fail(relay, "cannot send: %s", wt_error_string(error));
    input_stop(relay);
    return;
  }
  relay->chunk += written;
  relay->chunk_len -= written;
  relay->sent += written;
}

/* --- Datagrams. --- */

static void datagram_send(struct relay *relay, const uint8_t *data, size_t len) {
  int error = wt_session_send_datagram(relay->session, data, len);
  if (!error) relay->sent++;
  if (error == WT_ERR_TOO_LARGE)
    relay_fail(relay, "a line of %zu bytes was not sent: a datagram takes %zu", len,
               wt_session_max_datagram_size(relay->session));
  else if (error && error != WT_ERR_CLOSED)
    relay_fail(relay, "cannot send a datagram: %s", wt_error_string(error));
}

/* Sends a line: what `line` holds, then these bytes. */
static void line_send(struct relay *relay, const uint8_t *rest, size_t len) {
  size_t begun = relay->line_len;
  relay->line_len = 0;
  if (!begun) {
    datagram_send(relay, rest, len);
  } else if (begun + len > sizeof relay->line) {
    relay_fail(relay, "a line of %zu bytes was not sent: a datagram takes %zu", begun + len,
               wt_session_max_datagram_size(relay->session));
  } else {
    memcpy(relay->line + begun, rest, len);
    datagram_send(relay, relay->line, begun + len);
  }
}

/* Keeps the beginning of a line. If the line is too long, only its length is counted. */
static void line_keep(struct relay *relay, const uint8_t *data, size_t len) {
  size_t room = relay->line_len < sizeof relay->line ? sizeof relay->line - relay->line_len : 0;
  if (len) memcpy(relay->line + sizeof relay->line - room, data, len < room ? len : room);
  relay->line_len += len;
}

/* Sends one datagram of the input, or keeps the beginning of one. */
static void datagram_take(struct relay *relay) {
  const uint8_t *end = memchr(relay->chunk, '\n', relay->chunk_len);
  size_t len = relay->chunk_len, most = wt_session_max_datagram_size(relay->session), taken;
  if (relay->settings->binary) {
    taken = most && len > most ? most : len;
    datagram_send(relay, relay->chunk, taken);
  } else if (end) {
    taken = (size_t)(end - relay->chunk) + 1;
    line_send(relay, relay->chunk, taken - 1);
  } else {
    taken = len;
    line_keep(relay, relay->chunk, len);
  }
  relay->chunk += taken;
  relay->chunk_len -= taken;
}

static uint64_t datagrams_waiting(const struct relay *relay) {
  struct wt_session_stats stats = session_stats(relay);
  uint64_t gone = stats.datagrams_sent + stats.datagrams_dropped_outgoing;
  return relay->sent > gone ? relay->sent - gone : 0;
}

static void datagrams_pump(struct relay *relay) {
  uint64_t waiting = datagrams_waiting(relay);
  for (; relay->chunk_len && waiting < DATAGRAMS_WAITING; waiting++) datagram_take(relay);
  if (relay->chunk_len) io_set_alarm(&relay->io, DATAGRAMS_RETRY_MS);
}

/* --- Both. --- */

void input_send(struct relay *relay) {
  if (!relay->session || !relay->chunk_len) return;
  if (relay->settings->carrier == CARRIER_DATAGRAMS)
    datagrams_pump(relay);
  else
    stream_pump(relay);
  if (!relay->chunk_len && !relay->input_over) io_request_input(&relay->io);
}

void input_stop(struct relay *relay) {
  relay->chunk_len = 0;
  relay->input_over = true;
  relay_await_quiet(relay);
}

/* A reset drops bytes that are not delivered, so it waits until the server has acknowledged all. */
void input_reset(struct relay *relay) {
  if (relay->out && !input_delivered(relay)) {
    io_set_alarm(&relay->io, RESET_CHECK_MS);
    return;
  }
  relay->reset_due = false;
  relay->reset = true;
  if (relay->out) wt_stream_reset(relay->out, relay->settings->reset_code);
  if (relay->awaiting_quiet) io_set_alarm(&relay->io, RESET_CHECK_MS);
}

void input_on_data(const uint8_t *data, size_t len, int error, void *user_data) {
  struct relay *relay = user_data;
  if (!relay->session || relay->input_over) return;
  if (len) {
    relay->chunk = data;
    relay->chunk_len = len;
    input_send(relay);
    return;
  }
  if (error) relay_fail(relay, "cannot read standard input: %s", strerror(error));
  if (relay->line_len) line_send(relay, (const uint8_t *)"", 0);
  relay->reset_due = relay->settings->reset_given;
  if (relay->out && !relay->reset_due) (void)wt_stream_end(relay->out);
  input_stop(relay);
  if (relay->reset_due) input_reset(relay);
}

void input_begin(struct relay *relay) {
  switch (relay->settings->carrier) {
    case CARRIER_BIDI:
    case CARRIER_UNI: stream_open(relay); break;
    case CARRIER_DATAGRAMS:
      if (wt_session_max_datagram_size(relay->session)) {
        io_request_input(&relay->io);
      } else {
        relay_fail(relay, "the server takes no datagrams");
        relay_close(relay);
      }
      break;
    case CARRIER_NONE: input_stop(relay); break;
  }
}

void input_on_stream_credit(struct relay *relay) {
  if (relay->out_wanted) stream_open(relay);
}

bool input_delivered(const struct relay *relay) {
  struct wt_session_stats stats = session_stats(relay);
  if (relay->settings->carrier == CARRIER_DATAGRAMS) return datagrams_waiting(relay) == 0;
  return !relay->out || (stats.bytes_sent >= relay->sent && stats.bytes_in_flight == 0);
}
