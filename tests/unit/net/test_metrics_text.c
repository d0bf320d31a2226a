/* SPDX-License-Identifier: MIT */

/* src/net/metrics_text.c: the lines of both formats, labels of any length, pieces. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/metrics_text.h"

struct written {
  char text[8192];
  size_t len, pieces;
};

static void note(const char *text, size_t len, void *user_data) {
  struct written *written = user_data;
  assert_true(len > 0 && len < sizeof(written->text) - written->len);
  assert_null(memchr(text, '\0', len));
  memcpy(written->text + written->len, text, len);
  written->len += len;
  written->pieces++;
}

static struct wt__metrics_text text_to(struct written *written, enum wt_metrics_format format) {
  memset(written, 0, sizeof(*written));
  return (struct wt__metrics_text){.format = format, .write = note, .user_data = written};
}

static void write_both_kinds(struct written *written, enum wt_metrics_format format) {
  struct wt__metrics_text text = text_to(written, format);
  wt__metrics_family(&text, "sent_bytes", WT__METRICS_COUNTER, "bytes", "What was sent");
  wt__metrics_sample(&text, NULL, 0, UINT64_MAX);
  wt__metrics_family(&text, "longest_turn_seconds", WT__METRICS_GAUGE, "seconds", "The longest turn");
  wt__metrics_sample_ns(&text, NULL, 0, UINT64_C(12003000004));
  wt__metrics_end(&text);
}

static void test_metrics_text_of_openmetrics(void **state) {
  struct written written;
  (void)state;
  write_both_kinds(&written, WT_METRICS_OPENMETRICS);
  assert_string_equal(written.text, "# HELP webtransport_sent_bytes What was sent.\n"
                                    "# TYPE webtransport_sent_bytes counter\n"
                                    "# UNIT webtransport_sent_bytes bytes\n"
                                    "webtransport_sent_bytes_total 18446744073709551615\n"
                                    "# HELP webtransport_longest_turn_seconds The longest turn.\n"
                                    "# TYPE webtransport_longest_turn_seconds gauge\n"
                                    "# UNIT webtransport_longest_turn_seconds seconds\n"
                                    "webtransport_longest_turn_seconds 12.003000004\n"
                                    "# EOF\n");
}

static void test_metrics_text_of_prometheus(void **state) {
  struct written written;
  (void)state;
  write_both_kinds(&written, WT_METRICS_PROMETHEUS);
  assert_string_equal(written.text, "# HELP webtransport_sent_bytes_total What was sent.\n"
                                    "# TYPE webtransport_sent_bytes_total counter\n"
                                    "webtransport_sent_bytes_total 18446744073709551615\n"
                                    "# HELP webtransport_longest_turn_seconds The longest turn.\n"
                                    "# TYPE webtransport_longest_turn_seconds gauge\n"
                                    "webtransport_longest_turn_seconds 12.003000004\n");
}

static void test_metrics_text_escapes_labels(void **state) {
  const struct wt__metrics_label labels[] = {{"route", "/a\"\\\n"}, {"draft", "15"}};
  struct written written;
  struct wt__metrics_text text = text_to(&written, WT_METRICS_PROMETHEUS);
  (void)state;
  wt__metrics_family(&text, "sessions", WT__METRICS_COUNTER, "", "Sessions");
  wt__metrics_sample(&text, labels, 2, 7);
  wt__metrics_end(&text);
  assert_non_null(strstr(written.text, "\nwebtransport_sessions_total{route=\"/a\\\"\\\\\\n\",draft=\"15\"} 7\n"));
}

static void test_metrics_text_is_utf8(void **state) {
  static const struct {
    const char *value, *expected;
  } cases[] = {
      {"/caf\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", "/caf\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80"},
      {"\xff", "%FF"},
      {"/caf\xe9/x", "/caf%E9/x"},
      {"\xc3\xc3\xa9", "%C3\xc3\xa9"},
      {"\xe2\x80", "%E2%80"},
      {"\xed\xa0\x80", "%ED%A0%80"},
      {"\xc0\x8a\n", "%C0%8A\\n"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct wt__metrics_label label = {"route", cases[i].value};
    struct written written;
    struct wt__metrics_text text = text_to(&written, WT_METRICS_PROMETHEUS);
    char expected[100];
    wt__metrics_family(&text, "sessions", WT__METRICS_GAUGE, "", "Sessions");
    wt__metrics_sample(&text, &label, 1, 7);
    wt__metrics_end(&text);
    (void)snprintf(expected, sizeof(expected), "\nwebtransport_sessions{route=\"%s\"} 7\n", cases[i].expected);
    if (!strstr(written.text, expected)) fail_msg("%zu: %s", i, written.text);
  }
}

static void test_metrics_text_of_a_histogram(void **state) {
  static const uint64_t bounds[WT__HISTOGRAM_BOUNDS] = {500000,      1000000000,  2000000000,  3000000000, 4000000000,
                                                        5000000000,  6000000000,  7000000000,  8000000000, 9000000000,
                                                        10000000000, 11000000000, 12000000000, 13500000000};
  struct wt__histogram one = {.bounds = bounds}, two = {.bounds = bounds};
  const struct wt__histogram *const both[] = {&one, &two};
  struct written written;
  struct wt__metrics_text text = text_to(&written, WT_METRICS_PROMETHEUS);
  (void)state;
  wt__histogram_record(&one, 500000);
  wt__histogram_record(&two, 250000000);
  wt__histogram_record(&two, 60000000000);
  wt__metrics_family(&text, "wait_seconds", WT__METRICS_HISTOGRAM, "seconds", "Waits");
  wt__metrics_histogram(&text, both, 2);
  wt__metrics_end(&text);
  assert_non_null(strstr(written.text, "# TYPE webtransport_wait_seconds histogram\n"
                                       "webtransport_wait_seconds_bucket{le=\"0.0005\"} 1\n"
                                       "webtransport_wait_seconds_bucket{le=\"1.0\"} 2\n"));
  assert_non_null(strstr(written.text, "webtransport_wait_seconds_bucket{le=\"13.5\"} 2\n"
                                       "webtransport_wait_seconds_bucket{le=\"+Inf\"} 3\n"
                                       "webtransport_wait_seconds_count 3\n"
                                       "webtransport_wait_seconds_sum 60.2505\n"));
}

static void test_metrics_text_comes_in_pieces(void **state) {
  struct written written;
  struct wt__metrics_text text = text_to(&written, WT_METRICS_PROMETHEUS);
  char route[4000];
  const struct wt__metrics_label label = {"route", route};
  (void)state;
  memset(route, 'r', sizeof(route) - 1);
  route[sizeof(route) - 1] = '\0';
  wt__metrics_family(&text, "sessions", WT__METRICS_GAUGE, "", "Sessions");
  wt__metrics_sample(&text, &label, 1, 1);
  wt__metrics_end(&text);
  assert_non_null(strstr(written.text, route));
  assert_string_equal(written.text + written.len - 6, "r\"} 1\n");
  assert_int_equal(written.pieces, (written.len + 1023) / 1024);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_metrics_text_of_openmetrics), cmocka_unit_test(test_metrics_text_of_prometheus),
      cmocka_unit_test(test_metrics_text_escapes_labels), cmocka_unit_test(test_metrics_text_is_utf8),
      cmocka_unit_test(test_metrics_text_of_a_histogram), cmocka_unit_test(test_metrics_text_comes_in_pieces),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
