/* SPDX-License-Identifier: MIT */
/*
 * Completion for zsh: a function for each command that hands its table to _arguments, which knows by itself
 * where a value may stand and what excludes what.
 *
 * Two things are quoted: a ':' in the name of a value and a ']' in an explanation end them otherwise.
 */
#include "docs.h"

#include <string.h>

/* Prints `text` inside single quotes, with a backslash before each of `special`. */
static void part_print(FILE *out, const char *text, const char *special) {
  for (; *text; text++) {
    if (strchr(special, *text)) fputc('\\', out);
    fputs(*text == '\'' ? "'\\''" : (char[]){*text, 0}, out);
  }
}

/* ":MESSAGE:ACTION", as _arguments has it. */
static void value_print(FILE *out, const char *name, enum value_kind kind, const char *words) {
  const char *action = kind == VALUE_FILE ? "_files" : kind == VALUE_FOLDER ? "_files -/" : "_hosts";
  bool plain = kind != VALUE_FILE && kind != VALUE_FOLDER && kind != VALUE_HOST;
  fputc(':', out);
  part_print(out, name, ":\\");
  fputc(':', out);
  if (words && plain)
    fprintf(out, "(%s)", words);
  else if (words)
    fprintf(out, " _webtransport_mixed \"%s\" %s", action, words);
  else
    fputs(plain ? " " : action, out);
}

/* One name of an option; both exclude each other, unless it may be repeated. */
static void name_print(FILE *out, const struct option_spec *spec, bool letter) {
  char help[512];
  fputs(" \\\n    '", out);
  if (spec->repeatable)
    fputc('*', out);
  else if (spec->letter)
    fprintf(out, "(-%c --%s)", spec->letter, spec->name);
  if (letter)
    fprintf(out, "-%c%s", spec->letter, spec->argument ? "+" : "");
  else
    fprintf(out, "--%s%s", spec->name, spec->argument ? "=" : "");
  docs_first_sentence(spec->help, help, sizeof help);
  fputc('[', out);
  part_print(out, help, "[]\\");
  fputc(']', out);
  if (spec->argument) value_print(out, spec->argument, spec->kind, spec->words);
  fputc('\'', out);
}

static void option_print(FILE *out, const struct command *command, const struct option_spec *spec) {
  (void)command;
  if (spec->letter) name_print(out, spec, true);
  name_print(out, spec, false);
}

static void function_name(FILE *out, const struct command *command) {
  fputs("_webtransport_", out);
  for (const char *c = command->name; *c; c++) fputc(*c == ' ' || *c == '-' ? '_' : *c, out);
}

static void operands_print(FILE *out, const struct operand_spec *spec) {
  for (; spec && spec->name; spec++) {
    fprintf(out, " \\\n    '%s", spec->repeatable ? "*" : spec->required ? "" : ":");
    value_print(out, spec->name, spec->kind, spec->words);
    fputc('\'', out);
  }
}

/* "name:summary" for _describe. */
static void names_print(FILE *out, const struct command *const *list) {
  for (; *list; list++) {
    fputs("\n    '", out);
    part_print(out, command_word(*list), ":\\");
    fputc(':', out);
    part_print(out, (*list)->summary, ":\\");
    fputc('\'', out);
  }
}

static void function_print(FILE *out, const struct command *command) {
  function_name(out, command);
  fprintf(out, "() {\n");
  if (command->subcommands) {
    fprintf(out, "  local -a subcommands=(");
    names_print(out, command->subcommands);
    fprintf(out, "\n  )\n");
  }
  for (const struct command *const *list = command->subcommands; list && *list; list++) {
    fprintf(out, "  if [[ $words[2] == %s ]] && (( CURRENT > 2 )); then\n    shift words\n    (( CURRENT-- ))\n    ",
            command_word(*list));
    function_name(out, *list);
    fprintf(out, "\n    return\n  fi\n");
  }
  fprintf(out, "  _arguments -s -S");
  docs_each_option(out, command, option_print);
  operands_print(out, command->operands);
  if (command->subcommands) fprintf(out, " \\\n    '1:subcommand:{_describe subcommand subcommands}'");
  fprintf(out, "\n}\n\n");
}

void docs_zsh(FILE *out) {
  fprintf(out,
          "#compdef webtransport\n"
          "# Completion of webtransport for zsh. Written by the build from the tool's tables; not to be edited.\n\n");
  fprintf(out, "# Suggests what an action does, and words.\n"
               "_webtransport_mixed() {\n  _alternative \"values:value:$1\" \"words:word:($argv[2,-1])\"\n}\n\n");
  docs_each(out, function_print);
  fprintf(out, "_webtransport() {\n  local curcontext=$curcontext state line\n  typeset -A opt_args\n"
               "  local -a commands=(");
  names_print(out, commands);
  fprintf(out, "\n  )\n  _arguments -C -S");
  for (const struct option_spec *spec = program_options; spec->name; spec++) option_print(out, NULL, spec);
  fprintf(out, " \\\n    '1:command:{_describe command commands}' \\\n    '*::argument:->rest'\n"
               "  [[ $state == rest ]] || return\n  case $words[1] in\n");
  for (const struct command *const *command = commands; *command; command++) {
    fprintf(out, "    %s) ", (*command)->name);
    function_name(out, *command);
    fprintf(out, " ;;\n");
  }
  fprintf(out, "  esac\n}\n\n"
               "# Zsh loads this file as the function that is asked, once.\n_webtransport \"$@\"\n");
}
