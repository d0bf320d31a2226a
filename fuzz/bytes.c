/* SPDX-License-Identifier: MIT */
/* What a hostile peer sends: see bytes.h. */

#include "bytes.h"

#include <string.h>

#include "wire/capsule.h"
#include "wire/error_code.h"
#include "wire/settings.h"
#include "wire/varint.h"

void chunk_byte(struct chunk *chunk, uint8_t byte) {
  if (chunk->len < CHUNK_MAX) chunk->data[chunk->len++] = byte;
}

void chunk_bytes(struct chunk *chunk, const void *data, size_t len) {
  if (len > CHUNK_MAX - chunk->len) len = CHUNK_MAX - chunk->len;
  if (len > 0) memcpy(chunk->data + chunk->len, data, len);
  chunk->len += len;
}

void chunk_varint(struct chunk *chunk, uint64_t value) {
  uint8_t bytes[8];
  chunk_bytes(chunk, bytes, wt__varint_write(bytes, value));
}

void chunk_frame(struct chunk *chunk, uint64_t type, const struct chunk *payload) {
  chunk_varint(chunk, type);
  chunk_varint(chunk, payload->len);
  chunk_bytes(chunk, payload->data, payload->len);
}

void chunk_script(struct chunk *chunk, struct script *script) {
  size_t len;
  const uint8_t *bytes = script_bytes(script, &len);
  chunk_bytes(chunk, bytes, len);
}

/* An integer with a prefix of `bits` (RFC 7541, section 5.1). */
static void chunk_prefixed(struct chunk *chunk, uint8_t first, unsigned bits, size_t value) {
  size_t max = ((size_t)1 << bits) - 1;
  if (value < max) {
    chunk_byte(chunk, (uint8_t)(first | value));
    return;
  }
  chunk_byte(chunk, (uint8_t)(first | max));
  for (value -= max; value >= 128; value >>= 7) chunk_byte(chunk, (uint8_t)(value | 128));
  chunk_byte(chunk, (uint8_t)value);
}

/* A literal field line with a literal name (RFC 9204, section 4.5.6), without Huffman. */
static void chunk_field(struct chunk *chunk, const char *name, const void *value, size_t value_len) {
  chunk_prefixed(chunk, 0x20, 3, strlen(name));
  chunk_bytes(chunk, name, strlen(name));
  chunk_prefixed(chunk, 0x00, 7, value_len);
  chunk_bytes(chunk, value, value_len);
}

static void chunk_text_field(struct chunk *chunk, const char *name, const char *value) {
  chunk_field(chunk, name, value, strlen(value));
}

/* --- Field sections --- */

static void fields_request(struct chunk *chunk, const char *method, const char *path, const char *protocol) {
  chunk_text_field(chunk, ":method", method);
  chunk_text_field(chunk, ":scheme", "https");
  chunk_text_field(chunk, ":authority", "example.com");
  chunk_text_field(chunk, ":path", path);
  if (protocol) chunk_text_field(chunk, ":protocol", protocol);
}

static void fields_preset(struct chunk *chunk, uint8_t preset) {
  switch (preset % 12) {
    case 0: fields_request(chunk, "GET", "/", NULL); break;
    case 1: fields_request(chunk, "POST", "/a?a=b%20c", NULL); break;
    case 2: fields_request(chunk, "CONNECT", "/echo", "webtransport"); break;
    case 3: fields_request(chunk, "CONNECT", "/echo?a=1", "webtransport-h3"); break;
    case 4: fields_request(chunk, "HEAD", "/x", NULL); break;
    case 5:
      chunk_text_field(chunk, ":method", "CONNECT");
      chunk_text_field(chunk, ":authority", "example.com:443");
      break;
    case 6: chunk_text_field(chunk, ":status", "200"); break;
    case 7: chunk_text_field(chunk, ":status", "404"); break;
    case 8: chunk_text_field(chunk, ":status", "103"); break;
    case 9:
      chunk_text_field(chunk, ":status", "200");
      chunk_text_field(chunk, "wt-protocol", "\"chat\"");
      break;
    case 10: chunk_text_field(chunk, ":status", "204"); break;
    default: break; /* trailers, or none */
  }
}

