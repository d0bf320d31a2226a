/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_CONFIG_FILE_H
#define WEBTRANSPORT_TOOL_GATEWAY_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/options.h"

/*
 * A configuration file in YAML: mappings whose members are in tables of `struct option_spec`, as the options of a
 * command are. Every message begins with "FILE:LINE:COLUMN: ". Texts of values live until `config_file_free`.
 */
struct config_file;

/* A mapping in the file. */
struct config_mapping {
  const struct config_file *file;
  int node; /* libyaml's number of it */
};

enum {
  CONFIG_FILE_MAX = 1024 * 1024, /* bytes */
};

/* Reads the file. NULL: `message` says what is wrong. */
struct config_file *config_file_read(const char *path, char *message, size_t size);
void config_file_free(struct config_file *file);

/* The whole file. */
bool config_file_root(const struct config_file *file, struct config_mapping *root, char *message, size_t size);

/* Finds the mapping that is the member `name`. `*found` tells whether there is such a member. */
bool config_mapping_find(const struct config_mapping *mapping, const char *name, struct config_mapping *member,
                         bool *found, char *message, size_t size);

/*
 * Gives each member to its row of `table`: a value to `set`, the values of a list one by one if the row is repeatable,
 * and "yes", "true", "no" or "false" to a row without an argument. Members that `others` names (NULL ends it) are left
 * out; further ones are refused.
 */
bool config_mapping_apply(const struct config_mapping *mapping, const struct option_spec *table, void *settings,
                          const char *const *others, char *message, size_t size);

/*
 * Calls `visit` for each member: with its name, and either the text of its value or, if that is a mapping, with NULL
 * and the mapping. If `visit` refuses the name or the text, its message gets the place; a message about a place inside
 * the mapping has one already.
 */
typedef bool (*config_visit)(void *user_data, const char *name, const char *value, const struct config_mapping *mapping,
                             char *message, size_t size);
bool config_mapping_each(const struct config_mapping *mapping, config_visit visit, void *user_data, char *message,
                         size_t size);

#endif
