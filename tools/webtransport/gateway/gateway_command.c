/* SPDX-License-Identifier: MIT */
/*
 * webtransport gateway: reads the configuration, starts the server on a loop of its own, reads the configuration again
 * on SIGHUP, and ends.
 *
 * Everything runs on one loop and one thread: the server's packets, the sockets of back ends, the metrics. Others are the
 * thread that waits for signals and the one that watches the certificate's files (common/housekeeping.h); they reach the
 * loop by wt_server_post, wt_server_shutdown and wt_server_close.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/clock.h"
#include "common/ending.h"
#include "common/hash_text.h"
#include "common/housekeeping.h"
#include "common/server_certificate.h"
#include "common/service.h"
#include "common/signals.h"
#include "common/tool_log.h"
#include "gateway/backend_client.h"
#include "gateway/gateway.h"
#include "gateway/http_client.h"
#include "gateway/metrics_server.h"

enum {
  ADDRESS_SIZE = 320,
  LAST_TURNS = 100, /* of the loop, for handles that are closing */
  CERTIFICATE_FILES = 3,
};

struct gateway_program {
  const struct command *command;
  int argc;
  char **argv;
  struct gateway_settings settings; /* of the start */
  struct signals signals;
  struct service service;
  struct housekeeping *housekeeping;
  char *certificate_files[CERTIFICATE_FILES]; /* certificate, key, OCSP response; NULL: none */
  struct gateway gateway;
  struct metrics_server *metrics;
  struct routes *coming; /* read again, and waiting for its names */
  char certificate_hash[65];
  struct ending ending;
};

static bool complain(const char *what) {
  fprintf(stderr, "webtransport gateway: %s\n", what);
  return false;
}

/* --- Certificate. --- */

/* Loads or makes the certificate. NULL: `message` says what is wrong. */
static wt_certificate *certificate_load(const char *cert, const char *key, const char *ocsp, char *message,
                                        size_t size) {
  wt_certificate *certificate = NULL;
  int error = server_certificate_get(cert, key, ocsp, &certificate, message, size);
  if (error && !message[0]) snprintf(message, size, "%s: %s", cert, wt_error_string(error));
  return error ? NULL : certificate;
}

static wt_certificate *certificate_of(const struct server_settings *settings, char *message, size_t size) {
  return certificate_load(settings->cert_file, settings->key_file, settings->ocsp_file, message, size);
}

/* Gives the certificate to the server, and takes it over. */
static bool certificate_use(struct gateway_program *program, wt_certificate *certificate, char *message, size_t size) {
  uint8_t hash[32];
  int error = wt_server_set_certificates(program->gateway.server, &certificate, 1);
  if (error) {
    snprintf(message, size, "the certificate cannot be used: %s", wt_error_string(error));
    wt_certificate_free(certificate);
    return false;
  }
  wt_certificate_get_sha256(certificate, hash);
  hash_hex(hash, program->certificate_hash);
  hosts_set_certificate(&program->settings.server.hosts, certificate); /* takes it over */
  return true;
}

/* --- The service manager. --- */

static bool service_begin(struct gateway_program *program) {
  struct service *service = &program->service;
  char message[512];
  if (!service_read(service, message, sizeof message)) return complain(message);
  return service->udp_count + service->tcp_count == 0 ||
         complain("it binds its sockets itself, and takes none from a service manager (LISTEN_FDS)");
}

/* --- Certificates that are renewed, and the watchdog. --- */

/* On the loop's thread. */
static void certificate_renewed(wt_server *server, void *argument) {
  struct gateway_program *program = argument;
  char *const *files = program->certificate_files;
  char message[512] = "";
  (void)server;
  wt_certificate *certificate = certificate_load(files[0], files[1], files[2], message, sizeof message);
  if (certificate && certificate_use(program, certificate, message, sizeof message))
    log_line(WT_LOG_INFO, "certificate reloaded, SHA-256 %s", program->certificate_hash);
  else
    log_line(WT_LOG_ERROR, "certificate not reloaded, the old one stays: %s", message);
}

static void files_forget(struct gateway_program *program) {
  for (size_t i = 0; i < CERTIFICATE_FILES; i++) {
    free(program->certificate_files[i]);
    program->certificate_files[i] = NULL;
  }
}

