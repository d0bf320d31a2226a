/* SPDX-License-Identifier: MIT */

/*
 * One QUIC connection of a client. It begins as an attempt of a connector. If it is the first one whose handshake is done,
 * the dials and requests that wait for the connector get it.
 *
 *   ATTEMPT --handshake done--> CONNECTED --SETTINGS--> READY --nothing uses it--> lingers --> closed
 *      |                            |                     |
 *      +--- fails, is given up -----+---------------------+--> on_end: freed
 *
 * Requests that were sent on it belong to h3, which reports the end of each before the end of the connection. Kept here are
 * its users: dials and requests that were given the connection. Some of them still wait for the server's SETTINGS, because
 * only these tell whether there is room for one more session.
 *
 * A socket serves all connections of its family. The local address of each is what the kernel would choose for it.
 */

#include "net/connection.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "core/info.h"
#include "h3/client.h"
#include "h3/conn.h"
#include "net/address.h"
#include "net/client_state.h"
#include "net/connector.h"
#include "net/driver.h"
#include "net/failure.h"
#include "net/pending.h"
#include "net/snapshot.h"
#include "net/timer.h"
#include "net/udp.h"
#include "quic/endpoint.h"

static void connection_free(struct wt__connection *connection) {
  struct wt__link *first;
  while ((first = wt__list_first(&connection->users))) {
    WT__PENDING_OF(first, wait)->connection = NULL;
    wt__list_remove(first);
  }
  if (wt__link_linked(&connection->link)) connection->client->connections_len--;
  wt__list_remove(&connection->link);
  wt__timer_free(connection->client, &connection->linger);
  wt__free(connection);
}

void wt__connection_close(struct wt__connection *connection) {
  connection->connector = NULL;
  connection->attempt = NULL;
  connection->closing = true;
  wt__h3_conn_close(connection->h3);
}

/* --- Its life --- */

static void connection_won(struct wt__connection *connection) {
  struct wt__connector *connector = connection->connector;
  struct wt__attempt *attempt = connection->attempt;
  connection->connected = true;
  connection->connector = NULL;
  connection->attempt = NULL;
  wt__connector_won(connector, attempt);
}

static void connection_on_connected(struct wt__h3_conn *conn, void *user_data) {
  struct wt__connection *connection = user_data;
  (void)conn;
  if (connection->connector) connection_won(connection); /* else another was faster */
}

/* Whoever waits to share it knows now whether there is room. */
static void connection_set_ready(struct wt__connection *connection) {
  connection->ready = true;
  WT__LIST_FOREACH(it, next, &connection->users) {
    struct wt__pending *pending = WT__PENDING_OF(it, wait);
    pending->kind->ready(pending);
  }
}

static void connection_on_ready(struct wt__h3_conn *conn, int draft, void *user_data) {
  (void)conn;
  (void)draft;
  connection_set_ready(user_data);
}

static void connection_on_unfit(struct wt__h3_conn *conn, void *user_data) {
  (void)conn;
  connection_set_ready(user_data);
}

static void connection_start_linger(struct wt__connection *connection) {
  wt_client *client = connection->client;
  if (!connection->unused || connection->closing || !wt__list_empty(&connection->users)) return;
  if (client->config.linger_ms == 0) {
    wt__connection_close(connection);
  } else {
    wt__timer_set(client, &connection->linger, wt__driver_deadline(wt__client_now(client), client->config.linger_ms));
  }
}

static void connection_on_unused(struct wt__h3_conn *conn, void *user_data) {
  struct wt__connection *connection = user_data;
  (void)conn;
  connection->unused = true;
  connection_start_linger(connection);
}

static void connection_on_linger(struct wt__timer *timer, uint64_t now) {
  (void)now;
  wt__connection_close(WT__CONTAINER_OF(timer, struct wt__connection, linger));
}

/* --- Its end --- */

static void connection_on_end(const struct wt__h3_end *end, void *user_data) {
  struct wt__connection *connection = user_data;
  struct wt__connector *connector = connection->connector;
  struct wt__failure failure;
  wt__failure_of_end(&failure, end);
  connection->closing = true;
  if (connector) wt__connector_keep_info(connector, connection);
  /* Where HTTP/3 had its say, the handshake was done, perhaps with the very packet that ended it all. */
  if (connector && end->is_h3) connection_won(connection);
  if (connection->connector) wt__connector_lost(connection->connector, connection->attempt, &failure);
  WT__LIST_FOREACH(it, next, &connection->users) {
    struct wt__pending *pending = WT__PENDING_OF(it, wait);
    pending->info = wt__connection_snapshot(connection);
    wt__pending_fail(pending, &failure);
  }
  connection_free(connection);
}

static const struct wt__h3_client_callbacks connection_callbacks = {
    .on_connected = connection_on_connected,
    .on_ready = connection_on_ready,
    .on_unfit = connection_on_unfit,
    .on_unused = connection_on_unused,
    .on_end = connection_on_end,
};

/* --- Beginning --- */

static struct wt__udp *socket_for(wt_client *client, int family) {
  for (size_t i = 0; i < client->socket_count; i++) {
    if (client->sockets[i].udp.family == family) return &client->sockets[i].udp;
  }
  return NULL;
}

