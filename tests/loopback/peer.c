/* SPDX-License-Identifier: MIT */
/*
 * The scripted client: ngtcp2 and GnuTLS, and nothing above them.
 *
 * What a test sends is kept whole, per stream, until the stream closes: ngtcp2 reads it from there
 * again when a packet is lost. What arrives is kept too, with the order of events. Windows open as bytes
 * arrive, unless the test wants to hold the server back.
 *
 * It must not share code with the server under test, or both could be wrong together.
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
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#define PEER_PACKET_MAX 1452
#define PEER_CID_LEN 8

const uint64_t peer_settings_draft15[] = {0x33, 1, 0x2c7cf000, 1};
const size_t peer_settings_draft15_count = 2;
/* 0x1f * 7 + 0x21 is a GREASE setting. */
const uint64_t peer_settings_chromium[] = {0x01, 0,        0x06, 16384,      0x07, 0,    0x33,
                                           1,    0xffd277, 1,    0x2b603742, 1,    0xfa, 77};
const size_t peer_settings_chromium_count = 7;

void peer_options_default(struct peer_options *options) {
  memset(options, 0, sizeof(*options));
  options->server_name = "localhost";
  options->alpn = "h3";
  options->send_settings = true;
  options->settings = peer_settings_chromium;
  options->settings_count = peer_settings_chromium_count;
  options->max_datagram_frame_size = 65535;
  options->max_streams_bidi = options->max_streams_uni = 100;
  options->max_data = 16 << 20;
  options->max_stream_data = 1 << 20;
  options->idle_timeout_ms = 30000;
  options->version = NGTCP2_PROTO_VER_V1;
  options->address = 1;
  options->active_connection_id_limit = 7;
}

/* --- The connection's life --- */

static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *ref) { return ((struct peer *)ref->user_data)->conn; }

static int extension_recv(gnutls_session_t session, const unsigned char *data, size_t len) {
  (void)session;
  (void)data;
  (void)len;
  return 0;
}

static int extension_send(gnutls_session_t session, gnutls_buffer_t buffer) {
  static const uint8_t zeros[4096];
  ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(session);
  size_t len = ((struct peer *)ref->user_data)->options.hello_padding;
  return gnutls_buffer_append_data(buffer, zeros, len < sizeof(zeros) ? len : sizeof(zeros)) ? -1 : (int)len;
}

static gnutls_certificate_credentials_t credentials(void) {
  static gnutls_certificate_credentials_t shared;
  if (!shared) assert_int_equal(gnutls_certificate_allocate_credentials(&shared), 0);
  return shared;
}

static void tls_new(struct peer *peer) {
  static const char priority[] = "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
                                 "+AES-256-GCM:+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1";
  gnutls_session_t session;
  assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT), 0);
  peer->tls = session;
  assert_int_equal(peer__configure_tls(session), 0);
  assert_int_equal(gnutls_priority_set_direct(session, priority, NULL), 0);
  peer->conn_ref.get_conn = conn_of;
  peer->conn_ref.user_data = peer;
  gnutls_session_set_ptr(session, &peer->conn_ref);
  assert_int_equal(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials()), 0);
  if (peer->options.alpn) {
    gnutls_datum_t alpn = {(unsigned char *)(uintptr_t)peer->options.alpn, (unsigned)strlen(peer->options.alpn)};
    assert_int_equal(gnutls_alpn_set_protocols(session, &alpn, 1, 0), 0);
  }
  const char *name = peer->options.server_name;
  if (name) gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name));
  if (peer->options.hello_padding) {
    assert_int_equal(gnutls_session_ext_register(session, "padding of a test", 0xff77, GNUTLS_EXT_TLS, extension_recv,
                                                 extension_send, NULL, NULL, NULL,
                                                 GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO),
                     0);
  }
}

static ngtcp2_path path_of(struct peer *peer) {
  ngtcp2_path path;
  memset(&path, 0, sizeof(path));
  path.local.addr = (ngtcp2_sockaddr *)&peer->node.address;
  path.local.addrlen = sizeof(peer->node.address);
  path.remote.addr = (ngtcp2_sockaddr *)&peer->server;
  path.remote.addrlen = sizeof(peer->server);
  return path;
}

