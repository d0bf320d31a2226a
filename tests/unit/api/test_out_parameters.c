/* SPDX-License-Identifier: MIT */

/* What functions give after an error, by the rule of webtransport.h: a handle is NULL, a text is "". Counts and handles
 * that need a connection: core/test_stream.c, and test_request.c, test_exchange.c and test_upgrade.c of h3/. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <webtransport/webtransport.h>

/* What a variable may hold that nobody has set. */
#define UNSET ((void *)(uintptr_t)0x5a5a)

static void test_certificates_are_null(void **state) {
  wt_certificate *certificate = UNSET;
  char *cert = UNSET, *key = UNSET, message[200];
  (void)state;
  assert_int_equal(wt_certificate_load("/nowhere", "/nowhere", &certificate, message, sizeof(message)), WT_ERR_FILE);
  assert_null(certificate);
  certificate = UNSET;
  assert_int_equal(wt_certificate_parse("x", 1, "y", 1, &certificate, NULL, 0), WT_ERR_CERTIFICATE);
  assert_null(certificate);
  certificate = UNSET;
  assert_int_equal(wt_certificate_parse("x", SIZE_MAX, "y", 1, &certificate, NULL, 0), WT_ERR_CERTIFICATE);
  assert_null(certificate);
  certificate = UNSET;
  assert_int_equal(wt_certificate_generate(NULL, 0, 99, &certificate), WT_ERR_INVALID);
  assert_null(certificate);
  assert_int_equal(wt_certificate_export(NULL, &cert, &key), WT_ERR_INVALID);
  assert_null(cert);
  assert_null(key);
}

static void test_servers_are_null_and_addresses_empty(void **state) {
  struct wt_server_config config;
  wt_server *server = UNSET;
  char address[64] = "unset";
  (void)state;
  wt_server_config_default(&config);
  config.log_level = WT_LOG_NONE;
  config.workers = 0;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), WT_ERR_INVALID);
  assert_null(server);
  config.workers = 1;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  assert_int_equal(wt_server_get_address(server, 99, address, sizeof(address)), WT_ERR_NOT_FOUND);
  assert_string_equal(address, "");
  wt_server_free(server);
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  (void)dial, (void)result, (void)user_data;
}

static void test_what_a_client_gives_is_null(void **state) {
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  struct wt_client_config config;
  struct wt_dial_options options;
  wt_client *client = UNSET;
  wt_dial *dial = UNSET;
  wt_exchange *exchange = UNSET;
  (void)state;
  wt_client_config_default(&config);
  config.max_connections = 0;
  assert_int_equal(wt_client_new(&config, &client, NULL, 0), WT_ERR_INVALID);
  assert_null(client);
  assert_int_equal(wt_client_new(NULL, &client, NULL, 0), 0);
  wt_dial_options_default(&options);
  options.callbacks = &callbacks;
  assert_int_equal(wt_client_dial(client, "no URL", &options, &dial), WT_ERR_ADDRESS);
  assert_null(dial);
  assert_int_equal(wt_client_request(client, "no URL", NULL, &exchange), WT_ERR_ADDRESS);
  assert_null(exchange);
  wt_client_free(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_certificates_are_null),
      cmocka_unit_test(test_servers_are_null_and_addresses_empty),
      cmocka_unit_test(test_what_a_client_gives_is_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
