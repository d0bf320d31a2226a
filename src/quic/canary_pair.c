/* SPDX-License-Identifier: MIT */

/*
 * Two connections without TLS. Instead of TLS's messages each side sends a CRYPTO frame of one byte for each level, and
 * installs keys that are none:
 *
 *     client                       server
 *     Initial: 1 byte    ------>   handshake and 1-RTT keys
 *     all keys           <------   Initial: 1 byte; Handshake: 1 byte
 *     Handshake: 1 byte  ------>   done
 *
 * Transport parameters go from one to the other by a function call. Encryption adds a tag of zeros, header protection masks
 * nothing. The clock is a number. The callbacks for encryption have no user data: the end whose packets are written or
 * read is kept in a thread-local variable.
 */

#include "quic/canary_pair.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"

#define SECRET_LEN 32
#define IV_LEN 12
#define TURNS 8 /* flights each way; the handshake takes three */
#define PACKET_SIZE 1500
#define STEP WT__NS_PER_MS
#define REST (200 * WT__NS_PER_MS) /* longer than an acknowledgement may wait */
#define WINDOW 65536
#define STREAMS 8

static _Thread_local struct wt__canary_end *current;

static const uint8_t ZEROS[SECRET_LEN];
static const uint8_t CRYPTO[1] = {1};

static void pair_check(struct wt__canary_pair *pair, int error) {
  if (error) pair->failed = true;
}

/* --- Keys --- */

static int install_initial(ngtcp2_conn *quic) {
  const ngtcp2_crypto_ctx ctx = {
      .aead = {.max_overhead = WT__CANARY_TAG}, .max_encryption = UINT64_MAX, .max_decryption_failure = UINT64_MAX};
  const ngtcp2_crypto_aead_ctx key = {0};
  const ngtcp2_crypto_cipher_ctx mask = {0};
  ngtcp2_conn_set_initial_crypto_ctx(quic, &ctx);
  ngtcp2_conn_set_crypto_ctx(quic, &ctx);
  return ngtcp2_conn_install_initial_key(quic, &key, ZEROS, &mask, &key, ZEROS, &mask, IV_LEN);
}

static int install_handshake(ngtcp2_conn *quic) {
  const ngtcp2_crypto_aead_ctx key = {0};
  const ngtcp2_crypto_cipher_ctx mask = {0};
  int error = ngtcp2_conn_install_rx_handshake_key(quic, &key, ZEROS, IV_LEN, &mask);
  return error ? error : ngtcp2_conn_install_tx_handshake_key(quic, &key, ZEROS, IV_LEN, &mask);
}

static int install_1rtt(ngtcp2_conn *quic) {
  const ngtcp2_crypto_aead_ctx key = {0};
  const ngtcp2_crypto_cipher_ctx mask = {0};
  int error = ngtcp2_conn_install_rx_key(quic, ZEROS, SECRET_LEN, &key, ZEROS, IV_LEN, &mask);
  return error ? error : ngtcp2_conn_install_tx_key(quic, ZEROS, SECRET_LEN, &key, ZEROS, IV_LEN, &mask);
}

static int params_pass(struct wt__canary_end *to) {
  struct wt__canary_end *from = to->server ? &to->pair->client : &to->pair->server;
  uint8_t data[256];
  ngtcp2_ssize len = ngtcp2_conn_encode_local_transport_params(from->quic, data, sizeof(data));
  if (len < 0) return (int)len;
  return ngtcp2_conn_decode_and_set_remote_transport_params(to->quic, data, (size_t)len);
}

static int crypto_send(ngtcp2_conn *quic, ngtcp2_encryption_level level) {
  return ngtcp2_conn_submit_crypto_data(quic, level, CRYPTO, sizeof(CRYPTO));
}

/* --- The handshake --- */

static int on_client_initial(ngtcp2_conn *quic, void *user_data) {
  (void)user_data;
  int error = install_initial(quic);
  return error ? error : crypto_send(quic, NGTCP2_ENCRYPTION_LEVEL_INITIAL);
}

static int on_recv_client_initial(ngtcp2_conn *quic, const ngtcp2_cid *dcid, void *user_data) {
  (void)dcid;
  (void)user_data;
  return install_initial(quic);
}

