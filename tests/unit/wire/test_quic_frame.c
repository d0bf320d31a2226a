/* SPDX-License-Identifier: MIT */

/* src/wire/quic_frame.c: every frame type with its length, each one cut at every byte, a whole packet; changes in place. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "wire/quic_frame.h"

/* `open`: the last part reaches to the packet's end, so that a shorter one is a frame too. */
static const struct {
  const char *bytes;
  size_t len;
  bool open;
} frames[] = {
#define FRAME(bytes) \
  { bytes, sizeof(bytes) - 1, false }
#define OPEN_FRAME(bytes) \
  { bytes, sizeof(bytes) - 1, true }
    FRAME("\x01"),
    FRAME("\x02\x40\x80\x05\x00\x03"),
    FRAME("\x02\x30\x05\x02\x03\x01\x02\x40\x05\x06"),
    FRAME("\x03\x30\x05\x01\x03\x01\x02\x07\x08\x09"),
    FRAME("\x04\x04\x2a\x10"),
    FRAME("\x05\x08\x40\x2b"),
    FRAME("\x06\x00\x03"
          "abc"),
    FRAME("\x07\x02\x11\x12"),
    OPEN_FRAME("\x08\x04payload"),
    OPEN_FRAME("\x0d\x04\x09payload"),
    FRAME("\x0a\x04\x02hi"),
    FRAME("\x0f\x04\x09\x02hi"),
    FRAME("\x10\x09"),
    FRAME("\x11\x04\x09"),
    FRAME("\x12\x09"),
    FRAME("\x13\x09"),
    FRAME("\x14\x09"),
    FRAME("\x15\x04\x09"),
    FRAME("\x16\x09"),
    FRAME("\x17\x09"),
    FRAME("\x18\x01\x00\x04"
          "abcd"
          "0123456789abcdef"),
    FRAME("\x19\x02"),
    FRAME("\x1a"
          "12345678"),
    FRAME("\x1b"
          "12345678"),
    FRAME("\x1c\x07\x06\x02no"),
    FRAME("\x1d\x41\x00\x02no"),
    FRAME("\x1e"),
    FRAME("\x24\x04\x2a\x10\x03"),
    OPEN_FRAME("\x30"
               "datagram"),
    FRAME("\x31\x03"
          "dat"),
};
#define FRAMES (sizeof(frames) / sizeof(frames[0]))

static void test_quic_frame_knows_every_type(void **state) {
  (void)state;
  for (size_t i = 0; i < FRAMES; i++) {
    struct wt__quic_frame frame;
    uint8_t packet[64];
    memcpy(packet, frames[i].bytes, frames[i].len);
    assert_int_equal(wt__quic_frame_read(packet, frames[i].len, &frame), frames[i].len);
    assert_int_equal(frame.type, (uint8_t)frames[i].bytes[0]);
    if (frames[i].open) continue;
    packet[frames[i].len] = 0x01;
    assert_int_equal(wt__quic_frame_read(packet, frames[i].len + 1, &frame), frames[i].len);
    for (size_t len = 0; len < frames[i].len; len++) assert_int_equal(wt__quic_frame_read(packet, len, &frame), 0);
  }
}

static void test_quic_frame_tells_the_values(void **state) {
  (void)state;
  struct wt__quic_frame frame;
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x05\x08\x40\x2b", 4, &frame), 4);
  assert_int_equal(frame.id, 8);
  assert_int_equal(frame.code, 43);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x24\x04\x2a\x10\x03", 5, &frame), 5);
  assert_int_equal(frame.id, 4);
  assert_int_equal(frame.code, 42);
  assert_int_equal(frame.final_size, 16);
  assert_int_equal(frame.reliable_size, 3);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x0f\x04\x09\x02hi", 6, &frame), 6);
  assert_int_equal(frame.id, 4);
  assert_int_equal(frame.offset, 9);
  assert_int_equal(frame.data_len, 2);
  assert_memory_equal(frame.data, "hi", 2);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x30\x07\x08", 3, &frame), 3);
  assert_int_equal(frame.data_len, 2);
}

