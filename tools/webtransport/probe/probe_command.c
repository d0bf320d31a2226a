/* SPDX-License-Identifier: MIT */
/*
 * webtransport probe: reports what a server supports and which clients could connect to it.
 *
 * The first attempt is an ordinary dial that checks the certificate as the options say. If the certificate is refused,
 * a second attempt checks nothing, so that the rest can be reported too. Whoever answers it may not be the server, so
 * header fields and the query, which may be secrets, are not sent, and the exit status stays that of the first attempt.
 * If a handshake was completed, more connections follow: one finds out whether TLS resumes, one checks the certificate
 * by the authorities if the first did not.
 *
 * The report is a JSON object (probe_json.c), which is printed as JSON or as text (probe_text.c). verdict.c judges
 * whether other clients could connect.
 */
#include "common/clock.h"
#include "probe/probe_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "cert/cert_show.h"
#include "common/client_settings.h"
#include "common/json_text.h"
#include "common/values.h"

enum {
  DEFAULT_WATCH_MS = 500,
  WATCH_MAX_S = 600,
};

/* What the certificate is checked by. */
enum trust {
  TRUST_AUTHORITIES = 0,
  TRUST_HASH = 1,
  TRUST_ANY = 2,
};

struct probe {
  struct client_settings client; /* first: the options write to it */
  bool json;
  uint64_t watch_ms;

  char *bare_url; /* the URL without a query */
  json_t *report;
  int64_t now;
  bool has_certificate;
  struct wt_certificate_info certificate;

  /* For the verdicts. `info` is a copy that has no pointers but the settings. */
  struct wt_connection_info info;
  struct wt_setting *settings;
  struct verdict_facts facts;
  char failure[400], authority_refusal[400];
  int closed_code; /* EXIT_CLOSED if the session did not end well */
  bool has_subprotocol;
};

/* --- Observations --- */

/* Copies what the verdicts need. False: out of memory. */
static bool connection_keep(struct probe *probe, const struct wt_connection_info *info) {
  const size_t size = info->setting_count * sizeof *info->settings;
  struct wt_setting *settings = malloc(size + 1);
  if (!settings) return false;
  if (size) memcpy(settings, info->settings, size);
  free(probe->settings);
  probe->settings = settings;
  probe->info = (struct wt_connection_info){
      .size = sizeof probe->info,
      .has_parameters = info->has_parameters,
      .parameters = info->parameters,
      .has_settings = info->has_settings,
      .settings = settings,
      .setting_count = info->setting_count,
      .handshake_us = info->handshake_us,
  };
  probe->facts.connection = &probe->info;
  return true;
}

static void certificate_keep(struct probe *probe, const struct wt_connection_info *info) {
  probe->certificate.size = sizeof probe->certificate;
  probe->has_certificate = info && info->certificate &&
                           !wt_certificate_describe(info->certificate, info->certificate_len, 0, &probe->certificate);
  json_object_set_new(probe->report, "certificate", probe->has_certificate ? json_object() : json_null());
  probe->facts.hash = VERDICT_UNKNOWN;
  if (!probe->has_certificate) return;
  cert_json(&probe->certificate, probe->now, json_object_get(probe->report, "certificate"));
  probe->facts.hash_refusal = cert_refusal(&probe->certificate, probe->now);
  probe->facts.hash = *probe->facts.hash_refusal ? VERDICT_NO : VERDICT_YES;
}

static void dial_keep(struct probe *probe, const struct probe_observation *observation) {
  const struct wt_dial_result *result = observation->result;
  probe_add_dial(probe->report, observation);
  certificate_keep(probe, observation->info);
  json_object_set_new(probe->report, "error",
                      result->error ? probe_error(result->error, result->message, result) : json_null());
  snprintf(probe->failure, sizeof probe->failure, "%s", result->message);
  probe->facts.failure = result->error ? probe->failure : NULL;
  probe->facts.status = result->status;
  probe->facts.refused = result->error == WT_ERR_REJECTED;
  probe->has_subprotocol = observation->session && *wt_session_protocol(observation->session);
}

static void on_observation(const struct probe_observation *observation, void *user_data) {
  struct probe *probe = user_data;
  if (observation->dial) {
    probe->facts.connection = NULL;
    dial_keep(probe, observation);
  }
  if (observation->session) probe_add_session(probe->report, observation->session);
  probe_add_connection(probe->report, observation->info);
  if (observation->info) connection_keep(probe, observation->info);
}

static void on_close(const struct wt_close_info *close, void *user_data) {
  struct probe *probe = user_data;
  probe_add_close(probe->report, close);
  if (!close->clean || close->code) probe->closed_code = EXIT_CLOSED;
}

/* --- Attempts --- */

