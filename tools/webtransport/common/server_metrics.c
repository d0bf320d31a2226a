/* SPDX-License-Identifier: MIT */
/*
 * /metrics of every command that has one: the library's text, with metrics of the tool before it.
 *
 * The tool writes its own metrics in Prometheus' older format alone. For OpenMetrics one thing has to change: the lines
 * about a counter have its name without "_total".
 */
#include "common/server_metrics.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The weight of one part of an Accept field, in thousandths: 1000 if it has none that can be read. */
static int weight_of(const char *part, size_t len) {
  for (const char *at = part; (at = memchr(at, ';', len - (size_t)(at - part))) != NULL;) {
    at++;
    at += strspn(at, " \t");
    if (strncasecmp(at, "q=", 2) || at[2] < '0' || at[2] > '1') continue;
    int weight = (at[2] - '0') * 1000;
    for (int i = 4, unit = 100; at[2] == '0' && at[3] == '.' && unit && at[i] >= '0' && at[i] <= '9'; i++, unit /= 10)
      weight += (at[i] - '0') * unit;
    return weight;
  }
  return 1000;
}

/* The weight that an Accept field gives to `type`; -1: it does not name it. */
static int weight_in(const char *accept, const char *type) {
  for (const char *part = accept; *part; part += *part == ',') {
    part += strspn(part, " \t");
    size_t len = strcspn(part, ","), name = strcspn(part, ";, \t");
    if (name == strlen(type) && !strncasecmp(part, type, name)) return weight_of(part, len);
    part += len;
  }
  return -1;
}

enum wt_metrics_format metrics_format_of(const char *accept) {
  /* Readers that know OpenMetrics name it. What is said of all types is no wish for it. */
  int newer = accept ? weight_in(accept, "application/openmetrics-text") : -1;
  int older = accept ? weight_in(accept, "text/plain") : -1;
  return newer > 0 && newer >= older ? WT_METRICS_OPENMETRICS : WT_METRICS_PROMETHEUS;
}

void metric_print(FILE *out, const char *name, const char *type, const char *help, uint64_t value) {
  const char *end = strlen(name) > 6 ? name + strlen(name) - 6 : name;
  const char *suffix = !strcmp(type, "counter") && strcmp(end, "_total") ? "_total" : "";
  fprintf(out, "# HELP webtransport_%s%s %s.\n", name, suffix, help);
  fprintf(out, "# TYPE webtransport_%s%s %s\n", name, suffix, type);
  fprintf(out, "webtransport_%s%s %" PRIu64 "\n", name, suffix, value);
}

void metric_label_print(FILE *out, const char *value) {
  json_t *string = json_string(value); /* NULL: not UTF-8, or no memory */
  for (; *value; value++) {
    if (*value == '\n')
      fputs("\\n", out);
    else if (!string && (unsigned char)*value >= 0x80)
      fprintf(out, "%%%02X", (unsigned)(unsigned char)*value);
    else
      fprintf(out, *value == '\\' || *value == '"' ? "\\%c" : "%c", *value);
  }
  json_decref(string);
}

static void piece_write(const char *text, size_t len, void *user_data) { (void)fwrite(text, 1, len, user_data); }

char *server_metrics_text(const wt_server *server, enum wt_metrics_format format) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (!out) return NULL;
  bool failed = wt_server_write_metrics(server, format, piece_write, out) != 0;
  if (!fclose(out) && !failed) return text;
  free(text);
  return NULL;
}

/* Whether `line` is "# HELP NAME_total ..." or "# TYPE NAME_total ..."; then `*name_len` is the length of what is before
 * "_total". */
static bool line_is_about_total(const char *line, size_t *name_len) {
  if (strncmp(line, "# HELP ", 7) && strncmp(line, "# TYPE ", 7)) return false;
  size_t len = 7 + strcspn(line + 7, " \n");
  if (len < 13 || strncmp(line + len - 6, "_total", 6)) return false;
  *name_len = len - 6;
  return true;
}

/* Writes the lines of `own` as OpenMetrics has them. */
static void own_write(FILE *out, const char *own) {
  for (const char *line = own; *line;) {
    size_t len = strcspn(line, "\n"), name_len;
    if (line[len]) len++;
    if (line_is_about_total(line, &name_len)) {
      fwrite(line, 1, name_len, out);
      fwrite(line + name_len + 6, 1, len - name_len - 6, out);
    } else {
      fwrite(line, 1, len, out);
    }
    line += len;
  }
}

char *metrics_join(char *own, char *server, enum wt_metrics_format format) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = own && server ? open_memstream(&text, &len) : NULL;
  bool failed = !out;
  if (out && format == WT_METRICS_OPENMETRICS) own_write(out, own);
  if (out && format == WT_METRICS_PROMETHEUS) fputs(own, out);
  if (out) fputs(server, out);
  if (out && fclose(out)) failed = true;
  free(own);
  free(server);
  if (!failed) return text;
  free(text);
  return NULL;
}
