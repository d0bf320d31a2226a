/* SPDX-License-Identifier: MIT */
/*
 * The counts of the routes and of the server, in Prometheus' text format. Each route is a label. Routes come from the configuration, so
 * no client can make a new label.
 */
#include "gateway/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/server_metrics.h"

#define ROUTE_COUNTS(X)                                                                                    \
  X(sessions_open, "gauge", "Sessions that are open")                                                      \
  X(sessions_total, "counter", "Sessions since the start")                                                 \
  X(sessions_refused, "counter", "Requests for a session that were refused")                               \
  X(requests_open, "gauge", "Requests that are no sessions, on their way")                                 \
  X(requests_total, "counter", "Such requests since the start")                                            \
  X(requests_failed, "counter", "Such requests that the back end did not answer as a whole")               \
  X(auth_open, "gauge", "Requests that wait for the authorization server")                                 \
  X(auth_refused, "counter", "Requests refused for their token, or by the authorization server")           \
  X(auth_failed, "counter", "Requests refused because the authorization server did not answer")            \
  X(streams_open, "gauge", "Streams that have a connection to the back end, or try to get one")            \
  X(streams_total, "counter", "Such streams since the start")                                              \
  X(streams_refused, "counter", "Streams refused because of a limit, or because of their kind")            \
  X(bytes_in, "counter", "Bytes of streams, datagrams and bodies from clients to the back end")            \
  X(bytes_out, "counter", "Bytes of streams, datagrams and bodies from the back end to clients")           \
  X(datagrams_in, "counter", "Datagrams from clients to the back end")                                     \
  X(datagrams_out, "counter", "Datagrams from the back end to clients")                                    \
  X(datagrams_dropped, "counter", "Datagrams dropped: no room, over the rate, or the back end takes none") \
  X(datagrams_too_large, "counter", "Datagrams dropped because the other side takes none of that size")    \
  X(datagrams_refused, "counter", "Times that the back end's host said that nobody takes datagrams")

static void labels_write(FILE *out, const struct route *route) {
  fputs("{route=\"", out);
  metric_label_print(out, route->settings.path);
  fputs("\",backend=\"", out);
  metric_label_print(out, route->settings.target.text);
  fputc('"', out);
}

static void head_write(FILE *out, const char *name, const char *total, const char *type, const char *help) {
  fprintf(out, "# HELP webtransport_gateway_%s%s %s\n# TYPE webtransport_gateway_%s%s %s\n", name, total, help, name,
          total, type);
}

/* Names of counters end in _total. */
static const char *suffix(const char *name, const char *type) {
  size_t len = strlen(name);
  bool has = len > 6 && !strcmp(name + len - 6, "_total");
  return !has && type[0] == 'c' ? "_total" : "";
}

static void counts_write(FILE *out, const struct routes *routes) {
#define COUNT_WRITE(name, type, help)                                      \
  head_write(out, #name, suffix(#name, type), type, help);                 \
  for (size_t i = 0; i < routes->count; i++) {                             \
    fprintf(out, "webtransport_gateway_%s%s", #name, suffix(#name, type)); \
    labels_write(out, routes->list[i]);                                    \
    fprintf(out, "} %" PRIu64 "\n", routes->list[i]->counts->name);        \
  }
  ROUTE_COUNTS(COUNT_WRITE)
#undef COUNT_WRITE
}

static void round_trips_write(FILE *out, const struct routes *routes) {
  head_write(out, "backend_round_trip_seconds", "", "gauge",
             "Round trip to the back end, of the session that ended last; 0: unknown");
  for (size_t i = 0; i < routes->count; i++) {
    uint64_t us = routes->list[i]->counts->backend_rtt_us;
    fputs("webtransport_gateway_backend_round_trip_seconds", out);
    labels_write(out, routes->list[i]);
    fprintf(out, "} %" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
  }
}

static void ends_write(FILE *out, const struct routes *routes) {
  head_write(out, "streams_failed", "_total", "counter", "Streams that ended early, by the gateway's code");
  for (size_t i = 0; i < routes->count; i++) {
    for (unsigned code = 1; code < CODE_COUNT; code++) {
      fputs("webtransport_gateway_streams_failed_total", out);
      labels_write(out, routes->list[i]);
      fprintf(out, ",code=\"%s\"} %" PRIu64 "\n", gateway_code_word((enum gateway_code)code),
              routes->list[i]->counts->ends[code]);
    }
  }
}

char *metrics_text(const struct gateway *gateway, enum wt_metrics_format format) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (!out) return NULL;
  counts_write(out, gateway->routes);
  round_trips_write(out, gateway->routes);
  ends_write(out, gateway->routes);
  metric_print(out, "log_lines_dropped", "counter", "Lines of the access log that could not be written",
               line_writer_dropped(gateway->access_log.writer));
  metric_print(out, "gateway_requests_refused", "counter", "Requests answered with an error",
               gateway->requests_refused);
  if (!fclose(out)) return metrics_join(text, server_metrics_text(gateway->server, format), format);
  free(text);
  return NULL;
}
