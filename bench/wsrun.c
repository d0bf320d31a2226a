/* SPDX-License-Identifier: MIT */
/*
 * What the load generators for WebSocket servers share: messages begin at fixed times, and latencies count from those; what
 * began within the measured time counts. The report has the names that `webtransport bench` gives it in JSON.
 */
#include "wsrun.h"

#include <stdio.h>

enum {
  NS_PER_MS = 1000000,
  LOOK_MS = 10,    /* how long to wait where nothing is due */
  GRACE_MS = 1000, /* for what is under way at the end */
};

bool wsrun_option(struct wsrun *run, int option, uint64_t number) {
  switch (option) {
    case 'p': run->server.port = (uint16_t)number; return true;
    case 't': run->server.tls = true; return true;
    case 'r': run->rate = number; return true;
    case 's': run->size = number; return true;
    case 'w': run->warmup_ns = number * NS_PER_MS; return true;
    case 'd': run->duration_ns = number * NS_PER_MS; return true;
    default: return false;
  }
}

void wsrun_begin(struct wsrun *run) {
  run->start = now_ns();
  run->from = run->start + run->warmup_ns;
  run->until = run->from + run->duration_ns;
}

bool wsrun_goes_on(struct wsrun *run, bool all) {
  uint64_t now = now_ns();
  if (!run->told && now >= run->from) {
    run->told = true;
    puts("measuring");
    fflush(stdout);
  }
  return now < run->until || (!all && now <= run->until + (uint64_t)GRACE_MS * NS_PER_MS);
}

int wsrun_pace(struct wsrun *run, void (*begin)(void *user_data, uint64_t due), void *user_data) {
  uint64_t now = now_ns();
  for (;; run->turn++) {
    uint64_t due = run->start + (uint64_t)((double)run->turn * 1e9 / (double)run->rate);
    if (due >= run->until) return LOOK_MS;
    if (due > now) return due - now < NS_PER_MS ? 0 : 1;
    begin(user_data, due);
  }
}

bool wsrun_counts(const struct wsrun *run, uint64_t began) { return began >= run->from && began < run->until; }

void wsrun_add(struct wsrun *run, uint64_t began, uint64_t now) {
  if (!wsrun_counts(run, began)) return;
  run->operations++;
  histogram_add(&run->latency, now - began);
}

static double percentile_us(const struct wsrun *run, double percent) {
  return (double)histogram_percentile(&run->latency, percent) / 1e3;
}

void wsrun_print(const struct wsrun *run) {
  double seconds = (double)run->duration_ns / 1e9;
  printf("\"operations\": %llu, \"seconds\": %.6f, \"operations_per_second\": %.3f, ",
         (unsigned long long)run->operations, seconds, (double)run->operations / seconds);
  printf("\"latency_us\": {\"count\": %llu, \"mean\": %.3f, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, "
         "\"p99_9\": %.3f, \"max\": %.3f}",
         (unsigned long long)run->latency.count, histogram_mean(&run->latency) / 1e3, percentile_us(run, 50),
         percentile_us(run, 90), percentile_us(run, 99), percentile_us(run, 99.9), (double)run->latency.max / 1e3);
}
