/* SPDX-License-Identifier: MIT */
/*
 * Completion for bash, without the functions of the bash-completion project, which not everybody has.
 *
 * The script walks over the words before the cursor to find command and subcommand, passing over the values
 * of options; then it knows which options there are, or which value is to come. Bash breaks words at '='
 * and ':' here, so --log=de is three words; they are put together first. Of a value with ':' in it bash
 * replaces only what follows the last one, so what is before that is taken off.
 */
#include "docs.h"

#include <string.h>

static void options_case(FILE *out, const struct command *command, const struct option_spec *spec) {
  (void)command;
  fprintf(out, " --%s", spec->name);
  if (spec->letter) fprintf(out, " -%c", spec->letter);
}

static void options_print(FILE *out, const struct command *command) {
  fprintf(out, "    '%s') options='", command->name);
  docs_each_option(out, command, options_case);
  fprintf(out, "' ;;\n");
}

static const char *kind_name(enum value_kind kind) {
  switch (kind) {
    case VALUE_FILE: return "file";
    case VALUE_FOLDER: return "folder";
    case VALUE_HOST: return "host";
    default: return "none";
  }
}

static void value_case(FILE *out, const struct command *command, const struct option_spec *spec) {
  if (!spec->argument) return;
  fprintf(out, "    '%s --%s'", command->name, spec->name);
  if (spec->letter) fprintf(out, " | '%s -%c'", command->name, spec->letter);
  fprintf(out, ") kind=%s words='%s' ;;\n", kind_name(spec->kind), spec->words ? spec->words : "");
}

static void values_print(FILE *out, const struct command *command) { docs_each_option(out, command, value_case); }

static void operand_print(FILE *out, const struct command *command) {
  size_t place = 0;
  const struct operand_spec *spec = command->operands;
  for (; spec && spec->name; spec++, place++)
    fprintf(out, "    '%s '%s) kind=%s words='%s' ;;\n", command->name,
            spec->repeatable ? "*" : (char[]){(char)('0' + place), 0}, kind_name(spec->kind),
            spec->words ? spec->words : "");
}

static void subcommands_print(FILE *out, const struct command *command) {
  if (!command->subcommands) return;
  fprintf(out, "    '%s') subcommands='", command->name);
  for (const struct command *const *list = command->subcommands; *list; list++)
    fprintf(out, "%s%s", list == command->subcommands ? "" : " ", command_word(*list));
  fprintf(out, "' ;;\n");
}

static void command_names(FILE *out) {
  for (const struct command *const *command = commands; *command; command++)
    fprintf(out, "%s%s", command == commands ? "" : " ", (*command)->name);
}

/* The tables, as functions of which each sets variables of _webtransport. */
static void tables_print(FILE *out) {
  fprintf(out, "# The options of a command.\n_webtransport_options() {\n  case $1 in\n    '') options='");
  for (const struct option_spec *spec = program_options; spec->name; spec++) options_case(out, NULL, spec);
  fprintf(out, "' ;;\n");
  docs_each(out, options_print);
  fprintf(out, "  esac\n}\n\n# The subcommands of a command.\n_webtransport_subcommands() {\n  case $1 in\n"
               "    '') subcommands='");
  command_names(out);
  fprintf(out, "' ;;\n");
  docs_each(out, subcommands_print);
  fprintf(out,
          "  esac\n}\n\n# What the value of a command's option is.\n_webtransport_value() {\n  case \"$1 $2\" in\n");
  docs_each(out, values_print);
  fprintf(out, "    *) return 1 ;;\n  esac\n}\n\n# What a command's operand is, from 0.\n"
               "_webtransport_operand() {\n  case \"$1 $2\" in\n");
  docs_each(out, operand_print);
  fprintf(out, "    *) return 1 ;;\n  esac\n}\n\n");
}

