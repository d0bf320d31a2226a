/* SPDX-License-Identifier: MIT */

/*
 * A TCP connection to a broker: see stream.h. The addresses of a name are tried one after another.
 */

#include "stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

static void stream_fail(struct wt__redis_stream *stream, const char *reason) {
  if (stream->has_failed || stream->is_closing) return;
  stream->has_failed = true;
  stream->calls->failed(stream, reason);
}

static void stream_fail_uv(struct wt__redis_stream *stream, const char *what, int error) {
  char reason[512];
  snprintf(reason, sizeof(reason), "%s port %u: %s: %s", stream->url->host, (unsigned)stream->url->port, what,
           uv_strerror(error));
  stream_fail(stream, reason);
}

/* --- The end. --- */

static void stream_end(struct wt__redis_stream *stream) {
  if (stream->has_lookup || stream->has_poll) return;
  if (stream->found) uv_freeaddrinfo(stream->found);
  wt__redis_tls_free(stream->tls);
  wt__free(stream->out);
  stream->found = NULL;
  stream->tls = NULL;
  stream->out = NULL;
  stream->calls->closed(stream);
}

static void address_try(struct wt__redis_stream *stream);

static void on_poll_closed(uv_handle_t *handle) {
  struct wt__redis_stream *stream = handle->data;
  stream->has_poll = false;
  close(stream->fd);
  if (stream->is_closing) {
    stream_end(stream);
  } else {
    address_try(stream); /* the next one */
  }
}

void wt__redis_stream_close(struct wt__redis_stream *stream) {
  if (stream->is_closing) return;
  stream->is_closing = true;
  if (stream->has_lookup) uv_cancel((uv_req_t *)&stream->lookup); /* if it runs, its callback comes when it is done */
  if (stream->has_poll && !uv_is_closing((uv_handle_t *)&stream->poll)) {
    uv_close((uv_handle_t *)&stream->poll, on_poll_closed);
  }
  stream_end(stream); /* if there is nothing to wait for */
}

/* --- Bytes out. --- */

/* Bytes of memory that stay for later. */
#define OUT_KEEP 65536

