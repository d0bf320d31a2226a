/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface on libuv. libcurl says which sockets to watch and when to call it again; it is called when
 * one of them is ready, or the time has come.
 *
 * Transfers that have ended are reported in a turn of their own (`report`), because libcurl may not be called from inside
 * its callbacks, and an end may free the transfer.
 *
 * HTTP/1.1 alone: each request has a TCP connection for itself, so that the bytes of a request that waits are held back
 * by TCP, and no other request waits for them. Connections are kept and used again.
 *
 * Names are looked up by lookup.c. libcurl has threads for that, for which it waits when a request is given up.
 */
#include "gateway/http_client.h"

#ifdef WT_HAVE_CURL

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <uv.h>

#include "common/tool_log.h"
#include "gateway/http_transfer.h"
#include "gateway/lookup.h"

enum {
  KEPT_CONNECTIONS = 64,
};

struct http_client {
  CURLM *multi;
  uv_timer_t timer;  /* libcurl's time */
  uv_timer_t report; /* has to tell ends, soon */
  unsigned handles;
};

struct socket_watch {
  uv_poll_t poll;
  struct http_client *client;
  curl_socket_t fd;
};

bool http_client_available(void) { return true; }

/* --- Ends. --- */

static void client_on_report(uv_timer_t *timer) {
  struct http_client *client = timer->data;
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(client->multi, &left))) {
    struct http_transfer *transfer = NULL;
    CURLcode result = message->data.result;
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    curl_multi_remove_handle(client->multi, transfer->easy); /* `message` is not valid any more */
    transfer->running = false;
    transfer->done(transfer, result);
  }
}

static void report_soon(struct http_client *client) {
  if (!uv_is_active((const uv_handle_t *)&client->report)) uv_timer_start(&client->report, client_on_report, 0, 0);
}

/* --- What libcurl waits for. --- */

static void client_act(struct http_client *client, curl_socket_t fd, int events) {
  int running;
  curl_multi_socket_action(client->multi, fd, events, &running);
  report_soon(client);
}

static void socket_on_poll(uv_poll_t *poll, int status, int events) {
  struct socket_watch *watch = poll->data;
  int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
  client_act(watch->client, watch->fd, status < 0 ? CURL_CSELECT_ERR : flags);
}

static void socket_on_closed(uv_handle_t *handle) { free(handle->data); }

static struct socket_watch *socket_watch_new(struct http_client *client, curl_socket_t fd) {
  struct socket_watch *watch = calloc(1, sizeof *watch);
  if (!watch) return NULL;
  watch->client = client;
  watch->fd = fd;
  if (uv_poll_init_socket(client->timer.loop, &watch->poll, fd)) {
    free(watch);
    return NULL;
  }
  watch->poll.data = watch;
  curl_multi_assign(client->multi, fd, watch);
  return watch;
}

static int client_on_socket(CURL *easy, curl_socket_t fd, int what, void *user_data, void *socket_data) {
  struct http_client *client = user_data;
  struct socket_watch *watch = socket_data;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (watch) uv_close((uv_handle_t *)&watch->poll, socket_on_closed);
    curl_multi_assign(client->multi, fd, NULL);
    return 0;
  }
  if (!watch && !(watch = socket_watch_new(client, fd))) return -1;
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  return uv_poll_start(&watch->poll, events, socket_on_poll) ? -1 : 0;
}

static void client_on_time(uv_timer_t *timer) { client_act(timer->data, CURL_SOCKET_TIMEOUT, 0); }

static int client_on_timer(CURLM *multi, long timeout_ms, void *user_data) {
  struct http_client *client = user_data;
  (void)multi;
  if (timeout_ms < 0) return uv_timer_stop(&client->timer);
  return uv_timer_start(&client->timer, client_on_time, (uint64_t)timeout_ms, 0);
}

/* --- Life. --- */

