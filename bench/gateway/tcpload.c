/* SPDX-License-Identifier: MIT */
/*
 * The load for gateways that give a TCP connection to a client of TLS: what `webtransport bench` is for ours. Behind the
 * gateway is backend.c. To the client a connection is a stream of bytes:
 *
 *   --via websocket    the payload of binary messages, whatever their bounds (websockify)
 *   --via connect      what follows an answer to CONNECT (Envoy)
 *   --via none         TCP itself, without TLS: the back end alone
 *
 * Workloads: "echo", messages on standing connections (as bench/wsload.c, at a rate or one after the other);
 * "source" and "sink", so many bytes one way; "setup", a connection, a message that comes back, and its end.
 *
 *   tcpload --via HOW --port N [--workload NAME] [--connections N] [--outstanding N] [--size N] [--rate N]
 *           [--bytes N] [--warmup MS] [--duration MS]
 *
 * Prints a line "measuring" when the measured time begins, and one of JSON when it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <gnutls/gnutls.h>

#include "bench/histogram.h"
#include "tls_socket.h"

enum {
  SIZE_MAX_MESSAGE = 65535,
  FLIGHT_MAX = 1024, /* messages of a connection under way: a power of two */
  EVENTS = 256,
  ROOM = 1 << 18,
  PIECE = 1 << 16, /* of a bulk transfer: one message of WebSocket */
  HEAD_MAX = 10,
  GRACE_MS = 1000,
};

enum via {
  VIA_NONE,
  VIA_WEBSOCKET,
  VIA_CONNECT
};

struct link {
  struct tls_socket socket;
  uint64_t began[FLIGHT_MAX];
  uint64_t sent, answered, received; /* messages; bytes of answers */
  uint8_t head[HEAD_MAX];            /* of the frame that comes now */
  size_t head_len;
  uint64_t frame_left;
  bool ended;
};

static struct load {
  enum via via;
  uint16_t port;
  uint64_t connections, outstanding, size, rate, bytes, warmup_ns, duration_ns;
  uint8_t *message, *frame;
  size_t frame_len;
  struct link *links;
  int epoll, timer;
  uint64_t from, until, turn, operations, in_flight;
  struct histogram latency;
  gnutls_certificate_credentials_t trust;
  pthread_mutex_t lock; /* of the counts, where threads share them */
} load = {.connections = 1, .outstanding = 1, .size = 100, .bytes = 1000000, .lock = PTHREAD_MUTEX_INITIALIZER};

/* --- A connection through the gateway. --- */

