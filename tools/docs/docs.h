/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_DOCS_H
#define WEBTRANSPORT_DOCS_H

#include "command.h"

/* The manual page of a command with its subcommands, or of the whole tool if `command` is NULL. */
void docs_man(FILE *out, const struct command *command);

/* The same as reStructuredText, for the documentation's site. */
void docs_rst(FILE *out, const struct command *command);

/* The file of completions for each shell. */
void docs_bash(FILE *out);
void docs_zsh(FILE *out);
void docs_fish(FILE *out);

/* Calls `visit` for each command and subcommand. */
void docs_each(FILE *out, void (*visit)(FILE *out, const struct command *command));

/* Calls `visit` for each option of a command, --help last. */
void docs_each_option(FILE *out, const struct command *command,
                      void (*visit)(FILE *out, const struct command *command, const struct option_spec *spec));

/* Copies the first sentence of `text`, without its period. */
void docs_first_sentence(const char *text, char *sentence, size_t size);

/* Prints `text` in single quotes, for a shell whose quotes are escaped as `quote` says. */
void docs_print_quoted(FILE *out, const char *text, const char *quote);

#endif
