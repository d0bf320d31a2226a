/* SPDX-License-Identifier: MIT */

/* The messages of a takeover (net/takeover_message.c). */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/takeover_message.h"

static uint8_t message[WT__TAKEOVER_MESSAGE_MAX];

/* A message of which a byte is missing, or which has one too many, is none. */
#define CHECK_LENGTHS(len, read, ...)                                                       \
  do {                                                                                      \
    for (size_t cut = 0; cut < (len); cut++) assert_false(read(message, cut, __VA_ARGS__)); \
    message[len] = 0;                                                                       \
    assert_false(read(message, (len) + 1, __VA_ARGS__));                                    \
    assert_true(read(message, (len), __VA_ARGS__));                                         \
  } while (0)

static void test_message_hello(void **state) {
  (void)state;
  struct wt__takeover_hello hello = {.pid = 0x12345678}, got;
  unsigned version;
  size_t len = wt__takeover_write_hello(message, &hello);
  assert_memory_equal(message, "WT\1\1\x12\x34\x56\x78", 8);
  assert_int_equal(len, 8);
  assert_int_equal(wt__takeover_read_type(message, len, &version), WT__TAKEOVER_HELLO);
  assert_int_equal(version, WT__TAKEOVER_VERSION);
  CHECK_LENGTHS(len, wt__takeover_read_hello, &got);
  assert_int_equal(got.pid, hello.pid);
}

static void test_message_offer(void **state) {
  (void)state;
  struct wt__takeover_offer offer = {.pid = 7, .handshake_ms = 10000, .connections = 1u << 31, .messages = 65535}, got;
  memset(offer.token_key, 0xaa, sizeof(offer.token_key));
  memset(offer.reset_key, 0x55, sizeof(offer.reset_key));
  size_t len = wt__takeover_write_offer(message, &offer);
  CHECK_LENGTHS(len, wt__takeover_read_offer, &got);
  assert_int_equal(got.pid, 7);
  assert_int_equal(got.handshake_ms, 10000);
  assert_int_equal(got.connections, 1u << 31);
  assert_int_equal(got.messages, 65535);
  assert_memory_equal(got.token_key, offer.token_key, sizeof(got.token_key));
  assert_memory_equal(got.reset_key, offer.reset_key, sizeof(got.reset_key));
}

static void test_message_sockets(void **state) {
  (void)state;
  struct wt__takeover_sockets udp = {.kind = WT__TAKEOVER_UDP, .index = 1023}, got;
  size_t len = wt__takeover_write_sockets(message, &udp);
  CHECK_LENGTHS(len, wt__takeover_read_sockets, &got);
  assert_int_equal(got.index, 1023);
  assert_string_equal(got.name, "");
  struct wt__takeover_sockets named = {.kind = WT__TAKEOVER_NAMED, .name = "http"};
  len = wt__takeover_write_sockets(message, &named);
  CHECK_LENGTHS(len, wt__takeover_read_sockets, &got);
  assert_string_equal(got.name, "http");
  message[len - 1] = '\n'; /* would be printed */
  assert_false(wt__takeover_read_sockets(message, len, &got));
  udp.index = 1024;
  len = wt__takeover_write_sockets(message, &udp);
  assert_false(wt__takeover_read_sockets(message, len, &got));
  named.name[0] = '\0';
  len = wt__takeover_write_sockets(message, &named);
  assert_false(wt__takeover_read_sockets(message, len, &got));
  for (unsigned kind = 0; kind < 256; kind++) {
    struct wt__takeover_sockets any = {.kind = WT__TAKEOVER_LINK};
    len = wt__takeover_write_sockets(message, &any);
    message[WT__TAKEOVER_HEADER_LEN] = (uint8_t)kind;
    assert_int_equal(wt__takeover_read_sockets(message, len, &got),
                     kind == WT__TAKEOVER_UDP || kind == WT__TAKEOVER_LINK);
  }
}

