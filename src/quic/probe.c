/* SPDX-License-Identifier: MIT */

/*
 * A probe that ngtcp2 cannot talk itself out of.
 *
 * When a probe timeout (PTO) expires, a sender must send at least one ack-eliciting packet, the congestion window
 * notwithstanding (RFC 9002, sections 6.2.4 and 7.5). ngtcp2 (1.11, and later ones) looks for bytes to repeat first. If
 * it finds that all in flight is a copy of what another packet has delivered, it sends nothing and stops its loss
 * timer. The packets stay in flight: nothing will ever declare them lost. Should they fill the window, as two do that
 * has collapsed, the connection can send no more than acknowledgements until it ends.
 *
 *   copies in flight fill the window --PTO--> nothing to repeat: timer stopped, window full, for good
 *                                    --PTO--> PING --acknowledged--> copies are lost, window open
 *
 * ngtcp2 neither looks for bytes nor stops the timer while it is given a DATAGRAM frame to write, nor while one is in
 * flight. So after a timer has fired with a full window, the next packet that it lets through begins with one. It
 * is a carrier (wire/quic_frame.h) of a PING, and the peer sees the PING alone. A full window lets no packet
 * through but ngtcp2's probes, so this adds none: of the two packets per PTO, the first may be this one, and the
 * other one repeats bytes as ever.
 *
 * A PATH_RESPONSE has no timer either. A client behind a NAT that changes ports answers one PATH_CHALLENGE after another,
 * each in a packet of 1,200 bytes. Where they are lost, they alone can fill a small window for good. So the packet that carries
 * one gets such a PING as well.
 *
 * It needs a peer that has announced DATAGRAM frames, since ngtcp2 writes none otherwise: WebTransport has to.
 */

#include "quic/probe.h"

#include "quic/conn.h"
#include "quic/datagram_len.h"
#include "wire/quic_frame.h"

static bool conn_is_full(const struct wt__conn *conn) { return ngtcp2_conn_get_cwnd_left(conn->quic) == 0; }

void wt__probe_expired(struct wt__conn *conn) {
  if (conn->handshake_done && conn_is_full(conn)) conn->probe_wanted = true;
}

size_t wt__probe_next(struct wt__conn *conn, uint8_t *carrier, uint64_t *number) {
  if (conn->probe_wanted && !conn_is_full(conn)) conn->probe_wanted = false; /* something was acknowledged meanwhile */
  if (!conn->probe_wanted && !conn->challenged) return 0;
  if (!wt__conn_may_carry(conn, WT__CARRIER_MAX)) return 0;
  *number = WT__PROBE_NUMBER;
  return wt__quic_carrier_write(carrier, &(struct wt__quic_frame){.type = WT__FRAME_PING});
}

void wt__probe_sent(struct wt__conn *conn) { conn->probe_wanted = conn->challenged = false; }
