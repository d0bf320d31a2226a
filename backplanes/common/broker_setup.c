/* SPDX-License-Identifier: MIT */

/*
 * From a configuration to a backplane: see broker_setup.h. What is wrong for every broker is found here, what is wrong for
 * one kind in its `set_up`.
 */

#include "broker_setup.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sized.h"

void wt__broker_config_init(const struct wt__broker *broker, struct wt_broker_config *config, size_t size) {
  struct wt_broker_config all = {
      .url = broker->url,
      .prefix = broker->prefix,
      .reconnect_min_ms = 50,
      .reconnect_max_ms = 500,
      .resend_delay_ms = 500,
      .timeout_ms = 2000,
      .max_queue_bytes = 16 * 1024 * 1024,
      .max_message_bytes = 1000000,
      .max_topics = 65536,
  };
  wt__sized_init(config, size, &all, sizeof(all));
}

int wt__broker_refuse(char why[WT__WHY_MAX], int error, const char *sentence) {
  snprintf(why, WT__WHY_MAX, "%s", sentence);
  return error;
}

static const char *config_fault(const struct wt_broker_config *config) {
  if (!config->url) return "url must not be NULL";
  if (!config->prefix) return "prefix must not be NULL";
  if (strlen(config->prefix) > WT__PREFIX_MAX) return "prefix has at most 255 bytes";
  if (!config->certificate_file != !config->key_file) return "certificate_file and key_file belong together";
  if (config->reconnect_min_ms < 1 || config->reconnect_min_ms > config->reconnect_max_ms ||
      config->reconnect_max_ms > 3600000) {
    return "reconnect_min_ms must be at least 1, and reconnect_max_ms between that and 3,600,000";
  }
  if (config->resend_delay_ms > 3600000) return "resend_delay_ms must be at most 3,600,000";
  if (config->timeout_ms < 10 || config->timeout_ms > 3600000) return "timeout_ms must be 10 to 3,600,000";
  if (config->max_message_bytes < 1 || config->max_message_bytes > 256 * 1024 * 1024) {
    return "max_message_bytes must be 1 to 268,435,456";
  }
  if (config->max_topics < 1) return "max_topics must be at least 1";
  return NULL;
}

/* User and password beside the URL. */
static bool words_set(struct wt__engine *engine, const struct wt_broker_config *config) {
  for (size_t i = 0; i < engine->url_count; i++) {
    struct wt__broker_url *url = &engine->urls[i];
    if (!wt__broker_word_set(url->user, config->username) || !wt__broker_word_set(url->password, config->password)) {
      return false;
    }
  }
  return true;
}

static int engine_new(struct wt__engine **made, const struct wt__broker *broker, const struct wt_broker_config *config,
                      char why[WT__WHY_MAX]) {
  const char *sentence = "out of memory";
  struct wt__engine *engine = wt__calloc(1, broker->size);
  if (!engine) return wt__broker_refuse(why, WT_ERR_NOMEM, sentence);
  int error = wt__engine_init(engine, broker, config, &sentence);
  if (error) {
    wt__free(engine);
    return wt__broker_refuse(why, error, sentence);
  }
  *made = engine;
  return 0;
}

int wt__broker_new(const struct wt__broker *broker, const struct wt_broker_config *config,
                   struct wt_backplane **backplane, char why[WT__WHY_MAX]) {
  struct wt_broker_config all;
  struct wt__engine *engine;
  why[0] = 0;
  if (!backplane) return wt__broker_refuse(why, WT_ERR_INVALID, "an argument is NULL");
  *backplane = NULL;
  wt__broker_config_init(broker, &all, sizeof(all));
  int error = wt__sized_read(&all, sizeof(all), config, sizeof(all));
  if (error) return wt__broker_refuse(why, error, "the configuration is not one that the _default function has filled");
  const char *fault = config_fault(&all);
  if (fault) return wt__broker_refuse(why, WT_ERR_INVALID, fault);
  error = engine_new(&engine, broker, &all, why);
  if (error) return error;
  error = words_set(engine, &all) ? broker->set_up(engine, &all, why)
                                  : wt__broker_refuse(why, WT_ERR_INVALID, "username or password is too long");
  if (error) {
    broker->free(engine);
    return error;
  }
  why[0] = 0;
  *backplane = &engine->base;
  return 0;
}
