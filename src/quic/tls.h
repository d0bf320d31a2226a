/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TLS_H
#define WT_QUIC_TLS_H

/*
 * The small header behind which a TLS library stands. The files `*_gnutls.c` are the only implementation now: one on
 * OpenSSL would have to provide the same functions and nothing else. Certificates (webtransport/certificate.h) belong to
 * it too: `certificate_gnutls.c`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/certificate.h>

#include "base/vec.h"
#include "quic/key_log.h"
#include "quic/tls_choice.h"

#define WT__TICKET_LIFETIME_S (6 * 3600)        /* GnuTLS's default */
#define WT__TICKET_LIFETIME_MAX (7 * 24 * 3600) /* RFC 8446, section 4.6.1 */

struct ngtcp2_conn;
struct wt__resumption;
struct wt__packet_keys;
struct wt__ticket_secrets;

/* What handshakes of a server share: certificates, the secret behind session tickets. */
struct wt__tls_context;

int wt__tls_context_new(struct wt__tls_context **context, bool session_tickets);
void wt__tls_context_free(struct wt__tls_context *context);

/* What a server may be told beside its certificates. All zero: the defaults. */
struct wt__tls_server_options {
  enum wt_client_certificates client_certificates;
  const char *client_ca_file; /* PEM; NULL: what clients show is not verified */
  struct wt__tls_choice choice;
  struct wt__key_log key_log;
  wt_select_certificate_callback select; /* NULL: the set alone is asked */
  void *select_user_data;
  unsigned ticket_lifetime_s; /* 0: WT__TICKET_LIFETIME_S */
};
/* Before certificates are set. WT_ERR_FILE (no authority can be read from `client_ca_file`), WT_ERR_TLS,
 * WT_ERR_NOMEM. */
int wt__tls_context_configure(struct wt__tls_context *context, const struct wt__tls_server_options *options);

/* Handshakes from now on, of any thread, use these; each is referenced. The first is for clients whose server name
 * fits none. Running connections keep what they have. Session tickets given out with other certificates resume nothing
 * any more. WT_ERR_INVALID without any, WT_ERR_TLS, WT_ERR_NOMEM. */
int wt__tls_context_set_certificates(struct wt__tls_context *context, wt_certificate *const *certificates,
                                     size_t count);

/* Tickets from now on, of any thread, follow from these; those under secrets that are not among them resume nothing any
 * more. Nothing happens where there are no tickets. WT_ERR_TLS, WT_ERR_NOMEM. */
int wt__tls_context_set_ticket_secrets(struct wt__tls_context *context, const struct wt__ticket_secrets *secrets);

/* One connection's TLS: sets itself as the native handle of `conn`; reads and writes the QUIC transport
 * parameters with callbacks of our own (where reset_stream_at is announced). */
struct wt__tls;
int wt__tls_new_server(struct wt__tls **tls, struct wt__tls_context *context, struct ngtcp2_conn *conn);
void wt__tls_free(struct wt__tls *tls);
/* The handshake of a server's connection is done: keeps what the client showed, and writes a ticket for its next connection,
 * if there are to be any. That a ticket cannot be made is no error: the next connection takes longer. WT_ERR_NOMEM. */
int wt__tls_server_handshake_done(struct wt__tls *tls);
/* The handshake of a server's connection is done, and no call of the TLS library's is under way: frees what is not
 * needed any more. `conn` has no native handle then. Nothing happens when it is called again. False: it was too early. */
bool wt__tls_server_release_session(struct wt__tls *tls);
/* Where the keys of 1-RTT packets go; `keys` has to outlive the handshake. Before it begins. */
void wt__tls_set_keys(struct wt__tls *tls, struct wt__packet_keys *keys);

/* For `struct wt_connection_info`. What is not known yet is "" or NULL; all of it lives as long as `tls`. */
struct wt__tls_info {
  const char *version, *cipher, *group;
  bool resumed;
  const uint8_t *certificate; /* DER of the peer's leaf; NULL if it showed none */
  size_t certificate_len;
  bool verified; /* it, and the chain, were */
  bool stapled;  /* with a response of OCSP */
};
void wt__tls_get_info(const struct wt__tls *tls, struct wt__tls_info *info);

