/* SPDX-License-Identifier: MIT */

/*
 * From one "address:port" to its sockets.
 *
 * "[::]:4433" and "localhost:4433" are two sockets each, one for each family. They must share a port,
 * because people and certificates' pages name one. With a fixed port that is given. With port 0 the
 * kernel picks a port for the first socket, which may be taken for the second: then both are closed and
 * another port is tried, a few times.
 *
 * A machine without IPv6 is no reason to fail when IPv4 was meant too: as long as one address of the text
 * can be used, those of a family that the machine lacks are left out, and the caller is told. A port that is taken is
 * always an error, even if it is taken on one of two addresses: half a server would be hard to notice.
 */

#include "net/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <webtransport/error.h>

#define PORT_TRIES 16

/* A kernel without the family and a sandbox that forbids it have many words for that. Want of descriptors or memory is
 * something else, and passes. */
static bool family_is_missing(const struct wt__udp *udp, int os_error) {
  if (strcmp(udp->refused, "socket") != 0) return os_error == EAFNOSUPPORT || os_error == EADDRNOTAVAIL;
  return os_error != EMFILE && os_error != ENFILE && os_error != ENOMEM && os_error != ENOBUFS;
}

static void sockets_close(struct wt__udp *sockets, size_t *count) {
  for (size_t i = 0; i < *count; i++) wt__udp_close(&sockets[i]);
  *count = 0;
}

/* An address without a socket, and why. */
struct failure {
  struct wt__address address;
  const char *refused; /* NULL: there is none */
  int os_error;
};

/* All addresses on one port. Returns 0, or WT_ERR_IO; `failure` is then the reason, and after 0 it is an address that was
 * left out, if one was. */
static int sockets_open(const struct wt__address *addresses, size_t address_count, struct wt__udp *sockets,
                        size_t *count, struct failure *failure) {
  *count = 0;
  failure->refused = NULL;
  for (size_t i = 0; i < address_count; i++) {
    struct wt__address address = addresses[i];
    if (*count > 0) wt__address_set_port(&address, wt__address_port((struct sockaddr *)&sockets[0].bound.storage));
    int os_error;
    struct wt__udp *udp = &sockets[*count];
    if (wt__udp_open(udp, &address, &os_error) == 0) {
      (*count)++;
      continue;
    }
    bool missing = family_is_missing(udp, os_error);
    if (!missing || !failure->refused) *failure = (struct failure){address, udp->refused, os_error};
    if (missing) continue;
    sockets_close(sockets, count);
    return WT_ERR_IO;
  }
  return *count > 0 ? 0 : WT_ERR_IO;
}

static void failure_tell(const struct failure *failure, const char *what, char *message, size_t size) {
  char name[WT__ADDRESS_TEXT_MAX] = "";
  wt__address_format((const struct sockaddr *)&failure->address.storage, name, sizeof(name));
  /* bind is what listening is; another call that is refused has to be named. */
  bool named = strcmp(failure->refused, "bind") != 0 && strcmp(failure->refused, "socket") != 0;
  snprintf(message, size, "%s %s: %s%s%s", what, name, named ? failure->refused : "", named ? ": " : "",
           wt__os_error_text(failure->os_error));
}

int wt__listen_open(const char *text, struct wt__udp *sockets, size_t *count, char *message, size_t size) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  struct failure failure;
  size_t address_count;
  const char *why;
  *count = 0;
  message[0] = 0;
  int error = wt__address_parse(text, addresses, &address_count, &why);
  if (error) {
    snprintf(message, size, "cannot listen on %s: %s", text, why);
    return error;
  }
  bool any_port = wt__address_port((struct sockaddr *)&addresses[0].storage) == 0;
  for (int i = 0; i < PORT_TRIES; i++) {
    error = sockets_open(addresses, address_count, sockets, count, &failure);
    if (error == 0 || !any_port || failure.os_error != EADDRINUSE) break;
  }
  if (failure.refused) failure_tell(&failure, error ? "cannot listen on" : "not listening on", message, size);
  return error;
}
