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
 * Gives the forms in which a command is called, one at a time, from 0: "webtransport serve [OPTION]...";
 * its own first, then those of its subcommands. Returns false past the last.
 */
bool help_form(const struct command *command, size_t index, char *form, size_t size);

/* Writes an option's help with what holds without it, as sentences. */
void help_sentences(const struct option_spec *spec, char *text, size_t size);

/* Prints `text` wrapped to `width` columns from `column` on, all but the first line indented by `indent`. */
void help_wrap(FILE *out, const char *text, size_t indent, size_t column, size_t width);

#endif
