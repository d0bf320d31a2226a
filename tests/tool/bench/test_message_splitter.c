/* SPDX-License-Identifier: MIT */
/* The stream of a subscription: its name, and messages, however their bytes are cut. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench/message_splitter.h"

static const uint8_t stream[] = {0,   0, 0, 4, 'n', 'a', 'm', 'e', 0, 0,   0,   2,  'a',
                                 'b', 0, 0, 0, 0,   0,   0,   0,   3, 'c', 'd', 'e'};

static char got[64];

static void on_message(void *ctx, const uint8_t *data, size_t len) {
  size_t at = strlen(got);
  assert_ptr_equal(ctx, got);
  memcpy(got + at, data, len);
  got[at + len] = '|';
  got[at + len + 1] = 0;
}

static enum message_split feed(struct message_splitter *splitter, const uint8_t *data, size_t len) {
  return message_splitter_feed(splitter, data, len, on_message, got);
}

static void test_all_at_once(void **state) {
  struct message_splitter splitter = {.max = 3};
  (void)state;
  got[0] = 0;
  assert_int_equal(feed(&splitter, stream, sizeof stream), MESSAGE_SPLIT_ALL);
  assert_string_equal(got, "ab||cde|");
  assert_null(splitter.bytes); /* nothing had to be kept */
  message_splitter_free(&splitter);
}

static void test_in_two_parts_cut_anywhere(void **state) {
  (void)state;
  for (size_t cut = 0; cut <= sizeof stream; cut++) {
    struct message_splitter splitter = {.max = 3};
    got[0] = 0;
    assert_int_equal(feed(&splitter, stream, cut), MESSAGE_SPLIT_ALL);
    assert_int_equal(feed(&splitter, stream + cut, sizeof stream - cut), MESSAGE_SPLIT_ALL);
    assert_string_equal(got, "ab||cde|");
    message_splitter_free(&splitter);
  }
}

static void test_byte_by_byte(void **state) {
  struct message_splitter splitter = {.max = 3};
  (void)state;
  got[0] = 0;
  for (size_t i = 0; i < sizeof stream; i++) assert_int_equal(feed(&splitter, stream + i, 1), MESSAGE_SPLIT_ALL);
  assert_string_equal(got, "ab||cde|");
  message_splitter_free(&splitter);
}

static void test_a_message_may_not_be_longer_than_was_said(void **state) {
  struct message_splitter splitter = {.max = 2};
  (void)state;
  got[0] = 0;
  assert_int_equal(feed(&splitter, stream, sizeof stream), MESSAGE_SPLIT_TOO_LONG);
  assert_string_equal(got, "ab||");
  message_splitter_free(&splitter);
}

static void test_a_name_has_255_bytes_at_most(void **state) {
  uint8_t name[4 + 255] = {0, 0, 0, 255};
  static const uint8_t longer[] = {0, 0, 1, 0}, enormous[] = {0xff, 0xff, 0xff, 0xff};
  struct message_splitter splitter = {.max = 1}, other = {.max = 1000}, third = {.max = SIZE_MAX};
  (void)state;
  for (size_t i = 0; i < sizeof name; i++) assert_int_equal(feed(&splitter, name + i, 1), MESSAGE_SPLIT_ALL);
  assert_true(splitter.named);
  assert_int_equal(feed(&other, longer, sizeof longer), MESSAGE_SPLIT_TOO_LONG);
  assert_int_equal(feed(&third, enormous, sizeof enormous), MESSAGE_SPLIT_TOO_LONG);
  message_splitter_free(&splitter);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_at_once),
      cmocka_unit_test(test_in_two_parts_cut_anywhere),
      cmocka_unit_test(test_byte_by_byte),
      cmocka_unit_test(test_a_message_may_not_be_longer_than_was_said),
      cmocka_unit_test(test_a_name_has_255_bytes_at_most),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
