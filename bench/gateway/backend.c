/* SPDX-License-Identifier: MIT */
/*
 * The back end behind the gateways that are measured: a TCP server on a free port of 127.0.0.1, which it prints.
 *
 *   backend echo            sends back what comes
 *   backend source BYTES    sends so many, then its end
 *   backend sink BYTES      reads so many (or to the end), answers {"bytes":N} as `webtransport serve` does, then its end
 *
 * One thread and epoll, so that it takes little beside the load that shares its core.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BUFFER_SIZE = 1 << 18,
  ANSWER_SIZE = 64,
  EVENTS = 256,
  BACKLOG = 1024,
};

enum kind {
  KIND_ECHO,
  KIND_SOURCE,
  KIND_SINK
};

struct conn {
  int fd;
  bool ended;       /* the client has sent its last byte */
  bool answered;    /* and we ours */
  uint64_t moved;   /* bytes of a source or a sink */
  uint8_t *waiting; /* echo: what the socket did not take */
  size_t at, len;
};

static enum kind kind;
static uint64_t bytes_wanted;
static uint8_t buffer[BUFFER_SIZE];
static int epoll;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void conn_wait(struct conn *conn, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = conn};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, conn->fd, &event)) die("epoll_ctl");
}

static void conn_close(struct conn *conn) {
  close(conn->fd);
  free(conn->waiting);
  free(conn);
}

/* Returns how many bytes left; 0: no room; -1: broken. */
static ssize_t conn_send(struct conn *conn, const void *data, size_t len) {
  ssize_t sent = send(conn->fd, data, len, MSG_NOSIGNAL);
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

/* --- What each kind does. False: the connection is over. --- */

static bool echo_keep(struct conn *conn, size_t at, size_t len) {
  conn->waiting = malloc(len);
  if (!conn->waiting) return false;
  memcpy(conn->waiting, buffer + at, len);
  conn->at = 0;
  conn->len = len;
  conn_wait(conn, EPOLLOUT);
  return true;
}

static bool echo_run(struct conn *conn) {
  if (conn->waiting) {
    ssize_t sent = conn_send(conn, conn->waiting + conn->at, conn->len);
    if (sent < 0) return false;
    conn->at += (size_t)sent;
    conn->len -= (size_t)sent;
    if (conn->len) return true;
    free(conn->waiting);
    conn->waiting = NULL;
    conn_wait(conn, EPOLLIN);
  }
  ssize_t got = recv(conn->fd, buffer, sizeof buffer, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (!got) return false;
  ssize_t sent = conn_send(conn, buffer, (size_t)got);
  if (sent < 0) return false;
  return sent == got || echo_keep(conn, (size_t)sent, (size_t)(got - sent));
}

static bool source_run(struct conn *conn) {
  while (conn->moved < bytes_wanted) {
    uint64_t left = bytes_wanted - conn->moved;
    ssize_t sent = conn_send(conn, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer);
    if (sent < 0) return false;
    if (!sent) return true;
    conn->moved += (size_t)sent;
  }
  if (!conn->answered) {
    conn->answered = true;
    shutdown(conn->fd, SHUT_WR);
    conn_wait(conn, EPOLLIN); /* until the client has ended as well */
    return true;
  }
  return recv(conn->fd, buffer, sizeof buffer, 0) > 0;
}

static bool sink_run(struct conn *conn) {
  ssize_t got = recv(conn->fd, buffer, sizeof buffer, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  conn->moved += (size_t)got;
  conn->ended = !got;
  if (conn->answered) return !conn->ended;
  if (!conn->ended && conn->moved < bytes_wanted) return true;
  char answer[ANSWER_SIZE];
  int len = snprintf(answer, sizeof answer, "{\"bytes\":%llu}", (unsigned long long)conn->moved);
  conn->answered = true;
  if (conn_send(conn, answer, (size_t)len) != len) return false;
  shutdown(conn->fd, SHUT_WR);
  return !conn->ended;
}

/* --- Connections. --- */

static void conn_accept(int listener) {
  int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  struct conn *conn = calloc(1, sizeof *conn);
  if (!conn) die("calloc");
  conn->fd = fd;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = kind == KIND_SOURCE ? EPOLLOUT : EPOLLIN, .data.ptr = conn};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void conn_ready(struct conn *conn) {
  bool (*const runs[])(struct conn *) = {echo_run, source_run, sink_run};
  if (!runs[kind](conn)) conn_close(conn);
}

static int listen_somewhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, BACKLOG)) die("listen");
  getsockname(fd, (struct sockaddr *)&address, &len);
  printf("ready %u\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static bool arguments_read(int argc, char **argv) {
  static const char *const names[] = {"echo", "source", "sink"};
  for (size_t i = 0; argc > 1 && i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i], argv[1])) continue;
    kind = (enum kind)i;
    bytes_wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    return (kind == KIND_ECHO) == (argc == 2);
  }
  return false;
}

int main(int argc, char **argv) {
  struct epoll_event events[EVENTS];
  struct rlimit limit;
  if (!arguments_read(argc, argv)) {
    fprintf(stderr, "usage: backend echo | source BYTES | sink BYTES\n");
    return 2;
  }
  if (!getrlimit(RLIMIT_NOFILE, &limit)) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_somewhere();
  struct epoll_event event = {.events = EPOLLIN};
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) die("epoll");
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr)
        conn_ready(events[i].data.ptr);
      else
        conn_accept(listener);
    }
  }
}
