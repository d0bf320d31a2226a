/* SPDX-License-Identifier: MIT */
/* Messages with their length in front, however they are cut into pieces, also when standard output is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "connect/message_reader.h"

/* A printer whose queue is emptied into `text`. */
struct fixture {
  struct standard_io io;
  struct printer printer;
  struct printed_source source;
  struct message_reader reader;
  char text[400000];
  size_t len;
};

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  if (!fixture) return -1;
  fixture->io.wake = eventfd(0, EFD_NONBLOCK);
  pthread_mutex_init(&fixture->io.mutex, NULL);
  fixture->printer.io = &fixture->io;
  strcpy(fixture->source.label, "15 uni <-");
  fixture->source.message = true;
  *state = fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  close(fixture->io.wake);
  pthread_mutex_destroy(&fixture->io.mutex);
  free(fixture);
  return 0;
}

/* What standard output takes: up to `most` bytes. */
static void drain(struct fixture *fixture, size_t most) {
  struct standard_io *io = &fixture->io;
  for (; most && io->output_len; most--) {
    fixture->text[fixture->len++] = (char)io->output[io->output_at];
    io->output_at = (io->output_at + 1) % IO_OUTPUT_SIZE;
    io->output_len--;
  }
}

static size_t message_add(uint8_t *out, const char *text, size_t len) {
  out[0] = (uint8_t)(len >> 24);
  out[1] = (uint8_t)(len >> 16);
  out[2] = (uint8_t)(len >> 8);
  out[3] = (uint8_t)len;
  if (len) memcpy(out + 4, text, len);
  return len + 4;
}

static void check_text(struct fixture *fixture, const char *expected) {
  drain(fixture, SIZE_MAX);
  assert_int_equal(fixture->len, strlen(expected));
  assert_memory_equal(fixture->text, expected, fixture->len);
  fixture->len = 0;
}

static size_t put(struct fixture *fixture, const uint8_t *data, size_t len) {
  return message_reader_put(&fixture->reader, &fixture->printer, &fixture->source, data, len);
}

static void test_messages_are_lines_in_pieces_of_every_size(void **state) {
  struct fixture *fixture = *state;
  uint8_t bytes[256];
  size_t len = message_add(bytes, "room", 4);
  len += message_add(bytes + len, "one", 3);
  len += message_add(bytes + len, "", 0);
  len += message_add(bytes + len, "a\nb", 3);
  len += message_add(bytes + len, "\x1b[2J", 4);
  for (size_t piece = 1; piece <= len; piece++) {
    fixture->reader = (struct message_reader){0};
    for (size_t at = 0, part; at < len; at += part) {
      part = len - at < piece ? len - at : piece;
      assert_int_equal(put(fixture, bytes + at, part), part);
    }
    assert_true(message_reader_is_between(&fixture->reader));
    check_text(fixture, "one\n\na\nb\n\x1b[2J\n");
  }
}

static void test_prefixes_stand_before_each_line(void **state) {
  struct fixture *fixture = *state;
  uint8_t bytes[256];
  size_t len = message_add(bytes, "room", 4);
  fixture->printer.prefix = fixture->printer.escape = true;
  len += message_add(bytes + len, "one", 3);
  len += message_add(bytes + len, "", 0);
  len += message_add(bytes + len, "a\nb", 3);
  len += message_add(bytes + len, "end\n", 4);
  len += message_add(bytes + len, "\x1b", 1);
  assert_int_equal(put(fixture, bytes, len), len);
  check_text(fixture,
             "[15 uni <-] one\n[15 uni <-] \n[15 uni <-] a\n[15 uni <- ...] b\n[15 uni <-] end\n[15 uni <-] \\x1b\n");
}

static void test_a_message_may_end_too_early(void **state) {
  struct fixture *fixture = *state;
  uint8_t bytes[64];
  size_t len = message_add(bytes, "room", 4);
  assert_int_equal(put(fixture, bytes, 2), 2);
  assert_false(message_reader_is_between(&fixture->reader));
  assert_int_equal(put(fixture, bytes + 2, len - 2), len - 2);
  assert_true(message_reader_is_between(&fixture->reader));
  len = message_add(bytes, "cut", 3);
  assert_int_equal(put(fixture, bytes, len - 1), len - 1);
  assert_false(message_reader_is_between(&fixture->reader));
}

/* Gives all of `data`, and what is not taken again after the queue has been emptied a little. */
static size_t put_all(struct fixture *fixture, const uint8_t *data, size_t len) {
  size_t stuck = 0;
  for (size_t at = 0; at < len;) {
    at += put(fixture, data + at, len - at);
    if (at < len) {
      stuck++;
      drain(fixture, 5000);
    }
  }
  return stuck;
}

static void test_a_full_queue_loses_nothing(void **state) {
  static uint8_t bytes[400000];
  static char expected[200000];
  struct fixture *fixture = *state;
  size_t len = message_add(bytes, "room", 4), at = 0;
  for (int i = 0; i < 40000; i++) { /* many are empty: a line end each */
    static const char text[] = "xyz";
    size_t size = (size_t)i % 4;
    len += message_add(bytes + len, text, size);
    memcpy(expected + at, text, size);
    expected[at + size] = '\n';
    at += size + 1;
  }
  /* The queue holds nothing more, and then is emptied slowly. */
  static const uint8_t filler[IO_OUTPUT_SIZE] = {0};
  io_write(&fixture->io, filler, io_output_room(&fixture->io, 0));
  fixture->io.output_len = IO_OUTPUT_SIZE;
  drain(fixture, 100000);
  fixture->len = 0;
  size_t rest = fixture->io.output_len;
  assert_true(put_all(fixture, bytes, len) > 0);
  drain(fixture, SIZE_MAX);
  assert_int_equal(fixture->len, rest + at);
  assert_memory_equal(fixture->text + rest, expected, at);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_messages_are_lines_in_pieces_of_every_size, setup, teardown),
      cmocka_unit_test_setup_teardown(test_prefixes_stand_before_each_line, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_message_may_end_too_early, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_full_queue_loses_nothing, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
