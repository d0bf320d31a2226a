/* SPDX-License-Identifier: MIT */

/*
 * Checks and copies a server's configuration, before anything is opened.
 *
 * net/bounds.c checks the members that clients have, too; this file checks those that only servers have. The copy has its
 * own strings and key. The secrets of a fleet are checked in net/fleet_keys.c, and not copied: the server keeps what it
 * derives from them.
 */

#include "net/config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/rate.h"
#include "net/bounds.h"
#include "net/names.h"
#include "net/qlog_files.h"
#include "quic/cid.h"
#include "quic/cid_scheme.h"
#include "quic/keys.h"
#include "quic/tls.h"

#define MIN_MEMORY WT__MIB /* some ten connections */
#define MAX_FILES 1000000

static const char *const config_listen[] = {"[::]:443"};

#define UNKNOWN_MEMORY (1024 * WT__MIB) /* a small machine, where the system does not say: no limit would be worse */

static size_t machine_memory(void) {
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : UNKNOWN_MEMORY;
}

void wt_server_config_init(struct wt_server_config *config, size_t size) {
  const struct wt_server_config all = {
      .listen = config_listen,
      .listen_count = 1,
      .workers = 1,
      .log_level = WT_LOG_WARN,
      WT__BOUNDS_DEFAULTS,
      .handshake_timeout_ms = 10000,
      .no_request_timeout_ms = 10000,
      .header_timeout_ms = 30000,
      .send_timeout_ms = 60000,
      .body_timeout_ms = 60000,
      .min_progress = 1024,
      .retry = WT_RETRY_UNDER_LOAD,
      .retry_threshold = 256,
      .max_connections_per_address = 1024,
      .max_handshakes_per_address = 256,
      .session_tickets = true,
      .ticket_lifetime_s = WT__TICKET_LIFETIME_S,
      .max_session_rate = 100,
      .max_open_files = wt__open_files_default(),
      .max_open_files_per_connection = 32,
      .max_memory = machine_memory() / 2,
      .qlog_max_file_bytes = WT__QLOG_FILE_MAX,
  };
  wt__sized_init(config, size, &all, sizeof(all));
}

/* --- Checks --- */

static void check_listen(struct wt__check *check, const struct wt_server_config *config) {
  WT__CHECK_RANGE(check, config, listen_count, config->socket_count ? 0 : 1, WT__LISTEN_MAX);
  if (check->failed) return;
  if (!config->listen && config->listen_count) {
    wt__check_fail(check, "listen is NULL");
    return;
  }
  for (size_t i = 0; i < config->listen_count; i++) {
    if (!config->listen[i] || !*config->listen[i]) wt__check_fail(check, "listen[%zu] is empty", i);
  }
}

static void check_sockets(struct wt__check *check, const struct wt_server_config *config) {
  WT__CHECK_RANGE(check, config, socket_count, 0, WT__LISTEN_MAX);
  if (check->failed) return;
  if (!config->sockets && config->socket_count) {
    wt__check_fail(check, "sockets is NULL");
    return;
  }
  for (size_t i = 0; i < config->socket_count; i++) {
    if (config->sockets[i] < 0) wt__check_fail(check, "sockets[%zu] is %d, no descriptor", i, config->sockets[i]);
  }
}

static void check_times(struct wt__check *check, const struct wt_server_config *config) {
  WT__CHECK_RANGE(check, config, handshake_timeout_ms, 1, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, config, no_request_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, config, header_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, config, send_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, config, body_timeout_ms, 0, WT__BOUNDS_MAX_MS);
  WT__CHECK_RANGE(check, config, min_progress, 1, WT__BOUNDS_MAX_MS);
}

static void check_choices(struct wt__check *check, const struct wt_server_config *config) {
  wt__check_range(check, "log_level", (uint64_t)config->log_level, WT_LOG_NONE, WT_LOG_DEBUG);
  wt__check_range(check, "retry", (uint64_t)config->retry, WT_RETRY_NEVER, WT_RETRY_ALWAYS);
  size_t len = config->reset_key ? WT__RESET_KEY_LEN : 0;
  if (config->reset_key_len != len) {
    wt__check_fail(check, "reset_key_len is %zu, must be %zu %s a reset_key", config->reset_key_len, len,
                   len ? "with" : "without");
  }
}

