/* SPDX-License-Identifier: MIT */
/*
 * An endpoint for the WebTransport cases of the quic-interop-runner, both roles, on the library's public API alone.
 * It takes no arguments: the environment says what to do (plan.c), README.md what each variable means.
 *
 * Exit status: 0 the case was done, 1 it was not, 2 the environment makes no sense, 127 the case is not known.
 */
#include <limits.h>
#include <stdio.h>

#include "plan.h"
#include "roles.h"

void log_write(enum wt_log_level level, const char *line, void *user_data) {
  FILE *file = user_data;
  if (level <= WT_LOG_WARN) fprintf(stderr, "%s\n", line);
  if (!file) return;
  fprintf(file, "%s\n", line);
  fflush(file);
}

int main(void) {
  struct plan plan;
  char path[PATH_MAX];
  int status = plan_read(&plan);
  if (status == 0) {
    snprintf(path, sizeof path, "%s/log.txt", plan.logs);
    FILE *log_file = fopen(path, "w"); /* without such a folder there is no log */
    status = plan.server ? server_run(&plan, log_file) : client_run(&plan, log_file);
    if (log_file) fclose(log_file);
  }
  plan_free(&plan);
  return status;
}