static void fields_more(struct chunk *chunk, struct script *script) {
  static const char *const names[] = {"origin",
                                      "cookie",
                                      "wt-available-protocols",
                                      "content-length",
                                      "priority",
                                      "host",
                                      "x",
                                      "wt-protocol",
                                      ":path",
                                      ":status",
                                      "te",
                                      "expect",
                                      "if-none-match",
                                      "range",
                                      "sec-webtransport-http3-draft02",
                                      "Upper"};
  unsigned count = script_byte(script) % 8;
  while (count-- > 0) {
    const char *name = names[script_byte(script) % (sizeof(names) / sizeof(names[0]))];
    size_t len;
    const uint8_t *value = script_bytes(script, &len);
    chunk_field(chunk, name, value, len);
  }
}

void chunk_headers(struct chunk *chunk, struct script *script) {
  struct chunk section = {.len = 0};
  chunk_bytes(&section, "\0\0", 2); /* nothing of the dynamic table is needed */
  fields_preset(&section, script_byte(script));
  fields_more(&section, script);
  chunk_frame(chunk, 0x01, &section);
}

/* --- SETTINGS --- */

void chunk_settings(struct chunk *chunk, struct script *script) {
  static const struct wt__setting draft02[] = {{0x01, 4096}, {0x07, 16}, {0x08, 1}, {0x33, 1}, {0x2b603742, 1}};
  static const struct wt__setting draft07[] = {{0x08, 1}, {0x33, 1}, {0xc671706a, 3}};
  static const struct wt__setting draft15[] = {{0x08, 1}, {0x33, 1}, {0x2c7cf000, 1}};
  static const struct wt__setting limits[] = {{0x01, 4096},  {0x08, 1},   {0x33, 1},  {0x2c7cf000, 1},
                                              {0x2b61, 100}, {0x2b64, 2}, {0x2b65, 2}};
  static const struct wt__setting none[] = {{0x21, 0}};
  static const struct {
    const struct wt__setting *list;
    size_t count;
  } presets[] = {{draft02, 5}, {draft07, 3}, {draft15, 3}, {limits, 7}, {none, 1}};
  unsigned preset = script_byte(script) % 5;
  chunk_byte(chunk, 0x00);
  chunk->len += wt__settings_write_frame(chunk->data + chunk->len, CHUNK_MAX - chunk->len, presets[preset].list,
                                         presets[preset].count);
}

/* --- Numbers that mean something --- */

uint64_t script_some_code(struct script *script) {
  static const uint64_t codes[] = {WT__H3_NO_ERROR,          WT__H3_REQUEST_CANCELLED, WT__H3_REQUEST_REJECTED,
                                   WT__H3_MESSAGE_ERROR,     WT__WT_SESSION_GONE,      UINT64_C(0x52e4a40fa8db),
                                   UINT64_C(0x52e5ac983162), (UINT64_C(1) << 62) - 1,  0};
  return codes[script_byte(script) % (sizeof(codes) / sizeof(codes[0]))];
}

uint64_t script_some_type(struct script *script) {
  static const uint64_t types[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x07, 0x0d, 0x21, 0x41, 0xf0700, 0xf0701, 0x02};
  return types[script_byte(script) % (sizeof(types) / sizeof(types[0]))];
}

uint64_t script_some_capsule(struct script *script) {
  static const uint64_t types[] = {WT__CAPSULE_CLOSE_SESSION,
                                   WT__CAPSULE_DRAIN_SESSION,
                                   WT__CAPSULE_MAX_DATA,
                                   WT__CAPSULE_MAX_STREAM_DATA,
                                   WT__CAPSULE_MAX_STREAMS_BIDI,
                                   WT__CAPSULE_MAX_STREAMS_UNI,
                                   WT__CAPSULE_DATA_BLOCKED,
                                   WT__CAPSULE_STREAM_DATA_BLOCKED,
                                   WT__CAPSULE_STREAMS_BLOCKED_BIDI,
                                   WT__CAPSULE_STREAMS_BLOCKED_UNI,
                                   WT__CAPSULE_DATAGRAM,
                                   0x1234};
  return types[script_byte(script) % (sizeof(types) / sizeof(types[0]))];
}
