/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/1.1 companion. A browser begins with TCP: it does not open a page over HTTP/3 from a server that it does not
 * know, and never if no authority signed the certificate. So the companion serves the page over plain HTTP on a
 * loopback address, which browsers treat as secure. It also tells the page's script where the WebTransport server is
 * and which hash its certificate has.
 *
 * One thread does everything. It accepts connections and hands them to libmicrohttpd, which reads requests and writes
 * answers. So this file decides which connections are accepted and when each one is closed (companion_peers.h). As
 * libmicrohttpd never waits by itself, the companion can always be ended. The recorder is all that the thread shares
 * with the server's threads.
 *
 *   listening sockets --accept--> peers: is there room? --> libmicrohttpd --> answers_handle
 *   eventfd: the end              peers: whose time is over? shut down
 *   epoll of libmicrohttpd ------------------------------> MHD_run
 */
#include "serve/companion.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/tool_log.h"
#include "serve/companion_answer.h"
#include "serve/companion_sockets.h"

enum {
  STALL_TIMEOUT_S = 30,   /* then a connection without progress is closed */
  MEMORY_LIMIT = 32768,   /* of a connection, for the headers of its request and answer */
  ACCEPTS_IN_A_TURN = 16, /* on each socket; then the connections are served */
  ACCEPT_PAUSE_MS = 1000, /* how long nothing is accepted after accept4 has failed */
  POLL_MOST_MS = 60000,
};

struct companion {
  struct companion_sockets sockets;
  struct answers answers;
  struct MHD_Daemon *daemon;
  int wake; /* an eventfd: the thread has to end, or look at `accepting` */
  atomic_bool ending, accepting;
  bool paused; /* what the thread has seen last */
  pthread_t thread;
  bool running;
  int64_t accept_at_ms; /* nothing is accepted before */
  char url[300];
};

/* --- Connections. --- */

/* Makes room for one more connection from `address`. False: it is refused. */
static bool room_make(struct companion *companion, const struct sockaddr *address) {
  static struct log_limit displaced = LOG_LIMIT_INIT, refused = LOG_LIMIT_INIT;
  struct peers *peers = &companion->answers.peers;
  struct peer *victim;
  if (peers_room(peers, address, clock_ms(), &victim)) return true;
  if (victim) {
    log_limited(&displaced, WT_LOG_WARN, "companion: too many connections; %s gave way to a new one",
                victim->state == PEER_WAITING ? "one without a request" : "one with a slow reader");
    peer_shutdown(victim);
    MHD_run(companion->daemon); /* closes it */
    if (peers_room(peers, address, clock_ms(), &victim)) return true;
  }
  log_limited(&refused, WT_LOG_WARN, "companion: too many connections; a new one was refused");
  return false;
}

static void connection_take(struct companion *companion, int fd, const struct sockaddr *address, socklen_t len) {
  if (!room_make(companion, address)) {
    close(fd);
    return;
  }
  /* On failure it closes `fd`. */
  if (MHD_add_connection(companion->daemon, fd, address, len) == MHD_YES)
    peers_add(&companion->answers.peers, fd, address, clock_ms());
}

/* Errors of one client or its network: the next accept may succeed. */
static bool error_is_of_connection(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN || error == ENETUNREACH ||
         error == EHOSTDOWN || error == EHOSTUNREACH || error == ENONET || error == ENOPROTOOPT;
}

/* Without free descriptors, or in a sandbox that refuses the call, the socket stays readable. Without a pause the
 * thread would try again without end. */
static void accept_pause(struct companion *companion, int error) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  companion->accept_at_ms = clock_ms() + ACCEPT_PAUSE_MS;
  log_limited(&limit, WT_LOG_WARN, "companion: cannot accept a connection: %s", strerror(error));
}

static void socket_accept(struct companion *companion, int listener) {
  for (int i = 0; i < ACCEPTS_IN_A_TURN; i++) {
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    int fd = accept4(listener, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      connection_take(companion, fd, (struct sockaddr *)&address, len);
      continue;
    }
    if (error_is_of_connection(errno)) continue;
    if (errno != EAGAIN) accept_pause(companion, errno);
    return;
  }
}

static void peers_expire(struct companion *companion) {
  struct peer *peer;
  while ((peer = peers_overdue(&companion->answers.peers, clock_ms()))) peer_shutdown(peer);
}

/* --- The thread. --- */

/* Another process accepts connections from now on: those that could send it their next request have to come again. */
static void peers_send_away(struct companion *companion) {
  struct peers *peers = &companion->answers.peers;
  for (size_t i = 0; i < PEERS_MAX; i++)
    if (peers->list[i].state == PEER_WAITING) peer_shutdown(&peers->list[i]);
}

/* Somebody has written to `wake`. False: the thread has to end. */
static bool wake_read(struct companion *companion) {
  uint64_t count;
  (void)!read(companion->wake, &count, sizeof count);
  bool paused = !atomic_load(&companion->accepting);
  if (paused && !companion->paused) peers_send_away(companion);
  companion->paused = paused;
  return !atomic_load(&companion->ending);
}

static int turn_timeout(struct companion *companion) {
  int64_t now = clock_ms(), timeout = peers_next_ms(&companion->answers.peers, now, POLL_MOST_MS);
  MHD_UNSIGNED_LONG_LONG inside;
  if (MHD_get_timeout(companion->daemon, &inside) == MHD_YES && inside < (MHD_UNSIGNED_LONG_LONG)timeout)
    timeout = (int64_t)inside;
  if (companion->accept_at_ms > now && companion->accept_at_ms - now < timeout) timeout = companion->accept_at_ms - now;
  return (int)timeout;
}

