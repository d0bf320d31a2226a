/* SPDX-License-Identifier: MIT */
/*
 * The load for WebSocket echo servers: what `webtransport bench --workload echo` is for WebTransport. Messages on
 * standing connections, each answered before its place is free for the next, or begun at fixed times (--rate;
 * latencies count from those). The results have the same names in JSON as there.
 *
 * As cheap as it goes, since the server is what is measured: one thread, epoll, a frame that is masked once and sent
 * again and again. Answers are compared with what was sent.
 *
 *   wsload --port N [--tls] [--connections N] [--outstanding N] [--size N] [--rate N] [--warmup MS] [--duration MS]
 *
 * Prints a line "measuring" when the measured time begins, and one of JSON when it has ended, so that whoever
 * watches the server knows when to look.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/histogram.h"
#include "wslink.h"

enum {
  SIZE_MAX_MESSAGE = 65535,
  ROOM = 1 << 17,
  FLIGHT_MAX = 1024, /* messages of a connection under way: a power of two */
  EVENTS = 256,
  GRACE_MS = 1000, /* for what is under way at the end */
};

struct link {
  struct tls_socket ws;
  uint64_t began[FLIGHT_MAX];
  uint32_t sent, answered;
  size_t have; /* bytes in `room`, from the beginning of a frame */
  uint8_t room[ROOM];
};

struct load {
  struct wsserver server;
  uint64_t connections, outstanding, size, rate, warmup_ns, duration_ns;
  uint8_t *message, *frames; /* as many frames as may be in flight, one after another */
  size_t frame_len, head_len;
  struct link *links;
  int epoll;
  uint64_t from, until, turn, operations, last, in_flight;
  struct histogram latency;
};

static void link_open(struct load *load, struct link *link) {
  wslink_connect(&link->ws, &load->server);
  wslink_upgrade(&link->ws, "/");
  wslink_set_nonblocking(&link->ws);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
  if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, link->ws.fd, &event)) die("epoll_ctl");
}

/* --- Messages. --- */

/* The frame, masked, as often as a connection may have it in flight. */
static void frames_make(struct load *load) {
  static const uint8_t mask[4] = {0x3a, 0xc5, 0x5c, 0xa3};
  size_t head = load->size < 126 ? 2 : 4;
  load->head_len = head;
  load->frame_len = head + sizeof mask + load->size;
  load->message = malloc(load->size);
  load->frames = malloc(load->frame_len * load->outstanding);
  if (!load->message || !load->frames) die("malloc");
  for (size_t i = 0; i < load->size; i++) load->message[i] = (uint8_t)(i * 31 + (i >> 8));
  for (uint64_t n = 0; n < load->outstanding; n++) {
    uint8_t *frame = load->frames + n * load->frame_len;
    frame[0] = 0x82; /* final, binary */
    frame[1] = (uint8_t)(0x80 | (head == 2 ? load->size : 126));
    if (head == 4) frame[2] = (uint8_t)(load->size >> 8), frame[3] = (uint8_t)load->size;
    memcpy(frame + head, mask, sizeof mask);
    for (size_t i = 0; i < load->size; i++) frame[head + 4 + i] = load->message[i] ^ mask[i % 4];
  }
}

static void messages_send(struct load *load, struct link *link, uint64_t count, uint64_t start) {
  if (link->sent - link->answered + count > FLIGHT_MAX) complain("the server does not keep up");
  for (uint64_t i = 0; i < count; i++) link->began[link->sent++ % FLIGHT_MAX] = start;
  load->in_flight += count;
  tls_socket_write(&link->ws, load->frames, count * load->frame_len);
}

/* Takes the whole frames off; returns how many there were. */
static uint64_t frames_take(struct load *load, struct link *link, uint64_t now) {
  size_t len = load->head_len + load->size, at = 0;
  uint64_t count = 0;
  for (; link->have - at >= len; at += len, count++) {
    const uint8_t *frame = link->room + at;
    bool good = (frame[0] == 0x82) && frame[1] == (load->head_len == 2 ? load->size : 126) &&
                !memcmp(frame + load->head_len, load->message, load->size) && link->answered != link->sent;
    if (!good) complain("an answer is not what was sent");
    uint64_t start = link->began[link->answered++ % FLIGHT_MAX];
    if (start >= load->from && start < load->until) {
      load->operations++;
      load->last = now;
      histogram_add(&load->latency, now - start);
    }
  }
  load->in_flight -= count;
  memmove(link->room, link->room + at, link->have - at);
  link->have -= at;
  return count;
}

