/* SPDX-License-Identifier: MIT */
/*
 * The server of the interop cases: which path a session asked for decides what its streams do. Each session is a
 * visit with a party; whenever one ends, a line "closed PATH CODE REASON" goes to standard output, which the
 * runner waits for.
 *
 *   /echo /digest /source /resets /collect /close
 *
 * Requests without a session are plain.c's.
 *
 * It checks nothing by itself: the client at the other end judges, from what comes back.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webtransport/webtransport.h>

#include "lane.h"
#include "peer.h"
#include "plain.h"

enum {
  STREAMS_MAX = 100000,
};

static wt_server *running;
static bool tiny; /* so the client has to announce it too */

struct visit {
  struct party party;
  uint64_t count; /* of streams */
  uint64_t bytes; /* on each */
  enum wt_stream_kind kind;
  uint32_t code;
  char reason[256];
  uint32_t *codes; /* /collect */
  uint64_t collected;
};

/* --- What the sessions do --- */

static void echo_received(struct lane *lane) {
  if (lane->was_reset || lane->lost) return;
  party_open(lane->party, WT_UNIDIRECTIONAL, lane->in ? lane->in : (const uint8_t *)"", lane->in_len, LANE_FIN, 0);
}

static void echo_accept(struct lane *lane) {
  lane->echoes = lane->kind == WT_BIDIRECTIONAL;
  lane->on_received = echo_received;
}

static void echo_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)user_data;
  wt_session_send_datagram(session, data, len);
}

static void digest_received(struct lane *lane) {
  char text[DIGEST_TEXT];
  if (lane->was_reset || lane->lost || !digest_text(lane->in, lane->in_len, text)) return;
  if (lane->kind == WT_BIDIRECTIONAL)
    lane_send(lane, text, strlen(text), LANE_FIN);
  else
    party_open(lane->party, WT_UNIDIRECTIONAL, text, strlen(text), LANE_FIN, 0);
}

static void digest_accept(struct lane *lane) { lane->on_received = digest_received; }

static void source_begin(struct visit *visit) {
  for (uint64_t i = 0; i < visit->count; i++) party_open(&visit->party, visit->kind, NULL, visit->bytes, LANE_FIN, 0);
}

static void resets_begin(struct visit *visit) {
  for (uint64_t i = 0; i < visit->count; i++)
    party_open(&visit->party, WT_UNIDIRECTIONAL, NULL, RESET_BYTES, LANE_RESET, reset_code_of(i));
}

static int code_compare(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

/* The list that /collect answers with. */
static void collect_answer(struct visit *visit) {
  char *text = malloc((size_t)visit->count * 11 + 1);
  size_t len = 0;
  if (!text) return;
  qsort(visit->codes, visit->count, sizeof *visit->codes, code_compare);
  for (uint64_t i = 0; i < visit->count; i++) len += (size_t)sprintf(text + len, "%" PRIu32 "\n", visit->codes[i]);
  party_open(&visit->party, WT_UNIDIRECTIONAL, text, len, LANE_FIN, 0);
  free(text);
}

static void collect_received(struct lane *lane) {
  struct visit *visit = lane->party->owner;
  if (lane->lost) return;
  if (lane->kind == WT_BIDIRECTIONAL) lane_send(lane, NULL, 0, LANE_FIN);
  if (!lane->was_reset || !lane->has_code) {
    fprintf(stderr, "/collect: a stream ended %s\n", lane->was_reset ? "by a reset without a code" : "by FIN");
    return;
  }
  if (visit->collected >= visit->count) return;
  visit->codes[visit->collected++] = lane->reset_code;
  if (visit->collected == visit->count) collect_answer(visit);
}

static void collect_accept(struct lane *lane) { lane->on_received = collect_received; }

static void close_begin(struct visit *visit) {
  wt_session_close(visit->party.session, visit->code, visit->reason, strlen(visit->reason));
}

/* A stream that the client opened where none is expected: read to its end. */
static void other_received(struct lane *lane) {
  if (lane->kind == WT_BIDIRECTIONAL && !lane->lost) lane_send(lane, NULL, 0, LANE_FIN);
}

static void other_accept(struct lane *lane) { lane->on_received = other_received; }

static const struct service {
  const char *path;
  void (*accept)(struct lane *lane);
  void (*begin)(struct visit *visit);
} services[] = {
    {"/echo", echo_accept, NULL},
    {"/digest", digest_accept, NULL},
    {"/source", other_accept, source_begin},
    {"/resets", other_accept, resets_begin},
    {"/collect", collect_accept, NULL},
    {"/close", other_accept, close_begin},
};

/* --- Sessions --- */

static void visit_free(struct visit *visit) {
  free(visit->codes);
  free(visit);
}

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct party *party = user_data;
  party_closed(party);
  printf("closed %s %" PRIu32 " %s\n", wt_session_path(session), info->code, info->reason);
  fflush(stdout);
  visit_free(party->owner);
}

