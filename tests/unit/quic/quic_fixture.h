/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_QUIC_FIXTURE_H
#define WT_TESTS_QUIC_FIXTURE_H

/*
 * An endpoint in memory, a QUIC client beside it, and a clock that the test moves. In place of HTTP/3
 * stands a recorder with the same functions (src/h3/conn.h), which notes what it is told and sends what
 * the test has put into it. Each test program includes this once.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "quic/conn.h"

#define MS UINT64_C(1000000)
#define MAX_QUEUE 4096

/* --- The recorder in place of HTTP/3 --- */

struct wt__h3_conn {
  const struct wt_transport *transport;
  void *ctx;
};

static struct {
  struct wt__h3_conn *conn; /* the last one made, while it lives */
  int started, freed, runs, datagrams, stops, resets, finals, closed;
  uint64_t max_datagram_frame_size, received, stop_code, reset_code, final_size, free_code;
  int64_t stop_id;
  enum wt_party free_party;
  bool fin;
  char peer[64];
  size_t out_len[8], out_count, out_sent, out_dropped; /* datagrams to send */
  int64_t stream;                                      /* to send on; -1: none */
  size_t stream_len, stream_sent, stream_acked;
  bool stream_alone;
  int asked, told, acks; /* calls about the stream: for bytes; of what was sent; of what was acknowledged */
  bool stream_fin_sent;
  bool close_on_data;   /* ends the connection in `recv` */
  bool close_when_sent; /* ends it in the run that has written bytes of the stream */
} h3;

static const uint8_t h3_zeros[1 << 20];

int wt__h3_conn_new(struct wt__h3_conn **conn, const struct wt__h3_config *config, const struct wt_transport *transport,
                    void *ctx, const char *peer_address, uint64_t now) {
  (void)config;
  (void)now;
  *conn = wt__calloc(1, sizeof(**conn));
  if (!*conn) return WT_ERR_NOMEM;
  (*conn)->transport = transport;
  (*conn)->ctx = ctx;
  h3.conn = *conn;
  h3.stream = -1;
  (void)snprintf(h3.peer, sizeof(h3.peer), "%s", peer_address);
  return 0;
}

/* A client's connection is not looked at apart: what has begun and how it ended. */
static struct wt__h3_end h3_end;

int wt__h3_conn_new_client(struct wt__h3_conn **conn, const struct wt__h3_config *config,
                           const struct wt__h3_client_callbacks *callbacks, void *user_data,
                           const struct wt_transport *transport, void *ctx, const char *peer_address, uint64_t now) {
  (void)callbacks;
  (void)user_data;
  return wt__h3_conn_new(conn, config, transport, ctx, peer_address, now);
}

void wt__h3_conn_connected(struct wt__h3_conn *conn) { assert_non_null(conn); }

void wt__h3_conn_set_end(struct wt__h3_conn *conn, const struct wt__h3_end *end) {
  assert_non_null(conn);
  h3_end = *end;
}

void wt__h3_conn_free(struct wt__h3_conn *conn, const struct wt__ending *ending) {
  int64_t id;
  /* Calls that an application makes in its last callbacks do nothing. */
  assert_int_equal(conn->transport->open_stream(conn->ctx, true, &id), WT_ERR_CLOSED);
  conn->transport->reset_stream(conn->ctx, 3, 1);
  conn->transport->consume(conn->ctx, 0, 1);
  conn->transport->wake(conn->ctx);
  h3.freed++;
  h3.free_party = wt__cause_party(ending->cause);
  h3.free_code = ending->wire_code;
  if (h3.conn == conn) h3.conn = NULL;
  wt__free(conn);
}

void wt__h3_conn_close_sessions(struct wt__h3_conn *conn, const char *reason) {
  assert_non_null(conn);
  assert_non_null(reason);
}

void wt__h3_conn_start(struct wt__h3_conn *conn, uint64_t max_datagram_frame_size) {
  (void)conn;
  h3.started++;
  h3.max_datagram_frame_size = max_datagram_frame_size;
}

void wt__h3_conn_recv(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len, bool fin, uint64_t now) {
  (void)data;
  (void)now;
  h3.received += len;
  h3.fin |= fin;
  conn->transport->consume(conn->ctx, id, len);
  if (h3.close_on_data) conn->transport->close_connection(conn->ctx, 0x10e, "enough");
}

