/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_CLIENT_SETTINGS_H
#define WEBTRANSPORT_TOOL_CLIENT_SETTINGS_H

#include <webtransport/client.h>

#include "common/options.h"
#include "common/tls_names.h"
#include "common/values.h"

enum {
  CLIENT_LIST_MAX = 32, /* of hashes, header fields, subprotocols each */
};

/*
 * The settings that connect, probe and bench share. A command puts them first in its own settings, because the options
 * below write to them there:
 *
 *   struct connect_settings {
 *     struct client_settings client;
 *     ...
 *   };
 *   static const struct option_spec connect_options[] = {CLIENT_OPTIONS, {...}, {0}};
 *   static const struct operand_spec connect_operands[] = {CLIENT_OPERAND, {0}};
 */
struct client_settings {
  const char *url;
  const char *ca_file;
  uint8_t hashes[CLIENT_LIST_MAX][32];
  size_t hash_count;
  bool accept_any;
  const char *origin;
  struct wt_header headers[CLIENT_LIST_MAX];
  char *header_texts[CLIENT_LIST_MAX]; /* what `headers` points into */
  size_t header_count;
  const char *protocols[CLIENT_LIST_MAX];
  size_t protocol_count;
  uint64_t timeout_ms;
  bool without_reset_stream_at;
  const char *client_cert, *client_key;
  wt_certificate *client_certificate; /* from these files, by `client_settings_load` */
  struct tls_names cipher_suites, groups;
  enum wt_congestion_control congestion_control;
  const char *qlog_dir; /* NULL: that of QLOGDIR, if it is set */
};

void client_settings_default(struct client_settings *client);
void client_settings_free(struct client_settings *client);

/* Loads the client's certificate, if the options name one. Call it when all options are read. Returns 0, or prints a
 * message and returns the exit status. */
int client_settings_load(struct client_settings *client, const struct command *command);

/* Copy the settings into the library's structures, which the caller has filled with their defaults. The structures
 * borrow the settings' pointers. */
void client_settings_configure(const struct client_settings *client, struct wt_client_config *config);
void client_settings_dial_options(const struct client_settings *client, struct wt_dial_options *options);

bool client_set_url(void *settings, const char *value, char *message, size_t size);
bool client_set_ca(void *settings, const char *value, char *message, size_t size);
bool client_set_hash(void *settings, const char *value, char *message, size_t size);
bool client_set_any(void *settings, const char *value, char *message, size_t size);
bool client_set_origin(void *settings, const char *value, char *message, size_t size);
bool client_set_header(void *settings, const char *value, char *message, size_t size);
bool client_set_protocol(void *settings, const char *value, char *message, size_t size);
bool client_set_without_reset_stream_at(void *settings, const char *value, char *message, size_t size);
bool client_set_client_cert(void *settings, const char *value, char *message, size_t size);
bool client_set_client_key(void *settings, const char *value, char *message, size_t size);
bool client_set_cipher_suites(void *settings, const char *value, char *message, size_t size);
bool client_set_groups(void *settings, const char *value, char *message, size_t size);
bool client_set_congestion_control(void *settings, const char *value, char *message, size_t size);
bool client_set_qlog(void *settings, const char *value, char *message, size_t size);
bool client_set_timeout(void *settings, const char *value, char *message, size_t size);

/* clang-format off */
#define CLIENT_OPTIONS                                                                                             \
  {.name = "ca", .argument = "FILE", .kind = VALUE_FILE, .fallback = "the system's authorities",                   \
   .help = "Authorities to trust, in PEM.", .set = client_set_ca},                                                 \
  {.name = "insecure-hash", .argument = "HASH", .repeatable = true,                                                \
   .help = "Accepts the certificate with this SHA-256 (hexadecimal or base64) instead of one that an authority "   \
           "signed, as a page's serverCertificateHashes does. Its name is not checked.",                           \
   .set = client_set_hash},                                                                                        \
  {.name = "dangerously-accept-any-certificate",                                                                   \
   .help = "Checks no certificate: whoever is on the way can read and change everything. For tests alone.",        \
   .set = client_set_any},                                                                                         \
  {.name = "client-cert", .argument = "FILE", .kind = VALUE_FILE, .fallback = "none",                              \
   .help = "Certificate chain to show to a server that asks for one, in PEM; needs --client-key.",                 \
   .set = client_set_client_cert},                                                                                 \
  {.name = "client-key", .argument = "FILE", .kind = VALUE_FILE,                                                   \
   .help = "Private key of that certificate, in PEM.", .set = client_set_client_key},                              \
  {.name = "cipher-suites", .argument = "LIST", .fallback = "all three, in this order",                            \
   .help = "Cipher suites of TLS to offer, best first: TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "           \
           "TLS_CHACHA20_POLY1305_SHA256.",                                                                        \
   .set = client_set_cipher_suites},                                                                               \
  {.name = "groups", .argument = "LIST", .fallback = "the first three, in this order",                             \
   .help = "Groups of the key exchange to offer, best first: x25519, secp256r1, secp384r1, secp521r1, x448.",      \
   .set = client_set_groups},                                                                                      \
  {.name = "congestion-control", .argument = "NAME", .kind = VALUE_WORD, .words = CONGESTION_CONTROLS,             \
   .fallback = "cubic", .help = "What decides how fast this end sends: cubic, bbr or reno.",                       \
   .set = client_set_congestion_control},                                                                          \
  {.name = "qlog", .argument = "DIR", .kind = VALUE_FOLDER, .fallback = "QLOGDIR of the environment, or no log",   \
   .help = "Folder that gets a qlog of each connection.",                                                          \
   .set = client_set_qlog},                                                                                        \
  {.name = "origin", .letter = 'o', .argument = "ORIGIN", .fallback = "none",                                      \
   .help = "The origin to name, as a browser names its page's.", .set = client_set_origin},                        \
  {.name = "header", .letter = 'H', .argument = "FIELD", .repeatable = true,                                       \
   .help = "Header field of the request, such as 'authorization: Bearer abc'.", .set = client_set_header},         \
  {.name = "protocol", .letter = 'p', .argument = "NAME", .repeatable = true,                                      \
   .help = "Subprotocol to offer, best first.", .set = client_set_protocol},                                       \
  {.name = "without-reset-stream-at",                                                                              \
   .help = "Takes a server of draft 15 that does not announce RESET_STREAM_AT too, though the draft requires it.", \
   .set = client_set_without_reset_stream_at},                                                                     \
  {.name = "timeout", .letter = 't', .argument = "TIME", .fallback = "10s",                                        \
   .help = "How long it may take until the session is there; 0 waits for ever.", .set = client_set_timeout}

#define CLIENT_OPERAND                                                                           \
  {.name = "URL", .required = true,                                                              \
   .help = "Where the server is: https://HOST[:PORT]/PATH; the port is 443 unless it is given.", \
   .set = client_set_url}
/* clang-format on */

#endif