static void link_open(struct link *link) {
  static const char upgrade[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Protocol: binary\r\n\r\n";
  static const char tunnel[] = "CONNECT backend.test:1 HTTP/1.1\r\nHost: backend.test:1\r\n\r\n";
  bool websocket = load.via == VIA_WEBSOCKET;
  memset(link, 0, sizeof *link);
  tls_socket_open(&link->socket, load.port, load.via == VIA_NONE ? NULL : load.trust);
  if (load.via == VIA_NONE) return;
  const char *request = websocket ? upgrade : tunnel;
  tls_socket_write(&link->socket, (const uint8_t *)request, strlen(request));
  if (!tls_socket_read_head(&link->socket, websocket ? "101" : "200")) complain("the gateway refused a connection");
}

/* Makes a frame of RFC 6455, masked, or leaves the bytes as they are; returns its length. */
static size_t frame_make(uint8_t *frame, const uint8_t *data, size_t len) {
  static const uint8_t mask[4] = {0x3a, 0xc5, 0x5c, 0xa3};
  size_t at = 2;
  if (load.via != VIA_WEBSOCKET) {
    memcpy(frame, data, len);
    return len;
  }
  frame[0] = 0x82; /* final, binary */
  frame[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
  if (len >= 126) {
    frame[2] = (uint8_t)(len >> 8), frame[3] = (uint8_t)len;
    at = 4;
  }
  memcpy(frame + at, mask, sizeof mask);
  at += sizeof mask;
  for (size_t i = 0; i < len; i++) frame[at + i] = data[i] ^ mask[i % 4];
  return at + len;
}

/* Takes bytes for the head of a frame; returns how many. When it is whole, `frame_left` is set. */
static size_t head_take(struct link *link, const uint8_t *data, size_t len) {
  size_t taken = 0;
  while (taken < len) {
    link->head[link->head_len++] = data[taken++];
    size_t size = link->head[1] & 0x7f, whole = size < 126 ? 2 : size == 126 ? 4 : 10;
    if (link->head_len < 2 || link->head_len < whole) continue;
    for (size_t i = 2, value = 0; i < whole; i++) size = value = value << 8 | link->head[i];
    link->frame_left = size;
    link->head_len = 0;
    if ((link->head[0] & 0x0f) == 8) link->ended = true;
    break;
  }
  return taken;
}

/* Calls `take` with the bytes of the stream that are in what came. */
static void link_deliver(struct link *link, const uint8_t *data, size_t len,
                         void (*take)(struct link *link, const uint8_t *data, size_t len)) {
  if (load.via != VIA_WEBSOCKET) {
    take(link, data, len);
    return;
  }
  while (len && !link->ended) {
    size_t piece;
    if (link->frame_left) {
      piece = link->frame_left < len ? (size_t)link->frame_left : len;
      link->frame_left -= piece;
      take(link, data, piece);
    } else {
      piece = head_take(link, data, len);
    }
    data += piece;
    len -= piece;
  }
}

/* --- Echo. --- */

static void message_done(uint64_t start, uint64_t now) {
  if (start < load.from || start >= load.until) return;
  load.operations++;
  histogram_add(&load.latency, now - start);
}

static void echo_take(struct link *link, const uint8_t *data, size_t len) {
  uint64_t now = now_ns();
  while (len) {
    size_t at = (size_t)(link->received % load.size), piece = load.size - at < len ? (size_t)load.size - at : len;
    if (memcmp(data, load.message + at, piece) || link->answered == link->sent)
      complain("an answer is not what was sent");
    data += piece;
    len -= piece;
    link->received += piece;
    if (link->received % load.size) continue;
    load.in_flight--;
    message_done(link->began[link->answered++ % FLIGHT_MAX], now);
  }
}

static void message_send(struct link *link, uint64_t start) {
  if (link->sent - link->answered == FLIGHT_MAX) complain("the gateway does not keep up");
  link->began[link->sent++ % FLIGHT_MAX] = start;
  load.in_flight++;
  tls_socket_write(&link->socket, load.frame, load.frame_len);
}

static void echo_ready(struct link *link) {
  static uint8_t room[ROOM];
  ssize_t got;
  while ((got = tls_socket_read(&link->socket, room, sizeof room)) > 0) {
    link_deliver(link, room, (size_t)got, echo_take);
    uint64_t now = now_ns();
    while (!load.rate && link->sent - link->answered < load.outstanding && now < load.until) message_send(link, now);
    if (!link->socket.tls && got < ROOM) return;
  }
  if (!got) complain("the gateway closed a connection");
}

/* With a rate: begins what is due, and sets the timer for what follows. The client must not spin until then, because the
 * back end has the same core. */
static void rate_turn(uint64_t start) {
  uint64_t now = now_ns();
  for (;; load.turn++) {
    uint64_t due = start + (uint64_t)((double)load.turn * 1e9 / (double)load.rate);
    if (due >= load.until) return;
    if (due > now) {
      struct itimerspec spec = {
          .it_value = {.tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000)}};
      timerfd_settime(load.timer, TFD_TIMER_ABSTIME, &spec, NULL);
      return;
    }
    message_send(&load.links[load.turn % load.connections], due);
  }
}

static void rate_begin(void) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET}; /* each time that it is set it is told once */
  load.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  if (load.timer < 0 || epoll_ctl(load.epoll, EPOLL_CTL_ADD, load.timer, &event)) die("timerfd");
}

static void measuring_tell(void) {
  puts("measuring");
  fflush(stdout);
}

