/* SPDX-License-Identifier: MIT */

/*
 * The SETTINGS frame (RFC 9114, section 7.2.4) and what it says about WebTransport.
 *
 *     frame:    type = 0x04 (varint)   length (varint)   payload
 *     payload:  id (varint)  value (varint)   id  value   ...
 *
 * Each draft of WebTransport has a setting of its own for "I speak this one" (draft section 7.1), and a
 * client, too, sends that of each draft it speaks. The draft of a connection is the highest that both
 * name; since we name all, the peer's settings alone decide.
 *
 * Unknown settings are ignored, GREASE among them, but none may come twice, so their ids have to be
 * remembered while one frame is read. That is why their number has a bound.
 *
 * This file does not know the HTTP/3 library, which has its own opinion about a few of these settings:
 * the same payload goes there as well.
 */

#include "wire/settings.h"

#include "wire/error_code.h"
#include "wire/varint.h"

#define SETTINGS_FRAME_TYPE 0x04

/* Ids that meant something in HTTP/2 only (RFC 9114, section 7.2.4.1). */
static bool settings_id_forbidden(uint64_t id) { return id == 0x00 || (id >= 0x02 && id <= 0x05); }

static bool settings_id_boolean(uint64_t id) {
  return id == WT__SETTING_ENABLE_CONNECT_PROTOCOL || id == WT__SETTING_H3_DATAGRAM ||
         id == WT__SETTING_H3_DATAGRAM_DRAFT04 || id == WT__SETTING_WT_DRAFT02 || id == WT__SETTING_WT_DRAFT15;
}

/* Where the value of `id` is kept, NULL for an unknown one. */
static uint64_t *settings_member(struct wt__settings *settings, uint64_t id) {
  switch (id) {
    case WT__SETTING_QPACK_MAX_TABLE_CAPACITY: return &settings->qpack_max_table_capacity;
    case WT__SETTING_MAX_FIELD_SECTION_SIZE: return &settings->max_field_section_size;
    case WT__SETTING_QPACK_BLOCKED_STREAMS: return &settings->qpack_blocked_streams;
    case WT__SETTING_ENABLE_CONNECT_PROTOCOL: return &settings->enable_connect_protocol;
    case WT__SETTING_H3_DATAGRAM: return &settings->h3_datagram;
    case WT__SETTING_H3_DATAGRAM_DRAFT04: return &settings->h3_datagram_draft04;
    case WT__SETTING_WT_INITIAL_MAX_DATA: return &settings->wt_initial_max_data;
    case WT__SETTING_WT_INITIAL_MAX_STREAMS_UNI: return &settings->wt_initial_max_streams_uni;
    case WT__SETTING_WT_INITIAL_MAX_STREAMS_BIDI: return &settings->wt_initial_max_streams_bidi;
    case WT__SETTING_WT_DRAFT02: return &settings->wt_draft02;
    case WT__SETTING_WT_DRAFT07: return &settings->wt_draft07;
    case WT__SETTING_WT_DRAFT13: return &settings->wt_draft13;
    case WT__SETTING_WT_DRAFT15: return &settings->wt_draft15;
    default: return NULL;
  }
}

static bool settings_seen(const uint64_t *ids, size_t count, uint64_t id) {
  for (size_t i = 0; i < count; i++) {
    if (ids[i] == id) return true;
  }
  return false;
}

uint64_t wt__settings_read(const uint8_t *payload, size_t len, struct wt__settings *settings) {
  uint64_t ids[WT__SETTINGS_MAX];
  size_t count = 0;
  *settings = (struct wt__settings){.max_field_section_size = UINT64_MAX};
  if (len > WT__SETTINGS_PAYLOAD_MAX) return WT__H3_EXCESSIVE_LOAD;
  for (size_t at = 0; at < len;) {
    uint64_t id, value;
    size_t n = wt__varint_read(payload + at, len - at, &id);
    size_t m = n ? wt__varint_read(payload + at + n, len - at - n, &value) : 0;
    if (m == 0) return WT__H3_FRAME_ERROR;
    at += n + m;
    if (settings_id_forbidden(id) || settings_seen(ids, count, id)) return WT__H3_SETTINGS_ERROR;
    if (settings_id_boolean(id) && value > 1) return WT__H3_SETTINGS_ERROR;
    if (count == WT__SETTINGS_MAX) return WT__H3_EXCESSIVE_LOAD;
    ids[count++] = id;
    uint64_t *member = settings_member(settings, id);
    if (member) *member = value;
  }
  return 0;
}

size_t wt__settings_list(const uint8_t *payload, size_t len, struct wt_setting *list, size_t max) {
  size_t count = 0;
  for (size_t at = 0; at < len && count < max; count++) {
    struct wt_setting setting = {0};
    size_t n = wt__varint_read(payload + at, len - at, &setting.id);
    size_t m = n ? wt__varint_read(payload + at + n, len - at - n, &setting.value) : 0;
    if (m == 0) break;
    list[count] = setting;
    at += n + m;
  }
  return count;
}

