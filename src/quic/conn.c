/* SPDX-License-Identifier: MIT */

/*
 * A QUIC connection's life around ngtcp2: made for an Initial packet, fed with packets, woken by timers,
 * closed.
 *
 * HTTP/3 begins as soon as 1-RTT packets can be written, which is with the server's first flight and half
 * a round trip before the handshake is done: the SETTINGS are then already there when the client's first
 * request is made. Nothing of the client's can reach HTTP/3 before the handshake is done.
 *
 * The end has two parts (RFC 9000, section 10.2). The application hears of it at once, and what is large
 * (streams, TLS, ngtcp2's state) is freed at once. What stays for three probe timeouts is the ids and, if
 * the end was ours, the packet with the CONNECTION_CLOSE: a peer that missed it and goes on sending gets
 * it again after 1, 2, 4, 8, ... further packets. The number of such remains is bounded by the number of
 * connections.
 *
 * ngtcp2 must not be freed, nor its connection written, inside its callbacks. So callbacks only set
 * flags, and the functions below act upon them after ngtcp2 has returned.
 */

#include "quic/conn.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "base/mem.h"
#include "core/ending.h"
#include "h3/conn.h"
#include "quic/admit.h"
#include "quic/answers.h"
#include "quic/batch.h"
#include "quic/blocks.h"
#include "quic/budget.h"
#include "quic/callbacks.h"
#include "quic/cid.h"
#include "quic/client.h"
#include "quic/congestion.h"
#include "quic/crypto_in.h"
#include "quic/current.h"
#include "quic/ending.h"
#include "quic/endpoint.h"
#include "quic/half_open.h"
#include "quic/handshake_path.h"
#include "quic/idle.h"
#include "quic/packet_keys.h"
#include "quic/path.h"
#include "quic/path_watch.h"
#include "quic/peers.h"
#include "quic/pressure.h"
#include "quic/probe.h"
#include "quic/read_limit.h"
#include "quic/rebinding.h"
#include "quic/reset_at.h"
#include "quic/shared.h"
#include "quic/tls.h"
#include "quic/token.h"
#include "quic/transport.h"
#include "quic/turn.h"
#include "quic/wake.h"
#include "quic/window.h"
#include "quic/write.h"

#define RESERVED_UNI_STREAMS 3        /* HTTP/3's control and QPACK streams of the peer */
#define MAX_DATAGRAM_FRAME_SIZE 65535 /* any that fits into a packet */
#define ACTIVE_CID_LIMIT 4            /* ids of the peer's that we keep, for migrations */
#define END_PTOS 3
#define END_MAX (10000 * WT__NS_PER_MS) /* remains stay no longer, whatever round-trip time the peer makes us believe */
#define END_GRAIN (100 * WT__NS_PER_MS) /* remains end together, at multiples of this, and not with a timer each */
#define SETTLED_INTERVAL \
  (2 * WT__NS_PER_MS) /* a round trip of the loop with some hundred messages; max_ack_delay allows 25 ms */
#define BLOCKED_INTERVAL (25 * WT__NS_PER_MS) /* how often deadlines are looked at while the socket is full */

/* --- Making --- */

static const uint32_t VERSIONS[] = {NGTCP2_PROTO_VER_V1, NGTCP2_PROTO_VER_V2};

/* UDP payloads that are tried on a path (RFC 8899), in this order; one that is smaller than what has passed, or larger
 * than what has not, is left out. Ethernet's 1,500 bytes hold 1,472 of IPv4 and 1,452 of IPv6, PPPoE's 1,492 hold 1,444
 * of the latter; tunnels leave less. No more than Ethernet: other stacks stop there, too. */
static const uint16_t PAYLOADS[] = {1406, 1452, WT__MAX_PAYLOAD, 1444, 1342, 1232};

