/* SPDX-License-Identifier: MIT */

/*
 * src/quic/certificate_describe_gnutls.c: what is said of certificates of each kind of key, and for which of them
 * browsers would not take the hash. And what wt_certificate_export gives, of certificate_gnutls.c.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "quic/certificate.h"

#define DAY 86400
#define P256 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)

/* A certificate to be made, self-signed unless an issuer is named. */
struct plan {
  gnutls_pk_algorithm_t algorithm;
  unsigned bits;
  int64_t from, to; /* seconds from now */
  const char *subject, *issuer;
  const char *const *names;
  unsigned version;
  gnutls_x509_privkey_t key; /* NULL: a new one */
};

static const struct plan usual = {GNUTLS_PK_ECDSA, P256, -60, 14 * DAY - 60, "CN=test,O=Acme", NULL, NULL, 3, NULL};

static void add_names(gnutls_x509_crt_t cert, const char *const *names) {
  static const uint8_t four[] = {192, 0, 2, 1}, six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
  for (; names && *names; names++) {
    const void *data = *names;
    size_t len = strlen(*names);
    gnutls_x509_subject_alt_name_t type = strchr(*names, '@') ? GNUTLS_SAN_RFC822NAME : GNUTLS_SAN_DNSNAME;
    if (!strcmp(*names, "192.0.2.1")) data = four, len = 4, type = GNUTLS_SAN_IPADDRESS;
    if (!strcmp(*names, "2001:db8::1")) data = six, len = 16, type = GNUTLS_SAN_IPADDRESS;
    assert_int_equal(gnutls_x509_crt_set_subject_alt_name(cert, type, data, (unsigned)len, GNUTLS_FSAN_APPEND), 0);
  }
}

static gnutls_x509_privkey_t key_new(const struct plan *plan) {
  gnutls_x509_privkey_t key;
  assert_int_equal(gnutls_x509_privkey_init(&key), 0);
  assert_int_equal(gnutls_x509_privkey_generate(key, plan->algorithm, plan->bits, 0), 0);
  return key;
}

static void make(const struct plan *plan, gnutls_x509_crt_fmt_t format, gnutls_datum_t *out) {
  gnutls_x509_privkey_t key = plan->key ? plan->key : key_new(plan);
  gnutls_x509_crt_t cert;
  bool eddsa = plan->algorithm == GNUTLS_PK_EDDSA_ED25519;
  assert_int_equal(gnutls_x509_crt_init(&cert), 0);
  assert_int_equal(gnutls_x509_crt_set_version(cert, plan->version), 0);
  assert_int_equal(gnutls_x509_crt_set_serial(cert, "\x51\x02\xab", 3), 0);
  assert_int_equal(gnutls_x509_crt_set_dn(cert, plan->subject, NULL), 0);
  assert_int_equal(gnutls_x509_crt_set_issuer_dn(cert, plan->issuer ? plan->issuer : plan->subject, NULL), 0);
  add_names(cert, plan->names);
  assert_int_equal(gnutls_x509_crt_set_activation_time(cert, time(NULL) + plan->from), 0);
  assert_int_equal(gnutls_x509_crt_set_expiration_time(cert, time(NULL) + plan->to), 0);
  assert_int_equal(gnutls_x509_crt_set_key(cert, key), 0);
  if (plan->issuer) { /* signing takes the subject of the issuer's certificate */
    gnutls_x509_crt_t issuer;
    assert_int_equal(gnutls_x509_crt_init(&issuer), 0);
    assert_int_equal(gnutls_x509_crt_set_dn(issuer, plan->issuer, NULL), 0);
    assert_int_equal(gnutls_x509_crt_set_key(issuer, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(cert, issuer, key, GNUTLS_DIG_SHA256, 0), 0);
    gnutls_x509_crt_deinit(issuer);
  } else {
    assert_int_equal(gnutls_x509_crt_sign2(cert, cert, key, eddsa ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, 0), 0);
  }
  assert_int_equal(gnutls_x509_crt_export2(cert, format, out), 0);
  gnutls_x509_crt_deinit(cert);
  if (!plan->key) gnutls_x509_privkey_deinit(key);
}

static void describe(const struct plan *plan, struct wt_certificate_info *info) {
  gnutls_datum_t der;
  make(plan, GNUTLS_X509_FMT_DER, &der);
  *info = (struct wt_certificate_info){.size = sizeof(*info)};
  assert_int_equal(wt_certificate_describe(der.data, der.size, 0, info), 0);
  assert_int_equal(info->size, sizeof(*info));
  uint8_t hash[32];
  assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, hash), 0);
  assert_memory_equal(info->sha256, hash, sizeof(hash));
  gnutls_free(der.data);
}

