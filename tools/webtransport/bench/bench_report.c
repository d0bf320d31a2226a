/* SPDX-License-Identifier: MIT */
/*
 * Prints the results, as text or as JSON. Times are in microseconds with a fraction; rates are those of the measured
 * time. Scripts read the names of the JSON, so they do not change.
 */
#include "bench/bench.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/json_text.h"

static const char *const fault_names[] = {
#define FAULT_NAME(name, word, help) word,
    BENCH_FAULTS(FAULT_NAME)
#undef FAULT_NAME
};

static const struct {
  const char *name, *json;
  double percent;
} percentiles[] = {{"p50", "p50", 50}, {"p90", "p90", 90}, {"p99", "p99", 99}, {"p99.9", "p99_9", 99.9}};

enum {
  PERCENTILES = sizeof percentiles / sizeof percentiles[0]
};

/* --- JSON. --- */

static json_t *histogram_json(const struct histogram *histogram) {
  json_t *object = json_object();
  json_object_set_new(object, "count", json_integer((json_int_t)histogram->count));
  if (histogram->count == 0) return object;
  json_object_set_new(object, "min", json_real((double)histogram->min / 1e3));
  json_object_set_new(object, "mean", json_real(histogram_mean(histogram) / 1e3));
  for (size_t i = 0; i < PERCENTILES; i++)
    json_object_set_new(object, percentiles[i].json,
                        json_real((double)histogram_percentile(histogram, percentiles[i].percent) / 1e3));
  json_object_set_new(object, "max", json_real((double)histogram->max / 1e3));
  return object;
}

static json_t *settings_json(const struct bench_settings *settings) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:b, s:b}", "sessions",
                   (json_int_t)settings->sessions, "streams", (json_int_t)settings->streams, "size",
                   (json_int_t)settings->size, "outstanding", (json_int_t)settings->outstanding, "count",
                   (json_int_t)settings->count, "workers", (json_int_t)settings->workers, "duration_seconds",
                   (double)settings->duration_ns / 1e9, "warmup_seconds", (double)settings->warmup_ns / 1e9, "rate",
                   (json_int_t)settings->rate, "resume", settings->resume, "pooled", settings->pooled);
}

static json_t *sessions_json(const struct bench_result *total) {
  return json_pack("{s:I, s:I, s:I, s:I, s:o}", "opened", (json_int_t)total->sessions_opened, "resumed",
                   (json_int_t)total->sessions_resumed, "open_at_end", (json_int_t)total->sessions_open_at_end,
                   "connections", (json_int_t)total->connections, "setup_us", histogram_json(&total->setup));
}

static json_t *errors_json(const struct bench_result *total) {
  json_t *errors = json_object();
  for (int i = 0; i < FAULT_COUNT; i++) {
    json_t *error = json_pack("{s:I}", "count", (json_int_t)total->faults[i]);
    if (total->faults[i]) json_object_set_new(error, "first", json_text(total->messages[i]));
    json_object_set_new(errors, fault_names[i], error);
  }
  return errors;
}

static json_t *ticks_json(const struct bench_settings *settings, const struct bench_ticks *ticks) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "hz", (json_int_t)settings->hz, "sent", (json_int_t)ticks->sent,
                   "received", (json_int_t)ticks->received, "sent_lost", (json_int_t)ticks->moves_lost, "received_lost",
                   (json_int_t)ticks->lost, "distance_us", histogram_json(&ticks->distances.late));
}

static json_t *fan_out_json(const struct bench_settings *settings, const struct bench_result *total) {
  const struct bench_fan_out *fan_out = &total->fan_out;
  return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I}", "publishers", (json_int_t)settings->publishers, "delivery",
                   bench_delivery_name(settings->delivery), "published", (json_int_t)fan_out->published, "delivered",
                   (json_int_t)total->operations, "lost", (json_int_t)fan_out->lost, "out_of_order",
                   (json_int_t)fan_out->overtaken, "duplicates", (json_int_t)fan_out->again);
}

static json_t *usage_json(const struct bench_usage *usage) {
  return json_pack("{s:f, s:f}", "user_seconds", usage->user, "system_seconds", usage->system);
}

static double per_second(double number, double seconds) { return seconds > 0 ? number / seconds : 0; }

static bool report_json(const struct bench_settings *settings, const struct bench_outcome *outcome) {
  const struct bench_result *total = outcome->total;
  json_t *report = json_pack(
      "{s:s, s:o, s:o, s:b, s:f, s:o, s:I, s:f, s:I, s:I, s:f, s:f, s:o, s:{s:I, s:I}, s:I, s:o, s:{s:I, s:I}, s:o, "
      "s:i}",
      "workload", settings->workload->name, "url", json_text(settings->url), "settings", settings_json(settings),
      "interrupted", outcome->interrupted, "seconds", outcome->seconds, "sessions", sessions_json(total), "operations",
      (json_int_t)total->operations, "operations_per_second",
      per_second((double)total->operations, outcome->answer_seconds), "bytes_sent", (json_int_t)total->bytes_sent,
      "bytes_received", (json_int_t)total->bytes_received, "bytes_sent_per_second",
      per_second((double)total->bytes_sent, outcome->seconds), "bytes_received_per_second",
      per_second((double)total->bytes_received, outcome->seconds), "latency_us", histogram_json(&total->latency),
      "datagrams", "lost", (json_int_t)total->datagrams_lost, "late", (json_int_t)total->datagrams_late, "unfinished",
      (json_int_t)total->unfinished, "errors", errors_json(total), "packets", "sent", (json_int_t)total->packets_sent,
      "received", (json_int_t)total->packets_received, "cpu", usage_json(&outcome->own), "status", outcome->status);
  if (report && settings->workload == &tick_workload)
    json_object_set_new(report, "ticks", ticks_json(settings, &total->ticks));
  if (report && settings->workload == &fan_out_workload)
    json_object_set_new(report, "fan_out", fan_out_json(settings, total));
  if (report && outcome->has_server) {
    json_t *server = usage_json(&outcome->server);
    json_object_set_new(server, "resident_bytes", json_integer((json_int_t)outcome->server.resident));
    json_object_set_new(server, "highest_resident_bytes", json_integer((json_int_t)outcome->server.highest));
    json_object_set_new(report, "server", server);
  }
  bool good = report && !json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) && putchar('\n') != EOF;
  json_decref(report);
  return good;
}

