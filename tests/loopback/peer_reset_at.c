/* SPDX-License-Identifier: MIT */
/*
 * RESET_STREAM_AT for the scripted client, whose ngtcp2 does not know it either.
 *
 * Out: a frame rides in a DATAGRAM frame behind sixteen bytes that nothing else begins with, and takes its
 * place when the packet is encrypted; the rest becomes PADDING. It is sent again when it is lost. Once it is
 * acknowledged the stream is ended with a FIN, if all bytes up to the final size were sent, so that ngtcp2
 * closes it here too.
 *
 * In: the frame is written down while the packet is decrypted, and becomes PING and PADDING. The server ends
 * its stream with a FIN later, which is what closes it here. A peer that is to be deaf to STOP_SENDING has it taken
 * out in the same way: ngtcp2 would answer it with a reset.
 *
 * The walk over frames is written anew: it must not share a fault with the server's.
 */
#include "peer_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#define MARK "loopback\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7"
#define MARK_LEN 16
#define NUMBER_BASE (UINT64_C(1) << 40)
#define AGAIN_AFTER (300 * NET_MS)

struct peer_raw {
  struct peer_raw *next;
  uint64_t number;
  struct peer_reset_at reset;
  bool behind, waiting;
  uint64_t again_at; /* ngtcp2 does not tell of a loss for which it has sent a probe */
  size_t len;
  uint8_t carrier[MARK_LEN + PEER_FRAMES_MAX];
};

/* Callbacks of ngtcp2 for packets have no user data. */
static struct peer *current;

void peer__set_current(struct peer *peer) { current = peer; }

/* --- A walk over frames --- */

/* Moves `*at` over a varint; false: there is none. */
static bool take(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  if (*at >= end) return false;
  int len = 1 << (**at >> 6);
  if (end - *at < len) return false;
  uint64_t sum = **at & 0x3f;
  for (int i = 1; i < len; i++) sum = sum << 8 | (*at)[i];
  *at += len;
  if (value) *value = sum;
  return true;
}

static bool skip_bytes(const uint8_t **at, const uint8_t *end, uint64_t len) {
  if (len > (uint64_t)(end - *at)) return false;
  *at += len;
  return true;
}

static bool skip_sized(const uint8_t **at, const uint8_t *end) {
  uint64_t len;
  return take(at, end, &len) && skip_bytes(at, end, len);
}

static bool skip_ack(const uint8_t **at, const uint8_t *end, uint64_t type) {
  uint64_t ranges;
  if (!take(at, end, NULL) || !take(at, end, NULL) || !take(at, end, &ranges) || !take(at, end, NULL)) return false;
  for (uint64_t i = 0; i < 2 * ranges + (type == 3 ? 3 : 0); i++) {
    if (!take(at, end, NULL)) return false;
  }
  return true;
}

static bool skip_stream(const uint8_t **at, const uint8_t *end, uint64_t type) {
  if (!take(at, end, NULL)) return false;
  if ((type & 4) && !take(at, end, NULL)) return false;
  if (type & 2) return skip_sized(at, end);
  *at = end;
  return true;
}

/* How many varints the simple types have behind the type; -1: not a simple one. */
static int varints_of(uint64_t type) {
  static const signed char counts[0x20] = {0, 0, -1, -1, 3, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                           1, 2, 1,  1,  1, 2, 1,  1,  -1, 1,  -1, -1, -1, -1, 0,  -1};
  return type < 0x20 ? counts[type] : type == 0x24 ? 4 : -1;
}

/* Moves `*at` over one frame. False: it cannot be read. */
static bool skip_frame(const uint8_t **at, const uint8_t *end, uint64_t *type) {
  if (!take(at, end, type)) return false;
  int count = varints_of(*type);
  for (int i = 0; i < count; i++) {
    if (!take(at, end, NULL)) return false;
  }
  if (count >= 0) return true;
  if (*type == 2 || *type == 3) return skip_ack(at, end, *type);
  if (*type >= 8 && *type <= 15) return skip_stream(at, end, *type);
  switch (*type) {
    case 0x06: return take(at, end, NULL) && skip_sized(at, end);
    case 0x07:
    case 0x31: return skip_sized(at, end);
    case 0x18:
      return take(at, end, NULL) && take(at, end, NULL) && *at < end && skip_bytes(at, end, 1 + **at + UINT64_C(16));
    case 0x1a:
    case 0x1b: return skip_bytes(at, end, 8);
    case 0x1c: return take(at, end, NULL) && take(at, end, NULL) && skip_sized(at, end);
    case 0x1d: return take(at, end, NULL) && skip_sized(at, end);
    case 0x30: *at = end; return true;
    default: return false;
  }
}

