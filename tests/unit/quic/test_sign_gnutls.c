/* SPDX-License-Identifier: MIT */

/* A certificate's key that signs by another library: GnuTLS takes it for the key that it is, and asks it nothing else.
 * Handshakes with it are everywhere (test_tls_gnutls.c); whether they have it shows here. */

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "quic/certificate.h"
#include "quic/sign.h"

static uint8_t bytes[48] = {1, 2, 3};

static int sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, unsigned hash_len, gnutls_datum_t *signature) {
  const gnutls_datum_t hash = {bytes, hash_len};
  *signature = (gnutls_datum_t){NULL, 0};
  return gnutls_privkey_sign_hash2(key, algorithm, 0, &hash, signature);
}

static wt_certificate *certificate_or_skip(void) {
  wt_certificate *certificate;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  if (certificate->signer) return certificate;
  wt_certificate_free(certificate);
  skip();
  return NULL;
}

static void test_signer_signs_as_the_key(void **state) {
  gnutls_pubkey_t public_key;
  gnutls_datum_t signature, hash = {bytes, WT__SIGN_HASH_LEN};
  (void)state;
  wt_certificate *certificate = certificate_or_skip();
  assert_int_equal(gnutls_pubkey_init(&public_key), 0);
  assert_int_equal(gnutls_pubkey_import_privkey(public_key, certificate->key, 0, 0), 0);
  assert_int_equal(sign(certificate->signer, GNUTLS_SIGN_ECDSA_SHA256, WT__SIGN_HASH_LEN, &signature), 0);
  assert_true(gnutls_pubkey_verify_hash2(public_key, GNUTLS_SIGN_ECDSA_SHA256, 0, &hash, &signature) >= 0);
  gnutls_free(signature.data);
  gnutls_pubkey_deinit(public_key);
  wt_certificate_free(certificate);
}

static void test_signer_says_what_it_is(void **state) {
  unsigned bits = 0;
  (void)state;
  wt_certificate *certificate = certificate_or_skip();
  assert_int_equal(gnutls_privkey_get_pk_algorithm(certificate->signer, &bits), GNUTLS_PK_ECDSA);
  assert_int_equal(gnutls_privkey_get_type(certificate->signer), GNUTLS_PRIVKEY_EXT);
  wt_certificate_free(certificate);
}

static void test_signer_refuses_other_hashes(void **state) {
  gnutls_datum_t signature;
  (void)state;
  wt_certificate *certificate = certificate_or_skip();
  assert_true(sign(certificate->signer, GNUTLS_SIGN_ECDSA_SHA384, 48, &signature) < 0);
  assert_true(sign(certificate->signer, GNUTLS_SIGN_ECDSA_SHA256, 20, &signature) < 0);
  wt_certificate_free(certificate);
}

static void test_signer_is_for_p256_alone(void **state) {
  static const struct {
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
  } others[] = {{GNUTLS_PK_RSA, 2048}, {GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)}};
  (void)state;
  int64_t live = wt__mem_live();
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    gnutls_privkey_t key;
    assert_int_equal(gnutls_privkey_init(&key), 0);
    assert_int_equal(gnutls_privkey_generate(key, others[i].algorithm, others[i].bits, 0), 0);
    assert_null(wt__signer_new(key));
    gnutls_privkey_deinit(key);
  }
  assert_int_equal(wt__mem_live(), live);
}

/* Without memory for it the key signs. */
static void test_signer_can_be_done_without(void **state) {
  (void)state;
  wt_certificate *certificate = certificate_or_skip();
  int64_t live = wt__mem_live();
  wt__mem_fail_after(0);
  assert_null(wt__signer_new(certificate->key));
  wt__mem_fail_after(SIZE_MAX);
  assert_int_equal(wt__mem_live(), live);
  wt_certificate_free(certificate);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signer_signs_as_the_key),     cmocka_unit_test(test_signer_says_what_it_is),
      cmocka_unit_test(test_signer_refuses_other_hashes), cmocka_unit_test(test_signer_is_for_p256_alone),
      cmocka_unit_test(test_signer_can_be_done_without),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
