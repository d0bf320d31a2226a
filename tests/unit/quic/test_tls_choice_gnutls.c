/* SPDX-License-Identifier: MIT */

/* src/quic/tls_choice_gnutls.c: names and their order, as GnuTLS takes them. */

#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quic/tls_choice.h"

/* The groups that GnuTLS got, in their order. */
static void check_groups(const struct wt__tls_choice *choice, const gnutls_group_t *expected, int count) {
  gnutls_priority_t priorities = NULL;
  const unsigned *groups = NULL;
  assert_int_equal(wt__tls_choice_apply(choice, true, &priorities), 0);
  assert_int_equal(gnutls_priority_group_list(priorities, &groups), count);
  for (int i = 0; i < count; i++) assert_int_equal(groups[i], expected[i]);
  gnutls_priority_deinit(priorities);
}

static void check_ciphers(const struct wt__tls_choice *choice, const gnutls_cipher_algorithm_t *expected, int count) {
  gnutls_priority_t priorities = NULL;
  const unsigned *ciphers = NULL;
  assert_int_equal(wt__tls_choice_apply(choice, false, &priorities), 0);
  assert_int_equal(gnutls_priority_cipher_list(priorities, &ciphers), count);
  for (int i = 0; i < count; i++) assert_int_equal(ciphers[i], expected[i]);
  gnutls_priority_deinit(priorities);
}

static const gnutls_group_t default_groups[] = {GNUTLS_GROUP_X25519, GNUTLS_GROUP_SECP256R1, GNUTLS_GROUP_SECP384R1};
static const gnutls_cipher_algorithm_t default_ciphers[] = {GNUTLS_CIPHER_AES_128_GCM, GNUTLS_CIPHER_AES_256_GCM,
                                                            GNUTLS_CIPHER_CHACHA20_POLY1305};

static void test_tls_choice_has_defaults(void **state) {
  static const struct wt__tls_choice none;
  (void)state;
  check_groups(NULL, default_groups, 3);
  check_ciphers(NULL, default_ciphers, 3);
  check_groups(&none, default_groups, 3);
  check_ciphers(&none, default_ciphers, 3);
}

static void test_tls_choice_keeps_the_order_of_the_names(void **state) {
  static const char *const suites[] = {"TLS_CHACHA20_POLY1305_SHA256", "tls_aes_128_gcm_sha256"};
  static const char *const groups[] = {"x448", "secp521r1", "X25519"};
  static const gnutls_cipher_algorithm_t ciphers[] = {GNUTLS_CIPHER_CHACHA20_POLY1305, GNUTLS_CIPHER_AES_128_GCM};
  static const gnutls_group_t chosen[] = {GNUTLS_GROUP_X448, GNUTLS_GROUP_SECP521R1, GNUTLS_GROUP_X25519};
  (void)state;
  check_ciphers(&(struct wt__tls_choice){.cipher_suites = suites, .cipher_suite_count = 2}, ciphers, 2);
  check_groups(&(struct wt__tls_choice){.groups = groups, .group_count = 3}, chosen, 3);
  /* one list says nothing of the other */
  check_groups(&(struct wt__tls_choice){.cipher_suites = suites, .cipher_suite_count = 2}, default_groups, 3);
  check_ciphers(&(struct wt__tls_choice){.groups = groups, .group_count = 3}, default_ciphers, 3);
}

static void test_tls_choice_refuses_what_it_does_not_know(void **state) {
  static const char *const names[] = {"x25519", "x25520"};
  static const char *const suites[] = {"TLS_RSA_WITH_RC4_128_MD5"};
  gnutls_priority_t priorities = NULL;
  (void)state;
  assert_int_equal(
      wt__tls_choice_apply(&(struct wt__tls_choice){.groups = names, .group_count = 2}, false, &priorities),
      GNUTLS_E_INVALID_REQUEST);
  assert_int_equal(wt__tls_choice_apply(&(struct wt__tls_choice){.cipher_suites = suites, .cipher_suite_count = 1},
                                        true, &priorities),
                   GNUTLS_E_INVALID_REQUEST);
  assert_true(wt__tls_group_is_known("x25519"));
  assert_false(wt__tls_group_is_known("x25520"));
  assert_false(wt__tls_group_is_known("TLS_AES_128_GCM_SHA256"));
  assert_true(wt__tls_cipher_suite_is_known("TLS_AES_128_GCM_SHA256"));
  assert_false(wt__tls_cipher_suite_is_known(""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tls_choice_has_defaults),
      cmocka_unit_test(test_tls_choice_keeps_the_order_of_the_names),
      cmocka_unit_test(test_tls_choice_refuses_what_it_does_not_know),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
