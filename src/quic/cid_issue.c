/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2 keeps the books of a connection's ids: it asks for a new one whenever the peer has retired one, up to the number
 * that the peer keeps (active_connection_id_limit), and takes packets with a retired id for one more PTO.
 *
 * When the configuration changes, connections move to it: the peer gets an id of the new kind, with a Retire Prior To
 * beyond all that it has (RFC 9000, section 5.1.2). It retires those, and ngtcp2 replaces them by more of the new kind.
 *
 *     ids 0 1 2 3, all that the peer keeps
 *        --> NEW_CONNECTION_ID 4, retire prior to 4      one more than it keeps, but it has to retire the others
 *        <-- RETIRE_CONNECTION_ID 0, 1, 2, 3             by packets with id 4, also lost and sent again
 *        --> NEW_CONNECTION_ID 5, 6, 7
 *
 * ngtcp2 (1.11) has no call for this, so two things are done around it. It takes the peer's limit for one higher while it
 * is to make the first new id. And the frames that it writes, with a Retire Prior To of 0, get the right one before they are
 * encrypted; if they are lost, ngtcp2 sends them again by itself.
 *
 *     limit that ngtcp2 sees = max(the peer's, ids that the peer has not retired, and one more until the first is made)
 *
 * That is brought up to date before ngtcp2 is asked for packets, since it must never be less than the number of ids that
 * are not retired, and more only for that one id. So we count what the peer retires, too. Repeating a frame that the peer
 * has, with a higher Retire Prior To, would be simpler, but Chromium ignores frames whose sequence number it knows.
 *
 * Retire Prior To takes the one byte that ngtcp2 writes for it, so this ends at 63. Beyond it, the frame is replaced by a
 * PING, and sent in the place of a DATAGRAM frame, as RESET_STREAM_AT is (reset_at_send.c). Only the first new id needs that:
 * the others come when the peer has retired old ones, and ask for nothing.
 *
 *   QUEUED --sent--> FLYING --acked--> ARRIVED
 *     ^                |
 *     +-- lost, late --+
 *
 * A client without DATAGRAM frames, which then speaks no WebTransport, keeps its ids beyond that number.
 */

#include "quic/cid_issue.h"

#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "quic/canary.h"
#include "quic/cid.h"
#include "quic/cid_maker.h"
#include "quic/conn.h"
#include "quic/datagram_len.h"
#include "quic/endpoint_keys.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/rebinding.h"
#include "quic/wake.h"
#include "wire/quic_frame.h"

/* Between two moves: a peer may close a connection on which too many of its RETIRE_CONNECTION_ID frames are not acknowledged
 * (RFC 9000, section 5.1.2). */
#define REST (100 * WT__NS_PER_MS)
#define REST_PTOS 3
#define TRIES 8       /* for an id that no connection has: short nonces in the clear may meet */
#define POOL 8        /* ids that ngtcp2 keeps, with retired ones */
#define SILENT_PTOS 4 /* without news of a frame that was carried it is sent again: ngtcp2 does not tell of each loss */
#define LIMIT_MAX (POOL - 1) /* ids at a time, so that there is room for one that replaces them */

/* --- New ids --- */

/* The next id, and a line when the nonces have come to their end. */
static int endpoint_make_cid(struct wt__endpoint *endpoint, uint8_t *data) {
  struct wt__cid_maker *maker = &endpoint->ids;
  bool before = maker->exhausted;
  int error = wt__cid_make(maker, data);
  if (error || before || !maker->exhausted) return error;
  WT__LOG_LIMITED(endpoint->config.log, &endpoint->admit_lines, endpoint->now, WT_LOG_ERROR,
                  WT__EVENT_OF("connection_ids_used_up", WT__INTEGER("nonce_bytes", maker->scheme.lb.nonce_len),
                               WT__INTEGER("configuration", maker->scheme.lb.config_id)),
                  "connection ids: all %u-byte nonces of configuration %u are used up; new ids cannot be routed until "
                  "there is another configuration",
                  maker->scheme.lb.nonce_len, maker->scheme.lb.config_id);
  return 0;
}

int wt__conn_issue_cid(struct wt__conn *conn, ngtcp2_cid *cid, uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]) {
  struct wt__endpoint *endpoint = conn->endpoint;
  struct wt__cid_issue *issue = &conn->cid_issue;
  int error = WT_ERR_INVALID;
  cid->datalen = endpoint->cid_len;
  for (int i = 0; i < TRIES && error == WT_ERR_INVALID; i++) {
    error = endpoint_make_cid(endpoint, cid->data);
    if (!error) error = wt__cid_map_issue(&endpoint->cids, cid->data, cid->datalen, issue->next, conn, &conn->cids);
  }
  if (error) return error;
  error = wt__endpoint_make_reset_token(endpoint, cid, token);
  if (error) return error;
  if (issue->next == issue->retire_prior_to) memcpy(issue->token, token, sizeof(issue->token));
  issue->next++;
  return 0;
}

