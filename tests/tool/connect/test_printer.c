/* SPDX-License-Identifier: MIT */
/* What several sources print on one output: labels, interrupted lines, control characters, and a full queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "connect/printer.h"

/* A printer whose queue nobody empties. */
struct fixture {
  struct standard_io io;
  struct printer printer;
  struct printed_source first, second;
};

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  if (!fixture) return -1;
  fixture->io.wake = eventfd(0, EFD_NONBLOCK);
  pthread_mutex_init(&fixture->io.mutex, NULL);
  fixture->printer.io = &fixture->io;
  strcpy(fixture->first.label, "0 bidi");
  strcpy(fixture->second.label, "15 uni <-");
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

static void put(struct fixture *fixture, struct printed_source *source, const char *text) {
  assert_int_equal(printer_put(&fixture->printer, source, (const uint8_t *)text, strlen(text)), strlen(text));
}

static void check(const struct fixture *fixture, const char *text) {
  assert_int_equal(fixture->io.output_len, strlen(text));
  assert_memory_equal(fixture->io.output, text, strlen(text));
}

static void test_bytes_pass_as_they_are_without_prefix(void **state) {
  struct fixture *fixture = *state;
  static const uint8_t bytes[] = {0, 27, 255, '\n', 0xc2, 0x9b};
  assert_int_equal(printer_put(&fixture->printer, &fixture->first, bytes, sizeof bytes), sizeof bytes);
  printer_end(&fixture->printer, &fixture->first);
  assert_int_equal(fixture->io.output_len, sizeof bytes);
  assert_memory_equal(fixture->io.output, bytes, sizeof bytes);
}

static void test_a_line_has_its_label_once(void **state) {
  struct fixture *fixture = *state;
  fixture->printer.prefix = true;
  put(fixture, &fixture->first, "one ");
  put(fixture, &fixture->first, "line\n\ntwo\n");
  printer_end(&fixture->printer, &fixture->first);
  check(fixture, "[0 bidi] one line\n[0 bidi] \n[0 bidi] two\n");
}

static void test_an_interrupted_line_goes_on(void **state) {
  struct fixture *fixture = *state;
  fixture->printer.prefix = true;
  put(fixture, &fixture->second, "begun");
  put(fixture, &fixture->first, "between\n");
  put(fixture, &fixture->second, " ended\nnext");
  printer_end(&fixture->printer, &fixture->first);
  printer_end(&fixture->printer, &fixture->second);
  put(fixture, &fixture->first, "later\n");
  check(fixture, "[15 uni <-] begun\n[0 bidi] between\n[15 uni <- ...]  ended\n[15 uni <-] next\n[0 bidi] later\n");
}

static void test_datagrams_are_whole(void **state) {
  struct fixture *fixture = *state;
  fixture->printer.prefix = true;
  put(fixture, &fixture->first, "x");
  assert_true(printer_datagram(&fixture->printer, (const uint8_t *)"a\nb", 3, false));
  assert_true(printer_datagram(&fixture->printer, (const uint8_t *)"c\n", 2, false));
  assert_true(printer_datagram(&fixture->printer, (const uint8_t *)"", 0, false));
  check(fixture, "[0 bidi] x\n[datagram] a\n[datagram ...] b\n[datagram] c\n[datagram] \n");
}

static void test_datagrams_are_lines_unless_they_are_bare(void **state) {
  struct fixture *fixture = *state;
  assert_true(printer_datagram(&fixture->printer, (const uint8_t *)"a", 1, false));
  assert_true(printer_datagram(&fixture->printer, (const uint8_t *)"b", 1, true));
  assert_true(printer_datagram(&fixture->printer, (const uint8_t *)"c\n", 2, true));
  check(fixture, "a\nbc\n");
}

static void test_control_characters_are_shown(void **state) {
  struct fixture *fixture = *state;
  fixture->printer.escape = true;
  put(fixture, &fixture->first, "\x1b[2J\r\n\tgr\xc3\xbc\xc3\x9f\x7f");
  put(fixture, &fixture->first, "\xc2");
  put(fixture, &fixture->first, "\x9b");
  check(fixture, "\\x1b[2J\\x0d\n\tgr\xc3\xbc\xc3\x9f\\x7f\xc2\\x9b");
}

