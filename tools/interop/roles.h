/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_ROLES_H
#define INTEROP_ROLES_H

#include <stdio.h>
#include <webtransport/webtransport.h>

#include "plan.h"

/* Both run the plan to its end and return the program's exit status. `log_file` may be NULL. */
int client_run(struct plan *plan, FILE *log_file);
int server_run(struct plan *plan, FILE *log_file);

/* For `log` of either configuration: warnings go to standard error, all lines to the file in `user_data`. */
void log_write(enum wt_log_level level, const char *line, void *user_data);

#endif