void wt__h3_conn_recv_promise(struct wt__h3_conn *conn, int64_t id, uint64_t reliable_size) {
  (void)conn;
  (void)id;
  (void)reliable_size;
}

void wt__h3_conn_recv_final_size(struct wt__h3_conn *conn, int64_t id, uint64_t final_size) {
  (void)conn;
  (void)id;
  h3.finals++;
  h3.final_size = final_size;
}

void wt__h3_conn_recv_reset(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code, uint64_t final_size) {
  (void)final_size;
  (void)conn;
  (void)id;
  h3.resets++;
  h3.reset_code = wire_code;
}

void wt__h3_conn_recv_stop_sending(struct wt__h3_conn *conn, int64_t id, uint64_t wire_code) {
  (void)conn;
  h3.stops++;
  h3.stop_id = id;
  h3.stop_code = wire_code;
}

void wt__h3_conn_acked(struct wt__h3_conn *conn, int64_t id, uint64_t offset, uint64_t now) {
  (void)conn;
  (void)now;
  if (id != h3.stream) return;
  h3.acks++;
  h3.stream_acked = offset;
}

void wt__h3_conn_stream_closed(struct wt__h3_conn *conn, int64_t id, bool has_code, uint64_t wire_code) {
  (void)conn;
  (void)id;
  (void)has_code;
  (void)wire_code;
  h3.closed++;
}

void wt__h3_conn_unblocked(struct wt__h3_conn *conn, int64_t id) {
  (void)conn;
  (void)id;
}

void wt__h3_conn_streams_allowed(struct wt__h3_conn *conn, bool uni) {
  (void)conn;
  (void)uni;
}

void wt__h3_conn_max_remote_bidi(struct wt__h3_conn *conn, uint64_t max) {
  (void)conn;
  (void)max;
}

void wt__h3_conn_recv_datagram(struct wt__h3_conn *conn, const uint8_t *data, size_t len, uint64_t now) {
  (void)conn;
  (void)data;
  (void)len;
  (void)now;
  h3.datagrams++;
}

void wt__h3_conn_datagram_len_changed(struct wt__h3_conn *conn) { (void)conn; }

bool wt__h3_conn_next(struct wt__h3_conn *conn, struct wt__send *send, uint64_t room) {
  (void)room;
  (void)conn;
  if (h3.stream < 0 || h3.stream_fin_sent) return false;
  h3.asked++;
  send->id = h3.stream;
  send->fin = true;
  send->alone = h3.stream_alone;
  send->count = 1;
  send->vecs[0] = (struct wt__vec){h3_zeros, h3.stream_len - h3.stream_sent};
  return true;
}

void wt__h3_conn_sent(struct wt__h3_conn *conn, int64_t id, size_t len, bool fin) {
  (void)conn;
  assert_int_equal(id, h3.stream);
  h3.told++;
  h3.stream_sent += len;
  h3.stream_fin_sent = fin;
}

void wt__h3_conn_blocked(struct wt__h3_conn *conn, int64_t id) {
  (void)conn;
  (void)id;
  fail_msg("the windows of these tests are large");
}

void wt__h3_conn_write_closed(struct wt__h3_conn *conn, int64_t id) {
  (void)conn;
  assert_int_equal(id, h3.stream);
  h3.stream = -1;
}

bool wt__h3_conn_next_datagram(struct wt__h3_conn *conn, struct wt__vec *datagram) {
  (void)conn;
  if (!h3.out_count) return false;
  *datagram = (struct wt__vec){h3_zeros, h3.out_len[0]};
  return true;
}

void wt__h3_conn_datagram_done(struct wt__h3_conn *conn, bool sent) {
  (void)conn;
  assert_true(h3.out_count > 0);
  memmove(h3.out_len, h3.out_len + 1, --h3.out_count * sizeof(h3.out_len[0]));
  if (sent) {
    h3.out_sent++;
  } else {
    h3.out_dropped++;
  }
}

void wt__h3_conn_run(struct wt__h3_conn *conn, uint64_t now) {
  (void)now;
  h3.runs++;
  if (h3.close_when_sent && h3.stream_sent) conn->transport->close_connection(conn->ctx, 0x10e, "enough");
}

