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
 * can be used, those of a family that the machine lacks are left out. A port that is taken is always an
 * error, even if it is taken on one of two addresses: half a server would be hard to notice.
 */

#include "net/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <webtransport/error.h>

#define PORT_TRIES 16

static bool family_is_missing(int os_error) { return os_error == EAFNOSUPPORT || os_error == EADDRNOTAVAIL; }

static void sockets_close(struct wt__udp *sockets, size_t *count) {
  for (size_t i = 0; i < *count; i++) wt__udp_close(&sockets[i]);
  *count = 0;
}

/* All addresses on one port. Returns 0, or WT_ERR_IO with the address and errno of the one that failed. */
static int sockets_open(const struct wt__address *addresses, size_t address_count, struct wt__udp *sockets,
                        size_t *count, struct wt__address *failed, const char **refused, int *os_error) {
  bool missing = false;
  int missing_error = 0;
  *count = 0;
  for (size_t i = 0; i < address_count; i++) {
    struct wt__address address = addresses[i];
    if (*count > 0) wt__address_set_port(&address, wt__address_port((struct sockaddr *)&sockets[0].bound.storage));
    if (wt__udp_open(&sockets[*count], &address, os_error) == 0) {
      (*count)++;
      continue;
    }
    if (!missing) *failed = address;
    if (!missing) *refused = sockets[*count].refused;
    if (family_is_missing(*os_error)) {
      if (!missing) missing_error = *os_error;
      missing = true;
      continue;
    }
    *failed = address;
    *refused = sockets[*count].refused;
    sockets_close(sockets, count);
    return WT_ERR_IO;
  }
  if (*count > 0) return 0;
  *os_error = missing_error;
  return WT_ERR_IO;
}

int wt__listen_open(const char *text, struct wt__udp *sockets, size_t *count, char *message, size_t size) {
  struct wt__address addresses[WT__ADDRESSES_MAX], failed;
  size_t address_count;
  const char *why, *refused = "";
  int os_error = 0;
  *count = 0;
  int error = wt__address_parse(text, addresses, &address_count, &why);
  if (error) {
    snprintf(message, size, "cannot listen on %s: %s", text, why);
    return error;
  }
  bool any_port = wt__address_port((struct sockaddr *)&addresses[0].storage) == 0;
  for (int i = 0; i < PORT_TRIES; i++) {
    error = sockets_open(addresses, address_count, sockets, count, &failed, &refused, &os_error);
    if (error == 0 || !any_port || os_error != EADDRINUSE) break;
  }
  if (error) {
    char name[WT__ADDRESS_TEXT_MAX] = "";
    wt__address_format((struct sockaddr *)&failed.storage, name, sizeof(name));
    /* bind is what listening is; another call that is refused has to be named. */
    bool named = strcmp(refused, "bind") != 0 && strcmp(refused, "socket") != 0;
    snprintf(message, size, "cannot listen on %s: %s%s%s", name, named ? refused : "", named ? ": " : "",
             wt__os_error_text(os_error));
  }
  return error;
}