/* --- Into packets --- */

static size_t put(uint8_t *dst, uint64_t value) {
  for (int i = 0; i < 8; i++) dst[i] = (uint8_t)(value >> (56 - 8 * i));
  dst[0] |= 0xc0;
  return 8;
}

static struct peer_raw *raw_add(struct peer *peer) {
  struct peer_raw *raw = calloc(1, sizeof(*raw)), **end = &peer->raws;
  assert_non_null(raw);
  memcpy(raw->carrier, MARK, MARK_LEN);
  raw->len = MARK_LEN;
  raw->reset.id = -1;
  raw->number = NUMBER_BASE + peer->raw_count++;
  raw->waiting = true;
  while (*end) end = &(*end)->next;
  *end = raw;
  return raw;
}

void peer_queue_frames(struct peer *peer, const void *frames, size_t len) {
  struct peer_raw *raw = raw_add(peer);
  assert_in_range(len, 1, PEER_FRAMES_MAX);
  memcpy(raw->carrier + raw->len, frames, len);
  raw->len += len;
}

void peer_queue_reset_at(struct peer *peer, const struct peer_reset_at *reset, bool behind) {
  struct peer_raw *raw = raw_add(peer);
  raw->carrier[raw->len++] = reset->plain ? 0x04 : 0x24;
  raw->len += put(raw->carrier + raw->len, (uint64_t)reset->id);
  raw->len += put(raw->carrier + raw->len, reset->code);
  raw->len += put(raw->carrier + raw->len, reset->final_size);
  if (!reset->plain) raw->len += put(raw->carrier + raw->len, reset->reliable_size);
  raw->reset = *reset;
  raw->behind = behind;
}

void peer_reset_at(struct peer *peer, int64_t id, uint64_t code, uint64_t final_size, uint64_t reliable_size) {
  struct peer_reset_at reset = {
      .id = id, .code = code, .final_size = final_size, .reliable_size = reliable_size, .plain = false};
  peer_queue_reset_at(peer, &reset, false);
  peer_flush(peer);
}

static struct peer_raw *raw_waiting(struct peer *peer, bool behind) {
  struct peer_raw *raw = peer->raws;
  while (raw && (!raw->waiting || raw->behind != behind)) raw = raw->next;
  return raw;
}

bool peer__has_raw(struct peer *peer, bool behind) { return raw_waiting(peer, behind) != NULL; }

ngtcp2_ssize peer__write_raw(struct peer *peer, bool behind, ngtcp2_path *path, ngtcp2_pkt_info *info, uint8_t *packet,
                             size_t room) {
  struct peer_raw *raw = raw_waiting(peer, behind);
  int accepted = 0;
  ngtcp2_vec vec = {raw->carrier, raw->len};
  ngtcp2_ssize len = ngtcp2_conn_writev_datagram(peer->conn, path, info, packet, room, &accepted,
                                                 NGTCP2_WRITE_DATAGRAM_FLAG_MORE, raw->number, &vec, 1, peer->net->now);
  if (accepted) {
    raw->waiting = false;
    raw->again_at = peer->net->now + AGAIN_AFTER;
  }
  return len;
}

uint64_t peer__raws_expiry(const struct peer *peer) {
  uint64_t expiry = UINT64_MAX;
  for (const struct peer_raw *raw = peer->raws; raw; raw = raw->next) {
    if (!raw->waiting && raw->again_at < expiry) expiry = raw->again_at;
  }
  return expiry;
}

void peer__raws_expire(struct peer *peer) {
  for (struct peer_raw *raw = peer->raws; raw; raw = raw->next) {
    if (raw->again_at <= peer->net->now) raw->waiting = true;
  }
}

