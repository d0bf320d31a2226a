/* SPDX-License-Identifier: MIT */

/*
 * Connections per address: see peers.h. The map holds counts in place of pointers, so that an address costs
 * a slot and no allocation; an address without connections is not in it.
 *
 * This is a bound on what one host can take from the others, not a defence against many hosts: that is what
 * `max_connections` is for.
 */

#include "quic/peers.h"

#include <netinet/in.h>
#include <string.h>

#include "quic/tls.h"

int wt__peers_init(struct wt__peers *peers) {
  for (int kind = 0; kind < WT__PEERS_KINDS; kind++) wt__map_init(&peers->counts[kind]);
  return wt__tls_random(&peers->secret, sizeof(peers->secret));
}

void wt__peers_free(struct wt__peers *peers) {
  for (int kind = 0; kind < WT__PEERS_KINDS; kind++) wt__map_free(&peers->counts[kind]);
}

uint64_t wt__peers_key(const struct wt__peers *peers, const struct sockaddr *address) {
  uint64_t prefix = 0;
  if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    const uint8_t *bytes = in6->sin6_addr.s6_addr;
    /* An IPv4 address on an IPv6 socket (::ffff:192.0.2.1) lies in the last eight bytes. */
    memcpy(&prefix, IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? bytes + 8 : bytes, sizeof(prefix));
  } else if (address->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    uint8_t mapped[8] = {0, 0, 0xff, 0xff};
    memcpy(mapped + 4, &in->sin_addr, 4);
    memcpy(&prefix, mapped, sizeof(prefix));
  }
  return prefix ^ peers->secret;
}

size_t wt__peers_count(const struct wt__peers *peers, enum wt__peers_kind kind, uint64_t key) {
  return (size_t)(uintptr_t)wt__map_get(&peers->counts[kind], key);
}

int wt__peers_add(struct wt__peers *peers, enum wt__peers_kind kind, uint64_t key) {
  uintptr_t count = (uintptr_t)wt__map_get(&peers->counts[kind], key);
  return wt__map_set(&peers->counts[kind], key, (void *)(count + 1));
}

void wt__peers_remove(struct wt__peers *peers, enum wt__peers_kind kind, uint64_t key) {
  struct wt__map *counts = &peers->counts[kind];
  uintptr_t count = (uintptr_t)wt__map_get(counts, key);
  if (count > 1) {
    (void)wt__map_set(counts, key, (void *)(count - 1)); /* replacing takes no memory */
  } else if (count == 1) {
    wt__map_remove(counts, key);
  }
}
