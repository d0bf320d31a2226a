/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/1.1 companion. A browser begins with TCP: it cannot open a page over HTTP/3 from a server
 * that it knows nothing about, and not at all with a certificate that no authority signed. So the page
 * comes from here, over plain HTTP on a loopback address, which browsers treat as secure, and tells
 * the page's script where the WebTransport server is and which hash its certificate has.
 *
 *   / and the page's files        /info.json       port, hash, endpoints
 *   /healthz                      /sessions.json   the sessions that ended last
 *   /metrics                      /stats.json      the server's counts
 *
 * GET and HEAD only. libmicrohttpd runs each socket on a thread of its own; these threads meet the
 * server's only in the recorder. One socket for each address of the host: "localhost" is two.
 */
#include "companion.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pages.h"

enum {
  SOCKETS_MAX = 8,
  CONNECTIONS_MAX = 256, /* on each socket */
  IDLE_TIMEOUT_S = 30,
  ANY_PORT_TRIES = 16,
};

struct companion {
  struct companion_config config;
  int sockets[SOCKETS_MAX]; /* those no daemon has taken over yet; -1 otherwise */
  struct MHD_Daemon *daemons[SOCKETS_MAX];
  size_t count;
  uint16_t port;
  char url[300];
  char alt_svc[40];
};

/* --- Answers. --- */

static enum MHD_Result answer(struct companion *companion, struct MHD_Connection *connection, unsigned int status,
                              const char *type, struct MHD_Response *response) {
  static const char *const headers[][2] = {
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Content-Security-Policy", PAGE_SECURITY_POLICY},
      {"Cache-Control", "no-cache"},
  };
  if (!response) return MHD_NO;
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
    MHD_add_response_header(response, headers[i][0], headers[i][1]);
  MHD_add_response_header(response, "Content-Type", type);
  MHD_add_response_header(response, "Alt-Svc", companion->alt_svc);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, "Allow", "GET, HEAD");
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer_text(struct companion *companion, struct MHD_Connection *connection, unsigned int status,
                                   const char *text) {
  return answer(companion, connection, status, "text/plain; charset=utf-8",
                MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT));
}

/* Takes over `text`; NULL stands for "not now". */
static enum MHD_Result answer_report(struct companion *companion, struct MHD_Connection *connection, const char *type,
                                     char *text) {
  if (!text) return answer_text(companion, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Not available now.\n");
  struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
  if (!response) free(text);
  return answer(companion, connection, MHD_HTTP_OK, type, response);
}

static enum MHD_Result answer_page(struct companion *companion, struct MHD_Connection *connection, const char *path) {
  struct page page;
  struct MHD_Response *response;
  if (!page_find(companion->config.www, path, &page))
    return answer_text(companion, connection, MHD_HTTP_NOT_FOUND, "Not found.\n");
  if (page.data) {
    response = MHD_create_response_from_buffer((size_t)page.len, (void *)(uintptr_t)page.data, MHD_RESPMEM_PERSISTENT);
  } else {
    response = MHD_create_response_from_fd64(page.len, page.fd);
    if (!response) page_close(&page);
  }
  return answer(companion, connection, MHD_HTTP_OK, page.type, response);
}

static enum MHD_Result answer_sessions(struct companion *companion, struct MHD_Connection *connection) {
  const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "after");
  char *end = NULL;
  errno = 0;
  uint64_t after = text && *text ? strtoull(text, &end, 10) : 0;
  if (text && (!end || *end || errno || text[0] < '0' || text[0] > '9'))
    return answer_text(companion, connection, MHD_HTTP_BAD_REQUEST, "after must be a number.\n");
  return answer_report(companion, connection, "application/json", report_sessions(companion->config.site, after));
}

