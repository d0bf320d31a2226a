/* SPDX-License-Identifier: MIT */

/*
 * TLS 1.3 for QUIC by GnuTLS (RFC 9001): ngtcp2 carries the handshake's bytes, GnuTLS turns them into
 * secrets, and the functions below hand those back to ngtcp2.
 *
 *   CRYPTO frames -> ngtcp2 -> ngtcp2_crypto_recv_crypto_data_cb -> GnuTLS
 *                      ^                                              |
 *                      +-- session_on_read, session_on_secret, ... <--+
 *
 * libngtcp2_crypto_gnutls has functions of the same kind. We register our own, because the extension
 * that holds the transport parameters is the one place where parameters can be announced that ngtcp2
 * does not know: `params_send` and `params_recv`.
 *
 * ALPN is "h3" and mandatory; a peer without it gets the alert no_application_protocol (RFC 9001, section 8.1). Early data
 * (0-RTT) is off: GnuTLS has to be asked for it. A client gets one ticket, when its handshake is done: GnuTLS would
 * make two, and before it is done. If the environment has SSLKEYLOGFILE, GnuTLS writes the secrets there by itself.
 *
 * Certificates of clients are the matter of client_certificate_gnutls.c, a server's own ones of certificate_set_gnutls.c.
 *
 * A server's session has no more to say once its handshake is over and its ticket is written: nothing that a client
 * may send in QUIC is for it (RFC 9001, sections 4.4 and 6). It is an eighth of a connection's memory, and is freed
 * then. What is asked for later is kept: the exporter's secret, which GnuTLS tells nobody but the key log, and names.
 */

#include "quic/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "quic/certificate_set.h"
#include "quic/client_certificate.h"
#include "quic/key_log.h"
#include "quic/memory.h"
#include "quic/packet_keys.h"
#include "quic/server_name.h"
#include "quic/tls_choice.h"
#include "quic/tls_session.h"
#include "wire/quic_params.h"

#define MAX_PARAMS_LEN 512 /* our encoded transport parameters */

struct wt__tls_context {
  gnutls_priority_t priorities;
  struct wt__ticket_key ticket_secret; /* each set's key is derived from it; NULL: no tickets */
  struct wt__client_auth auth;
  struct wt__key_log key_log;
  struct wt__cert_select select;
  unsigned ticket_lifetime_s;
  pthread_mutex_t lock; /* of `set` */
  struct wt__cert_set *set;
};

struct wt__tls *wt__tls_of(gnutls_session_t session) {
  return gnutls_session_get_ptr(session);
}

/* --- Context --- */

