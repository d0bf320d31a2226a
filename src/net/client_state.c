/* SPDX-License-Identifier: MIT */

/* The small calls that all files of a client use: its last error, its clock, and whether the loop has to go on. */

#include "net/client_state.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/list.h"
#include "net/loop.h"
#include "wire/url.h"

int wt__client_fail(wt_client *client, int error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(client->error, sizeof(client->error), format, args);
  va_end(args);
  return error;
}

int wt__client_url(wt_client *client, const char *text, struct wt__url *url) {
  const char *why;
  if (!text) return wt__client_fail(client, WT_ERR_INVALID, "the URL is NULL");
  if (client->freeing) return wt__client_fail(client, WT_ERR_STATE, "the client is being freed");
  struct in6_addr v6;
  int error = wt__url_parse(url, text, &why);
  if (error == 0 && url->is_v6 && inet_pton(AF_INET6, url->host, &v6) != 1) {
    why = "what stands in brackets is no IPv6 address";
    error = WT_ERR_ADDRESS;
    wt__url_free(url);
  }
  if (error == WT_ERR_ADDRESS) {
    return wt__client_fail(client, error, "the URL \"%.300s\" cannot be used: %s", text, why);
  }
  return error ? wt__client_fail(client, error, "%s", wt_error_string(error)) : 0;
}

uint64_t wt__client_now(wt_client *client) { return wt__loop_now(&client->driver.loop); }

bool wt__client_is_idle(const wt_client *client) {
  return wt__list_empty(&client->pending) && wt__list_empty(&client->connectors) &&
         wt__list_empty(&client->connections);
}

void wt__client_hold(wt_client *client) { wt__loop_hold(&client->driver.loop, !wt__client_is_idle(client)); }
