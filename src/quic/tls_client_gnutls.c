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
 * Tickets of the server are remembered, each for one later connection under the same key. A connection that is
 * resumed with one sees no certificate: the judgement of the connection that got the ticket stands. It was made by
 * the same rules, since the store belongs to what holds them, and it ends with the validity of the certificates that
 * were shown.
 *
 * The handshake itself is in tls_handshake_gnutls.c, which both roles share. Early data (0-RTT) is off.
 */

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "quic/certificate.h"
#include "quic/key_log.h"
#include "quic/resumption.h"
#include "quic/tls.h"
#include "quic/tls_choice.h"
#include "quic/tls_session.h"

#define HASH_LEN 32

struct wt__tls_client {
  gnutls_priority_t priorities;
  gnutls_certificate_credentials_t credentials;
  enum wt__tls_verify verify;
  size_t hash_count;
  uint8_t (*hashes)[HASH_LEN];
  struct wt__resumption *resumption;
  wt_certificate *certificate; /* NULL: it has none to show */
  struct wt__key_log key_log;
};

/* --- The judgement. Each returns 0, or -1 with `tls->error` set. --- */

static int refuse(struct wt__tls *tls, const char *why) {
  (void)snprintf(tls->error, WT__TLS_ERROR_MAX, "%s", why);
  return -1;
}

/* Whether the leaf is valid at this time. */
static int check_time(struct wt__tls *tls, gnutls_x509_crt_t leaf) {
  time_t from = gnutls_x509_crt_get_activation_time(leaf), until = gnutls_x509_crt_get_expiration_time(leaf);
  time_t now = time(NULL);
  bool expired = now >= until;
  struct tm utc;
  char date[16] = "?";
  if (from == (time_t)-1 || until == (time_t)-1) {
    return refuse(tls, "the time for which the server's certificate is valid cannot be read");
  }
  if (!expired && now >= from) return 0;
  if (gmtime_r(expired ? &until : &from, &utc)) (void)strftime(date, sizeof(date), "%Y-%m-%d", &utc);
  (void)snprintf(tls->error, WT__TLS_ERROR_MAX,
                 expired ? "the server's certificate expired on %s" : "the server's certificate is not valid before %s",
                 date);
  return -1;
}

static int check_authority(struct wt__tls *tls, gnutls_x509_crt_t leaf) {
  unsigned status = 0;
  gnutls_datum_t text;
  if (tls->server_name[0] == '\0') return refuse(tls, "there is no name that the server's certificate could be for");
  if (gnutls_certificate_verify_peers3(tls->session, tls->server_name, &status)) {
    return refuse(tls, "the server's certificate cannot be verified");
  }
  if (status == 0) return 0;
  if (check_time(tls, leaf)) return -1;
  if (status & GNUTLS_CERT_SIGNER_NOT_FOUND) {
    return refuse(tls, "the server's certificate is not signed by an authority that is trusted here");
  }
  if (status & GNUTLS_CERT_UNEXPECTED_OWNER) {
    (void)snprintf(tls->error, WT__TLS_ERROR_MAX, "the server's certificate is not for %s", tls->server_name);
    return -1;
  }
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0)) {
    return refuse(tls, "the server's certificate is not trusted");
  }
  (void)snprintf(tls->error, WT__TLS_ERROR_MAX, "the server's certificate is not trusted for %s: %.*s",
                 tls->server_name, (int)text.size, (const char *)text.data);
  gnutls_free(text.data);
  return -1;
}

static int check_leaf(struct wt__tls *tls, gnutls_x509_crt_t leaf) {
  const char *refusal = wt__leaf_hash_refusal(leaf);
  if (*refusal) {
    (void)snprintf(tls->error, WT__TLS_ERROR_MAX,
                   "the server's certificate is known by its hash, but not fit for that: %s", refusal);
    return -1;
  }
  return check_time(tls, leaf);
}

static bool hash_is_known(const struct wt__tls_client *client, const uint8_t *hash) {
  for (size_t i = 0; i < client->hash_count; i++) {
    if (!memcmp(client->hashes[i], hash, HASH_LEN)) return true;
  }
  return false;
}

static int check_hash(struct wt__tls *tls, const gnutls_datum_t *der, gnutls_x509_crt_t leaf) {
  uint8_t hash[HASH_LEN];
  size_t len = sizeof(hash);
  if (gnutls_fingerprint(GNUTLS_DIG_SHA256, der, hash, &len) || len != sizeof(hash)) {
    return refuse(tls, "the server's certificate cannot be hashed");
  }
  if (hash_is_known(tls->client, hash)) return check_leaf(tls, leaf);
  int at =
      snprintf(tls->error, WT__TLS_ERROR_MAX, "the server's certificate is another one than expected: its hash is ");
  for (size_t i = 0; i < sizeof(hash); i++, at += 2) {
    (void)snprintf(tls->error + at, WT__TLS_ERROR_MAX - (size_t)at, "%02x", hash[i]);
  }
  return -1;
}

