/* SPDX-License-Identifier: MIT */
/*
 * The name of a topic in a path: "/topic/room%201" is the topic "room 1". A name is UTF-8 without control characters, so
 * that it can be printed and logged, and has no '/' unless that is encoded: "/topic/a/b" is more likely a mistake than a
 * name.
 */
#include "serve/topic_name.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "common/visible_text.h"

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static bool is_refused(uint8_t byte, uint8_t last) { return byte == '\n' || byte == '\t' || is_control(byte, last); }

/* Reads one byte, encoded or not; false: the encoding is broken. */
static bool byte_read(const char **at, uint8_t *byte) {
  *byte = (uint8_t) * (*at)++;
  if (*byte != '%') return true;
  int high = hex_digit(**at), low = high < 0 ? -1 : hex_digit((*at)[1]);
  if (low < 0) return false;
  *byte = (uint8_t)(high * 16 + low);
  *at += 2;
  return true;
}

static bool is_utf8(const char *bytes, size_t len) {
  json_t *text = json_stringn(bytes, len);
  json_decref(text);
  return text != NULL;
}

const char *topic_name_read(const char *path, struct topic_name *name) {
  const char *at = path + strlen(TOPIC_PATH);
  uint8_t byte, last = 0;
  name->len = 0;
  if (!*at) return "The path has no name of a topic: use /topic/NAME.";
  while (*at) {
    if (*at == '/') return "The name of a topic has no '/'; %2F stands for one.";
    if (!byte_read(&at, &byte)) return "The name of the topic is not percent-encoded correctly.";
    if (name->len == TOPIC_NAME_MAX) return "The name of the topic is longer than 255 bytes.";
    if (is_refused(byte, last)) return "The name of the topic has a control character.";
    name->bytes[name->len++] = (char)byte;
    last = byte;
  }
  return is_utf8(name->bytes, name->len) ? NULL : "The name of the topic is not UTF-8.";
}
