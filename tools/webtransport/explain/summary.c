/* SPDX-License-Identifier: MIT */
/*
 * What a page can say about a connection, collected record by record. An event that is not in the table below is passed
 * over, so logs of other programs can be explained as far as they have the same events. Texts are a stranger's: they are
 * cut, and control characters are escaped.
 */
#include "explain/summary.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "common/visible_text.h"

#define NUMBER_MAX ((INT64_C(1) << 62) - 1) /* QUIC has no larger ones, and two can be added */
#define PACKET_MAX 65535

/* -1: there is none that makes sense. */
static int64_t number(const json_t *data, const char *key) {
  const json_t *value = json_object_get(data, key);
  if (json_is_integer(value)) {
    json_int_t whole = json_integer_value(value);
    return whole >= 0 && whole <= NUMBER_MAX ? (int64_t)whole : -1;
  }
  double real = json_real_value(value); /* times of other programs */
  return json_is_real(value) && real >= 0 && real < 1e15 ? (int64_t)real : -1;
}

static int64_t amount(const json_t *data, const char *key) {
  int64_t value = number(data, key);
  return value < 0 ? 0 : value;
}

static const char *word(const json_t *data, const char *key) {
  const char *text = json_string_value(json_object_get(data, key));
  return text ? text : "";
}

static void text_set(char *out, const json_t *data, const char *key) {
  (void)visible_text(word(data, key), out, SUMMARY_TEXT);
}

/* --- Events --- */

static void on_started(struct summary *summary, const json_t *data) {
  text_set(summary->local, data, "local");
  text_set(summary->remote, data, "remote");
}

static void on_state(struct summary *summary, const json_t *data) {
  if (strcmp(word(data, "new"), "handshake_complete") != 0) return;
  summary->handshake_at = summary->last_at;
  summary->version = number(data, "quic_version");
}

static void on_path(struct summary *summary, const json_t *data) {
  summary->paths++;
  text_set(summary->remote, data, "remote");
}

/* "by peer, code 0x100 H3_NO_ERROR: gone" */
static void end_set(char *out, size_t size, const json_t *data, const char *by, const char *code_key) {
  static const char *const other_names[] = {"connection_error", "application_error"}; /* of other programs */
  char name[SUMMARY_TEXT], reason[SUMMARY_TEXT], who[SUMMARY_TEXT], code[32] = "";
  text_set(name, data, "code_name");
  for (size_t i = 0; !*name && i < sizeof(other_names) / sizeof(*other_names); i++)
    text_set(name, data, other_names[i]);
  text_set(reason, data, "reason");
  text_set(who, data, by);
  if (number(data, code_key) >= 0) (void)snprintf(code, sizeof(code), ", code %" PRId64, number(data, code_key));
  (void)snprintf(out, size, "by %s%s%s%s%s%s", who, code, *name ? " " : "", name, *reason ? ": " : "", reason);
}

/* Which end an event is about; drafts of qlog differ in the name. */
static const char *side_key(const json_t *data) { return *word(data, "owner") ? "owner" : "initiator"; }

static void on_connection_closed(struct summary *summary, const json_t *data) {
  summary->ended_at = summary->last_at;
  end_set(summary->end, sizeof(summary->end), data, *word(data, "trigger") ? "trigger" : side_key(data),
          number(data, "application_code") >= 0 ? "application_code" : "connection_code");
}

static void on_parameters(struct summary *summary, const json_t *data) {
  if (strcmp(word(data, side_key(data)), "remote") != 0) return;
  summary->idle_timeout = number(data, "max_idle_timeout");
  summary->max_datagram = number(data, "max_datagram_frame_size");
  summary->max_data = number(data, "initial_max_data");
  summary->max_streams_bidi = number(data, "initial_max_streams_bidi");
  summary->max_streams_uni = number(data, "initial_max_streams_uni");
}

static void on_packet(struct summary_packets *packets, const json_t *data) {
  packets->packets++;
  int64_t bytes = amount(json_object_get(data, "raw"), "length");
  packets->bytes += bytes < PACKET_MAX ? bytes : PACKET_MAX;
}

static void on_sent(struct summary *summary, const json_t *data) { on_packet(&summary->sent, data); }
static void on_received(struct summary *summary, const json_t *data) { on_packet(&summary->received, data); }

static void on_metrics(struct summary *summary, const json_t *data) {
  if (number(data, "min_rtt") >= 0) summary->min_rtt = number(data, "min_rtt");
  if (number(data, "smoothed_rtt") >= 0) summary->smoothed_rtt = number(data, "smoothed_rtt");
  if (number(data, "congestion_window") >= 0) summary->window = number(data, "congestion_window");
}

