/* SPDX-License-Identifier: MIT */
/*
 * The settings of the gateway. Members of the file have the names of the options, so one table serves both; routes and
 * their defaults are mappings of their own, with the table of route_settings.c:
 *
 *     listen: "[::]:443"            # as --listen
 *     cert: /etc/gateway/cert.pem
 *     key: /etc/gateway/key.pem
 *     defaults:
 *       idle-timeout: 10m
 *     routes:
 *       /ssh: tcp://127.0.0.1:22    # the back end alone
 *       /game/:
 *         backend: udp://10.0.0.5:7777
 *         max-sessions: 500
 *
 * Options are read twice: first to find the file, then over what the file has said. Routes are made last, because the
 * defaults have to be complete before.
 */
#include "gateway/gateway_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/values.h"

static bool set_config(void *target, const char *value, char *message, size_t size) {
  ((struct gateway_settings *)target)->config_path = value;
  return value_file(value, message, size);
}

static bool set_route(void *target, const char *value, char *message, size_t size) {
  struct gateway_settings *settings = target;
  if (!strchr(value, '=')) return value_refuse(message, size, "expected PATH=URL, such as /ssh=tcp://127.0.0.1:22");
  if (settings->route_text_count == ROUTES_MAX) return value_refuse(message, size, "too many routes");
  settings->route_texts[settings->route_text_count++] = value;
  return true;
}

static bool set_default(void *target, const char *value, char *message, size_t size) {
  struct gateway_settings *settings = target;
  if (!strchr(value, '=')) return value_refuse(message, size, "expected NAME=VALUE, such as idle-timeout=10m");
  if (settings->default_text_count == DEFAULTS_MAX) return value_refuse(message, size, "too many of them");
  settings->default_texts[settings->default_text_count++] = value;
  return true;
}

static bool set_access_log(void *target, const char *value, char *message, size_t size) {
  ((struct gateway_settings *)target)->access_log = strcmp(value, "none") ? value : NULL;
  return value_file(value, message, size);
}

static bool set_http(void *target, const char *value, char *message, size_t size) {
  struct gateway_settings *settings = target;
  settings->http = strcmp(value, "none") != 0;
  if (!settings->http) return true;
  const char *wrong = host_port_parse(value, &settings->http_address);
  return wrong ? value_refuse(message, size, "%s", wrong) : true;
}

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct gateway_settings *)target)->json = true;
  return true;
}

static bool set_check(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct gateway_settings *)target)->check = true;
  return true;
}

/* What the file may have, too. */
/* clang-format off */
#define FILE_MEMBERS                                                                                                  \
  {.name = "access-log", .argument = "FILE", .kind = VALUE_FILE, .words = "none",                                     \
   .fallback = "-, the standard output",                                                                              \
   .help = "Where each session and each request leaves a line of JSON at its end, also refused ones; none for "        \
           "nowhere. SIGHUP and SIGUSR1 open it again.",                                                              \
   .set = set_access_log},                                                                                            \
  {.name = "http", .argument = "ADDR:PORT", .kind = VALUE_HOST, .words = "none", .fallback = "none",                  \
   .help = "TCP address for /metrics and /healthz by HTTP/1.1. It is meant for the loopback addresses.",              \
   .set = set_http},                                                                                                  \
  SERVER_OPTIONS
/* clang-format on */

static const struct option_spec file_members[] = {FILE_MEMBERS, {0}};

const struct option_spec gateway_options[] = {
    {.name = "config",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .fallback = "none",
     .help = "Configuration in YAML: most of these options by their long names, 'routes' and 'defaults'. SIGHUP reads "
             "it again.",
     .set = set_config},
    {.name = "check",
     .help = "Reads the options and the configuration, says what is wrong with them, and ends.",
     .set = set_check},
    {.name = "route",
     .letter = 'r',
     .argument = "PATH=URL",
     .repeatable = true,
     .help = "Sessions at this path go to this back end: tcp://HOST:PORT, unix:/PATH, udp://HOST:PORT, unixgram:/PATH "
             "or https://HOST[:PORT][/PATH]; http://HOST[:PORT] is for requests that are no sessions. A path that ends "
             "in '/' stands for all below it.",
     .set = set_route},
    {.name = "default",
     .letter = 'd',
     .argument = "NAME=VALUE",
     .repeatable = true,
     .help = "A member of every route that does not have its own, such as idle-timeout=10m or "
             "origin=https://example.com.",
     .set = set_default},
    {.name = "json",
     .letter = 'j',
     .help = "Prints one line of JSON on standard output when ready, instead of a line in the log.",
     .set = set_json},
    FILE_MEMBERS,
    {0},
};

