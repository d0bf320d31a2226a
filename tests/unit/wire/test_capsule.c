/* SPDX-License-Identifier: MIT */

/* src/wire/capsule.c: each capsule, whole and split at every byte; skipping; every way to be malformed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "wire/capsule.h"
#include "wire/utf8.h"
#include "wire/varint.h"

static struct wt__capsule_reader reader;

static void reader_begin(void) {
  wt__capsule_reader_free(&reader);
  wt__capsule_reader_init(&reader);
}

/* Reads one whole capsule of known type and checks that all bytes are used. */
static struct wt__capsule read_whole(const uint8_t *data, size_t len) {
  struct wt__capsule capsule;
  size_t used;
  reader_begin();
  assert_int_equal(wt__capsule_read(&reader, data, len, &used, &capsule), WT__CAPSULE_DONE);
  assert_int_equal(used, len);
  assert_true(wt__capsule_reader_at_boundary(&reader));
  return capsule;
}

/* What the reader says to a capsule of `type` whose value is `value`, given in one piece. */
static enum wt__capsule_result result_of(uint64_t type, const void *value, size_t len) {
  uint8_t bytes[2048];
  struct wt__capsule capsule;
  size_t used, n = wt__varint_write(bytes, type);
  n += wt__varint_write(bytes + n, len);
  if (len) memcpy(bytes + n, value, len);
  reader_begin();
  enum wt__capsule_result result = wt__capsule_read(&reader, bytes, n + len, &used, &capsule);
  assert_true(used <= n + len);
  return result;
}

static void test_capsule_close_round_trip(void **state) {
  (void)state;
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  size_t n = wt__capsule_write_close(bytes, 1337, "foobar", 6);
  assert_memory_equal(bytes,
                      "\x68\x43\x0a\x00\x00\x05\x39"
                      "foobar",
                      13);
  struct wt__capsule capsule = read_whole(bytes, n);
  assert_int_equal(capsule.type, WT__CAPSULE_CLOSE_SESSION);
  assert_int_equal(capsule.code, 1337);
  assert_int_equal(capsule.reason_len, 6);
  assert_memory_equal(capsule.reason, "foobar", 6);
  n = wt__capsule_write_close(bytes, UINT32_MAX, NULL, 0);
  capsule = read_whole(bytes, n);
  assert_true(capsule.code == UINT32_MAX);
  assert_int_equal(capsule.reason_len, 0);
}

static void test_capsule_close_reason_is_cut_between_characters(void **state) {
  (void)state;
  static char reason[2000];
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  memset(reason, 'a', sizeof(reason));
  struct wt__capsule capsule = read_whole(bytes, wt__capsule_write_close(bytes, 0, reason, 1024));
  assert_int_equal(capsule.reason_len, 1024);
  capsule = read_whole(bytes, wt__capsule_write_close(bytes, 0, reason, sizeof(reason)));
  assert_int_equal(capsule.reason_len, 1024);
  memcpy(reason + 1022, "\xe2\x82\xac", 3); /* a character that the bound would part */
  capsule = read_whole(bytes, wt__capsule_write_close(bytes, 0, reason, sizeof(reason)));
  assert_int_equal(capsule.reason_len, 1022);
  assert_true(wt__utf8_valid(capsule.reason, capsule.reason_len));
}

static void test_capsule_drain_round_trip(void **state) {
  (void)state;
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  size_t n = wt__capsule_write_drain(bytes);
  assert_memory_equal(bytes, "\x80\x00\x78\xae\x00", 5);
  assert_int_equal(read_whole(bytes, n).type, WT__CAPSULE_DRAIN_SESSION);
}

