/* SPDX-License-Identifier: MIT */

/*
 * Packets between the processes of a takeover.
 *
 * Only the newest process reads the sockets. A packet whose connection none of its workers knows may belong to an older
 * process. It asks them, one after the other, the newest first; an old one takes a packet of its own connections, and
 * returns any other:
 *
 *                    ASK                            ASK
 *     sockets --> new process ------> old process, or ------> older process
 *                    ^  NOT_MINE  |                  NOT_MINE  |
 *                    +------------+----------------------------+--> no older one left: it is ours
 *
 * So connection ids need not name their process, and the ids of an old process may have another length or form. A packet
 * knows which processes it has been at (`slot`), so it goes to each one once, and never in a circle. The new process then
 * treats it as a server does that is alone: a new connection, a stateless reset, nothing.
 *
 * First packets, whose id is the client's, are asked about only while a handshake that the old process has begun may go on:
 * they may be repetitions. Other unknown packets are asked about as long as there is an older process.
 *
 * The packets of a turn go out in one message for each process. Where there is no room for it they are lost, as in a socket
 * that is full, and counted; nobody waits. Packets that come back lose their turn only behind packets of the same process.
 */

#include "net/neighbours.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/inbox.h"
#include "net/server_state.h"
#include "net/takeover_old.h"
#include "net/takeover_state.h"
#include "net/workers.h"

#define MESSAGES_PER_EVENT 16 /* then the sockets have their turn */

/* --- One neighbour --- */

void wt__neighbour_init(struct wt__neighbour *neighbour, struct wt__takeover *takeover, unsigned slot) {
  memset(neighbour, 0, sizeof(*neighbour));
  pthread_mutex_init(&neighbour->lock, NULL);
  neighbour->takeover = takeover;
  neighbour->fd = -1;
  neighbour->slot = slot;
}

void wt__neighbour_open(struct wt__neighbour *neighbour, int fd, uint32_t pid) {
  pthread_mutex_lock(&neighbour->lock);
  neighbour->fd = fd;
  neighbour->pid = pid;
  pthread_mutex_unlock(&neighbour->lock);
}

int wt__neighbour_watch(struct wt__neighbour *neighbour, void (*on_ready)(void *neighbour)) {
  struct wt__loop *loop = &neighbour->takeover->server->workers[0].driver.loop;
  if (neighbour->fd < 0 || neighbour->watch) return 0;
  neighbour->watch = wt__watch_new(loop, neighbour->fd, on_ready, neighbour);
  return neighbour->watch ? 0 : WT_ERR_NOMEM;
}

void wt__neighbour_unwatch(struct wt__neighbour *neighbour) {
  wt__watch_free(neighbour->watch);
  neighbour->watch = NULL;
}

void wt__neighbour_close(struct wt__neighbour *neighbour) {
  atomic_store(&neighbour->alive, false);
  wt__neighbour_unwatch(neighbour);
  pthread_mutex_lock(&neighbour->lock);
  if (neighbour->fd >= 0) close(neighbour->fd);
  neighbour->fd = -1;
  pthread_mutex_unlock(&neighbour->lock);
}

int wt__neighbour_send(struct wt__neighbour *neighbour, const void *data, size_t len) {
  pthread_mutex_lock(&neighbour->lock);
  int os_error = neighbour->fd < 0 ? EPIPE : wt__takeover_send(neighbour->fd, data, len, NULL, 0);
  pthread_mutex_unlock(&neighbour->lock);
  return os_error;
}

int wt__neighbour_recv(struct wt__neighbour *neighbour, const uint8_t **data, int *fds, size_t *count) {
  static _Thread_local uint8_t message[WT__TAKEOVER_MESSAGE_MAX];
  ssize_t len;
  *data = message;
  do { /* an end with unread messages is told first, and what it had sent after that */
    len = wt__takeover_recv(neighbour->fd, message, sizeof(message), fds, count);
  } while (len < 0 && errno == ECONNRESET);
  if (len < 0 && errno == EAGAIN) return -1;
  return len < 0 ? 0 : (int)len;
}

/* --- What goes out --- */

