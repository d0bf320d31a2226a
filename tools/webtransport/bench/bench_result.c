/* SPDX-License-Identifier: MIT */
/*
 * The results of a worker: faults are counted while it runs, and the results of all workers are added up at the end.
 */
#include "bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void result_fault(struct bench_result *result, enum bench_fault fault, const char *format, ...) {
  char *text = result->messages[fault];
  va_list args;
  if (result->faults[fault]++) return;
  va_start(args, format);
  vsnprintf(text, BENCH_MESSAGE_SIZE, format, args);
  va_end(args);
  for (; *text; text++) /* the server may have written some of it, and it goes to a terminal */
    if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
}

void result_merge(struct bench_result *total, const struct bench_result *part) {
  total->operations += part->operations;
  total->bytes_sent += part->bytes_sent;
  total->bytes_received += part->bytes_received;
  total->unfinished += part->unfinished;
  total->datagrams_lost += part->datagrams_lost;
  total->datagrams_late += part->datagrams_late;
  total->sessions_opened += part->sessions_opened;
  total->sessions_resumed += part->sessions_resumed;
  total->sessions_open_at_end += part->sessions_open_at_end;
  total->packets_sent += part->packets_sent;
  total->packets_received += part->packets_received;
  total->connections += part->connections;
  if (part->last_ns > total->last_ns) total->last_ns = part->last_ns;
  if (!total->dial_error) total->dial_error = part->dial_error;
  for (int i = 0; i < FAULT_COUNT; i++) {
    if (!total->faults[i]) memcpy(total->messages[i], part->messages[i], BENCH_MESSAGE_SIZE);
    total->faults[i] += part->faults[i];
  }
  histogram_merge(&total->latency, &part->latency);
  histogram_merge(&total->setup, &part->setup);
  total->ticks.sent += part->ticks.sent;
  total->ticks.received += part->ticks.received;
  total->ticks.moves_lost += part->ticks.moves_lost;
  total->ticks.lost += part->ticks.lost;
  total->fan_out.published += part->fan_out.published;
  total->fan_out.lost += part->fan_out.lost;
  total->fan_out.overtaken += part->fan_out.overtaken;
  total->fan_out.again += part->fan_out.again;
  tick_distances_merge(&total->ticks.distances, &part->ticks.distances);
}
