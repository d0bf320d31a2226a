/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_CLIENT_H
#define LOOPBACK_CLIENT_H

/*
 * Our own client without sockets: an endpoint on the simulated network that connects, asks for sessions, and writes
 * down everything it is told. Its sessions and streams are written down as a server's are (server.h): `records`
 * is a `struct server` that has no endpoint. Freeing it checks the rules: each connection, dial, session and stream
 * got exactly one last callback.
 */

#include "h3/client.h"
#include "server.h"

struct client;

/* One connection. */
struct client_link {
  struct client_link *next;
  struct client *client;
  struct wt__h3_conn *h3; /* NULL once ended */
  unsigned connects;      /* how often `on_connected` came */
  bool ready;
  int draft;
  unsigned unused; /* how often nothing used it any more */
  unsigned ends;
  struct wt__h3_end end;
};

/* One request for a session. */
struct client_dial {
  struct client_dial *next;
  struct client_link *link;
  struct wt__h3_dial *dial; /* NULL once replied */
  bool echo;
  unsigned replies;
  int error, status;
  uint64_t wire_code;
  char message[256], header[64]; /* header: "x-test" of the answer */
  struct server_session *session;
  struct server_session *asked; /* of an optimistic one: what it was given to use at once */
};

struct client {
  struct net *net;
  struct net_node node;
  struct wt__endpoint *endpoint;
  struct wt__tls_client *tls;
  struct wt__endpoint_config config;         /* change it between `client_init` and `client_start` */
  struct wt__tls_client_options tls_options; /* likewise; nothing is verified by default */
  struct wt__connect_options connect;        /* of `client_connect` */
  struct server records;
  struct client_link *links;
  struct client_dial *dials;
  struct client_exchange *exchanges; /* exchange.h */
  bool forget;                       /* frees the records of dials as they are replied to */
  void (*on_asked)(struct client *client, struct client_dial *dial);
  void (*on_reply)(struct client *client, struct client_dial *dial);
  void *hook_ctx;
};

/* `address`: index of `net_address`. */
void client_init(struct client *client, struct net *net, unsigned address);
void client_start(struct client *client);
/* Frees everything. Connections that are left end without a word. */
void client_free(struct client *client);

/* NULL, and `*error` set, if it cannot begin. `error` may be NULL. */
struct client_link *client_connect(struct client *client, const struct sockaddr_in *to, int *error);
void client_dial_options(struct wt__h3_dial_options *options, const char *path);
/* NULL, and `*error` set, if it cannot be asked for. `options` may be NULL: `client_dial_options` for `path`. */
struct client_dial *client_dial(struct client_link *link, const char *path, const struct wt__h3_dial_options *options,
                                int *error);
/* The connection of `link`, which is ready, and a session at `path` of the server. */
struct server_session *client_session(struct client *client, struct client_link *link, const char *path);

/* The record of the same stream or session at the other end; NULL if it is not there. */
struct server_stream *stream_opposite(struct server *other, const struct server_stream *stream);
struct server_session *session_opposite(struct server *other, const struct server_session *session);

#endif