static void outbox_flush(struct wt__worker *worker) {
  struct wt__outbox *outbox = &worker->outbox;
  if (!outbox->to) return;
  int os_error = wt__neighbour_send(outbox->to, outbox->data, outbox->len);
  if (os_error) worker->takeover_dropped += outbox->packets;
  if (os_error == EPIPE || os_error == ECONNRESET) {
    atomic_store(&outbox->to->alive, false); /* nothing more goes there; worker 0 will hear of its end */
  } else if (os_error) {
    atomic_fetch_add(&worker->server->takeover->dropped, outbox->packets);
  } else if (outbox->type == WT__TAKEOVER_ASK) {
    worker->takeover_out += outbox->packets;
  }
  outbox->to = NULL;
}

void wt__neighbours_flush(struct wt__worker *worker) {
  struct wt__takeover *takeover = worker->server->takeover;
  if (!takeover) return;
  outbox_flush(worker);
  if (worker->index > 0 || atomic_load_explicit(&takeover->dropped, memory_order_relaxed) == 0) return;
  if (!wt__log_limit_take(&takeover->lines, wt__loop_now(&worker->driver.loop))) return;
  unsigned long long dropped = atomic_exchange(&takeover->dropped, 0);
  WT__WARN(&worker->server->log, WT__EVENT_OF("takeover_packets_dropped", WT__INTEGER("packets", dropped)),
           "takeover: %llu packets for another process were dropped, because it does not keep up", dropped);
}

/* Puts a packet into the outbox. One that finds no room anywhere is dropped. */
static void outbox_put(struct wt__worker *worker, struct wt__neighbour *to, enum wt__takeover_type type,
                       const struct wt__takeover_packet *packet) {
  struct wt__outbox *outbox = &worker->outbox;
  if (outbox->to && (outbox->to != to || outbox->type != type)) outbox_flush(worker);
  if (!outbox->data) outbox->data = wt__malloc(WT__TAKEOVER_MESSAGE_MAX);
  for (int i = 0; i < 2 && outbox->data; i++) {
    if (!outbox->to) {
      outbox->to = to;
      outbox->type = type;
      outbox->len = wt__takeover_begin_packets(outbox->data, type);
      outbox->packets = 0;
    }
    size_t len = wt__takeover_add_packet(outbox->data, outbox->len, packet);
    if (len > 0) {
      outbox->len = len;
      outbox->packets++;
      return;
    }
    outbox_flush(worker);
  }
  worker->takeover_dropped++;
}

/* The next older process from a slot on; NULL: there is none. */
static struct wt__neighbour *older_from(struct wt__takeover *takeover, unsigned slot) {
  for (; slot < takeover->older_count; slot++) {
    if (atomic_load_explicit(&takeover->older[slot].alive, memory_order_acquire)) return &takeover->older[slot];
  }
  return NULL;
}

static void packet_of(struct wt__takeover_packet *packet, const struct wt__path *path, unsigned ecn,
                      const uint8_t *data, size_t len) {
  *packet = (struct wt__takeover_packet){
      .local = path->local,
      .remote = path->remote,
      .local_len = path->local_len,
      .remote_len = path->remote_len,
      .ecn = (uint8_t)ecn,
      .data = data,
      .len = len,
  };
}

/* A packet that the new process asked about is not this worker's. */
static bool answer(struct wt__worker *worker, bool first, const struct wt__origin *origin, const struct wt__path *path,
                   unsigned ecn, const uint8_t *data, size_t len) {
  struct wt_server *server = worker->server;
  struct wt__takeover *takeover = server->takeover;
  struct wt__takeover_packet packet;
  /* Where the kernel goes by addresses, a handshake may be at any worker. */
  if (first && !server->steered && worker->index + 1 < server->worker_count) {
    wt__worker_forward(worker, worker->index + 1, path, ecn, data, len);
    return true;
  }
  if (!atomic_load_explicit(&takeover->successor.alive, memory_order_acquire))
    return false; /* it is gone: all is ours */
  packet_of(&packet, path, ecn, data, len);
  packet.slot = origin->slot;
  packet.worker = origin->worker;
  outbox_put(worker, &takeover->successor, WT__TAKEOVER_NOT_MINE, &packet);
  return true;
}

bool wt__neighbours_hand_over(void *ctx, bool first, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                              size_t len) {
  struct wt__worker *worker = ctx;
  struct wt__takeover *takeover = worker->server->takeover;
  struct wt__takeover_packet packet;
  if (!takeover) return false;
  struct wt__origin origin = wt__endpoint_origin(worker->driver.endpoint);
  if (origin.from == WT__FROM_SUCCESSOR) return answer(worker, first, &origin, path, ecn, data, len);
  if (takeover->older_count == 0) return false;
  if (first && wt__loop_now(&worker->driver.loop) >= atomic_load(&takeover->firsts_until)) return false;
  unsigned slot = origin.from == WT__FROM_PREDECESSOR ? origin.slot + 1u : 0;
  struct wt__neighbour *older = older_from(takeover, slot);
  if (!older) return false;
  packet_of(&packet, path, ecn, data, len);
  packet.slot = (uint8_t)older->slot;
  packet.worker = (uint16_t)worker->index;
  outbox_put(worker, older, WT__TAKEOVER_ASK, &packet);
  return true;
}

