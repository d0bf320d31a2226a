/* SPDX-License-Identifier: MIT */
#ifndef BENCH_WSLINK_H
#define BENCH_WSLINK_H

/* A WebSocket connection of a load generator, with or without TLS. What goes wrong ends the program with a message. */

#include "tls_socket.h"

enum {
  WSLINK_FRAME_HEAD = 8
};

/* Where all connections go. */
struct wsserver {
  uint16_t port; /* of 127.0.0.1 */
  bool tls;
  gnutls_certificate_credentials_t trust; /* set by wsserver_init */
};

void wsserver_init(struct wsserver *server);

/* Connects, with TLS if the server has it. Reads and writes wait. */
void wslink_connect(struct tls_socket *link, const struct wsserver *server);
/* Asks for a WebSocket at `path`, and reads the answer. */
void wslink_upgrade(struct tls_socket *link, const char *path);
/* Writes a binary message as a masked frame. Returns its length: WSLINK_FRAME_HEAD bytes more than `len` at most. `len` is at
 * most 65,535. */
size_t wslink_frame_write(uint8_t *frame, const uint8_t *data, size_t len);
/* Reads wait no longer. */
void wslink_set_nonblocking(struct tls_socket *link);

/* Returns how many bytes came, or -1: none are there now. */
ssize_t wslink_read(struct tls_socket *link, void *data, size_t len);

/* A descriptor for each connection: as many as the system lets a process have. */
void descriptors_allow(void);

#endif