static bool files_remember(struct gateway_program *program, const char *const *names) {
  files_forget(program);
  for (size_t i = 0; i < CERTIFICATE_FILES; i++)
    if (names[i] && !(program->certificate_files[i] = strdup(names[i]))) return false;
  return true;
}

static bool files_are(const struct gateway_program *program, const char *const *names) {
  bool same = true;
  for (size_t i = 0; i < CERTIFICATE_FILES; i++) {
    const char *file = program->certificate_files[i];
    same = same && (file && names[i] ? !strcmp(file, names[i]) : file == names[i]);
  }
  return same;
}

/* Watches the files of `settings`, and beats for the watchdog; also after a reload that names other files. */
static bool housekeeping_begin(struct gateway_program *program, const struct server_settings *settings, char *message,
                               size_t size) {
  const char *const names[CERTIFICATE_FILES] = {settings->cert_file, settings->key_file, settings->ocsp_file};
  if (program->housekeeping && files_are(program, names)) return true;
  housekeeping_stop(program->housekeeping);
  program->housekeeping = NULL;
  snprintf(message, size, "out of memory");
  if (!files_remember(program, names)) return false;
  const struct housekeeping_config config = {
      .server = program->gateway.server,
      .service = &program->service,
      .files = (const char *const *)program->certificate_files,
      .file_count = CERTIFICATE_FILES,
      .files_changed = certificate_renewed,
      .user_data = program,
  };
  program->housekeeping = housekeeping_start(&config, message, size);
  return program->housekeeping != NULL;
}

/* --- SIGHUP: on the loop's thread. --- */

static void reload_finish(struct routes *routes, void *user_data) {
  struct gateway_program *program = user_data;
  routes_free(program->gateway.routes);
  program->gateway.routes = routes;
  program->coming = NULL;
  log_line(WT_LOG_INFO, "configuration and certificate reloaded: %zu routes, SHA-256 %s", routes->count,
           program->certificate_hash);
  service_ready(&program->service);
}

/* What a running server cannot change is said, so that nobody believes that it holds. */
static void restart_check(const struct gateway_settings *before, const struct gateway_settings *after) {
  bool same = server_settings_equal(&before->server, &after->server) && before->http == after->http &&
              before->http_address.port == after->http_address.port &&
              !strcmp(before->http_address.host, after->http_address.host);
  if (!same) log_line(WT_LOG_WARN, "options of the server itself have changed; they need a restart");
}

/* Reads everything before anything is changed, so that a mistake changes nothing. */
static bool reload_begin(struct gateway_program *program, struct gateway_settings *settings, char *message,
                         size_t size) {
  enum options_outcome outcome =
      gateway_settings_load(settings, program->command, program->argc, program->argv, message, size);
  if (outcome != OPTIONS_RUN) return false;
  wt_certificate *certificate = certificate_of(&settings->server, message, size);
  if (!certificate) return false;
  if (!access_log_open(&program->gateway.access_log, settings->access_log, message, size)) {
    wt_certificate_free(certificate);
    return false;
  }
  if (!backend_clients_open(&program->gateway, settings->routes, settings->route_count, message, size)) {
    wt_certificate_free(certificate);
    return false;
  }
  if (!certificate_use(program, certificate, message, size)) return false;
  if (!housekeeping_begin(program, &settings->server, message, size)) return false;
  struct routes *routes = routes_new(&program->gateway.loop, settings->routes, settings->route_count,
                                     program->gateway.routes, reload_finish, program);
  if (!routes) {
    snprintf(message, size, "out of memory");
    return false;
  }
  if (program->gateway.routes != routes) program->coming = routes;
  restart_check(&program->settings, settings);
  return true;
}

static void reload(wt_server *server, void *argument) {
  struct gateway_program *program = argument;
  struct gateway_settings *settings = malloc(sizeof *settings);
  char message[512] = "out of memory";
  (void)server;
  if (program->coming) {
    log_line(WT_LOG_ERROR, "SIGHUP: the configuration of the last one still waits for names of back ends");
    free(settings);
    return;
  }
  service_reloading(&program->service);
  if (!settings || !reload_begin(program, settings, message, sizeof message)) {
    log_line(WT_LOG_ERROR, "configuration not reloaded, the old one stays: %s", message);
    service_ready(&program->service);
  }
  if (settings) gateway_settings_free(settings);
  free(settings);
}

