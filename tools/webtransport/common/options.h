/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_OPTIONS_H
#define WEBTRANSPORT_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct command;

/* The kind of a value, for completion in a shell. */
enum value_kind {
  VALUE_NONE = 0, /* nothing can be suggested beyond `words` */
  VALUE_FILE,
  VALUE_FOLDER,
  VALUE_WORD, /* one of `words`; any other is refused before `set` is called */
  VALUE_HOST,
  VALUE_NUMBER,
};

/*
 * Stores `value` (NULL for an option without an argument) in the command's settings. To refuse the value, it returns
 * false and writes into `message` what is wrong. values.h has functions that read values and do so.
 */
typedef bool (*value_set)(void *settings, const char *value, char *message, size_t size);

/*
 * One option of a command. The command's table of options is their only description: the arrays of getopt_long, --help,
 * the manual pages and the completions are made from it.
 */
struct option_spec {
  const char *name;     /* long name, without the dashes */
  char letter;          /* short name, or 0 */
  const char *argument; /* the name of the argument in --help, or NULL if there is none */
  enum value_kind kind; /* of the argument */
  const char *words;    /* values to suggest, separated by spaces; NULL for none */
  const char *fallback; /* the default, as a value or in words; NULL if it needs no mention */
  bool repeatable;      /* whether it may be given more than once */
  const char *help;     /* one or two sentences, without the default; the first alone goes into completions */
  value_set set;
};

/* One operand, such as URL. They are given in the order of the table; only the last may be repeatable. */
struct operand_spec {
  const char *name; /* "URL" */
  enum value_kind kind;
  const char *words;
  bool required; /* optional operands come last */
  bool repeatable;
  const char *help;
  value_set set;
};

enum options_outcome {
  OPTIONS_RUN,   /* the options are right: run the command */
  OPTIONS_HELP,  /* --help was printed: end with EXIT_DONE */
  OPTIONS_WRONG, /* a message was printed: end with EXIT_USAGE */
};

/*
 * Reads `argv`, whose first element is the command's name, into `settings`. Options and operands may come in any order.
 * Every command has --help.
 */
enum options_outcome options_parse(const struct command *command, int argc, char **argv, void *settings);

/* Prints "webtransport NAME: MESSAGE", and where to find help, on standard error; returns EXIT_USAGE. */
int options_complain(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
