/* SPDX-License-Identifier: MIT */
/* --server-id and --lb-config: what they make, and what is wrong with a file in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <webtransport/server.h>

#include "serve/lb_config.h"

static char file[] = "/tmp/webtransport-lb.XXXXXX";
static const struct lb_server_id no_id;

static int file_make(void **state) {
  (void)state;
  int fd = mkstemp(file);
  return fd < 0 || close(fd);
}

static int file_remove(void **state) {
  (void)state;
  return unlink(file);
}

static void write_file(const char *text) {
  FILE *stream = fopen(file, "w");
  assert_non_null(stream);
  fputs(text, stream);
  fclose(stream);
}

/* What the library says about it, or "". */
static void library_check(const struct lb_config *config, unsigned workers, char *message, size_t size) {
  struct wt_server_config server_config;
  wt_server *server;
  wt_server_config_default(&server_config);
  server_config.log_level = WT_LOG_NONE;
  server_config.workers = workers;
  server_config.connection_ids = &config->ids;
  wt_server_new(&server_config, &server, message, size);
  wt_server_free(server);
}

static void read_good(const char *text, const struct lb_server_id *id, struct lb_config *config) {
  char message[512] = "";
  if (text) write_file(text);
  if (!lb_config_read(text ? file : NULL, id, 2, config, message, sizeof message)) fail_msg("%s", message);
  library_check(config, 2, message, sizeof message);
  assert_string_equal(message, "");
}

static void check_wrong(const char *text, const char *expected) {
  struct lb_config config;
  char message[512] = "", all[512];
  write_file(text);
  assert_false(lb_config_read(file, &no_id, 1, &config, message, sizeof message));
  snprintf(all, sizeof all, "%s: %s", file, expected);
  assert_string_equal(message, all);
}

static void test_server_id_is_read(void **state) {
  struct lb_server_id id;
  char message[200];
  (void)state;
  assert_true(lb_server_id_read("0x31441a0102030405", NULL, &id, message, sizeof message));
  assert_int_equal(id.len, 8);
  assert_true(id.given && !id.aws);
  assert_false(lb_server_id_read("31441a01020304050607080910111213", NULL, &id, message, sizeof message));
  assert_string_equal(message, "expected 1 to 15 bytes in hexadecimal digits, or aws");
}

static void test_server_id_of_aws_is_read(void **state) {
  /* The bytes, and "0x31441a0102030405". */
  static const char *const good[] = {"MUQaAQIDBAU=", "MHgzMTQ0MWEwMTAyMDMwNDA1"};
  static const char *const wrong[] = {"", "x", "MUQaAQIDBA==", "MHgzMTQ0MWEwMTAyMDM=", "MHgzMTQ0MWEwMTAyMDMwNDA1MDY="};
  struct lb_server_id id;
  struct lb_config config;
  char message[200];
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    assert_true(lb_server_id_read("aws", good[i], &id, message, sizeof message));
    assert_memory_equal(id.bytes, "\x31\x44\x1a\x01\x02\x03\x04\x05", 8);
    read_good(NULL, &id, &config);
    assert_int_equal(config.ids.layout, WT_CONNECTION_ID_AWS_NLB);
    assert_int_equal(config.ids.length, 16);
  }
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_false(lb_server_id_read("aws", wrong[i], &id, message, sizeof message));
    assert_string_equal(message, "AWS_LBC_QUIC_SERVER_ID is not the base64 of 8 bytes");
  }
  assert_false(lb_server_id_read("aws", NULL, &id, message, sizeof message));
  assert_string_equal(message, "the environment has no AWS_LBC_QUIC_SERVER_ID");
}

/* Any server id is good without a file, with workers and without. */
static void test_server_id_alone_is_quic_lb(void **state) {
  struct lb_server_id id = {.given = true};
  struct lb_config config;
  char message[512];
  (void)state;
  for (unsigned workers = 1; workers <= 2; workers++) {
    for (id.len = 1; id.len <= 15 - (workers > 1); id.len++) {
      assert_true(lb_config_read(NULL, &id, workers, &config, message, sizeof message));
      library_check(&config, workers, message, sizeof message);
      assert_string_equal(message, "");
      assert_int_equal(config.ids.layout, WT_CONNECTION_ID_QUIC_LB);
      assert_null(config.ids.key);
    }
  }
  id.len = 15; /* no room for the worker */
  assert_true(lb_config_read(NULL, &id, 2, &config, message, sizeof message));
  library_check(&config, 2, message, sizeof message);
  assert_non_null(strstr(message, "length is "));
}

