/* SPDX-License-Identifier: MIT */

/*
 * The messages of a takeover: one datagram each on a Unix socket, at most 64 KiB, numbers with the highest byte first.
 *
 *     "WT", version, type     4 bytes, then by type:
 *
 *     HELLO      pid 4
 *     OFFER      pid 4, handshake ms 4, connections 4, messages 2, token key 32, reset key 32
 *     SOCKETS    kind 1, index 2, pid 4, length of the name 1, name
 *     REFUSAL    text
 *     READY      index 2, ...
 *     YOURS, LEAVING          nothing
 *     ASK, NOT_MINE           records:
 *
 *         slot 1, worker 2, ecn 1, family 1 (4 or 6), remote address, local address, length 2, packet
 *         an address: IP 4 or 16, port 2, and for IPv6 the zone 4
 *
 * Both processes belong to the same user, but they may be of different versions of the library, and one may have gone
 * wrong. So all that is read is checked, and a message with anything missing or left over is none. A version that changes
 * a message gets another number; REFUSAL stays as it is, so that the refusal of a version can be read.
 */

#include "net/takeover_message.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define VERSION_AT 2
#define TYPE_AT 3
#define HELLO_LEN 4
#define OFFER_LEN (14 + 2 * WT__TAKEOVER_KEY_LEN)
#define SOCKETS_LEN 8
#define FAMILY_V4 4
#define FAMILY_V6 6

/* --- Writing --- */

struct writer {
  uint8_t *at;
};

static void put_bytes(struct writer *writer, const void *data, size_t len) {
  if (len) memcpy(writer->at, data, len);
  writer->at += len;
}

static void put(struct writer *writer, uint64_t value, size_t len) {
  for (size_t i = len; i > 0; i--) *writer->at++ = (uint8_t)(value >> (8 * (i - 1)));
}

static struct writer message_begin(uint8_t *dst, enum wt__takeover_type type) {
  struct writer writer = {dst};
  put_bytes(&writer, "WT", 2);
  put(&writer, WT__TAKEOVER_VERSION, 1);
  put(&writer, type, 1);
  return writer;
}

size_t wt__takeover_write_hello(uint8_t *dst, const struct wt__takeover_hello *hello) {
  struct writer writer = message_begin(dst, WT__TAKEOVER_HELLO);
  put(&writer, hello->pid, 4);
  return (size_t)(writer.at - dst);
}

size_t wt__takeover_write_offer(uint8_t *dst, const struct wt__takeover_offer *offer) {
  struct writer writer = message_begin(dst, WT__TAKEOVER_OFFER);
  put(&writer, offer->pid, 4);
  put(&writer, offer->handshake_ms, 4);
  put(&writer, offer->connections, 4);
  put(&writer, offer->messages, 2);
  put_bytes(&writer, offer->token_key, sizeof(offer->token_key));
  put_bytes(&writer, offer->reset_key, sizeof(offer->reset_key));
  return (size_t)(writer.at - dst);
}

size_t wt__takeover_write_sockets(uint8_t *dst, const struct wt__takeover_sockets *sockets) {
  struct writer writer = message_begin(dst, WT__TAKEOVER_SOCKETS);
  size_t len = strnlen(sockets->name, WT__TAKEOVER_NAME_MAX);
  put(&writer, sockets->kind, 1);
  put(&writer, sockets->index, 2);
  put(&writer, sockets->pid, 4);
  put(&writer, len, 1);
  put_bytes(&writer, sockets->name, len);
  return (size_t)(writer.at - dst);
}

size_t wt__takeover_write_refusal(uint8_t *dst, const char *text) {
  struct writer writer = message_begin(dst, WT__TAKEOVER_REFUSAL);
  put_bytes(&writer, text, strnlen(text, WT__TAKEOVER_TEXT_MAX));
  return (size_t)(writer.at - dst);
}

size_t wt__takeover_write_ready(uint8_t *dst, const uint16_t *indexes, size_t count) {
  struct writer writer = message_begin(dst, WT__TAKEOVER_READY);
  for (size_t i = 0; i < count && i < WT__TAKEOVER_ADDRESSES_MAX; i++) put(&writer, indexes[i], 2);
  return (size_t)(writer.at - dst);
}

size_t wt__takeover_write_plain(uint8_t *dst, enum wt__takeover_type type) {
  struct writer writer = message_begin(dst, type);
  return (size_t)(writer.at - dst);
}

