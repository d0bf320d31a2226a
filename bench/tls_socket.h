/* SPDX-License-Identifier: MIT */
/* A client's TCP connection to 127.0.0.1, with or without TLS, for the load generators. What goes wrong ends the program. */
#ifndef BENCH_TLS_SOCKET_H
#define BENCH_TLS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

struct tls_socket {
  int fd;
  gnutls_session_t tls; /* NULL: none */
};

/* Prints a sentence about `errno`, or the given one, and ends the program. */
_Noreturn void die(const char *what);
_Noreturn void complain(const char *what);

uint64_t now_ns(void);

/* Connects, and makes the handshake unless `trust` is NULL. Any certificate is good. The socket blocks. */
void tls_socket_open(struct tls_socket *socket, uint16_t port, gnutls_certificate_credentials_t trust);

/* Returns how many bytes came, 0 at the end, or -1: nothing there now. */
ssize_t tls_socket_read(struct tls_socket *socket, void *data, size_t len);

/* Returns how many bytes left; 0: there is no room now. */
size_t tls_socket_try(struct tls_socket *socket, const uint8_t *data, size_t len);

/* Waits until all of it has left. */
void tls_socket_write(struct tls_socket *socket, const uint8_t *data, size_t len);

/* Reads an answer's head, up to the empty line and no further; whether its status is the given one ("101"). */
bool tls_socket_read_head(struct tls_socket *socket, const char *status);

void tls_socket_close(struct tls_socket *socket);

#endif
