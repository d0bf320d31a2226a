/* SPDX-License-Identifier: MIT */

/*
 * What packets, acknowledgements and silence tell about the path.
 *
 * ngtcp2 tells nobody which packets were acknowledged, nor how large they were. So the numbers and sizes of 1-RTT packets
 * are taken down as they are encrypted, and ACK frames are read as they are decrypted (callbacks.c). Four things follow:
 *
 *   How large packets may be. See path_mtu.c. Its probes are DATAGRAM frames that become a PING and PADDING when the
 *   packet is encrypted, as with other carriers (wire/quic_frame.h), so the peer's application never sees them. They need
 *   a peer that takes DATAGRAM frames; with others what was lost of the size is tried as a whole when the search begins
 *   anew.
 *
 *   Whether anything arrives. QUIC's idle timer begins anew with each packet that comes, so a peer that goes on sending
 *   keeps a connection open on whose other direction nothing passes. After the idle timeout without any acknowledgement,
 *   while packets wait for one, the connection ends.
 *
 *   Whether marked packets pass. Some paths drop what has an ECN mark. ngtcp2 finds that out at the beginning, from ten
 *   packets, which takes a handshake through several probe timeouts, and no more afterwards. So where nothing is heard for
 *   a probe timeout, packets bear no mark any more; the lack of counts then tells ngtcp2 (RFC 9000, section 13.4.2).
 *
 *   Whether more is to come. A client that only receives says nothing once nothing arrives. If a NAT on the way has given
 *   it a new address, the server goes on sending to the old one, and learns of the new one from the client's next packet.
 *   So when bytes flowed, and then there are none for some probe timeouts, the client sends PINGs for some seconds. Some
 *   are padded: a server may send three times what has come from an address that it has not validated. Messages that
 *   come one by one, with a pause between any two, are no flow: each would cost both ends a PING and an answer.
 */

#include "quic/path_watch.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "h3/conn.h"
#include "quic/datagram_len.h"
#include "quic/idle.h"
#include "quic/path.h"
#include "quic/path_mtu.h"
#include "quic/probe.h"
#include "quic/rebinding.h"
#include "quic/wake.h"
#include "wire/error_code.h"
#include "wire/quic_frame.h"

#define FLOW_MIN 8                      /* packets without a pause: more than a message or an answer */
#define PAUSES_MAX 8                    /* in a row, with one packet between two: messages, not a path in trouble */
#define QUIET_PTOS 3                    /* a pause */
#define QUIET_MIN (50 * WT__NS_PER_MS)  /* likewise, at least */
#define PING_PAUSE (50 * WT__NS_PER_MS) /* between PINGs, at first */
#define PADDED_PAUSE (250 * WT__NS_PER_MS)
#define PING_RESERVE 4096 /* bytes of the congestion window that padding leaves to PINGs to come */
#define PING_PAUSE_LATER (1000 * WT__NS_PER_MS)
#define PINGS_OFTEN (6000 * WT__NS_PER_MS) /* so long after the last bytes */
#define PINGS_FOR (15000 * WT__NS_PER_MS)  /* then the application has no more to say */
#define PING_MARK 9                        /* bytes of a carrier of a PING */

void wt__path_watch_init(struct wt__conn *conn) {
  wt__path_mtu_init(&conn->mtu);
  conn->handshake_quiet_since = conn->endpoint->now;
}

/* --- Packets --- */

static void on_range(void *ctx, uint64_t first, uint64_t last) {
  struct wt__conn *conn = ctx;
  if (last > conn->last_sent) return; /* ngtcp2 will refuse it */
  if (last > conn->highest_acked) {
    conn->highest_acked = last;
    conn->unacked_since = 0;
  }
  wt__path_mtu_acked(&conn->mtu, first, last);
}

void wt__path_watch_acked(struct wt__conn *conn, const struct wt__quic_frame *ack) {
  if (wt__path_mtu_watches(&conn->mtu)) {
    wt__quic_ack_ranges(ack, on_range, conn);
  } else {
    on_range(conn, ack->largest, ack->largest);
  }
}

