/* SPDX-License-Identifier: MIT */

/*
 * The first bytes of a stream. More bytes never change an answer once there is one; a header that is
 * accepted can be written, no longer than before, and reads the same.
 */

#include "fuzz.h"

#include "wire/stream_header.h"
#include "wire/varint.h"

struct answer {
  enum wt__stream_header_result result;
  uint64_t type;
  int64_t session_id;
  size_t header_len;
};

static struct answer ask(bool uni, const uint8_t *data, size_t len) {
  struct answer a = {WT__STREAM_HEADER_MORE, 0, -1, 0};
  a.result = wt__stream_header_read(uni, data, len, &a.type, &a.session_id, &a.header_len);
  return a;
}

static bool same(const struct answer *a, const struct answer *b) {
  return a->result == b->result && a->type == b->type && a->session_id == b->session_id &&
         a->header_len == b->header_len;
}

static void check_session(bool uni, const struct answer *a, size_t len) {
  uint8_t bytes[WT__STREAM_HEADER_MAX];
  FUZZ_CHECK(a->type == (uni ? WT__STREAM_TYPE_UNI : WT__SIGNAL_BIDI));
  FUZZ_CHECK(a->header_len <= len && a->header_len <= WT__STREAM_HEADER_MAX);
  FUZZ_CHECK(a->session_id >= 0 && a->session_id % 4 == 0 && (uint64_t)a->session_id <= WT__VARINT_MAX);
  size_t n = wt__stream_header_write(bytes, uni, a->session_id);
  FUZZ_CHECK(n <= a->header_len);
  struct answer back = ask(uni, bytes, n);
  FUZZ_CHECK(back.result == WT__STREAM_HEADER_WT && back.session_id == a->session_id && back.header_len == n);
}

static void check_kind(bool uni, const uint8_t *data, size_t size) {
  struct answer final = ask(uni, data, size);
  bool decided = false;
  for (size_t len = 0; len <= size && len <= WT__STREAM_HEADER_MAX; len++) {
    struct answer a = ask(uni, data, len);
    FUZZ_CHECK(!decided || a.result != WT__STREAM_HEADER_MORE);
    decided = a.result != WT__STREAM_HEADER_MORE;
    if (decided) FUZZ_CHECK(same(&a, &final));
  }
  if (size >= WT__STREAM_HEADER_MAX) FUZZ_CHECK(final.result != WT__STREAM_HEADER_MORE);
  if (final.result == WT__STREAM_HEADER_WT) check_session(uni, &final, size);
  if (final.result == WT__STREAM_HEADER_HTTP) FUZZ_CHECK(final.session_id == -1 && final.header_len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_kind(false, data, size);
  check_kind(true, data, size);
  return 0;
}