static const char script[] =
    "_webtransport_take() {\n"
    "  local line\n"
    "  while IFS= read -r line; do COMPREPLY+=(\"$line\"); done\n"
    "}\n"
    "\n"
    "# Suggests what begins with $1.\n"
    "_webtransport_suggest() {\n"
    "  case $kind in\n"
    "    file | folder) compopt -o filenames 2>/dev/null ;;\n"
    "  esac\n"
    "  case $kind in\n"
    "    file) _webtransport_take < <(compgen -f -- \"$1\") ;;\n"
    "    folder) _webtransport_take < <(compgen -d -- \"$1\") ;;\n"
    "    host) _webtransport_take < <(compgen -A hostname -- \"$1\") ;;\n"
    "  esac\n"
    "  _webtransport_take < <(compgen -W \"$words\" -- \"$1\")\n"
    "}\n"
    "\n"
    "_webtransport() {\n"
    "  local -a typed=()\n"
    "  local options subcommands kind=none words= command= operands=0 word i expects= only_operands=\n"
    "  # Words that bash broke at '=' and ':' are put together again.\n"
    "  for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    case $word in\n"
    "      = | : | :* | =*) if ((${#typed[@]} && i > 1)); then typed[-1]+=$word; continue; fi ;;\n"
    "      *) case ${COMP_WORDS[i - 1]} in\n"
    "           = | *:) if ((i > 1 && ${#typed[@]})); then typed[-1]+=$word; continue; fi ;;\n"
    "         esac ;;\n"
    "    esac\n"
    "    typed+=(\"$word\")\n"
    "  done\n"
    "  local current=${typed[-1]-}\n"
    "  for ((i = 0; i < ${#typed[@]} - 1; i++)); do\n"
    "    word=${typed[i]}\n"
    "    if [[ $expects ]]; then\n"
    "      expects=\n"
    "    elif [[ ! $only_operands && $word == -- ]]; then\n"
    "      only_operands=yes\n"
    "    elif [[ ! $only_operands && $word == -?* ]]; then\n"
    "      if _webtransport_value \"$command\" \"$word\"; then expects=$word; fi\n"
    "    else\n"
    "      subcommands=\n"
    "      _webtransport_subcommands \"$command\"\n"
    "      if ((!operands)) && [[ \" $subcommands \" == *\" $word \"* ]]; then\n"
    "        command=${command:+$command }$word\n"
    "      else\n"
    "        operands=$((operands + 1))\n"
    "      fi\n"
    "    fi\n"
    "  done\n"
    "  COMPREPLY=()\n"
    "  kind=none words=\n"
    "  if [[ $expects ]]; then\n"
    "    _webtransport_value \"$command\" \"$expects\"\n"
    "    _webtransport_suggest \"$current\"\n"
    "  elif [[ ! $only_operands && $current == --*=* ]]; then\n"
    "    if _webtransport_value \"$command\" \"${current%%=*}\"; then _webtransport_suggest \"${current#*=}\"; fi\n"
    "    [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=(\"${COMPREPLY[@]/#/${current%%=*}=}\")\n"
    "    current=${current#*=}\n"
    "  elif [[ ! $only_operands && $current == -* ]]; then\n"
    "    _webtransport_options \"$command\"\n"
    "    kind=none words=$options\n"
    "    _webtransport_suggest \"$current\"\n"
    "  else\n"
    "    subcommands=\n"
    "    ((operands)) || _webtransport_subcommands \"$command\"\n"
    "    _webtransport_operand \"$command\" \"$operands\"\n"
    "    words=\"$words $subcommands\"\n"
    "    _webtransport_suggest \"$current\"\n"
    "  fi\n"
    "  # Bash replaces only what follows the last ':'.\n"
    "  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
    "    word=${current%\"${current##*:}\"}\n"
    "    for i in \"${!COMPREPLY[@]}\"; do COMPREPLY[i]=${COMPREPLY[i]#\"$word\"}; done\n"
    "  fi\n"
    "}\n"
    "\n"
    "complete -F _webtransport webtransport\n";

void docs_bash(FILE *out) {
  fprintf(out,
          "# Completion of webtransport for bash. Written by the build from the tool's tables; not to be edited.\n\n");
  tables_print(out);
  fputs(script, out);
}