void wt__path_watch_data_received(struct wt__conn *conn, bool more) {
  if (!conn->client) return;
  uint64_t since = conn->endpoint->now - conn->data_received_at;
  conn->data_pauses = since > QUIET_PTOS * conn->pto ? conn->data_pauses + 1 : 0;
  /* What flowed before goes on to flow: of a path in trouble a few packets come now and then. */
  unsigned pauses_max = conn->data_packets < FLOW_MIN ? 1 : PAUSES_MAX;
  if (conn->data_pauses >= pauses_max || since > PINGS_FOR) conn->data_packets = 0;
  conn->data_packets = more ? conn->data_packets + 1 : 0;
  conn->data_received_at = conn->endpoint->now;
}

/* --- Passes --- */

static void conn_log_size(const struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  WT__INFO_LIMITED(
      endpoint->config.log, &endpoint->path_lines, endpoint->now,
      WT__EVENT_OF("path_mtu_fell", WT__CONNECTION(conn), WT__INTEGER("bytes", wt__path_mtu_size(&conn->mtu))),
      "connection %s: the path carries packets of %zu bytes no more, now %zu at most", conn->name, conn->mtu.known,
      wt__path_mtu_size(&conn->mtu));
}

static void conn_update_size(struct wt__conn *conn) {
  size_t packet_len = wt__path_mtu_size(&conn->mtu), cid_len = ngtcp2_conn_get_dcid(conn->quic)->datalen;
  if (packet_len == conn->packet_len && cid_len == conn->cid_len) return;
  conn->packet_len = packet_len;
  conn->cid_len = cid_len;
  size_t len = wt__conn_find_max_datagram_len(conn);
  if (len == conn->max_datagram_len) return;
  conn->max_datagram_len = len;
  if (conn->h3) wt__h3_conn_datagram_len_changed(conn->h3);
  wt__conn_wake(conn); /* the callback is h3's, in the next pass */
}

void wt__path_watch_begin(struct wt__conn *conn) {
  if (!conn->handshake_done) return;
  wt__path_mtu_learn(&conn->mtu, ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->quic));
  conn_update_size(conn);
}

void wt__path_watch_end(struct wt__conn *conn, size_t written) {
  if (!conn->handshake_done || !written || conn->unacked_since) return;
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  if (info.bytes_in_flight) conn->unacked_since = conn->endpoint->now;
}

void wt__path_watch_refused(struct wt__conn *conn, size_t size) {
  if (conn->state != WT__CONN_OPEN || !conn->handshake_done) return;
  if (!wt__path_mtu_refused(&conn->mtu, size, conn->endpoint->now)) return;
  conn_log_size(conn);
  conn_update_size(conn);
  wt__conn_wake(conn); /* its deadlines have changed */
}

/* Just before a probe timeout, whose packets are to be the first without. With ACK frames, the second one. */
bool wt__path_watch_may_mark_ecn(struct wt__conn *conn) {
  uint64_t now = conn->endpoint->now, pto = conn->pto;
  if (conn->ecn_disabled) return false;
  bool quiet = conn->handshake_done ? conn->unacked_since && now - conn->unacked_since >= pto + pto / 2
                                    : now - conn->handshake_quiet_since >= pto - pto / 8;
  conn->ecn_disabled = quiet && pto;
  return !conn->ecn_disabled;
}

/* --- Probes --- */

static bool conn_may_probe(const struct wt__conn *conn) { return wt__conn_may_carry(conn, WT__CARRIER_MAX); }

/* Whether the PING that is wanted may be as long as a packet. Those that are lost stay in the congestion window. */
static bool ping_may_be_padded(const struct wt__conn *conn) {
  return conn->endpoint->now - conn->padded_at >= PADDED_PAUSE &&
         ngtcp2_conn_get_cwnd_left(conn->quic) >= WT__PATH_MTU_BASE + PING_RESERVE;
}

size_t wt__path_watch_probe(const struct wt__conn *conn, uint8_t payload[static WT__MTU_PROBE_MAX], size_t *size,
                            uint64_t *number) {
  *size = conn->ping_wanted ? WT__PATH_MTU_BASE : wt__path_mtu_probe(&conn->mtu, conn->endpoint->now);
  if (!*size || !conn_may_probe(conn)) return 0;
  if (!conn->ping_wanted && ngtcp2_conn_get_cwnd_left(conn->quic) < *size) return 0;
  size_t len = wt__conn_datagram_room(conn, *size, conn->number_len);
  if (conn->ping_wanted && !ping_may_be_padded(conn)) len = PING_MARK;
  if (len < PING_MARK || len > WT__MTU_PROBE_MAX) return 0;
  memset(payload, 0, len);
  (void)wt__quic_carrier_write(payload, &(struct wt__quic_frame){.type = WT__FRAME_PING});
  *number = conn->ping_wanted ? WT__PROBE_NUMBER : WT__MTU_PROBE_NUMBER | *size;
  return len;
}

