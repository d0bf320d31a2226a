/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVER_SETTINGS_H
#define WEBTRANSPORT_TOOL_SERVER_SETTINGS_H

#include <webtransport/server.h>

#include "common/hosts.h"
#include "common/options.h"
#include "common/tls_names.h"
#include "common/values.h"

enum {
  LISTEN_MAX = 16,
  TICKET_LIFETIME_MAX_S = 7 * 24 * 3600, /* as the library's */
  SESSIONS_MAX = 65536                   /* of a connection */
};

#define RETRY_WORDS "never load always"

/*
 * The settings that the commands with a server share. A command puts them first in its own settings, because the
 * options below write to them there, as with struct client_settings. Texts are the options' own: argv's.
 */
struct server_settings {
  const char *listen[LISTEN_MAX];
  size_t listen_count;
  const char *cert_file, *key_file; /* both or neither */
  const char *ocsp_file;            /* NULL: none */
  const char *client_ca;            /* NULL: clients are not asked for certificates */
  bool require_client_certificate;
  struct tls_names cipher_suites, groups;
  uint64_t ticket_lifetime_s;
  struct hosts hosts; /* server_settings_default makes them; to be freed by hosts_free */
  enum wt_log_level log_level;
  bool log_json;        /* the form of the log */
  const char *qlog_dir; /* NULL: that of QLOGDIR, if it is set */
  enum wt_retry retry;
  enum wt_congestion_control congestion_control;
  uint64_t idle_timeout_ms;
  uint64_t drain_delay_ms; /* after SIGTERM, before the end begins */
  size_t max_connections, max_connections_per_address, max_handshakes_per_address;
  uint64_t max_session_rate; /* of a connection; 0: no limit */
  size_t max_memory;         /* bytes; 0: no limit */
  uint64_t max_sessions_per_connection;
  bool require_reset_stream_at;
  unsigned drafts;
};

void server_settings_default(struct server_settings *settings);

/* Returns NULL, or what is wrong with options that need each other. */
const char *server_settings_check(const struct server_settings *settings);

/* Copies the settings into `config`, which the caller has filled with its defaults. It borrows the settings' pointers. */
void server_settings_configure(const struct server_settings *settings, struct wt_server_config *config);

/* Whether a server that runs with `a` does all that `b` says, certificates aside: they can be exchanged. */
bool server_settings_equal(const struct server_settings *a, const struct server_settings *b);

/* The hosts that --listen names are the server's own. */
void server_settings_add_hosts(struct server_settings *settings);

bool server_set_listen(void *settings, const char *value, char *message, size_t size);
bool server_set_cert(void *settings, const char *value, char *message, size_t size);
bool server_set_key(void *settings, const char *value, char *message, size_t size);
bool server_set_ocsp(void *settings, const char *value, char *message, size_t size);
bool server_set_client_ca(void *settings, const char *value, char *message, size_t size);
bool server_set_require_client_certificate(void *settings, const char *value, char *message, size_t size);
bool server_set_cipher_suites(void *settings, const char *value, char *message, size_t size);
bool server_set_groups(void *settings, const char *value, char *message, size_t size);
bool server_set_ticket_lifetime(void *settings, const char *value, char *message, size_t size);
bool server_set_host(void *settings, const char *value, char *message, size_t size);
bool server_set_log(void *settings, const char *value, char *message, size_t size);
bool server_set_log_format(void *settings, const char *value, char *message, size_t size);
bool server_set_retry(void *settings, const char *value, char *message, size_t size);
bool server_set_qlog(void *settings, const char *value, char *message, size_t size);
bool server_set_congestion_control(void *settings, const char *value, char *message, size_t size);
bool server_set_idle_timeout(void *settings, const char *value, char *message, size_t size);
bool server_set_drain_delay(void *settings, const char *value, char *message, size_t size);
bool server_set_max_connections(void *settings, const char *value, char *message, size_t size);
bool server_set_max_connections_per_address(void *settings, const char *value, char *message, size_t size);
bool server_set_max_handshakes_per_address(void *settings, const char *value, char *message, size_t size);
bool server_set_max_session_rate(void *settings, const char *value, char *message, size_t size);
bool server_set_max_memory(void *settings, const char *value, char *message, size_t size);
bool server_set_max_sessions_per_connection(void *settings, const char *value, char *message, size_t size);
bool server_set_require_reset_stream_at(void *settings, const char *value, char *message, size_t size);
bool server_set_drafts(void *settings, const char *value, char *message, size_t size);

