/* SPDX-License-Identifier: MIT */
/* A server's HTTP/3 connection with a hostile peer, from the handshake's end on: see conn.c. */

#include "conn.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  conn_play(false, data, size);
  return 0;
}
