/* SPDX-License-Identifier: MIT */
#ifndef WT_FUZZ_HOSTILE_H
#define WT_FUZZ_HOSTILE_H

/*
 * Two whole stacks of the library in memory, a client's and a server's, which shake hands as they should. Then one of
 * them is taken over: what it sends from then on is frames that the fuzzer writes, sealed into real packets.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"

struct hostile;

/* The victim is a client or a server. NULL: out of memory, or no handshake. `app` is the victim's. */
struct hostile *hostile_new(bool client, struct app *app, unsigned choice);
/* Ends both, and checks that nothing is left. */
void hostile_free(struct hostile *hostile);

/* A packet with these frames, as many as fit, goes to the victim. */
void hostile_send(struct hostile *hostile, const uint8_t *frames, size_t len);
/* The last packet again; `flip` is a change of its byte at `at`, if not 0. */
void hostile_repeat(struct hostile *hostile, size_t at, uint8_t flip);
/* A UDP datagram as it is. */
void hostile_send_datagram(struct hostile *hostile, const uint8_t *data, size_t len);
/* New keys; another address; whether what the victim sends is read and acknowledged. */
void hostile_update_key(struct hostile *hostile);
void hostile_migrate(struct hostile *hostile);
void hostile_listen(struct hostile *hostile, bool on);

/* The victim gets another configuration of its connection ids, if it is a server. */
void hostile_rotate(struct hostile *hostile, unsigned choice);

/* The victim has a turn, after that many milliseconds. */
void hostile_run(struct hostile *hostile, uint64_t ms);
/* The victim's connection is open. */
bool hostile_is_open(const struct hostile *hostile);
/* The victim's HTTP/3; NULL: it is over. */
struct wt__h3_conn *hostile_h3(const struct hostile *hostile);
/* The victim's owner ends it in order. */
void hostile_shutdown(struct hostile *hostile);

#endif
