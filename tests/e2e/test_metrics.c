/* SPDX-License-Identifier: MIT */

/* `wt_server_write_metrics` of a server with two workers, on a thread that is none of them: the values are those of what
 * clients did. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/metrics.h>

#include "bed.h"

enum {
  GUESTS = 12
};

struct written {
  char text[65536];
  size_t len;
};

static void note(const char *text, size_t len, void *user_data) {
  struct written *written = user_data;
  assert_true(len < sizeof(written->text) - written->len);
  memcpy(written->text + written->len, text, len);
  written->len += len;
  written->text[written->len] = '\0';
}

/* The value of the sample that begins with `name`, with its labels if it has any. */
static double value_of(const struct bed *bed, const char *name) {
  static struct written written;
  char line[256];
  written.len = 0;
  assert_int_equal(wt_server_write_metrics(bed->server, WT_METRICS_OPENMETRICS, note, &written), 0);
  assert_string_equal(written.text + written.len - 6, "# EOF\n");
  (void)snprintf(line, sizeof(line), "\nwebtransport_%s ", name);
  const char *at = strstr(written.text, line);
  if (!at) fail_msg("there is no %s", name);
  return at ? strtod(at + strlen(line), NULL) : -1;
}

static double ended(const struct bed *bed, const char *cause, const char *by) {
  double sum = 0;
  static const char *const drafts[] = {"02", "07", "13", "15"};
  for (size_t i = 0; i < sizeof(drafts) / sizeof(*drafts); i++) {
    char name[128];
    (void)snprintf(name, sizeof(name), "sessions_ended_total{cause=\"%s\",by=\"%s\",draft=\"%s\"}", cause, by,
                   drafts[i]);
    sum += value_of(bed, name);
  }
  return sum;
}

static void wait_for(const struct bed *bed, const char *name, double value) {
  for (long turns = 0; value_of(bed, name) != value; turns++) {
    assert_true(turns < 10000);
    uv_sleep(1);
  }
}

static void test_metrics_tell_what_clients_did(void **state) {
  struct bed bed;
  struct wt_server_config config;
  size_t left;
  (void)state;
  bed_config(&config, 2);
  bed_open(&bed, &config, false);
  bed_run(&bed);
  pair_client(&bed.pair, NULL);
  struct guest *guests = guests_dial(&bed, GUESTS, &left);
  wait_for(&bed, "sessions_open", GUESTS);
  assert_true(value_of(&bed, "sessions_total") == GUESTS);
  assert_true(value_of(&bed, "requests_total") == GUESTS);
  assert_true(value_of(&bed, "received_bytes_total") > GUESTS * ECHO_LEN);
  assert_true(value_of(&bed, "handshake_duration_seconds_count") == GUESTS);
  assert_true(value_of(&bed, "handshake_duration_seconds_bucket{le=\"+Inf\"}") == GUESTS);
  assert_true(value_of(&bed, "handshake_duration_seconds_sum") > 0);
  assert_true(value_of(&bed, "session_accept_duration_seconds_count") == GUESTS);
  assert_true(value_of(&bed, "session_duration_seconds_count") == 0);
  assert_true(value_of(&bed, "route_requests_total{route=\"/session\"}") == GUESTS);
  assert_true(value_of(&bed, "route_sessions_total{route=\"/session\"}") == GUESTS);
  assert_true(value_of(&bed, "responses_total{class=\"2xx\"}") == GUESTS);
  assert_true(value_of(&bed, "responses_total{class=\"4xx\"}") == 0);
  assert_true(value_of(&bed, "sessions_accepted_total{draft=\"15\",browser=\"none\"}") == GUESTS);
  assert_true(value_of(&bed, "sessions_accepted_total{draft=\"02\",browser=\"chromium\"}") == 0);
  assert_int_equal(wt_session_close(guests[0].dialed.session, 7, "", 0), 0);
  while (ended(&bed, "peer", "peer") != 1) uv_run(&bed.pair.loop, UV_RUN_NOWAIT);
  assert_true(value_of(&bed, "session_duration_seconds_count") == 1);
  assert_true(value_of(&bed, "connection_round_trip_seconds_count") <= 1);
  assert_true(value_of(&bed, "congestion_control{algorithm=\"cubic\"}") == 1);
  assert_true(value_of(&bed, "connections_limit") == (double)config.max_connections);
  assert_true(value_of(&bed, "memory_limit_bytes") == (double)config.max_memory);
  assert_true(value_of(&bed, "certificate_expires_at_seconds") == (double)wt_certificate_expires_at(bed.certificate));
  assert_true(value_of(&bed, "draining") == 0);
  wt_server_shutdown(bed.server, 10000);
  wait_for(&bed, "draining", 1);
  bed_close(&bed);
  free(guests);
}

static void test_metrics_arguments(void **state) {
  static struct written written;
  struct bed bed;
  struct wt_server_config config;
  (void)state;
  bed_config(&config, 1);
  bed_open(&bed, &config, false);
  assert_int_equal(wt_server_write_metrics(NULL, WT_METRICS_PROMETHEUS, note, &written), WT_ERR_INVALID);
  assert_int_equal(wt_server_write_metrics(bed.server, WT_METRICS_PROMETHEUS, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_server_write_metrics(bed.server, (enum wt_metrics_format)2, note, &written), WT_ERR_INVALID);
  assert_int_equal(written.len, 0);
  assert_int_equal(wt_server_write_metrics(bed.server, WT_METRICS_PROMETHEUS, note, &written), 0);
  assert_null(strstr(written.text, "# EOF"));
  assert_string_equal(wt_metrics_content_type(WT_METRICS_PROMETHEUS), "text/plain; version=0.0.4; charset=utf-8");
  bed_close(&bed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_metrics_tell_what_clients_did),
      cmocka_unit_test(test_metrics_arguments),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
