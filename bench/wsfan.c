/* SPDX-License-Identifier: MIT */
/*
 * Subscribers of WebSocket servers: what `webtransport bench --workload fan-out` is for WebTransport. All connections
 * subscribe to one topic, and messages are published to it at fixed times; latencies count from those. The messages are
 * those of that workload (bench/fan_message.h), and the results have the same names in JSON as there.
 *
 *   wsfan --port N [--tls] [--centrifugo] --subscribers N --rate N [--size N] [--warmup MS] [--duration MS]
 *
 * Without --centrifugo, a connection is a subscriber by being there, and what the first one sends goes to all others. With
 * it, each one asks for a subscription in Centrifugo's protocol with protobuf, and messages are published with a request of
 * its HTTP API on a connection that is none of the subscribers.
 *
 * A message is found in a frame by the number of the run, with which it begins: what a server's protocol puts around it
 * need not be known. Prints "measuring" when the measured time begins, as wsload does.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "bench/arrivals.h"
#include "bench/fan_message.h"
#include "bench/histogram.h"
#include "wslink.h"

enum {
  SIZE_MAX_MESSAGE = 1024,
  ROOM = 8192,
  EVENTS = 256,
  GRACE_MS = 1000, /* for what is under way at the end */
  REPLIES = 2,     /* of Centrifugo, to the connection and the subscription */
  OPCODE = 0x0f,
  OPCODE_CLOSE = 8,
};

struct link {
  struct tls_socket ws;
  bool subscribes; /* else what comes is read and forgotten */
  unsigned replies;
  struct arrivals arrivals;
  size_t have; /* bytes in `room`, from the beginning of a frame */
  uint8_t room[ROOM];
};

struct fan {
  struct wsserver server;
  bool centrifugo;
  uint64_t subscribers, rate, size, warmup_ns, duration_ns;
  struct link *links; /* the subscribers, and behind them who publishes with Centrifugo */
  int epoll;
  uint8_t run[4]; /* begins each message */
  uint64_t from, until, turn, published, operations, overtaken, again;
  struct histogram latency;
};

/* --- Frames and requests that we send. --- */

/* Sends `len` bytes as a binary message, masked. */
static void frame_send(struct link *link, const uint8_t *data, size_t len) {
  static const uint8_t mask[4] = {0x3a, 0xc5, 0x5c, 0xa3};
  uint8_t frame[8 + SIZE_MAX_MESSAGE];
  size_t head = len < 126 ? 2 : 4;
  frame[0] = 0x82; /* final, binary */
  frame[1] = (uint8_t)(0x80 | (head == 2 ? len : 126));
  if (head == 4) frame[2] = (uint8_t)(len >> 8), frame[3] = (uint8_t)len;
  memcpy(frame + head, mask, sizeof mask);
  for (size_t i = 0; i < len; i++) frame[head + 4 + i] = data[i] ^ mask[i % 4];
  tls_socket_write(&link->ws, frame, head + 4 + len);
}

static void base64_write(char *text, const uint8_t *data, size_t len) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < len; i += 3) {
    uint32_t bits = (uint32_t)data[i] << 16;
    if (i + 1 < len) bits |= (uint32_t)data[i + 1] << 8;
    if (i + 2 < len) bits |= data[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) *text++ = digits[bits >> shift & 63];
    if (i + 1 >= len) text[-2] = '=';
    if (i + 2 >= len) text[-1] = '=';
  }
  *text = 0;
}

static void api_publish(struct link *link, const uint8_t *data, size_t len) {
  char text[4 * SIZE_MAX_MESSAGE / 3 + 8], request[sizeof text + 512];
  base64_write(text, data, len);
  int body = snprintf(NULL, 0, "{\"channel\":\"bench\",\"b64data\":\"%s\"}", text);
  int all = snprintf(request, sizeof request,
                     "POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n{\"channel\":\"bench\",\"b64data\":\"%s\"}",
                     body, text);
  tls_socket_write(&link->ws, (const uint8_t *)request, (size_t)all);
}

/* Two commands of Centrifugo's protocol: connect (4) with the id (1) 1, subscribe (5) to the channel (1) "bench" with 2. Each
 * has its length in front. */
static void centrifugo_subscribe(struct link *link) {
  static const uint8_t commands[] = {4, 0x08, 1, 0x22, 0, 11, 0x08, 2, 0x2a, 7, 0x0a, 5, 'b', 'e', 'n', 'c', 'h'};
  frame_send(link, commands, sizeof commands);
}