bool wt__path_watch_reserves_window(const struct wt__conn *conn) {
  size_t size = wt__path_mtu_probe(&conn->mtu, conn->endpoint->now);
  return size && conn_may_probe(conn) && ngtcp2_conn_get_cwnd_left(conn->quic) < conn->mtu.limit + size;
}

void wt__path_watch_probed(struct wt__conn *conn, size_t len, bool sent) {
  if (conn->ping_wanted) {
    conn->ping_wanted = false;
    if (len > PING_MARK) conn->padded_at = conn->endpoint->now;
    return;
  }
  wt__path_mtu_probed(&conn->mtu, sent, conn->pto, conn->endpoint->now);
}

void wt__path_watch_probe_arrived(struct wt__conn *conn, uint64_t number) {
  wt__path_mtu_probe_arrived(&conn->mtu, (size_t)(number & ~WT__MTU_PROBE_NUMBER), conn->endpoint->now);
}

/* --- Time --- */

/* When the next PING is due, if nothing comes. */
static uint64_t quiet_expiry(const struct wt__conn *conn) {
  if (conn->data_packets < FLOW_MIN) return UINT64_MAX; /* a server's always */
  uint64_t wait = QUIET_PTOS * conn->pto, since = conn->pinged_at - conn->data_received_at;
  if (conn->pinged_at < conn->data_received_at) return conn->data_received_at + (wait < QUIET_MIN ? QUIET_MIN : wait);
  if (since > PINGS_FOR) return UINT64_MAX;
  uint64_t pause = since < PINGS_OFTEN ? PING_PAUSE : PING_PAUSE_LATER;
  return conn->pinged_at + pause;
}

static uint64_t unheard_expiry(const struct wt__conn *conn, uint64_t patience) {
  return conn->unacked_since && patience != UINT64_MAX ? conn->unacked_since + patience : UINT64_MAX;
}

uint64_t wt__path_watch_expiry(struct wt__conn *conn) {
  if (!conn->handshake_done) return UINT64_MAX;
  uint64_t patience = wt__conn_idle_timeout(conn);
  uint64_t due = wt__path_mtu_expiry(&conn->mtu, conn->pto, patience, conn->endpoint->now);
  uint64_t quiet = quiet_expiry(conn), unheard = unheard_expiry(conn, patience);
  if (quiet < due) due = quiet;
  conn->watch_due = unheard < due ? unheard : due;
  return conn->watch_due;
}

static void conn_give_up(struct wt__conn *conn) {
  WT__DEBUG(conn->endpoint->config.log, WT__EVENT_OF("path_dead", WT__CONNECTION(conn)),
            "connection %s: nothing was acknowledged for the idle timeout", conn->name);
  conn->path_dead = true;
  wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_INTERNAL_ERROR, "nothing was acknowledged for the idle timeout");
}

void wt__path_watch_expire(struct wt__conn *conn) {
  uint64_t now = conn->endpoint->now;
  if (!conn->handshake_done || (conn->watch_due > now && !conn->mtu.limit)) return;
  uint64_t patience = wt__conn_idle_timeout(conn);
  if (quiet_expiry(conn) <= now) {
    conn->pinged_at = now;
    conn->ping_wanted = true;
  }
  if (unheard_expiry(conn, patience) <= now) conn_give_up(conn);
  if (!conn_may_probe(conn)) wt__path_mtu_without_probes(&conn->mtu, now);
  switch (wt__path_mtu_expire(&conn->mtu, conn->pto, patience, now)) {
    case WT__PATH_MTU_SAME: break;
    case WT__PATH_MTU_FELL: conn_log_size(conn); break;
    case WT__PATH_MTU_DEAD: conn_give_up(conn); break;
  }
}
