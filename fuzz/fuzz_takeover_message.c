/* SPDX-License-Identifier: MIT */

/*
 * Messages of a takeover. What is read as a message of a type is written again, and comes out as it went in, but for the
 * text of a refusal. Packets of a message are written again one by one.
 */

#include "fuzz.h"

#include <string.h>

#include "net/takeover_message.h"

static uint8_t again[WT__TAKEOVER_MESSAGE_MAX];

static void check_same(const uint8_t *data, size_t size, size_t len) {
  FUZZ_CHECK(len == size && memcmp(again, data, size) == 0);
}

static void check_packets(const uint8_t *data, size_t size) {
  struct wt__takeover_packet packet;
  size_t at = WT__TAKEOVER_HEADER_LEN, from = at;
  while (wt__takeover_next_packet(data, size, &at, &packet)) {
    FUZZ_CHECK(packet.len > 0 && at > from && at <= size);
    FUZZ_CHECK(packet.data + packet.len == data + at);
    size_t len = wt__takeover_add_packet(again, WT__TAKEOVER_HEADER_LEN, &packet);
    if (packet.len <= WT__TAKEOVER_PACKET_MAX) {
      FUZZ_CHECK(len == WT__TAKEOVER_HEADER_LEN + at - from);
      FUZZ_CHECK(memcmp(again + WT__TAKEOVER_HEADER_LEN, data + from, at - from) == 0);
    }
    from = at;
  }
  FUZZ_CHECK(at == from);
}

static void check_control(const uint8_t *data, size_t size, enum wt__takeover_type type) {
  static uint16_t indexes[WT__TAKEOVER_ADDRESSES_MAX];
  struct wt__takeover_hello hello;
  struct wt__takeover_offer offer;
  struct wt__takeover_sockets sockets;
  char text[WT__TAKEOVER_TEXT_MAX + 1];
  size_t count;
  if (wt__takeover_read_hello(data, size, &hello)) {
    FUZZ_CHECK(type == WT__TAKEOVER_HELLO);
    check_same(data, size, wt__takeover_write_hello(again, &hello));
  }
  if (wt__takeover_read_offer(data, size, &offer)) {
    FUZZ_CHECK(type == WT__TAKEOVER_OFFER);
    check_same(data, size, wt__takeover_write_offer(again, &offer));
  }
  if (wt__takeover_read_sockets(data, size, &sockets)) {
    FUZZ_CHECK(type == WT__TAKEOVER_SOCKETS);
    check_same(data, size, wt__takeover_write_sockets(again, &sockets));
  }
  if (wt__takeover_read_ready(data, size, indexes, &count)) {
    FUZZ_CHECK(type == WT__TAKEOVER_READY);
    check_same(data, size, wt__takeover_write_ready(again, indexes, count));
  }
  if (wt__takeover_read_refusal(data, size, text)) FUZZ_CHECK(type == WT__TAKEOVER_REFUSAL && strlen(text) + 4 == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned version;
  enum wt__takeover_type type = wt__takeover_read_type(data, size, &version);
  if (size > WT__TAKEOVER_MESSAGE_MAX) return 0;
  check_control(data, size, type);
  if (type == WT__TAKEOVER_ASK || type == WT__TAKEOVER_NOT_MINE) check_packets(data, size);
  return 0;
}