/* Waits for something to do. False: the thread has to end. */
static bool turn_wait(struct companion *companion, struct pollfd *fds, size_t count) {
  bool accepting = !companion->paused && clock_ms() >= companion->accept_at_ms;
  for (size_t i = 2; i < count; i++) fds[i].events = accepting ? POLLIN : 0;
  if (poll(fds, count, turn_timeout(companion)) < 0) {
    if (errno == EINTR || errno == EAGAIN) return true;
    log_line(WT_LOG_ERROR, "companion: cannot wait for connections: %s; it ends", strerror(errno));
    return false;
  }
  return !fds[0].revents || wake_read(companion);
}

static void *companion_run(void *argument) {
  struct companion *companion = argument;
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(companion->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  struct pollfd fds[2 + SOCKETS_MAX] = {{.fd = companion->wake, .events = POLLIN},
                                        {.fd = info->epoll_fd, .events = POLLIN}};
  size_t count = 2 + companion->sockets.count;
  for (size_t i = 2; i < count; i++) fds[i].fd = companion->sockets.fds[i - 2];
  while (turn_wait(companion, fds, count)) {
    for (size_t i = 2; i < count; i++)
      if (fds[i].revents && !companion->paused) socket_accept(companion, fds[i].fd);
    peers_expire(companion);
    MHD_run(companion->daemon);
  }
  return NULL;
}

/* --- Beginning and end. --- */

static void url_make(struct companion *companion, const char *host) {
  if (!strcmp(host, "0.0.0.0") || !strcmp(host, "::")) host = "localhost";
  bool brackets = strchr(host, ':') != NULL;
  snprintf(companion->url, sizeof companion->url, "http://%s%s%s:%u/", brackets ? "[" : "", host, brackets ? "]" : "",
           companion->sockets.port);
}

struct companion *companion_open(const struct companion_config *config, char *message, size_t size) {
  struct companion *companion = calloc(1, sizeof *companion);
  struct rlimit limit = {0};
  if (!companion) {
    snprintf(message, size, "out of memory");
    return NULL;
  }
  companion->wake = -1;
  bool taken = config->taken_count && sockets_adopt(&companion->sockets, config->host, config->port, config->more_ports,
                                                    config->taken, config->taken_count);
  if (!taken && config->taken_only) {
    snprintf(message, size, "the service manager's TCP sockets are not those of --http");
    free(companion);
    return NULL;
  }
  if (!taken && sockets_open(&companion->sockets, config->host, config->port, config->more_ports, message, size)) {
    free(companion);
    return NULL;
  }
  companion->answers.site = config->site;
  companion->answers.hosts = config->hosts;
  companion->answers.www = config->www;
  peers_init(&companion->answers.peers, getrlimit(RLIMIT_NOFILE, &limit) ? 0 : limit.rlim_cur);
  url_make(companion, config->host);
  return companion;
}

static struct MHD_Daemon *daemon_start(struct answers *answers) {
  return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, answers_handle, answers,
                          MHD_OPTION_CONNECTION_LIMIT, (unsigned int)PEERS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                          (unsigned int)STALL_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT,
                          MHD_OPTION_NOTIFY_COMPLETED, answers_completed, answers, MHD_OPTION_NOTIFY_CONNECTION,
                          answers_connection, answers, MHD_OPTION_UNESCAPE_CALLBACK, answers_unescape, answers,
                          MHD_OPTION_END);
}

bool companion_start(struct companion *companion, char *message, size_t size) {
  struct answers *answers = &companion->answers;
  companion->paused = true;
  companion->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (companion->wake < 0) {
    snprintf(message, size, "--http: cannot make an eventfd: %s", strerror(errno));
    return false;
  }
  companion->daemon = daemon_start(answers);
  if (!companion->daemon) {
    snprintf(message, size, "--http: libmicrohttpd cannot start");
    return false;
  }
  int error = pthread_create(&companion->thread, NULL, companion_run, companion);
  if (error) snprintf(message, size, "--http: cannot make a thread: %s", strerror(error));
  companion->running = !error;
  return !error;
}

static void companion_wake(struct companion *companion) {
  static const uint64_t one = 1;
  (void)!write(companion->wake, &one, sizeof one); /* cannot fail: the counter is far from full */
}

/* The thread sees the answers' header only once it may accept. */
void companion_accept(struct companion *companion, bool on) {
  struct answers *answers = &companion->answers;
  if (on && !answers->alt_svc[0])
    snprintf(answers->alt_svc, sizeof answers->alt_svc, "h3=\":%u\"; ma=86400", answers->site->port);
  atomic_store(&companion->accepting, on);
  companion_wake(companion);
}

const int *companion_listeners(const struct companion *companion, size_t *count) {
  *count = companion->sockets.count;
  return companion->sockets.fds;
}

uint16_t companion_port(const struct companion *companion) { return companion->sockets.port; }

const char *companion_url(const struct companion *companion) { return companion->url; }

void companion_close(struct companion *companion) {
  if (!companion) return;
  if (companion->running) {
    atomic_store(&companion->ending, true);
    companion_wake(companion);
    pthread_join(companion->thread, NULL);
  }
  if (companion->daemon) MHD_stop_daemon(companion->daemon); /* has no thread: closes its connections at once */
  if (companion->wake >= 0) close(companion->wake);
  sockets_close(&companion->sockets);
  free(companion);
}