/* --- Signals: on the thread that waits for them. --- */

/* On the loop's thread. */
static void logs_reopen(wt_server *server, void *argument) {
  struct gateway_program *program = argument;
  (void)server;
  access_log_reopen(&program->gateway.access_log);
}

static void program_on_signal(int signal, void *user_data) {
  struct gateway_program *program = user_data;
  wt_server *server = program->gateway.server;
  if (signal == SIGUSR1) {
    if (wt_server_post(server, logs_reopen, program)) log_line(WT_LOG_ERROR, "SIGUSR1: out of memory");
    return;
  }
  if (signal == SIGHUP) {
    if (wt_server_post(server, reload, program)) log_line(WT_LOG_ERROR, "SIGHUP: out of memory");
    return;
  }
  ending_on_signal(&program->ending, server, signal);
}

/* --- Start. --- */

static void routes_begin(struct routes *routes, void *user_data) {
  struct gateway_program *program = user_data;
  program->gateway.routes = routes;
}

static bool routes_make(struct gateway_program *program) {
  struct gateway *gateway = &program->gateway;
  const struct gateway_settings *settings = &program->settings;
  char message[512] = "";
  if (!backend_clients_open(gateway, settings->routes, settings->route_count, message, sizeof message))
    return complain(message);
  if (!routes_new(&gateway->loop, settings->routes, settings->route_count, NULL, routes_begin, program))
    return complain("out of memory");
  while (!gateway->routes) uv_run(&gateway->loop, UV_RUN_ONCE); /* until the names are looked up */
  return true;
}

static bool server_make(struct gateway_program *program) {
  struct gateway *gateway = &program->gateway;
  struct wt_server_config config;
  char message[512] = "";
  wt_server_config_default(&config);
  server_settings_configure(&program->settings.server, &config);
  gateway_configure(gateway, &config);
  if (wt_server_new(&config, &gateway->server, message, sizeof message)) return complain(message);
  if (wt_server_handle(gateway->server, "/", gateway_handle, gateway)) return complain("out of memory");
  wt_certificate *certificate = certificate_of(&program->settings.server, message, sizeof message);
  if (!certificate || !certificate_use(program, certificate, message, sizeof message)) return complain(message);
  return true;
}

static bool metrics_make(struct gateway_program *program) {
  struct gateway_settings *settings = &program->settings;
  char message[512];
  if (!settings->http) return true;
  hosts_add_own(&settings->server.hosts, settings->http_address.host);
  program->metrics = metrics_server_open(&program->gateway, &settings->http_address, message, sizeof message);
  return program->metrics ? true : complain(message);
}

static bool gateway_make(struct gateway_program *program) {
  struct gateway *gateway = &program->gateway;
  struct gateway_settings *settings = &program->settings;
  char message[512];
  gateway->hosts = &settings->server.hosts;
  server_settings_add_hosts(&settings->server);
  if (!access_log_open(&gateway->access_log, settings->access_log, message, sizeof message)) return complain(message);
  gateway->http_client = http_client_new(&gateway->loop);
  if (http_client_available() && !gateway->http_client) return complain("out of memory");
  if (!routes_make(program) || !server_make(program) || !metrics_make(program)) return false;
  int error = wt_server_start(gateway->server);
  const char *why = wt_server_error(gateway->server);
  if (error) return complain(why[0] ? why : wt_error_string(error));
  return housekeeping_begin(program, &settings->server, message, sizeof message) || complain(message);
}

/* --- The ready message. --- */

static void ready_json(const struct gateway_program *program) {
  char address[ADDRESS_SIZE];
  json_t *listen = json_array(), *routes = json_array();
  for (size_t i = 0; !wt_server_get_address(program->gateway.server, i, address, sizeof address); i++)
    json_array_append_new(listen, json_string(address));
  for (size_t i = 0; i < program->gateway.routes->count; i++)
    json_array_append_new(routes, json_string(program->gateway.routes->list[i]->settings.path));
  json_t *http = program->metrics ? json_integer(metrics_server_port(program->metrics)) : json_null();
  json_t *line = json_pack("{s:o, s:o, s:o, s:s}", "listen", listen, "routes", routes, "http_port", http,
                           "certificate_sha256", program->certificate_hash);
  json_dumpf(line, stdout, JSON_COMPACT);
  fputc('\n', stdout);
  json_decref(line);
  log_ready_said();
}

