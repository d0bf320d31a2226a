/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CLIENT_H
#define WT_H3_CLIENT_H

/*
 * The client's side of an HTTP/3 connection: it asks for sessions, and the server answers.
 *
 * A dial is a request for a session on its way. It gets exactly one `on_reply`, made from `wt__h3_conn_run` or from
 * the end of the connection, never from inside a call. The connection gets at most one `on_ready`, and exactly one
 * `on_end`, after the last callbacks of its dials, sessions and streams.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/request.h>

#include "core/transport.h"

struct wt__h3_conn;
struct wt__h3_config;
struct wt__h3_dial;

#define WT__H3_END_REASON_MAX 256

/* How a connection of a client ended. */
struct wt__h3_end {
  int error;                          /* never 0: WT_ERR_CLOSED after an orderly end */
  enum wt_party by;                   /* who ended it */
  enum wt_cause cause;                /* finer than that */
  bool is_h3;                         /* whether `wire_code` is one of HTTP/3; else it is one of QUIC */
  uint64_t wire_code;                 /* what the wire said, or would have */
  char reason[WT__H3_END_REASON_MAX]; /* for people; may be "" */
};

struct wt__h3_client_callbacks {
  /* The server's SETTINGS are in and allow WebTransport. `draft` as `wt_session_draft`. May be NULL. */
  void (*on_ready)(struct wt__h3_conn *conn, int draft, void *user_data);
  /* The connection is over. From now on `conn` must not be used, except with `wt__h3_conn_get_info` until this returns.
   * May be NULL. */
  void (*on_end)(const struct wt__h3_end *end, void *user_data);
  /* The handshake is done and the server's certificate was accepted. Before `on_ready`. May be NULL. */
  void (*on_connected)(struct wt__h3_conn *conn, void *user_data);
  /* The SETTINGS do not allow WebTransport, and the connection goes on for the sake of its exchanges. May be NULL. */
  void (*on_unfit)(struct wt__h3_conn *conn, void *user_data);
  /* The last of its dials, exchanges and sessions has ended, and what they had to say has reached the server, or nothing
   * was heard of it meanwhile for two to five seconds: nothing uses the connection any more. May come again. May be NULL. */
  void (*on_unused)(struct wt__h3_conn *conn, void *user_data);
};

/* How a dial ended. Valid during the callback, but the session goes on. */
struct wt__h3_reply {
  wt_session *session;            /* NULL: there is none */
  int error;                      /* 0; WT_ERR_REJECTED: the status says how; else why there was no answer */
  int status;                     /* of the answer; 0: there was none */
  uint64_t wire_code;             /* where the server reset the request */
  const char *message;            /* for people: what went wrong; "" with a session */
  const struct wt__h3_end *end;   /* how the connection ended, if that is the reason; else NULL */
  const struct wt__h3_dial *dial; /* for `wt__h3_dial_header` */
};

/* What to ask for. Strings are copied. */
struct wt__h3_dial_options {
  const char *authority, *path; /* path and query */
  const char *origin;           /* NULL: none */
  const struct wt_header *headers;
  size_t header_count;
  const char *const *protocols; /* subprotocols, best first */
  size_t protocol_count;
  bool require_protocol;                 /* without one there is to be no session */
  struct wt_session_callbacks callbacks; /* of the session */
  void *user_data;                       /* theirs */
  /* Make the session when the request is sent, before the answer. */
  bool optimistic;
  /* Hands out that session. It makes no other callback before the answer; if the server refuses, its `on_close` comes
   * before `on_reply`. May be NULL. */
  void (*on_asked)(wt_session *session, void *reply_data);
  void (*on_reply)(const struct wt__h3_reply *reply, void *reply_data);
  void *reply_data;
};

/* As `wt__h3_conn_new`, for a client. `config`'s members about requests and routes are not used. */
int wt__h3_conn_new_client(struct wt__h3_conn **out, const struct wt__h3_config *config,
                           const struct wt__h3_client_callbacks *callbacks, void *user_data,
                           const struct wt_transport *transport, void *ctx, const char *peer_address, uint64_t now);

/* Asks for a session, once the SETTINGS and a stream are there. The dial lives until its `on_reply` has returned.
 * WT_ERR_CLOSED, WT_ERR_INVALID (a header field, a subprotocol), WT_ERR_TOO_LARGE, WT_ERR_NOMEM. */
int wt__h3_dial(struct wt__h3_conn *conn, const struct wt__h3_dial_options *options, struct wt__h3_dial **out);
/* Checks `options` as `wt__h3_dial` does, before there is a connection: WT_ERR_INVALID, WT_ERR_TOO_LARGE,
 * WT_ERR_NOMEM. `max_header_bytes` as in `struct wt__h3_config`. */
int wt__h3_dial_check(const struct wt__h3_dial_options *options, size_t max_header_bytes);
/* Gives up. `on_reply` follows with WT_ERR_CLOSED, unless it is due for another reason already; a session that
 * was accepted meanwhile is reset. */
void wt__h3_dial_cancel(struct wt__h3_dial *dial);
/* The first header field of the answer called `name` (lower case), or NULL. */
const char *wt__h3_dial_header(const struct wt__h3_dial *dial, const char *name);
/* The `index`th field of the answer, from 0, borrowed as long as the dial lives. WT_ERR_NOT_FOUND. */
int wt__h3_dial_header_at(const struct wt__h3_dial *dial, size_t index, struct wt_header *header);

/* Whether another dial may share the connection: it goes on, takes requests, has what WebTransport needs, and has room
 * for a session besides those that are there and on their way. Before the SETTINGS: for the first dial alone. */
bool wt__h3_conn_may_dial(const struct wt__h3_conn *conn);
/* How many sessions there are, counting those whose request was sent. */
size_t wt__h3_conn_sessions(const struct wt__h3_conn *conn);
/* Whether the connection takes another exchange: it goes on, and the server has sent no GOAWAY. */
bool wt__h3_conn_may_exchange(const struct wt__h3_conn *conn);

/* quic calls this once: the handshake is done, and the server's certificate was accepted. */
void wt__h3_conn_connected(struct wt__h3_conn *conn);

/* Ends the connection: H3_NO_ERROR. `on_end` follows. */
void wt__h3_conn_close(struct wt__h3_conn *conn);
/* quic sets what `on_end` will say, except `by`, `cause` and `wire_code`. */
void wt__h3_conn_set_end(struct wt__h3_conn *conn, const struct wt__h3_end *end);

#endif
