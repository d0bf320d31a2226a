/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/message.h"

static unsigned freed;
static void on_free(struct wt__message *message) { freed += message->topic == &freed; }

static void test_message_has_its_length_in_front(void **state) {
  (void)state;
  struct wt__message *message = wt__message_new(1, "hello", 5);
  assert_memory_equal(message->bytes, "\0\0\0\5hello", 9);
  assert_int_equal(wt__part_len(&message->parts[0]), 5);
  assert_memory_equal(wt__part_payload(&message->parts[0]), "hello", 5);
  wt__part_unref(&message->parts[0]);
  uint8_t prefix[4];
  wt__message_write_prefix(prefix, 0x01020304);
  assert_memory_equal(prefix, "\1\2\3\4", 4);
  message = wt__message_new(1, NULL, 0);
  assert_memory_equal(message->bytes, "\0\0\0\0", 4);
  wt__part_unref(&message->parts[0]);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_message_lives_until_its_last_part_is_released(void **state) {
  (void)state;
  struct wt__message *message = wt__message_new(3, "x", 1);
  freed = 0;
  message->topic = &freed;
  message->on_free = on_free;
  assert_ptr_equal(wt__part_ref(&message->parts[1]), &message->parts[1]);
  for (int i = 0; i < 3; i++) {
    assert_int_equal((uintptr_t)&message->parts[i] % 64, 0);
    wt__part_unref(&message->parts[i]);
  }
  assert_int_equal(freed, 0);
  wt__part_unref(&message->parts[1]);
  assert_int_equal(freed, 1);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_message_counts_once_for_a_worker(void **state) {
  (void)state;
  struct wt__gauge_sum sums[2] = {{0}, {0}};
  struct wt__message *message = wt__message_new(2, "0123456789", 10);
  size_t size = wt__message_size(2, 10);
  assert_true(size >= 10 && size % 64 == 0);
  assert_true(wt__message_size(2, 100000) >= 100000);
  for (int i = 0; i < 2; i++) {
    wt__part_begin(&message->parts[i], &sums[i]);
    wt__part_ref(&message->parts[i]);
    assert_int_equal(sums[i].bytes, size);
  }
  for (int i = 0; i < 2; i++) {
    wt__part_unref(&message->parts[i]);
    assert_int_equal(sums[i].bytes, size);
    wt__part_unref(&message->parts[i]);
    assert_int_equal(sums[i].bytes, 0);
  }
  assert_int_equal(wt__mem_live(), 0);
}

static void test_message_without_memory(void **state) {
  (void)state;
  wt__mem_fail_after(0);
  assert_null(wt__message_new(1, "x", 1));
  wt__mem_fail_after(SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_message_has_its_length_in_front),
      cmocka_unit_test(test_message_lives_until_its_last_part_is_released),
      cmocka_unit_test(test_message_counts_once_for_a_worker),
      cmocka_unit_test(test_message_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
