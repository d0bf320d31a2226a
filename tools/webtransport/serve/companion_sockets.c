/* SPDX-License-Identifier: MIT */
/*
 * The companion's listening sockets: one for each address of its host, all at one port. An address that this machine
 * does not have (often it has no IPv6) is skipped, unless no other is left.
 */
#include "serve/companion_sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  ANY_PORT_TRIES = 16
};

static uint16_t socket_port(int fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address = {0};
  socklen_t len = sizeof address;
  if (getsockname(fd, &address.any, &len)) return 0;
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* A kernel without the family and a sandbox that forbids it have many words for that. Want of descriptors or memory is
 * something else. Returns -1. */
static int family_absent(void) {
  if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS) errno = EAFNOSUPPORT;
  return -1;
}

/* Returns a listening socket, or -1 with errno. */
static int socket_listen(const struct addrinfo *info, uint16_t port) {
  struct sockaddr_storage address = {0};
  int on = 1, off = 0;
  memcpy(&address, info->ai_addr, info->ai_addrlen);
  if (info->ai_family == AF_INET6)
    ((struct sockaddr_in6 *)&address)->sin6_port = htons(port);
  else
    ((struct sockaddr_in *)&address)->sin_port = htons(port);
  int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return family_absent();
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  /* "[::]" takes IPv4 too, as it does for --listen. */
  if (info->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (!bind(fd, (struct sockaddr *)&address, info->ai_addrlen) && !listen(fd, SOMAXCONN)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

void sockets_close(struct companion_sockets *sockets) {
  for (size_t i = 0; i < sockets->count; i++) close(sockets->fds[i]);
  sockets->count = 0;
}

static bool error_is_no_address(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

/* Binds every address to `port`. If that is 0, the first address gets any port and the others the same. Returns 0 or
 * errno. */
static int sockets_bind(struct companion_sockets *sockets, const struct addrinfo *list, uint16_t port) {
  int absent = EADDRNOTAVAIL;
  for (; list && sockets->count < SOCKETS_MAX; list = list->ai_next) {
    if (list->ai_family != AF_INET && list->ai_family != AF_INET6) continue;
    if (list->ai_addrlen > sizeof(struct sockaddr_in6)) continue;
    int fd = socket_listen(list, port);
    if (fd < 0) {
      if (error_is_no_address(errno)) continue;
      int error = errno;
      sockets_close(sockets);
      return error;
    }
    if (!port) port = socket_port(fd);
    sockets->fds[sockets->count++] = fd;
  }
  sockets->port = port;
  return sockets->count ? 0 : absent;
}

/* `*failed` gets the port that could not be bound. */
static int list_open(struct companion_sockets *sockets, const struct addrinfo *list, uint16_t port,
                     unsigned int more_ports, uint16_t *failed) {
  int error = EADDRINUSE;
  /* A port that is free in one address family may be taken in the other: then another is tried. */
  unsigned int tries = port ? 1 + more_ports : ANY_PORT_TRIES;
  for (unsigned int i = 0; i < tries && error == EADDRINUSE; i++) {
    if (port && port + i > UINT16_MAX) break;
    *failed = (uint16_t)(port ? port + i : 0);
    error = sockets_bind(sockets, list, *failed);
  }
  return error;
}

static bool host_is_localhost(const char *host) { return !strcmp(host, "localhost"); }

/* "localhost" is both loopback addresses, whatever the name service says. */
static int host_resolve(const char *host, struct addrinfo **v4, struct addrinfo **v6) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  *v6 = NULL;
  if (!host_is_localhost(host)) return getaddrinfo(host, "0", &hints, v4);
  hints.ai_flags |= AI_NUMERICHOST;
  int error = getaddrinfo("127.0.0.1", "0", &hints, v4);
  if (!error && getaddrinfo("::1", "0", &hints, v6)) *v6 = NULL;
  return error;
}

/* Whether a socket listens on an address of the list, at `port`. */
static bool socket_is_wanted(int fd, const struct addrinfo *list, uint16_t port) {
  struct sockaddr_storage bound = {0};
  socklen_t len = sizeof bound, size = sizeof(int);
  int listening = 0;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) || !listening || socket_port(fd) != port)
    return false;
  if (getsockname(fd, (struct sockaddr *)&bound, &len)) return false;
  for (; list; list = list->ai_next) {
    if (list->ai_family != bound.ss_family) continue;
    if (bound.ss_family == AF_INET &&
        ((struct sockaddr_in *)&bound)->sin_addr.s_addr == ((const struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr)
      return true;
    if (bound.ss_family == AF_INET6 &&
        !memcmp(&((struct sockaddr_in6 *)&bound)->sin6_addr, &((const struct sockaddr_in6 *)list->ai_addr)->sin6_addr,
                sizeof(struct in6_addr)))
      return true;
  }
  return false;
}

static void list_free(struct addrinfo *v4, struct addrinfo *v6) {
  if (v6) v4->ai_next = NULL;
  freeaddrinfo(v4);
  if (v6) freeaddrinfo(v6);
}

bool sockets_adopt(struct companion_sockets *sockets, const char *host, uint16_t port, unsigned int more_ports,
                   const int *fds, size_t count) {
  struct addrinfo *v4, *v6;
  uint16_t bound = count ? socket_port(fds[0]) : 0;
  bool wanted = bound && count <= SOCKETS_MAX && (!port || (bound >= port && bound - port <= (int)more_ports));
  *sockets = (struct companion_sockets){.port = bound};
  if (wanted && !host_resolve(host, &v4, &v6)) {
    if (v6) v4->ai_next = v6;
    for (size_t i = 0; i < count; i++) wanted = wanted && socket_is_wanted(fds[i], v4, bound);
    list_free(v4, v6);
  } else {
    wanted = false;
  }
  for (size_t i = 0; i < count; i++) {
    if (wanted)
      sockets->fds[sockets->count++] = fds[i];
    else
      close(fds[i]);
  }
  return wanted;
}

int sockets_open(struct companion_sockets *sockets, const char *host, uint16_t port, unsigned int more_ports,
                 char *message, size_t size) {
  struct addrinfo *v4, *v6;
  uint16_t failed = port;
  *sockets = (struct companion_sockets){0};
  int error = host_resolve(host, &v4, &v6);
  if (error) {
    snprintf(message, size, "--http: cannot find the address '%s': %s", host, gai_strerror(error));
    return -1;
  }
  /* Two lists of one entry each, searched as one. */
  if (v6) v4->ai_next = v6;
  error = list_open(sockets, v4, port, more_ports, &failed);
  list_free(v4, v6);
  if (!error) return 0;
  bool brackets = strchr(host, ':') != NULL;
  snprintf(message, size, "--http: cannot listen on TCP %s%s%s:%u: %s", brackets ? "[" : "", host, brackets ? "]" : "",
           failed, strerror(error));
  return -1;
}