void wt__conn_settings(ngtcp2_settings *settings, const struct wt__conn *conn) {
  const struct wt__endpoint *endpoint = conn->endpoint;
  const struct wt__endpoint_config *config = &endpoint->config;
  ngtcp2_settings_default(settings);
  settings->cc_algo = wt__congestion_algorithm(conn->congestion_control);
  settings->initial_ts = endpoint->now;
  settings->ack_thresh = 1; /* ack_wait.c */
  settings->max_window = 0; /* window.c grows it */
  settings->max_stream_window = config->max_stream_data;
  settings->max_tx_udp_payload_size = WT__MAX_PAYLOAD;
  settings->pmtud_probes = PAYLOADS;
  settings->pmtud_probeslen = sizeof(PAYLOADS) / sizeof(*PAYLOADS);
  if (config->handshake_timeout_ms) settings->handshake_timeout = config->handshake_timeout_ms * WT__NS_PER_MS;
  /* No preference among the versions: the client's choice stands. */
  settings->available_versions = VERSIONS;
  settings->available_versionslen = sizeof(VERSIONS) / sizeof(*VERSIONS);
}

static void conn_settings(ngtcp2_settings *settings, const struct wt__conn *conn, const struct wt__accept *accept) {
  wt__conn_settings(settings, conn);
  if (accept->verdict == WT__TOKEN_RETRY || accept->verdict == WT__TOKEN_REGULAR) {
    settings->token = accept->hd->token;
    settings->tokenlen = accept->hd->tokenlen;
    settings->token_type = accept->verdict == WT__TOKEN_RETRY ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
  }
}

void wt__conn_params(ngtcp2_transport_params *params, const struct wt__endpoint *endpoint) {
  const struct wt__endpoint_config *config = &endpoint->config;
  ngtcp2_transport_params_default(params);
  params->initial_max_data = config->initial_max_data;
  params->initial_max_stream_data_bidi_local = config->initial_max_stream_data;
  params->initial_max_stream_data_bidi_remote = config->initial_max_stream_data;
  params->initial_max_stream_data_uni = config->initial_max_stream_data;
  params->initial_max_streams_bidi = config->max_streams_bidi;
  params->initial_max_streams_uni = config->max_streams_uni + RESERVED_UNI_STREAMS;
  params->max_idle_timeout = config->idle_timeout_ms * WT__NS_PER_MS;
  params->max_datagram_frame_size = MAX_DATAGRAM_FRAME_SIZE;
  params->active_connection_id_limit = ACTIVE_CID_LIMIT;
}

static int conn_params(ngtcp2_transport_params *params, const struct wt__endpoint *endpoint,
                       const struct wt__accept *accept, const ngtcp2_cid *scid) {
  wt__conn_params(params, endpoint);
  params->original_dcid = accept->odcid;
  params->original_dcid_present = 1;
  if (accept->verdict == WT__TOKEN_RETRY) {
    params->retry_scid = accept->hd->dcid;
    params->retry_scid_present = 1;
  }
  params->stateless_reset_token_present = 1;
  return ngtcp2_crypto_generate_stateless_reset_token(params->stateless_reset_token, endpoint->config.reset_key,
                                                      WT__RESET_KEY_LEN, scid)
             ? WT_ERR_TLS
             : 0;
}

static int conn_init_quic(struct wt__conn *conn, const struct wt__accept *accept) {
  struct wt__endpoint *endpoint = conn->endpoint;
  const ngtcp2_pkt_hd *hd = accept->hd;
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_callbacks callbacks;
  ngtcp2_path path;
  ngtcp2_cid scid = {.datalen = WT__CID_LEN};
  int error = wt__cid_generate(scid.data, endpoint->config.worker, endpoint->config.workers);
  if (!error) error = wt__cid_map_add(&endpoint->cids, scid.data, scid.datalen, conn, &conn->cids);
  if (!error) error = wt__cid_map_add(&endpoint->cids, hd->dcid.data, hd->dcid.datalen, conn, &conn->cids);
  if (!error) error = conn_params(&params, endpoint, accept, &scid);
  if (error) return error;
  conn->congestion_control = endpoint->config.congestion_control;
  conn_settings(&settings, conn, accept);
  wt__conn_set_callbacks(&callbacks);
  wt__path_to_quic(&path, accept->path);
  ngtcp2_conn *quic; /* set even on an error, to what is freed by then */
  error = ngtcp2_conn_server_new(&quic, &hd->scid, &scid, &path, hd->version, &callbacks, &settings, &params,
                                 &conn->blocks.mem, conn);
  if (error) return error == NGTCP2_ERR_NOMEM ? WT_ERR_NOMEM : WT_ERR_INVALID;
  conn->quic = quic;
  error = wt__tls_new_server(&conn->tls, endpoint->config.tls, conn->quic);
  if (!error) wt__tls_set_keys(conn->tls, &conn->keys);
  return error;
}

