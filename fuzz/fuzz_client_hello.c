/* SPDX-License-Identifier: MIT */

/* ClientHellos: what is found lies inside, a name begins where its type and length stand before it, tickets do not overlap. */

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

static void check_tickets(struct wt__vec body) {
  struct wt__vec list = body, ticket;
  const uint8_t *end = body.data;
  bool begun = false;
  for (; wt__psk_identity_next(&list, &begun, &ticket); end = ticket.data + ticket.len)
    FUZZ_CHECK(inside(ticket, body) && ticket.data >= end + 2 &&
               (size_t)(ticket.data[-2] << 8 | ticket.data[-1]) == ticket.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint16_t types[] = {WT__TLS_SERVER_NAME, WT__TLS_PRE_SHARED_KEY, 57, 43, 0xffff};
  struct wt__vec hello = {data, size}, body;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (!wt__client_hello_find(hello, types[i], &body)) continue;
    FUZZ_CHECK(inside(body, hello));
    if (i == 0) check_name(body);
    if (i == 1) check_tickets(body);
  }
  check_name(hello);
  check_tickets(hello);
  return 0;
}
