/* SPDX-License-Identifier: MIT */
/*
 * webtransport serve: starts the server with its certificate and endpoints, the companion, and the thread for signals,
 * and ends them in the opposite order.
 *
 * There are five kinds of threads. The main thread runs the loop of the first worker. With --workers, the library makes
 * more of those. One thread waits for signals, one watches the certificate's files, and the companion's thread answers
 * HTTP/1.1. The latter three only reach the server by `wt_server_post`, `wt_server_shutdown`, `wt_server_close` and
 * `wt_server_set_connection_ids`.
 *
 * The ready message is printed when both the UDP and the TCP sockets are bound, so a script that waits for it can
 * connect at once.
 */
#include <inttypes.h>
#include <jansson.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <webtransport/webtransport.h>

#include "command.h"
#include "common/access_line.h"
#include "common/ending.h"
#include "common/hash_text.h"
#include "common/privileges.h"
#include "common/server_certificate.h"
#include "common/service.h"
#include "common/signals.h"
#include "common/tool_log.h"
#include "serve/backplane.h"
#include "serve/companion.h"
#include "serve/endpoints.h"
#include "serve/fleet_keys.h"
#include "common/housekeeping.h"
#include "serve/lb_config.h"
#include "serve/recorder.h"
#include "serve/report.h"
#include "serve/serve_options.h"
#include "serve/tick_clock.h"
#include "serve/topics.h"

enum {
  ADDRESS_SIZE = 320,
  MORE_HTTP_PORTS = 100, /* tried after the default port */
  HTTP_SOCKETS_MAX = 8,
};

struct serve {
  struct serve_settings settings;
  struct signals signals;
  struct service service;
  struct housekeeping *housekeeping;
  struct recorder *recorder;
  struct site site;
  struct endpoints endpoints;
  struct topics topics;
  struct serve_access_log access_log;
  struct companion *companion; /* NULL for --http none */
  wt_server *server;
  struct ending ending;
};

static bool complain(const char *what) {
  fprintf(stderr, "webtransport serve: %s\n", what);
  return false;
}

/* --- Certificate. --- */

/* Records the certificate's hash and expiry for the reports. */
static void certificate_record(struct recorder *recorder, const wt_certificate *certificate, bool generated) {
  struct certificate_record record = {
      .expires_at = wt_certificate_expires_at(certificate),
      .generated = generated,
  };
  wt_certificate_get_sha256(certificate, record.sha256);
  recorder_set_certificate(recorder, &record);
}

/* Loads or makes the certificate and gives it to the server. Must be called before the start, or on the loop's
 * thread. */
static bool certificate_apply(struct serve *serve, char *message, size_t size) {
  const struct server_settings *settings = &serve->settings.server;
  wt_certificate *certificate;
  int error =
      server_certificate_get(settings->cert_file, settings->key_file, settings->ocsp_file, &certificate, message, size);
  if (error) {
    if (!message[0]) snprintf(message, size, "%s: %s", settings->cert_file, wt_error_string(error));
    return false;
  }
  error = wt_server_set_certificates(serve->server, &certificate, 1);
  if (error)
    snprintf(message, size, "the certificate cannot be used: %s", wt_error_string(error));
  else
    certificate_record(serve->recorder, certificate, !settings->cert_file);
  if (error)
    wt_certificate_free(certificate);
  else
    hosts_set_certificate(&serve->settings.server.hosts, certificate); /* takes it over */
  return !error;
}

static void certificate_hash(const struct serve *serve, char hex[65]) {
  struct certificate_record record;
  recorder_get_certificate(serve->recorder, &record);
  hash_hex(record.sha256, hex);
}

static void certificate_reload(wt_server *server, void *argument) {
  struct serve *serve = argument;
  char message[512] = "", hex[65];
  (void)server;
  if (!certificate_apply(serve, message, sizeof message)) {
    log_line(WT_LOG_ERROR, "certificate not reloaded, the old one stays: %s", message);
    return;
  }
  certificate_hash(serve, hex);
  log_line(WT_LOG_INFO, "certificate reloaded, SHA-256 %s", hex);
}

/* --- Secrets of a fleet. --- */

