/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TLS_H
#define WT_QUIC_TLS_H

/*
 * The small header behind which a TLS library stands. `tls_gnutls.c` is the only implementation now;
 * one on OpenSSL has to fill in the same functions and nothing else. Certificates
 * (webtransport/certificate.h) belong to the backend too: `certificate_gnutls.c`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/certificate.h>

struct ngtcp2_conn;

/* What handshakes of a server share: certificates, the session-ticket key. */
struct wt__tls_context;

int wt__tls_context_new(struct wt__tls_context **context, bool session_tickets);
void wt__tls_context_free(struct wt__tls_context *context);

/* Handshakes from now on use these; each is referenced. The first is for clients whose server name
 * fits none. Running connections keep what they have. WT_ERR_INVALID without any, WT_ERR_NOMEM. */
int wt__tls_context_set_certificates(struct wt__tls_context *context, wt_certificate *const *certificates,
                                     size_t count);

/* One connection's TLS: sets itself as the native handle of `conn`; reads and writes the QUIC transport
 * parameters with callbacks of our own (the place where reset_stream_at will be announced). */
struct wt__tls;
int wt__tls_new_server(struct wt__tls **tls, struct wt__tls_context *context, struct ngtcp2_conn *conn);
void wt__tls_free(struct wt__tls *tls);

/* TLS exporter (RFC 8446, section 7.5). WT_ERR_STATE before the handshake is done, WT_ERR_TLS. */
int wt__tls_export(struct wt__tls *tls, const char *label, const void *context, size_t context_len, void *out,
                   size_t out_len);

/* Fills `dst` with `len` unpredictable bytes. WT_ERR_TLS. */
int wt__tls_random(void *dst, size_t len);

/* A certificate gains a reference (for contexts). */
wt_certificate *wt__certificate_ref(wt_certificate *certificate);

#endif
