/* SPDX-License-Identifier: MIT */
/*
 * Requests to the companion in the access log. Their lines have the members of those over HTTP/3 (common/access_line.h), so that one
 * program reads both; what HTTP/1.1 does not have is null. Queries are never there.
 *
 * Monitoring asks for /metrics and /healthz every few seconds. If they are answered as they should be, nobody wants to read that,
 * and such requests leave no line. Refused ones do.
 */
#include "serve/companion_access.h"

#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/access_line.h"
#include "common/clock.h"
#include "common/tool_log.h"

struct companion_access {
  struct line_writer *writer;
  json_t *line;
  uint64_t began_ns;
  bool monitoring; /* for /metrics or /healthz */
  bool head;       /* the answer has no body */
};

/* "192.0.2.1:50000", as the library writes addresses. */
static void address_text(struct MHD_Connection *connection, char *text, size_t size) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  char host[NI_MAXHOST], port[NI_MAXSERV];
  text[0] = 0;
  if (!info || !info->client_addr) return;
  bool six = info->client_addr->sa_family == AF_INET6;
  socklen_t len = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  if (getnameinfo(info->client_addr, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
    return;
  snprintf(text, size, "%s%s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
}

static void put_field(json_t *line, const char *name, struct MHD_Connection *connection, const char *field) {
  access_put_text(line, name, MHD_lookup_connection_value(connection, MHD_HEADER_KIND, field));
}

static void put_head(json_t *line, struct MHD_Connection *connection, const char *method, const char *path,
                     const char *version) {
  char address[NI_MAXHOST + NI_MAXSERV + 4];
  address_text(connection, address, sizeof address);
  access_put_text(line, "time", NULL); /* of the end; its place is here */
  access_put_text(line, "http", strncmp(version, "HTTP/", 5) ? version : version + 5);
  access_put_text(line, "kind", "request");
  access_put_text(line, "client", address);
  access_put_text(line, "connection", NULL);
  access_put_text(line, "worker", NULL);
  access_put_text(line, "method", method);
  access_put_text(line, "path", path);
  put_field(line, "authority", connection, "host");
  put_field(line, "origin", connection, "origin");
  put_field(line, "user_agent", connection, "user-agent");
  access_put_text(line, "route", NULL);
}

struct companion_access *companion_access_begin(struct line_writer *writer, struct MHD_Connection *connection,
                                                const char *method, const char *path, const char *version) {
  struct companion_access *access = writer ? calloc(1, sizeof *access) : NULL;
  if (!access) return NULL;
  access->writer = writer;
  access->line = json_object();
  access->began_ns = clock_ns();
  access->monitoring = !strcmp(path, "/metrics") || !strcmp(path, "/healthz");
  access->head = !strcmp(method, "HEAD");
  put_head(access->line, connection, method, path, version);
  return access;
}

static void put_end(json_t *line, const struct companion_access *access, const struct companion_end *end) {
  char stamp[40];
  log_time(stamp, sizeof stamp);
  access_put_text(line, "time", stamp);
  json_object_set_new_nocheck(line, "status", end->status ? json_integer(end->status) : json_null());
  json_object_set_new_nocheck(line, "duration_ms",
                              json_real((double)(clock_ns() - access->began_ns) / (double)NS_PER_MS));
  access_put_count(line, "bytes_in", end->body);
  if (end->whole || access->head)
    access_put_count(line, "bytes_out", access->head ? 0 : end->answer);
  else
    access_put_text(line, "bytes_out", NULL);
  access_put_text(line, "error", end->whole ? NULL : "the connection has ended before");
  access_put_text(line, "wire_code", NULL);
}

void companion_access_end(struct companion_access *access, const struct companion_end *end) {
  if (!access) return;
  bool quiet =
      access->monitoring && end->whole && (end->status == MHD_HTTP_OK || end->status == MHD_HTTP_SERVICE_UNAVAILABLE);
  if (quiet) {
    json_decref(access->line);
  } else {
    put_end(access->line, access, end);
    access_line_write(access->writer, access->line);
  }
  free(access);
}