uint64_t wt__h3_conn_expiry(const struct wt__h3_conn *conn) {
  (void)conn;
  return UINT64_MAX;
}

void wt__h3_conn_shutdown(struct wt__h3_conn *conn) { (void)conn; }

bool wt__h3_conn_is_idle(const struct wt__h3_conn *conn) {
  (void)conn;
  return true;
}

/* --- The network between them --- */

struct packet_copy {
  size_t len;
  uint8_t data[1500];
};

static struct {
  uint64_t now;
  struct packet_copy to_client[MAX_QUEUE];
  size_t len, calls, largest_call; /* `largest_call`: packets in one call of send */
  bool full;                       /* the socket takes nothing */
  struct wt__path path;
} net;

static int net_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                    size_t segment) {
  (void)ctx;
  (void)ecn;
  assert_ptr_equal(path->socket, &net);
  assert_true(len > 0 && segment > 0 && segment <= len && segment <= 1500);
  if (net.full) return WT_ERR_AGAIN;
  size_t count = 0;
  net.calls++;
  for (size_t at = 0; at < len; at += segment, count++) {
    size_t n = len - at < segment ? len - at : segment;
    assert_true(net.len < MAX_QUEUE);
    net.to_client[net.len].len = n;
    memcpy(net.to_client[net.len++].data, data + at, n);
  }
  assert_true(count <= 64);
  if (count > net.largest_call) net.largest_call = count;
  return 0;
}

static void net_init(void) {
  memset(&net, 0, sizeof(net));
  memset(&h3, 0, sizeof(h3));
  net.now = UINT64_C(1000) * 1000 * MS;
  struct sockaddr_in *local = (struct sockaddr_in *)&net.path.local, *remote = (struct sockaddr_in *)&net.path.remote;
  local->sin_family = remote->sin_family = AF_INET;
  local->sin_port = htons(4433);
  remote->sin_port = htons(50000);
  local->sin_addr.s_addr = remote->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  net.path.local_len = net.path.remote_len = sizeof(struct sockaddr_in);
  net.path.socket = &net;
}

/* --- The endpoint --- */

static struct wt__tls_context *server_tls(const char *const *names, size_t count) {
  struct wt__tls_context *tls = NULL;
  wt_certificate *certificates[4] = {NULL};
  assert_int_equal(wt__tls_context_new(&tls, true), 0);
  assert_true(count <= 4);
  for (size_t i = 0; i < count; i++) assert_int_equal(wt_certificate_generate(&names[i], 1, 13, &certificates[i]), 0);
  assert_int_equal(wt__tls_context_set_certificates(tls, certificates, count), 0);
  for (size_t i = 0; i < count; i++) wt_certificate_free(certificates[i]);
  return tls;
}

static void server_config(struct wt__endpoint_config *config) {
  static const char *const names[] = {"localhost"};
  memset(config, 0, sizeof(*config));
  config->tls = server_tls(names, 1);
  config->send = net_send;
  config->idle_timeout_ms = 30000;
  config->keep_alive_ms = 15000;
  config->handshake_timeout_ms = 10000;
  config->retry = WT_RETRY_UNDER_LOAD;
  config->retry_threshold = 100;
  config->max_connections = 100;
  config->max_connections_per_address = 100;
  config->max_handshakes_per_address = 100;
  config->initial_max_data = config->max_data = 16 << 20;
  config->initial_max_stream_data = config->max_stream_data = 1 << 20;
  config->max_streams_bidi = config->max_streams_uni = 10;
}

/* --- The client --- */

struct client {
  ngtcp2_conn *quic;
  gnutls_session_t tls;
  gnutls_certificate_credentials_t credentials;
  ngtcp2_crypto_conn_ref ref;
  ngtcp2_cid dcid;
  int error; /* of reading a packet */
  bool retried, token_seen;
  uint8_t token[256];
  size_t token_len, datagram_len, datagrams;
  uint64_t received;
};

static ngtcp2_conn *client_conn(ngtcp2_crypto_conn_ref *ref) { return ((struct client *)ref->user_data)->quic; }

