/* SPDX-License-Identifier: MIT */
/*
 * How connection ids are made, for load balancers that read them: --server-id and --lb-config.
 *
 * The file is an object of JSON, such as
 *
 *   {"layout": "quic-lb", "config_id": 1, "server_id": "31441a", "nonce_length": 6, "key": "fdf7...baf0"}
 *
 * Its members are those of struct wt_connection_ids, and what it does not name has the library's default. All machines
 * may have the same file, and each its own --server-id.
 *
 * A name that is not known is an error: a misspelt "key" would send the server's id over the network in the clear.
 */
#include "serve/lb_config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes_text.h"
#include "common/values.h"

#define LAYOUTS "random quic-lb unroutable aws-nlb katran" /* in the order of the enum */

enum {
  AWS_ID_LEN = 8,
  AWS_TEXT_LEN = 2 + 2 * AWS_ID_LEN, /* "0x" and digits */
  LENGTH_MAX = 20,
  NONCE_MIN = 4,
};

/* --- --server-id --- */

/* Base64 of the 8 bytes, or of their digits. */
static bool aws_read(const char *value, struct lb_server_id *id, char *message, size_t size) {
  uint8_t bytes[AWS_TEXT_LEN + 1];
  size_t len = 0;
  if (!value) return value_refuse(message, size, "the environment has no " LB_AWS_VARIABLE);
  bool good = bytes_from_base64(value, bytes, AWS_TEXT_LEN, &len);
  bytes[len] = 0;
  if (good && len == AWS_ID_LEN) {
    memcpy(id->bytes, bytes, AWS_ID_LEN);
    id->len = AWS_ID_LEN;
    return true;
  }
  if (good && bytes_from_hex((const char *)bytes, id->bytes, AWS_ID_LEN, &id->len) && id->len == AWS_ID_LEN)
    return true;
  return value_refuse(message, size, LB_AWS_VARIABLE " is not the base64 of 8 bytes");
}

bool lb_server_id_read(const char *text, const char *aws_value, struct lb_server_id *id, char *message, size_t size) {
  memset(id, 0, sizeof *id);
  id->given = true;
  id->aws = !strcmp(text, "aws");
  if (id->aws) return aws_read(aws_value, id, message, size);
  if (bytes_from_hex(text, id->bytes, sizeof id->bytes, &id->len)) return true;
  return value_refuse(message, size, "expected 1 to 15 bytes in hexadecimal digits, or aws");
}

/* --- Members of the file --- */

typedef bool (*member_read)(struct lb_config *config, const json_t *value, char *message, size_t size);

static bool read_number(const json_t *value, uint64_t max, uint64_t *number, char *message, size_t size) {
  if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
    return value_refuse(message, size, "must be a number from 0 to %llu", (unsigned long long)max);
  *number = (uint64_t)json_integer_value(value);
  return true;
}

static bool read_bytes(const json_t *value, uint8_t *bytes, size_t max, size_t *len, char *message, size_t size) {
  const char *text = json_string_value(value);
  if (text && strlen(text) == json_string_length(value) && bytes_from_hex(text, bytes, max, len)) return true;
  return value_refuse(message, size, "must be a string of hexadecimal digits, for at most %zu bytes", max);
}

static bool read_layout(struct lb_config *config, const json_t *value, char *message, size_t size) {
  size_t index;
  if (json_is_string(value) && value_word(json_string_value(value), LAYOUTS, &index, message, size)) {
    wt_connection_ids_default(&config->ids, (enum wt_connection_id_layout)index);
    return true;
  }
  return value_refuse(message, size, "must be one of " LAYOUTS);
}

static bool read_config_id(struct lb_config *config, const json_t *value, char *message, size_t size) {
  uint64_t number = 0;
  if (!read_number(value, 6, &number, message, size)) return false;
  config->ids.config_id = (unsigned)number;
  return true;
}

static bool read_server_id(struct lb_config *config, const json_t *value, char *message, size_t size) {
  config->ids.server_id = config->server_id;
  return read_bytes(value, config->server_id, LB_SERVER_ID_MAX, &config->ids.server_id_len, message, size);
}

static bool read_nonce_length(struct lb_config *config, const json_t *value, char *message, size_t size) {
  uint64_t number = 0;
  if (!read_number(value, LENGTH_MAX, &number, message, size)) return false;
  config->ids.nonce_length = (size_t)number;
  return true;
}

