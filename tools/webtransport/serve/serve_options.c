/* SPDX-License-Identifier: MIT */
/*
 * The options of `webtransport serve`: a table, and one function for each option that checks its value. Only the form
 * of a value is checked here. If a port is taken or a file cannot be read, the start of the server fails; that is not
 * wrong usage.
 */
#include "serve/serve_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webtransport/fleet.h>

#include "common/clock.h"
#include "common/tool_log.h"
#include "common/values.h"

#define TAKEOVER_PATH_MAX 95 /* as the library's */
#define TAKEOVER_DAYS_MAX 30
#define BACKPLANE_PREFIX_MAX 255

static bool set_http(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  settings->http_given = true;
  settings->http = strcmp(value, "none") != 0;
  if (!settings->http) return true;
  const char *wrong = host_port_parse(value, &settings->http_address);
  return wrong ? value_refuse(message, size, "%s", wrong) : true;
}

static bool set_fleet_keys(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->fleet_keys = value;
  return value_file(value, message, size);
}

static bool set_own_resets(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct serve_settings *)target)->own_resets = true;
  return true;
}

static bool set_www(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->www = value;
  return value_folder(value, message, size);
}

static bool set_origin(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  const char *wrong = origins_add(&settings->origins, value);
  settings->origins.chosen = true;
  return wrong ? value_refuse(message, size, "%s", wrong) : true;
}

static bool set_protocol(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  if (!value_protocol(value, message, size)) return false;
  if (settings->protocol_count == PROTOCOLS_MAX) return value_refuse(message, size, "too many names");
  settings->protocols[settings->protocol_count++] = value;
  return true;
}

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct serve_settings *)target)->json = true;
  return true;
}

static bool set_patience(const char *value, uint64_t *ms, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, NS_PER_DAY, &ns, message, size)) return false;
  *ms = ns / NS_PER_MS;
  return true;
}

static bool set_header_timeout(void *target, const char *value, char *message, size_t size) {
  return set_patience(value, &((struct serve_settings *)target)->header_timeout_ms, message, size);
}

static bool set_send_timeout(void *target, const char *value, char *message, size_t size) {
  return set_patience(value, &((struct serve_settings *)target)->send_timeout_ms, message, size);
}

static bool set_body_timeout(void *target, const char *value, char *message, size_t size) {
  return set_patience(value, &((struct serve_settings *)target)->body_timeout_ms, message, size);
}

static bool set_min_progress(void *target, const char *value, char *message, size_t size) {
  return value_size(value, 1, UINT32_MAX, &((struct serve_settings *)target)->min_progress, message, size);
}

static bool set_user(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->user = value;
  return *value ? true : value_refuse(message, size, "expected a name");
}

static bool set_access_log(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->access_log = strcmp(value, "none") ? value : NULL;
  return *value ? true : value_refuse(message, size, "expected a file, -, or none");
}

static bool set_access_log_query(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct serve_settings *)target)->access_log_query = true;
  return true;
}

static bool set_workers(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 1, WORKERS_MAX, &number, message, size)) return false;
  ((struct serve_settings *)target)->workers = (unsigned)number;
  return true;
}

static bool set_max_open_files(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 0, 1000000, &number, message, size)) return false;
  ((struct serve_settings *)target)->max_open_files = (size_t)number;
  return true;
}

static bool set_max_open_files_per_connection(void *target, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 0, 1000000, &number, message, size)) return false;
  ((struct serve_settings *)target)->max_open_files_per_connection = (size_t)number;
  return true;
}

static bool set_takeover(void *target, const char *value, char *message, size_t size) {
  size_t len = strlen(value);
  ((struct serve_settings *)target)->takeover = value;
  if (len > 0 && len <= TAKEOVER_PATH_MAX) return true;
  return value_refuse(message, size, "expected a path of 1 to %d bytes", TAKEOVER_PATH_MAX);
}

static bool set_takeover_deadline(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, TAKEOVER_DAYS_MAX * NS_PER_DAY, &ns, message, size)) return false;
  ((struct serve_settings *)target)->takeover_deadline_ms = ns / NS_PER_MS;
  return true;
}

static bool set_takeover_drain(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct serve_settings *)target)->takeover_drain = true;
  return true;
}

static bool set_server_id(void *target, const char *value, char *message, size_t size) {
  struct serve_settings *settings = target;
  return lb_server_id_read(value, getenv(LB_AWS_VARIABLE), &settings->server_id, message, size);
}

static bool set_lb_config(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->lb_config_file = value;
  return value_file(value, message, size);
}

