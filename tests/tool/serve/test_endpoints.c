/* SPDX-License-Identifier: MIT */
/* The tool's routes before a real client: requests and sessions for hosts that are not ours, and the origins of
 * pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <uv.h>

#include <webtransport/client.h>

#include "serve/endpoints.h"
#include "common/tool_log.h"
#include "common/origins.h"
#include "serve/endpoint_session.h"

static struct bed {
  uv_loop_t loop;
  struct hosts hosts;
  struct origins origins;
  struct site site;
  struct endpoints endpoints;
  wt_server *server;
  wt_client *client;
  uint8_t hash[32];
  char address[64];
  bool done;
  int status, error;
} bed;

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  (void)dial;
  (void)user_data;
  bed.done = true;
  bed.status = result->status;
  bed.error = result->error;
  if (result->session) wt_session_close(result->session, 0, "", 0);
}

static void on_response(wt_exchange *exchange, int status, void *user_data) {
  (void)exchange;
  (void)user_data;
  bed.status = status;
}

static void on_exchange_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  (void)message;
  (void)exchange;
  (void)user_data;
  bed.done = true;
  bed.error = error;
}

static void run(void) {
  while (!bed.done) uv_run(&bed.loop, UV_RUN_ONCE);
}

/* Asks for a session at /echo of `host`; returns the status of the answer. */
static int dial(const char *host, const char *origin) {
  struct wt_dial_options options;
  wt_dial *dial;
  char url[128];
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  options.callbacks = &dial_callbacks;
  options.origin = origin;
  snprintf(url, sizeof url, "https://%s:%u/echo", host, bed.site.port);
  bed.done = false;
  assert_int_equal(wt_client_dial(bed.client, url, &options, &dial), 0);
  run();
  return bed.status;
}

static int get(const char *host, const char *path) {
  struct wt_exchange_options options;
  wt_exchange *exchange;
  char url[128];
  wt_exchange_options_default(&options);
  static const struct wt_exchange_callbacks exchange_callbacks = {.on_response = on_response,
                                                                  .on_close = on_exchange_close};
  options.callbacks = &exchange_callbacks;
  snprintf(url, sizeof url, "https://%s:%u%s", host, bed.site.port, path);
  bed.done = false;
  bed.status = 0;
  assert_int_equal(wt_client_request(bed.client, url, &options, &exchange), 0);
  run();
  return bed.status;
}

static void server_open(void) {
  static const char *const listen = "127.0.0.1:0";
  struct wt_server_config config;
  wt_certificate *certificate;
  wt_server_config_default(&config);
  config.listen = &listen;
  config.loop = &bed.loop;
  config.check_origin = origins_check;
  config.check_origin_user_data = &bed.origins;
  assert_int_equal(wt_server_new(&config, &bed.server, NULL, 0), 0);
  assert_int_equal(endpoints_add(bed.server, &bed.endpoints), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  wt_certificate_get_sha256(certificate, bed.hash);
  assert_int_equal(wt_server_add_certificate(bed.server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(bed.server), 0);
  assert_int_equal(wt_server_get_address(bed.server, 0, bed.address, sizeof bed.address), 0);
  bed.site.port = (uint16_t)strtoul(strrchr(bed.address, ':') + 1, NULL, 10);
}

static int setup(void **state) {
  struct wt_client_config config;
  (void)state;
  memset(&bed, 0, sizeof bed);
  log_set_level(WT_LOG_NONE);
  assert_int_equal(uv_loop_init(&bed.loop), 0);
  hosts_init(&bed.hosts);
  bed.site.recorder = bed.endpoints.recorder = recorder_new(false);
  bed.endpoints.site = &bed.site;
  bed.endpoints.hosts = &bed.hosts;
  server_open();
  wt_client_config_default(&config);
  config.loop = &bed.loop;
  config.certificate_hashes = (const uint8_t(*)[32]) & bed.hash;
  config.certificate_hash_count = 1;
  assert_int_equal(wt_client_new(&config, &bed.client, NULL, 0), 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  wt_client_free(bed.client);
  wt_server_free(bed.server);
  recorder_free(bed.site.recorder);
  hosts_free(&bed.hosts);
  while (uv_run(&bed.loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&bed.loop), 0);
  return 0;
}

/* Takes away that "localhost" is ours: then it is as a name that a page has bound to this machine's address. */
static void localhost_is_foreign(void) { bed.hosts.count = 0; }

static void test_a_session_for_another_host_is_refused(void **state) {
  (void)state;
  assert_int_equal(dial("localhost", NULL), 200);
  assert_int_equal(bed.error, 0);
  localhost_is_foreign();
  assert_int_equal(dial("localhost", NULL), 421);
  assert_int_equal(bed.error, WT_ERR_REJECTED);
  assert_int_equal(dial("127.0.0.1", NULL), 200);
}

static void test_a_page_of_a_rebound_name_is_not_same_origin(void **state) {
  char origin[64];
  (void)state;
  snprintf(origin, sizeof origin, "https://localhost:%u", bed.site.port);
  assert_int_equal(dial("localhost", origin), 200);
  localhost_is_foreign();
  assert_int_equal(dial("localhost", origin), 421);
  bed.origins.any = true;
  assert_int_equal(dial("localhost", origin), 421);
  assert_null(hosts_add(&bed.hosts, "any"));
  assert_int_equal(dial("localhost", origin), 200);
}

static void test_a_request_for_another_host_is_refused_at_every_path(void **state) {
  static const char *const paths[] = {"/", "/app.js", "/nothing", "/info.json", "/source?bytes=1", "/echo", NULL};
  (void)state;
  assert_int_equal(get("localhost", "/info.json"), 200);
  localhost_is_foreign();
  for (size_t i = 0; paths[i]; i++) assert_int_equal(get("localhost", paths[i]), 421);
  assert_int_equal(get("127.0.0.1", "/info.json"), 200);
}

static void test_origins_compare_whole(void **state) {
  static const char *const foreign[] = {"https://example.com:8443",
                                        "http://example.com",
                                        "https://a.example.com",
                                        "https://example.com.evil",
                                        "https://example.com/",
                                        "https://example.com:443:1",
                                        "https://user@example.com",
                                        "https://example.comx",
                                        "https://example.com:0443x",
                                        "null",
                                        "example.com",
                                        "https://",
                                        "https://example.com,https://b",
                                        "https://example.com#",
                                        "//example.com",
                                        NULL};
  static const char *const good[] = {"https://example.com", "HTTPS://Example.COM:443", "http://[::1]:8080", NULL};
  (void)state;
  bed.origins.chosen = true;
  assert_null(origins_add(&bed.origins, "https://Example.com"));
  assert_null(origins_add(&bed.origins, "http://[0:0::0:1]:8080"));
  for (size_t i = 0; good[i]; i++) {
    if (dial("localhost", good[i]) != 200) fail_msg("'%s' was refused", good[i]);
  }
  for (size_t i = 0; foreign[i]; i++) {
    if (dial("localhost", foreign[i]) != 403) fail_msg("'%s': %d", foreign[i], bed.status);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_session_for_another_host_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_page_of_a_rebound_name_is_not_same_origin, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_request_for_another_host_is_refused_at_every_path, setup, teardown),
      cmocka_unit_test_setup_teardown(test_origins_compare_whole, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
