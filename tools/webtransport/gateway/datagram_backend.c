/* SPDX-License-Identifier: MIT */
/*
 * Back ends of datagrams, "udp:" and "unixgram:": each session is a connected socket, so the back end sees each client
 * at an address of its own, and gets and sends whole datagrams. A short burst waits for the socket (datagram_queue.h);
 * beyond that, what finds no room is dropped and counted, as a router would do.
 *
 * A UDP socket reports what ICMP says with the next call. "Connection refused" means that the host is there and the
 * program is not: it is counted, logged now and then, and the session goes on, because the program may come back. A
 * Unix socket that was bound again is another socket, so its path is connected again then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/tool_log.h"
#include "gateway/backend.h"
#include "gateway/datagram_queue.h"
#include "gateway/gateway_session.h"
#include "gateway/watch.h"

enum {
  DATAGRAMS_AT_ONCE = 64, /* then others have their turn */
  CONNECT_AGAIN_MS = 200,
  IDLE_TIMEOUT_MS = 5 * 60 * 1000,
};

struct datagram_backend {
  struct watch *watch;
  struct datagram_queue queue; /* for the back end */
  uint64_t connected_ms;       /* when a Unix socket was connected last */
};

static bool is_unix(const struct gateway_session *session) { return session->route->settings.target.kind->has_path; }

/* --- The socket. --- */

static bool address_get(const struct gateway_session *session, struct lookup_address *address) {
  struct sockaddr_un *path = (struct sockaddr_un *)(void *)&address->address;
  if (session->route->lookup) return lookup_get(session->route->lookup, 0, address);
  memset(path, 0, sizeof *path);
  path->sun_family = AF_UNIX;
  snprintf(path->sun_path, sizeof path->sun_path, "%s", session->route->settings.target.path);
  address->len = sizeof *path;
  return true;
}

/* Returns the descriptor, or a negative `errno`. */
static int socket_open(const struct lookup_address *address) {
  int family = address->address.ss_family;
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  /* A Unix socket needs an address, so that the back end can answer; the kernel chooses an abstract one. */
  struct sockaddr_un any = {.sun_family = AF_UNIX};
  bool bad = family == AF_UNIX && bind(fd, (const struct sockaddr *)&any, sizeof any.sun_family);
  bad = bad || connect(fd, (const struct sockaddr *)&address->address, address->len);
  if (!bad) return fd;
  int error = errno;
  close(fd);
  return -error;
}

static void connect_again(struct gateway_session *session) {
  struct datagram_backend *backend = session->backend;
  struct lookup_address address;
  uint64_t now = gateway_now(session->gateway);
  if (!is_unix(session) || now - backend->connected_ms < CONNECT_AGAIN_MS || !address_get(session, &address)) return;
  backend->connected_ms = now;
  (void)connect(watch_fd(backend->watch), (const struct sockaddr *)&address.address, address.len); /* or it stays */
}

/* --- Counts. --- */

static void count_dropped(struct gateway_session *session) {
  session->datagrams_dropped++;
  session->route->counts->datagrams_dropped++;
}

static void count_too_large(struct gateway_session *session, size_t len, const char *where) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  session->datagrams_too_large++;
  session->route->counts->datagrams_too_large++;
  log_limited(&limit, WT_LOG_WARN, "%s: a datagram of %zu bytes is too large for %s", session->route->settings.path,
              len, where);
}

static void count_refused(struct gateway_session *session, int error) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  session->datagrams_refused++;
  session->route->counts->datagrams_refused++;
  log_limited(&limit, WT_LOG_WARN, "%s -> %s: %s", session->route->settings.path, session->route->settings.target.text,
              strerror(error));
  connect_again(session);
}

/* Whether the error is one that ICMP or a closed Unix socket has reported. */
static bool is_refusal(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == ENOTCONN ||
         error == ECONNRESET || error == EPERM || error == EACCES;
}

/* --- From the client. --- */

/* Sends one datagram. False: the socket has no room now. */
static bool datagram_send(struct gateway_session *session, const uint8_t *data, size_t len) {
  struct datagram_backend *backend = session->backend;
  ssize_t sent = send(watch_fd(backend->watch), data, len, MSG_NOSIGNAL);
  if (sent < 0 && is_refusal(errno)) { /* of an earlier datagram: this one was not sent yet */
    count_refused(session, errno);
    sent = send(watch_fd(backend->watch), data, len, MSG_NOSIGNAL);
  }
  if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return false;
  if (sent >= 0) {
    session->datagrams_in++;
    session->route->counts->datagrams_in++;
    gateway_session_count_in(session, len);
  } else if (errno == EMSGSIZE) {
    count_too_large(session, len, "the back end's socket");
  } else {
    count_dropped(session);
  }
  return true;
}

