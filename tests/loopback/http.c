/* SPDX-License-Identifier: MIT */
/*
 * Bytes of HTTP/3 (RFC 9114), QPACK (RFC 9204, by nghttp3's encoder and decoder) and the Capsule Protocol.
 *
 * Writing is plain concatenation, so that a test can leave out, repeat or damage any part. Reading starts
 * from the beginning of the stream each time: slow, without state, hard to get wrong.
 */
#include "http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp3/nghttp3.h>

#include "wire/capsule.h"
#include "wire/datagram.h"
#include "wire/stream_header.h"
#include "wire/varint.h"

#define FRAME_DATA 0x00
#define FRAME_HEADERS 0x01
#define FIELDS_MAX 64

void bytes_add(struct bytes *bytes, const void *data, size_t len) {
  if (bytes->len + len > bytes->cap) {
    bytes->cap = (bytes->len + len) * 2;
    bytes->data = realloc(bytes->data, bytes->cap);
    assert_non_null(bytes->data);
  }
  if (len) memcpy(bytes->data + bytes->len, data, len);
  bytes->len += len;
}

void bytes_varint(struct bytes *bytes, uint64_t value) {
  uint8_t varint[8];
  bytes_add(bytes, varint, wt__varint_write(varint, value));
}

void bytes_frame(struct bytes *bytes, uint64_t type, const void *payload, size_t len) {
  bytes_varint(bytes, type);
  bytes_varint(bytes, len);
  bytes_add(bytes, payload, len);
}

void bytes_free(struct bytes *bytes) {
  free(bytes->data);
  memset(bytes, 0, sizeof(*bytes));
}