static void test_nothing_is_taken_beyond_the_queue(void **state) {
  struct fixture *fixture = *state;
  static uint8_t lines[IO_OUTPUT_SIZE];
  size_t taken = 0, last;
  memset(lines, '\n', sizeof lines);
  fixture->printer.prefix = fixture->printer.escape = true;
  while ((last = printer_put(&fixture->printer, &fixture->first, lines, 1000))) taken += last;
  assert_true(taken > 10000);
  assert_true(fixture->io.room_wanted);
  assert_int_equal(fixture->io.output_len, taken * strlen("[0 bidi] \n"));
  assert_true(fixture->io.output_len <= IO_OUTPUT_SIZE);
  assert_false(printer_datagram(&fixture->printer, lines, 10, false));

  fixture->printer.prefix = fixture->printer.escape = false;
  size_t room = IO_OUTPUT_SIZE - fixture->io.output_len;
  assert_int_equal(printer_put(&fixture->printer, &fixture->first, lines, sizeof lines), room);
  assert_int_equal(fixture->io.output_len, IO_OUTPUT_SIZE);
  assert_int_equal(printer_put(&fixture->printer, &fixture->first, lines, 1), 0);
  assert_int_equal(printer_put(&fixture->printer, &fixture->first, lines, 0), 0);
}

static void test_the_longest_label_fits(void **state) {
  struct fixture *fixture = *state;
  static uint8_t zeros[4096];
  fixture->printer.prefix = fixture->printer.escape = true;
  memset(fixture->first.label, 'x', sizeof fixture->first.label - 1);
  memset(fixture->second.label, 'y', sizeof fixture->second.label - 1);
  for (int i = 0; i < 100; i++) {
    assert_int_equal(printer_put(&fixture->printer, i % 2 ? &fixture->first : &fixture->second, zeros, 64), 64);
  }
  assert_int_equal(fixture->io.output_len, 100 * (64 * 4) + 2 * 42 + 98 * 46 + 99);
}

/* A message on a stream, in parts; the end comes with the last bytes or alone. */
static void test_a_message_gets_one_line_end(void **state) {
  struct fixture *fixture = *state;
  bool over;
  for (int alone = 0; alone < 2; alone++) {
    assert_int_equal(printer_message(&fixture->printer, &fixture->first, (const uint8_t *)"ab", 2, false, &over), 2);
    assert_false(over);
    assert_int_equal(printer_message(&fixture->printer, &fixture->first, (const uint8_t *)"cd", 2, !alone, &over), 2);
    assert_int_equal(over, !alone);
    if (alone) assert_int_equal(printer_message(&fixture->printer, &fixture->first, NULL, 0, true, &over), 0);
    assert_true(over);
  }
  assert_int_equal(printer_message(&fixture->printer, &fixture->first, NULL, 0, true, &over), 0);
  check(fixture, "abcd\nabcd\n\n");
}

static void test_a_message_of_lines_keeps_its_label(void **state) {
  struct fixture *fixture = *state;
  bool over;
  fixture->printer.prefix = fixture->printer.escape = true;
  fixture->first.message = true;
  assert_int_equal(printer_message(&fixture->printer, &fixture->first, (const uint8_t *)"a\n", 2, false, &over), 2);
  put(fixture, &fixture->second, "x");
  assert_int_equal(printer_message(&fixture->printer, &fixture->first, (const uint8_t *)"b\n", 2, false, &over), 2);
  assert_int_equal(printer_message(&fixture->printer, &fixture->first, NULL, 0, true, &over), 0);
  assert_int_equal(printer_message(&fixture->printer, &fixture->first, (const uint8_t *)"c", 1, true, &over), 1);
  assert_true(over);
  check(fixture, "[0 bidi] a\n[15 uni <-] x\n[0 bidi ...] b\n[0 bidi] c\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_message_gets_one_line_end, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_message_of_lines_keeps_its_label, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bytes_pass_as_they_are_without_prefix, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_line_has_its_label_once, setup, teardown),
      cmocka_unit_test_setup_teardown(test_an_interrupted_line_goes_on, setup, teardown),
      cmocka_unit_test_setup_teardown(test_datagrams_are_whole, setup, teardown),
      cmocka_unit_test_setup_teardown(test_datagrams_are_lines_unless_they_are_bare, setup, teardown),
      cmocka_unit_test_setup_teardown(test_control_characters_are_shown, setup, teardown),
      cmocka_unit_test_setup_teardown(test_nothing_is_taken_beyond_the_queue, setup, teardown),
      cmocka_unit_test_setup_teardown(test_the_longest_label_fits, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
