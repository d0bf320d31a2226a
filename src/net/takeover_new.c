/* SPDX-License-Identifier: MIT */

/*
 * The new process of a takeover: it gets the sockets of the old one before it starts, and begins to read them when the old
 * one has let go.
 *
 *     wt_server_takeover    connect, HELLO; OFFER and descriptors come
 *     (the application: certificates, routes, what else can fail)
 *     wt_server_start       sockets, endpoints, threads; nothing is read yet
 *                           READY; YOURS comes: all workers begin to read
 *
 * Both calls wait for the old process, a few milliseconds usually: its loop answers between two turns. If this process fails
 * or ends before YOURS, the old one has its sockets as before. If the old one ends before YOURS, the sockets are ours: a
 * process that is alive and does not want to give them says so (REFUSAL).
 */

#include "net/takeover_new.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/neighbours.h"
#include "net/server_state.h"
#include "net/takeover_state.h"

#define ANSWER_MS 10000
#define GROUP_MAX 4096 /* sockets of one address: more than any chain of processes has workers */

/* --- Waiting for messages --- */

/* The next message, before `deadline`. 0: the other side has ended; otherwise an error with a sentence. */
static int message_wait(struct wt__neighbour *old, uint64_t deadline, const uint8_t **data, int *fds, size_t *count) {
  struct wt_server *server = old->takeover->server;
  for (;;) {
    int len = wt__neighbour_recv(old, data, fds, count);
    if (len >= 0) return len;
    uint64_t now = uv_hrtime();
    if (now >= deadline) return wt__server_fail(server, WT_ERR_TIMEOUT, "takeover: the old process does not answer");
    struct pollfd pollfd = {.fd = old->fd, .events = POLLIN};
    (void)poll(&pollfd, 1, (int)((deadline - now) / WT__NS_PER_MS + 1));
  }
}

static int refused(struct wt_server *server, const uint8_t *data, size_t len) {
  char text[WT__TAKEOVER_TEXT_MAX + 1];
  if (!wt__takeover_read_refusal(data, len, text)) {
    return wt__server_fail(server, WT_ERR_PROTOCOL,
                           "takeover: the old process answers in a way that is not understood");
  }
  return wt__server_fail(server, WT_ERR_REJECTED, "takeover: the old process refuses: %s", text);
}

/* Whoever listened there has ended meanwhile: its port may be free in a moment. */
static int ended(struct wt_server *server) {
  if (errno == EMSGSIZE) { /* the kernel cut what came with the message */
    return wt__server_fail(server, WT_ERR_IO,
                           "takeover: not all sockets came: this process may have too few descriptors");
  }
  return wt__server_fail(server, WT_ERR_IO,
                         "takeover: the old process has ended before it gave its sockets: try again");
}

static uint64_t deadline_from_now(void) { return uv_hrtime() + ANSWER_MS * WT__NS_PER_MS; }

/* --- Descriptors --- */

static struct wt__takeover_group *group_find(struct wt__takeover *takeover, unsigned index) {
  for (size_t i = 0; i < takeover->group_count; i++) {
    if (takeover->groups[i].index == index) return &takeover->groups[i];
  }
  struct wt__takeover_group *groups =
      wt__realloc(takeover->groups, (takeover->group_count + 1) * sizeof(*takeover->groups));
  if (!groups) return NULL;
  takeover->groups = groups;
  struct wt__takeover_group *made = &groups[takeover->group_count++];
  *made = (struct wt__takeover_group){.index = (uint16_t)index};
  return made;
}

static int group_add(struct wt__takeover *takeover, unsigned index, int *fds, size_t count) {
  struct wt__takeover_group *group = group_find(takeover, index);
  if (!group) return WT_ERR_NOMEM;
  if (count == 0 || group->count + count > GROUP_MAX) return WT_ERR_PROTOCOL;
  int *more = wt__realloc(group->fds, (group->count + count) * sizeof(*more));
  if (!more) return WT_ERR_NOMEM;
  group->fds = more;
  if (group->count == 0) {
    struct wt__address bound = {.len = sizeof(bound.storage)};
    if (getsockname(fds[0], (struct sockaddr *)&bound.storage, &bound.len)) return WT_ERR_PROTOCOL;
    if (bound.storage.ss_family != AF_INET && bound.storage.ss_family != AF_INET6) return WT_ERR_PROTOCOL;
    group->bound = bound;
  }
  memcpy(group->fds + group->count, fds, count * sizeof(*fds));
  group->count += count;
  return 0;
}

