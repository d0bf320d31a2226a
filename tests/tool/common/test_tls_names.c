/* SPDX-License-Identifier: MIT */
/* Lists of names for TLS on a command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/tls_names.h"

static struct tls_names names;
static char message[100];

static bool set(const char *value) { return tls_names_set(&names, value, message, sizeof message); }

static void test_commas_and_colons_part_names(void **state) {
  (void)state;
  assert_true(set("x25519,secp256r1:x448"));
  assert_int_equal(names.count, 3);
  assert_string_equal(names.names[0], "x25519");
  assert_string_equal(names.names[1], "secp256r1");
  assert_string_equal(names.names[2], "x448");
}

static void test_empty_names_are_refused(void **state) {
  (void)state;
  assert_false(set(""));
  assert_false(set("x25519,"));
  assert_false(set(",x25519"));
  assert_false(set("x25519,:x448"));
  assert_string_equal(message, "a name is empty");
}

static void test_a_list_has_an_end(void **state) {
  char text[600];
  (void)state;
  for (size_t i = 0; i < 2 * TLS_NAMES_MAX; i++) text[i] = i % 2 ? ',' : 'a';
  text[2 * TLS_NAMES_MAX - 1] = 0;
  assert_true(set(text));
  assert_int_equal(names.count, TLS_NAMES_MAX);
  text[2 * TLS_NAMES_MAX - 1] = ',';
  text[2 * TLS_NAMES_MAX] = 'a';
  text[2 * TLS_NAMES_MAX + 1] = 0;
  assert_false(set(text));
  assert_string_equal(message, "too many names");
  memset(text, 'a', sizeof text);
  text[sizeof text - 1] = 0;
  assert_false(set(text));
  assert_string_equal(message, "the list is too long");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_commas_and_colons_part_names),
      cmocka_unit_test(test_empty_names_are_refused),
      cmocka_unit_test(test_a_list_has_an_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