static void client_random(uint8_t *dst, size_t len, const ngtcp2_rand_ctx *ctx) {
  (void)ctx;
  assert_int_equal(wt__tls_random(dst, len), 0);
}

static int client_new_cid(ngtcp2_conn *quic, ngtcp2_cid *cid, uint8_t *token, size_t len, void *user_data) {
  (void)quic;
  (void)user_data;
  cid->datalen = len;
  return wt__tls_random(cid->data, len) || wt__tls_random(token, NGTCP2_STATELESS_RESET_TOKENLEN) ? -1 : 0;
}

static int client_on_retry(ngtcp2_conn *quic, const ngtcp2_pkt_hd *hd, void *user_data) {
  ((struct client *)user_data)->retried = true;
  return ngtcp2_crypto_recv_retry_cb(quic, hd, user_data);
}

static int client_on_token(ngtcp2_conn *quic, const uint8_t *token, size_t len, void *user_data) {
  struct client *client = user_data;
  (void)quic;
  assert_true(len <= sizeof(client->token));
  memcpy(client->token, token, len);
  client->token_len = len;
  return 0;
}

static int client_on_datagram(ngtcp2_conn *quic, uint32_t flags, const uint8_t *data, size_t len, void *user_data) {
  struct client *client = user_data;
  (void)quic;
  (void)flags;
  (void)data;
  client->datagrams++;
  client->datagram_len = len;
  return 0;
}

static int client_on_data(ngtcp2_conn *quic, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
                          size_t len, void *user_data, void *stream_user_data) {
  (void)quic;
  (void)flags;
  (void)id;
  (void)offset;
  (void)data;
  (void)stream_user_data;
  ((struct client *)user_data)->received += len;
  return 0;
}

/* An extension that nobody knows makes the ClientHello as long as those of browsers. */
static int client_send_padding(gnutls_session_t session, gnutls_buffer_t extension) {
  static const uint8_t zeros[1200];
  (void)session;
  return gnutls_buffer_append_data(extension, zeros, sizeof(zeros));
}

static int client_recv_padding(gnutls_session_t session, const unsigned char *data, size_t len) {
  (void)session;
  (void)data;
  (void)len;
  return 0;
}

static void client_pad_hello(struct client *client) {
  assert_int_equal(gnutls_session_ext_register(client->tls, "padding", 0xfa1a, GNUTLS_EXT_TLS, client_recv_padding,
                                               client_send_padding, NULL, NULL, NULL,
                                               GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO),
                   0);
}

