/* SPDX-License-Identifier: MIT */

/*
 * What an endpoint tells ngtcp2 and the peer about each of its connections, whichever side has begun it: versions,
 * sizes of packets, windows, limits and timeouts (RFC 9000, section 18). A server's connection adds what depends on
 * the client's first packet (server.c), a client's its token (client.c).
 */

#include "quic/transport_params.h"

#include "base/clock.h"
#include "quic/congestion.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/qlog.h"

#define MAX_DATAGRAM_FRAME_SIZE 65535 /* any that fits into a packet */
#define ACTIVE_CID_LIMIT 4            /* ids of the peer's that we keep, for migrations */

static const uint32_t VERSIONS[] = {NGTCP2_PROTO_VER_V1, NGTCP2_PROTO_VER_V2};

/* UDP payloads that are tried on a path (RFC 8899), in this order; one that is smaller than what has passed, or larger
 * than what has not, is left out. Ethernet's 1,500 bytes hold 1,472 of IPv4 and 1,452 of IPv6, PPPoE's 1,492 hold 1,444
 * of the latter; tunnels leave less. No more than Ethernet: other stacks stop there, too. */
static const uint16_t PAYLOADS[] = {1406, 1452, WT__MAX_PAYLOAD, 1444, 1342, 1232};

void wt__conn_settings(ngtcp2_settings *settings, struct wt__conn *conn) {
  const struct wt__endpoint *endpoint = conn->endpoint;
  const struct wt__endpoint_config *config = &endpoint->config;
  ngtcp2_settings_default(settings);
  settings->cc_algo = wt__congestion_algorithm(conn->congestion_control);
  settings->initial_ts = endpoint->now;
  wt__conn_qlog_init(conn, settings);
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

void wt__conn_params(ngtcp2_transport_params *params, const struct wt__endpoint *endpoint) {
  const struct wt__endpoint_config *config = &endpoint->config;
  ngtcp2_transport_params_default(params);
  params->initial_max_data = config->initial_max_data;
  params->initial_max_stream_data_bidi_local = config->initial_max_stream_data;
  params->initial_max_stream_data_bidi_remote = config->initial_max_stream_data;
  params->initial_max_stream_data_uni = config->initial_max_stream_data;
  params->initial_max_streams_bidi = config->max_streams_bidi;
  params->initial_max_streams_uni = config->max_streams_uni + WT__RESERVED_UNI_STREAMS;
  params->max_idle_timeout = config->idle_timeout_ms * WT__NS_PER_MS;
  params->max_datagram_frame_size = MAX_DATAGRAM_FRAME_SIZE;
  params->active_connection_id_limit = ACTIVE_CID_LIMIT;
}