struct http_client *http_client_new(struct uv_loop_s *loop) {
  struct http_client *client = calloc(1, sizeof *client);
  if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) || !(client->multi = curl_multi_init())) {
    free(client);
    return NULL;
  }
  uv_timer_init(loop, &client->timer);
  uv_timer_init(loop, &client->report);
  client->timer.data = client->report.data = client;
  client->handles = 2;
  curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, client_on_socket);
  curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
  curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, client_on_timer);
  curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
  curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
  curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  return client;
}

static void client_on_closed(uv_handle_t *handle) {
  struct http_client *client = handle->data;
  if (--client->handles == 0) free(client);
}

void http_client_free(struct http_client *client) {
  if (!client) return;
  curl_multi_cleanup(client->multi);
  uv_close((uv_handle_t *)&client->timer, client_on_closed);
  uv_close((uv_handle_t *)&client->report, client_on_closed);
}

/* --- Transfers. --- */

bool http_transfer_add_field(struct http_transfer *transfer, const char *name, const char *value) {
  size_t size = strlen(name) + (value ? strlen(value) : 0) + 3;
  char *line = malloc(size);
  if (!line) return false;
  /* "name;" is libcurl's way to send an empty field, "name:" to send none of its own. */
  if (!value || !*value)
    snprintf(line, size, "%s%s", name, value ? ";" : ":");
  else
    snprintf(line, size, "%s: %s", name, value);
  struct curl_slist *list = curl_slist_append(transfer->fields, line);
  free(line);
  if (!list) return false;
  transfer->fields = list;
  return true;
}

static bool is_literal(const char *host) {
  uint8_t address[16];
  return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Gives libcurl the addresses that are known of the host: "HOST:PORT:ADDRESS,ADDRESS". */
static bool addresses_set(struct http_transfer *transfer, const struct http_target *target) {
  const struct host_port *name = &target->url->address;
  struct lookup_address address;
  char line[HOST_PORT_HOST_SIZE + 16 + LOOKUP_ADDRESSES * (NI_MAXHOST + 3)], text[NI_MAXHOST];
  size_t used = (size_t)snprintf(line, sizeof line, "%s:%u:", name->host, name->port);
  unsigned count = 0;
  if (is_literal(name->host)) return true;
  for (; lookup_get(target->lookup, count, &address); count++) {
    const struct sockaddr *where = (const struct sockaddr *)&address.address;
    if (getnameinfo(where, address.len, text, sizeof text, NULL, 0, NI_NUMERICHOST)) continue;
    bool is_ipv6 = where->sa_family == AF_INET6;
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%s%s%s", count ? "," : "", is_ipv6 ? "[" : "", text,
                             is_ipv6 ? "]" : "");
  }
  if (!count) return false;
  transfer->addresses = curl_slist_append(NULL, line);
  return transfer->addresses && !curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->addresses);
}

static void options_set(CURL *easy, const struct http_target *target) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, target->url->is_https ? "https" : "http");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)target->connect_timeout_ms);
  if (target->ca_file[0]) curl_easy_setopt(easy, CURLOPT_CAINFO, target->ca_file);
}

bool http_transfer_init(struct http_transfer *transfer, struct http_client *client, const struct http_target *target) {
  transfer->client = client;
  transfer->easy = client ? curl_easy_init() : NULL;
  if (!transfer->easy) return false;
  curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
  options_set(transfer->easy, target);
  return addresses_set(transfer, target) && http_transfer_add_field(transfer, "expect", NULL);
}

bool http_transfer_start(struct http_transfer *transfer) {
  curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
  transfer->running = !curl_multi_add_handle(transfer->client->multi, transfer->easy);
  return transfer->running;
}

void http_transfer_end(struct http_transfer *transfer) {
  if (transfer->running) curl_multi_remove_handle(transfer->client->multi, transfer->easy);
  transfer->running = false;
  if (transfer->easy) curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->fields);
  curl_slist_free_all(transfer->addresses);
  transfer->easy = NULL;
  transfer->fields = transfer->addresses = NULL;
}

#else

bool http_client_available(void) { return false; }

struct http_client *http_client_new(struct uv_loop_s *loop) {
  (void)loop;
  return NULL;
}

void http_client_free(struct http_client *client) { (void)client; }

#endif
