/* SPDX-License-Identifier: MIT */
/*
 * Completion for fish: a function that finds command and subcommand among the words before the cursor,
 * passing over the values of options, and a line for each option, command and operand that holds there.
 */
#include "docs.h"

#include <string.h>

static void value_case(FILE *out, const struct command *command, const struct option_spec *spec) {
  if (!spec->argument) return;
  fprintf(out, " '%s --%s'", command->name, spec->name);
  if (spec->letter) fprintf(out, " '%s -%c'", command->name, spec->letter);
}

static void values_print(FILE *out, const struct command *command) { docs_each_option(out, command, value_case); }

static void subcommand_cases(FILE *out) {
  for (const struct command *const *command = commands; *command; command++) {
    fprintf(out, " ' %s'", (*command)->name);
    const struct command *const *list = (*command)->subcommands;
    for (; list && *list; list++) fprintf(out, " '%s'", (*list)->name);
  }
}

static void head_print(FILE *out) {
  fprintf(out,
          "# Completion of webtransport for fish. Written by the build from the tool's tables; not to be edited.\n\n"
          "# Prints the command before the cursor, with its subcommand.\n"
          "function __webtransport_command\n"
          "    set -l words (commandline -opc)\n    set -l command\n    set -l expects no\n    set -l operands no\n"
          "    for word in $words[2..-1]\n"
          "        if test $expects = yes\n            set expects no\n            continue\n        end\n"
          "        switch \"$command $word\"\n            case");
  docs_each(out, values_print);
  fprintf(out, "\n                set expects yes\n            case");
  subcommand_cases(out);
  fprintf(out,
          "\n                if test $operands = no\n                    set command (string trim \"$command $word\")\n"
          "                end\n"
          "            case '* -*'\n            case '*'\n                set operands yes\n"
          "        end\n    end\n    echo \"$command\"\nend\n\n"
          "function __webtransport_in\n    test (__webtransport_command) = \"$argv[1]\"\nend\n\n"
          "complete -c webtransport -f\n");
}

static void line_begin(FILE *out, const char *command) {
  fprintf(out, "complete -c webtransport -n '__webtransport_in \"%s\"'", command);
}

/* What a value is; fish completes files by itself unless it is told not to. */
static void value_print(FILE *out, enum value_kind kind, const char *words) {
  const char *action = kind == VALUE_FOLDER ? "(__fish_complete_directories)"
                       : kind == VALUE_HOST ? "(__fish_print_hostnames)"
                                            : "";
  if (kind == VALUE_FILE) {
    fprintf(out, " -F");
    return;
  }
  if (words || *action) fprintf(out, " -a '%s%s%s'", words ? words : "", words && *action ? " " : "", action);
}

static void option_print(FILE *out, const struct command *command, const struct option_spec *spec) {
  char help[512];
  line_begin(out, command ? command->name : "");
  fprintf(out, " -l %s", spec->name);
  if (spec->letter) fprintf(out, " -s %c", spec->letter);
  if (spec->argument) {
    fprintf(out, spec->kind == VALUE_FILE ? " -r" : " -x");
    value_print(out, spec->kind, spec->words);
  }
  docs_first_sentence(spec->help, help, sizeof help);
  fprintf(out, " -d ");
  docs_print_quoted(out, help, "\\'");
  fputc('\n', out);
}

/* The commands, or a command's subcommands. */
static void names_print(FILE *out, const char *before, const struct command *const *list) {
  for (; list && *list; list++) {
    line_begin(out, before);
    fprintf(out, " -a %s -d ", command_word(*list));
    docs_print_quoted(out, (*list)->summary, "\\'");
    fputc('\n', out);
  }
}

static void command_print(FILE *out, const struct command *command) {
  fputc('\n', out);
  docs_each_option(out, command, option_print);
  names_print(out, command->name, command->subcommands);
  for (const struct operand_spec *spec = command->operands; spec && spec->name; spec++) {
    if (spec->kind == VALUE_NONE && !spec->words) continue;
    line_begin(out, command->name);
    value_print(out, spec->kind, spec->words);
    fputc('\n', out);
  }
}

void docs_fish(FILE *out) {
  head_print(out);
  for (const struct option_spec *spec = program_options; spec->name; spec++) option_print(out, NULL, spec);
  names_print(out, "", commands);
  docs_each(out, command_print);
}
