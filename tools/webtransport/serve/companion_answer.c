/* SPDX-License-Identifier: MIT */
/*
 * What the companion answers:
 *
 *   / and the page's files        /info.json       port, hash, endpoints
 *   /healthz                      /sessions.json   the sessions that ended last
 *   /metrics                      /stats.json      the server's counts
 *
 * Only GET and HEAD are answered, and only for a host that is ours (hosts.h): the page's files are public, but the rest
 * must not be read by pages of other sites. A request without exactly one readable Host field gets 400 (RFC 9112,
 * section 3.2), a request for another host 421. If the target is a whole URL, its host must be ours too.
 *
 * libmicrohttpd calls `answers_handle` once with the header alone, then for each piece of a body, then for the answer.
 */
#include "serve/companion_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/server_metrics.h"
#include "common/tool_log.h"
#include "common/values.h"
#include "serve/companion_access.h"
#include "serve/pages.h"

enum {
  NO_COUNTS_MS = 2000
}; /* how long counts are not asked for after the server did not give them in time */

static struct peer *peer_of(struct answers *answers, struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? peers_find(&answers->peers, info->connect_fd) : NULL;
}

/* --- Answers. --- */

/* `len` is the length of the body, which decides how long the answer may take. */
static enum MHD_Result answer(struct answers *answers, struct MHD_Connection *connection, unsigned int status,
                              const char *type, struct MHD_Response *response, uint64_t len) {
  static const char *const headers[][2] = {
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Content-Security-Policy", PAGE_SECURITY_POLICY},
      {"Cache-Control", "no-cache"},
  };
  struct peer *peer = peer_of(answers, connection);
  if (!response) return MHD_NO;
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
    MHD_add_response_header(response, headers[i][0], headers[i][1]);
  MHD_add_response_header(response, "Content-Type", type);
  MHD_add_response_header(response, "Alt-Svc", answers->alt_svc);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, "Allow", "GET, HEAD");
  if (status >= 400 || !peer || peer->requests >= PEER_REQUESTS_MAX)
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  if (peer) {
    peer->status = status;
    peer->answer = len;
    peer_answer(peer, len, clock_ms());
  }
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer_text(struct answers *answers, struct MHD_Connection *connection, unsigned int status,
                                   const char *text) {
  return answer(answers, connection, status, "text/plain; charset=utf-8",
                MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT),
                strlen(text));
}