/* --- Words --- */

/* A name in front of a NUL is not what an authority has looked at: it must match nothing (GnuTLS sees to that), and it
 * must be seen. */
static void test_describe_a_name_with_a_nul(void **state) {
  (void)state;
  static const char *const names[] = {"good.exampleX.evil.example", NULL};
  struct plan plan = usual;
  struct wt_certificate_info info = {.size = sizeof(info)};
  gnutls_x509_crt_t cert;
  gnutls_datum_t der;
  plan.names = names;
  make(&plan, GNUTLS_X509_FMT_DER, &der);
  uint8_t *name = memmem(der.data, der.size, names[0], strlen(names[0]));
  assert_non_null(name);
  name[strlen("good.example")] = '\0'; /* GnuTLS writes no such name; nobody looks at the signature here */
  assert_int_equal(wt_certificate_describe(der.data, der.size, 0, &info), 0);
  assert_string_equal(info.names, "good.example?.evil.example");
  assert_int_equal(gnutls_x509_crt_init(&cert), 0);
  assert_int_equal(gnutls_x509_crt_import(cert, &der, GNUTLS_X509_FMT_DER), 0);
  assert_false(wt__certificate_matches(&(wt_certificate){.leaf = cert}, "good.example"));
  assert_int_equal(gnutls_x509_crt_check_hostname(cert, "good.example"), 0);
  gnutls_x509_crt_deinit(cert);
  gnutls_free(der.data);
}

static void test_describe_p256(void **state) {
  (void)state;
  static const char *const names[] = {"example.org", "*.example.org", "someone@example.org",
                                      "192.0.2.1",   "2001:db8::1",   NULL};
  struct plan plan = usual;
  struct wt_certificate_info info;
  plan.names = names;
  int64_t before = (int64_t)time(NULL);
  describe(&plan, &info);
  assert_string_equal(info.subject, "CN=test,O=Acme");
  assert_string_equal(info.issuer, "CN=test,O=Acme");
  assert_string_equal(info.names, "example.org, *.example.org, 192.0.2.1, 2001:db8::1");
  assert_string_equal(info.key, "ECDSA P-256");
  assert_string_equal(info.signature, "ECDSA-SHA256");
  assert_string_equal(info.serial, "5102ab");
  assert_in_range(info.not_before, before - 60, before - 55);
  assert_in_range(info.not_after - info.not_before, 14 * DAY - 1, 14 * DAY);
  assert_true(info.self_signed);
  assert_string_equal(info.hash_refusal, "");
}

static void test_describe_other_keys(void **state) {
  (void)state;
  static const struct {
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
    const char *key, *signature, *refusal;
  } cases[] = {
      {GNUTLS_PK_RSA, 2048, "RSA 2048", "RSA-SHA256", "its key is not one of ECDSA"},
      {GNUTLS_PK_EDDSA_ED25519, 0, "Ed25519", "EdDSA-Ed25519", "its key is not one of ECDSA"},
      {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), "ECDSA P-384", "ECDSA-SHA256", ""},
      {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), "ECDSA P-521", "ECDSA-SHA256",
       "its ECDSA key is not on P-256 or P-384"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct plan plan = usual;
    struct wt_certificate_info info;
    plan.algorithm = cases[i].algorithm;
    plan.bits = cases[i].bits;
    describe(&plan, &info);
    assert_string_equal(info.key, cases[i].key);
    assert_string_equal(info.signature, cases[i].signature);
    assert_string_equal(info.hash_refusal, cases[i].refusal);
  }
}

