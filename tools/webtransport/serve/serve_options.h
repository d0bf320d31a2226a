/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVE_OPTIONS_H
#define WEBTRANSPORT_TOOL_SERVE_OPTIONS_H

#include <webtransport/server.h>

#include "command.h"
#include "common/host_port.h"
#include "common/origins.h"
#include "common/server_settings.h"
#include "serve/backplane.h"
#include "serve/lb_config.h"
#include "serve/topics.h"

enum {
  PROTOCOLS_MAX = 32,
  WORKERS_MAX = 256 /* as the library's */
};

/* The settings of `webtransport serve`. Texts point into argv. */
struct serve_settings {
  struct server_settings server; /* first */
  bool http;                     /* whether there is a companion */
  bool http_given;
  struct host_port http_address;
  const char *fleet_keys; /* NULL: random keys */
  bool own_resets;
  const char *www;
  struct origins origins;
  const char *protocols[PROTOCOLS_MAX];
  size_t protocol_count;
  bool json;
  unsigned workers;
  const char *access_log; /* "-" is standard output; NULL: none */
  bool access_log_query;
  const char *user; /* to go on as; NULL: as it was started */
  uint64_t header_timeout_ms, send_timeout_ms, body_timeout_ms, min_progress;
  size_t max_open_files, max_open_files_per_connection;
  const char *takeover; /* a path; NULL: none */
  uint64_t takeover_deadline_ms;
  bool takeover_drain;
  struct lb_server_id server_id;
  const char *lb_config_file; /* NULL: none */
  struct topic_settings topics;
  struct backplane_settings backplane;
};

/* The table of options. They write to a struct serve_settings. */
extern const struct option_spec serve_options[];
extern const char serve_details[];
extern const struct example_spec serve_examples[];

void serve_settings_default(struct serve_settings *settings);

/* Returns NULL, or what is wrong with options that need each other. */
const char *serve_settings_check(const struct serve_settings *settings);

#endif
