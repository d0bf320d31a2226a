/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_KEY_FILE_H
#define WEBTRANSPORT_TOOL_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file with the secrets of a fleet. See key_file.c for its form. */

enum {
  KEY_MIN = 32, /* bytes of a secret, as the library's */
  KEY_MAX = 256,
  KEY_FILE_MAX = 16384, /* bytes of the file, with its comments */
};

enum key_kind {
  KEY_CURRENT,
  KEY_NEXT,
  KEY_PREVIOUS,
  KEY_KINDS
};

struct key {
  size_t len; /* 0: there is none */
  uint8_t bytes[KEY_MAX];
};

struct key_file {
  struct key keys[KEY_KINDS]; /* there is always a current one */
};

/* Reads the text of a file, which `name` stands for. False: `message` names the file, the line, and what is wrong with it. */
bool key_file_parse(struct key_file *file, const char *name, const char *text, size_t len, char *message, size_t size);

/* Reads a file, likewise. */
bool key_file_read(struct key_file *file, const char *name, char *message, size_t size);

/* Writes the text of a file, with a NUL, into `text` of KEY_FILE_MAX bytes. */
void key_file_format(const struct key_file *file, char *text);

/* A new random secret of KEY_MIN bytes. False: errno says why. */
bool key_make(struct key *key);

/* Forgets all secrets. */
void key_file_wipe(struct key_file *file);

#endif