static void test_describe_hash_rules_of_browsers(void **state) {
  (void)state;
  struct plan plan = usual;
  struct wt_certificate_info info;
  plan.to = 14 * DAY - 58; /* two seconds, for a clock that ticks in between */
  describe(&plan, &info);
  assert_string_equal(info.hash_refusal, "valid for more than 14 days");
  plan.to = 15 * DAY;
  describe(&plan, &info);
  assert_string_equal(info.hash_refusal, "valid for more than 14 days");
  plan.from = -20 * DAY; /* has expired, which is another matter */
  plan.to = -10 * DAY;
  describe(&plan, &info);
  assert_string_equal(info.hash_refusal, "");
  assert_true(info.not_after < (int64_t)time(NULL));
  plan.to = -21 * DAY;
  describe(&plan, &info);
  assert_string_equal(info.hash_refusal, "its validity makes no sense");
  plan = usual;
  plan.version = 1;
  describe(&plan, &info);
  assert_string_equal(info.hash_refusal, "not of X.509 version 3");
}

static void test_describe_issued_by_another(void **state) {
  (void)state;
  struct plan plan = usual;
  struct wt_certificate_info info;
  plan.issuer = "CN=Authority";
  describe(&plan, &info);
  assert_string_equal(info.subject, "CN=test,O=Acme");
  assert_string_equal(info.issuer, "CN=Authority");
  assert_false(info.self_signed);
}

static void test_describe_cuts_what_is_long(void **state) {
  (void)state;
  static char many[40][64], subject[900] = "CN=x";
  const char *names[42] = {0};
  struct plan plan = usual;
  struct wt_certificate_info info;
  for (size_t i = 0; i < 40; i++) {
    (void)snprintf(many[i], sizeof(many[i]), "a-name-of-forty-characters-%02zu.example.org", i);
    names[i] = many[i];
  }
  for (size_t i = 0; i < 8; i++) {
    (void)snprintf(subject + strlen(subject), sizeof(subject) - strlen(subject), ",OU=%s",
                   "h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6h\xc3\xb6");
  }
  plan.names = names;
  plan.subject = subject;
  describe(&plan, &info);
  size_t each = strlen(many[0]) + 2, fit = (sizeof(info.names) - 1 + 2) / each;
  assert_int_equal(strlen(info.names), fit * each - 2); /* whole ones */
  assert_true(fit < 40);
  assert_in_range(strlen(info.subject), sizeof(info.subject) - 2, sizeof(info.subject) - 1);
}

static void test_describe_disarms_what_terminals_obey(void **state) {
  (void)state;
  static const char *const names[] = {"bell-name.example", "escape-name.example", NULL};
  struct plan plan = usual;
  struct wt_certificate_info info = {.size = sizeof(info)};
  gnutls_datum_t der;
  plan.names = names;
  make(&plan, GNUTLS_X509_FMT_DER, &der);
  /* GnuTLS makes no such names; the signature, which is broken now, is nobody's business here. */
  uint8_t *bell = memmem(der.data, der.size, "bell-name", 9), *escape = memmem(der.data, der.size, "escape-name", 11);
  assert_non_null(bell);
  assert_non_null(escape);
  bell[4] = '\a';
  escape[6] = 0x1b;
  escape[7] = 0xff;
  assert_int_equal(wt_certificate_describe(der.data, der.size, 0, &info), 0);
  assert_string_equal(info.names, "bell?name.example, escape??ame.example");
  gnutls_free(der.data);
}

/* --- Finding one --- */

