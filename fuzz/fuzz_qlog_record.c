/* SPDX-License-Identifier: MIT */

/* A record of the qlog with a text of the peer: one line, with no quote but those that end strings. */

#include <string.h>

#include "fuzz.h"
#include "wire/qlog_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  struct wt__qlog_record record;
  wt__qlog_record_begin(&record, len, "webtransport:session_opened");
  for (int i = 0; i < 6; i++) wt__qlog_record_text(&record, "text", (const char *)data, len);
  wt__qlog_record_number(&record, "number", len);
  wt__qlog_record_end(&record);
  FUZZ_CHECK(record.len <= sizeof(record.text) && record.text[0] == 0x1e);
  FUZZ_CHECK(memchr(record.text, '\n', record.len) == record.text + record.len - 1);
  size_t quotes = 0;
  for (size_t i = 1; i + 1 < record.len; i++) {
    FUZZ_CHECK((unsigned char)record.text[i] >= 0x20);
    if (record.text[i] == '\\') {
      i++;
    } else if (record.text[i] == '"') {
      quotes++;
    }
  }
  FUZZ_CHECK(quotes % 2 == 0);
  return 0;
}
