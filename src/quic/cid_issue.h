/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CID_ISSUE_H
#define WT_QUIC_CID_ISSUE_H

/* The connection ids that a connection gives to its peer, and how it exchanges them for others. See cid_issue.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__conn;
struct wt__endpoint;

struct wt__cid_issue {
  uint64_t next;       /* sequence number of the next id */
  uint64_t limit;      /* of ids that the peer keeps; 0: not known yet */
  bool single;         /* the peer gets no second id */
  unsigned generation; /* of the configuration to which the connection has moved, or is moving */
  uint64_t
      retire_prior_to; /* while it moves: the peer is asked to retire the ids before this one; 0: it does not move */
};

/* Gives out a fresh id: fills in `data`, as long as the endpoint's ids are. WT_ERR_NOMEM, WT_ERR_TLS, WT_ERR_INVALID. */
int wt__conn_issue_cid(struct wt__conn *conn, uint8_t *data);
/* A server's connection gets its first id; it is the only one if the configuration says so. Errors likewise. */
int wt__conn_issue_first_cid(struct wt__conn *conn, uint8_t *data);

/* The peer's transport parameters are there. */
void wt__conn_learn_cid_limit(struct wt__conn *conn);
/* ngtcp2 is about to be asked for packets. */
void wt__conn_prepare_cids(struct wt__conn *conn);
/* The peer has retired an id. */
void wt__conn_retired_cid(struct wt__conn *conn, uint64_t sequence);
/* A packet is complete and about to be encrypted. */
void wt__conn_mark_cids(const struct wt__conn *conn, uint8_t *payload, size_t len);

/* A pass begins: if there is another configuration, all connections are run. */
void wt__endpoint_move_cids(struct wt__endpoint *endpoint);

#endif
