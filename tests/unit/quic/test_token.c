/* SPDX-License-Identifier: MIT */

/* src/quic/token.c: what tokens are bound to, how long they live, and what is made of broken ones. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include "quic/token.h"

#define SECOND UINT64_C(1000000000)
#define NOW (1000 * SECOND)

static struct wt__token_key key, other_key;
static struct sockaddr_in home, other_port, other_host;
static ngtcp2_cid scid, odcid;
static uint64_t tolerance;

static struct wt__token_address at(const struct sockaddr_in *address) {
  return (struct wt__token_address){(const struct sockaddr *)address, sizeof(*address)};
}

static int set_up(void **state) {
  (void)state;
  home.sin_family = AF_INET;
  home.sin_port = htons(1000);
  home.sin_addr.s_addr = htonl(0x7f000001);
  other_port = other_host = home;
  other_port.sin_port = htons(1001);
  other_host.sin_addr.s_addr = htonl(0x7f000002);
  ngtcp2_cid_init(&scid, (const uint8_t *)"server's id 123456", 18);
  ngtcp2_cid_init(&odcid, (const uint8_t *)"client's", 8);
  return wt__token_key_init(&key) || wt__token_key_init(&other_key);
}

static enum wt__token_verdict verify(const struct wt__token_key *with, const uint8_t *token, size_t len,
                                     const struct sockaddr_in *from, const ngtcp2_cid *dcid, uint64_t now) {
  ngtcp2_cid found = {.datalen = 0};
  enum wt__token_verdict verdict = wt__token_verify(with, token, len, NGTCP2_PROTO_VER_V1, at(from), dcid, &found,
                                                    (struct wt__token_time){now, tolerance});
  if (verdict == WT__TOKEN_RETRY) assert_true(ngtcp2_cid_eq(&found, &odcid));
  return verdict;
}

static void test_token_of_retry(void **state) {
  (void)state;
  uint8_t token[WT__TOKEN_MAX_LEN];
  size_t len = wt__token_retry(&key, token, NGTCP2_PROTO_VER_V1, at(&home), &scid, &odcid, NOW);
  assert_true(len > 0 && len <= sizeof(token));
  assert_int_equal(verify(&key, token, len, &home, &scid, NOW + SECOND), WT__TOKEN_RETRY);
  assert_int_equal(verify(&key, token, len, &other_port, &scid, NOW + SECOND), WT__TOKEN_BAD);
  assert_int_equal(verify(&key, token, len, &other_host, &scid, NOW + SECOND), WT__TOKEN_BAD);
  assert_int_equal(verify(&key, token, len, &home, &scid, NOW + 11 * SECOND), WT__TOKEN_BAD);
  assert_int_not_equal(verify(&key, token, len, &home, &odcid, NOW + SECOND), WT__TOKEN_RETRY);
  assert_int_not_equal(verify(&other_key, token, len, &home, &scid, NOW + SECOND), WT__TOKEN_RETRY);
}

static void test_token_of_an_earlier_connection(void **state) {
  (void)state;
  uint8_t token[WT__TOKEN_MAX_LEN];
  size_t len = wt__token_regular(&key, token, at(&home), NOW);
  assert_true(len > 0 && len <= sizeof(token));
  assert_int_equal(verify(&key, token, len, &home, &odcid, NOW + SECOND), WT__TOKEN_REGULAR);
  assert_int_equal(verify(&key, token, len, &other_port, &odcid, NOW + SECOND), WT__TOKEN_REGULAR);
  assert_int_equal(verify(&key, token, len, &other_host, &odcid, NOW + SECOND), WT__TOKEN_NONE);
  assert_int_equal(verify(&key, token, len, &home, &odcid, NOW + 6 * 24 * 3600 * SECOND), WT__TOKEN_REGULAR);
  assert_int_equal(verify(&key, token, len, &home, &odcid, NOW + 8 * 24 * 3600 * SECOND), WT__TOKEN_NONE);
  assert_int_equal(verify(&other_key, token, len, &home, &odcid, NOW + SECOND), WT__TOKEN_NONE);
}

static void test_token_broken(void **state) {
  (void)state;
  uint8_t token[WT__TOKEN_MAX_LEN];
  assert_int_equal(verify(&key, NULL, 0, &home, &scid, NOW), WT__TOKEN_NONE);
  assert_int_equal(verify(&key, (const uint8_t *)"hello", 5, &home, &scid, NOW), WT__TOKEN_NONE);
  for (int kind = 0; kind < 2; kind++) {
    size_t len = kind ? wt__token_regular(&key, token, at(&home), NOW)
                      : wt__token_retry(&key, token, NGTCP2_PROTO_VER_V1, at(&home), &scid, &odcid, NOW);
    for (size_t cut = 0; cut < len; cut++) {
      enum wt__token_verdict verdict = verify(&key, token, cut, &home, &scid, NOW);
      assert_true(verdict == WT__TOKEN_NONE || verdict == WT__TOKEN_BAD);
    }
    for (size_t i = 0; i < len; i++) {
      token[i] ^= 1;
      enum wt__token_verdict verdict = verify(&key, token, len, &home, &scid, NOW);
      assert_true(verdict == WT__TOKEN_NONE || verdict == WT__TOKEN_BAD);
      token[i] ^= 1;
    }
    assert_int_equal(verify(&key, token, len, &home, &scid, NOW), kind ? WT__TOKEN_REGULAR : WT__TOKEN_RETRY);
  }
}

/* Another machine's clock may be some seconds off, whichever way. */
static void test_token_of_another_clock(void **state) {
  (void)state;
  uint8_t retry[WT__TOKEN_MAX_LEN], regular[WT__TOKEN_MAX_LEN];
  size_t retry_len = wt__token_retry(&key, retry, NGTCP2_PROTO_VER_V1, at(&home), &scid, &odcid, NOW);
  size_t regular_len = wt__token_regular(&key, regular, at(&home), NOW);
  static const struct {
    int64_t age; /* in seconds */
    enum wt__token_verdict retry, regular;
  } cases[] = {
      {-900, WT__TOKEN_BAD, WT__TOKEN_NONE},    {-6, WT__TOKEN_BAD, WT__TOKEN_NONE},
      {-4, WT__TOKEN_RETRY, WT__TOKEN_REGULAR}, {0, WT__TOKEN_RETRY, WT__TOKEN_REGULAR},
      {14, WT__TOKEN_RETRY, WT__TOKEN_REGULAR}, {16, WT__TOKEN_BAD, WT__TOKEN_REGULAR},
  };
  tolerance = WT__TOKEN_CLOCK_TOLERANCE;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t now = NOW + (uint64_t)cases[i].age * SECOND;
    assert_int_equal(verify(&key, retry, retry_len, &home, &scid, now), cases[i].retry);
    assert_int_equal(verify(&key, regular, regular_len, &home, &scid, now), cases[i].regular);
  }
  tolerance = 0;
}

/* The clock of a machine that has just begun, which is less than the tolerance. */
static void test_token_of_the_first_second(void **state) {
  (void)state;
  uint8_t token[WT__TOKEN_MAX_LEN];
  size_t len = wt__token_regular(&key, token, at(&home), 1);
  tolerance = WT__TOKEN_CLOCK_TOLERANCE;
  assert_int_equal(verify(&key, token, len, &home, &scid, 1), WT__TOKEN_REGULAR);
  tolerance = 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_token_of_retry),
      cmocka_unit_test(test_token_of_an_earlier_connection),
      cmocka_unit_test(test_token_broken),
      cmocka_unit_test(test_token_of_another_clock),
      cmocka_unit_test(test_token_of_the_first_second),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