/* The session of this id that has not ended; a new one, if there is none. NULL: there are too many. */
static struct summary_session *session_of(struct summary *summary, const json_t *data) {
  int64_t id = number(data, "session_id");
  for (size_t i = 0; i < summary->session_count; i++)
    if (summary->sessions[i].id == id && summary->sessions[i].closed_at < 0) return &summary->sessions[i];
  if (summary->session_count == SUMMARY_SESSIONS) return NULL;
  struct summary_session *session = &summary->sessions[summary->session_count++];
  *session = (struct summary_session){.id = id, .opened_at = -1, .closed_at = -1, .draft = -1};
  return session;
}

static void on_session_opened(struct summary *summary, const json_t *data) {
  struct summary_session *session = session_of(summary, data);
  if (!session) {
    summary->sessions_more++;
    return;
  }
  session->opened_at = summary->last_at;
  session->draft = number(data, "draft");
  text_set(session->path, data, "path");
  text_set(session->protocol, data, "protocol");
}

static void on_session_closed(struct summary *summary, const json_t *data) {
  struct summary_session *session = session_of(summary, data);
  if (!session) return;
  session->closed_at = summary->last_at;
  text_set(session->path, data, "path");
  end_set(session->end, sizeof(session->end), data, "by", number(data, "code") >= 0 ? "code" : "wire_code");
  session->streams = amount(data, "streams_opened") + amount(data, "streams_accepted");
  session->bytes_sent = amount(data, "bytes_sent");
  session->bytes_received = amount(data, "bytes_received");
  session->datagrams_sent = amount(data, "datagrams_sent");
  session->datagrams_received = amount(data, "datagrams_received");
}

static void on_cut(struct summary *summary, const json_t *data) {
  (void)data;
  summary->cut_at = summary->last_at;
}

/* Events with a function, and those that are only counted. */
static const struct {
  const char *name;
  void (*add)(struct summary *summary, const json_t *data);
  size_t counter;
} events[] = {
    {"connectivity:connection_started", on_started, 0},
    {"connectivity:connection_state_updated", on_state, 0},
    {"connectivity:path_updated", on_path, 0},
    {"connectivity:connection_closed", on_connection_closed, 0},
    {"transport:parameters_set", on_parameters, 0},
    {"transport:packet_sent", on_sent, 0},
    {"transport:packet_received", on_received, 0},
    {"recovery:metrics_updated", on_metrics, 0},
    {"quic:recovery_metrics_updated", on_metrics, 0},
    {"webtransport:session_opened", on_session_opened, 0},
    {"webtransport:session_closed", on_session_closed, 0},
    {"webtransport:log_cut", on_cut, 0},
    {"recovery:packet_lost", NULL, offsetof(struct summary, lost)},
    {"webtransport:stream_opened", NULL, offsetof(struct summary, streams_opened)},
    {"webtransport:stream_reset", NULL, offsetof(struct summary, streams_reset)},
    {"webtransport:stream_stopped", NULL, offsetof(struct summary, streams_stopped)},
    {"webtransport:stream_refused", NULL, offsetof(struct summary, streams_refused)},
    {"webtransport:datagram_dropped", NULL, offsetof(struct summary, datagrams_dropped)},
    {"webtransport:flow_control_blocked", NULL, offsetof(struct summary, blocked)},
    {"webtransport:capsule_sent", NULL, offsetof(struct summary, capsules_sent)},
    {"webtransport:capsule_received", NULL, offsetof(struct summary, capsules_received)},
};

/* What follows the namespace. NULL: it is none of QUIC's. */
static const char *quic_event(const char *name) {
  static const char *const spaces[] = {"transport:", "connectivity:", "recovery:", "quic:"};
  for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++)
    if (strncmp(name, spaces[i], strlen(spaces[i])) == 0) return name + strlen(spaces[i]);
  return NULL;
}

/* The drafts of qlog differ in how they divide QUIC's events into namespaces; later ones have all in one. */
static bool event_is(const char *event, const char *name) {
  const char *ours = quic_event(event), *theirs = quic_event(name);
  return ours && theirs ? strcmp(ours, theirs) == 0 : strcmp(event, name) == 0;
}

bool summary_is_first(const json_t *record) {
  return json_is_string(json_object_get(record, "qlog_format")) ||
         json_is_string(json_object_get(record, "file_schema"));
}

bool summary_begin(struct summary *summary, const json_t *first) {
  const json_t *trace = json_object_get(first, "trace");
  memset(summary, 0, sizeof(*summary));
  summary->handshake_at = summary->ended_at = summary->version = summary->min_rtt = summary->cut_at = -1;
  summary->idle_timeout = summary->max_datagram = -1;
  if (!summary_is_first(first)) return false;
  text_set(summary->connection, json_object_get(trace, "common_fields"), "group_id");
  text_set(summary->role, json_object_get(trace, "vantage_point"), "type");
  summary->ours = strcmp(word(json_object_get(trace, "vantage_point"), "name"), "ngtcp2") == 0;
  return true;
}

