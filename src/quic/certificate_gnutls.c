/* SPDX-License-Identifier: MIT */

/*
 * Certificates with their keys: read from files or memory, or made on the spot.
 *
 * A server that does not start because of a certificate is the first thing many users see of this
 * library. So each way to fail has its own sentence, and it names the file: missing, not readable, not
 * PEM, no key, an encrypted key, a key that belongs to another certificate, expired, not valid yet.
 * What GnuTLS has to say about it stands in brackets behind.
 *
 * A certificate never changes once it is made, and is counted by reference: a server keeps the old
 * ones for handshakes under way while new ones take their place. The count is atomic, since servers on
 * several threads may share one certificate. GnuTLS overwrites a private key's numbers when it is
 * freed; the text of the key file, which this file reads into memory, is overwritten here.
 *
 * The ones made here are for `serverCertificateHashes` of the W3C API, which wants ECDSA on P-256 and at
 * most 14 days of validity. They begin an hour in the past, for clients whose clocks are late.
 *
 * This is not a place where chains are verified: a server does not verify its own.
 */

#include "quic/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "quic/sign.h"
#include "quic/tls.h"

#define MAX_FILE_LEN ((size_t)1 << 20) /* of a PEM file; chains are some kilobytes */
#define MAX_CHAIN_LEN 16               /* certificates */
#define P256_VALUE_LEN 32              /* bytes of a private value */
#define MAX_NAMES 64                   /* of a generated certificate */
#define SERIAL_LEN 16
#define NAME_MAX_LEN 255 /* bytes of a name that is asked for */
#define HOUR 3600
#define DAY (24 * HOUR)

/* Where a sentence about a failure goes. `cert`, `key`: how the inputs are called in it. */
struct report {
  char *text;
  size_t size;
  const char *cert, *key;
};

static void report_init(struct report *report, char *text, size_t size, const char *cert, const char *key) {
  *report = (struct report){text, text ? size : 0, cert, key};
  if (report->size) text[0] = '\0';
}

/* Writes the sentence and returns `error`. */
__attribute__((format(printf, 3, 4))) static int report_fail(const struct report *report, int error, const char *format,
                                                             ...) {
  if (!report->size) return error;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(report->text, report->size, format, args);
  va_end(args);
  return error;
}

/* --- Life --- */

static wt_certificate *certificate_alloc(void) {
  wt_certificate *certificate = wt__calloc(1, sizeof(*certificate));
  if (certificate) atomic_init(&certificate->refs, 1);
  return certificate;
}

wt_certificate *wt__certificate_ref(wt_certificate *certificate) {
  atomic_fetch_add_explicit(&certificate->refs, 1, memory_order_relaxed);
  return certificate;
}

wt_certificate *wt_certificate_ref(wt_certificate *certificate) {
  return certificate ? wt__certificate_ref(certificate) : NULL;
}

void wt_certificate_free(wt_certificate *certificate) {
  if (!certificate) return;
  if (atomic_fetch_sub_explicit(&certificate->refs, 1, memory_order_acq_rel) != 1) return;
  for (unsigned i = 0; i < certificate->chain_len; i++) gnutls_pcert_deinit(&certificate->chain[i]);
  wt__free(certificate->chain);
  if (certificate->signer) gnutls_privkey_deinit(certificate->signer);
  if (certificate->key) gnutls_privkey_deinit(certificate->key);
  if (certificate->leaf) gnutls_x509_crt_deinit(certificate->leaf);
  wt__certificate_staple_free(certificate);
  wt__free(certificate->open_key_file);
  wt__free(certificate);
}

/* Fills in what is read off the leaf, which is set. */
static int certificate_describe(wt_certificate *certificate) {
  size_t len = sizeof(certificate->sha256);
  if (gnutls_x509_crt_get_fingerprint(certificate->leaf, GNUTLS_DIG_SHA256, certificate->sha256, &len))
    return WT_ERR_TLS;
  certificate->valid_from = (int64_t)gnutls_x509_crt_get_activation_time(certificate->leaf);
  certificate->expires_at = (int64_t)gnutls_x509_crt_get_expiration_time(certificate->leaf);
  return certificate->valid_from == -1 || certificate->expires_at == -1 ? WT_ERR_CERTIFICATE : 0;
}