/* Fills the path to `remote`. */
static int path_find(wt_client *client, const struct wt__address *remote, struct wt__path *path,
                     struct wt__failure *failure) {
  struct wt__udp *udp = socket_for(client, remote->storage.ss_family);
  struct wt__address local;
  int os_error = EAFNOSUPPORT;
  if (!udp) {
    const char *why = client->config.bind ? "`bind` is an address of the other family" : wt__os_error_text(os_error);
    wt__failure_set(failure, WT_ERR_IO, WT_TRANSPORT, "%s", why);
    return WT_ERR_IO;
  }
  if (wt__udp_source(remote, &local, &os_error)) {
    wt__failure_set(failure, WT_ERR_IO, WT_TRANSPORT, "%s", wt__os_error_text(os_error));
    return WT_ERR_IO;
  }
  if (client->config.bind) local = udp->bound;
  wt__address_set_port(&local, wt__address_port((const struct sockaddr *)&udp->bound.storage));
  *path = (struct wt__path){.local = local.storage,
                            .local_len = local.len,
                            .remote = remote->storage,
                            .remote_len = remote->len,
                            .socket = udp};
  return 0;
}

static struct wt__connection *connection_new(struct wt__connector *connector, struct wt__attempt *attempt,
                                             const struct wt__address *remote) {
  struct wt__connection *made = wt__calloc(1, sizeof(*made));
  if (!made) return NULL;
  made->client = connector->client;
  wt__link_init(&made->link);
  wt__list_init(&made->users);
  made->connector = connector;
  made->attempt = attempt;
  made->remote = *remote;
  made->pooling = connector->pooling;
  memcpy(made->host_port, connector->host_port, sizeof(made->host_port));
  if (wt__timer_init(connector->client, &made->linger, connection_on_linger) == 0) return made;
  wt__free(made);
  return NULL;
}

int wt__connection_begin(struct wt__connector *connector, struct wt__attempt *attempt, const struct wt__address *remote,
                         struct wt__failure *failure) {
  wt_client *client = connector->client;
  struct wt__path path;
  int error = path_find(client, remote, &path, failure);
  if (error) return error;
  struct wt__connection *made = connection_new(connector, attempt, remote);
  error = made ? 0 : WT_ERR_NOMEM;
  if (error == 0) {
    struct wt__connect_options options = {
        .tls = client->tls,
        .server_name = connector->host,
        .version = client->config.quic_version,
        .resumption_key = client->config.session_tickets ? connector->host_port : NULL,
        .congestion_control = connector->congestion_control,
        .callbacks = connection_callbacks,
        .user_data = made,
    };
    error = wt__endpoint_connect(client->driver.endpoint, &path, &options, wt__client_now(client), &made->h3);
  }
  if (error) {
    if (made) connection_free(made);
    wt__failure_set(failure, error, WT_TRANSPORT, "cannot connect: %s", wt_error_string(error));
    return error;
  }
  attempt->connection = made;
  wt__list_push_back(&client->connections, &made->link);
  client->connections_len++;
  return 0;
}

/* --- Sharing --- */

static bool connection_has_room(const struct wt__connection *connection, const struct wt__pending *pending) {
  if (!pending->kind->is_session) return wt__h3_conn_may_exchange(connection->h3);
  return !connection->ready || wt__h3_conn_may_dial(connection->h3);
}

struct wt__connection *wt__connection_find(const struct wt__pending *pending) {
  char host_port[WT__HOST_PORT_MAX];
  if (!pending->pooling) return NULL;
  wt__pending_host_port(pending, host_port, sizeof(host_port));
  WT__LIST_FOREACH(it, next, &pending->client->connections) {
    struct wt__connection *connection = WT__CONNECTION_OF(it);
    if (!connection->pooling || !connection->connected || connection->closing) continue;
    if (strcmp(connection->host_port, host_port) == 0 && connection_has_room(connection, pending)) return connection;
  }
  return NULL;
}

void wt__connection_add_user(struct wt__connection *connection, struct wt__pending *pending) {
  wt__list_remove(&pending->wait);
  wt__list_push_back(&connection->users, &pending->wait);
  pending->connection = connection;
  pending->stage = WT_STAGE_SETTINGS;
  connection->unused = false;
  wt__timer_set(connection->client, &connection->linger, UINT64_MAX);
  if (connection->closing) return; /* its end is being told */
  pending->kind->connected(pending);
  if (connection->ready) pending->kind->ready(pending);
}

void wt__connection_drop_user(struct wt__pending *pending) {
  struct wt__connection *connection = pending->connection;
  pending->connection = NULL;
  wt__list_remove(&pending->wait);
  if (connection) connection_start_linger(connection);
}

/* --- Errors of the network --- */

void wt__connections_errors(wt_client *client, struct wt__socket *socket) {
  struct wt__address remote;
  struct wt__failure failure;
  int os_error;
  while (wt__udp_error(&socket->udp, &remote, &os_error)) {
    WT__LIST_FOREACH(it, next, &client->connections) {
      struct wt__connection *connection = WT__CONNECTION_OF(it);
      struct wt__connector *connector = connection->connector;
      if (!connector || connection->connected) continue; /* what comes later may be a lie */
      if (!wt__address_equal((const struct sockaddr *)&connection->remote.storage,
                             (const struct sockaddr *)&remote.storage)) {
        continue;
      }
      wt__failure_set(&failure, WT_ERR_IO, WT_TRANSPORT, "%s", wt__os_error_text(os_error));
      wt__connector_keep_info(connector, connection);
      wt__connector_lost(connector, connection->attempt, &failure);
      wt__connection_close(connection);
    }
  }
}

/* --- Information --- */

struct wt__snapshot *wt__connection_snapshot(const struct wt__connection *connection) {
  struct wt_connection_info info = {.size = sizeof(info)};
  wt__h3_conn_get_info(connection->h3, &info);
  return wt__snapshot_take(&info);
}
