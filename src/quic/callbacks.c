/* SPDX-License-Identifier: MIT */

/*
 * What ngtcp2 reports while it reads or writes a packet, passed on to h3.
 *
 * An application may decide in any of these that the connection is to end. The note that it leaves
 * (`close_wanted`) makes the callback fail, which stops ngtcp2 in its tracks; recv.c or run.c then closes with the
 * noted code instead of ngtcp2's error.
 *
 * One thing ngtcp2 keeps for itself: the peer's STOP_SENDING and its code. It answers with a RESET_STREAM
 * and tells nobody, and `stream_stop_sending`, in spite of its name, is about our own. So decryption goes
 * through a function of ours, which looks through the frames of each opened 1-RTT packet and notes them
 * (stops.c). Decryption has no user data: the connection that is being read or written is kept in a
 * thread-local variable (current.c).
 *
 * Another is the end of a stream that was stopped here: nobody hears of its FIN, but session flow control needs
 * the final size. That, too, is read from the frames.
 *
 * The same functions are where RESET_STREAM_AT comes in and goes out: see reset_at_recv.c, reset_at_send.c.
 */

#include "quic/callbacks.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#include "base/usdt.h"
#include "h3/client.h"
#include "h3/conn.h"
#include "quic/cid.h"
#include "quic/cid_issue.h"
#include "quic/client.h"
#include "quic/conn.h"
#include "quic/crypto_in.h"
#include "quic/current.h"
#include "quic/endpoint.h"
#include "quic/endpoint_keys.h"
#include "quic/idle.h"
#include "quic/packet_keys.h"
#include "quic/path_watch.h"
#include "quic/qlog.h"
#include "quic/rebinding.h"
#include "quic/reset_at.h"
#include "quic/seal.h"
#include "quic/shared.h"
#include "quic/stops.h"
#include "quic/tls.h"
#include "quic/token.h"
#include "quic/wake.h"
#include "wire/error_code.h"
#include "wire/quic_frame.h"

#define ALERT_UNEXPECTED_MESSAGE 10 /* RFC 8446, section 6 */

static int conn_result(const struct wt__conn *conn) { return conn->close_wanted ? NGTCP2_ERR_CALLBACK_FAILURE : 0; }

/* --- Streams and datagrams --- */

static int on_stream_data(ngtcp2_conn *quic, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
                          size_t len, void *user_data, void *stream_user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)stream_user_data;
  bool fin = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
  wt__path_watch_data_received(conn, !fin);
  uint64_t code = 0, final_size = 0;
  wt__reset_at_recv_data(conn, id, offset, len);
  bool reset = fin && wt__reset_at_recv_fin(conn, id, &code, &final_size);
  if (conn->h3) wt__h3_conn_recv(conn->h3, id, data, len, fin && !reset, conn->endpoint->now);
  if (conn->h3 && reset) {
    wt__h3_conn_recv_promise(conn->h3, id, final_size); /* with the FIN there is all of it */
    wt__h3_conn_recv_reset(conn->h3, id, code, final_size);
  }
  return conn_result(conn);
}

static int on_stream_open(ngtcp2_conn *quic, int64_t id, void *user_data) {
  (void)quic;
  return wt__reset_at_recv_opened(user_data, id) ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

void wt__conn_deliver_acked(struct wt__conn *conn) {
  int64_t id = conn->acked_id;
  conn->acked_id = -1;
  if (id >= 0 && conn->h3) wt__h3_conn_acked(conn->h3, id, conn->acked, conn->endpoint->now);
}

/* Comes for each packet that was acknowledged, of which there are many to a packet that arrives. */
static int on_acked(ngtcp2_conn *quic, int64_t id, uint64_t offset, uint64_t len, void *user_data,
                    void *stream_user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)stream_user_data;
  if (conn->acked_id != id) wt__conn_deliver_acked(conn);
  conn->acked_id = id;
  conn->acked = offset + len;
  return conn_result(conn);
}

static int on_stream_reset(ngtcp2_conn *quic, int64_t id, uint64_t final_size, uint64_t code, void *user_data,
                           void *stream_user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)stream_user_data;
  uint64_t reliable_size = wt__reset_at_recv_reset(conn, id, code, final_size);
  if (conn->h3 && reliable_size) wt__h3_conn_recv_promise(conn->h3, id, reliable_size);
  if (conn->h3) wt__h3_conn_recv_reset(conn->h3, id, code, final_size);
  return conn_result(conn);
}

