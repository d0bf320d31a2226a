/* SPDX-License-Identifier: MIT */
/* Lines of the log, some of which tests/checks/docs/docs/guide/diagnosis.md tells as they are. */

static void lines(void) {
  WT__INFO(log, WT__EVENT("told"), "told");
  WT__INFO(log, WT__EVENT_OF("told_with_fields", WT__CONNECTION(conn), WT__INTEGER_IF(has(conn), "code", 1)), "told");
  WT__INFO(log, WT__EVENT_OF("told_wrongly", WT__TEXT("path", path)), "told");
  WT__INFO(log, WT__EVENT("not_told"), "EXPECT: it is not in the table");
}
