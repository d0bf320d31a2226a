/* SPDX-License-Identifier: MIT */
/*
 * Strings of others in JSON. jansson refuses what is not UTF-8, and json_pack would then give no object at
 * all; such a text is replaced as a whole instead, so that a path or a reason of a peer cannot take the
 * other members with it.
 */
#include "common/json_text.h"

json_t *json_text(const char *text) {
  if (!text) return json_null();
  json_t *json = json_string(text);
  return json ? json : json_string("(not UTF-8)");
}
