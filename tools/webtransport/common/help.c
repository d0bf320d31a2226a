/* SPDX-License-Identifier: MIT */
/*
 * Prints --help from the tables of command.h: how a command is called, its operands, options, subcommands, examples and
 * exit statuses. There are two columns; the right one is wrapped.
 *
 * The width is fixed, so that the text is the same everywhere. A narrower terminal wraps lines by itself.
 */
#include "common/help.h"

#include <string.h>

enum {
  HELP_COLUMN = 27,
  HELP_WIDTH = 98,
};

const struct option_spec help_option = {.name = "help", .letter = 'h', .help = "Prints this text."};

void help_wrap(FILE *out, const char *text, size_t indent, size_t column, size_t width) {
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

/* One row of two columns. */
static void row_print(FILE *out, const char *left, const char *right) {
  if (strlen(left) + 2 > HELP_COLUMN)
    fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
  else
    fprintf(out, "%-*s", HELP_COLUMN, left);
  help_wrap(out, right, HELP_COLUMN, HELP_COLUMN, HELP_WIDTH);
}

void help_sentences(const struct option_spec *spec, char *text, size_t size) {
  snprintf(text, size, "%s%s%s%s%s", spec->help, spec->repeatable ? " May be repeated." : "",
           spec->fallback ? " Default: " : "", spec->fallback ? spec->fallback : "", spec->fallback ? "." : "");
}

static void option_print(FILE *out, const struct option_spec *spec) {
  char left[80], right[1024];
  snprintf(left, sizeof left, "  %c%c%s--%s%s%s", spec->letter ? '-' : ' ', spec->letter ? spec->letter : ' ',
           spec->letter ? ", " : "  ", spec->name, spec->argument ? " " : "", spec->argument ? spec->argument : "");
  help_sentences(spec, right, sizeof right);
  row_print(out, left, right);
}

static void options_print(FILE *out, const struct option_spec *spec) {
  fprintf(out, "\nOptions:\n");
  for (; spec->name; spec++) option_print(out, spec);
}

static void operands_print(FILE *out, const struct operand_spec *spec) {
  if (!spec || !spec->name) return;
  fputc('\n', out);
  for (; spec->name; spec++) {
    char left[80];
    snprintf(left, sizeof left, "  %s", spec->name);
    row_print(out, left, spec->help);
  }
}

/* Prints the statuses whose bit is in `exits`. */
static void exits_print(FILE *out, unsigned exits) {
  fprintf(out, "\nExit status:\n");
  for (const struct exit_spec *spec = exit_specs; spec->help; spec++)
    if (exits & 1u << spec->status) fprintf(out, "  %d  %s.\n", spec->status, spec->help);
}

static void commands_print(FILE *out, const char *title, const struct command *const *list) {
  fprintf(out, "\n%s:\n", title);
  for (; *list; list++) fprintf(out, "  %-10s %s.\n", command_word(*list), (*list)->summary);
}

static void form_print(const struct command *command, char *form, size_t size) {
  size_t used = (size_t)snprintf(form, size, "webtransport %s [OPTION]...", command->name);
  for (const struct operand_spec *spec = command->operands; spec && spec->name && used < size; spec++)
    used += (size_t)snprintf(form + used, size - used, spec->required ? " %s%s" : " [%s]%s", spec->name,
                             spec->repeatable ? "..." : "");
}

bool help_form(const struct command *command, size_t index, char *form, size_t size) {
  const struct command *const *list = command->subcommands;
  for (size_t i = 0; i < index; i++, list++) {
    if (!list || !*list) return false;
    command = *list;
  }
  form_print(command, form, size);
  return true;
}

void help_print(const struct command *command, FILE *out) {
  char form[256];
  for (size_t i = 0; help_form(command, i, form, sizeof form); i++)
    fprintf(out, "%s %s\n", i ? "      " : "Usage:", form);
  fprintf(out, "%s.\n", command->summary);
  operands_print(out, command->operands);
  options_print(out, command->options);
  option_print(out, &help_option);
  if (command->subcommands) commands_print(out, "Subcommands", command->subcommands);
  if (command->details[0]) {
    fputc('\n', out);
    help_wrap(out, command->details, 0, 0, HELP_WIDTH);
  }
  if (command->examples) fprintf(out, "\nExamples:\n");
  for (const struct example_spec *example = command->examples; example && example->line; example++) {
    fprintf(out, "  %s\n      ", example->line);
    help_wrap(out, example->help, 6, 6, HELP_WIDTH);
  }
  exits_print(out, command->exits);
}

void help_print_program(FILE *out) {
  fprintf(out, "Usage: webtransport COMMAND [OPTION]...\nWebTransport over HTTP/3.\n");
  commands_print(out, "Commands", commands);
  options_print(out, program_options);
  exits_print(out, ~0u);
}