/* The library's bounds. */
#define MESSAGE_MAX (UINT64_C(16) << 20)
#define QUEUE_MAX 65536
#define TOPICS_MAX 10000000
#define RATE_MAX 1000000
#define BYTE_RATE_MAX (UINT64_C(1) << 40)

static bool set_max_topics(void *target, const char *value, char *message, size_t size) {
  return value_number(value, 0, TOPICS_MAX, &((struct serve_settings *)target)->topics.max_topics, message, size);
}

static bool set_topic_max_message(void *target, const char *value, char *message, size_t size) {
  return value_size(value, 1, MESSAGE_MAX, &((struct serve_settings *)target)->topics.max_message, message, size);
}

static bool set_topic_queue(void *target, const char *value, char *message, size_t size) {
  return value_number(value, 1, QUEUE_MAX, &((struct serve_settings *)target)->topics.max_queue, message, size);
}

static bool set_topic_rate(void *target, const char *value, char *message, size_t size) {
  return value_number(value, 0, RATE_MAX, &((struct serve_settings *)target)->topics.rate, message, size);
}

static bool set_topic_byte_rate(void *target, const char *value, char *message, size_t size) {
  return value_size(value, 0, BYTE_RATE_MAX, &((struct serve_settings *)target)->topics.byte_rate, message, size);
}

/* The value is one of argv, which may be written to. */
static bool set_backplane(void *target, const char *value, char *message, size_t size) {
  return backplane_settings_read(&((struct serve_settings *)target)->backplane, (char *)(uintptr_t)value, message,
                                 size);
}

static bool set_backplane_password(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->backplane.password_file = value;
  return value_file(value, message, size);
}

static bool set_backplane_ca(void *target, const char *value, char *message, size_t size) {
  ((struct serve_settings *)target)->backplane.ca_file = value;
  return value_file(value, message, size);
}

static bool set_backplane_prefix(void *target, const char *value, char *message, size_t size) {
  size_t len = strlen(value);
  ((struct serve_settings *)target)->backplane.prefix = value;
  if (len > 0 && len <= BACKPLANE_PREFIX_MAX) return true;
  return value_refuse(message, size, "expected 1 to %d bytes", BACKPLANE_PREFIX_MAX);
}

