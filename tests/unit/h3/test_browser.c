/* SPDX-License-Identifier: MIT */

/* src/h3/browser.c: what browsers and programs were seen to send, and what has to be one thing as well as another. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h3/browser.h"

#define ORIGIN "https://example.com"
#define FIREFOX "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "

#define GUESS(origin_, agent_, ...)                                                                                 \
  guess((struct wt_setting[]){__VA_ARGS__}, sizeof((struct wt_setting[]){__VA_ARGS__}) / sizeof(struct wt_setting), \
        (origin_), (agent_))

static enum wt__browser guess(const struct wt_setting *settings, size_t count, const char *origin, const char *agent) {
  return wt__browser_guess(&(struct wt__browser_signs){origin, agent, settings, count});
}

#define CHROMIUM_156 \
  {0x01, 65536}, {0x06, 16384}, {0x07, 100}, {0x33, 1}, {0xffd277, 1}, { 0x2b603742, 1 }
#define UNMEANT \
  { 0x47fd308a5, 2721736237 }
#define FIREFOX_153 \
  {0x01, 65536}, {0x07, 20}, {0x2b603742, 1}, {0xffd277, 1}, {0x33, 1}, { 0x08, 1 }
#define QUINN \
  {0x2b603743, 1}, {0x33, 1}, {0x2b603742, 1}, {0x06, 16384}, {0xffd277, 1}, {0x08, 1}, { 0xc671706a, 1 }
#define GO \
  {0x06, 10485760}, {0x33, 1}, {0x2c7cf000, 1}, {0x2b65, 100}, {0x2b64, 100}, { 0x2b61, 1048576 }

static void test_browser_families_as_they_were_seen(void **state) {
  (void)state;
  assert_int_equal(GUESS(ORIGIN, NULL, CHROMIUM_156, UNMEANT), WT__BROWSER_CHROMIUM);
  assert_int_equal(GUESS(ORIGIN, NULL, CHROMIUM_156, {0xc671706a, 16}, {0xbe483ea9f, 5}), WT__BROWSER_CHROMIUM);
  assert_int_equal(GUESS(ORIGIN, NULL, CHROMIUM_156, {0x2b60376c, 5}, {0xc671706a, 16}), WT__BROWSER_CHROMIUM);
  assert_int_equal(GUESS(ORIGIN, FIREFOX, FIREFOX_153), WT__BROWSER_FIREFOX);
  assert_int_equal(GUESS(ORIGIN, NULL, {0x33, 1}, {0xc671706a, 1}), WT__BROWSER_SAFARI);
  assert_int_equal(GUESS(ORIGIN, NULL, {0x33, 1}, {0x14e9cd29, 1}), WT__BROWSER_SAFARI);
}

static void test_browser_user_agents_decide(void **state) {
  (void)state;
  assert_int_equal(GUESS(ORIGIN, MAC "Version/26.6 Safari/605.1.15", FIREFOX_153), WT__BROWSER_SAFARI);
  assert_int_equal(GUESS(ORIGIN, MAC "Chrome/156.0.0.0 Safari/537.36 Edg/156.0", {0x33, 1}), WT__BROWSER_CHROMIUM);
  assert_int_equal(GUESS(NULL, FIREFOX, CHROMIUM_156, UNMEANT), WT__BROWSER_FIREFOX);
  assert_int_equal(GUESS(ORIGIN, "quic-go HTTP/3", CHROMIUM_156, UNMEANT), WT__BROWSER_OTHER);
  assert_int_equal(GUESS(ORIGIN, "", CHROMIUM_156, UNMEANT), WT__BROWSER_OTHER);
}

/* webtransport-go, web-transport-quinn, aioquic, wtransport, Deno. */
static void test_browser_programs_are_none(void **state) {
  (void)state;
  assert_int_equal(GUESS(NULL, "quic-go HTTP/3", GO), WT__BROWSER_NONE);
  assert_int_equal(GUESS(NULL, NULL, QUINN), WT__BROWSER_NONE);
  assert_int_equal(GUESS(NULL, NULL, {0x01, 4096}, {0x07, 16}, {0x08, 1}, {0x21, 1}, {0x33, 1}, {0x2b603742, 1}),
                   WT__BROWSER_NONE);
  assert_int_equal(GUESS(NULL, NULL, {0x01, 0}, {0x07, 0}, {0x33, 1}, {0xc671706a, 1}, {0x08, 1}, {0x2b603742, 1}),
                   WT__BROWSER_NONE);
  assert_int_equal(GUESS(NULL, NULL, {0x2b603742, 1}, {0xc671706a, 1}, {0x08, 1}, {0x33, 1}, {0xffd277, 1}),
                   WT__BROWSER_NONE);
  assert_int_equal(guess(NULL, 0, NULL, NULL), WT__BROWSER_NONE);
}

/* An origin alone does not make a browser; and one that is almost Chromium's is somebody else's. */
static void test_browser_strangers_with_an_origin_are_others(void **state) {
  (void)state;
  assert_int_equal(GUESS(ORIGIN, NULL, QUINN), WT__BROWSER_OTHER);
  assert_int_equal(GUESS(ORIGIN, NULL, CHROMIUM_156), WT__BROWSER_OTHER);
  assert_int_equal(GUESS(ORIGIN, NULL, UNMEANT, CHROMIUM_156), WT__BROWSER_OTHER);
  assert_int_equal(GUESS(ORIGIN, NULL, CHROMIUM_156, {0x08, 1}, UNMEANT), WT__BROWSER_OTHER);
  assert_int_equal(guess(NULL, 0, ORIGIN, NULL), WT__BROWSER_OTHER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_browser_families_as_they_were_seen),
      cmocka_unit_test(test_browser_user_agents_decide),
      cmocka_unit_test(test_browser_programs_are_none),
      cmocka_unit_test(test_browser_strangers_with_an_origin_are_others),
  };
  return cmocka_run_group_tests_name("browser", tests, NULL, NULL);
}