static void test_describe_finds_the_one_asked_for(void **state) {
  (void)state;
  struct plan plan = usual;
  gnutls_datum_t first, second;
  char both[8192];
  struct wt_certificate_info info = {.size = sizeof(info)};
  make(&plan, GNUTLS_X509_FMT_PEM, &first);
  plan.subject = "CN=second";
  make(&plan, GNUTLS_X509_FMT_PEM, &second);
  int len = snprintf(both, sizeof(both), "a comment\n%s\nanother\n%s", first.data, second.data);
  assert_int_equal(wt_certificate_describe(both, (size_t)len, 0, &info), 0);
  assert_string_equal(info.subject, "CN=test,O=Acme");
  assert_int_equal(wt_certificate_describe(both, (size_t)len, 1, &info), 0);
  assert_string_equal(info.subject, "CN=second");
  assert_int_equal(wt_certificate_describe(both, (size_t)len, 2, &info), WT_ERR_NOT_FOUND);
  assert_string_equal(info.subject, "CN=second");
  gnutls_free(first.data);
  gnutls_free(second.data);
  make(&plan, GNUTLS_X509_FMT_DER, &first);
  assert_int_equal(wt_certificate_describe(first.data, first.size, 1, &info), WT_ERR_NOT_FOUND);
  assert_int_equal(wt_certificate_describe(first.data, first.size - 1, 0, &info), WT_ERR_CERTIFICATE);
  gnutls_free(first.data);
}

static void test_describe_refuses_what_is_no_certificate(void **state) {
  (void)state;
  struct wt_certificate_info info = {.size = sizeof(info)};
  static const char broken[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  static const char key[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  assert_int_equal(wt_certificate_describe("hello", 5, 0, &info), WT_ERR_CERTIFICATE);
  assert_int_equal(wt_certificate_describe("", 0, 0, &info), WT_ERR_CERTIFICATE);
  assert_int_equal(wt_certificate_describe(broken, sizeof(broken) - 1, 0, &info), WT_ERR_CERTIFICATE);
  assert_int_equal(wt_certificate_describe(key, sizeof(key) - 1, 0, &info), WT_ERR_CERTIFICATE);
  char *large = calloc(1, ((size_t)1 << 20) + 1);
  assert_non_null(large);
  assert_int_equal(wt_certificate_describe(large, ((size_t)1 << 20) + 1, 0, &info), WT_ERR_CERTIFICATE);
  free(large);
  info.size = sizeof(info) - 1;
  assert_int_equal(wt_certificate_describe("hello", 5, 0, &info), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_describe("hello", 5, 0, NULL), WT_ERR_INVALID);
}

/* --- Export --- */

static void test_certificate_export_can_be_parsed_again(void **state) {
  (void)state;
  wt_certificate *made = NULL, *again = NULL;
  char *cert = NULL, *key = NULL, message[256];
  uint8_t hash[32], hash_again[32];
  struct wt_certificate_info info = {.size = sizeof(info)};
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &made), 0);
  assert_int_equal(wt_certificate_export(made, &cert, &key), 0);
  int rc = wt_certificate_parse(cert, strlen(cert), key, strlen(key), &again, message, sizeof(message));
  if (rc) fail_msg("%s", message);
  wt_certificate_get_sha256(made, hash);
  wt_certificate_get_sha256(again, hash_again);
  assert_memory_equal(hash, hash_again, sizeof(hash));
  assert_int_equal(wt_certificate_describe(cert, strlen(cert), 0, &info), 0);
  assert_memory_equal(info.sha256, hash, sizeof(hash));
  assert_string_equal(info.names, "localhost, 127.0.0.1, ::1");
  assert_string_equal(info.hash_refusal, "");
  assert_int_equal(info.not_after, wt_certificate_expires_at(made));
  assert_non_null(strstr(key, "-----BEGIN PRIVATE KEY-----"));
  wt_pem_free(cert);
  wt_pem_free(key);
  wt_pem_free(NULL);
  wt_certificate_free(again);
  wt_certificate_free(made);
}

