/* SPDX-License-Identifier: MIT */
/*
 * The way of the input to the server. On a stream its bytes go as they are, lines or not: what a stream does not
 * take waits, and no more is read meanwhile. As datagrams each line goes on its own, without its line end; with
 * --binary each piece that was read, cut where it is too large.
 *
 * Nothing tells when there is room for datagrams, and a full queue drops the oldest: so only few are left in it at a
 * time, and more follow after a millisecond. What the network loses is lost.
 */
#include <inttypes.h>
#include <string.h>

#include "connect/relay.h"

enum {
  DATAGRAMS_WAITING = 64, /* the library's queue has 256 places */
  DATAGRAMS_RETRY_MS = 1,
  RESET_CHECK_MS = 10,
};

static struct wt_session_stats session_stats(const struct talk *talk) {
  struct wt_session_stats stats = {.size = sizeof stats};
  (void)wt_session_get_stats(talk->session, &stats);
  return stats;
}

/* --- A stream. --- */

static void stream_open(struct talk *talk) {
  bool both = talk->settings->carrier == TALK_BIDI;
  wt_stream *stream;
  int error = both ? wt_session_open_bidi(talk->session, &stream) : wt_session_open_uni(talk->session, &stream);
  talk->out_wanted = error == WT_ERR_STREAM_LIMIT;
  if (talk->out_wanted) {
    talk_say(talk, "the server allows no stream yet; waiting");
    return;
  }
  if (error || !talk_listen(talk, stream)) {
    talk_fail(talk, "cannot open a stream: %s", wt_error_string(error ? error : WT_ERR_NOMEM));
    talk_finish(talk);
    return;
  }
  talk->out = stream;
  pipes_read(&talk->pipes);
}

static void stream_pump(struct talk *talk) {
  size_t written = 0;
  int error = talk->out ? wt_stream_write(talk->out, talk->chunk, talk->chunk_len, &written) : WT_ERR_CLOSED;
  if (error) { /* on_stop_sending or on_close tells, or did */
    if (error != WT_ERR_CLOSED) talk_fail(talk, "cannot send: %s", wt_error_string(error));
    feed_stop(talk);
    return;
  }
  talk->chunk += written;
  talk->chunk_len -= written;
  talk->sent += written;
}

/* --- Datagrams. --- */

static void datagram_send(struct talk *talk, const uint8_t *data, size_t len) {
  int error = wt_session_send_datagram(talk->session, data, len);
  if (!error) talk->sent++;
  if (error == WT_ERR_TOO_LARGE)
    talk_fail(talk, "a line of %zu bytes was not sent: a datagram takes %zu", len,
              wt_session_max_datagram_size(talk->session));
  else if (error && error != WT_ERR_CLOSED)
    talk_fail(talk, "cannot send a datagram: %s", wt_error_string(error));
}

/* Sends the line that `line` begins and these bytes end. */
static void line_send(struct talk *talk, const uint8_t *rest, size_t len) {
  size_t begun = talk->line_len;
  talk->line_len = 0;
  if (!begun) {
    datagram_send(talk, rest, len);
  } else if (begun + len > sizeof talk->line) {
    talk_fail(talk, "a line of %zu bytes was not sent: a datagram takes %zu", begun + len,
              wt_session_max_datagram_size(talk->session));
  } else {
    memcpy(talk->line + begun, rest, len);
    datagram_send(talk, talk->line, begun + len);
  }
}

/* Keeps the beginning of a line; of one that is too long only its length. */
static void line_keep(struct talk *talk, const uint8_t *data, size_t len) {
  size_t room = talk->line_len < sizeof talk->line ? sizeof talk->line - talk->line_len : 0;
  if (len) memcpy(talk->line + sizeof talk->line - room, data, len < room ? len : room);
  talk->line_len += len;
}

