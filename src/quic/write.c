/* SPDX-License-Identifier: MIT */

/*
 * The packets of one connection in one pass.
 *
 * A packet is filled piece by piece (NGTCP2_WRITE_*_FLAG_MORE): datagrams first, since they are worth
 * nothing when late, then streams in the order in which h3 hands them out, until ngtcp2 says that the
 * packet is complete. With nothing more to add, a call without a stream completes it; ngtcp2 adds
 * acknowledgements, window updates, probes and lost data by itself everywhere.
 *
 * Datagrams have no flow control, so an application can have more of them than the path carries, for ever. Streams would
 * then get nothing, and neither would answers and the capsules that end a session. So while streams wait, datagrams get
 * three bytes for each byte of streams (RFC 9221, section 5 leaves that to us). Datagrams that are sent at a rate which
 * the path carries, such as voice, are never more than three packets ahead, and still wait for nothing. A flood leaves
 * streams a quarter of the path, which also bounds how long a capsule waits: three packets.
 *
 * Flow control stops streams in two ways. The stream's own window: h3 takes the stream off its list
 * until the window grows (`wt__h3_conn_blocked`). The connection's: no stream is asked for at all, and
 * whatever the peer sends to extend it makes this run again.
 *
 * A stream that is alone in having bytes fills packet after packet, and h3 hears of it once: nothing that h3 knows
 * changes during a pass but what it is told from here.
 *
 * A pass ends at the quantum that congestion control allows in one go (what takes a millisecond, 64 KiB at
 * most; congestion.c): the rest has its time by ngtcp2's pacing, and other connections have their turn. It also ends when
 * the batch is full, since one packet more would cost a system call of its own.
 */

#include "quic/write.h"

#include <string.h>

#include "base/vec.h"
#include "core/transport.h"
#include "h3/conn.h"
#include "quic/batch.h"
#include "quic/cid_issue.h"
#include "quic/conn.h"
#include "quic/congestion.h"
#include "quic/datagram_len.h"
#include "quic/endpoint.h"
#include "quic/handshake_path.h"
#include "quic/path.h"
#include "quic/path_watch.h"
#include "quic/probe.h"
#include "quic/rebinding.h"
#include "quic/reset_at.h"
#include "quic/wake.h"
#include "wire/quic_frame.h"

#define CAPSULE_RESERVE 4096 /* bytes of the connection's window */
#define MORE_THAN_FITS 2048  /* bytes of a stream: ngtcp2 need not look at the rest */
#define DATAGRAM_PART 3      /* bytes of datagrams for each byte of streams, while both wait */
#define DATAGRAM_LEAD_MAX ((size_t)DATAGRAM_PART * WT__MAX_PAYLOAD) /* how far datagrams may be ahead */

/* One packet being filled. */
struct packet {
  struct wt__conn *conn;
  uint8_t *data;
  size_t room;
  ngtcp2_path_storage path;
  ngtcp2_pkt_info info;
  bool no_datagrams; /* the next one has to wait for another packet */
  bool no_carriers;  /* likewise */
  bool asked;        /* ngtcp2 was given something for it */
  bool held;         /* it would only have an acknowledgement that can wait */
  bool last;         /* there was nothing left to add */

  /* What h3 has handed out, from packet to packet if nothing else waits. */
  struct wt__send send;
  bool has_send;
  size_t at;    /* the first of its pieces that is not used up */
  size_t taken; /* bytes of which h3 was not told yet */
};

/* Adds the oldest datagram. Returns like `packet_add_stream`. */
static ngtcp2_ssize packet_add_datagram(struct packet *packet, const struct wt__vec *datagram) {
  struct wt__conn *conn = packet->conn;
  ngtcp2_vec vec = {(uint8_t *)(uintptr_t)datagram->data, datagram->len};
  int accepted = 0;
  ngtcp2_ssize n =
      ngtcp2_conn_writev_datagram(conn->quic, &packet->path.path, &packet->info, packet->data, packet->room, &accepted,
                                  NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0, &vec, 1, conn->endpoint->now);
  if (accepted) {
    conn->datagram_lead += datagram->len;
    wt__h3_conn_datagram_done(conn->h3, true);
  }
  if (n == NGTCP2_ERR_INVALID_STATE || n == NGTCP2_ERR_INVALID_ARGUMENT) { /* the peer takes none this large */
    wt__h3_conn_datagram_done(conn->h3, false);
    return NGTCP2_ERR_WRITE_MORE;
  }
  if (n == 0 && !accepted) { /* no room, by size or congestion: streams may have smaller pieces */
    packet->no_datagrams = true;
    return NGTCP2_ERR_WRITE_MORE;
  }
  return n;
}

