/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_SETTINGS_H
#define WEBTRANSPORT_TOOL_GATEWAY_SETTINGS_H

#include "command.h"
#include "common/server_settings.h"
#include "gateway/config_file.h"
#include "gateway/route_settings.h"

enum {
  ROUTES_MAX = 256,
  DEFAULTS_MAX = 64, /* --default */
};

/* The settings of `webtransport gateway`, from its options and its file. Texts are argv's or the file's. */
struct gateway_settings {
  struct server_settings server; /* first */
  const char *config_path;       /* NULL: options alone */
  const char *access_log;        /* "-": standard output */
  bool http;                     /* whether metrics are served */
  struct host_port http_address;
  bool json, check;
  const char *route_texts[ROUTES_MAX], *default_texts[DEFAULTS_MAX];
  size_t route_text_count, default_text_count;

  struct config_file *file;
  struct route_settings defaults;
  struct route_settings *routes[ROUTES_MAX];
  size_t route_count;
};

extern const struct option_spec gateway_options[];
extern const char gateway_details[];
extern const struct example_spec gateway_examples[];

/*
 * Reads the options and, if they name one, the file. Where both say something, the option counts; lists are continued.
 * OPTIONS_WRONG: `message` says what is wrong, or is "" if it was printed already. The settings have to be freed in any
 * case.
 */
enum options_outcome gateway_settings_load(struct gateway_settings *settings, const struct command *command, int argc,
                                           char **argv, char *message, size_t size);
void gateway_settings_free(struct gateway_settings *settings);

#endif