static void conn_new(struct peer *peer) {
  const struct peer_options *options = &peer->options;
  ngtcp2_callbacks callbacks;
  peer__callbacks(&callbacks);
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = peer->net->now;
  settings.log_printf = peer__on_log;
  settings.handshake_timeout = UINT64_MAX;
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  params.initial_max_streams_bidi = options->max_streams_bidi;
  params.initial_max_streams_uni = options->max_streams_uni;
  params.initial_max_data = options->max_data;
  params.initial_max_stream_data_bidi_local = options->max_stream_data;
  params.initial_max_stream_data_bidi_remote = options->max_stream_data;
  params.initial_max_stream_data_uni = options->max_stream_data;
  params.max_idle_timeout = options->idle_timeout_ms * NGTCP2_MILLISECONDS;
  params.max_datagram_frame_size = options->max_datagram_frame_size;
  params.active_connection_id_limit = options->active_connection_id_limit;
  ngtcp2_cid scid, dcid;
  scid.datalen = dcid.datalen = PEER_CID_LEN;
  gnutls_rnd(GNUTLS_RND_NONCE, scid.data, PEER_CID_LEN);
  gnutls_rnd(GNUTLS_RND_NONCE, dcid.data, PEER_CID_LEN);
  ngtcp2_path path = path_of(peer);
  assert_int_equal(ngtcp2_conn_client_new(&peer->conn, &dcid, &scid, &path, options->version, &callbacks, &settings,
                                          &params, NULL, peer),
                   0);
  tls_new(peer);
  ngtcp2_conn_set_tls_native_handle(peer->conn, peer->tls);
}

static void peer_end(struct peer *peer, int error) {
  if (peer->ended) return;
  peer->ended = true;
  peer->end_error = error;
  const ngtcp2_ccerr *ccerr = ngtcp2_conn_get_ccerr(peer->conn);
  if (error != NGTCP2_ERR_DRAINING) return;
  peer->close_received = !peer->stateless_reset;
  peer->close_is_app = ccerr->type == NGTCP2_CCERR_TYPE_APPLICATION;
  peer->close_code = ccerr->error_code;
  size_t len = ccerr->reasonlen < sizeof(peer->close_reason) - 1 ? ccerr->reasonlen : sizeof(peer->close_reason) - 1;
  if (len) memcpy(peer->close_reason, ccerr->reason, len);
}

/* An error of this end: tells the server, as any QUIC stack does. */
static void peer_fail(struct peer *peer, int error) {
  if (peer->ended) return;
  peer_end(peer, error);
  bool silent = error == NGTCP2_ERR_DRAINING || error == NGTCP2_ERR_CLOSING || error == NGTCP2_ERR_IDLE_CLOSE ||
                error == NGTCP2_ERR_DROP_CONN || error == NGTCP2_ERR_RETRY || error == NGTCP2_ERR_HANDSHAKE_TIMEOUT ||
                error == NGTCP2_ERR_RECV_VERSION_NEGOTIATION;
  if (silent || peer->stateless_reset) return;
  ngtcp2_ccerr ccerr;
  ngtcp2_ccerr_default(&ccerr);
  if (error == NGTCP2_ERR_CRYPTO)
    ngtcp2_ccerr_set_tls_alert(&ccerr, ngtcp2_conn_get_tls_alert(peer->conn), NULL, 0);
  else
    ngtcp2_ccerr_set_liberr(&ccerr, error, NULL, 0);
  uint8_t packet[PEER_PACKET_MAX];
  ngtcp2_pkt_info info;
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_ssize len =
      ngtcp2_conn_write_connection_close(peer->conn, &path.path, &info, packet, sizeof(packet), &ccerr, peer->net->now);
  if (len > 0) net_send(peer->net, &peer->node, &peer->node.address, &peer->server, 0, packet, (size_t)len);
}

/* The next thing to write: one datagram, one stream's bytes, or nothing but what ngtcp2 has itself. */
static ngtcp2_ssize peer_write_datagram(struct peer *peer, ngtcp2_path *path, ngtcp2_pkt_info *info, uint8_t *packet) {
  struct peer_datagram *datagram = peer->tx_datagrams;
  int accepted = 0;
  ngtcp2_vec vec = {datagram->data, datagram->len};
  ngtcp2_ssize len =
      ngtcp2_conn_writev_datagram(peer->conn, path, info, packet, PEER_PACKET_MAX, &accepted,
                                  NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0, &vec, datagram->len ? 1 : 0, peer->net->now);
  if (accepted) {
    peer->tx_datagrams = datagram->next;
    free(datagram);
  }
  return len;
}

