/* SPDX-License-Identifier: MIT */
/*
 * The client's side of an HTTP/3 connection: when it is ready, who uses it, and how it ends. Requests for sessions are
 * in dial.c, plain requests in exchange.c.
 *
 * A server whose SETTINGS lack something cannot have sessions (draft section 3.1). If the connection was made for sessions,
 * it is closed with WT_REQUIREMENTS_NOT_MET and a reason that names what is missing. If it carries plain requests, it goes
 * on, and only its dials fail.
 *
 * Arrivals only set marks; `client_run` calls the application. When the last user of the connection has gone, and the
 * server has acknowledged the last closes, `on_unused` tells the owner, who may close the connection or keep it for
 * others. We wait a limited time for that acknowledgement: a server that has vanished would otherwise delay the end of the
 * last session until the idle timeout.
 */

#include "h3/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "h3/client_conn_state.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/dial.h"
#include "h3/exchange.h"
#include "h3/side.h"
#include "h3/streams.h"
#include "wire/error_code.h"

#define CLOSE_WAIT_PTOS 15
#define CLOSE_WAIT_MIN_NS (2 * WT__NS_PER_S)
#define CLOSE_WAIT_MAX_NS (5 * WT__NS_PER_S)

static const struct wt__side client_side;

/* --- The connection --- */

int wt__h3_conn_new_client(struct wt__h3_conn **out, const struct wt__h3_config *config,
                           const struct wt__h3_client_callbacks *callbacks, void *user_data,
                           const struct wt_transport *transport, void *ctx, const char *peer_address, uint64_t now) {
  struct wt__h3_client *client = wt__calloc(1, sizeof(*client));
  if (!client) return WT_ERR_NOMEM;
  client->callbacks = *callbacks;
  client->user_data = user_data;
  client->end.error = WT_ERR_CLOSED;
  wt__list_init(&client->dials);
  wt__list_init(&client->waiting_dials);
  wt__list_init(&client->due_dials);
  wt__list_init(&client->exchanges);
  wt__list_init(&client->waiting_exchanges);
  wt__list_init(&client->due_exchanges);
  int error = wt__h3_conn_init(out, config, &client_side, client, transport, ctx, peer_address, now);
  if (error) wt__free(client);
  return error;
}

void wt__h3_conn_connected(struct wt__h3_conn *conn) {
  if (conn->closing || conn->client->connected) return;
  conn->client->connected = conn->client->connected_pending = conn->client->try_waiting = true;
  wt__h3_wake(conn);
}

/* There will be no sessions. `why` is static. */
static void client_unfit(struct wt__h3_conn *conn, const char *why) {
  if (conn->client->has_exchanges) {
    conn->client->missing = why;
    conn->client->try_waiting = conn->client->unfit_pending = true;
    wt__h3_wake(conn);
  } else {
    wt__h3_fail(conn, WT__WT_REQUIREMENTS_NOT_MET, why);
  }
}

static void client_settings_in(struct wt__h3_conn *conn) {
  const char *missing =
      wt__settings_missing_from_server(&conn->peer, conn->peer_max_datagram, wt__h3_reset_at_suffices(conn));
  if (missing && conn->client->connected_pending) {
    conn->client->unfit = missing; /* who is given the connection may want no sessions */
    return;
  }
  if (missing) {
    client_unfit(conn, missing);
    return;
  }
  conn->client->ready = conn->client->ready_pending = conn->client->try_waiting = true;
  wt__h3_wake(conn);
}

static void client_streams_allowed(struct wt__h3_conn *conn) {
  const struct wt__h3_client *client = conn->client;
  if (wt__list_empty(&client->waiting_dials) && wt__list_empty(&client->waiting_exchanges)) return;
  conn->client->try_waiting = true;
}

static void client_recv_goaway(struct wt__h3_conn *conn, int64_t id) {
  conn->client->goaway = conn->client->try_waiting = true;
  wt__dials_goaway(conn, id);
  wt__exchanges_goaway(conn, id);
  wt__h3_wake(conn);
}

size_t wt__h3_conn_sessions(const struct wt__h3_conn *conn) {
  return conn->mux.sessions_open + conn->client->dials_sent;
}

bool wt__h3_conn_may_exchange(const struct wt__h3_conn *conn) { return !conn->closing && !conn->client->goaway; }

static void client_run_settings(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  uint64_t wait_ms = conn->config->settings_timeout_ms;
  if (!conn->started || conn->has_settings || wait_ms == 0 || client->missing) return;
  if (client->settings_deadline == 0) client->settings_deadline = conn->now + wait_ms * WT__NS_PER_MS;
  if (client->settings_deadline <= conn->now) client_unfit(conn, "the server's SETTINGS did not arrive in time");
}

static void client_run(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  client_run_settings(conn);
  if (client->connected_pending) {
    client->connected_pending = false;
    if (client->callbacks.on_connected) client->callbacks.on_connected(conn, client->user_data);
    if (client->unfit) client_unfit(conn, client->unfit);
  }
  if (client->ready_pending) {
    client->ready_pending = false;
    if (client->callbacks.on_ready) {
      client->callbacks.on_ready(conn, wt__settings_draft(&conn->peer), client->user_data);
    }
  }
  if (client->unfit_pending) {
    client->unfit_pending = false;
    if (client->callbacks.on_unfit) client->callbacks.on_unfit(conn, client->user_data);
  }
  if (client->try_waiting) {
    client->try_waiting = false;
    wt__dials_send(conn);
    wt__exchanges_send(conn);
  }
  wt__dials_run(conn);
  wt__exchanges_run(conn);
}