static void echo_loop(uint64_t start) {
  struct epoll_event events[EVENTS];
  bool told = false;
  for (;;) {
    uint64_t now = now_ns();
    if (!told && now >= load.from) measuring_tell();
    told = now >= load.from;
    if (now >= load.until && (!load.in_flight || now > load.until + GRACE_MS * 1000000ull)) return;
    if (load.rate) rate_turn(start);
    int count = epoll_wait(load.epoll, events, EVENTS, 10);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++)
      if (events[i].data.ptr) echo_ready(events[i].data.ptr);
  }
}

static void echo_run(void) {
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  for (uint64_t i = 0; i < load.connections; i++) {
    struct link *link = &load.links[i];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    link_open(link);
    fcntl(link->socket.fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, link->socket.fd, &event)) die("epoll_ctl");
  }
  uint64_t start = now_ns();
  load.from = start + load.warmup_ns;
  load.until = load.from + load.duration_ns;
  if (load.rate) rate_begin();
  for (uint64_t i = 0; i < load.connections && !load.rate; i++)
    for (uint64_t n = 0; n < load.outstanding; n++) message_send(&load.links[i], start);
  echo_loop(start);
}

/* --- Bulk. The bytes are counted by whoever reads them. --- */

static void bulk_take(struct link *link, const uint8_t *data, size_t len) {
  (void)data;
  link->received += len;
}

static void source_run(void) {
  static uint8_t room[ROOM];
  struct link *link = &load.links[0];
  ssize_t got;
  link_open(link);
  measuring_tell();
  while (!link->ended && (got = tls_socket_read(&link->socket, room, sizeof room)) != 0) {
    if (got > 0) link_deliver(link, room, (size_t)got, bulk_take);
    if (link->received >= load.bytes) break;
  }
  if (link->received != load.bytes) complain("the bytes that came are not as many as the back end sent");
  load.operations = 1;
}

static void sink_run(void) {
  static uint8_t data[PIECE], frame[PIECE + HEAD_MAX], room[ROOM];
  struct link *link = &load.links[0];
  link_open(link);
  measuring_tell();
  for (uint64_t left = load.bytes; left;) {
    size_t piece = left < PIECE - 1 ? (size_t)left : PIECE - 1; /* as much as two bytes of length can say */
    tls_socket_write(&link->socket, frame, frame_make(frame, data, piece));
    left -= piece;
  }
  char expected[64];
  int len = snprintf(expected, sizeof expected, "{\"bytes\":%llu}", (unsigned long long)load.bytes);
  while (link->received < (uint64_t)len) {
    ssize_t got = tls_socket_read(&link->socket, room, sizeof room);
    if (!got || link->ended) complain("the gateway closed the connection before the answer");
    if (got > 0) link_deliver(link, room, (size_t)got, bulk_take);
  }
  if (link->received != (uint64_t)len) complain("the back end did not count as many bytes as were sent");
  load.operations = 1;
}

/* --- Set-up: each thread makes one connection after the other. --- */

static void setup_once(struct link *link) {
  uint8_t room[4096];
  uint64_t start = now_ns();
  link_open(link);
  tls_socket_write(&link->socket, load.frame, load.frame_len);
  while (link->received < load.size) {
    ssize_t got = tls_socket_read(&link->socket, room, sizeof room);
    if (!got) complain("the gateway closed a connection");
    if (got > 0) link_deliver(link, room, (size_t)got, bulk_take);
  }
  uint64_t now = now_ns();
  tls_socket_close(&link->socket);
  pthread_mutex_lock(&load.lock);
  message_done(start, now);
  pthread_mutex_unlock(&load.lock);
}

static void *setup_thread(void *argument) {
  while (now_ns() < load.until) setup_once(argument);
  return NULL;
}

