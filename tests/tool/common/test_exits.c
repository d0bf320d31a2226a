/* SPDX-License-Identifier: MIT */
/* Exit statuses: what an error of the library becomes, and that the list has each status once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/error.h>

#include <cmocka.h>

#include "common/exits.h"

static void test_errors_become_statuses(void **state) {
  (void)state;
  assert_int_equal(exit_of_error(WT_OK), EXIT_DONE);
  assert_int_equal(exit_of_error(WT_ERR_ADDRESS), EXIT_USAGE);
  assert_int_equal(exit_of_error(WT_ERR_NOT_FOUND), EXIT_UNREACHABLE);
  assert_int_equal(exit_of_error(WT_ERR_TIMEOUT), EXIT_TIMEOUT);
  assert_int_equal(exit_of_error(WT_ERR_CERTIFICATE), EXIT_TLS);
  assert_int_equal(exit_of_error(WT_ERR_SETTINGS), EXIT_NO_WEBTRANSPORT);
  assert_int_equal(exit_of_error(WT_ERR_REJECTED), EXIT_REJECTED);
  assert_int_equal(exit_of_error(WT_ERR_SUBPROTOCOL), EXIT_SUBPROTOCOL);
  assert_int_equal(exit_of_error(WT_ERR_CLOSED), EXIT_CLOSED);
  assert_int_equal(exit_of_error(WT_ERR_NOMEM), EXIT_FAILED);
}

static void test_the_list_has_each_status_in_its_place(void **state) {
  (void)state;
  int count = 0;
  for (; exit_specs[count].help; count++) assert_int_equal(exit_specs[count].status, count);
  assert_int_equal(count, EXIT_CLOSED + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_errors_become_statuses),
      cmocka_unit_test(test_the_list_has_each_status_in_its_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