static void test_certificate_export_has_the_whole_chain_and_either_part(void **state) {
  (void)state;
  struct plan plan = usual;
  gnutls_datum_t leaf, authority, key;
  wt_certificate *chain = NULL;
  char *cert_back = NULL, *key_back = NULL, both[8192], *none = both, message[256];
  struct wt_certificate_info info = {.size = sizeof(info)};
  plan.key = key_new(&plan); /* of both: who signs is not the matter here */
  plan.issuer = "CN=Authority";
  make(&plan, GNUTLS_X509_FMT_PEM, &leaf);
  plan.subject = plan.issuer;
  make(&plan, GNUTLS_X509_FMT_PEM, &authority);
  assert_int_equal(gnutls_x509_privkey_export2(plan.key, GNUTLS_X509_FMT_PEM, &key), 0);
  (void)snprintf(both, sizeof(both), "%s%s", leaf.data, authority.data);
  int rc = wt_certificate_parse(both, strlen(both), key.data, key.size, &chain, message, sizeof(message));
  if (rc) fail_msg("%s", message);
  assert_int_equal(wt_certificate_export(chain, &cert_back, NULL), 0);
  assert_int_equal(wt_certificate_export(chain, NULL, &key_back), 0);
  assert_string_equal(cert_back, both);
  assert_int_equal(wt_certificate_describe(cert_back, strlen(cert_back), 1, &info), 0);
  assert_string_equal(info.subject, "CN=Authority");
  assert_int_equal(wt_certificate_describe(cert_back, strlen(cert_back), 2, &info), WT_ERR_NOT_FOUND);
  assert_int_equal(wt_certificate_export(NULL, &none, NULL), WT_ERR_INVALID);
  assert_null(none);
  wt_pem_free(cert_back);
  wt_pem_free(key_back);
  wt_certificate_free(chain);
  gnutls_free(leaf.data);
  gnutls_free(authority.data);
  gnutls_free(key.data);
  gnutls_x509_privkey_deinit(plan.key);
}

/* "04 20" and 32 bytes: the private value by RFC 5915, section 3, right behind "INTEGER 1". */
static void test_certificate_export_has_a_private_value_of_32_bytes(void **state) {
  static const uint8_t before[] = {0x02, 0x01, 0x01, 0x04, 0x20};
  (void)state;
  for (int i = 0; i < 16; i++) {
    wt_certificate *certificate;
    gnutls_datum_t pem = {NULL, 0}, der = {NULL, 0};
    char *text = NULL;
    assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
    assert_int_equal(wt_certificate_export(certificate, NULL, &text), 0);
    pem = (gnutls_datum_t){(uint8_t *)text, (unsigned)strlen(text)};
    assert_int_equal(gnutls_pem_base64_decode2(NULL, &pem, &der), 0);
    assert_non_null(memmem(der.data, der.size, before, sizeof(before)));
    gnutls_free(der.data);
    wt_pem_free(text);
    wt_certificate_free(certificate);
  }
}

static void test_certificate_export_without_memory(void **state) {
  (void)state;
  wt_certificate *made = NULL;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &made), 0);
  int64_t live = wt__mem_live();
  int rc = WT_ERR_NOMEM;
  size_t fails = 0;
  for (; rc == WT_ERR_NOMEM; fails++) {
    char *cert = NULL, *key = NULL;
    wt__mem_fail_after(fails);
    rc = wt_certificate_export(made, &cert, &key);
    wt__mem_fail_after(SIZE_MAX);
    if (rc) assert_true(!cert && !key);
    wt_pem_free(cert);
    wt_pem_free(key);
    assert_int_equal(wt__mem_live(), live);
  }
  assert_int_equal(rc, 0);
  assert_int_equal(fails, 3); /* two allocations, each of which failed once */
  wt_certificate_free(made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_describe_p256),
      cmocka_unit_test(test_describe_a_name_with_a_nul),
      cmocka_unit_test(test_describe_other_keys),
      cmocka_unit_test(test_describe_hash_rules_of_browsers),
      cmocka_unit_test(test_describe_issued_by_another),
      cmocka_unit_test(test_describe_cuts_what_is_long),
      cmocka_unit_test(test_describe_disarms_what_terminals_obey),
      cmocka_unit_test(test_describe_finds_the_one_asked_for),
      cmocka_unit_test(test_describe_refuses_what_is_no_certificate),
      cmocka_unit_test(test_certificate_export_can_be_parsed_again),
      cmocka_unit_test(test_certificate_export_has_the_whole_chain_and_either_part),
      cmocka_unit_test(test_certificate_export_has_a_private_value_of_32_bytes),
      cmocka_unit_test(test_certificate_export_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
