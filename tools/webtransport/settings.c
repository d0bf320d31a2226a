/* SPDX-License-Identifier: MIT */
/*
 * The options of `webtransport serve`: the table that says what there is, and one function for each
 * option that checks its value. Values are checked as far as their form goes; whether a port is free
 * or a file can be read shows when the server starts, and is told as a failure, not as wrong usage.
 */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

static bool refuse(char *message, size_t size, const char *why) {
  snprintf(message, size, "%s", why);
  return false;
}

static bool number_read(const char *value, uint64_t max, uint64_t *number) {
  *number = 0;
  if (!*value) return false;
  for (; *value; value++) {
    if (*value < '0' || *value > '9') return false;
    *number = *number * 10 + (uint64_t)(*value - '0');
    if (*number > max) return false;
  }
  return true;
}

static bool set_listen(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  struct address address;
  const char *wrong = address_parse(value, &address);
  if (!wrong && settings->listen_count == LISTEN_MAX) wrong = "too many addresses";
  if (wrong) return refuse(message, size, wrong);
  settings->listen[settings->listen_count++] = value;
  return true;
}

static bool set_http(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  settings->http_given = true;
  settings->http = strcmp(value, "none") != 0;
  if (!settings->http) return true;
  const char *wrong = address_parse(value, &settings->http_address);
  return wrong ? refuse(message, size, wrong) : true;
}

static bool set_cert(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->cert_file = value;
  return *value ? true : refuse(message, size, "the file's name is empty");
}

static bool set_key(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->key_file = value;
  return *value ? true : refuse(message, size, "the file's name is empty");
}

static bool set_www(void *target, const char *value, char *message, size_t size) {
  struct stat info;
  ((struct serve_settings *)target)->www = value;
  if (stat(value, &info)) return refuse(message, size, "there is no such folder");
  return S_ISDIR(info.st_mode) ? true : refuse(message, size, "this is not a folder");
}

static bool set_origin(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  const char *wrong = origins_add(&settings->origins, value);
  settings->origins.chosen = true;
  return wrong ? refuse(message, size, wrong) : true;
}

static bool set_protocol(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  if (!*value) return refuse(message, size, "the name is empty");
  for (const char *c = value; *c; c++)
    if (*c < 0x20 || *c > 0x7e) return refuse(message, size, "only printable ASCII can be sent in a header field");
  if (settings->protocol_count == PROTOCOLS_MAX) return refuse(message, size, "too many names");
  settings->protocols[settings->protocol_count++] = value;
  return true;
}

static bool set_log(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  if (log_level_parse(value, &settings->log_level)) return true;
  return refuse(message, size, "expected none, error, warn, info or debug");
}

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value;
  (void)message;
  (void)size;
  ((struct serve_settings *)target)->json = true;
  return true;
}

static bool set_retry(void *target, const char *value, char *message, size_t size) {
  static const char *const names[] = {"never", "load", "always"};
  static const enum wt_retry values[] = {WT_RETRY_NEVER, WT_RETRY_UNDER_LOAD, WT_RETRY_ALWAYS};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(value, names[i])) continue;
    ((struct serve_settings *)target)->retry = values[i];
    return true;
  }
  return refuse(message, size, "expected never, load or always");
}

static bool set_idle_timeout(void *target, const char *value, char *message, size_t size) {
  uint64_t seconds;
  if (!number_read(value, 86400, &seconds)) return refuse(message, size, "expected seconds, from 0 to 86400");
  ((struct serve_settings *)target)->idle_timeout_ms = seconds * 1000;
  return true;
}

static bool set_max_connections(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!number_read(value, 10000000, &number) || !number)
    return refuse(message, size, "expected a number from 1 to 10000000");
  ((struct serve_settings *)target)->max_connections = (size_t)number;
  return true;
}