static void message_publish(struct fan *fan, uint64_t due) {
  uint8_t data[SIZE_MAX_MESSAGE];
  struct fan_message message = {.number = fan->turn, .due = due};
  for (size_t i = FAN_MESSAGE_HEAD; i < fan->size; i++) data[i] = (uint8_t)(i * 31);
  fan_message_write(data, &message);
  memcpy(data, fan->run, sizeof fan->run);
  fan->published += due >= fan->from && due < fan->until;
  if (fan->centrifugo)
    api_publish(&fan->links[fan->subscribers], data, (size_t)fan->size);
  else
    frame_send(&fan->links[0], data, (size_t)fan->size);
}

/* --- What comes. --- */

static void message_came(struct fan *fan, struct link *link, const uint8_t *data, uint64_t now) {
  struct fan_message message;
  fan_message_read(data, &message);
  for (size_t i = FAN_MESSAGE_HEAD; i < fan->size; i++)
    if (data[i] != (uint8_t)(i * 31)) complain("a message is not what was published");
  if (message.due > now) complain("a message comes from the future");
  bool counted = message.due >= fan->from && message.due < fan->until;
  switch (arrivals_add(&link->arrivals, message.number)) {
    case ARRIVAL_NEW: break;
    case ARRIVAL_OVERTAKEN: fan->overtaken += counted; break;
    case ARRIVAL_AGAIN: fan->again += counted; return;
  }
  if (!counted) return;
  fan->operations++;
  histogram_add(&fan->latency, now - message.due);
}

/* The payload of a frame: replies to what we asked at first, later messages. */
static void payload_came(struct fan *fan, struct link *link, const uint8_t *data, size_t len, uint64_t now) {
  const uint8_t *end = data + len, *at = data;
  if (fan->centrifugo && link->replies < REPLIES) {
    for (; at < end; at += 1 + *at, link->replies++)
      if (at[0] > 127 || at + 4 > end || at[3] == 0x12) complain("a subscription was refused");
    return;
  }
  while ((at = memmem(at, (size_t)(end - at), fan->run, sizeof fan->run)) && (size_t)(end - at) >= fan->size) {
    message_came(fan, link, at, now);
    at += fan->size;
  }
}

/* Returns the length of the frame at the beginning of the room, with its head, or 0: it is not whole. */
static size_t frame_len(const struct link *link, size_t at, size_t *head) {
  const uint8_t *frame = link->room + at;
  size_t have = link->have - at;
  if (have < 2 || (frame[1] == 126 && have < 4)) return 0;
  if (frame[1] > 126) complain("a frame is too long, or masked");
  *head = frame[1] == 126 ? 4 : 2;
  size_t len = *head + (*head == 4 ? (size_t)frame[2] << 8 | frame[3] : frame[1]);
  if (len > ROOM) complain("a frame is too long");
  return have < len ? 0 : len;
}

static void frames_take(struct fan *fan, struct link *link) {
  size_t at = 0, head, len;
  uint64_t now = now_ns();
  for (; (len = frame_len(link, at, &head)); at += len) {
    if ((link->room[at] & OPCODE) == OPCODE_CLOSE) complain("the server closed a WebSocket");
    payload_came(fan, link, link->room + at + head, len - head, now);
  }
  memmove(link->room, link->room + at, link->have - at);
  link->have -= at;
}

/* Returns false when nothing more is there now. */
static bool link_take(struct fan *fan, struct link *link) {
  ssize_t got = wslink_read(&link->ws, link->room + link->have, ROOM - link->have);
  if (got < 0) return false;
  if (!link->subscribes) return true; /* answers of the API; a failure shows as messages that are lost */
  link->have += (size_t)got;
  frames_take(fan, link);
  return link->ws.tls || got == ROOM;
}

/* --- The run. --- */

static void link_watch(struct fan *fan, struct link *link) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
  wslink_set_nonblocking(&link->ws);
  if (epoll_ctl(fan->epoll, EPOLL_CTL_ADD, link->ws.fd, &event)) die("epoll_ctl");
}

static void subscriber_open(struct fan *fan, struct link *link) {
  link->subscribes = true;
  wslink_connect(&link->ws, &fan->server);
  wslink_upgrade(&link->ws, fan->centrifugo ? "/connection/websocket?cf_protocol=protobuf" : "/topic");
  if (fan->centrifugo) centrifugo_subscribe(link);
  while (fan->centrifugo && link->replies < REPLIES) link_take(fan, link);
  link_watch(fan, link);
}

static void links_open(struct fan *fan) {
  for (uint64_t i = 0; i < fan->subscribers; i++) subscriber_open(fan, &fan->links[i]);
  if (!fan->centrifugo) return;
  wslink_connect(&fan->links[fan->subscribers].ws, &fan->server);
  link_watch(fan, &fan->links[fan->subscribers]);
}

