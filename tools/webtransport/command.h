/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMMAND_H
#define WEBTRANSPORT_TOOL_COMMAND_H

#include "options.h"

/* Exit statuses of every command. */
enum {
  EXIT_DONE = 0,
  EXIT_FAILED = 1, /* it could not do its work */
  EXIT_USAGE = 2,  /* it was called wrongly */
};

/* A command of the tool: `webtransport NAME [OPTIONS]`. main.c lists them all. */
struct command {
  const char *name;
  const char *summary;               /* one line, for the list of commands */
  const char *details;               /* paragraphs below the options in --help; "" for none */
  const struct option_spec *options; /* ended by one without a name */
  int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command serve_command;

#endif
