/* SPDX-License-Identifier: MIT */

/* Names of topics as one word of a NATS subject. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "subject.h"

static void encoded(const char *topic, size_t len, const char *word) {
  char text[WT__SUBJECT_MAX(64)], back[WT__SUBJECT_MAX(64)];
  assert_int_equal(wt__subject_encode(text, topic, len), strlen(word));
  assert_string_equal(text, word);
  assert_int_equal(wt__subject_decode(back, text, strlen(text)), len);
  assert_memory_equal(back, topic, len);
}

static void test_subject_encode(void **state) {
  (void)state;
  encoded("Chat-room_1", 11, "Chat-room_1");
  encoded("a.*", 3, "a=2E=2A");
  encoded("> \r\n\0=", 6, "=3E=20=0D=0A=00=3D");
  encoded("\xff\xc3\xa9", 3, "=FF=C3=A9");
}

static void test_subject_every_byte(void **state) {
  (void)state;
  for (int c = 0; c < 256; c++) {
    char topic = (char)c, word[WT__SUBJECT_MAX(1)], back[WT__SUBJECT_MAX(1)];
    size_t len = wt__subject_encode(word, &topic, 1);
    assert_null(strpbrk(word, ". *>\t\r\n"));
    assert_int_equal(wt__subject_decode(back, word, len), 1);
    assert_int_equal(back[0], topic);
  }
}

static void test_subject_decode_refuses(void **state) {
  const char *const bad[] = {"", "a.b", "a b", "=", "=4", "=4g", "=2e", "=41", "a=", "*", ">", "\xff"};
  char topic[16];
  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(wt__subject_decode(topic, bad[i], strlen(bad[i])), 0);
  }
}

static void test_subject_prefix(void **state) {
  (void)state;
  assert_true(wt__subject_is_prefix("wt"));
  assert_true(wt__subject_is_prefix("a.b-c.d_1"));
  assert_false(wt__subject_is_prefix(""));
  assert_false(wt__subject_is_prefix("."));
  assert_false(wt__subject_is_prefix("a."));
  assert_false(wt__subject_is_prefix(".a"));
  assert_false(wt__subject_is_prefix("a..b"));
  assert_false(wt__subject_is_prefix("a.*"));
  assert_false(wt__subject_is_prefix("a b"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_subject_encode),
      cmocka_unit_test(test_subject_every_byte),
      cmocka_unit_test(test_subject_decode_refuses),
      cmocka_unit_test(test_subject_prefix),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
