/* SPDX-License-Identifier: MIT */
/*
 * Options of the commands. Each command describes its options once, in a table (struct option_spec);
 * what getopt_long wants and what --help prints are made from it here, so that the two cannot differ,
 * and a manual page can be made from the same table.
 *
 * A mistake always names what was typed and where help is, and ends in exit status 2. getopt_long's
 * own messages are switched off because they name neither.
 */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "command.h"

enum {
  MAX_OPTIONS = 62,
  LONG_BASE = 0x100, /* getopt_long's values for the table's rows, clear of every letter */
  HELP_VALUE = LONG_BASE + MAX_OPTIONS,
  HELP_COLUMN = 27,
  HELP_WIDTH = 98,
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

/* Returns the row that `value` of getopt_long stands for. */
static size_t arrays_row(const struct getopt_arrays *arrays, const struct option_spec *options, int value) {
  if (value >= LONG_BASE) return (size_t)(value - LONG_BASE);
  for (size_t i = 0; i < arrays->count; i++)
    if (options[i].letter && options[i].letter == value) return i;
  return arrays->count;
}

static bool option_apply(const struct command *command, size_t row, bool *seen, void *settings) {
  const struct option_spec *spec = &command->options[row];
  char message[400] = "";
  if (seen[row] && !spec->repeatable) {
    options_complain(command, "--%s may be given only once", spec->name);
    return false;
  }
  seen[row] = true;
  if (spec->set(settings, spec->argument ? optarg : NULL, message, sizeof message)) return true;
  if (spec->argument)
    options_complain(command, "--%s '%s': %s", spec->name, optarg, message);
  else
    options_complain(command, "--%s: %s", spec->name, message);
  return false;
}

enum options_outcome options_parse(const struct command *command, int argc, char **argv, void *settings) {
  struct getopt_arrays arrays;
  bool seen[MAX_OPTIONS] = {false};
  arrays_make(&arrays, command->options);
  opterr = 0;
  optind = 1;
  for (;;) {
    int at = optind;
    int value = getopt_long(argc, argv, arrays.shorts, arrays.longs, NULL);
    if (value == -1) break;
    if (value == 'h' || value == HELP_VALUE) {
      options_help(command, stdout);
      return OPTIONS_HELP;
    }
    if (value == ':') {
      options_complain(command, "option '%s' needs a value", argv[at]);
      return OPTIONS_WRONG;
    }
    if (value == '?') {
      options_complain(command, "unknown option '%s'", argv[at]);
      return OPTIONS_WRONG;
    }
    size_t row = arrays_row(&arrays, command->options, value);
    if (row >= arrays.count || !option_apply(command, row, seen, settings)) return OPTIONS_WRONG;
  }
  if (optind < argc) {
    options_complain(command, "unexpected argument '%s'", argv[optind]);
    return OPTIONS_WRONG;
  }
  return OPTIONS_RUN;
}

void options_wrap(FILE *out, const char *text, size_t indent, size_t column, size_t width) {
  bool first = true;
  while (*text) {
    size_t word = strcspn(text, " \n");
    if (!first && column + 1 + word > width) {
      fprintf(out, "\n%*s", (int)indent, "");
      column = indent;
    } else if (!first && column > indent) {
      fputc(' ', out);
      column++;
    }
    fwrite(text, 1, word, out);
    column += word;
    first = false;
    text += word;
    if (*text == '\n') {
      fprintf(out, "\n%*s", text[1] && text[1] != '\n' ? (int)indent : 0, "");
      column = indent;
      first = true;
    }
    if (*text) text++;
  }
  fputc('\n', out);
}

static void option_help(FILE *out, const struct option_spec *spec) {
  char left[80], right[1024];
  snprintf(left, sizeof left, "  %c%c%s--%s%s%s", spec->letter ? '-' : ' ', spec->letter ? spec->letter : ' ',
           spec->letter ? ", " : "  ", spec->name, spec->argument ? " " : "", spec->argument ? spec->argument : "");
  snprintf(right, sizeof right, "%s%s%s%s%s", spec->help, spec->repeatable ? " May be repeated." : "",
           spec->fallback ? " Default: " : "", spec->fallback ? spec->fallback : "", spec->fallback ? "." : "");
  if (strlen(left) + 2 > HELP_COLUMN)
    fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
  else
    fprintf(out, "%-*s", HELP_COLUMN, left);
  options_wrap(out, right, HELP_COLUMN, HELP_COLUMN, HELP_WIDTH);
}

void options_help(const struct command *command, FILE *out) {
  fprintf(out, "Usage: webtransport %s [OPTION]...\n%s.\n\nOptions:\n", command->name, command->summary);
  for (const struct option_spec *spec = command->options; spec->name; spec++) option_help(out, spec);
  option_help(out, &(struct option_spec){.name = "help", .letter = 'h', .help = "Prints this text."});
  if (command->details[0]) {
    fputc('\n', out);
    options_wrap(out, command->details, 0, 0, HELP_WIDTH);
  }
}
