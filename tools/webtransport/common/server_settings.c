/* SPDX-License-Identifier: MIT */
/*
 * The options that every command with a server has: addresses, certificates and TLS, hosts, the log, bounds on
 * connections. Only the form of a value is checked here. If a port is taken or a file cannot be read, the start of the
 * server fails; that is not wrong usage.
 */
#include "common/server_settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/host_port.h"
#include "common/tool_log.h"

#define MEMORY_MIN (1024 * 1024) /* as the library's */
#define DRAIN_DELAY_MAX_S 3600

bool server_set_listen(void *target, const char *value, char *message, size_t size) {
  struct server_settings *settings = target;
  struct host_port address;
  const char *wrong = host_port_parse(value, &address);
  if (!wrong && settings->listen_count == LISTEN_MAX) wrong = "too many addresses";
  if (wrong) return value_refuse(message, size, "%s", wrong);
  settings->listen[settings->listen_count++] = value;
  return true;
}

bool server_set_cert(void *target, const char *value, char *message, size_t size) {
  ((struct server_settings *)target)->cert_file = value;
  return value_file(value, message, size);
}

bool server_set_key(void *target, const char *value, char *message, size_t size) {
  ((struct server_settings *)target)->key_file = value;
  return value_file(value, message, size);
}

bool server_set_ocsp(void *target, const char *value, char *message, size_t size) {
  ((struct server_settings *)target)->ocsp_file = value;
  return value_file(value, message, size);
}

bool server_set_client_ca(void *target, const char *value, char *message, size_t size) {
  ((struct server_settings *)target)->client_ca = value;
  return value_file(value, message, size);
}

bool server_set_require_client_certificate(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct server_settings *)target)->require_client_certificate = true;
  return true;
}

bool server_set_cipher_suites(void *target, const char *value, char *message, size_t size) {
  return tls_names_set(&((struct server_settings *)target)->cipher_suites, value, message, size);
}

bool server_set_groups(void *target, const char *value, char *message, size_t size) {
  return tls_names_set(&((struct server_settings *)target)->groups, value, message, size);
}

bool server_set_ticket_lifetime(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, NS_PER_S, TICKET_LIFETIME_MAX_S * NS_PER_S, &ns, message, size)) return false;
  ((struct server_settings *)target)->ticket_lifetime_s = ns / NS_PER_S;
  return true;
}

bool server_set_host(void *target, const char *value, char *message, size_t size) {
  const char *wrong = hosts_add(&((struct server_settings *)target)->hosts, value);
  return wrong ? value_refuse(message, size, "%s", wrong) : true;
}

bool server_set_log(void *target, const char *value, char *message, size_t size) {
  if (log_level_parse(value, &((struct server_settings *)target)->log_level)) return true;
  return value_refuse(message, size, "this is no level");
}

bool server_set_log_format(void *target, const char *value, char *message, size_t size) {
  size_t index;
  if (!value_word(value, "text json", &index, message, size)) return false;
  ((struct server_settings *)target)->log_json = index == 1;
  return true;
}

bool server_set_retry(void *target, const char *value, char *message, size_t size) {
  static const enum wt_retry values[] = {WT_RETRY_NEVER, WT_RETRY_UNDER_LOAD, WT_RETRY_ALWAYS};
  size_t index;
  if (!value_word(value, RETRY_WORDS, &index, message, size)) return false;
  ((struct server_settings *)target)->retry = values[index];
  return true;
}

bool server_set_qlog(void *target, const char *value, char *message, size_t size) {
  ((struct server_settings *)target)->qlog_dir = value;
  return value_folder(value, message, size);
}

bool server_set_congestion_control(void *target, const char *value, char *message, size_t size) {
  size_t index;
  if (!value_word(value, CONGESTION_CONTROLS, &index, message, size)) return false;
  ((struct server_settings *)target)->congestion_control = (enum wt_congestion_control)index;
  return true;
}

bool server_set_idle_timeout(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, NS_PER_DAY, &ns, message, size)) return false;
  ((struct server_settings *)target)->idle_timeout_ms = clock_ms_up(ns);
  return true;
}