/* An authority between the leaf and the one that is trusted may end before the leaf does: so does what follows from
 * the judgement. One that cannot be read leaves no time at all. */
static void trust_until_chain_ends(struct wt__tls *tls, const gnutls_datum_t *chain, unsigned count) {
  for (unsigned i = 1; i < count; i++) {
    gnutls_x509_crt_t cert;
    int64_t until = 0;
    if (gnutls_x509_crt_init(&cert) == 0) {
      if (gnutls_x509_crt_import(cert, &chain[i], GNUTLS_X509_FMT_DER) == 0)
        until = (int64_t)gnutls_x509_crt_get_expiration_time(cert);
      gnutls_x509_crt_deinit(cert);
    }
    if (until < tls->trusted_until) tls->trusted_until = until;
  }
}

static int check_peer(struct wt__tls *tls, const gnutls_datum_t *chain, unsigned count, gnutls_x509_crt_t leaf) {
  tls->trusted_until = (int64_t)gnutls_x509_crt_get_expiration_time(leaf);
  switch (tls->client->verify) {
    case WT__VERIFY_CA: trust_until_chain_ends(tls, chain, count); return check_authority(tls, leaf);
    case WT__VERIFY_HASHES: return check_hash(tls, &chain[0], leaf);
    case WT__VERIFY_NOTHING: tls->trusted_until = INT64_MAX; return 0;
  }
  return refuse(tls, "no way to verify the server's certificate was chosen");
}

/* What GnuTLS calls with the server's chain; not 0: the handshake fails with an alert. */
static int session_verify(gnutls_session_t session) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
  gnutls_x509_crt_t leaf;
  if (!chain || count == 0) return refuse(tls, "the server sent no certificate");
  tls->peer_showed = true;
  if (gnutls_x509_crt_init(&leaf)) return refuse(tls, "out of memory");
  int error = gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER)
                  ? refuse(tls, "the server's certificate cannot be read")
                  : check_peer(tls, chain, count, leaf);
  gnutls_x509_crt_deinit(leaf);
  return error;
}

/* --- What the client shows --- */

/* A server asks for a certificate. GnuTLS borrows what this gives. Without one the client goes on, and the server decides. */
static int session_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
                            unsigned *len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len, gnutls_privkey_t *key,
                            unsigned *flags) {
  const struct wt__tls *tls = gnutls_session_get_ptr(session);
  const wt_certificate *certificate = tls->client->certificate;
  (void)info;
  *chain = certificate ? certificate->chain : NULL;
  *len = certificate ? certificate->chain_len : 0;
  *key = !certificate ? NULL : certificate->signer ? certificate->signer : certificate->key;
  *ocsp = NULL;
  *ocsp_len = *flags = 0;
  return 0;
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
  int error = wt__tls_choice_apply(&options->choice, false, &client->priorities);
  if (!error) error = gnutls_certificate_allocate_credentials(&client->credentials);
  if (error) return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  client->resumption = wt__resumption_new();
  if (!client->resumption) return WT_ERR_NOMEM;
  gnutls_certificate_set_verify_function(client->credentials, session_verify);
  gnutls_certificate_set_retrieve_function3(client->credentials, session_retrieve);
  if (options->certificate) client->certificate = wt__certificate_ref(options->certificate);
  client->verify = options->verify;
  client->key_log = options->key_log;
  if (options->verify == WT__VERIFY_CA) return client_trust(client, options->ca_file);
  return options->verify == WT__VERIFY_HASHES ? client_hashes(client, options) : 0;
}

int wt__tls_client_new(struct wt__tls_client **client, const struct wt__tls_client_options *options) {
  struct wt__tls_client *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  int error = client_init(made, options);
  if (error) {
    wt__tls_client_free(made);
    return error;
  }
  *client = made;
  return 0;
}

void wt__tls_client_free(struct wt__tls_client *client) {
  if (!client) return;
  if (client->credentials) gnutls_certificate_free_credentials(client->credentials);
  if (client->priorities) gnutls_priority_deinit(client->priorities);
  wt_certificate_free(client->certificate);
  wt__resumption_free(client->resumption);
  wt__free(client->hashes);
  wt__free(client);
}

struct wt__resumption *wt__tls_client_resumption(struct wt__tls_client *client) {
  return client->resumption;
}

/* --- Tickets --- */

