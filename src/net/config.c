/* SPDX-License-Identifier: MIT */

/*
 * What a server is told, checked once, before anything is opened.
 *
 * A bound of zero means zero and never "the default": the defaults come from `wt_server_config_default`
 * alone. So a zero is an error where nothing could work with it (no unidirectional streams: HTTP/3 needs
 * three), and fine where it only switches something off (no early datagrams).
 *
 * Each message names the member and what it may be, since a program that sets twenty of them and hears
 * "invalid" is left guessing. docs/limits.md explains the defaults.
 */

#include "net/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "quic/endpoint.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define MAX_MS UINT64_C(0xffffffff)          /* 49 days; in nanoseconds far from overflow */
#define MAX_VARINT ((UINT64_C(1) << 62) - 1) /* RFC 9000, section 16 */
#define MAX_STREAMS (UINT64_C(1) << 60)      /* RFC 9000, section 4.6 */
#define MIN_WINDOW 1024                      /* RFC 9114, section 6.2: for each HTTP/3 stream */
#define MIN_STREAMS_UNI 3                    /* RFC 9114, section 6.2: control, two of QPACK */

static const char *const config_listen[] = {"[::]:443"};

void wt_server_config_default(struct wt_server_config *config) {
  if (!config) return;
  *config = (struct wt_server_config){
      .size = sizeof(*config),
      .listen = config_listen,
      .listen_count = 1,
      .log_level = WT_LOG_WARN,
      .idle_timeout_ms = 30000,
      .keep_alive_ms = 15000,
      .handshake_timeout_ms = 10000,
      .no_request_timeout_ms = 10000,
      .settings_timeout_ms = 5000,
      .early_timeout_ms = 5000,
      .retry = WT_RETRY_UNDER_LOAD,
      .retry_threshold = 256,
      .drafts = WT_DRAFT_ALL,
      .max_connections = 65536,
      .max_connections_per_address = 1024,
      .session_tickets = true,
      .initial_max_data = 1 * MIB,
      .max_data = 16 * MIB,
      .initial_max_stream_data = 256 * KIB,
      .max_stream_data = 6 * MIB,
      .max_streams_bidi = 256,
      .max_streams_uni = 256,
      .wt_initial_max_data = 1 * MIB,
      .wt_max_data = 16 * MIB,
      .wt_max_streams_bidi = 100,
      .wt_max_streams_uni = 100,
      .max_sessions_per_connection = 16,
      .max_header_bytes = 16 * KIB,
      .max_stream_send_buffer = 1024 * KIB,
      .max_datagrams_queued = 256,
      .max_early_streams = 64,
      .max_early_datagrams = 64,
  };
}

/* --- Checks --- */

/* The first thing found wrong is the one that is told. */
struct check {
  char *why;
  size_t size;
  bool failed;
};

static void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void check_fail(struct check *check, const char *format, ...) {
  if (check->failed) return;
  check->failed = true;
  va_list args;
  va_start(args, format);
  vsnprintf(check->why, check->size, format, args);
  va_end(args);
}

static void check_range(struct check *check, const char *name, uint64_t value, uint64_t min, uint64_t max) {
  if (value < min) {
    check_fail(check, "%s is %llu, must be at least %llu", name, (unsigned long long)value, (unsigned long long)min);
  } else if (value > max) {
    check_fail(check, "%s is %llu, must be at most %llu", name, (unsigned long long)value, (unsigned long long)max);
  }
}

#define CHECK_RANGE(check, config, member, min, max) check_range(check, #member, (config)->member, min, max)

static void check_listen(struct check *check, const struct wt_server_config *config) {
  CHECK_RANGE(check, config, listen_count, 1, WT__LISTEN_MAX);
  if (check->failed) return;
  if (!config->listen) {
    check_fail(check, "listen is NULL");
    return;
  }
  for (size_t i = 0; i < config->listen_count; i++) {
    if (!config->listen[i] || !*config->listen[i]) check_fail(check, "listen[%zu] is empty", i);
  }
}

static void check_times(struct check *check, const struct wt_server_config *config) {
  CHECK_RANGE(check, config, idle_timeout_ms, 0, MAX_MS);
  CHECK_RANGE(check, config, keep_alive_ms, 0, MAX_MS);
  CHECK_RANGE(check, config, handshake_timeout_ms, 1, MAX_MS);
  CHECK_RANGE(check, config, no_request_timeout_ms, 0, MAX_MS);
  CHECK_RANGE(check, config, settings_timeout_ms, 0, MAX_MS);
  CHECK_RANGE(check, config, early_timeout_ms, 0, MAX_MS);
}