const struct option_spec serve_options[] = {
    SERVER_OPTIONS,
    {.name = "http",
     .argument = "ADDR:PORT",
     .kind = VALUE_HOST,
     .words = "none",
     .fallback = "localhost:8080, or the next port that is free",
     .help = "TCP address of the HTTP/1.1 companion, which serves the page, /info.json, /sessions.json, /stats.json, "
             "/metrics and /healthz; none switches it off. It is meant for the loopback addresses.",
     .set = set_http},
    {.name = "fleet-keys",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .fallback = "random keys, which end with the process",
     .help = "Secrets that all machines of a fleet share, from 'webtransport keys new': sessions are resumed, address "
             "tokens taken and lost connections ended on each of them.",
     .set = set_fleet_keys},
    {.name = "own-resets",
     .help = "Ends no connections of other machines, only those of this process; needs --fleet-keys. For machines that "
             "clients reach without a balancer that goes by connection ids.",
     .set = set_own_resets},
    {.name = "www",
     .letter = 'w',
     .argument = "DIR",
     .kind = VALUE_FOLDER,
     .fallback = "the built-in page",
     .help = "Folder whose files are served at /, by HTTP/3 and the companion.",
     .set = set_www},
    {.name = "origin",
     .letter = 'o',
     .argument = "ORIGIN",
     .words = "any",
     .fallback = "same-origin pages, and those at the companion's port on localhost, 127.0.0.1 and [::1]",
     .repeatable = true,
     .help = "Origin whose pages may open sessions, such as https://example.com; any allows all. Clients that send no "
             "origin are always allowed.",
     .set = set_origin},
    {.name = "protocol",
     .letter = 'p',
     .argument = "NAME",
     .fallback = "none",
     .repeatable = true,
     .help = "Subprotocol that sessions may agree on.",
     .set = set_protocol},
    {.name = "json",
     .letter = 'j',
     .help = "Prints one line of JSON on standard output when ready, instead of text.",
     .set = set_json},
    {.name = "header-timeout",
     .argument = "TIME",
     .fallback = "30s",
     .help = "Gives up a request whose header section is not whole by then; 0 never does.",
     .set = set_header_timeout},
    {.name = "send-timeout",
     .argument = "TIME",
     .fallback = "60s",
     .help =
         "Gives up an answer or stream of which the client takes less than --min-progress in this time; 0 never does.",
     .set = set_send_timeout},
    {.name = "body-timeout",
     .argument = "TIME",
     .fallback = "60s",
     .help = "Gives up a request of whose body less than --min-progress comes in this time; 0 never does.",
     .set = set_body_timeout},
    {.name = "min-progress",
     .argument = "SIZE",
     .fallback = "1K",
     .help = "The least that a client has to take or send in these times.",
     .set = set_min_progress},
    {.name = "workers",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "1",
     .help = "Threads that serve, each with connections of its own; up to 256.",
     .set = set_workers},
    {.name = "access-log",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .words = "none",
     .fallback = "none",
     .help = "Where each session and each request leaves a line of JSON at its end, also refused ones; - is "
             "standard output. SIGHUP and SIGUSR1 open the file again.",
     .set = set_access_log},
    {.name = "access-log-query",
     .help = "Shows the queries of paths, which often have tokens, in the access log and in /sessions.json.",
     .set = set_access_log_query},
    {.name = "user",
     .argument = "NAME[:GROUP]",
     .fallback = "the one that starts the server",
     .help = "Goes on as this user, without the rights of root, once the ports are bound and the key is read.",
     .set = set_user},
    {.name = "max-open-files",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "half of the descriptors allowed, 4096 at most",
     .help = "Files of answers that are kept open; those beyond are opened again for each piece.",
     .set = set_max_open_files},
    {.name = "max-open-files-per-connection",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "32",
     .help = "Likewise, of one connection.",
     .set = set_max_open_files_per_connection},
    {.name = "server-id",
     .argument = "HEX",
     .words = "aws",
     .fallback = "the one of --lb-config, or none",
     .help = "Puts this server id into connection ids, so that a load balancer finds this server: as --lb-config says, "
             "else by QUIC-LB in the clear. aws takes it from AWS_LBC_QUIC_SERVER_ID, and its layout is AWS's.",
     .set = set_server_id},
    {.name = "lb-config",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .fallback = "random connection ids",
     .help = "How connection ids are made for load balancers, in JSON: layout (quic-lb, unroutable, aws-nlb, katran, "
             "random), server_id, config_id, nonce_length, key, length, length_in_first_octet, katran_version. SIGHUP "
             "reads it again, and open connections move to it.",
     .set = set_lb_config},
    {.name = "takeover",
     .argument = "PATH",
     .kind = VALUE_FILE,
     .fallback = "none",
     .help = "Takes over from the server that listens at this Unix socket, if there is one: its sockets and all new "
             "connections, while it keeps its own sessions until they end. Then listens there for the next one.",
     .set = set_takeover},
    {.name = "takeover-deadline",
     .argument = "TIME",
     .fallback = "1h",
     .help = "How long sessions may go on here when another server has taken over; up to 720h.",
     .set = set_takeover_deadline},
    {.name = "takeover-drain",
     .help = "Asks clients to move, with GOAWAY and WT_DRAIN_SESSION, when another server has taken over. For proxies "
             "that keep one connection.",
     .set = set_takeover_drain},
    {.name = "max-topics",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "65536",
     .help = "Topics of /topic that may have a subscriber at a time; 0 switches /topic off.",
     .set = set_max_topics},
    {.name = "topic-max-message",
     .argument = "SIZE",
     .fallback = "64K",
     .help = "The largest message of a topic, up to 16M.",
     .set = set_topic_max_message},
    {.name = "topic-rate",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "100",
     .help = "Messages that a session may publish in a second; 0 is no limit. Beyond it datagrams are dropped, and "
             "streams wait.",
     .set = set_topic_rate},
    {.name = "topic-byte-rate",
     .argument = "SIZE",
     .fallback = "1M",
     .help = "Likewise their bytes, at least --topic-max-message; 0 is no limit.",
     .set = set_topic_byte_rate},
    {.name = "topic-queue",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "256",
     .help = "Messages that wait for a slow subscriber, up to 65536; then the oldest is dropped.",
     .set = set_topic_queue},
    {.name = "backplane",
     .argument = "URL",
     .fallback = "topics are of this server alone",
     .help =
         "Broker that carries topics between servers: redis://, rediss:// (TLS), nats:// or tls:// (NATS with TLS), "
         "with USER:PASSWORD@ if it wants that. Several URLs with commas between are tried in turn.",
     .set = set_backplane},
    {.name = "backplane-password-file",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .help = "The first line is the password for the broker. One in the URL is in the shell's history.",
     .set = set_backplane_password},
    {.name = "backplane-ca",
     .argument = "FILE",
     .kind = VALUE_FILE,
     .fallback = "the system's",
     .help = "Authorities that the broker's certificate is checked with, in PEM.",
     .set = set_backplane_ca},
    {.name = "backplane-prefix",
     .argument = "TEXT",
     .fallback = "wt: with Redis, wt with NATS",
     .help = "Stands before the names of topics at the broker; servers with different ones do not see each other.",
     .set = set_backplane_prefix},
    {0},
};

