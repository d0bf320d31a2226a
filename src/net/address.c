/* SPDX-License-Identifier: MIT */

/*
 * What people write behind "listen", as socket addresses, and socket addresses as people read them.
 *
 * One text may stand for several addresses. Two cases are decided here and not by the resolver:
 *
 *  - "[::]" means every address of the machine. IPv6 sockets are opened for IPv6 only (mapped addresses
 *    would show peers as "::ffff:192.0.2.1" and lose the IPv4 control messages), so IPv4 is a second address.
 *  - "localhost" is both loopback addresses (RFC 6761, section 6.3): a browser tries ::1 first on most
 *    machines, while many hosts files name 127.0.0.1 alone.
 *
 * Numeric addresses never reach a name server. A name does, and blocks until it is answered: it is only
 * read when a server starts.
 *
 * It opens no sockets; net/listen.c does.
 */

#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <webtransport/error.h>

#define HOST_MAX 256 /* with its NUL; a DNS name has at most 253 characters */

static const struct sockaddr_in *address_v4(const struct sockaddr *address) {
  return (const struct sockaddr_in *)(const void *)address;
}

static const struct sockaddr_in6 *address_v6(const struct sockaddr *address) {
  return (const struct sockaddr_in6 *)(const void *)address;
}

static int address_fail(const char **why, const char *text) {
  *why = text;
  return WT_ERR_ADDRESS;
}

/* All digits, at most 65535. */
static bool port_parse(const char *text, uint16_t *port) {
  unsigned value = 0;
  if (!*text) return false;
  for (; *text; text++) {
    if (*text < '0' || *text > '9') return false;
    value = value * 10 + (unsigned)(*text - '0');
    if (value > 65535) return false;
  }
  *port = (uint16_t)value;
  return true;
}

/* Splits "host:port"; the brackets around an IPv6 address go. */
static int host_split(const char *text, char *host, uint16_t *port, const char **why) {
  const char *colon = strrchr(text, ':');
  if (!colon) return address_fail(why, "a port is missing");
  if (!port_parse(colon + 1, port)) return address_fail(why, "the port is not a number from 0 to 65535");
  size_t len = (size_t)(colon - text);
  if (len > 0 && text[0] == '[') {
    if (len < 3 || text[len - 1] != ']') return address_fail(why, "brackets do not match");
    text++;
    len -= 2;
    if (!memchr(text, ':', len)) return address_fail(why, "brackets are for IPv6 addresses");
  } else if (memchr(text, ':', len)) {
    return address_fail(why, "an IPv6 address needs brackets");
  }
  if (len >= HOST_MAX) return address_fail(why, "the host is too long");
  memcpy(host, text, len);
  host[len] = '\0';
  return 0;
}

bool wt__address_take(struct wt__address *address, const struct sockaddr *given, socklen_t len) {
  if (!given || len < sizeof(given->sa_family)) return false;
  bool v4 = given->sa_family == AF_INET && len == sizeof(struct sockaddr_in);
  bool v6 = given->sa_family == AF_INET6 && len == sizeof(struct sockaddr_in6);
  if (!v4 && !v6) return false;
  memset(address, 0, sizeof(*address));
  memcpy(&address->storage, given, len);
  address->len = len;
  return true;
}

static void address_add(struct wt__address *addresses, size_t *count, const struct sockaddr *address, socklen_t len) {
  for (size_t i = 0; i < *count; i++) {
    if (wt__address_equal((const struct sockaddr *)&addresses[i].storage, address)) return;
  }
  if (*count == WT__ADDRESSES_MAX || len > sizeof(addresses->storage)) return;
  struct wt__address *added = &addresses[(*count)++];
  memset(added, 0, sizeof(*added));
  memcpy(&added->storage, address, len);
  added->len = len;
}

static void address_add_v6(struct wt__address *addresses, size_t *count, const struct in6_addr *ip, uint16_t port) {
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *ip};
  address_add(addresses, count, (const struct sockaddr *)&v6, sizeof(v6));
}

