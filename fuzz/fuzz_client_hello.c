/* SPDX-License-Identifier: MIT */

/* ClientHellos: what is found lies inside, and a name begins where its type and length stand before it. */

#include "fuzz.h"

#include "wire/client_hello.h"

static bool inside(struct wt__vec part, struct wt__vec whole) {
  return part.data >= whole.data && part.len <= whole.len && (size_t)(part.data - whole.data) <= whole.len - part.len;
}

static void check_name(struct wt__vec body) {
  struct wt__vec name;
  if (!wt__server_name_find(body, &name)) return;
  FUZZ_CHECK(inside(name, body) && name.len > 0 && name.data - body.data >= 5);
  FUZZ_CHECK(name.data[-3] == 0 && (size_t)(name.data[-2] << 8 | name.data[-1]) == name.len);
  (void)wt__server_name_kind(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint16_t types[] = {WT__TLS_SERVER_NAME, 57, 43, 0xffff};
  struct wt__vec hello = {data, size}, body;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (!wt__client_hello_find(hello, types[i], &body)) continue;
    FUZZ_CHECK(inside(body, hello));
    if (i == 0) check_name(body);
  }
  check_name(hello);
  return 0;
}
