/* SPDX-License-Identifier: MIT */
/*
 * Certificates for tests. Keys are ECDSA on P-256, which are made at once.
 */
#include "authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <gnutls/gnutls.h>

static struct authority begin(const char *name, time_t from, time_t until, bool ca) {
  const unsigned bits = (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), len = (unsigned)strlen(name);
  struct authority made;
  assert_int_equal(gnutls_x509_privkey_init(&made.key), 0);
  assert_int_equal(gnutls_x509_privkey_generate(made.key, GNUTLS_PK_ECDSA, bits, 0), 0);
  assert_int_equal(gnutls_x509_crt_init(&made.cert), 0);
  assert_int_equal(gnutls_x509_crt_set_version(made.cert, 3), 0);
  assert_int_equal(gnutls_x509_crt_set_serial(made.cert, name, len < 20 ? len : 20), 0);
  assert_int_equal(gnutls_x509_crt_set_dn_by_oid(made.cert, GNUTLS_OID_X520_COMMON_NAME, 0, name, len), 0);
  assert_int_equal(gnutls_x509_crt_set_subject_alt_name(made.cert, GNUTLS_SAN_DNSNAME, name, len, GNUTLS_FSAN_SET), 0);
  assert_int_equal(gnutls_x509_crt_set_activation_time(made.cert, time(NULL) + from), 0);
  assert_int_equal(gnutls_x509_crt_set_expiration_time(made.cert, time(NULL) + until), 0);
  assert_int_equal(gnutls_x509_crt_set_ca_status(made.cert, ca), 0);
  assert_int_equal(
      gnutls_x509_crt_set_key_usage(made.cert, ca ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE), 0);
  assert_int_equal(gnutls_x509_crt_set_key(made.cert, made.key), 0);
  return made;
}

static void sign(const struct authority *made, const struct authority *by) {
  if (!by) by = made;
  assert_int_equal(gnutls_x509_crt_sign2(made->cert, by->cert, by->key, GNUTLS_DIG_SHA256, 0), 0);
}

struct authority authority_issue(const char *name, const struct authority *by, time_t life) {
  struct authority made = begin(name, -60, life, true);
  sign(&made, by);
  return made;
}

struct authority authority_leaf(const char *name, const struct authority *by, time_t from, time_t until,
                                const char *purpose) {
  struct authority made = begin(name, from, until, false);
  if (purpose) assert_int_equal(gnutls_x509_crt_set_key_purpose_oid(made.cert, purpose, 0), 0);
  sign(&made, by);
  return made;
}

void authority_free(struct authority *authority) {
  gnutls_x509_crt_deinit(authority->cert);
  gnutls_x509_privkey_deinit(authority->key);
}

static void pem_append(char *text, size_t size, gnutls_x509_crt_t cert) {
  gnutls_datum_t pem;
  size_t len = strlen(text);
  assert_int_equal(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem), 0);
  assert_true(len + pem.size < size);
  (void)snprintf(text + len, size - len, "%s", (const char *)pem.data);
  gnutls_free(pem.data);
}

wt_certificate *authority_chain_of(const struct authority *leaf, const struct authority *others, size_t count) {
  wt_certificate *certificate = NULL;
  gnutls_datum_t key;
  char pem[16384] = "", message[256];
  pem_append(pem, sizeof(pem), leaf->cert);
  for (size_t i = 0; i < count; i++) pem_append(pem, sizeof(pem), others[i].cert);
  assert_int_equal(gnutls_x509_privkey_export2(leaf->key, GNUTLS_X509_FMT_PEM, &key), 0);
  int error = wt_certificate_parse(pem, strlen(pem), key.data, key.size, &certificate, message, sizeof(message));
  if (error) fail_msg("%s", message);
  gnutls_free(key.data);
  return certificate;
}

wt_certificate *authority_chain(const struct authority *leaf, const struct authority *by) {
  return authority_chain_of(leaf, by, by ? 1 : 0);
}

void authority_file(const struct authority *authority, char *path) {
  gnutls_datum_t pem;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(gnutls_x509_crt_export2(authority->cert, GNUTLS_X509_FMT_PEM, &pem), 0);
  assert_int_equal(write(fd, pem.data, pem.size), pem.size);
  assert_int_equal(close(fd), 0);
  gnutls_free(pem.data);
}
