/* SPDX-License-Identifier: MIT */
/*
 * What comes to the gateway: requests, which get a route or a refusal, and time, which a timer shows to the sessions.
 * The timer runs only while there are sessions. It is slow unless something waits for a short time: a connect, or
 * bytes that the rate holds back.
 */
#include "gateway/gateway.h"

#include <string.h>

#include "common/tool_log.h"
#include "gateway/gateway_session.h"

enum {
  TICK_MS = 1000,
  TICK_SOON_MS = 50,
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
  peers_sweep(&gateway->peers, now);
  if (!gateway->sessions && !gateway->peers.count) uv_timer_stop(timer);
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

/* --- Requests. --- */

static void refuse(struct gateway *gateway, wt_request *request, int status, const char *why) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  static const struct wt_header headers[] = {{"content-type", "text/plain; charset=utf-8"},
                                             {"cache-control", "no-store"}};
  char text[512];
  int len = snprintf(text, sizeof text, "%s\n", why);
  gateway->requests_refused++;
  log_limited(&limit, WT_LOG_WARN, "%s: %s %s refused with %d: %s", wt_request_peer_address(request),
              wt_request_is_webtransport(request) ? "session at" : wt_request_method(request), wt_request_path(request),
              status, why);
  wt_request_respond(request, status, headers, 2, text, (size_t)len);
}

void gateway_handle(wt_request *request, void *user_data) {
  struct gateway *gateway = user_data;
  enum host_verdict verdict = hosts_check(gateway->hosts, wt_request_authority(request));
  struct route *route = routes_find(gateway->routes, wt_request_path(request));
  if (verdict != HOST_OURS) {
    refuse(gateway, request, verdict == HOST_FOREIGN ? 421 : 400,
           verdict == HOST_FOREIGN ? HOSTS_REFUSAL : "The authority of the request is not a host.");
  } else if (!route) {
    refuse(gateway, request, 404, "There is no route at this path.");
  } else if (!wt_request_is_webtransport(request)) {
    refuse(gateway, request, 405, "Open a WebTransport session here.");
  } else {
    const char *why = "";
    gateway->asked = route;
    int status = gateway_session_accept(gateway, route, request, &why);
    gateway->asked = NULL;
    if (status) {
      route->counts->sessions_refused++;
      refuse(gateway, request, status, why);
    }
  }
}

bool gateway_check_origin(const wt_request *request, void *user_data) {
  const struct gateway *gateway = user_data;
  /* The route's origins are only read; the callback's type has no const. */
  return gateway->asked && origins_check(request, (void *)(uintptr_t)&gateway->asked->settings.origins);
}
