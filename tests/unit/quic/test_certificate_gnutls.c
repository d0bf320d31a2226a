/* SPDX-License-Identifier: MIT */

/*
 * src/quic/certificate_gnutls.c: what each broken file is answered with, what a generated certificate
 * says, and its hash, which is compared with that of the DER it is made from.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "quic/certificate.h"
#include "quic/tls.h"

#define DAY 86400

static char folder[] = "/tmp/test_certificate.XXXXXX";
static char message[400];

/* --- Files --- */

static const char *in_folder(const char *name) {
  static char paths[4][300];
  static int next;
  next = (next + 1) % 4;
  (void)snprintf(paths[next], sizeof(paths[next]), "%s/%s", folder, name);
  return paths[next];
}

static void write_file(const char *name, const void *data, size_t len) {
  FILE *file = fopen(in_folder(name), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static gnutls_x509_privkey_t make_key(gnutls_pk_algorithm_t algorithm, unsigned bits) {
  gnutls_x509_privkey_t key;
  assert_int_equal(gnutls_x509_privkey_init(&key), 0);
  assert_int_equal(gnutls_x509_privkey_generate(key, algorithm, bits, 0), 0);
  return key;
}

/* A self-signed certificate for `name`, valid from and to (seconds from now), and its key. */
static void write_pair(const char *cert_name, const char *key_name, gnutls_x509_privkey_t key, const char *name,
                       int64_t from, int64_t to) {
  gnutls_x509_crt_t cert;
  gnutls_datum_t pem;
  assert_int_equal(gnutls_x509_crt_init(&cert), 0);
  assert_int_equal(gnutls_x509_crt_set_version(cert, 3), 0);
  assert_int_equal(gnutls_x509_crt_set_serial(cert, "\x01", 1), 0);
  assert_int_equal(gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)),
                   0);
  assert_int_equal(
      gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET), 0);
  assert_int_equal(gnutls_x509_crt_set_activation_time(cert, time(NULL) + from), 0);
  assert_int_equal(gnutls_x509_crt_set_expiration_time(cert, time(NULL) + to), 0);
  assert_int_equal(gnutls_x509_crt_set_key(cert, key), 0);
  assert_int_equal(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
  assert_int_equal(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem), 0);
  write_file(cert_name, pem.data, pem.size);
  gnutls_free(pem.data);
  assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
  write_file(key_name, pem.data, pem.size);
  gnutls_free(pem.data);
  gnutls_x509_crt_deinit(cert);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  gnutls_x509_privkey_t key = make_key(GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
  gnutls_x509_privkey_t other = make_key(GNUTLS_PK_RSA, 2048);
  gnutls_datum_t pem;
  write_pair("good.pem", "good.key", key, "*.example.org", -60, DAY);
  write_pair("old.pem", "old.key", key, "example.org", -2 * DAY, -DAY);
  write_pair("early.pem", "early.key", key, "example.org", DAY, 2 * DAY);
  write_pair("rsa.pem", "rsa.key", other, "example.org", -60, DAY);
  assert_int_equal(
      gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, "secret", GNUTLS_PKCS_PBES2_AES_128, &pem), 0);
  write_file("encrypted.key", pem.data, pem.size);
  gnutls_free(pem.data);
  write_file("text.txt", "hello\n", 6);
  write_file("empty", "", 0);
  gnutls_x509_privkey_deinit(key);
  gnutls_x509_privkey_deinit(other);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  static const char *const names[] = {"good.pem", "good.key", "old.pem", "old.key",       "early.pem", "early.key",
                                      "rsa.pem",  "rsa.key",  "empty",   "encrypted.key", "text.txt",  "large"};
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) (void)unlink(in_folder(names[i]));
  return rmdir(folder);
}

/* --- Loading --- */

/* Loads, expects `error` and a message that names `file` and contains `words`. */
static void expect(const char *cert, const char *key, int error, const char *file, const char *words) {
  wt_certificate *certificate = NULL;
  int64_t live = wt__mem_live();
  assert_int_equal(wt_certificate_load(in_folder(cert), in_folder(key), &certificate, message, sizeof(message)), error);
  assert_null(certificate);
  if (!strstr(message, in_folder(file)) || !strstr(message, words)) fail_msg("not the right message: %s", message);
  assert_int_equal(wt__mem_live(), live);
}