/* The peer may open another stream in place of the closed one. */
static int on_stream_close(ngtcp2_conn *quic, uint32_t flags, int64_t id, uint64_t code, void *user_data,
                           void *stream_user_data) {
  struct wt__conn *conn = user_data;
  (void)stream_user_data;
  wt__conn_deliver_acked(conn);
  wt__reset_at_recv_tell_finals(conn);
  if (conn->h3) {
    bool has_code = (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) != 0;
    wt__h3_conn_stream_closed(conn->h3, id, has_code, code);
  }
  wt__reset_at_recv_closed(conn, id);
  wt__reset_at_send_closed(conn, id);
  conn->ack_wait.urgent = true;
  if (!ngtcp2_conn_is_local_stream(quic, id)) {
    if (id & 2) {
      ngtcp2_conn_extend_max_streams_uni(quic, 1);
    } else {
      ngtcp2_conn_extend_max_streams_bidi(quic, 1);
    }
  }
  return conn_result(conn);
}

static int on_max_stream_data(ngtcp2_conn *quic, int64_t id, uint64_t max, void *user_data, void *stream_user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)max;
  (void)stream_user_data;
  if (conn->h3) wt__h3_conn_unblocked(conn->h3, id);
  return conn_result(conn);
}

static int on_local_bidi(ngtcp2_conn *quic, uint64_t max, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)max;
  if (conn->h3) wt__h3_conn_streams_allowed(conn->h3, false);
  return conn_result(conn);
}

static int on_local_uni(ngtcp2_conn *quic, uint64_t max, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)max;
  if (conn->h3) wt__h3_conn_streams_allowed(conn->h3, true);
  return conn_result(conn);
}

static int on_remote_bidi(ngtcp2_conn *quic, uint64_t max, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  if (conn->h3) wt__h3_conn_max_remote_bidi(conn->h3, max);
  return conn_result(conn);
}

static int on_datagram(ngtcp2_conn *quic, uint32_t flags, const uint8_t *data, size_t len, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)flags;
  wt__path_watch_data_received(conn, true);
  if (conn->h3) wt__h3_conn_recv_datagram(conn->h3, data, len, conn->endpoint->now);
  return conn_result(conn);
}

static int on_datagram_acked(ngtcp2_conn *quic, uint64_t number, void *user_data) {
  (void)quic;
  if (number & WT__MTU_PROBE_NUMBER) wt__path_watch_probe_arrived(user_data, number);
  wt__reset_at_send_acked(user_data, number);
  wt__conn_acked_cid_carrier(user_data, number);
  return 0;
}

static int on_datagram_lost(ngtcp2_conn *quic, uint64_t number, void *user_data) {
  (void)quic;
  wt__reset_at_send_lost(user_data, number);
  wt__conn_lost_cid_carrier(user_data, number);
  return 0;
}

/* --- Handshake and paths --- */

static int client_start(struct wt__conn *conn) {
  const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn->quic);
  wt__h3_conn_start(conn->h3, params ? params->max_datagram_frame_size : 0);
  return conn->close_wanted ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_tx_key(ngtcp2_conn *quic, ngtcp2_encryption_level level, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  if (level != NGTCP2_ENCRYPTION_LEVEL_1RTT) return 0;
  conn->can_start = true;
  if (!conn->client) wt__conn_learn_cid_limit(conn);
  return 0;
}

/* The handshake validates the client's address, if no token did: the connection counts as an established one of that
 * address. Several handshakes at once can lead past the bound that `wt__endpoint_admit` looks at, so it is looked at
 * again. */
static void conn_count_peer(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  wt__conn_leave_half_open(conn);
  conn->counted =
      wt__shared_peer_establish(endpoint->shared, conn->peer_key, endpoint->config.max_connections_per_address);
  if (!conn->counted) {
    endpoint->stats.connections_refused++;
    wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_EXCESSIVE_LOAD, "too many connections from one address");
  }
}

/* A client's first bytes of HTTP/3 may come in the same datagram as the end of the handshake, so it begins
 * before ngtcp2 goes on to read them. */
static int on_rx_key(ngtcp2_conn *quic, ngtcp2_encryption_level level, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  return conn->client && level == NGTCP2_ENCRYPTION_LEVEL_1RTT ? client_start(conn) : 0;
}