const char serve_details[] =
    "Endpoints for sessions:\n"
    "/echo sends back streams, datagrams, resets and stop-sendings; also POST.\n"
    "/sink reads and counts; also POST.\n"
    "/source?bytes=N&streams=M sends M unidirectional streams of N bytes; also GET, for N bytes. "
    "Byte i is (i * 31 + (i >> 8)) modulo 256.\n"
    "/tick?hz=N&bytes=M sends a datagram of M bytes N times a second, to all sessions at the same time.\n"
    "/topic/NAME?delivery=D subscribes to the topic NAME, and publishes what it gets to all others there: each "
    "datagram, each unidirectional stream, each line on a bidirectional stream. D is how messages come: datagram (the "
    "default), streams (each on its own) or stream (all on one, each with its length in front).\n"
    "/close?code=C&reason=R closes the session at once.\n"
    "\n"
    "SIGINT and SIGTERM end the server in order within 5 seconds, SIGTERM after --drain-delay; a second one at once. "
    "SIGHUP reads --cert, --key, "
    "--ocsp and --fleet-keys again, or makes a new certificate, and reads --lb-config again; sessions go on. It and "
    "SIGUSR1 open the file of "
    "--access-log again.\n"
    "\n"
    "A certificate whose files change is read again within a second; no signal is needed. A service manager can hand "
    "over bound "
    "sockets (LISTEN_FDS), which then take the place of the default address, and is told of the server's state and, "
    "for "
    "its watchdog, that the loops of all workers turn (NOTIFY_SOCKET, WATCHDOG_USEC).\n"
    "\n"
    "With --takeover PATH, a new binary or new options take effect without losing a session: start the same command "
    "again, with the same PATH, as the same user. The old server ends by itself when its last session has ended. A new "
    "one "
    "that cannot start leaves the old one as it is; if it dies later, the old one serves again.";

const struct example_spec serve_examples[] = {
    {"webtransport serve", "The playground, at http://localhost:8080/."},
    {"webtransport serve --cert cert.pem --key key.pem --www public --origin https://example.com",
     "A site and its sessions, for pages of one other origin too."},
    {"webtransport serve --backplane redis://bus@localhost --backplane-password-file /etc/wt/redis-password",
     "Topics that all servers with the same broker share."},
    {0},
};

void serve_settings_default(struct serve_settings *settings) {
  struct wt_server_config config;
  struct wt_takeover_options takeover;
  wt_server_config_default(&config);
  wt_takeover_options_default(&takeover);
  memset(settings, 0, sizeof *settings);
  server_settings_default(&settings->server);
  settings->http = true;
  host_port_parse("localhost:8080", &settings->http_address);
  settings->workers = config.workers;
  settings->header_timeout_ms = config.header_timeout_ms;
  settings->send_timeout_ms = config.send_timeout_ms;
  settings->body_timeout_ms = config.body_timeout_ms;
  settings->min_progress = config.min_progress;
  settings->max_open_files = config.max_open_files;
  settings->max_open_files_per_connection = config.max_open_files_per_connection;
  settings->takeover_deadline_ms = takeover.deadline_ms;
  topic_settings_default(&settings->topics);
}

const char *serve_settings_check(const struct serve_settings *settings) {
  const struct topic_settings *topics = &settings->topics;
  const struct backplane_settings *backplane = &settings->backplane;
  if (settings->user && settings->takeover)
    return "--user and --takeover exclude each other: start the server as that user";
  if (settings->own_resets && !settings->fleet_keys) return "--own-resets is given but --fleet-keys is missing";
  if (topics->byte_rate && topics->byte_rate < topics->max_message)
    return "--topic-byte-rate must be at least --topic-max-message";
  if (!backplane->kind && (backplane->password_file || backplane->ca_file || backplane->prefix))
    return "--backplane-password-file, --backplane-ca and --backplane-prefix need --backplane";
  if (backplane->kind && !topics->max_topics) return "--backplane and --max-topics 0 exclude each other";
  return NULL;
}