const char gateway_details[] =
    "A client can only name a path; addresses of back ends are those of the configuration alone.\n"
    "tcp and unix: each bidirectional stream is a connection. udp and unixgram: each session is a socket, and each "
    "datagram is one of it. https: each session is a session with a server of WebTransport, with all that it has. "
    "http and 'requests': requests that are no sessions.\n"
    "\n"
    "Members of a route: backend, requests, requests-ca, origin, protocol, proxy-protocol, backend-ca, "
    "backend-insecure-hash, backend-sessions, host, trust-forwarded, answer-header, max-sessions, "
    "max-sessions-per-address, "
    "max-streams, max-streams-per-address, rate, rate-per-address, connect-timeout, idle-timeout, max-life; "
    "auth-request, auth-request-ca, auth-request-header, auth-response-header, auth-user-header, auth-timeout, "
    "auth-max-requests; jwt-algorithm, jwt-key, jwt-from, jwt-audience, jwt-issuer, jwt-path-claim, jwt-user-claim, "
    "jwt-leeway. 0 stands for no limit. Pages of the same origin may open sessions, or those that 'origin' names.\n"
    "\n"
    "SIGINT and SIGTERM end the gateway in order within 5 seconds, SIGTERM after --drain-delay; a second one at once. "
    "SIGHUP reads the "
    "configuration and the certificate again; sessions go on with the route that they began with. If something is "
    "wrong, all stays as it was, and the log names the line.";

const struct example_spec gateway_examples[] = {
    {"webtransport gateway --route /ssh=tcp://127.0.0.1:22", "SSH for 'webtransport connect' as a ProxyCommand."},
    {"webtransport gateway --config /etc/webtransport/gateway.yaml", "Routes with limits of their own."},
    {0},
};

static void settings_default(struct gateway_settings *settings) {
  memset(settings, 0, sizeof *settings);
  server_settings_default(&settings->server);
  route_settings_default(&settings->defaults);
  settings->access_log = "-";
}

/* --- Routes and defaults. --- */

/* Splits "NAME=VALUE" at the first '='. */
static bool text_split(const char *text, char *name, size_t name_size, const char **value, char *message, size_t size) {
  size_t len = strcspn(text, "=");
  if (len >= name_size) return value_refuse(message, size, "what is before '=' is too long");
  memcpy(name, text, len);
  name[len] = 0;
  *value = text + len + 1;
  return true;
}

static bool defaults_apply(struct gateway_settings *settings, char *message, size_t size) {
  char name[64], why[400] = "";
  const char *value = "";
  for (size_t i = 0; i < settings->default_text_count; i++) {
    const char *text = settings->default_texts[i];
    if (text_split(text, name, sizeof name, &value, why, sizeof why) &&
        route_settings_set(&settings->defaults, name, value, why, sizeof why))
      continue;
    return value_refuse(message, size, "--default '%s': %s", text, why);
  }
  return true;
}

/* Begins a route and adds it to the list. NULL: it was refused. */
static struct route_settings *route_add(struct gateway_settings *settings, const char *path, char *message,
                                        size_t size) {
  struct route_settings *route;
  for (size_t i = 0; i < settings->route_count; i++) {
    if (strcmp(settings->routes[i]->path, path)) continue;
    value_refuse(message, size, "there is a route at '%s' already", path);
    return NULL;
  }
  if (settings->route_count == ROUTES_MAX || !(route = malloc(sizeof *route))) {
    value_refuse(message, size, settings->route_count == ROUTES_MAX ? "too many routes" : "out of memory");
    return NULL;
  }
  if (!route_settings_begin(route, &settings->defaults, path, message, size)) {
    free(route);
    return NULL;
  }
  settings->routes[settings->route_count++] = route;
  return route;
}