/* The `index`th certificate that the peer showed, the leaf first, as DER: lives as long as `tls`, of a server from
 * `wt__tls_server_handshake_done` on. WT_ERR_NOT_FOUND. */
int wt__tls_peer_certificate(const struct wt__tls *tls, size_t index, struct wt__vec *der);
/* Whether what the peer showed was verified: a client's by the authorities, a server's as its client wants it. */
bool wt__tls_peer_is_verified(const struct wt__tls *tls);
/* Bytes that a settled server's connection keeps of the client's certificates. */
size_t wt__tls_peer_chain_size(const struct wt__tls *tls);

/* Whether the peer's transport parameters announced reset_stream_at; false before they are there. */
bool wt__tls_peer_has_reset_at(const struct wt__tls *tls);

/* --- Clients (tls_client_gnutls.c) --- */

/* How a client judges the certificate of a server. */
enum wt__tls_verify {
  WT__VERIFY_CA,     /* a chain to a trusted authority, and the server's name */
  WT__VERIFY_HASHES, /* the leaf's SHA-256 is known; the rules of `serverCertificateHashes` hold, not the name */
  WT__VERIFY_NOTHING /* any certificate will do: for tests alone */
};

struct wt__tls_client_options {
  enum wt__tls_verify verify;
  const char *ca_file;         /* WT__VERIFY_CA: PEM; NULL: the authorities that the system trusts */
  const uint8_t (*hashes)[32]; /* WT__VERIFY_HASHES; copied */
  size_t hash_count;
  wt_certificate *certificate; /* to show to servers that ask for one; referenced; NULL: there is none */
  struct wt__tls_choice choice;
  struct wt__key_log key_log;
};

/* What connections of a client share. It outlives them. */
struct wt__tls_client;

/* WT_ERR_INVALID (no hashes), WT_ERR_FILE (no authority could be read), WT_ERR_TLS, WT_ERR_NOMEM. */
int wt__tls_client_new(struct wt__tls_client **client, const struct wt__tls_client_options *options);
void wt__tls_client_free(struct wt__tls_client *client);

/* Where the client keeps session tickets, and the caller may keep tokens. */
struct wt__resumption *wt__tls_client_resumption(struct wt__tls_client *client);

/* As `wt__tls_new_server`. `server_name`: a DNS name or an IP address without brackets. `resumption_key`: the server, in
 * the client's store, from which a ticket is taken and to which new ones go; it tells server names apart and outlives
 * `tls`. NULL: no ticket is used or kept. */
int wt__tls_new_client(struct wt__tls **tls, struct wt__tls_client *client, const char *server_name,
                       const char *resumption_key, struct ngtcp2_conn *conn);

/* The ticket that was taken is used up; `unused`: it goes back, because the server never answered. */
void wt__tls_client_release_ticket(struct wt__tls *tls, bool unused);

/* Why the server's certificate was refused, for people; "" if it was not. Of a server: why the name that the client asks
 * for, or its certificate, was refused; NULL or "" if it was not. */
const char *wt__tls_error(const struct wt__tls *tls);

/* What a client asks for: a DNS name, or an IP address. */
const char *wt__tls_server_name(const struct wt__tls *tls);

/* The name of a TLS alert: "Handshake failed". */
const char *wt__tls_alert_name(uint8_t alert);

/* TLS exporter (RFC 8446, section 7.5). WT_ERR_STATE before the handshake is done, WT_ERR_TLS. */
int wt__tls_export(struct wt__tls *tls, const char *label, const void *context, size_t context_len, void *out,
                   size_t out_len);

/* Fills `dst` with `len` unpredictable bytes. WT_ERR_TLS. */
int wt__tls_random(void *dst, size_t len);
/* Tests: on this thread `wt__tls_random` draws from a generator with this seed from now on, so that a run can be
 * repeated; 0: unpredictable again. The secrets of TLS itself never come from it. */
void wt__tls_random_seed(uint64_t seed);

/* The file that the key was read from, if every user of the machine may read or change it; else NULL. */
const char *wt__certificate_open_key_file(const wt_certificate *certificate);

/* A certificate gains a reference (for contexts). */
wt_certificate *wt__certificate_ref(wt_certificate *certificate);

#endif