/* --- What comes in --- */

static bool is_any_address(const struct sockaddr *address) {
  static const struct in6_addr any6 = IN6ADDR_ANY_INIT;
  if (address->sa_family == AF_INET) {
    return ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr == htonl(INADDR_ANY);
  }
  return !memcmp(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, &any6, sizeof(any6));
}

/* The number of the server's socket for a local address; `count`: it has none. */
static size_t socket_for(const struct wt__worker *worker, const struct wt__takeover_packet *packet) {
  const struct sockaddr *local = (const struct sockaddr *)&packet->local;
  size_t found = worker->socket_count;
  for (size_t i = 0; i < worker->socket_count; i++) {
    const struct sockaddr *bound = (const struct sockaddr *)&worker->sockets[i].udp.bound.storage;
    if (bound->sa_family != local->sa_family || wt__address_port(bound) != wt__address_port(local)) continue;
    if (wt__address_equal(bound, local)) return i;
    if (is_any_address(bound)) found = i;
  }
  return found;
}

static void packet_deliver(struct wt__worker *to, const struct wt__origin *origin,
                           const struct wt__takeover_packet *packet) {
  struct wt__path path = {
      .local = packet->local,
      .remote = packet->remote,
      .local_len = packet->local_len,
      .remote_len = packet->remote_len,
  };
  size_t socket = socket_for(to, packet);
  if (socket == to->socket_count) { /* of an address that this server does not have */
    if (origin->from == WT__FROM_SUCCESSOR)
      outbox_put(to, &to->server->takeover->successor, WT__TAKEOVER_NOT_MINE, packet);
    return;
  }
  if (to->index == 0) {
    wt__worker_recv(to, socket, origin, &path, packet->ecn, packet->data, packet->len);
  } else if (wt__inbox_put(&to->inbox, socket, origin, &path, packet->ecn, packet->data, packet->len)) {
    wt__loop_wake(&to->driver.loop);
  }
}

void wt__neighbours_deliver(struct wt__neighbour *from, const uint8_t *data, size_t len) {
  struct wt__takeover *takeover = from->takeover;
  struct wt_server *server = takeover->server;
  struct wt__takeover_packet packet;
  bool asked = from == &takeover->successor;
  size_t at = WT__TAKEOVER_HEADER_LEN;
  while (wt__takeover_next_packet(data, len, &at, &packet)) {
    struct wt__origin origin = {
        .from = asked ? WT__FROM_SUCCESSOR : WT__FROM_PREDECESSOR,
        .slot = asked ? packet.slot : (uint8_t)from->slot,
        .worker = packet.worker,
    };
    unsigned worker = asked ? 0 : packet.worker % server->worker_count;
    if (asked) server->workers[0].takeover_in++;
    packet_deliver(&server->workers[worker], &origin, &packet);
  }
}

static void older_gone(struct wt__neighbour *older) {
  WT__INFO(&older->takeover->server->log, WT__EVENT_OF("takeover_old_ended", WT__INTEGER("pid", older->pid)),
           "takeover: the old process %u has ended", (unsigned)older->pid);
  wt__neighbour_close(older);
}

void wt__neighbours_on_older(void *neighbour) {
  struct wt__neighbour *older = neighbour;
  const uint8_t *data;
  int fds[WT__TAKEOVER_FDS_MAX];
  size_t count;
  unsigned version;
  for (int i = 0; i < MESSAGES_PER_EVENT; i++) {
    int len = wt__neighbour_recv(older, &data, fds, &count);
    if (len < 0) return;
    wt__takeover_close_fds(fds, count); /* it has none to give */
    if (len == 0 && errno == EMSGSIZE) continue;
    if (len == 0) {
      older_gone(older);
      return;
    }
    if (wt__takeover_read_type(data, (size_t)len, &version) == WT__TAKEOVER_NOT_MINE) {
      wt__neighbours_deliver(older, data, (size_t)len);
    }
  }
}
