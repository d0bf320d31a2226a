/* SPDX-License-Identifier: MIT */

/*
 * Frames of a QUIC packet. The input is read frame by frame: each has a length that stays inside, its
 * data lie inside, reading it again gives the same, and one that does not reach to the end of the packet
 * does not depend on what follows it.
 */

#include "fuzz.h"

#include <string.h>

#include "wire/quic_frame.h"

static void check_data(const struct wt__quic_frame *frame, const uint8_t *data, size_t len) {
  if (!frame->data) {
    FUZZ_CHECK(frame->data_len == 0);
    return;
  }
  FUZZ_CHECK(frame->data >= data && frame->data_len <= len && frame->data + frame->data_len <= data + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wt__quic_frame frame, again;
  size_t n;
  for (size_t at = 0; at < size && (n = wt__quic_frame_read(data + at, size - at, &frame)); at += n) {
    FUZZ_CHECK(n <= size - at);
    check_data(&frame, data + at, n);
    FUZZ_CHECK(wt__quic_frame_read(data + at, n, &again) == n);
    FUZZ_CHECK(!memcmp(&frame, &again, sizeof(frame)));
  }
  return 0;
}
