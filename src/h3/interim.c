/* SPDX-License-Identifier: MIT */
/*
 * Interim answers: the library sends 100, the application sends others.
 *
 * A client with a large body may send `expect: 100-continue` and wait, so that it need not send the body of a request that
 * will be refused. An application shows with `on_body` that it wants the body, and need not call anything else:
 *
 *    handler sets on_body, not paused  -->  100 in the same pass, then the body comes
 *    handler pauses, resumes later     -->  100 after `wt_request_resume`
 *    handler begins its answer         -->  100 before it, if on_body is set and not paused; else never
 *    handler answers                   -->  the answer alone
 *    bytes of the body, or its end, have come  -->  the client does not wait: no 100
 *
 * A CONNECT never gets one: Chromium gives up a session whose request gets any interim answer.
 */

#include "h3/interim.h"

#include <string.h>
#include <strings.h>

#include "h3/answer.h"
#include "h3/conn_state.h"
#include "h3/request.h"

#define CONTINUE "100-continue"

enum wt__expect wt__expect_read(const char *value) {
  enum wt__expect expect = WT__EXPECT_NOTHING;
  while (value && *value) {
    size_t len;
    value += strspn(value, ", \t");
    len = strcspn(value, ", \t");
    if (len == 0) break;
    if (len != strlen(CONTINUE) || strncasecmp(value, CONTINUE, len) != 0) return WT__EXPECT_UNKNOWN;
    expect = WT__EXPECT_CONTINUE;
    value += len;
  }
  return expect;
}

static bool body_is_taken(const wt_request *request) {
  return request->stage == WT__REQUEST_DISPATCHED && request->callbacks.on_body && !request->in.paused &&
         !request->in.discard && request->ended == WT__REQUEST_OPEN;
}

void wt__interim_continue(wt_request *request) {
  if (request->expect != WT__EXPECT_CONTINUE || request->answered || !body_is_taken(request)) return;
  request->expect = WT__EXPECT_NOTHING;
  if (request->in.received > 0 || request->in.fin) return;
  /* Without memory nghttp3 has half of it, and the connection ends. */
  if (wt__answer_inform(request, 100, NULL, 0) == 0) wt__h3_wake(request->conn);
}

static int inform_check(wt_request *request, int status) {
  int error = wt__answer_check(request);
  if (error) return error;
  if (status < 100 || status > 199 || status == 101) {
    return wt__request_error(request, WT_ERR_INVALID, "the status of an interim answer is 100, or from 102 to 199");
  }
  if (strcmp(request->method, "CONNECT") == 0) {
    return wt__request_error(request, WT_ERR_INVALID, "a CONNECT request gets no interim answer: browsers give it up");
  }
  if (request->interims == WT__INTERIM_MAX) {
    return wt__request_error(request, WT_ERR_STATE, "the request has got 32 interim answers, which is all it may get");
  }
  return 0;
}

int wt_request_inform(wt_request *request, int status, const struct wt_header *headers, size_t header_count) {
  int error = inform_check(request, status);
  if (!error) error = wt__answer_inform(request, status, headers, header_count);
  if (error) return error;
  request->interims++;
  if (status == 100 && request->expect == WT__EXPECT_CONTINUE) request->expect = WT__EXPECT_NOTHING;
  wt__h3_wake(request->conn);
  return 0;
}