static uint8_t pattern_at(size_t offset, uint64_t seed) {
  uint64_t z = (offset / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (seed * UINT64_C(0xbf58476d1ce4e5b9));
  return (uint8_t)((z ^ (z >> 29)) >> (8 * (offset % 8)));
}

uint8_t *pattern_new(size_t len, uint64_t seed) {
  uint8_t *data = malloc(len ? len : 1);
  assert_non_null(data);
  for (size_t i = 0; i < len; i++) data[i] = pattern_at(i, seed);
  return data;
}

bool pattern_matches(const uint8_t *data, size_t len, size_t offset, uint64_t seed) {
  for (size_t i = 0; i < len; i++) {
    if (data[i] != pattern_at(offset + i, seed)) return false;
  }
  return true;
}

/* --- Requests --- */

static size_t fields_convert(const struct field *fields, nghttp3_nv *nva, uint8_t flags) {
  size_t count = 0;
  for (; fields && fields[count].name; count++) {
    assert_true(count < FIELDS_MAX);
    nva[count].name = (uint8_t *)(uintptr_t)fields[count].name;
    nva[count].value = (uint8_t *)(uintptr_t)fields[count].value;
    nva[count].namelen = strlen(fields[count].name);
    nva[count].valuelen = strlen(fields[count].value);
    nva[count].flags = flags;
  }
  return count;
}

static void headers_encode(nghttp3_qpack_encoder *encoder, struct bytes *bytes, struct bytes *inserts, int64_t id,
                           const struct field *fields) {
  const nghttp3_mem *mem = nghttp3_mem_default();
  nghttp3_nv nva[FIELDS_MAX];
  nghttp3_buf prefix, fields_buf, encoder_buf;
  nghttp3_buf_init(&prefix);
  nghttp3_buf_init(&fields_buf);
  nghttp3_buf_init(&encoder_buf);
  size_t count = fields_convert(fields, nva, NGHTTP3_NV_FLAG_NONE);
  assert_int_equal(nghttp3_qpack_encoder_encode(encoder, &prefix, &fields_buf, &encoder_buf, id, nva, count), 0);
  bytes_varint(bytes, FRAME_HEADERS);
  bytes_varint(bytes, nghttp3_buf_len(&prefix) + nghttp3_buf_len(&fields_buf));
  bytes_add(bytes, prefix.pos, nghttp3_buf_len(&prefix));
  bytes_add(bytes, fields_buf.pos, nghttp3_buf_len(&fields_buf));
  if (inserts) bytes_add(inserts, encoder_buf.pos, nghttp3_buf_len(&encoder_buf));
  nghttp3_buf_free(&prefix, mem);
  nghttp3_buf_free(&fields_buf, mem);
  nghttp3_buf_free(&encoder_buf, mem);
}

void http_headers(struct bytes *bytes, const struct field *fields) {
  nghttp3_qpack_encoder *encoder;
  assert_int_equal(nghttp3_qpack_encoder_new(&encoder, 0, nghttp3_mem_default()), 0);
  headers_encode(encoder, bytes, NULL, 0, fields);
  nghttp3_qpack_encoder_del(encoder);
}

void http_headers_dynamic(struct bytes *bytes, struct bytes *inserts, int64_t id, const struct field *fields) {
  nghttp3_qpack_encoder *encoder;
  assert_int_equal(nghttp3_qpack_encoder_new(&encoder, 4096, nghttp3_mem_default()), 0);
  nghttp3_qpack_encoder_set_max_dtable_capacity(encoder, 4096);
  nghttp3_qpack_encoder_set_max_blocked_streams(encoder, 16);
  bytes_varint(inserts, 0x02);
  headers_encode(encoder, bytes, inserts, id, fields);
  nghttp3_qpack_encoder_del(encoder);
}

static size_t fields_append(struct field *all, size_t count, const struct field *fields) {
  for (size_t i = 0; fields && fields[i].name; i++) {
    assert_true(count < FIELDS_MAX);
    all[count++] = fields[i];
  }
  all[count] = (struct field){NULL, NULL};
  return count;
}

int64_t http_request(struct peer *peer, const char *method, const char *path, const struct field *fields, bool fin) {
  struct field all[FIELDS_MAX + 1] = {
      {":method", method}, {":scheme", "https"}, {":authority", "localhost:4000"}, {":path", path}};
  fields_append(all, 4, fields);
  int64_t id = peer_open_bidi(peer);
  assert_true(id >= 0);
  struct bytes bytes = {0};
  http_headers(&bytes, all);
  peer_send(peer, id, bytes.data, bytes.len, fin);
  bytes_free(&bytes);
  return id;
}

void http_connect_on(struct peer *peer, int64_t id, const char *protocol, const char *path, const char *origin,
                     const struct field *fields) {
  struct field all[FIELDS_MAX + 1] = {{":method", "CONNECT"}, {":protocol", protocol},
                                      {":scheme", "https"},   {":authority", "localhost:4000"},
                                      {":path", path},        {"sec-webtransport-http3-draft02", "1"}};
  size_t count = 6;
  if (origin) all[count++] = (struct field){"origin", origin};
  fields_append(all, count, fields);
  struct bytes bytes = {0};
  http_headers(&bytes, all);
  peer_send(peer, id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
}

int64_t http_connect(struct peer *peer, const char *protocol, const char *path, const char *origin,
                     const struct field *fields) {
  int64_t id = peer_open_bidi(peer);
  assert_true(id >= 0);
  http_connect_on(peer, id, protocol, path, origin, fields);
  return id;
}

void http_data(struct peer *peer, int64_t id, const void *data, size_t len, bool fin) {
  struct bytes bytes = {0};
  if (len) bytes_frame(&bytes, FRAME_DATA, data, len);
  peer_send(peer, id, bytes.data, bytes.len, fin);
  bytes_free(&bytes);
}

/* --- Answers --- */

static void response_headers(struct response *response, const uint8_t *data, size_t len) {
  const nghttp3_mem *mem = nghttp3_mem_default();
  nghttp3_qpack_decoder *decoder;
  nghttp3_qpack_stream_context *context;
  assert_int_equal(nghttp3_qpack_decoder_new(&decoder, 0, 0, mem), 0);
  assert_int_equal(nghttp3_qpack_stream_context_new(&context, 0, mem), 0);
  size_t used = 0, text = strlen(response->fields);
  for (;;) {
    nghttp3_qpack_nv nv;
    uint8_t flags = 0;
    nghttp3_ssize n = nghttp3_qpack_decoder_read_request(decoder, context, &nv, &flags, data + used, len - used, 1);
    if (n < 0 || (flags & NGHTTP3_QPACK_DECODE_FLAG_BLOCKED)) {
      response->malformed = true;
      break;
    }
    used += (size_t)n;
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) {
      const char *name = (const char *)nghttp3_rcbuf_get_buf(nv.name).base;
      const char *value = (const char *)nghttp3_rcbuf_get_buf(nv.value).base;
      if (strcmp(name, ":status") == 0) response->status = atoi(value);
      int n_text = snprintf(response->fields + text, sizeof(response->fields) - text, "%s: %s\n", name, value);
      assert_true(n_text > 0 && (size_t)n_text < sizeof(response->fields) - text);
      text += (size_t)n_text;
      nghttp3_rcbuf_decref(nv.name);
      nghttp3_rcbuf_decref(nv.value);
    }
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) break;
  }
  nghttp3_qpack_stream_context_del(context);
  nghttp3_qpack_decoder_del(decoder);
}