static int on_encrypt(uint8_t *dst, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                      const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
                      size_t aad_len) {
  const uint8_t *at = dst, *end = dst + len;
  uint64_t type;
  if (dst != data) memmove(dst, data, len);
  while (!(aad[0] & 0x80) && at < end) {
    const uint8_t *frame = at;
    if (!skip_frame(&at, end, &type)) break;
    if (type != 0x31) continue;
    const uint8_t *payload = frame + 1;
    assert_true(take(&payload, end, NULL));
    size_t payload_len = (size_t)(at - payload);
    if (payload_len <= MARK_LEN || memcmp(payload, MARK, MARK_LEN) != 0) continue;
    uint8_t *to = dst + (frame - dst);
    memmove(to, payload + MARK_LEN, payload_len - MARK_LEN);
    memset(to + payload_len - MARK_LEN, 0, (size_t)(at - frame) - (payload_len - MARK_LEN));
  }
  if (current && current->options.rewrite) current->options.rewrite(current->options.rewrite_ctx, aad[0], dst, len);
  return ngtcp2_crypto_encrypt_cb(dst, aead, ctx, dst, len, nonce, nonce_len, aad, aad_len);
}

static struct peer_raw **raw_find(struct peer *peer, uint64_t number) {
  struct peer_raw **raw = &peer->raws;
  while (*raw && (*raw)->number != number) raw = &(*raw)->next;
  return raw;
}

static int on_acked(ngtcp2_conn *conn, uint64_t number, void *user_data) {
  struct peer *peer = user_data;
  struct peer_raw **at = raw_find(peer, number), *raw = *at;
  (void)conn;
  if (!raw) return 0;
  struct peer_stream *stream = raw->reset.id >= 0 ? peer_stream(peer, raw->reset.id) : NULL;
  if (stream && !stream->closed && stream->tx_len == raw->reset.final_size) {
    stream->tx_fin = true;
    peer__queue_add(peer, stream);
  }
  peer->raws_acked++;
  *at = raw->next;
  free(raw);
  return 0;
}

static int on_lost(ngtcp2_conn *conn, uint64_t number, void *user_data) {
  struct peer_raw *raw = *raw_find(user_data, number);
  (void)conn;
  if (raw) raw->waiting = true;
  return 0;
}

void peer__raws_free(struct peer *peer) {
  while (peer->raws) {
    struct peer_raw *next = peer->raws->next;
    free(peer->raws);
    peer->raws = next;
  }
}

/* --- Out of packets --- */

static void reset_at_seen(struct peer *peer, const uint8_t *frame, const uint8_t *end) {
  uint64_t id, code, final_size, reliable_size;
  frame++;
  if (!take(&frame, end, &id) || !take(&frame, end, &code) || !take(&frame, end, &final_size) ||
      !take(&frame, end, &reliable_size)) {
    fail_msg("RESET_STREAM_AT is cut off");
    return;
  }
  struct peer_stream *stream = peer_stream(peer, (int64_t)id);
  peer->reset_at_frames++;
  if (!stream) stream = peer__stream_add(peer, (int64_t)id);
  if (stream->closed) return;
  if (stream->got_reset_at) {
    assert_int_equal(stream->reset_at_code, code);
    assert_int_equal(stream->reset_at_final_size, final_size);
    assert_int_equal(stream->reset_at_reliable_size, reliable_size);
    return;
  }
  stream->got_reset_at = true;
  stream->reset_at_code = code;
  stream->reset_at_final_size = final_size;
  stream->reset_at_reliable_size = reliable_size;
  peer->reset_at_streams++;
}

static int on_decrypt(uint8_t *dst, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                      const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
                      size_t aad_len) {
  int error = ngtcp2_crypto_decrypt_cb(dst, aead, ctx, data, len, nonce, nonce_len, aad, aad_len);
  if (error || (aad[0] & 0x80) || !current) return error;
  const uint8_t *at = dst, *end = dst + (len - aead->max_overhead);
  uint64_t type;
  while (at < end) {
    const uint8_t *frame = at;
    if (!skip_frame(&at, end, &type)) break;
    bool deaf = type == 0x05 && current->options.deaf_to_stops;
    if (type == 0x24) reset_at_seen(current, frame, at);
    if (deaf) current->stops_unheard++;
    if (type != 0x24 && !deaf && (!current->deaf || type <= 0x03 || type == 0x1c || type == 0x1d)) continue;
    dst[frame - dst] = 0x01;
    memset(dst + (frame - dst) + 1, 0, (size_t)(at - frame) - 1);
  }
  return 0;
}

