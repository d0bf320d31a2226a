/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/qlog.h"

struct notes {
  char text[512];
  int calls, lasts;
};

static void on_qlog(const char *connection, void **log, const void *data, size_t len, bool last, void *user_data) {
  struct notes *notes = user_data;
  assert_string_equal(connection, "abcd");
  if (notes->calls++ == 0) assert_null(*log);
  if (notes->calls > 1) assert_ptr_equal(*log, notes);
  *log = notes;
  notes->lasts += last;
  assert_true(strlen(notes->text) + len < sizeof(notes->text));
  strncat(notes->text, data, len);
}

static void test_qlog_writes_between_the_first_and_the_last_record(void **state) {
  struct notes notes = {0};
  uint64_t now = 7999999;
  struct wt__qlog qlog = {.sink = {on_qlog, &notes}, .connection = "abcd", .now = &now, .began = 5000000};
  struct wt__qlog_record record;
  (void)state;
  wt__qlog_begin(&qlog, &record, "a:early");
  wt__qlog_end(&qlog, &record);
  assert_int_equal(notes.calls, 0);
  wt__qlog_write(&qlog, "first\n", 6, false);
  wt__qlog_begin(&qlog, &record, "a:b");
  wt__qlog_end(&qlog, &record);
  now = 1; /* a clock that goes back makes no large number */
  wt__qlog_begin(&qlog, &record, "a:c");
  wt__qlog_end(&qlog, &record);
  wt__qlog_write(&qlog, "", 0, true);
  wt__qlog_begin(&qlog, &record, "a:late");
  wt__qlog_end(&qlog, &record);
  assert_int_equal(notes.calls, 4);
  assert_int_equal(notes.lasts, 1);
  assert_string_equal(notes.text, "first\n"
                                  "\x1e{\"time\":2,\"name\":\"a:b\",\"data\":{}}\n"
                                  "\x1e{\"time\":0,\"name\":\"a:c\",\"data\":{}}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_qlog_writes_between_the_first_and_the_last_record),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
