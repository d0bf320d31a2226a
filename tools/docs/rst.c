/* SPDX-License-Identifier: MIT */
/*
 * The manual pages again, as reStructuredText for the documentation's site (docs/site): there each option has an
 * anchor and is found by the search. man.c has the same for man(1).
 *
 * Text is escaped by a backslash before each character that can begin markup.
 */
#include "docs.h"

#include <string.h>

#include "common/help.h"

static void indent_print(FILE *out, int indent) { fprintf(out, "%*s", indent, ""); }

/* Prints text of one or more paragraphs, each line of it after `indent` spaces, and an empty line behind it. A single
 * newline separates lines: they become a line block. */
static void text_print(FILE *out, int indent, const char *text) {
  bool block = false, begins = true;
  for (const char *c = text; *c; c++) {
    if (begins) {
      const char *end = strchr(c, '\n');
      block = block || (end && end[1] && end[1] != '\n');
      indent_print(out, indent);
      if (block) fputs("| ", out);
      begins = false;
    }
    if (*c == '\n') {
      fputc('\n', out);
      begins = true;
      if (c[1] == '\n') {
        fputc('\n', out);
        c++;
        block = false;
      }
      continue;
    }
    if (strchr("\\*`|_<:", *c)) fputc('\\', out);
    fputc(*c, out);
  }
  fputs("\n\n", out);
}

static void heading_print(FILE *out, const char *text, char line) {
  fprintf(out, "%s\n", text);
  for (size_t i = 0; i < strlen(text); i++) fputc(line, out);
  fputs("\n\n", out);
}

static void item_begin(FILE *out, const char *term) { fprintf(out, "``%s``\n", term); }

static void option_print(FILE *out, const struct command *command, const struct option_spec *spec) {
  char sentences[1024];
  (void)command;
  const char *space = spec->argument ? " " : "", *argument = spec->argument ? spec->argument : "";
  fprintf(out, ".. option:: ");
  if (spec->letter) fprintf(out, "-%c%s%s, ", spec->letter, space, argument);
  fprintf(out, "--%s%s%s\n\n", spec->name, space, argument);
  help_sentences(spec, sentences, sizeof sentences);
  text_print(out, 3, sentences);
}

static void forms_print(FILE *out, const struct command *command) {
  char form[256];
  fprintf(out, "::\n\n");
  for (size_t i = 0; help_form(command, i, form, sizeof form); i++) fprintf(out, "   %s\n", form);
  fputc('\n', out);
}

static void description_print(FILE *out, const struct command *command) {
  fprintf(out, "%s.\n\n", command->summary);
  forms_print(out, command);
  if (command->details[0]) text_print(out, 0, command->details);
  for (const struct operand_spec *spec = command->operands; spec && spec->name; spec++) {
    item_begin(out, spec->name);
    text_print(out, 3, spec->help);
  }
}

static void examples_print(FILE *out, const struct example_spec *example, const char *title) {
  if (!example) return;
  if (title) heading_print(out, title, '-');
  for (; example->line; example++) {
    text_print(out, 0, example->help);
    fprintf(out, "::\n\n   %s\n\n", example->line);
  }
}

static void options_print(FILE *out, const struct command *command, const char *title) {
  if (title) heading_print(out, title, '-');
  fprintf(out, ".. program:: webtransport %s\n\n", command->name);
  docs_each_option(out, command, option_print);
}

static void exits_print(FILE *out, unsigned exits) {
  heading_print(out, "Exit status", '-');
  for (const struct exit_spec *spec = exit_specs; spec->help; spec++) {
    if (exits & 1u << spec->status) fprintf(out, "``%d``\n   %s.\n\n", spec->status, spec->help);
  }
}

static void subcommand_print(FILE *out, const struct command *command) {
  char title[128];
  snprintf(title, sizeof title, "webtransport %s", command->name);
  heading_print(out, title, '-');
  description_print(out, command);
  options_print(out, command, NULL);
  examples_print(out, command->examples, NULL);
}

static void program_page(FILE *out) {
  heading_print(out, "webtransport", '=');
  fprintf(out, "Serves WebTransport sessions, opens them and looks at them, by one command each.\n\n"
               "::\n\n   webtransport [OPTION]...\n   webtransport COMMAND [OPTION]...\n\n");
  heading_print(out, "Commands", '-');
  for (const struct command *const *command = commands; *command; command++) {
    fprintf(out, ":doc:`%s <webtransport-%s>`\n", command_word(*command), (*command)->name);
    text_print(out, 3, (*command)->summary);
  }
  heading_print(out, "Options", '-');
  fprintf(out, ".. program:: webtransport\n\n");
  for (const struct option_spec *spec = program_options; spec->name; spec++) option_print(out, NULL, spec);
  exits_print(out, ~0u);
}

static void command_page(FILE *out, const struct command *command) {
  char title[128];
  snprintf(title, sizeof title, "webtransport %s", command->name);
  heading_print(out, title, '=');
  description_print(out, command);
  options_print(out, command, "Options");
  for (const struct command *const *list = command->subcommands; list && *list; list++) subcommand_print(out, *list);
  examples_print(out, command->examples, "Examples");
  exits_print(out, command->exits);
}

void docs_rst(FILE *out, const struct command *command) {
  if (command)
    command_page(out, command);
  else
    program_page(out);
}