static void check_tls(struct wt__check *check, const struct wt_server_config *config) {
  const struct wt__tls_choice choice = {config->cipher_suites, config->cipher_suite_count, config->groups,
                                        config->group_count};
  wt__names_check_choice(&choice, check);
  WT__CHECK_RANGE(check, config, ticket_lifetime_s, 1, WT__TICKET_LIFETIME_MAX);
}

static void check_client_certificates(struct wt__check *check, const struct wt_server_config *config) {
  enum wt_client_certificates mode = config->client_certificates;
  wt__check_range(check, "client_certificates", (uint64_t)mode, WT_CLIENT_CERTIFICATES_NONE,
                  WT_CLIENT_CERTIFICATES_REQUIRE);
  if (config->client_ca_file && mode == WT_CLIENT_CERTIFICATES_NONE) {
    wt__check_fail(check, "client_ca_file is set, but client_certificates asks for none");
  }
  if (!config->client_ca_file && mode == WT_CLIENT_CERTIFICATES_REQUIRE) {
    wt__check_fail(check, "client_certificates requires them, so client_ca_file must be set");
  }
}

static void check_connection_ids(struct wt__check *check, const struct wt_server_config *config) {
  struct wt__cid_scheme scheme;
  char why[WT__CID_WHY_MAX] = "";
  if (wt__cid_scheme_read(&scheme, config->connection_ids, config->workers, why, sizeof(why)))
    wt__check_fail(check, "connection_ids: %s", why);
  wt__wipe(&scheme, sizeof(scheme));
}

int wt__config_check(const struct wt_server_config *config, char *why, size_t size) {
  struct wt__check check = {.why = why, .size = size};
  struct wt__bounds bounds;
  check_listen(&check, config);
  check_sockets(&check, config);
  check_choices(&check, config);
  check_times(&check, config);
  check_client_certificates(&check, config);
  check_tls(&check, config);
  WT__BOUNDS_OF(&bounds, struct wt_server_config, config);
  wt__bounds_check(&bounds, &check);
  WT__CHECK_RANGE(&check, config, workers, 1, WT__WORKERS_MAX);
  WT__CHECK_RANGE(&check, config, max_connections_per_address, 1, SIZE_MAX);
  WT__CHECK_RANGE(&check, config, max_handshakes_per_address, 1, SIZE_MAX);
  WT__CHECK_RANGE(&check, config, max_session_rate, 0, WT__RATE_MAX);
  WT__CHECK_RANGE(&check, config, max_open_files, 0, MAX_FILES);
  WT__CHECK_RANGE(&check, config, max_open_files_per_connection, 0, MAX_FILES);
  if (config->max_memory) WT__CHECK_RANGE(&check, config, max_memory, MIN_MEMORY, SIZE_MAX);
  check_connection_ids(&check, config);
  if (config->qlog && config->qlog_dir) wt__check_fail(&check, "qlog and qlog_dir exclude each other");
  WT__CHECK_RANGE(&check, config, qlog_max_file_bytes, WT__QLOG_FILE_LEAST, INT64_MAX);
  return check.failed ? WT_ERR_INVALID : 0;
}

/* --- The copy --- */

static int listen_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  copy->listen_count = config->listen_count;
  return wt__names_copy(&copy->listen, config->listen, config->listen_count);
}

static int sockets_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  if (config->socket_count == 0) return 0;
  int *sockets = wt__malloc(config->socket_count * sizeof(*sockets));
  if (!sockets) return WT_ERR_NOMEM;
  memcpy(sockets, config->sockets, config->socket_count * sizeof(*sockets));
  copy->sockets = sockets;
  copy->socket_count = config->socket_count;
  return 0;
}

