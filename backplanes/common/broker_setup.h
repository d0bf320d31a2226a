/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_BROKER_SETUP_H
#define WT_BACKPLANES_BROKER_SETUP_H

/* From a configuration to a backplane: what the kinds of brokers do alike. A kind keeps its error text itself, because
 * programs may contain several. */

#include <stddef.h>

#include "engine.h"

void wt__broker_config_init(const struct wt__broker *broker, struct wt_broker_config *config, size_t size);

/* Makes the struct of `broker->size` bytes: an engine, and then `broker->set_up`. 0, or WT_ERR_... with a sentence in
 * `why`, which is "" otherwise. */
int wt__broker_new(const struct wt__broker *broker, const struct wt_broker_config *config,
                   struct wt_backplane **backplane, char why[WT__WHY_MAX]);

/* Writes the sentence and returns the error. */
int wt__broker_refuse(char why[WT__WHY_MAX], int error, const char *sentence);

#endif