static void test_quic_frame_tells_sequence_numbers(void **state) {
  (void)state;
  struct wt__quic_frame frame;
  static const uint8_t new_id[] = {0x18, 0x40, 0x41, 7, 1, 0xaa, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  assert_int_equal(wt__quic_frame_read(new_id, sizeof(new_id), &frame), sizeof(new_id));
  assert_int_equal(frame.sequence, 0x41);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x19\x05", 2, &frame), 2);
  assert_int_equal(frame.sequence, 5);
}

/* A PING, and then NEW_CONNECTION_ID frames with these sequence numbers and Retire Prior To 0 each. */
static size_t new_ids(uint8_t *packet, const uint8_t *sequences, size_t count) {
  size_t len = 0;
  packet[len++] = WT__FRAME_PING;
  for (size_t i = 0; i < count; i++) {
    packet[len++] = WT__FRAME_NEW_CONNECTION_ID;
    if (sequences[i] > 63) packet[len++] = 0x40;
    packet[len++] = sequences[i];
    packet[len++] = 0;
    packet[len++] = 8;
    memset(packet + len, 0x18, 8 + 16); /* as if there were more of them */
    len += 8 + 16;
  }
  packet[len++] = 0;
  return len;
}

static void test_quic_frame_retires_prior_ids(void **state) {
  (void)state;
  uint8_t packet[256], before[256];
  size_t len = new_ids(packet, (const uint8_t[]){4, 5, 6, 70}, 4);
  memcpy(before, packet, len);
  wt__quic_frames_retire_prior_to(packet, len, 5);
  before[1 + 28 + 2] = before[1 + 2 * 28 + 2] = before[1 + 3 * 28 + 3] = 5;
  assert_memory_equal(packet, before, len);
  wt__quic_frames_retire_prior_to(packet, len, 6); /* it grows */
  before[1 + 2 * 28 + 2] = before[1 + 3 * 28 + 3] = 6;
  assert_memory_equal(packet, before, len);
  wt__quic_frames_retire_prior_to(packet, len, 4); /* and never falls */
  before[1 + 2] = 4;
  assert_memory_equal(packet, before, len);
  wt__quic_frames_retire_prior_to(packet, len, 64); /* does not fit */
  assert_memory_equal(packet, before, len);
  wt__quic_frames_retire_prior_to(packet, len, 63);
  before[1 + 3 * 28 + 3] = 63;
  assert_memory_equal(packet, before, len);
}

static void test_quic_frame_hides_an_id(void **state) {
  (void)state;
  uint8_t packet[256], expected[256];
  size_t len = new_ids(packet, (const uint8_t[]){4, 70, 71}, 3);
  memcpy(expected, packet, len);
  wt__quic_frames_hide_id(packet, len, 72);
  assert_memory_equal(packet, expected, len);
  wt__quic_frames_hide_id(packet, len, 70);
  memset(expected + 1 + 28, 0, 29);
  expected[1 + 28] = WT__FRAME_PING;
  assert_memory_equal(packet, expected, len);
}

static void test_quic_frame_carries_an_id(void **state) {
  (void)state;
  uint8_t packet[2 + WT__CARRIER_ID_MAX] = {0x31};
  struct wt__quic_frame frame;
  static const uint8_t id[20] = {1, 2, 3}, token[WT__RESET_TOKEN_LEN] = {4, 5, 6};
  for (uint64_t sequence = 64; sequence < UINT64_C(1) << 61; sequence *= 32) {
    size_t len = wt__quic_carrier_write_id(packet + 2, sequence, id, sizeof(id), token);
    packet[0] = 0x31;
    packet[1] = (uint8_t)len;
    assert_true(len <= WT__CARRIER_ID_MAX && len < 64);
    assert_int_equal(wt__quic_carriers_unwrap(packet, len + 2), 1);
    size_t frame_len = wt__quic_frame_read(packet, len + 2, &frame);
    assert_int_equal(frame_len, len - 8);
    assert_int_equal(frame.type, WT__FRAME_NEW_CONNECTION_ID);
    assert_int_equal(frame.sequence, sequence);
    assert_memory_equal(packet + frame_len - 16, token, 16);
    assert_memory_equal(packet + frame_len - 36, id, 20);
  }
}

static void test_quic_frame_walks_a_packet(void **state) {
  (void)state;
  static const uint8_t packet[] = {0, 0, 0, 0x01, 0x05, 0x04, 0x01, 0, 0x05, 0x08, 0x02, 0x08, 0x0c, 'e', 'n', 'd'};
  static const uint64_t types[] = {0, 1, 5, 0, 5, 8};
  struct wt__quic_frame frame;
  size_t at = 0, count = 0, n;
  for (; at < sizeof(packet) && (n = wt__quic_frame_read(packet + at, sizeof(packet) - at, &frame)); at += n)
    assert_int_equal(frame.type, types[count++]);
  assert_int_equal(at, sizeof(packet));
  assert_int_equal(count, 6);
}

static void test_quic_frame_padding_is_one_frame(void **state) {
  uint8_t packet[100] = {0};
  struct wt__quic_frame frame;
  (void)state;
  for (size_t len = 1; len < sizeof(packet); len++) {
    packet[len] = WT__FRAME_PING;
    assert_int_equal(wt__quic_frame_read(packet, sizeof(packet), &frame), len);
    assert_int_equal(wt__quic_frame_read(packet, len, &frame), len);
    packet[len] = 0;
  }
}

struct range_list {
  uint64_t first[4], last[4];
  size_t count;
};

static void range_take(void *ctx, uint64_t first, uint64_t last) {
  struct range_list *list = ctx;
  assert_in_range(list->count, 0, 3);
  list->first[list->count] = first;
  list->last[list->count++] = last;
}

/* The largest number, a delay, how many ranges follow, the length of the first, then gaps and lengths. */
static struct range_list ranges_of(const char *bytes, size_t len) {
  struct wt__quic_frame ack = {.data = (const uint8_t *)bytes, .data_len = len};
  struct range_list list = {.count = 0};
  wt__quic_ack_ranges(&ack, range_take, &list);
  return list;
}

static void test_quic_frame_ack_has_ranges(void **state) {
  struct range_list list = ranges_of("\x14\x00\x02\x03\x01\x02\x00\x00", 8);
  (void)state;
  assert_int_equal(list.count, 3);
  assert_int_equal(list.first[0], 17);
  assert_int_equal(list.last[0], 20);
  assert_int_equal(list.first[1], 12);
  assert_int_equal(list.last[1], 14);
  assert_int_equal(list.first[2], 10);
  assert_int_equal(list.last[2], 10);
  list = ranges_of("\x14\x00\x01\x03\x0a\x05\x00\x00", 8); /* down to packet 0; what follows is not of it */
  assert_int_equal(list.count, 2);
  assert_int_equal(list.first[1], 0);
  assert_int_equal(list.last[1], 5);
  list = ranges_of("\x14\x00\x01\x03\x0f\x00", 6);
  assert_int_equal(list.count, 2);
  assert_int_equal(list.first[1], 0);
  assert_int_equal(list.last[1], 0);
}

static void test_quic_frame_ack_ends_where_it_makes_no_sense(void **state) {
  (void)state;
  assert_int_equal(ranges_of("\x03\x00\x00\x03", 4).count, 1);
  assert_int_equal(ranges_of("\x03\x00\x00\x04", 4).count, 0);         /* below packet 0 */
  assert_int_equal(ranges_of("\x14\x00\x01\x03\x10\x00", 6).count, 1); /* so is this gap */
  assert_int_equal(ranges_of("\x14\x00\x01\x03\x0a\x06", 6).count, 1); /* and this length */
  for (size_t len = 0; len < 4; len++) assert_int_equal(ranges_of("\x14\x00\x02\x03\x01\x02\x00\x00", len).count, 0);
  for (size_t len = 4; len < 6; len++) assert_int_equal(ranges_of("\x14\x00\x02\x03\x01\x02\x00\x00", len).count, 1);
  assert_int_equal(ranges_of("\x14\x00\x02\x03\x01\x02\x00\x00", 7).count, 2);
}

static void test_quic_frame_refuses_the_unknown(void **state) {
  (void)state;
  struct wt__quic_frame frame;
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x21\x00\x00", 3, &frame), 0);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x1f\x00\x00", 3, &frame), 0);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x40\xaf\x00\x00", 4, &frame), 0);
  /* A count of ranges, and a length, far beyond the packet. */
  assert_int_equal(
      wt__quic_frame_read((const uint8_t *)"\x02\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00", 13, &frame), 0);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x31\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00", 11, &frame), 0);
}

