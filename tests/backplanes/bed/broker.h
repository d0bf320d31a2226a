/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_BROKER_H
#define WT_TESTS_BROKER_H

/*
 * A broker of a test: redis-server or nats-server as a process of its own, on a free port of 127.0.0.1, with its files in
 * a temporary folder. It ends with the test, also if that is killed.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum broker_kind {
  BROKER_REDIS,
  BROKER_NATS,
};

struct broker {
  enum broker_kind kind;
  bool has_password; /* user "bus", password "s3cr%t" */
  bool tls;
  uint16_t port;
  pid_t pid; /* 0: not running */
  char folder[64];
  char ca_file[96];
};

/* Makes the folder and chooses the port; with `tls` also a CA and a certificate for 127.0.0.1. */
void broker_init(struct broker *broker, enum broker_kind kind, bool has_password, bool tls);
/* Ends it, and removes the folder. */
void broker_free(struct broker *broker);

void broker_start(struct broker *broker);
void broker_signal(struct broker *broker, int signal);
/* Kills it and waits for that. */
void broker_kill(struct broker *broker);

/* A socket that listens on a free port of 127.0.0.1. */
int listener_new(uint16_t *port);

#endif
