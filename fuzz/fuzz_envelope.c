/* SPDX-License-Identifier: MIT */

/*
 * What comes from a broker: each piece is a length and an envelope. What is read fits and is written again as it was; and the
 * judgement of gaps and repetitions never lets a number come twice.
 */

#include "fuzz.h"

#include <string.h>

#include "envelope.h"
#include "tracks.h"

static void envelope_check(const struct wt__envelope *envelope, const uint8_t *bytes, size_t len) {
  uint8_t head[WT__ENVELOPE_HEAD];
  FUZZ_CHECK(envelope->data == bytes + WT__ENVELOPE_HEAD && envelope->len == len - WT__ENVELOPE_HEAD);
  FUZZ_CHECK(envelope->number > 0);
  wt__envelope_write(head, envelope);
  FUZZ_CHECK(memcmp(head, bytes, sizeof(head)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wt__tracks tracks = {0};
  size_t len;
  for (size_t at = 0; at < size; at += len) {
    struct wt__envelope envelope;
    uint64_t missed = 0;
    len = data[at++];
    if (len > size - at) len = size - at;
    if (!wt__envelope_read(&envelope, data + at, len)) continue;
    envelope_check(&envelope, data + at, len);
    wt__tracks_take(&tracks, &envelope, &missed);
    FUZZ_CHECK(missed < envelope.number);
    FUZZ_CHECK(wt__tracks_take(&tracks, &envelope, &missed) == WT__TRACK_REPEATED && missed == 0);
  }
  FUZZ_CHECK(tracks.len <= WT__TRACKS_MAX);
  wt__tracks_free(&tracks);
  return 0;
}
