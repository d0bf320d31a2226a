/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_ENVELOPE_H
#define WT_BACKPLANES_ENVELOPE_H

/*
 * What stands before a message on its way through a broker, in network byte order:
 *
 *      0        1                   17         25         33
 *     +---------+-------------------+----------+----------+--------------- - -
 *     | version | publisher         | epoch    | number   | the message
 *     |    1    | 16 random bytes   | 8 bytes  | 8 bytes  |
 *     +---------+-------------------+----------+----------+--------------- - -
 *
 * The publisher is a server, from its start to its end. It numbers its messages for each topic: 1, 2, 3, ... Servers that
 * receive them notice by the numbers what is missing and what comes twice. Where a publisher has forgotten the number of
 * a topic, it begins again at 1 with an epoch that it has not used for the topic before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__ENVELOPE_HEAD 33
#define WT__PUBLISHER_LEN 16

struct wt__envelope {
  uint8_t publisher[WT__PUBLISHER_LEN];
  uint64_t epoch, number;
  const uint8_t *data; /* points into what was read */
  size_t len;
};

/* Writes all but the message, which the caller puts behind it. */
void wt__envelope_write(uint8_t head[WT__ENVELOPE_HEAD], const struct wt__envelope *envelope);

/* Whether `bytes` are an envelope of this version. */
bool wt__envelope_read(struct wt__envelope *envelope, const uint8_t *bytes, size_t len);

#endif