/* Makes the chain as handshakes want it. Takes the first of `certs` as the leaf, copies all. */
static int certificate_set_chain(wt_certificate *certificate, gnutls_x509_crt_t *certs, unsigned count) {
  certificate->chain = wt__calloc(count, sizeof(*certificate->chain));
  if (!certificate->chain) return WT_ERR_NOMEM;
  for (unsigned i = 0; i < count; i++) {
    int error = gnutls_pcert_import_x509(&certificate->chain[i], certs[i], 0);
    if (error) return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_CERTIFICATE;
    certificate->chain_len++;
  }
  certificate->leaf = certs[0];
  certs[0] = NULL;
  return certificate_describe(certificate);
}

/* --- Parsing --- */

static int parse_chain(wt_certificate *certificate, const gnutls_datum_t *pem, const struct report *report) {
  gnutls_x509_crt_t *certs = NULL;
  unsigned count = 0;
  int status = gnutls_x509_crt_list_import2(&certs, &count, pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
  if (status == GNUTLS_E_MEMORY_ERROR) return report_fail(report, WT_ERR_NOMEM, "out of memory");
  if (status == GNUTLS_E_NO_CERTIFICATE_FOUND || status == GNUTLS_E_BASE64_DECODING_ERROR ||
      status == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR)
    return report_fail(report, WT_ERR_CERTIFICATE, "%s is not a PEM file with a certificate (%s)", report->cert,
                       gnutls_strerror(status));
  if (status < 0)
    return report_fail(report, WT_ERR_CERTIFICATE, "%s does not hold a usable certificate (%s)", report->cert,
                       gnutls_strerror(status));
  int error = 0;
  if (count > MAX_CHAIN_LEN)
    error = report_fail(report, WT_ERR_CERTIFICATE, "%s holds %u certificates; at most %d are allowed", report->cert,
                        count, MAX_CHAIN_LEN);
  if (!error && (error = certificate_set_chain(certificate, certs, count)))
    (void)report_fail(report, error, "%s: %s", report->cert, wt_error_string(error));
  for (unsigned i = 0; i < count; i++) {
    if (certs[i]) gnutls_x509_crt_deinit(certs[i]);
  }
  gnutls_free(certs);
  return error;
}

static int parse_key(wt_certificate *certificate, const gnutls_datum_t *pem, const struct report *report) {
  static const char marker[] = "PRIVATE KEY-----";
  if (!pem->size || !memmem(pem->data, pem->size, marker, sizeof(marker) - 1))
    return report_fail(report, WT_ERR_KEY, "%s is not a PEM file with a private key", report->key);
  if (gnutls_privkey_init(&certificate->key)) return report_fail(report, WT_ERR_NOMEM, "out of memory");
  int error = gnutls_privkey_import_x509_raw(certificate->key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
  switch (error) {
    case 0: return 0;
    case GNUTLS_E_MEMORY_ERROR: return report_fail(report, WT_ERR_NOMEM, "out of memory");
    case GNUTLS_E_DECRYPTION_FAILED:
    case GNUTLS_E_PKCS11_PIN_ERROR:
      return report_fail(report, WT_ERR_KEY, "%s is encrypted; a key without a passphrase is needed", report->key);
    default:
      return report_fail(report, WT_ERR_KEY, "%s does not hold a usable private key (%s)", report->key,
                         gnutls_strerror(error));
  }
}

/* Both have a number computed from the public key. */
static int check_match(const wt_certificate *certificate, const struct report *report) {
  uint8_t of_cert[64], of_key[64];
  size_t cert_len = sizeof(of_cert), key_len = sizeof(of_key);
  gnutls_pubkey_t public_key;
  if (gnutls_pubkey_init(&public_key)) return report_fail(report, WT_ERR_NOMEM, "out of memory");
  int error = gnutls_pubkey_import_privkey(public_key, certificate->key, 0, 0);
  if (!error) error = gnutls_pubkey_get_key_id(public_key, GNUTLS_KEYID_USE_SHA256, of_key, &key_len);
  if (!error) error = gnutls_x509_crt_get_key_id(certificate->leaf, GNUTLS_KEYID_USE_SHA256, of_cert, &cert_len);
  gnutls_pubkey_deinit(public_key);
  if (error)
    return report_fail(report, WT_ERR_KEY, "%s does not hold a usable private key (%s)", report->key,
                       gnutls_strerror(error));
  if (key_len == cert_len && !memcmp(of_key, of_cert, key_len)) return 0;
  return report_fail(report, WT_ERR_KEY_MISMATCH, "%s does not belong to %s", report->key, report->cert);
}

static int check_time(const wt_certificate *certificate, const struct report *report) {
  int64_t now = (int64_t)time(NULL);
  bool expired = now >= certificate->expires_at;
  if (!expired && now >= certificate->valid_from) return 0;
  time_t limit = (time_t)(expired ? certificate->expires_at : certificate->valid_from);
  struct tm tm;
  char text[40] = "?";
  if (gmtime_r(&limit, &tm)) (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
  return report_fail(report, WT_ERR_EXPIRED,
                     expired ? "%s has expired: it was valid until %s" : "%s is not valid yet: it will be from %s",
                     report->cert, text);
}

static int certificate_parse(const gnutls_datum_t *cert_pem, const gnutls_datum_t *key_pem, const struct report *report,
                             wt_certificate **result) {
  wt_certificate *certificate = certificate_alloc();
  if (!certificate) return report_fail(report, WT_ERR_NOMEM, "out of memory");
  int error = parse_chain(certificate, cert_pem, report);
  if (!error) error = parse_key(certificate, key_pem, report);
  if (!error) error = check_match(certificate, report);
  if (!error) error = check_time(certificate, report);
  if (error) {
    wt_certificate_free(certificate);
    return error;
  }
  certificate->signer = wt__signer_new(certificate->key);
  *result = certificate;
  return 0;
}

int wt_certificate_parse(const void *cert_pem, size_t cert_len, const void *key_pem, size_t key_len,
                         wt_certificate **certificate, char *message, size_t message_size) {
  struct report report;
  if (certificate) *certificate = NULL;
  report_init(&report, message, message_size, "the certificate", "the key");
  if (!certificate || (!cert_pem && cert_len) || (!key_pem && key_len))
    return report_fail(&report, WT_ERR_INVALID, "an argument is NULL");
  if (cert_len > MAX_FILE_LEN) return report_fail(&report, WT_ERR_CERTIFICATE, "the certificate is too large");
  if (key_len > MAX_FILE_LEN) return report_fail(&report, WT_ERR_KEY, "the key is too large");
  gnutls_datum_t cert = {(unsigned char *)(uintptr_t)cert_pem, (unsigned)cert_len};
  gnutls_datum_t key = {(unsigned char *)(uintptr_t)key_pem, (unsigned)key_len};
  return certificate_parse(&cert, &key, &report, certificate);
}

/* --- Files --- */

static void file_free(gnutls_datum_t *data) {
  if (data->data) wt__wipe(data->data, data->size);
  wt__free(data->data);
  *data = (gnutls_datum_t){NULL, 0};
}

static int file_read_stream(FILE *file, const char *what, const char *name, const struct report *report,
                            gnutls_datum_t *data, bool *is_open) {
  struct stat st;
  if (fstat(fileno(file), &st)) return report_fail(report, WT_ERR_FILE, "%s %s: %s", what, name, strerror(errno));
  if (S_ISDIR(st.st_mode)) return report_fail(report, WT_ERR_FILE, "%s %s: is a directory", what, name);
  *is_open = S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH));
  if (st.st_size < 0 || (uintmax_t)st.st_size > MAX_FILE_LEN)
    return report_fail(report, WT_ERR_FILE, "%s %s: larger than %zu bytes", what, name, MAX_FILE_LEN);
  /* Pipes have a size of 0, so the size is not relied on. Unbuffered: no copy of a key stays in stdio. */
  (void)setvbuf(file, NULL, _IONBF, 0);
  data->data = wt__malloc(MAX_FILE_LEN + 1);
  if (!data->data) return report_fail(report, WT_ERR_NOMEM, "out of memory");
  data->size = (unsigned)fread(data->data, 1, MAX_FILE_LEN + 1, file);
  if (ferror(file)) return report_fail(report, WT_ERR_FILE, "%s %s: %s", what, name, strerror(errno));
  if (data->size > MAX_FILE_LEN)
    return report_fail(report, WT_ERR_FILE, "%s %s: larger than %zu bytes", what, name, MAX_FILE_LEN);
  return 0;
}

/* `*is_open`: every user of the machine may read or change it. A group may: that is how services share a key. */
static int file_read(const char *what, const char *name, const struct report *report, gnutls_datum_t *data,
                     bool *is_open) {
  FILE *file = fopen(name, "rbe");
  if (!file) return report_fail(report, WT_ERR_FILE, "%s %s: %s", what, name, strerror(errno));
  int error = file_read_stream(file, what, name, report, data, is_open);
  (void)fclose(file);
  return error;
}

int wt_certificate_load(const char *cert_file, const char *key_file, wt_certificate **certificate, char *message,
                        size_t message_size) {
  struct report report;
  char cert_name[512], key_name[512];
  if (certificate) *certificate = NULL;
  report_init(&report, message, message_size, "", "");
  if (!certificate || !cert_file || !key_file) return report_fail(&report, WT_ERR_INVALID, "an argument is NULL");
  (void)snprintf(cert_name, sizeof(cert_name), "certificate file %s", cert_file);
  (void)snprintf(key_name, sizeof(key_name), "key file %s", key_file);
  report_init(&report, message, message_size, cert_name, key_name);
  gnutls_datum_t cert = {NULL, 0}, key = {NULL, 0};
  bool cert_is_open, key_is_open = false;
  wt_certificate *made = NULL;
  int error = file_read("certificate file", cert_file, &report, &cert, &cert_is_open);
  if (!error) error = file_read("key file", key_file, &report, &key, &key_is_open);
  if (!error) error = certificate_parse(&cert, &key, &report, &made);
  if (!error && key_is_open) {
    made->open_key_file = wt__strdup(key_file);
    if (!made->open_key_file) error = report_fail(&report, WT_ERR_NOMEM, "out of memory");
  }
  if (error) {
    wt_certificate_free(made);
  } else {
    *certificate = made;
  }
  file_free(&cert);
  file_free(&key);
  return error;
}

/* --- Making one --- */

/* Printable ASCII without what has a meaning in names of certificates. */
static bool name_valid(const char *name) {
  size_t len = strlen(name);
  if (len == 0 || len > 253) return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*:") == len;
}

static int leaf_add_name(gnutls_x509_crt_t leaf, const char *name) {
  uint8_t ip[16];
  unsigned flags = GNUTLS_FSAN_APPEND;
  if (inet_pton(AF_INET, name, ip) == 1)
    return gnutls_x509_crt_set_subject_alt_name(leaf, GNUTLS_SAN_IPADDRESS, ip, 4, flags);
  if (inet_pton(AF_INET6, name, ip) == 1)
    return gnutls_x509_crt_set_subject_alt_name(leaf, GNUTLS_SAN_IPADDRESS, ip, 16, flags);
  return gnutls_x509_crt_set_subject_alt_name(leaf, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), flags);
}