int wt__conn_issue_first_cid(struct wt__conn *conn, ngtcp2_cid *cid, uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN]) {
  struct wt__endpoint *endpoint = conn->endpoint;
  int error = wt__conn_issue_cid(conn, cid, token);
  conn->cid_issue.generation = endpoint->ids.generation;
  conn->cid_issue.single = endpoint->ids.scheme.layout == WT_CONNECTION_ID_UNROUTABLE;
  return error;
}

/* --- How many --- */

/* Ids that the peer has not retired; `*old`: of those, the ones that it is asked to retire. */
static uint64_t conn_count_cids(const struct wt__conn *conn, uint64_t *old) {
  uint64_t count = 0;
  *old = 0;
  WT__LIST_FOREACH(link, next, &conn->cids) {
    const struct wt__cid *cid = WT__CONTAINER_OF(link, struct wt__cid, link);
    if (!cid->issued || cid->retired) continue;
    count++;
    if (cid->sequence < conn->cid_issue.retire_prior_to) ++*old;
  }
  return count;
}

/* What ngtcp2 takes for the peer's limit. It gives out a pointer to its own copy of the parameters. */
static void conn_set_cid_limit(struct wt__conn *conn, uint64_t limit) {
  ngtcp2_transport_params *params =
      (ngtcp2_transport_params *)(uintptr_t)ngtcp2_conn_get_remote_transport_params(conn->quic);
  if (params && wt__canary()->connection_ids) params->active_connection_id_limit = limit;
}

static void conn_update_cid_limit(struct wt__conn *conn, uint64_t count) {
  const struct wt__cid_issue *issue = &conn->cid_issue;
  uint64_t limit = issue->single ? 1 : issue->limit;
  if (issue->retire_prior_to == issue->next) count++;
  conn_set_cid_limit(conn, count > limit ? count : limit);
}

void wt__conn_learn_cid_limit(struct wt__conn *conn) {
  const ngtcp2_transport_params *params = ngtcp2_conn_get_remote_transport_params(conn->quic);
  uint64_t old;
  if (!params) return;
  uint64_t limit = params->active_connection_id_limit;
  conn->cid_issue.limit = limit < LIMIT_MAX ? limit : LIMIT_MAX;
  conn_update_cid_limit(conn, conn_count_cids(conn, &old));
}

void wt__conn_retired_cid(struct wt__conn *conn, uint64_t sequence) {
  WT__LIST_FOREACH(link, next, &conn->cids) {
    struct wt__cid *cid = WT__CONTAINER_OF(link, struct wt__cid, link);
    if (cid->issued && cid->sequence == sequence) cid->retired = true;
  }
}

/* --- Another configuration --- */

static void conn_begin_move(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  struct wt__cid_issue *issue = &conn->cid_issue;
  issue->generation = endpoint->ids.generation;
  if (endpoint->ids.scheme.layout == WT_CONNECTION_ID_UNROUTABLE) return;
  if (!wt__canary()->connection_ids) return;
  bool carried = issue->next > WT__RETIRE_PRIOR_TO_MAX;
  if (carried && !wt__conn_may_carry(conn, WT__CARRIER_ID_MAX)) {
    WT__DEBUG(endpoint->config.log, WT__EVENT_OF("connection_ids_kept", WT__CONNECTION(conn)),
              "connection %s: keeps its connection ids, since it has had too many of them", conn->name);
    return;
  }
  issue->retire_prior_to = issue->next;
  issue->carrier = carried ? WT__CID_CARRIER_QUEUED : WT__CID_CARRIER_NONE;
}

/* When the next move may begin; UINT64_MAX: there is none to make. */
static uint64_t conn_may_move_at(const struct wt__conn *conn) {
  const struct wt__cid_issue *issue = &conn->cid_issue;
  if (conn->client || !conn->handshake_done || issue->retire_prior_to) return UINT64_MAX;
  if (issue->generation == conn->endpoint->ids.generation) return UINT64_MAX;
  return issue->moved_at ? issue->moved_at + REST + REST_PTOS * conn->pto : 0;
}