static void test_file_is_read(void **state) {
  struct lb_config config;
  (void)state;
  read_good("{\"layout\": \"quic-lb\", \"config_id\": 1, \"server_id\": \"31441a\", \"nonce_length\": 6,"
            " \"key\": \"000102030405060708090a0b0c0d0e0f\", \"length\": 20, \"length_in_first_octet\": true}",
            &no_id, &config);
  assert_int_equal(config.ids.config_id, 1);
  assert_int_equal(config.ids.server_id_len, 3);
  assert_int_equal(config.ids.nonce_length, 6);
  assert_int_equal(config.ids.key_len, 16);
  assert_int_equal(config.ids.key[15], 15);
  assert_int_equal(config.ids.length, 20);
  assert_true(config.ids.length_in_first_octet);
  read_good("{\"length\": 17, \"server_id\": \"0x0102030405060708\", \"layout\": \"aws-nlb\"}", &no_id, &config);
  assert_int_equal(config.ids.length, 17); /* the layout's default does not undo it */
  read_good("{\"layout\": \"katran\", \"katran_version\": 3, \"server_id\": \"00000007\"}", &no_id, &config);
  read_good("{\"layout\": \"unroutable\"}", &no_id, &config);
  read_good("{\"layout\": \"random\", \"length\": 8}", &no_id, &config);
}

/* One file for all machines, each of which has its own id. */
static void test_server_id_goes_into_the_file_s_layout(void **state) {
  struct lb_server_id id = {.given = true, .bytes = {1, 2, 3, 4}, .len = 4};
  struct lb_config config;
  (void)state;
  read_good("{\"layout\": \"quic-lb\", \"server_id\": \"99\"}", &id, &config);
  assert_int_equal(config.ids.server_id_len, 4);
  assert_memory_equal(config.ids.server_id, "\1\2\3\4", 4);
  read_good("{\"layout\": \"unroutable\"}", &id, &config);
}

static void test_wrong_files_are_told_in_words(void **state) {
  struct lb_config config;
  char message[512];
  (void)state;
  check_wrong("[]", "not an object of JSON");
  check_wrong("{}", "member \"layout\" is missing");
  check_wrong("{\"layout\": \"quic-lb\", \"keys\": \"00\"}", "member \"keys\" is not known");
  check_wrong("{\"layout\": \"quiclb\"}", "member \"layout\" must be one of random quic-lb unroutable aws-nlb katran");
  check_wrong("{\"layout\": 1}", "member \"layout\" must be one of random quic-lb unroutable aws-nlb katran");
  check_wrong("{\"layout\": \"quic-lb\", \"config_id\": 7}", "member \"config_id\" must be a number from 0 to 6");
  check_wrong("{\"layout\": \"quic-lb\", \"config_id\": \"1\"}", "member \"config_id\" must be a number from 0 to 6");
  check_wrong("{\"layout\": \"quic-lb\", \"config_id\": -1}", "member \"config_id\" must be a number from 0 to 6");
  check_wrong("{\"layout\": \"quic-lb\", \"server_id\": \"31441\"}",
              "member \"server_id\" must be a string of hexadecimal digits, for at most 15 bytes");
  check_wrong("{\"layout\": \"quic-lb\", \"server_id\": 31}",
              "member \"server_id\" must be a string of hexadecimal digits, for at most 15 bytes");
  check_wrong("{\"layout\": \"quic-lb\", \"nonce_length\": 21}",
              "member \"nonce_length\" must be a number from 0 to 20");
  check_wrong("{\"layout\": \"quic-lb\", \"length\": 4.5}", "member \"length\" must be a number from 0 to 20");
  check_wrong("{\"layout\": \"quic-lb\", \"key\": \"00\"}",
              "member \"key\" must be a string of 32 hexadecimal digits, for 16 bytes");
  check_wrong("{\"layout\": \"quic-lb\", \"length_in_first_octet\": 1}",
              "member \"length_in_first_octet\" must be true or false");
  check_wrong("{\"layout\": \"katran\", \"katran_version\": 4}",
              "member \"katran_version\" must be a number from 0 to 3");
  check_wrong("{\"layout\": \"random\", \"layout\": \"quic-lb\"}", "line 1: duplicate object key near '\"layout\"'");
  assert_false(lb_config_read("/nowhere/lb.json", &no_id, 1, &config, message, sizeof message));
  assert_non_null(strstr(message, "/nowhere/lb.json"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_server_id_is_read),
      cmocka_unit_test(test_server_id_of_aws_is_read),
      cmocka_unit_test(test_server_id_alone_is_quic_lb),
      cmocka_unit_test(test_file_is_read),
      cmocka_unit_test(test_server_id_goes_into_the_file_s_layout),
      cmocka_unit_test(test_wrong_files_are_told_in_words),
  };
  return cmocka_run_group_tests(tests, file_make, file_remove);
}
