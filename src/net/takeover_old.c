/* SPDX-License-Identifier: MIT */

/*
 * The old process of a takeover: it offers its sockets, gives them away, and takes them back if the new process dies.
 *
 *                                   +---- the new process is gone, or too slow: nothing has happened
 *                                   v                                   |
 *     READING --HELLO: OFFER--> READING (asked) --READY--> HELD --all workers have stopped reading: YOURS--> TAKEN
 *        ^                                                                                                     |
 *        +-------------------- the new process has died: this one serves again --------------------------------+
 *                                                                                                              |
 *        LEFT <--------------- it has ended in order (LEAVING): read for what is left here --------------------+
 *
 * The sockets are the same in both processes, so nothing is bound again and no packet is lost. Between HELD and TAKEN nobody
 * reads; packets wait in the sockets. The workers look at the phase for themselves (takeover.c), and worker 0 waits for
 * them, without blocking.
 *
 * The new process may end at any time. The kernel then closes its end of the Unix socket, which is all that the old
 * process goes by: there is no heartbeat, and a new process that hangs is left to whoever watches over it.
 *
 * The new process also gets this process's ways to older ones. This one keeps its descriptors of them, so an older process
 * sees its way end only when both have gone, and then takes the sockets back itself: always the newest one that lives.
 */

#include "net/takeover_old.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_name.h"
#include "base/mem.h"
#include "net/driver.h"
#include "net/neighbours.h"
#include "net/server_state.h"
#include "net/takeover_state.h"
#include "net/workers.h"

#define READY_MS 15000 /* from the connection of a new process until it is ready */
#define MESSAGES_PER_EVENT 16
#define LISTEN_AGAIN_MS 1000 /* after a process could not be accepted */

/* --- The offer --- */

static int sockets_send(struct wt__takeover *takeover, const struct wt__takeover_sockets *sockets, const int *fds,
                        size_t count) {
  uint8_t message[WT__TAKEOVER_HEADER_LEN + WT__TAKEOVER_RECORD_MAX];
  size_t len = wt__takeover_write_sockets(message, sockets);
  return wt__takeover_send(takeover->successor.fd, message, len, fds, count);
}

/* The socket `number` of an address, in the order in which the kernel has them; -1: there are not so many. */
static int group_fd(const struct wt_server *server, size_t address, size_t number) {
  if (number < server->worker_count) return server->workers[number].sockets[address].udp.fd;
  number -= server->worker_count;
  for (size_t i = 0; i < server->extra_count; i++) {
    if (server->extras[i].address != address) continue;
    if (number == 0) return server->extras[i].socket.udp.fd;
    number--;
  }
  return -1;
}

/* The messages for the sockets of an address; sends them if `send`. 0 or an errno. */
static int group_send(struct wt__takeover *takeover, size_t address, bool send, size_t *messages) {
  struct wt__takeover_sockets sockets = {.kind = WT__TAKEOVER_UDP, .index = (uint16_t)address};
  int fds[WT__TAKEOVER_FDS_MAX], os_error = 0;
  size_t number = 0, count;
  do {
    count = 0;
    while (count < WT__TAKEOVER_FDS_MAX && (fds[count] = group_fd(takeover->server, address, number)) >= 0) {
      count++;
      number++;
    }
    if (count > 0) ++*messages;
    if (count > 0 && send) os_error = sockets_send(takeover, &sockets, fds, count);
  } while (os_error == 0 && count == WT__TAKEOVER_FDS_MAX);
  return os_error;
}

/* All messages with descriptors. 0 or an errno. */
static int descriptors_send(struct wt__takeover *takeover, bool send, size_t *messages) {
  int os_error = 0;
  *messages = 0;
  for (size_t i = 0; os_error == 0 && i < takeover->server->workers[0].socket_count; i++) {
    os_error = group_send(takeover, i, send, messages);
  }
  for (size_t i = 0; os_error == 0 && i < takeover->older_count; i++) {
    struct wt__neighbour *older = &takeover->older[i];
    if (!atomic_load(&older->alive)) continue;
    struct wt__takeover_sockets link = {.kind = WT__TAKEOVER_LINK, .pid = older->pid};
    ++*messages;
    if (send) os_error = sockets_send(takeover, &link, &older->fd, 1);
  }
  for (size_t i = 0; os_error == 0 && i < takeover->given_count; i++) {
    struct wt__takeover_sockets named = {.kind = WT__TAKEOVER_NAMED};
    memcpy(named.name, takeover->given[i].name, sizeof(named.name));
    ++*messages;
    if (send) os_error = sockets_send(takeover, &named, &takeover->given[i].fd, 1);
  }
  return os_error;
}

