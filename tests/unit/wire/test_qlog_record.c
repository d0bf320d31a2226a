/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "wire/qlog_record.h"

/* Skips a string of JSON, whose first quote is at `at`. */
static const char *string_end(const char *at) {
  for (at++; *at != '"'; at++) {
    assert_in_range((unsigned char)*at, 0x20, 0xff);
    assert_int_not_equal(*at, 0x7f);
    if (*at == '\\') assert_non_null(strchr("\"\\", *++at));
  }
  return at + 1;
}

/* Ends the record, and checks that its members are strings and numbers of JSON, in two objects. */
static void check_ended(struct wt__qlog_record *record) {
  wt__qlog_record_end(record);
  assert_in_range(record->len, 3, WT__QLOG_RECORD_MAX - 1);
  record->text[record->len] = '\0';
  assert_int_equal(strlen(record->text), record->len);
  assert_int_equal(record->text[0], 0x1e);
  const char *at = record->text + 1;
  int depth = 0, members = 0;
  for (char before = ','; *at != '\n'; before = *at++) {
    if (*at == '{') depth++;
    if (*at == '}') depth--;
    if (*at != '"') continue;
    assert_non_null(strchr("{,", before));
    at = string_end(at);
    assert_int_equal(*at++, ':');
    members++;
    if (*at == '"') at = string_end(at) - 1;
    while (*at >= '0' && *at <= '9' && at[1] >= '0' && at[1] <= '9') at++;
    if (*at == '{') depth++;
  }
  assert_int_equal(depth, 0);
  assert_in_range(members, 3, 100);
  assert_int_equal(at[1], '\0');
}

static bool has(const struct wt__qlog_record *record, const char *member) { return strstr(record->text, member); }

static void test_qlog_record_has_time_name_and_data(void **state) {
  struct wt__qlog_record record;
  (void)state;
  wt__qlog_record_begin(&record, 1234, "webtransport:session_opened");
  wt__qlog_record_number(&record, "session_id", UINT64_MAX);
  wt__qlog_record_text(&record, "path", "/chat", 5);
  wt__qlog_record_end(&record);
  static const char expected[] = "\x1e{\"time\":1234,\"name\":\"webtransport:session_opened\",\"data\":"
                                 "{\"session_id\":18446744073709551615,\"path\":\"/chat\"}}\n";
  assert_int_equal(record.len, sizeof(expected) - 1);
  assert_memory_equal(record.text, expected, record.len);
}

static void test_qlog_record_without_members_is_valid(void **state) {
  struct wt__qlog_record record;
  (void)state;
  wt__qlog_record_begin(&record, 0, "a:b");
  check_ended(&record);
  assert_true(has(&record, "\"data\":{}}\n"));
}

static void test_qlog_record_takes_any_bytes_of_a_stranger(void **state) {
  struct wt__qlog_record record;
  char all[512], few[4];
  (void)state;
  for (size_t i = 0; i < sizeof(all); i++) all[i] = (char)i;
  for (size_t i = 0; i < 256; i++) {
    for (size_t j = 0; j < sizeof(few); j++) few[j] = (char)(i + j);
    wt__qlog_record_begin(&record, i, "a:b");
    wt__qlog_record_text(&record, "path", few, sizeof(few));
    wt__qlog_record_text(&record, "reason", all + i, 256);
    wt__qlog_record_number(&record, "code", i);
    check_ended(&record);
  }
  wt__qlog_record_begin(&record, 0, "a:b");
  wt__qlog_record_text(&record, "path", "a\"b\\c\n\x1e\xff", 8);
  check_ended(&record);
  assert_true(has(&record, "\"path\":\"a\\\"b\\\\c???\""));
}

static void test_qlog_record_cuts_long_texts_and_keeps_the_rest(void **state) {
  struct wt__qlog_record record;
  static char quotes[65536];
  (void)state;
  memset(quotes, '"', sizeof(quotes));
  wt__qlog_record_begin(&record, UINT64_MAX, "a:b");
  wt__qlog_record_text(&record, "path", quotes, sizeof(quotes));
  wt__qlog_record_text(&record, "reason", quotes, sizeof(quotes));
  wt__qlog_record_number(&record, "code", 7);
  for (int i = 0; i < 8; i++) wt__qlog_record_text(&record, "too much", quotes, sizeof(quotes));
  check_ended(&record);
  assert_true(has(&record, "\",\"reason\":\""));
  assert_true(has(&record, "\",\"code\":7,"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_qlog_record_has_time_name_and_data),
      cmocka_unit_test(test_qlog_record_without_members_is_valid),
      cmocka_unit_test(test_qlog_record_takes_any_bytes_of_a_stranger),
      cmocka_unit_test(test_qlog_record_cuts_long_texts_and_keeps_the_rest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
