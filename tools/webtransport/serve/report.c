/* SPDX-License-Identifier: MIT */
/*
 * Reports about the server: JSON for the page and for tests, and Prometheus' format for monitoring. The numbers come
 * from the recorder.
 *
 * Texts of clients (paths, reasons) go through json_text, which replaces a text that is not UTF-8.
 */
#include "serve/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash_text.h"
#include "common/json_text.h"
#include "common/line_writer.h"
#include "common/server_metrics.h"
#include "serve/endpoints.h"
#include "serve/topic_counts.h"

/* Counts stay far below 2^63, which is jansson's bound. */
static json_t *count_json(uint64_t count) { return json_integer((json_int_t)count); }

static char *json_finish(json_t *json) {
  char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}

char *report_info(const struct site *site) {
  struct certificate_record certificate;
  char hex[65], base64[45];
  recorder_get_certificate(site->recorder, &certificate);
  hash_hex(certificate.sha256, hex);
  hash_base64(certificate.sha256, base64);
  json_t *endpoints = json_array();
  for (size_t i = 0; endpoint_paths[i]; i++) json_array_append_new(endpoints, json_string(endpoint_paths[i]));
  return json_finish(json_pack("{s:i, s:s, s:s, s:b, s:I, s:s, s:o}", "webtransport_port", (int)site->port,
                               "certificate_sha256", hex, "certificate_sha256_base64", base64, "self_signed",
                               (int)certificate.generated, "certificate_expires_at", (json_int_t)certificate.expires_at,
                               "version", wt_version(), "endpoints", endpoints));
}

static json_t *ends_json(const struct recorded_end *ends, uint64_t count) {
  json_t *list = json_array();
  for (uint64_t i = 0; i < count && i < RECORDER_ENDS; i++) {
    json_t *code = ends[i].has_code ? json_integer(ends[i].code) : json_null();
    json_array_append_new(list, json_pack("{s:o}", "code", code));
  }
  return list;
}

static void session_append(const struct session_record *record, void *list) {
  json_t *json = json_object();
  json_object_set_new(json, "n", count_json(record->n));
  json_object_set_new(json, "path", json_text(record->path));
  json_object_set_new(json, "protocol", json_text(record->protocol));
  json_object_set_new(json, "peer", json_text(record->peer));
  json_object_set_new(json, "draft", json_integer(record->draft));
  json_object_set_new(json, "code", json_integer(record->code));
  json_object_set_new(json, "reason", json_text(record->reason));
  json_object_set_new(json, "by", json_text(wt_party_name(record->by)));
  json_object_set_new(json, "cause", json_text(wt_cause_name(record->cause)));
  json_object_set_new(json, "clean", json_boolean(record->clean));
  json_object_set_new(json, "wire_code", count_json(record->wire_code));
  json_object_set_new(json, "wire_is_h3", json_boolean(record->wire_is_h3));
  json_object_set_new(json, "message", json_text(record->message));
  json_object_set_new(json, "bytes_in", count_json(record->bytes_in));
  json_object_set_new(json, "bytes_out", count_json(record->bytes_out));
  json_object_set_new(json, "streams", count_json(record->streams_in + record->streams_out));
  json_object_set_new(json, "streams_in", count_json(record->streams_in));
  json_object_set_new(json, "streams_out", count_json(record->streams_out));
  json_object_set_new(json, "datagrams_in", count_json(record->datagrams_in));
  json_object_set_new(json, "datagrams_out", count_json(record->datagrams_out));
  json_object_set_new(json, "datagrams_dropped", count_json(record->datagrams_dropped));
  json_object_set_new(json, "datagrams_expired", count_json(record->datagrams_expired));
  json_object_set_new(json, "datagram_queue_delay_us", count_json(record->datagram_queue_delay_us));
  json_object_set_new(json, "max_datagram_queue_delay_us", count_json(record->max_datagram_queue_delay_us));
  json_object_set_new(json, "resets", ends_json(record->resets, record->reset_count));
  json_object_set_new(json, "reset_count", count_json(record->reset_count));
  json_object_set_new(json, "stop_sendings", ends_json(record->stops, record->stop_count));
  json_object_set_new(json, "stop_sending_count", count_json(record->stop_count));
  json_array_append_new(list, json);
}

char *report_sessions(const struct site *site, uint64_t after) {
  uint64_t open;
  json_t *list = json_array();
  uint64_t next = recorder_sessions(site->recorder, after, &open, session_append, list);
  return json_finish(
      json_pack("{s:I, s:I, s:o}", "next", (json_int_t)next, "open", (json_int_t)open, "sessions", list));
}

static void count_append(const char *name, const char *type, const char *help, uint64_t count, void *json) {
  (void)type, (void)help;
  json_object_set_new(json, name, count_json(count));
}

static void count_print(const char *name, const char *type, const char *help, uint64_t count, void *out) {
  metric_print(out, name, type, help, count);
}

char *report_stats(const struct site *site) {
  struct wt_server_stats stats;
  if (!recorder_stats(site->recorder, site->server, &stats)) return NULL;
  json_t *json = json_object();
#define STATS_JSON(name) json_object_set_new(json, #name, count_json(stats.name));
  SERVER_STATS(STATS_JSON)
#undef STATS_JSON
  topic_counts(site, count_append, json);
  json_object_set_new(json, "log_lines_dropped", count_json(line_writer_dropped(site->access_log)));
  json_object_set_new(json, "congestion_control", json_string(wt_congestion_control_name(stats.congestion_control)));
  return json_finish(json);
}

char *report_metrics(const struct site *site, enum wt_metrics_format format) {
  char *text = NULL;
  size_t len;
  FILE *out = open_memstream(&text, &len);
  if (!out) return NULL;
  topic_counts(site, count_print, out);
  metric_print(out, "log_lines_dropped", "counter", "Lines of the access log that could not be written",
               line_writer_dropped(site->access_log));
  if (fclose(out)) {
    free(text);
    return NULL;
  }
  return metrics_join(text, recorder_metrics(site->recorder, site->server, format), format);
}
