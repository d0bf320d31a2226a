/* SPDX-License-Identifier: MIT */
/* Datagrams that wait for a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/datagram_queue.h"

static void test_order_is_kept(void **state) {
  struct datagram_queue queue = {0};
  (void)state;
  assert_true(datagram_queue_put(&queue, (const uint8_t *)"one", 3));
  assert_true(datagram_queue_put(&queue, NULL, 0));
  datagram_queue_drop(&queue);
  assert_int_equal(queue.first->len, 0);
  assert_true(datagram_queue_put(&queue, (const uint8_t *)"two", 3));
  datagram_queue_drop(&queue);
  assert_memory_equal(queue.first->data, "two", 3);
  datagram_queue_drop(&queue);
  assert_null(queue.first);
  assert_true(datagram_queue_put(&queue, (const uint8_t *)"three", 5));
  assert_int_equal(queue.bytes, 5);
  datagram_queue_free(&queue);
  assert_int_equal(queue.count, 0);
}

static void test_it_is_bounded(void **state) {
  static const uint8_t large[65536];
  struct datagram_queue queue = {0};
  (void)state;
  for (int i = 0; i < DATAGRAM_QUEUE_COUNT; i++) assert_true(datagram_queue_put(&queue, large, 1));
  assert_false(datagram_queue_put(&queue, large, 1));
  datagram_queue_free(&queue);
  for (int i = 0; i < 4; i++) assert_true(datagram_queue_put(&queue, large, sizeof large));
  assert_false(datagram_queue_put(&queue, large, 1));
  assert_true(datagram_queue_put(&queue, large, 0));
  datagram_queue_free(&queue);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_is_kept),
      cmocka_unit_test(test_it_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
