/* SPDX-License-Identifier: MIT */
/* A client's connection from packets up, with a hostile peer, from the handshake's end on: see packets.c. */

#include "fuzz.h"
#include "packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  packets_play(true, data, size);
  return 0;
}
