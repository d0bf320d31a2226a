/* SPDX-License-Identifier: MIT */

/* src/net/timer.c: timers are called when they are due, in the order of their times, and once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/client_state.h"
#include "net/timer.h"

struct bell {
  struct wt__timer timer;
  int rung, place; /* `place`: how many timers had been called before */
  wt_client *client;
  uint64_t again; /* not 0: the time that it is set to when it is called */
};

static int calls;

static void ring(struct wt__timer *timer, uint64_t now) {
  struct bell *bell = WT__CONTAINER_OF(timer, struct bell, timer);
  (void)now;
  bell->rung++;
  bell->place = calls++;
  if (bell->again) wt__timer_set(bell->client, timer, bell->again);
}

static void bells_init(wt_client *client, struct bell *bells, size_t count) {
  calls = 0;
  wt__heap_init(&client->timers);
  for (size_t i = 0; i < count; i++) {
    bells[i] = (struct bell){.client = client};
    assert_int_equal(wt__timer_init(client, &bells[i].timer, ring), 0);
  }
}

static void bells_free(wt_client *client, struct bell *bells, size_t count) {
  for (size_t i = 0; i < count; i++) wt__timer_free(client, &bells[i].timer);
  assert_null(wt__heap_min(&client->timers));
  wt__heap_free(&client->timers);
}

static void test_timers_are_called_when_they_are_due(void **state) {
  static wt_client client;
  struct bell bells[3];
  (void)state;
  bells_init(&client, bells, 3);
  wt__timer_set(&client, &bells[0].timer, 20);
  wt__timer_set(&client, &bells[1].timer, 10); /* the third is never set */
  wt__timers_run(&client, 9);
  assert_int_equal(calls, 0);
  wt__timers_run(&client, 10);
  assert_int_equal(bells[1].rung, 1);
  assert_int_equal(bells[0].rung, 0);
  wt__timer_set(&client, &bells[1].timer, 30);
  wt__timers_run(&client, 40);
  assert_int_equal(bells[0].place, 1);
  assert_int_equal(bells[1].place, 2);
  wt__timers_run(&client, 50); /* each was for one call */
  assert_int_equal(calls, 3);
  assert_int_equal(bells[2].rung, 0);
  bells_free(&client, bells, 3);
}

static void test_timers_may_be_set_again_in_their_call(void **state) {
  static wt_client client;
  struct bell bell;
  (void)state;
  bells_init(&client, &bell, 1);
  bell.again = 20;
  wt__timer_set(&client, &bell.timer, 10);
  wt__timers_run(&client, 15);
  assert_int_equal(bell.rung, 1);
  bell.again = 0;
  wt__timers_run(&client, 20);
  assert_int_equal(bell.rung, 2);
  bells_free(&client, &bell, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_timers_are_called_when_they_are_due),
      cmocka_unit_test(test_timers_may_be_set_again_in_their_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