static uint32_t handshake_ms(const struct wt__takeover *takeover, uint64_t now) {
  uint64_t own = takeover->server->config.handshake_timeout_ms, until = atomic_load(&takeover->firsts_until);
  uint64_t older = until > now ? (until - now) / WT__NS_PER_MS + 1 : 0, longest = own > older ? own : older;
  return longest < UINT32_MAX ? (uint32_t)longest : UINT32_MAX;
}

static uint32_t connections_open(struct wt_server *server) {
  size_t count = atomic_load(&server->shared.connections);
  return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

static int offer_send(struct wt__takeover *takeover) {
  struct wt_server *server = takeover->server;
  uint8_t message[WT__TAKEOVER_HEADER_LEN + sizeof(struct wt__takeover_offer)];
  size_t messages;
  (void)descriptors_send(takeover, false, &messages);
  struct wt__takeover_offer offer = {
      .pid = (uint32_t)getpid(),
      .handshake_ms = handshake_ms(takeover, wt__loop_now(&server->workers[0].driver.loop)),
      .connections = connections_open(server),
      .messages = (uint16_t)messages,
  };
  struct wt__keys keys;
  wt__shared_get_keys(&server->shared, &keys);
  memcpy(offer.token_key, keys.token[0].secret, sizeof(offer.token_key));
  memcpy(offer.reset_key, keys.reset[0], sizeof(offer.reset_key));
  wt__wipe(&keys, sizeof(keys));
  size_t len = wt__takeover_write_offer(message, &offer);
  int os_error = wt__takeover_send(takeover->successor.fd, message, len, NULL, 0);
  wt__wipe(&offer, sizeof(offer));
  wt__wipe(message, sizeof(message));
  return os_error ? os_error : descriptors_send(takeover, true, &messages);
}

/* --- A new process comes and goes --- */

static void refuse(int fd, const char *why) {
  uint8_t message[WT__TAKEOVER_HEADER_LEN + WT__TAKEOVER_TEXT_MAX];
  (void)wt__takeover_send(fd, message, wt__takeover_write_refusal(message, why), NULL, 0);
}

static void phase_set(struct wt__takeover *takeover, enum wt__takeover_phase phase) {
  atomic_store(&takeover->phase, phase);
  wt__server_ask(takeover->server, ASK_TAKEOVER);
}

static void successor_forget(struct wt__takeover *takeover) {
  wt__neighbour_close(&takeover->successor);
  takeover->successor_by = UINT64_MAX;
  takeover->successor_asked = false;
}

static void older_watch(struct wt__takeover *takeover) {
  for (size_t i = 0; i < takeover->older_count; i++) {
    if (wt__neighbour_watch(&takeover->older[i], wt__neighbours_on_older)) wt__neighbour_close(&takeover->older[i]);
  }
}

static void older_unwatch(struct wt__takeover *takeover) {
  for (size_t i = 0; i < takeover->older_count; i++) wt__neighbour_unwatch(&takeover->older[i]);
}

/* It listens at the path again: the new process had put its own socket there. */
static void listen_again(struct wt__takeover *takeover) {
  char message[256], path[sizeof(takeover->listener.path)];
  memcpy(path, takeover->listener.path, sizeof(path));
  wt__watch_free(takeover->listening);
  takeover->listening = NULL;
  takeover->listen_at = UINT64_MAX;
  wt__takeover_unlisten(&takeover->listener);
  int error = wt__takeover_listen(&takeover->listener, path, message, sizeof(message));
  if (error == 0) error = wt__takeover_old_begin(takeover, message, sizeof(message));
  if (error)
    WT__ERROR(&takeover->server->log, WT__EVENT_OF("takeover_unavailable", WT__TEXT("reason", message)),
              "takeover: no process can take over from this one: %s", message);
}

/* It was told to end meanwhile, whoever serves. */
static bool is_ending(const struct wt_server *server) {
  const struct wt__worker *worker = &server->workers[0];
  return worker->state != SERVER_RUNNING && !worker->taken;
}

/* Without its number: if that one had been taken over from in its turn, it is the last of them that has gone. */
static void take_back(struct wt__takeover *takeover) {
  struct wt_server *server = takeover->server;
  wt__server_steer(server);
  older_watch(takeover);
  if (takeover->leaving || is_ending(server)) {
    WT__INFO(&server->log, WT__EVENT("takeover_new_ended"),
             "takeover: the new process has ended; this one keeps its connections and takes no new ones");
    phase_set(takeover, WT__PHASE_LEFT);
    return;
  }
  WT__WARN(&server->log, WT__EVENT("takeover_new_died"), "takeover: the new process has died; this one serves again");
  phase_set(takeover, WT__PHASE_READING);
  listen_again(takeover);
  if (takeover->options.on_taken_back) takeover->options.on_taken_back(server, takeover->options.user_data);
}

static void successor_gone(struct wt__takeover *takeover) {
  struct wt_server *server = takeover->server;
  unsigned pid = takeover->successor.pid;
  int phase = atomic_load(&takeover->phase);
  successor_forget(takeover);
  if (phase == WT__PHASE_TAKEN) {
    take_back(takeover);
    return;
  }
  WT__WARN(&server->log, WT__EVENT_OF("takeover_given_up", WT__INTEGER("pid", pid)),
           "takeover: the process %u has not taken over; this one goes on", pid);
  if (phase == WT__PHASE_HELD) phase_set(takeover, WT__PHASE_READING);
}

static void successor_refuse(struct wt__takeover *takeover, const char *why) {
  refuse(takeover->successor.fd, why);
  WT__WARN(&takeover->server->log, WT__EVENT_OF("takeover_refused", WT__TEXT("reason", why)), "takeover: refused: %s",
           why);
  successor_gone(takeover);
}

/* --- What it says --- */

static void on_hello(struct wt__takeover *takeover, const uint8_t *data, size_t len) {
  struct wt_server *server = takeover->server;
  struct wt__takeover_hello hello;
  if (!wt__takeover_read_hello(data, len, &hello) || takeover->successor_asked) {
    successor_refuse(takeover, "a message cannot be read: the versions do not fit");
    return;
  }
  takeover->successor.pid = hello.pid;
  takeover->successor_asked = true;
  WT__INFO(&server->log, WT__EVENT_OF("takeover_asked", WT__INTEGER("pid", hello.pid)),
           "takeover: process %u asks for the sockets", (unsigned)hello.pid);
  int os_error = offer_send(takeover);
  if (os_error == 0) return;
  char why[WT__TAKEOVER_TEXT_MAX];
  (void)snprintf(why, sizeof(why), "the sockets cannot be sent: %s", wt__os_error_text(os_error));
  successor_refuse(takeover, why);
}

static void on_ready(struct wt__takeover *takeover, const uint8_t *data, size_t len) {
  uint16_t indexes[WT__TAKEOVER_ADDRESSES_MAX];
  size_t count;
  bool good = takeover->successor_asked && atomic_load(&takeover->phase) == WT__PHASE_READING &&
              wt__takeover_read_ready(data, len, indexes, &count);
  for (size_t i = 0; good && i < count; i++) good = indexes[i] < takeover->shared_count;
  if (!good) {
    successor_refuse(takeover, "a message cannot be read: the versions do not fit");
    return;
  }
  for (size_t i = 0; i < takeover->shared_count; i++) atomic_store(&takeover->shared[i], false);
  for (size_t i = 0; i < count; i++) atomic_store(&takeover->shared[indexes[i]], true);
  phase_set(takeover, WT__PHASE_HELD);
}

/* Whether the next message may be read. */
static bool on_message(struct wt__takeover *takeover, const uint8_t *data, size_t len) {
  unsigned version;
  switch (wt__takeover_read_type(data, len, &version)) {
    case WT__TAKEOVER_HELLO: on_hello(takeover, data, len); break;
    case WT__TAKEOVER_READY: on_ready(takeover, data, len); break;
    case WT__TAKEOVER_LEAVING: takeover->leaving = true; break;
    case WT__TAKEOVER_ASK: wt__neighbours_deliver(&takeover->successor, data, len); break;
    default:
      if (atomic_load(&takeover->phase) == WT__PHASE_TAKEN) break; /* it serves: to part with it would help nobody */
      successor_refuse(takeover, "a message cannot be read: the versions do not fit");
      break;
  }
  return takeover->successor.fd >= 0;
}

static void on_successor(void *neighbour) {
  struct wt__neighbour *successor = neighbour;
  struct wt__takeover *takeover = successor->takeover;
  const uint8_t *data;
  int fds[WT__TAKEOVER_FDS_MAX];
  size_t count;
  for (int i = 0; i < MESSAGES_PER_EVENT; i++) {
    int len = wt__neighbour_recv(successor, &data, fds, &count);
    if (len < 0) return;
    wt__takeover_close_fds(fds, count); /* it has none to give */
    if (len == 0 && errno == EMSGSIZE && atomic_load(&takeover->phase) == WT__PHASE_TAKEN) continue;
    if (len == 0) {
      successor_gone(takeover);
      return;
    }
    if (!on_message(takeover, data, (size_t)len)) return;
  }
}

/* --- Who connects --- */

static const char *refusal(const struct wt__takeover *takeover) {
  size_t older = 0;
  for (size_t i = 0; i < takeover->older_count; i++) older += atomic_load(&takeover->older[i].alive);
  if (takeover->server->workers[0].state != SERVER_RUNNING) return "the process is shutting down";
  if (takeover->successor.fd >= 0) return "another process is taking over: try again in a moment";
  if (atomic_load(&takeover->phase) != WT__PHASE_READING) return "another process has taken over";
  if (older + 1 > WT__TAKEOVER_SLOTS_MAX) return "too many older processes still have connections";
  return NULL;
}

/* Without descriptors, say, the socket stays readable: the loop must not try again in each turn. */
static void listen_pause(struct wt__takeover *takeover, uint64_t now) {
  int os_error = errno;
  WT__WARN_LIMITED(&takeover->server->log, &takeover->lines, now,
                   WT__EVENT_OF("takeover_accept_failed", WT__TEXT("errno", wt__errno_name(os_error))),
                   "takeover: cannot accept a process: %s", wt__os_error_text(os_error));
  wt__watch_free(takeover->listening);
  takeover->listening = NULL;
  takeover->listen_at = wt__driver_deadline(now, LISTEN_AGAIN_MS);
}

static void on_listening(void *ctx) {
  struct wt__takeover *takeover = ctx;
  struct wt_server *server = takeover->server;
  uint64_t now = wt__loop_now(&server->workers[0].driver.loop);
  bool stranger;
  int fd = wt__takeover_accept(&takeover->listener, &stranger);
  if (stranger) {
    WT__WARN_LIMITED(&server->log, &takeover->lines, now,
                     WT__EVENT_OF("takeover_refused", WT__TEXT("reason", "another user")),
                     "takeover: a process of another user was turned away");
  }
  if (fd < 0 && !stranger && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) listen_pause(takeover, now);
  if (fd < 0) return;
  const char *why = refusal(takeover);
  if (why) {
    refuse(fd, why);
    close(fd);
    WT__WARN_LIMITED(&server->log, &takeover->lines, now, WT__EVENT_OF("takeover_refused", WT__TEXT("reason", why)),
                     "takeover: a process was refused: %s", why);
    return;
  }
  wt__neighbour_open(&takeover->successor, fd, 0);
  takeover->leaving = false;
  takeover->successor_by = wt__driver_deadline(now, READY_MS);
  if (wt__neighbour_watch(&takeover->successor, on_successor)) successor_forget(takeover);
}

static void listen_resume(struct wt__takeover *takeover, uint64_t now) {
  struct wt__loop *loop = &takeover->server->workers[0].driver.loop;
  takeover->listening = wt__watch_new(loop, takeover->listener.fd, on_listening, takeover);
  takeover->listen_at = takeover->listening ? UINT64_MAX : wt__driver_deadline(now, LISTEN_AGAIN_MS);
}

int wt__takeover_old_begin(struct wt__takeover *takeover, char *message, size_t size) {
  int error = wt__takeover_publish(&takeover->listener, message, size);
  if (error) return error;
  takeover->listening =
      wt__watch_new(&takeover->server->workers[0].driver.loop, takeover->listener.fd, on_listening, takeover);
  if (!takeover->listening) (void)snprintf(message, size, "%s", wt_error_string(WT_ERR_NOMEM));
  return takeover->listening ? 0 : WT_ERR_NOMEM;
}

/* --- The moment --- */

static void sockets_give(struct wt__takeover *takeover) {
  struct wt_server *server = takeover->server;
  uint8_t message[WT__TAKEOVER_HEADER_LEN];
  size_t len = wt__takeover_write_plain(message, WT__TAKEOVER_YOURS);
  takeover->successor_by = UINT64_MAX;
  older_unwatch(takeover);
  if (wt__neighbour_send(&takeover->successor, message, len)) {
    older_watch(takeover);
    successor_gone(takeover);
    return;
  }
  atomic_store(&takeover->successor.alive, true);
  WT__INFO(&server->log,
           WT__EVENT_OF("takeover_given", WT__INTEGER("pid", takeover->successor.pid),
                        WT__INTEGER("connections", atomic_load(&server->shared.connections)),
                        WT__INTEGER("deadline_ms", takeover->options.deadline_ms)),
           "takeover: process %u serves from now on; %zu connections stay here until they end, %llu s at most",
           (unsigned)takeover->successor.pid, atomic_load(&server->shared.connections),
           (unsigned long long)(takeover->options.deadline_ms / 1000));
  phase_set(takeover, WT__PHASE_TAKEN);
  if (takeover->options.on_taken) takeover->options.on_taken(server, takeover->options.user_data);
}

uint64_t wt__takeover_old_pass(struct wt__takeover *takeover, uint64_t now) {
  if (now >= takeover->listen_at) listen_resume(takeover, now);
  if (takeover->successor.fd < 0) return takeover->listen_at;
  bool all_held = atomic_load(&takeover->held) == takeover->server->worker_count;
  if (atomic_load(&takeover->phase) == WT__PHASE_HELD && all_held) sockets_give(takeover);
  if (now >= takeover->successor_by) successor_refuse(takeover, "it was not ready in time");
  return takeover->successor_by < takeover->listen_at ? takeover->successor_by : takeover->listen_at;
}
