/* SPDX-License-Identifier: MIT */
/*
 * Texts of peers in JSON. jansson refuses a text that is not UTF-8, and json_pack then makes no object at all. Such a
 * text is replaced as a whole instead, so that a path or a reason of a peer does not remove the other members.
 */
#include "common/json_text.h"

json_t *json_text(const char *text) {
  if (!text) return json_null();
  json_t *json = json_string(text);
  return json ? json : json_string("(not UTF-8)");
}
