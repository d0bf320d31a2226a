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
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "wsrun.h"

enum {
  SIZE_MAX_MESSAGE = 65535,
  ROOM = 1 << 17,
  FLIGHT_MAX = 1024, /* messages of a connection under way: a power of two */
  EVENTS = 256,
  LOOK_MS = 10,
};

struct link {
  struct tls_socket ws;
  uint64_t began[FLIGHT_MAX];
  uint32_t sent, answered;
  size_t have; /* bytes in `room`, from the beginning of a frame */
  uint8_t room[ROOM];
};

struct load {
  struct wsrun run;
  uint64_t connections, outstanding;
  uint8_t *message, *frames; /* as many frames as may be in flight, one after another */
  size_t frame_len, head_len;
  struct link *links;
  int epoll;
  uint64_t in_flight;
};

static void link_open(struct load *load, struct link *link) {
  wslink_connect(&link->ws, &load->run.server);
  wslink_upgrade(&link->ws, "/");
  wslink_set_nonblocking(&link->ws);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
  if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, link->ws.fd, &event)) die("epoll_ctl");
}

/* --- Messages. --- */

/* The frame as often as a connection may have it in flight. */
static void frames_make(struct load *load) {
  size_t size = (size_t)load->run.size;
  load->message = malloc(size);
  load->frames = malloc((size + WSLINK_FRAME_HEAD) * load->outstanding);
  if (!load->message || !load->frames) die("malloc");
  for (size_t i = 0; i < size; i++) load->message[i] = (uint8_t)(i * 31 + (i >> 8));
  load->head_len = size < 126 ? 2 : 4; /* of an answer, which is not masked */
  load->frame_len = wslink_frame_write(load->frames, load->message, size);
  for (uint64_t n = 1; n < load->outstanding; n++)
    memcpy(load->frames + n * load->frame_len, load->frames, load->frame_len);
}

static void messages_send(struct load *load, struct link *link, uint64_t count, uint64_t start) {
  if (link->sent - link->answered + count > FLIGHT_MAX) complain("the server does not keep up");
  for (uint64_t i = 0; i < count; i++) link->began[link->sent++ % FLIGHT_MAX] = start;
  load->in_flight += count;
  tls_socket_write(&link->ws, load->frames, count * load->frame_len);
}

/* Takes the whole frames off; returns how many there were. */
static uint64_t frames_take(struct load *load, struct link *link, uint64_t now) {
  size_t size = (size_t)load->run.size, len = load->head_len + size, at = 0;
  uint64_t count = 0;
  for (; link->have - at >= len; at += len, count++) {
    const uint8_t *frame = link->room + at;
    bool good = (frame[0] == 0x82) && frame[1] == (load->head_len == 2 ? size : 126) &&
                !memcmp(frame + load->head_len, load->message, size) && link->answered != link->sent;
    if (!good) complain("an answer is not what was sent");
    wsrun_add(&load->run, link->began[link->answered++ % FLIGHT_MAX], now);
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
    if (!load->run.rate && count && now < load->run.until) messages_send(load, link, count, now);
    /* Without TLS a read that did not fill the room has emptied the socket. */
    if (!link->ws.tls && link->have < ROOM) return;
  }
}

/* With a rate: on one connection after the other. */
static void message_begin(void *user_data, uint64_t due) {
  struct load *load = user_data;
  messages_send(load, &load->links[load->run.turn % load->connections], 1, due);
}

static void load_run(struct load *load) {
  struct epoll_event events[EVENTS];
  wsrun_begin(&load->run);
  for (uint64_t i = 0; i < load->connections && !load->run.rate; i++)
    messages_send(load, &load->links[i], load->outstanding, load->run.start);
  while (wsrun_goes_on(&load->run, !load->in_flight)) {
    int patience = load->run.rate ? wsrun_pace(&load->run, message_begin, load) : LOOK_MS;
    int count = epoll_wait(load->epoll, events, EVENTS, patience);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) link_ready(load, events[i].data.ptr);
  }
}

static void report(const struct load *load) {
  printf("{\"unfinished\": %llu, ", (unsigned long long)load->in_flight);
  wsrun_print(&load->run);
  puts("}");
}

static bool options_read(struct load *load, int argc, char **argv) {
  static const struct option options[] = {
      WSRUN_OPTIONS,
      {"connections", required_argument, NULL, 'c'},
      {"outstanding", required_argument, NULL, 'o'},
      {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
    if (option == 'c')
      load->connections = number;
    else if (option == 'o')
      load->outstanding = number;
    else if (!wsrun_option(&load->run, option, number))
      return false;
  }
  const struct wsrun *run = &load->run;
  return run->server.port && load->connections && run->size && run->size <= SIZE_MAX_MESSAGE && load->outstanding &&
         load->outstanding <= FLIGHT_MAX && run->duration_ns;
}

int main(int argc, char **argv) {
  static struct load load = {
      .connections = 1, .outstanding = 1, .run = {.size = 100, .duration_ns = UINT64_C(1000000000)}};
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
  wsserver_init(&load.run.server);
  for (uint64_t i = 0; i < load.connections; i++) link_open(&load, &load.links[i]);
  load_run(&load);
  report(&load);
  return load.run.operations ? 0 : 1;
}
