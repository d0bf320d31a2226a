/* SPDX-License-Identifier: MIT */

/*
 * Frames of a QUIC packet. The input is read frame by frame: each has a length that stays inside, its
 * data lie inside, reading it again gives the same, and one that does not reach to the end of the packet
 * does not depend on what follows it. Then it is changed in place, as each fate and as a packet with carriers:
 * never out of bounds, each frame asked about once, and what was readable stays so.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/quic_frame.h"

static void check_data(const struct wt__quic_frame *frame, const uint8_t *data, size_t len) {
  if (!frame->data) {
    FUZZ_CHECK(frame->data_len == 0);
    return;
  }
  FUZZ_CHECK(frame->data >= data && frame->data_len <= len && frame->data + frame->data_len <= data + len);
}

struct judge_state {
  const uint8_t *fates; /* the input itself decides */
  size_t len, asked;
};

static enum wt__frame_fate judge(void *ctx, const struct wt__quic_frame *frame) {
  struct judge_state *state = ctx;
  bool fin = frame->type >= WT__FRAME_STREAM && frame->type < WT__FRAME_STREAM + 8 && (frame->type & 1);
  bool ack = (frame->type & ~UINT64_C(1)) == WT__FRAME_ACK;
  FUZZ_CHECK(fin || ack || frame->type == WT__FRAME_CRYPTO || frame->type == WT__FRAME_RESET_STREAM ||
             frame->type == WT__FRAME_STOP_SENDING || frame->type == WT__FRAME_RESET_STREAM_AT ||
             frame->type == WT__FRAME_PATH_CHALLENGE || frame->type == WT__FRAME_RETIRE_CONNECTION_ID);
  state->asked++;
  return (enum wt__frame_fate)(state->fates[state->asked % state->len] % 3);
}

/* How many bytes can be read as frames. */
static size_t readable(const uint8_t *data, size_t size) {
  struct wt__quic_frame frame;
  size_t at = 0;
  for (size_t n; (n = wt__quic_frame_read(data + at, size - at, &frame)); at += n) continue;
  return at;
}

/* A packet that is for nothing else has an ACK, or a PING, and all of it can be read. */
static void check_purpose(const uint8_t *data, size_t size) {
  enum wt__packet_purpose purpose = wt__quic_packet_purpose(data, size);
  if (purpose == WT__PACKET_FOR_DATA) return;
  FUZZ_CHECK(readable(data, size) == size);
  bool acks = false, asks = false;
  struct wt__quic_frame frame;
  for (size_t at = 0; at < size; at += wt__quic_frame_read(data + at, size - at, &frame)) {
    FUZZ_CHECK(data[at] <= WT__FRAME_ACK + 1);
    acks = acks || data[at] >= WT__FRAME_ACK;
    asks = asks || data[at] == WT__FRAME_PING;
  }
  FUZZ_CHECK(purpose == WT__PACKET_FOR_PROBE ? asks : acks && !asks);
}

/* Changes of NEW_CONNECTION_ID frames leave as many frames as there were, and touch nothing behind them. */
static void check_ids(uint8_t *copy, const uint8_t *data, size_t size, size_t before) {
  memcpy(copy, data, size);
  wt__quic_frames_retire_prior_to(copy, size, data[0]);
  FUZZ_CHECK(readable(copy, size) == before);
  FUZZ_CHECK(!memcmp(copy + before, data + before, size - before));
  wt__quic_frames_hide_id(copy, size, data[0]);
  FUZZ_CHECK(readable(copy, size) >= before);
  FUZZ_CHECK(!memcmp(copy + before, data + before, size - before));
}

static void check_changes(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size);
  FUZZ_CHECK(copy);
  memcpy(copy, data, size);
  size_t before = readable(data, size);
  struct judge_state state = {.fates = data, .len = size};
  wt__quic_frames_rewrite(copy, size, judge, &state);
  FUZZ_CHECK(readable(copy, size) >= before);
  FUZZ_CHECK(!memcmp(copy + before, data + before, size - before));
  memcpy(copy, data, size);
  size_t carriers = wt__quic_carriers_unwrap(copy, size);
  FUZZ_CHECK(carriers || !memcmp(copy, data, size));
  FUZZ_CHECK(!memcmp(copy + before, data + before, size - before));
  check_ids(copy, data, size, before);
  free(copy);
}

/* Ranges come from the latest packets to the earliest, with a packet between them at least. */
static void on_range(void *ctx, uint64_t first, uint64_t last) {
  uint64_t *before = ctx;
  FUZZ_CHECK(first <= last && (*before == UINT64_MAX || last + 1 < *before));
  *before = first;
}

static void check_ack(const struct wt__quic_frame *frame) {
  uint64_t before = UINT64_MAX;
  if ((frame->type & ~UINT64_C(1)) == WT__FRAME_ACK) wt__quic_ack_ranges(frame, on_range, &before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wt__quic_frame frame, again;
  size_t n;
  for (size_t at = 0; at < size && (n = wt__quic_frame_read(data + at, size - at, &frame)); at += n) {
    FUZZ_CHECK(n <= size - at);
    check_data(&frame, data + at, n);
    check_ack(&frame);
    FUZZ_CHECK(wt__quic_frame_read(data + at, n, &again) == n);
    FUZZ_CHECK(!memcmp(&frame, &again, sizeof(frame)));
  }
  check_purpose(data, size);
  if (size) check_changes(data, size);
  return 0;
}
