/* SPDX-License-Identifier: MIT */
/* The file with the secrets of a fleet: what is read, what is refused and in which words, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/key_file.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"
#define B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define C "1111111111111111111111111111111111111111111111111111111111111111"

static struct key_file file;
static char message[200];

static bool parse(const char *text) { return key_file_parse(&file, "f", text, strlen(text), message, sizeof message); }

static void test_key_file_of_three_secrets(void **state) {
  (void)state;
  assert_true(parse("# a comment\n\nnext " B "\n  previous\t" C "  # old\r\ncurrent " A));
  static const uint8_t first[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  assert_int_equal(file.keys[KEY_CURRENT].len, 32);
  assert_memory_equal(file.keys[KEY_CURRENT].bytes, first, sizeof first);
  assert_memory_equal(file.keys[KEY_CURRENT].bytes + 24, first, sizeof first); /* digits of either case */
  assert_int_equal(file.keys[KEY_NEXT].bytes[31], 0xff);
  assert_int_equal(file.keys[KEY_PREVIOUS].bytes[0], 0x11);
}

static void test_key_file_needs_only_a_current_secret(void **state) {
  (void)state;
  assert_true(parse("current " A B "\n"));
  assert_int_equal(file.keys[KEY_CURRENT].len, 64);
  assert_int_equal(file.keys[KEY_NEXT].len, 0);
  assert_int_equal(file.keys[KEY_PREVIOUS].len, 0);
}

static void test_key_file_that_is_wrong_names_its_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "f: there is no line with the current secret"},
      {"# nothing\n", "f: there is no line with the current secret"},
      {"next " A "\n", "f: there is no line with the current secret"},
      {"current " A "\ncurrent " B "\n", "f:2: there was such a line before"},
      {"current\n", "f:1: the digits are missing"},
      {"\ncurrent " A "0\n", "f:2: a digit is missing: their number is odd"},
      {"current 0123\n", "f:1: the secret is too short: it needs 64 digits, which are 32 bytes"},
      {"current " A A A A A A A A "00\n", "f:1: the secret is too long: at most 512 digits, which are 256 bytes"},
      {"current " A "\nnext " B " x\n", "f:2: there is something behind the digits"},
      {"current 0x" A "\n", "f:1: expected a word and hexadecimal digits"},
      {"Current " A "\n", "f:1: a line begins with current, next, previous or #"},
      {"secret " A "\n", "f:1: a line begins with current, next, previous or #"},
      {A "\n", "f:1: a line begins with current, next, previous or #"},
      {"{\"current\": \"" A "\"}\n", "f:1: a line begins with current, next, previous or #"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_false(parse(cases[i].text));
    assert_string_equal(message, cases[i].message);
    assert_int_equal(file.keys[KEY_CURRENT].len, 0);
  }
  static const char nul[] = "current " A "\0\n";
  assert_false(key_file_parse(&file, "f", nul, sizeof nul - 1, message, sizeof message));
  assert_string_equal(message, "f:1: expected a word and hexadecimal digits");
}

/* No message may end in a log with digits of a secret in it. */
static void test_key_file_messages_tell_no_secret(void **state) {
  (void)state;
  static const char *const wrong[] = {"current " A "g\n", "current " A "0\n", "current " A " " B "\n", A " current\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_false(parse(wrong[i]));
    assert_null(strstr(message, "0123"));
  }
}

static void test_key_file_is_read_as_it_was_written(void **state) {
  (void)state;
  struct key_file made = {0};
  char text[KEY_FILE_MAX];
  for (int i = 0; i < KEY_KINDS; i++) assert_true(key_make(&made.keys[i]));
  assert_memory_not_equal(made.keys[KEY_CURRENT].bytes, made.keys[KEY_NEXT].bytes, KEY_MIN);
  key_file_format(&made, text);
  assert_true(parse(text));
  for (int i = 0; i < KEY_KINDS; i++) {
    assert_int_equal(file.keys[i].len, KEY_MIN);
    assert_memory_equal(file.keys[i].bytes, made.keys[i].bytes, KEY_MIN);
  }
  for (int i = 0; i < KEY_KINDS; i++) { /* the longest */
    made.keys[i].len = KEY_MAX;
    memset(made.keys[i].bytes, i, KEY_MAX);
  }
  key_file_format(&made, text);
  assert_true(parse(text));
  assert_int_equal(file.keys[KEY_PREVIOUS].len, KEY_MAX);
}

/* A copy that is not complete is refused, wherever it ends, but for its last line end. */
static void test_key_file_that_is_cut_is_refused(void **state) {
  (void)state;
  struct key_file made = {0};
  char text[KEY_FILE_MAX];
  for (int i = 0; i < KEY_KINDS; i++) assert_true(key_make(&made.keys[i]));
  key_file_format(&made, text);
  size_t whole = strlen(text);
  for (size_t len = 0; len < whole; len++)
    assert_int_equal(key_file_parse(&file, "f", text, len, message, sizeof message), len == whole - 1);
}

static void test_key_file_on_disk(void **state) {
  (void)state;
  char name[] = "/tmp/test_key_file.XXXXXX";
  static char spaces[KEY_FILE_MAX];
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  assert_false(key_file_read(&file, name, message, sizeof message));
  assert_non_null(strstr(message, ": there is no line with the current secret"));
  static const char text[] = "current " A "\n";
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  assert_true(key_file_read(&file, name, message, sizeof message));
  assert_int_equal(file.keys[KEY_CURRENT].len, 32);
  memset(spaces, ' ', sizeof spaces);
  assert_int_equal(write(fd, spaces, sizeof spaces - strlen(text)), (ssize_t)(sizeof spaces - strlen(text)));
  assert_true(key_file_read(&file, name, message, sizeof message));
  assert_int_equal(write(fd, " ", 1), 1);
  assert_false(key_file_read(&file, name, message, sizeof message));
  assert_non_null(strstr(message, "File too large"));
  close(fd);
  unlink(name);
  assert_false(key_file_read(&file, name, message, sizeof message));
  assert_non_null(strstr(message, "No such file or directory"));
  assert_int_equal(mkfifo(name, 0600), 0);
  assert_false(key_file_read(&file, name, message, sizeof message)); /* at once */
  unlink(name);
  assert_false(key_file_read(&file, "/tmp", message, sizeof message));
  assert_non_null(strstr(message, "Is a directory"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_key_file_of_three_secrets),
      cmocka_unit_test(test_key_file_needs_only_a_current_secret),
      cmocka_unit_test(test_key_file_that_is_wrong_names_its_line),
      cmocka_unit_test(test_key_file_messages_tell_no_secret),
      cmocka_unit_test(test_key_file_is_read_as_it_was_written),
      cmocka_unit_test(test_key_file_that_is_cut_is_refused),
      cmocka_unit_test(test_key_file_on_disk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