void peer__reset_at_callbacks(ngtcp2_callbacks *callbacks) {
  callbacks->encrypt = on_encrypt;
  callbacks->decrypt = on_decrypt;
  callbacks->ack_datagram = on_acked;
  callbacks->lost_datagram = on_lost;
}

/* --- Announcing --- */

static struct peer *peer_of(gnutls_session_t session) {
  return ((ngtcp2_crypto_conn_ref *)gnutls_session_get_ptr(session))->user_data;
}

static int on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level, const void *rx, const void *tx,
                     size_t len) {
  ngtcp2_conn *conn = peer_of(session)->conn;
  ngtcp2_encryption_level to = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level);
  if (rx && ngtcp2_crypto_derive_and_install_rx_key(conn, NULL, NULL, NULL, to, rx, len)) return -1;
  if (tx && ngtcp2_crypto_derive_and_install_tx_key(conn, NULL, NULL, NULL, to, tx, len)) return -1;
  return 0;
}

static int on_handshake_bytes(gnutls_session_t session, gnutls_record_encryption_level_t level,
                              gnutls_handshake_description_t type, const void *data, size_t len) {
  if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC) return 0;
  ngtcp2_encryption_level to = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level);
  return ngtcp2_conn_submit_crypto_data(peer_of(session)->conn, to, data, len) ? -1 : 0;
}

static int on_alert(gnutls_session_t session, gnutls_record_encryption_level_t level, gnutls_alert_level_t alert_level,
                    gnutls_alert_description_t alert) {
  (void)level;
  (void)alert_level;
  ngtcp2_conn_set_tls_alert(peer_of(session)->conn, (uint8_t)alert);
  return 0;
}

/* The server's parameters. */
static int on_params(gnutls_session_t session, const unsigned char *data, size_t len) {
  struct peer *peer = peer_of(session);
  const uint8_t *at = data, *end = data + len;
  uint64_t number, value_len;
  while (at < end && take(&at, end, &number) && take(&at, end, &value_len) && skip_bytes(&at, end, value_len)) {
    if (number == 0x1d && value_len == 0) peer->server_reset_at |= PEER_RESET_AT;
    if (number == UINT64_C(0x17f7586d2cb571) && value_len == 0) peer->server_reset_at |= PEER_RESET_AT_DRAFT;
  }
  return ngtcp2_conn_decode_and_set_remote_transport_params(peer->conn, data, len) ? -1 : 0;
}

static int on_own_params(gnutls_session_t session, gnutls_buffer_t buffer) {
  static const uint8_t plain[] = {0x1d, 0x00}, draft[] = {0xc0, 0x17, 0xf7, 0x58, 0x6d, 0x2c, 0xb5, 0x71, 0x00};
  static const uint8_t filled[] = {0x1d, 0x01, 0x00};
  uint8_t params[600];
  struct peer *peer = peer_of(session);
  unsigned announce = peer->options.reset_at;
  ngtcp2_ssize len = ngtcp2_conn_encode_local_transport_params(peer->conn, params, sizeof(params));
  if (len < 0 || gnutls_buffer_append_data(buffer, params, (size_t)len)) return -1;
  if ((announce & PEER_RESET_AT) && gnutls_buffer_append_data(buffer, plain, sizeof(plain))) return -1;
  if ((announce & PEER_RESET_AT_DRAFT) && gnutls_buffer_append_data(buffer, draft, sizeof(draft))) return -1;
  if ((announce & PEER_RESET_AT_FILLED) && gnutls_buffer_append_data(buffer, filled, sizeof(filled))) return -1;
  return 0;
}

int peer__configure_tls(void *tls) {
  gnutls_session_t session = tls;
  gnutls_handshake_set_secret_function(session, on_secret);
  gnutls_handshake_set_read_function(session, on_handshake_bytes);
  gnutls_alert_set_read_function(session, on_alert);
  return gnutls_session_ext_register(session, "QUIC transport parameters", NGTCP2_TLSEXT_QUIC_TRANSPORT_PARAMETERS_V1,
                                     GNUTLS_EXT_TLS, on_params, on_own_params, NULL, NULL, NULL,
                                     GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE);
}
