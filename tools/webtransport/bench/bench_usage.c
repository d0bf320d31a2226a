/* SPDX-License-Identifier: MIT */
/*
 * Processor time and memory of this process, and of the server that --watch names, as the kernel counts them.
 */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool status_read(uint64_t pid, struct bench_usage *usage) {
  char path[64], line[256];
  unsigned long long value;
  snprintf(path, sizeof path, "/proc/%" PRIu64 "/status", pid);
  FILE *file = fopen(path, "re");
  if (!file) return false;
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "VmRSS: %llu", &value) == 1) usage->resident = value * 1024;
    if (sscanf(line, "VmHWM: %llu", &value) == 1) usage->highest = value * 1024;
  }
  fclose(file);
  return true;
}

static bool stat_read(uint64_t pid, struct bench_usage *usage) {
  char path[64], line[1024];
  unsigned long long user, system;
  snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
  FILE *file = fopen(path, "re");
  if (!file) return false;
  char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL; /* the name may have spaces */
  fclose(file);
  if (!end || sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user, &system) != 2)
    return false;
  double ticks = (double)sysconf(_SC_CLK_TCK);
  usage->user = (double)user / ticks;
  usage->system = (double)system / ticks;
  return true;
}

bool usage_read(uint64_t pid, struct bench_usage *usage) {
  struct rusage own;
  *usage = (struct bench_usage){0};
  if (pid) return stat_read(pid, usage) && status_read(pid, usage);
  getrusage(RUSAGE_SELF, &own);
  usage->user = (double)own.ru_utime.tv_sec + (double)own.ru_utime.tv_usec / 1e6;
  usage->system = (double)own.ru_stime.tv_sec + (double)own.ru_stime.tv_usec / 1e6;
  return true;
}
