/* SPDX-License-Identifier: MIT */

/*
 * The server name and the tickets in a ClientHello.
 *
 * The TLS library reads ClientHellos; this is not another reader of them. It finds one extension, so that we know the
 * server name, or the tickets, before the library judges them:
 *
 *   legacy_version  random  session_id     cipher_suites  compression    extensions
 *   2 bytes         32      1 + 0 to 32    2 + n          1 + n          2 + n, each: type 2, length 2, body
 *
 *   server_name:     list length 2, then entries: name_type 1 (0 is a DNS name), length 2, name
 *   pre_shared_key:  list length 2, then identities: length 2, identity, obfuscated age 4; then the binders
 *
 * All of it comes from a peer that has proved nothing yet. Every length is checked before it is used.
 */

#include "wire/client_hello.h"

#define FIXED_LEN (2 + 32) /* legacy_version and random */
#define NAME_TYPE_DNS 0
#define TICKET_AGE_LEN 4

/* Takes a length of `width` bytes and as many bytes as it says from the front of `from`. */
static bool take(struct wt__vec *from, size_t width, struct wt__vec *taken) {
  size_t len = 0;
  if (from->len < width) return false;
  for (size_t i = 0; i < width; i++) len = len << 8 | from->data[i];
  if (from->len - width < len) return false;
  *taken = (struct wt__vec){from->data + width, len};
  *from = (struct wt__vec){from->data + width + len, from->len - width - len};
  return true;
}

bool wt__client_hello_find(struct wt__vec hello, uint16_t type, struct wt__vec *body) {
  struct wt__vec rest, extensions, skipped;
  if (hello.len < FIXED_LEN) return false;
  rest = (struct wt__vec){hello.data + FIXED_LEN, hello.len - FIXED_LEN};
  if (!take(&rest, 1, &skipped) || !take(&rest, 2, &skipped) || !take(&rest, 1, &skipped)) return false;
  if (!take(&rest, 2, &extensions)) return false;
  while (extensions.len >= 2) {
    unsigned found = (unsigned)extensions.data[0] << 8 | extensions.data[1];
    extensions = (struct wt__vec){extensions.data + 2, extensions.len - 2};
    if (!take(&extensions, 2, body)) return false;
    if (found == type) return true;
  }
  return false;
}

bool wt__server_name_find(struct wt__vec body, struct wt__vec *name) {
  struct wt__vec list;
  if (!take(&body, 2, &list)) return false;
  while (list.len > 0) {
    uint8_t type = list.data[0];
    list = (struct wt__vec){list.data + 1, list.len - 1};
    if (!take(&list, 2, name)) return false;
    if (type == NAME_TYPE_DNS) return name->len > 0;
  }
  return false;
}

bool wt__psk_identity_next(struct wt__vec *list, bool *begun, struct wt__vec *identity) {
  struct wt__vec body = *list;
  if (!*begun && !take(&body, 2, list)) return false;
  *begun = true;
  if (!take(list, 2, identity) || list->len < TICKET_AGE_LEN) return false;
  *list = (struct wt__vec){list->data + TICKET_AGE_LEN, list->len - TICKET_AGE_LEN};
  return true;
}

static bool is_plain(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

enum wt__server_name_kind wt__server_name_kind(struct wt__vec name) {
  enum wt__server_name_kind kind = WT__SERVER_NAME_PLAIN;
  for (size_t i = 0; i < name.len; i++) {
    if (is_plain(name.data[i])) continue;
    if (name.data[i] != '_') return WT__SERVER_NAME_ODD;
    kind = WT__SERVER_NAME_UNDERSCORE;
  }
  return kind == WT__SERVER_NAME_UNDERSCORE && name.len > WT__TLS_SERVER_NAME_MAX ? WT__SERVER_NAME_ODD : kind;
}
