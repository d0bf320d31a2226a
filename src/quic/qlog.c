/* SPDX-License-Identifier: MIT */

/*
 * ngtcp2 writes packets, frames, transport parameters, losses and the figures of recovery. It does not write which
 * addresses are used, when the handshake was done, or why the connection ended. Those events are here, under the names that
 * qlog has for them:
 *
 *   connectivity:connection_started         both addresses, QUIC version
 *   connectivity:connection_state_updated   the handshake is done
 *   connectivity:path_updated               a path was validated, or was not
 *   connectivity:connection_closed          by whom, with which code, and why
 */

#include "quic/qlog.h"

#include <string.h>

#include "base/mem.h"
#include "core/ending.h"
#include "core/qlog.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/rebinding.h"
#include "wire/error_code.h"

static void on_write(void *user_data, uint32_t flags, const void *data, size_t len) {
  struct wt__conn *conn = user_data;
  wt__qlog_write(conn->qlog, data, len, flags & NGTCP2_QLOG_WRITE_FLAG_FIN);
}

void wt__conn_qlog_init(struct wt__conn *conn, ngtcp2_settings *settings) {
  const struct wt__endpoint *endpoint = conn->endpoint;
  if (!endpoint->config.qlog.function) return;
  conn->qlog = wt__malloc(sizeof(*conn->qlog));
  if (!conn->qlog) return;
  *conn->qlog = (struct wt__qlog){
      .sink = endpoint->config.qlog, .connection = conn->name, .now = &endpoint->now, .began = settings->initial_ts};
  wt__gauge_add(&conn->gauge, sizeof(*conn->qlog));
  settings->qlog_write = on_write;
}

/* ngtcp2 has written the last record, unless its connection could not be made. */
void wt__conn_qlog_free(struct wt__conn *conn) {
  if (!conn->qlog) return;
  if (conn->qlog->open) wt__qlog_write(conn->qlog, "", 0, true);
  wt__gauge_remove(&conn->gauge, sizeof(*conn->qlog));
  wt__free(conn->qlog);
  conn->qlog = NULL;
}

static void record_string(struct wt__qlog_record *record, const char *key, const char *text) {
  wt__qlog_record_text(record, key, text, strlen(text));
}

static void record_addresses(struct wt__qlog_record *record, const struct wt__conn *conn) {
  char text[WT__PEER_TEXT_MAX];
  struct wt__path path;
  wt__conn_path(conn, &path);
  record_string(record, "local", wt__conn_address_text(&path.local, text, sizeof(text)));
  record_string(record, "remote", wt__conn_address_text(&path.remote, text, sizeof(text)));
}

void wt__conn_qlog_started(const struct wt__conn *conn) {
  struct wt__qlog_record record;
  if (!conn->qlog) return;
  wt__qlog_begin(conn->qlog, &record, "connectivity:connection_started");
  record_addresses(&record, conn);
  wt__qlog_record_number(&record, "quic_version", ngtcp2_conn_get_client_chosen_version(conn->quic));
  wt__qlog_end(conn->qlog, &record);
}

void wt__conn_qlog_handshake_done(const struct wt__conn *conn) {
  struct wt__qlog_record record;
  if (!conn->qlog) return;
  wt__qlog_begin(conn->qlog, &record, "connectivity:connection_state_updated");
  record_string(&record, "new", "handshake_complete");
  wt__qlog_record_number(&record, "quic_version", ngtcp2_conn_get_negotiated_version(conn->quic));
  wt__qlog_end(conn->qlog, &record);
}

void wt__conn_qlog_path_validated(const struct wt__conn *conn, ngtcp2_path_validation_result result) {
  static const char *const words[] = {"validated", "failed", "aborted"};
  struct wt__qlog_record record;
  if (!conn->qlog) return;
  wt__qlog_begin(conn->qlog, &record, "connectivity:path_updated");
  record_string(&record, "result", (size_t)result < 3 ? words[result] : "?");
  record_addresses(&record, conn);
  wt__qlog_end(conn->qlog, &record);
}

void wt__conn_qlog_ended(const struct wt__conn *conn, const struct wt__ending *ending) {
  struct wt__qlog_record record;
  const char *name = ending->is_h3 ? wt__wire_error_name(ending->wire_code) : NULL;
  if (!conn->qlog) return;
  wt__qlog_begin(conn->qlog, &record, "connectivity:connection_closed");
  record_string(&record, "owner", ending->cause == WT_CAUSE_PEER ? "remote" : "local");
  record_string(&record, "trigger", wt_cause_name(ending->cause));
  if (ending->cause != WT_CAUSE_TIMEOUT && ending->cause != WT_CAUSE_NETWORK)
    wt__qlog_record_number(&record, ending->is_h3 ? "application_code" : "connection_code", ending->wire_code);
  if (name) record_string(&record, "code_name", name);
  record_string(&record, "reason", ending->message);
  wt__qlog_record_number(&record, "packets_sent", conn->packets_sent);
  wt__qlog_record_number(&record, "packets_received", conn->packets_received);
  wt__qlog_record_number(&record, "bytes_sent", conn->bytes_sent);
  wt__qlog_record_number(&record, "bytes_received", conn->bytes_received);
  wt__qlog_end(conn->qlog, &record);
}
