/* SPDX-License-Identifier: MIT */

/*
 * The payload of a SETTINGS frame. The result is one of four; what was accepted, written again as a frame
 * of its pairs, reads the same; a setting sent once more is refused.
 */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "wire/error_code.h"
#include "wire/settings.h"
#include "wire/varint.h"

static size_t parse_pairs(const uint8_t *data, size_t size, struct wt__setting *pairs) {
  size_t count = 0;
  for (size_t at = 0; at < size; count++) {
    FUZZ_CHECK(count < WT__SETTINGS_MAX);
    at += wt__varint_read(data + at, size - at, &pairs[count].id);
    at += wt__varint_read(data + at, size - at, &pairs[count].value);
  }
  return count;
}

static void check_rewritten(const struct wt__setting *pairs, size_t count, const struct wt__settings *expected) {
  uint8_t frame[WT__SETTINGS_PAYLOAD_MAX + 16];
  struct wt__settings back;
  uint64_t type = 0, len = 0;
  size_t n = wt__settings_write_frame(frame, sizeof(frame), pairs, count);
  FUZZ_CHECK(n >= 2);
  FUZZ_CHECK(wt__settings_write_frame(frame, n - 1, pairs, count) == 0);
  size_t at = wt__varint_read(frame, n, &type);
  at += wt__varint_read(frame + at, n - at, &len);
  FUZZ_CHECK(type == 0x04 && at + len == n);
  FUZZ_CHECK(wt__settings_read(frame + at, len, &back) == 0);
  FUZZ_CHECK(memcmp(&back, expected, sizeof(back)) == 0); /* all members are uint64_t: no padding */
}

/* The list that people see says the same. */
static void check_list(const uint8_t *data, size_t size, const struct wt__setting *pairs, size_t count) {
  struct wt_setting list[WT__SETTINGS_MAX];
  FUZZ_CHECK(wt__settings_list(data, size, list, WT__SETTINGS_MAX) == count);
  for (size_t i = 0; i < count; i++) FUZZ_CHECK(list[i].id == pairs[i].id && list[i].value == pairs[i].value);
}

static void check_accepted(const uint8_t *data, size_t size, const struct wt__settings *settings) {
  struct wt__setting pairs[WT__SETTINGS_MAX + 1];
  size_t count = parse_pairs(data, size, pairs);
  check_rewritten(pairs, count, settings);
  check_list(data, size, pairs, count);
  int draft = wt__settings_draft(settings);
  FUZZ_CHECK(draft == 0 || draft == 2 || draft == 7 || draft == 13 || draft == 15);
  FUZZ_CHECK(wt__settings_missing_from_client(settings, 0, true));
  if (draft == 0) FUZZ_CHECK(wt__settings_missing_from_client(settings, 1, true));
  if (draft && settings->h3_datagram) FUZZ_CHECK(!wt__settings_missing_from_client(settings, 1, true));
  if (draft == 15) FUZZ_CHECK(wt__settings_missing_from_client(settings, 1, false));
  FUZZ_CHECK(settings->h3_datagram <= 1 && settings->wt_draft02 <= 1 && settings->wt_draft15 <= 1);
  if (count == 0 || size * 2 > WT__SETTINGS_PAYLOAD_MAX) return;
  uint8_t twice[WT__SETTINGS_PAYLOAD_MAX];
  struct wt__settings ignored;
  memcpy(twice, data, size);
  memcpy(twice + size, data, size);
  FUZZ_CHECK(wt__settings_read(twice, size * 2, &ignored) == WT__H3_SETTINGS_ERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wt__settings settings, again;
  uint64_t result = wt__settings_read(data, size, &settings);
  FUZZ_CHECK(result == 0 || result == WT__H3_FRAME_ERROR || result == WT__H3_SETTINGS_ERROR ||
             result == WT__H3_EXCESSIVE_LOAD);
  if (size > WT__SETTINGS_PAYLOAD_MAX) FUZZ_CHECK(result == WT__H3_EXCESSIVE_LOAD);
  FUZZ_CHECK(wt__settings_read(data, size, &again) == result);
  if (result == 0) check_accepted(data, size, &settings);
  return 0;
}