static void ready_print(const struct gateway_program *program) {
  char address[ADDRESS_SIZE];
  if (program->settings.json) {
    ready_json(program);
    return;
  }
  for (size_t i = 0; !wt_server_get_address(program->gateway.server, i, address, sizeof address); i++)
    log_line(WT_LOG_INFO, "listening on %s", address);
  log_line(WT_LOG_INFO, "%zu routes; certificate SHA-256 %s%s", program->gateway.routes->count,
           program->certificate_hash, program->settings.server.cert_file ? "" : " (made for this run)");
}

/* --- The run. --- */

static bool program_run(struct gateway_program *program) {
  if (!gateway_make(program)) return false;
  if (!signals_start(&program->signals, program_on_signal, program)) {
    fprintf(stderr, "webtransport gateway: cannot make a thread: %s\n", strerror(errno));
    return false;
  }
  ready_print(program);
  service_ready(&program->service);
  int error = wt_server_run(program->gateway.server);
  const char *why = wt_server_error(program->gateway.server);
  return error ? complain(why[0] ? why : wt_error_string(error)) : true;
}

/* Handles that are closing need turns of the loop. A name that is still being looked up is not waited for. */
static void loop_end(struct gateway *gateway) {
  gateway_loop_end(gateway);
  for (int i = 0; i < LAST_TURNS && uv_run(&gateway->loop, UV_RUN_NOWAIT); i++) continue;
  (void)uv_loop_close(&gateway->loop);
}

static void program_end(struct gateway_program *program) {
  struct gateway *gateway = &program->gateway;
  signals_stop(&program->signals);
  housekeeping_stop(program->housekeeping);
  metrics_server_close(program->metrics);
  wt_server_free(gateway->server);
  backend_clients_free(gateway); /* tells the back ends how the sessions ended */
  http_client_free(gateway->http_client);
  routes_free(gateway->routes);
  routes_free(program->coming);
  loop_end(gateway);
  peers_free(&gateway->peers);
  blocks_free(&gateway->blocks); /* the server has given back all of them */
  access_log_close(&gateway->access_log);
  gateway_settings_free(&program->settings);
  files_forget(program);
}

static int gateway_main(const struct command *command, int argc, char **argv) {
  static struct gateway_program program; /* large, and only one */
  char message[512];
  program.command = command;
  program.argc = argc;
  program.argv = argv;
  enum options_outcome outcome = gateway_settings_load(&program.settings, command, argc, argv, message, sizeof message);
  if (outcome == OPTIONS_WRONG && message[0]) complain(message);
  if (outcome != OPTIONS_RUN || program.settings.check) {
    if (outcome == OPTIONS_RUN) printf("%zu routes, nothing is wrong\n", program.settings.route_count);
    gateway_settings_free(&program.settings);
    return outcome == OPTIONS_WRONG ? EXIT_USAGE : EXIT_DONE;
  }
  log_set_level(program.settings.server.log_level);
  log_set_json(program.settings.server.log_json);
  if (!service_begin(&program)) return EXIT_FAILED;
  signals_block(&program.signals, true);
  program.ending.signals = &program.signals;
  program.ending.service = &program.service;
  program.ending.draining = &program.gateway.draining;
  program.ending.drain_delay_ms = program.settings.server.drain_delay_ms;
  if (uv_loop_init(&program.gateway.loop)) {
    complain("the system gives no loop");
    return EXIT_FAILED;
  }
  gateway_loop_begin(&program.gateway);
  bool good = program_run(&program);
  program_end(&program);
  return good ? EXIT_DONE : EXIT_FAILED;
}

const struct command gateway_command = {
    .name = "gateway",
    .summary = "Passes WebTransport sessions on to TCP, UDP and Unix sockets",
    .details = gateway_details,
    .options = gateway_options,
    .examples = gateway_examples,
    .exits = EXITS_COMMON,
    .run = gateway_main,
};