/* A token for the client's next connection from `remote`. Without one that merely takes longer. */
static int conn_submit_token(struct wt__conn *conn, const ngtcp2_addr *remote) {
  uint8_t token[WT__TOKEN_MAX_LEN];
  struct wt__token_address client = {remote->addr, remote->addrlen};
  size_t len = wt__endpoint_make_token(conn->endpoint, client, token);
  if (!len) return 0;
  return ngtcp2_conn_submit_new_token(conn->quic, token, len) ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static void conn_measure_handshake(const struct wt__conn *conn) {
  struct wt__measures *measures = conn->endpoint->config.h3.mux.measures;
  if (measures) wt__histogram_record(&measures->handshake, conn->handshake_done_at - conn->born_at);
}

static int on_handshake_completed(ngtcp2_conn *quic, void *user_data) {
  struct wt__conn *conn = user_data;
  conn->handshake_done = true;
  wt__conn_learn_idle(conn);
  conn->handshake_done_at = conn->endpoint->now;
  wt__conn_qlog_handshake_done(conn);
  WT__USDT(handshake_done, (const char *)conn->name, conn->h3, conn->handshake_done_at - conn->born_at);
  conn->endpoint->stats.handshakes_open--;
  if (conn->client) {
    if (conn->h3) wt__h3_conn_connected(conn->h3);
    return conn_result(conn);
  }
  wt__shared_handshake_done(conn->endpoint->shared);
  conn_measure_handshake(conn);
  conn_count_peer(conn);
  if (wt__tls_server_handshake_done(conn->tls)) return NGTCP2_ERR_NOMEM;
  return conn_submit_token(conn, &ngtcp2_conn_get_path(quic)->remote);
}

static int on_new_token(ngtcp2_conn *quic, const uint8_t *token, size_t len, void *user_data) {
  (void)quic;
  wt__conn_client_keep_token(user_data, token, len);
  return 0;
}

static int on_path_validation(ngtcp2_conn *quic, uint32_t flags, const ngtcp2_path *path, const ngtcp2_path *old_path,
                              ngtcp2_path_validation_result result, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)path;
  (void)old_path;
  if (result != NGTCP2_PATH_VALIDATION_RESULT_ABORTED) wt__rebinding_judged(conn);
  wt__conn_qlog_path_validated(conn, result);
  if (result != NGTCP2_PATH_VALIDATION_RESULT_SUCCESS || !(flags & NGTCP2_PATH_VALIDATION_FLAG_NEW_TOKEN)) return 0;
  return conn_submit_token(conn, &ngtcp2_conn_get_path(quic)->remote);
}

static int on_new_connection_id(ngtcp2_conn *quic, ngtcp2_cid *cid, uint8_t *token, size_t len, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  if (len != conn->endpoint->cid_len || wt__conn_issue_cid(conn, cid, token)) return NGTCP2_ERR_CALLBACK_FAILURE;
  return 0;
}

static int on_remove_connection_id(ngtcp2_conn *quic, const ngtcp2_cid *cid, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  wt__cid_map_remove(&conn->endpoint->cids, cid->data, cid->datalen, &conn->cids);
  return 0;
}

/* --- Crypto --- */

static void on_random(uint8_t *dst, size_t len, const ngtcp2_rand_ctx *ctx) {
  (void)ctx;
  if (wt__tls_random(dst, len)) memset(dst, 0, len); /* used for grease and jitter, not for secrets */
}

static uint64_t crypto_ahead(const struct wt__conn *conn) {
  return conn->client ? WT__CRYPTO_AHEAD_CLIENT : WT__CRYPTO_AHEAD_SERVER;
}

static enum wt__frame_fate conn_judge(void *ctx, const struct wt__quic_frame *frame) {
  struct wt__conn *conn = ctx;
  int64_t id = (int64_t)frame->id;
  if ((frame->type & ~UINT64_C(7)) == WT__FRAME_STREAM) {
    wt__reset_at_recv_seen_fin(conn, id, frame->offset + frame->data_len);
    return wt__reset_at_recv_fin_is_late(conn, frame) ? WT__FRAME_AS_PING : WT__FRAME_KEEP;
  }
  if (frame->type == WT__FRAME_CRYPTO) {
    wt__crypto_in_frame(&conn->crypto_in, WT__CRYPTO_LEVEL_1RTT, frame->offset, frame->data_len, crypto_ahead(conn));
    return WT__FRAME_KEEP;
  }
  if ((frame->type & ~UINT64_C(1)) == WT__FRAME_ACK) {
    wt__path_watch_acked(conn, frame);
    wt__ack_wait_acked(conn, frame);
    return WT__FRAME_KEEP;
  }
  if (frame->type == WT__FRAME_RETIRE_CONNECTION_ID) {
    wt__conn_retired_cid(conn, frame->sequence);
    return WT__FRAME_KEEP;
  }
  if (frame->type == WT__FRAME_PATH_CHALLENGE) {
    conn->challenged = conn->client;
    return WT__FRAME_KEEP;
  }
  if (frame->type != WT__FRAME_STOP_SENDING) return wt__reset_at_recv_judge(conn, frame);
  if (wt__reset_at_send_has(conn, id)) return WT__FRAME_AS_PING; /* it is being reset, with another code */
  wt__stops_add(conn, id, frame->code);
  return WT__FRAME_KEEP;
}

