/* SPDX-License-Identifier: MIT */
/*
 * The members of a route: a table in the manner of the tool's options, so that the file and the command line read
 * values alike ("10s", "1M") and a mistake gets the same sentence.
 *
 * A route begins as a copy of the defaults. Lists (`origin`, `protocol` and others) of the defaults hold until the route has its
 * own: then they are replaced, not continued.
 */
#include "gateway/route_settings.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/values.h"
#include "gateway/backend.h"
#include "gateway/forwarded.h"
#include "gateway/http_client.h"
#include "gateway/path_plain.h"

enum {
  CONNECT_TIMEOUT_MS = 10000,
  BACKEND_SESSIONS = 16, /* as the library's client and server have */
  BACKEND_SESSIONS_MAX = 10000,
};

#define COUNT_MAX 10000000
#define RATE_MAX (UINT64_C(1) << 40)

static bool set_backend(void *target, const char *value, char *message, size_t size) {
  return target_parse(value, &((struct route_settings *)target)->target, message, size);
}

static bool set_requests(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  settings->requests_given = true;
  settings->requests.text[0] = 0;
  if (!strcmp(value, "none")) return true;
  if (!http_client_available())
    return value_refuse(message, size, "this program was built without libcurl, which passes requests on");
  return http_url_parse(value, false, &settings->requests, message, size);
}

static bool set_requests_ca(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  if (!value_file(value, message, size)) return false;
  if (strlen(value) >= sizeof settings->requests_ca) return value_refuse(message, size, "the name is too long");
  snprintf(settings->requests_ca, sizeof settings->requests_ca, "%s", value);
  return true;
}

static bool set_origin(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  if (settings->origins_inherited) memset(&settings->origins, 0, sizeof settings->origins);
  settings->origins_inherited = false;
  const char *wrong = origins_add(&settings->origins, value);
  settings->origins.chosen = true;
  return wrong ? value_refuse(message, size, "%s", wrong) : true;
}

static bool set_protocol(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  if (!value_protocol(value, message, size)) return false;
  if (settings->protocols_inherited) settings->protocol_count = 0;
  settings->protocols_inherited = false;
  if (settings->protocol_count == ROUTE_PROTOCOLS_MAX) return value_refuse(message, size, "too many names");
  if (strlen(value) >= ROUTE_PROTOCOL_SIZE) return value_refuse(message, size, "the name is too long");
  snprintf(settings->protocols[settings->protocol_count++], ROUTE_PROTOCOL_SIZE, "%s", value);
  return true;
}

static bool set_proxy_protocol(void *target, const char *value, char *message, size_t size) {
  size_t index;
  if (!value_word(value, "no yes", &index, message, size)) return false;
  ((struct route_settings *)target)->proxy_protocol = index;
  return true;
}

/* --- Members of back ends that are URLs. --- */

static bool set_backend_ca(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  settings->url_members_given = true;
  if (!value_file(value, message, size)) return false;
  if (strlen(value) >= ROUTE_FILE_SIZE) return value_refuse(message, size, "the name is too long");
  snprintf(settings->trust.ca_file, ROUTE_FILE_SIZE, "%s", value);
  return true;
}

static bool set_backend_hash(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  struct backend_trust *trust = &settings->trust;
  settings->url_members_given = true;
  if (settings->hashes_inherited) trust->hash_count = 0;
  settings->hashes_inherited = false;
  if (trust->hash_count == ROUTE_HASHES_MAX) return value_refuse(message, size, "too many hashes");
  return value_hash(value, trust->hashes[trust->hash_count++], message, size);
}

static bool set_backend_sessions(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  settings->url_members_given = true;
  return value_number(value, 1, BACKEND_SESSIONS_MAX, &settings->trust.sessions_per_connection, message, size);
}

static bool set_host(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  size_t index;
  settings->url_members_given = true;
  if (!value_word(value, "backend keep", &index, message, size)) return false;
  settings->keep_host = index;
  return true;
}

static bool set_trust_forwarded(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  size_t index;
  settings->url_members_given = true;
  if (!value_word(value, "no yes", &index, message, size)) return false;
  settings->trust_forwarded = index;
  return true;
}

