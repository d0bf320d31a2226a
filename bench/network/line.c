/* SPDX-License-Identifier: MIT */

/* See line.h. A queue is a ring of the times at which packets begin to be sent: those whose time has come do not wait. */

#include "line.h"

#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define MILLION 1000000
#define FIRST_ROOM 1024

bool line_init(struct line *line, const struct line_config *config, uint64_t seed) {
  memset(line, 0, sizeof(*line));
  line->config = *config;
  line->random = seed;
  line->room = FIRST_ROOM;
  line->waiting = malloc(line->room * sizeof(*line->waiting));
  return line->waiting != NULL;
}

void line_free(struct line *line) { free(line->waiting); }

/* splitmix64 */
static uint64_t line_random(struct line *line) {
  uint64_t z = line->random += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* One packet in a million times `chance`. A number is drawn for each packet, so that conditions share their seeds' lots. */
static bool line_draw(struct line *line, uint32_t chance) { return line_random(line) % MILLION < chance; }

static uint64_t line_rate(const struct line *line, uint64_t now) {
  const struct line_config *config = &line->config;
  uint64_t rate = config->steps[0].rate;
  for (size_t i = 1; i < config->step_count && config->steps[i].at <= now; i++) rate = config->steps[i].rate;
  return rate;
}

/* When a packet has been sent whose turn comes at `begin`; a change of the rate counts from the next bit on. */
static uint64_t line_sent(const struct line *line, uint32_t size, uint64_t begin) {
  const struct line_config *config = &line->config;
  uint64_t bits = (uint64_t)size * 8, at = begin;
  for (size_t i = 1; i < config->step_count; i++) {
    uint64_t change = config->steps[i].at, fit;
    if (change <= at) continue;
    if (change - at > SECOND) break; /* no packet lasts as long */
    fit = (change - at) * line_rate(line, at) / SECOND;
    if (fit >= bits) break;
    bits -= fit;
    at = change;
  }
  return at + bits * SECOND / line_rate(line, at);
}

static void line_advance(struct line *line, uint64_t now) {
  while (line->count && line->waiting[line->first].begin <= now) {
    line->queued -= line->waiting[line->first].size;
    line->first = (line->first + 1) % line->room;
    line->count--;
  }
}

static bool line_grow(struct line *line) {
  struct line_waiting *larger = malloc(2 * line->room * sizeof(*larger));
  if (!larger) return false;
  for (size_t i = 0; i < line->count; i++) larger[i] = line->waiting[(line->first + i) % line->room];
  free(line->waiting);
  line->waiting = larger;
  line->first = 0;
  line->room *= 2;
  return true;
}

static bool line_wait(struct line *line, uint32_t size, uint64_t begin) {
  if (line->count == line->room && !line_grow(line)) return false;
  line->waiting[(line->first + line->count++) % line->room] = (struct line_waiting){begin, size};
  line->queued += size;
  if (line->queued > line->counts.queue_highest) line->counts.queue_highest = line->queued;
  return true;
}

bool line_take(struct line *line, uint32_t size, uint64_t now, uint64_t *due) {
  struct line_counts *counts = &line->counts;
  bool lost = line_draw(line, line->config.loss), late = line_draw(line, line->config.reorder);
  uint64_t begin = now > line->free_at ? now : line->free_at;
  line_advance(line, now);
  if (lost) {
    counts->lost++;
    return false;
  }
  if ((line->queued && line->queued + size > line->config.queue_max) ||
      (begin > now && !line_wait(line, size, begin))) {
    counts->full++;
    return false;
  }
  line->free_at = line_sent(line, size, begin);
  *due = line->free_at + line->config.delay + (late ? line->config.reorder_by : 0);
  counts->carried++;
  counts->bytes += size;
  counts->reordered += late;
  return true;
}
