/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_BODY_H
#define WT_H3_BODY_H

/* The body of an HTTP message, arriving or leaving: what requests of a server and exchanges of a client share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include "base/buf.h"
#include "core/sendq.h"

struct wt__h3_conn;

/* Passes bytes to the application. */
typedef void (*wt__body_tell)(void *message, const uint8_t *data, size_t len, bool fin);

struct wt__body_in {
  struct wt__h3_conn *conn; /* NULL before there is a stream */
  int64_t id;
  wt__body_tell tell;
  void *message;
  struct wt__buf kept; /* arrived, not told */
  uint64_t received;
  bool paused;
  bool fin;     /* the peer's side has ended */
  bool told;    /* and `tell` said so */
  bool discard; /* the rest is not wanted */
};

struct wt__body_out {
  struct wt__sendq queue;
  uint64_t acked;
  bool ended; /* the application has said all */
  bool writable_pending;
};

void wt__body_in_init(struct wt__body_in *in, size_t max, wt__body_tell tell, void *message);
/* Reports bytes as read: the application has read them, or will never. */
void wt__body_in_consume(const struct wt__body_in *in, uint64_t len);
/* Drops what is kept. */
void wt__body_in_drop(struct wt__body_in *in);
/* Bytes arrived. `wanted`: they are not dropped. `now`: they may be told at once, from inside the arrival. WT_ERR_NOMEM:
 * they are lost. */
int wt__body_in_recv(struct wt__body_in *in, const uint8_t *data, size_t len, bool wanted, bool now);
/* Tells what is kept, and the end once it is there. */
void wt__body_in_deliver(struct wt__body_in *in);

/* Hands unsent bytes of `queue` to nghttp3; as `nghttp3_read_data_callback` returns. */
nghttp3_ssize wt__body_read(struct wt__sendq *queue, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags);
/* `len` more bytes were acknowledged. True: the application is to be told that there is room. */
bool wt__body_out_acked(struct wt__body_out *out, uint64_t len, struct wt__released *released);
/* Queues all of a body at once, whatever the bound. WT_ERR_NOMEM: nothing is queued. */
int wt__body_out_put(struct wt__body_out *out, const void *data, size_t len, struct wt__released *released);

#endif
