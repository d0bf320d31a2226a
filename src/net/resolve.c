/* SPDX-License-Identifier: MIT */

/*
 * getaddrinfo blocks for as long as name servers like, so each lookup has a thread of its own, at most
 * WT__LOOKUPS_MAX at a time.
 *
 *     ask --> waiting --> running (a thread) --> done --> wt__resolver_run calls back and frees it
 *                            \ forgotten: the thread frees it
 *
 * The threads are our own and not those of libuv's pool, because a call there cannot be given up: a program that ends
 * would have to wait for a name server that does not answer. Ours are detached. A lookup that nobody wants any more is
 * forgotten, and its thread frees it. The threads block all signals, so that handlers run where the application expects them.
 *
 * One lock for all resolvers guards the lists and who owns a lookup. It is held for a few instructions, and a thread
 * wakes the loop only while it holds it, so that a loop that is freed is never woken. The lock is held across a fork: the
 * thread that holds it does not exist in the copy, where nobody would release it.
 *
 * The two families are asked separately, since one answer may come much later than the other (RFC 8305, section 3).
 * Nothing is cached: that is what the system's resolver does.
 */

#include "net/resolve.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

struct wt__lookup {
  struct wt__resolver *resolver; /* NULL: forgotten */
  struct wt__link link;
  int (*getaddrinfo)(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
  void (*freeaddrinfo)(struct addrinfo *found);
  wt__lookup_done done;
  void *owner;
  char *host;
  int family, error;
  bool in_thread;
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count;
};

#define LOOKUP_OF(l) WT__CONTAINER_OF(l, struct wt__lookup, link)

static pthread_mutex_t lookups_lock = PTHREAD_MUTEX_INITIALIZER;

static void lookup_free(struct wt__lookup *lookup) {
  wt__free(lookup->host);
  wt__free(lookup);
}

/* --- The thread --- */

static void lookup_take(struct wt__lookup *lookup, const struct addrinfo *found) {
  for (const struct addrinfo *it = found; it && lookup->count < WT__ADDRESSES_MAX; it = it->ai_next) {
    if (it->ai_family != lookup->family) continue;
    if (!wt__address_take(&lookup->addresses[lookup->count], it->ai_addr, it->ai_addrlen)) continue;
    if (lookup->addresses[lookup->count].storage.ss_family == lookup->family) lookup->count++;
  }
}

static void *lookup_thread(void *argument) {
  struct wt__lookup *lookup = argument;
  struct addrinfo hints = {.ai_family = lookup->family, .ai_socktype = SOCK_DGRAM}, *found = NULL;
  lookup->error = lookup->getaddrinfo(lookup->host, NULL, &hints, &found);
  if (lookup->error == 0) {
    lookup_take(lookup, found);
    if (lookup->count == 0) lookup->error = EAI_NONAME;
    lookup->freeaddrinfo(found);
  }
  pthread_mutex_lock(&lookups_lock);
  struct wt__resolver *resolver = lookup->resolver;
  lookup->in_thread = false;
  if (resolver) {
    wt__list_remove(&lookup->link);
    resolver->running_len--;
    wt__list_push_back(&resolver->done, &lookup->link);
    wt__loop_wake(resolver->loop);
  }
  pthread_mutex_unlock(&lookups_lock);
  if (!resolver) lookup_free(lookup);
  return NULL;
}

static int thread_start(struct wt__lookup *lookup) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  if (pthread_attr_init(&attributes)) return WT_ERR_NOMEM;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, &attributes, lookup_thread, lookup);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error ? WT_ERR_NOMEM : 0;
}

/* With the lock held: begins as many of the waiting as may be. */
static void resolver_start(struct wt__resolver *resolver) {
  struct wt__link *first;
  while (resolver->running_len < WT__LOOKUPS_MAX && (first = wt__list_first(&resolver->waiting))) {
    struct wt__lookup *lookup = LOOKUP_OF(first);
    wt__list_remove(&lookup->link);
    lookup->in_thread = true;
    if (thread_start(lookup) == 0) {
      resolver->running_len++;
      wt__list_push_back(&resolver->running, &lookup->link);
    } else {
      lookup->in_thread = false;
      lookup->error = EAI_MEMORY;
      wt__list_push_back(&resolver->done, &lookup->link);
      wt__loop_wake(resolver->loop);
    }
  }
}

