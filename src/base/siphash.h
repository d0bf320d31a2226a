/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_SIPHASH_H
#define WT_BASE_SIPHASH_H

/* SipHash-2-4 (Aumasson, Bernstein 2012): a hash with a secret key, for tables whose keys a peer may choose. Without the key
 * nobody can make names that all fall into one bucket. */

#include <stddef.h>
#include <stdint.h>

#define WT__SIPHASH_KEY_LEN 16

uint64_t wt__siphash(const uint8_t key[WT__SIPHASH_KEY_LEN], const void *data, size_t len);

#endif
