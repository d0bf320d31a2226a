/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_OPTIONS_H
#define WEBTRANSPORT_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct command;

/* What a value is, for a shell that completes it. */
enum value_kind {
  VALUE_NONE = 0, /* nothing can be suggested beyond `words` */
  VALUE_FILE,
  VALUE_FOLDER,
  VALUE_WORD, /* one of `words`; every other is refused before `set` is called */
  VALUE_HOST,
  VALUE_NUMBER,
};

/*
 * Puts `value` (NULL for an option without an argument) into the command's settings. Returns false, with
 * what is wrong about the value in `message`, to refuse it. values.h has readers of this form.
 */
typedef bool (*value_set)(void *settings, const char *value, char *message, size_t size);

/*
 * One option of a command. A command's table of these is the only description of its options: the arrays
 * of getopt_long, the text of --help, the manual pages and the completions of the shells are made from it.
 */
struct option_spec {
  const char *name;     /* long name, without the dashes */
  char letter;          /* short name, or 0 */
  const char *argument; /* what the argument is called in --help, or NULL if there is none */
  enum value_kind kind; /* of the argument */
  const char *words;    /* values to suggest, separated by spaces; NULL for none */
  const char *fallback; /* what holds without the option, in words or as a value; NULL if that needs no word */
  bool repeatable;      /* whether it may be given more than once; else the second is an error */
  const char *help;     /* one or two sentences, without the default; the first alone goes into completions */
  value_set set;
};

/* One operand, such as URL. They are given in the order of the table; only the last may be repeatable. */
struct operand_spec {
  const char *name; /* "URL" */
  enum value_kind kind;
  const char *words;
  bool required; /* those that are not come last */
  bool repeatable;
  const char *help;
  value_set set;
};

enum options_outcome {
  OPTIONS_RUN,   /* go on */
  OPTIONS_HELP,  /* --help was printed: end well */
  OPTIONS_WRONG, /* a message was printed: end with EXIT_USAGE */
};

/*
 * Reads `argv`, whose first element is the command's name, into `settings`: options and operands in any
 * order, as getopt_long has it. --help is known to every command.
 */
enum options_outcome options_parse(const struct command *command, int argc, char **argv, void *settings);

/* Prints "webtransport NAME: MESSAGE", and where to find help, on standard error; returns EXIT_USAGE. */
int options_complain(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
