/* SPDX-License-Identifier: MIT */

/*
 * TLS 1.3 of one connection, by GnuTLS, once it is made: what is known of it, the exporter, and its end. Others have the
 * rest: tls_server_gnutls.c and tls_client_gnutls.c make it, tls_handshake_gnutls.c does the handshake.
 *
 * A server's session has no more to say once its handshake is over and its ticket is written: a client may send nothing
 * to it in QUIC (RFC 9001, sections 4.4 and 6). It is an eighth of a connection's memory, and is freed then. What may be
 * asked for later is kept: names, and the exporter's secret, which GnuTLS tells only to the key log.
 *
 * If the environment has SSLKEYLOGFILE, GnuTLS writes the secrets there by itself.
 */

#include "quic/tls.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "quic/certificate_set.h"
#include "quic/client_certificate.h"
#include "quic/derive.h"
#include "quic/resumption.h"
#include "quic/tls_session.h"

/* --- End --- */

/* What needs certificates. */
static void session_free(struct wt__tls *tls) {
  if (tls->session) gnutls_deinit(tls->session);
  wt__cert_set_unref(tls->set);
  wt_certificate_free(tls->selected);
  tls->session = NULL;
  tls->selected = NULL;
  tls->set = NULL;
}

bool wt__tls_server_release_session(struct wt__tls *tls) {
  if (!tls->session) return true;
  if (!tls->exporter.len) return false;
  wt__tls_get_info(tls, &tls->info);
  ngtcp2_conn_set_tls_native_handle(tls->conn, NULL);
  session_free(tls);
  return true;
}

void wt__tls_free(struct wt__tls *tls) {
  if (!tls) return;
  session_free(tls);
  wt__wipe(&tls->exporter, sizeof(tls->exporter));
  wt__resumption_item_free(tls->ticket);
  wt__free(tls->server_name);
  wt__free(tls->peer);
  wt__free(tls->error);
  wt__free(tls);
}

void wt__tls_set_keys(struct wt__tls *tls, struct wt__packet_keys *keys) { tls->keys = keys; }

bool wt__tls_peer_has_reset_at(const struct wt__tls *tls) { return tls->peer_has_reset_at; }

/* A client's session stays, and has what the server showed. */
static int session_peer_certificate(const struct wt__tls *tls, size_t index, struct wt__vec *der) {
  unsigned count = 0;
  const gnutls_datum_t *chain =
      tls->session && tls->peer_showed ? gnutls_certificate_get_peers(tls->session, &count) : NULL;
  if (!chain || index >= count) return WT_ERR_NOT_FOUND;
  *der = (struct wt__vec){chain[index].data, chain[index].size};
  return 0;
}

int wt__tls_peer_certificate(const struct wt__tls *tls, size_t index, struct wt__vec *der) {
  if (tls->client) return session_peer_certificate(tls, index, der);
  if (!tls->peer || index >= tls->peer->count) return WT_ERR_NOT_FOUND;
  *der = tls->peer->certs[index];
  return 0;
}

bool wt__tls_peer_is_verified(const struct wt__tls *tls) {
  return tls->client ? tls->peer_showed && tls->verifies : tls->peer && tls->peer->verified;
}

size_t wt__tls_peer_chain_size(const struct wt__tls *tls) { return tls->peer ? tls->peer->size : 0; }

static bool session_is_stapled(const struct wt__tls *tls) {
  gnutls_datum_t response;
  return tls->client && tls->peer_showed && !gnutls_ocsp_status_request_get2(tls->session, 0, &response);
}

void wt__tls_get_info(const struct wt__tls *tls, struct wt__tls_info *info) {
  gnutls_session_t session = tls->session;
  if (!session) {
    *info = tls->info;
    return;
  }
  struct wt__vec leaf = {NULL, 0};
  (void)wt__tls_peer_certificate(tls, 0, &leaf);
  *info = (struct wt__tls_info){.version = "",
                                .cipher = "",
                                .group = "",
                                .certificate = leaf.data,
                                .certificate_len = leaf.len,
                                .verified = wt__tls_peer_is_verified(tls),
                                .stapled = session_is_stapled(tls)};
  if (!ngtcp2_conn_get_handshake_completed(tls->conn)) return;
  const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(session));
  const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(session));
  const char *group = gnutls_group_get_name(gnutls_group_get(session));
  if (version) info->version = version;
  if (cipher) info->cipher = cipher;
  if (group) info->group = group;
  info->resumed = gnutls_session_is_resumed(session) != 0;
}

int wt__tls_export(struct wt__tls *tls, const char *label, const void *context, size_t context_len, void *out,
                   size_t out_len) {
  if (!ngtcp2_conn_get_handshake_completed(tls->conn)) return WT_ERR_STATE;
  /* A context of length 0 and none are the same in TLS 1.3. */
  if (!tls->session)
    return wt__derive_exported(&tls->exporter, label, (struct wt__vec){context, context_len}, out, out_len);
  int error = gnutls_prf_rfc5705(tls->session, strlen(label), label, context_len, context, out_len, out);
  return error ? WT_ERR_TLS : 0;
}

/* --- Random bytes --- */

static _Thread_local uint64_t random_seed; /* 0: real */

void wt__tls_random_seed(uint64_t seed) { random_seed = seed; }

/* splitmix64 */
static uint64_t random_next(void) {
  uint64_t z = (random_seed += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

int wt__tls_random(void *dst, size_t len) {
  if (!random_seed) return gnutls_rnd(GNUTLS_RND_RANDOM, dst, len) ? WT_ERR_TLS : 0;
  for (uint8_t *at = dst; len; len--) *at++ = (uint8_t)random_next();
  return 0;
}
