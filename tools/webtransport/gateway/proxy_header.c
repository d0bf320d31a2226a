/* SPDX-License-Identifier: MIT */
/*
 * The header of the PROXY protocol, version 2, which stands before the bytes of a connection and tells the back end who
 * the client is:
 *
 *   signature (12) | version and command (1) | family (1) | length (2) | addresses | TLVs
 *
 * Addresses are those of the QUIC connection. The family says "stream", because a stream is what the back end gets, and
 * most receivers take nothing else. The TLVs are ALPN (always "h3"), the authority's host, and the part about TLS.
 * Everything has a bound, so the header always fits.
 */
#include "gateway/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "common/host_port.h"

enum {
  VERSION_2_PROXY = 0x21,
  FAMILY_IPV4_STREAM = 0x11,
  FAMILY_IPV6_STREAM = 0x21,
  HEADER_LEN = 16,
  TLV_ALPN = 0x01,
  TLV_AUTHORITY = 0x02,
  TLV_SSL = 0x20,
  TLV_SSL_VERSION = 0x21,
  TLV_SSL_CIPHER = 0x23,
  CLIENT_SSL = 0x01,
  CLIENT_CERTIFICATE = 0x02,
  AUTHORITY_MAX = 255,
  TEXT_MAX = 64,
};

/* Reads an address into 4 or 16 bytes; returns how many, 0 if it is none. */
static size_t address_parse(const char *text, uint8_t bytes[16], uint16_t *port) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  struct host_port parsed;
  if (!text || host_port_parse(text, &parsed)) return 0;
  char *zone = strchr(parsed.host, '%');
  if (zone) *zone = 0;
  *port = parsed.port;
  if (inet_pton(AF_INET, parsed.host, bytes) == 1) return 4;
  if (inet_pton(AF_INET6, parsed.host, bytes) != 1) return 0;
  if (memcmp(bytes, mapped, sizeof mapped)) return 16;
  memmove(bytes, bytes + sizeof mapped, 4);
  return 4;
}

/* The same address in the form for IPv6. */
static void address_widen(uint8_t bytes[16]) {
  memmove(bytes + 12, bytes, 4);
  memset(bytes, 0, 10);
  bytes[10] = bytes[11] = 0xff;
}

static size_t put_16(uint8_t *out, size_t value) {
  out[0] = (uint8_t)(value >> 8);
  out[1] = (uint8_t)value;
  return 2;
}

static size_t put_bytes(uint8_t *out, const void *bytes, size_t len) {
  memcpy(out, bytes, len);
  return len;
}

static size_t put_tlv(uint8_t *out, uint8_t type, const void *value, size_t len) {
  out[0] = type;
  put_16(out + 1, len);
  return 3 + put_bytes(out + 3, value, len);
}

static size_t text_len(const char *text, size_t max) { return text ? strnlen(text, max) : 0; }

static size_t put_authority(uint8_t *out, const char *authority) {
  const char *end = authority && authority[0] == '[' ? strchr(authority, ']') : NULL;
  size_t len = end ? (size_t)(end - authority) + 1 : authority ? strcspn(authority, ":") : 0;
  return len && len <= AUTHORITY_MAX ? put_tlv(out, TLV_AUTHORITY, authority, len) : 0;
}

static size_t put_tls(uint8_t *out, const struct proxy_client *client) {
  uint8_t value[5 + 2 * (3 + TEXT_MAX)] = {CLIENT_SSL};
  size_t len = 5, version = text_len(client->tls_version, TEXT_MAX), cipher = text_len(client->cipher, TEXT_MAX);
  if (client->certificate) value[0] |= CLIENT_CERTIFICATE;
  value[4] = !client->certificate_verified; /* the low byte of a number in which 0 stands for "verified" */
  if (version) len += put_tlv(value + len, TLV_SSL_VERSION, client->tls_version, version);
  if (cipher) len += put_tlv(value + len, TLV_SSL_CIPHER, client->cipher, cipher);
  return put_tlv(out, TLV_SSL, value, len);
}

static size_t put_addresses(uint8_t *out, const struct proxy_client *client, uint8_t *family) {
  uint8_t peer[16], local[16];
  uint16_t peer_port, local_port;
  size_t len = address_parse(client->peer, peer, &peer_port);
  size_t local_len = address_parse(client->local, local, &local_port);
  if (!len || !local_len) return 0;
  if (len != local_len) { /* one is an IPv4 address in its form for IPv6 */
    address_widen(len == 4 ? peer : local);
    len = 16;
  }
  *family = len == 4 ? FAMILY_IPV4_STREAM : FAMILY_IPV6_STREAM;
  size_t at = put_bytes(out, peer, len);
  at += put_bytes(out + at, local, len);
  at += put_16(out + at, peer_port);
  return at + put_16(out + at, local_port);
}

size_t proxy_header_write(const struct proxy_client *client, uint8_t out[PROXY_HEADER_MAX]) {
  static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
  put_bytes(out, signature, sizeof signature);
  out[12] = VERSION_2_PROXY;
  size_t at = HEADER_LEN, addresses = put_addresses(out + at, client, &out[13]);
  if (!addresses) return 0;
  at += addresses;
  at += put_tlv(out + at, TLV_ALPN, "h3", 2);
  at += put_authority(out + at, client->authority);
  at += put_tls(out + at, client);
  put_16(out + 14, at - HEADER_LEN);
  return at;
}
