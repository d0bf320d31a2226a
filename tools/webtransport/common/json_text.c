/* SPDX-License-Identifier: MIT */
/*
 * Texts of peers in JSON. jansson refuses a text that is not UTF-8, and json_pack then makes no object at all. Such a
 * text is replaced as a whole instead, so that a path or a reason of a peer does not remove the other members. In a log each
 * wrong byte is replaced by itself, because an operator wants to see the rest.
 */
#include "common/json_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text) {
  if (!text) return json_null();
  json_t *json = json_string(text);
  return json ? json : json_string("(not UTF-8)");
}

/* The length of the character of UTF-8 at the beginning of `text`, which has `len` bytes; 0: there is none. */
static size_t character_len(const char *text, size_t len) {
  unsigned char first = (unsigned char)text[0];
  size_t want = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if (first == 0x7f || want > len || first > 0xf4 || (first >= 0x80 && first < 0xc2)) return 0;
  if (want == 1) return 1;
  json_t *json = json_stringn(text, want); /* checks it */
  json_decref(json);
  return json ? want : 0;
}

json_t *json_log_text(const char *text, size_t max) {
  static const char wrong[] = "\xef\xbf\xbd";
  if (!text) return json_null();
  size_t len = strlen(text), kept = len < max ? len : max, out_len = 0;
  char *out = malloc(kept * 3 + 4);
  if (!out) return json_null();
  for (size_t at = 0, step; at < kept; at += step ? step : 1) {
    step = character_len(text + at, len - at);
    if (step > kept - at) break; /* the cut is in the middle of it */
    memcpy(out + out_len, step ? text + at : wrong, step ? step : 3);
    out_len += step ? step : 3;
  }
  if (kept < len) memcpy(out + out_len, "...", 3);
  json_t *json = json_stringn(out, out_len + (kept < len ? 3 : 0));
  free(out);
  return json;
}
