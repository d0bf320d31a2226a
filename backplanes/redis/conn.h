/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_REDIS_CONN_H
#define WT_BACKPLANES_REDIS_CONN_H

/*
 * A connection that speaks the protocol of Redis (RESP2): commands out, replies in, by the reader and writer of hiredis. It
 * logs in, chooses the database and reports that the server answers.
 */

#include <stdbool.h>
#include <stddef.h>

#include <hiredis.h>

#include "stream.h"

struct wt__redis_conn;

struct wt__redis_conn_calls {
  void (*ready)(struct wt__redis_conn *conn); /* the server has answered */
  void (*replied)(struct wt__redis_conn *conn, const redisReply *reply);
  void (*failed)(struct wt__redis_conn *conn, const char *reason); /* at most once; then call wt__redis_conn_close */
  void (*closed)(struct wt__redis_conn *conn);
};

struct wt__redis_conn {
  struct wt__redis_stream stream;
  const struct wt__redis_conn_calls *calls;
  void *owner;
  redisReader *reader;
  size_t max_reply;        /* bytes of one reply */
  unsigned login_replies;  /* that are still to come */
  bool is_open, is_closed; /* between wt__redis_conn_open and `closed`; after wt__redis_conn_close */
};

void wt__redis_conn_open(struct wt__redis_conn *conn, uv_loop_t *loop, const struct wt__broker_url *url,
                         const struct wt__redis_tls_credentials *credentials, size_t max_reply,
                         const struct wt__redis_conn_calls *calls, void *owner);

/* Adds a command of `count` words to what wt__redis_conn_flush sends. */
void wt__redis_conn_command(struct wt__redis_conn *conn, int count, const char **words, const size_t *lens);
void wt__redis_conn_flush(struct wt__redis_conn *conn);

/* Ends it; `closed` comes inside this call or later. Nothing if it is not open. */
void wt__redis_conn_close(struct wt__redis_conn *conn);

#endif
