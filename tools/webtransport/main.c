/* SPDX-License-Identifier: MIT */
/*
 * webtransport: the command-line tool. This file finds the command in the list of commands.c and runs it. Each command
 * is a `struct command` in a folder of its own (command.h says how).
 *
 *   webtransport COMMAND [OPTION]...              a command
 *   webtransport COMMAND SUBCOMMAND [OPTION]...
 *   webtransport COMMAND --help                   its options
 *   webtransport --help | --version
 *
 * The tool uses the library through its public headers alone: what it can do, any program can.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <webtransport/version.h>

#include "command.h"
#include "common/help.h"

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

/*
 * A shell can start a program without standard input or output. The next file that is opened would get their number and
 * be used in their place. So /dev/null is opened there, in a mode in which using it is an error.
 */
static void descriptors_fill(void) {
  static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", modes[fd]); /* gets the lowest free number */
}

/* Raises the limit of descriptors to what the administrator allows. The lower limit is for programs that use select. */
static void descriptors_allow(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit); /* on failure the old limit is enough */
}

static void first_process_end(int signal) { _exit(128 + signal); }

/*
 * The first process of a container gets no signal that it has no handler for, so neither Ctrl-C nor the container's stop would
 * end a command that has none. Commands that wait for signals themselves block them and are not concerned.
 */
static void first_process_prepare(void) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  const struct sigaction end = {.sa_handler = first_process_end};
  for (size_t i = 0; getpid() == 1 && i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &end, NULL);
}

int main(int argc, char **argv) {
  descriptors_fill();
  descriptors_allow();
  first_process_prepare();
  if (argc < 2) return usage_complain("no command given", NULL);
  const char *name = argv[1];
  if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
    help_print_program(stdout);
    return output_finish(EXIT_DONE);
  }
  if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
    printf("webtransport %s\n", wt_version());
    return output_finish(EXIT_DONE);
  }
  const struct command *command = command_find(NULL, name);
  if (!command) return usage_complain(name[0] == '-' ? "unknown option" : "unknown command", name);
  const struct command *subcommand = argc > 2 ? command_find(command, argv[2]) : NULL;
  if (subcommand && command->subcommands) return output_finish(subcommand->run(subcommand, argc - 2, argv + 2));
  return output_finish(command->run(command, argc - 1, argv + 1));
}
