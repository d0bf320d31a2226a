/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_BACKPLANE_H
#define WEBTRANSPORT_TOOL_BACKPLANE_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/backplane.h>

#include "serve/topics.h"

struct backplane_kind;

/* What carries topics to other servers. */
struct backplane_settings {
  const struct backplane_kind *kind;            /* NULL: there is none */
  char *urls;                                   /* with their secrets; freed by backplane_settings_free */
  const char *password_file, *ca_file, *prefix; /* NULL: none, the system's, the kind's own */
};

/* The most bytes of a password. */
enum {
  BACKPLANE_PASSWORD_MAX = 512
};

/*
 * Reads "redis://HOST", "rediss://HOST", "nats://HOST" or "tls://HOST", or several of one kind with commas between. Keeps a
 * copy, and replaces the secrets in `urls` itself by '*': it lies in argv, which `ps` shows. False: `message` says why not,
 * also if this program was built without what the kind needs.
 */
bool backplane_settings_read(struct backplane_settings *settings, char *urls, char *message, size_t size);
void backplane_settings_free(struct backplane_settings *settings);

/* Makes the backplane. NULL: `message` says why, without secrets. */
struct wt_backplane *backplane_make(const struct backplane_settings *settings, const struct topic_settings *topics,
                                    char *message, size_t size);

#endif