/* The handshake of a server's connection is over: a client has nothing more to tell TLS in QUIC (RFC 9001,
 * section 6). */
static int on_crypto(ngtcp2_conn *quic, ngtcp2_encryption_level level, uint64_t offset, const uint8_t *data, size_t len,
                     void *user_data) {
  if (ngtcp2_conn_get_tls_native_handle(quic)) {
    struct wt__conn *conn = user_data;
    conn->blocks.reading = false; /* what it allocates is for our own messages */
    int error = ngtcp2_crypto_recv_crypto_data_cb(quic, level, offset, data, len, user_data);
    conn->blocks.reading = true;
    return error;
  }
  ngtcp2_conn_set_tls_alert(quic, ALERT_UNEXPECTED_MESSAGE);
  return NGTCP2_ERR_CRYPTO;
}

/* The next secret and key of one direction. 0 or NGTCP2_ERR_CALLBACK_FAILURE. */
static int conn_next_key(struct wt__conn *conn, const uint8_t *now, size_t len, uint8_t *secret,
                         ngtcp2_crypto_aead_ctx *ctx, uint8_t *iv) {
  uint32_t version = ngtcp2_conn_get_negotiated_version(conn->quic);
  struct wt__packet_material material;
  if (wt__packet_keys_next(&conn->keys, version, now, len, secret, &material)) return NGTCP2_ERR_CALLBACK_FAILURE;
  ctx->native_handle = material.key;
  memcpy(iv, material.iv, sizeof(material.iv));
  return 0;
}

static int on_update_key(ngtcp2_conn *quic, uint8_t *rx_secret, uint8_t *tx_secret, ngtcp2_crypto_aead_ctx *rx_ctx,
                         uint8_t *rx_iv, ngtcp2_crypto_aead_ctx *tx_ctx, uint8_t *tx_iv, const uint8_t *rx_now,
                         const uint8_t *tx_now, size_t secret_len, void *user_data) {
  (void)quic;
  int error = conn_next_key(user_data, rx_now, secret_len, rx_secret, rx_ctx, rx_iv);
  if (!error) error = conn_next_key(user_data, tx_now, secret_len, tx_secret, tx_ctx, tx_iv);
  return error; /* what was made before a failure is freed with the connection */
}

static void on_delete_key(ngtcp2_conn *quic, ngtcp2_crypto_aead_ctx *ctx, void *user_data) {
  struct wt__conn *conn = user_data;
  struct wt__packet_key *key = wt__packet_keys_find(&conn->keys, ctx->native_handle);
  if (key) {
    wt__packet_key_free(key);
  } else {
    ngtcp2_crypto_delete_crypto_aead_ctx_cb(quic, ctx, user_data);
  }
}

static void on_delete_header_key(ngtcp2_conn *quic, ngtcp2_crypto_cipher_ctx *ctx, void *user_data) {
  const struct wt__conn *conn = user_data;
  if (!wt__packet_keys_header(&conn->keys, ctx->native_handle))
    ngtcp2_crypto_delete_crypto_cipher_ctx_cb(quic, ctx, user_data);
}

/* Handles of 1-RTT packets are records of ours, so the next three must know the connection; ngtcp2 is never called to
 * read or write without. */

static int on_decrypt(uint8_t *dst, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                      const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
                      size_t aad_len) {
  struct wt__conn *conn = wt__conn_current;
  if (!conn) return NGTCP2_ERR_CALLBACK_FAILURE;
  if (conn->reset_in.injecting) { /* our own, in the clear */
    if (len < aead->max_overhead) return -1;
    memcpy(dst, data, len - aead->max_overhead);
    return 0;
  }
  struct wt__packet_key *key = wt__packet_keys_find(&conn->keys, ctx->native_handle);
  if (!key) {
    int error = ngtcp2_crypto_decrypt_cb(dst, aead, ctx, data, len, nonce, nonce_len, aad, aad_len);
    if (error) return error;
    conn->handshake_path.opened = true;
    conn->ack_wait.frames |= WT__FRAMES_OTHER;
    wt__crypto_in_packet(&conn->crypto_in, aad, aad_len, dst, len - aead->max_overhead, crypto_ahead(conn));
    return 0;
  }
  if (nonce_len != WT__PACKET_IV_LEN || len < aead->max_overhead) return NGTCP2_ERR_DECRYPT;
  int error = wt__packet_key_decrypt(key, dst, aead, data, len, nonce, aad, aad_len);
  if (error) return error;
  wt__reset_at_recv_packet(conn, aad, aad_len);
  conn->ack_wait.frames |= wt__quic_frames_rewrite(dst, len - aead->max_overhead, conn_judge, conn);
  return 0;
}

