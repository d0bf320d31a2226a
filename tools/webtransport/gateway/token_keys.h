/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_TOKEN_KEYS_H
#define WEBTRANSPORT_TOOL_GATEWAY_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/text_list.h"

enum {
  TOKEN_KEYS_MAX = 4,
  TOKEN_KEY_SIZE = 16384, /* bytes of a file */
  TOKEN_SECRET_MIN = 32,  /* RFC 7518, section 3.2 */
};

/* What signs tokens; TOKEN_NONE: the route asks for no token. The order is that of TOKEN_ALGORITHMS. */
enum token_algorithm {
  TOKEN_NONE,
  TOKEN_HS256,
  TOKEN_RS256,
  TOKEN_ES256,
};
#define TOKEN_ALGORITHMS "none HS256 RS256 ES256"

/* Returns "RS256". */
const char *token_algorithm_name(enum token_algorithm algorithm);

/* A key, as libjwt takes it: a secret, or a public key in PEM. */
struct token_key {
  char path[TEXT_SIZE];
  size_t len;                        /* 0: nothing could be read, ever */
  uint8_t bytes[TOKEN_KEY_SIZE + 1]; /* with a NUL */
  struct token_key_mark {
    int64_t changed_s, changed_ns, size;
    uint64_t device, inode;
  } mark; /* of the file when it was read, or could not be used */
};

/* The keys of a route, which verify tokens of one algorithm. */
struct token_keys {
  enum token_algorithm algorithm;
  size_t count;
  struct token_key keys[TOKEN_KEYS_MAX];
  uint64_t looked_ms;
};

/* Reads a key. False: it does not fit the algorithm, or cannot be read; `message` says why, and `key` is as before. */
bool token_key_read(struct token_key *key, const char *path, enum token_algorithm algorithm, char *message,
                    size_t size);

/* Judges the bytes of a key file, and finds those that are the key. False: `message` says why they are none. */
bool token_key_check(const char *text, size_t len, enum token_algorithm algorithm, size_t *key_len, char *message,
                     size_t size);

/* Begins with keys from the files, of which the configuration has read all before. NULL: out of memory. */
struct token_keys *token_keys_new(enum token_algorithm algorithm, const struct text_list *paths);

/* Reads files again that have changed; looks once a second at most. A file that cannot be used leaves the key as it was. */
void token_keys_refresh(struct token_keys *keys, uint64_t now_ms);

/* Wipes and frees them. NULL is allowed. */
void token_keys_free(struct token_keys *keys);

#endif
