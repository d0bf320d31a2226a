/* SPDX-License-Identifier: MIT */
/* How a message of fan-out begins. Numbers are in network order, so that servers and clients of other make can read them. */
#include "bench/fan_message.h"

static void number_write(uint8_t *data, uint64_t number, int len) {
  for (int i = len - 1; i >= 0; i--, number >>= 8) data[i] = (uint8_t)number;
}

static uint64_t number_read(const uint8_t *data, int len) {
  uint64_t number = 0;
  for (int i = 0; i < len; i++) number = number << 8 | data[i];
  return number;
}

void fan_message_write(uint8_t *data, const struct fan_message *message) {
  number_write(data, message->run, 4);
  number_write(data + 4, message->publisher, 4);
  number_write(data + 8, message->number, 8);
  number_write(data + 16, message->due, 8);
}

void fan_message_read(const uint8_t *data, struct fan_message *message) {
  message->run = (uint32_t)number_read(data, 4);
  message->publisher = (uint32_t)number_read(data + 4, 4);
  message->number = number_read(data + 8, 8);
  message->due = number_read(data + 16, 8);
}