/* --- Reading --- */

struct reader {
  const uint8_t *at, *end;
  bool failed;
};

static const uint8_t *take_bytes(struct reader *reader, size_t len) {
  const uint8_t *at = reader->at;
  if (reader->failed || (size_t)(reader->end - at) < len) {
    reader->failed = true;
    return NULL;
  }
  reader->at += len;
  return at;
}

static void take_copy(struct reader *reader, void *dst, size_t len) {
  const uint8_t *at = take_bytes(reader, len);
  if (at && len) memcpy(dst, at, len);
}

/* 0 if it is not there. */
static uint32_t take(struct reader *reader, size_t len) {
  const uint8_t *at = take_bytes(reader, len);
  uint32_t value = 0;
  for (size_t i = 0; at && i < len; i++) value = value << 8 | at[i];
  return value;
}

static bool is_done(const struct reader *reader) { return !reader->failed && reader->at == reader->end; }

enum wt__takeover_type wt__takeover_read_type(const uint8_t *data, size_t len, unsigned *version) {
  *version = 0;
  if (len < WT__TAKEOVER_HEADER_LEN || memcmp(data, "WT", 2) != 0) return 0;
  *version = data[VERSION_AT];
  unsigned type = data[TYPE_AT];
  bool known = type >= WT__TAKEOVER_HELLO && type <= WT__TAKEOVER_LEAVING;
  if (*version != WT__TAKEOVER_VERSION && type != WT__TAKEOVER_REFUSAL) return 0;
  return known ? (enum wt__takeover_type)type : 0;
}

/* What follows the header, if it is a message of `type`. */
static struct reader message_open(const uint8_t *data, size_t len, enum wt__takeover_type type) {
  unsigned version;
  struct reader reader = {.failed = wt__takeover_read_type(data, len, &version) != type};
  if (reader.failed) return reader;
  reader.at = data + WT__TAKEOVER_HEADER_LEN;
  reader.end = data + len;
  return reader;
}

bool wt__takeover_read_hello(const uint8_t *data, size_t len, struct wt__takeover_hello *hello) {
  struct reader reader = message_open(data, len, WT__TAKEOVER_HELLO);
  hello->pid = take(&reader, 4);
  return is_done(&reader);
}

bool wt__takeover_read_offer(const uint8_t *data, size_t len, struct wt__takeover_offer *offer) {
  struct reader reader = message_open(data, len, WT__TAKEOVER_OFFER);
  offer->pid = take(&reader, 4);
  offer->handshake_ms = take(&reader, 4);
  offer->connections = take(&reader, 4);
  offer->messages = (uint16_t)take(&reader, 2);
  take_copy(&reader, offer->token_key, sizeof(offer->token_key));
  take_copy(&reader, offer->reset_key, sizeof(offer->reset_key));
  return is_done(&reader);
}

/* A name has letters, digits and a few signs, so that it can be printed. */
static bool name_is_plain(const char *name, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (name[i] <= ' ' || name[i] > '~') return false;
  }
  return true;
}

bool wt__takeover_read_sockets(const uint8_t *data, size_t len, struct wt__takeover_sockets *sockets) {
  struct reader reader = message_open(data, len, WT__TAKEOVER_SOCKETS);
  unsigned kind = take(&reader, 1);
  sockets->kind = (enum wt__takeover_kind)kind;
  sockets->index = (uint16_t)take(&reader, 2);
  sockets->pid = take(&reader, 4);
  size_t name_len = take(&reader, 1);
  if (kind < WT__TAKEOVER_UDP || kind > WT__TAKEOVER_NAMED || name_len > WT__TAKEOVER_NAME_MAX) return false;
  if (sockets->index >= WT__TAKEOVER_ADDRESSES_MAX || (kind == WT__TAKEOVER_NAMED) != (name_len > 0)) return false;
  take_copy(&reader, sockets->name, name_len);
  sockets->name[name_len] = '\0';
  return is_done(&reader) && name_is_plain(sockets->name, name_len);
}

bool wt__takeover_read_refusal(const uint8_t *data, size_t len, char *text) {
  struct reader reader = message_open(data, len, WT__TAKEOVER_REFUSAL);
  text[0] = '\0';
  if (reader.failed || (size_t)(reader.end - reader.at) > WT__TAKEOVER_TEXT_MAX) return false;
  size_t count = (size_t)(reader.end - reader.at);
  for (size_t i = 0; i < count; i++) text[i] = reader.at[i] >= ' ' && reader.at[i] <= '~' ? (char)reader.at[i] : '?';
  text[count] = '\0';
  return true;
}