/* The value of `name`, `otherwise` where it is missing. False: it is no number up to `max`. */
static bool query_number(wt_request *request, const char *name, uint64_t otherwise, uint64_t max, uint64_t *number) {
  char text[24], *end;
  int error = wt_request_get_query_value(request, name, text, sizeof text);
  *number = otherwise;
  if (error == WT_ERR_NOT_FOUND) return true;
  if (error || text[0] < '0' || text[0] > '9') return false;
  errno = 0;
  *number = strtoull(text, &end, 10);
  return !*end && !errno && *number <= max;
}

static struct visit *visit_new(wt_request *request, const struct service *service) {
  struct visit *visit = calloc(1, sizeof *visit);
  char kind[8] = "uni";
  uint64_t code;
  if (!visit) return NULL;
  party_init(&visit->party, visit, service->accept);
  wt_request_get_query_value(request, "kind", kind, sizeof kind);
  visit->kind = strcmp(kind, "bidi") == 0 ? WT_BIDIRECTIONAL : WT_UNIDIRECTIONAL;
  int error = wt_request_get_query_value(request, "reason", visit->reason, sizeof visit->reason);
  if ((error && error != WT_ERR_NOT_FOUND) || !query_number(request, "streams", 1, STREAMS_MAX, &visit->count) ||
      !query_number(request, "count", visit->count, STREAMS_MAX, &visit->count) ||
      !query_number(request, "bytes", 0, LANE_READ_MAX, &visit->bytes) ||
      !query_number(request, "code", 0, UINT32_MAX, &code)) {
    visit_free(visit);
    return NULL;
  }
  visit->code = (uint32_t)code;
  visit->codes = calloc(visit->count + 1, sizeof *visit->codes);
  return visit;
}

static void on_request(wt_request *request, void *user_data) {
  static const char *const protocols[] = {"interop-b", "interop-c"};
  const struct service *service = user_data;
  struct wt_upgrade_options options;
  uint64_t bytes;
  if (!wt_request_is_webtransport(request)) {
    plain_serve(request, service->path, query_number(request, "bytes", 0, UINT32_MAX, &bytes) ? bytes : UINT64_MAX);
    return;
  }
  struct visit *visit = visit_new(request, service);
  if (!visit || !visit->codes) {
    wt_request_respond(request, 400, NULL, 0, NULL, 0);
    if (visit) visit_free(visit);
    return;
  }
  wt_upgrade_options_default(&options);
  static const struct wt_session_callbacks callbacks = {
      .on_stream = party_on_stream,
      .on_stream_credit = party_on_stream_credit,
      .on_datagram = echo_on_datagram,
      .on_close = on_session_close,
  };
  options.callbacks = &callbacks;
  options.user_data = &visit->party;
  options.protocols = protocols;
  options.protocol_count = 2;
  int error = wt_upgrade(request, &options, &visit->party.session);
  if (error) {
    fprintf(stderr, "upgrade: %s\n", wt_request_error(request));
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    visit_free(visit);
    return;
  }
  fprintf(stderr, "session at %s, draft %d\n", wt_session_path(visit->party.session),
          wt_session_draft(visit->party.session));
  if (tiny && !limits_are_tiny(visit->party.session)) {
    static const char reason[] = "the client announces other limits than those of flow-control";
    wt_session_close(visit->party.session, 1, reason, sizeof reason - 1);
  } else if (service->begin) {
    service->begin(visit);
  }
}

/* --- The server --- */

static void on_signal(int number) {
  (void)number;
  wt_server_close(running);
}

static int serve(const char *cert_file, const char *key_file) {
  char message[256], address[64];
  wt_certificate *certificate;
  if (wt_certificate_load(cert_file, key_file, &certificate, message, sizeof message)) {
    fprintf(stderr, "%s\n", message);
    return 1;
  }
  int error = wt_server_add_certificate(running, certificate);
  wt_certificate_free(certificate);
  for (size_t i = 0; !error && i < sizeof services / sizeof services[0]; i++)
    error = wt_server_handle(running, services[i].path, on_request, (void *)(uintptr_t)&services[i]);
  if (!error) error = wt_server_start(running);
  if (!error) error = wt_server_get_address(running, 0, address, sizeof address);
  if (error) {
    fprintf(stderr, "%s: %s\n", wt_error_string(error), wt_server_error(running));
    return 1;
  }
  printf("ready %s\n", strrchr(address, ':') + 1);
  fflush(stdout);
  return wt_server_run(running) ? 1 : 0;
}

int server_main(const struct options *options) {
  struct sigaction action = {.sa_handler = on_signal};
  struct wt_server_config config;
  char address[32];
  const char *listen = address;
  snprintf(address, sizeof address, "127.0.0.1:%s", options->port);
  wt_server_config_default(&config);
  config.listen = &listen;
  config.listen_count = 1;
  const char *workers = getenv("WT_TEST_WORKERS"); /* as the fixtures of tests/e2e have it */
  if (workers) config.workers = (unsigned)strtoul(workers, NULL, 10);
  tiny = options->tiny;
  if (tiny) {
    config.wt_initial_max_data = config.wt_max_data = TINY_DATA;
    config.wt_max_streams_bidi = config.wt_max_streams_uni = TINY_STREAMS;
  }
  if (wt_server_new(&config, &running, NULL, 0)) return 1;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  int status = serve(options->cert, options->key);
  wt_server_free(running);
  return status;
}