static void test_capsule_flow_control_round_trip(void **state) {
  (void)state;
  static const enum wt__capsule_type types[] = {
      WT__CAPSULE_MAX_DATA,     WT__CAPSULE_MAX_STREAMS_BIDI,     WT__CAPSULE_MAX_STREAMS_UNI,
      WT__CAPSULE_DATA_BLOCKED, WT__CAPSULE_STREAMS_BLOCKED_BIDI, WT__CAPSULE_STREAMS_BLOCKED_UNI,
  };
  static const uint64_t values[] = {0, 63, 64, 16384, UINT64_C(1) << 60, (UINT64_C(1) << 60) + 1, WT__VARINT_MAX};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
      uint8_t bytes[WT__CAPSULE_WRITE_MAX];
      struct wt__capsule capsule = read_whole(bytes, wt__capsule_write_varint(bytes, types[i], values[k]));
      assert_int_equal(capsule.type, types[i]);
      assert_true(capsule.value == values[k]);
    }
  }
}

static void test_capsule_prohibited_ones_are_reported(void **state) {
  (void)state;
  assert_int_equal(result_of(WT__CAPSULE_MAX_STREAM_DATA, "\x04\x05", 2), WT__CAPSULE_DONE);
  assert_int_equal(result_of(WT__CAPSULE_STREAM_DATA_BLOCKED, "\x04\x05", 2), WT__CAPSULE_DONE);
  assert_int_equal(result_of(WT__CAPSULE_MAX_STREAM_DATA, "", 0), WT__CAPSULE_DONE); /* whatever it holds */
  assert_int_equal(result_of(WT__CAPSULE_MAX_STREAM_DATA, "aaaabbbbccccddddX", 17), WT__CAPSULE_MALFORMED);
}

/* A stream of everything: GREASE, a DATAGRAM, flow control, a drain, a close. Returns its length. */
static size_t write_everything(uint8_t *dst) {
  static const uint8_t skipped[] = {0x17, 3, 'a', 'b', 'c', /* 0x1f * N + 0x17: GREASE */
                                    0x00, 2, 'd', 'g',      /* DATAGRAM */
                                    0x21, 0,                /* unknown, empty */
                                    0xc0, 0, 0,   0,   0,   0xff, 0x37, 0xa2, 0x40, 0x01, 'x'};
  size_t n = sizeof(skipped);
  memcpy(dst, skipped, n);
  n += wt__capsule_write_varint(dst + n, WT__CAPSULE_MAX_DATA, 70000);
  memcpy(dst + n, skipped, sizeof(skipped));
  n += sizeof(skipped);
  n += wt__capsule_write_drain(dst + n);
  n += wt__capsule_write_varint(dst + n, WT__CAPSULE_STREAMS_BLOCKED_UNI, 3);
  return n + wt__capsule_write_close(dst + n, 42, "gr\xc3\xbc\xc3\x9f", 6);
}

/* Takes all capsules out of `data` and checks them, from the `seen`th on. Returns how many were seen. */
static int take_everything(const uint8_t *data, size_t len, int seen) {
  static const uint64_t types[] = {WT__CAPSULE_MAX_DATA, WT__CAPSULE_DRAIN_SESSION, WT__CAPSULE_STREAMS_BLOCKED_UNI,
                                   WT__CAPSULE_CLOSE_SESSION};
  for (;;) {
    struct wt__capsule capsule;
    size_t used = SIZE_MAX;
    enum wt__capsule_result result = wt__capsule_read(&reader, data, len, &used, &capsule);
    assert_true(used <= len);
    data += used;
    len -= used;
    if (result == WT__CAPSULE_MORE) {
      assert_int_equal(len, 0);
      return seen;
    }
    assert_int_equal(result, WT__CAPSULE_DONE);
    assert_in_range(seen, 0, 3);
    assert_int_equal(capsule.type, types[seen]);
    if (seen == 0) assert_int_equal(capsule.value, 70000);
    if (seen == 2) assert_int_equal(capsule.value, 3);
    if (seen == 3) {
      assert_int_equal(capsule.code, 42);
      assert_int_equal(capsule.reason_len, 6);
      assert_memory_equal(capsule.reason, "gr\xc3\xbc\xc3\x9f", 6);
    }
    seen++;
  }
}