static void link_ready(struct load *load, struct link *link) {
  for (;;) {
    ssize_t got = wslink_read(&link->ws, link->room + link->have, ROOM - link->have);
    if (got < 0) return;
    link->have += (size_t)got;
    uint64_t now = now_ns(), count = frames_take(load, link, now);
    if (!load->rate && count && now < load->until) messages_send(load, link, count, now);
    /* Without TLS a read that did not fill the room has emptied the socket. */
    if (!link->ws.tls && link->have < ROOM) return;
  }
}

/* With a rate: begins what is due; returns when to look again, in milliseconds. */
static int rate_turn(struct load *load, uint64_t start) {
  uint64_t now = now_ns();
  for (;; load->turn++) {
    uint64_t due = start + (uint64_t)((double)load->turn * 1e9 / (double)load->rate);
    if (due >= load->until) return 10;
    if (due > now) return due - now < 1000000 ? 0 : 1;
    messages_send(load, &load->links[load->turn % load->connections], 1, due);
  }
}

static void load_run(struct load *load) {
  struct epoll_event events[EVENTS];
  bool told = false;
  uint64_t start = now_ns();
  load->from = start + load->warmup_ns;
  load->until = load->from + load->duration_ns;
  for (uint64_t i = 0; i < load->connections && !load->rate; i++)
    messages_send(load, &load->links[i], load->outstanding, start);
  for (;;) {
    uint64_t now = now_ns();
    if (!told && now >= load->from) {
      told = true;
      puts("measuring");
      fflush(stdout);
    }
    if (now >= load->until && (!load->in_flight || now > load->until + GRACE_MS * 1000000ull)) return;
    int patience = load->rate ? rate_turn(load, start) : 10;
    int count = epoll_wait(load->epoll, events, EVENTS, patience);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) link_ready(load, events[i].data.ptr);
  }
}

static void report(const struct load *load) {
  const struct histogram *latency = &load->latency;
  double seconds = (double)load->duration_ns / 1e9;
  printf("{\"operations\": %llu, \"seconds\": %.6f, \"operations_per_second\": %.3f, \"unfinished\": %llu, "
         "\"latency_us\": {\"count\": %llu, \"mean\": %.3f, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, "
         "\"p99_9\": %.3f, \"max\": %.3f}}\n",
         (unsigned long long)load->operations, seconds, (double)load->operations / seconds,
         (unsigned long long)load->in_flight, (unsigned long long)latency->count, histogram_mean(latency) / 1e3,
         (double)histogram_percentile(latency, 50) / 1e3, (double)histogram_percentile(latency, 90) / 1e3,
         (double)histogram_percentile(latency, 99) / 1e3, (double)histogram_percentile(latency, 99.9) / 1e3,
         (double)latency->max / 1e3);
}

static bool options_read(struct load *load, int argc, char **argv) {
  static const struct option options[] = {
      {"port", required_argument, NULL, 'p'},
      {"tls", no_argument, NULL, 't'},
      {"size", required_argument, NULL, 's'},
      {"connections", required_argument, NULL, 'c'},
      {"rate", required_argument, NULL, 'r'},
      {"outstanding", required_argument, NULL, 'o'},
      {"warmup", required_argument, NULL, 'w'},
      {"duration", required_argument, NULL, 'd'},
      {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
    switch (option) {
      case 'p': load->server.port = (uint16_t)number; break;
      case 't': load->server.tls = true; break;
      case 's': load->size = number; break;
      case 'c': load->connections = number; break;
      case 'r': load->rate = number; break;
      case 'o': load->outstanding = number; break;
      case 'w': load->warmup_ns = number * 1000000; break;
      case 'd': load->duration_ns = number * 1000000; break;
      default: return false;
    }
  }
  return load->server.port && load->connections && load->size && load->size <= SIZE_MAX_MESSAGE && load->outstanding &&
         load->outstanding <= FLIGHT_MAX && load->duration_ns;
}

int main(int argc, char **argv) {
  static struct load load = {.connections = 1, .outstanding = 1, .size = 100, .duration_ns = UINT64_C(1000000000)};
  if (!options_read(&load, argc, argv)) {
    fprintf(stderr, "usage: wsload --port N [--tls] [--connections N] [--outstanding N] [--size N] [--rate N] "
                    "[--warmup MS] [--duration MS]\n");
    return 2;
  }
  descriptors_allow();
  frames_make(&load);
  load.links = calloc(load.connections, sizeof *load.links);
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!load.links || load.epoll < 0) die("set-up");
  wsserver_init(&load.server);
  for (uint64_t i = 0; i < load.connections; i++) link_open(&load, &load.links[i]);
  load_run(&load);
  report(&load);
  return load.operations ? 0 : 1;
}