static void setup_run(void) {
  pthread_t *threads = calloc(load.connections, sizeof *threads);
  if (!threads) die("calloc");
  load.from = now_ns() + load.warmup_ns;
  load.until = load.from + load.duration_ns;
  for (uint64_t i = 0; i < load.connections; i++)
    if (pthread_create(&threads[i], NULL, setup_thread, &load.links[i])) die("pthread_create");
  poll(NULL, 0, (int)(load.warmup_ns / 1000000));
  measuring_tell();
  for (uint64_t i = 0; i < load.connections; i++) pthread_join(threads[i], NULL);
  free(threads);
}

/* --- Options and result. --- */

static void report(uint64_t began) {
  const struct histogram *latency = &load.latency;
  double seconds = (double)(load.until ? load.duration_ns : now_ns() - began) / 1e9;
  printf("{\"operations\": %llu, \"seconds\": %.6f, \"unfinished\": %llu", (unsigned long long)load.operations, seconds,
         (unsigned long long)load.in_flight);
  if (latency->count)
    printf(", \"latency_us\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
           (double)histogram_percentile(latency, 50) / 1e3, (double)histogram_percentile(latency, 99) / 1e3,
           (double)latency->max / 1e3);
  puts("}");
}

static const struct workload {
  const char *name;
  void (*run)(void);
} workloads[] = {{"echo", echo_run}, {"source", source_run}, {"sink", sink_run}, {"setup", setup_run}};

static const struct workload *workload = &workloads[0];

static bool workload_set(const char *name) {
  for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
    if (!strcmp(workloads[i].name, name)) workload = &workloads[i];
  return !strcmp(workload->name, name);
}

static bool via_set(const char *name) {
  static const char *const names[] = {"none", "websocket", "connect"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(names[i], name)) continue;
    load.via = (enum via)i;
    return true;
  }
  return false;
}

static bool options_read(int argc, char **argv) {
  static const struct option options[] = {
      {"via", required_argument, NULL, 'v'},
      {"port", required_argument, NULL, 'p'},
      {"workload", required_argument, NULL, 'W'},
      {"connections", required_argument, NULL, 'c'},
      {"size", required_argument, NULL, 's'},
      {"outstanding", required_argument, NULL, 'o'},
      {"rate", required_argument, NULL, 'r'},
      {"bytes", required_argument, NULL, 'b'},
      {"warmup", required_argument, NULL, 'w'},
      {"duration", required_argument, NULL, 'd'},
      {0},
  };
  int option;
  load.duration_ns = 1000000000;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
    switch (option) {
      case 'v':
        if (!via_set(optarg)) return false;
        break;
      case 'W':
        if (!workload_set(optarg)) return false;
        break;
      case 'p': load.port = (uint16_t)number; break;
      case 'c': load.connections = number; break;
      case 's': load.size = number; break;
      case 'o': load.outstanding = number; break;
      case 'r': load.rate = number; break;
      case 'b': load.bytes = number; break;
      case 'w': load.warmup_ns = number * 1000000; break;
      case 'd': load.duration_ns = number * 1000000; break;
      default: return false;
    }
  }
  return load.port && load.connections && load.size && load.size <= SIZE_MAX_MESSAGE && load.outstanding &&
         load.outstanding <= FLIGHT_MAX && load.duration_ns && load.bytes;
}

int main(int argc, char **argv) {
  if (!options_read(argc, argv)) {
    fprintf(stderr,
            "usage: tcpload --via none|websocket|connect --port N [--workload echo|source|sink|setup]\n"
            "               [--connections N] [--outstanding N] [--size N] [--rate N] [--bytes N] [--warmup MS]\n"
            "               [--duration MS]\n");
    return 2;
  }
  load.links = calloc(load.connections, sizeof *load.links);
  load.message = malloc(load.size);
  load.frame = malloc(load.size + HEAD_MAX);
  if (!load.links || !load.message || !load.frame) die("malloc");
  for (size_t i = 0; i < load.size; i++) load.message[i] = (uint8_t)(i * 31 + (i >> 8));
  load.frame_len = frame_make(load.frame, load.message, load.size);
  if (gnutls_certificate_allocate_credentials(&load.trust)) complain("TLS cannot be set up");
  uint64_t began = now_ns();
  workload->run();
  report(began);
  return load.operations ? 0 : 1;
}
