/* SPDX-License-Identifier: MIT */

/*
 * Certificates of clients (RFC 8446, sections 4.3.2 and 4.4.2): who may connect, and who it is.
 *
 *   mode      the client shows    with authorities               without
 *   none      -                   not asked for                  not asked for
 *   ask       nothing             goes on, no certificate        goes on, no certificate
 *             one                 verified, or the handshake     goes on: the application looks at it
 *                                 fails
 *   require   nothing             the handshake fails            (not allowed: it would let anybody in)
 *             one                 verified, or it fails
 *
 * Verified: a chain to one of the authorities, valid now, for the purpose of a TLS client. The alert says what was wrong,
 * and so does a line in the log. GnuTLS has checked in any case that the client holds the certificate's key.
 *
 * TLS 1.3 asks in the handshake alone. Asking later is forbidden in QUIC (RFC 9001, section 4.4).
 *
 * A session ticket holds the chain, sealed by the server. So a resumed session knows who the client is. The chain is
 * verified again then: the certificate may have ended since, and a client is free to lie about its ticket's age. A ticket
 * is only given where certificate and ticket end in the right order, so that an honest client does not meet a refusal.
 * Authorities are read once, when the server is made, and tickets are good for servers with the same ones alone: they are
 * part of the key that seals tickets (certificate_set_gnutls.c).
 *
 * What a client shows is kept in one piece as long as its connection, since the session of TLS is not (tls_gnutls.c). It
 * counts as the connection's memory, and has a bound.
 */

#include "quic/client_certificate.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "base/vec.h"
#include "quic/tls_session.h"
#include "wire/utf8.h"

#define VERIFY_BITS 8192      /* of a key in a chain: larger ones cost too much time */
#define TICKET_CHAIN_MAX 4096 /* bytes of a chain that a ticket carries; it comes back in the ClientHello */

/* --- What the server was told --- */

int wt__client_auth_init(struct wt__client_auth *auth, enum wt_client_certificates mode, const char *ca_file) {
  gnutls_datum_t pem;
  *auth = (struct wt__client_auth){.mode = mode};
  if (!ca_file) return 0;
  int error = gnutls_load_file(ca_file, &pem);
  if (error) return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_FILE;
  error = gnutls_x509_crt_list_import2(&auth->authorities, &auth->count, &pem, GNUTLS_X509_FMT_PEM, 0);
  gnutls_free(pem.data);
  if (error >= 0 && auth->count > 0) return 0;
  auth->authorities = NULL; /* freed */
  auth->count = 0;
  return error == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_FILE;
}

void wt__client_auth_free(struct wt__client_auth *auth) {
  for (unsigned i = 0; i < auth->count; i++) gnutls_x509_crt_deinit(auth->authorities[i]);
  gnutls_free(auth->authorities);
  *auth = (struct wt__client_auth){0};
}

/* Each authority as a hash of a fixed length, so that no two lists look the same. */
static int hash_authorities(gnutls_hash_hd_t state, const struct wt__client_auth *auth) {
  int error = 0;
  for (unsigned i = 0; !error && i < auth->count; i++) {
    uint8_t one[WT__CLIENT_AUTH_HASH_LEN];
    size_t len = sizeof(one);
    error = gnutls_x509_crt_get_fingerprint(auth->authorities[i], GNUTLS_DIG_SHA256, one, &len);
    if (!error) error = gnutls_hash(state, one, sizeof(one));
  }
  return error;
}

int wt__client_auth_hash(const struct wt__client_auth *auth, uint8_t hash[static WT__CLIENT_AUTH_HASH_LEN]) {
  gnutls_hash_hd_t state;
  const uint8_t mode = (uint8_t)auth->mode;
  int error = gnutls_hash_init(&state, GNUTLS_DIG_SHA256);
  if (error) return error;
  error = gnutls_hash(state, &mode, sizeof(mode));
  if (!error) error = hash_authorities(state, auth);
  gnutls_hash_deinit(state, hash);
  return error;
}

