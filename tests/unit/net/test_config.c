/* SPDX-License-Identifier: MIT */

/* A server's configuration (net/config.c): defaults, bounds, the copy. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <webtransport/fleet.h>

#include "base/mem.h"
#include "net/config.h"

static void test_config_defaults_are_those_of_the_header(void **state) {
  (void)state;
  struct wt_server_config config;
  char why[WT__CONFIG_WHY_MAX] = "";
  wt_server_config_default(&config);
  assert_int_equal(wt__config_check(&config, why, sizeof(why)), 0);
  assert_string_equal(why, "");
  assert_int_equal(config.size, sizeof(config));
  assert_int_equal(config.listen_count, 1);
  assert_string_equal(config.listen[0], "[::]:443");
  assert_null(config.loop);
  assert_int_equal(config.workers, 1);
  assert_int_equal(config.log_level, WT_LOG_WARN);
  assert_int_equal(config.idle_timeout_ms, 30000);
  assert_int_equal(config.keep_alive_ms, 15000);
  assert_int_equal(config.congestion_control, WT_CONGESTION_CONTROL_CUBIC);
  assert_int_equal(config.handshake_timeout_ms, 10000);
  assert_int_equal(config.no_request_timeout_ms, 10000);
  assert_int_equal(config.settings_timeout_ms, 5000);
  assert_int_equal(config.early_timeout_ms, 5000);
  assert_int_equal(config.retry, WT_RETRY_UNDER_LOAD);
  assert_int_equal(config.retry_threshold, 256);
  assert_int_equal(config.max_connections, 65536);
  assert_int_equal(config.max_connections_per_address, 1024);
  assert_int_equal(config.max_handshakes_per_address, 256);
  assert_null(config.reset_key);
  assert_true(config.session_tickets);
  assert_int_equal(config.drafts, WT_DRAFT_ALL);
  assert_false(config.require_reset_stream_at);
  assert_int_equal(config.initial_max_data, 1 << 20);
  assert_int_equal(config.max_data, 16 << 20);
  assert_int_equal(config.initial_max_stream_data, 256 << 10);
  assert_int_equal(config.max_stream_data, 6 << 20);
  assert_int_equal(config.max_streams_bidi, 256);
  assert_int_equal(config.max_streams_uni, 256);
  assert_int_equal(config.max_sessions_per_connection, 16);
  assert_int_equal(config.max_header_bytes, 16 << 10);
  assert_int_equal(config.max_stream_send_buffer, 1 << 20);
  assert_int_equal(config.max_stream_send_buffer_grown, 16 << 20);
  assert_int_equal(config.max_datagrams_queued, 256);
  assert_int_equal(config.max_early_streams, 64);
  assert_int_equal(config.max_early_datagrams, 64);
  assert_int_equal(config.header_timeout_ms, 30000);
  assert_int_equal(config.send_timeout_ms, 60000);
  assert_int_equal(config.body_timeout_ms, 60000);
  assert_int_equal(config.min_progress, 1024);
  assert_int_equal(config.max_session_rate, 100);
  assert_in_range(config.max_open_files, 16, 4096);
  assert_int_equal(config.max_open_files_per_connection, 32);
  assert_int_equal(config.max_memory, (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 2);
}

/* `config` is refused with exactly this sentence. */
static void check_why(const struct wt_server_config *config, const char *expected) {
  char why[WT__CONFIG_WHY_MAX] = "";
  assert_int_equal(wt__config_check(config, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, expected);
}

#define CHECK_MEMBER(member, value, expected) \
  do {                                        \
    struct wt_server_config changed;          \
    wt_server_config_default(&changed);       \
    changed.member = (value);                 \
    check_why(&changed, (expected));          \
  } while (0)

static void test_config_takes_sockets_in_place_of_addresses(void **state) {
  (void)state;
  const int sockets[] = {0, -1};
  char why[WT__CONFIG_WHY_MAX] = "";
  struct wt_server_config config, copy;
  wt_server_config_default(&config);
  config.listen_count = 0;
  config.sockets = sockets;
  config.socket_count = 1;
  assert_int_equal(wt__config_copy(&copy, &config, why, sizeof(why)), 0);
  assert_int_equal(copy.socket_count, 1);
  assert_ptr_not_equal(copy.sockets, sockets);
  assert_int_equal(copy.sockets[0], 0);
  wt__config_free(&copy);
  config.socket_count = 2;
  check_why(&config, "sockets[1] is -1, no descriptor");
}

static void test_config_names_each_wrong_bound(void **state) {
  (void)state;
  const char *const empty[] = {"127.0.0.1:0", ""};
  CHECK_MEMBER(listen_count, 0, "listen_count is 0, must be at least 1");
  CHECK_MEMBER(listen_count, 65, "listen_count is 65, must be at most 64");
  CHECK_MEMBER(listen, NULL, "listen is NULL");
  struct wt_server_config config;
  wt_server_config_default(&config);
  config.listen = empty;
  CHECK_MEMBER(socket_count, 65, "socket_count is 65, must be at most 64");
  CHECK_MEMBER(socket_count, 1, "sockets is NULL");
  config.listen_count = 2;
  check_why(&config, "listen[1] is empty");

  CHECK_MEMBER(workers, 0, "workers is 0, must be at least 1");
  CHECK_MEMBER(workers, 257, "workers is 257, must be at most 256");
  CHECK_MEMBER(log_level, (enum wt_log_level)5, "log_level is 5, must be at most 4");
  CHECK_MEMBER(retry, (enum wt_retry)3, "retry is 3, must be at most 2");
  CHECK_MEMBER(reset_key_len, 32, "reset_key_len is 32, must be 0 without a reset_key");
  CHECK_MEMBER(reset_key, (const uint8_t *)"x", "reset_key_len is 0, must be 32 with a reset_key");
  CHECK_MEMBER(ticket_lifetime_s, 0, "ticket_lifetime_s is 0, must be at least 1");
  CHECK_MEMBER(ticket_lifetime_s, 604801, "ticket_lifetime_s is 604801, must be at most 604800");
  CHECK_MEMBER(cipher_suite_count, 1, "cipher_suites is NULL");
  CHECK_MEMBER(client_certificates, (enum wt_client_certificates)3, "client_certificates is 3, must be at most 2");
  CHECK_MEMBER(client_certificates, WT_CLIENT_CERTIFICATES_REQUIRE,
               "client_certificates requires them, so client_ca_file must be set");
  CHECK_MEMBER(client_ca_file, "ca.pem", "client_ca_file is set, but client_certificates asks for none");

  CHECK_MEMBER(idle_timeout_ms, UINT64_MAX, "idle_timeout_ms is 18446744073709551615, must be at most 4294967295");
  CHECK_MEMBER(congestion_control, (enum wt_congestion_control)3,
               "congestion_control is 3, must be one of enum wt_congestion_control");
  CHECK_MEMBER(keep_alive_ms, UINT64_MAX, "keep_alive_ms is 18446744073709551615, must be at most 4294967295");
  CHECK_MEMBER(handshake_timeout_ms, 0, "handshake_timeout_ms is 0, must be at least 1");
  CHECK_MEMBER(no_request_timeout_ms, 4294967296, "no_request_timeout_ms is 4294967296, must be at most 4294967295");
  CHECK_MEMBER(settings_timeout_ms, 4294967296, "settings_timeout_ms is 4294967296, must be at most 4294967295");
  CHECK_MEMBER(early_timeout_ms, 4294967296, "early_timeout_ms is 4294967296, must be at most 4294967295");

  CHECK_MEMBER(initial_max_data, 1023, "initial_max_data is 1023, must be at least 1024");
  CHECK_MEMBER(initial_max_stream_data, 0, "initial_max_stream_data is 0, must be at least 1024");
  CHECK_MEMBER(max_data, 4096, "max_data is 4096, must be at least 1048576");
  CHECK_MEMBER(max_stream_data, 4096, "max_stream_data is 4096, must be at least 262144");
  CHECK_MEMBER(max_data, UINT64_C(1) << 62, "max_data is 4611686018427387904, must be at most 4611686018427387903");
  CHECK_MEMBER(max_streams_bidi, 0, "max_streams_bidi is 0, must be at least 1");
  CHECK_MEMBER(max_streams_uni, 2, "max_streams_uni is 2, must be at least 3");
  CHECK_MEMBER(max_streams_uni, (UINT64_C(1) << 60) + 1,
               "max_streams_uni is 1152921504606846977, must be at most 1152921504606846976");

  CHECK_MEMBER(max_connections, 0, "max_connections is 0, must be at least 1");
  CHECK_MEMBER(max_handshakes_per_address, 0, "max_handshakes_per_address is 0, must be at least 1");
  CHECK_MEMBER(drafts, 0, "drafts is 0, must be at least 1");
  CHECK_MEMBER(max_header_bytes, 0, "max_header_bytes is 0, must be at least 1");
  CHECK_MEMBER(max_stream_send_buffer, 0, "max_stream_send_buffer is 0, must be at least 1");
  CHECK_MEMBER(max_datagrams_queued, 0, "max_datagrams_queued is 0, must be at least 1");
  CHECK_MEMBER(min_progress, 0, "min_progress is 0, must be at least 1");
  CHECK_MEMBER(max_open_files, 1000001, "max_open_files is 1000001, must be at most 1000000");
  CHECK_MEMBER(max_open_files_per_connection, 1000001,
               "max_open_files_per_connection is 1000001, must be at most 1000000");
  CHECK_MEMBER(max_memory, 1048575, "max_memory is 1048575, must be at least 1048576");
  CHECK_MEMBER(max_session_rate, 1000000001, "max_session_rate is 1000000001, must be at most 1000000000");
}

static void test_config_knows_cipher_suites_and_groups(void **state) {
  (void)state;
  const char *const suites[] = {"tls_aes_256_gcm_sha384", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};
  const char *const groups[] = {"x448", "P-256", NULL};
  const char *const none[] = {NULL};
  struct wt_server_config config;
  char why[WT__CONFIG_WHY_MAX];
  wt_server_config_default(&config);
  config.cipher_suites = suites;
  config.cipher_suite_count = 2;
  config.groups = groups;
  config.group_count = 1;
  assert_int_equal(wt__config_check(&config, why, sizeof(why)), 0);
  config.group_count = 2;
  check_why(&config, "groups[1] is \"P-256\", must be one of x25519, secp256r1, secp384r1, secp521r1, x448");
  config.groups = none;
  config.group_count = 1;
  check_why(&config, "groups[0] is NULL");
  config.group_count = 17;
  check_why(&config, "groups has 17 names, must be at most 16");
  config.cipher_suite_count = 3;
  check_why(&config, "cipher_suites[2] is named twice");
  config.cipher_suites = groups;
  config.cipher_suite_count = 1;
  check_why(&config, "cipher_suites[0] is \"x448\", must be one of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "
                     "TLS_CHACHA20_POLY1305_SHA256");
}

static void test_config_zero_may_switch_off(void **state) {
  (void)state;
  struct wt_server_config config;
  char why[WT__CONFIG_WHY_MAX] = "";
  wt_server_config_default(&config);
  config.idle_timeout_ms = config.keep_alive_ms = config.no_request_timeout_ms = 0;
  config.settings_timeout_ms = config.early_timeout_ms = 0;
  config.retry_threshold = 0;
  config.max_sessions_per_connection = 0;
  config.max_early_streams = config.max_early_datagrams = 0;
  config.max_session_rate = 0;
  config.max_memory = 0;
  assert_int_equal(wt__config_check(&config, why, sizeof(why)), 0);
}

static void test_config_copy_outlives_the_original(void **state) {
  (void)state;
  char address[] = "127.0.0.1:0", ca_file[] = "ca.pem";
  const char *listen[] = {address, "[::1]:0"};
  uint8_t key[32];
  char why[WT__CONFIG_WHY_MAX];
  struct wt_server_config config, copy;
  int64_t live = wt__mem_live();
  memset(key, 7, sizeof(key));
  wt_server_config_default(&config);
  config.listen = listen;
  config.listen_count = 2;
  config.reset_key = key;
  config.reset_key_len = sizeof(key);
  config.client_certificates = WT_CLIENT_CERTIFICATES_ASK;
  config.client_ca_file = ca_file;
  char group[] = "x448";
  const char *groups[] = {group};
  config.groups = groups;
  config.group_count = 1;
  assert_int_equal(wt__config_copy(&copy, &config, why, sizeof(why)), 0);
  memset(address, 'x', sizeof(address) - 1);
  memset(key, 8, sizeof(key));
  ca_file[0] = group[0] = 'y';
  memset(&config, 0xff, sizeof(config));
  assert_int_equal(copy.listen_count, 2);
  assert_string_equal(copy.listen[0], "127.0.0.1:0");
  assert_string_equal(copy.listen[1], "[::1]:0");
  assert_int_equal(copy.reset_key_len, 32);
  assert_int_equal(copy.reset_key[31], 7);
  assert_string_equal(copy.client_ca_file, "ca.pem");
  assert_string_equal(copy.groups[0], "x448");
  wt__config_free(&copy);
  assert_int_equal(wt__mem_live(), live);
}

static void test_config_copy_of_null_is_the_default(void **state) {
  (void)state;
  struct wt_server_config copy;
  char why[WT__CONFIG_WHY_MAX];
  assert_int_equal(wt__config_copy(&copy, NULL, why, sizeof(why)), 0);
  assert_string_equal(copy.listen[0], "[::]:443");
  assert_int_equal(copy.max_connections, 65536);
  wt__config_free(&copy);
}

static void test_config_connection_ids_are_checked_and_copied(void **state) {
  (void)state;
  struct wt_server_config config, copy;
  struct wt_connection_ids ids;
  uint8_t server_id[3] = {1, 2, 3}, key[16] = {4};
  char why[WT__CONFIG_WHY_MAX];
  wt_server_config_default(&config);
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_QUIC_LB);
  config.connection_ids = &ids;
  check_why(&config, "connection_ids: server_id_len is 0, must be 1 to 15");
  ids.server_id = server_id;
  ids.server_id_len = sizeof(server_id);
  ids.key = key;
  ids.key_len = sizeof(key);
  ids.nonce_length = 14;
  assert_int_equal(wt__config_check(&config, why, sizeof(why)), 0);
  config.workers = 2;
  check_why(&config,
            "connection_ids: length is 18, must be at least 19 for this layout and the byte that names the worker");
  config.workers = 1;
  assert_int_equal(wt__config_copy(&copy, &config, why, sizeof(why)), 0);
  memset(server_id, 9, sizeof(server_id));
  memset(key, 9, sizeof(key));
  memset(&ids, 0xff, sizeof(ids));
  assert_memory_equal(copy.connection_ids->server_id, "\x01\x02\x03", 3);
  assert_int_equal(copy.connection_ids->key[0], 4);
  assert_int_equal(copy.connection_ids->nonce_length, 14);
  wt__config_free(&copy);
}

