/* SPDX-License-Identifier: MIT */
/*
 * webtransport: the command-line tool. This file knows the list of commands and nothing about what
 * they do; each is a `struct command` in a file of its own, with its options in a table (options.h).
 *
 *   webtransport COMMAND [OPTION]...      a command
 *   webtransport COMMAND --help           its options
 *   webtransport --help | --version
 *
 * The tool uses the library through its public headers alone: what it can do, any program can.
 */
#include <stdio.h>
#include <string.h>

#include <webtransport/version.h>

#include "command.h"

static const struct command *const commands[] = {
    &serve_command,
};

enum {
  COMMAND_COUNT = sizeof commands / sizeof commands[0]
};

static const struct command *command_find(const char *name) {
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    if (!strcmp(commands[i]->name, name)) return commands[i];
  return NULL;
}

static void usage_print(FILE *out) {
  fprintf(out, "Usage: webtransport COMMAND [OPTION]...\nWebTransport over HTTP/3.\n\nCommands:\n");
  for (size_t i = 0; i < COMMAND_COUNT; i++) fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
  fprintf(out, "\nOptions:\n  -h, --help     Prints this text; 'webtransport COMMAND --help' explains a command.\n"
               "  -V, --version  Prints the version.\n");
}

static int usage_complain(const char *what, const char *name) {
  fprintf(stderr, "webtransport: %s%s%s%s\nTry 'webtransport --help'.\n", what, name ? " '" : "", name ? name : "",
          name ? "'" : "");
  return EXIT_USAGE;
}

/* A full disk or a closed pipe must not look like success. */
static int output_finish(int status) {
  if (fflush(stdout) || ferror(stdout)) {
    fprintf(stderr, "webtransport: cannot write to standard output\n");
    return status ? status : EXIT_FAILED;
  }
  return status;
}

int main(int argc, char **argv) {
  if (argc < 2) return usage_complain("no command given", NULL);
  const char *name = argv[1];
  if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
    usage_print(stdout);
    return output_finish(EXIT_DONE);
  }
  if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
    printf("webtransport %s\n", wt_version());
    return output_finish(EXIT_DONE);
  }
  const struct command *command = command_find(name);
  if (!command) return usage_complain(name[0] == '-' ? "unknown option" : "unknown command", name);
  return output_finish(command->run(command, argc - 1, argv + 1));
}