/* Makes a client that checks certificates by `trust`. NULL: `message` says why. */
static wt_client *client_make(const struct probe *probe, enum trust trust, char *message, size_t size) {
  struct wt_client_config config;
  struct client_settings settings = probe->client;
  wt_client *client = NULL;
  settings.accept_any = trust == TRUST_ANY;
  if (trust != TRUST_HASH) settings.hash_count = 0;
  if (trust == TRUST_ANY) settings.ca_file = NULL;
  wt_client_config_default(&config);
  client_settings_configure(&settings, &config);
  config.log_level = WT_LOG_NONE; /* the report has all messages */
  int error = wt_client_new(&config, &client, message, size);
  if (error && !*message) snprintf(message, size, "%s", wt_error_string(error));
  return error ? NULL : client;
}

/* Without `full`, nothing is sent that may be a secret: header fields and queries may have tokens. */
static const char *url_of(const struct probe *probe, bool full) { return full ? probe->client.url : probe->bare_url; }

static int attempt_run(const struct probe *probe, struct probe_attempt *attempt, bool full) {
  struct wt_dial_options options;
  wt_dial_options_default(&options);
  client_settings_dial_options(&probe->client, &options);
  if (!full) options.header_count = 0;
  return probe_attempt_run(attempt, url_of(probe, full), &options);
}

/* Connects to find out whether the authorities accept the certificate. */
static void authorities_ask(struct probe *probe) {
  struct probe_attempt attempt = {0};
  char *message = probe->authority_refusal;
  attempt.client = client_make(probe, TRUST_AUTHORITIES, message, sizeof probe->authority_refusal);
  if (!attempt.client) return;
  int error = attempt_run(probe, &attempt, false);
  wt_client_free(attempt.client);
  snprintf(message, sizeof probe->authority_refusal, "%s", attempt.message);
  if (error == WT_ERR_CERTIFICATE)
    probe->facts.authority = VERDICT_NO;
  else if (attempt.handshake_done)
    probe->facts.authority = VERDICT_YES;
}

/*
 * Finds out whether another connection of the same client resumes. It tries twice, because the first connection may
 * have ended before its ticket came: a missing setting ends it at once. The requests are such that any HTTP/3 server
 * answers.
 */
static void resumption_try(struct probe *probe, wt_client *client, const char *url) {
  json_t *tls = json_object_get(probe->report, "tls");
  bool answered = true, resumed = false;
  for (int i = 0; i < 2 && answered && !resumed; i++)
    probe_request(client, url, probe->client.timeout_ms, &answered, &resumed);
  json_object_set_new(tls, "resumes", answered ? json_boolean(resumed) : json_null());
}

/* Makes the attempt that the report is about, and finds out whether the server resumes. Returns the error of the dial,
 * or WT_ERR_STATE if there is no client; `message` says why. */
static int attempt_main(struct probe *probe, enum trust trust, bool full, char *message, size_t size) {
  struct probe_attempt attempt = {
      .watch_ms = probe->watch_ms, .on_observation = on_observation, .on_close = on_close, .user_data = probe};
  attempt.client = client_make(probe, trust, message, size);
  if (!attempt.client) return WT_ERR_STATE;
  int error = attempt_run(probe, &attempt, full);
  snprintf(message, size, "%s", attempt.message);
  if (attempt.handshake_done && error != WT_ERR_CERTIFICATE) resumption_try(probe, attempt.client, url_of(probe, full));
  wt_client_free(attempt.client);
  return error;
}

/* --- The report --- */

static json_t *judged_json(enum verdict_state state, const char *message) {
  json_t *json = json_object();
  json_object_set_new(json, "accepted", state == VERDICT_UNKNOWN ? json_null() : json_boolean(state == VERDICT_YES));
  json_object_set_new(json, "message", json_text(state == VERDICT_YES || !*message ? NULL : message));
  return json;
}

/* Adds what the certificate was checked by, and the results. */
static void trust_add(struct probe *probe, enum verdict_state hash, const char *hash_message) {
  json_t *authorities = judged_json(probe->facts.authority, probe->authority_refusal);
  const char *file = probe->client.ca_file;
  json_object_set_new(authorities, "file", json_text(file));
  json_object_set_new(probe->report, "authorities", authorities);
  json_object_set_new(probe->report, "given_hash",
                      probe->client.hash_count ? judged_json(hash, hash_message) : json_null());
  probe->facts.authority_refusal = probe->authority_refusal;
  probe->facts.authority_of_file = file != NULL;
}

static bool report_begin(struct probe *probe) {
  probe->report = json_object();
  probe->bare_url = strndup(probe->client.url, strcspn(probe->client.url, "?"));
  probe->now = (int64_t)time(NULL);
  json_object_set_new(probe->report, "url", json_text(probe->client.url));
  json_object_set_new(probe->report, "exit_status", json_null());
  json_object_set_new(probe->report, "error", json_null());
  json_object_set_new(probe->report, "unchecked", json_false());
  return probe->bare_url != NULL;
}

/* Connects without a check, after the certificate was refused. The report keeps the error of the first attempt. */
static void attempt_unchecked(struct probe *probe) {
  char message[400];
  json_t *error = json_incref(json_object_get(probe->report, "error"));
  attempt_main(probe, TRUST_ANY, false, message, sizeof message);
  json_object_set(probe->report, "unchecked_error", json_object_get(probe->report, "error"));
  json_object_set_new(probe->report, "error", error);
  json_object_set_new(probe->report, "unchecked", json_true());
}