/* Time for a close to get lost and to be sent again four times: after one, two, four and eight probe timeouts (RFC
 * 9002, section 6.2.1). */
static uint64_t close_wait_ns(const struct wt__path_stats *path) {
  if (path->smoothed_rtt_us == 0) return CLOSE_WAIT_MAX_NS;
  uint64_t pto_us = path->probe_timeout_us;
  if (pto_us >= CLOSE_WAIT_MAX_NS / (CLOSE_WAIT_PTOS * 1000)) return CLOSE_WAIT_MAX_NS;
  uint64_t ns = CLOSE_WAIT_PTOS * 1000 * pto_us;
  return ns > CLOSE_WAIT_MIN_NS ? ns : CLOSE_WAIT_MIN_NS;
}

/* Whether nothing uses the connection but closes of sessions, which the server has yet to acknowledge, and may: any
 * packet of it begins the time anew. */
static bool client_awaits_close_acks(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  struct wt__path_stats path = {0};
  if (wt__h3_is_used(conn) || wt__h3_conn_is_idle(conn)) {
    client->close_wait_until = 0;
    return false;
  }
  if (client->close_wait_until != 0 && client->close_wait_until <= conn->now) return false;
  conn->transport->path_stats(conn->ctx, &path);
  if (client->close_wait_until == 0 || client->close_wait_heard != path.packets_received) {
    client->close_wait_heard = path.packets_received;
    client->close_wait_until = conn->now + close_wait_ns(&path);
  }
  return true;
}

static void client_run_unused(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  bool was_used = client->used;
  if (conn->closing) return;
  client->used = client_awaits_close_acks(conn) || wt__h3_is_used(conn);
  if (was_used && !client->used && client->callbacks.on_unused) client->callbacks.on_unused(conn, client->user_data);
}

static uint64_t client_expiry(const struct wt__h3_conn *conn) {
  const struct wt__h3_client *client = conn->client;
  uint64_t expiry = client->used && client->close_wait_until ? client->close_wait_until : UINT64_MAX;
  if (client->connected_pending || client->ready_pending || client->try_waiting) return 0;
  if (!wt__list_empty(&client->due_dials) || !wt__list_empty(&client->due_exchanges)) return 0;
  if (conn->has_settings || client->settings_deadline == 0 || client->missing) return expiry;
  return client->settings_deadline < expiry ? client->settings_deadline : expiry;
}

void wt__h3_conn_close(struct wt__h3_conn *conn) { wt__h3_leave(conn, WT__H3_NO_ERROR, ""); }

void wt__h3_conn_set_end(struct wt__h3_conn *conn, const struct wt__h3_end *end) { conn->client->end = *end; }

/* --- The side --- */

static int client_http_new(struct wt__h3_conn *conn, const nghttp3_callbacks *callbacks, nghttp3_settings *settings) {
  return nghttp3_conn_client_new(&conn->http, callbacks, settings, &conn->http_mem, conn);
}

/* RFC 9114, section 6.1: a server opens none, but for WebTransport. */
static void client_recv_request(struct wt__h3_conn *conn, struct wt__h3_stream *stream) {
  (void)stream;
  wt__h3_fail(conn, WT__H3_STREAM_CREATION_ERROR, "a bidirectional stream of the server that is not WebTransport's");
}

static void client_recv_nothing(struct wt__h3_conn *conn, int64_t id) { (void)conn, (void)id; }

static void client_max_remote_bidi(struct wt__h3_conn *conn, uint64_t max) { (void)conn, (void)max; }

static bool client_is_used(const struct wt__h3_conn *conn) {
  return !wt__list_empty(&conn->client->dials) || !wt__list_empty(&conn->client->exchanges);
}

static void client_shutdown(struct wt__h3_conn *conn) { (void)conn; }

static void client_over(struct wt__h3_conn *conn, struct wt__ending *ending) {
  struct wt__h3_client *client = conn->client;
  client->end.by = wt__cause_party(ending->cause);
  client->end.cause = ending->cause;
  client->end.wire_code = ending->wire_code;
  wt__dials_end(conn);
  wt__exchanges_end(conn);
}

static void client_over_behind_sessions(struct wt__h3_conn *conn) { (void)conn; }

/* The owner of the connection is told. */
static void client_over_at_last(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  if (client->callbacks.on_end) client->callbacks.on_end(&client->end, client->user_data);
  wt__free(client);
}

static const struct wt__side client_side = {
    .takes_priority_updates = false,
    .opens = 0,
    .http_new = client_http_new,
    .recv_request = client_recv_request,
    .recv_nothing = client_recv_nothing,
    .settings_in = client_settings_in,
    .recv_goaway = client_recv_goaway,
    .streams_allowed = client_streams_allowed,
    .max_remote_bidi = client_max_remote_bidi,
    .run = client_run,
    .run_end = client_run_unused,
    .expiry = client_expiry,
    .is_used = client_is_used,
    .shutdown = client_shutdown,
    .over = client_over,
    .over_behind_sessions = client_over_behind_sessions,
    .over_at_last = client_over_at_last,
};
