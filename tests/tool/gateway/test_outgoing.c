/* SPDX-License-Identifier: MIT */
/* Bytes to a socket: gathered, sent, and what is left when it is full. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/outgoing.h"

static struct gather gather;

/* One end of a pair of sockets; the test reads the other one. */
struct end {
  struct outgoing outgoing;
  int other, flushes, error;
};

static void on_flush(void *user_data, int error) {
  struct end *end = user_data;
  end->flushes++;
  end->error = error;
}

static void end_open(struct end *end) {
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  *end = (struct end){.outgoing = {.fd = pair[0], .on_flush = on_flush, .user_data = end}, .other = pair[1]};
}

static void end_close(struct end *end) {
  outgoing_drop(&end->outgoing, &gather);
  close(end->outgoing.fd);
  if (end->other >= 0) close(end->other);
}

static ssize_t put(struct end *end, const char *text) {
  return outgoing_put(&end->outgoing, &gather, (const uint8_t *)text, strlen(text));
}

static void expect(struct end *end, const char *text) {
  char found[100] = "";
  ssize_t len = read(end->other, found, sizeof found - 1);
  if (!*text)
    assert_true(len < 0 && errno == EAGAIN);
  else
    assert_string_equal(found, text);
}

static void test_pieces_leave_together(void **state) {
  struct end end;
  (void)state;
  end_open(&end);
  assert_int_equal(put(&end, "one "), 4);
  assert_int_equal(put(&end, "two"), 3);
  expect(&end, "");
  assert_false(gather_flush(&gather));
  expect(&end, "one two");
  assert_int_equal(end.flushes, 1);
  assert_false(gather_flush(&gather));
  assert_int_equal(end.flushes, 1);
  end_close(&end);
}

static void test_another_socket_sends_the_first_ones_bytes(void **state) {
  struct end one, two;
  (void)state;
  end_open(&one);
  end_open(&two);
  put(&one, "one");
  put(&two, "two");
  expect(&one, "one");
  expect(&two, "");
  assert_int_equal(one.flushes, 1);
  assert_int_equal(outgoing_flush(&one.outgoing, &gather), 0); /* not its own */
  assert_int_equal(outgoing_flush(&two.outgoing, &gather), 0);
  expect(&two, "two");
  assert_int_equal(two.flushes, 0); /* the caller knows */
  end_close(&one);
  end_close(&two);
}

/* Sends pieces of `size` bytes until the socket is full, reads them, and compares. */
static void fill_and_read(size_t size) {
  static uint8_t sent[4 << 20], found[sizeof sent];
  struct end end;
  size_t len = 0, got = 0;
  end_open(&end);
  for (size_t i = 0; i < sizeof sent; i++) sent[i] = (uint8_t)(i * 7 + (i >> 8));
  while (len + size <= sizeof sent) {
    ssize_t taken = outgoing_put(&end.outgoing, &gather, sent + len, size);
    assert_true(taken >= 0);
    len += (size_t)taken;
    if ((size_t)taken < size) break;
  }
  assert_true(len < sizeof sent - size);
  assert_true(end.outgoing.rest_len <= GATHER_SIZE);
  for (;;) {
    ssize_t come = read(end.other, found + got, sizeof found - got);
    if (come > 0) got += (size_t)come;
    if (come < 0 && !end.outgoing.rest) break;
    assert_int_equal(outgoing_send_rest(&end.outgoing), 0);
  }
  gather_flush(&gather);
  ssize_t last = read(end.other, found + got, sizeof found - got);
  if (last > 0) got += (size_t)last;
  assert_int_equal(got, len);
  assert_memory_equal(found, sent, len);
  end_close(&end);
}

static void test_a_full_socket_leaves_a_rest(void **state) {
  (void)state;
  fill_and_read(1200);
  fill_and_read(GATHER_DIRECT - 1);
  fill_and_read(GATHER_DIRECT);
  fill_and_read(GATHER_SIZE);
  fill_and_read(GATHER_SIZE + 1);
}

static void test_a_broken_socket(void **state) {
  static const uint8_t large[GATHER_DIRECT];
  struct end end, other;
  (void)state;
  end_open(&end);
  end_open(&other);
  close(end.other);
  end.other = -1;
  assert_int_equal(outgoing_put(&end.outgoing, &gather, large, sizeof large), -1);
  assert_int_equal(errno, EPIPE);
  assert_int_equal(put(&end, "x"), 1);
  assert_int_equal(outgoing_flush(&end.outgoing, &gather), EPIPE);
  assert_int_equal(put(&end, "x"), 1);
  assert_int_equal(put(&other, "y"), 1); /* the error is told to its owner, not to the other one */
  assert_int_equal(end.error, EPIPE);
  assert_int_equal(put(&end, "x"), 1);
  assert_true(gather_flush(&gather));
  end_close(&end);
  end_close(&other);
}

static void test_drop(void **state) {
  struct end end;
  (void)state;
  end_open(&end);
  put(&end, "x");
  outgoing_drop(&end.outgoing, &gather);
  gather_flush(&gather);
  expect(&end, "");
  end_close(&end);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces_leave_together),
      cmocka_unit_test(test_another_socket_sends_the_first_ones_bytes),
      cmocka_unit_test(test_a_full_socket_leaves_a_rest),
      cmocka_unit_test(test_a_broken_socket),
      cmocka_unit_test(test_drop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
