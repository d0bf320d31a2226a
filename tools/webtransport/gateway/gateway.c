/* SPDX-License-Identifier: MIT */
/*
 * What comes to the gateway: requests, which get a route or a refusal, and time, which a timer shows to the sessions.
 * The timer runs only while there are sessions. It is slow unless something waits for a short time: a connect, or
 * bytes that the rate holds back.
 */
#include "gateway/gateway.h"

#include <string.h>

#include "common/tool_log.h"
#include "gateway/admission.h"
#include "gateway/backend.h"
#include "gateway/gateway_session.h"
#include "gateway/path_plain.h"
#include "gateway/plain_request.h"
#include "gateway/refusal.h"

enum {
  TICK_MS = 1000,
  TICK_SOON_MS = 50,
  REQUEST_PATH_SIZE = 8192, /* longer paths are refused */
};

/* --- Time. --- */

uint64_t gateway_now(const struct gateway *gateway) { return uv_now(&gateway->loop); }

static void gateway_on_timer(uv_timer_t *timer) {
  struct gateway *gateway = timer->data;
  uint64_t now = uv_now(&gateway->loop);
  uv_timer_start(timer, gateway_on_timer, TICK_MS, 0);
  for (struct gateway_session *session = gateway->sessions, *next; session; session = next) {
    next = session->next;
    gateway_session_tick(session, now); /* may call gateway_hurry */
  }
  plain_requests_tick(gateway, now);
  peers_sweep(&gateway->peers, now);
  if (!gateway->sessions && !gateway->plain_requests && !gateway->peers.count) uv_timer_stop(timer);
}

static void gateway_on_again(uv_idle_t *handle) { uv_idle_stop(handle); }

/* Before the loop waits again. The server has ended its turn already, so what is done to streams here needs one more. */
static void gateway_on_turn_end(uv_prepare_t *handle) {
  struct gateway *gateway = handle->data;
  if (gather_flush(&gateway->gather)) uv_idle_start(&gateway->again, gateway_on_again);
}

void gateway_loop_begin(struct gateway *gateway) {
  uv_timer_init(&gateway->loop, &gateway->timer);
  uv_idle_init(&gateway->loop, &gateway->again);
  uv_prepare_init(&gateway->loop, &gateway->turn_end);
  gateway->timer.data = gateway->turn_end.data = gateway;
  uv_prepare_start(&gateway->turn_end, gateway_on_turn_end);
  uv_unref((uv_handle_t *)&gateway->turn_end);
}

void gateway_loop_end(struct gateway *gateway) {
  uv_close((uv_handle_t *)&gateway->timer, NULL);
  uv_close((uv_handle_t *)&gateway->again, NULL);
  uv_close((uv_handle_t *)&gateway->turn_end, NULL);
}

void gateway_hurry(struct gateway *gateway) {
  if (uv_is_active((const uv_handle_t *)&gateway->timer) && uv_timer_get_due_in(&gateway->timer) <= TICK_SOON_MS)
    return;
  uv_timer_start(&gateway->timer, gateway_on_timer, TICK_SOON_MS, 0);
}

/* --- The server. --- */

/*
 * A stream that waits for the other side keeps what has come, and counts against the window of its session. If such
 * streams could fill it, the others would have none left, and all would wait for ever. So a stream begins with a small
 * window, which grows only while it is read, and the window of a session is twice what streams that wait may keep (100 of
 * each kind), because new credit is given when half of a window was read. Old drafts have no window of the session: there
 * 256 streams of each kind share that of the connection.
 */
enum {
  STREAM_WINDOW = 32 * 1024,
  SESSION_WINDOW = 16 * 1024 * 1024,
  CONNECTION_WINDOW = 40 * 1024 * 1024,
};

