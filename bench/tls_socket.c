/* SPDX-License-Identifier: MIT */
#include "tls_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  HEAD_MAX = 4096,
};

void die(const char *what) {
  perror(what);
  exit(1);
}

void complain(const char *what) {
  fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
  exit(1);
}

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void tls_socket_secure(struct tls_socket *socket, gnutls_certificate_credentials_t trust) {
  int status;
  if (gnutls_init(&socket->tls, GNUTLS_CLIENT) || gnutls_set_default_priority(socket->tls) ||
      gnutls_credentials_set(socket->tls, GNUTLS_CRD_CERTIFICATE, trust))
    complain("TLS cannot be set up");
  gnutls_transport_set_int(socket->tls, socket->fd);
  do status = gnutls_handshake(socket->tls);
  while (status < 0 && !gnutls_error_is_fatal(status));
  if (status < 0) complain(gnutls_strerror(status));
}

void tls_socket_open(struct tls_socket *link, uint16_t port, gnutls_certificate_credentials_t trust) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int on = 1;
  link->tls = NULL;
  link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&to, sizeof to)) die("connect");
  setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (trust) tls_socket_secure(link, trust);
}

ssize_t tls_socket_read(struct tls_socket *link, void *data, size_t len) {
  ssize_t got;
  do got = link->tls ? gnutls_record_recv(link->tls, data, len) : recv(link->fd, data, len, 0);
  while (link->tls ? got == GNUTLS_E_INTERRUPTED : got < 0 && errno == EINTR);
  if (link->tls ? got == GNUTLS_E_AGAIN : got < 0 && errno == EAGAIN) return -1;
  if (link->tls && got == GNUTLS_E_PREMATURE_TERMINATION) return 0;
  if (got < 0) complain("a connection broke");
  return got;
}

size_t tls_socket_try(struct tls_socket *link, const uint8_t *data, size_t len) {
  ssize_t put = link->tls ? gnutls_record_send(link->tls, data, len) : send(link->fd, data, len, MSG_NOSIGNAL);
  bool later =
      link->tls ? put == GNUTLS_E_AGAIN || put == GNUTLS_E_INTERRUPTED : put < 0 && (errno == EAGAIN || errno == EINTR);
  if (later) return 0;
  if (put <= 0) complain("a connection cannot be written to");
  return (size_t)put;
}

void tls_socket_write(struct tls_socket *link, const uint8_t *data, size_t len) {
  while (len) {
    size_t put = tls_socket_try(link, data, len);
    if (!put) poll(&(struct pollfd){.fd = link->fd, .events = POLLOUT}, 1, 1000);
    data += put;
    len -= put;
  }
}

bool tls_socket_read_head(struct tls_socket *link, const char *status) {
  char head[HEAD_MAX];
  size_t have = 0;
  while (have < 4 || memcmp(head + have - 4, "\r\n\r\n", 4)) {
    if (have == sizeof head) complain("the server's answer has no end");
    ssize_t got = tls_socket_read(link, head + have, 1);
    if (!got) complain("the server closed a connection");
    if (got > 0) have++; /* else a message of TLS itself was read */
  }
  return have >= 12 && !memcmp(head + 9, status, 3);
}

void tls_socket_close(struct tls_socket *link) {
  if (link->tls) {
    gnutls_bye(link->tls, GNUTLS_SHUT_WR);
    gnutls_deinit(link->tls);
  }
  close(link->fd);
}
