/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ACK_WAIT_H
#define WT_QUIC_ACK_WAIT_H

/* Acknowledgements that wait for data to go with, or for a second packet (RFC 9000, section 13.2). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"

struct wt__conn;
struct wt__quic_frame;

struct wt__ack_wait {
  unsigned frames;  /* WT__FRAMES_ bits of the datagram that is being read */
  unsigned packets; /* datagrams with data that were read since ngtcp2 was asked for a packet last */
  uint64_t since;   /* when the first of those came */
  size_t path_size; /* of a packet, as ngtcp2 knew it then */
  uint64_t credit;  /* bytes of streams that were given back since then */
  bool urgent;      /* something else than an acknowledgement may have to be sent */
  uint64_t acked;   /* all packets of ours below this number are acknowledged, or were sent anew if they were lost */
  bool gap;         /* one was acknowledged of which that is not known */
};

/* Around the reading of a datagram, which has the given ECN mark. */
void wt__ack_wait_begin(struct wt__conn *conn);
void wt__ack_wait_end(struct wt__conn *conn, const struct wt__path *path, unsigned ecn);

/* The datagram has this ACK frame, for 1-RTT packets. */
void wt__ack_wait_acked(struct wt__conn *conn, const struct wt__quic_frame *ack);

/* So many bytes of streams may be sent by the peer in addition. */
void wt__ack_wait_credit(struct wt__conn *conn, uint64_t len);

/* ngtcp2 was asked for packets; `complete`: until there was nothing left to send. */
void wt__ack_wait_written(struct wt__conn *conn, bool complete);

/* Whether ngtcp2, if it is asked for a packet without data, has nothing to send, or an acknowledgement that can wait. */
bool wt__ack_wait_holds(const struct wt__conn *conn);

/* The time until which it waits at least; 0: ngtcp2's own timer holds. While packets of ours are on their way, that is the
 * one for their loss as well. */
uint64_t wt__ack_wait_until(const struct wt__conn *conn);

#endif