static void test_quic_frame_takes_no_type_longer_than_needed(void **state) {
  (void)state;
  struct wt__quic_frame frame;
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x40\x24\x04\x2a\x10\x03", 6, &frame), 0);
  assert_int_equal(wt__quic_frame_read((const uint8_t *)"\x40\x01", 2, &frame), 0);
}

/* --- Changing --- */

struct judgement {
  enum wt__frame_fate fate;
  size_t asked;
};

static enum wt__frame_fate judge(void *ctx, const struct wt__quic_frame *frame) {
  struct judgement *judgement = ctx;
  assert_true(frame->type == 0x04 || frame->type == 0x05 || frame->type == 0x24);
  judgement->asked++;
  return judgement->fate;
}

static void assert_rewritten(enum wt__frame_fate fate, const char *from, const char *to, size_t len, size_t asked) {
  uint8_t packet[64];
  struct judgement judgement = {.fate = fate};
  memcpy(packet, from, len);
  wt__quic_frames_rewrite(packet, len, judge, &judgement);
  assert_memory_equal(packet, to, len);
  assert_int_equal(judgement.asked, asked);
}
#define REWRITTEN(fate, from, to, asked) assert_rewritten(fate, from, to, sizeof(from) - 1, asked)

static void test_quic_frame_rewrites_resets_in_place(void **state) {
  (void)state;
#define PACKET "\x01\x24\x06\x40\x2a\x50\x00\x43\x00\x05\x04\x07\x04\x08\x09\x0a\x24\x0a\x01\x02\x00\x0a\x04\x01z"
  REWRITTEN(WT__FRAME_KEEP, PACKET, PACKET, 4);
  REWRITTEN(WT__FRAME_AS_RESET, PACKET,
            "\x01\x04\x06\x40\x2a\x50\x00\x00\x00\x05\x04\x07\x04\x08\x09\x0a\x04\x0a\x01\x02\x00\x0a\x04\x01z", 4);
  REWRITTEN(WT__FRAME_AS_PING, PACKET, "\x01\x01\0\0\0\0\0\0\0\x01\0\0\x01\0\0\0\x01\0\0\0\0\x0a\x04\x01z", 4);
  /* Nothing behind a frame that cannot be read. */
  REWRITTEN(WT__FRAME_AS_PING, "\x05\x04\x07\x21\x05\x04\x07", "\x01\x00\x00\x21\x05\x04\x07", 1);
  REWRITTEN(WT__FRAME_AS_PING, "\x24\x06\x2a\x10", "\x24\x06\x2a\x10", 0);
}

