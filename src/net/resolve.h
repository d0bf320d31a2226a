/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_RESOLVE_H
#define WT_NET_RESOLVE_H

/* Names to addresses, off the loop's thread. */

#include <netdb.h>
#include <stddef.h>

#include "base/list.h"
#include "net/address.h"
#include "net/loop.h"

#define WT__LOOKUPS_MAX 8 /* at a time; the others wait */

struct wt__lookup;

/* The addresses that were found, in the system's order of preference. `error` is one of getaddrinfo, EAI_NONAME and
 * the like, if there are none. The lookup is gone. */
typedef void (*wt__lookup_done)(void *owner, int family, const struct wt__address *addresses, size_t count, int error);

struct wt__resolver {
  struct wt__loop *loop;
  struct wt__list waiting, running, done;
  size_t running_len;
  /* What looks up; tests put another function here. */
  int (*getaddrinfo)(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
  void (*freeaddrinfo)(struct addrinfo *found);
};

void wt__resolver_init(struct wt__resolver *resolver, struct wt__loop *loop);
/* Forgets all lookups. Those under way end by themselves and are told to nobody. */
void wt__resolver_free(struct wt__resolver *resolver);

/* Asks for the addresses of `host` in `family`, AF_INET6 or AF_INET; their port is not set. `done` is called from
 * `wt__resolver_run`. WT_ERR_NOMEM. */
int wt__resolver_ask(struct wt__resolver *resolver, const char *host, int family, wt__lookup_done done, void *owner,
                     struct wt__lookup **lookup);
/* `done` is not called any more. */
void wt__lookup_forget(struct wt__lookup *lookup);

/* When the loop was woken: tells of what was found, and begins what waited. */
void wt__resolver_run(struct wt__resolver *resolver);

/* What an error of getaddrinfo means, for people. */
const char *wt__lookup_error(int error);

/* After a fork, in the copy of the process: the threads are gone, so what they looked up is looked up again. */
void wt__resolver_forked(struct wt__resolver *resolver);

#endif
