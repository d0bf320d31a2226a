/* SPDX-License-Identifier: MIT */

/*
 * The capsule reader. The first byte seeds how the rest is split. The capsules and the result must be the
 * same for the input in one piece, in random pieces and byte by byte; every capsule that is read can be
 * written, and reads the same again.
 */

#include "fuzz.h"

#include <string.h>

#include "wire/capsule.h"
#include "wire/utf8.h"
#include "wire/varint.h"

/* What a pass over the input came to. */
struct outcome {
  uint64_t capsules;
  uint64_t digest; /* over all members of all capsules */
  size_t used;
  enum wt__capsule_result result;
  bool at_boundary;
};

static struct wt__capsule_reader reader, second_reader;

static void digest_add(struct outcome *outcome, uint64_t value) {
  outcome->digest = (outcome->digest ^ value) * UINT64_C(0x100000001b3);
}

static void check_same(const struct wt__capsule *a, const struct wt__capsule *b) {
  FUZZ_CHECK(a->type == b->type && a->value == b->value && a->code == b->code && a->reason_len == b->reason_len);
  FUZZ_CHECK(a->reason_len == 0 || memcmp(a->reason, b->reason, a->reason_len) == 0);
}

/* Writes `capsule` and reads it back. */
static void check_round_trip(const struct wt__capsule *capsule) {
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  struct wt__capsule back;
  size_t n, used;
  switch (capsule->type) {
    case WT__CAPSULE_CLOSE_SESSION:
      n = wt__capsule_write_close(bytes, capsule->code, capsule->reason, capsule->reason_len);
      break;
    case WT__CAPSULE_DRAIN_SESSION: n = wt__capsule_write_drain(bytes); break;
    case WT__CAPSULE_MAX_STREAM_DATA:
    case WT__CAPSULE_STREAM_DATA_BLOCKED: return; /* never sent */
    default: n = wt__capsule_write_varint(bytes, (enum wt__capsule_type)capsule->type, capsule->value); break;
  }
  FUZZ_CHECK(n <= sizeof(bytes));
  wt__capsule_reader_free(&second_reader);
  wt__capsule_reader_init(&second_reader);
  FUZZ_CHECK(wt__capsule_read(&second_reader, bytes, n, &used, &back) == WT__CAPSULE_DONE && used == n);
  check_same(capsule, &back);
}

static void take_capsule(struct outcome *outcome, const struct wt__capsule *capsule) {
  FUZZ_CHECK(capsule->reason_len <= WT__CLOSE_REASON_MAX && capsule->value <= WT__VARINT_MAX);
  FUZZ_CHECK(capsule->type != WT__CAPSULE_DATAGRAM);
  FUZZ_CHECK(wt__utf8_valid(capsule->reason, capsule->reason_len));
  FUZZ_CHECK(wt__capsule_reader_at_boundary(&reader));
  check_round_trip(capsule);
  outcome->capsules++;
  digest_add(outcome, capsule->type);
  digest_add(outcome, capsule->value);
  digest_add(outcome, capsule->code);
  for (size_t i = 0; i < capsule->reason_len; i++) digest_add(outcome, (uint8_t)capsule->reason[i]);
}

/* Reads all of `data` in pieces: whole if `seed` is 0, bytes if it is 1, random ones else. */
static struct outcome read_pieces(const uint8_t *data, size_t size, uint32_t seed) {
  struct outcome outcome = {.result = WT__CAPSULE_MORE};
  wt__capsule_reader_free(&reader);
  wt__capsule_reader_init(&reader);
  while (outcome.used < size && outcome.result >= 0) {
    size_t piece = size - outcome.used;
    if (seed) {
      size_t random = 1;
      if (seed != 1) {
        seed = (seed * 1664525 + 1013904223) | 2; /* never 0 or 1 */
        random += (seed >> 8) % 13;
      }
      if (random < piece) piece = random;
    }
    while (piece > 0) {
      struct wt__capsule capsule;
      size_t used = SIZE_MAX;
      outcome.result = wt__capsule_read(&reader, data + outcome.used, piece, &used, &capsule);
      FUZZ_CHECK(used <= piece && used > 0);
      outcome.used += used;
      piece -= used;
      if (outcome.result == WT__CAPSULE_MORE) FUZZ_CHECK(piece == 0);
      if (outcome.result < 0) break;
      if (outcome.result == WT__CAPSULE_DONE) take_capsule(&outcome, &capsule);
    }
  }
  outcome.at_boundary = wt__capsule_reader_at_boundary(&reader);
  return outcome;
}

static void check_same_outcome(struct outcome a, struct outcome b) {
  FUZZ_CHECK(a.capsules == b.capsules && a.digest == b.digest && a.used == b.used && a.result == b.result);
  FUZZ_CHECK(a.result < 0 || a.at_boundary == b.at_boundary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  struct outcome whole = read_pieces(data + 1, size - 1, 0);
  check_same_outcome(whole, read_pieces(data + 1, size - 1, 1));
  check_same_outcome(whole, read_pieces(data + 1, size - 1, 2u + data[0]));
  return 0;
}