/* clang-format off */
#define SERVER_OPTIONS                                                                                                 \
  {.name = "listen",                                                                                                   \
   .letter = 'l',                                                                                                      \
   .argument = "ADDR:PORT",                                                                                            \
   .kind = VALUE_HOST,                                                                                                 \
   .fallback = "[::]:4433",                                                                                            \
   .repeatable = true,                                                                                                 \
   .help = "UDP address to listen on. [::] takes IPv4 too; port 0 takes any that is free.",                            \
   .set = server_set_listen},                                                                                          \
  {.name = "cert",                                                                                                     \
   .letter = 'c',                                                                                                      \
   .argument = "FILE",                                                                                                 \
   .kind = VALUE_FILE,                                                                                                 \
   .fallback = "a self-signed certificate, made in memory, valid for 13 days",                                         \
   .help = "Certificate chain, in PEM; needs --key.",                                                                  \
   .set = server_set_cert},                                                                                            \
  {.name = "key",                                                                                                      \
   .letter = 'k',                                                                                                      \
   .argument = "FILE",                                                                                                 \
   .kind = VALUE_FILE,                                                                                                 \
   .help = "Private key of the certificate, in PEM.",                                                                  \
   .set = server_set_key},                                                                                             \
  {.name = "ocsp",                                                                                                     \
   .argument = "FILE",                                                                                                 \
   .kind = VALUE_FILE,                                                                                                 \
   .fallback = "none",                                                                                                 \
   .help = "OCSP response that clients get with the certificate, in DER or PEM; read again with it. Needs --cert.",    \
   .set = server_set_ocsp},                                                                                            \
  {.name = "client-ca",                                                                                                \
   .argument = "FILE",                                                                                                 \
   .kind = VALUE_FILE,                                                                                                 \
   .fallback = "clients are not asked for certificates",                                                               \
   .help = "Asks clients for certificates, and refuses one that no authority in this file, in PEM, has signed. A "     \
           "client may have none.",                                                                                    \
   .set = server_set_client_ca},                                                                                       \
  {.name = "require-client-certificate",                                                                               \
   .help = "Refuses clients without a certificate; needs --client-ca.",                                                \
   .set = server_set_require_client_certificate},                                                                      \
  {.name = "cipher-suites",                                                                                            \
   .argument = "LIST",                                                                                                 \
   .fallback = "all three, as the client prefers",                                                                     \
   .help = "Cipher suites of TLS, best first: TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "                        \
           "TLS_CHACHA20_POLY1305_SHA256.",                                                                            \
   .set = server_set_cipher_suites},                                                                                   \
  {.name = "groups",                                                                                                   \
   .argument = "LIST",                                                                                                 \
   .fallback = "the first three, as the client prefers",                                                               \
   .help = "Groups of the key exchange, best first: x25519, secp256r1, secp384r1, secp521r1, x448.",                   \
   .set = server_set_groups},                                                                                          \
  {.name = "ticket-lifetime",                                                                                          \
   .argument = "TIME",                                                                                                 \
   .fallback = "6h",                                                                                                   \
   .help = "How long clients may resume their TLS session; up to 168h.",                                               \
   .set = server_set_ticket_lifetime},                                                                                 \
  {.name = "host",                                                                                                     \
   .argument = "NAME",                                                                                                 \
   .words = "any",                                                                                                     \
   .fallback =                                                                                                         \
       "localhost, the machine's name and addresses, the hosts of --listen and --http, the certificate's names",       \
   .repeatable = true,                                                                                                 \
   .help =                                                                                                             \
       "Name or address that requests may be for, beside those that are known: one of a proxy or a NAT, or "           \
       "*.example.com for a level of names. Others get status 421; any allows all, and then a page of any site can "   \
       "read what this server tells (DNS rebinding).",                                                                 \
   .set = server_set_host},                                                                                            \
  {.name = "log",                                                                                                      \
   .argument = "LEVEL",                                                                                                \
   .kind = VALUE_WORD,                                                                                                 \
   .words = "none error warn info debug",                                                                              \
   .fallback = "info",                                                                                                 \
   .help = "How much is logged on standard error: none, error, warn, info or debug.",                                  \
   .set = server_set_log},                                                                                              \
  {.name = "log-format",                                                                                               \
   .argument = "FORM",                                                                                                 \
   .kind = VALUE_WORD,                                                                                                 \
   .words = "text json",                                                                                               \
   .fallback = "text",                                                                                                 \
   .help = "Form of this log: text, or json, an object a line with the event's name and fields.",                      \
   .set = server_set_log_format},                                                                                             \
  {.name = "qlog",                                                                                                     \
   .argument = "DIR",                                                                                                  \
   .kind = VALUE_FOLDER,                                                                                               \
   .fallback = "QLOGDIR of the environment, or no log",                                                                \
   .help = "Folder that gets a qlog of each connection.",                                                              \
   .set = server_set_qlog},                                                                                            \
  {.name = "retry",                                                                                                    \
   .argument = "WHEN",                                                                                                 \
   .kind = VALUE_WORD,                                                                                                 \
   .words = RETRY_WORDS,                                                                                               \
   .fallback = "load",                                                                                                 \
   .help = "Whether clients must prove their address first: never, load or always.",                                   \
   .set = server_set_retry},                                                                                           \
  {.name = "congestion-control",                                                                                       \
   .argument = "NAME",                                                                                                 \
   .kind = VALUE_WORD,                                                                                                 \
   .words = CONGESTION_CONTROLS,                                                                                       \
   .fallback = "cubic",                                                                                                \
   .help = "What decides how fast the server sends: cubic, bbr or reno.",                                              \
   .set = server_set_congestion_control},                                                                              \
  {.name = "idle-timeout",                                                                                             \
   .argument = "TIME",                                                                                                 \
   .fallback = "30s",                                                                                                  \
   .help = "Ends a connection on which nothing arrives; 0 never does.",                                                \
   .set = server_set_idle_timeout},                                                                                    \
  {.name = "drain-delay",                                                                                              \
   .argument = "TIME",                                                                                                 \
   .fallback = "0",                                                                                                    \
   .help = "After SIGTERM, serves new clients for so long while /healthz answers 503, so that balancers look "         \
           "elsewhere first; then ends in order. Up to 1h.",                                                           \
   .set = server_set_drain_delay},                                                                                     \
  {.name = "max-connections",                                                                                          \
   .argument = "N",                                                                                                    \
   .kind = VALUE_NUMBER,                                                                                               \
   .fallback = "65536",                                                                                                \
   .help = "Refuses connections beyond this number.",                                                                  \
   .set = server_set_max_connections},                                                                                 \
  {.name = "max-connections-per-address",                                                                              \
   .argument = "N",                                                                                                    \
   .kind = VALUE_NUMBER,                                                                                               \
   .fallback = "1024",                                                                                                 \
   .help = "Refuses connections of one IPv4 address, or IPv6 /64, beyond this number.",                                \
   .set = server_set_max_connections_per_address},                                                                     \
  {.name = "max-handshakes-per-address",                                                                               \
   .argument = "N",                                                                                                    \
   .kind = VALUE_NUMBER,                                                                                               \
   .fallback = "256",                                                                                                  \
   .help = "Unfinished handshakes of one IPv4 address, or IPv6 /64; beyond it the oldest give way to new ones.",       \
   .set = server_set_max_handshakes_per_address},                                                                      \
  {.name = "max-session-rate",                                                                                         \
   .argument = "N",                                                                                                    \
   .kind = VALUE_NUMBER,                                                                                               \
   .fallback = "100",                                                                                                  \
   .help = "Sessions that a connection may begin in a second; 0 sets no limit.",                                       \
   .set = server_set_max_session_rate},                                                                                \
  {.name = "max-memory",                                                                                               \
   .argument = "SIZE",                                                                                                 \
   .fallback = "half of the machine's memory",                                                                         \
   .help =                                                                                                             \
       "Refuses connections, sessions and requests while connections hold three quarters of this; 0 sets no limit.",   \
   .set = server_set_max_memory},                                                                                      \
  {.name = "max-sessions-per-connection",                                                                              \
   .argument = "N",                                                                                                    \
   .kind = VALUE_NUMBER,                                                                                               \
   .fallback = "16",                                                                                                   \
   .help = "Sessions at once on a connection, with 16 streams of each kind for each: a proxy has one for all its "     \
           "clients.",                                                                                                 \
   .set = server_set_max_sessions_per_connection},                                                                     \
  {.name = "require-reset-stream-at",                                                                                  \
   .help = "Refuses clients of draft 15 that do not announce RESET_STREAM_AT, as the draft asks.",                     \
   .set = server_set_require_reset_stream_at},                                                                         \
  {.name = "drafts",                                                                                                   \
   .argument = "LIST",                                                                                                 \
   .fallback = "2,7,13,15",                                                                                            \
   .help = "Drafts of WebTransport to announce, each standing for those up to the next. For tests: browsers need 2.",  \
   .set = server_set_drafts}
/* clang-format on */

#endif