/* A route of the file: "/ssh: tcp://127.0.0.1:22", or with members. */
static bool route_visit(void *user_data, const char *name, const char *value, const struct config_mapping *mapping,
                        char *message, size_t size) {
  struct route_settings *route = route_add(user_data, name, message, size);
  if (!route) return false;
  bool good = value ? route_settings_set(route, "backend", value, message, size)
                    : config_mapping_apply(mapping, route_members, route, NULL, message, size);
  return good && route_settings_finish(route, message, size);
}

static bool file_routes_apply(struct gateway_settings *settings, char *message, size_t size) {
  struct config_mapping root, routes;
  bool found;
  if (!settings->file) return true;
  if (!config_file_root(settings->file, &root, message, size)) return false;
  if (!config_mapping_find(&root, "routes", &routes, &found, message, size)) return false;
  return !found || config_mapping_each(&routes, route_visit, settings, message, size);
}

static bool option_routes_apply(struct gateway_settings *settings, char *message, size_t size) {
  char path[ROUTE_PATH_SIZE], why[400] = "";
  const char *url = "";
  for (size_t i = 0; i < settings->route_text_count; i++) {
    const char *text = settings->route_texts[i];
    struct route_settings *route = NULL;
    if (text_split(text, path, sizeof path, &url, why, sizeof why)) route = route_add(settings, path, why, sizeof why);
    if (!route || !route_settings_set(route, "backend", url, why, sizeof why) ||
        !route_settings_finish(route, why, sizeof why))
      return value_refuse(message, size, "--route '%s': %s", text, why);
  }
  return true;
}

static bool file_defaults_apply(struct gateway_settings *settings, char *message, size_t size) {
  struct config_mapping root, defaults;
  bool found;
  if (!settings->file) return true;
  if (!config_file_root(settings->file, &root, message, size)) return false;
  if (!config_mapping_find(&root, "defaults", &defaults, &found, message, size)) return false;
  return !found || config_mapping_apply(&defaults, route_members, &settings->defaults, NULL, message, size);
}

static bool settings_finish(struct gateway_settings *settings, char *message, size_t size) {
  if (!file_defaults_apply(settings, message, size) || !defaults_apply(settings, message, size)) return false;
  if (!file_routes_apply(settings, message, size) || !option_routes_apply(settings, message, size)) return false;
  if (!settings->route_count) return value_refuse(message, size, "there is no route: give --route or --config");
  const char *wrong = server_settings_check(&settings->server);
  return wrong ? value_refuse(message, size, "%s", wrong) : true;
}

/* --- The whole. --- */

static bool file_members_apply(struct gateway_settings *settings, char *message, size_t size) {
  static const char *const others[] = {"routes", "defaults", NULL};
  struct config_mapping root;
  return config_file_root(settings->file, &root, message, size) &&
         config_mapping_apply(&root, file_members, settings, others, message, size);
}

enum options_outcome gateway_settings_load(struct gateway_settings *settings, const struct command *command, int argc,
                                           char **argv, char *message, size_t size) {
  message[0] = 0;
  settings_default(settings);
  enum options_outcome outcome = options_parse(command, argc, argv, settings);
  if (outcome != OPTIONS_RUN) return outcome;
  const char *path = settings->config_path;
  if (path) {
    gateway_settings_free(settings);
    settings_default(settings);
    settings->file = config_file_read(path, message, size);
    if (!settings->file || !file_members_apply(settings, message, size)) return OPTIONS_WRONG;
    outcome = options_parse(command, argc, argv, settings);
    if (outcome != OPTIONS_RUN) return outcome;
  }
  return settings_finish(settings, message, size) ? OPTIONS_RUN : OPTIONS_WRONG;
}

void gateway_settings_free(struct gateway_settings *settings) {
  for (size_t i = 0; i < settings->route_count; i++) free(settings->routes[i]);
  settings->route_count = 0;
  config_file_free(settings->file);
  settings->file = NULL;
  hosts_free(&settings->server.hosts);
}