static void test_message_refusal(void **state) {
  (void)state;
  char text[WT__TAKEOVER_TEXT_MAX + 1], long_text[WT__TAKEOVER_TEXT_MAX + 10];
  size_t len = wt__takeover_write_refusal(message, "not \x1b[now");
  message[2] = 99; /* of another version, too */
  assert_true(wt__takeover_read_refusal(message, len, text));
  assert_string_equal(text, "not ?[now");
  memset(long_text, 'x', sizeof(long_text) - 1);
  long_text[sizeof(long_text) - 1] = '\0';
  len = wt__takeover_write_refusal(message, long_text);
  assert_true(wt__takeover_read_refusal(message, len, text));
  assert_int_equal(strlen(text), WT__TAKEOVER_TEXT_MAX);
  assert_false(wt__takeover_read_refusal(message, len + 1, text));
}

static void test_message_ready(void **state) {
  (void)state;
  uint16_t indexes[WT__TAKEOVER_ADDRESSES_MAX], got[WT__TAKEOVER_ADDRESSES_MAX];
  size_t count;
  for (size_t i = 0; i < WT__TAKEOVER_ADDRESSES_MAX; i++) indexes[i] = (uint16_t)(WT__TAKEOVER_ADDRESSES_MAX - 1 - i);
  size_t len = wt__takeover_write_ready(message, indexes, WT__TAKEOVER_ADDRESSES_MAX);
  assert_true(wt__takeover_read_ready(message, len, got, &count));
  assert_int_equal(count, WT__TAKEOVER_ADDRESSES_MAX);
  assert_memory_equal(got, indexes, sizeof(indexes));
  assert_false(wt__takeover_read_ready(message, len - 1, got, &count));
  len = wt__takeover_write_ready(message, (uint16_t[]){3, 4, 3}, 3); /* one comes twice */
  assert_false(wt__takeover_read_ready(message, len, got, &count));
  len = wt__takeover_write_ready(message, (uint16_t[]){WT__TAKEOVER_ADDRESSES_MAX}, 1);
  assert_false(wt__takeover_read_ready(message, len, got, &count));
  len = wt__takeover_write_ready(message, NULL, 0);
  assert_true(wt__takeover_read_ready(message, len, got, &count));
  assert_int_equal(count, 0);
}

static void test_message_types(void **state) {
  (void)state;
  unsigned version;
  for (unsigned type = 0; type < 256; type++) {
    uint8_t header[] = {'W', 'T', WT__TAKEOVER_VERSION, (uint8_t)type};
    bool known = type >= WT__TAKEOVER_HELLO && type <= WT__TAKEOVER_LEAVING;
    assert_int_equal(wt__takeover_read_type(header, sizeof(header), &version), known ? type : 0);
    assert_int_equal(wt__takeover_read_type(header, sizeof(header) - 1, &version), 0);
    header[2]++;
    assert_int_equal(wt__takeover_read_type(header, sizeof(header), &version), type == WT__TAKEOVER_REFUSAL ? type : 0);
    assert_int_equal(version, WT__TAKEOVER_VERSION + 1);
    header[0] = 'w';
    assert_int_equal(wt__takeover_read_type(header, sizeof(header), &version), 0);
    assert_int_equal(version, 0);
  }
}

static void address_set(struct sockaddr_storage *address, socklen_t *len, bool v6, const char *text, uint16_t port,
                        unsigned zone) {
  memset(address, 0, sizeof(*address));
  if (v6) {
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = zone};
    assert_int_equal(inet_pton(AF_INET6, text, &in.sin6_addr), 1);
    memcpy(address, &in, *len = sizeof(in));
  } else {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    memcpy(address, &in, *len = sizeof(in));
  }
}

static void packet_set(struct wt__takeover_packet *packet, bool v6, const void *data, size_t len) {
  *packet = (struct wt__takeover_packet){.ecn = 2, .slot = 5, .worker = 259, .data = data, .len = len};
  address_set(&packet->remote, &packet->remote_len, v6, v6 ? "fe80::1" : "192.0.2.7", 50000, 3);
  address_set(&packet->local, &packet->local_len, v6, v6 ? "2001:db8::2" : "127.0.0.1", 4433, 0);
}

