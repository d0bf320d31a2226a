/* SPDX-License-Identifier: MIT */
/* Names of topics in paths: what is decoded, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve/topic_name.h"

static void check_name(const char *path, const char *expected) {
  struct topic_name name;
  const char *wrong = topic_name_read(path, &name);
  if (wrong) fail_msg("'%s': %s", path, wrong);
  assert_int_equal(name.len, strlen(expected));
  assert_memory_equal(name.bytes, expected, name.len);
}

static void test_names_are_decoded(void **state) {
  (void)state;
  check_name("/topic/room", "room");
  check_name("/topic/room%201", "room 1");
  check_name("/topic/a+b", "a+b"); /* a '+' is a space in a form, not in a path */
  check_name("/topic/a%2Fb%2fc", "a/b/c");
  check_name("/topic/100%25", "100%");
  check_name("/topic/caf%C3%A9", "caf\xc3\xa9");
  check_name("/topic/caf\xc3\xa9", "caf\xc3\xa9");
  check_name("/topic/..", "..");
  check_name("/topic/%3Fx", "?x");
}

static void test_bad_names_are_refused(void **state) {
  static const char *const bad[] = {
      "/topic/",       "/topic/a/b",    "/topic/a/",  "/topic//",      "/topic/%",
      "/topic/%4",     "/topic/%g1",    "/topic/%1g", "/topic/a%00",   "/topic/a%0a",
      "/topic/%09",    "/topic/%1b[2J", "/topic/%7f", "/topic/%c2%80", "/topic/\xc2\x9b",
      "/topic/%c2%9f", "/topic/%ff",    "/topic/%c3", "/topic/%c0%af", "/topic/%ed%a0%80",
  };
  struct topic_name name;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (!topic_name_read(bad[i], &name)) fail_msg("'%s' is a name", bad[i]);
}

static void test_the_length_counts_after_decoding(void **state) {
  char path[3 * TOPIC_NAME_MAX + 32] = TOPIC_PATH;
  struct topic_name name;
  size_t len = strlen(path);
  (void)state;
  for (size_t i = 0; i < TOPIC_NAME_MAX; i++) len += (size_t)snprintf(path + len, sizeof path - len, "%%41");
  assert_null(topic_name_read(path, &name));
  assert_int_equal(name.len, TOPIC_NAME_MAX);
  assert_int_equal(name.bytes[TOPIC_NAME_MAX - 1], 'A');
  strcat(path, "A");
  assert_non_null(topic_name_read(path, &name));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_are_decoded),
      cmocka_unit_test(test_bad_names_are_refused),
      cmocka_unit_test(test_the_length_counts_after_decoding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
