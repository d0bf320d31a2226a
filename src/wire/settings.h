/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_SETTINGS_H
#define WT_WIRE_SETTINGS_H

/*
 * HTTP/3 SETTINGS (RFC 9114, section 7.2.4): what we send, what the peer sent, and which draft of
 * WebTransport both together choose.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/connection.h>

enum wt__setting_id {
  WT__SETTING_QPACK_MAX_TABLE_CAPACITY = 0x01,
  WT__SETTING_MAX_FIELD_SECTION_SIZE = 0x06,
  WT__SETTING_QPACK_BLOCKED_STREAMS = 0x07,
  WT__SETTING_ENABLE_CONNECT_PROTOCOL = 0x08, /* RFC 9220 */
  WT__SETTING_H3_DATAGRAM = 0x33,             /* RFC 9297 */
  WT__SETTING_H3_DATAGRAM_DRAFT04 = 0xffd277,
  WT__SETTING_WT_INITIAL_MAX_DATA = 0x2b61,
  WT__SETTING_WT_INITIAL_MAX_STREAMS_UNI = 0x2b64,
  WT__SETTING_WT_INITIAL_MAX_STREAMS_BIDI = 0x2b65,
  WT__SETTING_WT_DRAFT02 = 0x2b603742,              /* ENABLE_WEBTRANSPORT, drafts 02 to 06 */
  WT__SETTING_WT_DRAFT02_MAX_SESSIONS = 0x2b603743, /* of the first drafts; not heeded: ours names draft 02 alone */
  WT__SETTING_WT_DRAFT07 = 0xc671706a,              /* WEBTRANSPORT_MAX_SESSIONS, drafts 07 to 12 */
  WT__SETTING_WT_DRAFT13 = 0x14e9cd29,              /* WT_MAX_SESSIONS, drafts 13 and 14 */
  WT__SETTING_WT_DRAFT15 = 0x2c7cf000,              /* WT_ENABLED, drafts 15 and later */
};

/* The peer's SETTINGS. Absent ones have the value 0, the default of each but the first. */
struct wt__settings {
  uint64_t max_field_section_size; /* UINT64_MAX if absent: no bound */
  uint64_t qpack_max_table_capacity, qpack_blocked_streams;
  uint64_t enable_connect_protocol;
  uint64_t h3_datagram, h3_datagram_draft04;
  uint64_t wt_initial_max_data, wt_initial_max_streams_uni, wt_initial_max_streams_bidi;
  uint64_t wt_draft02, wt_draft07, wt_draft13, wt_draft15;
};

/* The most different settings a frame may carry; a longer one is H3_EXCESSIVE_LOAD. */
#define WT__SETTINGS_MAX 64
/* The longest SETTINGS frame payload that is read. */
#define WT__SETTINGS_PAYLOAD_MAX (WT__SETTINGS_MAX * 16)

/*
 * Reads the payload of a SETTINGS frame. Returns 0, or the wire code to close the connection with:
 * H3_FRAME_ERROR if truncated, H3_SETTINGS_ERROR for a duplicate, an id reserved since HTTP/2 (0x00,
 * 0x02 to 0x05) or a value that is forbidden (booleans over 1), H3_EXCESSIVE_LOAD.
 */
uint64_t wt__settings_read(const uint8_t *payload, size_t len, struct wt__settings *settings);

/* All settings of such a payload, in order, also those that are not known. Returns their number, at most `max`. */
size_t wt__settings_list(const uint8_t *payload, size_t len, struct wt_setting *list, size_t max);

/* One setting to send. */
struct wt__setting {
  uint64_t id, value;
};

/* Writes a whole SETTINGS frame, type and length included. Returns its length, or 0 if `size` is too small. */
size_t wt__settings_write_frame(uint8_t *dst, size_t size, const struct wt__setting *settings, size_t count);

/* The highest draft that the peer's SETTINGS name, as `wt_session_draft`: 15, 13, 7 or 2; 0 if none. */
int wt__settings_draft(const struct wt__settings *peer);

/*
 * What keeps a client with these SETTINGS from having a WebTransport session: a sentence for people
 * that names what is missing, or NULL if nothing does. `max_datagram_frame_size` is its transport
 * parameter (RFC 9221), `reset_stream_at` whether it sent that one, or need not have; drafts 15 and later require it
 * (draft section 3.1). H3_DATAGRAM of draft 04 is enough for drafts below 7.
 */
const char *wt__settings_missing_from_client(const struct wt__settings *peer, uint64_t max_datagram_frame_size,
                                             bool reset_stream_at);

/*
 * The other way round: what keeps a server with these SETTINGS from giving this client a session (draft section 3.1).
 */
const char *wt__settings_missing_from_server(const struct wt__settings *peer, uint64_t max_datagram_frame_size,
                                             bool reset_stream_at);

#endif
