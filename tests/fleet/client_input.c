/* SPDX-License-Identifier: MIT */

/* What the clients of the tests are given: see client_input.h. */

#include "client_input.h"

#include <stdio.h>
#include <string.h>

bool hash_parse(const char *hex, uint8_t hash[32]) {
  if (strlen(hex) != 64) return false;
  for (size_t i = 0; i < 32; i++)
    if (sscanf(hex + 2 * i, "%2hhx", &hash[i]) != 1) return false;
  return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  static char room[256];
  (void)handle, (void)suggested;
  *buf = uv_buf_init(room, sizeof(room));
}

static void take(struct client_input *input, char byte) {
  if (byte == '\n') {
    input->line[input->len] = '\0';
    input->len = 0;
    if (input->on_line) input->on_line(input->line);
  } else if (input->len + 1 < sizeof(input->line)) {
    input->line[input->len++] = byte;
  }
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf) {
  struct client_input *input = stream->data;
  for (ssize_t i = 0; i < len; i++) take(input, buf->base[i]);
  if (len >= 0) return;
  uv_close((uv_handle_t *)stream, NULL);
  input->on_end();
}

bool client_input_start(struct client_input *input, uv_loop_t *loop) {
  uv_pipe_init(loop, &input->pipe, 0);
  input->pipe.data = input;
  return uv_pipe_open(&input->pipe, 0) == 0 && uv_read_start((uv_stream_t *)&input->pipe, on_alloc, on_read) == 0;
}