static void packet_check(const struct wt__takeover_packet *got, const struct wt__takeover_packet *want) {
  assert_int_equal(got->ecn, want->ecn);
  assert_int_equal(got->slot, want->slot);
  assert_int_equal(got->worker, want->worker);
  assert_int_equal(got->remote_len, want->remote_len);
  assert_int_equal(got->local_len, want->local_len);
  assert_memory_equal(&got->remote, &want->remote, sizeof(got->remote));
  assert_memory_equal(&got->local, &want->local, sizeof(got->local));
  assert_int_equal(got->len, want->len);
  assert_memory_equal(got->data, want->data, want->len);
}

static void test_message_packets(void **state) {
  (void)state;
  struct wt__takeover_packet want[2], got;
  packet_set(&want[0], false, "hello", 5);
  packet_set(&want[1], true, "packet", 6);
  size_t len = wt__takeover_begin_packets(message, WT__TAKEOVER_ASK), at = len, first = 0;
  for (size_t i = 0; i < 2; i++) {
    len = wt__takeover_add_packet(message, len, &want[i]);
    assert_true(len > 0);
    if (i == 0) first = len;
  }
  for (size_t i = 0; i < 2; i++) {
    assert_true(wt__takeover_next_packet(message, len, &at, &got));
    packet_check(&got, &want[i]);
  }
  assert_int_equal(at, len);
  assert_false(wt__takeover_next_packet(message, len, &at, &got));
  for (size_t cut = first + 1; cut < len; cut++) { /* the first is whole, the second is not */
    at = WT__TAKEOVER_HEADER_LEN;
    assert_true(wt__takeover_next_packet(message, cut, &at, &got));
    assert_false(wt__takeover_next_packet(message, cut, &at, &got));
    assert_int_equal(at, first);
  }
}

static void test_message_packets_have_bounds(void **state) {
  (void)state;
  static uint8_t data[WT__TAKEOVER_PACKET_MAX + 1];
  struct wt__takeover_packet packet, got;
  size_t len = wt__takeover_begin_packets(message, WT__TAKEOVER_NOT_MINE), at = len, count = 0;
  packet_set(&packet, true, data, sizeof(data));
  assert_int_equal(wt__takeover_add_packet(message, len, &packet), 0);
  packet.len--;
  size_t whole = wt__takeover_add_packet(message, len, &packet);
  assert_in_range(whole, packet.len, WT__TAKEOVER_MESSAGE_MAX);
  assert_true(wt__takeover_next_packet(message, whole, &at, &got));
  packet_check(&got, &packet);
  assert_int_equal(wt__takeover_add_packet(message, whole, &packet), 0);
  packet.len = 1200;
  for (size_t next; (next = wt__takeover_add_packet(message, len, &packet)); len = next) count++;
  assert_in_range(count, 50, 54);
  packet.len = 0; /* an empty one cannot be told from nothing */
  at = WT__TAKEOVER_HEADER_LEN;
  len = wt__takeover_add_packet(message, at, &packet);
  assert_false(wt__takeover_next_packet(message, len, &at, &got));
  packet.local.ss_family = AF_INET; /* not the family of the other */
  assert_int_equal(wt__takeover_add_packet(message, WT__TAKEOVER_HEADER_LEN, &packet), 0);
  packet.remote.ss_family = packet.local.ss_family = AF_UNIX;
  assert_int_equal(wt__takeover_add_packet(message, WT__TAKEOVER_HEADER_LEN, &packet), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_message_hello),   cmocka_unit_test(test_message_offer),
      cmocka_unit_test(test_message_sockets), cmocka_unit_test(test_message_refusal),
      cmocka_unit_test(test_message_ready),   cmocka_unit_test(test_message_types),
      cmocka_unit_test(test_message_packets), cmocka_unit_test(test_message_packets_have_bounds),
  };
  return cmocka_run_group_tests_name("takeover_message", tests, NULL, NULL);
}