int wt__tls_context_new(struct wt__tls_context **context, bool session_tickets) {
  struct wt__tls_context *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  pthread_mutex_init(&made->lock, NULL);
  made->ticket_lifetime_s = WT__TICKET_LIFETIME_S;
  int rc = wt__tls_choice_apply(NULL, true, &made->priorities);
  if (!rc && session_tickets) rc = wt__ticket_key_generate(&made->ticket_secret);
  if (rc) {
    wt__tls_context_free(made);
    return rc == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  *context = made;
  return 0;
}

int wt__tls_context_configure(struct wt__tls_context *context, const struct wt__tls_server_options *options) {
  if (options->ticket_lifetime_s) context->ticket_lifetime_s = options->ticket_lifetime_s;
  context->key_log = options->key_log;
  context->select = (struct wt__cert_select){options->select, options->select_user_data};
  if (context->priorities) gnutls_priority_deinit(context->priorities);
  context->priorities = NULL;
  int rc = wt__tls_choice_apply(&options->choice, true, &context->priorities);
  if (rc) return rc == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  wt__client_auth_free(&context->auth);
  return wt__client_auth_init(&context->auth, options->client_certificates, options->client_ca_file);
}

void wt__tls_context_free(struct wt__tls_context *context) {
  if (!context) return;
  wt__cert_set_unref(context->set);
  wt__client_auth_free(&context->auth);
  pthread_mutex_destroy(&context->lock);
  if (context->priorities) gnutls_priority_deinit(context->priorities);
  wt__ticket_key_free(&context->ticket_secret);
  wt__free(context);
}

int wt__tls_context_set_certificates(struct wt__tls_context *context, wt_certificate *const *certificates,
                                     size_t count) {
  if (!count || !certificates) return WT_ERR_INVALID;
  struct wt__cert_set *set = wt__cert_set_new(certificates, count);
  if (!set) return WT_ERR_NOMEM;
  int rc = wt__cert_set_derive_ticket_key(set, &context->ticket_secret);
  if (!rc) rc = wt__client_auth_trust(&context->auth, set->credentials);
  if (rc) {
    wt__cert_set_unref(set);
    return rc == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  pthread_mutex_lock(&context->lock);
  struct wt__cert_set *old = context->set;
  context->set = set;
  pthread_mutex_unlock(&context->lock);
  wt__cert_set_unref(old);
  return 0;
}

/* A reference to the set of now; NULL: there is none. */
static struct wt__cert_set *context_set(struct wt__tls_context *context) {
  pthread_mutex_lock(&context->lock);
  struct wt__cert_set *set = wt__cert_set_ref(context->set);
  pthread_mutex_unlock(&context->lock);
  return set;
}

/* --- What GnuTLS tells during a handshake --- */

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
  struct wt__packet_keys *keys = wt__tls_of(session)->keys;
  struct wt__secret from = {.hash = keys->hash, .len = len};
  uint8_t bare[WT__PACKET_KEY_MAX];
  gnutls_datum_t key = {bare, (unsigned)keys->key_len};
  gnutls_cipher_hd_t handle;
  if (len > sizeof(from.data) || keys->key_len > sizeof(bare)) return -1;
  memcpy(from.data, secret, len);
  int rc = wt__derive_packet_part(&from, version, WT__PACKET_PART_HP, bare, keys->key_len);
  if (!rc) ctx->native_handle = wt__packet_keys_set_header(keys, sending, bare);
  if (!rc && !ctx->native_handle) {
    rc = gnutls_cipher_init(&handle, session_choose_cipher(session, keys), &key, NULL);
    if (!rc) ctx->native_handle = handle;
  }
  wt__wipe(&from, sizeof(from));
  wt__wipe(bare, sizeof(bare));
  return rc ? -1 : 0;
}

/* As libngtcp2_crypto's, with records of ours in the place of its contexts. 0 or -1. */
static int session_install_1rtt(gnutls_session_t session, bool sending, const void *secret, size_t len) {
  struct wt__tls *tls = wt__tls_of(session);
  struct ngtcp2_conn *conn = tls->conn;
  uint32_t version = ngtcp2_conn_get_negotiated_version(conn);
  struct wt__packet_material material;
  ngtcp2_crypto_cipher_ctx header = {NULL};
  if (!tls->keys || session_choose_cipher(session, tls->keys) == GNUTLS_CIPHER_UNKNOWN ||
      wt__packet_keys_add(tls->keys, version, secret, len, &material))
    return -1;
  const ngtcp2_crypto_aead_ctx ctx = {material.key};
  int rc = session_header_key(session, version, sending, secret, len, &header);
  if (!rc && sending)
    rc = ngtcp2_conn_install_tx_key(conn, secret, len, &ctx, material.iv, sizeof(material.iv), &header);
  if (!rc && !sending)
    rc = ngtcp2_conn_install_rx_key(conn, secret, len, &ctx, material.iv, sizeof(material.iv), &header);
  if (!rc) return 0;
  if (header.native_handle && !wt__packet_keys_header(tls->keys, header.native_handle))
    gnutls_cipher_deinit(header.native_handle);
  wt__packet_key_free(material.key);
  return -1;
}

/* One direction's secret. 0 or -1. */
static int session_install(gnutls_session_t session, ngtcp2_encryption_level level, bool sending, const void *secret,
                           size_t len) {
  struct ngtcp2_conn *conn = wt__tls_of(session)->conn;
  if (level == NGTCP2_ENCRYPTION_LEVEL_1RTT) return session_install_1rtt(session, sending, secret, len);
  return sending ? ngtcp2_crypto_derive_and_install_tx_key(conn, NULL, NULL, NULL, level, secret, len)
                 : ngtcp2_crypto_derive_and_install_rx_key(conn, NULL, NULL, NULL, level, secret, len);
}

/* GNUTLS_ALPN_MANDATORY refuses a peer that names other protocols only, not one that leaves the extension out. So it is
 * looked at again: by a server once the ClientHello is read, by a client once the server is done. */
static bool session_lacks_protocol(gnutls_session_t session, gnutls_record_encryption_level_t level) {
  const struct wt__tls *tls = wt__tls_of(session);
  gnutls_datum_t chosen;
  bool known =
      level == GNUTLS_ENCRYPTION_LEVEL_APPLICATION || (!tls->client && level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE);
  if (!known) return false;
  return gnutls_alpn_get_selected_protocol(session, &chosen) || chosen.size != 2 || memcmp(chosen.data, "h3", 2) != 0;
}

static int session_on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level, const void *rx,
                             const void *tx, size_t len) {
  struct wt__tls *tls = wt__tls_of(session);
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
  struct ngtcp2_conn *conn = wt__tls_of(session)->conn;
  if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC) return 0;
  int rc =
      ngtcp2_conn_submit_crypto_data(conn, ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level), data, len);
  if (!rc) return 0;
  ngtcp2_conn_set_tls_error(conn, rc);
  return -1;
}

