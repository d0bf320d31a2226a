/* SPDX-License-Identifier: MIT */

/*
 * What is known about a connection, for people who look for a fault (`struct wt_connection_info`).
 *
 * ngtcp2 and TLS know nearly all of it, and are asked when the application asks. Kept for this are only two times and the
 * texts of two addresses. HTTP/3 adds what it knows (h3/info.c).
 *
 * The application may ask in the connection's last callbacks, when its transport takes no more calls: it then wants to
 * know why the connection failed. So this file does not look at the connection's state, but at what is still there.
 */

#include "quic/info.h"

#include "base/clock.h"
#include "base/mem.h"
#include "quic/conn.h"
#include "quic/endpoint.h"
#include "quic/path.h"
#include "quic/rebinding.h"
#include "quic/tls.h"

static void info_parameters(struct wt_transport_parameters *dst, const ngtcp2_transport_params *src, bool reset_at) {
  *dst = (struct wt_transport_parameters){
      .max_idle_timeout_ms = src->max_idle_timeout / WT__NS_PER_MS,
      .max_udp_payload_size = src->max_udp_payload_size,
      .initial_max_data = src->initial_max_data,
      .initial_max_stream_data_bidi_local = src->initial_max_stream_data_bidi_local,
      .initial_max_stream_data_bidi_remote = src->initial_max_stream_data_bidi_remote,
      .initial_max_stream_data_uni = src->initial_max_stream_data_uni,
      .initial_max_streams_bidi = src->initial_max_streams_bidi,
      .initial_max_streams_uni = src->initial_max_streams_uni,
      .max_datagram_frame_size = src->max_datagram_frame_size,
      .ack_delay_exponent = src->ack_delay_exponent,
      .max_ack_delay_ms = src->max_ack_delay / WT__NS_PER_MS,
      .active_connection_id_limit = src->active_connection_id_limit,
      .disable_active_migration = src->disable_active_migration != 0,
      .grease_quic_bit = src->grease_quic_bit != 0,
      .reset_stream_at = reset_at,
  };
}

static void info_path(struct wt__conn *conn, struct wt_connection_info *info) {
  struct wt__path path = {0};
  ngtcp2_conn_info stats;
  wt__conn_path(conn, &path);
  if (conn->texts) {
    wt__conn_address_text(&path.remote, conn->texts->peer, sizeof(conn->texts->peer));
    wt__conn_address_text(&path.local, conn->texts->local, sizeof(conn->texts->local));
  }
  ngtcp2_conn_get_conn_info(conn->quic, &stats);
  if (stats.min_rtt != UINT64_MAX) { /* before the first sample, the others are an assumption */
    info->smoothed_rtt_us = stats.smoothed_rtt / NGTCP2_MICROSECONDS;
    info->rtt_variation_us = stats.rttvar / NGTCP2_MICROSECONDS;
    info->min_rtt_us = stats.min_rtt / NGTCP2_MICROSECONDS;
  }
  info->max_udp_payload_size = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->quic);
  info->congestion_window = stats.cwnd;
  info->bytes_in_flight = stats.bytes_in_flight;
  info->slow_start_threshold = stats.ssthresh;
}

static void info_tls(const struct wt__conn *conn, struct wt_connection_info *info) {
  struct wt__tls_info tls;
  wt__tls_get_info(conn->tls, &tls);
  info->tls_version = tls.version;
  info->cipher = tls.cipher;
  info->group = tls.group;
  info->resumed = tls.resumed;
  info->certificate = tls.certificate;
  info->certificate_len = tls.certificate_len;
  info->certificate_verified = tls.verified;
  info->certificate_stapled = tls.stapled;
}

void wt__conn_get_info(void *ctx, struct wt_connection_info *info) {
  struct wt__conn *conn = ctx;
  const size_t size = info->size;
  if (!conn->texts) conn->texts = wt__calloc(1, sizeof(*conn->texts));
  *info = (struct wt_connection_info){.size = size,
                                      .peer_address = conn->texts ? conn->texts->peer : "",
                                      .local_address = conn->texts ? conn->texts->local : "",
                                      .connection_id = conn->name,
                                      .tls_version = "",
                                      .cipher = "",
                                      .group = "",
                                      .congestion_control = conn->congestion_control};
  if (!conn->quic || !conn->tls) return;
  const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn->quic);
  info_path(conn, info);
  info_tls(conn, info);
  info->quic_version = ngtcp2_conn_get_negotiated_version(conn->quic);
  if (!info->quic_version) info->quic_version = ngtcp2_conn_get_client_chosen_version(conn->quic);
  info->has_parameters = params != NULL;
  if (params) info_parameters(&info->parameters, params, wt__tls_peer_has_reset_at(conn->tls));
  if (!conn->handshake_done) return;
  info->handshake_us = (conn->handshake_done_at - conn->born_at) / NGTCP2_MICROSECONDS;
  if (info->handshake_us == 0) info->handshake_us = 1; /* 0 says that it is not done */
}
