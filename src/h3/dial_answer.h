/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DIAL_ANSWER_H
#define WT_H3_DIAL_ANSWER_H

/* The answer to a request for a session. See dial_answer.c. */

#include "h3/role.h"

/* Of a dial's stream, from the request to the answer. The owner is the dial. */
extern const struct wt__role wt__role_dial;

#endif
