/* SPDX-License-Identifier: MIT */
/*
 * /metrics and /healthz for monitoring, by libmicrohttpd. It runs on the gateway's loop and not on a thread, so the
 * counts need no lock: libmicrohttpd has one epoll descriptor for all of its sockets, which the loop watches, and tells
 * how long it may wait.
 *
 * It is for the machine itself or for an operators' network. Requests for another host are refused (hosts.h), so that
 * no page can read the counts by DNS rebinding.
 */
#include "gateway/metrics_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "common/server_metrics.h"
#include "gateway/metrics.h"

enum {
  CONNECTIONS_MAX = 32,
  CONNECTIONS_PER_ADDRESS = 16,
  TIMEOUT_S = 10,
  MEMORY_LIMIT = 16384, /* of a connection: its request has to fit */
};

struct metrics_server {
  struct gateway *gateway;
  struct MHD_Daemon *daemon;
  uv_poll_t poll;
  uv_timer_t timer;
  int handles;
};

/* --- Answers. --- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, char *text) {
  struct MHD_Response *response =
      text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;
  if (!response) {
    free(text);
    return MHD_NO;
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text) {
  return answer(connection, status, "text/plain; charset=utf-8", strdup(text));
}

static enum MHD_Result answer_metrics(struct metrics_server *server, struct MHD_Connection *connection) {
  enum wt_metrics_format format =
      metrics_format_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
  return answer(connection, MHD_HTTP_OK, wt_metrics_content_type(format), metrics_text(server->gateway, format));
}

/* Says nothing about back ends: a gateway whose back ends are down must not be restarted. */
static enum MHD_Result answer_health(struct metrics_server *server, struct MHD_Connection *connection) {
  return atomic_load(&server->gateway->draining) ? answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "draining\n")
                                                 : answer_text(connection, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result server_on_request(void *user_data, struct MHD_Connection *connection, const char *url,
                                         const char *method, const char *version, const char *body, size_t *body_len,
                                         void **request) {
  static int seen;
  struct metrics_server *server = user_data;
  (void)version, (void)body;
  if (!*request) { /* the header is here; answer when the body, which is not wanted, is too */
    *request = &seen;
    return MHD_YES;
  }
  if (*body_len) {
    *body_len = 0;
    return MHD_YES;
  }
  const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
  if (hosts_check(server->gateway->hosts, host) != HOST_OURS)
    return answer_text(connection, MHD_HTTP_MISDIRECTED_REQUEST, HOSTS_REFUSAL "\n");
  if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
    return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
  if (!strcmp(url, "/healthz")) return answer_health(server, connection);
  if (!strcmp(url, "/metrics")) return answer_metrics(server, connection);
  return answer_text(connection, MHD_HTTP_NOT_FOUND, "There are /metrics and /healthz.\n");
}

/* --- On the loop. --- */

static void server_run(struct metrics_server *server);

static void server_on_timer(uv_timer_t *timer) { server_run(timer->data); }

static void server_on_poll(uv_poll_t *poll, int status, int events) {
  (void)status, (void)events;
  server_run(poll->data);
}

static void server_run(struct metrics_server *server) {
  MHD_UNSIGNED_LONG_LONG wait_ms;
  MHD_run(server->daemon);
  if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES)
    uv_timer_start(&server->timer, server_on_timer, wait_ms ? wait_ms : 1, 0);
  else
    uv_timer_stop(&server->timer);
}

static void server_on_closed(uv_handle_t *handle) {
  struct metrics_server *server = handle->data;
  if (--server->handles == 0) free(server);
}

/* --- Life. --- */

static struct MHD_Daemon *daemon_start(struct metrics_server *server, const struct sockaddr *address) {
  unsigned flags = MHD_USE_EPOLL | (address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
  return MHD_start_daemon(flags, 0, NULL, NULL, server_on_request, server, MHD_OPTION_SOCK_ADDR, address,
                          MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                          (unsigned)CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT, MHD_OPTION_END);
}

/* Opens the first address of the name that the machine has. Returns 0 or an error of getaddrinfo. */
static int daemon_try(struct metrics_server *server, const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list;
  int error = getaddrinfo(host, port, &hints, &list);
  if (error) return error;
  for (const struct addrinfo *at = list; at && !server->daemon; at = at->ai_next)
    server->daemon = daemon_start(server, at->ai_addr);
  freeaddrinfo(list);
  return 0;
}

/* "localhost" is either loopback address, whatever the name service says. */
static bool daemon_open(struct metrics_server *server, const struct host_port *address, char *message, size_t size) {
  bool local = !strcmp(address->host, "localhost");
  char port[8];
  snprintf(port, sizeof port, "%u", address->port);
  int error = daemon_try(server, local ? "127.0.0.1" : address->host, port);
  if (local && !server->daemon) error = daemon_try(server, "::1", port);
  if (server->daemon) return true;
  snprintf(message, size, "--http %s:%u: %s", address->host, address->port,
           error ? gai_strerror(error) : strerror(errno));
  return false;
}

static bool server_watch(struct metrics_server *server) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  uv_loop_t *loop = &server->gateway->loop;
  if (!info || uv_timer_init(loop, &server->timer)) return false;
  server->timer.data = server->poll.data = server;
  server->handles = 1;
  if (uv_poll_init(loop, &server->poll, info->epoll_fd)) return false;
  server->handles = 2;
  return !uv_poll_start(&server->poll, UV_READABLE, server_on_poll);
}

struct metrics_server *metrics_server_open(struct gateway *gateway, const struct host_port *address, char *message,
                                           size_t size) {
  struct metrics_server *server = calloc(1, sizeof *server);
  if (!server) {
    snprintf(message, size, "out of memory");
    return NULL;
  }
  server->gateway = gateway;
  if (!daemon_open(server, address, message, size)) {
    free(server);
    return NULL;
  }
  if (server_watch(server)) return server;
  snprintf(message, size, "--http: the loop cannot watch the sockets");
  metrics_server_close(server);
  return NULL;
}

uint16_t metrics_server_port(const struct metrics_server *server) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}

void metrics_server_close(struct metrics_server *server) {
  if (!server) return;
  if (server->handles > 1) uv_poll_stop(&server->poll);
  MHD_stop_daemon(server->daemon);
  if (server->handles > 1) uv_close((uv_handle_t *)&server->poll, server_on_closed);
  if (server->handles > 0)
    uv_close((uv_handle_t *)&server->timer, server_on_closed);
  else
    free(server);
}
