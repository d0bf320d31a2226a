/* SPDX-License-Identifier: MIT */
/*
 * /metrics of every command that has one: the library's text, with metrics of the tool before it.
 *
 * The tool writes its own metrics in Prometheus' older format alone. For OpenMetrics one thing has to change: the lines
 * about a counter have its name without "_total".
 */
#include "common/server_metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum wt_metrics_format metrics_format_of(const char *accept) {
  /* Readers that know the newer format name it, and prefer it. */
  return accept && strstr(accept, "application/openmetrics-text") ? WT_METRICS_OPENMETRICS : WT_METRICS_PROMETHEUS;
}

void metric_print(FILE *out, const char *name, const char *type, const char *help, uint64_t value) {
  const char *end = strlen(name) > 6 ? name + strlen(name) - 6 : name;
  const char *suffix = !strcmp(type, "counter") && strcmp(end, "_total") ? "_total" : "";
  fprintf(out, "# HELP webtransport_%s%s %s.\n", name, suffix, help);
  fprintf(out, "# TYPE webtransport_%s%s %s\n", name, suffix, type);
  fprintf(out, "webtransport_%s%s %" PRIu64 "\n", name, suffix, value);
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
