/* SPDX-License-Identifier: MIT */
/*
 * What arrives at the scripted client: ngtcp2's callbacks, and the table of streams that they fill.
 *
 * Everything is written down with a number from one counter, so that a test can ask what came first.
 * Streams are found by their ordinal in one array for each of the four kinds of id (RFC 9000, section 2.1).
 */
#include "peer_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

/* --- Streams --- */

struct peer_stream *peer_stream(struct peer *peer, int64_t id) {
  if (id < 0) return NULL;
  const struct peer_streams *streams = &peer->streams[id & 3];
  size_t ordinal = (size_t)(id >> 2);
  return ordinal < streams->len ? streams->items[ordinal] : NULL;
}

struct peer_stream *peer_server_stream(struct peer *peer, bool uni, size_t ordinal) {
  return peer_stream(peer, (int64_t)(ordinal * 4 + 1 + (uni ? 2 : 0)));
}

struct peer_stream *peer__stream_add(struct peer *peer, int64_t id) {
  struct peer_stream *stream = peer_stream(peer, id);
  if (stream) return stream;
  struct peer_streams *streams = &peer->streams[id & 3];
  size_t ordinal = (size_t)(id >> 2);
  if (ordinal >= streams->cap) {
    size_t cap = streams->cap ? streams->cap * 2 : 16;
    while (cap <= ordinal) cap *= 2;
    streams->items = realloc(streams->items, cap * sizeof(*streams->items));
    assert_non_null(streams->items);
    memset(streams->items + streams->cap, 0, (cap - streams->cap) * sizeof(*streams->items));
    streams->cap = cap;
  }
  if (ordinal >= streams->len) streams->len = ordinal + 1;
  stream = calloc(1, sizeof(*stream));
  assert_non_null(stream);
  stream->id = id;
  streams->items[ordinal] = stream;
  return stream;
}

void peer__queue_remove(struct peer *peer, struct peer_stream *stream) {
  struct peer_stream *before = NULL, *at = peer->queue;
  while (at && at != stream) {
    before = at;
    at = at->queue_next;
  }
  if (!at) return;
  if (before)
    before->queue_next = stream->queue_next;
  else
    peer->queue = stream->queue_next;
  if (peer->queue_tail == stream) peer->queue_tail = before;
  stream->queue_next = NULL;
  stream->queued = false;
}

void peer__queue_add(struct peer *peer, struct peer_stream *stream) {
  if (stream->queued || stream->tx_dead || stream->tx_blocked) return;
  if (stream->tx_sent == stream->tx_len && (!stream->tx_fin || stream->tx_fin_sent)) return;
  stream->queued = true;
  if (peer->queue)
    peer->queue_tail->queue_next = stream;
  else
    peer->queue = stream;
  peer->queue_tail = stream;
}

void peer__stream_forget(struct peer *peer, struct peer_stream *stream) {
  peer__queue_remove(peer, stream);
  peer->streams[stream->id & 3].items[stream->id >> 2] = NULL;
  free(stream->rx);
  while (stream->tx) {
    struct peer_chunk *next = stream->tx->next;
    free(stream->tx);
    stream->tx = next;
  }
  free(stream);
}

static void stream_keep(struct peer *peer, struct peer_stream *stream, const uint8_t *data, size_t len) {
  stream->rx_total += len;
  if (peer->options.frugal || !len) return;
  if (stream->rx_len + len > stream->rx_cap) {
    stream->rx_cap = (stream->rx_len + len) * 2;
    stream->rx = realloc(stream->rx, stream->rx_cap);
    assert_non_null(stream->rx);
  }
  memcpy(stream->rx + stream->rx_len, data, len);
  stream->rx_len += len;
}

/* --- What ngtcp2 reports --- */

static int on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
                          size_t len, void *user_data, void *stream_data) {
  (void)stream_data;
  struct peer *peer = user_data;
  struct peer_stream *stream = peer__stream_add(peer, id);
  assert_int_equal(offset, stream->rx_total);
  stream_keep(peer, stream, data, len);
  if (flags & NGTCP2_STREAM_DATA_FLAG_FIN) {
    stream->fin = true;
    stream->fin_at = ++peer->sequence;
  }
  if (!peer->options.hold) {
    stream->rx_consumed += len;
    ngtcp2_conn_extend_max_stream_offset(conn, id, len);
    ngtcp2_conn_extend_max_offset(conn, len);
  }
  return 0;
}

static int on_stream_open(ngtcp2_conn *conn, int64_t id, void *user_data) {
  (void)conn;
  peer__stream_add(user_data, id);
  return 0;
}

static int on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code, void *user_data,
                           void *stream_data) {
  (void)flags;
  (void)code;
  (void)stream_data;
  struct peer *peer = user_data;
  struct peer_stream *stream = peer__stream_add(peer, id);
  stream->closed = true;
  stream->closed_at = ++peer->sequence;
  stream->tx_dead = true;
  peer__queue_remove(peer, stream);
  if (id & 1) {
    if (id & 2)
      ngtcp2_conn_extend_max_streams_uni(conn, 1);
    else
      ngtcp2_conn_extend_max_streams_bidi(conn, 1);
  }
  if (peer->options.frugal) peer__stream_forget(peer, stream);
  return 0;
}

static int on_stream_reset(ngtcp2_conn *conn, int64_t id, uint64_t final_size, uint64_t code, void *user_data,
                           void *stream_data) {
  (void)conn;
  (void)final_size;
  (void)stream_data;
  struct peer *peer = user_data;
  struct peer_stream *stream = peer__stream_add(peer, id);
  stream->reset = true;
  stream->reset_code = code;
  stream->reset_at = ++peer->sequence;
  return 0;
}

static int on_stop_sending(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user_data, void *stream_data);

