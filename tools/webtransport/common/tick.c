/* SPDX-License-Identifier: MIT */
/*
 * The datagrams of a game in small, as /tick of the server sends them and `webtransport bench --workload tick` reads them,
 * and the times at which ticks are due. Numbers are in network order, so that servers in other languages can take part.
 */
#include "common/tick.h"

#include "common/clock.h"

static void number_write(uint8_t *data, uint64_t number) {
  for (int i = 7; i >= 0; i--, number >>= 8) data[i] = (uint8_t)number;
}

static uint64_t number_read(const uint8_t *data) {
  uint64_t number = 0;
  for (int i = 0; i < 8; i++) number = number << 8 | data[i];
  return number;
}

void tick_write(uint8_t *data, const struct tick *tick) {
  number_write(data, tick->number);
  number_write(data + 8, tick->next);
  number_write(data + 16, tick->received);
}

void tick_read(const uint8_t *data, struct tick *tick) {
  tick->number = number_read(data);
  tick->next = number_read(data + 8);
  tick->received = number_read(data + 16);
}

void move_write(uint8_t *data, uint64_t number) { number_write(data, number); }

uint64_t move_read(const uint8_t *data) { return number_read(data); }

/* Whole seconds apart, so that nothing is lost by rounding and the product does not wrap. */
uint64_t tick_due(uint64_t number, uint64_t hz) { return number / hz * NS_PER_S + number % hz * NS_PER_S / hz; }

uint64_t tick_at(uint64_t ns, uint64_t hz) {
  uint64_t number = ns / NS_PER_S * hz + ns % NS_PER_S * hz / NS_PER_S;
  return tick_due(number + 1, hz) <= ns ? number + 1 : number; /* `tick_due` rounds down */
}
