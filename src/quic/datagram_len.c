/* SPDX-License-Identifier: MIT */

/*
 * How long the payload of a DATAGRAM frame may be: what the path's packets and the peer's transport parameters leave.
 */

#include "quic/datagram_len.h"

#include "quic/canary.h"
#include "quic/conn.h"
#include "quic/path_mtu.h"

#define AEAD_OVERHEAD 16
#define NUMBER_MAX 4 /* the longest packet number */

static size_t min_size(size_t a, uint64_t b) { return a < b ? a : (size_t)b; }

/* The overhead of a DATAGRAM frame with a length, for the largest payload of a frame of `frame` bytes. */
static size_t frame_payload(size_t frame) {
  if (frame < 2) return 0;
  if (frame - 2 < 64) return frame - 2;
  if (frame < 3 + 64) return 63; /* the length would need a second byte */
  return frame - 3 < 16384 ? frame - 3 : frame - 5;
}

size_t wt__conn_datagram_room(const struct wt__conn *conn, size_t packet, size_t number_len) {
  size_t overhead = 1 + ngtcp2_conn_get_dcid(conn->quic)->datalen + number_len + AEAD_OVERHEAD;
  return packet > overhead ? frame_payload(packet - overhead) : 0;
}

size_t wt__conn_find_max_datagram_len(const struct wt__conn *conn) {
  const ngtcp2_transport_params *peer = ngtcp2_conn_get_remote_transport_params(conn->quic);
  if (!peer || !peer->max_datagram_frame_size) return 0;
  size_t packet = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->quic);
  packet = min_size(packet, ngtcp2_conn_get_max_tx_udp_payload_size(conn->quic));
  packet = min_size(packet, wt__path_mtu_size(&conn->mtu));
  if (peer->max_udp_payload_size) packet = min_size(packet, peer->max_udp_payload_size);
  size_t room = wt__conn_datagram_room(conn, packet, NUMBER_MAX);
  return min_size(room, frame_payload(min_size(packet, peer->max_datagram_frame_size)));
}

size_t wt__conn_max_datagram_len(const struct wt__conn *conn) {
  return conn->packet_len ? conn->max_datagram_len : wt__conn_find_max_datagram_len(conn);
}

bool wt__conn_may_carry(const struct wt__conn *conn, size_t len) {
  return wt__canary()->carriers && wt__conn_max_datagram_len(conn) >= len;
}