static void stream_sent(struct peer_stream *stream, size_t len, bool fin) {
  stream->tx_sent += len;
  stream->tx_fin_sent |= fin && stream->tx_sent == stream->tx_len;
  if (!stream->tx_next) return;
  stream->tx_next_at += len;
  if (stream->tx_next_at < stream->tx_next->len) return;
  stream->tx_next = stream->tx_next->next;
  stream->tx_next_at = 0;
}

static ngtcp2_ssize peer_write_stream(struct peer *peer, ngtcp2_path *path, ngtcp2_pkt_info *info, uint8_t *packet) {
  struct peer_stream *stream = peer->queue;
  ngtcp2_vec vec = {NULL, 0};
  uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
  bool fin = false;
  if (stream) {
    if (stream->tx_next) {
      vec.base = stream->tx_next->data + stream->tx_next_at;
      vec.len = stream->tx_next->len - stream->tx_next_at;
    }
    fin = stream->tx_fin && stream->tx_sent + vec.len == stream->tx_len;
    flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0);
  }
  ngtcp2_ssize taken = -1;
  ngtcp2_ssize len = ngtcp2_conn_writev_stream(peer->conn, path, info, packet, PEER_PACKET_MAX, &taken, flags,
                                               stream ? stream->id : -1, &vec, vec.len ? 1 : 0, peer->net->now);
  if (!stream) return len;
  if (taken >= 0) {
    stream_sent(stream, (size_t)taken, fin);
    peer__queue_remove(peer, stream);
    peer__queue_add(peer, stream);
  } else if (len == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
    stream->tx_blocked = true;
    peer__queue_remove(peer, stream);
    return NGTCP2_ERR_WRITE_MORE;
  } else if (len == NGTCP2_ERR_STREAM_SHUT_WR || len == NGTCP2_ERR_STREAM_NOT_FOUND) {
    stream->tx_dead = true;
    peer__queue_remove(peer, stream);
    return NGTCP2_ERR_WRITE_MORE;
  }
  return len;
}

void peer_flush(struct peer *peer) {
  if (peer->ended || peer->silent) return;
  peer__set_current(peer);
  for (;;) {
    uint8_t packet[PEER_PACKET_MAX];
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info;
    bool datagrams = peer->tx_datagrams && peer->handshake_done;
    bool before = peer__has_raw(peer, false), behind = !peer->queue && peer__has_raw(peer, true);
    ngtcp2_ssize len = before || behind ? peer__write_raw(peer, !before, &path.path, &info, packet, PEER_PACKET_MAX)
                       : datagrams      ? peer_write_datagram(peer, &path.path, &info, packet)
                                        : peer_write_stream(peer, &path.path, &info, packet);
    if (len == NGTCP2_ERR_WRITE_MORE) continue;
    if (len < 0) {
      peer_fail(peer, (int)len);
      return;
    }
    if (len == 0) break;
    struct sockaddr_in local;
    memcpy(&local, path.path.local.addr, sizeof(local));
    net_send(peer->net, &peer->node, &local, &peer->server, info.ecn, packet, (size_t)len);
  }
  ngtcp2_conn_update_pkt_tx_time(peer->conn, peer->net->now);
}

/* --- HTTP/3's control stream --- */

