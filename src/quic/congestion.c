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
