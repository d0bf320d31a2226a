/* SPDX-License-Identifier: MIT */

/* src/h3/frames.c: heads of every length, payloads in pieces, and the type that begins a WebTransport stream. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h3/frames.h"

/* Gives all bytes in chunks of `chunk`; returns the payload bytes that went by, and how many heads were whole. */
static uint64_t follow(struct wt__frames *frames, const uint8_t *data, size_t len, size_t chunk, int *begun) {
  uint64_t payload = 0, type = 0;
  for (size_t at = 0; at < len;) {
    size_t taken = 0, end = at + chunk - at % chunk;
    enum wt__frames_step step = wt__frames_step(frames, data + at, (end < len ? end : len) - at, &taken, &type);
    assert_in_range(taken, 1, chunk);
    if (step == WT__FRAMES_PAYLOAD) payload += taken;
    if (step == WT__FRAMES_BEGUN) ++*begun;
    at += taken;
  }
  return payload;
}

static void test_frames_are_followed_in_chunks_of_any_size(void **state) {
  /* DATA of 3 bytes, SETTINGS of none, a type of 8 bytes with a length of 2, and DATA with a length of 4 */
  static const uint8_t bytes[] = {0x00, 0x03, 1,    2,    3, 0x04, 0x00, 0xc0, 0,    0, 0, 0, 0,
                                  0,    0x21, 0x40, 0x02, 9, 9,    0x00, 0x80, 0x00, 0, 1, 7};
  (void)state;
  for (size_t chunk = 1; chunk <= sizeof(bytes); chunk++) {
    struct wt__frames frames = {0};
    int begun = 0;
    assert_int_equal(follow(&frames, bytes, sizeof(bytes), chunk, &begun), 3 + 0 + 2 + 1);
    assert_int_equal(begun, 4);
    assert_int_equal(frames.left, 0);
  }
}

static void test_frames_keep_the_head_of_the_frame_that_goes_by(void **state) {
  static const uint8_t bytes[] = {0x40, 0x21, 0x05};
  struct wt__frames frames = {0};
  uint64_t type = 0;
  size_t taken = 0;
  (void)state;
  assert_int_equal(wt__frames_step(&frames, bytes, 3, &taken, &type), WT__FRAMES_HEAD);
  assert_int_equal(wt__frames_step(&frames, bytes + 1, 2, &taken, &type), WT__FRAMES_HEAD);
  assert_int_equal(wt__frames_step(&frames, bytes + 2, 1, &taken, &type), WT__FRAMES_BEGUN);
  assert_int_equal(taken, 1);
  assert_int_equal(type, 0x21);
  assert_int_equal(frames.left, 5);
  assert_int_equal(frames.head_len, 3);
  assert_memory_equal(frames.head, bytes, 3);
}

static void test_frames_payload_ends_where_the_length_says(void **state) {
  static const uint8_t bytes[10] = {0x00, 0x04};
  struct wt__frames frames = {0};
  uint64_t type = 0;
  size_t taken = 0;
  (void)state;
  assert_int_equal(wt__frames_step(&frames, bytes, 10, &taken, &type), WT__FRAMES_HEAD);
  assert_int_equal(wt__frames_step(&frames, bytes + 1, 9, &taken, &type), WT__FRAMES_BEGUN);
  assert_int_equal(wt__frames_step(&frames, bytes + 2, 8, &taken, &type), WT__FRAMES_PAYLOAD);
  assert_int_equal(taken, 4);
  assert_int_equal(wt__frames_step(&frames, bytes + 6, 4, &taken, &type), WT__FRAMES_HEAD);
}

static void test_frames_signal_of_a_stream_has_no_length(void **state) {
  static const uint8_t bytes[] = {0x40, 0x41};
  struct wt__frames frames = {0};
  uint64_t type = 0;
  size_t taken = 0;
  (void)state;
  assert_int_equal(wt__frames_step(&frames, bytes, 2, &taken, &type), WT__FRAMES_HEAD);
  assert_int_equal(wt__frames_step(&frames, bytes + 1, 1, &taken, &type), WT__FRAMES_BEGUN);
  assert_int_equal(type, 0x41);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frames_are_followed_in_chunks_of_any_size),
      cmocka_unit_test(test_frames_keep_the_head_of_the_frame_that_goes_by),
      cmocka_unit_test(test_frames_payload_ends_where_the_length_says),
      cmocka_unit_test(test_frames_signal_of_a_stream_has_no_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