static void response_read(struct peer *peer, int64_t id, struct response *response, bool headers_alone) {
  memset(response, 0, sizeof(*response));
  const struct peer_stream *stream = peer_stream(peer, id);
  struct bytes body = {0};
  size_t at = 0;
  while (stream && at < stream->rx_len) {
    uint64_t type, len;
    size_t n = wt__varint_read(stream->rx + at, stream->rx_len - at, &type);
    size_t m = n ? wt__varint_read(stream->rx + at + n, stream->rx_len - at - n, &len) : 0;
    if (!n || !m) break;
    at += n + m;
    size_t have = stream->rx_len - at;
    if (type == FRAME_HEADERS && have >= len) response_headers(response, stream->rx + at, (size_t)len);
    if (headers_alone && response->status) break;
    if (type == FRAME_DATA) bytes_add(&body, stream->rx + at, have < len ? have : (size_t)len);
    if (have < len) break;
    at += (size_t)len;
  }
  response->body = body.data;
  response->body_len = body.len;
}

void http_response(struct peer *peer, int64_t id, struct response *response) {
  response_read(peer, id, response, false);
}

void response_free(struct response *response) { free(response->body); }

int http_status(struct peer *peer, int64_t id) {
  static struct response response;
  const struct peer_stream *stream = peer_stream(peer, id);
  if (!stream || !stream->rx_len) return 0;
  response_read(peer, id, &response, true);
  response_free(&response);
  return response.status;
}

bool response_field(const struct response *response, const char *name, char *value, size_t size) {
  size_t len = strlen(name);
  for (const char *line = response->fields; *line; line = strchr(line, '\n') + 1) {
    if (strncmp(line, name, len) != 0 || strncmp(line + len, ": ", 2) != 0) continue;
    const char *from = line + len + 2;
    size_t n = (size_t)(strchr(from, '\n') - from);
    assert_true(n < size);
    memcpy(value, from, n);
    value[n] = '\0';
    return true;
  }
  return false;
}

/* --- WebTransport --- */

int64_t peer_wt_open(struct peer *peer, bool uni, int64_t session, const void *data, size_t len, bool fin) {
  int64_t id = uni ? peer_open_uni(peer) : peer_open_bidi(peer);
  if (id < 0) return id;
  struct bytes bytes = {0};
  uint8_t header[WT__STREAM_HEADER_MAX];
  bytes_add(&bytes, header, wt__stream_header_write(header, uni, session));
  bytes_add(&bytes, data, len);
  peer_send(peer, id, bytes.data, bytes.len, fin);
  bytes_free(&bytes);
  return id;
}

void peer_wt_datagram(struct peer *peer, int64_t session, const void *data, size_t len) {
  struct bytes bytes = {0};
  bytes_varint(&bytes, (uint64_t)session / 4);
  bytes_add(&bytes, data, len);
  peer_datagram(peer, bytes.data, bytes.len);
  bytes_free(&bytes);
}

size_t peer_wt_header_len(const struct peer_stream *stream, int64_t session) {
  uint64_t type;
  int64_t id = -1;
  size_t len = 0;
  if (!stream || !stream->rx_len) return 0;
  enum wt__stream_header_result result =
      wt__stream_header_read((stream->id & 2) != 0, stream->rx, stream->rx_len, &type, &id, &len);
  return result == WT__STREAM_HEADER_WT && id == session ? len : 0;
}

void capsule(struct bytes *bytes, uint64_t type, const void *value, size_t len) {
  bytes_frame(bytes, type, value, len); /* the same shape: type, length, value */
}

void capsule_close(struct bytes *bytes, uint32_t code, const char *reason) {
  struct bytes value = {0};
  uint8_t be[4] = {(uint8_t)(code >> 24), (uint8_t)(code >> 16), (uint8_t)(code >> 8), (uint8_t)code};
  bytes_add(&value, be, 4);
  bytes_add(&value, reason, strlen(reason));
  capsule(bytes, WT__CAPSULE_CLOSE_SESSION, value.data, value.len);
  bytes_free(&value);
}

void http_capsules(struct peer *peer, int64_t id, struct capsules *capsules) {
  struct response response;
  http_response(peer, id, &response);
  memset(capsules, 0, sizeof(*capsules));
  size_t at = 0;
  while (at < response.body_len) {
    uint64_t type, len;
    size_t n = wt__varint_read(response.body + at, response.body_len - at, &type);
    size_t m = n ? wt__varint_read(response.body + at + n, response.body_len - at - n, &len) : 0;
    if (!n || !m || response.body_len - at - n - m < len) break;
    const uint8_t *value = response.body + at + n + m;
    at += n + m + (size_t)len;
    if (type == WT__CAPSULE_CLOSE_SESSION && len >= 4 && len - 4 < sizeof(capsules->reason)) {
      capsules->closed = true;
      capsules->code = (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 | value[3];
      capsules->reason_len = (size_t)len - 4;
      memcpy(capsules->reason, value + 4, capsules->reason_len);
      capsules->reason[capsules->reason_len] = '\0';
    } else if (type == WT__CAPSULE_DRAIN_SESSION) {
      capsules->drained = true;
    } else {
      capsules->unknown++;
    }
  }
  response_free(&response);
}
