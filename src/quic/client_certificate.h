/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CLIENT_CERTIFICATE_H
#define WT_QUIC_CLIENT_CERTIFICATE_H

/* Certificates of clients at a server: asked for, judged, and kept for the application. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/certificate.h>

#include "base/vec.h"

#define WT__CLIENT_CHAIN_MAX \
  15360                          /* bytes of the certificates that a client shows: less than WT__CRYPTO_AHEAD_SERVER */
#define WT__CLIENT_CHAIN_DEPTH 8 /* certificates in it */
#define WT__CLIENT_AUTH_HASH_LEN 32 /* SHA-256 */

struct gnutls_certificate_credentials_st;
struct gnutls_x509_crt_int;
struct wt__tls;

/* What a server was told. All zero: no certificate is asked for. */
struct wt__client_auth {
  enum wt_client_certificates mode;
  struct gnutls_x509_crt_int **authorities; /* NULL: what comes is not verified */
  unsigned count;
};

/* Reads `ca_file`, which may be NULL. WT_ERR_FILE: no certificate can be read from it. WT_ERR_NOMEM. */
int wt__client_auth_init(struct wt__client_auth *auth, enum wt_client_certificates mode, const char *ca_file);
void wt__client_auth_free(struct wt__client_auth *auth);

/* What tells these rules from others: how clients are asked, and all authorities. 0 or an error of GnuTLS. */
int wt__client_auth_hash(const struct wt__client_auth *auth, uint8_t hash[static WT__CLIENT_AUTH_HASH_LEN]);

/* Makes sessions with these credentials judge what clients show. 0 or an error of GnuTLS. */
int wt__client_auth_trust(const struct wt__client_auth *auth, struct gnutls_certificate_credentials_st *credentials);

/* Makes a new session of a server ask for a certificate. */
void wt__client_auth_ask(struct wt__tls *tls);

/* The client's Finished was read; GnuTLS tells no earlier. A resumed session has the certificate of the connection that got
 * the ticket: judges it again, as of now. 0, or -1 with `tls->error` and `tls->alert` set: the handshake must fail. */
int wt__client_auth_check_resumed(struct wt__tls *tls);

/* The alert that ends the handshake: notes what it means, if that is a matter of the client's certificate. */
void wt__client_auth_explain(struct wt__tls *tls, unsigned alert);

/* The handshake is done, and the session is there: keeps the chain for the application. WT_ERR_NOMEM. */
int wt__client_auth_keep(struct wt__tls *tls);

/* Whether a ticket for this client would be good for its whole life: its certificate has to live as long, and both have to
 * fit a ClientHello of a few packets. */
bool wt__client_auth_allows_ticket(const struct wt__tls *tls, unsigned lifetime_s);

/* What is kept of a client: its certificates as DER, the leaf first. In one piece. */
struct wt__peer_chain {
  size_t size; /* of the piece, in bytes */
  bool verified;
  unsigned count;
  struct wt__vec certs[];
};

#endif
