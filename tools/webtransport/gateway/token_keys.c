/* SPDX-License-Identifier: MIT */
/*
 * Keys that verify tokens, from files.
 *
 * The oldest attack on tokens is to sign one with HMAC and the bytes of a public key as the secret, and to have a server
 * take "HS256" from the token. Here the algorithm is the configuration's, and a key has to fit it: a secret is no PEM
 * file, and a public key is one of RSA with 2,048 bits or more, or of P-256. Which of them it is, the object identifiers
 * at its beginning tell; libjwt, which parses the key, needs no help from this file beyond that.
 *
 * A file is looked at once a second while tokens come, and read again if it has changed. If the new content is wrong, the
 * old key stays, because an editor may be half way through; the log says so.
 */
#include "gateway/token_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/tool_log.h"
#include "common/values.h"
#include "gateway/base64.h"

enum {
  LOOK_MS = 1000,
  RSA_DER_MIN = 290, /* a public key of 2,048 bits has 294 bytes, one of 1,024 has 162 */
};

const char *token_algorithm_name(enum token_algorithm algorithm) {
  static const char *const names[] = {"none", "HS256", "RS256", "ES256"};
  return names[algorithm];
}

/* --- What a key has to be. --- */

static bool secret_check(const char *text, size_t len, size_t *key_len, char *message, size_t size) {
  if (memmem(text, len, "-----BEGIN", 10))
    return value_refuse(message, size, "this is a key in PEM; HS256 has a secret, which nobody else knows");
  while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) len--;
  if (len < TOKEN_SECRET_MIN)
    return value_refuse(message, size, "a secret of HS256 has %d bytes or more, this one has %zu", TOKEN_SECRET_MIN,
                        len);
  *key_len = len;
  return true;
}

static bool der_check(const uint8_t *der, size_t len, enum token_algorithm algorithm, char *message, size_t size) {
  static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
  static const uint8_t p256[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  const size_t head = len < 48 ? len : 48;
  if (algorithm == TOKEN_ES256)
    return memmem(der, head, p256, sizeof p256) ? true
                                                : value_refuse(message, size, "ES256 needs a public key of P-256");
  if (!memmem(der, head, rsa, sizeof rsa)) return value_refuse(message, size, "RS256 needs a public key of RSA");
  return len >= RSA_DER_MIN ? true : value_refuse(message, size, "a key of RS256 has 2,048 bits or more");
}

static bool public_key_check(const char *text, size_t len, enum token_algorithm algorithm, char *message, size_t size) {
  static const char begin[] = "-----BEGIN PUBLIC KEY-----", end[] = "-----END PUBLIC KEY-----";
  uint8_t der[TOKEN_KEY_SIZE];
  size_t der_len;
  const char *first = memmem(text, len, begin, sizeof begin - 1);
  const char *last = first ? memmem(first, len - (size_t)(first - text), end, sizeof end - 1) : NULL;
  if (!last)
    return value_refuse(message, size, "%s needs a public key in PEM: %s", token_algorithm_name(algorithm), begin);
  first += sizeof begin - 1;
  if (!base64_pem_decode(first, (size_t)(last - first), der, sizeof der, &der_len))
    return value_refuse(message, size, "the public key is broken");
  return der_check(der, der_len, algorithm, message, size);
}

bool token_key_check(const char *text, size_t len, enum token_algorithm algorithm, size_t *key_len, char *message,
                     size_t size) {
  *key_len = len;
  if (algorithm == TOKEN_HS256) return secret_check(text, len, key_len, message, size);
  return public_key_check(text, len, algorithm, message, size);
}

/* --- Files. --- */

static struct token_key_mark mark_of(const struct stat *info) {
  return (struct token_key_mark){.changed_s = info->st_mtim.tv_sec,
                                 .changed_ns = info->st_mtim.tv_nsec,
                                 .size = info->st_size,
                                 .device = (uint64_t)info->st_dev,
                                 .inode = (uint64_t)info->st_ino};
}

/* Reads up to `size` bytes. Returns how many, or -1 with an `errno`. */
static ssize_t whole_read(int fd, char *text, size_t size) {
  size_t used = 0;
  while (used < size) {
    ssize_t len = read(fd, text + used, size - used);
    if (len < 0 && errno == EINTR) continue;
    if (len < 0) return -1;
    if (len == 0) break;
    used += (size_t)len;
  }
  return (ssize_t)used;
}

static bool key_take(struct token_key *key, const char *path, const char *text, ssize_t len,
                     enum token_algorithm algorithm, char *message, size_t size) {
  char why[200] = "";
  size_t key_len;
  if (len < 0) return value_refuse(message, size, "%s: %s", path, strerror(errno));
  if (len > TOKEN_KEY_SIZE) return value_refuse(message, size, "%s: a key has at most %d bytes", path, TOKEN_KEY_SIZE);
  if (!token_key_check(text, (size_t)len, algorithm, &key_len, why, sizeof why))
    return value_refuse(message, size, "%s: %s", path, why);
  memcpy(key->bytes, text, key_len);
  key->bytes[key_len] = 0;
  key->len = key_len;
  return true;
}

bool token_key_read(struct token_key *key, const char *path, enum token_algorithm algorithm, char *message,
                    size_t size) {
  char text[TOKEN_KEY_SIZE + 1];
  struct stat info;
  snprintf(key->path, sizeof key->path, "%s", path);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not stop the loop */
  if (fd < 0 || fstat(fd, &info)) {
    value_refuse(message, size, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return false;
  }
  bool good = S_ISREG(info.st_mode);
  key->mark = mark_of(&info);
  if (good)
    good = key_take(key, path, text, whole_read(fd, text, sizeof text), algorithm, message, size);
  else
    value_refuse(message, size, "%s: this is no file", path);
  close(fd);
  explicit_bzero(text, sizeof text);
  return good;
}

/* --- The keys of a route. --- */

/* False: what was wrong is in the log. */
static bool key_load(struct token_keys *keys, size_t index, const char *path) {
  char message[400];
  if (token_key_read(&keys->keys[index], path, keys->algorithm, message, sizeof message)) return true;
  log_line(WT_LOG_ERROR, "key of tokens %s: %s",
           keys->keys[index].len ? "not read again, the old one stays" : "not read, tokens are refused", message);
  return false;
}

struct token_keys *token_keys_new(enum token_algorithm algorithm, const struct text_list *paths) {
  struct token_keys *keys = calloc(1, sizeof *keys);
  if (!keys) return NULL;
  keys->algorithm = algorithm;
  keys->count = paths->count;
  for (size_t i = 0; i < paths->count; i++) key_load(keys, i, paths->texts[i]);
  return keys;
}

void token_keys_refresh(struct token_keys *keys, uint64_t now_ms) {
  if (now_ms - keys->looked_ms < LOOK_MS) return;
  keys->looked_ms = now_ms;
  for (size_t i = 0; i < keys->count; i++) {
    struct token_key *key = &keys->keys[i];
    struct stat info;
    char path[TEXT_SIZE];
    if (stat(key->path, &info)) continue; /* an editor is at work, or the file is gone: the key stays */
    const struct token_key_mark mark = mark_of(&info);
    if (!memcmp(&mark, &key->mark, sizeof mark)) continue;
    snprintf(path, sizeof path, "%s", key->path);
    if (key_load(keys, i, path)) log_line(WT_LOG_INFO, "key of tokens: %s has changed", path);
  }
}

void token_keys_free(struct token_keys *keys) {
  if (!keys) return;
  explicit_bzero(keys, sizeof *keys);
  free(keys);
}
