/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ANSWERS_H
#define WT_QUIC_ANSWERS_H

/* Packets that answer others without a connection. See answers.c. */

#include <ngtcp2/ngtcp2.h>
#include <stddef.h>
#include <stdint.h>

struct wt__endpoint;
struct wt__path;

/* One packet that no connection's congestion control knows of. Lost if the socket is full. */
void wt__endpoint_send_packet(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                              size_t len);
void wt__endpoint_send_version_negotiation(struct wt__endpoint *endpoint, const struct wt__path *path,
                                           const ngtcp2_version_cid *ids);
void wt__endpoint_send_retry(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd);
void wt__endpoint_send_refusal(struct wt__endpoint *endpoint, const struct wt__path *path, const ngtcp2_pkt_hd *hd,
                               uint64_t code);
/* Shorter than the packet it answers, so that resets that answer resets die out. */
void wt__endpoint_send_reset(struct wt__endpoint *endpoint, const struct wt__path *path, const uint8_t *data,
                             size_t len);

#endif
