/* SPDX-License-Identifier: MIT */
/*
 * The options that connect, probe and bench share: where to, whom to trust, what to ask for, how long to
 * wait. Read once here, so that they mean the same everywhere.
 *
 * The three ways to trust exclude each other; the library takes hashes before authorities, so a hash with
 * --ca would silently drop the authorities. It is refused instead, whichever comes first.
 */
#include "common/client_settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "common/exits.h"
#include "common/values.h"

enum {
  DEFAULT_TIMEOUT_MS = 10000,
  TIMEOUT_MAX_HOURS = 24,
};

void dialing_default(struct dialing *dialing) { *dialing = (struct dialing){.timeout_ms = DEFAULT_TIMEOUT_MS}; }

void dialing_free(struct dialing *dialing) {
  for (size_t i = 0; i < dialing->header_count; i++) free(dialing->header_texts[i]);
  dialing->header_count = 0;
  wt_certificate_free(dialing->client_certificate);
  dialing->client_certificate = NULL;
}

int dialing_load(struct dialing *dialing, const struct command *command) {
  char message[512] = "";
  if (!dialing->client_cert && !dialing->client_key) return EXIT_DONE;
  if (!dialing->client_key) return options_complain(command, "--client-cert is given but --client-key is missing");
  if (!dialing->client_cert) return options_complain(command, "--client-key is given but --client-cert is missing");
  int error = wt_certificate_load(dialing->client_cert, dialing->client_key, &dialing->client_certificate, message,
                                  sizeof message);
  if (error) fprintf(stderr, "webtransport %s: %s\n", command->name, message);
  return error ? EXIT_FAILED : EXIT_DONE;
}

void dialing_configure(const struct dialing *dialing, struct wt_client_config *config) {
  config->ca_file = dialing->ca_file;
  config->certificate_hashes = dialing->hash_count ? dialing->hashes : NULL;
  config->certificate_hash_count = dialing->hash_count;
  config->dangerously_accept_any_certificate = dialing->accept_any;
  config->certificate = dialing->client_certificate;
  config->cipher_suites = dialing->cipher_suites.names;
  config->cipher_suite_count = dialing->cipher_suites.count;
  config->groups = dialing->groups.names;
  config->group_count = dialing->groups.count;
  config->require_reset_stream_at = !dialing->without_reset_stream_at;
}

void dialing_options(const struct dialing *dialing, struct wt_dial_options *options) {
  options->origin = dialing->origin;
  options->headers = dialing->headers;
  options->header_count = dialing->header_count;
  options->protocols = dialing->protocols;
  options->protocol_count = dialing->protocol_count;
  options->timeout_ms = dialing->timeout_ms;
}

/* Says whether it may be trusted in one way more. */
static bool trust_check(const struct dialing *dialing, bool ca, bool hash, bool any, char *message, size_t size) {
  ca |= dialing->ca_file != NULL;
  hash |= dialing->hash_count > 0;
  any |= dialing->accept_any;
  if (ca + hash + any <= 1) return true;
  return value_refuse(message, size,
                      "--ca, --insecure-hash and --dangerously-accept-any-certificate exclude each other");
}

bool dialing_set_url(void *settings, const char *value, char *message, size_t size) {
  ((struct dialing *)settings)->url = value;
  return value_url(value, message, size);
}

bool dialing_set_ca(void *settings, const char *value, char *message, size_t size) {
  struct dialing *dialing = settings;
  if (!trust_check(dialing, true, false, false, message, size)) return false;
  dialing->ca_file = value;
  return value_file(value, message, size);
}

bool dialing_set_hash(void *settings, const char *value, char *message, size_t size) {
  struct dialing *dialing = settings;
  if (!trust_check(dialing, false, true, false, message, size)) return false;
  if (dialing->hash_count == DIALING_LIST_MAX) return value_refuse(message, size, "too many hashes");
  return value_hash(value, dialing->hashes[dialing->hash_count++], message, size);
}

bool dialing_set_any(void *settings, const char *value, char *message, size_t size) {
  struct dialing *dialing = settings;
  (void)value;
  if (!trust_check(dialing, false, false, true, message, size)) return false;
  dialing->accept_any = true;
  return true;
}

bool dialing_set_origin(void *settings, const char *value, char *message, size_t size) {
  ((struct dialing *)settings)->origin = value;
  return *value ? true : value_refuse(message, size, "the origin is empty");
}

bool dialing_set_header(void *settings, const char *value, char *message, size_t size) {
  struct dialing *dialing = settings;
  size_t at = dialing->header_count;
  if (at == DIALING_LIST_MAX) return value_refuse(message, size, "too many header fields");
  if (!value_header(value, &dialing->header_texts[at], &dialing->headers[at].value, message, size)) return false;
  dialing->headers[at].name = dialing->header_texts[at];
  dialing->header_count++;
  return true;
}

bool dialing_set_protocol(void *settings, const char *value, char *message, size_t size) {
  struct dialing *dialing = settings;
  if (!value_protocol(value, message, size)) return false;
  if (dialing->protocol_count == DIALING_LIST_MAX) return value_refuse(message, size, "too many names");
  dialing->protocols[dialing->protocol_count++] = value;
  return true;
}

bool dialing_set_without_reset_stream_at(void *settings, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct dialing *)settings)->without_reset_stream_at = true;
  return true;
}

bool dialing_set_client_cert(void *settings, const char *value, char *message, size_t size) {
  ((struct dialing *)settings)->client_cert = value;
  return value_file(value, message, size);
}

bool dialing_set_client_key(void *settings, const char *value, char *message, size_t size) {
  ((struct dialing *)settings)->client_key = value;
  return value_file(value, message, size);
}

bool dialing_set_cipher_suites(void *settings, const char *value, char *message, size_t size) {
  return tls_names_set(&((struct dialing *)settings)->cipher_suites, value, message, size);
}

bool dialing_set_groups(void *settings, const char *value, char *message, size_t size) {
  return tls_names_set(&((struct dialing *)settings)->groups, value, message, size);
}

bool dialing_set_timeout(void *settings, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, TIMEOUT_MAX_HOURS * UINT64_C(3600000000000), &ns, message, size)) return false;
  ((struct dialing *)settings)->timeout_ms = (ns + 999999) / 1000000; /* up: 0 would wait for ever */
  return true;
}