/* --- Text. --- */

/* Writes a time in nanoseconds as people read it. */
static const char *time_text(double ns, char text[32]) {
  if (ns < 1e6)
    snprintf(text, 32, "%.1f us", ns / 1e3);
  else if (ns < 1e9)
    snprintf(text, 32, "%.2f ms", ns / 1e6);
  else
    snprintf(text, 32, "%.2f s", ns / 1e9);
  return text;
}

static void histogram_print(const char *name, const struct histogram *histogram) {
  char text[32];
  if (histogram->count == 0) return;
  printf("%-12s mean %s", name, time_text(histogram_mean(histogram), text));
  for (size_t i = 0; i < PERCENTILES; i++)
    printf(", %s %s", percentiles[i].name,
           time_text((double)histogram_percentile(histogram, percentiles[i].percent), text));
  printf(", max %s\n", time_text((double)histogram->max, text));
}

static void usage_print(const char *name, const struct bench_usage *usage, double seconds) {
  double sum = usage->user + usage->system;
  printf("%-12s %.2f s user, %.2f s system, %.0f %% of a processor", name, usage->user, usage->system,
         per_second(100 * sum, seconds));
}

static void ticks_print(const struct bench_ticks *ticks) {
  histogram_print("off the tick", &ticks->distances.late);
  printf("%-12s %" PRIu64 " of %" PRIu64 " to the server lost, %" PRIu64 " of %" PRIu64 " to the players\n",
         "datagrams", ticks->moves_lost, ticks->sent, ticks->lost, ticks->received + ticks->lost);
}

static void fan_out_print(const struct bench_settings *settings, const struct bench_fan_out *fan_out) {
  printf("%-12s %" PRIu64 " published by %" PRIu64 " sessions, delivered as %s; %" PRIu64 " deliveries lost, %" PRIu64
         " out of order, %" PRIu64 " twice\n",
         "messages", fan_out->published, settings->publishers, bench_delivery_name(settings->delivery), fan_out->lost,
         fan_out->overtaken, fan_out->again);
}

/* Processor time of the server for an operation, or "". */
static const char *each_text(const struct bench_outcome *outcome, char text[64]) {
  double operations = (double)outcome->total->operations;
  text[0] = 0;
  if (operations > 0)
    snprintf(text, 64, "; %.2f us an operation", 1e6 * (outcome->server.user + outcome->server.system) / operations);
  return text;
}

static void report_text(const struct bench_settings *settings, const struct bench_outcome *outcome) {
  const struct bench_result *total = outcome->total;
  double seconds = outcome->seconds;
  printf("%-12s %s, %s%s\n", "workload", settings->workload->name, settings->url,
         outcome->interrupted ? ", interrupted" : "");
  printf("%-12s %" PRIu64 " opened on %" PRIu64 " connections, %" PRIu64 " resumed, %" PRIu64 " open at the end\n",
         "sessions", total->sessions_opened, total->connections, total->sessions_resumed, total->sessions_open_at_end);
  histogram_print("set-up", &total->setup);
  if (settings->workload == &idle_workload) {
    printf("%-12s %" PRIu64 " sessions for %.2f s\n", "held", total->operations, seconds);
  } else {
    printf("%-12s %" PRIu64 " in %.2f s, %.1f a second", "operations", total->operations, outcome->answer_seconds,
           per_second((double)total->operations, outcome->answer_seconds));
    if (total->unfinished) printf("; %" PRIu64 " unfinished", total->unfinished);
    printf("\n");
  }
  histogram_print("latency", &total->latency);
  if (total->bytes_sent || total->bytes_received)
    printf("%-12s %.1f MB sent, %.1f MB/s; %.1f MB received, %.1f MB/s\n", "data", (double)total->bytes_sent / 1e6,
           per_second((double)total->bytes_sent, seconds) / 1e6, (double)total->bytes_received / 1e6,
           per_second((double)total->bytes_received, seconds) / 1e6);
  if (settings->workload == &datagram_echo_workload)
    printf("%-12s %" PRIu64 " lost, %" PRIu64 " came too late\n", "datagrams", total->datagrams_lost,
           total->datagrams_late);
  if (settings->workload == &tick_workload) ticks_print(&total->ticks);
  if (settings->workload == &fan_out_workload) fan_out_print(settings, &total->fan_out);
  for (int i = 0; i < FAULT_COUNT; i++)
    if (total->faults[i]) printf("%-12s %" PRIu64 " %s\n", "errors", total->faults[i], fault_names[i]);
  usage_print("own time", &outcome->own, seconds);
  printf("\n");
  if (!outcome->has_server) return;
  usage_print("server", &outcome->server, seconds);
  char each[64];
  printf(", %.1f MB of memory, at most %.1f MB%s\n", (double)outcome->server.resident / 1e6,
         (double)outcome->server.highest / 1e6, settings->workload == &idle_workload ? "" : each_text(outcome, each));
}

bool report_bench(const struct bench_settings *settings, const struct bench_outcome *outcome) {
  if (settings->json) return report_json(settings, outcome);
  report_text(settings, outcome);
  return true;
}