static void test_certificate_names_the_file_at_fault(void **state) {
  (void)state;
  expect("none.pem", "good.key", WT_ERR_FILE, "none.pem", "No such file");
  expect("good.pem", "none.key", WT_ERR_FILE, "none.key", "No such file");
  expect(".", "good.key", WT_ERR_FILE, ".", "is a directory");
  expect("good.pem", ".", WT_ERR_FILE, ".", "is a directory");
  expect("text.txt", "good.key", WT_ERR_CERTIFICATE, "text.txt", "is not a PEM file with a certificate");
  expect("empty", "good.key", WT_ERR_CERTIFICATE, "empty", "is not a PEM file with a certificate");
  expect("good.key", "good.key", WT_ERR_CERTIFICATE, "good.key", "is not a PEM file with a certificate");
  expect("good.pem", "text.txt", WT_ERR_KEY, "text.txt", "is not a PEM file with a private key");
  expect("good.pem", "empty", WT_ERR_KEY, "empty", "private key");
  expect("good.pem", "good.pem", WT_ERR_KEY, "good.pem", "private key");
  expect("good.pem", "encrypted.key", WT_ERR_KEY, "encrypted.key", "is encrypted");
  expect("good.pem", "rsa.key", WT_ERR_KEY_MISMATCH, "rsa.key", "does not belong to");
  expect("good.pem", "rsa.key", WT_ERR_KEY_MISMATCH, "good.pem", "does not belong to");
  expect("old.pem", "old.key", WT_ERR_EXPIRED, "old.pem", "has expired");
  expect("early.pem", "early.key", WT_ERR_EXPIRED, "early.pem", "is not valid yet");
}

static void test_certificate_bounds_files(void **state) {
  (void)state;
  assert_int_equal(truncate(in_folder("empty"), 0), 0);
  write_file("large", "x", 1);
  assert_int_equal(truncate(in_folder("large"), (1 << 20) + 1), 0);
  expect("large", "good.key", WT_ERR_FILE, "large", "larger than");
  expect("good.pem", "large", WT_ERR_FILE, "large", "larger than");
}

/* Root may read everything: another user, who reaches the folder, asks in its place. Returns who it was. */
static uid_t leave_root(void) {
  uid_t was = geteuid();
  if (was != 0) return was;
  assert_int_equal(chmod(in_folder(""), 0711), 0);
  assert_int_equal(chmod(in_folder("good.pem"), 0644), 0);
  assert_int_equal(seteuid(65534), 0);
  return was;
}

static void test_certificate_says_when_a_file_may_not_be_read(void **state) {
  (void)state;
  assert_int_equal(chmod(in_folder("good.key"), 0), 0);
  uid_t was = leave_root();
  expect("good.pem", "good.key", WT_ERR_FILE, "good.key", "Permission denied");
  assert_int_equal(seteuid(was), 0);
  assert_int_equal(chmod(in_folder("good.key"), 0600), 0);
}

static void test_certificate_loads(void **state) {
  (void)state;
  wt_certificate *certificate = NULL;
  int64_t live = wt__mem_live();
  (void)memset(message, 'x', sizeof(message));
  assert_int_equal(
      wt_certificate_load(in_folder("good.pem"), in_folder("good.key"), &certificate, message, sizeof(message)), 0);
  assert_string_equal(message, "");
  assert_true(wt__certificate_matches(certificate, "www.example.org"));
  assert_true(wt__certificate_matches(certificate, "www.example.org."));
  assert_true(wt__certificate_matches(certificate, "a_b.example.org"));
  assert_false(wt__certificate_matches(certificate, "a.www.example.org"));
  assert_false(wt__certificate_matches(certificate, "example.org"));
  int64_t left = wt_certificate_expires_at(certificate) - (int64_t)time(NULL);
  assert_true(left > DAY - 60 && left <= DAY);
  wt_certificate_free(certificate);
  assert_int_equal(wt_certificate_load(in_folder("rsa.pem"), in_folder("rsa.key"), &certificate, NULL, 0), 0);
  wt_certificate_free(certificate);
  wt_certificate_free(NULL);
  assert_int_equal(wt__mem_live(), live);
}

static void test_certificate_cuts_its_message(void **state) {
  (void)state;
  wt_certificate *certificate;
  char small[8] = "xxxxxxx";
  assert_int_equal(wt_certificate_load(in_folder("none.pem"), in_folder("good.key"), &certificate, small, 5),
                   WT_ERR_FILE);
  assert_string_equal(small, "cert");
  assert_string_equal(small + 5, "xx");
  assert_int_equal(wt_certificate_load(in_folder("none.pem"), in_folder("good.key"), &certificate, small, 0),
                   WT_ERR_FILE);
  assert_string_equal(small, "cert");
}

