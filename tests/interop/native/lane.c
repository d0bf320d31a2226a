/* SPDX-License-Identifier: MIT */
/*
 * Lanes and parties of the interop programs: bytes out with backpressure, bytes in to the end, streams that wait
 * for the peer's credit. See lane.h. Nothing here knows of a case or a path.
 *
 * A lane lives until its stream's `on_close`, or, while it waits, until its session ends.
 */
#include "lane.h"

#include <gnutls/crypto.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webtransport/connection.h>

enum {
  PATTERN_PERIOD = 65536,
};

uint8_t pattern_at(uint64_t at) { return (uint8_t)(at * 31 + (at >> 8)); }

static uint8_t pattern[PATTERN_PERIOD];

static void pattern_make(void) {
  for (uint32_t i = 0; i < PATTERN_PERIOD; i++) pattern[i] = pattern_at(i);
}

static const uint8_t *pattern_from(uint64_t at, size_t *len) {
  static pthread_once_t made = PTHREAD_ONCE_INIT; /* a server's workers come here on their threads */
  pthread_once(&made, pattern_make);
  size_t from = (size_t)(at % PATTERN_PERIOD);
  if (*len > PATTERN_PERIOD - from) *len = PATTERN_PERIOD - from;
  return pattern + from;
}

bool pattern_is(const uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (data[i] != pattern_at(i)) return false;
  return true;
}

uint32_t reset_code_of(uint64_t number) { return (uint32_t)(number * 4294967); }

bool digest_text(const uint8_t *data, size_t len, char text[DIGEST_TEXT]) {
  uint8_t digest[32];
  static const uint8_t none[1];
  if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data ? data : none, len, digest) < 0) return false;
  int at = snprintf(text, DIGEST_TEXT, "%zu ", len);
  for (size_t i = 0; i < sizeof digest; i++) at += snprintf(text + at, (size_t)(DIGEST_TEXT - at), "%02x", digest[i]);
  snprintf(text + at, (size_t)(DIGEST_TEXT - at), "\n");
  return true;
}

bool digest_text_of_pattern(size_t len, char text[DIGEST_TEXT]) {
  uint8_t *data = malloc(len + 1);
  if (!data) return false;
  for (size_t i = 0; i < len; i++) data[i] = pattern_at(i);
  bool done = digest_text(data, len, text);
  free(data);
  return done;
}

bool limits_are_tiny(const wt_session *session) {
  static const struct wt_setting tiny[] = {{0x2b61, TINY_DATA}, {0x2b64, TINY_STREAMS}, {0x2b65, TINY_STREAMS}};
  struct wt_connection_info info = {.size = sizeof info};
  size_t found = 0;
  if (wt_session_get_connection_info(session, &info) || !info.has_settings) return false;
  for (size_t i = 0; i < info.setting_count; i++)
    for (size_t j = 0; j < 3; j++)
      if (info.settings[i].id == tiny[j].id && info.settings[i].value == tiny[j].value) found++;
  return found == 3;
}

/* --- Out --- */

static void lane_free(struct lane *lane) {
  free(lane->out);
  free(lane->in);
  free(lane);
}

static void lane_pump(struct lane *lane) {
  while (lane->out_at < lane->out_len) {
    size_t len = lane->out_len - lane->out_at, written;
    const uint8_t *data = lane->out ? lane->out + lane->out_at : pattern_from(lane->out_at, &len);
    if (wt_stream_write(lane->stream, data, len, &written)) return; /* another callback tells */
    lane->out_at += written;
    if (written < len) return; /* on_writable follows */
  }
  enum lane_ending ending = lane->ending;
  lane->ending = LANE_OPEN;
  if (ending == LANE_FIN) wt_stream_end(lane->stream);
  if (ending == LANE_RESET) wt_stream_reset(lane->stream, lane->code);
}

static bool lane_load(struct lane *lane, const void *out, size_t len, enum lane_ending ending, uint32_t code) {
  lane->out_len = len;
  lane->ending = ending;
  lane->code = code;
  if (!out) return true;
  lane->out = malloc(len + 1);
  if (lane->out) memcpy(lane->out, out, len);
  return lane->out != NULL;
}

bool lane_send(struct lane *lane, const void *out, size_t len, enum lane_ending ending) {
  if (!lane_load(lane, out, len, ending, 0)) return false;
  lane_pump(lane);
  return true;
}

void lane_send_more(struct lane *lane, size_t len) {
  lane->out_len += len;
  lane_pump(lane);
}

/* --- In --- */

static void lane_received(struct lane *lane) {
  if (lane->received) return;
  lane->received = true;
  if (lane->on_received) lane->on_received(lane);
}