void wt__client_auth_ask(struct wt__tls *tls) {
  static const gnutls_certificate_request_t requests[] = {
      [WT_CLIENT_CERTIFICATES_NONE] = GNUTLS_CERT_IGNORE,
      [WT_CLIENT_CERTIFICATES_ASK] = GNUTLS_CERT_REQUEST,
      [WT_CLIENT_CERTIFICATES_REQUIRE] = GNUTLS_CERT_REQUIRE,
  };
  gnutls_certificate_server_set_request(tls->session, requests[tls->auth->mode]);
}

/* --- The judgement. Each returns 0, or -1 with `tls->error` and `tls->alert` set. --- */

static int refuse(struct wt__tls *tls, gnutls_alert_description_t alert, const char *who, const char *why) {
  tls->alert = (uint8_t)alert;
  if (!tls->error) tls->error = wt__calloc(1, WT__TLS_ERROR_MAX);
  if (tls->error) (void)snprintf(tls->error, WT__TLS_ERROR_MAX, "the client's certificate%s %s", who, why);
  return -1;
}

/* What a status says, the first that fits. */
static const struct {
  unsigned status;
  gnutls_alert_description_t alert;
  const char *why;
} refusals[] = {
    {GNUTLS_CERT_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, "was revoked"},
    {GNUTLS_CERT_SIGNER_NOT_FOUND, GNUTLS_A_UNKNOWN_CA, "is not signed by an authority of the client CA file"},
    {GNUTLS_CERT_SIGNER_NOT_CA, GNUTLS_A_UNKNOWN_CA, "is signed by one that is no authority"},
    {GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "has expired, or one in its chain has"},
    {GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED, "is not valid yet, or one in its chain is not"},
    {GNUTLS_CERT_PURPOSE_MISMATCH, GNUTLS_A_UNSUPPORTED_CERTIFICATE, "is not for clients of TLS"},
    {~0u, GNUTLS_A_BAD_CERTIFICATE, "is not valid"},
};

/* " (CN=alice)", for the log; "" if it cannot be read. */
static void describe(const gnutls_datum_t *der, char *text, size_t size) {
  gnutls_x509_crt_t leaf;
  gnutls_datum_t dn = {NULL, 0};
  char shown[80];
  text[0] = '\0';
  if (gnutls_x509_crt_init(&leaf)) return;
  if (!gnutls_x509_crt_import(leaf, der, GNUTLS_X509_FMT_DER) && !gnutls_x509_crt_get_dn3(leaf, &dn, 0)) {
    (void)wt__utf8_show(shown, sizeof(shown), (const char *)dn.data, dn.size);
    (void)snprintf(text, size, " (%s)", shown);
    gnutls_free(dn.data);
  }
  gnutls_x509_crt_deinit(leaf);
}

static int check_chain(struct wt__tls *tls, const gnutls_datum_t *chain) {
  gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                   .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
  unsigned status = 0;
  char who[96];
  describe(&chain[0], who, sizeof(who));
  if (gnutls_certificate_verify_peers(tls->session, &purpose, 1, &status))
    return refuse(tls, GNUTLS_A_BAD_CERTIFICATE, who, "cannot be verified");
  for (size_t i = 0; status && i < sizeof(refusals) / sizeof(refusals[0]); i++) {
    if (status & refusals[i].status) return refuse(tls, refusals[i].alert, who, refusals[i].why);
  }
  return 0;
}

static size_t chain_len(const gnutls_datum_t *chain, unsigned count) {
  size_t len = 0;
  for (unsigned i = 0; i < count; i++) len += chain[i].size;
  return len;
}

static int check_client(struct wt__tls *tls, const gnutls_datum_t *chain, unsigned count) {
  if (count > WT__CLIENT_CHAIN_DEPTH || chain_len(chain, count) > WT__CLIENT_CHAIN_MAX)
    return refuse(tls, GNUTLS_A_BAD_CERTIFICATE, "", "comes with a chain that is too long");
  return tls->auth->authorities ? check_chain(tls, chain) : 0;
}

