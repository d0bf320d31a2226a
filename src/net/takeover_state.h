/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TAKEOVER_STATE_H
#define WT_NET_TAKEOVER_STATE_H

/*
 * What a server knows of the processes before and after it, and what the files share that deal with them.
 *
 *   takeover.c          the calls of the application, beginning and end
 *   takeover_new.c      the new process: asks for the sockets, and takes over
 *   takeover_old.c      the old process: gives the sockets away, and gets them back
 *   neighbours.c        packets between processes
 *   takeover_socket.c   Unix sockets, takeover_message.c their messages
 *
 * What does not belong to a worker belongs to the thread of worker 0, or is atomic, or has a lock.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/fleet.h>

#include "base/log_limit.h"
#include "net/address.h"
#include "net/takeover_message.h"
#include "net/takeover_socket.h"
#include "net/udp.h"
#include "net/watch.h"

#define WT__TAKEOVER_NAMED_MAX 64

/* Another process, of which one is asked or which asks. Several processes may hold a descriptor of the same way to an old
 * process, but only the newest one uses it. */
struct wt__neighbour {
  struct wt__takeover *takeover;
  pthread_mutex_t lock; /* of `fd`, which any worker may use for sending */
  int fd;               /* -1: it is gone */
  atomic_bool alive;
  uint32_t pid;
  unsigned slot;
  struct wt__watch *watch; /* NULL: it is not read here */
};

/* The sockets of one address, in the order in which they are in the kernel. */
struct wt__takeover_group {
  struct wt__address bound;
  uint16_t index; /* of the address, at the old process */
  bool used;      /* the server listens on it: it is its address number `address` */
  size_t address;
  int *fds; /* -1: a socket of the server has it */
  size_t count;
};

struct wt__takeover_named {
  char name[WT__TAKEOVER_NAME_MAX + 1];
  int fd;
};

/* What workers do about the sockets that two processes share. */
enum wt__takeover_phase {
  WT__PHASE_READING, /* they are ours */
  WT__PHASE_HELD,    /* nobody is to read them: they change hands */
  WT__PHASE_TAKEN,   /* the new process reads them */
  WT__PHASE_LEFT,    /* the new process has ended in order: they are read for what is left here */
};

struct wt__takeover {
  struct wt_server *server;
  struct wt_takeover_options options;
  _Atomic int phase;
  atomic_uint held; /* workers that have stopped reading */

  /* For the next process. */
  struct wt__takeover_listener listener;
  struct wt__watch *listening;
  uint64_t listen_at;             /* nobody can be accepted before that; UINT64_MAX: it listens, or does not want to */
  struct wt__neighbour successor; /* one that asks for the sockets, or has them */
  uint64_t successor_by;          /* when it has to be ready; UINT64_MAX: it is, or there is none */
  bool successor_asked, leaving;
  _Atomic bool *shared; /* for each address of the server: it is another process's, too */
  size_t shared_count;
  struct wt__takeover_named given[WT__TAKEOVER_NAMED_MAX];
  size_t given_count;

  /* Older processes, the newest first. */
  struct wt__neighbour older[WT__TAKEOVER_SLOTS_MAX];
  size_t older_count;
  _Atomic uint64_t firsts_until; /* until then first packets may be for them; loop time */
  uint32_t handshake_ms;
  bool offered;                      /* there is an old process, which has told its keys */
  struct wt__takeover_offer offer;   /* what it told */
  struct wt__takeover_group *groups; /* what it gave */
  size_t group_count;
  struct wt__takeover_named received[WT__TAKEOVER_NAMED_MAX];
  size_t received_count;

  struct wt__log_limit lines; /* about packets that are dropped; on the thread of worker 0 */
  atomic_ullong dropped;      /* since the last line */
};

/* Packets of a worker that wait until the end of the turn. */
struct wt__outbox {
  struct wt__neighbour *to; /* NULL: empty */
  enum wt__takeover_type type;
  uint8_t *data; /* WT__TAKEOVER_MESSAGE_MAX bytes, once there was a packet */
  size_t len, packets;
};

void wt__neighbour_init(struct wt__neighbour *neighbour, struct wt__takeover *takeover, unsigned slot);
/* Opens it: `fd` is its own from now on. */
void wt__neighbour_open(struct wt__neighbour *neighbour, int fd, uint32_t pid);
/* Begins to read what it says, on the loop of worker 0. WT_ERR_NOMEM. */
int wt__neighbour_watch(struct wt__neighbour *neighbour, void (*on_ready)(void *neighbour));
void wt__neighbour_unwatch(struct wt__neighbour *neighbour);
void wt__neighbour_close(struct wt__neighbour *neighbour);
/* Sends a message; 0 or an errno. Any thread. */
int wt__neighbour_send(struct wt__neighbour *neighbour, const void *data, size_t len);

#endif
