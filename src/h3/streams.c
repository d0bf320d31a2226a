/* SPDX-License-Identifier: MIT */
/*
 * The records of a connection's streams. A stream of the peer has one from its first byte on, a stream of ours from its
 * opening on, until QUIC has closed it.
 */

#include "h3/streams.h"

#include "h3/conn_state.h"
#include "h3/headers.h"
#include "h3/role.h"
#include "h3/side.h"

#define IS_UNI(id) (((id)&2) != 0)

/* What a stream's record and its place in the table count in the connection's gauge. */
#define RECORD_SIZE (sizeof(struct wt__h3_stream) + 32)

struct wt__h3_stream *wt__streams_find(struct wt__h3_conn *conn, int64_t id) {
  if (conn->found && conn->found->id == id) return conn->found;
  struct wt__h3_stream *record = wt__map_get(&conn->streams, (uint64_t)id);
  if (record) conn->found = record;
  return record;
}

struct wt__h3_stream *wt__streams_add(struct wt__h3_conn *conn, int64_t id, enum wt__h3_kind kind) {
  struct wt__h3_stream *record = wt__pool_take_zeroed(conn->config->mux.pool, sizeof(*record));
  if (!record) return NULL;
  record->conn = conn;
  record->id = id;
  record->kind = kind;
  wt__role_leave(record);
  wt__link_init(&record->incomplete);
  if (wt__map_set(&conn->streams, (uint64_t)id, record) != 0) {
    wt__pool_give(conn->config->mux.pool, record, sizeof(*record));
    return NULL;
  }
  wt__gauge_add(conn->mux.gauge, RECORD_SIZE);
  return record;
}

static void record_free(uint64_t key, void *value, void *arg) {
  struct wt__h3_conn *conn = arg;
  (void)key;
  wt__list_remove(&((struct wt__h3_stream *)value)->incomplete);
  wt__gauge_remove(conn->mux.gauge, RECORD_SIZE);
  wt__headers_drop(conn, value);
  wt__pool_give(conn->config->mux.pool, value, sizeof(struct wt__h3_stream));
}

void wt__streams_free(struct wt__h3_conn *conn) {
  wt__map_each(&conn->streams, record_free, conn);
  wt__map_free(&conn->streams);
}

void wt__streams_remove(struct wt__h3_stream *record) {
  struct wt__h3_conn *conn = record->conn;
  if (conn->found == record) conn->found = NULL;
  wt__map_remove(&conn->streams, (uint64_t)record->id);
  record_free((uint64_t)record->id, record, conn);
}

/* The stream ended before it said what it is, or did not say it in time. */
void wt__streams_refuse(struct wt__h3_conn *conn, struct wt__h3_stream *record, uint64_t wire_code) {
  record->kind = WT__H3_REFUSED;
  if (record->head_len > 0) conn->transport->consume(conn->ctx, record->id, record->head_len);
  if (IS_UNI(record->id)) return; /* to be tolerated: RFC 9114, section 6.2 */
  wt__h3_reset_stream(conn, record->id, wire_code);
  conn->side->recv_nothing(conn, record->id);
}
