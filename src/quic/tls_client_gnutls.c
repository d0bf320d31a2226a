/* SPDX-License-Identifier: MIT */

/*
 * The client's side of TLS: a session that names the server, and the judgement on its certificate.
 *
 * Three ways to judge, and the choice is the caller's:
 *
 *   authorities   the chain ends at one that the system, or a given file, trusts, and the leaf is for the
 *                 server's name: as everywhere on the web
 *   hashes        the SHA-256 of the leaf is one of those given. The name does not count, nor who signed it;
 *                 instead the rules that browsers have for `serverCertificateHashes` hold (W3C WebTransport,
 *                 "custom certificate requirements"): ECDSA and not RSA, valid for at most 14 days and now.
 *                 So a hash that leaks is worth little, and programs behave as pages do.
 *   nothing       for tests
 *
 * Whatever the judgement, GnuTLS has checked that the server holds the certificate's key. When the certificate
 * is refused, the sentence that says why is kept for the application: the server is only sent an alert.
 *
 * The handshake itself is in tls_gnutls.c, which both roles share. Early data (0-RTT) is off.
 */

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "quic/tls.h"
#include "quic/tls_session.h"

#define HASH_LEN 32
#define MAX_DAYS 14
#define DAY 86400

struct wt__tls_client {
  gnutls_priority_t priorities;
  gnutls_certificate_credentials_t credentials;
  enum wt__tls_verify verify;
  size_t hash_count;
  uint8_t (*hashes)[HASH_LEN];
};

/* --- The judgement. Each returns 0, or -1 with `tls->error` set. --- */

static int refuse(struct wt__tls *tls, const char *why) {
  (void)snprintf(tls->error, sizeof(tls->error), "%s", why);
  return -1;
}

static int check_authority(struct wt__tls *tls) {
  unsigned status = 0;
  gnutls_datum_t text;
  if (gnutls_certificate_verify_peers3(tls->session, tls->server_name, &status)) {
    return refuse(tls, "the server's certificate cannot be verified");
  }
  if (status == 0) return 0;
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0)) {
    return refuse(tls, "the server's certificate is not trusted");
  }
  (void)snprintf(tls->error, sizeof(tls->error), "the server's certificate is not trusted for %s: %s", tls->server_name,
                 (const char *)text.data);
  gnutls_free(text.data);
  return -1;
}

/* ECDSA on P-256 or P-384. */
static bool leaf_key_allowed(gnutls_x509_crt_t leaf) {
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  gnutls_datum_t x = {NULL, 0}, y = {NULL, 0};
  if (gnutls_x509_crt_get_pk_algorithm(leaf, NULL) != GNUTLS_PK_ECDSA) return false;
  if (gnutls_x509_crt_get_pk_ecc_raw(leaf, &curve, &x, &y)) return false;
  gnutls_free(x.data);
  gnutls_free(y.data);
  return curve == GNUTLS_ECC_CURVE_SECP256R1 || curve == GNUTLS_ECC_CURVE_SECP384R1;
}

static int check_leaf(struct wt__tls *tls, gnutls_x509_crt_t leaf) {
  time_t from = gnutls_x509_crt_get_activation_time(leaf), until = gnutls_x509_crt_get_expiration_time(leaf);
  time_t now = time(NULL);
  if (!leaf_key_allowed(leaf)) {
    return refuse(tls, "a server certificate that is known by its hash needs a key of ECDSA on P-256 or P-384");
  }
  if (from == (time_t)-1 || until == (time_t)-1 || until - from > (time_t)MAX_DAYS * DAY) {
    return refuse(tls, "a server certificate that is known by its hash may be valid for at most 14 days");
  }
  if (now < from) return refuse(tls, "the server's certificate is not valid yet");
  if (now >= until) return refuse(tls, "the server's certificate has expired");
  return 0;
}

static bool hash_is_known(const struct wt__tls_client *client, const uint8_t *hash) {
  for (size_t i = 0; i < client->hash_count; i++) {
    if (!memcmp(client->hashes[i], hash, HASH_LEN)) return true;
  }
  return false;
}

static int check_hash(struct wt__tls *tls) {
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);
  uint8_t hash[HASH_LEN];
  size_t len = sizeof(hash);
  gnutls_x509_crt_t leaf;
  if (!chain || count == 0) return refuse(tls, "the server sent no certificate");
  if (gnutls_fingerprint(GNUTLS_DIG_SHA256, &chain[0], hash, &len) || len != sizeof(hash)) {
    return refuse(tls, "the server's certificate cannot be hashed");
  }
  if (!hash_is_known(tls->client, hash)) return refuse(tls, "the hash of the server's certificate is not a known one");
  if (gnutls_x509_crt_init(&leaf)) return refuse(tls, "out of memory");
  int rc = gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER)
               ? refuse(tls, "the server's certificate cannot be read")
               : check_leaf(tls, leaf);
  gnutls_x509_crt_deinit(leaf);
  return rc;
}

