/* SPDX-License-Identifier: MIT */
/* The options of commands that dial, read from a command line, and what they make of the library's structures. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "command.h"
#include "common/client_settings.h"

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct option_spec options[] = {CLIENT_OPTIONS, {0}};
static const struct operand_spec operands[] = {CLIENT_OPERAND, {0}};
static const struct command command = {
    .name = "test", .summary = "", .details = "", .options = options, .operands = operands};

/* Reads the words, ended by NULL. */
static enum options_outcome parse(struct client_settings *client, ...) {
  char *argv[64] = {(char[]){"test"}};
  int argc = 1;
  va_list args;
  va_start(args, client);
  while ((argv[argc] = va_arg(args, char *))) argc++;
  va_end(args);
  client_settings_default(client);
  return options_parse(&command, argc, argv, client);
}

static void test_defaults_leave_the_library_alone(void **state) {
  struct client_settings client;
  struct wt_client_config config = {0};
  struct wt_dial_options dial = {0};
  (void)state;
  assert_int_equal(parse(&client, "https://a/", NULL), OPTIONS_RUN);
  client_settings_configure(&client, &config);
  client_settings_dial_options(&client, &dial);
  assert_string_equal(client.url, "https://a/");
  assert_null(config.ca_file);
  assert_null(config.certificate_hashes);
  assert_false(config.dangerously_accept_any_certificate);
  assert_true(config.require_reset_stream_at);
  assert_null(dial.origin);
  assert_int_equal(dial.header_count, 0);
  assert_int_equal(dial.protocol_count, 0);
  assert_int_equal(dial.timeout_ms, 10000);
  client_settings_free(&client);
}

static void test_each_option_reaches_the_library(void **state) {
  struct client_settings client;
  struct wt_client_config config = {0};
  struct wt_dial_options dial = {0};
  (void)state;
  assert_int_equal(parse(&client, "--insecure-hash", HASH, "-H", "X-A: 1", "https://a/", "--header=b: 2", "-pchat",
                         "--protocol", "v2", "-o", "https://b", "--timeout", "250us", "--without-reset-stream-at",
                         NULL),
                   OPTIONS_RUN);
  client_settings_configure(&client, &config);
  assert_false(config.require_reset_stream_at);
  client_settings_dial_options(&client, &dial);
  assert_int_equal(config.certificate_hash_count, 1);
  for (unsigned i = 0; i < 32; i++) assert_int_equal(config.certificate_hashes[0][i], i);
  assert_string_equal(dial.origin, "https://b");
  assert_int_equal(dial.header_count, 2);
  assert_string_equal(dial.headers[0].name, "x-a");
  assert_string_equal(dial.headers[0].value, "1");
  assert_string_equal(dial.headers[1].name, "b");
  assert_int_equal(dial.protocol_count, 2);
  assert_string_equal(dial.protocols[0], "chat");
  assert_string_equal(dial.protocols[1], "v2");
  assert_int_equal(dial.timeout_ms, 1); /* rounded up: 0 would wait for ever */
  client_settings_free(&client);
}

static void test_ways_to_trust_exclude_each_other(void **state) {
  char *const ways[] = {(char[]){"--ca=ca.pem"}, (char[]){"--insecure-hash=" HASH},
                        (char[]){"--dangerously-accept-any-certificate"}};
  struct client_settings client;
  (void)state;
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < 3; j++) {
      if (i == j) continue;
      assert_int_equal(parse(&client, ways[i], ways[j], "https://a/", NULL), OPTIONS_WRONG);
      client_settings_free(&client);
    }
  assert_int_equal(parse(&client, ways[1], ways[1], "https://a/", NULL), OPTIONS_RUN);
  assert_int_equal(client.hash_count, 2);
}

static void test_lists_are_bounded(void **state) {
  struct client_settings client;
  char message[200];
  (void)state;
  client_settings_default(&client);
  for (size_t i = 0; i < CLIENT_LIST_MAX; i++) {
    assert_true(client_set_hash(&client, HASH, message, sizeof message));
    assert_true(client_set_header(&client, "a: b", message, sizeof message));
    assert_true(client_set_protocol(&client, "a", message, sizeof message));
  }
  assert_false(client_set_hash(&client, HASH, message, sizeof message));
  assert_false(client_set_header(&client, "a: b", message, sizeof message));
  assert_false(client_set_protocol(&client, "a", message, sizeof message));
  client_settings_free(&client);
}

static void test_operands_are_counted(void **state) {
  struct client_settings client;
  (void)state;
  assert_int_equal(parse(&client, NULL), OPTIONS_WRONG);
  assert_int_equal(parse(&client, "https://a/", "https://b/", NULL), OPTIONS_WRONG);
  assert_int_equal(parse(&client, "--", "https://a/", NULL), OPTIONS_RUN);
  assert_int_equal(parse(&client, "ftp://a/", NULL), OPTIONS_WRONG);
}

static void test_exit_statuses_of_errors(void **state) {
  (void)state;
  assert_int_equal(exit_of_error(WT_OK), 0);
  assert_int_equal(exit_of_error(WT_ERR_NOMEM), 1);
  assert_int_equal(exit_of_error(WT_ERR_ADDRESS), 2);
  assert_int_equal(exit_of_error(WT_ERR_NOT_FOUND), 3);
  assert_int_equal(exit_of_error(WT_ERR_IO), 3);
  assert_int_equal(exit_of_error(WT_ERR_TIMEOUT), 4);
  assert_int_equal(exit_of_error(WT_ERR_CERTIFICATE), 5);
  assert_int_equal(exit_of_error(WT_ERR_TLS), 5);
  assert_int_equal(exit_of_error(WT_ERR_SETTINGS), 6);
  assert_int_equal(exit_of_error(WT_ERR_REJECTED), 7);
  assert_int_equal(exit_of_error(WT_ERR_SUBPROTOCOL), 8);
  assert_int_equal(exit_of_error(WT_ERR_CLOSED), 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults_leave_the_library_alone),
      cmocka_unit_test(test_each_option_reaches_the_library),
      cmocka_unit_test(test_ways_to_trust_exclude_each_other),
      cmocka_unit_test(test_lists_are_bounded),
      cmocka_unit_test(test_operands_are_counted),
      cmocka_unit_test(test_exit_statuses_of_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
