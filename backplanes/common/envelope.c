/* SPDX-License-Identifier: MIT */

/*
 * The envelope of a message: see envelope.h. What arrives comes from a broker, to which anybody with its password may
 * publish, so each byte is checked.
 */

#include "envelope.h"

#include <string.h>

#define VERSION 1

static void number_write(uint8_t *to, uint64_t value) {
  for (int i = 7; i >= 0; i--, value >>= 8) to[i] = (uint8_t)value;
}

static uint64_t number_read(const uint8_t *from) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | from[i];
  return value;
}

void wt__envelope_write(uint8_t head[WT__ENVELOPE_HEAD], const struct wt__envelope *envelope) {
  head[0] = VERSION;
  memcpy(head + 1, envelope->publisher, WT__PUBLISHER_LEN);
  number_write(head + 17, envelope->epoch);
  number_write(head + 25, envelope->number);
}

bool wt__envelope_read(struct wt__envelope *envelope, const uint8_t *bytes, size_t len) {
  if (len < WT__ENVELOPE_HEAD || bytes[0] != VERSION) return false;
  memcpy(envelope->publisher, bytes + 1, WT__PUBLISHER_LEN);
  envelope->epoch = number_read(bytes + 17);
  envelope->number = number_read(bytes + 25);
  envelope->data = bytes + WT__ENVELOPE_HEAD;
  envelope->len = len - WT__ENVELOPE_HEAD;
  return envelope->number > 0;
}
