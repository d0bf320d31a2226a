/* SPDX-License-Identifier: MIT */
/*
 * Writes what the build installs with the tool: its manual pages, and completions for bash, zsh and fish. It also
 * writes the manual pages as the documentation's site wants them.
 *
 *   webtransport-docs FOLDER              writes all of them there
 *   webtransport-docs --list              prints their names
 *
 * It has the tool's own tables in it (command.h), so what it writes is what the tool does. One program of
 * its own, since nobody who uses the tool needs it.
 */
#include "docs.h"

#include <errno.h>
#include <string.h>

#include "common/help.h"

void docs_each(FILE *out, void (*visit)(FILE *out, const struct command *command)) {
  for (const struct command *const *command = commands; *command; command++) {
    visit(out, *command);
    const struct command *const *subcommand = (*command)->subcommands;
    for (; subcommand && *subcommand; subcommand++) visit(out, *subcommand);
  }
}

void docs_each_option(FILE *out, const struct command *command,
                      void (*visit)(FILE *out, const struct command *command, const struct option_spec *spec)) {
  for (const struct option_spec *spec = command->options; spec->name; spec++) visit(out, command, spec);
  visit(out, command, &help_option);
}

void docs_first_sentence(const char *text, char *sentence, size_t size) {
  const char *end = strstr(text, ". ");
  size_t len = end ? (size_t)(end - text) : strlen(text);
  if (len && text[len - 1] == '.') len--;
  snprintf(sentence, size, "%.*s", (int)len, text);
}

void docs_print_quoted(FILE *out, const char *text, const char *quote) {
  fputc('\'', out);
  for (; *text; text++) {
    if (*text == '\'')
      fputs(quote, out);
    else
      fputc(*text, out);
  }
  fputc('\'', out);
}

static bool complain(const char *file) {
  fprintf(stderr, "webtransport-docs: %s: %s\n", file, strerror(errno));
  return false;
}

/* `folder` NULL: prints the name alone. */
static FILE *file_begin(const char *folder, const char *name, char *path, size_t size) {
  if (!folder) {
    puts(name);
    return NULL;
  }
  snprintf(path, size, "%s/%s", folder, name);
  FILE *out = fopen(path, "we");
  if (!out) complain(path);
  return out;
}

static bool file_end(FILE *out, const char *path) {
  bool wrong = ferror(out);
  if (fclose(out)) wrong = true;
  return wrong ? complain(path) : true;
}

static bool page_write(const char *folder, const struct command *command, const char *ending,
                       void (*write)(FILE *out, const struct command *command)) {
  char name[128], path[4096];
  snprintf(name, sizeof name, "webtransport%s%s.%s", command ? "-" : "", command ? command->name : "", ending);
  FILE *out = file_begin(folder, name, path, sizeof path);
  if (!out) return !folder;
  write(out, command);
  return file_end(out, path);
}

static bool pages_write(const char *folder, const struct command *command) {
  return page_write(folder, command, "1", docs_man) && page_write(folder, command, "rst", docs_rst);
}

static bool completion_write(const char *folder, const char *name, void (*write)(FILE *out)) {
  char path[4096];
  FILE *out = file_begin(folder, name, path, sizeof path);
  if (!out) return !folder;
  write(out);
  return file_end(out, path);
}

static bool all_write(const char *folder) {
  bool good = pages_write(folder, NULL);
  for (const struct command *const *command = commands; good && *command; command++)
    good = pages_write(folder, *command);
  return good && completion_write(folder, "webtransport.bash", docs_bash) &&
         completion_write(folder, "_webtransport", docs_zsh) &&
         completion_write(folder, "webtransport.fish", docs_fish);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: webtransport-docs FOLDER | --list\n");
    return EXIT_USAGE;
  }
  bool list = !strcmp(argv[1], "--list");
  return all_write(list ? NULL : argv[1]) ? EXIT_DONE : EXIT_FAILED;
}
