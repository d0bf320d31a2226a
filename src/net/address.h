/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_ADDRESS_H
#define WT_NET_ADDRESS_H

/* Socket addresses as text, and back. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WT__ADDRESS_TEXT_MAX 80 /* "[", an IPv6 address with its zone, "]:65535" and a NUL */
#define WT__ADDRESSES_MAX 16    /* that one name may stand for */

struct wt__address {
  struct sockaddr_storage storage;
  socklen_t len;
};

/*
 * Reads "host:port" or "[v6]:port" and fills `addresses`, which holds WT__ADDRESSES_MAX, with all that it
 * stands for, without repetitions: "[::]:443" and ":443" are every IPv6 and every IPv4 address, "localhost"
 * is both loopback addresses, other names are looked up (which may block).
 *
 * WT_ERR_ADDRESS; `*why` then says what is wrong, in a static string.
 */
int wt__address_parse(const char *text, struct wt__address *addresses, size_t *count, const char **why);

/* Writes "192.0.2.1:4433" or "[2001:db8::1]:4433". WT_ERR_TOO_LARGE if it does not fit; WT_ERR_ADDRESS for
 * a family other than the two. */
int wt__address_format(const struct sockaddr *address, char *text, size_t size);

/* Takes an address of IPv4 or IPv6 as a resolver gave it. False: it is of another kind, or not of that kind's length. */
bool wt__address_take(struct wt__address *address, const struct sockaddr *given, socklen_t len);

uint16_t wt__address_port(const struct sockaddr *address);
void wt__address_set_port(struct wt__address *address, uint16_t port);

/* Same family, address, zone and port. */
bool wt__address_equal(const struct sockaddr *a, const struct sockaddr *b);

#endif