static bool lane_keep(struct lane *lane, const uint8_t *data, size_t len) {
  if (len > LANE_READ_MAX - lane->in_len) return false;
  if (lane->in_len + len > lane->in_size) {
    size_t size = lane->in_size ? lane->in_size : 1024;
    while (size < lane->in_len + len) size *= 2;
    uint8_t *in = realloc(lane->in, size);
    if (!in) return false;
    lane->in = in;
    lane->in_size = size;
  }
  if (len) memcpy(lane->in + lane->in_len, data, len);
  lane->in_len += len;
  return true;
}

static void lane_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct lane *lane = user_data;
  if (lane->echoes) {
    size_t written;
    if (wt_stream_write(stream, data, len, &written)) return;
    if (written < len)
      wt_stream_unread(stream, len - written);
    else if (fin)
      wt_stream_end(stream);
    return;
  }
  if (!lane_keep(lane, data, len)) {
    fprintf(stderr, "a stream with more than %d bytes, or no memory\n", LANE_READ_MAX);
    wt_stream_stop_sending(stream, 0);
    lane->lost = true;
    lane_received(lane);
    return;
  }
  if (lane->on_part) lane->on_part(lane);
  if (fin) lane_received(lane);
}

static void lane_on_writable(wt_stream *stream, void *user_data) {
  struct lane *lane = user_data;
  if (lane->echoes)
    wt_stream_resume(stream);
  else
    lane_pump(lane);
}

static void lane_on_reset(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct lane *lane = user_data;
  lane->was_reset = true;
  lane->has_code = error->has_code;
  lane->reset_code = error->code;
  if (lane->echoes) wt_stream_reset(stream, error->code);
  lane_received(lane);
}

static void lane_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct lane *lane = user_data;
  (void)stream;
  (void)error;
  lane->stream = NULL;
  if (!lane->received && !lane->echoes && (lane->kind == WT_BIDIRECTIONAL || lane->on_received)) {
    lane->lost = true;
    lane_received(lane);
  }
  lane_free(lane);
}

static void lane_attach(struct lane *lane, wt_stream *stream) {
  static const struct wt_stream_callbacks callbacks = {
      .on_data = lane_on_data,
      .on_writable = lane_on_writable,
      .on_reset = lane_on_reset,
      .on_close = lane_on_close,
  };
  lane->stream = stream;
  wt_stream_set_callbacks(stream, &callbacks, lane);
}

/* --- Parties --- */

void party_init(struct party *party, void *owner, void (*accept)(struct lane *lane)) {
  *party = (struct party){.owner = owner, .accept = accept};
  party->waiting_end[0] = &party->waiting[0];
  party->waiting_end[1] = &party->waiting[1];
}

/* Opens the stream of a lane that has one to come. False: the peer allows none at present, or ever. */
static bool party_open_stream(struct party *party, struct lane *lane) {
  wt_stream *stream;
  int error = lane->kind == WT_BIDIRECTIONAL ? wt_session_open_bidi(party->session, &stream)
                                             : wt_session_open_uni(party->session, &stream);
  if (error) {
    if (error != WT_ERR_STREAM_LIMIT) fprintf(stderr, "opening a stream failed: %s\n", wt_error_string(error));
    return false;
  }
  lane_attach(lane, stream);
  lane_pump(lane);
  return true;
}

static void party_open_waiting(struct party *party, enum wt_stream_kind kind) {
  while (party->session && party->waiting[kind]) {
    struct lane *lane = party->waiting[kind], *next = lane->next;
    if (!party_open_stream(party, lane)) return;
    party->waiting[kind] = next;
    if (!next) party->waiting_end[kind] = &party->waiting[kind];
  }
}

struct lane *party_open(struct party *party, enum wt_stream_kind kind, const void *out, size_t len,
                        enum lane_ending ending, uint32_t code) {
  struct lane *lane = party->session ? calloc(1, sizeof *lane) : NULL;
  if (!lane) return NULL;
  lane->party = party;
  lane->kind = kind;
  if (!lane_load(lane, out, len, ending, code)) {
    lane_free(lane);
    return NULL;
  }
  bool first = !party->waiting[kind];
  *party->waiting_end[kind] = lane;
  party->waiting_end[kind] = &lane->next;
  if (first) party_open_waiting(party, kind);
  return lane;
}

void party_closed(struct party *party) {
  for (int kind = 0; kind < 2; kind++) {
    while (party->waiting[kind]) {
      struct lane *lane = party->waiting[kind];
      party->waiting[kind] = lane->next;
      lane_free(lane);
    }
    party->waiting_end[kind] = &party->waiting[kind];
  }
  party->session = NULL;
}

void party_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct party *party = user_data;
  struct lane *lane = party->accept ? calloc(1, sizeof *lane) : NULL;
  (void)session;
  if (!lane) {
    wt_stream_stop_sending(stream, 0);
    if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_reset(stream, 0);
    return;
  }
  lane->party = party;
  lane->kind = wt_stream_kind(stream);
  lane_attach(lane, stream);
  party->accept(lane);
}

void party_on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  (void)session;
  party_open_waiting(user_data, kind);
}