static void test_capsule_stream_split_anywhere(void **state) {
  (void)state;
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  size_t len = write_everything(bytes);
  for (size_t a = 0; a <= len; a++) {
    for (size_t b = a; b <= len; b++) {
      reader_begin();
      int seen = take_everything(bytes, a, 0);
      seen = take_everything(bytes + a, b - a, seen);
      seen = take_everything(bytes + b, len - b, seen);
      assert_int_equal(seen, 4);
      assert_true(wt__capsule_reader_at_boundary(&reader));
    }
  }
}

static void test_capsule_stream_byte_by_byte(void **state) {
  (void)state;
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  size_t len = write_everything(bytes);
  int seen = 0;
  reader_begin();
  for (size_t i = 0; i < len; i++) seen = take_everything(bytes + i, 1, seen);
  assert_int_equal(seen, 4);
}

static void test_capsule_boundary_is_only_between_capsules(void **state) {
  (void)state;
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  size_t lens[2], n = wt__capsule_write_close(bytes, 1, "abc", 3);
  static const uint8_t unknown[] = {0x17, 3, 1, 2, 3};
  const uint8_t *streams[] = {bytes, unknown};
  lens[0] = n;
  lens[1] = sizeof(unknown);
  for (size_t s = 0; s < 2; s++) {
    for (size_t cut = 0; cut <= lens[s]; cut++) {
      struct wt__capsule capsule;
      size_t used;
      reader_begin();
      wt__capsule_read(&reader, streams[s], cut, &used, &capsule);
      assert_int_equal(used, cut);
      assert_int_equal(wt__capsule_reader_at_boundary(&reader), cut == 0 || cut == lens[s]);
    }
  }
}

static void test_capsule_unknown_of_any_length_is_skipped(void **state) {
  (void)state;
  static const uint8_t zeros[65536];
  uint8_t header[16];
  struct wt__capsule capsule;
  size_t used, n = wt__varint_write(header, 0x29);
  n += wt__varint_write(header + n, 65536 * 200);
  reader_begin();
  assert_int_equal(wt__capsule_read(&reader, header, n, &used, &capsule), WT__CAPSULE_MORE);
  for (int i = 0; i < 200; i++) {
    assert_false(wt__capsule_reader_at_boundary(&reader));
    assert_int_equal(wt__capsule_read(&reader, zeros, sizeof(zeros), &used, &capsule), WT__CAPSULE_MORE);
    assert_int_equal(used, sizeof(zeros));
  }
  assert_true(wt__capsule_reader_at_boundary(&reader));
  n = wt__varint_write(header, WT__VARINT_MAX); /* the largest type and length there are */
  n += wt__varint_write(header + n, WT__VARINT_MAX);
  assert_int_equal(wt__capsule_read(&reader, header, n, &used, &capsule), WT__CAPSULE_MORE);
  assert_int_equal(wt__capsule_read(&reader, zeros, sizeof(zeros), &used, &capsule), WT__CAPSULE_MORE);
  assert_true(reader.left == WT__VARINT_MAX - sizeof(zeros));
}

static void test_capsule_malformed(void **state) {
  (void)state;
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, "", 0), WT__CAPSULE_MALFORMED);
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, "\0\0\0", 3), WT__CAPSULE_MALFORMED);
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, "\0\0\0\1", 4), WT__CAPSULE_DONE);
  assert_int_equal(result_of(WT__CAPSULE_DRAIN_SESSION, "x", 1), WT__CAPSULE_MALFORMED);
  assert_int_equal(result_of(WT__CAPSULE_MAX_DATA, "", 0), WT__CAPSULE_MALFORMED);
  assert_int_equal(result_of(WT__CAPSULE_MAX_DATA, "\x40", 1), WT__CAPSULE_MALFORMED);     /* varint cut off */
  assert_int_equal(result_of(WT__CAPSULE_MAX_DATA, "\x05\x05", 2), WT__CAPSULE_MALFORMED); /* a byte too many */
  assert_int_equal(result_of(WT__CAPSULE_MAX_DATA, "\x40\x05", 2), WT__CAPSULE_DONE);
  assert_int_equal(result_of(WT__CAPSULE_MAX_STREAMS_UNI, "\xc0\0\0\0\0\0\0\1\1", 9), WT__CAPSULE_MALFORMED);
}

