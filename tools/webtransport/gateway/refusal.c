/* SPDX-License-Identifier: MIT */
/*
 * A request that the gateway has refused, until the client has its answer. Only then is there a line in the access log, and
 * operators want to read there which route it was, and why.
 */
#include "gateway/refusal.h"

#include <stdio.h>
#include <stdlib.h>

struct refusal {
  struct gateway *gateway;
  struct route *route; /* NULL: none was found */
  char why[256];
};

static void refusal_on_close(wt_request *request, int error, void *user_data) {
  struct refusal *refusal = user_data;
  const struct access_request known = {.route = refusal->route, .refusal = refusal->why};
  (void)error;
  access_log_request(&refusal->gateway->access_log, request, &known);
  if (refusal->route) route_release(refusal->route);
  free(refusal);
}

static const struct wt_request_callbacks refusal_callbacks = {.on_close = refusal_on_close};

void refusal_keep(struct gateway *gateway, struct route *route, wt_request *request, const char *why) {
  struct refusal *refusal = gateway->access_log.writer ? malloc(sizeof *refusal) : NULL;
  if (!refusal) return;
  *refusal = (struct refusal){.gateway = gateway, .route = route};
  snprintf(refusal->why, sizeof refusal->why, "%s", why);
  if (wt_request_set_callbacks(request, &refusal_callbacks, refusal)) {
    free(refusal);
    return;
  }
  if (route) route_use(route);
}
