/* SPDX-License-Identifier: MIT */

/* src/quic/endpoint_keys.c: tokens of each key of a fleet, and what is made of forged, cut and foreign ones. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "quic/endpoint_keys.h"
#include "quic/endpoint_state.h"

#define S WT__NS_PER_S

static struct wt__shared shared;
static struct wt__endpoint *endpoint;
static uint64_t wall;
static struct sockaddr_in home, other_port, other_host;
static ngtcp2_cid scid, odcid;
static uint8_t token[WT__TOKEN_MAX_LEN];
static size_t token_len;

static uint64_t time_of_day(void *ctx) { return *(uint64_t *)ctx; }

/* Each letter stands for a secret. */
static void secrets_set(const char *letters) {
  uint8_t bytes[WT__KEYS_MAX][32];
  struct wt__vec secrets[WT__KEYS_MAX];
  struct wt__keys keys;
  struct wt__ticket_secrets tickets;
  for (size_t i = 0; letters[i]; i++) {
    memset(bytes[i], letters[i], sizeof(bytes[i]));
    secrets[i] = (struct wt__vec){bytes[i], sizeof(bytes[i])};
  }
  assert_int_equal(wt__keys_derive(&keys, &tickets, secrets, strlen(letters)), 0);
  wt__shared_set_keys(&shared, &keys);
}

static int set_up(void **state) {
  static const struct wt__endpoint_config config = {
      .shared = &shared, .time_of_day = time_of_day, .time_of_day_ctx = &wall};
  (void)state;
  home.sin_family = AF_INET;
  home.sin_port = htons(1000);
  home.sin_addr.s_addr = htonl(0x7f000001);
  other_port = other_host = home;
  other_port.sin_port = htons(1001);
  other_host.sin_addr.s_addr = htonl(0x7f000002);
  ngtcp2_cid_init(&scid, (const uint8_t *)"server's id 123456", 18);
  ngtcp2_cid_init(&odcid, (const uint8_t *)"client's", 8);
  wall = 1000000 * S;
  if (wt__shared_init(&shared) || wt__endpoint_new(&endpoint, &config)) return -1;
  endpoint->now = 1000 * S;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  wt__endpoint_free(endpoint);
  wt__shared_free(&shared);
  return 0;
}

static struct wt__token_address at(const struct sockaddr_in *address) {
  return (struct wt__token_address){(const struct sockaddr *)address, sizeof(*address)};
}

/* Its bytes are a copy of their own, so that reading behind them is found. */
static enum wt__token_verdict verify(size_t len, const struct sockaddr_in *from) {
  ngtcp2_cid found = {.datalen = 0};
  uint8_t *copy = malloc(len ? len : 1);
  assert_non_null(copy);
  memcpy(copy, token, len);
  const ngtcp2_pkt_hd hd = {.version = NGTCP2_PROTO_VER_V1, .dcid = scid, .token = copy, .tokenlen = len};
  enum wt__token_verdict verdict = wt__endpoint_verify_token(endpoint, at(from), &hd, &found);
  if (verdict == WT__TOKEN_RETRY) assert_true(ngtcp2_cid_eq(&found, &odcid));
  free(copy);
  return verdict;
}

static void make(bool retry) {
  const ngtcp2_pkt_hd hd = {.version = NGTCP2_PROTO_VER_V1, .dcid = odcid};
  token_len = retry ? wt__endpoint_make_retry_token(endpoint, at(&home), &hd, &scid, token)
                    : wt__endpoint_make_token(endpoint, at(&home), token);
  assert_in_range(token_len, 1, sizeof(token));
}

/* Wherever the key stands, the token is bound to the client's address, and to the port if it is one of Retry. */
static void test_endpoint_keys_each_takes_its_tokens(void **state) {
  (void)state;
  static const char *const later[] = {"a", "ba", "bca", "bac"};
  for (int retry = 0; retry < 2; retry++) {
    secrets_set("a");
    make(retry);
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
      secrets_set(later[i]);
      assert_int_equal(verify(token_len, &home), retry ? WT__TOKEN_RETRY : WT__TOKEN_REGULAR);
      assert_int_equal(verify(token_len, &other_host), retry ? WT__TOKEN_BAD : WT__TOKEN_NONE);
      assert_int_equal(verify(token_len, &other_port), retry ? WT__TOKEN_BAD : WT__TOKEN_REGULAR);
    }
    secrets_set("bc");
    assert_int_equal(verify(token_len, &home), WT__TOKEN_NONE);
  }
}