/* Publishes what is due; returns when to look again, in milliseconds. */
static int rate_turn(struct fan *fan, uint64_t start) {
  uint64_t now = now_ns();
  for (;; fan->turn++) {
    uint64_t due = start + (uint64_t)((double)fan->turn * 1e9 / (double)fan->rate);
    if (due >= fan->until) return 10;
    if (due > now) return due - now < 1000000 ? 0 : 1;
    message_publish(fan, due);
  }
}

static uint64_t deliveries_expected(const struct fan *fan) {
  return fan->published * (fan->centrifugo ? fan->subscribers : fan->subscribers - 1);
}

static void fan_run(struct fan *fan) {
  struct epoll_event events[EVENTS];
  bool told = false;
  uint64_t start = now_ns();
  fan->from = start + fan->warmup_ns;
  fan->until = fan->from + fan->duration_ns;
  for (;;) {
    uint64_t now = now_ns();
    if (!told && now >= fan->from) {
      told = true;
      puts("measuring");
      fflush(stdout);
    }
    bool all = fan->operations == deliveries_expected(fan);
    if (now >= fan->until && (all || now > fan->until + GRACE_MS * 1000000ull)) return;
    int count = epoll_wait(fan->epoll, events, EVENTS, rate_turn(fan, start));
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      while (link_take(fan, events[i].data.ptr)) continue;
    }
  }
}

static void report(const struct fan *fan) {
  const struct histogram *latency = &fan->latency;
  double seconds = (double)fan->duration_ns / 1e9;
  printf(
      "{\"operations\": %llu, \"seconds\": %.6f, \"operations_per_second\": %.3f, \"fan_out\": {\"published\": %llu, "
      "\"delivered\": %llu, \"lost\": %llu, \"out_of_order\": %llu, \"duplicates\": %llu}, ",
      (unsigned long long)fan->operations, seconds, (double)fan->operations / seconds,
      (unsigned long long)fan->published, (unsigned long long)fan->operations,
      (unsigned long long)(deliveries_expected(fan) - fan->operations), (unsigned long long)fan->overtaken,
      (unsigned long long)fan->again);
  printf(
      "\"latency_us\": {\"count\": %llu, \"mean\": %.3f, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p99_9\": %.3f, "
      "\"max\": %.3f}}\n",
      (unsigned long long)latency->count, histogram_mean(latency) / 1e3,
      (double)histogram_percentile(latency, 50) / 1e3, (double)histogram_percentile(latency, 90) / 1e3,
      (double)histogram_percentile(latency, 99) / 1e3, (double)histogram_percentile(latency, 99.9) / 1e3,
      (double)latency->max / 1e3);
}

static bool options_read(struct fan *fan, int argc, char **argv) {
  static const struct option options[] = {
      {"port", required_argument, NULL, 'p'},
      {"tls", no_argument, NULL, 't'},
      {"centrifugo", no_argument, NULL, 'c'},
      {"subscribers", required_argument, NULL, 'n'},
      {"rate", required_argument, NULL, 'r'},
      {"size", required_argument, NULL, 's'},
      {"warmup", required_argument, NULL, 'w'},
      {"duration", required_argument, NULL, 'd'},
      {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
    switch (option) {
      case 'p': fan->server.port = (uint16_t)number; break;
      case 't': fan->server.tls = true; break;
      case 'c': fan->centrifugo = true; break;
      case 'n': fan->subscribers = number; break;
      case 'r': fan->rate = number; break;
      case 's': fan->size = number; break;
      case 'w': fan->warmup_ns = number * 1000000; break;
      case 'd': fan->duration_ns = number * 1000000; break;
      default: return false;
    }
  }
  return fan->server.port && fan->subscribers > 1 && fan->rate && fan->size >= FAN_MESSAGE_HEAD &&
         fan->size <= SIZE_MAX_MESSAGE && fan->duration_ns;
}

int main(int argc, char **argv) {
  static struct fan fan = {.size = 100, .duration_ns = UINT64_C(1000000000)};
  if (!options_read(&fan, argc, argv)) {
    fprintf(stderr, "usage: wsfan --port N [--tls] [--centrifugo] --subscribers N --rate N [--size N] [--warmup MS] "
                    "[--duration MS]\n");
    return 2;
  }
  descriptors_allow();
  wsserver_init(&fan.server);
  fan.links = calloc(fan.subscribers + 1, sizeof *fan.links);
  fan.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!fan.links || fan.epoll < 0) die("set-up");
  if (getrandom(fan.run, sizeof fan.run, 0) != (ssize_t)sizeof fan.run) die("getrandom");
  links_open(&fan);
  fan_run(&fan);
  report(&fan);
  return fan.operations && !fan.again ? 0 : 1;
}
