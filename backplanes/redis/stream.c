/* SPDX-License-Identifier: MIT */

/*
 * A TCP connection to a broker: see stream.h. The addresses of a name are tried one after another.
 */

#include "stream.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void stream_fail(struct wt__stream *stream, const char *reason) {
  if (stream->has_failed || stream->is_closing) return;
  stream->has_failed = true;
  stream->calls->failed(stream, reason);
}

static void stream_fail_uv(struct wt__stream *stream, const char *what, int error) {
  char reason[512];
  snprintf(reason, sizeof(reason), "%s port %u: %s: %s", stream->url->host, (unsigned)stream->url->port, what,
           uv_strerror(error));
  stream_fail(stream, reason);
}

/* --- The end. --- */

static void stream_end(struct wt__stream *stream) {
  if (stream->has_lookup || stream->has_tcp) return;
  uv_freeaddrinfo(stream->found);
  wt__tls_free(stream->tls);
  wt__free(stream->out);
  wt__free(stream->in_flight);
  stream->found = NULL;
  stream->tls = NULL;
  stream->out = stream->in_flight = NULL;
  stream->calls->closed(stream);
}

static void on_tcp_closed(uv_handle_t *handle) {
  struct wt__stream *stream = handle->data;
  stream->has_tcp = false;
  stream_end(stream);
}

void wt__stream_close(struct wt__stream *stream) {
  if (stream->is_closing) return;
  stream->is_closing = true;
  if (stream->has_lookup) uv_cancel((uv_req_t *)&stream->lookup); /* if it runs, its callback comes when it is done */
  if (stream->has_tcp && !uv_is_closing((uv_handle_t *)&stream->tcp)) {
    uv_close((uv_handle_t *)&stream->tcp, on_tcp_closed);
  }
  stream_end(stream); /* if there is nothing to wait for */
}

/* --- Bytes out. --- */

static bool out_add(void *owner, const void *bytes, size_t len) {
  struct wt__stream *stream = owner;
  if (len > stream->out_cap - stream->out_len) {
    size_t cap = stream->out_cap ? stream->out_cap : 4096;
    while (cap - stream->out_len < len) cap *= 2;
    uint8_t *out = wt__realloc(stream->out, cap);
    if (!out) return false;
    stream->out = out;
    stream->out_cap = cap;
  }
  memcpy(stream->out + stream->out_len, bytes, len);
  stream->out_len += len;
  return true;
}

static void on_written(uv_write_t *request, int status) {
  struct wt__stream *stream = request->data;
  wt__free(stream->in_flight);
  stream->in_flight = NULL;
  stream->is_writing = false;
  if (stream->is_closing) return;
  if (status < 0) {
    stream_fail_uv(stream, "cannot write", status);
  } else {
    wt__stream_flush(stream);
  }
}

void wt__stream_flush(struct wt__stream *stream) {
  if (stream->is_closing || stream->has_failed || stream->is_writing || stream->out_len == 0) return;
  uv_buf_t buffer = uv_buf_init((char *)stream->out, (unsigned)stream->out_len);
  stream->in_flight = stream->out;
  stream->out = NULL;
  stream->out_len = stream->out_cap = 0;
  stream->is_writing = true;
  stream->writing.data = stream;
  int error = uv_write(&stream->writing, (uv_stream_t *)&stream->tcp, &buffer, 1, on_written);
  if (error == 0) return;
  stream->is_writing = false;
  wt__free(stream->in_flight);
  stream->in_flight = NULL;
  stream_fail_uv(stream, "cannot write", error);
}

void wt__stream_write(struct wt__stream *stream, const void *bytes, size_t len) {
  if (stream->is_closing || stream->has_failed) return;
  bool done = stream->tls ? wt__tls_write(stream->tls, bytes, len) : out_add(stream, bytes, len);
  if (!done) stream_fail(stream, "out of memory, or TLS failed");
}

/* --- Bytes in. --- */

static void tls_opened(void *owner) {
  struct wt__stream *stream = owner;
  stream->is_open = true;
  stream->calls->opened(stream);
}

static void tls_received(void *owner, const void *bytes, size_t len) {
  struct wt__stream *stream = owner;
  stream->calls->received(stream, bytes, len);
}

static bool tls_is_closed(void *owner) {
  const struct wt__stream *stream = owner;
  return stream->is_closing || stream->has_failed;
}

