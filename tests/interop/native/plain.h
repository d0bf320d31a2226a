/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_PLAIN_H
#define INTEROP_PLAIN_H

#include "run.h"

/* Steps of the cases get and post. */
void plain_get(struct run *run);
void plain_post(struct run *run);
/* Answers a request that asks for no session; `bytes` is the query's. */
void plain_serve(wt_request *request, const char *path, uint64_t bytes);

#endif