static int session_on_alert(gnutls_session_t session, gnutls_record_encryption_level_t level,
                            gnutls_alert_level_t alert_level, gnutls_alert_description_t alert) {
  (void)level;
  (void)alert_level;
  struct wt__tls *tls = wt__tls_of(session);
  if (!tls->client) wt__client_auth_explain(tls, alert);
  if (tls->alert) alert = (gnutls_alert_description_t)tls->alert;
  ngtcp2_conn_set_tls_alert(tls->conn, (uint8_t)alert);
  return 0;
}

static int params_recv(gnutls_session_t session, const uint8_t *data, size_t len) {
  struct ngtcp2_conn *conn = wt__tls_of(session)->conn;
  wt__server_name_hide(wt__tls_of(session), data);
  enum wt__reset_at_param reset_at = wt__quic_params_find_reset_at(data, len);
  wt__tls_of(session)->peer_has_reset_at = reset_at == WT__RESET_AT_PRESENT;
  int rc = reset_at == WT__RESET_AT_MALFORMED ? NGTCP2_ERR_TRANSPORT_PARAM
                                              : ngtcp2_conn_decode_and_set_remote_transport_params(conn, data, len);
  if (!rc) return 0;
  ngtcp2_conn_set_tls_error(conn, rc);
  return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
}

static int params_send(gnutls_session_t session, gnutls_buffer_t extension) {
  uint8_t params[MAX_PARAMS_LEN];
  size_t room = sizeof(params) - WT__RESET_AT_PARAMS_LEN;
  ngtcp2_ssize len = ngtcp2_conn_encode_local_transport_params(wt__tls_of(session)->conn, params, room);
  if (len < 0) return GNUTLS_E_INTERNAL_ERROR;
  len += (ngtcp2_ssize)wt__quic_params_write_reset_at(params + len);
  return gnutls_buffer_append_data(extension, params, (size_t)len);
}

/* --- One connection --- */