static int on_acked(ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t len, void *user_data, void *stream_data) {
  (void)conn;
  (void)stream_data;
  struct peer_stream *stream = peer_stream(user_data, id);
  if (stream) stream->tx_acked = (size_t)(offset + len);
  return 0;
}

static int on_stream_credit(ngtcp2_conn *conn, int64_t id, uint64_t max_data, void *user_data, void *stream_data) {
  (void)conn;
  (void)max_data;
  (void)stream_data;
  struct peer *peer = user_data;
  struct peer_stream *stream = peer_stream(peer, id);
  if (!stream) return 0;
  stream->tx_blocked = false;
  peer__queue_add(peer, stream);
  return 0;
}

static int on_datagram(ngtcp2_conn *conn, uint32_t flags, const uint8_t *data, size_t len, void *user_data) {
  (void)conn;
  (void)flags;
  struct peer *peer = user_data;
  peer->rx_datagram_count++;
  if (peer->options.frugal) return 0;
  struct peer_datagram *datagram = malloc(sizeof(*datagram) + len);
  assert_non_null(datagram);
  datagram->next = NULL;
  datagram->len = len;
  if (len) memcpy(datagram->data, data, len);
  if (peer->rx_datagrams)
    peer->rx_datagrams_tail->next = datagram;
  else
    peer->rx_datagrams = datagram;
  peer->rx_datagrams_tail = datagram;
  return 0;
}

static int on_handshake_completed(ngtcp2_conn *conn, void *user_data) {
  (void)conn;
  ((struct peer *)user_data)->handshake_done = true;
  return 0;
}

static int on_handshake_confirmed(ngtcp2_conn *conn, void *user_data) {
  (void)conn;
  ((struct peer *)user_data)->handshake_confirmed = true;
  return 0;
}

static int on_stateless_reset(ngtcp2_conn *conn, const ngtcp2_pkt_stateless_reset *reset, void *user_data) {
  (void)conn;
  (void)reset;
  ((struct peer *)user_data)->stateless_reset = true;
  return 0;
}

static int on_retry(ngtcp2_conn *conn, const ngtcp2_pkt_hd *hd, void *user_data) {
  ((struct peer *)user_data)->retry_received = true;
  return ngtcp2_crypto_recv_retry_cb(conn, hd, user_data);
}

static int on_version_negotiation(ngtcp2_conn *conn, const ngtcp2_pkt_hd *hd, const uint32_t *versions, size_t count,
                                  void *user_data) {
  (void)conn;
  (void)hd;
  struct peer *peer = user_data;
  peer->version_negotiated = true;
  for (size_t i = 0; i < count && i < 16; i++) peer->server_versions[peer->server_version_count++] = versions[i];
  return 0;
}

static void on_random(uint8_t *dst, size_t len, const ngtcp2_rand_ctx *ctx) {
  (void)ctx;
  gnutls_rnd(GNUTLS_RND_NONCE, dst, len);
}

static int on_new_connection_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t len, void *user_data) {
  (void)conn;
  (void)user_data;
  cid->datalen = len;
  gnutls_rnd(GNUTLS_RND_NONCE, cid->data, len);
  gnutls_rnd(GNUTLS_RND_NONCE, token, NGTCP2_STATELESS_RESET_TOKENLEN);
  return 0;
}

/* A peer's STOP_SENDING: ngtcp2 answers with RESET_STREAM by itself; there is no callback for its arrival
 * but in the debug log, so it is read from there. */
void peer__on_log(void *user_data, const char *format, ...) {
  struct peer *peer = user_data;
  if (!strstr(format, "STOP_SENDING(")) return;
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  const char *at = strstr(line, " rx ");
  at = at ? strstr(at, "STOP_SENDING(0x05) id=") : NULL;
  if (!at) return;
  char *rest = NULL;
  int64_t id = strtoll(at + strlen("STOP_SENDING(0x05) id="), &rest, 0);
  const char *code = strstr(rest, "app_error_code=");
  const char *hex = code ? strstr(code, "0x") : NULL;
  if (hex) (void)on_stop_sending(peer->conn, id, strtoull(hex, NULL, 16), peer, NULL);
}

static int on_stop_sending(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user_data, void *stream_data) {
  (void)conn;
  (void)stream_data;
  struct peer *peer = user_data;
  struct peer_stream *stream = peer_stream(peer, id);
  if (!stream || stream->stopped) return 0;
  stream->stopped = true;
  stream->stop_code = code;
  stream->stop_at = ++peer->sequence;
  return 0;
}

void peer__callbacks(ngtcp2_callbacks *callbacks) {
  memset(callbacks, 0, sizeof(*callbacks));
  callbacks->client_initial = ngtcp2_crypto_client_initial_cb;
  callbacks->recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  callbacks->hp_mask = ngtcp2_crypto_hp_mask_cb;
  callbacks->update_key = ngtcp2_crypto_update_key_cb;
  callbacks->delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  callbacks->delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  callbacks->get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  callbacks->version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  callbacks->recv_retry = on_retry;
  callbacks->recv_version_negotiation = on_version_negotiation;
  callbacks->rand = on_random;
  callbacks->get_new_connection_id = on_new_connection_id;
  callbacks->handshake_completed = on_handshake_completed;
  callbacks->handshake_confirmed = on_handshake_confirmed;
  callbacks->recv_stateless_reset = on_stateless_reset;
  callbacks->recv_stream_data = on_stream_data;
  callbacks->stream_open = on_stream_open;
  callbacks->stream_close = on_stream_close;
  callbacks->stream_reset = on_stream_reset;
  callbacks->acked_stream_data_offset = on_acked;
  callbacks->extend_max_stream_data = on_stream_credit;
  callbacks->recv_datagram = on_datagram;
  peer__reset_at_callbacks(callbacks);
}
