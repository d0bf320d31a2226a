/* SPDX-License-Identifier: MIT */
/*
 * Manual pages, in the macros of man(7), which every formatter knows: webtransport(1) with the list of
 * commands, and a page for each of them, with its subcommands in it.
 *
 * Text is escaped as roff wants it: a backslash doubled, a hyphen as \-, since a plain one may be set as a
 * typographic hyphen that nobody can copy, and nothing at the beginning of a line that reads as a request.
 */
#include "docs.h"

#include <string.h>

#include <webtransport/version.h>

#include "common/help.h"

/* Prints what is to be read as text; newlines become breaks, or paragraphs where there are two. */
static void text_print(FILE *out, const char *text) {
  const char *from = text;
  bool begins = true;
  for (; *text; text++) {
    if (*text == '\n') {
      fputs(text[1] == '\n' ? "\n.PP\n" : "\n.br\n", out);
      if (text[1] == '\n') text++;
      begins = true;
      continue;
    }
    /* A sentence begins on a line of its own, by which roff knows how wide the space before it is. */
    if (*text == ' ' && text > from && text[-1] == '.') {
      fputc('\n', out);
      begins = true;
      continue;
    }
    if (begins && (*text == '.' || *text == '\'')) fputs("\\&", out);
    begins = false;
    switch (*text) {
      case '\\': fputs("\\e", out); break;
      case '-': fputs("\\-", out); break;
      case '\'': fputs("\\(aq", out); break;
      case '`': fputs("\\(ga", out); break;
      case '^': fputs("\\(ha", out); break;
      case '~': fputs("\\(ti", out); break;
      case '"': fputs("\\(dq", out); break;
      default: fputc(*text, out);
    }
  }
}

static void line_print(FILE *out, const char *text) {
  text_print(out, text);
  fputc('\n', out);
}

static void title_print(FILE *out, const char *name) {
  fprintf(out, ".TH \"");
  for (; *name; name++) fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, out);
  /* No date: the same tree makes the same page every day. */
  fprintf(out, "\" 1 \"\" \"libwebtransport %s\" \"WebTransport\"\n.nh\n.ad l\n", wt_version());
}

static void name_print(FILE *out, const char *page, const char *summary) {
  fprintf(out, ".SH NAME\n");
  text_print(out, page);
  fputs(" \\- ", out);
  line_print(out, summary);
}

static void option_print(FILE *out, const struct command *command, const struct option_spec *spec) {
  char sentences[1024];
  (void)command;
  fprintf(out, ".TP\n");
  if (spec->letter) fprintf(out, "\\fB\\-%c\\fR, ", spec->letter);
  fprintf(out, "\\fB\\-\\-");
  text_print(out, spec->name);
  fprintf(out, "\\fR");
  if (spec->argument) {
    fprintf(out, " \\fI");
    text_print(out, spec->argument);
    fprintf(out, "\\fR");
  }
  fputc('\n', out);
  help_sentences(spec, sentences, sizeof sentences);
  line_print(out, sentences);
}

/* "webtransport serve [OPTION]..." with the command in bold and what stands for something in italics. */
static void form_print(FILE *out, const char *form) {
  const char *rest = strstr(form, " [");
  size_t bold = rest ? (size_t)(rest - form) : strlen(form);
  char words[256];
  snprintf(words, sizeof words, "%.*s", (int)bold, form);
  fprintf(out, "\\fB");
  text_print(out, words);
  fprintf(out, "\\fR\\fI");
  text_print(out, form + bold);
  fprintf(out, "\\fR\n");
}

static void operands_print(FILE *out, const struct operand_spec *spec) {
  for (; spec && spec->name; spec++) {
    fprintf(out, ".TP\n\\fI");
    text_print(out, spec->name);
    fprintf(out, "\\fR\n");
    line_print(out, spec->help);
  }
}

static void examples_print(FILE *out, const struct example_spec *example) {
  for (; example && example->line; example++) {
    fprintf(out, ".TP\n\\fB");
    text_print(out, example->line);
    fprintf(out, "\\fR\n");
    line_print(out, example->help);
  }
}

