/* SPDX-License-Identifier: MIT */

/*
 * What GnuTLS and ngtcp2 tell each other during a handshake (RFC 9001): ngtcp2 carries the handshake's bytes, GnuTLS turns
 * them into secrets, and the functions below hand those back to ngtcp2. Servers and clients share them.
 *
 *   CRYPTO frames -> ngtcp2 -> ngtcp2_crypto_recv_crypto_data_cb -> GnuTLS
 *                      ^                                              |
 *                      +-- session_on_read, session_on_secret, ... <--+
 *
 * libngtcp2_crypto_gnutls has functions of the same kind. We register our own, because ngtcp2 cannot announce transport
 * parameters that it does not know: `params_send` and `params_recv` add them.
 *
 * ALPN is "h3" and mandatory; a peer without it gets the alert no_application_protocol (RFC 9001, section 8.1).
 */

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <string.h>

#include "base/mem.h"
#include "quic/canary.h"
#include "quic/client_certificate.h"
#include "quic/derive.h"
#include "quic/packet_keys.h"
#include "quic/seal.h"
#include "quic/server_name.h"
#include "quic/tls_session.h"
#include "wire/quic_params.h"

#define MAX_PARAMS_LEN 512 /* our encoded transport parameters */

static struct wt__tls *session_tls(gnutls_session_t session) { return gnutls_session_get_ptr(session); }

/* --- Keys --- */

/* What protects headers under each cipher: AES as a block cipher, for which libngtcp2_crypto uses CBC, or ChaCha20. */
static const struct {
  gnutls_cipher_algorithm_t cipher, header;
  enum wt__seal_cipher seal;
} ciphers[] = {
    {GNUTLS_CIPHER_AES_128_GCM, GNUTLS_CIPHER_AES_128_CBC, WT__SEAL_AES_128_GCM},
    {GNUTLS_CIPHER_AES_256_GCM, GNUTLS_CIPHER_AES_256_CBC, WT__SEAL_AES_256_GCM},
    {GNUTLS_CIPHER_CHACHA20_POLY1305, GNUTLS_CIPHER_CHACHA20_32, WT__SEAL_NONE},
};

/* Tells `keys` the cipher. Returns that of headers; GNUTLS_CIPHER_UNKNOWN: there is none. */
static gnutls_cipher_algorithm_t session_choose_cipher(gnutls_session_t session, struct wt__packet_keys *keys) {
  gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
  for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
    if (ciphers[i].cipher != cipher) continue;
    keys->cipher = ciphers[i].seal;
    keys->key_len = gnutls_cipher_get_key_size(cipher);
    keys->hash = (int)gnutls_prf_hash_get(session);
    return ciphers[i].header;
  }
  return GNUTLS_CIPHER_UNKNOWN;
}

/* The context of the header's key: ours, or one that libngtcp2_crypto uses and frees. 0 or -1. */
static int session_header_key(gnutls_session_t session, uint32_t version, bool sending, const void *secret, size_t len,
                              ngtcp2_crypto_cipher_ctx *ctx) {
  struct wt__packet_keys *keys = session_tls(session)->keys;
  struct wt__secret from = {.hash = keys->hash, .len = len};
  uint8_t bare[WT__PACKET_KEY_MAX];
  gnutls_datum_t key = {bare, (unsigned)keys->key_len};
  gnutls_cipher_hd_t handle;
  if (len > sizeof(from.data) || keys->key_len > sizeof(bare)) return -1;
  memcpy(from.data, secret, len);
  int error = wt__derive_packet_part(&from, version, WT__PACKET_PART_HP, bare, keys->key_len);
  if (!error) ctx->native_handle = wt__packet_keys_set_header(keys, sending, bare);
  if (!error && !ctx->native_handle) {
    error = gnutls_cipher_init(&handle, session_choose_cipher(session, keys), &key, NULL);
    if (!error) ctx->native_handle = handle;
  }
  wt__wipe(&from, sizeof(from));
  wt__wipe(bare, sizeof(bare));
  return error ? -1 : 0;
}

/* As libngtcp2_crypto's, with records of ours in the place of its contexts. 0 or -1. */
static int session_install_1rtt(gnutls_session_t session, bool sending, const void *secret, size_t len) {
  struct wt__tls *tls = session_tls(session);
  struct ngtcp2_conn *conn = tls->conn;
  uint32_t version = ngtcp2_conn_get_negotiated_version(conn);
  struct wt__packet_material material;
  ngtcp2_crypto_cipher_ctx header = {NULL};
  if (!tls->keys || session_choose_cipher(session, tls->keys) == GNUTLS_CIPHER_UNKNOWN ||
      wt__packet_keys_add(tls->keys, version, secret, len, &material))
    return -1;
  const ngtcp2_crypto_aead_ctx ctx = {material.key};
  int error = session_header_key(session, version, sending, secret, len, &header);
  if (!error && sending)
    error = ngtcp2_conn_install_tx_key(conn, secret, len, &ctx, material.iv, sizeof(material.iv), &header);
  if (!error && !sending)
    error = ngtcp2_conn_install_rx_key(conn, secret, len, &ctx, material.iv, sizeof(material.iv), &header);
  if (!error) return 0;
  if (header.native_handle && !wt__packet_keys_header(tls->keys, header.native_handle))
    gnutls_cipher_deinit(header.native_handle);
  wt__packet_key_free(material.key);
  return -1;
}