void wt__conn_set_name(struct wt__conn *conn, const ngtcp2_cid *cid) {
  static const char digits[] = "0123456789abcdef";
  char *at = conn->name;
  for (size_t i = 0; i < cid->datalen && i < WT__CID_MAX_LEN; i++) {
    *at++ = digits[cid->data[i] >> 4];
    *at++ = digits[cid->data[i] & 15];
  }
  *at = '\0';
}

static size_t conn_answer_size(const struct wt__conn_answer *answer) { return sizeof(*answer) + answer->len; }

static void conn_count(struct wt__conn *conn, size_t uncounted) {
  wt__gauge_remove(&conn->gauge, conn->uncounted);
  wt__gauge_add(&conn->gauge, uncounted);
  conn->uncounted = uncounted;
}

struct wt__conn *wt__conn_alloc(struct wt__endpoint *endpoint) {
  struct wt__conn *made = wt__calloc(1, sizeof(*made));
  if (!made) return NULL;
  made->endpoint = endpoint;
  made->born_at = endpoint->now;
  made->gauge.sum = &endpoint->gauge;
  wt__lane_init(&made->lane, &made->gauge);
  wt__gauge_add(&made->gauge, sizeof(*made));
  conn_count(made, WT__BUDGET_HANDSHAKE);
  wt__window_init(&made->window, endpoint->config.initial_max_data, endpoint->config.max_data);
  made->state = WT__CONN_DRAINING; /* not counted yet: nothing but memory to give back */
  wt__link_init(&made->link);
  wt__link_init(&made->queue);
  wt__heap_node_init(&made->timer);
  wt__list_init(&made->cids);
  wt__packet_keys_init(&made->keys);
  wt__blocks_init(&made->blocks, &made->gauge);
  wt__half_open_entry_init(&made->half_open);
  made->acked_id = -1;
  wt__path_watch_init(made);
  made->ack_wait.urgent = true;
  made->release_at = made->keep_alive_interval = made->idle_announced = UINT64_MAX;
  wt__crypto_in_init(&made->crypto_in, &made->gauge);
  wt__reset_at_recv_init(made, endpoint->config.max_streams_bidi,
                         endpoint->config.max_streams_uni + RESERVED_UNI_STREAMS);
  wt__reset_at_send_init(made);
  return made;
}

void wt__conn_add(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  conn->state = WT__CONN_OPEN;
  wt__list_push_back(&endpoint->conns, &conn->link);
  endpoint->stats.connections_open++;
  endpoint->stats.connections_total++;
  endpoint->stats.handshakes_open++;
  WT__DEBUG(endpoint->config.log, "connection %s: begins", conn->name);
}

static int conn_join_half_open(struct wt__conn *conn, const struct wt__accept *accept) {
  struct wt__endpoint *endpoint = conn->endpoint;
  bool validated = accept->verdict == WT__TOKEN_RETRY || accept->verdict == WT__TOKEN_REGULAR;
  int error = validated ? wt__shared_peer_handshake(endpoint->shared, conn->peer_key) : 0;
  if (error) return error;
  error = wt__half_open_add(&endpoint->half_open, &conn->half_open, conn->peer_key, validated, accept->turnover,
                            endpoint->now);
  if (error && validated) wt__shared_peer_remove(endpoint->shared, WT__PEERS_HANDSHAKES, conn->peer_key);
  return error;
}