/* What GnuTLS calls with a client's chain; not 0: the handshake fails. */
static int session_verify(gnutls_session_t session) {
  struct wt__tls *tls = gnutls_session_get_ptr(session);
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
  if (chain && count > 0) return check_client(tls, chain, count);
  if (tls->auth->mode == WT_CLIENT_CERTIFICATES_ASK) return 0;
  return refuse(tls, GNUTLS_A_CERTIFICATE_REQUIRED, "", "is required, and it showed none");
}

int wt__client_auth_trust(const struct wt__client_auth *auth, struct gnutls_certificate_credentials_st *credentials) {
  if (auth->mode == WT_CLIENT_CERTIFICATES_NONE) return 0;
  gnutls_certificate_set_verify_function(credentials, session_verify);
  gnutls_certificate_set_verify_limits(credentials, VERIFY_BITS, WT__CLIENT_CHAIN_DEPTH);
  if (!auth->authorities) return 0;
  int count = gnutls_certificate_set_x509_trust(credentials, auth->authorities, (int)auth->count);
  return count < 0 ? count : 0;
}

int wt__client_auth_check_resumed(struct wt__tls *tls) {
  if (tls->auth->mode == WT_CLIENT_CERTIFICATES_NONE || !gnutls_session_is_resumed(tls->session)) return 0;
  unsigned count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);
  if (chain && count > 0) return check_client(tls, chain, count);
  if (tls->auth->mode != WT_CLIENT_CERTIFICATES_REQUIRE) return 0;
  return refuse(tls, GNUTLS_A_CERTIFICATE_REQUIRED, "", "is missing in the ticket");
}

void wt__client_auth_explain(struct wt__tls *tls, unsigned alert) {
  if (alert != GNUTLS_A_CERTIFICATE_REQUIRED || tls->alert) return;
  (void)refuse(tls, GNUTLS_A_CERTIFICATE_REQUIRED, "", "is required, and it showed none");
}

/* --- What stays of it --- */

/* A copy of the chain, each certificate behind the other. NULL: out of memory. */
static struct wt__peer_chain *chain_copy(const gnutls_datum_t *chain, unsigned count) {
  size_t head = sizeof(struct wt__peer_chain) + count * sizeof(struct wt__vec);
  size_t size = head + chain_len(chain, count);
  struct wt__peer_chain *made = wt__malloc(size);
  if (!made) return NULL;
  uint8_t *at = (uint8_t *)made + head;
  *made = (struct wt__peer_chain){.size = size, .count = count};
  for (unsigned i = 0; i < count; at += chain[i].size, i++) {
    memcpy(at, chain[i].data, chain[i].size);
    made->certs[i] = (struct wt__vec){at, chain[i].size};
  }
  return made;
}

int wt__client_auth_keep(struct wt__tls *tls) {
  unsigned count = 0;
  if (tls->auth->mode == WT_CLIENT_CERTIFICATES_NONE) return 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);
  if (!chain || count == 0) return 0;
  tls->peer = chain_copy(chain, count);
  if (!tls->peer) return WT_ERR_NOMEM;
  tls->peer->verified = tls->auth->authorities != NULL;
  return 0;
}

/* The end of the certificate that ends first; 0 if one cannot be read. */
static int64_t chain_ends(const struct wt__peer_chain *chain) {
  int64_t end = INT64_MAX;
  for (unsigned i = 0; i < chain->count; i++) {
    const gnutls_datum_t der = {(unsigned char *)(uintptr_t)chain->certs[i].data, (unsigned)chain->certs[i].len};
    gnutls_x509_crt_t cert;
    int64_t until = 0;
    if (gnutls_x509_crt_init(&cert)) return 0;
    if (!gnutls_x509_crt_import(cert, &der, GNUTLS_X509_FMT_DER))
      until = (int64_t)gnutls_x509_crt_get_expiration_time(cert);
    gnutls_x509_crt_deinit(cert);
    if (until < end) end = until;
  }
  return end;
}

bool wt__client_auth_allows_ticket(const struct wt__tls *tls, unsigned lifetime_s) {
  if (!tls->peer) return true;
  return tls->peer->size <= TICKET_CHAIN_MAX && chain_ends(tls->peer) > (int64_t)time(NULL) + (int64_t)lifetime_s;
}
