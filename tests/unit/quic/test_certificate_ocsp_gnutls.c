/* SPDX-License-Identifier: MIT */

/*
 * src/quic/certificate_ocsp_gnutls.c: which responses are taken, what each other one is answered with, and until when one is
 * handed out. The responses are of an authority called "authority", about a certificate with the serial number 0x5102, good
 * from 2026-11-29 to 2036-11-26; the certificate is made here, and so is the time.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "quic/certificate.h"

#define YEAR_2027 1798761600
#define YEAR ((time_t)31557600)

static const char good_pem[] = "-----BEGIN OCSP RESPONSE-----\n"
                               "MIIBAgoBAKCB/DCB+QYJKwYBBQUHMAEBBIHrMIHoMIGQoRYwFDESMBAGA1UEAxMJ\n"
                               "YXV0aG9yaXR5GA8yMDI2MTEyOTE1MDEzMFowZTBjMDswCQYFKw4DAhoFAAQUqFJo\n"
                               "zUOOq+S3VFERhiMDdHK1x+AEFGllUjRg8gSdnDxm9y18wHLG5WTgAgJRAoAAGA8y\n"
                               "MDI2MTEyOTE1MDEzMFqgERgPMjAzNjExMjYxNTAxMzBaMAoGCCqGSM49BAMCA0cA\n"
                               "MEQCIEqVe4VLgwRZKWWWjCifvvhy5sWIcGeKke0oz6wl85Y2AiApPHEPekM76LSi\n"
                               "Mzv2v0gNm7cBNPEi9VwLZisv6H99HQ==\n"
                               "-----END OCSP RESPONSE-----\n";
static const char revoked_pem[] = "-----BEGIN OCSP RESPONSE-----\n"
                                  "MIIBFgoBAKCCAQ8wggELBgkrBgEFBQcwAQEEgf0wgfowgaGhFjAUMRIwEAYDVQQD\n"
                                  "EwlhdXRob3JpdHkYDzIwMjYxMTI5MTUwMTMwWjB2MHQwOzAJBgUrDgMCGgUABBSo\n"
                                  "UmjNQ46r5LdUURGGIwN0crXH4AQUaWVSNGDyBJ2cPGb3LXzAcsblZOACAlECoREY\n"
                                  "DzIwMjAwMTAxMDAwMDAwWhgPMjAyNjExMjkxNTAxMzBaoBEYDzIwMzYxMTI2MTUw\n"
                                  "MTMwWjAKBggqhkjOPQQDAgNIADBFAiBsCPHQ7I5JFdmh9roicvlapC20aTwcmi9S\n"
                                  "54vwFHbrhwIhAKhgq1GbxN+5VjP/duAhbwZCIPkYMgV6+aAPBy2IWEjb\n"
                                  "-----END OCSP RESPONSE-----\n";

/* An answer without a response: try later. */
static const uint8_t later_der[] = {0x30, 0x03, 0x0a, 0x01, 0x03};

static time_t now = YEAR_2027;

time_t __wrap_time(time_t *at);

time_t __wrap_time(time_t *at) {
  if (at) *at = now;
  return now;
}

static char folder[] = "/tmp/test_certificate_ocsp.XXXXXX";
static char cert_file[64], key_file[64], ocsp_file[64], message[400];

static void write_file(const char *path, const void *data, size_t len) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

/* A certificate that "authority" might have signed, and its key. */
static void write_pair(uint8_t serial) {
  const uint8_t number[] = {0x51, serial};
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t leaf, authority;
  gnutls_datum_t pem;
  assert_int_equal(gnutls_x509_privkey_init(&key), 0);
  assert_int_equal(
      gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
      0);
  assert_int_equal(gnutls_x509_crt_init(&leaf), 0);
  assert_int_equal(gnutls_x509_crt_set_key(leaf, key), 0);
  assert_int_equal(gnutls_x509_crt_set_version(leaf, 3), 0);
  assert_int_equal(gnutls_x509_crt_set_serial(leaf, number, sizeof(number)), 0);
  assert_int_equal(gnutls_x509_crt_set_dn(leaf, "CN=leaf", NULL), 0);
  assert_int_equal(gnutls_x509_crt_set_activation_time(leaf, 0), 0);
  assert_int_equal(gnutls_x509_crt_set_expiration_time(leaf, YEAR_2027 + 20 * YEAR), 0);
  assert_int_equal(gnutls_x509_crt_init(&authority), 0);
  assert_int_equal(gnutls_x509_crt_set_dn(authority, "CN=authority", NULL), 0);
  assert_int_equal(gnutls_x509_crt_set_key(authority, key), 0);
  assert_int_equal(gnutls_x509_crt_sign2(leaf, authority, key, GNUTLS_DIG_SHA256, 0), 0);
  gnutls_x509_crt_deinit(authority);
  assert_int_equal(gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_PEM, &pem), 0);
  write_file(cert_file, pem.data, pem.size);
  gnutls_free(pem.data);
  assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
  write_file(key_file, pem.data, pem.size);
  gnutls_free(pem.data);
  gnutls_x509_crt_deinit(leaf);
  gnutls_x509_privkey_deinit(key);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  snprintf(cert_file, sizeof(cert_file), "%s/cert", folder);
  snprintf(key_file, sizeof(key_file), "%s/key", folder);
  snprintf(ocsp_file, sizeof(ocsp_file), "%s/ocsp", folder);
  write_pair(2);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(cert_file);
  unlink(key_file);
  unlink(ocsp_file);
  return rmdir(folder);
}

