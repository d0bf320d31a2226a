/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_CASES_H
#define WT_TESTS_CASES_H

/* What each backplane with a broker has to do, whichever broker it is. */

#include "broker.h"
#include "hub.h"

struct options {
  const char *url, *ca_file, *password;
  size_t max_queue_bytes; /* 0: the default */
  uint64_t timeout_ms;    /* 0: the default */
};

/* What differs between brokers. */
struct kind {
  enum broker_kind broker;
  const char *scheme, *tls_scheme;
  struct wt_backplane *(*make)(struct hub *hub, const struct options *options);
};

/* The URL of a broker: with user and password if it has them. */
void broker_url(const struct broker *broker, const struct kind *kind, char *url, size_t size);

void case_both_ways(const struct kind *kind, bool tls);
void case_restart(const struct kind *kind);
void case_frozen(const struct kind *kind);
void case_no_broker_at_start(const struct kind *kind);
void case_wrong_password(const struct kind *kind);
void case_wrong_authority(const struct kind *kind);
void case_silent_broker(const struct kind *kind);
void case_bounded_queue(const struct kind *kind);
void case_publish_on_threads(const struct kind *kind);
void case_stopped_early(const struct kind *kind);

#endif