/* Adds a probe, a NEW_CONNECTION_ID or the oldest RESET_STREAM_AT. Returns like `packet_add_stream`. */
static ngtcp2_ssize packet_add_carrier(struct packet *packet, uint8_t *carrier, size_t len, uint64_t number) {
  struct wt__conn *conn = packet->conn;
  ngtcp2_vec vec = {carrier, len};
  int accepted = 0;
  wt__reset_at_send_expect(conn); /* the call may complete and encrypt the packet */
  ngtcp2_ssize n =
      ngtcp2_conn_writev_datagram(conn->quic, &packet->path.path, &packet->info, packet->data, packet->room, &accepted,
                                  NGTCP2_WRITE_DATAGRAM_FLAG_MORE, number, &vec, 1, conn->endpoint->now);
  if (accepted && number == WT__PROBE_NUMBER) {
    wt__probe_sent(conn);
  } else if (accepted && number & WT__CID_CARRIER_NUMBER) {
    wt__conn_sent_cid_carrier(conn);
  } else if (accepted) {
    wt__reset_at_send_sent(conn);
  }
  if (n == 0 && !accepted) {
    packet->no_carriers = true;
    return NGTCP2_ERR_WRITE_MORE;
  }
  return n;
}

/* Ends a stream whose RESET_STREAM_AT has arrived. Returns like `packet_add_stream`. */
static ngtcp2_ssize packet_add_fin(struct packet *packet, int64_t id) {
  struct wt__conn *conn = packet->conn;
  uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE | NGTCP2_WRITE_STREAM_FLAG_FIN;
  ngtcp2_ssize taken = -1;
  ngtcp2_ssize n = ngtcp2_conn_writev_stream(conn->quic, &packet->path.path, &packet->info, packet->data, packet->room,
                                             &taken, flags, id, NULL, 0, conn->endpoint->now);
  if (n == NGTCP2_ERR_STREAM_NOT_FOUND || n == NGTCP2_ERR_STREAM_SHUT_WR) {
    wt__reset_at_send_ended(conn);
    return NGTCP2_ERR_WRITE_MORE;
  }
  if (taken >= 0) wt__reset_at_send_ended(conn);
  return n;
}

/* Tells h3 what became of what it handed out. */
static void packet_settle(struct packet *packet, bool fin) {
  if (!packet->has_send) return;
  packet->has_send = false;
  if (packet->taken || fin) wt__h3_conn_sent(packet->conn->h3, packet->send.id, packet->taken, fin);
}

/* `len` bytes of the stream are in the packet. */
static void packet_take(struct packet *packet, size_t len) {
  struct wt__send *send = &packet->send;
  size_t part = len * DATAGRAM_PART, *lead = &packet->conn->datagram_lead;
  *lead = *lead > part ? *lead - part : 0;
  packet->taken += len;
  while (packet->at < send->count && len >= send->vecs[packet->at].len) len -= send->vecs[packet->at++].len;
  if (packet->at == send->count) {
    packet_settle(packet, send->fin);
    return;
  }
  send->vecs[packet->at].data += len;
  send->vecs[packet->at].len -= len;
  if (!send->alone) packet_settle(packet, false);
}

/* Adds what there is of one stream. Returns the length of the packet, 0 if none may be sent now,
 * NGTCP2_ERR_WRITE_MORE to go on, or an error. */
static ngtcp2_ssize packet_add_stream(struct packet *packet) {
  struct wt__conn *conn = packet->conn;
  const struct wt__send *send = &packet->send;
  ngtcp2_vec vecs[WT__SEND_VECS];
  size_t total = 0, count = 0;
  for (size_t i = packet->at; i < send->count && total < MORE_THAN_FITS; i++) {
    vecs[count++] = (ngtcp2_vec){(uint8_t *)(uintptr_t)send->vecs[i].data, send->vecs[i].len};
    total += send->vecs[i].len;
  }
  bool fin = send->fin && packet->at + count == send->count;
  uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0);
  ngtcp2_ssize taken = -1;
  ngtcp2_ssize n = ngtcp2_conn_writev_stream(conn->quic, &packet->path.path, &packet->info, packet->data, packet->room,
                                             &taken, flags, send->id, vecs, count, conn->endpoint->now);
  switch (n) {
    case NGTCP2_ERR_STREAM_DATA_BLOCKED:
      packet_settle(packet, false);
      wt__h3_conn_blocked(conn->h3, send->id);
      return NGTCP2_ERR_WRITE_MORE;
    case NGTCP2_ERR_STREAM_NOT_FOUND:
    case NGTCP2_ERR_STREAM_SHUT_WR:
      packet_settle(packet, false);
      wt__h3_conn_write_closed(conn->h3, send->id);
      return NGTCP2_ERR_WRITE_MORE;
    default: break;
  }
  if (taken >= 0) packet_take(packet, (size_t)taken);
  return n;
}

