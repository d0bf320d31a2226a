/* SPDX-License-Identifier: MIT */
/*
 * The fixture for tests of both ends at once.
 */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void pair_init(struct pair *p) {
  memset(p, 0, sizeof(*p));
  net_init(&p->net, 1);
  server_init(&p->server, &p->net);
  client_init(&p->client, &p->net, 1);
}

void pair_connect(struct pair *p) {
  struct sockaddr_in address = server_address();
  server_start(&p->server);
  client_start(&p->client);
  p->link = client_connect(&p->client, &address, NULL);
  assert_non_null(p->link);
}

void pair_ready(struct pair *p) {
  pair_init(p);
  pair_connect(p);
  NET_UNTIL(&p->net, 5000, p->link->ready);
}

void pair_free(struct pair *p) {
  client_free(&p->client);
  server_free(&p->server);
  net_free(&p->net);
}
