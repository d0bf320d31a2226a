/* SPDX-License-Identifier: MIT */
/*
 * Options and operands of the commands. Each command describes them once, in tables (options.h). This file makes the
 * arrays of getopt_long from the tables, help.c makes --help, and tools/docs/ makes the manual pages and completions,
 * so that they cannot differ.
 *
 * A message about a mistake names what was typed and how to get help. The exit status is 2. getopt_long's own messages
 * name neither, so they are switched off.
 */
#include "common/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "command.h"
#include "common/help.h"
#include "common/values.h"

enum {
  MAX_OPTIONS = 62,
  LONG_BASE = 0x100, /* getopt_long's values for the rows of the table; no letter is that large */
  HELP_VALUE = LONG_BASE + MAX_OPTIONS,
};

struct getopt_arrays {
  struct option longs[MAX_OPTIONS + 2];
  char shorts[2 * MAX_OPTIONS + 4];
  size_t count;
};

int options_complain(const struct command *command, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "webtransport %s: ", command->name);
  vfprintf(stderr, format, args);
  fprintf(stderr, "\nTry 'webtransport %s --help'.\n", command->name);
  va_end(args);
  return EXIT_USAGE;
}

static void arrays_make(struct getopt_arrays *arrays, const struct option_spec *options) {
  memset(arrays, 0, sizeof *arrays);
  char *letter = arrays->shorts;
  *letter++ = ':';
  *letter++ = 'h';
  for (; options[arrays->count].name && arrays->count < MAX_OPTIONS; arrays->count++) {
    const struct option_spec *spec = &options[arrays->count];
    arrays->longs[arrays->count] = (struct option){
        .name = spec->name,
        .has_arg = spec->argument ? required_argument : no_argument,
        .val = LONG_BASE + (int)arrays->count,
    };
    if (spec->letter) {
      *letter++ = spec->letter;
      if (spec->argument) *letter++ = ':';
    }
  }
  arrays->longs[arrays->count] = (struct option){.name = "help", .has_arg = no_argument, .val = HELP_VALUE};
}

/* Returns the row for a value that getopt_long returned. */
static size_t arrays_row(const struct getopt_arrays *arrays, const struct option_spec *options, int value) {
  if (value >= LONG_BASE) return (size_t)(value - LONG_BASE);
  for (size_t i = 0; i < arrays->count; i++)
    if (options[i].letter && options[i].letter == value) return i;
  return arrays->count;
}

/* Words are checked here, so that a command accepts exactly the words of its table. */
static bool value_apply(enum value_kind kind, const char *words, value_set set, const char *value, void *settings,
                        char *message, size_t size) {
  size_t index;
  if (kind == VALUE_WORD && !value_word(value, words, &index, message, size)) return false;
  return set(settings, value, message, size);
}

static bool option_apply(const struct command *command, size_t row, bool *seen, void *settings) {
  const struct option_spec *spec = &command->options[row];
  char message[400] = "";
  if (seen[row] && !spec->repeatable) {
    options_complain(command, "--%s may be given only once", spec->name);
    return false;
  }
  seen[row] = true;
  const char *value = spec->argument ? optarg : NULL;
  if (value_apply(spec->kind, spec->words, spec->set, value, settings, message, sizeof message)) return true;
  if (spec->argument)
    options_complain(command, "--%s '%s': %s", spec->name, optarg, message);
  else
    options_complain(command, "--%s: %s", spec->name, message);
  return false;
}

static enum options_outcome operands_apply(const struct command *command, int argc, char **argv, void *settings) {
  const struct operand_spec *spec = command->operands;
  char message[400] = "";
  bool again = false; /* whether `spec` was given already */
  for (; argc > 0; argc--, argv++) {
    if (!spec || !spec->name) {
      options_complain(command, "unexpected argument '%s'", *argv);
      return OPTIONS_WRONG;
    }
    if (!value_apply(spec->kind, spec->words, spec->set, *argv, settings, message, sizeof message)) {
      options_complain(command, "%s '%s': %s", spec->name, *argv, message);
      return OPTIONS_WRONG;
    }
    again = spec->repeatable;
    if (!again) spec++;
  }
  if (spec && spec->name && spec->required && !again) {
    options_complain(command, "%s is missing", spec->name);
    return OPTIONS_WRONG;
  }
  return OPTIONS_RUN;
}

enum options_outcome options_parse(const struct command *command, int argc, char **argv, void *settings) {
  struct getopt_arrays arrays;
  bool seen[MAX_OPTIONS] = {false};
  arrays_make(&arrays, command->options);
  opterr = 0;
  optind = 0; /* resets getopt_long, because a process may call this twice */
  for (;;) {
    int at = optind ? optind : 1;
    int value = getopt_long(argc, argv, arrays.shorts, arrays.longs, NULL);
    if (value == -1) break;
    if (value == 'h' || value == HELP_VALUE) {
      help_print(command, stdout);
      return OPTIONS_HELP;
    }
    if (value == ':' || value == '?') {
      options_complain(command, value == ':' ? "option '%s' needs a value" : "unknown option '%s'", argv[at]);
      return OPTIONS_WRONG;
    }
    size_t row = arrays_row(&arrays, command->options, value);
    if (row >= arrays.count || !option_apply(command, row, seen, settings)) return OPTIONS_WRONG;
  }
  return operands_apply(command, argc - optind, argv + optind, settings);
}
