/* SPDX-License-Identifier: MIT */

/*
 * The link between two network namespaces: moves IP packets between two TUN devices as line.h says.
 *
 *     network_link --client-fd N --server-fd N --rate 50000000 --delay-us 25000 --queue 312500 ...
 *
 * Both directions are alike. On SIGTERM it prints, as JSON, what each carried and lost, and how late packets were: a link that is
 * the limit shows there. It asks for a real-time priority, which it gets as root; it sleeps most of the time.
 *
 * When this program was kept from running, nobody knows when the packets that wait at a device came. They are taken as spread
 * evenly over the time since the last look: all at once would be more than a short queue holds.
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "line.h"

#define SECOND UINT64_C(1000000000)
#define STALL UINT64_C(1000000) /* this much later than it wanted to wake, it was kept from running */
#define PACKET_MAX 2048
#define READ_MAX 256       /* packets at once */
#define TUN_HEADER 18      /* what Ethernet adds to a packet of IP, as a line would carry it; without its preamble */
#define LATE_BUCKETS 10000 /* of 10 us */
#define LATE_GRAIN 10000
#define BIN (SECOND / 50)
#define BINS_MAX 10000

struct packet {
  uint64_t due, sequence;
  size_t len;
  uint8_t *data;
};

/* One direction: the packets on the wire are a heap by the time at which they are due. */
struct way {
  struct line line;
  int from, to;
  struct packet *wire;
  size_t count, room;
  uint64_t sequence, refused; /* the latter: the device took no more */
  uint64_t late[LATE_BUCKETS + 1], latest;
  uint32_t bins[BINS_MAX]; /* bytes that were due in each */
  size_t bin_count;
};

struct link {
  struct way ways[2];
  uint64_t begun;   /* when the first packet came; 0: none did */
  uint64_t read_at; /* the last look at the devices */
  uint64_t stalls, turns;
};

static volatile sig_atomic_t stop_wanted;

static void on_stop(int signal) {
  (void)signal;
  stop_wanted = 1;
}

static uint64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* --- The wire --- */

static bool packet_before(const struct packet *a, const struct packet *b) {
  return a->due != b->due ? a->due < b->due : a->sequence < b->sequence;
}

static void wire_push(struct way *way, const struct packet *packet) {
  size_t at = way->count++;
  if (way->count > way->room) {
    way->room = way->room ? 2 * way->room : 1024;
    way->wire = realloc(way->wire, way->room * sizeof(*way->wire));
    if (!way->wire) abort();
  }
  for (; at && packet_before(packet, &way->wire[(at - 1) / 2]); at = (at - 1) / 2)
    way->wire[at] = way->wire[(at - 1) / 2];
  way->wire[at] = *packet;
}

static struct packet wire_pop(struct way *way) {
  struct packet first = way->wire[0], last = way->wire[--way->count];
  size_t at = 0, next;
  while ((next = 2 * at + 1) < way->count) {
    if (next + 1 < way->count && packet_before(&way->wire[next + 1], &way->wire[next])) next++;
    if (packet_before(&last, &way->wire[next])) break;
    way->wire[at] = way->wire[next];
    at = next;
  }
  way->wire[at] = last;
  return first;
}

static void way_deliver(struct way *way, uint64_t now) {
  while (way->count && way->wire[0].due <= now) {
    struct packet packet = wire_pop(way);
    uint64_t late = now - packet.due, bucket = late / LATE_GRAIN;
    if (write(way->to, packet.data, packet.len) < 0) way->refused++;
    way->late[bucket < LATE_BUCKETS ? bucket : LATE_BUCKETS]++;
    if (late > way->latest) way->latest = late;
    free(packet.data);
  }
}

/* --- Arrivals --- */

static void way_take(struct way *way, const uint8_t *data, size_t len, uint64_t now) {
  struct packet packet = {.len = len, .sequence = way->sequence++};
  if (!line_take(&way->line, (uint32_t)len + TUN_HEADER, now, &packet.due)) return;
  size_t bin = (size_t)(packet.due / BIN);
  if (bin < BINS_MAX) way->bins[bin] += (uint32_t)len + TUN_HEADER;
  if (bin < BINS_MAX && bin >= way->bin_count) way->bin_count = bin + 1;
  packet.data = malloc(len);
  if (!packet.data) abort();
  memcpy(packet.data, data, len);
  wire_push(way, &packet);
}