static void fleet_keys_reload(struct serve *serve) {
  struct key_file file;
  struct wt_fleet_keys keys;
  char message[512] = "";
  if (!serve->settings.fleet_keys) return;
  bool good = fleet_keys_read(serve->settings.fleet_keys, &file, &keys, message, sizeof message);
  keys.own_resets = serve->settings.own_resets;
  good = good && !wt_server_set_fleet_keys(serve->server, &keys, message, sizeof message);
  if (good)
    log_line(WT_LOG_INFO, "fleet keys read again: %s", fleet_keys_text(&keys));
  else
    log_line(WT_LOG_ERROR, "fleet keys not read again, the old ones stay: %s", message);
  key_file_wipe(&file);
}

/* --- Connection ids. --- */

/* On any thread. */
static void ids_reload(struct serve *serve) {
  const struct serve_settings *settings = &serve->settings;
  struct lb_config config;
  char message[512] = "";
  if (!settings->lb_config_file) return;
  if (!lb_config_read(settings->lb_config_file, &settings->server_id, settings->workers, &config, message,
                      sizeof message)) {
    log_line(WT_LOG_ERROR, "connection ids stay as they are: %s", message);
  } else if (wt_server_set_connection_ids(serve->server, &config.ids, message, sizeof message)) {
    log_line(WT_LOG_ERROR, "%s, in %s", message, settings->lb_config_file);
  } else {
    log_line(WT_LOG_INFO, "connection ids are made as %s says", settings->lb_config_file);
  }
}

/* --- Signals. On the thread that waits for them. --- */

static void files_reload(wt_server *server, void *argument) {
  struct serve *serve = argument;
  service_reloading(&serve->service);
  fleet_keys_reload(serve); /* first, so that certificates of the same moment get them */
  certificate_reload(server, serve);
  service_ready(&serve->service);
}

static void serve_on_signal(int signal, void *user_data) {
  struct serve *serve = user_data;
  if (signal == SIGHUP || signal == SIGUSR1) line_writer_reopen(serve->access_log.writer);
  if (signal == SIGUSR1) return;
  if (signal == SIGHUP) {
    ids_reload(serve);
    if (wt_server_post(serve->server, files_reload, serve)) log_line(WT_LOG_ERROR, "SIGHUP: out of memory");
    return;
  }
  ending_on_signal(&serve->ending, serve->server, signal);
}

/* --- Takeover. On the loop's thread. --- */

#define HTTP_NAME "http" /* of the companion's sockets, from one process to the next */

static void serve_on_taken(wt_server *server, void *user_data) {
  struct serve *serve = user_data;
  (void)server;
  atomic_store(&serve->site.draining, true);
  if (serve->companion) companion_accept(serve->companion, false);
}

static void serve_on_taken_back(wt_server *server, void *user_data) {
  struct serve *serve = user_data;
  (void)server;
  atomic_store(&serve->site.draining, atomic_load(&serve->ending.begun));
  if (serve->companion) companion_accept(serve->companion, true);
}

static bool takeover_begin(struct serve *serve) {
  const struct serve_settings *settings = &serve->settings;
  struct wt_takeover_options options;
  if (!settings->takeover) return true;
  wt_takeover_options_default(&options);
  options.deadline_ms = settings->takeover_deadline_ms;
  options.drain = settings->takeover_drain;
  options.on_taken = serve_on_taken;
  options.on_taken_back = serve_on_taken_back;
  options.user_data = serve;
  return wt_server_takeover(serve->server, settings->takeover, &options) ? complain(wt_server_error(serve->server))
                                                                         : true;
}

/* The companion's sockets: of the old process, and of the service manager. */
static size_t http_sockets(struct serve *serve, int *fds, size_t max) {
  size_t count = 0;
  while (count < max && count < serve->service.tcp_count) {
    fds[count] = serve->service.tcp[count];
    count++;
  }
  while (count < max && (fds[count] = wt_server_takeover_receive(serve->server, HTTP_NAME)) >= 0) count++;
  return count;
}

static bool takeover_give(struct serve *serve) {
  size_t count = 0;
  const int *fds = serve->companion ? companion_listeners(serve->companion, &count) : NULL;
  for (size_t i = 0; serve->settings.takeover && i < count; i++)
    if (wt_server_takeover_give(serve->server, HTTP_NAME, fds[i])) return complain(wt_server_error(serve->server));
  return true;
}

/* --- Start. --- */

