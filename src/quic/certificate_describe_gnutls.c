/* SPDX-License-Identifier: MIT */

/*
 * Describes a certificate for people, and says what browsers think of its hash.
 *
 * Whose is it, until when is it valid, what is its hash, and would browsers accept that hash in `serverCertificateHashes`?
 * The last question has rules (W3C WebTransport, "custom certificate requirements", and what browsers make of them): X.509
 * version 3, an ECDSA key on P-256 or P-384 and never RSA, at most 14 days from its first second to its last. The rules are
 * written here once. Clients that know their server by its hash (tls_client_gnutls.c) call the same function, so they are as
 * strict as browsers.
 *
 * Anyone may have made the certificate: its texts are cut to the fields of the answer, between two characters, and bytes
 * that would change a terminal become question marks.
 *
 * Nothing is verified here: neither signature, nor chain, nor time.
 */

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "quic/certificate.h"
#include "wire/utf8.h"

#define MAX_DATA_LEN ((size_t)1 << 20) /* of PEM or DER, as certificate files have */
#define MAX_HASH_SECONDS ((int64_t)14 * 24 * 3600)
#define MAX_NAME_LEN 256   /* of one name; DNS allows 253 */
#define MAX_SERIAL_LEN 128 /* RFC 5280 allows 20; some have more */

/* --- The rules for hashes --- */

static bool leaf_curve(gnutls_x509_crt_t leaf, gnutls_ecc_curve_t *curve) {
  gnutls_datum_t x = {NULL, 0}, y = {NULL, 0};
  if (gnutls_x509_crt_get_pk_algorithm(leaf, NULL) != GNUTLS_PK_ECDSA) return false;
  if (gnutls_x509_crt_get_pk_ecc_raw(leaf, curve, &x, &y)) return false;
  gnutls_free(x.data);
  gnutls_free(y.data);
  return true;
}

const char *wt__leaf_hash_refusal(struct gnutls_x509_crt_int *leaf) {
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  int64_t from = (int64_t)gnutls_x509_crt_get_activation_time(leaf);
  int64_t until = (int64_t)gnutls_x509_crt_get_expiration_time(leaf);
  if (gnutls_x509_crt_get_version(leaf) != 3) return "not of X.509 version 3";
  if (!leaf_curve(leaf, &curve)) return "its key is not one of ECDSA";
  if (curve != GNUTLS_ECC_CURVE_SECP256R1 && curve != GNUTLS_ECC_CURVE_SECP384R1)
    return "its ECDSA key is not on P-256 or P-384";
  if (from == -1 || until == -1 || until < from) return "its validity makes no sense";
  return until - from > MAX_HASH_SECONDS ? "valid for more than 14 days" : "";
}

/* --- Words --- */

/* Appends `len` bytes to `dst`, as much as fits. */
static void text_append(char *dst, size_t size, const char *src, size_t len) {
  size_t used = strlen(dst);
  (void)wt__utf8_show(dst + used, size - used, src, len);
}

static int error_of(int error) {
  return error == 0 ? 0 : error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_CERTIFICATE;
}

static int describe_dn(gnutls_x509_crt_t cert, int (*get)(gnutls_x509_crt_t, gnutls_datum_t *, unsigned), char *dst,
                       size_t size) {
  gnutls_datum_t dn;
  int error = get(cert, &dn, 0);
  if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) return 0; /* an empty one */
  if (error) return error;
  text_append(dst, size, (const char *)dn.data, dn.size);
  gnutls_free(dn.data);
  return 0;
}

/* One name as text in `name`; returns its length, 0: nothing that is shown. */
static size_t name_read(unsigned type, const gnutls_datum_t *raw, char name[MAX_NAME_LEN]) {
  if (type == GNUTLS_SAN_DNSNAME && raw->size < MAX_NAME_LEN) {
    memcpy(name, raw->data, raw->size);
    return raw->size;
  }
  if (type != GNUTLS_SAN_IPADDRESS || (raw->size != 4 && raw->size != 16)) return 0;
  return inet_ntop(raw->size == 4 ? AF_INET : AF_INET6, raw->data, name, MAX_NAME_LEN) ? strlen(name) : 0;
}

/* Whole names, as many as fit. */
static void names_append(gnutls_subject_alt_names_t names, char *dst, size_t size) {
  char name[MAX_NAME_LEN];
  gnutls_datum_t raw;
  unsigned type = 0;
  for (unsigned i = 0; !gnutls_subject_alt_names_get(names, i, &type, &raw, NULL); i++) {
    size_t len = name_read(type, &raw, name), used = strlen(dst), separator = used ? 2 : 0;
    if (!len) continue;
    if (used + separator + len >= size) return;
    text_append(dst, size, ", ", separator);
    text_append(dst, size, name, len);
  }
}

/* The extension is read once: asking a certificate for one name after the other reads it each time. */
static int describe_names(gnutls_x509_crt_t cert, char *dst, size_t size) {
  gnutls_subject_alt_names_t names;
  gnutls_datum_t extension;
  int error = gnutls_x509_crt_get_extension_by_oid2(cert, "2.5.29.17", 0, &extension, NULL);
  if (error) return error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : error;
  error = gnutls_subject_alt_names_init(&names);
  if (!error) {
    error = gnutls_x509_ext_import_subject_alt_names(&extension, names, 0);
    if (!error) names_append(names, dst, size);
    gnutls_subject_alt_names_deinit(names);
  }
  gnutls_free(extension.data);
  return error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : error;
}

