/* SPDX-License-Identifier: MIT */

/*
 * Commands of the application, and their replies as it sees them: see command.h.
 */

#include "command.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define COUNT_MAX 1024
#define BYTES_MAX ((size_t)1024 * 1024)

struct command {
  struct wt__link link;
  uint64_t number;
  size_t bytes;
  wt_redis_reply_callback on_reply;
  void *user_data;
};

void wt__redis_commands_init(struct wt__redis_commands *commands) {
  *commands = (struct wt__redis_commands){0};
  wt__list_init(&commands->waiting);
}

bool wt__redis_commands_have_room(const struct wt__redis_commands *commands, size_t bytes) {
  if (commands->count == 0) return true;
  return commands->count < COUNT_MAX && commands->bytes < BYTES_MAX && bytes <= BYTES_MAX - commands->bytes;
}

bool wt__redis_commands_add(struct wt__redis_commands *commands, uint64_t number, size_t bytes,
                            wt_redis_reply_callback on_reply, void *user_data) {
  struct command *command = wt__malloc(sizeof(*command));
  if (!command) return false;
  *command = (struct command){.number = number, .bytes = bytes, .on_reply = on_reply, .user_data = user_data};
  wt__list_push_back(&commands->waiting, &command->link);
  commands->count++;
  commands->bytes += bytes;
  return true;
}

/* The oldest one, which the caller frees; NULL: there is none. */
static struct command *first(const struct wt__redis_commands *commands) {
  struct wt__link *link = wt__list_first(&commands->waiting);
  return link ? WT__CONTAINER_OF(link, struct command, link) : NULL;
}

static void take(struct wt__redis_commands *commands, struct command *command) {
  wt__list_remove(&command->link);
  commands->count--;
  commands->bytes -= command->bytes;
}

static void tell(const struct command *command, const struct wt_redis_reply *reply) {
  if (command->on_reply) command->on_reply(reply, command->user_data);
}

/* --- Replies. --- */

static size_t values_count(const redisReply *reply) {
  size_t count = 0;
  if (reply->type != REDIS_REPLY_ARRAY) return 1;
  for (size_t i = 0; i < reply->elements; i++) count += values_count(reply->element[i]);
  return count;
}

/* Room for integers as text: `numbers` has one entry for each value. */
struct values {
  struct wt_redis_value *at;
  char (*number)[24];
};

static void values_read(struct values *values, const redisReply *reply) {
  if (reply->type == REDIS_REPLY_ARRAY) {
    for (size_t i = 0; i < reply->elements; i++) values_read(values, reply->element[i]);
    return;
  }
  *values->at = (struct wt_redis_value){.bytes = reply->str, .len = reply->str ? (size_t)reply->len : 0};
  if (reply->type == REDIS_REPLY_INTEGER) {
    values->at->len = (size_t)snprintf(*values->number, sizeof(*values->number), "%lld", reply->integer);
    values->at->bytes = *values->number;
  }
  values->at++;
  values->number++;
}

static void tell_values(const struct command *command, const redisReply *reply) {
  size_t count = values_count(reply);
  struct wt_redis_value *list = wt__calloc(count ? count : 1, sizeof(*list));
  char(*numbers)[24] = wt__calloc(count ? count : 1, sizeof(*numbers));
  if (list && numbers) {
    values_read(&(struct values){list, numbers}, reply);
    tell(command, &(struct wt_redis_reply){.size = sizeof(struct wt_redis_reply), .values = list, .count = count});
  } else {
    tell(command, &(struct wt_redis_reply){.size = sizeof(struct wt_redis_reply), .error = "out of memory"});
  }
  wt__free(list);
  wt__free(numbers);
}

bool wt__redis_commands_replied(struct wt__redis_commands *commands, uint64_t number, const redisReply *reply) {
  struct command *command = first(commands);
  if (!command || command->number != number) return false;
  take(commands, command);
  if (reply->type == REDIS_REPLY_ERROR) {
    tell(command, &(struct wt_redis_reply){.size = sizeof(struct wt_redis_reply), .error = reply->str});
  } else {
    tell_values(command, reply);
  }
  wt__free(command);
  return true;
}

void wt__redis_commands_fail(struct wt__redis_commands *commands, const char *why) {
  struct command *command;
  while ((command = first(commands))) {
    take(commands, command);
    tell(command, &(struct wt_redis_reply){.size = sizeof(struct wt_redis_reply), .error = why});
    wt__free(command);
  }
}