static void client_init_tls(struct client *client, const char *alpn, const char *sni) {
  gnutls_datum_t name = {(unsigned char *)(uintptr_t)alpn, (unsigned)strlen(alpn)};
  assert_int_equal(gnutls_init(&client->tls, GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA), 0);
  assert_int_equal(
      gnutls_priority_set_direct(client->tls, "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL), 0);
  assert_int_equal(ngtcp2_crypto_gnutls_configure_client_session(client->tls), 0);
  client->ref.get_conn = client_conn;
  client->ref.user_data = client;
  gnutls_session_set_ptr(client->tls, &client->ref);
  assert_int_equal(gnutls_certificate_allocate_credentials(&client->credentials), 0);
  assert_int_equal(gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE, client->credentials), 0);
  assert_int_equal(gnutls_alpn_set_protocols(client->tls, &name, 1, 0), 0);
  if (sni) assert_int_equal(gnutls_server_name_set(client->tls, GNUTLS_NAME_DNS, sni, strlen(sni)), 0);
}

struct client_options {
  const char *alpn, *sni;
  bool long_hello; /* of two packets */
  const uint8_t *token;
  size_t token_len;
  uint64_t max_datagram_frame_size;
  uint32_t version;
};

static void client_init(struct client *client, const struct client_options *options) {
  ngtcp2_callbacks callbacks = {
      .client_initial = ngtcp2_crypto_client_initial_cb,
      .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
      .encrypt = ngtcp2_crypto_encrypt_cb,
      .decrypt = ngtcp2_crypto_decrypt_cb,
      .hp_mask = ngtcp2_crypto_hp_mask_cb,
      .recv_retry = client_on_retry,
      .update_key = ngtcp2_crypto_update_key_cb,
      .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
      .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
      .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
      .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
      .rand = client_random,
      .get_new_connection_id = client_new_cid,
      .recv_new_token = client_on_token,
      .recv_datagram = client_on_datagram,
      .recv_stream_data = client_on_data,
  };
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_path path;
  ngtcp2_cid scid = {.datalen = 8};
  memset(client, 0, sizeof(*client));
  client->dcid.datalen = 16;
  client_random(client->dcid.data, 16, NULL);
  client_random(scid.data, 8, NULL);
  ngtcp2_settings_default(&settings);
  settings.initial_ts = net.now;
  settings.token = options->token;
  settings.tokenlen = options->token_len;
  settings.token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
  ngtcp2_transport_params_default(&params);
  params.initial_max_data = params.initial_max_stream_data_bidi_local = 16 << 20;
  params.initial_max_stream_data_bidi_remote = params.initial_max_stream_data_uni = 16 << 20;
  params.initial_max_streams_uni = params.initial_max_streams_bidi = 10;
  params.max_datagram_frame_size = options->max_datagram_frame_size;
  wt__path_to_quic(&path, &net.path);
  ngtcp2_addr swap = path.local;
  path.local = path.remote;
  path.remote = swap;
  assert_int_equal(ngtcp2_conn_client_new(&client->quic, &client->dcid, &scid, &path,
                                          options->version ? options->version : NGTCP2_PROTO_VER_V1, &callbacks,
                                          &settings, &params, NULL, client),
                   0);
  client_init_tls(client, options->alpn ? options->alpn : "h3", options->sni ? options->sni : "localhost");
  if (options->long_hello) client_pad_hello(client);
  ngtcp2_conn_set_tls_native_handle(client->quic, client->tls);
}

static void client_free(struct client *client) {
  ngtcp2_conn_del(client->quic);
  gnutls_deinit(client->tls);
  gnutls_certificate_free_credentials(client->credentials);
}

/* Hands what the client has to send to the endpoint. Returns how many packets. */
static size_t client_flush(struct client *client, struct wt__endpoint *endpoint) {
  uint8_t packet[1500];
  size_t count = 0;
  ngtcp2_ssize n;
  if (client->error) return 0;
  while ((n = ngtcp2_conn_write_pkt(client->quic, NULL, NULL, packet, sizeof(packet), net.now)) > 0) {
    wt__endpoint_recv(endpoint, &net.path, 0, packet, (size_t)n, net.now);
    count++;
  }
  return count;
}

/* Hands the client what the endpoint has sent. Returns how many packets. */
static size_t client_receive(struct client *client) {
  ngtcp2_path path;
  wt__path_to_quic(&path, &net.path);
  ngtcp2_addr swap = path.local;
  path.local = path.remote;
  path.remote = swap;
  size_t count = net.len;
  for (size_t i = 0; i < count && !client->error; i++)
    client->error =
        ngtcp2_conn_read_pkt(client->quic, &path, NULL, net.to_client[i].data, net.to_client[i].len, net.now);
  net.len = 0;
  return count;
}

/* Lets both talk, a millisecond a round, until nothing more is said for a while. */
static void converse(struct client *client, struct wt__endpoint *endpoint) {
  for (int quiet = 0, rounds = 0; quiet < 60 && rounds < 3000; rounds++) {
    if (!client->error && ngtcp2_conn_get_expiry(client->quic) <= net.now)
      (void)ngtcp2_conn_handle_expiry(client->quic, net.now);
    size_t moved = client_flush(client, endpoint);
    wt__endpoint_run(endpoint, net.now);
    moved += client_receive(client);
    quiet = moved ? 0 : quiet + 1;
    net.now += MS;
  }
}

/* The endpoint alone, until `ns` from now, woken when it asks to be. */
static inline void pass_time(struct wt__endpoint *endpoint, uint64_t ns) {
  uint64_t end = net.now + ns;
  for (int i = 0; i < 10000; i++) {
    uint64_t expiry = wt__endpoint_expiry(endpoint);
    if (expiry > end) break;
    if (expiry > net.now) net.now = expiry;
    wt__endpoint_run(endpoint, net.now);
    net.len = 0;
  }
  net.now = end;
}

#endif
