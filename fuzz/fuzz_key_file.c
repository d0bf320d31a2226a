/* SPDX-License-Identifier: MIT */
/* tools/webtransport/common/key_file.c: what can be read is written so that the same is read again. */
#include "fuzz.h"

#include <string.h>

#include "common/key_file.h"

static void check_keys(const struct key_file *file) {
  FUZZ_CHECK(file->keys[KEY_CURRENT].len);
  for (int kind = 0; kind < KEY_KINDS; kind++) {
    size_t len = file->keys[kind].len;
    FUZZ_CHECK(len == 0 || (len >= KEY_MIN && len <= KEY_MAX));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct key_file file, again;
  char text[KEY_FILE_MAX], message[256] = "";
  if (!key_file_parse(&file, "name", (const char *)data, size, message, sizeof(message))) {
    FUZZ_CHECK(message[0] && memchr(message, 0, sizeof(message)));
    return 0;
  }
  check_keys(&file);
  key_file_format(&file, text);
  FUZZ_CHECK(key_file_parse(&again, "name", text, strlen(text), message, sizeof(message)));
  for (int kind = 0; kind < KEY_KINDS; kind++) {
    FUZZ_CHECK(again.keys[kind].len == file.keys[kind].len);
    FUZZ_CHECK(!memcmp(again.keys[kind].bytes, file.keys[kind].bytes, file.keys[kind].len));
  }
  key_file_wipe(&again);
  key_file_wipe(&file);
  return 0;
}
