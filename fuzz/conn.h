/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_CONN_H
#define WT_FUZZ_CONN_H

/* A whole HTTP/3 connection of the library, between a hostile peer, an application and a model of QUIC. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Plays the script of `data`; the library is the client or the server. */
void conn_play(bool client, const uint8_t *data, size_t size);

#endif
