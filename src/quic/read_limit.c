/* SPDX-License-Identifier: MIT */

/*
 * What a peer's packets may cost in ngtcp2's memory.
 *
 * Flow control bounds bytes, and not what it costs to keep them. ngtcp2 keeps data that is out of order in pieces of
 * 8 KiB, and writes down each gap in some 100 bytes. So a peer that sends every second byte makes its window cost fifty
 * times as much, and one byte beyond a gap in each of 500 streams costs 5 MB. Other frames cost memory, too, for as long
 * as the peer does not acknowledge what we answer to them.
 *
 * All of that is allocated while ngtcp2 reads packets, and blocks.c counts it. An honest peer is far below this bound:
 *
 *     1 MiB            gaps, ranges of acknowledgements, frames that wait to be sent
 *   + 12 KiB a stream  8 KiB for the piece that a gap is in, and 2 KiB of ngtcp2's lists beside it
 *   + 5/4 window       further pieces, which the peer has to reach within its window, and a gap for every packet or two
 *
 * Nothing else can be done with a peer beyond it: what it has sent out of order is acknowledged, and cannot be dropped.
 */

#include "quic/read_limit.h"

#include "base/log_limit.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/rebinding.h"
#include "quic/wake.h"
#include "wire/error_code.h"

#define KIB(bytes) ((double)(bytes) / 1024)

size_t wt__read_limit(const struct wt__read_use *use) {
  if (!use->handshake_done) return WT__READ_HANDSHAKE;
  uint64_t window = use->window < UINT64_MAX / 8 ? use->window : UINT64_MAX / 8;
  uint64_t limit = WT__READ_BASE + window + window / 4 + (uint64_t)use->streams * WT__READ_STREAM +
                   (uint64_t)use->most_streams * WT__READ_STREAM_RECORD;
  return limit < SIZE_MAX ? (size_t)limit : SIZE_MAX;
}

static void conn_warn(struct wt__conn *conn, size_t limit) {
  struct wt__endpoint *endpoint = conn->endpoint;
  char peer[WT__PEER_TEXT_MAX];
  WT__WARN_LIMITED(
      endpoint->config.log, &endpoint->gauge.lines, endpoint->now,
      WT__EVENT_OF("connection_abusive", WT__CONNECTION(conn), WT__TEXT("reason", "data with gaps"),
                   WT__INTEGER("bytes", conn->blocks.read), WT__INTEGER("max_bytes", limit),
                   WT__INTEGER("streams", conn->reset_in.streams.len)),
      "connection from %s is closed: data with gaps, and frames, take %.0f KiB of memory; allowed are %.0f KiB "
      "with %zu open streams",
      wt__conn_peer_text(conn, peer, sizeof(peer)), KIB(conn->blocks.read), KIB(limit), conn->reset_in.streams.len);
}

void wt__conn_check_read(struct wt__conn *conn) {
  if (conn->reset_in.streams.len > conn->most_streams) conn->most_streams = conn->reset_in.streams.len;
  if (conn->blocks.read <= WT__READ_HANDSHAKE) return; /* the least limit there is */
  struct wt__read_use use = {conn->handshake_done, conn->reset_in.streams.len, conn->most_streams, conn->window.size};
  size_t limit = wt__read_limit(&use);
  if (conn->blocks.read <= limit || conn->close_wanted) return;
  conn_warn(conn, limit);
  conn->endpoint->stats.memory_closed_connections++;
  wt__conn_want_close(conn, WT_TRANSPORT, WT__H3_EXCESSIVE_LOAD, "too much memory for data with gaps");
}
