/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_SUBJECT_H
#define WT_BACKPLANES_SUBJECT_H

/*
 * Names of topics as one word of a NATS subject. Letters, digits, '-' and '_' stand for themselves, every other byte is '='
 * and two upper-case hexadecimal digits. So a topic cannot end the word, and is no wildcard: "a.*" is "a=2E=2A".
 */

#include <stdbool.h>
#include <stddef.h>

/* Bytes that a topic of `len` takes at most, with the NUL. */
#define WT__SUBJECT_MAX(len) (3 * (len) + 1)

/* Writes the word, with a NUL, and returns its length. */
size_t wt__subject_encode(char *word, const char *topic, size_t len);

/* Reads a word into `topic`, which has as much room as the word. Returns the length, or 0 if it is not what
 * wt__subject_encode writes. */
size_t wt__subject_decode(char *topic, const char *word, size_t len);

/* Whether words of letters, digits, '-' and '_' with dots between stand there. */
bool wt__subject_is_prefix(const char *text);

#endif
