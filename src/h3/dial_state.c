/* SPDX-License-Identifier: MIT */
/*
 * What all files of a dial do with its record: it leaves its stream, and it is over.
 */

#include "h3/dial_state.h"

#include "base/list.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/role.h"

struct wt__h3_connect *wt__dial_leave_stream(struct wt__h3_dial *dial) {
  struct wt__h3_connect *connect = dial->connect;
  if (connect) {
    wt__role_set(dial->stream, &wt__role_connect, connect);
    connect->holder = NULL;
  } else {
    wt__role_leave(dial->stream);
  }
  dial->stream = NULL;
  dial->connect = NULL;
  return connect;
}

void wt__dial_replied(struct wt__h3_dial *dial, int error, uint64_t abort_code, const char *message) {
  if (dial->state == WT__DIAL_REPLIED) return;
  if (dial->state == WT__DIAL_SENT && !dial->session) dial->conn->client->dials_sent--;
  dial->state = WT__DIAL_REPLIED;
  dial->error = error;
  dial->abort_code = abort_code;
  dial->message = message;
  wt__list_remove(&dial->due);
  wt__list_push_back(&dial->conn->client->due_dials, &dial->due);
  wt__h3_wake(dial->conn);
}
