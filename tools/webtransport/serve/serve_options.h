/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVE_OPTIONS_H
#define WEBTRANSPORT_TOOL_SERVE_OPTIONS_H

#include <webtransport/server.h>

#include "command.h"
#include "common/tls_names.h"
#include "serve/host_port.h"
#include "serve/hosts.h"
#include "serve/lb_config.h"
#include "serve/origins.h"

enum {
  LISTEN_MAX = 16,
  PROTOCOLS_MAX = 32,
  TICKET_LIFETIME_MAX_S = 7 * 24 * 3600, /* as the library's */
  WORKERS_MAX = 256,                     /* as the library's */
  SESSIONS_MAX = 65536                   /* of a connection */
};

/* The settings of `webtransport serve`. Texts point into argv. */
struct serve_settings {
  const char *listen[LISTEN_MAX];
  size_t listen_count;
  bool http; /* whether there is a companion */
  bool http_given;
  struct host_port http_address;
  const char *cert_file, *key_file; /* both or neither */
  const char *ocsp_file;            /* NULL: none */
  const char *client_ca;            /* NULL: clients are not asked for certificates */
  bool require_client_certificate;
  struct tls_names cipher_suites, groups;
  uint64_t ticket_lifetime_s;
  const char *fleet_keys; /* NULL: random keys */
  bool own_resets;
  const char *www;
  struct origins origins;
  struct hosts hosts; /* serve_settings_default makes them; to be freed by hosts_free */
  const char *protocols[PROTOCOLS_MAX];
  size_t protocol_count;
  enum wt_log_level log_level;
  bool json;
  enum wt_retry retry;
  enum wt_congestion_control congestion_control;
  uint64_t idle_timeout_ms;
  unsigned workers;
  size_t max_connections, max_connections_per_address, max_handshakes_per_address;
  uint64_t max_session_rate; /* of a connection; 0: no limit */
  size_t max_memory;         /* bytes; 0: no limit */
  uint64_t header_timeout_ms, send_timeout_ms, body_timeout_ms, min_progress;
  size_t max_open_files, max_open_files_per_connection;
  uint64_t max_sessions_per_connection;
  bool require_reset_stream_at;
  unsigned drafts;
  const char *takeover; /* a path; NULL: none */
  uint64_t takeover_deadline_ms;
  bool takeover_drain;
  struct lb_server_id server_id;
  const char *lb_config_file; /* NULL: none */
};

/* The table of options. They write to a struct serve_settings. */
extern const struct option_spec serve_options[];
extern const char serve_details[];
extern const struct example_spec serve_examples[];

void serve_settings_default(struct serve_settings *settings);

#endif