/* One direction's secret. 0 or -1. */
static int session_install(gnutls_session_t session, ngtcp2_encryption_level level, bool sending, const void *secret,
                           size_t len) {
  struct ngtcp2_conn *conn = session_tls(session)->conn;
  if (level == NGTCP2_ENCRYPTION_LEVEL_1RTT) return session_install_1rtt(session, sending, secret, len);
  return sending ? ngtcp2_crypto_derive_and_install_tx_key(conn, NULL, NULL, NULL, level, secret, len)
                 : ngtcp2_crypto_derive_and_install_rx_key(conn, NULL, NULL, NULL, level, secret, len);
}

/* --- Callbacks --- */

/* GNUTLS_ALPN_MANDATORY refuses a peer that names other protocols only, not one that leaves the extension out. So it is
 * looked at again: by a server once the ClientHello is read, by a client once the server is done. */
static bool session_lacks_protocol(gnutls_session_t session, gnutls_record_encryption_level_t level) {
  const struct wt__tls *tls = session_tls(session);
  gnutls_datum_t chosen;
  bool known =
      level == GNUTLS_ENCRYPTION_LEVEL_APPLICATION || (!tls->client && level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE);
  if (!known) return false;
  return gnutls_alpn_get_selected_protocol(session, &chosen) || chosen.size != 2 || memcmp(chosen.data, "h3", 2) != 0;
}

static int session_on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level, const void *rx,
                             const void *tx, size_t len) {
  struct wt__tls *tls = session_tls(session);
  if (session_lacks_protocol(session, level)) tls->alert = GNUTLS_A_NO_APPLICATION_PROTOCOL;
  if (!tls->alert && !tls->client && rx && level == GNUTLS_ENCRYPTION_LEVEL_APPLICATION)
    (void)wt__client_auth_check_resumed(tls);
  if (tls->alert) return -1;
  ngtcp2_encryption_level quic_level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level);
  if (rx && session_install(session, quic_level, false, rx, len)) return -1;
  if (tx && session_install(session, quic_level, true, tx, len)) return -1;
  return 0;
}

/* Handshake bytes for the peer. */
static int session_on_read(gnutls_session_t session, gnutls_record_encryption_level_t level,
                           gnutls_handshake_description_t type, const void *data, size_t len) {
  struct ngtcp2_conn *conn = session_tls(session)->conn;
  if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC) return 0;
  int error =
      ngtcp2_conn_submit_crypto_data(conn, ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level), data, len);
  if (!error) return 0;
  ngtcp2_conn_set_tls_error(conn, error);
  return -1;
}

static int session_on_alert(gnutls_session_t session, gnutls_record_encryption_level_t level,
                            gnutls_alert_level_t alert_level, gnutls_alert_description_t alert) {
  (void)level;
  (void)alert_level;
  struct wt__tls *tls = session_tls(session);
  if (!tls->client) wt__client_auth_explain(tls, alert);
  if (tls->alert) alert = (gnutls_alert_description_t)tls->alert;
  ngtcp2_conn_set_tls_alert(tls->conn, (uint8_t)alert);
  return 0;
}

static int params_recv(gnutls_session_t session, const uint8_t *data, size_t len) {
  struct ngtcp2_conn *conn = session_tls(session)->conn;
  wt__server_name_hide(session_tls(session), data);
  enum wt__reset_at_param reset_at = wt__quic_params_find_reset_at(data, len);
  session_tls(session)->peer_has_reset_at = reset_at == WT__RESET_AT_PRESENT;
  int error = reset_at == WT__RESET_AT_MALFORMED ? NGTCP2_ERR_TRANSPORT_PARAM
                                                 : ngtcp2_conn_decode_and_set_remote_transport_params(conn, data, len);
  if (!error) return 0;
  ngtcp2_conn_set_tls_error(conn, error);
  return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
}

static int params_send(gnutls_session_t session, gnutls_buffer_t extension) {
  uint8_t params[MAX_PARAMS_LEN];
  size_t room = sizeof(params) - WT__RESET_AT_PARAMS_LEN;
  ngtcp2_ssize len = ngtcp2_conn_encode_local_transport_params(session_tls(session)->conn, params, room);
  if (len < 0) return GNUTLS_E_INTERNAL_ERROR;
  if (wt__canary()->reset_at_in) len += (ngtcp2_ssize)wt__quic_params_write_reset_at(params + len);
  return gnutls_buffer_append_data(extension, params, (size_t)len);
}

int wt__tls_handshake_configure(struct wt__tls *tls, struct gnutls_priority_st *priorities, void *credentials) {
  gnutls_session_t session = tls->session;
  gnutls_datum_t alpn = {(unsigned char *)(uintptr_t) "h3", 2};
  /* A server reads them in the first of GnuTLS's passes, before the server name (server_name_gnutls.c). */
  gnutls_ext_parse_type_t pass = tls->client ? GNUTLS_EXT_TLS : GNUTLS_EXT_VERSION_NEG;
  gnutls_session_set_ptr(session, tls);
  int error = gnutls_priority_set(session, priorities);
  if (!error) error = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  if (!error) error = gnutls_alpn_set_protocols(session, &alpn, 1, GNUTLS_ALPN_MANDATORY);
  if (error) return error;
  gnutls_handshake_set_secret_function(session, session_on_secret);
  gnutls_handshake_set_read_function(session, session_on_read);
  gnutls_alert_set_read_function(session, session_on_alert);
  return gnutls_session_ext_register(session, "QUIC transport parameters", NGTCP2_TLSEXT_QUIC_TRANSPORT_PARAMETERS_V1,
                                     pass, params_recv, params_send, NULL, NULL, NULL,
                                     GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE);
}
