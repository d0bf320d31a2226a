/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_INTERIM_H
#define WT_H3_INTERIM_H

/* Interim answers (1xx) of a server, and the `expect` field that asks for one (RFC 9110, sections 10.1.1 and 15.2). */

#include <webtransport/request.h>

/* What the client waits for before it sends the body. */
enum wt__expect {
  WT__EXPECT_NOTHING,
  WT__EXPECT_CONTINUE, /* 100 is still to be sent */
  WT__EXPECT_UNKNOWN   /* something that we do not know: 417 */
};

/* Interim answers of one request that an application may send. */
#define WT__INTERIM_MAX 32

/* What the value of `expect` asks for; NULL: there is no such field. */
enum wt__expect wt__expect_read(const char *value);

/* Sends 100, if the client waits for it and the application takes the body now. */
void wt__interim_continue(wt_request *request);

#endif
