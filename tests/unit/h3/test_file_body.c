/* SPDX-License-Identifier: MIT */
/* src/h3/file_body.c: how many files may be open. What becomes of descriptors is in tests/loopback/test_file_bodies.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>

#include "h3/file_body.h"

static size_t most_with(rlim_t limit) {
  struct rlimit before, now;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  now = before;
  now.rlim_cur = limit;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
  size_t most = wt__open_files_default();
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  return most;
}

/* Half of what the process may open, from 16 to 4,096. */
static void test_file_body_default_bound(void **state) {
  struct rlimit limit;
  (void)state;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(most_with(0), 16);
  assert_int_equal(most_with(33), 16);
  assert_int_equal(most_with(34), 17);
  assert_int_equal(most_with(1000), 500);
  if (limit.rlim_max >= 8193) assert_int_equal(most_with(8193), 4096);
  if (limit.rlim_max >= 10000) assert_int_equal(most_with(10000), 4096);
  if (limit.rlim_max == RLIM_INFINITY) assert_int_equal(most_with(RLIM_INFINITY), 4096);
}

static void test_file_body_list_begins_empty(void **state) {
  struct wt__open_files files;
  (void)state;
  memset(&files, 0xff, sizeof(files));
  wt__open_files_init(&files, 7);
  assert_int_equal(files.count, 0);
  assert_int_equal(files.max, 7);
  assert_true(wt__list_empty(&files.list));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_file_body_default_bound),
                                     cmocka_unit_test(test_file_body_list_begins_empty)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
