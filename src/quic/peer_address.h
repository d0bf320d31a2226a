/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PEER_ADDRESS_H
#define WT_QUIC_PEER_ADDRESS_H

/* A copy of a peer's address, to be compared with what ngtcp2 has. */

#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct wt__peer_address {
  size_t len; /* 0: none */
  uint8_t bytes[sizeof(struct sockaddr_in6)];
};

static inline bool wt__peer_address_is(const struct wt__peer_address *kept, const ngtcp2_addr *address) {
  return kept->len && address->addrlen == kept->len && !memcmp(address->addr, kept->bytes, kept->len);
}

static inline void wt__peer_address_keep(struct wt__peer_address *kept, const ngtcp2_addr *address) {
  kept->len = address->addrlen <= sizeof(kept->bytes) ? address->addrlen : 0;
  memcpy(kept->bytes, address->addr, kept->len);
}

#endif