static ngtcp2_ssize packet_complete(struct packet *packet) {
  struct wt__conn *conn = packet->conn;
  return ngtcp2_conn_writev_stream(conn->quic, &packet->path.path, &packet->info, packet->data, packet->room, NULL,
                                   NGTCP2_WRITE_STREAM_FLAG_NONE, -1, NULL, 0, conn->endpoint->now);
}

/* The next datagram that fits into a packet of this path; those that do not any more are dropped. */
static bool conn_next_datagram(struct wt__conn *conn, struct wt__vec *datagram) {
  while (wt__h3_conn_next_datagram(conn->h3, datagram)) {
    if (datagram->len <= wt__conn_max_datagram_len(conn)) return true;
    wt__h3_conn_datagram_done(conn->h3, false);
  }
  return false;
}

/* What stands in for a DATAGRAM frame and is due next, a probe before all. Returns its length; 0: nothing. */
static size_t packet_next_carrier(const struct packet *packet, uint8_t *carrier, uint64_t *number) {
  if (packet->no_carriers) return 0;
  size_t len = wt__probe_next(packet->conn, carrier, number);
  if (!len) len = wt__conn_next_cid_carrier(packet->conn, carrier, number);
  return len ? len : wt__reset_at_send_next(packet->conn, carrier, number);
}

/* How much of the connection's window the streams of sessions may use. The rest is for the streams that carry capsules:
 * a peer that does not read its streams, because it waits for WT_MAX_DATA of ours, would else wait for ever. */
static uint64_t conn_stream_room(const struct wt__conn *conn) {
  const ngtcp2_transport_params *peer = ngtcp2_conn_get_remote_transport_params(conn->quic);
  uint64_t left = ngtcp2_conn_get_max_data_left(conn->quic), reserve = peer ? peer->initial_max_data / 4 : 0;
  if (reserve > CAPSULE_RESERVE) reserve = CAPSULE_RESERVE;
  return left > reserve ? left - reserve : 0;
}

/* Whether there are bytes of a stream: the rest of the last one's, or those of the next one. */
static bool packet_has_stream(struct packet *packet) {
  struct wt__conn *conn = packet->conn;
  if (!conn->h3 || !ngtcp2_conn_get_max_data_left(conn->quic)) return false;
  if (conn->mtu.limit && wt__path_watch_reserves_window(conn)) return false;
  if (packet->has_send) return true;
  packet->at = packet->taken = 0;
  packet->has_send = wt__h3_conn_next(conn->h3, &packet->send, conn_stream_room(conn));
  return packet->has_send;
}

/* Whether it is the datagrams' turn, not that of streams. */
static bool packet_prefers_datagrams(struct packet *packet) {
  struct wt__conn *conn = packet->conn;
  if (!conn->h3 || packet->no_datagrams) return false;
  if (conn->datagram_lead < DATAGRAM_LEAD_MAX) return true;
  if (packet_has_stream(packet)) return false;
  conn->datagram_lead = 0; /* there is nobody to be ahead of */
  return true;
}

/* Fills one packet. Returns its length, 0 if there is nothing that may be sent, or an error. */
static ngtcp2_ssize packet_write(struct packet *packet) {
  struct wt__conn *conn = packet->conn;
  struct wt__vec datagram;
  uint8_t carrier[WT__CARRIER_ID_MAX];
  uint64_t number;
  int64_t fin_id;
  packet->no_datagrams = packet->no_carriers = packet->asked = packet->held = packet->last = false;
  for (;;) {
    ngtcp2_ssize n;
    size_t carrier_len = packet_next_carrier(packet, carrier, &number);
    if (carrier_len) {
      n = packet_add_carrier(packet, carrier, carrier_len, number);
    } else if ((fin_id = wt__reset_at_send_next_fin(conn)) >= 0) {
      n = packet_add_fin(packet, fin_id);
    } else if (packet_prefers_datagrams(packet) && conn_next_datagram(conn, &datagram)) {
      n = packet_add_datagram(packet, &datagram);
    } else if (packet_has_stream(packet)) {
      n = packet_add_stream(packet);
    } else {
      packet->last = !packet->no_datagrams && !packet->no_carriers;
      packet->held = !packet->asked && wt__ack_wait_holds(conn);
      return packet->held ? 0 : packet_complete(packet);
    }
    packet->asked = true;
    if (n != NGTCP2_ERR_WRITE_MORE) return n;
  }
}

