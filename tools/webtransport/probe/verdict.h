/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_VERDICT_H
#define WEBTRANSPORT_TOOL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/connection.h>

enum verdict_state {
  VERDICT_UNKNOWN = 0, /* it did not come that far */
  VERDICT_YES = 1,
  VERDICT_NO = 2,
};

/* Programs that a server may be meant for. */
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

/* What was found out about a server. Zero is nothing at all. */
struct verdict_facts {
  const struct wt_connection_info *connection; /* NULL: there was none */
  const char *failure;                         /* why there was none; NULL: it is not known */

  enum verdict_state authority;  /* an authority vouches for the certificate, and it has the host's name */
  bool authority_of_file;        /* and it is one of --ca, not one of the system's */
  const char *authority_refusal; /* why not; NULL: it is not known */
  enum verdict_state hash;       /* browsers would take the certificate by its hash, now */
  const char *hash_refusal;      /* why not; NULL: it is not known */

  int status;   /* of the answer; 0: there was none */
  bool refused; /* the request was refused without a status */
};

/* A rule, and what became of it. */
struct verdict_line {
  const char *name;              /* "h3-datagram" */
  const char *sentence;          /* what it asks for. Static string */
  bool required;                 /* else the client connects all the same */
  enum verdict_state state;      /* whether it is kept */
  char found[VERDICT_FOUND_MAX]; /* what there was instead, or a condition; "" for nothing to say */
};

/* Returns "Chromium", and the version whose rules are known in `*version`: "156". Static strings. */
const char *verdict_client_name(enum verdict_client client, const char **version);

/* Judges by each rule of `client`; gives them in `lines`, and returns their number. */
size_t verdict_judge(const struct verdict_facts *facts, enum verdict_client client,
                     struct verdict_line lines[VERDICT_LINES_MAX]);

/* Whether the client would connect: not if a required rule is broken; unknown if one is. */
enum verdict_state verdict_sum(const struct verdict_line *lines, size_t count);

#endif
