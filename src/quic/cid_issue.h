/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CID_ISSUE_H
#define WT_QUIC_CID_ISSUE_H

/* The connection ids that a connection gives to its peer, and how it exchanges them for others. See cid_issue.c. */

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wt__conn;
struct wt__endpoint;

/* The id that replaces the others, where its frame has to be sent by a carrier. */
enum wt__cid_carrier {
  WT__CID_CARRIER_NONE,
  WT__CID_CARRIER_QUEUED,
  WT__CID_CARRIER_FLYING,
  WT__CID_CARRIER_ARRIVED
};

struct wt__cid_issue {
  uint64_t next;       /* sequence number of the next id */
  uint64_t limit;      /* of ids that the peer keeps; 0: not known yet */
  bool single;         /* the peer gets no second id */
  unsigned generation; /* of the configuration to which the connection has moved, or is moving */
  uint64_t
      retire_prior_to; /* while it moves: the peer is asked to retire the ids before this one; 0: it does not move */
  uint64_t moved_at;   /* when it had moved last; 0: never */
  enum wt__cid_carrier carrier;
  uint64_t carrier_sent_at;
  uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]; /* of the id that a carrier has */
};

/* Gives out a fresh id with its token, as long as the endpoint's ids are. WT_ERR_NOMEM, WT_ERR_TLS, WT_ERR_INVALID. */
int wt__conn_issue_cid(struct wt__conn *conn, ngtcp2_cid *cid, uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]);
/* A server's connection gets its first id; it is the only one if the configuration says so. Errors likewise. */
int wt__conn_issue_first_cid(struct wt__conn *conn, ngtcp2_cid *cid, uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]);

/* The peer's transport parameters are there. */
void wt__conn_learn_cid_limit(struct wt__conn *conn);
/* ngtcp2 is about to be asked for packets. */
void wt__conn_prepare_cids(struct wt__conn *conn);
/* The peer has retired an id. */
void wt__conn_retired_cid(struct wt__conn *conn, uint64_t sequence);
/* A packet is complete and about to be encrypted. */
void wt__conn_mark_cids(const struct wt__conn *conn, uint8_t *payload, size_t len);

/* The payload of a DATAGRAM frame that is due, with this number; 0: none is. `sent`: ngtcp2 took it. The fate of a DATAGRAM
 * frame, also of one that carries something else. */
#define WT__CID_CARRIER_NUMBER (UINT64_C(1) << 61)
size_t wt__conn_next_cid_carrier(const struct wt__conn *conn, uint8_t *carrier, uint64_t *number);
void wt__conn_sent_cid_carrier(struct wt__conn *conn);
void wt__conn_acked_cid_carrier(struct wt__conn *conn, uint64_t number);
void wt__conn_lost_cid_carrier(struct wt__conn *conn, uint64_t number);
/* When `expire` is due, which sends again what nothing was heard of; UINT64_MAX: never. */
uint64_t wt__conn_cids_expiry(const struct wt__conn *conn);
void wt__conn_expire_cids(struct wt__conn *conn);

/* A pass begins: if there is another configuration, all connections are run. */
void wt__endpoint_move_cids(struct wt__endpoint *endpoint);

#endif
