/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_EXCHANGE_H
#define WT_H3_EXCHANGE_H

/*
 * A plain request of a client and the response to it. It exists before its connection does, because the name may
 * still have to be looked up; bytes of its body are kept until then.
 *
 *   new --> [set_owner] --> attach --> sent --> response --> on_close, freed
 *      \--> fail, from the loop -----------------------------^
 *
 * The exchange is over when the response is complete and the request was sent, or was not wanted any more; or with
 * an error. Then the owner gets `on_progress`, the application `on_close`, and the exchange is freed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

struct wt__h3_conn;

/* Everything is copied. */
struct wt__exchange_options {
  const char *method, *authority, *path; /* path and query */
  const struct wt_header *headers;
  size_t header_count;
  const void *body; /* NULL: none */
  size_t body_len;
  bool has_body;                                 /* it follows with `wt_exchange_write` */
  const struct wt_exchange_callbacks *callbacks; /* of this version; NULL: none */
  void *user_data;
  size_t max_header_bytes; /* of either header section */
  size_t max_send_buffer;
};

/* WT_ERR_INVALID (the method, a header field, a body of both kinds), WT_ERR_TOO_LARGE (the header), WT_ERR_NOMEM. */
int wt__exchange_new(const struct wt__exchange_options *options, wt_exchange **out);

/* Frees one that was not attached, without a callback: `wt_client_request` fails. */
void wt__exchange_free(wt_exchange *exchange);

/* The connection that the request is to go out on, once the handshake is done and a stream is there. Where the
 * connection takes no more requests, `on_close` says so later; never from inside this call. */
void wt__exchange_attach(wt_exchange *exchange, struct wt__h3_conn *conn);
/* That connection; NULL: none yet. Also inside `on_close`. */
struct wt__h3_conn *wt__exchange_conn(const wt_exchange *exchange);

/* Ends it with `error`, never 0, and a sentence, which is copied. One that is not attached gets its `on_close` inside
 * this call and is gone then: call it from the loop only. */
void wt__exchange_fail(wt_exchange *exchange, int error, const char *message);

/* `on_progress`: the header of the response is in (`closed` false, just before `on_response`); the exchange is over
 * (`closed` true, just before `on_close`). The owner must not free or fail it there. */
void wt__exchange_set_owner(wt_exchange *exchange, void (*on_progress)(wt_exchange *exchange, bool closed, void *owner),
                            void *owner);
/* `on_cancel`: the application gave up before it was attached, inside a call of its own: the owner makes
 * `wt__exchange_fail` with WT_ERR_CLOSED from the loop. Once. */
void wt__exchange_set_on_cancel(wt_exchange *exchange, void (*on_cancel)(wt_exchange *exchange, void *owner));
/* NULL once it was told that the exchange is over. */
void *wt__exchange_owner(const wt_exchange *exchange);
/* How far it came: WT_STAGE_CONNECT until the handshake is done (also while it is not attached), WT_STAGE_REQUEST,
 * WT_STAGE_ANSWERED. */
enum wt_dial_stage wt__exchange_stage(const wt_exchange *exchange);

/* --- All those of a connection, as client.c runs them --- */

void wt__exchanges_send(struct wt__h3_conn *conn);
void wt__exchanges_run(struct wt__h3_conn *conn);
void wt__exchanges_goaway(struct wt__h3_conn *conn, int64_t id);
void wt__exchanges_end(struct wt__h3_conn *conn);

#endif