static bool read_key(struct lb_config *config, const json_t *value, char *message, size_t size) {
  config->ids.key = config->key;
  if (!read_bytes(value, config->key, LB_KEY_LEN, &config->ids.key_len, message, size)) return false;
  if (config->ids.key_len == LB_KEY_LEN) return true;
  return value_refuse(message, size, "must be a string of 32 hexadecimal digits, for 16 bytes");
}

static bool read_length(struct lb_config *config, const json_t *value, char *message, size_t size) {
  uint64_t number = 0;
  if (!read_number(value, LENGTH_MAX, &number, message, size)) return false;
  config->ids.length = (size_t)number;
  return true;
}

static bool read_length_in_first_octet(struct lb_config *config, const json_t *value, char *message, size_t size) {
  config->ids.length_in_first_octet = json_is_true(value);
  return json_is_boolean(value) ? true : value_refuse(message, size, "must be true or false");
}

static bool read_katran_version(struct lb_config *config, const json_t *value, char *message, size_t size) {
  uint64_t number = 0;
  if (!read_number(value, 3, &number, message, size)) return false;
  config->ids.katran_version = (unsigned)number;
  return true;
}

/* In the order in which they are read: the layout decides about defaults. */
static const struct {
  const char *name;
  member_read read;
} members[] = {
    {"layout", read_layout},
    {"length", read_length},
    {"config_id", read_config_id},
    {"server_id", read_server_id},
    {"nonce_length", read_nonce_length},
    {"key", read_key},
    {"length_in_first_octet", read_length_in_first_octet},
    {"katran_version", read_katran_version},
};

enum {
  MEMBERS = sizeof members / sizeof members[0]
};

/* --- The file --- */

static bool check_names(const char *file, json_t *object, char *message, size_t size) {
  const char *name;
  json_t *value;
  json_object_foreach(object, name, value) {
    size_t i = 0;
    while (i < MEMBERS && strcmp(name, members[i].name)) i++;
    if (i == MEMBERS) return value_refuse(message, size, "%s: member \"%s\" is not known", file, name);
  }
  return true;
}

static bool object_read(const char *file, json_t *object, struct lb_config *config, char *message, size_t size) {
  char why[200] = "";
  if (!json_is_object(object)) return value_refuse(message, size, "%s: not an object of JSON", file);
  if (!check_names(file, object, message, size)) return false;
  if (!json_object_get(object, "layout")) return value_refuse(message, size, "%s: member \"layout\" is missing", file);
  for (size_t i = 0; i < MEMBERS; i++) {
    const json_t *value = json_object_get(object, members[i].name);
    if (value && !members[i].read(config, value, why, sizeof why))
      return value_refuse(message, size, "%s: member \"%s\" %s", file, members[i].name, why);
  }
  return true;
}

static bool file_read(const char *file, struct lb_config *config, char *message, size_t size) {
  json_error_t error;
  json_t *object = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
  if (!object && error.line < 0) return value_refuse(message, size, "%s", error.text);
  if (!object) return value_refuse(message, size, "%s: line %d: %s", file, error.line, error.text);
  bool good = object_read(file, object, config, message, size);
  json_decref(object); /* and with it the key's text; the process is the server's */
  return good;
}

/* --- Without a file --- */

/* QUIC-LB in the clear, with room for the server id and the byte of the worker. */
static void alone(struct lb_config *config, const struct lb_server_id *id, unsigned workers) {
  struct wt_connection_ids *ids = &config->ids;
  size_t fixed = 1 + id->len + (workers > 1);
  wt_connection_ids_default(ids, id->aws ? WT_CONNECTION_ID_AWS_NLB : WT_CONNECTION_ID_QUIC_LB);
  if (id->aws) return;
  if (fixed + ids->nonce_length > LENGTH_MAX)
    ids->nonce_length = fixed + NONCE_MIN > LENGTH_MAX ? NONCE_MIN : LENGTH_MAX - fixed;
  if (ids->length < fixed + ids->nonce_length) ids->length = fixed + ids->nonce_length;
}

bool lb_config_read(const char *file, const struct lb_server_id *id, unsigned workers, struct lb_config *config,
                    char *message, size_t size) {
  memset(config, 0, sizeof *config);
  if (file && !file_read(file, config, message, size)) return false;
  if (!file) alone(config, id, workers);
  bool has_server = config->ids.layout != WT_CONNECTION_ID_RANDOM && config->ids.layout != WT_CONNECTION_ID_UNROUTABLE;
  if (!id->given || !has_server) return true;
  memcpy(config->server_id, id->bytes, id->len);
  config->ids.server_id = config->server_id;
  config->ids.server_id_len = id->len;
  return true;
}
