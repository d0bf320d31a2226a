/* SPDX-License-Identifier: MIT */
/*
 * How a command is added to the tool.
 *
 * 1. A file NAME/NAME_command.c with `const struct command NAME_command`; the build finds it. Its `run` begins with
 *    options_parse, as in cert/cert_command.c, and returns one of the EXIT_ statuses below.
 * 2. Its declaration at the end of this file and its line in commands.c.
 * 3. Its options in a table of `struct option_spec`, its operands in one of `struct operand_spec`
 *    (options.h). The functions that set values read them with values.h. A row:
 *
 *      {.name = "duration", .letter = 'd', .argument = "TIME", .fallback = "10s",
 *       .help = "How long to run.", .set = set_duration},
 *
 *    A command that dials takes its options from common/client_settings.h: CA, hash, header, origin, protocol, timeout.
 * 4. Its statuses in `exits`: EXITS_COMMON, or EXITS_CLIENT for one that dials; exit_of_error (exits.h)
 *    makes a status of an error of the library.
 *
 * --help, the manual page and the completions for bash, zsh and fish follow from that by themselves.
 * tests/e2e/test_docs.sh compares them. A command has a test script of its own, tests/e2e/test_NAME.sh.
 */
#ifndef WEBTRANSPORT_TOOL_COMMAND_H
#define WEBTRANSPORT_TOOL_COMMAND_H

#include "common/exits.h"
#include "common/options.h"

/* A command line to copy, and what it does. */
struct example_spec {
  const char *line; /* "webtransport cert show cert.pem"; NULL ends the table */
  const char *help; /* a sentence */
};

/* A command of the tool: `webtransport NAME [OPTIONS] [OPERANDS]`. commands.c lists them all. */
struct command {
  const char *name;                         /* the name of a subcommand has its command's before it: "cert show" */
  const char *summary;                      /* one line without a period, for the list of commands */
  const char *details;                      /* paragraphs below the options in --help; "" for none */
  const struct option_spec *options;        /* ended by one without a name */
  const struct operand_spec *operands;      /* ended by one without a name; NULL for none */
  const struct example_spec *examples;      /* NULL for none */
  const struct command *const *subcommands; /* ended by NULL; NULL for none */
  unsigned exits;                           /* the statuses it ends with: EXIT_BITs */
  int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command bench_command;
extern const struct command cert_command;
extern const struct command connect_command;
extern const struct command explain_command;
extern const struct command gateway_command;
extern const struct command keys_command;
extern const struct command probe_command;
extern const struct command serve_command;

/* All commands, without subcommands, ended by NULL. */
extern const struct command *const commands[];

/* The options of `webtransport` itself, for documentation; main.c knows what they do. */
extern const struct option_spec program_options[];

/* Returns the command, or the subcommand of `parent` if that is not NULL, of this name; NULL if there is none. */
const struct command *command_find(const struct command *parent, const char *name);

/* Returns the last word of its name: "show". */
const char *command_word(const struct command *command);

#endif