int wt__tls_session_configure(struct wt__tls *tls, struct gnutls_priority_st *priorities, void *credentials) {
  gnutls_session_t session = tls->session;
  gnutls_datum_t alpn = {(unsigned char *)(uintptr_t) "h3", 2};
  /* A server reads them in the first of GnuTLS's passes, before the server name (server_name_gnutls.c). */
  gnutls_ext_parse_type_t pass = tls->client ? GNUTLS_EXT_TLS : GNUTLS_EXT_VERSION_NEG;
  gnutls_session_set_ptr(session, tls);
  int rc = gnutls_priority_set(session, priorities);
  if (!rc) rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  if (!rc) rc = gnutls_alpn_set_protocols(session, &alpn, 1, GNUTLS_ALPN_MANDATORY);
  if (rc) return rc;
  gnutls_handshake_set_secret_function(session, session_on_secret);
  gnutls_handshake_set_read_function(session, session_on_read);
  gnutls_alert_set_read_function(session, session_on_alert);
  return gnutls_session_ext_register(session, "QUIC transport parameters", NGTCP2_TLSEXT_QUIC_TRANSPORT_PARAMETERS_V1,
                                     pass, params_recv, params_send, NULL, NULL, NULL,
                                     GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE);
}

int wt__tls_new_server(struct wt__tls **tls, struct wt__tls_context *context, struct ngtcp2_conn *conn) {
  struct wt__cert_set *set = context_set(context);
  if (!set) return WT_ERR_STATE;
  struct wt__tls *made = wt__calloc(1, sizeof(*made));
  if (!made) {
    wt__cert_set_unref(set);
    return WT_ERR_NOMEM;
  }
  const gnutls_datum_t ticket_key = {set->ticket_key.data, set->ticket_key.size};
  made->conn = conn;
  made->set = set;
  made->auth = &context->auth;
  made->log = &context->key_log;
  made->select = &context->select;
  made->ticket_lifetime_s = context->ticket_lifetime_s;
  int rc = gnutls_init(&made->session, GNUTLS_SERVER | GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_AUTO_SEND_TICKET);
  if (rc) {
    made->session = NULL;
    wt__tls_free(made);
    return WT_ERR_NOMEM;
  }
  wt__key_log_watch(made);
  wt__server_name_watch(made);
  wt__client_auth_ask(made);
  gnutls_db_set_cache_expiration(made->session, (int)context->ticket_lifetime_s);
  rc = wt__tls_session_configure(made, context->priorities, made->set->credentials);
  if (!rc && set->ticket_key.data) rc = gnutls_session_ticket_enable_server(made->session, &ticket_key);
  if (rc) {
    wt__tls_free(made);
    return rc == GNUTLS_E_MEMORY_ERROR ? WT_ERR_NOMEM : WT_ERR_TLS;
  }
  ngtcp2_conn_set_tls_native_handle(conn, made->session);
  *tls = made;
  return 0;
}

int wt__tls_server_done(struct wt__tls *tls) {
  int error = wt__client_auth_keep(tls);
  if (error) return error;
  /* A certificate that the application chose may be another one next time, and a ticket leads past it. */
  if (!tls->selected && wt__client_auth_allows_ticket(tls, tls->ticket_lifetime_s))
    (void)gnutls_session_ticket_send(tls->session, 1, 0);
  return 0;
}

/* What needs certificates. */
static void session_free(struct wt__tls *tls) {
  if (tls->session) gnutls_deinit(tls->session);
  wt__cert_set_unref(tls->set);
  wt_certificate_free(tls->selected);
  tls->session = NULL;
  tls->selected = NULL;
  tls->set = NULL;
}

void wt__tls_server_settle(struct wt__tls *tls) {
  if (!tls->session || !tls->exporter.len) return;
  wt__tls_get_info(tls, &tls->info);
  ngtcp2_conn_set_tls_native_handle(tls->conn, NULL);
  session_free(tls);
}

void wt__tls_free(struct wt__tls *tls) {
  if (!tls) return;
  session_free(tls);
  wt__wipe(&tls->exporter, sizeof(tls->exporter));
  wt__memory_item_free(tls->ticket);
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
  return tls->client ? tls->peer_showed && wt__tls_client_verifies(tls->client) : tls->peer && tls->peer->verified;
}

size_t wt__tls_kept(const struct wt__tls *tls) { return tls->peer ? tls->peer->size : 0; }

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
  int rc = gnutls_prf_rfc5705(tls->session, strlen(label), label, context_len, context, out_len, out);
  return rc ? WT_ERR_TLS : 0;
}

/* --- Chance --- */

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