int wt__conn_new(struct wt__conn **conn, struct wt__endpoint *endpoint, const struct wt__accept *accept) {
  struct wt__conn *made = wt__conn_alloc(endpoint);
  if (!made) return WT_ERR_NOMEM;
  made->peer_key = wt__peers_key(&endpoint->shared->peers, (const struct sockaddr *)&accept->path->remote);
  wt__conn_set_name(made, &accept->odcid);
  int error = conn_init_quic(made, accept);
  if (!error) error = conn_join_half_open(made, accept);
  if (error) {
    wt__conn_free(made, WT_TRANSPORT, 0);
    return error;
  }
  wt__conn_add(made);
  *conn = made;
  return 0;
}

/* --- Ending --- */

static void conn_free_stops(struct wt__conn *conn) {
  if (conn->stops) wt__gauge_remove(&conn->gauge, WT__MAX_STOPS * sizeof(*conn->stops));
  wt__free(conn->stops);
  conn->stops = NULL;
}

/* What only packets need, of which none came or went for a while. */
static void conn_release_idle(struct wt__conn *conn) {
  conn->release_at = UINT64_MAX;
  wt__packet_keys_release(&conn->keys);
  conn_free_stops(conn);
}

/* The name that the client asks for, or its certificate, was refused. */
static void conn_warn_refused(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  const char *why = conn->tls && !conn->client ? wt__tls_error(conn->tls) : NULL;
  char peer[WT__PEER_TEXT_MAX];
  if (!why || !*why) return;
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->gauge.lines, endpoint->now, "the handshake with %s is refused: %s",
                   wt__conn_peer_text(conn, peer, sizeof(peer)), why);
}

/* The connection is not open any more: the application hears of it, and all but the remains is freed. */
static void conn_release(struct wt__conn *conn, enum wt__conn_state state, enum wt_party party, uint64_t code) {
  struct wt__endpoint *endpoint = conn->endpoint;
  struct wt__ending ending = {wt__party_cause(party), conn->close_wanted, code, ""};
  if (conn->has_ending) ending = conn->ending;
  if (conn->state == WT__CONN_OPEN) {
    endpoint->stats.connections_open--;
    if (!conn->handshake_done) endpoint->stats.handshakes_open--;
    if (!conn->client) wt__shared_end(endpoint->shared, conn->handshake_done);
    if (conn->counted) wt__shared_peer_remove(endpoint->shared, WT__PEERS_ESTABLISHED, conn->peer_key);
    wt__conn_log_ending(conn, &ending);
    if (!conn->handshake_done) conn_warn_refused(conn);
  }
  wt__conn_leave_half_open(conn);
  wt__lane_clear(&endpoint->turn, &conn->lane);
  if (conn->client) wt__conn_client_release_resumption(conn);
  conn->state = state; /* from here on the calls of h3 do nothing */
  if (conn->h3) wt__h3_conn_free(conn->h3, &ending);
  if (conn->quic) ngtcp2_conn_del(conn->quic);
  wt__packet_keys_free(&conn->keys);
  wt__blocks_free(&conn->blocks);
  wt__crypto_in_free(&conn->crypto_in);
  wt__reset_at_recv_free(conn);
  wt__reset_at_send_free(conn);
  wt__tls_free(conn->tls);
  conn_count(conn, WT__BUDGET_REMAINS);
  if (conn->withheld) endpoint->withheld--;
  conn->withheld = false;
  conn_free_stops(conn);
  conn->h3 = NULL;
  conn->quic = NULL;
  conn->tls = NULL;
  wt__list_remove(&conn->queue);
  wt__list_remove(&conn->link);
}

void wt__conn_free(struct wt__conn *conn, enum wt_party party, uint64_t code) {
  bool lingered = conn->state != WT__CONN_OPEN && wt__link_linked(&conn->link);
  conn_release(conn, WT__CONN_DRAINING, party, code);
  if (lingered) conn->endpoint->ended_len--;
  wt__heap_remove(&conn->endpoint->timers, &conn->timer);
  wt__cid_map_remove_all(&conn->endpoint->cids, &conn->cids);
  conn_count(conn, 0);
  wt__gauge_remove(&conn->gauge, sizeof(*conn) + (conn->answer ? conn_answer_size(conn->answer) : 0));
  wt__free(conn->answer);
  wt__free(conn->texts);
  wt__free(conn->close_reason);
  wt__free(conn->resumption_key);
  wt__free(conn);
}

