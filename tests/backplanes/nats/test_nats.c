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

static const struct kind kind = {.broker = BROKER_NATS,
                                 .scheme = "nats",
                                 .tls_scheme = "tls",
                                 .config_init = wt_backplane_nats_config_init,
                                 .new = wt_backplane_nats_new,
                                 .error = wt_backplane_nats_error};

static void test_defaults(void **state) {
  struct wt_broker_config config;
  (void)state;
  wt_backplane_nats_config_default(&config);
  assert_int_equal(config.size, sizeof(config));
  assert_string_equal(config.url, "nats://localhost");
  assert_string_equal(config.prefix, "wt");
}

static void test_refused(void **state) {
  (void)state;
  REFUSED(&kind, "path", WT_ERR_ADDRESS, config.url = "nats://u:s3cr@h/path");
  REFUSED(&kind, "port", WT_ERR_ADDRESS, config.url = "nats://u:s3cr@h:0");
  REFUSED(&kind, "prefix", WT_ERR_INVALID, config.prefix = "");
  REFUSED(&kind, "prefix", WT_ERR_INVALID, config.prefix = "a..b");
  REFUSED(&kind, "prefix", WT_ERR_INVALID, config.prefix = "a.*");
  REFUSED(&kind, "Redis", WT_ERR_INVALID, config.sharded = true);
}

int main(void) {
  const struct CMUnitTest tests[] = {TESTS_OF(&kind), cmocka_unit_test(test_defaults), cmocka_unit_test(test_refused)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (failed == 0) nats_CloseAndWait(10000); /* ends the threads of nats.c, whose memory would count as leaked */
  return failed;
}
