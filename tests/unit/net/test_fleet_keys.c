/* SPDX-License-Identifier: MIT */

/* src/net/fleet_keys.c: which secrets a server takes, what it says about others, and that they wait for the start. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <webtransport/webtransport.h>

#include "net/fleet_keys.h"
#include "net/server_state.h"

static const uint8_t bytes[300] = {1, 2, 3};
static char message[256];

static struct wt_fleet_keys keys_of(size_t current, size_t next, size_t previous) {
  struct wt_fleet_keys keys;
  wt_fleet_keys_default(&keys);
  keys.current = current ? bytes : NULL;
  keys.current_len = current;
  keys.next = next ? bytes + 1 : NULL;
  keys.next_len = next;
  keys.previous = previous ? bytes + 2 : NULL;
  keys.previous_len = previous;
  return keys;
}

static wt_server *server_of(const struct wt_fleet_keys *keys, const uint8_t *reset_key) {
  struct wt_server_config config;
  wt_server *server;
  wt_server_config_default(&config);
  config.log_level = WT_LOG_NONE;
  config.fleet_keys = keys;
  config.reset_key = reset_key;
  config.reset_key_len = reset_key ? 32 : 0;
  assert_int_equal(wt_server_new(&config, &server, message, sizeof(message)), 0);
  return server;
}

static void test_fleet_keys_are_refused_with_a_sentence(void **state) {
  (void)state;
  static const struct {
    size_t current, next, previous;
    const char *sentence;
  } cases[] = {
      {0, 0, 0, "fleet_keys: there is no current secret"},
      {0, 32, 32, "fleet_keys: there is no current secret"},
      {31, 0, 0, "fleet_keys: current_len is 31, must be from 32 to 256"},
      {32, 257, 0, "fleet_keys: next_len is 257, must be from 32 to 256"},
      {32, 32, 1, "fleet_keys: previous_len is 1, must be from 32 to 256"},
  };
  wt_server *server = server_of(NULL, NULL);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wt_fleet_keys keys = keys_of(cases[i].current, cases[i].next, cases[i].previous);
    assert_int_equal(wt_server_set_fleet_keys(server, &keys, message, sizeof(message)), WT_ERR_INVALID);
    assert_string_equal(message, cases[i].sentence);
    assert_int_equal(wt_server_set_fleet_keys(server, &keys, NULL, 0), WT_ERR_INVALID);
    struct wt_server_config config;
    wt_server *refused;
    wt_server_config_default(&config);
    config.log_level = WT_LOG_NONE;
    config.fleet_keys = &keys;
    assert_int_equal(wt_server_new(&config, &refused, message, sizeof(message)), WT_ERR_INVALID);
    assert_non_null(strstr(message, cases[i].sentence));
  }
  struct wt_fleet_keys keys = keys_of(32, 0, 0);
  keys.next_len = 32;
  assert_int_equal(wt_server_set_fleet_keys(server, &keys, message, sizeof(message)), WT_ERR_INVALID);
  assert_string_equal(message, "fleet_keys: next is NULL, and next_len is 32");
  keys.size = 3;
  assert_int_equal(wt_server_set_fleet_keys(server, &keys, message, sizeof(message)), WT_ERR_INVALID);
  assert_string_equal(message, "fleet_keys: size is 3: call wt_fleet_keys_default first");
  assert_int_equal(wt_server_set_fleet_keys(server, NULL, message, sizeof(message)), WT_ERR_INVALID);
  assert_int_equal(server->keys.token_count, 0); /* nothing has changed */
  wt_server_free(server);
}

static void test_fleet_keys_wait_for_the_start(void **state) {
  (void)state;
  struct wt_fleet_keys keys = keys_of(32, 0, 0), more = keys_of(33, 34, 256);
  wt_server *server = server_of(&keys, NULL);
  assert_null(server->config.fleet_keys);
  assert_int_equal(server->keys.token_count, 1);
  struct wt__keys before = server->keys;
  assert_int_equal(wt_server_set_fleet_keys(server, &more, message, sizeof(message)), 0);
  assert_string_equal(message, "");
  assert_int_equal(server->keys.token_count, 3);
  assert_memory_not_equal(&before.token[0], &server->keys.token[0], sizeof(before.token[0]));
  wt_server_free(server);
}

static void test_fleet_keys_leave_a_reset_key_alone(void **state) {
  (void)state;
  struct wt_fleet_keys keys = keys_of(32, 32, 32);
  wt_server *server = server_of(&keys, bytes + 9);
  assert_int_equal(server->keys.token_count, 3);
  assert_int_equal(server->keys.reset_count, 1);
  assert_memory_equal(server->keys.reset[0], bytes + 9, 32);
  assert_int_equal(wt_server_set_fleet_keys(server, &keys, NULL, 0), 0);
  assert_memory_equal(server->keys.reset[0], bytes + 9, 32);
  wt_server_free(server);
}

/* Where machines must not reset each other's connections, the key is one of the process, and no rotation changes it. */
static void test_fleet_keys_with_own_resets(void **state) {
  (void)state;
  struct wt_fleet_keys keys = keys_of(32, 32, 32);
  keys.own_resets = true;
  wt_server *server = server_of(&keys, NULL), *other = server_of(&keys, NULL);
  assert_int_equal(server->keys.token_count, 3);
  assert_int_equal(server->keys.reset_count, 1);
  assert_memory_equal(&server->keys.token, &other->keys.token, sizeof(other->keys.token));
  assert_memory_not_equal(server->keys.reset[0], other->keys.reset[0], 32);
  struct wt__keys before = server->keys;
  keys.current = bytes + 7;
  assert_int_equal(wt_server_set_fleet_keys(server, &keys, NULL, 0), 0);
  assert_memory_not_equal(&server->keys.token[0], &before.token[0], sizeof(before.token[0]));
  assert_memory_equal(server->keys.reset[0], before.reset[0], 32);
  wt_server_free(other);
  wt_server_free(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fleet_keys_are_refused_with_a_sentence),
      cmocka_unit_test(test_fleet_keys_wait_for_the_start),
      cmocka_unit_test(test_fleet_keys_leave_a_reset_key_alone),
      cmocka_unit_test(test_fleet_keys_with_own_resets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
