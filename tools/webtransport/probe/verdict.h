/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_VERDICT_H
#define WEBTRANSPORT_TOOL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/connection.h>

enum verdict_state {
  VERDICT_UNKNOWN = 0, /* not known: the probe did not come that far */
  VERDICT_YES = 1,
  VERDICT_NO = 2,
};

/* The clients that are judged. */
enum verdict_client {
  VERDICT_CHROMIUM = 0,
  VERDICT_FIREFOX = 1,
  VERDICT_SAFARI = 2,
  VERDICT_WEBTRANSPORT_GO = 3,
  VERDICT_CLIENT_COUNT = 4,
};

enum {
  VERDICT_LINES_MAX = 16, /* rules of a client */
  VERDICT_FOUND_MAX = 320,
};

/* What is known about a server. All zero: nothing. */
struct verdict_facts {
  const struct wt_connection_info *connection; /* NULL: there was none */
  const char *failure;                         /* why there was no connection; NULL: not known */

  enum verdict_state authority;  /* an authority signed the certificate, and it has the host's name */
  bool authority_of_file;        /* that authority is one of --ca, not one of the system's */
  const char *authority_refusal; /* why not; NULL: it is not known */
  enum verdict_state hash;       /* browsers would now accept the certificate by its hash */
  const char *hash_refusal;      /* why not; NULL: it is not known */

  int status;   /* of the response; 0: there was none */
  bool refused; /* the request was refused without a status */
};

/* A rule and its result. */
struct verdict_line {
  const char *name;              /* "h3-datagram" */
  const char *sentence;          /* what the rule asks for; a static string */
  bool required;                 /* false: the client connects even if the rule is broken */
  enum verdict_state state;      /* whether the server keeps the rule */
  char found[VERDICT_FOUND_MAX]; /* what the server has instead, or a condition; "": nothing to add */
};

/* Returns the client's name, "Chromium", and in `*version` the version whose rules we know, "156". Static strings. */
const char *verdict_client_name(enum verdict_client client, const char **version);

/* Tests the facts by each rule of `client`. Writes the results into `lines` and returns their number. */
size_t verdict_judge(const struct verdict_facts *facts, enum verdict_client client,
                     struct verdict_line lines[VERDICT_LINES_MAX]);

/* Whether the client would connect. No if a required rule is broken, else unknown if one is unknown. */
enum verdict_state verdict_sum(const struct verdict_line *lines, size_t count);

#endif
