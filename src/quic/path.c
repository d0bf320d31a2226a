/* SPDX-License-Identifier: MIT */

/*
 * Paths in our form and in ngtcp2's, and as text.
 */

#include "quic/path.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

void wt__path_to_quic(ngtcp2_path *dst, const struct wt__path *src) {
  dst->local.addr = (ngtcp2_sockaddr *)(uintptr_t)&src->local;
  dst->local.addrlen = src->local_len;
  dst->remote.addr = (ngtcp2_sockaddr *)(uintptr_t)&src->remote;
  dst->remote.addrlen = src->remote_len;
  dst->user_data = src->socket;
}

void wt__path_from_quic(struct wt__path *dst, const ngtcp2_path *src) {
  dst->local_len = src->local.addrlen;
  dst->remote_len = src->remote.addrlen;
  memcpy(&dst->local, src->local.addr, src->local.addrlen);
  memcpy(&dst->remote, src->remote.addr, src->remote.addrlen);
  dst->socket = src->user_data;
}

bool wt__path_is(const struct wt__path *path, const ngtcp2_path *quic) {
  return path->socket == quic->user_data && path->local_len == quic->local.addrlen &&
         path->remote_len == quic->remote.addrlen && !memcmp(&path->remote, quic->remote.addr, quic->remote.addrlen) &&
         !memcmp(&path->local, quic->local.addr, quic->local.addrlen);
}

const char *wt__conn_address_text(const struct sockaddr_storage *address, char *text, size_t size) {
  char host[INET6_ADDRSTRLEN] = "?";
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    (void)snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
    return text;
  }
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
  bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
  if (mapped) {
    (void)inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof(host));
  } else {
    (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
  }
  (void)snprintf(text, size, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(in6->sin6_port));
  return text;
}