bool server_set_drain_delay(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, DRAIN_DELAY_MAX_S * NS_PER_S, &ns, message, size)) return false;
  ((struct server_settings *)target)->drain_delay_ms = ns / NS_PER_MS;
  return true;
}

bool server_set_max_connections(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 1, 10000000, &number, message, size)) return false;
  ((struct server_settings *)target)->max_connections = (size_t)number;
  return true;
}

bool server_set_max_connections_per_address(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 1, 10000000, &number, message, size)) return false;
  ((struct server_settings *)target)->max_connections_per_address = (size_t)number;
  return true;
}

bool server_set_max_handshakes_per_address(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 1, 10000000, &number, message, size)) return false;
  ((struct server_settings *)target)->max_handshakes_per_address = (size_t)number;
  return true;
}

bool server_set_max_session_rate(void *target, const char *value, char *message, size_t size) {
  return value_number(value, 0, 1000000000, &((struct server_settings *)target)->max_session_rate, message, size);
}

bool server_set_max_memory(void *target, const char *value, char *message, size_t size) {
  uint64_t bytes;
  if (!value_size(value, 0, SIZE_MAX, &bytes, message, size)) return false;
  if (bytes && bytes < MEMORY_MIN) return value_refuse(message, size, "expected 0, or 1M or more");
  ((struct server_settings *)target)->max_memory = (size_t)bytes;
  return true;
}

bool server_set_max_sessions_per_connection(void *target, const char *value, char *message, size_t size) {
  struct server_settings *settings = target;
  return value_number(value, 1, SESSIONS_MAX, &settings->max_sessions_per_connection, message, size);
}

bool server_set_require_reset_stream_at(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct server_settings *)target)->require_reset_stream_at = true;
  return true;
}

/* "7,13,15": the drafts to announce. */
bool server_set_drafts(void *target, const char *value, char *message, size_t size) {
  static const struct {
    const char *number;
    enum wt_draft draft;
  } known[] = {{"2", WT_DRAFT_02}, {"7", WT_DRAFT_07}, {"13", WT_DRAFT_13}, {"15", WT_DRAFT_15}};
  unsigned drafts = 0;
  for (const char *at = value;; at++) {
    size_t len = strspn(at, "0123456789");
    unsigned found = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
      if (len == strlen(known[i].number) && !strncmp(at, known[i].number, len)) found = known[i].draft;
    at += len;
    if (!found || (*at && *at != ','))
      return value_refuse(message, size, "expected some of 2, 7, 13 and 15, as in 7,13,15");
    drafts |= found;
    if (!*at) break;
  }
  ((struct server_settings *)target)->drafts = drafts;
  return true;
}

void server_settings_default(struct server_settings *settings) {
  struct wt_server_config config;
  wt_server_config_default(&config);
  memset(settings, 0, sizeof *settings);
  hosts_init(&settings->hosts);
  settings->log_level = WT_LOG_INFO;
  settings->retry = config.retry;
  settings->congestion_control = config.congestion_control;
  settings->idle_timeout_ms = config.idle_timeout_ms;
  settings->max_connections = config.max_connections;
  settings->max_connections_per_address = config.max_connections_per_address;
  settings->max_handshakes_per_address = config.max_handshakes_per_address;
  settings->max_session_rate = config.max_session_rate;
  settings->max_memory = config.max_memory;
  settings->max_sessions_per_connection = config.max_sessions_per_connection;
  settings->require_reset_stream_at = config.require_reset_stream_at;
  settings->drafts = config.drafts;
  settings->ticket_lifetime_s = config.ticket_lifetime_s;
}

const char *server_settings_check(const struct server_settings *settings) {
  if (settings->cert_file && !settings->key_file) return "--cert is given but --key is missing";
  if (settings->key_file && !settings->cert_file) return "--key is given but --cert is missing";
  if (settings->ocsp_file && !settings->cert_file) return "--ocsp is given but --cert is missing";
  if (settings->require_client_certificate && !settings->client_ca)
    return "--require-client-certificate is given but --client-ca is missing";
  return NULL;
}

