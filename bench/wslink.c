/* SPDX-License-Identifier: MIT */
/*
 * Connections of the load generators for WebSocket servers: only what RFC 6455 makes a client do, and as cheap as that goes,
 * since the server is what is measured.
 */
#include "wslink.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

void descriptors_allow(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void wsserver_init(struct wsserver *server) {
  if (gnutls_certificate_allocate_credentials(&server->trust)) complain("TLS cannot be set up");
}

ssize_t wslink_read(struct tls_socket *link, void *data, size_t len) {
  ssize_t got = tls_socket_read(link, data, len);
  if (!got) complain("the server closed a connection");
  return got;
}

void wslink_connect(struct tls_socket *link, const struct wsserver *server) {
  tls_socket_open(link, server->port, server->tls ? server->trust : NULL);
}

void wslink_upgrade(struct tls_socket *link, const char *path) {
  char request[512];
  int len = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     path);
  if (len < 0 || (size_t)len >= sizeof request) complain("the path is too long");
  tls_socket_write(link, (const uint8_t *)request, (size_t)len);
  if (!tls_socket_read_head(link, "101")) complain("the server refused the upgrade");
}

void wslink_set_nonblocking(struct tls_socket *link) { fcntl(link->fd, F_SETFL, O_NONBLOCK); }
