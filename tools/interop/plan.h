/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_PLAN_H
#define INTEROP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What this run has to do, as the environment tells: the role, the test case, and which files of which endpoints
 * are to be fetched from the peer.
 */

enum {
  EXIT_UNKNOWN_CASE = 127, /* what the interop runner takes for "not supported" */
  RUN_SECONDS = 60,
};

enum task {
  TASK_HANDSHAKE, /* write down the subprotocol */
  TASK_SERVE,     /* answer requests until the peer ends the session */
  TASK_FETCH,     /* request the files, save them, end the session */
};

/* How files are requested and how they come. */
enum way {
  WAY_UNI,
  WAY_BIDI,
  WAY_DATAGRAM,
};

/* A file that the peer has. */
struct wanted {
  const char *file;
  bool asked, saved;
  uint64_t asked_ms; /* the last time */
};

/* One session's share of the run. */
struct endpoint {
  const char *name;   /* the first component of the path, and the folder of its files */
  const char *origin; /* client: "https://host:port" */
  struct wanted *files;
  size_t count;
};

struct plan {
  bool server;
  enum task task;
  enum way way;
  const char *www, *downloads, *certs, *logs, *listen;
  const char **protocols;
  size_t protocol_count;
  struct endpoint *endpoints;
  size_t count;
  bool failed;
  char *requests_text, *protocols_text; /* what the names above point into */
};

/* Reads the environment. Returns 0, or the exit status of a run that cannot begin, with a line on standard error. */
int plan_read(struct plan *plan);
void plan_free(struct plan *plan);

/* The endpoint of this name, or NULL if nothing is wanted there. */
struct endpoint *plan_endpoint(const struct plan *plan, const char *name, size_t len);
/* How many files are still to come. */
size_t plan_left(const struct plan *plan);
/* Says on standard error what went wrong; the run will end with 1. */
void plan_fail(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
