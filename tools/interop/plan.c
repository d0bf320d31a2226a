/* SPDX-License-Identifier: MIT */
/*
 * The environment of a run, as the quic-interop-runner sets it: ROLE, TESTCASE, REQUESTS and PROTOCOLS. Lists are
 * separated by spaces. A client's requests are URLs, a server's are paths, and both mean the same thing: the first
 * component names the endpoint that the session is at, the rest is a file there; without a rest there is a session
 * and nothing to fetch.
 *
 *   client   https://server4:443/quick-fox/file       server   quick-fox/file
 *
 * The same file asked for twice is one file. What the texts are cut into stays inside the two copies of them.
 */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static const struct {
  const char *name; /* "transfer-%-receive" of a client is "transfer-%-send" of a server */
  enum task task;
  enum way way;
} cases[] = {
    {"handshake", TASK_HANDSHAKE, WAY_BIDI},           {"transfer", TASK_SERVE, WAY_BIDI},
    {"transfer-unidirectional-", TASK_FETCH, WAY_UNI}, {"transfer-bidirectional-", TASK_FETCH, WAY_BIDI},
    {"transfer-datagram-", TASK_FETCH, WAY_DATAGRAM},
};

static const char *environment(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

static bool case_read(struct plan *plan, const char *name) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *ending = cases[i].task != TASK_FETCH ? "" : plan->server ? "send" : "receive";
    size_t len = strlen(cases[i].name);
    if (strncmp(name, cases[i].name, len) != 0 || strcmp(name + len, ending) != 0) continue;
    plan->task = cases[i].task;
    plan->way = cases[i].way;
    return true;
  }
  return false;
}

/* Makes room for another member of an array; returns it zeroed. The few there are need no doubling. */
static void *array_add(void *array_at, size_t *count, size_t size) {
  void **array = array_at;
  void *grown = realloc(*array, (*count + 1) * size);
  if (!grown) return NULL;
  *array = grown;
  return memset((char *)grown + (*count)++ * size, 0, size);
}

static bool protocols_read(struct plan *plan) {
  char *rest;
  for (char *name = strtok_r(plan->protocols_text, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
    const char **added = array_add(&plan->protocols, &plan->protocol_count, sizeof *added);
    if (!added) return false;
    *added = name;
  }
  return true;
}

static bool file_add(struct endpoint *endpoint, const char *file) {
  for (size_t i = 0; i < endpoint->count; i++) {
    if (strcmp(endpoint->files[i].file, file) == 0) return true;
  }
  struct wanted *added = array_add(&endpoint->files, &endpoint->count, sizeof *added);
  if (added) added->file = file;
  return added;
}

/* Cuts one request into its parts; false if it is none. */
static bool request_read(struct plan *plan, char *text) {
  char *path = text, *origin = NULL;
  if (!plan->server) {
    char *host = strstr(text, "://");
    if (!host) return false;
    path = strchr(host + 3, '/');
    if (!path) return false;
    origin = text;
    *path++ = 0;
  }
  path += *path == '/';
  char *file = strchr(path, '/');
  if (file) *file++ = 0;
  if (!file_name_is_safe(path) || (file && *file && !file_name_is_safe(file))) return false;
  struct endpoint *endpoint = plan_endpoint(plan, path, strlen(path));
  if (!endpoint) {
    endpoint = array_add(&plan->endpoints, &plan->count, sizeof *endpoint);
    if (!endpoint) return false;
    endpoint->name = path;
    endpoint->origin = origin;
  }
  return !file || !*file || file_add(endpoint, file);
}

static bool requests_read(struct plan *plan) {
  char *rest;
  for (char *text = strtok_r(plan->requests_text, " ", &rest); text; text = strtok_r(NULL, " ", &rest)) {
    if (!request_read(plan, text)) return false;
  }
  return true;
}

int plan_read(struct plan *plan) {
  const char *role = environment("ROLE", ""), *name = environment("TESTCASE", "");
  memset(plan, 0, sizeof *plan);
  plan->server = strcmp(role, "server") == 0;
  if (!plan->server && strcmp(role, "client") != 0) {
    fprintf(stderr, "ROLE has to be client or server, and is '%s'\n", role);
    return 2;
  }
  if (!case_read(plan, name)) {
    fprintf(stderr, "TESTCASE '%s' is none of a %s\n", name, role);
    return EXIT_UNKNOWN_CASE;
  }
  plan->www = environment("WWW", "/www");
  plan->downloads = environment("DOWNLOADS", "/downloads");
  plan->certs = environment("CERTS", "/certs");
  plan->logs = environment("LOGS", "/logs");
  plan->listen = environment("LISTEN", "[::]:443");
  plan->requests_text = strdup(environment("REQUESTS", ""));
  plan->protocols_text = strdup(environment("PROTOCOLS", ""));
  if (!plan->requests_text || !plan->protocols_text || !protocols_read(plan)) {
    fputs("out of memory\n", stderr);
    return 1;
  }
  if (!requests_read(plan)) {
    fprintf(stderr, "REQUESTS is not a list of %s: '%s'\n", plan->server ? "paths" : "URLs", getenv("REQUESTS"));
    return 2;
  }
  if (!plan->server && plan->count == 0) {
    fputs("REQUESTS names no endpoint to open a session at\n", stderr);
    return 2;
  }
  if (plan->task == TASK_FETCH && plan_left(plan) == 0) {
    fputs("REQUESTS names no file to fetch\n", stderr);
    return 2;
  }
  return 0;
}

void plan_free(struct plan *plan) {
  for (size_t i = 0; i < plan->count; i++) free(plan->endpoints[i].files);
  free(plan->endpoints);
  free(plan->protocols);
  free(plan->requests_text);
  free(plan->protocols_text);
}

struct endpoint *plan_endpoint(const struct plan *plan, const char *name, size_t len) {
  for (size_t i = 0; i < plan->count; i++) {
    struct endpoint *endpoint = &plan->endpoints[i];
    if (strlen(endpoint->name) == len && memcmp(endpoint->name, name, len) == 0) return endpoint;
  }
  return NULL;
}

size_t plan_left(const struct plan *plan) {
  size_t left = 0;
  for (size_t i = 0; i < plan->count; i++) {
    for (size_t j = 0; j < plan->endpoints[i].count; j++) left += !plan->endpoints[i].files[j].saved;
  }
  return left;
}

void plan_fail(struct plan *plan, const char *format, ...) {
  va_list arguments;
  plan->failed = true;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}
