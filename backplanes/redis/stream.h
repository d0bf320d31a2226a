/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_STREAM_H
#define WT_BACKPLANES_STREAM_H

/*
 * A TCP connection to a broker on a libuv loop, with TLS or without. hiredis has connections too, but they look up names
 * on the calling thread, queue without a bound that could be seen, and in its version 0.14 know no TLS. So hiredis reads
 * and writes the protocol, and this moves the bytes. The socket is our own, because libuv's TCP handles write in a way that
 * raises SIGPIPE when the broker has gone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "broker_url.h"
#include "tls_gnutls.h"

struct wt__redis_stream;

struct wt__redis_stream_calls {
  void (*opened)(struct wt__redis_stream *stream);
  void (*received)(struct wt__redis_stream *stream, const void *bytes, size_t len);
  void (*failed)(struct wt__redis_stream *stream,
                 const char *reason);              /* at most once; then call wt__redis_stream_close */
  void (*closed)(struct wt__redis_stream *stream); /* nothing is left of it */
};

struct wt__redis_stream {
  uv_loop_t *loop;
  const struct wt__redis_stream_calls *calls;
  void *owner;
  const struct wt__broker_url *url;
  const struct wt__redis_tls_credentials *credentials;
  struct wt__redis_tls *tls;

  uv_getaddrinfo_t lookup;
  struct addrinfo *found, *next;
  uv_poll_t poll;
  int fd;
  bool has_lookup, has_poll, is_connected, is_closing, has_failed;
  int last_error; /* of the latest address */

  uint8_t *out; /* what is to be written; what was written of it */
  size_t out_len, out_cap, out_done;
  char in[65536];
};

/* Begins to connect. `url` and `credentials` live until `closed`. */
void wt__redis_stream_open(struct wt__redis_stream *stream, uv_loop_t *loop, const struct wt__broker_url *url,
                           const struct wt__redis_tls_credentials *credentials,
                           const struct wt__redis_stream_calls *calls, void *owner);

/* Adds bytes to what is written at the next wt__redis_stream_flush. They are copied. */
void wt__redis_stream_write(struct wt__redis_stream *stream, const void *bytes, size_t len);
void wt__redis_stream_flush(struct wt__redis_stream *stream);

/* Ends it; `closed` comes inside this call or later, exactly once for each wt__redis_stream_open. */
void wt__redis_stream_close(struct wt__redis_stream *stream);

#endif