static bool set_answer_header(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  struct answer_headers *answer = &settings->answer_headers;
  settings->url_members_given = true;
  if (settings->answer_headers_inherited) *answer = (struct answer_headers){.any = false};
  settings->answer_headers_inherited = false;
  answer->any = answer->any || !strcmp(value, "any");
  if (!strcmp(value, "any") || !strcmp(value, "none")) return true;
  if (!value_is_token(value, strlen(value)) || strpbrk(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return value_refuse(message, size, "expected any, none or the name of a header field in lower case");
  if (answer->count == ROUTE_ANSWER_HEADERS_MAX) return value_refuse(message, size, "too many names");
  if (strlen(value) >= ROUTE_ANSWER_HEADER_SIZE) return value_refuse(message, size, "the name is too long");
  snprintf(answer->names[answer->count++], ROUTE_ANSWER_HEADER_SIZE, "%s", value);
  return true;
}

bool route_answer_header_passes(const struct route_settings *settings, const char *name) {
  const struct answer_headers *answer = &settings->answer_headers;
  bool found = answer->any;
  for (size_t i = 0; !found && i < answer->count; i++) found = !strcmp(answer->names[i], name);
  return found && forwarded_answer_passes(name);
}

/* --- Limits. --- */

static bool count_set(const char *value, uint64_t *count, char *message, size_t size) {
  return value_number(value, 0, COUNT_MAX, count, message, size);
}

static bool set_max_sessions(void *target, const char *value, char *message, size_t size) {
  return count_set(value, &((struct route_settings *)target)->max_sessions, message, size);
}

static bool set_max_sessions_per_address(void *target, const char *value, char *message, size_t size) {
  return count_set(value, &((struct route_settings *)target)->max_sessions_per_address, message, size);
}

static bool set_max_streams(void *target, const char *value, char *message, size_t size) {
  return count_set(value, &((struct route_settings *)target)->max_streams, message, size);
}

static bool set_max_streams_per_address(void *target, const char *value, char *message, size_t size) {
  return count_set(value, &((struct route_settings *)target)->max_streams_per_address, message, size);
}

static bool rate_set(const char *value, uint64_t *rate, char *message, size_t size) {
  if (!value_size(value, 0, RATE_MAX, rate, message, size)) return false;
  return *rate == 0 || *rate >= 1024 ? true : value_refuse(message, size, "expected 0, or 1K or more");
}

static bool set_rate(void *target, const char *value, char *message, size_t size) {
  return rate_set(value, &((struct route_settings *)target)->rate, message, size);
}

static bool set_rate_per_address(void *target, const char *value, char *message, size_t size) {
  return rate_set(value, &((struct route_settings *)target)->rate_per_address, message, size);
}

static bool time_set(const char *value, uint64_t *ms, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, 365 * NS_PER_DAY, &ns, message, size)) return false;
  *ms = clock_ms_up(ns);
  return true;
}

static bool set_connect_timeout(void *target, const char *value, char *message, size_t size) {
  return time_set(value, &((struct route_settings *)target)->connect_timeout_ms, message, size);
}

static bool set_idle_timeout(void *target, const char *value, char *message, size_t size) {
  struct route_settings *settings = target;
  settings->idle_timeout_given = true;
  return time_set(value, &settings->idle_timeout_ms, message, size);
}

static bool set_max_life(void *target, const char *value, char *message, size_t size) {
  return time_set(value, &((struct route_settings *)target)->max_life_ms, message, size);
}

const struct option_spec route_members[] = {
    {.name = "backend", .argument = "URL", .help = "Where its streams or datagrams go.", .set = set_backend},
    {.name = "requests", .argument = "URL", .help = "Where other requests go.", .set = set_requests},
    {.name = "requests-ca", .argument = "FILE", .help = "Whom to trust there.", .set = set_requests_ca},
    {.name = "origin", .argument = "ORIGIN", .repeatable = true, .help = "Who may open sessions.", .set = set_origin},
    {.name = "protocol", .argument = "NAME", .repeatable = true, .help = "Subprotocol.", .set = set_protocol},
    {.name = "proxy-protocol", .argument = "WHEN", .help = "PROXY protocol.", .set = set_proxy_protocol},
    {.name = "backend-ca", .argument = "FILE", .help = "Authorities of the back end.", .set = set_backend_ca},
    {.name = "backend-insecure-hash",
     .argument = "HASH",
     .repeatable = true,
     .help = "SHA-256 of its certificate.",
     .set = set_backend_hash},
    {.name = "backend-sessions", .argument = "N", .help = "On one connection to it.", .set = set_backend_sessions},
    {.name = "host", .argument = "WHICH", .help = "Authority that it gets.", .set = set_host},
    {.name = "trust-forwarded", .argument = "WHEN", .help = "Clients are proxies.", .set = set_trust_forwarded},
    {.name = "answer-header",
     .argument = "NAME",
     .repeatable = true,
     .help = "Fields of its answer that clients get.",
     .set = set_answer_header},
    {.name = "max-sessions", .argument = "N", .help = "Sessions at once.", .set = set_max_sessions},
    {.name = "max-sessions-per-address",
     .argument = "N",
     .help = "Likewise, of one address.",
     .set = set_max_sessions_per_address},
    {.name = "max-streams", .argument = "N", .help = "Connections at once.", .set = set_max_streams},
    {.name = "max-streams-per-address",
     .argument = "N",
     .help = "Likewise, of one address.",
     .set = set_max_streams_per_address},
    {.name = "rate", .argument = "SIZE", .help = "Bytes per second.", .set = set_rate},
    {.name = "rate-per-address", .argument = "SIZE", .help = "Likewise, of one address.", .set = set_rate_per_address},
    {.name = "connect-timeout", .argument = "TIME", .help = "To the back end.", .set = set_connect_timeout},
    {.name = "idle-timeout", .argument = "TIME", .help = "Without bytes or datagrams.", .set = set_idle_timeout},
    {.name = "max-life", .argument = "TIME", .help = "Of a session.", .set = set_max_life},
    AUTH_MEMBERS,
    {0},
};