static const struct wt__tls_calls tls_calls = {
    .send = out_add, .opened = tls_opened, .received = tls_received, .is_closed = tls_is_closed};

static void tls_run(struct wt__stream *stream, const void *bytes, size_t len) {
  const char *reason = wt__tls_input(stream->tls, bytes, len);
  wt__stream_flush(stream); /* an alert too */
  if (reason) stream_fail(stream, reason);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  struct wt__stream *stream = handle->data;
  (void)size;
  *buffer = uv_buf_init(stream->in, sizeof(stream->in));
}

static void on_read(uv_stream_t *tcp, ssize_t n, const uv_buf_t *buffer) {
  struct wt__stream *stream = tcp->data;
  if (n == 0 || stream->is_closing || stream->has_failed) return;
  if (n < 0) {
    stream_fail_uv(stream, n == UV_EOF ? "the broker closed the connection" : "cannot read", (int)n);
  } else if (stream->tls) {
    tls_run(stream, buffer->base, (size_t)n);
  } else {
    stream->calls->received(stream, buffer->base, (size_t)n);
  }
}

/* --- Connecting. --- */

static void address_try(struct wt__stream *stream);

static void on_attempt_closed(uv_handle_t *handle) {
  struct wt__stream *stream = handle->data;
  stream->has_tcp = false;
  if (stream->is_closing) {
    stream_end(stream);
  } else {
    address_try(stream);
  }
}

static void stream_connected(struct wt__stream *stream) {
  uv_tcp_nodelay(&stream->tcp, 1);
  int error = uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read);
  if (error) {
    stream_fail_uv(stream, "cannot read", error);
    return;
  }
  if (!stream->url->tls) {
    stream->is_open = true;
    stream->calls->opened(stream);
    return;
  }
  stream->tls = wt__tls_new(stream->credentials, stream->url->host, &tls_calls, stream);
  if (stream->tls) {
    tls_run(stream, NULL, 0);
  } else {
    stream_fail(stream, "TLS cannot be set up");
  }
}

static void on_connect(uv_connect_t *request, int status) {
  struct wt__stream *stream = request->data;
  if (stream->is_closing) return;
  if (status == 0) {
    stream_connected(stream);
    return;
  }
  stream->last_error = status;
  uv_close((uv_handle_t *)&stream->tcp, on_attempt_closed);
}

static void address_try(struct wt__stream *stream) {
  struct addrinfo *address = stream->next;
  if (!address) {
    stream_fail_uv(stream, "cannot connect", stream->last_error);
    return;
  }
  stream->next = address->ai_next;
  stream->has_tcp = true;
  uv_tcp_init(stream->loop, &stream->tcp);
  stream->tcp.data = stream->connecting.data = stream;
  if (address->ai_family == AF_INET6) {
    ((struct sockaddr_in6 *)(void *)address->ai_addr)->sin6_port = htons(stream->url->port);
  } else {
    ((struct sockaddr_in *)(void *)address->ai_addr)->sin_port = htons(stream->url->port);
  }
  int error = uv_tcp_connect(&stream->connecting, &stream->tcp, address->ai_addr, on_connect);
  if (error == 0) return;
  stream->last_error = error;
  uv_close((uv_handle_t *)&stream->tcp, on_attempt_closed);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  struct wt__stream *stream = request->data;
  stream->has_lookup = false;
  stream->found = stream->next = found;
  if (stream->is_closing) {
    stream_end(stream);
  } else if (status != 0) {
    stream_fail_uv(stream, "its address is not known", status);
  } else {
    address_try(stream);
  }
}

void wt__stream_open(struct wt__stream *stream, uv_loop_t *loop, const struct wt__broker_url *url,
                     const struct wt__tls_credentials *credentials, const struct wt__stream_calls *calls, void *owner) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
  memset(stream, 0, offsetof(struct wt__stream, in));
  stream->loop = loop;
  stream->calls = calls;
  stream->owner = owner;
  stream->url = url;
  stream->credentials = credentials;
  stream->last_error = UV_EAI_NONAME;
  stream->lookup.data = stream;
  int error = uv_getaddrinfo(loop, &stream->lookup, on_found, url->host, NULL, &hints);
  stream->has_lookup = error == 0;
  if (error) stream_fail_uv(stream, "its address cannot be looked up", error);
}