void wt__conn_prepare_cids(struct wt__conn *conn) {
  struct wt__cid_issue *issue = &conn->cid_issue;
  if (conn->client || !conn->handshake_done) return; /* before, its packets have the first id */
  uint64_t old, count = conn_count_cids(conn, &old);
  bool arrived = issue->carrier == WT__CID_CARRIER_NONE || issue->carrier == WT__CID_CARRIER_ARRIVED;
  if (issue->retire_prior_to && issue->retire_prior_to != issue->next && !old && arrived) {
    issue->retire_prior_to = 0;
    issue->moved_at = conn->endpoint->now;
    issue->single = false;
    WT__DEBUG(conn->endpoint->config.log, WT__EVENT_OF("connection_ids_changed", WT__CONNECTION(conn)),
              "connection %s: has other connection ids", conn->name);
  }
  if (conn_may_move_at(conn) <= conn->endpoint->now) conn_begin_move(conn);
  conn_update_cid_limit(conn, count);
  if (issue->retire_prior_to == issue->next) conn->ack_wait.urgent = true; /* ngtcp2 has a frame to write */
}

void wt__conn_mark_cids(const struct wt__conn *conn, uint8_t *payload, size_t len) {
  const struct wt__cid_issue *issue = &conn->cid_issue;
  if (issue->carrier == WT__CID_CARRIER_NONE) {
    wt__quic_frames_retire_prior_to(payload, len, issue->retire_prior_to);
  } else {
    wt__quic_frames_hide_id(payload, len, issue->retire_prior_to);
  }
}

/* --- A frame in the place of a DATAGRAM frame --- */

size_t wt__conn_next_cid_carrier(const struct wt__conn *conn, uint8_t *carrier, uint64_t *number) {
  const struct wt__cid_issue *issue = &conn->cid_issue;
  if (issue->carrier != WT__CID_CARRIER_QUEUED || !issue->retire_prior_to) return 0;
  WT__LIST_FOREACH(link, next, &conn->cids) {
    const struct wt__cid *cid = WT__CONTAINER_OF(link, struct wt__cid, link);
    if (!cid->issued || cid->sequence != issue->retire_prior_to) continue;
    *number = WT__CID_CARRIER_NUMBER | cid->sequence;
    return wt__quic_carrier_write_id(carrier, cid->sequence, cid->data, cid->len, issue->token);
  }
  return 0; /* ngtcp2 has not asked for it yet */
}

void wt__conn_sent_cid_carrier(struct wt__conn *conn) {
  conn->cid_issue.carrier = WT__CID_CARRIER_FLYING;
  conn->cid_issue.carrier_sent_at = conn->endpoint->now;
}

static bool is_carrier(const struct wt__conn *conn, uint64_t number) {
  const struct wt__cid_issue *issue = &conn->cid_issue;
  return issue->retire_prior_to && number == (WT__CID_CARRIER_NUMBER | issue->retire_prior_to);
}

void wt__conn_acked_cid_carrier(struct wt__conn *conn, uint64_t number) {
  if (is_carrier(conn, number)) conn->cid_issue.carrier = WT__CID_CARRIER_ARRIVED;
}

void wt__conn_lost_cid_carrier(struct wt__conn *conn, uint64_t number) {
  if (is_carrier(conn, number) && conn->cid_issue.carrier == WT__CID_CARRIER_FLYING)
    conn->cid_issue.carrier = WT__CID_CARRIER_QUEUED;
}

uint64_t wt__conn_cids_expiry(const struct wt__conn *conn) {
  const struct wt__cid_issue *issue = &conn->cid_issue;
  if (issue->carrier != WT__CID_CARRIER_FLYING || !issue->retire_prior_to) return conn_may_move_at(conn);
  return issue->carrier_sent_at + SILENT_PTOS * conn->pto;
}

void wt__conn_expire_cids(struct wt__conn *conn) {
  if (conn->cid_issue.retire_prior_to && wt__conn_cids_expiry(conn) <= conn->endpoint->now)
    conn->cid_issue.carrier = WT__CID_CARRIER_QUEUED;
}

/* --- All connections --- */

void wt__endpoint_move_cids(struct wt__endpoint *endpoint) {
  if (wt__cid_maker_is_behind(&endpoint->ids) && wt__cid_maker_update(&endpoint->ids)) return; /* again, next time */
  if (endpoint->ids_generation == endpoint->ids.generation) return;
  endpoint->ids_generation = endpoint->ids.generation;
  WT__LIST_FOREACH(link, next, &endpoint->conns) wt__conn_wake(WT__CONTAINER_OF(link, struct wt__conn, link));
}