static void test_endpoint_keys_take_no_forged_token(void **state) {
  (void)state;
  secrets_set("abc");
  for (int retry = 0; retry < 2; retry++) {
    make(retry);
    for (size_t len = 0; len < token_len; len++) {
      enum wt__token_verdict verdict = verify(len, &home);
      assert_true(verdict == WT__TOKEN_NONE || verdict == WT__TOKEN_BAD);
    }
    for (size_t i = 0; i < token_len; i++) {
      token[i] ^= 0x10;
      enum wt__token_verdict verdict = verify(token_len, &home);
      assert_true(verdict == WT__TOKEN_NONE || verdict == WT__TOKEN_BAD);
      token[i] ^= 0x10;
    }
    assert_int_equal(verify(token_len, &home), retry ? WT__TOKEN_RETRY : WT__TOKEN_REGULAR);
  }
}

/* With keys of its own a process does not care what time of day it is. */
static void test_endpoint_keys_of_a_process_go_by_its_clock(void **state) {
  (void)state;
  make(true);
  wall -= 10000 * S;
  assert_int_equal(verify(token_len, &home), WT__TOKEN_RETRY);
  wall += 20000 * S;
  assert_int_equal(verify(token_len, &home), WT__TOKEN_RETRY);
  endpoint->now += 11 * S;
  assert_int_equal(verify(token_len, &home), WT__TOKEN_BAD);
}

static void test_endpoint_keys_of_a_fleet_go_by_the_time_of_day(void **state) {
  (void)state;
  secrets_set("a");
  make(true);
  wall += 14 * S;
  endpoint->now += 14 * S;
  assert_int_equal(verify(token_len, &home), WT__TOKEN_RETRY);
  wall += 2 * S;
  endpoint->now += 2 * S;
  assert_int_equal(verify(token_len, &home), WT__TOKEN_BAD);
}

/* The clock is set while the token is under way. Its age counts all the same. */
static void test_endpoint_keys_see_through_a_step_of_the_clock(void **state) {
  (void)state;
  for (int back = 0; back < 2; back++) {
    secrets_set("a");
    make(true);
    wall = back ? wall - 5000 * S : wall + 5000 * S;
    endpoint->now += S;
    assert_int_equal(verify(token_len, &home), WT__TOKEN_RETRY);
    assert_int_equal(verify(token_len, &other_host), WT__TOKEN_BAD);
    endpoint->now += 15 * S;
    wall += 15 * S;
    assert_int_equal(verify(token_len, &home), WT__TOKEN_BAD);
  }
}

/* A client's endpoint has no `reset_key`; its tokens are to be guessed by nobody either. */
static void test_endpoint_keys_of_resets_are_random_without_a_secret(void **state) {
  (void)state;
  struct wt__endpoint *second;
  const struct wt__endpoint_config config = {.workers = 0};
  uint8_t one[NGTCP2_STATELESS_RESET_TOKENLEN], two[NGTCP2_STATELESS_RESET_TOKENLEN];
  assert_int_equal(wt__endpoint_new(&second, &config), 0);
  assert_int_equal(wt__endpoint_make_reset_token(endpoint, &scid, one), 0);
  assert_int_equal(wt__endpoint_make_reset_token(second, &scid, two), 0);
  assert_memory_not_equal(one, two, sizeof(one));
  wt__endpoint_free(second);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_endpoint_keys_each_takes_its_tokens),
      TEST(test_endpoint_keys_take_no_forged_token),
      TEST(test_endpoint_keys_of_a_process_go_by_its_clock),
      TEST(test_endpoint_keys_of_a_fleet_go_by_the_time_of_day),
      TEST(test_endpoint_keys_see_through_a_step_of_the_clock),
      TEST(test_endpoint_keys_of_resets_are_random_without_a_secret),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
