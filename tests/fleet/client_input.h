/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_CLIENT_INPUT_H
#define WT_TESTS_CLIENT_INPUT_H

/* What the clients of the tests are given: words of the command line, and lines on standard input. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* 64 hexadecimal digits. False: it is something else. */
bool hash_parse(const char *hex, uint8_t hash[32]);

/* Standard input on a loop. */
struct client_input {
  uv_pipe_t pipe;
  void (*on_line)(const char *line); /* without its newline; NULL: lines mean nothing */
  void (*on_end)(void);              /* once; nothing is left of the input then */
  char line[64];
  size_t len;
};

/* False: there is none. */
bool client_input_start(struct client_input *input, uv_loop_t *loop);

#endif