/* The library's default is 256 streams of each kind for 16 sessions. More sessions need more streams; one of each
 * session is its CONNECT stream. */
static void make_room_for_sessions(struct wt_server_config *config) {
  uint64_t streams = (uint64_t)config->max_sessions_per_connection * 16;
  if (config->max_streams_bidi < streams) config->max_streams_bidi = streams;
  if (config->max_streams_uni < streams) config->max_streams_uni = streams;
}

static void configure_tls(struct wt_server_config *config, const struct server_settings *settings) {
  config->client_ca_file = settings->client_ca;
  if (settings->client_ca) config->client_certificates = WT_CLIENT_CERTIFICATES_ASK;
  if (settings->require_client_certificate) config->client_certificates = WT_CLIENT_CERTIFICATES_REQUIRE;
  config->cipher_suites = settings->cipher_suites.names;
  config->cipher_suite_count = settings->cipher_suites.count;
  config->groups = settings->groups.names;
  config->group_count = settings->groups.count;
  config->ticket_lifetime_s = settings->ticket_lifetime_s;
}

void server_settings_configure(const struct server_settings *settings, struct wt_server_config *config) {
  static const char *const listen_default[] = {"[::]:4433"};
  config->listen = settings->listen_count ? settings->listen : listen_default;
  config->listen_count = settings->listen_count ? settings->listen_count : 1;
  config->log_record = log_library_record;
  config->log_level = settings->log_level;
  config->retry = settings->retry;
  config->congestion_control = settings->congestion_control;
  config->qlog_dir = settings->qlog_dir;
  config->idle_timeout_ms = settings->idle_timeout_ms;
  config->max_connections = settings->max_connections;
  config->max_connections_per_address = settings->max_connections_per_address;
  config->max_handshakes_per_address = settings->max_handshakes_per_address;
  config->max_session_rate = settings->max_session_rate;
  config->max_memory = settings->max_memory;
  config->max_sessions_per_connection = settings->max_sessions_per_connection;
  make_room_for_sessions(config);
  config->require_reset_stream_at = settings->require_reset_stream_at;
  config->drafts = settings->drafts;
  configure_tls(config, settings);
}

static bool text_equal(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

static bool names_equal(const struct tls_names *a, const struct tls_names *b) {
  bool equal = a->count == b->count;
  for (size_t i = 0; equal && i < a->count; i++) equal = !strcmp(a->names[i], b->names[i]);
  return equal;
}

static bool listen_equal(const struct server_settings *a, const struct server_settings *b) {
  bool equal = a->listen_count == b->listen_count;
  for (size_t i = 0; equal && i < a->listen_count; i++) equal = !strcmp(a->listen[i], b->listen[i]);
  return equal;
}

bool server_settings_equal(const struct server_settings *a, const struct server_settings *b) {
#define EQUAL(member) (a->member == b->member)
  return listen_equal(a, b) && text_equal(a->client_ca, b->client_ca) && text_equal(a->qlog_dir, b->qlog_dir) &&
         EQUAL(require_client_certificate) && names_equal(&a->cipher_suites, &b->cipher_suites) &&
         names_equal(&a->groups, &b->groups) && EQUAL(ticket_lifetime_s) && EQUAL(hosts.any) && EQUAL(hosts.given) &&
         EQUAL(log_level) && EQUAL(log_json) && EQUAL(retry) && EQUAL(congestion_control) && EQUAL(idle_timeout_ms) &&
         EQUAL(drain_delay_ms) && EQUAL(max_connections) && EQUAL(max_connections_per_address) &&
         EQUAL(max_handshakes_per_address) && EQUAL(max_session_rate) && EQUAL(max_memory) &&
         EQUAL(max_sessions_per_connection) && EQUAL(require_reset_stream_at) && EQUAL(drafts);
#undef EQUAL
}

void server_settings_add_hosts(struct server_settings *settings) {
  struct host_port address;
  for (size_t i = 0; i < settings->listen_count; i++)
    if (!host_port_parse(settings->listen[i], &address)) hosts_add_own(&settings->hosts, address.host);
}
