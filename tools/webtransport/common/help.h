/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HELP_H
#define WEBTRANSPORT_TOOL_HELP_H

#include "command.h"

/* The option that every command has. */
extern const struct option_spec help_option;

/* Prints what `webtransport NAME --help` shows. */
void help_print(const struct command *command, FILE *out);

/* Prints what `webtransport --help` shows. */
void help_print_program(FILE *out);

/*
 * Writes how a command is called into `form`: "webtransport serve [OPTION]...". Form 0 is the command's own, then those
 * of its subcommands follow. Returns false past the last form.
 */
bool help_form(const struct command *command, size_t index, char *form, size_t size);

/* Writes an option's help and its default, as sentences. */
void help_sentences(const struct option_spec *spec, char *text, size_t size);

/* Prints `text`, which begins at `column`, wrapped to `width` columns. All lines but the first are indented by
 * `indent`. */
void help_wrap(FILE *out, const char *text, size_t indent, size_t column, size_t width);

#endif