static void count_purpose(struct wt__endpoint *endpoint, const uint8_t *payload, size_t len) {
  switch (wt__quic_packet_purpose(payload, len)) {
    case WT__PACKET_FOR_ACK: endpoint->stats.acks_sent++; break;
    case WT__PACKET_FOR_PROBE: endpoint->stats.probes_sent++; break;
    case WT__PACKET_FOR_DATA: break;
  }
}

static int on_encrypt(uint8_t *dst, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                      const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
                      size_t aad_len) {
  struct wt__conn *conn = wt__conn_current;
  if (!conn) return NGTCP2_ERR_CALLBACK_FAILURE;
  struct wt__packet_key *key = wt__packet_keys_find(&conn->keys, ctx->native_handle);
  if (!key) return ngtcp2_crypto_encrypt_cb(dst, aead, ctx, data, len, nonce, nonce_len, aad, aad_len);
  if (nonce_len != WT__PACKET_IV_LEN) return NGTCP2_ERR_CALLBACK_FAILURE;
  if (dst != data) memmove(dst, data, len);                                /* ngtcp2 encrypts in place, so far */
  if (conn->cid_issue.retire_prior_to) wt__conn_mark_cids(conn, dst, len); /* before carriers are unwrapped */
  wt__reset_at_send_encrypt(conn, dst, len);
  count_purpose(conn->endpoint, dst, len);
  wt__path_watch_sent(conn, aad, aad_len, aad_len + len + aead->max_overhead);
  return wt__packet_key_encrypt(key, dst, aead, dst, len, nonce, aad, aad_len);
}

static int on_hp_mask(uint8_t *dst, const ngtcp2_crypto_cipher *hp, const ngtcp2_crypto_cipher_ctx *ctx,
                      const uint8_t *sample) {
  struct wt__conn *conn = wt__conn_current;
  if (!conn) return NGTCP2_ERR_CALLBACK_FAILURE;
  if (conn->reset_in.injecting) {
    memset(dst, 0, NGTCP2_HP_MASKLEN);
    return 0;
  }
  const struct wt__mask *mask = wt__packet_keys_header(&conn->keys, ctx->native_handle);
  if (!mask) return ngtcp2_crypto_hp_mask_cb(dst, hp, ctx, sample);
  wt__mask_make(mask, dst, sample);
  return 0;
}

static int on_stateless_reset(ngtcp2_conn *quic, const ngtcp2_pkt_stateless_reset *reset, void *user_data) {
  struct wt__conn *conn = user_data;
  (void)quic;
  (void)reset;
  conn->stateless_reset = true;
  return 0;
}

void wt__conn_set_callbacks(ngtcp2_callbacks *callbacks) {
  *callbacks = (ngtcp2_callbacks){
      .client_initial = ngtcp2_crypto_client_initial_cb,
      .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
      .recv_retry = ngtcp2_crypto_recv_retry_cb,
      .recv_crypto_data = on_crypto,
      .encrypt = on_encrypt,
      .decrypt = on_decrypt,
      .hp_mask = on_hp_mask,
      .update_key = on_update_key,
      .delete_crypto_aead_ctx = on_delete_key,
      .delete_crypto_cipher_ctx = on_delete_header_key,
      .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
      .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
      .rand = on_random,
      .get_new_connection_id = on_new_connection_id,
      .remove_connection_id = on_remove_connection_id,
      .recv_rx_key = on_rx_key,
      .recv_tx_key = on_tx_key,
      .handshake_completed = on_handshake_completed,
      .recv_new_token = on_new_token,
      .recv_stateless_reset = on_stateless_reset,
      .path_validation = on_path_validation,
      .recv_stream_data = on_stream_data,
      .acked_stream_data_offset = on_acked,
      .stream_open = on_stream_open,
      .stream_reset = on_stream_reset,
      .stream_close = on_stream_close,
      .extend_max_stream_data = on_max_stream_data,
      .extend_max_local_streams_bidi = on_local_bidi,
      .extend_max_local_streams_uni = on_local_uni,
      .extend_max_remote_streams_bidi = on_remote_bidi,
      .recv_datagram = on_datagram,
      .ack_datagram = on_datagram_acked,
      .lost_datagram = on_datagram_lost,
  };
}