/* Leaves the remains for three PTO. It may be gone afterwards. */
static void conn_linger(struct wt__conn *conn, enum wt__conn_state state, enum wt_party party, uint64_t code) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint64_t wait = END_PTOS * ngtcp2_conn_get_pto(conn->quic), end = endpoint->now + (wait < END_MAX ? wait : END_MAX);
  end += END_GRAIN - end % END_GRAIN;
  conn_release(conn, state, party, code);
  wt__list_push_back(&endpoint->ended, &conn->link);
  endpoint->ended_len++;
  if (wt__heap_set(&endpoint->timers, &conn->timer, end)) {
    wt__conn_free(conn, party, code);
    return;
  }
  if (endpoint->ended_len > endpoint->config.max_connections)
    wt__conn_free(WT__CONTAINER_OF(wt__list_first(&endpoint->ended), struct wt__conn, link), party, code);
}

bool wt__endpoint_drop_ended(struct wt__endpoint *endpoint, size_t bytes) {
  size_t before = endpoint->gauge.bytes;
  struct wt__link *link;
  while (before - endpoint->gauge.bytes < bytes) {
    link = wt__list_first(&endpoint->ended);
    if (!link) return false;
    wt__conn_free(WT__CONTAINER_OF(link, struct wt__conn, link), WT_LOCAL, 0);
  }
  return true;
}

/* A CONNECTION_CLOSE, as a packet of `*path`. Its length; 0 or less: there is none. */
static ngtcp2_ssize conn_write_close(struct wt__conn *conn, const ngtcp2_ccerr *error, struct wt__path *path,
                                     uint8_t packet[static WT__BATCH_PACKET_ROOM]) {
  ngtcp2_path_storage storage;
  ngtcp2_pkt_info info = {0};
  ngtcp2_path_storage_zero(&storage);
  wt__conn_set_current(conn);
  ngtcp2_ssize len = ngtcp2_conn_write_connection_close(conn->quic, &storage.path, &info, packet,
                                                        wt__handshake_path_room(conn, WT__BATCH_PACKET_ROOM), error,
                                                        conn->endpoint->now);
  wt__conn_set_current(NULL);
  if (len > 0) wt__handshake_path_resolve(conn, &storage.path.remote, (size_t)len);
  wt__rebinding_resolve(conn, &storage.path.remote);
  if (len > 0) wt__path_from_quic(path, &storage.path);
  return len;
}

void wt__conn_give_way(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint8_t packet[WT__BATCH_PACKET_ROOM];
  struct wt__path path;
  ngtcp2_ccerr error;
  endpoint->stats.handshakes_evicted++;
  ngtcp2_ccerr_set_transport_error(&error, NGTCP2_CONNECTION_REFUSED, NULL, 0);
  ngtcp2_ssize len = conn->half_open.validated ? conn_write_close(conn, &error, &path, packet) : 0;
  if (len > 0) wt__endpoint_send_packet(endpoint, &path, packet, (size_t)len);
  wt__conn_free(conn, WT_TRANSPORT, NGTCP2_CONNECTION_REFUSED);
}

/* Sends a CONNECTION_CLOSE. It may be gone afterwards. */
static void conn_send_close(struct wt__conn *conn, const ngtcp2_ccerr *error, enum wt_party party) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint8_t packet[WT__BATCH_PACKET_ROOM];
  struct wt__conn_answer *answer;
  struct wt__path path;
  ngtcp2_ssize len = conn_write_close(conn, error, &path, packet);
  uint64_t code = error->error_code;
  if (len <= 0) {
    wt__conn_free(conn, party, code);
    return;
  }
  answer = wt__calloc(1, sizeof(*answer) + (size_t)len);
  if (!answer) {
    wt__endpoint_send_packet(endpoint, &path, packet, (size_t)len);
    wt__conn_free(conn, party, code);
    return;
  }
  conn->answer = answer;
  answer->due = 1;
  answer->len = (size_t)len;
  memcpy(answer->packet, packet, answer->len);
  answer->path = path;
  wt__endpoint_send_packet(endpoint, &answer->path, answer->packet, answer->len);
  wt__gauge_add(&conn->gauge, conn_answer_size(answer));
  conn_linger(conn, WT__CONN_CLOSING, party, code);
}

