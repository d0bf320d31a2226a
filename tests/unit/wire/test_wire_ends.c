/* SPDX-License-Identifier: MIT */
/*
 * src/wire/: no reader looks behind the end of its bytes. Each sample is cut everywhere; what a reader says of the cut
 * must not depend on the byte behind it. The sanitizers see that too, but only where the bytes have a block of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/datagram.h"
#include "wire/field.h"
#include "wire/quic_frame.h"
#include "wire/settings.h"
#include "wire/sfv.h"
#include "wire/stream_header.h"
#include "wire/target.h"
#include "wire/utf8.h"
#include "wire/varint.h"

#define SAMPLE_MAX 128

/* What a reader says of some bytes, as text. */
typedef void (*say)(const uint8_t *data, size_t len, char *text, size_t size);

static void say_list(const uint8_t *data, size_t len, char *text, size_t size) {
  const char *value = (const char *)data;
  struct wt__sfv_list list = {value, value + len, true};
  char member[64];
  size_t n = 0, member_len;
  int rc;
  while ((rc = wt__sfv_list_next(&list, member, sizeof(member), &member_len)) == 1) {
    n += (size_t)snprintf(text + n, size - n, "%s|", member);
  }
  snprintf(text + n, size - n, "%d %d", rc, wt__sfv_list_valid(value, len, 63));
}

static void say_string(const uint8_t *data, size_t len, char *text, size_t size) {
  char member[64];
  int rc = wt__sfv_string_read((const char *)data, len, member, sizeof(member));
  snprintf(text, size, "%d %s", rc, rc == 0 ? member : ""); /* else it may hold the beginning of a string */
}

static void say_utf8(const uint8_t *data, size_t len, char *text, size_t size) {
  const char *s = (const char *)data;
  char shown[256];
  size_t n = wt__utf8_show(shown, sizeof(shown), s, len);
  snprintf(text, size, "%d %zu %zu %s", wt__utf8_valid(s, len), wt__utf8_cut(s, len, len), n, shown);
}

static void say_numbers(const uint8_t *data, size_t len, char *text, size_t size) {
  uint64_t value = 0;
  int64_t id = -1;
  size_t a = wt__varint_read(data, len, &value), b = wt__datagram_header_read(data, len, &id);
  snprintf(text, size, "%zu %llu %zu %lld", a, (unsigned long long)value, b, (long long)id);
}

static void say_header(const uint8_t *data, size_t len, char *text, size_t size) {
  for (int uni = 0; uni < 2; uni++) {
    uint64_t type = 0;
    int64_t id = 0;
    size_t used = 0, at = strlen(text);
    int rc = (int)wt__stream_header_read(uni, data, len, &type, &id, &used);
    snprintf(text + at, size - at, "%d %llu %lld %zu; ", rc, (unsigned long long)type, (long long)id, used);
  }
}

static void say_settings(const uint8_t *data, size_t len, char *text, size_t size) {
  struct wt_setting list[8];
  struct wt__settings settings;
  memset(&settings, 0, sizeof(settings));
  uint64_t error = wt__settings_read(data, len, &settings);
  size_t count = wt__settings_list(data, len, list, 8),
         n = (size_t)snprintf(text, size, "%llx", (unsigned long long)error);
  for (size_t i = 0; i < count && i < 8; i++) {
    n += (size_t)snprintf(text + n, size - n, " %llx=%llx", (unsigned long long)list[i].id,
                          (unsigned long long)list[i].value);
  }
}

static void say_frame(const uint8_t *data, size_t len, char *text, size_t size) {
  struct wt__quic_frame frame;
  memset(&frame, 0, sizeof(frame));
  size_t used = len > 0 ? wt__quic_frame_read(data, len, &frame) : 0;
  snprintf(text, size, "%zu %llx", used, used ? (unsigned long long)frame.type : 0);
}

static void say_text(const uint8_t *data, size_t len, char *text, size_t size) {
  char decoded[SAMPLE_MAX] = "";
  int rc = wt__target_decode((const char *)data, len, decoded, sizeof(decoded));
  snprintf(text, size, "%d %s %d %d", rc, decoded, wt__field_name_valid(data, len), wt__field_value_valid(data, len));
}

