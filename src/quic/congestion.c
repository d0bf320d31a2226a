/* SPDX-License-Identifier: MIT */

/*
 * The algorithms of congestion control, by the names that applications use.
 *
 * They are ngtcp2's, and so are their faults. An algorithm is chosen when a connection is made and
 * stays: ngtcp2 has no call to change it, and the new one would know nothing of the path.
 *
 * A pass of write.c sends a quantum; then ngtcp2 tells when the next one is due. ngtcp2 1.11's quantum is 64 KiB with CUBIC
 * and Reno: more than a short queue on the way holds, and as much at once looks to slow start's end (HyStart++, RFC 9406)
 * as if the path was full. So a quantum is what takes a millisecond. On a fast path that is 64 KiB and more, as before.
 *
 * ngtcp2 does not tell which one it uses, so a connection keeps the name beside it (conn.h). loopback/test_congestion.c
 * tells them apart by what the first lost packet does to the window.
 */

#include "quic/congestion.h"

#include "base/clock.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"

/* One in flight, one that waits behind a gap until what was lost has come again, one to be sent meanwhile, and one for an
 * application that fills its queue when half of it is free. */
#define QUEUED_FLIGHTS 4
#define FLIGHT_PASSES 256 /* after so many passes about a third is left of what was in flight at most */

#define BURST_MIN (10 * WT__MAX_PAYLOAD) /* RFC 9002, section 7.7: no more than the initial window at once */

static const struct {
  const char *name;
  ngtcp2_cc_algo algorithm;
} algorithms[] = {
    [WT_CONGESTION_CONTROL_CUBIC] = {"cubic", NGTCP2_CC_ALGO_CUBIC},
    [WT_CONGESTION_CONTROL_BBR] = {"bbr", NGTCP2_CC_ALGO_BBR},
    [WT_CONGESTION_CONTROL_RENO] = {"reno", NGTCP2_CC_ALGO_RENO},
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(*algorithms))

const char *wt_congestion_control_name(enum wt_congestion_control algorithm) {
  return (size_t)algorithm < ALGORITHM_COUNT ? algorithms[algorithm].name : "unknown";
}

ngtcp2_cc_algo wt__congestion_algorithm(enum wt_congestion_control algorithm) {
  return algorithms[algorithm].algorithm;
}

/* What `window` bytes in a round trip of `rtt` nanoseconds make in a millisecond, at the rate of ngtcp2's pacing. */
static size_t burst_of(uint64_t window, uint64_t rtt) {
  uint64_t burst = rtt ? window * 5 / 4 * WT__NS_PER_MS / rtt : SIZE_MAX;
  return burst > BURST_MIN ? (size_t)burst : BURST_MIN;
}

void wt__congestion_note(struct wt__conn *conn) {
  ngtcp2_conn_info info;
  size_t most = conn->endpoint->config.max_stream_send_buffer_grown;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  conn->flight -= conn->flight / FLIGHT_PASSES;
  if (info.bytes_in_flight > conn->flight) conn->flight = info.bytes_in_flight;
  conn->gauge.queue_wanted = conn->flight < most / QUEUED_FLIGHTS ? (size_t)conn->flight * QUEUED_FLIGHTS : most;
  conn->burst = burst_of(info.cwnd, info.smoothed_rtt);
}

size_t wt__congestion_quantum(const struct wt__conn *conn) {
  size_t quantum = ngtcp2_conn_get_send_quantum(conn->quic);
  return conn->burst && conn->burst < quantum ? conn->burst : quantum;
}