/* "7,13,15": the drafts to announce. */
static bool set_drafts(void *target, const char *value, char *message, size_t size) {
  static const struct {
    unsigned long number;
    enum wt_draft draft;
  } known[] = {{2, WT_DRAFT_02}, {7, WT_DRAFT_07}, {13, WT_DRAFT_13}, {15, WT_DRAFT_15}};
  unsigned drafts = 0;
  for (const char *at = value;; at++) {
    char *end;
    unsigned long number = strtoul(at, &end, 10);
    unsigned found = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
      if (number == known[i].number) found = known[i].draft;
    if (!found || (*end && *end != ','))
      return refuse(message, size, "expected some of 2, 7, 13 and 15, as in 7,13,15");
    drafts |= found;
    at = end;
    if (!*at) break;
  }
  ((struct serve_settings *)target)->drafts = drafts;
  return true;
}

const struct option_spec serve_options[] = {
    {"listen", 'l', "ADDR:PORT", "[::]:4433", true,
     "UDP address to listen on. [::] takes IPv4 too; port 0 takes any that is free.", set_listen},
    {"http", 0, "ADDR:PORT", "localhost:8080, or the next port that is free", false,
     "TCP address of the HTTP/1.1 companion, which serves the page, /info.json, /sessions.json, /stats.json, /metrics "
     "and /healthz; none switches it off. It is meant for the loopback addresses.",
     set_http},
    {"cert", 'c', "FILE", "a self-signed certificate, made in memory, valid for 13 days", false,
     "Certificate chain, in PEM; needs --key.", set_cert},
    {"key", 'k', "FILE", NULL, false, "Private key of the certificate, in PEM.", set_key},
    {"www", 'w', "DIR", "the built-in page", false, "Folder whose files are served at /, by HTTP/3 and the companion.",
     set_www},
    {"origin", 'o', "ORIGIN", "same-origin pages, and those at the companion's port on localhost, 127.0.0.1 and [::1]",
     true,
     "Origin whose pages may open sessions, such as https://example.com; any allows all. Clients that send no origin "
     "are always allowed.",
     set_origin},
    {"protocol", 'p', "NAME", "none", true, "Subprotocol that sessions may agree on.", set_protocol},
    {"log", 0, "LEVEL", "info", false, "How much is logged on standard error: none, error, warn, info or debug.",
     set_log},
    {"json", 'j', NULL, NULL, false, "Prints one line of JSON on standard output when ready, instead of text.",
     set_json},
    {"retry", 0, "WHEN", "load", false, "Whether clients must prove their address first: never, load or always.",
     set_retry},
    {"idle-timeout", 0, "SECONDS", "30", false, "Ends a connection on which nothing arrives; 0 never does.",
     set_idle_timeout},
    {"max-connections", 0, "N", "65536", false, "Refuses connections beyond this number.", set_max_connections},
    {"drafts", 0, "LIST", "2,7,13,15", false,
     "Drafts of WebTransport to announce, each standing for those up to the next. For tests: browsers need 2.",
     set_drafts},
    {0},
};

const char serve_details[] =
    "Endpoints for sessions:\n"
    "/echo sends back streams, datagrams, resets and stop-sendings; also POST.\n"
    "/sink reads and counts; also POST.\n"
    "/source?bytes=N&streams=M sends M unidirectional streams of N bytes; also GET, for N bytes. "
    "Byte i is (i * 31 + (i >> 8)) modulo 256.\n"
    "/close?code=C&reason=R closes the session at once.\n"
    "\n"
    "SIGINT and SIGTERM end the server in order within 5 seconds, a second one at once. SIGHUP reads --cert and --key "
    "again, or makes a new certificate; sessions go on.\n"
    "\n"
    "Exit status: 0 after SIGINT or SIGTERM, 1 when the server cannot start or fails, 2 for wrong options.";

void serve_settings_default(struct serve_settings *settings) {
  struct wt_server_config config;
  wt_server_config_default(&config);
  memset(settings, 0, sizeof *settings);
  settings->http = true;
  address_parse("localhost:8080", &settings->http_address);
  settings->log_level = WT_LOG_INFO;
  settings->retry = config.retry;
  settings->idle_timeout_ms = config.idle_timeout_ms;
  settings->max_connections = config.max_connections;
  settings->drafts = config.drafts;
}