/* Subject and issuer; X.509 allows a common name of 64 characters, and nobody reads it. */
static int leaf_set_subject(gnutls_x509_crt_t leaf, const char *name) {
  size_t len = strlen(name) < 64 ? strlen(name) : 64;
  int error = gnutls_x509_crt_set_dn_by_oid(leaf, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)len);
  if (!error) error = gnutls_x509_crt_set_issuer_dn_by_oid(leaf, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)len);
  return error;
}

static int leaf_set_serial(gnutls_x509_crt_t leaf) {
  uint8_t serial[SERIAL_LEN];
  int error = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
  if (error) return error;
  serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
  return gnutls_x509_crt_set_serial(leaf, serial, sizeof(serial));
}

/* A certificate for `key`, signed by it. 0 or GnuTLS's error. */
static int leaf_fill(gnutls_x509_crt_t leaf, gnutls_privkey_t key, const char *const *names, size_t count, int days) {
  time_t from = time(NULL) - HOUR;
  gnutls_pubkey_t public_key;
  int error = gnutls_pubkey_init(&public_key);
  if (error) return error;
  error = gnutls_pubkey_import_privkey(public_key, key, 0, 0);
  if (!error) error = gnutls_x509_crt_set_pubkey(leaf, public_key);
  gnutls_pubkey_deinit(public_key);
  if (!error) error = gnutls_x509_crt_set_version(leaf, 3);
  if (!error) error = leaf_set_serial(leaf);
  if (!error) error = leaf_set_subject(leaf, names[0]);
  for (size_t i = 0; !error && i < count; i++) error = leaf_add_name(leaf, names[i]);
  if (!error) error = gnutls_x509_crt_set_activation_time(leaf, from);
  if (!error) error = gnutls_x509_crt_set_expiration_time(leaf, from + (time_t)days * DAY);
  if (!error) error = gnutls_x509_crt_set_ca_status(leaf, 0);
  if (!error) error = gnutls_x509_crt_set_key_usage(leaf, GNUTLS_KEY_DIGITAL_SIGNATURE);
  if (!error) error = gnutls_x509_crt_set_key_purpose_oid(leaf, GNUTLS_KP_TLS_WWW_SERVER, 0);
  if (!error) error = gnutls_x509_crt_privkey_sign(leaf, leaf, key, GNUTLS_DIG_SHA256, 0);
  return error;
}

