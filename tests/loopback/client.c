/* SPDX-License-Identifier: MIT */
/*
 * The client's fixture: what the net layer will put around the layers base to quic, on the simulated network.
 */
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "exchange.h"

/* --- Connections --- */

static void on_connected(struct wt__h3_conn *conn, void *user_data) {
  struct client_link *link = user_data;
  assert_ptr_equal(link->h3, conn);
  assert_int_equal(link->connects, 0);
  assert_false(link->ready);
  link->connects++;
}

static void on_unused(struct wt__h3_conn *conn, void *user_data) {
  struct client_link *link = user_data;
  assert_ptr_equal(link->h3, conn);
  assert_int_equal(link->ends, 0);
  /* All that it had to say was heard, but where so much is lost that it was not waited for any longer. */
  assert_true(wt__h3_conn_is_idle(conn) || link->client->net->link[NET_TO_SERVER].loss >= 200);
  link->unused++;
}

static void on_ready(struct wt__h3_conn *conn, int draft, void *user_data) {
  struct client_link *link = user_data;
  assert_ptr_equal(link->h3, conn);
  assert_false(link->ready);
  assert_int_equal(link->ends, 0);
  link->ready = true;
  link->draft = draft;
}

static void on_end(const struct wt__h3_end *end, void *user_data) {
  struct client_link *link = user_data;
  assert_int_equal(link->ends, 0);
  assert_int_not_equal(end->error, 0);
  link->ends++;
  link->end = *end;
  link->h3 = NULL;
  for (struct client_dial *dial = link->client->dials; dial; dial = dial->next) {
    if (dial->link == link) assert_int_equal(dial->replies, 1);
  }
}

static void path_to(struct client *client, const struct sockaddr_in *to, struct wt__path *path) {
  memset(path, 0, sizeof(*path));
  memcpy(&path->local, &client->node.address, sizeof(client->node.address));
  memcpy(&path->remote, to, sizeof(*to));
  path->local_len = path->remote_len = sizeof(*to);
  path->socket = client;
}

struct client_link *client_connect(struct client *client, const struct sockaddr_in *to, int *error) {
  struct client_link *link = calloc(1, sizeof(*link));
  struct wt__path path;
  assert_non_null(link);
  link->client = client;
  client->connect.tls = client->tls;
  client->connect.callbacks = (struct wt__h3_client_callbacks){
      .on_ready = on_ready, .on_end = on_end, .on_connected = on_connected, .on_unused = on_unused};
  client->connect.user_data = link;
  path_to(client, to, &path);
  int rc = wt__endpoint_connect(client->endpoint, &path, &client->connect, client->net->now, &link->h3);
  if (error) *error = rc;
  if (rc) {
    free(link);
    return NULL;
  }
  link->next = client->links;
  client->links = link;
  return link;
}

/* --- Dials --- */

static void dial_forget(struct client *client, struct client_dial *dial) {
  struct client_dial **at = &client->dials;
  while (*at != dial) at = &(*at)->next;
  *at = dial->next;
  free(dial);
}

static void on_asked(wt_session *session, void *reply_data) {
  struct client_dial *dial = reply_data;
  struct client *client = dial->link->client;
  assert_int_equal(dial->replies, 0);
  assert_null(dial->asked);
  dial->asked = server_adopt(&client->records, session, dial->echo);
  if (client->on_asked) client->on_asked(client, dial);
}

static void on_reply(const struct wt__h3_reply *reply, void *reply_data) {
  struct client_dial *dial = reply_data;
  struct client *client = dial->link->client;
  const char *header = wt__h3_dial_header(reply->dial, "x-test");
  assert_int_equal(dial->replies, 0);
  assert_int_equal(reply->error == 0, reply->session != NULL);
  assert_null(wt__h3_dial_header(reply->dial, ":status"));
  dial->replies++;
  dial->dial = NULL;
  dial->error = reply->error;
  dial->status = reply->status;
  dial->wire_code = reply->wire_code;
  snprintf(dial->message, sizeof(dial->message), "%s", reply->message);
  snprintf(dial->header, sizeof(dial->header), "%s", header ? header : "");
  if (reply->session && dial->asked) {
    assert_ptr_equal(dial->asked->session, reply->session);
    dial->session = dial->asked;
  } else if (reply->session) {
    dial->session = server_adopt(&client->records, reply->session, dial->echo);
  } else if (dial->asked) {
    assert_int_equal(dial->asked->closes, 1); /* it ended first */
  }
  if (client->on_reply) client->on_reply(client, dial);
  if (client->forget) dial_forget(client, dial);
}

void client_dial_options(struct wt__h3_dial_options *options, const char *path) {
  memset(options, 0, sizeof(*options));
  options->authority = "localhost:4000";
  options->path = path;
}