/* Takes over `text`. NULL: the answer is 503. */
static enum MHD_Result answer_report(struct answers *answers, struct MHD_Connection *connection, const char *type,
                                     char *text) {
  if (!text) return answer_text(answers, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Not available now.\n");
  size_t len = strlen(text);
  struct MHD_Response *response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
  if (!response) free(text);
  return answer(answers, connection, MHD_HTTP_OK, type, response, len);
}

/* The counts come from the server's thread, and this thread waits for them. If that thread is busy, the next requests
 * are answered without waiting. */
static bool counts_skip(const struct answers *answers) {
  return answers->no_counts_ms && clock_ms() - answers->no_counts_ms < NO_COUNTS_MS;
}

static enum MHD_Result answer_counts(struct answers *answers, struct MHD_Connection *connection, const char *type,
                                     char *text) {
  answers->no_counts_ms = text ? 0 : clock_ms();
  return answer_report(answers, connection, type, text);
}

static enum MHD_Result answer_stats(struct answers *answers, struct MHD_Connection *connection) {
  if (counts_skip(answers)) return answer_report(answers, connection, "", NULL);
  return answer_counts(answers, connection, "application/json", report_stats(answers->site));
}

static enum MHD_Result answer_metrics(struct answers *answers, struct MHD_Connection *connection) {
  if (counts_skip(answers)) return answer_report(answers, connection, "", NULL);
  enum wt_metrics_format format =
      metrics_format_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
  return answer_counts(answers, connection, wt_metrics_content_type(format), report_metrics(answers->site, format));
}

static enum MHD_Result answer_page(struct answers *answers, struct MHD_Connection *connection, const char *path) {
  static struct log_limit withheld = LOG_LIMIT_INIT;
  struct page page;
  struct MHD_Response *response;
  if (!page_find(answers->www, path, &page)) {
    if (!page_is_withheld(errno)) return answer_text(answers, connection, MHD_HTTP_NOT_FOUND, "Not found.\n");
    log_limited(&withheld, WT_LOG_WARN, "companion: cannot open %s: %s", path, strerror(errno));
    return answer_text(answers, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Not now.\n");
  }
  if (page.data) {
    response = MHD_create_response_from_buffer((size_t)page.len, (void *)(uintptr_t)page.data, MHD_RESPMEM_PERSISTENT);
  } else {
    response = MHD_create_response_from_fd64(page.len, page.fd);
    if (!response) page_close(&page);
  }
  return answer(answers, connection, MHD_HTTP_OK, page.type, response, page.len);
}

static enum MHD_Result answer_sessions(struct answers *answers, struct MHD_Connection *connection) {
  const char *text = NULL;
  size_t len = 0;
  char *end = NULL;
  enum MHD_Result given = MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, "after", 5, &text, &len);
  errno = 0;
  uint64_t after = text ? strtoull(text, &end, 10) : 0;
  if (given && (!text || end != text + len || errno || text[0] < '0' || text[0] > '9'))
    return answer_text(answers, connection, MHD_HTTP_BAD_REQUEST, "after must be a number.\n");
  return answer_report(answers, connection, "application/json", report_sessions(answers->site, after));
}

static enum MHD_Result answer_path(struct answers *answers, struct MHD_Connection *connection, const char *path) {
  if (!strcmp(path, "/healthz"))
    return atomic_load(&answers->site->draining)
               ? answer_text(answers, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "draining\n")
               : answer_text(answers, connection, MHD_HTTP_OK, "ok\n");
  if (!strcmp(path, "/info.json"))
    return answer_report(answers, connection, "application/json", report_info(answers->site));
  if (!strcmp(path, "/sessions.json")) return answer_sessions(answers, connection);
  if (!strcmp(path, "/stats.json")) return answer_stats(answers, connection);
  if (!strcmp(path, "/metrics")) return answer_metrics(answers, connection);
  return answer_page(answers, connection, path);
}

/* --- Which requests are answered. --- */

struct host_fields {
  unsigned int count;
  bool malformed; /* a field's name is no token, such as "Host :" (RFC 9112, section 5.1) */
  const char *value;
  size_t len;
};

static enum MHD_Result host_field(void *argument, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                  const char *value, size_t len) {
  struct host_fields *fields = argument;
  (void)kind;
  if (!value_is_token(name, name_len)) fields->malformed = true;
  if (name_len != 4 || strncasecmp(name, "host", 4)) return MHD_YES;
  fields->count++;
  fields->value = value;
  fields->len = len;
  return MHD_YES;
}

static enum host_verdict field_check(struct answers *answers, struct MHD_Connection *connection,
                                     struct host_fields *fields) {
  *fields = (struct host_fields){0};
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, host_field, fields);
  if (fields->malformed || fields->count != 1 || !fields->value || strlen(fields->value) != fields->len)
    return HOST_MALFORMED;
  return hosts_check(answers->hosts, fields->value);
}

/* Removes "http://HOST" from `*target` and checks the host. */
static enum host_verdict target_check(struct answers *answers, const char **target) {
  char authority[HOST_SIZE + 8];
  size_t scheme = !strncasecmp(*target, "http://", 7) ? 7 : !strncasecmp(*target, "https://", 8) ? 8 : 0;
  if (!scheme) return (*target)[0] == '/' ? HOST_OURS : HOST_MALFORMED;
  size_t len = strcspn(*target + scheme, "/");
  if (len >= sizeof authority) return HOST_MALFORMED;
  memcpy(authority, *target + scheme, len);
  authority[len] = 0;
  *target += scheme + len;
  if (!**target) *target = "/";
  return hosts_check(answers->hosts, authority);
}

static bool method_is_read(const char *method) { return !strcmp(method, "GET") || !strcmp(method, "HEAD"); }

