/* SPDX-License-Identifier: MIT */

/* src/h3/control_reader.c: the frames of a control stream, cut anywhere, and lengths that a hostile peer may announce. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "h3/control_reader.h"
#include "wire/varint.h"

#define UPDATE 0xf0700
#define STREAM_MAX 4096

/* What the reader made of some bytes. */
struct outcome {
  uint8_t passed[STREAM_MAX], settings[STREAM_MAX], updates[STREAM_MAX]; /* updates: whole frames */
  size_t passed_len, settings_len, updates_len;
  size_t settings_count, update_count, dropped, used;
  enum wt__control_event last;
};

static void put(uint8_t *dst, size_t *dst_len, const uint8_t *data, size_t len) {
  assert_true(*dst_len + len <= STREAM_MAX);
  memcpy(dst + *dst_len, data, len);
  *dst_len += len;
}

static void piece_take(struct outcome *o, const struct wt__control_piece *piece) {
  switch (o->last) {
    case WT__CONTROL_SETTINGS:
      o->settings_count++;
      put(o->settings, &o->settings_len, piece->payload, piece->payload_len);
      put(o->passed, &o->passed_len, piece->bytes, piece->len);
      break;
    case WT__CONTROL_PRIORITY_UPDATE:
      o->update_count++;
      assert_true(piece->payload + piece->payload_len == piece->bytes + piece->len);
      put(o->updates, &o->updates_len, piece->bytes, piece->len);
      break;
    case WT__CONTROL_PASS: put(o->passed, &o->passed_len, piece->bytes, piece->len); break;
    case WT__CONTROL_DROP: o->dropped += piece->len; break;
    default: break;
  }
}

static bool is_error(enum wt__control_event event) { return event >= WT__CONTROL_SETTINGS_TOO_LONG; }

/* The bytes come in a chunk of its own memory, so that a sanitizer sees what is read beyond it. */
static void chunk_recv(struct wt__control_reader *reader, struct outcome *o, const uint8_t *data, size_t len) {
  uint8_t *chunk = malloc(len + 1);
  assert_non_null(chunk);
  memcpy(chunk + 1, data, len);
  for (size_t at = 0, used; at < len && !is_error(o->last); at += used) {
    struct wt__control_piece piece;
    o->last = wt__control_read(reader, chunk + 1 + at, len - at, &used, &piece);
    assert_true(used > 0 && used <= len - at);
    o->used += used;
    piece_take(o, &piece);
  }
  free(chunk);
}

/* In chunks of `first` bytes, then `rest` each. */
static void read_in_chunks(struct outcome *o, const uint8_t *data, size_t len, size_t first, size_t rest,
                           bool updates) {
  struct wt__control_reader reader;
  memset(o, 0, sizeof(*o));
  wt__control_reader_init(&reader, 1, updates);
  chunk_recv(&reader, o, data, first < len ? first : len);
  for (size_t at = first; at < len; at += rest) chunk_recv(&reader, o, data + at, rest < len - at ? rest : len - at);
  wt__control_reader_free(&reader);
}

static size_t head_write(uint8_t *dst, uint64_t type, uint64_t len) {
  size_t n = wt__varint_write(dst, type);
  return n + wt__varint_write(dst + n, len);
}

static size_t frame_write(uint8_t *dst, uint64_t type, const char *payload, size_t len) {
  size_t n = head_write(dst, type, len);
  if (len > 0) memcpy(dst + n, payload, len);
  return n + len;
}

/* The type, SETTINGS, a frame that nobody knows, two updates, one of them too long, a GOAWAY, SETTINGS again. */
static size_t stream_write(uint8_t *dst, size_t settings_len) {
  static const char filler[WT__SETTINGS_PAYLOAD_MAX] = "a payload";
  size_t n = 0;
  dst[n++] = 0x00;
  n += frame_write(dst + n, 0x04, filler, settings_len);
  n += frame_write(dst + n, 0x21, "xyz", 3);
  n += frame_write(dst + n, UPDATE, "\x04u=1", 4);
  n += frame_write(dst + n, UPDATE, filler, WT__PRIORITY_UPDATE_MAX + 1);
  n += frame_write(dst + n, UPDATE, filler, WT__PRIORITY_UPDATE_MAX);
  n += frame_write(dst + n, UPDATE, "", 0);
  n += frame_write(dst + n, 0x07, "\x00", 1);
  n += frame_write(dst + n, 0x04, "", 0);
  return n;
}

static void same(const struct outcome *a, const struct outcome *b) {
  assert_int_equal(a->used, b->used);
  assert_int_equal(a->last, b->last);
  assert_int_equal(a->dropped, b->dropped);
  assert_int_equal(a->settings_count, b->settings_count);
  assert_int_equal(a->update_count, b->update_count);
  assert_int_equal(a->passed_len, b->passed_len);
  assert_memory_equal(a->passed, b->passed, a->passed_len);
  assert_int_equal(a->settings_len, b->settings_len);
  assert_memory_equal(a->settings, b->settings, a->settings_len);
  assert_int_equal(a->updates_len, b->updates_len);
  assert_memory_equal(a->updates, b->updates, a->updates_len);
}

