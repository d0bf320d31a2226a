/* SPDX-License-Identifier: MIT */

/*
 * The reader of the peer's control stream. The first byte says whether PRIORITY_UPDATE frames are held back, the second how
 * the rest is split. What the reader makes of the bytes must be the same in one piece, in pieces and byte by byte; each byte
 * is passed on, dropped or kept, once; no payload is longer than its bound.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "h3/control_reader.h"

/* What a pass over the input came to. */
struct outcome {
  uint64_t passed_digest, payload_digest;
  size_t passed, dropped, held, settings, updates;
  size_t used;
  enum wt__control_event last;
};

static void digest_add(uint64_t *digest, const uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) *digest = (*digest ^ data[i]) * UINT64_C(0x100000001b3);
}

static void take(struct outcome *o, const struct wt__control_piece *piece) {
  if (o->last == WT__CONTROL_PASS || o->last == WT__CONTROL_SETTINGS) {
    o->passed += piece->len;
    digest_add(&o->passed_digest, piece->bytes, piece->len);
  }
  if (o->last == WT__CONTROL_SETTINGS) {
    FUZZ_CHECK(o->settings++ == 0 && piece->payload_len <= WT__SETTINGS_PAYLOAD_MAX);
    digest_add(&o->payload_digest, piece->payload, piece->payload_len);
  }
  if (o->last == WT__CONTROL_PRIORITY_UPDATE) {
    FUZZ_CHECK(piece->payload_len <= WT__PRIORITY_UPDATE_MAX && piece->payload_len < piece->len);
    digest_add(&o->payload_digest, piece->bytes, piece->len);
    o->updates++;
    o->held += piece->len;
  }
  if (o->last == WT__CONTROL_DROP) o->dropped += piece->len;
}

/* `step`: the most bytes of a chunk. */
static struct outcome play(bool updates, const uint8_t *data, size_t size, size_t step) {
  struct wt__control_reader reader;
  struct outcome o = {.last = WT__CONTROL_KEPT};
  wt__control_reader_init(&reader, 1, updates);
  while (o.used < size && o.last < WT__CONTROL_SETTINGS_TOO_LONG) {
    struct wt__control_piece piece;
    size_t used, chunk = step - o.used % step;
    if (chunk > size - o.used) chunk = size - o.used;
    o.last = wt__control_read(&reader, data + o.used, chunk, &used, &piece);
    FUZZ_CHECK(used > 0 && used <= chunk);
    o.used += used;
    take(&o, &piece);
  }
  FUZZ_CHECK(o.last != WT__CONTROL_NO_MEMORY && (updates || o.updates == 0));
  FUZZ_CHECK(o.passed + o.dropped + o.held <= o.used);
  FUZZ_CHECK(o.used - o.passed - o.dropped - o.held <= sizeof(reader.small));
  wt__control_reader_free(&reader);
  FUZZ_CHECK(wt__mem_live() == 0);
  return o;
}

static void check_same(const struct outcome *a, const struct outcome *b) {
  FUZZ_CHECK(a->used == b->used && a->passed == b->passed && a->dropped == b->dropped && a->held == b->held);
  FUZZ_CHECK(a->settings == b->settings && a->updates == b->updates);
  FUZZ_CHECK(a->passed_digest == b->passed_digest && a->payload_digest == b->payload_digest);
  FUZZ_CHECK((a->last >= WT__CONTROL_SETTINGS_TOO_LONG) == (b->last >= WT__CONTROL_SETTINGS_TOO_LONG));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  bool updates = data[0] & 1;
  size_t step = (size_t)data[1] + 1;
  const struct outcome whole = play(updates, data + 2, size - 2, size);
  const struct outcome pieces = play(updates, data + 2, size - 2, step), single = play(updates, data + 2, size - 2, 1);
  check_same(&whole, &pieces);
  check_same(&whole, &single);
  return 0;
}