/* Answers a request that is malformed or for another host. False: it is neither. `*result` is for libmicrohttpd. */
static bool head_refuse(struct answers *answers, struct MHD_Connection *connection, const char *method,
                        const char *target, enum MHD_Result *result) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  struct host_fields fields;
  enum host_verdict field = field_check(answers, connection, &fields);
  /* CONNECT and OPTIONS have other targets, and get a 405. */
  enum host_verdict url = method_is_read(method) ? target_check(answers, &target) : HOST_OURS;
  if (field == HOST_MALFORMED || url == HOST_MALFORMED) {
    *result = answer_text(answers, connection, MHD_HTTP_BAD_REQUEST,
                          "The request has to name one host, in one Host field.\n");
    return true;
  }
  if (field == HOST_OURS && url == HOST_OURS) return false;
  log_limited(&limit, WT_LOG_WARN, "companion: a request for host %.*s refused with 421: %s",
              (int)(fields.len < HOST_SIZE ? fields.len : HOST_SIZE), fields.value, HOSTS_REFUSAL_LOG);
  *result = answer_text(answers, connection, MHD_HTTP_MISDIRECTED_REQUEST, HOSTS_REFUSAL "\n");
  return true;
}

/* A body is read and dropped: closing the connection over unread bytes could lose the answer. A long body is
 * refused. */
static bool body_is_long(struct MHD_Connection *connection) {
  const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  errno = 0;
  return length && (strtoull(length, NULL, 10) > PEER_BODY_MAX || errno);
}

static enum MHD_Result handle_head(struct answers *answers, struct MHD_Connection *connection, struct peer *peer,
                                   const char *method, const char *target) {
  enum MHD_Result result;
  peer_request(peer, clock_ms());
  if (head_refuse(answers, connection, method, target, &result)) return result;
  if (body_is_long(connection)) return answer_text(answers, connection, 413, "Nothing here takes a body.\n");
  return MHD_YES;
}

/* The state of a request without a line in the access log. */
static char seen;

enum MHD_Result answers_handle(void *user_data, struct MHD_Connection *connection, const char *target,
                               const char *method, const char *version, const char *body, size_t *body_len,
                               void **state) {
  struct answers *answers = user_data;
  struct peer *peer = peer_of(answers, connection);
  (void)body;
  if (!peer) return MHD_NO;
  if (!*state) {
    *state = companion_access_begin(answers->site->access_log, connection, method, target, version);
    if (!*state) *state = &seen;
    peer->status = 0;
    return handle_head(answers, connection, peer, method, target);
  }
  if (*body_len) {
    peer->body += *body_len;
    *body_len = 0;
    return peer->body <= PEER_BODY_MAX ? MHD_YES : MHD_NO;
  }
  if (!method_is_read(method))
    return answer_text(answers, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
  if (target_check(answers, &target) != HOST_OURS) return MHD_NO; /* the header was checked before */
  return answer_path(answers, connection, target);
}

void answers_completed(void *user_data, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode code) {
  struct peer *peer = peer_of(user_data, connection);
  const struct companion_end end = {.status = peer ? peer->status : 0,
                                    .body = peer ? peer->body : 0,
                                    .answer = peer ? peer->answer : 0,
                                    .whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK};
  if (*state != &seen) companion_access_end(*state, &end);
  *state = NULL;
  if (peer) peer_wait(peer, clock_ms());
}

void answers_connection(void *user_data, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code) {
  (void)context;
  if (code != MHD_CONNECTION_NOTIFY_CLOSED) return;
  struct peer *peer = peer_of(user_data, connection);
  if (peer) peer_closed(peer);
}

/* Undoes percent-encoding. Broken encodings stay as they are, and so does a NUL, which would hide what follows. */
size_t answers_unescape(void *user_data, struct MHD_Connection *connection, char *text) {
  char *out = text;
  (void)user_data;
  (void)connection;
  for (const char *at = text; *at; at++) {
    int byte = *at == '%' ? page_percent_byte(at) : -1;
    if (byte > 0) at += 2;
    *out++ = byte > 0 ? (char)byte : *at;
  }
  *out = 0;
  return (size_t)(out - text);
}
