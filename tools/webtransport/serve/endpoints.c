/* SPDX-License-Identifier: MIT */
/*
 * The paths that are served over HTTP/3. The built-in endpoints answer sessions, and some of them ordinary requests,
 * too. Every other path is a file of --www or of the built-in page.
 *
 *   /echo    session: all comes back        POST: the body comes back
 *   /sink    session: read and counted      POST: counted
 *   /source  session: streams of bytes      GET: bytes
 *   /tick    session: datagrams, as the server of a game sends them
 *   /topic/NAME  session: gets the messages of the topic NAME, and publishes there
 *   /close   session: closed at once
 *   /info.json                               GET: as at the companion
 *   others   404                            GET: a file
 *
 * A request for a host that is not ours (hosts.h) gets 421, whatever its path. A session is refused with 404 if the
 * path has nothing, and with 405 if it has a file. An ordinary request to a path that only has sessions gets 405 and a
 * sentence that says so. /close is short, so it is in this file.
 */
#include "serve/endpoints.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/tool_log.h"
#include "serve/endpoint_session.h"
#include "serve/http_endpoints.h"
#include "serve/pages.h"
#include "serve/report.h"
#include "serve/respond.h"
#include "serve/topic_name.h"

const char *const endpoint_paths[] = {"/echo", "/sink", "/source", "/tick", "/topic/NAME", "/close", NULL};

static void close_on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  endpoint_session_closed(user_data, session, info);
  free(user_data);
}

/* Reads the reason, which must be UTF-8, into `reason`. False: the request was answered. */
static bool close_reason(wt_request *request, char *reason, size_t size) {
  int error = wt_request_get_query_value(request, "reason", reason, size);
  json_t *text = NULL;
  if (error == WT_ERR_NOT_FOUND) {
    reason[0] = 0;
    return true;
  }
  if (!error) text = json_string(reason); /* checks that it is UTF-8 */
  json_decref(text);
  if (text) return true;
  respond_text(request, 400, "reason must be percent-encoded UTF-8 of at most 1024 bytes.");
  return false;
}

