/* SPDX-License-Identifier: MIT */

/*
 * The backplane over NATS, with nats-server as a process of its own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <nats/nats.h>

#include <webtransport/backplane_nats.h>
#include <webtransport/error.h>

#include "cases.h"

static struct wt_backplane *make(struct hub *hub, const struct options *options) {
  struct wt_backplane_nats_config config;
  struct wt_backplane *backplane = NULL;
  wt_backplane_nats_config_default(&config, sizeof(config));
  config.url = options->url;
  config.ca_file = options->ca_file;
  config.password = options->password;
  if (options->max_queue_bytes) config.max_queue_bytes = options->max_queue_bytes;
  config.timeout_ms = options->timeout_ms ? options->timeout_ms : 20000; /* however busy the machine is */
  config.on_event = hub_on_event;
  config.user_data = hub;
  if (wt_backplane_nats_new(&config, &backplane) != 0) fail_msg("%s", wt_backplane_nats_error());
  return backplane;
}

static const struct kind nats = {.broker = BROKER_NATS, .scheme = "nats", .tls_scheme = "tls", .make = make};

static void test_both_ways(void **state) {
  (void)state;
  case_both_ways(&nats, false);
}

static void test_tls(void **state) {
  (void)state;
  case_both_ways(&nats, true);
}

static void test_restart(void **state) {
  (void)state;
  case_restart(&nats);
}

static void test_frozen(void **state) {
  (void)state;
  case_frozen(&nats);
}

static void test_no_broker_at_start(void **state) {
  (void)state;
  case_no_broker_at_start(&nats);
}

static void test_wrong_password(void **state) {
  (void)state;
  case_wrong_password(&nats);
}

static void test_wrong_authority(void **state) {
  (void)state;
  case_wrong_authority(&nats);
}

static void test_silent_broker(void **state) {
  (void)state;
  case_silent_broker(&nats);
}

static void test_bounded_queue(void **state) {
  (void)state;
  case_bounded_queue(&nats);
}

static void test_publish_on_threads(void **state) {
  (void)state;
  case_publish_on_threads(&nats);
}

static void test_stopped_early(void **state) {
  (void)state;
  case_stopped_early(&nats);
}

/* --- Configurations that are refused. --- */

static void refused(const struct wt_backplane_nats_config *config, int error, const char *word) {
  struct wt_backplane *backplane = (struct wt_backplane *)1;
  assert_int_equal(wt_backplane_nats_new(config, &backplane), error);
  assert_null(backplane);
  if (!strstr(wt_backplane_nats_error(), word)) fail_msg("%s has no '%s'", wt_backplane_nats_error(), word);
  assert_null(strstr(wt_backplane_nats_error(), "s3cr"));
}

static void test_refused(void **state) {
  struct wt_backplane_nats_config config, ok;
  (void)state;
  wt_backplane_nats_config_default(&ok, sizeof(ok));
#define REFUSED(member, value, error, word) \
  do {                                      \
    config = ok;                            \
    config.member = value;                  \
    refused(&config, error, word);          \
  } while (0)
  REFUSED(size, 8, WT_ERR_INVALID, "configuration");
  REFUSED(url, NULL, WT_ERR_INVALID, "url");
  REFUSED(url, "redis://u:s3cr@h", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "nats://u:s3cr@h/path", WT_ERR_ADDRESS, "path");
  REFUSED(url, "nats://u:s3cr@h:0", WT_ERR_ADDRESS, "port");
  REFUSED(prefix, NULL, WT_ERR_INVALID, "prefix");
  REFUSED(prefix, "", WT_ERR_INVALID, "prefix");
  REFUSED(prefix, "a..b", WT_ERR_INVALID, "prefix");
  REFUSED(prefix, "a.*", WT_ERR_INVALID, "prefix");
  REFUSED(timeout_ms, 1, WT_ERR_INVALID, "timeout_ms");
  REFUSED(key_file, "/nonexistent/key.pem", WT_ERR_INVALID, "certificate_file");
  ok.url = "tls://h";
  REFUSED(ca_file, "/nonexistent/ca.pem", WT_ERR_FILE, "/nonexistent/ca.pem");
  refused(NULL, WT_ERR_INVALID, "configuration");
  assert_int_equal(wt_backplane_nats_new(&ok, NULL), WT_ERR_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_ways),
      cmocka_unit_test(test_tls),
      cmocka_unit_test(test_restart),
      cmocka_unit_test(test_frozen),
      cmocka_unit_test(test_no_broker_at_start),
      cmocka_unit_test(test_wrong_password),
      cmocka_unit_test(test_wrong_authority),
      cmocka_unit_test(test_silent_broker),
      cmocka_unit_test(test_bounded_queue),
      cmocka_unit_test(test_publish_on_threads),
      cmocka_unit_test(test_stopped_early),
      cmocka_unit_test(test_refused),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (failed == 0) nats_CloseAndWait(10000); /* ends the threads of nats.c, whose memory would count as leaked */
  return failed;
}