void summary_add(struct summary *summary, const json_t *record) {
  const char *name = word(record, "name");
  if (number(record, "time") >= 0) summary->last_at = number(record, "time");
  for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
    if (!event_is(events[i].name, name)) continue;
    if (events[i].add) {
      events[i].add(summary, json_object_get(record, "data"));
    } else {
      ++*(int64_t *)(void *)((char *)summary + events[i].counter);
    }
    return;
  }
}

/* --- The page --- */

static void print_session(const struct summary_session *session, FILE *out) {
  fprintf(out, "  %" PRId64 "  %s", session->id, *session->path ? session->path : "?");
  if (session->draft >= 0) fprintf(out, ", draft %" PRId64, session->draft);
  if (*session->protocol) fprintf(out, ", protocol %s", session->protocol);
  if (session->opened_at >= 0) {
    fprintf(out, "\n     opened at %" PRId64 " ms\n", session->opened_at);
  } else {
    fprintf(out, "\n     never opened\n");
  }
  if (session->closed_at < 0) {
    fprintf(out, "     still open at the end of the log\n");
    return;
  }
  fprintf(out,
          "     %" PRId64 " streams; sent %" PRId64 " bytes, %" PRId64 " datagrams; received %" PRId64
          " bytes, %" PRId64 " datagrams\n",
          session->streams, session->bytes_sent, session->datagrams_sent, session->bytes_received,
          session->datagrams_received);
  fprintf(out, "     closed at %" PRId64 " ms, %s\n", session->closed_at, session->end);
}

static void print_sessions(const struct summary *summary, FILE *out) {
  fprintf(out, "Sessions     %zu\n", summary->session_count + summary->sessions_more);
  for (size_t i = 0; i < summary->session_count; i++) print_session(&summary->sessions[i], out);
  if (summary->sessions_more) fprintf(out, "  and %zu more\n", summary->sessions_more);
  fprintf(out, "Streams      %" PRId64 " opened, %" PRId64 " reset, %" PRId64 " stopped, %" PRId64 " refused\n",
          summary->streams_opened, summary->streams_reset, summary->streams_stopped, summary->streams_refused);
  fprintf(out, "Capsules     %" PRId64 " sent, %" PRId64 " received; blocked by flow control %" PRId64 " times\n",
          summary->capsules_sent, summary->capsules_received, summary->blocked);
  fprintf(out, "Datagrams    %" PRId64 " dropped\n", summary->datagrams_dropped);
}

static void print_connection(const struct summary *summary, FILE *out) {
  fprintf(out, "Connection   %s, seen by the %s\n", *summary->connection ? summary->connection : "?",
          *summary->role ? summary->role : "?");
  if (*summary->local) fprintf(out, "Addresses    %s here, %s there\n", summary->local, summary->remote);
  if (summary->handshake_at >= 0) {
    fprintf(out, "Handshake    done after %" PRId64 " ms, QUIC version 0x%08" PRIx64 "\n", summary->handshake_at,
            (uint64_t)summary->version);
  } else {
    fprintf(out, "Handshake    %s\n", summary->ours ? "not done" : "the log does not say when it was done");
  }
  if (summary->idle_timeout >= 0)
    fprintf(out,
            "Peer allows  %" PRId64 " ms of silence, %" PRId64 " bytes, %" PRId64 " bidirectional and %" PRId64
            " unidirectional streams, datagram frames of %" PRId64 " bytes\n",
            summary->idle_timeout, summary->max_data, summary->max_streams_bidi, summary->max_streams_uni,
            summary->max_datagram);
  fprintf(
      out,
      "Packets      %" PRId64 " sent (%" PRId64 " bytes), %" PRId64 " received (%" PRId64 " bytes), %" PRId64 " lost\n",
      summary->sent.packets, summary->sent.bytes, summary->received.packets, summary->received.bytes, summary->lost);
  if (summary->min_rtt >= 0)
    fprintf(out,
            "Round trip   %" PRId64 " ms at best, %" PRId64 " ms on average; congestion window %" PRId64 " bytes\n",
            summary->min_rtt, summary->smoothed_rtt, summary->window);
  if (summary->paths) fprintf(out, "Paths        %" PRId64 " changes were checked\n", summary->paths);
}

void summary_print(const struct summary *summary, FILE *out) {
  print_connection(summary, out);
  print_sessions(summary, out);
  if (summary->cut_at >= 0) fprintf(out, "Cut          the log reached its bound at %" PRId64 " ms\n", summary->cut_at);
  if (summary->ended_at >= 0) {
    fprintf(out, "Ended        after %" PRId64 " ms, %s\n", summary->ended_at, summary->end);
  } else {
    fprintf(out, "Ended        not within the log, which goes up to %" PRId64 " ms\n", summary->last_at);
  }
}