static const char *curve_name(gnutls_ecc_curve_t curve) {
  switch (curve) {
    case GNUTLS_ECC_CURVE_SECP256R1: return "P-256";
    case GNUTLS_ECC_CURVE_SECP384R1: return "P-384";
    case GNUTLS_ECC_CURVE_SECP521R1: return "P-521";
    default: return "of another curve";
  }
}

static void describe_key(gnutls_x509_crt_t cert, char *dst, size_t size) {
  unsigned bits = 0;
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  int algorithm = gnutls_x509_crt_get_pk_algorithm(cert, &bits);
  const char *name = algorithm < 0 ? NULL : gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm);
  if (leaf_curve(cert, &curve)) {
    (void)snprintf(dst, size, "ECDSA %s", curve_name(curve));
  } else if (algorithm == GNUTLS_PK_EDDSA_ED25519 || algorithm == GNUTLS_PK_EDDSA_ED448) {
    (void)snprintf(dst, size, algorithm == GNUTLS_PK_EDDSA_ED25519 ? "Ed25519" : "Ed448");
  } else {
    (void)snprintf(dst, size, "%s %u", name ? name : "unknown", bits);
  }
}

static void describe_signature(gnutls_x509_crt_t cert, char *dst, size_t size) {
  int algorithm = gnutls_x509_crt_get_signature_algorithm(cert);
  const char *name = algorithm < 0 ? NULL : gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm);
  (void)snprintf(dst, size, "%s", name ? name : "unknown");
}

/* Digits beyond the field are left out. */
static int describe_serial(gnutls_x509_crt_t cert, char *dst, size_t size) {
  uint8_t serial[MAX_SERIAL_LEN];
  size_t len = sizeof(serial);
  int error = gnutls_x509_crt_get_serial(cert, serial, &len);
  for (size_t i = 0; !error && i < len && 2 * i + 2 < size; i++) (void)snprintf(dst + 2 * i, 3, "%02x", serial[i]);
  return error;
}

static int describe(gnutls_x509_crt_t cert, struct wt_certificate_info *info) {
  size_t len = sizeof(info->sha256);
  int error = describe_dn(cert, gnutls_x509_crt_get_dn3, info->subject, sizeof(info->subject));
  if (!error) error = describe_dn(cert, gnutls_x509_crt_get_issuer_dn3, info->issuer, sizeof(info->issuer));
  if (!error) error = describe_serial(cert, info->serial, sizeof(info->serial));
  if (!error) error = gnutls_x509_crt_get_fingerprint(cert, GNUTLS_DIG_SHA256, info->sha256, &len);
  if (!error) error = describe_names(cert, info->names, sizeof(info->names));
  if (error) return error_of(error);
  describe_key(cert, info->key, sizeof(info->key));
  describe_signature(cert, info->signature, sizeof(info->signature));
  info->not_before = (int64_t)gnutls_x509_crt_get_activation_time(cert);
  info->not_after = (int64_t)gnutls_x509_crt_get_expiration_time(cert);
  info->self_signed = gnutls_x509_crt_check_issuer(cert, cert) != 0;
  info->hash_refusal = wt__leaf_hash_refusal(cert);
  return 0;
}

/* --- Finding the one that is meant --- */

static bool is_pem(const gnutls_datum_t *data) {
  static const char begin[] = "-----BEGIN ";
  return data->size && memmem(data->data, data->size, begin, sizeof(begin) - 1);
}

static int describe_pem(const gnutls_datum_t *data, size_t index, struct wt_certificate_info *info) {
  gnutls_x509_crt_t *certs = NULL;
  unsigned count = 0;
  int status = gnutls_x509_crt_list_import2(&certs, &count, data, GNUTLS_X509_FMT_PEM, 0);
  if (status < 0) return error_of(status);
  int error = index < count ? describe(certs[index], info) : WT_ERR_NOT_FOUND;
  for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(certs[i]);
  gnutls_free(certs);
  return error;
}

static int describe_der(const gnutls_datum_t *data, size_t index, struct wt_certificate_info *info) {
  gnutls_x509_crt_t cert;
  if (gnutls_x509_crt_init(&cert)) return WT_ERR_NOMEM;
  int error = error_of(gnutls_x509_crt_import(cert, data, GNUTLS_X509_FMT_DER));
  if (!error) error = index == 0 ? describe(cert, info) : WT_ERR_NOT_FOUND;
  gnutls_x509_crt_deinit(cert);
  return error;
}

int wt_certificate_describe(const void *data, size_t len, size_t index, struct wt_certificate_info *info) {
  if (wt__sized_check(info, sizeof(*info)) || (!data && len)) return WT_ERR_INVALID;
  if (len == 0 || len > MAX_DATA_LEN) return WT_ERR_CERTIFICATE;
  gnutls_datum_t datum = {(unsigned char *)(uintptr_t)data, (unsigned)len};
  struct wt_certificate_info *all = wt__calloc(1, sizeof(*all));
  if (!all) return WT_ERR_NOMEM;
  int error = is_pem(&datum) ? describe_pem(&datum, index, all) : describe_der(&datum, index, all);
  if (!error) error = wt__sized_give(info, all, sizeof(*all), sizeof(*all));
  wt__free(all);
  return error;
}