void route_settings_default(struct route_settings *settings) {
  memset(settings, 0, sizeof *settings);
  settings->max_sessions = 10000;
  settings->max_sessions_per_address = 100;
  settings->max_streams = 10000;
  settings->max_streams_per_address = 1000;
  settings->connect_timeout_ms = CONNECT_TIMEOUT_MS;
  settings->trust.sessions_per_connection = BACKEND_SESSIONS;
  settings->answer_headers.any = true;
  auth_settings_default(&settings->auth);
}

/* A path as a request has it: printable ASCII without a query. */
static bool path_check(const char *path, char *message, size_t size) {
  if (path[0] != '/') return value_refuse(message, size, "a path begins with '/'");
  if (strlen(path) >= ROUTE_PATH_SIZE) return value_refuse(message, size, "the path is too long");
  for (const char *at = path; *at; at++)
    if (*at <= ' ' || *at > '~' || *at == '?' || *at == '#')
      return value_refuse(message, size, "a path has no spaces, no '?' and no '#'; other characters are %%-encoded");
  char plain[ROUTE_PATH_SIZE];
  if (!path_plain(path, plain, sizeof plain) || strcmp(path, plain) != 0)
    return value_refuse(message, size,
                        "a path is encoded no more than it must be, and has no '//' and no dots between "
                        "slashes");
  return true;
}

bool route_settings_begin(struct route_settings *settings, const struct route_settings *defaults, const char *path,
                          char *message, size_t size) {
  if (!path_check(path, message, size)) return false;
  *settings = *defaults;
  settings->origins_inherited = settings->protocols_inherited = true;
  settings->hashes_inherited = settings->answer_headers_inherited = true;
  settings->url_members_given = false;
  auth_settings_inherit(&settings->auth);
  snprintf(settings->path, sizeof settings->path, "%s", path);
  return true;
}

bool route_settings_set(struct route_settings *settings, const char *name, const char *value, char *message,
                        size_t size) {
  for (const struct option_spec *member = route_members; member->name; member++)
    if (!strcmp(member->name, name)) return member->set(settings, value, message, size);
  return value_refuse(message, size, "a route has no member of this name");
}

/* Without `requests`, a back end of HTTP gets the requests, too. */
static bool requests_finish(struct route_settings *settings, char *message, size_t size) {
  const struct backend_kind *kind = settings->target.kind;
  if (settings->requests_given || !kind->has_requests) return true;
  if (!settings->requests_ca[0])
    snprintf(settings->requests_ca, sizeof settings->requests_ca, "%s", settings->trust.ca_file);
  char why[200];
  if (http_client_available() && http_url_parse(settings->target.text, false, &settings->requests, why, sizeof why))
    return true;
  if (kind->has_sessions) return true; /* and no requests */
  return http_client_available()
             ? value_refuse(message, size, "backend: %s", why)
             : value_refuse(message, size, "this program was built without libcurl, which passes requests on");
}

bool route_settings_finish(struct route_settings *settings, char *message, size_t size) {
  const struct backend_kind *kind = settings->target.kind;
  if (!kind) return value_refuse(message, size, "the route has no backend");
  if (settings->proxy_protocol && !kind->has_streams)
    return value_refuse(message, size, "proxy-protocol has a meaning for connections alone, not for %s", kind->scheme);
  if (settings->url_members_given && !kind->url_port)
    return value_refuse(message, size,
                        "backend-ca, backend-insecure-hash, backend-sessions, host, trust-forwarded and answer-header "
                        "have no meaning for %s",
                        kind->scheme);
  if (!settings->idle_timeout_given) settings->idle_timeout_ms = kind->idle_timeout_ms;
  if (!requests_finish(settings, message, size)) return false;
  return auth_settings_finish(&settings->auth, message, size);
}
