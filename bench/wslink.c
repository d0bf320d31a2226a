/* SPDX-License-Identifier: MIT */
/*
 * Connections of the load generators for WebSocket servers: only what RFC 6455 makes a client do, and as cheap as that goes,
 * since the server is what is measured.
 */
#include "wslink.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

size_t wslink_frame_write(uint8_t *frame, const uint8_t *data, size_t len) {
  static const uint8_t mask[4] = {0x3a, 0xc5, 0x5c, 0xa3};
  size_t head = len < 126 ? 2 : 4;
  frame[0] = 0x82; /* final, binary */
  frame[1] = (uint8_t)(0x80 | (head == 2 ? len : 126));
  if (head == 4) frame[2] = (uint8_t)(len >> 8), frame[3] = (uint8_t)len;
  memcpy(frame + head, mask, sizeof mask);
  head += sizeof mask;
  for (size_t i = 0; i < len; i++) frame[head + i] = data[i] ^ mask[i % 4];
  return head + len;
}
