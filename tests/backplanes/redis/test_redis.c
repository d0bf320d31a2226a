/* SPDX-License-Identifier: MIT */

/*
 * The backplane over Redis, with redis-server as a process of its own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/backplane_redis.h>
#include <webtransport/error.h>

#include "cases.h"

static struct wt_backplane_redis_config config_of(struct hub *hub, const struct options *options) {
  struct wt_backplane_redis_config config;
  wt_backplane_redis_config_default(&config, sizeof(config));
  config.url = options->url;
  config.ca_file = options->ca_file;
  config.password = options->password;
  if (options->max_queue_bytes) config.max_queue_bytes = options->max_queue_bytes;
  config.timeout_ms = options->timeout_ms ? options->timeout_ms : 20000; /* however busy the machine is */
  config.on_event = hub_on_event;
  config.user_data = hub;
  return config;
}

static struct wt_backplane *make(struct hub *hub, const struct options *options) {
  struct wt_backplane_redis_config config = config_of(hub, options);
  struct wt_backplane *backplane = NULL;
  if (wt_backplane_redis_new(&config, &backplane) != 0) fail_msg("%s", wt_backplane_redis_error());
  return backplane;
}

static struct wt_backplane *make_sharded(struct hub *hub, const struct options *options) {
  struct wt_backplane_redis_config config = config_of(hub, options);
  struct wt_backplane *backplane = NULL;
  config.sharded = true;
  config.prefix = "wt:{1}:";
  assert_int_equal(wt_backplane_redis_new(&config, &backplane), 0);
  return backplane;
}

static const struct kind redis = {.broker = BROKER_REDIS, .scheme = "redis", .tls_scheme = "rediss", .make = make};
static const struct kind sharded = {
    .broker = BROKER_REDIS, .scheme = "redis", .tls_scheme = "rediss", .make = make_sharded};

static void test_both_ways(void **state) {
  (void)state;
  case_both_ways(&redis, false);
}

static void test_tls(void **state) {
  (void)state;
  case_both_ways(&redis, true);
}

static void test_sharded(void **state) {
  (void)state;
  case_both_ways(&sharded, false);
}

static void test_restart(void **state) {
  (void)state;
  case_restart(&redis);
}

static void test_frozen(void **state) {
  (void)state;
  case_frozen(&redis);
}

static void test_no_broker_at_start(void **state) {
  (void)state;
  case_no_broker_at_start(&redis);
}

static void test_wrong_password(void **state) {
  (void)state;
  case_wrong_password(&redis);
}

static void test_wrong_authority(void **state) {
  (void)state;
  case_wrong_authority(&redis);
}

static void test_silent_broker(void **state) {
  (void)state;
  case_silent_broker(&redis);
}

static void test_bounded_queue(void **state) {
  (void)state;
  case_bounded_queue(&redis);
}

static void test_publish_on_threads(void **state) {
  (void)state;
  case_publish_on_threads(&redis);
}

static void test_stopped_early(void **state) {
  (void)state;
  case_stopped_early(&redis);
}

/* --- Configurations that are refused. --- */

static void refused(const struct wt_backplane_redis_config *config, int error, const char *word) {
  struct wt_backplane *backplane = (struct wt_backplane *)1;
  assert_int_equal(wt_backplane_redis_new(config, &backplane), error);
  assert_null(backplane);
  if (!strstr(wt_backplane_redis_error(), word)) fail_msg("%s has no '%s'", wt_backplane_redis_error(), word);
  assert_null(strstr(wt_backplane_redis_error(), "s3cr"));
}

static void test_refused(void **state) {
  struct wt_backplane_redis_config config, ok;
  (void)state;
  wt_backplane_redis_config_default(&ok, sizeof(ok));
#define REFUSED(member, value, error, word) \
  do {                                      \
    config = ok;                            \
    config.member = value;                  \
    refused(&config, error, word);          \
  } while (0)
  REFUSED(size, 8, WT_ERR_INVALID, "configuration");
  REFUSED(url, NULL, WT_ERR_INVALID, "url");
  REFUSED(url, "", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "http://u:s3cr@h", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "redis://u:s3cr@", WT_ERR_ADDRESS, "host");
  REFUSED(url, "redis://u:s3/cr@h", WT_ERR_ADDRESS, "host");
  REFUSED(url, "redis://u:s3cr%0@h", WT_ERR_ADDRESS, "percent");
  REFUSED(url, "redis://h,", WT_ERR_ADDRESS, "scheme");
  REFUSED(url, "redis://user@h", WT_ERR_INVALID, "no password");
  REFUSED(url, "redis://h/x", WT_ERR_INVALID, "number");
  REFUSED(prefix, NULL, WT_ERR_INVALID, "prefix");
  REFUSED(sharded, true, WT_ERR_INVALID, "hash tag");
  REFUSED(reconnect_min_ms, 0, WT_ERR_INVALID, "reconnect_min_ms");
  REFUSED(reconnect_max_ms, 1, WT_ERR_INVALID, "reconnect_max_ms");
  REFUSED(resend_delay_ms, 3600001, WT_ERR_INVALID, "resend_delay_ms");
  REFUSED(timeout_ms, 1, WT_ERR_INVALID, "timeout_ms");
  REFUSED(max_message_bytes, 0, WT_ERR_INVALID, "max_message_bytes");
  REFUSED(max_topics, 0, WT_ERR_INVALID, "max_topics");
  ok.url = "rediss://h";
  REFUSED(ca_file, "/nonexistent/ca.pem", WT_ERR_FILE, "/nonexistent/ca.pem");
  REFUSED(key_file, "/nonexistent/key.pem", WT_ERR_INVALID, "certificate_file");
  refused(NULL, WT_ERR_INVALID, "configuration");
  assert_int_equal(wt_backplane_redis_new(&ok, NULL), WT_ERR_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_ways),
      cmocka_unit_test(test_tls),
      cmocka_unit_test(test_sharded),
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
  return cmocka_run_group_tests(tests, NULL, NULL);
}
