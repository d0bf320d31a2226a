/* SPDX-License-Identifier: MIT */

/*
 * What libcrypto signs, GnuTLS takes for a signature of the same key, from several threads too; and keys of other kinds
 * are refused. Where it is not built in, there is nothing to test but that it says so.
 */

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "quic/sign.h"

#define THREADS 4
#define ROUNDS 50

/* One key, as libcrypto gets it and as GnuTLS verifies with it. */
struct pair {
  gnutls_privkey_t key;
  gnutls_pubkey_t public_key;
  struct wt__sign *sign;
};

static void pair_make(struct pair *pair, gnutls_pk_algorithm_t algorithm, unsigned bits) {
  gnutls_x509_privkey_t numbers;
  gnutls_datum_t der;
  assert_int_equal(gnutls_privkey_init(&pair->key), 0);
  assert_int_equal(gnutls_privkey_generate(pair->key, algorithm, bits, 0), 0);
  assert_int_equal(gnutls_pubkey_init(&pair->public_key), 0);
  assert_int_equal(gnutls_pubkey_import_privkey(pair->public_key, pair->key, 0, 0), 0);
  assert_int_equal(gnutls_privkey_export_x509(pair->key, &numbers), 0);
  assert_int_equal(gnutls_x509_privkey_export2_pkcs8(numbers, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der), 0);
  pair->sign = wt__sign_new(der.data, der.size);
  gnutls_free(der.data);
  gnutls_x509_privkey_deinit(numbers);
}

static void pair_free(struct pair *pair) {
  wt__sign_free(pair->sign);
  gnutls_pubkey_deinit(pair->public_key);
  gnutls_privkey_deinit(pair->key);
}

static void p256_or_skip(struct pair *pair) {
  pair_make(pair, GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
  if (pair->sign) return;
  pair_free(pair);
  skip();
}

static bool verifies(const struct pair *pair, const uint8_t *hash, const uint8_t *signature, size_t len) {
  const gnutls_datum_t hashed = {(unsigned char *)(uintptr_t)hash, WT__SIGN_HASH_LEN};
  const gnutls_datum_t signed_data = {(unsigned char *)(uintptr_t)signature, (unsigned)len};
  return gnutls_pubkey_verify_hash2(pair->public_key, GNUTLS_SIGN_ECDSA_SHA256, 0, &hashed, &signed_data) >= 0;
}

static void test_sign_makes_signatures_of_the_key(void **state) {
  struct pair pair, other;
  uint8_t hash[WT__SIGN_HASH_LEN] = {0}, signature[WT__SIGN_MAX_LEN];
  (void)state;
  p256_or_skip(&pair);
  p256_or_skip(&other);
  for (int i = 0; i < ROUNDS; i++) { /* of all lengths that there are in DER */
    hash[i % WT__SIGN_HASH_LEN] = (uint8_t)(0x80 + i);
    size_t len = wt__sign_hash(pair.sign, hash, signature);
    assert_in_range(len, 8, WT__SIGN_MAX_LEN);
    assert_true(verifies(&pair, hash, signature, len));
    assert_false(verifies(&other, hash, signature, len));
    hash[0] ^= 1;
    assert_false(verifies(&pair, hash, signature, len));
  }
  pair_free(&other);
  pair_free(&pair);
}

/* Two signatures of one hash with the same number behind them would give the key away; that number is a part of
 * each. */
static void test_sign_never_repeats_its_number(void **state) {
  static uint8_t signatures[ROUNDS][WT__SIGN_MAX_LEN];
  const uint8_t hash[WT__SIGN_HASH_LEN] = {1, 2, 3};
  struct pair pair;
  (void)state;
  p256_or_skip(&pair);
  for (size_t i = 0; i < ROUNDS; i++) {
    assert_true(wt__sign_hash(pair.sign, hash, signatures[i]) > 0);
    /* SEQUENCE, INTEGER, and of that its last 32 bytes without the first */
    for (size_t j = 0; j < i; j++) assert_memory_not_equal(signatures[i] + 5, signatures[j] + 5, 24);
  }
  pair_free(&pair);
}

static void *sign_many(void *argument) {
  const struct pair *pair = argument;
  uint8_t hash[WT__SIGN_HASH_LEN] = {7}, signature[WT__SIGN_MAX_LEN];
  size_t good = 0;
  for (int i = 0; i < ROUNDS; i++) {
    hash[1] = (uint8_t)i;
    size_t len = wt__sign_hash(pair->sign, hash, signature);
    good += len > 0 && verifies(pair, hash, signature, len);
  }
  return (void *)(uintptr_t)good;
}

static void test_sign_serves_several_threads(void **state) {
  struct pair pair;
  pthread_t threads[THREADS];
  void *good;
  (void)state;
  p256_or_skip(&pair);
  for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &pair), 0);
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(threads[i], &good), 0);
    assert_int_equal((uintptr_t)good, ROUNDS);
  }
  pair_free(&pair);
}

static void test_sign_leaves_other_keys_alone(void **state) {
  static const struct {
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
  } others[] = {{GNUTLS_PK_RSA, 2048},
                {GNUTLS_PK_EDDSA_ED25519, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)},
                {GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)}};
  (void)state;
  int64_t live = wt__mem_live();
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    struct pair pair;
    pair_make(&pair, others[i].algorithm, others[i].bits);
    assert_null(pair.sign);
    pair_free(&pair);
  }
  assert_null(wt__sign_new("no key", 6));
  assert_null(wt__sign_new("", 0));
  assert_int_equal(wt__mem_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sign_makes_signatures_of_the_key),
      cmocka_unit_test(test_sign_never_repeats_its_number),
      cmocka_unit_test(test_sign_serves_several_threads),
      cmocka_unit_test(test_sign_leaves_other_keys_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
