/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ROUTE_SETTINGS_H
#define WEBTRANSPORT_TOOL_GATEWAY_ROUTE_SETTINGS_H

#include <stdint.h>

#include "common/options.h"
#include "common/origins.h"
#include "gateway/auth_settings.h"
#include "gateway/target.h"

enum {
  ROUTE_PATH_SIZE = 256,
  ROUTE_PROTOCOLS_MAX = 16,
  ROUTE_PROTOCOL_SIZE = 64,
  ROUTE_FILE_SIZE = 256,
  ROUTE_HASHES_MAX = 8,
  ROUTE_ANSWER_HEADERS_MAX = 16,
  ROUTE_ANSWER_HEADER_SIZE = 64,
};

/* Which servers of WebTransport a route believes, and how it uses its connections to them. */
struct backend_trust {
  char ca_file[ROUTE_FILE_SIZE]; /* "": the authorities of the system */
  uint8_t hashes[ROUTE_HASHES_MAX][32];
  size_t hash_count;
  uint64_t sessions_per_connection;
};

/* Which header fields of a back end's answer go to the client. */
struct answer_headers {
  bool any;
  char names[ROUTE_ANSWER_HEADERS_MAX][ROUTE_ANSWER_HEADER_SIZE];
  size_t count;
};

/* A route as the configuration has it. It has no pointers into other memory, so it can be copied. */
struct route_settings {
  char path[ROUTE_PATH_SIZE]; /* "/ssh", or "/game/" for everything below */
  struct target target;
  struct origins origins;
  struct auth_settings auth;
  struct http_url requests;                    /* where requests go that are no sessions; its text is "" if nowhere */
  bool requests_given;                         /* perhaps as "none" */
  char requests_ca[TEXT_SIZE];                 /* whom to trust there; "": the authorities of the system */
  bool origins_inherited, protocols_inherited; /* from the defaults: the first one of the route replaces them */
  char protocols[ROUTE_PROTOCOLS_MAX][ROUTE_PROTOCOL_SIZE];
  size_t protocol_count;
  bool proxy_protocol;

  /* Of back ends that are URLs. */
  struct backend_trust trust;
  bool keep_host;       /* the request names the client's authority; false: that of the back end's URL */
  bool trust_forwarded; /* clients are proxies that tell the truth about theirs */
  struct answer_headers answer_headers;
  bool hashes_inherited, answer_headers_inherited;
  bool url_members_given; /* by the route itself */

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

/* Whether the field `name` (lower case) of the back end's answer goes to the client. */
bool route_answer_header_passes(const struct route_settings *settings, const char *name);

#endif
