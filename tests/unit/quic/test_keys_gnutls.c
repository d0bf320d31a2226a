/* SPDX-License-Identifier: MIT */

/* src/quic/keys_gnutls.c: which keys follow from a secret, and which secrets are none. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <webtransport/error.h>

#include "quic/keys.h"

static uint8_t bytes[WT__KEYS_SECRET_MAX + 1];
static struct wt__keys keys;
static struct wt__ticket_secrets tickets;

static int set_up(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)i;
  return 0;
}

/* Computed by Python's hmac, from RFC 5869. All versions on all machines have to agree on these. */
static void test_keys_of_a_known_secret(void **state) {
  (void)state;
  static const uint8_t token[] = {0x1c, 0x1a, 0x33, 0x20, 0x6b, 0x6e, 0xcc, 0xc9, 0x01, 0x08, 0x8a,
                                  0x7f, 0x1c, 0xde, 0x7b, 0x31, 0x0b, 0x94, 0x64, 0x15, 0x30, 0x2f,
                                  0xb8, 0xc1, 0x37, 0x31, 0x08, 0xd6, 0x74, 0x6b, 0x89, 0x16};
  static const uint8_t reset[] = {0x33, 0xb2, 0x46, 0x6a, 0x4e, 0xa9, 0xe2, 0x7f, 0xf4, 0xec, 0x85,
                                  0x33, 0xfd, 0x25, 0x86, 0x91, 0xcb, 0x7c, 0x10, 0xf6, 0x99, 0x12,
                                  0x2f, 0x03, 0xe2, 0xb3, 0x46, 0x4f, 0x37, 0xd1, 0xf7, 0xef};
  static const uint8_t ticket_begins[] = {0xc4, 0xd9, 0xcf, 0xff, 0x5e, 0xc1, 0x46, 0x2a},
                       ticket_ends[] = {0x94, 0x53, 0xc8, 0x09, 0x36, 0x3e, 0xb3, 0x87};
  const struct wt__vec secret = {bytes, 32};
  assert_int_equal(wt__keys_derive(&keys, &tickets, &secret, 1), 0);
  assert_true(keys.of_fleet);
  assert_int_equal(keys.token_count, 1);
  assert_int_equal(keys.reset_count, 1);
  assert_int_equal(tickets.count, 1);
  assert_memory_equal(keys.token[0].secret, token, sizeof(token));
  assert_memory_equal(keys.reset[0], reset, sizeof(reset));
  assert_memory_equal(tickets.secret[0], ticket_begins, sizeof(ticket_begins));
  assert_memory_equal(tickets.secret[0] + 56, ticket_ends, sizeof(ticket_ends));
}

static void test_keys_keep_the_order_of_their_secrets(void **state) {
  (void)state;
  const struct wt__vec secrets[] = {{bytes, 32}, {NULL, 0}, {bytes + 1, 256}}, last = {bytes + 1, 256};
  struct wt__keys alone;
  struct wt__ticket_secrets alone_tickets;
  assert_int_equal(wt__keys_derive(&keys, &tickets, secrets, 3), 0);
  assert_int_equal(wt__keys_derive(&alone, &alone_tickets, &last, 1), 0);
  assert_int_equal(keys.token_count, 2);
  assert_memory_equal(&keys.token[1], &alone.token[0], sizeof(alone.token[0]));
  assert_memory_equal(keys.reset[1], alone.reset[0], sizeof(alone.reset[0]));
  assert_memory_equal(tickets.secret[1], alone_tickets.secret[0], sizeof(alone_tickets.secret[0]));
  assert_memory_not_equal(&keys.token[0], &keys.token[1], sizeof(keys.token[0]));
}

static void test_keys_of_a_secret_that_comes_twice_are_there_once(void **state) {
  (void)state;
  const struct wt__vec secrets[] = {{bytes, 32}, {bytes, 33}, {bytes, 32}};
  assert_int_equal(wt__keys_derive(&keys, &tickets, secrets, 3), 0);
  assert_int_equal(keys.token_count, 2);
  assert_int_equal(tickets.count, 2);
}

static void test_keys_need_a_secret_of_some_length(void **state) {
  (void)state;
  const struct wt__vec wrong[][2] = {
      {{NULL, 0}, {NULL, 0}},    {{NULL, 0}, {bytes, 32}},  {{bytes, 31}, {NULL, 0}},
      {{bytes, 257}, {NULL, 0}}, {{bytes, 32}, {bytes, 1}},
  };
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_int_equal(wt__keys_derive(&keys, &tickets, wrong[i], 2), WT_ERR_INVALID);
    assert_int_equal(keys.token_count, 0);
    assert_int_equal(tickets.count, 0);
  }
  assert_int_equal(wt__keys_derive(&keys, &tickets, wrong[0], 0), WT_ERR_INVALID);
}

static void test_keys_of_a_process_are_its_own(void **state) {
  (void)state;
  struct wt__keys more;
  struct wt__ticket_secrets more_tickets;
  assert_int_equal(wt__keys_random(&keys), 0);
  assert_int_equal(wt__keys_random(&more), 0);
  assert_false(keys.of_fleet);
  assert_memory_not_equal(&keys.token[0], &more.token[0], sizeof(keys.token[0]));
  assert_memory_not_equal(keys.reset[0], more.reset[0], sizeof(keys.reset[0]));
  assert_int_equal(wt__ticket_secrets_random(&tickets), 0);
  assert_int_equal(wt__ticket_secrets_random(&more_tickets), 0);
  assert_memory_not_equal(tickets.secret[0], more_tickets.secret[0], sizeof(tickets.secret[0]));
}

static void test_keys_of_resets_can_be_fixed(void **state) {
  (void)state;
  const struct wt__vec secrets[] = {{bytes, 32}, {bytes + 1, 32}};
  assert_int_equal(wt__keys_derive(&keys, &tickets, secrets, 2), 0);
  wt__keys_fix_reset(&keys, bytes + 9);
  assert_int_equal(keys.reset_count, 1);
  assert_int_equal(keys.token_count, 2);
  assert_memory_equal(keys.reset[0], bytes + 9, WT__RESET_KEY_LEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keys_of_a_known_secret),
      cmocka_unit_test(test_keys_keep_the_order_of_their_secrets),
      cmocka_unit_test(test_keys_of_a_secret_that_comes_twice_are_there_once),
      cmocka_unit_test(test_keys_need_a_secret_of_some_length),
      cmocka_unit_test(test_keys_of_a_process_are_its_own),
      cmocka_unit_test(test_keys_of_resets_can_be_fixed),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