static void test_capsule_takes_memory_for_what_it_stores_alone(void **state) {
  static const uint8_t unknown[] = {0x17, 3, 1, 2, 3};
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  struct wt__capsule capsule;
  size_t used, n = wt__capsule_write_close(bytes, 1, "abc", 3);
  (void)state;
  reader_begin();
  int64_t live = wt__mem_live();
  assert_int_equal(wt__capsule_read(&reader, unknown, sizeof(unknown), &used, &capsule), WT__CAPSULE_MORE);
  assert_int_equal(wt__capsule_read(&reader, bytes, 3, &used, &capsule), WT__CAPSULE_MORE);
  assert_int_equal(wt__mem_live(), live + 1);
  reader_begin();
  assert_int_equal(wt__mem_live(), live);
  wt__mem_fail_after(0);
  assert_int_equal(wt__capsule_read(&reader, bytes, n, &used, &capsule), WT__CAPSULE_NO_MEMORY);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(wt__mem_live(), live);
}

static void test_capsule_bad_close(void **state) {
  (void)state;
  static char value[WT__CAPSULE_VALUE_MAX + 1];
  memset(value, 'a', sizeof(value));
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, value, WT__CAPSULE_VALUE_MAX), WT__CAPSULE_DONE);
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, value, sizeof(value)), WT__CAPSULE_BAD_CLOSE);
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, "\0\0\0\0\xff", 5), WT__CAPSULE_BAD_CLOSE);
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, "\0\0\0\0\xe2\x82", 6), WT__CAPSULE_BAD_CLOSE);
  assert_int_equal(result_of(WT__CAPSULE_CLOSE_SESSION, "\xff\xff\xff\xff\xe2\x82\xac", 7), WT__CAPSULE_DONE);
}

static void test_capsule_length_is_judged_before_the_value_comes(void **state) {
  (void)state;
  uint8_t header[16];
  struct wt__capsule capsule;
  static const enum wt__capsule_type types[] = {WT__CAPSULE_CLOSE_SESSION, WT__CAPSULE_MAX_DATA,
                                                WT__CAPSULE_DRAIN_SESSION};
  for (size_t i = 0; i < 3; i++) {
    size_t used, n = wt__varint_write(header, types[i]);
    n += wt__varint_write(header + n, WT__VARINT_MAX);
    reader_begin();
    assert_int_equal(wt__capsule_read(&reader, header, n, &used, &capsule),
                     i == 0 ? WT__CAPSULE_BAD_CLOSE : WT__CAPSULE_MALFORMED);
    assert_int_equal(used, n);
  }
}

static void test_capsule_longer_varints_in_the_header(void **state) {
  (void)state;
  static const uint8_t bytes[] = {0xc0, 0, 0, 0, 0, 0, 0x28, 0x43, 0xc0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 9};
  assert_int_equal(read_whole(bytes, sizeof(bytes)).code, 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_capsule_close_round_trip),
      cmocka_unit_test(test_capsule_close_reason_is_cut_between_characters),
      cmocka_unit_test(test_capsule_drain_round_trip),
      cmocka_unit_test(test_capsule_flow_control_round_trip),
      cmocka_unit_test(test_capsule_prohibited_ones_are_reported),
      cmocka_unit_test(test_capsule_stream_split_anywhere),
      cmocka_unit_test(test_capsule_stream_byte_by_byte),
      cmocka_unit_test(test_capsule_boundary_is_only_between_capsules),
      cmocka_unit_test(test_capsule_unknown_of_any_length_is_skipped),
      cmocka_unit_test(test_capsule_malformed),
      cmocka_unit_test(test_capsule_takes_memory_for_what_it_stores_alone),
      cmocka_unit_test(test_capsule_bad_close),
      cmocka_unit_test(test_capsule_length_is_judged_before_the_value_comes),
      cmocka_unit_test(test_capsule_longer_varints_in_the_header),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