void wt__conn_close_now(struct wt__conn *conn) {
  ngtcp2_ccerr error;
  if (conn->client) wt__conn_client_explain(conn, 0);
  ngtcp2_ccerr_default(&error);
  ngtcp2_ccerr_set_application_error(&error, conn->close_code, (const uint8_t *)conn->close_reason,
                                     conn->close_reason ? strlen(conn->close_reason) : 0);
  wt__conn_ending_of_close(conn, &conn->ending);
  conn->has_ending = true;
  conn_send_close(conn, &error, conn->close_party);
}

static void conn_end_as(struct wt__conn *conn, int error, const ngtcp2_ccerr *sent) {
  wt__conn_ending_of(conn, error, sent, &conn->ending);
  conn->has_ending = true;
}

/* ngtcp2 returned the error `error`: the connection is over. It may be gone afterwards. */
static void conn_fail(struct wt__conn *conn, int error) {
  ngtcp2_ccerr ccerr;
  if (conn->client && !conn->close_wanted) wt__conn_client_explain(conn, error);
  switch (error) {
    case NGTCP2_ERR_DRAINING:
      conn_end_as(conn, error, NULL);
      conn_linger(conn, WT__CONN_DRAINING, WT_PEER, NGTCP2_NO_ERROR);
      return;
    case NGTCP2_ERR_CLOSING:
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_IDLE_CLOSE:
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      conn_end_as(conn, error, NULL);
      wt__conn_free(conn, WT_TRANSPORT, NGTCP2_NO_ERROR);
      return;
    default: break;
  }
  if (conn->close_wanted) {
    wt__conn_close_now(conn);
    return;
  }
  ngtcp2_ccerr_default(&ccerr);
  if (error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_ccerr_set_tls_alert(&ccerr, ngtcp2_conn_get_tls_alert(conn->quic), NULL, 0);
  } else {
    ngtcp2_ccerr_set_liberr(&ccerr, error, NULL, 0);
  }
  conn_end_as(conn, error, &ccerr);
  conn_send_close(conn, &ccerr, WT_TRANSPORT);
}

/* --- HTTP/3 begins --- */

static int conn_start_h3(struct wt__conn *conn, const struct wt__path *path) {
  struct wt__endpoint *endpoint = conn->endpoint;
  char peer[WT__PEER_TEXT_MAX];
  wt__conn_address_text(&path->remote, peer, sizeof(peer));
  int error = wt__h3_conn_new(&conn->h3, &endpoint->config.h3, &wt__quic_transport, conn, peer, endpoint->now);
  if (error) return NGTCP2_ERR_NOMEM;
  WT__DEBUG(endpoint->config.log, "connection %s: from %s", conn->name, peer);
  const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn->quic);
  wt__h3_conn_start(conn->h3, params ? params->max_datagram_frame_size : 0);
  if (endpoint->shutting_down) wt__h3_conn_shutdown(conn->h3);
  return 0;
}

/* --- Packets and time --- */

static void conn_answer_closing(struct wt__conn *conn) {
  struct wt__conn_answer *answer = conn->answer;
  if (++answer->seen < answer->due) return;
  answer->seen = 0;
  answer->due *= 2;
  wt__endpoint_send_packet(conn->endpoint, &answer->path, answer->packet, answer->len);
}

static void conn_settle(struct wt__conn *conn) {
  wt__tls_server_release_session(conn->tls);
  conn_count(conn, WT__BUDGET_CONNECTION + wt__tls_peer_chain_size(conn->tls));
}

