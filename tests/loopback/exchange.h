/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_EXCHANGE_H
#define LOOPBACK_EXCHANGE_H

/*
 * Plain requests of our own client, and records of what they were told. `client_free` checks the rules: one
 * `on_close` each, and the owner was told before the application.
 */

#include "client.h"
#include "h3/exchange.h"

struct client_exchange {
  struct client_exchange *next;
  struct client *client;
  wt_exchange *exchange; /* NULL once closed */
  unsigned responses, closes, writables, cancels;
  unsigned told, ended; /* what the owner was told */
  int status, error;
  char message[256], type[64]; /* type: "content-type" of the response */
  struct bytes body;
  bool fin, pause; /* pause: stops after each `on_body` */
  uint8_t *upload; /* sent as there is room, then the end */
  size_t upload_len, upload_at;
  bool upload_exact; /* writes as much as there is said to be room for */
  bool upload_ended;
};

void exchange_options(struct wt__exchange_options *options, const char *method, const char *path);
/* NULL, and `*error` set, if it cannot be made. `options` may be NULL: `exchange_options`. It is not attached yet. */
struct client_exchange *exchange_new(struct client *client, const char *method, const char *path,
                                     const struct wt__exchange_options *options, int *error);
/* The same on the connection of `link`. */
struct client_exchange *exchange_on(struct client_link *link, const char *method, const char *path,
                                    const struct wt__exchange_options *options);
/* Streams `len` bytes of `pattern_new`, seed `seed`, and ends the body. The options said `has_body`. */
void exchange_upload(struct client_exchange *record, size_t len, uint64_t seed);
/* Frees the records of `client`, and checks them. */
void exchanges_free(struct client *client);

#endif