static bool out_add(void *owner, const void *bytes, size_t len) {
  struct wt__redis_stream *stream = owner;
  if (stream->out_done > stream->out_len / 2) { /* else a buffer that is never quite empty would grow for ever */
    stream->out_len -= stream->out_done;
    memmove(stream->out, stream->out + stream->out_done, stream->out_len);
    stream->out_done = 0;
  }
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

static void on_poll(uv_poll_t *poll, int status, int events);

static void poll_set(struct wt__redis_stream *stream, int events) {
  int error = uv_poll_start(&stream->poll, events, on_poll);
  if (error) stream_fail_uv(stream, "cannot wait for the socket", error);
}

/* Writes what the system takes now; the rest waits until it takes more. */
void wt__redis_stream_flush(struct wt__redis_stream *stream) {
  while (!stream->is_closing && !stream->has_failed && stream->is_connected && stream->out_done < stream->out_len) {
    ssize_t n = send(stream->fd, stream->out + stream->out_done, stream->out_len - stream->out_done, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      poll_set(stream, UV_READABLE | UV_WRITABLE);
      return;
    }
    if (n < 0 && errno != EINTR) stream_fail_uv(stream, "cannot write", uv_translate_sys_error(errno));
    if (n > 0) stream->out_done += (size_t)n;
  }
  if (stream->out_done < stream->out_len) return;
  stream->out_len = stream->out_done = 0;
  if (stream->out_cap > OUT_KEEP) { /* a burst is over */
    wt__free(stream->out);
    stream->out = NULL;
    stream->out_cap = 0;
  }
}

void wt__redis_stream_write(struct wt__redis_stream *stream, const void *bytes, size_t len) {
  if (stream->is_closing || stream->has_failed) return;
  bool done = stream->tls ? wt__redis_tls_write(stream->tls, bytes, len) : out_add(stream, bytes, len);
  if (!done) stream_fail(stream, "out of memory, or TLS failed");
}

/* --- Bytes in. --- */

static void tls_opened(void *owner) {
  struct wt__redis_stream *stream = owner;
  stream->calls->opened(stream);
}

static void tls_received(void *owner, const void *bytes, size_t len) {
  struct wt__redis_stream *stream = owner;
  stream->calls->received(stream, bytes, len);
}

static bool tls_is_closed(void *owner) {
  const struct wt__redis_stream *stream = owner;
  return stream->is_closing || stream->has_failed;
}

static const struct wt__redis_tls_calls tls_calls = {
    .send = out_add, .opened = tls_opened, .received = tls_received, .is_closed = tls_is_closed};

static void tls_run(struct wt__redis_stream *stream, const void *bytes, size_t len) {
  const char *reason = wt__redis_tls_input(stream->tls, bytes, len);
  wt__redis_stream_flush(stream); /* an alert too */
  if (reason) stream_fail(stream, reason);
}

static void stream_read(struct wt__redis_stream *stream) {
  ssize_t n = recv(stream->fd, stream->in, sizeof(stream->in), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (n < 0) {
    stream_fail_uv(stream, "cannot read", uv_translate_sys_error(errno));
  } else if (n == 0) {
    stream_fail_uv(stream, "the broker closed the connection", UV_EOF);
  } else if (stream->tls) {
    tls_run(stream, stream->in, (size_t)n);
  } else {
    stream->calls->received(stream, stream->in, (size_t)n);
  }
}

/* --- Connecting. --- */

static void stream_connected(struct wt__redis_stream *stream) {
  int on = 1;
  setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* without it, it is only slower */
  stream->is_connected = true;
  poll_set(stream, UV_READABLE);
  if (!stream->url->tls) {
    stream->calls->opened(stream);
    return;
  }
  stream->tls = wt__redis_tls_new(stream->credentials, stream->url->host, &tls_calls, stream);
  if (stream->tls) {
    tls_run(stream, NULL, 0);
  } else {
    stream_fail(stream, "TLS cannot be set up");
  }
}

static void address_failed(struct wt__redis_stream *stream, int error) {
  stream->last_error = uv_translate_sys_error(error);
  uv_close((uv_handle_t *)&stream->poll, on_poll_closed);
}

static void connect_check(struct wt__redis_stream *stream) {
  int error = 0;
  socklen_t len = sizeof(error);
  if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
  if (error) {
    address_failed(stream, error);
  } else {
    stream_connected(stream);
  }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct wt__redis_stream *stream = poll->data;
  if (!stream->is_connected) {
    connect_check(stream);
    return;
  }
  if (status < 0) events = UV_READABLE; /* the call there says why */
  if (events & UV_WRITABLE) {
    poll_set(stream, UV_READABLE);
    wt__redis_stream_flush(stream);
  }
  if ((events & UV_READABLE) && !stream->is_closing && !stream->has_failed) stream_read(stream);
}

/* A socket for an address, or -1. */
static int address_open(struct wt__redis_stream *stream, const struct addrinfo *address) {
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = fd < 0 ? uv_translate_sys_error(errno) : uv_poll_init_socket(stream->loop, &stream->poll, fd);
  if (error == 0) return fd;
  if (fd >= 0) close(fd);
  stream->last_error = error;
  return -1;
}

static void address_connect(struct wt__redis_stream *stream, struct addrinfo *address) {
  if (address->ai_family == AF_INET6) {
    ((struct sockaddr_in6 *)(void *)address->ai_addr)->sin6_port = htons(stream->url->port);
  } else {
    ((struct sockaddr_in *)(void *)address->ai_addr)->sin_port = htons(stream->url->port);
  }
  if (connect(stream->fd, address->ai_addr, address->ai_addrlen) == 0) {
    stream_connected(stream);
  } else if (errno == EINPROGRESS) {
    poll_set(stream, UV_WRITABLE);
  } else {
    address_failed(stream, errno);
  }
}

static void address_try(struct wt__redis_stream *stream) {
  while (stream->next) {
    struct addrinfo *address = stream->next;
    stream->next = address->ai_next;
    if (address->ai_family != AF_INET && address->ai_family != AF_INET6) continue;
    stream->fd = address_open(stream, address);
    if (stream->fd < 0) continue;
    stream->has_poll = true;
    stream->poll.data = stream;
    address_connect(stream, address);
    return;
  }
  stream_fail_uv(stream, "cannot connect", stream->last_error);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  struct wt__redis_stream *stream = request->data;
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

void wt__redis_stream_open(struct wt__redis_stream *stream, uv_loop_t *loop, const struct wt__broker_url *url,
                           const struct wt__redis_tls_credentials *credentials,
                           const struct wt__redis_stream_calls *calls, void *owner) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
  memset(stream, 0, offsetof(struct wt__redis_stream, in));
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