static void test_control_frames_cut_anywhere(void **state) {
  static const size_t settings[] = {0, 1, 80, 81, 200};
  static struct outcome whole, cut;
  uint8_t bytes[STREAM_MAX];
  (void)state;
  for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
    for (int updates = 0; updates < 2; updates++) {
      size_t len = stream_write(bytes, settings[i]);
      read_in_chunks(&whole, bytes, len, len, 1, updates);
      assert_int_equal(whole.used, len);
      assert_int_equal(whole.settings_count, 1);
      assert_int_equal(whole.settings_len, settings[i]);
      assert_int_equal(whole.update_count, updates ? 2 : 0);
      assert_int_equal(whole.passed_len + whole.dropped + whole.updates_len, len); /* each byte once */
      for (size_t at = 1; at < len; at++) {
        read_in_chunks(&cut, bytes, len, at, len, updates);
        same(&whole, &cut);
      }
      for (size_t step = 1; step < 10; step++) {
        read_in_chunks(&cut, bytes, len, step, step, updates);
        same(&whole, &cut);
      }
    }
  }
  assert_int_equal(wt__mem_live(), 0);
}

static void test_control_only_the_first_frame_may_be_settings(void **state) {
  static struct outcome o;
  uint8_t bytes[64] = {0x00};
  size_t len = 1 + frame_write(bytes + 1, UPDATE, "\x04u=1", 4); /* nghttp3 misses the SETTINGS then */
  len += frame_write(bytes + len, 0x04, "\x08\x01", 2);
  (void)state;
  read_in_chunks(&o, bytes, len, len, 1, true);
  assert_int_equal(o.passed_len, len);
  assert_memory_equal(o.passed, bytes, len);
  assert_int_equal(o.settings_count + o.update_count, 0);
}

static void test_control_settings_have_a_bound(void **state) {
  static struct outcome o;
  static uint8_t bytes[STREAM_MAX];
  size_t head;
  (void)state;
  head = 1 + head_write(bytes + 1, 0x04, WT__SETTINGS_PAYLOAD_MAX);
  read_in_chunks(&o, bytes, head + WT__SETTINGS_PAYLOAD_MAX, 40, 7, true);
  assert_int_equal(o.settings_len, WT__SETTINGS_PAYLOAD_MAX);
  head = 1 + head_write(bytes + 1, 0x04, WT__SETTINGS_PAYLOAD_MAX + 1);
  read_in_chunks(&o, bytes, head + 10, 40, 7, true);
  assert_int_equal(o.last, WT__CONTROL_SETTINGS_TOO_LONG);
  assert_int_equal(o.used, head); /* it was not waited for */
  head = 1 + head_write(bytes + 1, 0x04, WT__VARINT_MAX);
  read_in_chunks(&o, bytes, head, head, 1, true);
  assert_int_equal(o.last, WT__CONTROL_SETTINGS_TOO_LONG);
}

/* Lengths up to 2^62 - 1 that nobody has to keep. */
static void test_control_frames_of_any_length_go_by(void **state) {
  static struct outcome o;
  uint8_t bytes[64] = {0x00};
  size_t begin = 1 + frame_write(bytes + 1, 0x04, "", 0), len;
  (void)state;
  len = begin + head_write(bytes + begin, 0x21, WT__VARINT_MAX);
  read_in_chunks(&o, bytes, len + 20, len + 20, 1, true);
  assert_int_equal(o.passed_len, len + 20);
  len = begin + head_write(bytes + begin, UPDATE, WT__VARINT_MAX);
  read_in_chunks(&o, bytes, len + 20, 5, 3, true);
  assert_int_equal(o.passed_len, begin);
  assert_int_equal(o.dropped, len + 20 - begin);
  read_in_chunks(&o, bytes, len + 20, 5, 3, false);
  assert_int_equal(o.passed_len, len + 20);
}

static void test_control_signal_of_webtransport_is_an_error(void **state) {
  static struct outcome o;
  static const uint8_t first[] = {0x00, 0x40, 0x41, 0x00}, later[] = {0x00, 0x04, 0x00, 0x21, 0x01, 'x', 0x40, 0x41};
  (void)state;
  for (size_t cut = 1; cut <= sizeof(later); cut++) {
    read_in_chunks(&o, first, sizeof(first), cut, 1, true);
    assert_int_equal(o.last, WT__CONTROL_SIGNAL);
    assert_int_equal(o.used, 3);
    read_in_chunks(&o, later, sizeof(later), cut, 1, false);
    assert_int_equal(o.last, WT__CONTROL_SIGNAL);
    assert_int_equal(o.used, sizeof(later));
    assert_int_equal(o.passed_len, 6);
  }
}

/* Only SETTINGS that are long and come in several pieces need memory. */
static void test_control_without_memory(void **state) {
  static struct outcome o;
  static uint8_t bytes[STREAM_MAX];
  size_t len = stream_write(bytes, 200);
  (void)state;
  wt__mem_fail_after(0);
  read_in_chunks(&o, bytes, len, len, 1, true);
  assert_int_equal(o.used, len);
  read_in_chunks(&o, bytes, len, 100, len, true);
  assert_int_equal(o.last, WT__CONTROL_NO_MEMORY);
  len = stream_write(bytes, 80);
  read_in_chunks(&o, bytes, len, 1, 1, true);
  assert_int_equal(o.used, len);
  assert_int_equal(o.settings_len, 80);
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_control_frames_cut_anywhere),
      cmocka_unit_test(test_control_only_the_first_frame_may_be_settings),
      cmocka_unit_test(test_control_settings_have_a_bound),
      cmocka_unit_test(test_control_frames_of_any_length_go_by),
      cmocka_unit_test(test_control_signal_of_webtransport_is_an_error),
      cmocka_unit_test(test_control_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
