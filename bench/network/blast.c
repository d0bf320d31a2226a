/* SPDX-License-Identifier: MIT */

/*
 * What the link itself can do: full packets at a rate from one namespace to the other.
 *
 *     network_blast receive PORT SECONDS             prints, as JSON, what came: bits a second, delays
 *     network_blast send ADDRESS PORT RATE SECONDS
 *
 * Each packet bears the time at which it was sent; both ends have one clock. Rates count as the link counts: IP's packet, and
 * 18 bytes of Ethernet.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define PAYLOAD 1472
#define SIZE (PAYLOAD + 28 + 18)
#define SAMPLES_MAX 4000000

static uint64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

/* The first half second, in which a queue fills, is left out. */
static int receive_all(const char *port, double seconds) {
  static uint64_t delays[SAMPLES_MAX];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  struct timeval patience = {.tv_sec = 0, .tv_usec = 500000};
  int file = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;
  size_t count = 0;
  uint64_t first = 0, last = 0, now = 0, sent, until = clock_now() + (uint64_t)((seconds + 5) * 1e9);
  uint8_t data[2048];
  setsockopt(file, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (bind(file, (struct sockaddr *)&address, sizeof(address))) return 1;
  printf("ready\n");
  fflush(stdout);
  while (now < until && count < SAMPLES_MAX) {
    ssize_t got = recv(file, data, sizeof(data), 0);
    now = clock_now();
    if (got < 0 && first) break;
    if (got < PAYLOAD) continue;
    if (!first) first = now;
    if (now - first < SECOND / 2) continue;
    memcpy(&sent, data, sizeof(sent));
    delays[count++] = now - sent;
    last = now;
  }
  close(file);
  qsort(delays, count, sizeof(*delays), compare);
  double span = (double)(last - first - SECOND / 2) / 1e9;
  printf("{\"packets\": %zu, \"bits_per_second\": %.0f, \"delay_ms\": {\"min\": %.3f, \"p50\": %.3f, \"p99\": %.3f, "
         "\"max\": %.3f}}\n",
         count, count ? (double)count * SIZE * 8 / span : 0, count ? (double)delays[0] / 1e6 : 0,
         count ? (double)delays[count / 2] / 1e6 : 0, count ? (double)delays[count * 99 / 100] / 1e6 : 0,
         count ? (double)delays[count - 1] / 1e6 : 0);
  return 0;
}

static int send_all(const char *host, const char *port, double rate, double seconds) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  int file = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;
  uint8_t data[PAYLOAD] = {0};
  uint64_t begun = clock_now(), end = begun + (uint64_t)(seconds * 1e9), sent = 0, now;
  setsockopt(file, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return 2;
  while ((now = clock_now()) < end) {
    uint64_t due = (uint64_t)((double)(now - begun) / 1e9 * rate / (SIZE * 8));
    if (sent >= due) {
      struct timespec pause = {.tv_sec = 0, .tv_nsec = 200000};
      nanosleep(&pause, NULL);
      continue;
    }
    memcpy(data, &now, sizeof(now));
    (void)!sendto(file, data, sizeof(data), 0, (struct sockaddr *)&address, sizeof(address));
    sent++;
  }
  close(file);
  printf("{\"packets\": %llu}\n", (unsigned long long)sent);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "receive")) return receive_all(argv[2], atof(argv[3]));
  if (argc == 6 && !strcmp(argv[1], "send")) return send_all(argv[2], argv[3], atof(argv[4]), atof(argv[5]));
  fprintf(stderr, "usage: network_blast receive PORT SECONDS | send ADDRESS PORT RATE SECONDS\n");
  return 2;
}
