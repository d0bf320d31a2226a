/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_FAN_MESSAGE_H
#define WEBTRANSPORT_TOOL_FAN_MESSAGE_H

#include <stdint.h>

enum {
  FAN_MESSAGE_HEAD = 24, /* bytes of the numbers below, as they are sent */
};

/* How a message of fan-out begins. */
struct fan_message {
  uint32_t run;       /* tells messages of this run from those of others on the same topic */
  uint32_t publisher; /* from 0 */
  uint64_t number;    /* of this publisher, from 0 */
  uint64_t due;       /* when it was to be published: nanoseconds of the monotonic clock */
};

void fan_message_write(uint8_t *data, const struct fan_message *message);
void fan_message_read(const uint8_t *data, struct fan_message *message);

#endif
