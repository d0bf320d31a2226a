/* SPDX-License-Identifier: MIT */

/*
 * Who is it? A browser that asks for a session does not have to say. What they showed when this was written:
 *
 *                origin   user-agent   SETTINGS
 *   Firefox      yes      Firefox/N    draft 02
 *   Chromium     yes      none         sorted: 1=65536 6=16384 7=100 0x33=1 0xffd277=1 0x2b603742=1, and one of no meaning
 *   Safari       yes      none         drafts 07 to 15, never 02 (told by WebKit's source and by others, not seen by us)
 *   programs     no       some         as their authors liked
 *
 * A user-agent that names a family decides. Without one, an origin says that it is a page, and SETTINGS say whose: those of
 * Chromium, for their sizes of the QPACK table and of its queue, both drafts of datagrams, and one setting of no meaning (RFC
 * 9114, section 7.2.4.1), in order, which together nobody else was seen to send; or those of a client that does not know draft 02.
 * A later version of a browser may look like none of them, and then is "other" until somebody looks again.
 */

#include "h3/browser.h"

#include <stdbool.h>
#include <string.h>

#include "wire/settings.h"

#define CHROMIUM_TABLE 65536
#define CHROMIUM_BLOCKED 100

static uint64_t setting_of(const struct wt__browser_signs *signs, uint64_t id) {
  for (size_t i = 0; i < signs->setting_count; i++) {
    if (signs->settings[i].id == id) return signs->settings[i].value;
  }
  return 0;
}

/* RFC 9114, section 7.2.4.1: 0x1f * N + 0x21. */
static bool setting_is_meaningless(uint64_t id) { return id >= 0x21 && (id - 0x21) % 0x1f == 0; }

/* By growing numbers, and one without a meaning among them, which is another one on each connection. */
static bool settings_are_sorted_with_one_meaningless(const struct wt__browser_signs *signs) {
  size_t meaningless = 0;
  for (size_t i = 0; i < signs->setting_count; i++) {
    if (i > 0 && signs->settings[i].id < signs->settings[i - 1].id) return false;
    if (setting_is_meaningless(signs->settings[i].id)) meaningless++;
  }
  return meaningless == 1;
}

static bool settings_are_chromium(const struct wt__browser_signs *signs) {
  return setting_of(signs, WT__SETTING_QPACK_MAX_TABLE_CAPACITY) == CHROMIUM_TABLE &&
         setting_of(signs, WT__SETTING_QPACK_BLOCKED_STREAMS) == CHROMIUM_BLOCKED &&
         setting_of(signs, WT__SETTING_H3_DATAGRAM) == 1 && setting_of(signs, WT__SETTING_H3_DATAGRAM_DRAFT04) == 1 &&
         setting_of(signs, WT__SETTING_ENABLE_CONNECT_PROTOCOL) == 0 && settings_are_sorted_with_one_meaningless(signs);
}

static bool settings_are_safari(const struct wt__browser_signs *signs) {
  return setting_of(signs, WT__SETTING_WT_DRAFT02) == 0 &&
         (setting_of(signs, WT__SETTING_WT_DRAFT07) || setting_of(signs, WT__SETTING_WT_DRAFT13) ||
          setting_of(signs, WT__SETTING_WT_DRAFT15));
}

/* Chromium and what is built on it name Safari, too. */
static enum wt__browser agent_names(const char *agent) {
  if (strstr(agent, "Firefox/")) return WT__BROWSER_FIREFOX;
  if (strstr(agent, "Chrome/") || strstr(agent, "Chromium/")) return WT__BROWSER_CHROMIUM;
  if (strstr(agent, "Safari/")) return WT__BROWSER_SAFARI;
  return WT__BROWSER_OTHER;
}

enum wt__browser wt__browser_guess(const struct wt__browser_signs *signs) {
  enum wt__browser named = signs->user_agent ? agent_names(signs->user_agent) : WT__BROWSER_OTHER;
  if (named != WT__BROWSER_OTHER) return named;
  if (!signs->origin) return WT__BROWSER_NONE;
  if (signs->user_agent) return WT__BROWSER_OTHER;
  if (settings_are_chromium(signs)) return WT__BROWSER_CHROMIUM;
  return settings_are_safari(signs) ? WT__BROWSER_SAFARI : WT__BROWSER_OTHER;
}