/* With the secrets of a fleet, if there are any: the library keeps none of them. */
static bool server_new(struct serve *serve, struct wt_server_config *config) {
  const char *file = serve->settings.fleet_keys;
  struct key_file secrets;
  struct wt_fleet_keys keys;
  char message[512];
  wt_fleet_keys_default(&keys);
  if (file && !fleet_keys_read(file, &secrets, &keys, message, sizeof message)) return complain(message);
  keys.own_resets = serve->settings.own_resets;
  if (file) config->fleet_keys = &keys;
  int error = wt_server_new(config, &serve->server, message, sizeof message);
  if (file) key_file_wipe(&secrets);
  return error ? complain(message) : true;
}

/* `ids` has to outlive `config`. */
static bool configure_ids(struct wt_server_config *config, struct lb_config *ids, const struct serve_settings *settings,
                          char *message, size_t size) {
  if (!settings->lb_config_file && !settings->server_id.given) return true;
  config->connection_ids = &ids->ids;
  return lb_config_read(settings->lb_config_file, &settings->server_id, settings->workers, ids, message, size);
}

/* Those that the service manager has bound, in place of the default address. */
static void configure_sockets(const struct serve *serve, struct wt_server_config *config) {
  config->sockets = serve->service.udp;
  config->socket_count = serve->service.udp_count;
  if (serve->service.udp_count && !serve->settings.server.listen_count) config->listen_count = 0;
}

/* --- Topics. --- */

static bool backplane_add(struct serve *serve) {
  const struct serve_settings *settings = &serve->settings;
  char message[512];
  if (!settings->backplane.kind) return true;
  struct wt_backplane *backplane = backplane_make(&settings->backplane, &settings->topics, message, sizeof message);
  if (!backplane) return complain(message);
  if (wt_server_set_backplane(serve->server, backplane)) {
    backplane->free(backplane);
    return complain(wt_server_error(serve->server));
  }
  serve->site.backplane = backplane; /* it lives as long as the server */
  return true;
}

static bool topics_add(struct serve *serve) {
  if (topics_configure(serve->server, &serve->settings.topics)) return complain(wt_server_error(serve->server));
  return backplane_add(serve);
}

static bool server_make(struct serve *serve) {
  struct serve_settings *settings = &serve->settings;
  struct wt_server_config config;
  wt_server_config_default(&config);
  server_settings_configure(&settings->server, &config);
  config.check_origin = origins_check;
  config.check_origin_user_data = &settings->origins;
  config.workers = settings->workers;
  config.header_timeout_ms = settings->header_timeout_ms;
  config.send_timeout_ms = settings->send_timeout_ms;
  config.body_timeout_ms = settings->body_timeout_ms;
  config.min_progress = settings->min_progress;
  config.max_open_files = settings->max_open_files;
  config.max_open_files_per_connection = settings->max_open_files_per_connection;
  configure_sockets(serve, &config);
  config.access = serve->access_log.writer ? serve_access_log_write : NULL;
  config.access_user_data = &serve->access_log;
  char message[512];
  struct lb_config ids;
  if (!configure_ids(&config, &ids, settings, message, sizeof message)) return complain(message);
  if (!server_new(serve, &config)) return false;
  int error = endpoints_add(serve->server, &serve->endpoints);
  return error ? complain(wt_error_string(error)) : topics_add(serve);
}

static bool companion_make(struct serve *serve) {
  struct serve_settings *settings = &serve->settings;
  int taken[HTTP_SOCKETS_MAX];
  struct companion_config config = {
      .host = settings->http_address.host,
      .port = settings->http_address.port,
      .more_ports = settings->http_given ? 0 : MORE_HTTP_PORTS,
      .site = &serve->site,
      .hosts = &settings->server.hosts,
      .www = settings->www,
      .taken = taken,
      .taken_count = settings->http ? http_sockets(serve, taken, HTTP_SOCKETS_MAX) : 0,
      .taken_only = serve->service.tcp_count > 0,
  };
  char message[512];
  if (!settings->http && !serve->service.tcp_count) return true;
  if (!settings->http) return complain("the service manager has a TCP socket, but --http is none");
  serve->companion = companion_open(&config, message, sizeof message);
  if (!serve->companion) return complain(message);
  if (config.port && companion_port(serve->companion) != config.port)
    fprintf(stderr, "webtransport serve: TCP port %u is taken; the page is at port %u\n", config.port,
            companion_port(serve->companion));
  return true;
}