static size_t put_varint(uint8_t *dst, uint64_t value) {
  size_t len = value < 64 ? 1 : value < 16384 ? 2 : value < (1 << 30) ? 4 : 8;
  for (size_t i = 0; i < len; i++) dst[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
  dst[0] |= (uint8_t)((len == 1 ? 0 : len == 2 ? 1 : len == 4 ? 2 : 3) << 6);
  return len;
}

static void control_open(struct peer *peer) {
  if (peer->control >= 0) return;
  uint8_t payload[512], frame[600];
  size_t len = 0;
  for (size_t i = 0; i < peer->options.settings_count * 2; i++) {
    assert_true(len + 8 <= sizeof(payload));
    len += put_varint(payload + len, peer->options.settings[i]);
  }
  size_t at = 0;
  frame[at++] = 0x00; /* the control stream's type */
  frame[at++] = 0x04; /* SETTINGS */
  at += put_varint(frame + at, len);
  memcpy(frame + at, payload, len);
  peer->control = peer_open_uni(peer);
  assert_true(peer->control >= 0);
  peer_queue(peer, peer->control, frame, at + len, false);
}

/* --- The node --- */

static void node_recv(void *ctx, const struct sockaddr_in *local, const struct sockaddr_in *remote, unsigned ecn,
                      const uint8_t *data, size_t len, uint64_t now) {
  struct peer *peer = ctx;
  if (peer->ended || peer->silent) return;
  ngtcp2_path path = path_of(peer);
  struct sockaddr_in here = *local, there = *remote;
  path.local.addr = (ngtcp2_sockaddr *)&here;
  path.remote.addr = (ngtcp2_sockaddr *)&there;
  ngtcp2_pkt_info info = {.ecn = (uint8_t)ecn};
  peer__set_current(peer);
  int error = ngtcp2_conn_read_pkt(peer->conn, &path, &info, data, len, now);
  if (error) peer_fail(peer, error);
}

static void node_run(void *ctx, uint64_t now) {
  struct peer *peer = ctx;
  if (peer->ended || peer->silent) return;
  if (ngtcp2_conn_get_expiry(peer->conn) <= now) {
    int error = ngtcp2_conn_handle_expiry(peer->conn, now);
    if (error) {
      peer_fail(peer, error);
      return;
    }
  }
  if (peer->handshake_done && peer->options.send_settings) control_open(peer);
  peer__raws_expire(peer);
  peer_flush(peer);
}

static uint64_t node_expiry(void *ctx) {
  struct peer *peer = ctx;
  if (peer->ended || peer->silent) return UINT64_MAX;
  uint64_t expiry = ngtcp2_conn_get_expiry(peer->conn), raws = peer__raws_expiry(peer);
  return raws < expiry ? raws : expiry;
}

struct peer *peer_new(struct net *net, const struct sockaddr_in *server, const struct peer_options *options) {
  struct peer *peer = calloc(1, sizeof(*peer));
  assert_non_null(peer);
  peer->net = net;
  peer->server = *server;
  peer->control = -1;
  if (options)
    peer->options = *options;
  else
    peer_options_default(&peer->options);
  peer->node.address = net_address(peer->options.address);
  peer->node.recv = node_recv;
  peer->node.run = node_run;
  peer->node.expiry = node_expiry;
  peer->node.ctx = peer;
  net_attach(net, &peer->node);
  conn_new(peer);
  peer_flush(peer);
  return peer;
}

static void datagrams_free(struct peer_datagram *datagram) {
  while (datagram) {
    struct peer_datagram *next = datagram->next;
    free(datagram);
    datagram = next;
  }
}

void peer_free(struct peer *peer) {
  if (!peer) return;
  net_detach(peer->net, &peer->node);
  ngtcp2_conn_del(peer->conn);
  gnutls_deinit(peer->tls);
  peer__set_current(NULL);
  for (size_t kind = 0; kind < 4; kind++) {
    for (size_t i = 0; i < peer->streams[kind].len; i++) {
      if (peer->streams[kind].items[i]) peer__stream_forget(peer, peer->streams[kind].items[i]);
    }
    free(peer->streams[kind].items);
  }
  peer__raws_free(peer);
  datagrams_free(peer->tx_datagrams);
  datagrams_free(peer->rx_datagrams);
  free(peer);
}

/* --- What a test asks for --- */

void peer_send_settings(struct peer *peer) {
  control_open(peer);
  peer_flush(peer);
}

int64_t peer_open_bidi(struct peer *peer) {
  int64_t id;
  if (ngtcp2_conn_open_bidi_stream(peer->conn, &id, NULL)) return -1;
  peer__stream_add(peer, id);
  return id;
}

int64_t peer_open_uni(struct peer *peer) {
  int64_t id;
  if (ngtcp2_conn_open_uni_stream(peer->conn, &id, NULL)) return -1;
  peer__stream_add(peer, id);
  return id;
}

void peer_queue(struct peer *peer, int64_t id, const void *data, size_t len, bool fin) {
  struct peer_stream *stream = peer_stream(peer, id);
  assert_non_null(stream);
  if (len) {
    struct peer_chunk *chunk = malloc(sizeof(*chunk) + len);
    assert_non_null(chunk);
    chunk->next = NULL;
    chunk->len = len;
    memcpy(chunk->data, data, len);
    if (stream->tx)
      stream->tx_tail->next = chunk;
    else
      stream->tx = chunk;
    stream->tx_tail = chunk;
    if (!stream->tx_next) {
      stream->tx_next = chunk;
      stream->tx_next_at = 0;
    }
  }
  stream->tx_len += len;
  if (fin) stream->tx_fin = true;
  peer__queue_add(peer, stream);
}

void peer_send(struct peer *peer, int64_t id, const void *data, size_t len, bool fin) {
  peer_queue(peer, id, data, len, fin);
  peer_flush(peer);
}

void peer_reset(struct peer *peer, int64_t id, uint64_t code) {
  struct peer_stream *stream = peer_stream(peer, id);
  if (stream) {
    stream->tx_dead = true;
    peer__queue_remove(peer, stream);
  }
  ngtcp2_conn_shutdown_stream_write(peer->conn, 0, id, code);
  peer_flush(peer);
}

void peer_stop_sending(struct peer *peer, int64_t id, uint64_t code) {
  ngtcp2_conn_shutdown_stream_read(peer->conn, 0, id, code);
  peer_flush(peer);
}

void peer_queue_datagram(struct peer *peer, const void *data, size_t len) {
  struct peer_datagram *datagram = malloc(sizeof(*datagram) + len);
  assert_non_null(datagram);
  datagram->next = NULL;
  datagram->len = len;
  if (len) memcpy(datagram->data, data, len);
  if (peer->tx_datagrams)
    peer->tx_datagrams_tail->next = datagram;
  else
    peer->tx_datagrams = datagram;
  peer->tx_datagrams_tail = datagram;
}

void peer_datagram(struct peer *peer, const void *data, size_t len) {
  peer_queue_datagram(peer, data, len);
  peer_flush(peer);
}

struct peer_datagram *peer_take_datagram(struct peer *peer) {
  struct peer_datagram *datagram = peer->rx_datagrams;
  if (datagram) peer->rx_datagrams = datagram->next;
  return datagram;
}

void peer_consume(struct peer *peer, int64_t id) {
  struct peer_stream *stream = peer_stream(peer, id);
  if (!stream) return;
  size_t len = (size_t)stream->rx_total - stream->rx_consumed;
  stream->rx_consumed += len;
  ngtcp2_conn_extend_max_stream_offset(peer->conn, id, len);
  ngtcp2_conn_extend_max_offset(peer->conn, len);
  peer_flush(peer);
}

void peer_close(struct peer *peer, uint64_t app_code) { peer_close_with(peer, true, app_code, NULL, 0); }

void peer_close_with(struct peer *peer, bool app, uint64_t code, const void *reason, size_t reason_len) {
  if (peer->ended) return;
  ngtcp2_ccerr ccerr;
  ngtcp2_ccerr_default(&ccerr);
  if (app)
    ngtcp2_ccerr_set_application_error(&ccerr, code, reason, reason_len);
  else
    ngtcp2_ccerr_set_transport_error(&ccerr, code, reason, reason_len);
  uint8_t packet[PEER_PACKET_MAX];
  ngtcp2_pkt_info info;
  peer__set_current(peer);
  ngtcp2_ssize len =
      ngtcp2_conn_write_connection_close(peer->conn, NULL, &info, packet, sizeof(packet), &ccerr, peer->net->now);
  assert_true(len > 0);
  net_send(peer->net, &peer->node, &peer->node.address, &peer->server, 0, packet, (size_t)len);
  peer_end(peer, NGTCP2_ERR_CLOSING);
}

void peer_migrate(struct peer *peer, unsigned address) {
  peer->node.address = peer->node.seen = net_address(address);
  ngtcp2_path path = path_of(peer);
  assert_int_equal(ngtcp2_conn_initiate_immediate_migration(peer->conn, &path, peer->net->now), 0);
  peer_flush(peer);
}

void peer_update_key(struct peer *peer) {
  assert_int_equal(ngtcp2_conn_initiate_key_update(peer->conn, peer->net->now), 0);
  peer_flush(peer);
}

void peer_ping(struct peer *peer) {
  /* A datagram that belongs to no session makes the server answer with an acknowledgement. */
  static const uint8_t frame[] = {0x3f};
  peer_datagram(peer, frame, sizeof(frame));
}