static void address_add_v4(struct wt__address *addresses, size_t *count, in_addr_t ip, uint16_t port) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(ip)}};
  address_add(addresses, count, (const struct sockaddr *)&v4, sizeof(v4));
}

static int address_resolve(const char *host, uint16_t port, struct wt__address *addresses, size_t *count,
                           const char **why) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE};
  struct addrinfo *found = NULL;
  if (getaddrinfo(host, NULL, &hints, &found) != 0) return address_fail(why, "the host is not known");
  for (const struct addrinfo *it = found; it; it = it->ai_next) {
    struct wt__address address;
    if (!wt__address_take(&address, it->ai_addr, it->ai_addrlen)) continue;
    wt__address_set_port(&address, port);
    address_add(addresses, count, (const struct sockaddr *)&address.storage, address.len);
  }
  freeaddrinfo(found);
  return *count ? 0 : address_fail(why, "the host has no address");
}

int wt__address_parse(const char *text, struct wt__address *addresses, size_t *count, const char **why) {
  char host[HOST_MAX];
  uint16_t port;
  *count = 0;
  int error = host_split(text, host, &port, why);
  if (error) return error;

  struct in_addr v4;
  struct in6_addr v6;
  if (host[0] == '\0') strcpy(host, "::");
  if (strcasecmp(host, "localhost") == 0) {
    address_add_v6(addresses, count, &in6addr_loopback, port);
    address_add_v4(addresses, count, INADDR_LOOPBACK, port);
  } else if (inet_pton(AF_INET6, host, &v6) == 1) {
    address_add_v6(addresses, count, &v6, port);
    if (IN6_IS_ADDR_UNSPECIFIED(&v6)) address_add_v4(addresses, count, INADDR_ANY, port);
  } else if (inet_pton(AF_INET, host, &v4) == 1) {
    address_add_v4(addresses, count, ntohl(v4.s_addr), port);
  } else {
    return address_resolve(host, port, addresses, count, why);
  }
  return 0;
}

int wt__address_format(const struct sockaddr *address, char *text, size_t size) {
  char ip[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "";
  int len;
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &address_v4(address)->sin_addr, ip, sizeof(ip));
    len = snprintf(text, size, "%s:%u", ip, (unsigned)wt__address_port(address));
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = address_v6(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) && v6->sin6_scope_id) {
      snprintf(zone, sizeof(zone), "%%%u", (unsigned)v6->sin6_scope_id);
    }
    len = snprintf(text, size, "[%s%s]:%u", ip, zone, (unsigned)wt__address_port(address));
  } else {
    return WT_ERR_ADDRESS;
  }
  return len >= 0 && (size_t)len < size ? 0 : WT_ERR_TOO_LARGE;
}

uint16_t wt__address_port(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) return ntohs(address_v4(address)->sin_port);
  if (address->sa_family == AF_INET6) return ntohs(address_v6(address)->sin6_port);
  return 0;
}

void wt__address_set_port(struct wt__address *address, uint16_t port) {
  void *storage = &address->storage;
  if (address->storage.ss_family == AF_INET) ((struct sockaddr_in *)storage)->sin_port = htons(port);
  if (address->storage.ss_family == AF_INET6) ((struct sockaddr_in6 *)storage)->sin6_port = htons(port);
}

bool wt__address_equal(const struct sockaddr *a, const struct sockaddr *b) {
  if (a->sa_family != b->sa_family || wt__address_port(a) != wt__address_port(b)) return false;
  if (a->sa_family == AF_INET) return address_v4(a)->sin_addr.s_addr == address_v4(b)->sin_addr.s_addr;
  if (a->sa_family != AF_INET6) return false;
  const struct sockaddr_in6 *a6 = address_v6(a), *b6 = address_v6(b);
  return IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) && a6->sin6_scope_id == b6->sin6_scope_id;
}
