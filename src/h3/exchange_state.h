/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_EXCHANGE_STATE_H
#define WT_H3_EXCHANGE_STATE_H

/* The record of an exchange, for the files that make up an exchange: exchange.c, exchange_request.c,
 * exchange_stream.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/client.h>

#include "base/list.h"
#include "h3/body.h"
#include "h3/client.h"
#include "h3/fields.h"

struct wt__h3_conn;
struct wt__h3_stream;

/* The header section of the response:
 *
 *    AWAITED --- it is in, and `status` is set ---> ARRIVED --- `on_response` in the next pass ---> TOLD
 */
enum wt__response {
  WT__RESPONSE_AWAITED = 0,
  WT__RESPONSE_ARRIVED,
  WT__RESPONSE_TOLD /* `on_body` may be called */
};

struct wt_exchange {
  struct wt__h3_conn *conn;     /* NULL: not attached */
  struct wt__h3_stream *stream; /* NULL before it is sent, and after QUIC has closed it */
  int64_t id;
  struct wt__link link; /* in the client's `exchanges` */
  struct wt__link due;  /* in `waiting_exchanges` or `due_exchanges` */
  struct wt__fields request, response;
  struct wt__body_in in;
  struct wt__body_out out;
  struct wt_exchange_callbacks callbacks;
  void *user_data;
  void (*on_progress)(wt_exchange *exchange, bool closed, void *owner);
  void (*on_cancel)(wt_exchange *exchange, void *owner);
  void *owner;
  int status;     /* of the response; 0 while it is AWAITED */
  bool has_body;  /* the request has one */
  bool streaming; /* from `wt_exchange_write` */
  enum wt__response response_state;
  bool stopped; /* the server wants no more of the request */
  bool over;    /* QUIC has closed the stream */
  bool failed;
  int error;
  uint64_t abort_code;
  char message[WT__H3_END_REASON_MAX];
};

/* The next pass works on it. */
void wt__exchange_set_due(wt_exchange *exchange);
/* It has failed, if it had not. `abort_code`: what its stream is reset with. `message` is copied. */
void wt__exchange_set_failed(wt_exchange *exchange, int error, uint64_t abort_code, const char *message);
/* Whether `on_body` may be called now. */
bool wt__exchange_takes_body(const wt_exchange *exchange);

#endif