static void check_cut(say reader, const uint8_t *sample, size_t len) {
  static const char behind[] = "\"\\,;=:?@%*-.019azAZ /+&";
  char want[1024], got[1024];
  uint8_t bytes[SAMPLE_MAX + 1] = {0};
  memcpy(bytes, sample, len);
  want[0] = '\0';
  reader(bytes, len, want, sizeof(want));
  for (size_t i = 0; i < sizeof(behind) + 4; i++) {
    bytes[len] = i < sizeof(behind) ? (uint8_t)behind[i] : (uint8_t)(0xff - 0x40 * (i - sizeof(behind)));
    got[0] = '\0';
    reader(bytes, len, got, sizeof(got));
    assert_string_equal(got, want);
  }
}

static void check(say reader, const void *sample, size_t len) {
  assert_true(len <= SAMPLE_MAX);
  for (size_t cut = 0; cut <= len; cut++) check_cut(reader, sample, cut);
}

#define CHECK(reader, text) check((reader), (text), sizeof(text) - 1)

static void test_ends_of_structured_fields(void **state) {
  static const say readers[] = {say_list, say_string};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    CHECK(readers[i], "\"a\", \"b\\\"c\\\\\";q=1;r , \"d\"");
    CHECK(readers[i], "\"a\";n=-12.345;b=?1;d=@1659578233;t=*to/k:en;k-1_.*");
    CHECK(readers[i], "\"a\";x=:aGVsbG8=:;y=:aGVsbA==:;z=:YQ:");
    CHECK(readers[i], "\"a\";u=%\"f%c3%bc%e2%82%ac!\";v=%\"\";w=123456789012345");
    CHECK(readers[i], "  \"\"  ");
  }
}

static void test_ends_of_texts(void **state) {
  (void)state;
  CHECK(say_utf8, "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z\n\t\x7f");
  CHECK(say_utf8, "\xc3\xc3\xe2\x82\xf0\x9f\x98\xed\xa0\x80\xf4\x90\x80\x80");
  CHECK(say_text, "a%20b%2F%zz%");
  CHECK(say_text, "x-name: value\t ");
}

static void test_ends_of_numbers(void **state) {
  (void)state;
  CHECK(say_numbers, "\x25");
  CHECK(say_numbers, "\x7b\xbd");
  CHECK(say_numbers, "\x9d\x7f\x3e\x7d");
  CHECK(say_numbers, "\xc2\x19\x7c\x5e\xff\x14\xe8\x8c");
  CHECK(say_header, "\x40\x41\x04xyz");
  CHECK(say_header, "\x40\x54\x80\x00\x00\x08");
  CHECK(say_header, "\x02");
  CHECK(say_settings, "\x08\x01\x33\x01\x80\xff\xd2\x77\x01\x40\x41\x7f\xff");
}

static void test_ends_of_frames(void **state) {
  (void)state;
  CHECK(say_frame, "\x02\x05\x10\x02\x01\x00\x01\x01\x00"); /* ACK with ranges */
  CHECK(say_frame, "\x03\x05\x10\x01\x01\x00\x01\x01\x02\x03");
  CHECK(say_frame, "\x06\x00\x04"
                   "abcd");
  CHECK(say_frame, "\x07\x03"
                   "tok");
  CHECK(say_frame, "\x0f\x04\x40\x10\x03"
                   "xyz");
  CHECK(say_frame, "\x18\x01\x00\x04"
                   "idid0123456789abcdef");
  CHECK(say_frame, "\x1a"
                   "12345678");
  CHECK(say_frame, "\x1c\x01\x06\x03"
                   "why");
  CHECK(say_frame, "\x1d\x40\x80\x03"
                   "why");
  CHECK(say_frame, "\x31\x03"
                   "xyz");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ends_of_structured_fields),
      cmocka_unit_test(test_ends_of_texts),
      cmocka_unit_test(test_ends_of_numbers),
      cmocka_unit_test(test_ends_of_frames),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
