/* SPDX-License-Identifier: MIT */
/*
 * The list of the tool's commands. main.c runs them; the program that writes manual pages and completions (tools/docs/)
 * reads their tables.
 */
#include <string.h>

#include "command.h"

const struct command *const commands[] = {
    &serve_command, &gateway_command, &connect_command, &probe_command, &bench_command,
    &cert_command,  &keys_command,    &explain_command, NULL,
};

/* Options before a command. main.c executes them. */
const struct option_spec program_options[] = {
    {.name = "help", .letter = 'h', .help = "Prints the commands; 'webtransport COMMAND --help' explains one."},
    {.name = "version", .letter = 'V', .help = "Prints the version."},
    {0},
};

const char *command_word(const struct command *command) {
  const char *space = strrchr(command->name, ' ');
  return space ? space + 1 : command->name;
}

const struct command *command_find(const struct command *parent, const char *name) {
  const struct command *const *list = parent ? parent->subcommands : commands;
  for (; list && *list; list++)
    if (!strcmp(command_word(*list), name)) return *list;
  return NULL;
}