static bool is_udp(const uint8_t *data, ssize_t len) { return len > 28 && data[0] >> 4 == 4 && data[9] == 17; }

/* Takes what waits; it came between `since` and `now`. */
static void way_receive(struct link *link, struct way *way, uint64_t since, uint64_t now) {
  static uint8_t data[READ_MAX][PACKET_MAX];
  size_t lens[READ_MAX], count = 0;
  ssize_t got;
  while (count < READ_MAX && (got = read(way->from, data[count], PACKET_MAX)) > 0) {
    if (is_udp(data[count], got))
      lens[count++] = (size_t)got; /* else the kernel's: router solicitations and the like */
  }
  if (count && !link->begun) link->begun = since = now;
  for (size_t i = 0; i < count; i++) {
    way_take(way, data[i], lens[i], since + (now - since) * (i + 1) / count - link->begun);
  }
}

/* --- Turns --- */

static uint64_t link_due(const struct link *link) {
  uint64_t due = UINT64_MAX;
  for (int i = 0; i < 2; i++) {
    if (link->ways[i].count && link->ways[i].wire[0].due < due) due = link->ways[i].wire[0].due;
  }
  return due;
}

static void link_turn(struct link *link) {
  struct pollfd files[2] = {{.fd = link->ways[0].from, .events = POLLIN}, {.fd = link->ways[1].from, .events = POLLIN}};
  uint64_t now = clock_now(), due = link_due(link), wait = SECOND / 10;
  if (due != UINT64_MAX) {
    uint64_t at = due + link->begun;
    wait = at > now ? at - now : 0;
  }
  if (wait > SECOND / 10) wait = SECOND / 10;
  struct timespec pause = {.tv_sec = 0, .tv_nsec = (long)wait};
  if (ppoll(files, 2, &pause, NULL) < 0 && errno != EINTR) abort();
  uint64_t woke = clock_now();
  bool stalled = link->read_at && woke > now + wait + STALL;
  link->stalls += stalled;
  link->turns++;
  for (int i = 0; i < 2; i++) {
    if (files[i].revents & POLLIN) way_receive(link, &link->ways[i], stalled ? link->read_at : woke, woke);
  }
  link->read_at = woke;
  for (int i = 0; i < 2; i++) {
    if (link->begun) way_deliver(&link->ways[i], clock_now() - link->begun);
  }
}

/* --- What is told --- */

static double late_at(const struct way *way, double part) {
  uint64_t total = 0, sum = 0;
  for (size_t i = 0; i <= LATE_BUCKETS; i++) total += way->late[i];
  for (size_t i = 0; i <= LATE_BUCKETS; i++) {
    sum += way->late[i];
    if ((double)sum >= part * (double)total) return (double)(i + 1) * LATE_GRAIN / 1e6;
  }
  return 0;
}

static void way_print(const char *name, const struct way *way) {
  const struct line_counts *counts = &way->line.counts;
  printf("\"%s\": {\"carried\": %llu, \"bytes\": %llu, \"lost\": %llu, \"full\": %llu, \"reordered\": %llu, "
         "\"queue_highest\": %llu, \"refused\": %llu, \"late_ms\": {\"p50\": %.2f, \"p99\": %.2f, \"max\": %.2f}, "
         "\"bin_ms\": %d, \"bins\": [",
         name, (unsigned long long)counts->carried, (unsigned long long)counts->bytes, (unsigned long long)counts->lost,
         (unsigned long long)counts->full, (unsigned long long)counts->reordered,
         (unsigned long long)counts->queue_highest, (unsigned long long)way->refused, late_at(way, 0.5),
         late_at(way, 0.99), (double)way->latest / 1e6, (int)(BIN / 1000000));
  for (size_t i = 0; i < way->bin_count; i++) printf("%s%u", i ? "," : "", way->bins[i]);
  printf("]}");
}

