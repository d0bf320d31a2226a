/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_FIELDS_H
#define WT_FUZZ_FIELDS_H

/* A field section of the peer, from QPACK's bytes to what an application reads of it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `data`: how to send it, how many instructions for the encoder stream, those, and the section. */
void fields_play(bool client, const uint8_t *data, size_t size);

#endif
