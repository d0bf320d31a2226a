/* SPDX-License-Identifier: MIT */

/*
 * An acknowledgement that leaves alone costs a packet and a system call, on both sides. So it waits for data that goes
 * the other way, as an answer does; for a second packet (RFC 9000, section 13.2.2); or for its time, which is less than
 * the max_ack_delay that the peer was told.
 *
 *     packet ----> is there data to send? --yes--> ngtcp2 adds the acknowledgement
 *                            |
 *                            no: is it the first packet, with data or an acknowledgement and nothing else?
 *                            |                          |
 *                            no                         yes
 *                            v                          v
 *               ngtcp2 sends what it has       ngtcp2 is not asked. Its timer for the acknowledgement runs.
 *
 * ngtcp2 (1.11) adds an acknowledgement to data only if two packets came, or an eighth of the round-trip time has passed.
 * So it is told to acknowledge each packet (`ack_thresh`), and here is decided when it is asked.
 *
 * ngtcp2 does not tell whether it has other frames to send. So all that could make it have some is `urgent`: a frame that
 * wants an answer, a gap in what the peer acknowledges, a new path, a timer, a stream that has closed, flow control, a full
 * congestion window.
 *
 * Lost packets are not in flight any more, so nothing in flight does not mean that nothing is lost. An acknowledgement is of no
 * consequence only if it begins where earlier ones have ended. Peers that leave old ranges out of their ACK frames make gaps
 * that no frame shows.
 */

#include "quic/ack_wait.h"

#include "base/clock.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "wire/quic_frame.h"

#define LATEST \
  (20 * WT__NS_PER_MS) /* less than max_ack_delay, 25 ms, by the grain of timers and the length of a turn */
#define CREDIT_SHARE 8 /* of a stream's window: this part may be held back */

static uint64_t in_flight(const struct wt__conn *conn) {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  return info.bytes_in_flight;
}

static bool path_is_current(const struct wt__conn *conn, const struct wt__path *path) {
  return !conn->path_unvalidated && wt__path_is(path, ngtcp2_conn_get_path(conn->quic));
}

void wt__ack_wait_begin(struct wt__conn *conn) { conn->ack_wait.frames = 0; }

static size_t path_size(const struct wt__conn *conn) {
  return ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->quic);
}

/* Whether the datagram makes ngtcp2 send nothing but an acknowledgement. One from the peer may tell of a loss, unless it
 * covers all that was on its way; and of a path's size that works, after which the next one is tried. */
static bool datagram_is_plain(const struct wt__conn *conn, const struct wt__path *path, unsigned ecn) {
  unsigned frames = conn->ack_wait.frames;
  if (!conn->handshake_done || !frames || (frames & WT__FRAMES_OTHER)) return false;
  if ((ecn & NGTCP2_ECN_MASK) == NGTCP2_ECN_CE || !path_is_current(conn, path)) return false;
  if (!(frames & WT__FRAMES_ACK)) return true;
  return in_flight(conn) == 0 && path_size(conn) == conn->ack_wait.path_size;
}

static void on_range(void *ctx, uint64_t first, uint64_t last) {
  struct wt__ack_wait *wait = ctx;
  if (first > wait->acked) {
    wait->gap = true;
  } else if (last >= wait->acked) {
    wait->acked = last + 1;
  }
}

/* Ranges come from the top, so with several there is a gap. */
void wt__ack_wait_acked(struct wt__conn *conn, const struct wt__quic_frame *ack) {
  wt__quic_ack_ranges(ack, on_range, &conn->ack_wait);
}

/* Once nothing is in flight, all that was sent is acknowledged or lost, and what is lost is sent anew: this is urgent. */
static void gap_settle(struct wt__conn *conn) {
  struct wt__ack_wait *wait = &conn->ack_wait;
  if (!wait->gap) return;
  wait->urgent = true;
  if (in_flight(conn) > 0) return;
  wait->acked = conn->last_sent + 1;
  wait->gap = false;
}

void wt__ack_wait_end(struct wt__conn *conn, const struct wt__path *path, unsigned ecn) {
  struct wt__ack_wait *wait = &conn->ack_wait;
  gap_settle(conn);
  if ((wait->frames & WT__FRAMES_DATA) && wait->packets++ == 0) wait->since = conn->endpoint->now;
  if (!wait->urgent) wait->urgent = wait->packets > 1 || !datagram_is_plain(conn, path, ecn);
}

void wt__ack_wait_credit(struct wt__conn *conn, uint64_t len) {
  struct wt__ack_wait *wait = &conn->ack_wait;
  wait->credit += len;
  if (wait->credit > conn->endpoint->config.initial_max_stream_data / CREDIT_SHARE) wait->urgent = true;
}

void wt__ack_wait_written(struct wt__conn *conn, bool complete) {
  struct wt__ack_wait *wait = &conn->ack_wait;
  *wait =
      (struct wt__ack_wait){.urgent = !complete, .path_size = path_size(conn), .acked = wait->acked, .gap = wait->gap};
}

bool wt__ack_wait_holds(const struct wt__conn *conn) { return conn->handshake_done && !conn->ack_wait.urgent; }

uint64_t wt__ack_wait_until(const struct wt__conn *conn) {
  return conn->ack_wait.packets && wt__ack_wait_holds(conn) && in_flight(conn) == 0 ? conn->ack_wait.since + LATEST : 0;
}
