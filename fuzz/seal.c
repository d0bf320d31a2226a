/* SPDX-License-Identifier: MIT */
/* Frames in real packets: see seal.h. */

#include "seal.h"

#include <string.h>

#include "quic/conn.h"
#include "quic/current.h"

#define FRAMES_MAX 1200

size_t seal_frames(struct wt__conn *conn, const uint8_t *frames, size_t len, uint8_t packet[SEAL_PACKET_MAX],
                   uint64_t now) {
  uint8_t carrier[8 + FRAMES_MAX];
  ngtcp2_path_storage path;
  ngtcp2_pkt_info info = {0};
  ngtcp2_vec vec = {carrier, 0};
  int accepted = 0;
  if (len > FRAMES_MAX) len = FRAMES_MAX;
  memset(carrier, 0xff, 8); /* a carrier's mark (wire/quic_frame.c) */
  if (len > 0) memcpy(carrier + 8, frames, len);
  vec.len = 8 + len;
  ngtcp2_path_storage_zero(&path);
  wt__conn_set_current(conn);
  wt__reset_at_send_expect(conn);
  ngtcp2_ssize n = ngtcp2_conn_writev_datagram(conn->quic, &path.path, &info, packet, SEAL_PACKET_MAX, &accepted,
                                               NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &vec, 1, now);
  wt__conn_set_current(NULL);
  return n > 0 ? (size_t)n : 0;
}

int seal_hear(struct wt__conn *conn, const uint8_t *packet, size_t len, uint64_t now) {
  ngtcp2_path path = *ngtcp2_conn_get_path(conn->quic);
  ngtcp2_pkt_info info = {0};
  wt__conn_set_current(conn);
  int error = ngtcp2_conn_read_pkt(conn->quic, &path, &info, packet, len, now);
  wt__conn_set_current(NULL);
  conn->acked_id = -1;
  conn->stops_len = 0;
  return error;
}