/* Allows the companion's page to open sessions. */
static void origins_add_companion(struct serve *serve) {
  static const char *const hosts[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};
  struct origins *origins = &serve->settings.origins;
  char origin[ORIGIN_SIZE];
  if (origins->chosen || !serve->companion) return;
  for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
    snprintf(origin, sizeof origin, "%s:%u", hosts[i], companion_port(serve->companion));
    origins_add(origins, origin);
  }
  snprintf(origin, sizeof origin, "%.*s", (int)strlen(companion_url(serve->companion)) - 1,
           companion_url(serve->companion)); /* without its '/' */
  origins_add(origins, origin);
}

/* The hosts that --listen and --http name are ours. */
static void hosts_add_addresses(struct serve *serve) {
  struct serve_settings *settings = &serve->settings;
  server_settings_add_hosts(&settings->server);
  if (settings->http) hosts_add_own(&settings->server.hosts, settings->http_address.host);
}

/* A key of root's works until it is renewed. */
static void key_check(const struct serve_settings *settings) {
  const char *key = settings->server.key_file;
  if (key && access(key, R_OK))
    log_line(WT_LOG_WARN, "user %s cannot read %s: %s; a renewed one needs a restart", settings->user, key,
             strerror(errno));
}

static bool rights_drop(struct serve *serve) {
  char message[512];
  if (!serve->settings.user) return true;
  if (!privileges_drop(serve->settings.user, message, sizeof message)) return complain(message);
  key_check(&serve->settings);
  return true;
}

static bool housekeeping_begin(struct serve *serve) {
  const struct server_settings *settings = &serve->settings.server;
  const char *const files[] = {settings->cert_file, settings->key_file, settings->ocsp_file};
  const struct housekeeping_config config = {
      .server = serve->server,
      .service = &serve->service,
      .files = files,
      .file_count = sizeof files / sizeof files[0],
      .files_changed = certificate_reload,
      .user_data = serve,
  };
  char message[512];
  serve->housekeeping = housekeeping_start(&config, message, sizeof message);
  return serve->housekeeping ? true : complain(message);
}

static bool server_begin(struct serve *serve) {
  char message[512], address[ADDRESS_SIZE];
  struct host_port parsed;
  /* All that can fail comes before the start, from which on this process may serve in another one's place. */
  if (serve->companion && !companion_start(serve->companion, message, sizeof message)) return complain(message);
  if (!takeover_give(serve)) return false;
  if (!signals_start(&serve->signals, serve_on_signal, serve)) {
    fprintf(stderr, "webtransport serve: cannot make a thread: %s\n", strerror(errno));
    return false;
  }
  int error = wt_server_start(serve->server);
  if (error) {
    const char *why = wt_server_error(serve->server);
    return complain(why[0] ? why : wt_error_string(error));
  }
  error = wt_server_get_address(serve->server, 0, address, sizeof address);
  if (error || host_port_parse(address, &parsed)) return complain("the server has no address");
  serve->site.port = parsed.port;
  if (!rights_drop(serve) || !housekeeping_begin(serve)) return false;
  if (serve->companion) companion_accept(serve->companion, true);
  return true;
}

/* --- The ready message. --- */

static void ready_json(struct serve *serve) {
  char address[ADDRESS_SIZE], hex[65];
  json_t *listen = json_array();
  certificate_hash(serve, hex);
  for (size_t i = 0; !wt_server_get_address(serve->server, i, address, sizeof address); i++)
    json_array_append_new(listen, json_string(address));
  json_t *http = serve->companion ? json_string(companion_url(serve->companion)) : json_null();
  json_t *line = json_pack("{s:o, s:o, s:s}", "listen", listen, "http", http, "certificate_sha256", hex);
  json_dumpf(line, stdout, JSON_COMPACT);
  fputc('\n', stdout);
  json_decref(line);
}

static void ready_text(struct serve *serve) {
  char address[ADDRESS_SIZE], hex[65];
  certificate_hash(serve, hex);
  if (serve->companion) printf("Open           %s\n", companion_url(serve->companion));
  printf("WebTransport   https://localhost:%u/echo", serve->site.port);
  printf("  (also /sink, /source?bytes=N&streams=M, /tick?hz=N&bytes=M, /topic/NAME, /close?code=C&reason=R)\n");
  for (size_t i = 0; !wt_server_get_address(serve->server, i, address, sizeof address); i++)
    printf("%s   %s\n", i ? "            " : "Listening on", address);
  printf("Certificate    SHA-256 %s%s\n", hex, serve->settings.server.cert_file ? "" : " (made for this run)");
  printf("Ctrl-C ends the server.\n");
}

static void ready_print(struct serve *serve) {
  if (serve->settings.json)
    ready_json(serve);
  else
    ready_text(serve);
  log_ready_said();
}