/* Writes the packet that tries a larger size, if one is due. Returns its length, 0 if there is none, or an error. */
static ngtcp2_ssize packet_write_probe(struct packet *packet) {
  struct wt__conn *conn = packet->conn;
  uint8_t payload[WT__MTU_PROBE_MAX];
  uint64_t number;
  size_t size, len = wt__path_watch_probe(conn, payload, &size, &number);
  if (!len || wt__handshake_path_room(conn, size) < size) return 0;
  ngtcp2_vec vec = {payload, len};
  int accepted = 0;
  wt__reset_at_send_expect(conn);
  ngtcp2_ssize n =
      ngtcp2_conn_writev_datagram(conn->quic, &packet->path.path, &packet->info, packet->data, size, &accepted,
                                  NGTCP2_WRITE_DATAGRAM_FLAG_NONE, number, &vec, 1, conn->endpoint->now);
  wt__path_watch_probed(conn, len, accepted != 0);
  return n;
}

/* How much room a packet has. */
static size_t conn_room(const struct wt__conn *conn) {
  size_t room = ngtcp2_conn_get_max_tx_udp_payload_size(conn->quic);
  if (room > WT__BATCH_PACKET_ROOM) room = WT__BATCH_PACKET_ROOM;
  if (conn->handshake_path.now_at.len) room = wt__handshake_path_room(conn, room);
  return conn->mtu.limit && conn->mtu.limit < room ? conn->mtu.limit : room;
}

/* Where the packet that was written goes, whatever ngtcp2 believes. */
static void packet_resolve(struct packet *packet, size_t len) {
  struct wt__conn *conn = packet->conn;
  if (conn->alias.len) wt__rebinding_resolve(conn, &packet->path.path.remote);
  if (!conn->handshake_path.now_at.len) return;
  wt__handshake_path_resolve(conn, &packet->path.path.remote, len);
  packet->room = conn_room(conn);
}

/* What is lost goes into packets of ngtcp2's own, so only congestion control tells that some may be left. */
static bool conn_window_is_full(const struct wt__conn *conn, size_t room) {
  return ngtcp2_conn_get_cwnd_left(conn->quic) < room;
}

int wt__conn_write(struct wt__conn *conn, bool *more) {
  struct wt__endpoint *endpoint = conn->endpoint;
  struct wt__batch *batch = &endpoint->batch;
  size_t quantum = wt__congestion_quantum(conn), written = 0;
  wt__path_watch_begin(conn);
  if (conn->cid_issue.retire_prior_to || conn->cid_issue.generation != endpoint->ids.generation)
    wt__conn_prepare_cids(conn);
  struct packet packet = {.conn = conn, .room = conn_room(conn)};
  struct wt__path path = {.socket = NULL};
  ngtcp2_path_storage_zero(&packet.path);
  ngtcp2_ssize n = 0;
  bool marks = wt__path_watch_may_mark_ecn(conn);
  int error = 0;
  for (bool probe = false; !error && packet.room && written < quantum && written + WT__MAX_PAYLOAD <= WT__MAX_BATCH;) {
    packet.data = wt__batch_room(batch);
    n = probe ? packet_write_probe(&packet) : 0; /* behind another packet, which takes acknowledgements with it */
    if (!n) n = packet_write(&packet);
    if (n == 0 && !probe && wt__path_watch_may_probe(conn)) n = packet_write_probe(&packet);
    if (n <= 0) break;
    probe = wt__path_watch_may_probe(conn);
    written += (size_t)n;
    conn->packets_sent++;
    packet_resolve(&packet, (size_t)n);
    if (!wt__path_is(&path, &packet.path.path)) {
      wt__path_from_quic(&path, &packet.path.path);
      wt__batch_set_path(batch, conn, &path);
    }
    error = wt__batch_add(batch, marks ? packet.info.ecn : 0, (size_t)n);
  }
  packet_settle(&packet, false);
  conn->bytes_sent += written;
  if (!error) (void)wt__batch_end(batch);
  *more = n > 0 && packet.room;
  conn->amplification_limited = conn->handshake_path.now_at.len && n <= 0;
  conn->settled = n == 0 && packet.last && !conn_window_is_full(conn, packet.room);
  if (written) {
    wt__pacing_sent(conn, conn->settled);
    wt__congestion_note(conn);
    wt__conn_touch(conn);
  }
  if (!packet.held) wt__ack_wait_written(conn, conn->settled);
  wt__path_watch_end(conn, written);
  return n < 0 ? (int)n : 0;
}
