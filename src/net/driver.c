/* SPDX-License-Identifier: MIT */

/*
 * Sockets and an endpoint put together.
 *
 *     readable socket --> wt__driver_receive ---> wt__endpoint_recv
 *     a pass ---------------------------------> wt__endpoint_run --> driver_send, driver_send_runs --> socket
 *     socket that was full --> wt__driver_writable --> wt__endpoint_writable
 *
 * A socket that does not take a packet is watched until it does; the endpoint keeps the packets meanwhile. The
 * endpoint names the socket of each packet by its path, so there may be any number of them.
 *
 * What is done in a pass differs between servers (net/serve.c) and clients (net/client.c), and is theirs.
 *
 * The counts are kept beyond the endpoint, so that a program can print them when all is over.
 */

#include "net/driver.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/errno_name.h"
#include "base/list.h"
#include "base/usdt.h"
#include "quic/lost_time.h"

#define LOSSES_LOGGED 3                /* lines at once; then one a second */
#define BATCHES_PER_EVENT 4            /* then other sockets and the pass have their turn */
#define BATCHES_PER_PAUSE 1024         /* the same after a pause: more than a full receive buffer has */
#define LONG_TURN (10 * WT__NS_PER_MS) /* worth being counted: others notice */

static void driver_on_datagram(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  struct wt__driver *driver = ctx;
  wt__endpoint_recv(driver->endpoint, path, ecn, data, len, wt__loop_now(&driver->loop));
}

void wt__driver_receive(struct wt__driver *driver, struct wt__socket *socket) {
  for (int i = 0; i < BATCHES_PER_EVENT; i++) {
    bool more = wt__udp_recv(&socket->udp, driver->batch, driver_on_datagram, driver);
    if (i == 0) wt__loop_read(socket, socket->udp.recv_error);
    if (!more) return;
    if (!wt__endpoint_may_receive(driver->endpoint)) return;
  }
}

void wt__driver_receive_all(struct wt__driver *driver, struct wt__socket *socket) {
  for (int i = 0; i < BATCHES_PER_PAUSE; i++) {
    if (!wt__udp_recv(&socket->udp, driver->batch, driver_on_datagram, driver)) return;
  }
}

uint64_t wt__driver_pass(struct wt__driver *driver, uint64_t now) {
  wt__endpoint_run(driver->endpoint, now);
  uint64_t packets = wt__endpoint_packets(driver->endpoint);
  uint64_t ended_at = wt__endpoint_ended_at(driver->endpoint), began_at = wt__loop_began(&driver->loop);
  uint64_t took = ended_at > began_at ? ended_at - began_at : 0;
  if (took > driver->turns.longest) driver->turns.longest = took;
  if (took > LONG_TURN) driver->turns.long_ones++;
  driver->turns.count++;
  WT__USDT(loop_turn, took, packets - driver->turns.packets);
  if (packets == driver->turns.packets) driver->turns.idle++;
  driver->turns.packets = packets;
  return wt__endpoint_expiry(driver->endpoint);
}

/* The same clock as the loop's. */
static uint64_t driver_clock(void *ctx) {
  (void)ctx;
  return uv_hrtime();
}

static bool driver_thread_time(void *ctx, struct wt__thread_time *time) {
  struct timespec cpu;
  struct rusage usage;
  (void)ctx;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) || getrusage(RUSAGE_THREAD, &usage)) return false;
  time->cpu = (uint64_t)cpu.tv_sec * WT__NS_PER_S + (uint64_t)cpu.tv_nsec;
  time->waits = (uint64_t)usage.ru_nvcsw;
  return true;
}

static uint64_t driver_time_of_day(void *ctx) {
  struct timespec now;
  (void)ctx;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * WT__NS_PER_S + (uint64_t)now.tv_nsec;
}

static unsigned long long take_lost(struct wt__udp *udp) {
  uint64_t lost = udp->lost;
  udp->lost = 0;
  return lost;
}

static const char *address_text(const struct sockaddr_storage *address, char *text, size_t size) {
  (void)wt__address_format((const struct sockaddr *)address, text, size);
  return text;
}