/* --- The run. --- */

/* Before the rights of root are given up: its folder may be root's. */
static bool access_log_begin(struct serve *serve) {
  const struct serve_settings *settings = &serve->settings;
  char message[512];
  if (!settings->access_log) return true;
  serve->access_log.query = settings->access_log_query;
  serve->access_log.writer =
      line_writer_open("access log", settings->access_log, settings->user, message, sizeof message);
  serve->site.access_log = serve->access_log.writer;
  return serve->access_log.writer ? true : complain(message);
}

static bool serve_run(struct serve *serve) {
  char message[512] = "";
  if (serve->settings.user && !privileges_keep_down()) return complain(strerror(errno));
  if (!access_log_begin(serve)) return false;
  serve->recorder = recorder_new(serve->settings.access_log_query);
  if (!serve->recorder) return complain("out of memory");
  serve->site.recorder = serve->recorder;
  serve->endpoints = (struct endpoints){
      .recorder = serve->recorder,
      .site = &serve->site,
      .protocols = serve->settings.protocols,
      .protocol_count = serve->settings.protocol_count,
      .www = serve->settings.www,
      .hosts = &serve->settings.server.hosts,
      .tick_clock = tick_clock_new(serve->settings.workers),
      .topics = &serve->topics,
  };
  serve->topics.settings = serve->settings.topics;
  serve->topics.clock = tick_clock_new(serve->settings.workers);
  serve->site.topics = &serve->topics;
  if (!serve->endpoints.tick_clock || !serve->topics.clock) return complain("out of memory");
  if (!server_make(serve)) return false;
  serve->site.server = serve->server;
  if (!certificate_apply(serve, message, sizeof message)) return complain(message);
  if (!takeover_begin(serve)) return false;
  if (!companion_make(serve)) return false;
  hosts_add_addresses(serve);
  origins_add_companion(serve);
  if (!server_begin(serve)) return false;
  ready_print(serve);
  service_ready(&serve->service);
  int error = wt_server_run(serve->server);
  const char *why = wt_server_error(serve->server);
  return error ? complain(error != WT_ERR_INVALID && why[0] ? why : wt_error_string(error)) : true;
}

/* Other threads use the server, so it is freed after they have ended. The thread for signals ends last of them, because
 * it ends the process if the others take too long. */
static void serve_end(struct serve *serve) {
  if (serve->recorder) recorder_stop(serve->recorder);
  housekeeping_stop(serve->housekeeping);
  companion_close(serve->companion);
  signals_stop(&serve->signals);
  tick_clock_stop(serve->endpoints.tick_clock);
  tick_clock_stop(serve->topics.clock);
  wt_server_free(serve->server);
  line_writer_close(serve->access_log.writer); /* with the lines of the last sessions */
  tick_clock_free(serve->endpoints.tick_clock);
  tick_clock_free(serve->topics.clock);
  recorder_free(serve->recorder);
  hosts_free(&serve->settings.server.hosts);
  backplane_settings_free(&serve->settings.backplane);
}

static int serve_main(const struct command *command, int argc, char **argv) {
  static struct serve serve; /* large, and only one */
  char message[512];
  serve_settings_default(&serve.settings);
  enum options_outcome outcome = options_parse(command, argc, argv, &serve.settings);
  if (outcome != OPTIONS_RUN) return outcome == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
  const char *wrong = server_settings_check(&serve.settings.server);
  if (!wrong) wrong = serve_settings_check(&serve.settings);
  if (wrong) return options_complain(command, "%s", wrong);
  log_set_level(serve.settings.server.log_level);
  log_set_json(serve.settings.server.log_json);
  signals_block(&serve.signals, true);
  serve.ending.signals = &serve.signals;
  serve.ending.service = &serve.service;
  serve.ending.draining = &serve.site.draining;
  serve.ending.drain_delay_ms = serve.settings.server.drain_delay_ms;
  bool good = service_read(&serve.service, message, sizeof message) ? serve_run(&serve) : complain(message);
  serve_end(&serve);
  return good ? EXIT_DONE : EXIT_FAILED;
}

const struct command serve_command = {
    .name = "serve",
    .summary = "Serves WebTransport sessions and files over HTTP/3, and a page to try them",
    .details = serve_details,
    .options = serve_options,
    .examples = serve_examples,
    .exits = EXITS_COMMON,
    .run = serve_main,
};