static enum MHD_Result companion_answer(void *user_data, struct MHD_Connection *connection, const char *path,
                                        const char *method, const char *version, const char *body, size_t *body_len,
                                        void **state) {
  static char seen;
  struct companion *companion = user_data;
  const struct site *site = companion->config.site;
  (void)version;
  (void)body;
  if (!*state) {
    *state = &seen; /* the first call has the head only; answering a POST here would break its connection */
    return MHD_YES;
  }
  if (*body_len) {
    *body_len = 0; /* a body is read and dropped */
    return MHD_YES;
  }
  if (strcmp(method, "GET") && strcmp(method, "HEAD"))
    return answer_text(companion, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
  if (!strcmp(path, "/healthz")) return answer_text(companion, connection, MHD_HTTP_OK, "ok\n");
  if (!strcmp(path, "/info.json")) return answer_report(companion, connection, "application/json", report_info(site));
  if (!strcmp(path, "/sessions.json")) return answer_sessions(companion, connection);
  if (!strcmp(path, "/stats.json")) return answer_report(companion, connection, "application/json", report_stats(site));
  if (!strcmp(path, "/metrics"))
    return answer_report(companion, connection, "text/plain; version=0.0.4; charset=utf-8", report_metrics(site));
  return answer_page(companion, connection, path);
}

/* --- Sockets. --- */

static uint16_t socket_port(int fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address = {0};
  socklen_t len = sizeof address;
  if (getsockname(fd, &address.any, &len)) return 0;
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Returns a listening socket, or -1 with errno. */
static int socket_listen(const struct addrinfo *info, uint16_t port) {
  struct sockaddr_storage address = {0};
  int on = 1, off = 0;
  memcpy(&address, info->ai_addr, info->ai_addrlen);
  if (info->ai_family == AF_INET6)
    ((struct sockaddr_in6 *)&address)->sin6_port = htons(port);
  else
    ((struct sockaddr_in *)&address)->sin_port = htons(port);
  int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  /* "[::]" takes IPv4 too, as it does for --listen. */
  if (info->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (!bind(fd, (struct sockaddr *)&address, info->ai_addrlen) && !listen(fd, SOMAXCONN)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static void sockets_close(struct companion *companion) {
  for (size_t i = 0; i < companion->count; i++)
    if (companion->sockets[i] >= 0) close(companion->sockets[i]);
  companion->count = 0;
}

/* An address of the name that this machine does not have (no IPv6, most often) is passed over. */
static bool error_is_no_address(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

/* Binds every address to `port`, or, if that is 0, to the one that the first got. Returns 0 or errno. */
static int sockets_bind(struct companion *companion, const struct addrinfo *list, uint16_t port) {
  int absent = EADDRNOTAVAIL;
  for (; list && companion->count < SOCKETS_MAX; list = list->ai_next) {
    if (list->ai_family != AF_INET && list->ai_family != AF_INET6) continue;
    int fd = socket_listen(list, port);
    if (fd < 0) {
      if (error_is_no_address(errno)) continue;
      int error = errno;
      sockets_close(companion);
      return error;
    }
    if (!port) port = socket_port(fd);
    companion->sockets[companion->count++] = fd;
  }
  companion->port = port;
  return companion->count ? 0 : absent;
}

/* `*failed` gets the port that could not be had. */
static int sockets_open(struct companion *companion, const struct addrinfo *list, uint16_t *failed) {
  uint16_t port = companion->config.port;
  int error = EADDRINUSE;
  /* A free port of one address family may be taken in the other: another is tried. */
  unsigned int tries = port ? 1 + companion->config.more_ports : ANY_PORT_TRIES;
  for (unsigned int i = 0; i < tries && error == EADDRINUSE; i++) {
    if (port && port + i > UINT16_MAX) break;
    *failed = (uint16_t)(port ? port + i : 0);
    error = sockets_bind(companion, list, *failed);
  }
  return error;
}

static bool host_is_localhost(const char *host) { return !strcmp(host, "localhost"); }

/* "localhost" is both loopback addresses, whatever the name service says. */
static int host_resolve(const char *host, struct addrinfo **v4, struct addrinfo **v6) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  *v6 = NULL;
  if (!host_is_localhost(host)) return getaddrinfo(host, "0", &hints, v4);
  hints.ai_flags |= AI_NUMERICHOST;
  int error = getaddrinfo("127.0.0.1", "0", &hints, v4);
  if (!error && getaddrinfo("::1", "0", &hints, v6)) *v6 = NULL;
  return error;
}

struct companion *companion_open(const struct companion_config *config, char *message, size_t size) {
  struct companion *companion = calloc(1, sizeof *companion);
  struct addrinfo *v4, *v6;
  uint16_t failed = config->port;
  if (!companion) {
    snprintf(message, size, "out of memory");
    return NULL;
  }
  companion->config = *config;
  int error = host_resolve(config->host, &v4, &v6);
  if (error) {
    snprintf(message, size, "--http: cannot find the address '%s': %s", config->host, gai_strerror(error));
    free(companion);
    return NULL;
  }
  /* Two lists of one entry each, searched as one. */
  if (v6) v4->ai_next = v6;
  error = sockets_open(companion, v4, &failed);
  if (v6) v4->ai_next = NULL;
  freeaddrinfo(v4);
  if (v6) freeaddrinfo(v6);
  if (error) {
    snprintf(message, size, "--http: cannot listen on TCP %s%s%s:%u: %s", strchr(config->host, ':') ? "[" : "",
             config->host, strchr(config->host, ':') ? "]" : "", failed, strerror(error));
    free(companion);
    return NULL;
  }
  const char *host = config->host;
  if (!strcmp(host, "0.0.0.0") || !strcmp(host, "::")) host = "localhost";
  bool brackets = strchr(host, ':') != NULL;
  snprintf(companion->url, sizeof companion->url, "http://%s%s%s:%u/", brackets ? "[" : "", host, brackets ? "]" : "",
           companion->port);
  return companion;
}

bool companion_start(struct companion *companion, char *message, size_t size) {
  snprintf(companion->alt_svc, sizeof companion->alt_svc, "h3=\":%u\"; ma=86400", companion->config.site->port);
  for (size_t i = 0; i < companion->count; i++) {
    companion->daemons[i] = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, companion_answer, companion,
        MHD_OPTION_LISTEN_SOCKET, companion->sockets[i], MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (!companion->daemons[i]) {
      snprintf(message, size, "--http: libmicrohttpd cannot start");
      return false;
    }
    companion->sockets[i] = -1;
  }
  return true;
}

uint16_t companion_port(const struct companion *companion) { return companion->port; }

const char *companion_url(const struct companion *companion) { return companion->url; }

void companion_close(struct companion *companion) {
  if (!companion) return;
  for (size_t i = 0; i < companion->count; i++)
    if (companion->daemons[i]) MHD_stop_daemon(companion->daemons[i]);
  sockets_close(companion);
  free(companion);
}
