/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_SERVER_H
#define LOOPBACK_SERVER_H

/*
 * The server under test, without sockets: an endpoint on the simulated network, handlers that write down
 * everything they are told, and rules that hold for every test, checked when it is freed: each handle got
 * exactly one `on_close` and nothing after it, and no memory is left.
 *
 *   /hello            200 "hello\n"; 405 to a WebTransport request
 *   /post             streams the request's body back
 *   /source?bytes=N   N bytes of `pattern_new`, seed 1, streamed
 *   /later            keeps the request for the test to answer
 *   /wt               accepts a session and writes down what happens
 *   /echo             the same, and echoes streams (one-way ones on a new stream) and datagrams
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/webtransport.h>

#include "h3/conn.h"
#include "h3/routes.h"
#include "http.h"
#include "net.h"
#include "quic/endpoint.h"
#include "quic/shared.h"
#include "quic/tls.h"

struct server;

/* Which callback is running, for `struct server.hook`. */
enum server_event {
  SERVER_UPGRADED,
  SERVER_STREAM,
  SERVER_DATAGRAM,
  SERVER_CREDIT,
  SERVER_DRAIN,
  SERVER_SESSION_CLOSE,
  SERVER_DATA,
  SERVER_WRITABLE,
  SERVER_RESET,
  SERVER_STOP,
  SERVER_STREAM_CLOSE,
};

struct server_session {
  struct server_session *next;
  struct server *server;
  wt_session *session; /* NULL once closed */
  int64_t id;
  char path[256], protocol[64];
  int draft;
  bool echo;
  unsigned streams, drains, closes;
  unsigned credits[2];
  struct wt_close_info info;
  char reason[1100], message[1100];
  uint64_t datagrams;
  struct bytes last_datagram;
  uint64_t closed_at; /* order of events over the whole server */
};

struct server_stream {
  struct server_stream *next;
  struct server_session *session;
  wt_stream *stream; /* NULL once closed */
  int64_t id;
  bool uni, remote, frugal;
  struct bytes rx; /* unless `frugal` */
  uint64_t rx_total;
  bool fin;
  unsigned resets, stops, closes, writables;
  struct wt_stream_error reset_error, stop_error, close_error;
  bool closed_in_order;
  uint64_t closed_at;
  struct server_stream *echo_to;   /* where its bytes go */
  struct server_stream *echo_from; /* whose bytes these are */
  struct bytes pending;            /* echo that did not fit yet */
  size_t pending_at;
  bool pending_fin, ended;
};

struct server_request {
  struct server_request *next;
  struct server *server;
  wt_request *request; /* NULL once gone */
  char method[16], path[256];
  struct bytes body;
  bool body_fin, upgraded;
  unsigned closes;
  int close_error;
  int upgrade_error;
  char upgrade_message[256];
  uint64_t source_left; /* /source */
  size_t source_at;
  bool echo, begun, ended;
  size_t body_at;
};

struct server {
  struct net *net;
  struct net_node node;
  struct wt__endpoint *endpoint;
  struct wt__tls_context *tls;
  struct wt__routes routes;
  struct wt__h3_counters counters;
  struct wt__open_files open_files;
  struct wt__log log;
  struct wt__endpoint_config config; /* change it between `server_init` and `server_start` */
  int64_t live_before;
  struct wt__shared shared;   /* of `endpoint`, so that what is left in it can be looked at */
  struct sockaddr_in address; /* where it is, if not at `server_address` */
  uint8_t reset_key[WT__RESET_KEY_LEN];
  struct wt__keys fleet; /* of `server_set_secrets` */

  struct server_session *sessions, *last_session;
  struct server_stream *streams, *last_stream;
  struct server_request *requests, *last_request;
  uint64_t events;

  const char *const *protocols; /* of `wt_upgrade` */
  size_t protocol_count;
  bool require_protocol;
  int status;                      /* likewise; 0: the default */
  const struct wt_header *headers; /* likewise */
  size_t header_count;
  int reject_status;        /* the answer to a failed upgrade; 0: what `wt_upgrade_status` says */
  bool frugal;              /* counts bytes without keeping them */
  bool forget;              /* frees records of streams and sessions as they close */
  bool no_stream_callbacks; /* `on_stream` leaves the stream without callbacks */
  bool socket_full;         /* `send` takes nothing */
  size_t socket_room;       /* runs that calls for several take until `socket_full`; 0: unbounded */
  uint64_t sends_refused;
  uint64_t send_calls;  /* of both kinds */
  uint64_t runs_shared; /* runs that left by calls for several */
  void (*hook)(struct server *server, enum server_event event, struct server_session *session,
               struct server_stream *stream);
  void *hook_ctx;
};

/* Defaults as those of `wt_server_config_default`, Retry off, and the routes above. */
void server_init(struct server *server, struct net *net);
/* The secrets of a fleet, the current one first, for a server that is started or is to be. */
void server_set_secrets(struct server *server, const struct wt__vec *secrets, size_t count);
/* Makes the endpoint and puts it on the network. */
void server_start(struct server *server);
/* Frees everything, and checks the rules. */
void server_free(struct server *server);
/* Takes the endpoint off the network and frees it; what it had is over. */
void server_stop(struct server *server);
struct sockaddr_in server_address(void);

/* What a handler starts with, and `wt_upgrade` as the options of `server` have it. */
struct server_request *server_request_new(struct server *server, wt_request *request);
int server_upgrade(struct server_request *request);
/* Adds a route; `handler` gets the server. */
void server_handle(struct server *server, const char *pattern, wt_handler_callback handler);

/* The `index`th session, stream of `session` or request since the start; NULL if it is not there yet. */
struct server_session *server_session(struct server *server, size_t index);
struct server_stream *server_stream(struct server_session *session, size_t index);
struct server_request *server_request(struct server *server, size_t index);
/* Opens a stream of the server and writes it down. NULL with `*error` set when that fails. */
struct server_stream *server_open(struct server_session *session, bool uni, int *error);
/* Writes down what happens to `session`, which another stack's client asked for; with `echo`, echoes. */
struct server_session *server_adopt(struct server *server, wt_session *session, bool echo);
/* Frees the records, and checks that each handle had its one `on_close`. */
void server_records_free(struct server *server);
/* The endpoint's configuration as `server_init` has it. */
void server_config_default(struct server *server);
/* A session at `path`, accepted; `*id` is its id. */
struct server_session *server_connect(struct server *server, struct peer *peer, const char *path, int64_t *id);

#endif
