/* SPDX-License-Identifier: MIT */
/* In which format a reader gets the metrics, and what labels look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/server_metrics.h"

#define OM "application/openmetrics-text"

static void check(enum wt_metrics_format expected, const char *accept) {
  if (metrics_format_of(accept) != expected) fail_msg("%s", accept);
}

static void test_openmetrics_for_whoever_names_it(void **state) {
  (void)state;
  check(WT_METRICS_OPENMETRICS, OM);
  check(WT_METRICS_OPENMETRICS, "Application/OpenMetrics-Text");
  check(WT_METRICS_OPENMETRICS, "text/plain;version=0.0.4;q=0.3, \t" OM " ; version=1.0.0; q=0.5,*/*;q=0.1");
  check(WT_METRICS_OPENMETRICS, "text/plain," OM);
  check(WT_METRICS_OPENMETRICS, OM ";q=1.0,text/plain;q=1");
  check(WT_METRICS_OPENMETRICS, ",," OM ";q=0.001,,*/*");
  check(WT_METRICS_OPENMETRICS, OM ";q=,text/plain;q=0.9");
}

static void test_the_older_format_for_others(void **state) {
  (void)state;
  check(WT_METRICS_PROMETHEUS, NULL);
  check(WT_METRICS_PROMETHEUS, "");
  check(WT_METRICS_PROMETHEUS, "*/*");
  check(WT_METRICS_PROMETHEUS, "application/*");
  check(WT_METRICS_PROMETHEUS, OM "ual");
  check(WT_METRICS_PROMETHEUS, "x" OM);
  check(WT_METRICS_PROMETHEUS, "text/html;about=" OM);
  check(WT_METRICS_PROMETHEUS, OM ";q=0");
  check(WT_METRICS_PROMETHEUS, OM ";q=0.000, */*");
  check(WT_METRICS_PROMETHEUS, OM ";q=0.45, text/plain;q=0.5");
  check(WT_METRICS_PROMETHEUS, "text/plain, " OM ";Q=0.999");
  check(WT_METRICS_PROMETHEUS, ";;q=1,;");
}

static void check_label(const char *expected, const char *value) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  assert_non_null(out);
  metric_label_print(out, value);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, expected);
  free(text);
}

static void test_labels_are_one_line_of_utf8(void **state) {
  (void)state;
  check_label("unix:/run/a b", "unix:/run/a b");
  check_label("a\\\\b\\\"c\\nd", "a\\b\"c\nd");
  check_label("caf\xc3\xa9", "caf\xc3\xa9");
  check_label("caf%E9\\n%C3%A9", "caf\xe9\n\xc3\xa9");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_openmetrics_for_whoever_names_it),
      cmocka_unit_test(test_the_older_format_for_others),
      cmocka_unit_test(test_labels_are_one_line_of_utf8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
