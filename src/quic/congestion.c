/* SPDX-License-Identifier: MIT */

/*
 * The algorithms of congestion control, by the names that applications use.
 *
 * They are ngtcp2's, and so are their faults. An algorithm is chosen when a connection is made and
 * stays: ngtcp2 has no call to change it, and the new one would know nothing of the path.
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
#define QUEUED_WINDOWS 4

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

void wt__congestion_note(struct wt__conn *conn) {
  ngtcp2_conn_info info;
  if (!conn->endpoint->config.max_stream_send_buffer_grown) return;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  size_t most = conn->endpoint->config.max_stream_send_buffer_grown;
  conn->gauge.queue_wanted = info.cwnd < most / QUEUED_WINDOWS ? (size_t)info.cwnd * QUEUED_WINDOWS : most;
}