const char *wt_setting_name(uint64_t id) {
  switch (id) {
    case WT__SETTING_QPACK_MAX_TABLE_CAPACITY: return "SETTINGS_QPACK_MAX_TABLE_CAPACITY";
    case WT__SETTING_MAX_FIELD_SECTION_SIZE: return "SETTINGS_MAX_FIELD_SECTION_SIZE";
    case WT__SETTING_QPACK_BLOCKED_STREAMS: return "SETTINGS_QPACK_BLOCKED_STREAMS";
    case WT__SETTING_ENABLE_CONNECT_PROTOCOL: return "SETTINGS_ENABLE_CONNECT_PROTOCOL";
    case WT__SETTING_H3_DATAGRAM: return "SETTINGS_H3_DATAGRAM";
    case WT__SETTING_H3_DATAGRAM_DRAFT04: return "SETTINGS_H3_DATAGRAM_DRAFT04";
    case WT__SETTING_WT_INITIAL_MAX_DATA: return "SETTINGS_WT_INITIAL_MAX_DATA";
    case WT__SETTING_WT_INITIAL_MAX_STREAMS_UNI: return "SETTINGS_WT_INITIAL_MAX_STREAMS_UNI";
    case WT__SETTING_WT_INITIAL_MAX_STREAMS_BIDI: return "SETTINGS_WT_INITIAL_MAX_STREAMS_BIDI";
    case WT__SETTING_WT_DRAFT02: return "SETTINGS_ENABLE_WEBTRANSPORT";
    case WT__SETTING_WT_DRAFT02_MAX_SESSIONS: return "SETTINGS_WEBTRANSPORT_MAX_SESSIONS_DRAFT02";
    case WT__SETTING_WT_DRAFT07: return "SETTINGS_WEBTRANSPORT_MAX_SESSIONS";
    case WT__SETTING_WT_DRAFT13: return "SETTINGS_WT_MAX_SESSIONS";
    case WT__SETTING_WT_DRAFT15: return "SETTINGS_WT_ENABLED";
    default: return NULL;
  }
}

size_t wt__settings_write_frame(uint8_t *dst, size_t size, const struct wt__setting *settings, size_t count) {
  size_t payload = 0;
  for (size_t i = 0; i < count; i++) {
    if (settings[i].id > WT__VARINT_MAX || settings[i].value > WT__VARINT_MAX) return 0;
    payload += wt__varint_len(settings[i].id) + wt__varint_len(settings[i].value);
  }
  if (wt__varint_len(SETTINGS_FRAME_TYPE) + wt__varint_len(payload) + payload > size) return 0;
  size_t n = wt__varint_write(dst, SETTINGS_FRAME_TYPE);
  n += wt__varint_write(dst + n, payload);
  for (size_t i = 0; i < count; i++) {
    n += wt__varint_write(dst + n, settings[i].id);
    n += wt__varint_write(dst + n, settings[i].value);
  }
  return n;
}

int wt__settings_draft(const struct wt__settings *peer) {
  if (peer->wt_draft15) return 15;
  if (peer->wt_draft13) return 13;
  if (peer->wt_draft07) return 7;
  if (peer->wt_draft02) return 2;
  return 0;
}

const char *wt__settings_missing_from_client(const struct wt__settings *peer, uint64_t max_datagram_frame_size,
                                             bool reset_stream_at) {
  int draft = wt__settings_draft(peer);
  if (draft == 0) {
    return "the client's SETTINGS name no WebTransport draft that this server knows: none of "
           "SETTINGS_WT_ENABLED (0x2c7cf000), WT_MAX_SESSIONS (0x14e9cd29), WEBTRANSPORT_MAX_SESSIONS (0xc671706a) "
           "and ENABLE_WEBTRANSPORT (0x2b603742) is set";
  }
  if (!peer->h3_datagram && !(draft < 7 && peer->h3_datagram_draft04)) {
    return "the client's SETTINGS do not enable HTTP datagrams: SETTINGS_H3_DATAGRAM (0x33) is not 1";
  }
  if (max_datagram_frame_size == 0) {
    return "the client does not accept QUIC datagrams: its transport parameter max_datagram_frame_size (0x20) "
           "is absent or 0";
  }
  if (draft >= 15 && !reset_stream_at) {
    return "the client does not support RESET_STREAM_AT: its transport parameter reset_stream_at (0x1d) is absent";
  }
  return NULL;
}

const char *wt__settings_missing_from_server(const struct wt__settings *peer, uint64_t max_datagram_frame_size,
                                             bool reset_stream_at) {
  int draft = wt__settings_draft(peer);
  if (draft == 0) {
    return "the server's SETTINGS name no WebTransport draft that this client knows: none of 0x2c7cf000, 0x14e9cd29, "
           "0xc671706a and 0x2b603742 is set";
  }
  if (!peer->enable_connect_protocol) {
    return "the server does not offer extended CONNECT: SETTINGS_ENABLE_CONNECT_PROTOCOL (0x08) is not 1";
  }
  if (!peer->h3_datagram && !(draft < 7 && peer->h3_datagram_draft04)) {
    return "the server's SETTINGS do not enable HTTP datagrams: SETTINGS_H3_DATAGRAM (0x33) is not 1";
  }
  if (max_datagram_frame_size == 0) {
    return "the server does not accept QUIC datagrams: its transport parameter max_datagram_frame_size (0x20) "
           "is absent or 0";
  }
  if (draft >= 15 && !reset_stream_at) {
    return "the server does not support RESET_STREAM_AT: its transport parameter reset_stream_at (0x1d) is absent";
  }
  return NULL;
}