static void datagram_on_datagram(struct gateway_session *session, const uint8_t *data, size_t len) {
  struct datagram_backend *backend = session->backend;
  if (gateway_session_room(session, len) < len) {
    count_dropped(session);
    return;
  }
  if (!backend->queue.count && datagram_send(session, data, len)) return;
  if (!datagram_queue_put(&backend->queue, data, len)) count_dropped(session);
  watch_set(backend->watch, true, true);
}

static void queue_send(struct gateway_session *session) {
  struct datagram_queue *queue = &((struct datagram_backend *)session->backend)->queue;
  while (queue->count && datagram_send(session, queue->first->data, queue->first->len)) datagram_queue_drop(queue);
}

/* --- From the back end. --- */

static void datagram_forward(struct gateway_session *session, const uint8_t *data, size_t len) {
  size_t most = wt_session_max_datagram_size(session->wt);
  if (len > most) {
    count_too_large(session, len, "the client's path");
  } else if (gateway_session_room(session, len) < len || wt_session_send_datagram(session->wt, data, len)) {
    count_dropped(session);
  } else {
    session->datagrams_out++;
    session->route->counts->datagrams_out++;
    gateway_session_count_out(session, len);
  }
}

static void datagram_on_socket(bool readable, bool writable, void *user_data) {
  struct gateway_session *session = user_data;
  struct datagram_backend *backend = session->backend;
  uint8_t *buffer = session->gateway->buffer;
  if (writable) queue_send(session);
  for (int i = 0; readable && i < DATAGRAMS_AT_ONCE; i++) {
    ssize_t len = recv(watch_fd(backend->watch), buffer, GATEWAY_BUFFER_SIZE, MSG_TRUNC);
    if (len > GATEWAY_BUFFER_SIZE)
      count_too_large(session, (size_t)len, "the gateway");
    else if (len >= 0)
      datagram_forward(session, buffer, (size_t)len);
    else if (is_refusal(errno))
      count_refused(session, errno);
    else
      break;
  }
  watch_set(backend->watch, true, backend->queue.count > 0);
}

/* --- Life. --- */

static int refuse(int error, const char **why) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  log_limited(&limit, WT_LOG_WARN, "a back end's socket cannot be made: %s", strerror(error));
  bool own = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
  *why = own ? "The gateway has no memory or no descriptors." : "The back end cannot be reached.";
  return own ? 503 : 502;
}

static int datagram_begin(struct gateway_session *session, wt_request *request, const char **why) {
  struct lookup_address address;
  (void)request;
  if (!address_get(session, &address)) {
    *why = "The back end's name is not known.";
    return 502;
  }
  struct datagram_backend *backend = calloc(1, sizeof *backend);
  if (!backend) return refuse(ENOMEM, why);
  int fd = socket_open(&address);
  if (fd >= 0) backend->watch = watch_new(&session->gateway->loop, fd, datagram_on_socket, session);
  if (!backend->watch) {
    free(backend);
    return refuse(fd < 0 ? -fd : ENOMEM, why);
  }
  session->backend = backend;
  watch_set(backend->watch, true, false);
  return 0;
}

static void datagram_end(struct gateway_session *session, const struct wt_close_info *info) {
  struct datagram_backend *backend = session->backend;
  (void)info;
  watch_close(backend->watch);
  datagram_queue_free(&backend->queue);
  free(backend);
  session->backend = NULL;
}

const struct backend_kind udp_backend = {
    .scheme = "udp",
    .has_sessions = true,
    .idle_timeout_ms = IDLE_TIMEOUT_MS,
    .begin = datagram_begin,
    .on_datagram = datagram_on_datagram,
    .end = datagram_end,
};

const struct backend_kind unixgram_backend = {
    .scheme = "unixgram",
    .has_path = true,
    .has_sessions = true,
    .idle_timeout_ms = IDLE_TIMEOUT_MS,
    .begin = datagram_begin,
    .on_datagram = datagram_on_datagram,
    .end = datagram_end,
};