void close_accept(wt_request *request, const struct endpoints *endpoints) {
  static const struct wt_session_callbacks callbacks = {
      .on_close = close_on_session_close,
  };
  char reason[1025];
  uint64_t code;
  if (!query_number(request, "code", 0, UINT32_MAX, &code)) return;
  if (!close_reason(request, reason, sizeof reason)) return;
  struct endpoint_session *state = calloc(1, sizeof *state);
  if (!state) {
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  wt_session *session = endpoint_session_accept(state, endpoints, request, &callbacks);
  if (session)
    wt_session_close(session, (uint32_t)code, reason, strlen(reason));
  else
    free(state);
}

static void echo_handle(wt_request *request, void *user_data) {
  if (wt_request_is_webtransport(request))
    echo_accept(request, user_data);
  else if (method_is(request, "POST"))
    http_echo(request);
  else
    respond_not_allowed(request, "POST, CONNECT", "Open a WebTransport session here, or POST something.\n");
}

static void sink_handle(wt_request *request, void *user_data) {
  if (wt_request_is_webtransport(request))
    sink_accept(request, user_data);
  else if (method_is(request, "POST"))
    http_sink(request);
  else
    respond_not_allowed(request, "POST, CONNECT", "Open a WebTransport session here, or POST something.\n");
}

static void source_handle(wt_request *request, void *user_data) {
  if (wt_request_is_webtransport(request))
    source_accept(request, user_data);
  else if (method_is(request, "GET") || method_is(request, "HEAD"))
    http_source(request);
  else
    respond_not_allowed(request, "GET, HEAD, CONNECT", "Open a WebTransport session here, or GET ?bytes=N.\n");
}

static void tick_handle(wt_request *request, void *user_data) {
  if (wt_request_is_webtransport(request))
    tick_accept(request, user_data);
  else
    respond_not_allowed(request, "CONNECT", "Open a WebTransport session here, which gets datagrams.\n");
}

static void topic_handle(wt_request *request, void *user_data) {
  if (wt_request_is_webtransport(request))
    topic_accept(request, user_data);
  else
    respond_not_allowed(request, "CONNECT", "Open a WebTransport session here, which is subscribed to the topic.\n");
}

static void close_handle(wt_request *request, void *user_data) {
  if (wt_request_is_webtransport(request))
    close_accept(request, user_data);
  else
    respond_not_allowed(request, "CONNECT", "Open a WebTransport session here; it is closed at once.\n");
}

static void built_in_respond(wt_request *request, const struct page *page) {
  const struct wt_header headers[] = {
      {"content-type", page->type},
      {"cache-control", "no-cache"},
      {"x-content-type-options", "nosniff"},
      {"referrer-policy", "no-referrer"},
      {"content-security-policy", PAGE_SECURITY_POLICY},
  };
  wt_request_respond(request, 200, headers, sizeof headers / sizeof headers[0], page->data, (size_t)page->len);
}

static void info_handle(wt_request *request, void *user_data) {
  static const struct wt_header headers[] = {{"content-type", "application/json"}, {"cache-control", "no-cache"}};
  const struct endpoints *endpoints = user_data;
  if (!method_is(request, "GET") && !method_is(request, "HEAD")) {
    respond_not_allowed(request, "GET, HEAD", "Only GET and HEAD.\n");
    return;
  }
  char *text = report_info(endpoints->site);
  wt_request_respond(request, text ? 200 : 500, headers, 2, text, text ? strlen(text) : 0);
  free(text);
}

static void files_handle(wt_request *request, void *user_data) {
  const struct endpoints *endpoints = user_data;
  const char *path = wt_request_path(request);
  struct page page;
  if (wt_request_is_webtransport(request)) {
    if (page_exists(endpoints->www, path))
      respond_not_allowed(request, "GET, HEAD", "This is a file, not a WebTransport endpoint.\n");
    else
      respond_text(request, 404, "There is no WebTransport endpoint at this path.");
    return;
  }
  if (endpoints->www) {
    wt_request_serve_file(request, endpoints->www, path);
    return;
  }
  if (!page_find(NULL, path, &page))
    respond_text(request, 404, "Not found.");
  else if (!method_is(request, "GET") && !method_is(request, "HEAD"))
    respond_not_allowed(request, "GET, HEAD", "This is a file.\n");
  else
    built_in_respond(request, &page);
}

/* Runs before every handler: a request for another host is refused. */
static void route_handle(wt_request *request, void *user_data) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  const struct endpoint_route *route = user_data;
  const char *authority = wt_request_authority(request);
  enum host_verdict verdict = hosts_check(route->endpoints->hosts, authority);
  if (verdict == HOST_OURS) {
    route->handler(request, route->endpoints);
    return;
  }
  int status = verdict == HOST_FOREIGN ? 421 : 400;
  log_limited(&limit, WT_LOG_WARN, "%s: a %s for host %s refused with %d: %s", wt_request_peer_address(request),
              wt_request_is_webtransport(request) ? "session" : "request", authority, status,
              verdict == HOST_FOREIGN ? HOSTS_REFUSAL_LOG : "this is no host");
  respond_text(request, status,
               verdict == HOST_FOREIGN ? HOSTS_REFUSAL : "The authority of the request is not a host.");
}

int endpoints_add(wt_server *server, struct endpoints *endpoints) {
  static const struct {
    const char *pattern;
    wt_handler_callback handler;
  } routes[ENDPOINT_ROUTES] = {
      {"/", files_handle},      {"/echo", echo_handle},      {"/sink", sink_handle}, {"/source", source_handle},
      {"/close", close_handle}, {"/info.json", info_handle}, {"/tick", tick_handle}, {TOPIC_PATH, topic_handle},
  };
  for (size_t i = 0; i < ENDPOINT_ROUTES; i++) {
    endpoints->routes[i] = (struct endpoint_route){routes[i].handler, endpoints};
    int error = wt_server_handle(server, routes[i].pattern, route_handle, &endpoints->routes[i]);
    if (error) return error;
  }
  return 0;
}
