/* SPDX-License-Identifier: MIT */

/* A client's configuration: defaults, checks, copy (net/client_config.c, net/bounds.c). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/client_config.h"

static void test_client_config_defaults(void **state) {
  struct wt_client_config config;
  char why[WT__CLIENT_CONFIG_WHY_MAX] = "";
  (void)state;
  memset(&config, 0xff, sizeof(config));
  wt_client_config_default(&config);
  wt_client_config_default(NULL);
  assert_int_equal(config.size, sizeof(config));
  assert_null(config.loop);
  assert_null(config.ca_file);
  assert_null(config.bind);
  assert_int_equal(config.certificate_hash_count, 0);
  assert_false(config.dangerously_accept_any_certificate);
  assert_int_equal(config.idle_timeout_ms, 30000);
  assert_int_equal(config.keep_alive_ms, 15000);
  assert_int_equal(config.congestion_control, WT_CONGESTION_CONTROL_CUBIC);
  assert_int_equal(config.settings_timeout_ms, 5000);
  assert_int_equal(config.early_timeout_ms, 5000);
  assert_int_equal(config.connection_attempt_delay_ms, 250);
  assert_int_equal(config.resolution_delay_ms, 50);
  assert_int_equal(config.linger_ms, 0);
  assert_true(config.session_tickets);
  assert_int_equal(config.quic_version, 1);
  assert_int_equal(config.drafts, WT_DRAFT_ALL);
  assert_true(config.require_reset_stream_at);
  assert_int_equal(config.max_connections, 65536);
  assert_int_equal(config.max_sessions_per_connection, 16);
  assert_int_equal(config.max_header_bytes, 16384);
  assert_int_equal(config.max_stream_send_buffer, 1 << 20);
  assert_int_equal(config.max_stream_send_buffer_grown, 16 << 20);
  assert_int_equal(config.max_datagrams_queued, 256);
  assert_int_equal(config.max_early_streams, 64);
  assert_int_equal(config.max_early_datagrams, 64);
  assert_int_equal(wt__client_config_check(&config, why, sizeof(why)), 0);
  assert_string_equal(why, "");
}

#define CHECK_MEMBER(member, value, expected)                                              \
  do {                                                                                     \
    struct wt_client_config changed;                                                       \
    char why[WT__CLIENT_CONFIG_WHY_MAX] = "";                                              \
    wt_client_config_default(&changed);                                                    \
    changed.member = (value);                                                              \
    assert_int_equal(wt__client_config_check(&changed, why, sizeof(why)), WT_ERR_INVALID); \
    assert_string_equal(why, (expected));                                                  \
  } while (0)

static void test_client_config_names_each_wrong_bound(void **state) {
  (void)state;
  CHECK_MEMBER(log_level, (enum wt_log_level)5, "log_level is 5, must be at most 4");
  CHECK_MEMBER(idle_timeout_ms, 4294967296, "idle_timeout_ms is 4294967296, must be at most 4294967295");
  CHECK_MEMBER(connection_attempt_delay_ms, 9, "connection_attempt_delay_ms is 9, must be at least 10");
  CHECK_MEMBER(resolution_delay_ms, 4294967296, "resolution_delay_ms is 4294967296, must be at most 4294967295");
  CHECK_MEMBER(linger_ms, 4294967296, "linger_ms is 4294967296, must be at most 4294967295");
  CHECK_MEMBER(quic_version, 2, "quic_version is 0x00000002, must be 0x00000001 or 0x6b3343cf");
  CHECK_MEMBER(congestion_control, (enum wt_congestion_control)3,
               "congestion_control is 3, must be one of enum wt_congestion_control");
  CHECK_MEMBER(drafts, 16, "drafts is 16, must be at most 15");
  CHECK_MEMBER(group_count, 1, "groups is NULL");
  CHECK_MEMBER(initial_max_data, 1023, "initial_max_data is 1023, must be at least 1024");
  CHECK_MEMBER(max_streams_uni, 2, "max_streams_uni is 2, must be at least 3");
  CHECK_MEMBER(max_connections, 0, "max_connections is 0, must be at least 1");
  CHECK_MEMBER(max_sessions_per_connection, 0, "max_sessions_per_connection is 0, must be at least 1");
  CHECK_MEMBER(max_header_bytes, 0, "max_header_bytes is 0, must be at least 1");
  CHECK_MEMBER(certificate_hash_count, 1, "certificate_hashes is NULL");
  CHECK_MEMBER(certificate_hash_count, 4097, "certificate_hash_count is 4097, must be at most 4096");
}

static void test_client_config_trusts_one_thing(void **state) {
  struct wt_client_config config;
  static const uint8_t hash[1][32];
  char why[WT__CLIENT_CONFIG_WHY_MAX] = "";
  (void)state;
  wt_client_config_default(&config);
  config.ca_file = "ca.pem";
  config.certificate_hashes = hash;
  config.certificate_hash_count = 1;
  assert_int_equal(wt__client_config_check(&config, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, "ca_file and certificate_hashes exclude each other");
  config.ca_file = NULL;
  config.dangerously_accept_any_certificate = true;
  assert_int_equal(wt__client_config_check(&config, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, "dangerously_accept_any_certificate excludes ca_file and certificate_hashes");
  config.certificate_hash_count = 0;
  assert_int_equal(wt__client_config_check(&config, why, sizeof(why)), 0);
}

static void test_client_config_copy_is_its_own(void **state) {
  struct wt_client_config config, copy;
  char ca_file[] = "ca.pem", bind[] = "127.0.0.1:0", why[WT__CLIENT_CONFIG_WHY_MAX] = "";
  uint8_t hash[1][32] = {{1, 2, 3}};
  int64_t live = wt__mem_live();
  (void)state;
  wt_client_config_default(&config);
  config.ca_file = ca_file;
  config.bind = bind;
  assert_int_equal(wt__client_config_copy(&copy, &config, why, sizeof(why)), 0);
  ca_file[0] = bind[0] = 'x';
  assert_string_equal(copy.ca_file, "ca.pem");
  assert_string_equal(copy.bind, "127.0.0.1:0");
  wt__client_config_free(&copy);
  config.ca_file = NULL;
  config.certificate_hashes = (const uint8_t(*)[32])hash;
  config.certificate_hash_count = 1;
  assert_int_equal(wt__client_config_copy(&copy, &config, why, sizeof(why)), 0);
  hash[0][0] = 9;
  assert_int_equal(copy.certificate_hashes[0][0], 1);
  wt__client_config_free(&copy);
  for (size_t i = 0; i < 2; i++) {
    wt__mem_fail_after(i);
    assert_int_equal(wt__client_config_copy(&copy, &config, why, sizeof(why)), WT_ERR_NOMEM);
    wt__mem_fail_after(SIZE_MAX);
    assert_string_equal(why, "out of memory");
  }
  assert_int_equal(wt__client_config_copy(&copy, NULL, why, sizeof(why)), 0);
  wt__client_config_free(&copy);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &config.certificate), 0);
  assert_int_equal(wt__client_config_copy(&copy, &config, why, sizeof(why)), 0);
  wt_certificate_free(config.certificate);
  assert_true(wt_certificate_matches(copy.certificate, "localhost")); /* the copy's own reference */
  wt__client_config_free(&copy);
  assert_int_equal(wt__mem_live(), live);
}

static void test_client_config_needs_its_size(void **state) {
  struct wt_client_config config = {0}, copy;
  char why[WT__CLIENT_CONFIG_WHY_MAX] = "";
  (void)state;
  assert_int_equal(wt__client_config_copy(&copy, &config, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, "size is 0: call wt_client_config_default first");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_config_defaults),
      cmocka_unit_test(test_client_config_names_each_wrong_bound),
      cmocka_unit_test(test_client_config_trusts_one_thing),
      cmocka_unit_test(test_client_config_copy_is_its_own),
      cmocka_unit_test(test_client_config_needs_its_size),
  };
  return cmocka_run_group_tests_name("client_config", tests, NULL, NULL);
}