struct fins {
  size_t count;
  uint64_t id, end;
};

static enum wt__frame_fate judge_fin(void *ctx, const struct wt__quic_frame *frame) {
  struct fins *fins = ctx;
  assert_true(frame->type >= 0x08 && frame->type <= 0x0f && (frame->type & 1));
  fins->count++;
  fins->id = frame->id;
  fins->end = frame->offset + frame->data_len;
  return WT__FRAME_KEEP;
}

static enum wt__frame_fate judge_empty(void *ctx, const struct wt__quic_frame *frame) {
  (void)ctx;
  return frame->data_len ? WT__FRAME_KEEP : WT__FRAME_AS_PING;
}

static void test_quic_frame_shows_the_ends_of_streams_and_keeps_them(void **state) {
  (void)state;
  /* Without FIN; with a length; with an offset as well; up to the packet's end. */
  static const char packet[] = "\x0a\x04\x01z\x0b\x08\x02zz\x0f\x06\x40\x64\x03zzz\x0d\x0a\x05zzzz";
  uint8_t copy[sizeof(packet)];
  struct fins fins = {0};
  memcpy(copy, packet, sizeof(packet));
  wt__quic_frames_rewrite(copy, 9, judge_fin, &fins);
  assert_int_equal(fins.count, 1);
  assert_int_equal(fins.id, 8);
  assert_int_equal(fins.end, 2);
  wt__quic_frames_rewrite(copy + 9, 8, judge_fin, &fins);
  assert_int_equal(fins.count, 2);
  assert_int_equal(fins.id, 6);
  assert_int_equal(fins.end, 103);
  wt__quic_frames_rewrite(copy, sizeof(packet) - 1, judge_fin, &fins);
  assert_int_equal(fins.count, 5);
  assert_int_equal(fins.id, 10);
  assert_int_equal(fins.end, 9);
  assert_memory_equal(copy, packet, sizeof(packet));
}

static void test_quic_frame_hides_the_ends_of_streams(void **state) {
  (void)state;
  uint8_t packet[] = "\x0f\x06\x40\x64\x00\x0b\x08\x02zz\x0d\x0a\x05";
  wt__quic_frames_rewrite(packet, sizeof(packet) - 1, judge_empty, NULL);
  assert_memory_equal(packet, "\x01\0\0\0\0\x0b\x08\x02zz\x01\0\0", sizeof(packet) - 1);
}

