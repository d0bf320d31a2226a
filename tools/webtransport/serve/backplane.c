/* SPDX-License-Identifier: MIT */
/*
 * The backplane of `serve`: the scheme of a URL chooses among the libraries that this program was built with. They are
 * not part of the core, and each needs a client library of its broker, so CMake defines WT_TOOL_REDIS and WT_TOOL_NATS
 * where they are there.
 *
 * A password may stand in the URL, and then `ps` shows it until this program has read its options. So there is a file
 * for it, too.
 */
#include "serve/backplane.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webtransport/broker.h>
#ifdef WT_TOOL_REDIS
#include <webtransport/backplane_redis.h>
#endif
#ifdef WT_TOOL_NATS
#include <webtransport/backplane_nats.h>
#endif

#include "common/tool_log.h"
#include "common/values.h"
#include "common/visible_text.h"
#include "serve/topic_name.h"

struct backplane_kind {
  const char *schemes[2];
  const char *missing; /* how to get it */
  /* As the functions of the libraries. NULL: this program was built without it. */
  void (*config_init)(struct wt_broker_config *config, size_t size);
  int (*make)(const struct wt_broker_config *config, struct wt_backplane **backplane);
  const char *(*error)(void);
};

/* --- What is told. The library logs that the broker comes and goes, and what was dropped. --- */

static void backplane_on_event(const struct wt_backplane_event *event, void *user_data) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  char topic[TOPIC_NAME_MAX + 1], visible[4 * TOPIC_NAME_MAX + 8];
  (void)user_data;
  if (event->type != WT_BACKPLANE_GAP) return;
  if (!event->topic) {
    log_limited(&limit, WT_LOG_WARN, "backplane: messages of other servers may be missing, to any topic");
    return;
  }
  snprintf(topic, sizeof topic, "%.*s", (int)event->topic_len, event->topic);
  log_limited(&limit, WT_LOG_WARN, "backplane: %" PRIu64 " messages of other servers to topic %s did not arrive",
              event->count, visible_text(topic, visible, sizeof visible));
}

/* --- The kinds. --- */

#ifdef WT_TOOL_REDIS
#define REDIS wt_backplane_redis_config_init, wt_backplane_redis_new, wt_backplane_redis_error
#else
#define REDIS NULL, NULL, NULL
#endif
#ifdef WT_TOOL_NATS
#define NATS wt_backplane_nats_config_init, wt_backplane_nats_new, wt_backplane_nats_error
#else
#define NATS NULL, NULL, NULL
#endif

static const struct backplane_kind kinds[] = {
    {{"redis://", "rediss://"}, "Redis: build it with libhiredis-dev", REDIS},
    {{"nats://", "tls://"}, "NATS: build it with libnats-dev", NATS},
};

static bool kind_has(const struct backplane_kind *kind, const char *url) {
  for (size_t i = 0; i < 2; i++)
    if (!strncmp(url, kind->schemes[i], strlen(kind->schemes[i]))) return true;
  return false;
}

static const struct backplane_kind *kind_find(const char *url) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (kind_has(&kinds[i], url)) return &kinds[i];
  return NULL;
}

/* --- Settings. --- */

/* Replaces what stands before the last '@' of each URL. */
static void secrets_hide(char *urls) {
  for (char *at = urls; (at = strstr(at, "://")) != NULL;) {
    at += strlen("://");
    char *end = at + strcspn(at, ",");
    for (char *c = end; c > at; c--) {
      if (c[-1] != '@') continue;
      memset(at, '*', (size_t)(c - 1 - at));
      break;
    }
    at = end;
  }
}

bool backplane_settings_read(struct backplane_settings *settings, char *urls, char *message, size_t size) {
  free(settings->urls);
  settings->urls = strdup(urls);
  settings->kind = kind_find(urls);
  secrets_hide(urls);
  if (!settings->urls) return value_refuse(message, size, "out of memory");
  if (!settings->kind) return value_refuse(message, size, "expected a URL of redis://, rediss://, nats:// or tls://");
  for (const char *at = settings->urls; (at = strchr(at, ',')) != NULL;)
    if (!kind_has(settings->kind, ++at)) return value_refuse(message, size, "all URLs must be of one kind of broker");
  if (!settings->kind->make)
    return value_refuse(message, size, "this program was built without %s", settings->kind->missing);
  return true;
}

void backplane_settings_free(struct backplane_settings *settings) {
  if (settings->urls) explicit_bzero(settings->urls, strlen(settings->urls));
  free(settings->urls);
  settings->urls = NULL;
}

/* --- The start. --- */

/* Reads the first line of the file. */
static bool password_read(const char *name, char password[BACKPLANE_PASSWORD_MAX + 2], char *message, size_t size) {
  FILE *file = fopen(name, "re");
  if (!file) return value_refuse(message, size, "%s: %s", name, strerror(errno));
  char *line = fgets(password, BACKPLANE_PASSWORD_MAX + 2, file);
  int error = ferror(file) ? errno : 0;
  fclose(file);
  if (error) return value_refuse(message, size, "%s: %s", name, strerror(error));
  size_t len = line ? strcspn(line, "\r\n") : 0;
  if (len == 0) return value_refuse(message, size, "%s: the first line has no password", name);
  if (len > BACKPLANE_PASSWORD_MAX)
    return value_refuse(message, size, "%s: the password has more than %d bytes", name, BACKPLANE_PASSWORD_MAX);
  password[len] = 0;
  return true;
}

static void configure(struct wt_broker_config *config, const struct backplane_settings *settings,
                      const struct topic_settings *topics) {
  settings->kind->config_init(config, sizeof *config);
  config->url = settings->urls;
  config->ca_file = settings->ca_file;
  if (settings->prefix) config->prefix = settings->prefix;
  config->max_message_bytes = topics->max_message;
  config->max_topics = topics->max_topics;
  config->on_event = backplane_on_event;
}

struct wt_backplane *backplane_make(const struct backplane_settings *settings, const struct topic_settings *topics,
                                    char *message, size_t size) {
  char password[BACKPLANE_PASSWORD_MAX + 2] = "";
  struct wt_broker_config config;
  struct wt_backplane *backplane = NULL;
  configure(&config, settings, topics);
  if (settings->password_file) {
    if (!password_read(settings->password_file, password, message, size)) return NULL;
    config.password = password;
  }
  int error = settings->kind->make(&config, &backplane);
  explicit_bzero(password, sizeof password);
  if (!error) return backplane;
  const char *why = settings->kind->error();
  value_refuse(message, size, "backplane: %s", why[0] ? why : wt_error_string(error));
  return NULL;
}