/* A NewSessionTicket was read (RFC 8446, section 4.6.1). */
static int session_on_ticket(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                             const gnutls_datum_t *message) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  gnutls_datum_t data;
  (void)type, (void)when, (void)message;
  if (!incoming || tls->tickets == WT__RESUMPTION_MAX_ITEMS || gnutls_session_get_data2(session, &data)) return 0;
  struct wt__resumption_key key = {tls->resumption_key, ngtcp2_conn_get_negotiated_version(tls->conn)};
  tls->tickets++;
  wt__resumption_put(tls->client->resumption, &key, WT__RESUMPTION_TICKET, data.data, data.size, tls->trusted_until);
  wt__wipe(data.data, data.size);
  gnutls_free(data.data);
  return 0;
}

/* A ticket for the server, if there is one that goes back to a certificate which is still valid. */
static struct wt__resumption_item *client_take_ticket(struct wt__tls *tls) {
  struct wt__resumption_key key = {tls->resumption_key, ngtcp2_conn_get_client_chosen_version(tls->conn)};
  if (!tls->resumption_key) return NULL;
  return wt__resumption_take(tls->client->resumption, &key, WT__RESUMPTION_TICKET, (int64_t)time(NULL));
}

void wt__tls_client_release_ticket(struct wt__tls *tls, bool unused) {
  struct wt__resumption_item *ticket = tls->ticket;
  tls->ticket = NULL;
  if (ticket && unused) {
    struct wt__resumption_key key = {tls->resumption_key, ngtcp2_conn_get_client_chosen_version(tls->conn)};
    wt__resumption_give_back(tls->client->resumption, &key, WT__RESUMPTION_TICKET, ticket);
  } else {
    wt__resumption_item_free(ticket);
  }
}

/* --- One connection --- */

static bool name_is_address(const char *name) {
  uint8_t address[16];
  return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* A name with a final dot is the same name to DNS, but neither SNI nor certificates have the dot (RFC 6066, section 3). */
static char *name_without_dot(const char *name) {
  size_t len = strlen(name);
  return wt__strndup(name, len > 1 && name[len - 1] == '.' ? len - 1 : len);
}

static int client_configure(struct wt__tls *tls) {
  int error = wt__tls_handshake_configure(tls, tls->client->priorities, tls->client->credentials);
  if (!error) error = gnutls_session_ticket_enable_client(tls->session);
  if (tls->resumption_key) {
    gnutls_handshake_set_hook_function(tls->session, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST,
                                       session_on_ticket);
  }
  /* An address is no server name (RFC 6066, section 3). */
  if (!error && tls->server_name[0] && !name_is_address(tls->server_name)) {
    error = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, tls->server_name, strlen(tls->server_name));
  }
  return error;
}

static int client_begin(struct wt__tls *tls) {
  const struct wt__resumption_item *ticket = tls->ticket;
  int error = gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA);
  if (!error && tls->log->function) wt__key_log_watch(tls);
  if (!error) error = client_configure(tls);
  if (error || !ticket) return error;
  if (gnutls_session_set_data(tls->session, ticket->data, ticket->len)) { /* then from the beginning, without it */
    gnutls_deinit(tls->session);
    tls->session = NULL;
    wt__tls_client_release_ticket(tls, false);
    return client_begin(tls);
  }
  tls->trusted_until = ticket->expires_at; /* until the server shows a certificate again */
  return 0;
}

int wt__tls_new_client(struct wt__tls **tls, struct wt__tls_client *client, const char *server_name,
                       const char *resumption_key, struct ngtcp2_conn *conn) {
  struct wt__tls *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  made->conn = conn;
  made->client = client;
  made->verifies = client->verify != WT__VERIFY_NOTHING;
  made->log = &client->key_log;
  made->resumption_key = resumption_key;
  made->server_name = name_without_dot(server_name);
  made->error = wt__calloc(1, WT__TLS_ERROR_MAX);
  bool whole = made->server_name && made->error;
  if (whole) made->ticket = client_take_ticket(made);
  int error = whole ? client_begin(made) : GNUTLS_E_MEMORY_ERROR;
  if (error) {
    wt__tls_client_release_ticket(made, true);
    wt__tls_free(made);
    return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  ngtcp2_conn_set_tls_native_handle(conn, made->session);
  *tls = made;
  return 0;
}

const char *wt__tls_error(const struct wt__tls *tls) { return tls->error; }

const char *wt__tls_server_name(const struct wt__tls *tls) { return tls->server_name; }

const char *wt__tls_alert_name(uint8_t alert) {
  const char *name = gnutls_alert_get_name((gnutls_alert_description_t)alert);
  return name ? name : "unknown alert";
}