/* GnuTLS answers questions about names only for certificates that it has parsed. */
static int leaf_reparse(gnutls_x509_crt_t *leaf) {
  gnutls_x509_crt_t parsed;
  gnutls_datum_t der;
  int error = gnutls_x509_crt_export2(*leaf, GNUTLS_X509_FMT_DER, &der);
  if (error) return error;
  error = gnutls_x509_crt_init(&parsed);
  if (!error) {
    error = gnutls_x509_crt_import(parsed, &der, GNUTLS_X509_FMT_DER);
    gnutls_x509_crt_deinit(error ? parsed : *leaf);
    if (!error) *leaf = parsed;
  }
  gnutls_free(der.data);
  return error;
}

/* GnuTLS writes the private value as a signed integer: of 33 bytes if its highest bit is set, and of fewer than 32 if
 * it is small. RFC 5915 wants 32, and other libraries refuse to read such a file. So a key is drawn until its value
 * has 32 bytes either way, which costs one bit of 256. */
static int key_generate(gnutls_privkey_t *key) {
  gnutls_datum_t value = {NULL, 0};
  size_t len = 0;
  int error = 0;
  while (!error && len != P256_VALUE_LEN) {
    if (*key) gnutls_privkey_deinit(*key);
    *key = NULL;
    error = gnutls_privkey_init(key);
    if (!error) {
      error =
          gnutls_privkey_generate(*key, GNUTLS_PK_ECDSA, (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    }
    if (!error) error = gnutls_privkey_export_ecc_raw(*key, NULL, NULL, NULL, &value);
    if (error) break;
    len = value.size;
    wt__wipe(value.data, value.size);
    gnutls_free(value.data);
  }
  return error;
}

static int certificate_make(wt_certificate *certificate, const char *const *names, size_t count, int days) {
  int status = key_generate(&certificate->key);
  if (status) return status == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  gnutls_x509_crt_t leaf;
  if (gnutls_x509_crt_init(&leaf)) return WT_ERR_NOMEM;
  status = leaf_fill(leaf, certificate->key, names, count, days);
  if (!status) status = leaf_reparse(&leaf);
  int error = status == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : status ? WT_ERR_TLS : 0;
  if (!error) error = certificate_set_chain(certificate, &leaf, 1);
  if (leaf) gnutls_x509_crt_deinit(leaf);
  return error;
}

int wt_certificate_generate(const char *const *names, size_t count, int days, wt_certificate **certificate) {
  static const char *const local[] = {"localhost", "127.0.0.1", "::1"};
  if (!certificate) return WT_ERR_INVALID;
  *certificate = NULL;
  if (!names && count == 0) {
    names = local;
    count = sizeof(local) / sizeof(*local);
  }
  if (!names || count == 0 || count > MAX_NAMES || days < 1 || days > 13) return WT_ERR_INVALID;
  for (size_t i = 0; i < count; i++) {
    if (!names[i] || !name_valid(names[i])) return WT_ERR_INVALID;
  }
  wt_certificate *made = certificate_alloc();
  if (!made) return WT_ERR_NOMEM;
  int error = certificate_make(made, names, count, days);
  if (error) {
    wt_certificate_free(made);
    return error;
  }
  made->signer = wt__signer_new(made->key);
  *certificate = made;
  return 0;
}

/* --- As text --- */

/* What GnuTLS made, as a string of ours; GnuTLS's is wiped. */
static int pem_take(gnutls_datum_t *pem, char **text) {
  *text = wt__strndup((const char *)pem->data, pem->size);
  wt__wipe(pem->data, pem->size);
  gnutls_free(pem->data);
  return *text ? 0 : WT_ERR_NOMEM;
}

static int export_cert(const gnutls_pcert_st *cert, char **text, size_t *len) {
  gnutls_datum_t pem;
  int error = gnutls_pem_base64_encode2("CERTIFICATE", &cert->cert, &pem);
  if (error) return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  char *longer = wt__realloc(*text, *len + pem.size + 1);
  if (longer) {
    memcpy(longer + *len, pem.data, pem.size);
    *len += pem.size;
    longer[*len] = '\0';
    *text = longer;
  }
  gnutls_free(pem.data);
  return longer ? 0 : WT_ERR_NOMEM;
}

static int export_key(const wt_certificate *certificate, char **text) {
  gnutls_x509_privkey_t key = NULL;
  gnutls_datum_t pem;
  int error = gnutls_privkey_export_x509(certificate->key, &key);
  if (!error) error = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
  if (key) gnutls_x509_privkey_deinit(key);
  if (error) return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  return pem_take(&pem, text);
}

int wt_certificate_export(const wt_certificate *certificate, char **cert_pem, char **key_pem) {
  char *certs = NULL, *key = NULL;
  size_t len = 0;
  if (cert_pem) *cert_pem = NULL;
  if (key_pem) *key_pem = NULL;
  int error = certificate ? 0 : WT_ERR_INVALID;
  for (unsigned i = 0; !error && cert_pem && i < certificate->chain_len; i++)
    error = export_cert(&certificate->chain[i], &certs, &len);
  if (!error && key_pem) error = export_key(certificate, &key);
  if (error) {
    wt_pem_free(certs);
    return error;
  }
  if (cert_pem) *cert_pem = certs;
  if (key_pem) *key_pem = key;
  return 0;
}

void wt_pem_free(char *pem) {
  if (pem) wt__wipe(pem, strlen(pem));
  wt__free(pem);
}

/* --- Questions --- */

void wt_certificate_get_sha256(const wt_certificate *certificate, uint8_t hash[32]) {
  if (certificate && hash) memcpy(hash, certificate->sha256, sizeof(certificate->sha256));
}

int64_t wt_certificate_expires_at(const wt_certificate *certificate) {
  return certificate ? certificate->expires_at : 0;
}

const char *wt__certificate_open_key_file(const wt_certificate *certificate) { return certificate->open_key_file; }

bool wt__certificate_matches(const wt_certificate *certificate, const char *name) {
  char bare[NAME_MAX_LEN + 1];
  size_t len = strlen(name);
  if (len > 1 && name[len - 1] == '.') len--; /* names in certificates have no final dot */
  if (len >= sizeof(bare)) return false;
  memcpy(bare, name, len);
  bare[len] = '\0';
  return gnutls_x509_crt_check_hostname(certificate->leaf, bare) != 0;
}

bool wt_certificate_matches(const wt_certificate *certificate, const char *name) {
  return certificate && name && name[0] && wt__certificate_matches(certificate, name);
}
