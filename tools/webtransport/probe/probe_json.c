/* SPDX-License-Identifier: MIT */
/*
 * Makes the report of `webtransport probe` in JSON from the library's structures. A number's name ends in its unit.
 * Code points are hexadecimal texts, as in the specifications. A member is null if its value is not known.
 *
 * Texts of the peer go through json_text, so that one that is not UTF-8 does not remove others. If memory runs out,
 * members are missing; jansson's functions accept the NULLs.
 */
#include "probe/probe_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/json_text.h"

static json_t *hex_json(uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "0x%" PRIx64, number);
  return json_string(text);
}

/* jansson's integers have a sign; no value of QUIC needs the bit, but a counter that wrapped might. */
static json_t *number_json(uint64_t number) {
  return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

/* 0 stands for "not known" in the library's times. */
static json_t *time_json(uint64_t us) { return us ? number_json(us) : json_null(); }

/* Returns the object of this name, made if need be. */
static json_t *object_get(json_t *report, const char *name) {
  json_t *object = json_object_get(report, name);
  if (json_is_object(object)) return object;
  json_object_set_new(report, name, json_object());
  return json_object_get(report, name);
}

json_t *probe_error(int error, const char *message, const struct wt_dial_result *result) {
  json_t *json = json_object();
  json_object_set_new(json, "name", json_text(wt_error_name(error)));
  json_object_set_new(json, "message", json_text(message));
  json_object_set_new(json, "stage", result ? json_text(wt_dial_stage_name(result->stage)) : json_null());
  json_object_set_new(json, "by", result ? json_text(wt_party_name(result->by)) : json_null());
  json_object_set_new(json, "wire_code", result && result->wire_code ? hex_json(result->wire_code) : json_null());
  return json;
}

/* --- A dial --- */

/* Gives, too, when the connection that was made was begun. */
static json_t *addresses_json(const wt_dial *dial, uint64_t *begun_us) {
  json_t *list = json_array();
  struct wt_attempt attempt = {.size = sizeof attempt};
  for (size_t i = 0; !wt_dial_get_attempt(dial, i, &attempt); i++) {
    json_t *json = json_object();
    if (!attempt.error) *begun_us = attempt.begun_us;
    json_object_set_new(json, "address", json_text(attempt.address));
    json_object_set_new(json, "begun_us", number_json(attempt.begun_us));
    json_object_set_new(json, "ended_us", number_json(attempt.ended_us));
    json_object_set_new(json, "error", attempt.error ? json_text(wt_error_name(attempt.error)) : json_null());
    json_object_set_new(json, "message", attempt.error ? json_text(attempt.message) : json_null());
    json_array_append_new(list, json);
  }
  return list;
}

static json_t *answer_json(const wt_dial *dial, int status) {
  json_t *json = json_object(), *headers = json_array();
  struct wt_header header;
  for (size_t i = 0; !wt_dial_get_header_at(dial, i, &header); i++) {
    json_t *field = json_object();
    json_object_set_new(field, "name", json_text(header.name));
    json_object_set_new(field, "value", json_text(header.value));
    json_array_append_new(headers, field);
  }
  json_object_set_new(json, "status", json_integer(status));
  json_object_set_new(json, "headers", headers);
  return json;
}

void probe_add_dial(json_t *report, const struct probe_observation *observation) {
  const int status = observation->result->status;
  uint64_t begun_us = 0;
  json_object_set_new(report, "addresses", addresses_json(observation->dial, &begun_us));
  json_object_set_new(report, "answer", status ? answer_json(observation->dial, status) : json_null());
  json_t *times = object_get(report, "times_us");
  const uint64_t answer_us = observation->took_us > begun_us ? observation->took_us - begun_us : 1;
  json_object_set_new(times, "answer", status ? number_json(answer_us) : json_null());
  json_object_set_new(report, "session", json_null());
  if (!observation->session) return;
  const char *protocol = wt_session_protocol(observation->session);
  json_t *session = object_get(report, "session");
  json_object_set_new(session, "subprotocol", *protocol ? json_text(protocol) : json_null());
  json_object_set_new(session, "closed", json_null());
  probe_add_session(report, observation->session);
}

/* --- A session --- */

void probe_add_session(json_t *report, wt_session *session) {
  json_object_set_new(object_get(report, "session"), "max_datagram_size",
                      number_json(wt_session_max_datagram_size(session)));
}

void probe_add_close(json_t *report, const struct wt_close_info *close) {
  json_t *json = json_object();
  json_object_set_new(json, "by", json_text(wt_party_name(close->by)));
  json_object_set_new(json, "clean", json_boolean(close->clean));
  json_object_set_new(json, "code", json_integer(close->code));
  json_object_set_new(json, "reason", json_text(close->reason));
  json_object_set_new(json, "wire_code", close->clean ? json_null() : hex_json(close->wire_code));
  json_object_set_new(json, "wire_is_h3", close->clean ? json_null() : json_boolean(close->wire_is_h3));
  json_object_set_new(json, "cause", json_text(wt_cause_name(close->cause)));
  json_object_set_new(json, "connection", json_boolean(close->connection));
  json_object_set_new(json, "message", json_text(close->message));
  json_object_set_new(object_get(report, "session"), "closed", json);
}

/* --- A connection --- */

static json_t *parameters_json(const struct wt_transport_parameters *parameters) {
  json_t *json = json_object();
#define NUMBER(name, member) json_object_set_new(json, name, number_json(parameters->member))
#define FLAG(name) json_object_set_new(json, #name, json_boolean(parameters->name))
  NUMBER("max_idle_timeout_ms", max_idle_timeout_ms);
  NUMBER("max_udp_payload_size", max_udp_payload_size);
  NUMBER("initial_max_data", initial_max_data);
  NUMBER("initial_max_stream_data_bidi_local", initial_max_stream_data_bidi_local);
  NUMBER("initial_max_stream_data_bidi_remote", initial_max_stream_data_bidi_remote);
  NUMBER("initial_max_stream_data_uni", initial_max_stream_data_uni);
  NUMBER("initial_max_streams_bidi", initial_max_streams_bidi);
  NUMBER("initial_max_streams_uni", initial_max_streams_uni);
  NUMBER("max_datagram_frame_size", max_datagram_frame_size);
  NUMBER("ack_delay_exponent", ack_delay_exponent);
  NUMBER("max_ack_delay_ms", max_ack_delay_ms);
  NUMBER("active_connection_id_limit", active_connection_id_limit);
  FLAG(disable_active_migration);
  FLAG(grease_quic_bit);
  FLAG(reset_stream_at);
#undef NUMBER
#undef FLAG
  return json;
}

static json_t *quic_json(const struct wt_connection_info *info) {
  json_t *json = json_object();
  char version[16];
  /* What IP and UDP add. */
  const size_t headers = info->peer_address && info->peer_address[0] == '[' ? 48 : 28;
  snprintf(version, sizeof version, "0x%08" PRIx32, info->quic_version);
  json_object_set_new(json, "version", json_string(version));
  json_object_set_new(json, "peer_address", json_text(info->peer_address));
  json_object_set_new(json, "local_address", json_text(info->local_address));
  json_object_set_new(json, "max_udp_payload_size", number_json(info->max_udp_payload_size));
  json_object_set_new(json, "path_mtu",
                      info->max_udp_payload_size ? number_json(info->max_udp_payload_size + headers) : json_null());
  json_object_set_new(json, "congestion_control", json_string(wt_congestion_control_name(info->congestion_control)));
  json_object_set_new(json, "congestion_window", number_json(info->congestion_window));
  json_object_set_new(json, "transport_parameters",
                      info->has_parameters ? parameters_json(&info->parameters) : json_null());
  return json;
}

static json_t *settings_json(const struct wt_connection_info *info) {
  json_t *list = json_array();
  for (size_t i = 0; i < info->setting_count; i++) {
    const struct wt_setting *setting = &info->settings[i];
    json_t *json = json_object();
    json_object_set_new(json, "id", hex_json(setting->id));
    json_object_set_new(json, "name", json_text(wt_setting_name(setting->id)));
    json_object_set_new(json, "grease", json_boolean(setting->id >= 0x21 && (setting->id - 0x21) % 0x1f == 0));
    json_object_set_new(json, "value", number_json(setting->value));
    json_array_append_new(list, json);
  }
  return list;
}

static const char *text_if(const char *text) { return text && *text ? text : NULL; }

void probe_add_connection(json_t *report, const struct wt_connection_info *info) {
  static const struct wt_connection_info nothing;
  if (!info) info = &nothing;
  const bool handshake_done = info->handshake_us > 0;
  json_object_set_new(report, "quic", handshake_done || info->has_parameters ? quic_json(info) : json_null());
  json_object_set_new(report, "tls", handshake_done ? json_object() : json_null());
  if (handshake_done) {
    json_t *tls = json_object_get(report, "tls");
    json_object_set_new(tls, "version", json_text(text_if(info->tls_version)));
    json_object_set_new(tls, "cipher", json_text(text_if(info->cipher)));
    json_object_set_new(tls, "group", json_text(text_if(info->group)));
    json_object_set_new(tls, "ocsp_stapled", json_boolean(info->certificate_stapled));
  }
  json_object_set_new(report, "settings", info->has_settings ? settings_json(info) : json_null());
  json_object_set_new(report, "draft", info->draft ? json_integer(info->draft) : json_null());
  json_t *times = object_get(report, "times_us");
  json_object_set_new(times, "handshake", time_json(info->handshake_us));
  json_object_set_new(times, "settings", time_json(info->settings_us));
  json_object_set_new(times, "smoothed_rtt", time_json(info->smoothed_rtt_us));
  json_object_set_new(times, "min_rtt", time_json(info->min_rtt_us));
  json_object_set_new(times, "rtt_variation", time_json(info->rtt_variation_us));
}

/* --- Verdicts --- */

static json_t *state_json(enum verdict_state state) {
  return state == VERDICT_UNKNOWN ? json_null() : json_boolean(state == VERDICT_YES);
}

static json_t *verdict_json(const struct verdict_facts *facts, enum verdict_client client) {
  struct verdict_line lines[VERDICT_LINES_MAX];
  const size_t count = verdict_judge(facts, client, lines);
  const char *version, *name = verdict_client_name(client, &version);
  json_t *json = json_object(), *rules = json_array();
  for (size_t i = 0; i < count; i++) {
    json_t *rule = json_object();
    json_object_set_new(rule, "name", json_string(lines[i].name));
    json_object_set_new(rule, "kept", state_json(lines[i].state));
    json_object_set_new(rule, "required", json_boolean(lines[i].required));
    json_object_set_new(rule, "sentence", json_string(lines[i].sentence));
    json_object_set_new(rule, "found", json_text(text_if(lines[i].found)));
    json_array_append_new(rules, rule);
  }
  json_object_set_new(json, "client", json_string(name));
  json_object_set_new(json, "version", json_string(version));
  json_object_set_new(json, "would_connect", state_json(verdict_sum(lines, count)));
  json_object_set_new(json, "rules", rules);
  return json;
}

void probe_add_verdicts(json_t *report, const struct verdict_facts *facts) {
  json_t *list = json_array();
  for (int i = 0; i < VERDICT_CLIENT_COUNT; i++)
    json_array_append_new(list, verdict_json(facts, (enum verdict_client)i));
  json_object_set_new(report, "verdicts", list);
}