/* A program that was compiled with 0.2.0 knows no connection ids, and what follows its struct is not looked at. */
static void test_config_of_0_2_0_is_taken(void **state) {
  (void)state;
  struct wt_server_config config, copy;
  char why[WT__CONFIG_WHY_MAX];
  wt_server_config_init(&config, WT__SERVER_CONFIG_LEAST);
  memset((char *)&config + WT__SERVER_CONFIG_LEAST, 0xff, sizeof(config) - WT__SERVER_CONFIG_LEAST);
  assert_int_equal(wt__config_copy(&copy, &config, why, sizeof(why)), 0);
  assert_null(copy.connection_ids);
  wt__config_free(&copy);
  config.size--;
  assert_int_equal(wt__config_copy(&copy, &config, why, sizeof(why)), WT_ERR_INVALID);
}

static void test_config_copy_wants_the_default_first(void **state) {
  (void)state;
  struct wt_server_config config = {0}, copy;
  char why[WT__CONFIG_WHY_MAX];
  assert_int_equal(wt__config_copy(&copy, &config, why, sizeof(why)), WT_ERR_INVALID);
  assert_string_equal(why, "size is 0: call wt_server_config_default first");
  wt__config_free(&copy);
}

static void test_config_copy_survives_each_failed_allocation(void **state) {
  (void)state;
  const char *const listen[] = {"127.0.0.1:0", "[::1]:0"};
  static const uint8_t key[32];
  struct wt_server_config config, copy;
  char why[WT__CONFIG_WHY_MAX];
  int64_t live = wt__mem_live();
  int error = WT_ERR_NOMEM;
  size_t failures = 0;
  wt_server_config_default(&config);
  config.listen = listen;
  config.listen_count = 2;
  config.reset_key = key;
  config.reset_key_len = sizeof(key);
  config.client_certificates = WT_CLIENT_CERTIFICATES_REQUIRE;
  config.client_ca_file = "ca.pem";
  config.cipher_suites = config.groups = (const char *const[]){"x448"};
  config.group_count = 1;
  struct wt_connection_ids ids;
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_RANDOM);
  config.connection_ids = &ids;
  for (size_t i = 0; error; i++) {
    wt__mem_fail_after(i);
    error = wt__config_copy(&copy, &config, why, sizeof(why));
    wt__mem_fail_after(SIZE_MAX);
    if (error == 0) break;
    assert_int_equal(error, WT_ERR_NOMEM);
    assert_int_equal(wt__mem_live(), live);
    failures++;
  }
  assert_int_equal(failures, 8); /* two lists, a group, two addresses, the key, the name of a file, connection ids */
  wt__config_free(&copy);
  assert_int_equal(wt__mem_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_config_defaults_are_those_of_the_header),
      cmocka_unit_test(test_config_takes_sockets_in_place_of_addresses),
      cmocka_unit_test(test_config_names_each_wrong_bound),
      cmocka_unit_test(test_config_knows_cipher_suites_and_groups),
      cmocka_unit_test(test_config_zero_may_switch_off),
      cmocka_unit_test(test_config_copy_outlives_the_original),
      cmocka_unit_test(test_config_copy_of_null_is_the_default),
      cmocka_unit_test(test_config_connection_ids_are_checked_and_copied),
      cmocka_unit_test(test_config_of_0_2_0_is_taken),
      cmocka_unit_test(test_config_copy_wants_the_default_first),
      cmocka_unit_test(test_config_copy_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
