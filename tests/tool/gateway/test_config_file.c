/* SPDX-License-Identifier: MIT */
/* The configuration file: values, and where messages say that a mistake is. */
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/config_file.h"

struct settings {
  char text[100], list[200];
  int flag;
};

static struct settings settings;
static char message[600], path[64];

static bool set_text(void *target, const char *value, char *text, size_t size) {
  (void)text, (void)size;
  snprintf(((struct settings *)target)->text, sizeof settings.text, "%s", value);
  return true;
}

static bool set_list(void *target, const char *value, char *text, size_t size) {
  char *list = ((struct settings *)target)->list;
  if (!strcmp(value, "bad")) {
    snprintf(text, size, "this is bad");
    return false;
  }
  snprintf(list + strlen(list), sizeof settings.list - strlen(list), "<%s>", value);
  return true;
}

static bool set_flag(void *target, const char *value, char *text, size_t size) {
  (void)text, (void)size;
  assert_null(value);
  ((struct settings *)target)->flag++;
  return true;
}

static const struct option_spec table[] = {
    {.name = "text", .argument = "X", .set = set_text},
    {.name = "list", .argument = "X", .repeatable = true, .set = set_list},
    {.name = "word", .argument = "X", .kind = VALUE_WORD, .words = "one two", .set = set_text},
    {.name = "flag", .set = set_flag},
    {0},
};

/* Reads `text` as a file. What is wrong is in `message`, from the line's number on. */
static bool read_text(const char *text, size_t len) {
  static const char *const others[] = {"other", NULL};
  struct config_mapping root;
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  assert_int_equal(fwrite(text, 1, len, out), len);
  fclose(out);
  memset(&settings, 0, sizeof settings);
  message[0] = 0;
  struct config_file *file = config_file_read(path, message, sizeof message);
  bool good = file && config_file_root(file, &root, message, sizeof message) &&
              config_mapping_apply(&root, table, &settings, others, message, sizeof message);
  config_file_free(file);
  if (good) return true;
  assert_int_equal(strncmp(message, path, strlen(path)), 0);
  memmove(message, message + strlen(path) + 1, strlen(message + strlen(path) + 1) + 1);
  return false;
}

static bool read_config(const char *text) { return read_text(text, strlen(text)); }

static void test_values(void **state) {
  (void)state;
  assert_true(read_config("# a comment\ntext: 10s # another\nlist: [a, 'b c', \"d\"]\nflag: yes\nother: {x: [1]}\n"));
  assert_string_equal(settings.text, "10s");
  assert_string_equal(settings.list, "<a><b c><d>");
  assert_int_equal(settings.flag, 1);
  assert_true(read_config("list: alone\nflag: no\n"));
  assert_string_equal(settings.list, "<alone>");
  assert_int_equal(settings.flag, 0);
  assert_true(read_config("other: &a one\nword: *a\n"));
  assert_string_equal(settings.text, "one");
  assert_true(read_config("{text: no, list: []}")); /* "no" is a text where one is wanted */
  assert_string_equal(settings.text, "no");
}

static void refused(const char *text, const char *expected) {
  assert_false(read_config(text));
  if (strncmp(message, expected, strlen(expected))) fail_msg("'%s' does not begin with '%s'", message, expected);
}

static void test_places_of_mistakes(void **state) {
  (void)state;
  refused("text: a\ntex: b\n", "2:1: 'tex' is no member here; members are other, text, list, word, flag");
  refused("text: a\ntext: b\n", "2:1: 'text' is here a second time; the first is in line 1");
  refused("list: [a,\n  bad]\n", "2:3: list 'bad': this is bad");
  refused("list: {a: b}\n", "1:7: list: expected a text");
  refused("text: [a]\n", "1:7: text has one value, not a list");
  refused("word: three\n", "1:7: word 'three': expected one or two");
  refused("flag: maybe\n", "1:7: flag 'maybe': expected no, false, yes or true");
  refused("- a\n- b\n", "1:1: expected members");
  refused("[a]: b\n", "1:1: the name of a member has to be a text");
  refused("text: !!int 5\n", "1:7: tags have no meaning here");
  refused("text: a\n---\ntext: b\n", "3:1: a second document begins here");
  refused("text: 'a\n", "2:1: found unexpected end of stream");
  refused("text: *b\n", "1:7: found undefined alias");
  refused("", " there is nothing in this file");
}

static void test_bytes_that_are_no_text(void **state) {
  static const char nul[] = "text: \"a\\0b\"\n", raw[] = "text: a\0b\n", latin[] = "text: \xe4\n";
  (void)state;
  refused(nul, "1:7: text: expected a text");
  assert_false(read_text(raw, sizeof raw - 1));
  assert_false(read_text(latin, sizeof latin - 1));
}

/* Names of ten aliases of ten aliases: small in the file, and small in memory. */
static void test_aliases_do_not_grow(void **state) {
  char text[2000] = "other:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  (void)state;
  for (int i = 1; i < 12; i++) {
    size_t used = strlen(text);
    int len = snprintf(text + used, sizeof text - used, "  - &a%d [", i);
    for (int j = 0; j < 10; j++) len += snprintf(text + used + len, sizeof text - used - (size_t)len, "*a%d, ", i - 1);
    snprintf(text + used + len, sizeof text - used - (size_t)len, "x]\n");
  }
  assert_true(read_config(text));
}

static void test_files_that_cannot_be_read(void **state) {
  char large[200];
  (void)state;
  assert_null(config_file_read("/no/such/file", message, sizeof message));
  assert_non_null(strstr(message, "No such file"));
  assert_null(config_file_read("/", message, sizeof message));
  assert_non_null(strstr(message, "folder"));
  FILE *out = fopen(path, "w");
  memset(large, '#', sizeof large);
  for (int i = 0; i < CONFIG_FILE_MAX / 200 + 1; i++) fwrite(large, 1, sizeof large, out);
  fclose(out);
  assert_null(config_file_read(path, message, sizeof message));
  assert_non_null(strstr(message, "at most"));
}

static int setup(void **state) {
  (void)state;
  snprintf(path, sizeof path, "/tmp/webtransport-config.XXXXXX");
  int fd = mkstemp(path);
  return fd < 0 || close(fd);
}

static int teardown(void **state) {
  (void)state;
  return unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_places_of_mistakes),
      cmocka_unit_test(test_bytes_that_are_no_text),
      cmocka_unit_test(test_aliases_do_not_grow),
      cmocka_unit_test(test_files_that_cannot_be_read),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