/* The rate is that of all connections: where a firewall or a sandbox refuses packets, it refuses most of them. */
static void driver_log_losses(struct wt__driver *driver, const struct wt__path *path, struct wt__udp *udp) {
  char remote[WT__ADDRESS_TEXT_MAX] = "";
  int os_error = udp->send_error;
  udp->send_error = 0;
  if (!driver->log || driver->log->level < WT_LOG_WARN || !wt__log_limit_take(&driver->losses, uv_hrtime())) return;
  unsigned long long lost = take_lost(udp); /* those of lines that were left out, too */
  address_text(&path->remote, remote, sizeof(remote));
  wt__log_write_limited(driver->log, &driver->losses, WT_LOG_WARN,
                        WT__EVENT_OF("send_failed", WT__TEXT("peer", remote),
                                     WT__TEXT("errno", wt__errno_name(os_error)), WT__INTEGER("packets_lost", lost)),
                        "cannot send to %s: %s; %llu packets were lost", remote, wt__os_error_text(os_error), lost);
}

static int driver_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                       size_t segment) {
  struct wt__udp *udp = path->socket;
  struct wt__driver *driver = ctx;
  if (driver->silent) return 0;
  int error = wt__udp_send(udp, path, ecn, data, len, segment);
  if (error == WT_ERR_AGAIN) wt__loop_want_write(WT__CONTAINER_OF(udp, struct wt__socket, udp));
  if (udp->send_error) driver_log_losses(driver, path, udp);
  return error;
}

static size_t driver_send_runs(void *ctx, const struct wt__packet_run *runs, size_t count) {
  struct wt__driver *driver = ctx;
  return driver->silent ? 0 : wt__udp_send_runs(runs->path.socket, runs, count);
}

void wt__driver_failing(struct wt__driver *driver, struct wt__socket *socket, int os_error, bool lasting, char *text,
                        size_t size) {
  char local[WT__ADDRESS_TEXT_MAX] = "";
  wt__address_format((const struct sockaddr *)&socket->udp.bound.storage, local, sizeof(local));
  (void)snprintf(text, size, "cannot receive on %s: %s", local, wt__os_error_text(os_error));
  if (lasting) {
    WT__ERROR(driver->log,
              WT__EVENT_OF("receive_failed", WT__TEXT("address", local), WT__TEXT("errno", wt__errno_name(os_error)),
                           WT__BOOLEAN("ends", true)),
              "%s, again and again; all that uses it ends", text);
  } else {
    WT__WARN_LIMITED(driver->log, &driver->losses, uv_hrtime(),
                     WT__EVENT_OF("receive_failed", WT__TEXT("address", local),
                                  WT__TEXT("errno", wt__errno_name(os_error)), WT__BOOLEAN("ends", false)),
                     "%s", text);
  }
}

void wt__driver_writable(struct wt__driver *driver) {
  wt__endpoint_writable(driver->endpoint, wt__loop_now(&driver->loop));
}

int wt__driver_open(struct wt__driver *driver, struct wt__endpoint_config *config) {
  driver->batch = wt__udp_batch_new();
  if (!driver->batch) return WT_ERR_NOMEM;
  driver->log = config->log;
  wt__log_limit_init(&driver->losses, 1, LOSSES_LOGGED);
  config->send = driver_send;
  config->send_runs = driver_send_runs;
  config->send_ctx = driver;
  config->clock = driver_clock;
  config->thread_time = driver_thread_time;
  config->time_of_day = driver_time_of_day;
  return wt__endpoint_new(&driver->endpoint, config);
}

void wt__driver_close(struct wt__driver *driver) {
  if (driver->endpoint) {
    wt__endpoint_get_stats(driver->endpoint, &driver->last_stats);
    driver->last_stats.connections_open = driver->last_stats.handshakes_open = driver->last_stats.memory_used = 0;
    wt__endpoint_free(driver->endpoint);
  }
  driver->endpoint = NULL;
  wt__udp_batch_free(driver->batch);
  driver->batch = NULL;
}

uint64_t wt__driver_deadline(uint64_t now, uint64_t ms) {
  return ms > (UINT64_MAX - now) / WT__NS_PER_MS ? UINT64_MAX : now + ms * WT__NS_PER_MS;
}

void wt__driver_get_stats(const struct wt__driver *driver, struct wt__endpoint_stats *stats) {
  if (driver->endpoint) {
    wt__endpoint_get_stats(driver->endpoint, stats);
  } else {
    *stats = driver->last_stats;
  }
}