bool wt__takeover_read_ready(const uint8_t *data, size_t len, uint16_t *indexes, size_t *count) {
  struct reader reader = message_open(data, len, WT__TAKEOVER_READY);
  uint8_t seen[WT__TAKEOVER_ADDRESSES_MAX / 8] = {0};
  *count = 0;
  while (!reader.failed && reader.at < reader.end) {
    unsigned index = take(&reader, 2);
    if (reader.failed || index >= WT__TAKEOVER_ADDRESSES_MAX || seen[index / 8] >> index % 8 & 1) return false;
    seen[index / 8] |= (uint8_t)(1 << index % 8);
    indexes[(*count)++] = (uint16_t)index;
  }
  return is_done(&reader);
}

/* --- Packets --- */

static void put_address(struct writer *writer, const struct sockaddr_storage *address) {
  if (address->ss_family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof(v4));
    put_bytes(writer, &v4.sin_addr, sizeof(v4.sin_addr));
    put_bytes(writer, &v4.sin_port, sizeof(v4.sin_port));
    return;
  }
  struct sockaddr_in6 v6;
  memcpy(&v6, address, sizeof(v6));
  put_bytes(writer, &v6.sin6_addr, sizeof(v6.sin6_addr));
  put_bytes(writer, &v6.sin6_port, sizeof(v6.sin6_port));
  put(writer, v6.sin6_scope_id, 4);
}

static socklen_t take_address(struct reader *reader, unsigned family, struct sockaddr_storage *address) {
  memset(address, 0, sizeof(*address));
  if (family == FAMILY_V4) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    take_copy(reader, &v4.sin_addr, sizeof(v4.sin_addr));
    take_copy(reader, &v4.sin_port, sizeof(v4.sin_port));
    memcpy(address, &v4, sizeof(v4));
    return sizeof(v4);
  }
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  take_copy(reader, &v6.sin6_addr, sizeof(v6.sin6_addr));
  take_copy(reader, &v6.sin6_port, sizeof(v6.sin6_port));
  v6.sin6_scope_id = take(reader, 4);
  memcpy(address, &v6, sizeof(v6));
  return sizeof(v6);
}

size_t wt__takeover_begin_packets(uint8_t *dst, enum wt__takeover_type type) {
  return wt__takeover_write_plain(dst, type);
}

size_t wt__takeover_add_packet(uint8_t *dst, size_t at, const struct wt__takeover_packet *packet) {
  sa_family_t family = packet->remote.ss_family;
  if ((family != AF_INET && family != AF_INET6) || packet->local.ss_family != family) return 0;
  if (packet->len > WT__TAKEOVER_PACKET_MAX) return 0;
  if (WT__TAKEOVER_MESSAGE_MAX - at < WT__TAKEOVER_RECORD_MAX + packet->len) return 0;
  struct writer writer = {dst + at};
  put(&writer, packet->slot, 1);
  put(&writer, packet->worker, 2);
  put(&writer, packet->ecn, 1);
  put(&writer, family == AF_INET ? FAMILY_V4 : FAMILY_V6, 1);
  put_address(&writer, &packet->remote);
  put_address(&writer, &packet->local);
  put(&writer, packet->len, 2);
  put_bytes(&writer, packet->data, packet->len);
  return (size_t)(writer.at - dst);
}

bool wt__takeover_next_packet(const uint8_t *data, size_t len, size_t *at, struct wt__takeover_packet *packet) {
  if (*at >= len) return false;
  struct reader reader = {.at = data + *at, .end = data + len};
  packet->slot = (uint8_t)take(&reader, 1);
  packet->worker = (uint16_t)take(&reader, 2);
  packet->ecn = (uint8_t)take(&reader, 1);
  unsigned family = take(&reader, 1);
  if (reader.failed || packet->ecn > 3 || (family != FAMILY_V4 && family != FAMILY_V6)) return false;
  packet->remote_len = take_address(&reader, family, &packet->remote);
  packet->local_len = take_address(&reader, family, &packet->local);
  packet->len = take(&reader, 2);
  packet->data = take_bytes(&reader, packet->len);
  if (reader.failed || packet->len == 0) return false;
  *at = (size_t)(reader.at - data);
  return true;
}
