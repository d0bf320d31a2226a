/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_VALUES_H
#define WEBTRANSPORT_TOOL_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Functions that read values of options. Each returns true and sets its out parameter, or returns false and writes into
 * `message` what was expected. A `value_set` (options.h) can return their result:
 *
 *   return value_number(value, 1, 100, &settings->count, message, size);
 */

/* Only decimal digits: "4433". */
bool value_number(const char *text, uint64_t min, uint64_t max, uint64_t *number, char *message, size_t size);

/* A number with a unit, "1.5s", "500ms", "250us", "2m", "1h"; seconds without one. In nanoseconds. */
bool value_time(const char *text, uint64_t min_ns, uint64_t max_ns, uint64_t *ns, char *message, size_t size);

/* A number of bytes: "64K" is 65,536; also M, G and T; without a letter bytes. Fractions ("1.5M") are allowed. */
bool value_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes, char *message, size_t size);

/* A SHA-256: 64 hexadecimal digits, with or without colons between pairs of them, or base64 (44 characters). */
bool value_hash(const char *text, uint8_t hash[32], char *message, size_t size);

/*
 * "name: value" of a header field. `*name` and `*value` point into one allocation, which the caller frees by
 * `free(*name)`; the name is in lower case. Pseudo-header fields are refused.
 */
bool value_header(const char *text, char **name, const char **value, char *message, size_t size);

/* Whether `len` bytes are a token (RFC 9110, section 5.6.2), as names of header fields are. */
bool value_is_token(const char *text, size_t len);

/* An https URL with a host, and a port if there is one, without user or fragment. Only checked. */
bool value_url(const char *text, char *message, size_t size);

/* The name of a file: not empty. Only checked. */
bool value_file(const char *text, char *message, size_t size);

/* The name of a folder that is there. */
bool value_folder(const char *text, char *message, size_t size);

/* A subprotocol (RFC 9651 string): not empty, printable ASCII. Only checked. */
bool value_protocol(const char *text, char *message, size_t size);

/* The index of `text` among `words`, which are separated by spaces. */
bool value_word(const char *text, const char *words, size_t *index, char *message, size_t size);

/* The names of `enum wt_congestion_control`, in its order, as `value_word` wants them. */
#define CONGESTION_CONTROLS "cubic bbr reno"

/* Writes the sentence into `message` and returns false. */
bool value_refuse(char *message, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
