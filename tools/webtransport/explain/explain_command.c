/* SPDX-License-Identifier: MIT */
/*
 * webtransport explain: what a connection did, on one page, from its qlog.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "common/values.h"
#include "explain/record_reader.h"
#include "explain/summary.h"

struct explain_settings {
  const char *path;
};

/* Too large for a stack, and there is one. */
static struct record_reader reader;
static struct summary summary;

static bool set_path(void *target, const char *value, char *message, size_t size) {
  ((struct explain_settings *)target)->path = value;
  return value_file(value, message, size);
}

static int explain_failed(const char *path, const char *why) {
  fprintf(stderr, "webtransport explain: %s: %s\n", path, why);
  return EXIT_FAILED;
}

static int explain_file(const char *path, FILE *file) {
  reader.file = file;
  json_t *record = record_read(&reader);
  if (!record && ferror(file)) return explain_failed(path, strerror(errno));
  bool known = record && summary_begin(&summary, record) && reader.unread == 0;
  json_decref(record);
  if (!known)
    return explain_failed(path, "this is no qlog: its first record does not say so (qlog_format, file_schema)");
  bool another = false;
  while (!another && (record = record_read(&reader)) != NULL) {
    another = summary_is_first(record);
    if (!another) summary_add(&summary, record);
    json_decref(record);
  }
  if (ferror(file)) return explain_failed(path, strerror(errno));
  summary_print(&summary, stdout);
  if (another)
    fprintf(stderr, "webtransport explain: %s: another connection's log follows; the page is about the first alone\n",
            path);
  if (reader.unread)
    fprintf(stderr, "webtransport explain: %s: %" PRIu64 " records cannot be read\n", path, reader.unread);
  return fflush(stdout) ? explain_failed("standard output", strerror(errno)) : EXIT_DONE;
}

static int explain_main(const struct command *command, int argc, char **argv) {
  struct explain_settings settings = {0};
  switch (options_parse(command, argc, argv, &settings)) {
    case OPTIONS_HELP: return EXIT_DONE;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_RUN: break;
  }
  FILE *file = fopen(settings.path, "rb");
  if (!file) return explain_failed(settings.path, strerror(errno));
  int status = explain_file(settings.path, file);
  (void)fclose(file);
  return status;
}

static const struct option_spec explain_options[] = {{0}};

static const struct operand_spec explain_operands[] = {
    {.name = "FILE",
     .kind = VALUE_FILE,
     .required = true,
     .help = "Qlog of a connection, in JSON-SEQ.",
     .set = set_path},
    {0},
};

static const struct example_spec explain_examples[] = {
    {"webtransport explain /tmp/qlog/d7c60d787fb6f765fa7f51ca12ec5b4c018a_server.sqlog", "One connection of a server."},
    {0},
};

const struct command explain_command = {
    .name = "explain",
    .summary = "Says on one page what a connection did, from its qlog",
    .details =
        "The option --qlog of the other commands, or QLOGDIR in the environment of any program on the library, makes "
        "such files. The page has the handshake, what the peer allows, packets and losses, each session from its "
        "path to its end, and why the connection ended. Times are milliseconds since it began.",
    .options = explain_options,
    .operands = explain_operands,
    .examples = explain_examples,
    .exits = EXITS_COMMON,
    .run = explain_main,
};