/* ngtcp2 has answered the STOP_SENDING frames of a datagram with RESET_STREAM; h3 is told why. */
static void conn_deliver_stops(struct wt__conn *conn) {
  for (size_t i = 0; i < conn->stops_len && conn->h3; i++) {
    const struct wt__stop *stop = &conn->stops[i];
    /* Of a stream that is gone h3 knows all. Setting its user data (we have none) is how ngtcp2 tells. */
    if (ngtcp2_conn_set_stream_user_data(conn->quic, stop->id, NULL)) continue;
    wt__h3_conn_recv_stop_sending(conn->h3, stop->id, stop->code);
  }
  conn->stops_len = 0;
}

/* A server's ngtcp2 passes over what is wrong with an Initial packet, and gives up a connection that begins with it. */
static int conn_crypto_error(const struct wt__conn *conn, int error) {
  bool open = error == 0 || error == NGTCP2_ERR_RETRY || error == NGTCP2_ERR_DROP_CONN;
  return open && conn->crypto_in.error ? conn->crypto_in.error : error;
}

static int conn_read(struct wt__conn *conn, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                     size_t len) {
  ngtcp2_path quic_path;
  ngtcp2_pkt_info info = {.ecn = (uint8_t)(ecn & NGTCP2_ECN_MASK)};
  struct wt__handshake_read handshake;
  struct wt__rebinding rebinding;
  wt__path_to_quic(&quic_path, path);
  conn->stops_len = 0;
  wt__ack_wait_begin(conn);
  wt__handshake_path_begin(conn, &handshake, &quic_path, len);
  wt__rebinding_begin(conn, &rebinding, &quic_path, data, len);
  wt__conn_set_current(conn);
  conn->blocks.reading = true;
  int error = ngtcp2_conn_read_pkt(conn->quic, &quic_path, &info, data, len, conn->endpoint->now);
  conn->blocks.reading = false;
  wt__conn_set_current(NULL);
  wt__rebinding_end(conn, &rebinding);
  wt__handshake_path_end(conn, &handshake);
  wt__ack_wait_end(conn, path, ecn);
  wt__conn_deliver_acked(conn);
  return error;
}

void wt__conn_recv(struct wt__conn *conn, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  struct wt__endpoint *endpoint = conn->endpoint;
  if (conn->state == WT__CONN_CLOSING) conn_answer_closing(conn);
  if (conn->state != WT__CONN_OPEN || wt__conn_refuses_packet(conn, len)) return;
  conn->packets_received++;
  conn->bytes_received += len;
  wt__conn_touch(conn);
  if (conn->client) wt__conn_client_release_resumption(conn);
  if (!conn->handshake_done) conn->handshake_quiet_since = endpoint->now;
  ngtcp2_pkt_hd hd;
  int error = wt__pacing_catch_up(conn);
  if (!error) error = conn_read(conn, path, ecn, data, len);
  error = conn_crypto_error(conn, error);
  if (error == NGTCP2_ERR_RETRY) { /* the client's first bytes came in a way that asks for a proof of its address */
    if (!ngtcp2_accept(&hd, data, len)) wt__endpoint_send_retry(endpoint, path, &hd);
    wt__conn_free(conn, WT_TRANSPORT, NGTCP2_NO_ERROR);
    return;
  }
  if (!error && conn->can_start && !conn->h3) error = conn_start_h3(conn, path);
  if (!error) error = conn->reset_in.error;
  if (!error) {
    if (conn->handshake_done && !conn->client) conn_settle(conn);
    conn_deliver_stops(conn);
    wt__reset_at_recv_tell_finals(conn);
    error = wt__reset_at_recv_inject(conn);
  }
  if (error) {
    conn_fail(conn, error);
    return;
  }
  wt__conn_check_read(conn);
  wt__conn_wake(conn);
}

bool wt__conn_expire(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  if (conn->state != WT__CONN_OPEN) {
    wt__conn_free(conn, WT_TRANSPORT, NGTCP2_NO_ERROR);
    return false;
  }
  int error = wt__pacing_catch_up(conn);
  if (!error) error = wt__reset_at_recv_expire(conn);
  wt__reset_at_send_expire(conn);
  if (conn->release_at <= endpoint->now) conn_release_idle(conn);
  wt__path_watch_expire(conn);
  if (!error && ngtcp2_conn_get_expiry(conn->quic) <= endpoint->now) {
    error = ngtcp2_conn_handle_expiry(conn->quic, endpoint->now);
    conn->ack_wait.urgent = true;
    wt__probe_expired(conn);
  }
  if (error) {
    conn_fail(conn, error);
    return false;
  }
  wt__conn_wake(conn);
  return true;
}