void gateway_configure(struct gateway *gateway, struct wt_server_config *config) {
  config->loop = &gateway->loop;
  config->check_origin = gateway_check_origin;
  config->check_origin_user_data = gateway;
  config->access = access_log_on_end;
  config->access_user_data = &gateway->access_log;
  config->initial_max_stream_data = STREAM_WINDOW;
  config->max_stream_send_buffer = GATEWAY_STREAM_QUEUE;
  config->wt_initial_max_data = config->wt_max_data = SESSION_WINDOW;
  config->initial_max_data = config->max_data = CONNECTION_WINDOW;
  /* A client may take nothing for long: somebody has stopped the output of a terminal. Windows bound what waits, and
   * the route's idle-timeout ends it. */
  config->send_timeout_ms = 0;
}

/* --- Requests. --- */

enum {
  REFUSAL_FIELDS_MAX = 32,
};

void gateway_refuse(struct gateway *gateway, struct route *route, wt_request *request, int status, const char *why,
                    const struct wt_header *headers, size_t header_count) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  struct wt_header all[REFUSAL_FIELDS_MAX] = {{"content-type", "text/plain; charset=utf-8"},
                                              {"cache-control", "no-store"}};
  char text[512];
  int len = snprintf(text, sizeof text, "%s\n", why);
  size_t count = 2;
  for (size_t i = 0; i < header_count && count < REFUSAL_FIELDS_MAX; i++) all[count++] = headers[i];
  gateway->requests_refused++;
  if (route && wt_request_is_webtransport(request)) route->counts->sessions_refused++;
  log_limited(&limit, WT_LOG_WARN, "%s: %s %s refused with %d: %s", wt_request_peer_address(request),
              wt_request_is_webtransport(request) ? "session at" : wt_request_method(request), wt_request_path(request),
              status, why);
  refusal_keep(gateway, route, request, why);
  if (wt_request_respond(request, status, all, count, text, (size_t)len))
    wt_request_respond(request, status, all, 2, text, (size_t)len); /* without what could not be sent */
}

static void refuse(struct gateway *gateway, wt_request *request, int status, const char *why) {
  gateway_refuse(gateway, NULL, request, status, why, NULL, 0);
}

void gateway_admitted(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity) {
  const char *why = "";
  int status = wt_request_is_webtransport(request) ? gateway_session_accept(gateway, route, request, identity, &why)
                                                   : plain_request_begin(gateway, route, request, identity, &why);
  if (status) gateway_refuse(gateway, route, request, status, why, NULL, 0);
}

void gateway_handle(wt_request *request, void *user_data) {
  struct gateway *gateway = user_data;
  enum host_verdict verdict = hosts_check(gateway->hosts, wt_request_authority(request));
  char path[REQUEST_PATH_SIZE];
  bool plain = path_plain(wt_request_path(request), path, sizeof path);
  struct route *route = plain ? routes_find(gateway->routes, path) : NULL;
  if (verdict != HOST_OURS) {
    refuse(gateway, request, verdict == HOST_FOREIGN ? 421 : 400,
           verdict == HOST_FOREIGN ? HOSTS_REFUSAL : "The authority of the request is not a host.");
  } else if (!plain) {
    refuse(gateway, request, 400, "The path has dots between slashes, a broken encoding, or is too long.");
  } else if (!route) {
    refuse(gateway, request, 404, "There is no route at this path.");
  } else if (!wt_request_is_webtransport(request) && !route->settings.requests.text[0]) {
    refuse(gateway, request, 405, "Open a WebTransport session here.");
  } else if (wt_request_is_webtransport(request) && !route->settings.target.kind->has_sessions) {
    refuse(gateway, request, 501, "There are no sessions here: the back end is an ordinary HTTP server.");
  } else {
    admission_begin(gateway, route, request, path);
  }
}

bool gateway_check_origin(const wt_request *request, void *user_data) {
  const struct gateway *gateway = user_data;
  /* The route's origins are only read; the callback's type has no const. */
  return gateway->asked && origins_check(request, (void *)(uintptr_t)&gateway->asked->settings.origins);
}