static int load(wt_certificate **certificate) {
  return wt_certificate_load_stapled(cert_file, key_file, ocsp_file, certificate, message, sizeof(message));
}

/* What is in the file is refused with `error` and a sentence that begins with the file's name. */
static void refused(const void *data, size_t len, int error, const char *sentence) {
  wt_certificate *certificate = NULL;
  int64_t live = wt__mem_live();
  write_file(ocsp_file, data, len);
  assert_int_equal(load(&certificate), error);
  assert_null(certificate);
  if (!strstr(message, sentence)) fail_msg("\"%s\" does not say \"%s\"", message, sentence);
  assert_memory_equal(message, "OCSP file /tmp/", 15);
  assert_non_null(strstr(message, ocsp_file));
  assert_int_equal(wt__mem_live(), live);
}

static void test_ocsp_is_handed_out_until_its_end(void **state) {
  (void)state;
  wt_certificate *certificate = NULL;
  write_file(ocsp_file, good_pem, strlen(good_pem));
  assert_int_equal(load(&certificate), 0);
  assert_string_equal(message, "");
  assert_non_null(wt__certificate_staple(certificate));
  now += 9 * YEAR;
  assert_non_null(wt__certificate_staple(certificate));
  now += YEAR; /* 2037 */
  assert_null(wt__certificate_staple(certificate));
  now = YEAR_2027;
  wt_certificate_free(certificate);
}

static void test_ocsp_out_of_time_is_refused(void **state) {
  (void)state;
  now = YEAR_2027 + 10 * YEAR;
  refused(good_pem, strlen(good_pem), WT_ERR_EXPIRED, "the response is too old: it was good until 2036-11-26");
  now = YEAR_2027 - YEAR;
  refused(good_pem, strlen(good_pem), WT_ERR_EXPIRED, "the response is good from 2026-11-29");
  now = YEAR_2027;
}

static void test_ocsp_that_says_something_else_is_refused(void **state) {
  (void)state;
  static char long_file[65537];
  refused(revoked_pem, strlen(revoked_pem), WT_ERR_CERTIFICATE, "was revoked");
  refused(later_der, sizeof(later_der), WT_ERR_CERTIFICATE, "the responder gave no answer");
  refused("nonsense", 8, WT_ERR_CERTIFICATE, "is no OCSP response");
  refused("", 0, WT_ERR_CERTIFICATE, "is no OCSP response");
  refused(good_pem, strlen(good_pem) / 2, WT_ERR_CERTIFICATE, "is no OCSP response");
  refused(long_file, sizeof(long_file), WT_ERR_FILE, "larger than 65536 bytes");
  write_pair(3);
  refused(good_pem, strlen(good_pem), WT_ERR_CERTIFICATE, "about another certificate than that in ");
  write_pair(2);
}

static void test_ocsp_files_that_cannot_be_read(void **state) {
  (void)state;
  wt_certificate *certificate = NULL;
  unlink(ocsp_file);
  assert_int_equal(load(&certificate), WT_ERR_FILE);
  assert_non_null(strstr(message, "No such file"));
  assert_int_equal(wt_certificate_load_stapled(cert_file, key_file, folder, &certificate, message, sizeof(message)),
                   WT_ERR_FILE);
  assert_non_null(strstr(message, "directory"));
  assert_int_equal(wt_certificate_load_stapled(ocsp_file, key_file, ocsp_file, &certificate, message, sizeof(message)),
                   WT_ERR_FILE);
  assert_non_null(strstr(message, "certificate file "));
  assert_int_equal(wt_certificate_load_stapled(cert_file, key_file, ocsp_file, &certificate, NULL, 0), WT_ERR_FILE);
  char little[12];
  assert_int_equal(wt_certificate_load_stapled(cert_file, key_file, ocsp_file, &certificate, little, sizeof(little)),
                   WT_ERR_FILE);
  assert_string_equal(little, "OCSP file /");
  assert_null(certificate);
}

static void test_ocsp_survives_each_failed_allocation(void **state) {
  (void)state;
  wt_certificate *certificate = NULL;
  int64_t live = wt__mem_live();
  int error = WT_ERR_NOMEM;
  write_file(ocsp_file, good_pem, strlen(good_pem));
  for (size_t i = 0; error; i++) {
    wt__mem_fail_after(i);
    error = load(&certificate);
    wt__mem_fail_after(SIZE_MAX);
    if (!error) break;
    assert_int_equal(error, WT_ERR_NOMEM);
    assert_int_equal(wt__mem_live(), live);
  }
  wt_certificate_free(certificate);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ocsp_is_handed_out_until_its_end),
      cmocka_unit_test(test_ocsp_out_of_time_is_refused),
      cmocka_unit_test(test_ocsp_that_says_something_else_is_refused),
      cmocka_unit_test(test_ocsp_files_that_cannot_be_read),
      cmocka_unit_test(test_ocsp_survives_each_failed_allocation),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