static void check_windows(struct check *check, const struct wt_server_config *config) {
  CHECK_RANGE(check, config, initial_max_data, MIN_WINDOW, MAX_VARINT);
  CHECK_RANGE(check, config, initial_max_stream_data, MIN_WINDOW, MAX_VARINT);
  CHECK_RANGE(check, config, max_data, config->initial_max_data, MAX_VARINT);
  CHECK_RANGE(check, config, max_stream_data, config->initial_max_stream_data, MAX_VARINT);
  CHECK_RANGE(check, config, max_streams_bidi, 1, MAX_STREAMS);
  CHECK_RANGE(check, config, max_streams_uni, MIN_STREAMS_UNI, MAX_STREAMS);
  CHECK_RANGE(check, config, wt_initial_max_data, 0, MAX_VARINT);
  CHECK_RANGE(check, config, wt_max_data, config->wt_initial_max_data, MAX_VARINT);
  CHECK_RANGE(check, config, wt_max_streams_bidi, 0, MAX_STREAMS);
  CHECK_RANGE(check, config, wt_max_streams_uni, 0, MAX_STREAMS);
}

static void check_choices(struct check *check, const struct wt_server_config *config) {
  check_range(check, "log_level", (uint64_t)config->log_level, WT_LOG_NONE, WT_LOG_DEBUG);
  check_range(check, "retry", (uint64_t)config->retry, WT_RETRY_NEVER, WT_RETRY_ALWAYS);
  check_range(check, "drafts", config->drafts, 1, WT_DRAFT_ALL);
  size_t len = config->reset_key ? WT__RESET_KEY_LEN : 0;
  if (config->reset_key_len != len) {
    check_fail(check, "reset_key_len is %zu, must be %zu %s a reset_key", config->reset_key_len, len,
               len ? "with" : "without");
  }
}

int wt__config_check(const struct wt_server_config *config, char *why, size_t size) {
  struct check check = {.why = why, .size = size};
  check_listen(&check, config);
  check_choices(&check, config);
  check_times(&check, config);
  check_windows(&check, config);
  CHECK_RANGE(&check, config, max_connections, 1, SIZE_MAX);
  CHECK_RANGE(&check, config, max_connections_per_address, 1, SIZE_MAX);
  CHECK_RANGE(&check, config, max_header_bytes, 1, MAX_VARINT); /* a setting */
  CHECK_RANGE(&check, config, max_stream_send_buffer, 1, SIZE_MAX);
  CHECK_RANGE(&check, config, max_datagrams_queued, 1, SIZE_MAX);
  return check.failed ? WT_ERR_INVALID : 0;
}

/* --- The copy --- */

static int listen_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  char **texts = wt__calloc(config->listen_count, sizeof(*texts));
  if (!texts) return WT_ERR_NOMEM;
  copy->listen = (const char *const *)texts;
  copy->listen_count = config->listen_count;
  for (size_t i = 0; i < config->listen_count; i++) {
    texts[i] = wt__strdup(config->listen[i]);
    if (!texts[i]) return WT_ERR_NOMEM;
  }
  return 0;
}

static int reset_key_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  if (!config->reset_key) return 0;
  uint8_t *key = wt__malloc(config->reset_key_len);
  if (!key) return WT_ERR_NOMEM;
  memcpy(key, config->reset_key, config->reset_key_len);
  copy->reset_key = key;
  return 0;
}

int wt__config_copy(struct wt_server_config *copy, const struct wt_server_config *config, char *why, size_t size) {
  struct wt_server_config given;
  memset(copy, 0, sizeof(*copy));
  wt_server_config_default(&given);
  /* There is no older header yet; once there is, its size is the smallest allowed here. */
  if (config && config->size < sizeof(given)) {
    snprintf(why, size, "size is %zu: call wt_server_config_default first", config->size);
    return WT_ERR_INVALID;
  }
  if (config) memcpy(&given, config, sizeof(given));
  given.size = sizeof(given);
  int error = wt__config_check(&given, why, size);
  if (error) return error;

  *copy = given;
  copy->listen = NULL;
  copy->listen_count = 0;
  copy->reset_key = NULL;
  error = listen_copy(copy, &given);
  if (error == 0) error = reset_key_copy(copy, &given);
  if (error) {
    wt__config_free(copy);
    snprintf(why, size, "%s", wt_error_string(error));
  }
  return error;
}

void wt__config_free(struct wt_server_config *copy) {
  for (size_t i = 0; copy->listen && i < copy->listen_count; i++) wt__free((void *)(uintptr_t)copy->listen[i]);
  wt__free((void *)(uintptr_t)copy->listen);
  if (copy->reset_key) wt__wipe((void *)(uintptr_t)copy->reset_key, copy->reset_key_len);
  wt__free((void *)(uintptr_t)copy->reset_key);
  memset(copy, 0, sizeof(*copy));
}