static int link_add(struct wt__takeover *takeover, uint32_t pid, int fd) {
  if (takeover->older_count == WT__TAKEOVER_SLOTS_MAX) return WT_ERR_PROTOCOL;
  wt__neighbour_open(&takeover->older[takeover->older_count++], fd, pid);
  return 0;
}

static int named_add(struct wt__takeover *takeover, const char *name, int fd) {
  if (takeover->received_count == WT__TAKEOVER_NAMED_MAX) return WT_ERR_PROTOCOL;
  struct wt__takeover_named *named = &takeover->received[takeover->received_count++];
  (void)snprintf(named->name, sizeof(named->name), "%s", name);
  named->fd = fd;
  return 0;
}

/* One message with descriptors, which are taken unless there is an error. */
static int sockets_take(struct wt__takeover *takeover, const uint8_t *data, size_t len, int *fds, size_t count) {
  struct wt__takeover_sockets sockets;
  if (!wt__takeover_read_sockets(data, len, &sockets)) return WT_ERR_PROTOCOL;
  if (sockets.kind == WT__TAKEOVER_UDP) return group_add(takeover, sockets.index, fds, count);
  if (count != 1) return WT_ERR_PROTOCOL;
  if (sockets.kind == WT__TAKEOVER_LINK) return link_add(takeover, sockets.pid, fds[0]);
  return named_add(takeover, sockets.name, fds[0]);
}

/* --- Asking --- */

static int sockets_wait(struct wt__takeover *takeover, uint64_t deadline) {
  struct wt_server *server = takeover->server;
  struct wt__neighbour *old = &takeover->older[0];
  const uint8_t *data;
  int fds[WT__TAKEOVER_FDS_MAX], error = 0;
  unsigned version;
  size_t count;
  for (unsigned i = 0; error == 0 && i < takeover->offer.messages; i++) {
    int len = message_wait(old, deadline, &data, fds, &count);
    if (len < 0) return len;
    if (len == 0) return ended(server);
    if (wt__takeover_read_type(data, (size_t)len, &version) == WT__TAKEOVER_REFUSAL) {
      wt__takeover_close_fds(fds, count);
      return refused(server, data, (size_t)len);
    }
    error = sockets_take(takeover, data, (size_t)len, fds, count);
    if (error) wt__takeover_close_fds(fds, count);
  }
  return error ? wt__server_fail(server, error, "takeover: the sockets of the old process: %s", wt_error_string(error))
               : 0;
}

static int offer_wait(struct wt__takeover *takeover, uint64_t deadline) {
  const uint8_t *data;
  int fds[WT__TAKEOVER_FDS_MAX];
  size_t count;
  int len = message_wait(&takeover->older[0], deadline, &data, fds, &count);
  if (len < 0) return len;
  wt__takeover_close_fds(fds, count);
  if (len == 0) return ended(takeover->server);
  if (!wt__takeover_read_offer(data, (size_t)len, &takeover->offer))
    return refused(takeover->server, data, (size_t)len);
  takeover->older[0].pid = takeover->offer.pid;
  return sockets_wait(takeover, deadline);
}

int wt__takeover_ask(struct wt__takeover *takeover, const char *path) {
  struct wt_server *server = takeover->server;
  struct wt__takeover_hello hello = {.pid = (uint32_t)getpid()};
  uint8_t message[WT__TAKEOVER_HEADER_LEN + sizeof(hello)];
  char why[256] = "";
  int fd, error = wt__takeover_connect(path, &fd, why, sizeof(why));
  if (error == WT_ERR_NOT_FOUND) return 0;
  if (error) return wt__server_fail(server, error, "takeover: %s", why);
  wt__neighbour_open(&takeover->older[0], fd, 0);
  takeover->older_count = 1;
  int os_error = wt__neighbour_send(&takeover->older[0], message, wt__takeover_write_hello(message, &hello));
  if (os_error) return wt__server_fail(server, WT_ERR_IO, "takeover: %s: %s", path, wt__os_error_text(os_error));
  error = offer_wait(takeover, deadline_from_now());
  takeover->offered = error == 0;
  return error;
}

/* --- Using what came --- */

struct wt__takeover_group *wt__takeover_use_group(struct wt__takeover *takeover, const struct wt__address *address) {
  for (size_t i = 0; i < takeover->group_count; i++) {
    struct wt__takeover_group *group = &takeover->groups[i];
    struct wt__address wanted = *address;
    const struct sockaddr *bound = (const struct sockaddr *)&group->bound.storage;
    if (group->used) continue;
    if (wt__address_port((struct sockaddr *)&wanted.storage) == 0)
      wt__address_set_port(&wanted, wt__address_port(bound));
    if (!wt__address_equal((struct sockaddr *)&wanted.storage, bound)) continue;
    group->used = true;
    return group;
  }
  return NULL;
}