/* When ngtcp2 wants its next turn. After each packet it asks for one a few microseconds later, for the next packet by
 * its pacing and for an acknowledgement after an eighth of the round-trip time. When all is sent, neither is worth
 * waking up for: the next packet to come brings a turn, too, and saves the acknowledgement a packet of its own. */
static uint64_t conn_quic_expiry(const struct wt__conn *conn) {
  uint64_t expiry = wt__pacing_expiry(conn), soonest = 0;
  if (conn->settled && conn->handshake_done) {
    /* Counted from the deadline if that is over: runs that come one after the other must not push it on. */
    uint64_t now = conn->endpoint->now, wait = wt__ack_wait_until(conn);
    soonest = (expiry < now ? expiry : now) + SETTLED_INTERVAL;
    if (wait > soonest) soonest = wait;
  }
  if (conn->amplification_limited)
    soonest = conn->endpoint->now + BLOCKED_INTERVAL; /* else what cannot be sent would make a busy loop */
  return expiry < soonest ? soonest : expiry;
}

/* When its next turn is. Returns 0 or an error of ngtcp2. */
static int conn_schedule(struct wt__conn *conn, bool more) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint64_t expiry = conn_quic_expiry(conn);
  uint64_t h3_expiry = conn->h3 ? wt__h3_conn_expiry(conn->h3) : UINT64_MAX;
  uint64_t reset_expiry = wt__reset_at_recv_expiry(conn);
  uint64_t resend_expiry = wt__reset_at_send_expiry(conn);
  if (h3_expiry < expiry) expiry = h3_expiry;
  if (reset_expiry < expiry) expiry = reset_expiry;
  if (resend_expiry < expiry) expiry = resend_expiry;
  uint64_t path_expiry = wt__path_watch_expiry(conn);
  if (path_expiry < expiry) expiry = path_expiry;
  if (conn->release_at < expiry) expiry = conn->release_at;
  if (endpoint->batch.blocked) {
    wt__list_remove(&conn->queue);
    wt__list_push_back(&endpoint->waiting, &conn->queue);
    conn->waiting = true;
    /* Its deadlines hold, but those that are over because it cannot write must not make a busy loop. */
    if (expiry < endpoint->now + BLOCKED_INTERVAL) expiry = endpoint->now + BLOCKED_INTERVAL;
  } else if (more) {
    wt__conn_wake(conn);
  }
  if (expiry != UINT64_MAX) return wt__heap_set(&endpoint->timers, &conn->timer, expiry) ? NGTCP2_ERR_NOMEM : 0;
  wt__heap_remove(&endpoint->timers, &conn->timer);
  return 0;
}

void wt__conn_run(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  bool more = false;
  int error = wt__pacing_catch_up(conn);
  conn->settled = false;
  conn->pto = ngtcp2_conn_get_pto(conn->quic);
  if (conn->h3) wt__h3_conn_run(conn->h3, endpoint->now);
  if (conn->keep_alive) wt__conn_update_keep_alive(conn);
  wt__conn_extend_max_data(conn);
  wt__reset_at_recv_tell_finals(conn);
  if (!error && !conn->close_wanted) error = wt__reset_at_recv_inject(conn); /* of streams that were stopped meanwhile */
  if (!error && !conn->close_wanted && !endpoint->batch.blocked) {
    wt__list_remove(&conn->queue); /* woken by its own work: that is written now */
    wt__conn_set_current(conn);
    error = wt__conn_write(conn, &more);
    wt__conn_set_current(NULL);
    if (!error && conn->h3) wt__h3_conn_run(conn->h3, endpoint->now);
  }
  if (!error && conn->close_wanted) {
    wt__conn_close_now(conn);
    return;
  }
  if (!error) error = conn_schedule(conn, more);
  if (error) conn_fail(conn, error);
}
