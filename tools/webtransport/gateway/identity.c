/* SPDX-License-Identifier: MIT */
/*
 * What is known of a client. Some back ends take "remote_user" for "remote-user", so a client must not send either where
 * the authorization server says it.
 */
#include "gateway/identity.h"

#include <string.h>

static bool name_is_like(const char *name, const char *other) {
  for (; *name && *other; name++, other++)
    if ((*name == '_' ? '-' : *name) != (*other == '_' ? '-' : *other)) return false;
  return *name == *other;
}

static void reserved_remove(const char *name, struct header_list *fields) {
  for (size_t i = 0; i < fields->count;) {
    char like[TEXT_SIZE];
    size_t len = strlen(fields->list[i].name);
    if (len >= sizeof like || !name_is_like(fields->list[i].name, name)) {
      i++;
      continue;
    }
    memcpy(like, fields->list[i].name, len + 1); /* the list frees its own */
    header_list_remove(fields, like);
  }
}

bool identity_apply(const struct identity *identity, const struct text_list *reserved, struct header_list *fields) {
  for (size_t i = 0; i < reserved->count; i++) reserved_remove(reserved->texts[i], fields);
  for (size_t i = 0; i < identity->fields.count; i++)
    if (!header_list_add(fields, identity->fields.headers[i].name, identity->fields.headers[i].value)) return false;
  return true;
}

void identity_move(struct identity *to, struct identity *from) {
  *to = *from;
  memset(from, 0, sizeof *from);
}

void identity_free(struct identity *identity) {
  field_list_free(&identity->fields);
  memset(identity, 0, sizeof *identity);
}