static void test_quic_frame_carrier_becomes_what_it_carries(void **state) {
  (void)state;
  const struct wt__quic_frame reset = {.type = WT__FRAME_RESET_STREAM_AT,
                                       .id = 7,
                                       .code = UINT64_C(0x52e4a40fa8db),
                                       .final_size = 70,
                                       .reliable_size = 4};
  uint8_t packet[128] = {0x01, 0x31}, expected[128] = {0x01};
  size_t carrier_len = wt__quic_carrier_write(packet + 3, &reset);
  assert_true(carrier_len <= WT__CARRIER_MAX);
  packet[2] = (uint8_t)carrier_len;
  size_t frame_len = wt__quic_frame_write_reset(expected + 1, &reset);
  /* A PING, the carrier, an ordinary datagram, and a carrier up to the end. */
  size_t len = 3 + carrier_len;
  memcpy(packet + len, "\x31\x02hi\x30", 5);
  memcpy(expected + len, "\x31\x02hi", 4);
  len += 5;
  memcpy(packet + len, packet + 3, carrier_len);
  memcpy(expected + len - 1, expected + 1, frame_len);
  len += carrier_len;
  assert_int_equal(wt__quic_carriers_unwrap(packet, len), 2);
  assert_memory_equal(packet, expected, len);
  struct wt__quic_frame frame;
  assert_int_equal(wt__quic_frame_read(packet + 1, len - 1, &frame), frame_len);
  assert_int_equal(frame.id, 7);
  assert_int_equal(frame.code, reset.code);
  assert_int_equal(frame.final_size, 70);
  assert_int_equal(frame.reliable_size, 4);
}

static void test_quic_frame_carrier_of_a_ping(void **state) {
  (void)state;
  uint8_t packet[2 + WT__CARRIER_MAX] = {0x31}, expected[2 + 8 + 1] = {WT__FRAME_PING};
  size_t len = wt__quic_carrier_write(packet + 2, &(struct wt__quic_frame){.type = WT__FRAME_PING});
  assert_int_equal(len, 8 + 1);
  packet[1] = (uint8_t)len;
  assert_int_equal(wt__quic_carriers_unwrap(packet, 2 + len), 1);
  assert_memory_equal(packet, expected, sizeof(expected));
}

static void test_quic_frame_leaves_other_datagrams_alone(void **state) {
  (void)state;
  static const char bare[] = "\x31\x08\xff\xff\xff\xff\xff\xff\xff\xff\x30\xff\xff\xff\xff\xff\xff\xff";
  uint8_t packet[sizeof(bare)];
  memcpy(packet, bare, sizeof(bare));
  assert_int_equal(wt__quic_carriers_unwrap(packet, sizeof(bare) - 1), 0);
  assert_memory_equal(packet, bare, sizeof(bare));
}

static enum wt__frame_fate judge_nothing(void *ctx, const struct wt__quic_frame *frame) {
  (void)ctx;
  (void)frame;
  return WT__FRAME_KEEP;
}

static unsigned kinds_of(const char *from, size_t len) {
  uint8_t packet[64];
  memcpy(packet, from, len);
  return wt__quic_frames_rewrite(packet, len, judge_nothing, NULL);
}
#define KINDS(packet) kinds_of(packet, sizeof(packet) - 1)

