/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_FILES_H
#define WT_H3_FILES_H

/* Static files: see `wt_request_serve_file` and `wt_server_handle_files`. */

#include "h3/routes.h"

/* Adds a route that serves the files below `directory`. Errors as `wt__routes_set`. */
int wt__files_route(struct wt__routes *routes, const char *pattern, const char *directory);

/* The media type for a file name, by its ending; "application/octet-stream" if unknown. */
const char *wt__files_media_type(const char *name);

#endif