static void exits_print(FILE *out, unsigned exits) {
  fprintf(out, ".SH EXIT STATUS\n");
  for (const struct exit_spec *spec = exit_specs; spec->help; spec++) {
    if (!(exits & 1u << spec->status)) continue;
    fprintf(out, ".TP\n\\fB%d\\fR\n", spec->status);
    text_print(out, spec->help);
    fputs(".\n", out);
  }
}

static void commands_print(FILE *out, const struct command *const *list, bool pages) {
  for (; *list; list++) {
    fprintf(out, ".TP\n\\fB");
    text_print(out, command_word(*list));
    fprintf(out, "\\fR\n");
    text_print(out, (*list)->summary);
    fputs(".", out);
    if (pages) {
      fprintf(out, " See\n.BR webtransport\\-");
      text_print(out, (*list)->name);
      fprintf(out, " (1).");
    }
    fputc('\n', out);
  }
}

static void description_print(FILE *out, const struct command *command) {
  text_print(out, command->summary);
  fputs(".\n", out);
  if (command->details[0]) {
    fprintf(out, ".PP\n");
    line_print(out, command->details);
  }
  operands_print(out, command->operands);
}

static void subcommand_print(FILE *out, const struct command *command) {
  fprintf(out, ".SS webtransport ");
  line_print(out, command->name);
  description_print(out, command);
  docs_each_option(out, command, option_print);
}

static bool examples_any(const struct command *command) {
  const struct command *const *list = command->subcommands;
  bool any = command->examples != NULL;
  for (; list && *list; list++) any |= (*list)->examples != NULL;
  return any;
}

static void see_print(FILE *out, const struct command *except) {
  const char *end = except ? " (1)" : ""; /* of the one before */
  fprintf(out, ".SH SEE ALSO\n%s", except ? ".BR webtransport" : "");
  for (const struct command *const *command = commands; *command; command++) {
    if (*command == except) continue;
    fprintf(out, "%s%s.BR webtransport\\-%s", end, *end ? ",\n" : "", (*command)->name);
    end = " (1)";
  }
  fprintf(out, "%s\n", end);
}

static void program_page(FILE *out) {
  title_print(out, "webtransport");
  name_print(out, "webtransport", "WebTransport over HTTP/3");
  fprintf(out, ".SH SYNOPSIS\n");
  form_print(out, "webtransport [OPTION]...");
  fprintf(out, ".br\n\\fBwebtransport\\fR \\fICOMMAND [OPTION]...\\fR\n.SH DESCRIPTION\n");
  line_print(out, "Serves WebTransport sessions, opens them and looks at them, by one command each.");
  fprintf(out, ".SH COMMANDS\n");
  commands_print(out, commands, true);
  fprintf(out, ".SH OPTIONS\n");
  for (const struct option_spec *spec = program_options; spec->name; spec++) option_print(out, NULL, spec);
  exits_print(out, ~0u);
  see_print(out, NULL);
}

static void command_page(FILE *out, const struct command *command) {
  char page[128], form[256];
  snprintf(page, sizeof page, "webtransport-%s", command->name);
  title_print(out, page);
  name_print(out, page, command->summary);
  fprintf(out, ".SH SYNOPSIS\n");
  for (size_t i = 0; help_form(command, i, form, sizeof form); i++) {
    if (i) fprintf(out, ".br\n");
    form_print(out, form);
  }
  fprintf(out, ".SH DESCRIPTION\n");
  description_print(out, command);
  fprintf(out, ".SH OPTIONS\n");
  docs_each_option(out, command, option_print);
  const struct command *const *list = command->subcommands;
  if (list) fprintf(out, ".SH SUBCOMMANDS\n");
  for (; list && *list; list++) subcommand_print(out, *list);
  exits_print(out, command->exits);
  if (examples_any(command)) fprintf(out, ".SH EXAMPLES\n");
  examples_print(out, command->examples);
  for (list = command->subcommands; list && *list; list++) examples_print(out, (*list)->examples);
  see_print(out, command);
}

void docs_man(FILE *out, const struct command *command) {
  fprintf(out, ".\\\" Written by the build from the tool's tables of options; not to be edited.\n");
  if (command)
    command_page(out, command);
  else
    program_page(out);
}