/* Sends one datagram of the input, or keeps the beginning of one. */
static void datagram_take(struct talk *talk) {
  const uint8_t *end = memchr(talk->chunk, '\n', talk->chunk_len);
  size_t len = talk->chunk_len, most = wt_session_max_datagram_size(talk->session), taken;
  if (talk->settings->binary) {
    taken = most && len > most ? most : len;
    datagram_send(talk, talk->chunk, taken);
  } else if (end) {
    taken = (size_t)(end - talk->chunk) + 1;
    line_send(talk, talk->chunk, taken - 1);
  } else {
    taken = len;
    line_keep(talk, talk->chunk, len);
  }
  talk->chunk += taken;
  talk->chunk_len -= taken;
}

static uint64_t datagrams_waiting(const struct talk *talk) {
  struct wt_session_stats stats = session_stats(talk);
  uint64_t gone = stats.datagrams_sent + stats.datagrams_dropped_outgoing;
  return talk->sent > gone ? talk->sent - gone : 0;
}

static void datagrams_pump(struct talk *talk) {
  uint64_t waiting = datagrams_waiting(talk);
  for (; talk->chunk_len && waiting < DATAGRAMS_WAITING; waiting++) datagram_take(talk);
  if (talk->chunk_len) pipes_alarm(&talk->pipes, DATAGRAMS_RETRY_MS);
}

/* --- Both. --- */

void feed_pump(struct talk *talk) {
  if (!talk->session || !talk->chunk_len) return;
  if (talk->settings->carrier == TALK_DATAGRAMS)
    datagrams_pump(talk);
  else
    stream_pump(talk);
  if (!talk->chunk_len && !talk->input_over) pipes_read(&talk->pipes);
}

void feed_stop(struct talk *talk) {
  talk->chunk_len = 0;
  talk->input_over = true;
  talk_settle(talk);
}

/* What a reset overtakes is lost: so it waits until all that was sent is with the server. */
void feed_reset(struct talk *talk) {
  if (talk->out && !feed_delivered(talk)) {
    pipes_alarm(&talk->pipes, RESET_CHECK_MS);
    return;
  }
  talk->reset_due = false;
  talk->reset = true;
  if (talk->out) wt_stream_reset(talk->out, talk->settings->reset_code);
  if (talk->settling) pipes_alarm(&talk->pipes, RESET_CHECK_MS);
}

void feed_on_input(const uint8_t *data, size_t len, int error, void *user_data) {
  struct talk *talk = user_data;
  if (!talk->session || talk->input_over) return;
  if (len) {
    talk->chunk = data;
    talk->chunk_len = len;
    feed_pump(talk);
    return;
  }
  if (error) talk_fail(talk, "cannot read standard input: %s", strerror(error));
  if (talk->line_len) line_send(talk, (const uint8_t *)"", 0);
  talk->reset_due = talk->settings->reset_given;
  if (talk->out && !talk->reset_due) (void)wt_stream_end(talk->out);
  feed_stop(talk);
  if (talk->reset_due) feed_reset(talk);
}

void feed_begin(struct talk *talk) {
  switch (talk->settings->carrier) {
    case TALK_BIDI:
    case TALK_UNI: stream_open(talk); break;
    case TALK_DATAGRAMS:
      if (wt_session_max_datagram_size(talk->session)) {
        pipes_read(&talk->pipes);
      } else {
        talk_fail(talk, "the server takes no datagrams");
        talk_finish(talk);
      }
      break;
    case TALK_NONE: feed_stop(talk); break;
  }
}

void feed_on_credit(struct talk *talk) {
  if (talk->out_wanted) stream_open(talk);
}

bool feed_delivered(const struct talk *talk) {
  struct wt_session_stats stats = session_stats(talk);
  if (talk->settings->carrier == TALK_DATAGRAMS) return datagrams_waiting(talk) == 0;
  return !talk->out || (stats.bytes_sent >= talk->sent && stats.bytes_in_flight == 0);
}