static size_t read_file(const char *name, char *data, size_t size) {
  FILE *file = fopen(in_folder(name), "rb");
  assert_non_null(file);
  size_t len = fread(data, 1, size, file);
  (void)fclose(file);
  assert_true(len < size);
  return len;
}

static void test_certificate_parses_memory(void **state) {
  (void)state;
  static char cert[20000], key[20000];
  size_t cert_len = read_file("good.pem", cert, sizeof(cert) / 20), key_len = read_file("good.key", key, sizeof(key));
  wt_certificate *certificate = NULL;
  assert_int_equal(wt_certificate_parse(cert, cert_len, key, key_len, &certificate, message, sizeof(message)), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_certificate_parse("", 0, key, key_len, &certificate, message, sizeof(message)),
                   WT_ERR_CERTIFICATE);
  assert_int_equal(wt_certificate_parse(cert, cert_len, NULL, 0, &certificate, message, sizeof(message)), WT_ERR_KEY);
  assert_non_null(strstr(message, "the key"));
  assert_int_equal(wt_certificate_parse(cert, (size_t)1 << 40, key, key_len, &certificate, NULL, 0),
                   WT_ERR_CERTIFICATE);
  for (size_t i = 1; i < 17; i++) memcpy(cert + i * cert_len, cert, cert_len);
  assert_int_equal(wt_certificate_parse(cert, 17 * cert_len, key, key_len, &certificate, message, sizeof(message)),
                   WT_ERR_CERTIFICATE);
}

static void test_certificate_loads_without_memory(void **state) {
  (void)state;
  int64_t live = wt__mem_live();
  int rc = WT_ERR_NOMEM;
  for (size_t i = 0; i < 20 && rc; i++) {
    wt_certificate *certificate = NULL;
    wt__mem_fail_after(i);
    rc = wt_certificate_load(in_folder("good.pem"), in_folder("good.key"), &certificate, message, sizeof(message));
    wt__mem_fail_after(SIZE_MAX);
    assert_true(rc == 0 || rc == WT_ERR_NOMEM);
    wt_certificate_free(certificate);
    assert_int_equal(wt__mem_live(), live);
  }
  assert_int_equal(rc, 0);
}

/* --- Generating --- */

static void test_certificate_generates_for_local_names(void **state) {
  (void)state;
  wt_certificate *certificate = NULL, *second = NULL;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  assert_true(wt__certificate_matches(certificate, "localhost"));
  assert_true(wt__certificate_matches(certificate, "127.0.0.1"));
  assert_true(wt__certificate_matches(certificate, "::1"));
  assert_false(wt__certificate_matches(certificate, "example.org"));
  assert_true(wt_certificate_matches(certificate, "LOCALHOST"));
  assert_false(wt_certificate_matches(certificate, "localhost.example.org"));
  assert_true(wt_certificate_matches(certificate, "localhost."));
  assert_true(wt_certificate_matches(certificate, "127.0.0.1."));
  assert_false(wt_certificate_matches(certificate, "localhost.."));
  assert_false(wt_certificate_matches(certificate, "."));
  assert_false(wt_certificate_matches(certificate, ""));
  assert_false(wt_certificate_matches(certificate, NULL));
  int64_t now = (int64_t)time(NULL);
  assert_true(certificate->valid_from <= now - 3590 && certificate->valid_from >= now - 3610);
  assert_int_equal(wt_certificate_expires_at(certificate) - certificate->valid_from, 13 * DAY);
  unsigned bits;
  assert_int_equal(gnutls_x509_crt_get_pk_algorithm(certificate->leaf, &bits), GNUTLS_PK_ECDSA);
  assert_int_equal(bits, 256);
  assert_int_equal(gnutls_x509_crt_get_version(certificate->leaf), 3);

  uint8_t first_serial[32], second_serial[32];
  size_t first_len = sizeof(first_serial), second_len = sizeof(second_serial);
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &second), 0);
  assert_int_equal(gnutls_x509_crt_get_serial(certificate->leaf, first_serial, &first_len), 0);
  assert_int_equal(gnutls_x509_crt_get_serial(second->leaf, second_serial, &second_len), 0);
  assert_int_equal(first_len, 16);
  assert_memory_not_equal(first_serial, second_serial, 16);
  assert_memory_not_equal(certificate->sha256, second->sha256, 32);
  wt_certificate_free(certificate);
  wt_certificate_free(second);
}

