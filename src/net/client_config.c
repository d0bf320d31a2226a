/* SPDX-License-Identifier: MIT */

/*
 * Checks and copies a client's configuration, before anything is opened.
 *
 * net/bounds.c checks the members that servers have, too; this file checks those that only clients have. A client trusts
 * authorities, hashes or any certificate. Two of these at once are refused: we would have to guess what the caller expects.
 *
 * The copy has its own strings and hashes, so the caller may free his.
 */

#include "net/client_config.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "net/bounds.h"
#include "net/names.h"
#include "net/qlog_files.h"
#include "quic/tls.h"

#define VERSION_1 0x00000001 /* RFC 9000 */
#define VERSION_2 0x6b3343cf /* RFC 9369 */
#define HASHES_MAX 4096

void wt_client_config_init(struct wt_client_config *config, size_t size) {
  const struct wt_client_config all = {
      .log_level = WT_LOG_WARN,
      WT__BOUNDS_DEFAULTS,
      .connection_attempt_delay_ms = 250,
      .resolution_delay_ms = 50,
      .linger_ms = 0,
      .session_tickets = true,
      .quic_version = VERSION_1,
      .require_reset_stream_at = true,
      .qlog_max_file_bytes = WT__QLOG_FILE_MAX,
  };
  wt__sized_init(config, size, &all, sizeof(all));
}

static void check_trust(struct wt__check *check, const struct wt_client_config *config) {
  bool hashes = config->certificate_hash_count > 0, any = config->dangerously_accept_any_certificate;
  WT__CHECK_RANGE(check, config, certificate_hash_count, 0, HASHES_MAX);
  if (hashes && !config->certificate_hashes) wt__check_fail(check, "certificate_hashes is NULL");
  if (hashes && config->ca_file) wt__check_fail(check, "ca_file and certificate_hashes exclude each other");
  if (any && (hashes || config->ca_file)) {
    wt__check_fail(check, "dangerously_accept_any_certificate excludes ca_file and certificate_hashes");
  }
}

int wt__client_config_check(const struct wt_client_config *config, char *why, size_t size) {
  struct wt__check check = {.why = why, .size = size};
  struct wt__bounds bounds;
  wt__check_range(&check, "log_level", (uint64_t)config->log_level, WT_LOG_NONE, WT_LOG_DEBUG);
  check_trust(&check, config);
  WT__CHECK_RANGE(&check, config, connection_attempt_delay_ms, 10, WT__BOUNDS_MAX_MS); /* RFC 8305, section 8 */
  WT__CHECK_RANGE(&check, config, resolution_delay_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(&check, config, linger_ms, 0, WT__BOUNDS_MAX_MS);
  if (config->quic_version != VERSION_1 && config->quic_version != VERSION_2) {
    wt__check_fail(&check, "quic_version is 0x%08x, must be 0x00000001 or 0x6b3343cf", (unsigned)config->quic_version);
  }
  const struct wt__tls_choice choice = {config->cipher_suites, config->cipher_suite_count, config->groups,
                                        config->group_count};
  wt__names_check_choice(&choice, &check);
  WT__BOUNDS_OF(&bounds, struct wt_client_config, config);
  wt__bounds_check(&bounds, &check);
  WT__CHECK_RANGE(&check, config, max_sessions_per_connection, 1, SIZE_MAX);
  if (config->qlog && config->qlog_dir) wt__check_fail(&check, "qlog and qlog_dir exclude each other");
  WT__CHECK_RANGE(&check, config, qlog_max_file_bytes, WT__QLOG_FILE_LEAST, INT64_MAX);
  return check.failed ? WT_ERR_INVALID : 0;
}

static int text_copy(const char **copy, const char *text) {
  *copy = text ? wt__strdup(text) : NULL;
  return text && !*copy ? WT_ERR_NOMEM : 0;
}

static int hashes_copy(struct wt_client_config *copy, const struct wt_client_config *config) {
  if (config->certificate_hash_count == 0) return 0;
  size_t len = config->certificate_hash_count * sizeof(*config->certificate_hashes);
  uint8_t(*hashes)[32] = wt__malloc(len);
  if (!hashes) return WT_ERR_NOMEM;
  memcpy(hashes, config->certificate_hashes, len);
  copy->certificate_hashes = (const uint8_t(*)[32])hashes;
  return 0;
}

int wt__client_config_copy(struct wt_client_config *copy, const struct wt_client_config *config, char *why,
                           size_t size) {
  struct wt_client_config given;
  memset(copy, 0, sizeof(*copy));
  wt_client_config_default(&given);
  int error = config ? wt__sized_read(&given, sizeof(given), config, WT__CLIENT_CONFIG_LEAST) : 0;
  if (error) {
    snprintf(why, size, "size is %zu: call wt_client_config_default first", config->size);
    return error;
  }
  error = wt__client_config_check(&given, why, size);
  if (error) return error;

  *copy = given;
  copy->ca_file = copy->bind = copy->qlog_dir = NULL;
  copy->certificate_hashes = NULL;
  if (copy->certificate) copy->certificate = wt__certificate_ref(copy->certificate);
  error = wt__names_copy_choice(&copy->cipher_suites, copy->cipher_suite_count, &copy->groups, copy->group_count);
  if (error == 0) error = hashes_copy(copy, &given);
  if (error == 0) error = text_copy(&copy->ca_file, given.ca_file);
  if (error == 0) error = text_copy(&copy->bind, given.bind);
  if (error == 0) error = wt__qlog_dir_copy(&copy->qlog_dir, given.qlog_dir, given.qlog);
  if (error) {
    wt__client_config_free(copy);
    snprintf(why, size, "%s", wt_error_string(error));
  }
  return error;
}

void wt__client_config_free(struct wt_client_config *copy) {
  wt__free((void *)(uintptr_t)copy->ca_file);
  wt__free((void *)(uintptr_t)copy->bind);
  wt__free((void *)(uintptr_t)copy->qlog_dir);
  wt_certificate_free(copy->certificate);
  wt__names_free(copy->cipher_suites, copy->cipher_suite_count);
  wt__names_free(copy->groups, copy->group_count);
  wt__free((void *)(uintptr_t)copy->certificate_hashes);
  memset(copy, 0, sizeof(*copy));
}