struct wt__takeover_group *wt__takeover_group_of(struct wt__takeover *takeover, size_t index) {
  for (size_t i = 0; takeover && i < takeover->group_count; i++) {
    struct wt__takeover_group *group = &takeover->groups[i];
    if (group->used && group->address == index) return group;
  }
  return NULL;
}

int wt__takeover_group_take(struct wt__takeover_group *group) {
  for (size_t i = 0; i < group->count; i++) {
    int fd = group->fds[i];
    if (fd < 0) continue;
    group->fds[i] = -1;
    return fd;
  }
  return -1;
}

/* --- Taking over --- */

static int ready_send(struct wt__takeover *takeover) {
  uint8_t message[WT__TAKEOVER_HEADER_LEN + 2 * WT__TAKEOVER_ADDRESSES_MAX];
  uint16_t indexes[WT__TAKEOVER_ADDRESSES_MAX];
  size_t count = 0;
  for (size_t i = 0; i < takeover->group_count && count < WT__TAKEOVER_ADDRESSES_MAX; i++) {
    if (takeover->groups[i].used) indexes[count++] = takeover->groups[i].index;
  }
  return wt__neighbour_send(&takeover->older[0], message, wt__takeover_write_ready(message, indexes, count));
}

/* The old process has died before it could answer. */
static int alone(struct wt__takeover *takeover) {
  WT__WARN(&takeover->server->log, WT__EVENT_OF("takeover_old_died", WT__INTEGER("pid", takeover->older[0].pid)),
           "takeover: the old process %u has died; its sockets are taken", (unsigned)takeover->older[0].pid);
  wt__neighbour_close(&takeover->older[0]);
  return 0;
}

static int yours_wait(struct wt__takeover *takeover) {
  struct wt_server *server = takeover->server;
  const uint8_t *data;
  int fds[WT__TAKEOVER_FDS_MAX];
  unsigned version;
  size_t count;
  int len = message_wait(&takeover->older[0], deadline_from_now(), &data, fds, &count);
  if (len < 0) return len;
  wt__takeover_close_fds(fds, count);
  if (len == 0) return alone(takeover);
  if (wt__takeover_read_type(data, (size_t)len, &version) != WT__TAKEOVER_YOURS)
    return refused(server, data, (size_t)len);
  atomic_store(&takeover->older[0].alive, true);
  WT__INFO(&server->log,
           WT__EVENT_OF("takeover_taken", WT__INTEGER("pid", takeover->offer.pid),
                        WT__INTEGER("connections", takeover->offer.connections)),
           "takeover: this process serves from now on; the old process %u keeps %u connections",
           (unsigned)takeover->offer.pid, (unsigned)takeover->offer.connections);
  return 0;
}

int wt__takeover_ready(struct wt__takeover *takeover) {
  if (!takeover->offered) return 0;
  int os_error = ready_send(takeover), error = 0;
  if (os_error && os_error != EPIPE && os_error != ECONNRESET) {
    return wt__server_fail(takeover->server, WT_ERR_IO, "takeover: %s", wt__os_error_text(os_error));
  }
  error = yours_wait(takeover); /* of a process that has refused or died, the last words are still to be read */
  if (error) return error;
  uint64_t now = uv_hrtime(), ms = takeover->offer.handshake_ms;
  atomic_store(&takeover->firsts_until, now + ms * WT__NS_PER_MS);
  for (size_t i = 1; i < takeover->older_count; i++) atomic_store(&takeover->older[i].alive, true);
  for (size_t i = 0; i < takeover->older_count; i++) {
    if (wt__neighbour_watch(&takeover->older[i], wt__neighbours_on_older)) wt__neighbour_close(&takeover->older[i]);
  }
  return 0;
}

void wt__takeover_close_rest(struct wt__takeover *takeover) {
  for (size_t i = 0; i < takeover->group_count; i++) {
    wt__takeover_close_fds(takeover->groups[i].fds, takeover->groups[i].count);
    wt__free(takeover->groups[i].fds);
  }
  wt__free(takeover->groups);
  takeover->groups = NULL;
  takeover->group_count = 0;
  for (size_t i = 0; i < takeover->received_count; i++) wt__takeover_close_fds(&takeover->received[i].fd, 1);
  takeover->received_count = 0;
}
