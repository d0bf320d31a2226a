/* SPDX-License-Identifier: MIT */
/*
 * What all files of an exchange do with its record.
 */

#include "h3/exchange_state.h"

#include <stdio.h>

#include "base/list.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"

void wt__exchange_set_due(wt_exchange *exchange) {
  if (!exchange->conn) return;
  wt__list_remove(&exchange->due);
  wt__list_push_back(&exchange->conn->client->due_exchanges, &exchange->due);
  wt__h3_wake(exchange->conn);
}

void wt__exchange_set_failed(wt_exchange *exchange, int error, uint64_t abort_code, const char *message) {
  if (exchange->failed) return;
  exchange->failed = true;
  exchange->error = error;
  exchange->abort_code = abort_code;
  (void)snprintf(exchange->message, sizeof(exchange->message), "%s", message);
  wt__exchange_set_due(exchange);
}

bool wt__exchange_takes_body(const wt_exchange *exchange) {
  return exchange->response_state == WT__RESPONSE_TOLD && !exchange->in.paused && !exchange->failed;
}
