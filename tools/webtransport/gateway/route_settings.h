/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ROUTE_SETTINGS_H
#define WEBTRANSPORT_TOOL_GATEWAY_ROUTE_SETTINGS_H

#include <stdint.h>

#include "common/options.h"
#include "common/origins.h"
#include "gateway/target.h"

enum {
  ROUTE_PATH_SIZE = 256,
  ROUTE_PROTOCOLS_MAX = 16,
  ROUTE_PROTOCOL_SIZE = 64,
};

/* A route as the configuration has it. It has no pointers into other memory, so it can be copied. */
struct route_settings {
  char path[ROUTE_PATH_SIZE]; /* "/ssh", or "/game/" for everything below */
  struct target target;
  struct origins origins;
  bool origins_inherited, protocols_inherited; /* from the defaults: the first one of the route replaces them */
  char protocols[ROUTE_PROTOCOLS_MAX][ROUTE_PROTOCOL_SIZE];
  size_t protocol_count;
  bool proxy_protocol;

  /* 0: no limit. */
  uint64_t max_sessions, max_sessions_per_address;
  uint64_t max_streams, max_streams_per_address;
  uint64_t rate, rate_per_address; /* bytes per second, both directions together */
  uint64_t connect_timeout_ms, max_life_ms;
  uint64_t idle_timeout_ms;
  bool idle_timeout_given; /* false: the kind of the back end decides */
};

/* The members of a route in the configuration file, also of its defaults. They write to a struct route_settings. */
extern const struct option_spec route_members[];

void route_settings_default(struct route_settings *settings);

/* Begins a route with what `defaults` has. False: `message` says what is wrong with the path. */
bool route_settings_begin(struct route_settings *settings, const struct route_settings *defaults, const char *path,
                          char *message, size_t size);

/* Sets one member by its name: "idle-timeout". */
bool route_settings_set(struct route_settings *settings, const char *name, const char *value, char *message,
                        size_t size);

/* Sets what the kind of the back end decides. False: something is missing, or has no meaning with this back end. */
bool route_settings_finish(struct route_settings *settings, char *message, size_t size);

#endif
