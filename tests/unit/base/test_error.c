/* SPDX-License-Identifier: MIT */

/* src/base/error.c: every listed error has its own name and text. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <webtransport/error.h>

static const int listed[] = {
#define VALUE(name, value, text) value,
    WT_ERROR_LIST(VALUE)
#undef VALUE
};
#define LISTED (sizeof(listed) / sizeof(listed[0]))

static void test_error_names_and_texts(void **state) {
  (void)state;
  assert_string_equal(wt_error_name(WT_ERR_NOMEM), "WT_ERR_NOMEM");
  assert_string_equal(wt_error_string(WT_ERR_NOMEM), "out of memory");
  assert_string_equal(wt_error_name(WT_ERR_KEY_MISMATCH), "WT_ERR_KEY_MISMATCH");
  assert_string_equal(wt_error_name(0), "WT_OK");
  assert_string_equal(wt_error_string(0), "no error");
}

static void test_error_unknown_is_said_so(void **state) {
  (void)state;
  static const int unknown[] = {1, -1000, -98, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
    assert_string_equal(wt_error_string(unknown[i]), "unknown error");
    assert_string_equal(wt_error_name(unknown[i]), "WT_ERR_UNKNOWN");
  }
}

static void test_error_list_is_unambiguous(void **state) {
  (void)state;
  for (size_t i = 0; i < LISTED; i++) {
    assert_true(listed[i] < 0);
    assert_string_not_equal(wt_error_string(listed[i]), "unknown error");
    assert_int_equal(strncmp(wt_error_name(listed[i]), "WT_ERR_", 7), 0);
    for (size_t k = 0; k < i; k++) {
      assert_int_not_equal(listed[i], listed[k]);
      assert_string_not_equal(wt_error_name(listed[i]), wt_error_name(listed[k]));
      assert_string_not_equal(wt_error_string(listed[i]), wt_error_string(listed[k]));
    }
  }
}

static void test_error_party_names(void **state) {
  (void)state;
  assert_string_equal(wt_party_name(WT_LOCAL), "local");
  assert_string_equal(wt_party_name(WT_PEER), "peer");
  assert_string_equal(wt_party_name(WT_TRANSPORT), "transport");
  static const char *const causes[] = {"local", "peer", "local error", "timeout", "network"};
  for (int i = 0; i < 5; i++) assert_string_equal(wt_cause_name((enum wt_cause)i), causes[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_error_names_and_texts),
      cmocka_unit_test(test_error_unknown_is_said_so),
      cmocka_unit_test(test_error_list_is_unambiguous),
      cmocka_unit_test(test_error_party_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
