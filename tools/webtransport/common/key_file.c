/* SPDX-License-Identifier: MIT */
/*
 * The file with the secrets of a fleet. A line has a word and hexadecimal digits, or is empty or a comment:
 *
 *   # since Monday
 *   previous 77e0...
 *   next     90ab...
 *   current  2c1f...
 *
 * The order does not matter to the reader. The writer puts the current secret last: a file that was copied in part only has
 * none then, or one that is too short, and is refused. No message shows digits of a secret.
 */
#include "common/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const words[KEY_KINDS] = {"current", "next", "previous"};

void key_file_wipe(struct key_file *file) { explicit_bzero(file, sizeof *file); }

bool key_make(struct key *key) {
  key->len = KEY_MIN;
  return getrandom(key->bytes, key->len, 0) == (ssize_t)key->len;
}

/* --- Reading. --- */

static int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What is wrong with the digits; NULL: nothing. */
static const char *key_parse(struct key *key, const char *digits, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (digit_value(digits[i]) < 0) return "expected a word and hexadecimal digits";
  if (len % 2) return "a digit is missing: their number is odd";
  if (len / 2 < KEY_MIN) return "the secret is too short: it needs 64 digits, which are 32 bytes";
  if (len / 2 > KEY_MAX) return "the secret is too long: at most 512 digits, which are 256 bytes";
  for (size_t i = 0; i < len / 2; i++)
    key->bytes[i] = (uint8_t)(digit_value(digits[2 * i]) << 4 | digit_value(digits[2 * i + 1]));
  key->len = len / 2;
  return NULL;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Takes the next word of a line. */
static size_t word_take(const char **at, const char *end, const char **word) {
  while (*at < end && is_blank(**at)) ++*at;
  *word = *at;
  while (*at < end && !is_blank(**at)) ++*at;
  return (size_t)(*at - *word);
}

static const char *line_parse(struct key_file *file, const char *at, const char *end) {
  const char *word, *digits, *rest;
  size_t word_len = word_take(&at, end, &word);
  if (word_len == 0 || *word == '#') return NULL;
  size_t digits_len = word_take(&at, end, &digits);
  for (int kind = 0; kind < KEY_KINDS; kind++) {
    if (strlen(words[kind]) != word_len || memcmp(words[kind], word, word_len) != 0) continue;
    if (file->keys[kind].len) return "there was such a line before";
    if (word_take(&at, end, &rest) && *rest != '#') return "there is something behind the digits";
    return digits_len ? key_parse(&file->keys[kind], digits, digits_len) : "the digits are missing";
  }
  return "a line begins with current, next, previous or #";
}

bool key_file_parse(struct key_file *file, const char *name, const char *text, size_t len, char *message, size_t size) {
  const char *end = text + len, *wrong = NULL;
  unsigned line = 0;
  memset(file, 0, sizeof *file);
  for (const char *at = text; at < end && !wrong;) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop) stop = end;
    wrong = line_parse(file, at, stop);
    line++;
    at = stop + 1;
  }
  if (wrong)
    snprintf(message, size, "%s:%u: %s", name, line, wrong);
  else if (!file->keys[KEY_CURRENT].len)
    snprintf(message, size, "%s: there is no line with the current secret", name);
  else
    return true;
  key_file_wipe(file);
  return false;
}

/* The bytes of a file, up to KEY_FILE_MAX. Its length, or -1 with errno. */
static ssize_t bytes_read(const char *name, char *bytes) {
  struct stat info;
  int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer is none */
  if (fd < 0) return -1;
  ssize_t len = 0, got = 1;
  if (fstat(fd, &info))
    got = -1;
  else if (!S_ISREG(info.st_mode)) {
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    got = -1;
  }
  while (got > 0 && len <= KEY_FILE_MAX) {
    got = read(fd, bytes + len, (size_t)(KEY_FILE_MAX + 1 - len));
    if (got > 0) len += got;
    if (got < 0 && errno == EINTR) got = 1;
  }
  int error = len > KEY_FILE_MAX ? EFBIG : got < 0 ? errno : 0;
  close(fd);
  errno = error;
  return error ? -1 : len;
}

bool key_file_read(struct key_file *file, const char *name, char *message, size_t size) {
  char bytes[KEY_FILE_MAX + 2];
  memset(file, 0, sizeof *file);
  ssize_t len = bytes_read(name, bytes);
  bool good = len >= 0 && key_file_parse(file, name, bytes, (size_t)len, message, size);
  if (len < 0) snprintf(message, size, "%s: %s", name, strerror(errno));
  explicit_bzero(bytes, sizeof bytes);
  return good;
}

/* --- Writing. --- */

void key_file_format(const struct key_file *file, char *text) {
  static const enum key_kind order[] = {KEY_PREVIOUS, KEY_NEXT, KEY_CURRENT};
  char *at =
      text + sprintf(text, "# The secrets of a fleet: keep them like the key of a certificate.\n"
                           "# 'webtransport keys rotate' replaces them; SIGHUP makes a server read them again.\n");
  for (size_t i = 0; i < KEY_KINDS; i++) {
    const struct key *key = &file->keys[order[i]];
    if (!key->len) continue;
    at += sprintf(at, "%-8s ", words[order[i]]);
    for (size_t j = 0; j < key->len; j++) at += sprintf(at, "%02x", key->bytes[j]);
    at += sprintf(at, "\n");
  }
}
