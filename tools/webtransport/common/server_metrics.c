/* SPDX-License-Identifier: MIT */
/* The counts of a server in Prometheus' text format, for every command that has one. */
#include "common/server_metrics.h"

#include <inttypes.h>
#include <string.h>

void metric_print(FILE *out, const char *name, const char *type, const char *help, uint64_t value) {
  const char *end = strlen(name) > 6 ? name + strlen(name) - 6 : name;
  const char *suffix = !strcmp(type, "counter") && strcmp(end, "_total") ? "_total" : "";
  fprintf(out, "# HELP webtransport_%s%s %s.\n", name, suffix, help);
  fprintf(out, "# TYPE webtransport_%s%s %s\n", name, suffix, type);
  fprintf(out, "webtransport_%s%s %" PRIu64 "\n", name, suffix, value);
}

void server_metrics_print(FILE *out, const struct wt_server_stats *stats) {
#define STATS_METRIC(name, type, help) metric_print(out, #name, type, help, stats->name);
  SERVER_STATS(STATS_METRIC)
#undef STATS_METRIC
  fprintf(out,
          "# HELP webtransport_congestion_control What decides how fast the server sends.\n"
          "# TYPE webtransport_congestion_control gauge\n"
          "webtransport_congestion_control{algorithm=\"%s\"} 1\n",
          wt_congestion_control_name(stats->congestion_control));
}