static enum verdict_state judgement(int error, bool handshake_done) {
  if (error == WT_ERR_CERTIFICATE) return VERDICT_NO;
  return handshake_done ? VERDICT_YES : VERDICT_UNKNOWN;
}

/* Makes all attempts. Returns the exit status. */
static int probe_run(struct probe *probe, const struct command *command) {
  const enum trust trust = probe->client.accept_any   ? TRUST_ANY
                           : probe->client.hash_count ? TRUST_HASH
                                                      : TRUST_AUTHORITIES;
  char message[400] = "";
  int error = attempt_main(probe, trust, true, message, sizeof message);
  if (!json_object_get(probe->report, "addresses")) { /* the dial could not begin */
    fprintf(stderr, "webtransport %s: %s\n", command->name, message);
    return error == WT_ERR_ADDRESS ? EXIT_USAGE : EXIT_FAILED;
  }
  const enum verdict_state judged = judgement(error, probe->info.handshake_us > 0);
  if (error == WT_ERR_CERTIFICATE) attempt_unchecked(probe);
  if (trust == TRUST_AUTHORITIES) {
    probe->facts.authority = judged;
    snprintf(probe->authority_refusal, sizeof probe->authority_refusal, "%s", message);
  } else if (probe->info.handshake_us) {
    authorities_ask(probe);
  }
  trust_add(probe, judged, message);
  probe_add_verdicts(probe->report, &probe->facts);
  if (error) return exit_of_error(error);
  if (probe->client.protocol_count && !probe->has_subprotocol) return EXIT_SUBPROTOCOL;
  return probe->closed_code;
}

/* --- The command --- */

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct probe *)target)->json = true;
  return true;
}

static bool set_watch(void *target, const char *value, char *message, size_t size) {
  uint64_t ns;
  if (!value_time(value, 0, WATCH_MAX_S * NS_PER_S, &ns, message, size)) return false;
  ((struct probe *)target)->watch_ms = ns / NS_PER_MS;
  return true;
}

static int probe_main(const struct command *command, int argc, char **argv) {
  struct probe probe = {.watch_ms = DEFAULT_WATCH_MS, .closed_code = EXIT_DONE};
  client_settings_default(&probe.client);
  enum options_outcome outcome = options_parse(command, argc, argv, &probe);
  int status = outcome == OPTIONS_RUN    ? client_settings_load(&probe.client, command)
               : outcome == OPTIONS_HELP ? EXIT_DONE
                                         : EXIT_USAGE;
  if (outcome != OPTIONS_RUN || status) {
    client_settings_free(&probe.client);
    return status;
  }
  status = EXIT_FAILED;
  if (report_begin(&probe)) status = probe_run(&probe, command);
  if (json_object_get(probe.report, "verdicts")) {
    json_object_set_new(probe.report, "exit_status", json_integer(status));
    if (probe.json)
      json_dumpf(probe.report, stdout, JSON_INDENT(2));
    else
      probe_print(probe.report, probe.has_certificate ? &probe.certificate : NULL, probe.now);
    if (probe.json) putchar('\n');
  }
  json_decref(probe.report);
  free(probe.settings);
  free(probe.bare_url);
  client_settings_free(&probe.client);
  return status;
}

static const struct option_spec probe_options[] = {
    CLIENT_OPTIONS,
    {.name = "watch",
     .letter = 'w',
     .argument = "TIME",
     .fallback = "500ms",
     .help = "How long the session is kept, for round-trip times and the path's MTU.",
     .set = set_watch},
    {.name = "json", .letter = 'j', .help = "Prints an object in JSON instead of text.", .set = set_json},
    {0},
};

static const struct operand_spec probe_operands[] = {CLIENT_OPERAND, {0}};

static const struct example_spec probe_examples[] = {
    {"webtransport probe https://example.com/chat", "Everything about a server."},
    {"webtransport probe --json https://localhost:4433/echo | jq '.verdicts[] | {client, would_connect}'",
     "Who could connect."},
    {0},
};

const struct command probe_command = {
    .name = "probe",
    .summary = "Connects, and tells what the server is and which clients could use it",
    .details =
        "The certificate is checked as the options say. If it is refused, that is the exit status, and the rest is "
        "found "
        "out by connecting again without a check, for looking only: without the URL's query and the fields of "
        "--header. A few more "
        "connections "
        "follow, to see whether TLS resumes (with GET requests) and to ask the authorities about the certificate.\n"
        "\n"
        "Pages always send an origin; with --origin the server is asked as they do. The verdicts say whether a client "
        "would get a session by what it is known to require; a browser's page can name a certificate by its hash. They "
        "do "
        "not change the exit status.",
    .options = probe_options,
    .operands = probe_operands,
    .examples = probe_examples,
    .exits = EXITS_CLIENT,
    .run = probe_main,
};