static void test_certificate_generates_for_given_names(void **state) {
  (void)state;
  const char *names[] = {"*.example.org", "192.0.2.7", "2001:db8::1", "second.example.net"};
  wt_certificate *certificate = NULL;
  assert_int_equal(wt_certificate_generate(names, 4, 1, &certificate), 0);
  assert_true(wt__certificate_matches(certificate, "a.example.org"));
  assert_true(wt__certificate_matches(certificate, "second.example.net"));
  assert_true(wt__certificate_matches(certificate, "192.0.2.7"));
  assert_true(wt__certificate_matches(certificate, "2001:db8::1"));
  assert_false(wt__certificate_matches(certificate, "localhost"));
  wt_certificate_free(certificate);
}

static void test_certificate_refuses_bad_arguments(void **state) {
  (void)state;
  wt_certificate *certificate;
  const char *names[] = {"ok.example", ""}, *bad[] = {"a b"}, *null[] = {NULL};
  assert_int_equal(wt_certificate_generate(NULL, 0, 0, &certificate), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_generate(NULL, 0, 14, &certificate), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_generate(NULL, 1, 13, &certificate), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_generate(names, 0, 13, &certificate), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_generate(names, 2, 13, &certificate), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_generate(bad, 1, 13, &certificate), WT_ERR_INVALID);
  assert_int_equal(wt_certificate_generate(null, 1, 13, &certificate), WT_ERR_INVALID);
}

/* --- The hash --- */

static void test_certificate_hash_is_of_the_leafs_der(void **state) {
  (void)state;
  wt_certificate *certificate = NULL;
  gnutls_datum_t der;
  uint8_t expected[32], hash[32];
  assert_int_equal(wt_certificate_load(in_folder("good.pem"), in_folder("good.key"), &certificate, NULL, 0), 0);
  assert_int_equal(gnutls_x509_crt_export2(certificate->leaf, GNUTLS_X509_FMT_DER, &der), 0);
  assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, expected), 0);
  gnutls_free(der.data);
  wt_certificate_get_sha256(certificate, hash);
  assert_memory_equal(hash, expected, 32);
  wt_certificate_free(certificate);

  /* And as another program computes it, where there is one. */
  char command[700], line[100] = "";
  (void)snprintf(command, sizeof(command), "openssl x509 -in '%s' -outform der 2>&1 | sha256sum",
                 in_folder("good.pem"));
  if (system("command -v openssl >/dev/null 2>&1 && command -v sha256sum >/dev/null 2>&1")) return;
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_non_null(fgets(line, sizeof(line), pipe));
  (void)pclose(pipe);
  for (size_t i = 0; i < 32; i++) {
    char digits[3];
    (void)snprintf(digits, sizeof(digits), "%02x", hash[i]);
    assert_memory_equal(line + 2 * i, digits, 2);
  }
}

/* A group may read it: that is how services share a key. */
static void test_certificate_notes_a_key_that_all_may_read(void **state) {
  (void)state;
  static const struct {
    mode_t mode;
    bool open;
  } modes[] = {{0600, false}, {0640, false}, {0660, false}, {0644, true}, {0602, true}};
  int64_t live = wt__mem_live();
  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
    wt_certificate *certificate = NULL;
    assert_int_equal(chmod(in_folder("good.key"), modes[i].mode), 0);
    assert_int_equal(chmod(in_folder("good.pem"), 0644), 0); /* not a secret */
    assert_int_equal(wt_certificate_load(in_folder("good.pem"), in_folder("good.key"), &certificate, NULL, 0), 0);
    const char *file = wt__certificate_open_key_file(certificate);
    assert_int_equal(file != NULL, modes[i].open);
    if (file) assert_string_equal(file, in_folder("good.key"));
    wt_certificate_free(certificate);
  }
  assert_int_equal(wt__mem_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_certificate_names_the_file_at_fault),
      cmocka_unit_test(test_certificate_notes_a_key_that_all_may_read),
      cmocka_unit_test(test_certificate_bounds_files),
      cmocka_unit_test(test_certificate_says_when_a_file_may_not_be_read),
      cmocka_unit_test(test_certificate_loads),
      cmocka_unit_test(test_certificate_cuts_its_message),
      cmocka_unit_test(test_certificate_parses_memory),
      cmocka_unit_test(test_certificate_loads_without_memory),
      cmocka_unit_test(test_certificate_generates_for_local_names),
      cmocka_unit_test(test_certificate_generates_for_given_names),
      cmocka_unit_test(test_certificate_refuses_bad_arguments),
      cmocka_unit_test(test_certificate_hash_is_of_the_leafs_der),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
