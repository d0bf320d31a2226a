/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_OPTIONS_H
#define WEBTRANSPORT_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct command;

/*
 * One option of a command. A command's table of these is the only description of its options: the
 * arrays of getopt_long and the text of --help are made from it.
 */
struct option_spec {
  const char *name;     /* long name, without the dashes */
  char letter;          /* short name, or 0 */
  const char *argument; /* what the argument is called in --help, or NULL if there is none */
  const char *fallback; /* what holds without the option, in words or as a value; NULL if that needs no word */
  bool repeatable;      /* whether it may be given more than once; else the second is an error */
  const char *help;     /* one or two sentences, without the default */

  /*
   * Puts `value` (NULL without an argument) into the command's settings. Returns false, with what is
   * wrong about the value in `message`, to refuse it.
   */
  bool (*set)(void *settings, const char *value, char *message, size_t size);
};

enum options_outcome {
  OPTIONS_RUN,   /* go on */
  OPTIONS_HELP,  /* --help was printed: end well */
  OPTIONS_WRONG, /* a message was printed: end with EXIT_USAGE */
};

/*
 * Reads `argv`, whose first element is the command's name, into `settings`. Operands are refused.
 * --help is known to every command.
 */
enum options_outcome options_parse(const struct command *command, int argc, char **argv, void *settings);

/* Prints "webtransport NAME: MESSAGE", and where to find help, on standard error; returns EXIT_USAGE. */
int options_complain(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the text of --help. */
void options_help(const struct command *command, FILE *out);

/* Prints `text` wrapped to `width` columns, all but the first line indented by `indent`. */
void options_wrap(FILE *out, const char *text, size_t indent, size_t column, size_t width);

#endif
