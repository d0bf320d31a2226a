/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_PACKETS_H
#define WT_FUZZ_PACKETS_H

/* A whole connection of the library, QUIC and TLS included, with a peer that writes frames by a script. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Plays the script of `data`; the library is the client or the server. */
void packets_play(bool client, const uint8_t *data, size_t size);

#endif