static void link_print(const struct link *link) {
  printf("{");
  way_print("up", &link->ways[0]);
  printf(", ");
  way_print("down", &link->ways[1]);
  printf(", \"turns\": %llu, \"stalls\": %llu}\n", (unsigned long long)link->turns, (unsigned long long)link->stalls);
}

/* --- Options --- */

static uint64_t number(const char *text) {
  char *end;
  errno = 0;
  uint64_t value = strtoull(text, &end, 10);
  if (errno || end == text || (*end && *end != ':' && *end != ',')) {
    fprintf(stderr, "network_link: '%s' is not a number\n", text);
    exit(2);
  }
  return value;
}

/* "5000:5000000,10000:50000000": from a time in milliseconds on, a rate. */
static void read_steps(struct line_config *config, const char *text) {
  for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    const char *rate = strchr(at, ':');
    if (!rate || config->step_count == LINE_STEPS_MAX) {
      fprintf(stderr, "network_link: --steps '%s' cannot be read\n", text);
      exit(2);
    }
    config->steps[config->step_count++] = (struct line_step){number(at) * 1000000, number(rate + 1)};
  }
}

struct options {
  struct line_config line;
  uint64_t seed;
  int client, server;
};

static void read_options(struct options *options, int argc, char **argv) {
  static const struct option known[] = {{"client-fd", 1, NULL, 'c'},
                                        {"server-fd", 1, NULL, 's'},
                                        {"rate", 1, NULL, 'r'},
                                        {"delay-us", 1, NULL, 'd'},
                                        {"queue", 1, NULL, 'q'},
                                        {"loss-ppm", 1, NULL, 'l'},
                                        {"reorder-ppm", 1, NULL, 'o'},
                                        {"reorder-us", 1, NULL, 'u'},
                                        {"seed", 1, NULL, 'e'},
                                        {"steps", 1, NULL, 't'},
                                        {NULL, 0, NULL, 0}};
  struct line_config *line = &options->line;
  int letter;
  line->step_count = 1;
  while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
    switch (letter) {
      case 'c': options->client = (int)number(optarg); break;
      case 's': options->server = (int)number(optarg); break;
      case 'r': line->steps[0].rate = number(optarg); break;
      case 'd': line->delay = number(optarg) * 1000; break;
      case 'q': line->queue_max = number(optarg); break;
      case 'l': line->loss = (uint32_t)number(optarg); break;
      case 'o': line->reorder = (uint32_t)number(optarg); break;
      case 'u': line->reorder_by = number(optarg) * 1000; break;
      case 'e': options->seed = number(optarg); break;
      case 't': read_steps(line, optarg); break;
      default: exit(2);
    }
  }
}

int main(int argc, char **argv) {
  static struct link link;
  struct options options = {.client = -1, .server = -1};
  struct sched_param priority = {.sched_priority = 1};
  struct sigaction action = {.sa_handler = on_stop};
  read_options(&options, argc, argv);
  for (size_t i = 0; i < options.line.step_count; i++) {
    if (options.line.steps[i].rate == 0) {
      fprintf(stderr, "network_link: a rate is missing\n");
      return 2;
    }
  }
  link.ways[0].from = link.ways[1].to = options.client;
  link.ways[1].from = link.ways[0].to = options.server;
  for (uint64_t i = 0; i < 2; i++) {
    if (!line_init(&link.ways[i].line, &options.line, 2 * options.seed + i)) return 1;
  }
  sigaction(SIGTERM, &action, NULL);
  prctl(PR_SET_TIMERSLACK, 1);
  (void)sched_setscheduler(0, SCHED_FIFO, &priority);
  while (!stop_wanted) link_turn(&link);
  link_print(&link);
  for (int i = 0; i < 2; i++) {
    while (link.ways[i].count) free(wire_pop(&link.ways[i]).data);
    free(link.ways[i].wire);
    line_free(&link.ways[i].line);
  }
  return 0;
}
