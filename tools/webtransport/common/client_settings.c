/* SPDX-License-Identifier: MIT */
/*
 * The options that connect, probe and bench share: the URL, whom to trust, what to request, how long to wait. They are
 * read here alone, so that they mean the same in each command.
 *
 * The three ways to trust exclude each other. The library prefers hashes to authorities, so a hash would silently
 * switch --ca off. The second of two such options is refused instead.
 */
#include "common/client_settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "common/clock.h"
#include "common/exits.h"
#include "common/values.h"

enum {
  DEFAULT_TIMEOUT_MS = 10000
};

void client_settings_default(struct client_settings *client) {
  struct wt_client_config config;
  wt_client_config_default(&config);
  *client = (struct client_settings){.timeout_ms = DEFAULT_TIMEOUT_MS, .congestion_control = config.congestion_control};
}

void client_settings_free(struct client_settings *client) {
  for (size_t i = 0; i < client->header_count; i++) free(client->header_texts[i]);
  client->header_count = 0;
  wt_certificate_free(client->client_certificate);
  client->client_certificate = NULL;
}

int client_settings_load(struct client_settings *client, const struct command *command) {
  char message[512] = "";
  if (!client->client_cert && !client->client_key) return EXIT_DONE;
  if (!client->client_key) return options_complain(command, "--client-cert is given but --client-key is missing");
  if (!client->client_cert) return options_complain(command, "--client-key is given but --client-cert is missing");
  int error = wt_certificate_load(client->client_cert, client->client_key, &client->client_certificate, message,
                                  sizeof message);
  if (error) fprintf(stderr, "webtransport %s: %s\n", command->name, message);
  return error ? EXIT_FAILED : EXIT_DONE;
}

void client_settings_configure(const struct client_settings *client, struct wt_client_config *config) {
  config->ca_file = client->ca_file;
  config->certificate_hashes = client->hash_count ? client->hashes : NULL;
  config->certificate_hash_count = client->hash_count;
  config->dangerously_accept_any_certificate = client->accept_any;
  config->certificate = client->client_certificate;
  config->cipher_suites = client->cipher_suites.names;
  config->cipher_suite_count = client->cipher_suites.count;
  config->groups = client->groups.names;
  config->group_count = client->groups.count;
  config->congestion_control = client->congestion_control;
  config->qlog_dir = client->qlog_dir;
  config->require_reset_stream_at = !client->without_reset_stream_at;
}

void client_settings_dial_options(const struct client_settings *client, struct wt_dial_options *options) {
  options->origin = client->origin;
  options->headers = client->headers;
  options->header_count = client->header_count;
  options->protocols = client->protocols;
  options->protocol_count = client->protocol_count;
  options->timeout_ms = client->timeout_ms;
}

/* Says whether one more way to trust may be added. */
static bool trust_check(const struct client_settings *client, bool ca, bool hash, bool any, char *message,
                        size_t size) {
  ca |= client->ca_file != NULL;
  hash |= client->hash_count > 0;
  any |= client->accept_any;
  if (ca + hash + any <= 1) return true;
  return value_refuse(message, size,
                      "--ca, --insecure-hash and --dangerously-accept-any-certificate exclude each other");
}

bool client_set_url(void *settings, const char *value, char *message, size_t size) {
  ((struct client_settings *)settings)->url = value;
  return value_url(value, message, size);
}

bool client_set_ca(void *settings, const char *value, char *message, size_t size) {
  struct client_settings *client = settings;
  if (!trust_check(client, true, false, false, message, size)) return false;
  client->ca_file = value;
  return value_file(value, message, size);
}

bool client_set_hash(void *settings, const char *value, char *message, size_t size) {
  struct client_settings *client = settings;
  if (!trust_check(client, false, true, false, message, size)) return false;
  if (client->hash_count == CLIENT_LIST_MAX) return value_refuse(message, size, "too many hashes");
  return value_hash(value, client->hashes[client->hash_count++], message, size);
}

bool client_set_any(void *settings, const char *value, char *message, size_t size) {
  struct client_settings *client = settings;
  (void)value;
  if (!trust_check(client, false, false, true, message, size)) return false;
  client->accept_any = true;
  return true;
}

bool client_set_origin(void *settings, const char *value, char *message, size_t size) {
  ((struct client_settings *)settings)->origin = value;
  return *value ? true : value_refuse(message, size, "the origin is empty");
}

bool client_set_header(void *settings, const char *value, char *message, size_t size) {
  struct client_settings *client = settings;
  size_t at = client->header_count;
  if (at == CLIENT_LIST_MAX) return value_refuse(message, size, "too many header fields");
  if (!value_header(value, &client->header_texts[at], &client->headers[at].value, message, size)) return false;
  client->headers[at].name = client->header_texts[at];
  client->header_count++;
  return true;
}

bool client_set_protocol(void *settings, const char *value, char *message, size_t size) {
  struct client_settings *client = settings;
  if (!value_protocol(value, message, size)) return false;
  if (client->protocol_count == CLIENT_LIST_MAX) return value_refuse(message, size, "too many names");
  client->protocols[client->protocol_count++] = value;
  return true;
}

bool client_set_without_reset_stream_at(void *settings, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct client_settings *)settings)->without_reset_stream_at = true;
  return true;
}

bool client_set_client_cert(void *settings, const char *value, char *message, size_t size) {
  ((struct client_settings *)settings)->client_cert = value;
  return value_file(value, message, size);
}

bool client_set_client_key(void *settings, const char *value, char *message, size_t size) {
  ((struct client_settings *)settings)->client_key = value;
  return value_file(value, message, size);
}

bool client_set_cipher_suites(void *settings, const char *value, char *message, size_t size) {
  return tls_names_set(&((struct client_settings *)settings)->cipher_suites, value, message, size);
}

bool client_set_groups(void *settings, const char *value, char *message, size_t size) {
  return tls_names_set(&((struct client_settings *)settings)->groups, value, message, size);
}

bool client_set_congestion_control(void *settings, const char *value, char *message, size_t size) {
  size_t index;
  if (!value_word(value, CONGESTION_CONTROLS, &index, message, size)) return false;
  ((struct client_settings *)settings)->congestion_control = (enum wt_congestion_control)index;
  return true;
}

bool client_set_qlog(void *settings, const char *value, char *message, size_t size) {
  ((struct client_settings *)settings)->qlog_dir = value;
  return value_folder(value, message, size);
}

bool client_set_timeout(void *settings, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, NS_PER_DAY, &ns, message, size)) return false;
  ((struct client_settings *)settings)->timeout_ms = clock_ms_up(ns);
  return true;
}