/* --- The loop's side --- */

static void lookups_hold(void) { pthread_mutex_lock(&lookups_lock); }

static void lookups_release(void) { pthread_mutex_unlock(&lookups_lock); }

static void watch_forks(void) { (void)pthread_atfork(lookups_hold, lookups_release, lookups_release); }

void wt__resolver_init(struct wt__resolver *resolver, struct wt__loop *loop) {
  static pthread_once_t watched = PTHREAD_ONCE_INIT;
  (void)pthread_once(&watched, watch_forks);
  *resolver = (struct wt__resolver){.loop = loop, .getaddrinfo = getaddrinfo, .freeaddrinfo = freeaddrinfo};
  wt__list_init(&resolver->waiting);
  wt__list_init(&resolver->running);
  wt__list_init(&resolver->done);
}

int wt__resolver_ask(struct wt__resolver *resolver, const char *host, int family, wt__lookup_done done, void *owner,
                     struct wt__lookup **lookup) {
  struct wt__lookup *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  wt__link_init(&made->link);
  made->resolver = resolver;
  made->getaddrinfo = resolver->getaddrinfo;
  made->freeaddrinfo = resolver->freeaddrinfo;
  made->family = family;
  made->done = done;
  made->owner = owner;
  made->host = wt__strdup(host);
  if (!made->host) {
    lookup_free(made);
    return WT_ERR_NOMEM;
  }
  *lookup = made;
  pthread_mutex_lock(&lookups_lock);
  wt__list_push_back(&resolver->waiting, &made->link);
  resolver_start(resolver);
  pthread_mutex_unlock(&lookups_lock);
  return 0;
}

/* With the lock held. Whether it is to be freed here: its thread does not have it. */
static bool lookup_drop(struct wt__resolver *resolver, struct wt__lookup *lookup) {
  if (lookup->in_thread) resolver->running_len--;
  wt__list_remove(&lookup->link);
  lookup->resolver = NULL;
  return !lookup->in_thread;
}

void wt__lookup_forget(struct wt__lookup *lookup) {
  pthread_mutex_lock(&lookups_lock);
  struct wt__resolver *resolver = lookup->resolver;
  bool mine = lookup_drop(resolver, lookup);
  resolver_start(resolver);
  pthread_mutex_unlock(&lookups_lock);
  if (mine) lookup_free(lookup);
}

void wt__resolver_forked(struct wt__resolver *resolver) {
  struct wt__link *first;
  pthread_mutex_lock(&lookups_lock);
  while ((first = wt__list_first(&resolver->running))) {
    wt__list_remove(first);
    LOOKUP_OF(first)->in_thread = false;
    wt__list_push_back(&resolver->waiting, first);
  }
  resolver->running_len = 0;
  resolver_start(resolver);
  pthread_mutex_unlock(&lookups_lock);
}

void wt__resolver_run(struct wt__resolver *resolver) {
  for (;;) {
    pthread_mutex_lock(&lookups_lock);
    resolver_start(resolver);
    struct wt__link *first = wt__list_first(&resolver->done);
    if (first) wt__list_remove(first);
    pthread_mutex_unlock(&lookups_lock);
    if (!first) return;
    struct wt__lookup *lookup = LOOKUP_OF(first);
    lookup->done(lookup->owner, lookup->family, lookup->addresses, lookup->count, lookup->error);
    lookup_free(lookup);
  }
}

void wt__resolver_free(struct wt__resolver *resolver) {
  struct wt__list *lists[] = {&resolver->waiting, &resolver->running, &resolver->done};
  for (int i = 0; i < 3; i++) {
    for (;;) {
      pthread_mutex_lock(&lookups_lock);
      struct wt__link *first = wt__list_first(lists[i]);
      bool mine = first && lookup_drop(resolver, LOOKUP_OF(first));
      pthread_mutex_unlock(&lookups_lock);
      if (!first) break;
      if (mine) lookup_free(LOOKUP_OF(first));
    }
  }
}

const char *wt__lookup_error(int error) {
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY: return "the name is not known";
    case EAI_AGAIN: return "no name server answered";
    case EAI_MEMORY: return "out of memory";
    default: return "the name servers failed";
  }
}
