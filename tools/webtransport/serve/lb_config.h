/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_LB_CONFIG_H
#define WEBTRANSPORT_TOOL_LB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/fleet.h>

enum {
  LB_SERVER_ID_MAX = 15, /* as the library's */
  LB_KEY_LEN = 16,
};

/* What --server-id says. */
struct lb_server_id {
  bool given, aws; /* `aws`: from the environment variable of AWS's controller */
  uint8_t bytes[LB_SERVER_ID_MAX];
  size_t len;
};

/* The configuration of connection ids; `ids` points into it. */
struct lb_config {
  struct wt_connection_ids ids;
  uint8_t server_id[LB_SERVER_ID_MAX], key[LB_KEY_LEN];
};

#define LB_AWS_VARIABLE "AWS_LBC_QUIC_SERVER_ID"

/* Reads the value of --server-id: hexadecimal digits, or "aws". `aws_value`: the variable's value, or NULL. */
bool lb_server_id_read(const char *text, const char *aws_value, struct lb_server_id *id, char *message, size_t size);

/* Makes the configuration of `file` (NULL: none), for the server `id`, which has precedence over the file's, and which
 * layouts without a server leave out. Without a file: QUIC-LB in the clear, or AWS's layout. The library has still to check it. False: `message` says what is wrong. */
bool lb_config_read(const char *file, const struct lb_server_id *id, unsigned workers, struct lb_config *config,
                    char *message, size_t size);

#endif
