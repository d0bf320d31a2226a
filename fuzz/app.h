/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_APP_H
#define WT_FUZZ_APP_H

/*
 * An application of either role that does what the script says, in its callbacks and between them, and checks what it is
 * told: callbacks never come from inside its own calls, never after `on_close`, and `on_close` comes exactly once.
 */

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/webtransport.h>

#include "h3/client.h"
#include "h3/conn.h"
#include "net/hub.h"
#include "script.h"

#define APP_OBJECTS 256

enum app_kind {
  APP_FREE = 0,
  APP_SESSION,
  APP_STREAM,
  APP_REQUEST,
  APP_EXCHANGE,
  APP_DIAL,
};

struct app;

struct app_object {
  struct app *app;
  enum app_kind kind;
  void *handle;
  bool told_fin; /* the end of what it receives */
};

struct app {
  struct script *script;
  struct wt__h3_conn *h3;
  bool client;
  struct wt__hub *hub; /* topics of a server; NULL: it has none */
  bool in_call;        /* of the application, into the library */
  bool ended;          /* the connection is freed */
  size_t depth;        /* of callbacks */
  size_t releases;     /* owned bytes that are still the library's */
  struct app_object objects[APP_OBJECTS];
  char text[600];
};

void app_init(struct app *app, struct script *script, bool client);
/* The handler of the server's route. */
void app_handle(wt_request *request, void *app);
/* Does something with the object that the script names, as between two turns of the loop. */
void app_step(struct app *app);
/* The client: asks for a session, or sends a plain request. */
void app_dial(struct app *app);
void app_exchange(struct app *app);
/* The connection is freed: everything has had its `on_close`. */
void app_check_ended(const struct app *app);

#endif
