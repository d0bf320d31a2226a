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
 * A message is found in a frame by the mark of the run, with which it begins: what a server's protocol puts around it
 * need not be known. Prints "measuring" when the measured time begins, as wsload does.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "bench/arrivals.h"
#include "bench/fan_message.h"
#include "wsrun.h"

enum {
  SIZE_MAX_MESSAGE = 1024,
  ROOM = 8192,
  EVENTS = 256,
  REPLIES = 2, /* of Centrifugo, to the connection and the subscription */
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
  struct wsrun run;
  bool centrifugo;
  uint64_t subscribers;
  struct link *links; /* the subscribers, and behind them who publishes with Centrifugo */
  int epoll;
  uint8_t mark[4]; /* begins each message */
  uint64_t published, overtaken, again;
};

/* --- Frames and requests that we send. --- */

static void frame_send(struct link *link, const uint8_t *data, size_t len) {
  uint8_t frame[WSLINK_FRAME_HEAD + SIZE_MAX_MESSAGE];
  tls_socket_write(&link->ws, frame, wslink_frame_write(frame, data, len));
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

static void message_publish(void *user_data, uint64_t due) {
  struct fan *fan = user_data;
  uint8_t data[SIZE_MAX_MESSAGE];
  struct fan_message message = {.number = fan->run.turn, .due = due};
  for (size_t i = FAN_MESSAGE_HEAD; i < fan->run.size; i++) data[i] = (uint8_t)(i * 31);
  fan_message_write(data, &message);
  memcpy(data, fan->mark, sizeof fan->mark);
  fan->published += wsrun_counts(&fan->run, due);
  if (fan->centrifugo)
    api_publish(&fan->links[fan->subscribers], data, (size_t)fan->run.size);
  else
    frame_send(&fan->links[0], data, (size_t)fan->run.size);
}

/* --- What comes. --- */

static void message_came(struct fan *fan, struct link *link, const uint8_t *data, uint64_t now) {
  struct fan_message message;
  fan_message_read(data, &message);
  for (size_t i = FAN_MESSAGE_HEAD; i < fan->run.size; i++)
    if (data[i] != (uint8_t)(i * 31)) complain("a message is not what was published");
  if (message.due > now) complain("a message comes from the future");
  bool counted = wsrun_counts(&fan->run, message.due);
  switch (arrivals_add(&link->arrivals, message.number)) {
    case ARRIVAL_NEW: break;
    case ARRIVAL_OVERTAKEN: fan->overtaken += counted; break;
    case ARRIVAL_AGAIN: fan->again += counted; return;
  }
  wsrun_add(&fan->run, message.due, now);
}

/* The payload of a frame: replies to what we asked at first, later messages. */
static void payload_came(struct fan *fan, struct link *link, const uint8_t *data, size_t len, uint64_t now) {
  const uint8_t *end = data + len, *at = data;
  if (fan->centrifugo && link->replies < REPLIES) {
    for (; at < end; at += 1 + *at, link->replies++)
      if (at[0] > 127 || at + 4 > end || at[3] == 0x12) complain("a subscription was refused");
    return;
  }
  while ((at = memmem(at, (size_t)(end - at), fan->mark, sizeof fan->mark)) && (size_t)(end - at) >= fan->run.size) {
    message_came(fan, link, at, now);
    at += fan->run.size;
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
  wslink_connect(&link->ws, &fan->run.server);
  wslink_upgrade(&link->ws, fan->centrifugo ? "/connection/websocket?cf_protocol=protobuf" : "/topic");
  if (fan->centrifugo) centrifugo_subscribe(link);
  while (fan->centrifugo && link->replies < REPLIES) link_take(fan, link);
  link_watch(fan, link);
}

static void links_open(struct fan *fan) {
  for (uint64_t i = 0; i < fan->subscribers; i++) subscriber_open(fan, &fan->links[i]);
  if (!fan->centrifugo) return;
  wslink_connect(&fan->links[fan->subscribers].ws, &fan->run.server);
  link_watch(fan, &fan->links[fan->subscribers]);
}

static uint64_t deliveries_expected(const struct fan *fan) {
  return fan->published * (fan->centrifugo ? fan->subscribers : fan->subscribers - 1);
}

static void fan_run(struct fan *fan) {
  struct epoll_event events[EVENTS];
  wsrun_begin(&fan->run);
  while (wsrun_goes_on(&fan->run, fan->run.operations == deliveries_expected(fan))) {
    int count = epoll_wait(fan->epoll, events, EVENTS, wsrun_pace(&fan->run, message_publish, fan));
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      while (link_take(fan, events[i].data.ptr)) continue;
    }
  }
}

static void report(const struct fan *fan) {
  unsigned long long delivered = fan->run.operations;
  printf("{\"fan_out\": {\"published\": %llu, \"delivered\": %llu, \"lost\": %llu, \"out_of_order\": %llu, "
         "\"duplicates\": %llu}, ",
         (unsigned long long)fan->published, delivered, (unsigned long long)deliveries_expected(fan) - delivered,
         (unsigned long long)fan->overtaken, (unsigned long long)fan->again);
  wsrun_print(&fan->run);
  puts("}");
}

static bool options_read(struct fan *fan, int argc, char **argv) {
  static const struct option options[] = {
      WSRUN_OPTIONS,
      {"centrifugo", no_argument, NULL, 'c'},
      {"subscribers", required_argument, NULL, 'n'},
      {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
    if (option == 'c')
      fan->centrifugo = true;
    else if (option == 'n')
      fan->subscribers = number;
    else if (!wsrun_option(&fan->run, option, number))
      return false;
  }
  const struct wsrun *run = &fan->run;
  return run->server.port && fan->subscribers > 1 && run->rate && run->size >= FAN_MESSAGE_HEAD &&
         run->size <= SIZE_MAX_MESSAGE && run->duration_ns;
}

int main(int argc, char **argv) {
  static struct fan fan = {.run = {.size = 100, .duration_ns = UINT64_C(1000000000)}};
  if (!options_read(&fan, argc, argv)) {
    fprintf(stderr, "usage: wsfan --port N [--tls] [--centrifugo] --subscribers N --rate N [--size N] [--warmup MS] "
                    "[--duration MS]\n");
    return 2;
  }
  descriptors_allow();
  wsserver_init(&fan.run.server);
  fan.links = calloc(fan.subscribers + 1, sizeof *fan.links);
  fan.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!fan.links || fan.epoll < 0) die("set-up");
  if (getrandom(fan.mark, sizeof fan.mark, 0) != (ssize_t)sizeof fan.mark) die("getrandom");
  links_open(&fan);
  fan_run(&fan);
  report(&fan);
  return fan.run.operations && !fan.again ? 0 : 1;
}