static int server_answer(struct wt__canary_end *end) {
  int error = params_pass(end);
  if (!error) error = crypto_send(end->quic, NGTCP2_ENCRYPTION_LEVEL_INITIAL);
  if (!error) error = install_handshake(end->quic);
  if (!error) error = crypto_send(end->quic, NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE);
  return error ? error : install_1rtt(end->quic);
}

static int client_answer(struct wt__canary_end *end) {
  int error = params_pass(end);
  if (!error) error = install_1rtt(end->quic);
  if (!error) error = crypto_send(end->quic, NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE);
  if (!error) ngtcp2_conn_tls_handshake_completed(end->quic);
  return error;
}

static int on_crypto(ngtcp2_conn *quic, ngtcp2_encryption_level level, uint64_t offset, const uint8_t *data, size_t len,
                     void *user_data) {
  struct wt__canary_end *end = user_data;
  (void)offset;
  (void)data;
  (void)len;
  if (level == NGTCP2_ENCRYPTION_LEVEL_INITIAL) return end->server ? server_answer(end) : install_handshake(quic);
  if (!end->server) return client_answer(end);
  ngtcp2_conn_tls_handshake_completed(quic);
  return 0;
}

/* --- What does not happen, or does not matter --- */

static int on_retry(ngtcp2_conn *quic, const ngtcp2_pkt_hd *hd, void *user_data) {
  (void)quic;
  (void)hd;
  (void)user_data;
  return NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_version(ngtcp2_conn *quic, uint32_t version, const ngtcp2_cid *dcid, void *user_data) {
  (void)quic;
  (void)version;
  (void)dcid;
  (void)user_data;
  return NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_update_key(ngtcp2_conn *quic, uint8_t *rx_secret, uint8_t *tx_secret, ngtcp2_crypto_aead_ctx *rx,
                         uint8_t *rx_iv, ngtcp2_crypto_aead_ctx *tx, uint8_t *tx_iv, const uint8_t *rx_now,
                         const uint8_t *tx_now, size_t len, void *user_data) {
  (void)quic;
  (void)rx_now;
  (void)tx_now;
  (void)user_data;
  memset(rx_secret, 0, len);
  memset(tx_secret, 0, len);
  memset(rx, 0, sizeof(*rx));
  memset(tx, 0, sizeof(*tx));
  memset(rx_iv, 0, IV_LEN);
  memset(tx_iv, 0, IV_LEN);
  return 0;
}

static void on_delete_key(ngtcp2_conn *quic, ngtcp2_crypto_aead_ctx *ctx, void *user_data) {
  (void)quic;
  (void)ctx;
  (void)user_data;
}

static void on_delete_mask(ngtcp2_conn *quic, ngtcp2_crypto_cipher_ctx *ctx, void *user_data) {
  (void)quic;
  (void)ctx;
  (void)user_data;
}

static int on_challenge(ngtcp2_conn *quic, uint8_t *data, void *user_data) {
  (void)quic;
  (void)user_data;
  memset(data, 0, NGTCP2_PATH_CHALLENGE_DATALEN);
  return 0;
}

static void on_random(uint8_t *dst, size_t len, const ngtcp2_rand_ctx *ctx) {
  (void)ctx;
  memset(dst, 7, len);
}

/* --- Packets in the clear --- */

static int on_mask(uint8_t *dst, const ngtcp2_crypto_cipher *cipher, const ngtcp2_crypto_cipher_ctx *ctx,
                   const uint8_t *sample) {
  (void)cipher;
  (void)ctx;
  (void)sample;
  memset(dst, 0, NGTCP2_HP_MASKLEN);
  return 0;
}

static int on_encrypt(uint8_t *dst, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                      const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
                      size_t aad_len) {
  (void)aead;
  (void)ctx;
  (void)nonce;
  (void)nonce_len;
  (void)aad;
  (void)aad_len;
  if (dst != data) memmove(dst, data, len);
  if (current->retire_prior_to) wt__quic_frames_retire_prior_to(dst, len, current->retire_prior_to);
  if (current->unwraps) wt__quic_carriers_unwrap(dst, len);
  memset(dst + len, 0, WT__CANARY_TAG);
  return 0;
}

static enum wt__frame_fate end_judge(void *ctx, const struct wt__quic_frame *frame) {
  struct wt__canary_end *end = ctx;
  if (frame->type == WT__FRAME_RETIRE_CONNECTION_ID) end->ids_retired++;
  if (frame->type != WT__FRAME_RESET_STREAM_AT) return WT__FRAME_KEEP;
  end->reset_at = *frame;
  return WT__FRAME_AS_PING;
}

static int on_decrypt(uint8_t *dst, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                      const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
                      size_t aad_len) {
  (void)aead;
  (void)ctx;
  (void)nonce;
  (void)nonce_len;
  (void)aad;
  (void)aad_len;
  if (len < WT__CANARY_TAG) return NGTCP2_ERR_DECRYPT;
  memmove(dst, data, len - WT__CANARY_TAG);
  wt__quic_frames_rewrite(dst, len - WT__CANARY_TAG, end_judge, current);
  return 0;
}

/* --- What is counted --- */

static int on_new_id(ngtcp2_conn *quic, ngtcp2_cid *cid, uint8_t *token, size_t len, void *user_data) {
  struct wt__canary_end *end = user_data;
  (void)quic;
  end->ids_made++;
  memset(cid->data, end->server ? 0x50 : 0xc0, len);
  cid->data[0] = (uint8_t)end->ids_made;
  cid->datalen = len;
  memset(token, (int)end->ids_made, NGTCP2_STATELESS_RESET_TOKENLEN);
  return 0;
}

static int on_data(ngtcp2_conn *quic, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data, size_t len,
                   void *user_data, void *stream_user_data) {
  struct wt__canary_end *end = user_data;
  (void)quic;
  (void)flags;
  (void)id;
  (void)offset;
  (void)data;
  (void)stream_user_data;
  end->received += len;
  return 0;
}

static int on_open(ngtcp2_conn *quic, int64_t id, void *user_data) {
  struct wt__canary_end *end = user_data;
  (void)quic;
  (void)id;
  end->opened++;
  return 0;
}

static int on_reset(ngtcp2_conn *quic, int64_t id, uint64_t final_size, uint64_t code, void *user_data,
                    void *stream_user_data) {
  struct wt__canary_end *end = user_data;
  (void)quic;
  (void)id;
  (void)final_size;
  (void)code;
  (void)stream_user_data;
  end->resets++;
  return 0;
}

static const ngtcp2_callbacks CALLBACKS = {
    .client_initial = on_client_initial,
    .recv_client_initial = on_recv_client_initial,
    .recv_crypto_data = on_crypto,
    .recv_retry = on_retry,
    .version_negotiation = on_version,
    .encrypt = on_encrypt,
    .decrypt = on_decrypt,
    .hp_mask = on_mask,
    .rand = on_random,
    .get_new_connection_id = on_new_id,
    .update_key = on_update_key,
    .delete_crypto_aead_ctx = on_delete_key,
    .delete_crypto_cipher_ctx = on_delete_mask,
    .get_path_challenge_data = on_challenge,
    .recv_stream_data = on_data,
    .stream_open = on_open,
    .stream_reset = on_reset,
};

/* --- Both --- */

static void params_fill(ngtcp2_transport_params *params) {
  ngtcp2_transport_params_default(params);
  params->initial_max_stream_data_bidi_local = WINDOW;
  params->initial_max_stream_data_bidi_remote = WINDOW;
  params->initial_max_stream_data_uni = WINDOW;
  params->initial_max_data = WINDOW;
  params->initial_max_streams_bidi = STREAMS;
  params->initial_max_streams_uni = STREAMS;
  params->active_connection_id_limit = WT__CANARY_LIMIT;
  params->max_datagram_frame_size = WINDOW - 1;
}

static void path_fill(ngtcp2_path_storage *path) {
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = 1}, remote = {.sin_family = AF_INET, .sin_port = 2};
  ngtcp2_path_storage_init(path, (const ngtcp2_sockaddr *)&local, sizeof(local), (const ngtcp2_sockaddr *)&remote,
                           sizeof(remote), NULL);
}

static int ends_make(struct wt__canary_pair *pair) {
  ngtcp2_cid client = {.datalen = WT__CANARY_CID, .data = {0xc0}}, server = {.datalen = WT__CANARY_CID, .data = {0x50}};
  ngtcp2_cid first = {.datalen = WT__CANARY_CID, .data = {0x01}};
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = pair->now;
  params_fill(&params);
  int error = ngtcp2_conn_client_new(&pair->client.quic, &first, &client, &pair->path.path, NGTCP2_PROTO_VER_V1,
                                     &CALLBACKS, &settings, &params, NULL, &pair->client);
  if (error) return error;
  params.original_dcid = first;
  params.original_dcid_present = 1;
  return ngtcp2_conn_server_new(&pair->server.quic, &client, &server, &pair->path.path, NGTCP2_PROTO_VER_V1, &CALLBACKS,
                                &settings, &params, NULL, &pair->server);
}

bool wt__canary_pair_begin(struct wt__canary_pair *pair) {
  memset(pair, 0, sizeof(*pair));
  pair->client.pair = pair->server.pair = pair;
  pair->server.server = true;
  pair->now = WT__NS_PER_S;
  path_fill(&pair->path);
  pair_check(pair, ends_make(pair));
  if (!pair->failed) wt__canary_pair_run(pair);
  return !pair->failed && ngtcp2_conn_get_handshake_completed(pair->client.quic) &&
         ngtcp2_conn_get_handshake_completed(pair->server.quic);
}

void wt__canary_pair_free(struct wt__canary_pair *pair) {
  ngtcp2_conn_del(pair->client.quic);
  ngtcp2_conn_del(pair->server.quic);
}

/* --- Packets from one to the other --- */

static struct wt__canary_end *end_other(struct wt__canary_end *end) {
  return end->server ? &end->pair->client : &end->pair->server;
}

int wt__canary_read(struct wt__canary_end *end, const uint8_t *packet, size_t len) {
  const ngtcp2_pkt_info info = {0};
  ngtcp2_path path = *ngtcp2_conn_get_path(end->quic);
  current = end;
  int error = ngtcp2_conn_read_pkt(end->quic, &path, &info, packet, len, end->pair->now);
  current = NULL;
  return error;
}

/* One packet of a stream's byte (`id` -1: of whatever there is). True: there was one. */
static bool end_write(struct wt__canary_end *end, int64_t id) {
  uint8_t packet[PACKET_SIZE];
  ngtcp2_vec byte = {(uint8_t *)(uintptr_t)CRYPTO, 1};
  ngtcp2_pkt_info info;
  ngtcp2_ssize taken;
  end->pair->now += STEP;
  current = end;
  ngtcp2_ssize len = ngtcp2_conn_writev_stream(end->quic, NULL, &info, packet, sizeof(packet), &taken, 0, id, &byte,
                                               id >= 0 ? 1 : 0, end->pair->now);
  current = NULL;
  if (len < 0) end->pair->failed = true;
  if (len > 0) pair_check(end->pair, wt__canary_read(end_other(end), packet, (size_t)len));
  return len > 0 && !end->pair->failed;
}

void wt__canary_send_byte(struct wt__canary_end *end, int64_t id) { (void)end_write(end, id); }

void wt__canary_send_datagram(struct wt__canary_end *end, const uint8_t *data, size_t len) {
  uint8_t packet[PACKET_SIZE];
  ngtcp2_vec vec = {(uint8_t *)(uintptr_t)data, len};
  ngtcp2_pkt_info info;
  int accepted = 0;
  current = end;
  ngtcp2_ssize written = ngtcp2_conn_writev_datagram(end->quic, NULL, &info, packet, sizeof(packet), &accepted, 0, 1,
                                                     &vec, 1, end->pair->now);
  current = NULL;
  if (written <= 0 || !accepted) {
    end->pair->failed = true;
    return;
  }
  pair_check(end->pair, wt__canary_read(end_other(end), packet, (size_t)written));
}

static bool end_flush(struct wt__canary_end *end) {
  bool any = false;
  for (int i = 0; i < TURNS && end_write(end, -1); i++) any = true;
  return any;
}

void wt__canary_flush(struct wt__canary_end *end) { (void)end_flush(end); }

void wt__canary_pair_run(struct wt__canary_pair *pair) {
  bool more = true;
  for (int i = 0; i < TURNS && more && !pair->failed; i++) {
    more = end_flush(&pair->client);
    if (end_flush(&pair->server)) more = true;
  }
}

void wt__canary_pair_rest(struct wt__canary_pair *pair) {
  pair->now += REST;
  pair_check(pair, ngtcp2_conn_handle_expiry(pair->client.quic, pair->now));
  pair_check(pair, ngtcp2_conn_handle_expiry(pair->server.quic, pair->now));
  if (!pair->failed) wt__canary_pair_run(pair);
}