static void test_quic_frame_tells_what_a_packet_has(void **state) {
  (void)state;
  assert_int_equal(KINDS(""), 0);
  assert_int_equal(KINDS("\x00\x00\x01\x00"), 0); /* PADDING and PING */
  for (char type = 0x08; type <= 0x0f; type++) {
    const char stream[] = {type, 4, 0, 0};
    assert_int_equal(kinds_of(stream, sizeof(stream)), WT__FRAMES_DATA);
  }
  assert_int_equal(KINDS("\x30z"), WT__FRAMES_DATA);
  assert_int_equal(KINDS("\x31\x01z\x01"), WT__FRAMES_DATA);
  assert_int_equal(KINDS("\x02\x09\x00\x00\x03"), WT__FRAMES_ACK);
  assert_int_equal(KINDS("\x03\x09\x00\x00\x03\x01\x02\x03"), WT__FRAMES_ACK);
  assert_int_equal(KINDS("\x02\x09\x00\x01\x03\x00\x00"), WT__FRAMES_OTHER); /* a gap */
  assert_int_equal(KINDS("\x02\x09\x00\x00\x03\x0a\x04\x01z"), WT__FRAMES_ACK | WT__FRAMES_DATA);
  assert_int_equal(KINDS("\x1a"
                         "12345678"
                         "\x30z"),
                   WT__FRAMES_OTHER | WT__FRAMES_DATA); /* PATH_CHALLENGE */
  assert_int_equal(KINDS("\x04\x04\x00\x00"), WT__FRAMES_OTHER);
  assert_int_equal(KINDS("\x05\x04\x00"), WT__FRAMES_OTHER);
  assert_int_equal(KINDS("\x10\x04"), WT__FRAMES_OTHER);                            /* MAX_DATA */
  assert_int_equal(KINDS("\x0a\x04\x01z\x21"), WT__FRAMES_OTHER | WT__FRAMES_DATA); /* unknown */
  assert_int_equal(KINDS("\x0a\x04\x05z"), WT__FRAMES_OTHER);                       /* cut short */
}

#define PURPOSE(packet) wt__quic_packet_purpose((const uint8_t *)(packet), sizeof(packet) - 1)

static void test_quic_frame_tells_what_a_packet_is_for(void **state) {
  (void)state;
  assert_int_equal(PURPOSE("\x02\x09\x00\x00\x03"), WT__PACKET_FOR_ACK);
  assert_int_equal(PURPOSE("\x03\x09\x00\x01\x03\x00\x00\x01\x02\x03\x00\x00"), WT__PACKET_FOR_ACK);
  assert_int_equal(PURPOSE("\x01"), WT__PACKET_FOR_PROBE);
  assert_int_equal(PURPOSE("\x02\x09\x00\x00\x03\x01\x00\x00"), WT__PACKET_FOR_PROBE);
  assert_int_equal(PURPOSE("\x00\x00\x00\x01"), WT__PACKET_FOR_PROBE);
  assert_int_equal(PURPOSE("\x02\x09\x00\x00\x03\x0a\x04\x01z"), WT__PACKET_FOR_DATA);
  assert_int_equal(PURPOSE("\x01\x0a\x04\x01z"), WT__PACKET_FOR_DATA);
  assert_int_equal(PURPOSE("\x31\x01z"), WT__PACKET_FOR_DATA);
  assert_int_equal(PURPOSE("\x10\x04"), WT__PACKET_FOR_DATA);             /* MAX_DATA */
  assert_int_equal(PURPOSE("\x02\x09\x00\x05\x03"), WT__PACKET_FOR_DATA); /* cut short */
  assert_int_equal(PURPOSE("\x00\x00"), WT__PACKET_FOR_DATA);
  assert_int_equal(PURPOSE(""), WT__PACKET_FOR_DATA);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quic_frame_knows_every_type),
      cmocka_unit_test(test_quic_frame_tells_what_a_packet_is_for),
      cmocka_unit_test(test_quic_frame_tells_the_values),
      cmocka_unit_test(test_quic_frame_tells_sequence_numbers),
      cmocka_unit_test(test_quic_frame_retires_prior_ids),
      cmocka_unit_test(test_quic_frame_hides_an_id),
      cmocka_unit_test(test_quic_frame_carries_an_id),
      cmocka_unit_test(test_quic_frame_walks_a_packet),
      cmocka_unit_test(test_quic_frame_padding_is_one_frame),
      cmocka_unit_test(test_quic_frame_ack_has_ranges),
      cmocka_unit_test(test_quic_frame_ack_ends_where_it_makes_no_sense),
      cmocka_unit_test(test_quic_frame_refuses_the_unknown),
      cmocka_unit_test(test_quic_frame_takes_no_type_longer_than_needed),
      cmocka_unit_test(test_quic_frame_rewrites_resets_in_place),
      cmocka_unit_test(test_quic_frame_shows_the_ends_of_streams_and_keeps_them),
      cmocka_unit_test(test_quic_frame_hides_the_ends_of_streams),
      cmocka_unit_test(test_quic_frame_tells_what_a_packet_has),
      cmocka_unit_test(test_quic_frame_carrier_becomes_what_it_carries),
      cmocka_unit_test(test_quic_frame_carrier_of_a_ping),
      cmocka_unit_test(test_quic_frame_leaves_other_datagrams_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