struct client_dial *client_dial(struct client_link *link, const char *path, const struct wt__h3_dial_options *options,
                                int *error) {
  struct wt__h3_dial_options all;
  struct client_dial *dial = calloc(1, sizeof(*dial));
  assert_non_null(dial);
  if (options)
    all = *options;
  else
    client_dial_options(&all, path);
  all.on_asked = on_asked;
  all.on_reply = on_reply;
  all.reply_data = dial;
  dial->link = link;
  int rc = wt__h3_dial(link->h3, &all, &dial->dial);
  if (error) *error = rc;
  if (rc) {
    free(dial);
    return NULL;
  }
  dial->next = link->client->dials;
  link->client->dials = dial;
  return dial;
}

struct server_session *client_session(struct client *client, struct client_link *link, const char *path) {
  struct client_dial *dial = client_dial(link, path, NULL, NULL);
  assert_non_null(dial);
  NET_UNTIL(client->net, 10000, dial->replies);
  if (dial->error) fail_msg("no session: %s", dial->message);
  return dial->session;
}

/* --- The node --- */

static int endpoint_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                         size_t segment) {
  struct client *client = ctx;
  struct sockaddr_in local, remote;
  memcpy(&local, &path->local, sizeof(local));
  memcpy(&remote, &path->remote, sizeof(remote));
  assert_ptr_equal(path->socket, client);
  assert_true(segment > 0 && len <= WT__MAX_BATCH);
  int result = 0;
  for (size_t at = 0; at < len; at += segment) {
    size_t n = len - at < segment ? len - at : segment;
    if (net_refuses(client->net, &client->node, n)) {
      result = WT_ERR_TOO_LARGE;
      continue;
    }
    net_send(client->net, &client->node, &local, &remote, ecn, data + at, n);
  }
  return result;
}

static void node_recv(void *ctx, const struct sockaddr_in *local, const struct sockaddr_in *remote, unsigned ecn,
                      const uint8_t *data, size_t len, uint64_t now) {
  struct client *client = ctx;
  struct wt__path path;
  path_to(client, remote, &path);
  memcpy(&path.local, local, sizeof(*local));
  uint8_t *copy = malloc(len); /* of exactly this size */
  assert_non_null(copy);
  memcpy(copy, data, len);
  wt__endpoint_recv(client->endpoint, &path, ecn, copy, len, now);
  free(copy);
}

static void node_run(void *ctx, uint64_t now) { wt__endpoint_run(((struct client *)ctx)->endpoint, now); }

static uint64_t node_expiry(void *ctx) { return wt__endpoint_expiry(((struct client *)ctx)->endpoint); }

/* --- Life --- */

void client_init(struct client *client, struct net *net, unsigned address) {
  memset(client, 0, sizeof(*client));
  client->net = net;
  client->node.address = net_address(address);
  client->records.net = net;
  client->records.log.level = getenv("LOOPBACK_LOG") ? WT_LOG_DEBUG : WT_LOG_NONE;
  server_config_default(&client->records);
  client->config = client->records.config;
  client->config.send = endpoint_send;
  client->config.send_ctx = client;
  client->config.h3.routes = NULL;
  client->config.h3.no_request_timeout_ms = 0;
  client->config.h3.max_stream_data = client->config.max_stream_data;
  client->config.h3.max_streams_bidi = client->config.max_streams_bidi;
  client->tls_options.verify = WT__VERIFY_NOTHING;
  client->connect.server_name = "localhost";
}

void client_start(struct client *client) {
  assert_int_equal(wt__tls_client_new(&client->tls, &client->tls_options), 0);
  assert_int_equal(wt__endpoint_new(&client->endpoint, &client->config), 0);
  client->node.recv = node_recv;
  client->node.run = node_run;
  client->node.expiry = node_expiry;
  client->node.ctx = client;
  net_attach(client->net, &client->node);
}

void client_free(struct client *client) {
  net_detach(client->net, &client->node);
  wt__endpoint_free(client->endpoint);
  wt__tls_client_free(client->tls);
  while (client->dials) {
    struct client_dial *dial = client->dials;
    client->dials = dial->next;
    assert_int_equal(dial->replies, 1);
    free(dial);
  }
  while (client->links) {
    struct client_link *link = client->links;
    client->links = link->next;
    assert_int_equal(link->ends, 1);
    free(link);
  }
  exchanges_free(client);
  server_records_free(&client->records);
  assert_int_equal(client->records.counters.sessions_open, 0);
}

/* --- The other end --- */

struct server_session *session_opposite(struct server *other, const struct server_session *session) {
  for (struct server_session *record = other->sessions; record; record = record->next) {
    if (record->id == session->id) return record;
  }
  return NULL;
}

struct server_stream *stream_opposite(struct server *other, const struct server_stream *stream) {
  for (struct server_stream *record = other->streams; record; record = record->next) {
    if (record->id == stream->id && record->session->id == stream->session->id) return record;
  }
  return NULL;
}