static int client_ca_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  copy->client_ca_file = config->client_ca_file ? wt__strdup(config->client_ca_file) : NULL;
  return config->client_ca_file && !copy->client_ca_file ? WT_ERR_NOMEM : 0;
}

static int reset_key_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  if (!config->reset_key) return 0;
  uint8_t *key = wt__malloc(config->reset_key_len);
  if (!key) return WT_ERR_NOMEM;
  memcpy(key, config->reset_key, config->reset_key_len);
  copy->reset_key = key;
  return 0;
}

/* The struct with what it points to. */
struct connection_ids {
  struct wt_connection_ids ids;
  uint8_t server_id[WT__LB_SERVER_ID_MAX], key[WT__AES_KEY_LEN];
};

/* `config` was checked. */
static int connection_ids_copy(struct wt_server_config *copy, const struct wt_server_config *config) {
  const struct wt_connection_ids *ids = config->connection_ids;
  if (!ids) return 0;
  struct connection_ids *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  (void)wt__sized_read(&made->ids, sizeof(made->ids), ids, sizeof(made->ids));
  if (made->ids.server_id_len) memcpy(made->server_id, ids->server_id, ids->server_id_len);
  if (made->ids.key_len) memcpy(made->key, ids->key, ids->key_len);
  made->ids.server_id = made->ids.server_id_len ? made->server_id : NULL;
  made->ids.key = made->ids.key_len ? made->key : NULL;
  copy->connection_ids = &made->ids;
  return 0;
}

static void connection_ids_free(const struct wt_connection_ids *ids) {
  if (!ids) return;
  struct connection_ids *made = WT__CONTAINER_OF(ids, struct connection_ids, ids);
  wt__wipe(made, sizeof(*made));
  wt__free(made);
}

int wt__config_copy(struct wt_server_config *copy, const struct wt_server_config *config, char *why, size_t size) {
  struct wt_server_config given;
  memset(copy, 0, sizeof(*copy));
  wt_server_config_default(&given);
  int error = config ? wt__sized_read(&given, sizeof(given), config, WT__SERVER_CONFIG_LEAST) : 0;
  if (error) {
    snprintf(why, size, "size is %zu: call wt_server_config_default first", config->size);
    return error;
  }
  error = wt__config_check(&given, why, size);
  if (error) return error;

  *copy = given;
  copy->listen = NULL;
  copy->listen_count = 0;
  copy->sockets = NULL;
  copy->socket_count = 0;
  copy->reset_key = NULL;
  copy->client_ca_file = NULL;
  copy->connection_ids = NULL;
  copy->qlog_dir = NULL;
  error = wt__names_copy_choice(&copy->cipher_suites, copy->cipher_suite_count, &copy->groups, copy->group_count);
  if (error == 0) error = listen_copy(copy, &given);
  if (error == 0) error = sockets_copy(copy, &given);
  if (error == 0) error = client_ca_copy(copy, &given);
  if (error == 0) error = reset_key_copy(copy, &given);
  if (error == 0) error = connection_ids_copy(copy, &given);
  if (error == 0) error = wt__qlog_dir_copy(&copy->qlog_dir, given.qlog_dir, given.qlog);
  if (error) {
    wt__config_free(copy);
    snprintf(why, size, "%s", wt_error_string(error));
  }
  return error;
}

void wt__config_free(struct wt_server_config *copy) {
  wt__names_free(copy->listen, copy->listen_count);
  wt__free((void *)(uintptr_t)copy->sockets);
  wt__names_free(copy->cipher_suites, copy->cipher_suite_count);
  wt__names_free(copy->groups, copy->group_count);
  if (copy->reset_key) wt__wipe((void *)(uintptr_t)copy->reset_key, copy->reset_key_len);
  wt__free((void *)(uintptr_t)copy->reset_key);
  wt__free((void *)(uintptr_t)copy->client_ca_file);
  wt__free((void *)(uintptr_t)copy->qlog_dir);
  connection_ids_free(copy->connection_ids);
  memset(copy, 0, sizeof(*copy));
}