/* What GnuTLS calls with the server's chain; not 0: the handshake fails with an alert. */
static int session_verify(gnutls_session_t session) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  switch (tls->client->verify) {
    case WT__VERIFY_CA: return check_authority(tls);
    case WT__VERIFY_HASHES: return check_hash(tls);
    case WT__VERIFY_NOTHING: return 0;
  }
  return refuse(tls, "no way to verify the server's certificate was chosen");
}

/* --- What connections share --- */

static int client_trust(struct wt__tls_client *client, const char *ca_file) {
  int count = ca_file ? gnutls_certificate_set_x509_trust_file(client->credentials, ca_file, GNUTLS_X509_FMT_PEM)
                      : gnutls_certificate_set_x509_system_trust(client->credentials);
  if (count == GNUTLS_E_MEMORY_ERROR) return WT_ERR_NOMEM;
  return count > 0 ? 0 : WT_ERR_FILE;
}

static int client_hashes(struct wt__tls_client *client, const struct wt__tls_client_options *options) {
  if (options->hash_count == 0 || !options->hashes || options->hash_count > SIZE_MAX / HASH_LEN) return WT_ERR_INVALID;
  client->hashes = wt__malloc(options->hash_count * HASH_LEN);
  if (!client->hashes) return WT_ERR_NOMEM;
  memcpy(client->hashes, options->hashes, options->hash_count * HASH_LEN);
  client->hash_count = options->hash_count;
  return 0;
}

static int client_init(struct wt__tls_client *client, const struct wt__tls_client_options *options) {
  int rc = gnutls_priority_init(&client->priorities, wt__tls_priorities, NULL);
  if (!rc) rc = gnutls_certificate_allocate_credentials(&client->credentials);
  if (rc) return rc == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  gnutls_certificate_set_verify_function(client->credentials, session_verify);
  client->verify = options->verify;
  if (options->verify == WT__VERIFY_CA) return client_trust(client, options->ca_file);
  return options->verify == WT__VERIFY_HASHES ? client_hashes(client, options) : 0;
}

int wt__tls_client_new(struct wt__tls_client **client, const struct wt__tls_client_options *options) {
  struct wt__tls_client *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  int rc = client_init(made, options);
  if (rc) {
    wt__tls_client_free(made);
    return rc;
  }
  *client = made;
  return 0;
}

void wt__tls_client_free(struct wt__tls_client *client) {
  if (!client) return;
  if (client->credentials) gnutls_certificate_free_credentials(client->credentials);
  if (client->priorities) gnutls_priority_deinit(client->priorities);
  wt__free(client->hashes);
  wt__free(client);
}

/* --- One connection --- */

static bool name_is_address(const char *name) {
  uint8_t address[16];
  return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static int client_configure(struct wt__tls *tls) {
  int rc = wt__tls_session_configure(tls, tls->client->priorities, tls->client->credentials);
  if (!rc) rc = gnutls_session_ticket_enable_client(tls->session);
  /* An address is no server name (RFC 6066, section 3). */
  if (!rc && tls->server_name[0] && !name_is_address(tls->server_name)) {
    rc = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, tls->server_name, strlen(tls->server_name));
  }
  return rc;
}

int wt__tls_new_client(struct wt__tls **tls, struct wt__tls_client *client, const char *server_name,
                       struct ngtcp2_conn *conn) {
  struct wt__tls *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  made->conn = conn;
  made->client = client;
  made->server_name = wt__strdup(server_name);
  int rc = made->server_name ? gnutls_init(&made->session, GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA)
                             : GNUTLS_E_MEMORY_ERROR;
  if (!rc) rc = client_configure(made);
  if (rc) {
    wt__tls_free(made);
    return rc == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  ngtcp2_conn_set_tls_native_handle(conn, made->session);
  *tls = made;
  return 0;
}

const char *wt__tls_error(const struct wt__tls *tls) { return tls->error; }

const char *wt__tls_alert_name(uint8_t alert) {
  const char *name = gnutls_alert_get_name((gnutls_alert_description_t)alert);
  return name ? name : "unknown alert";
}
