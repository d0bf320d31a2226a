/* SPDX-License-Identifier: MIT */
/* What is changed, and what is not: a < b, 1, true. */

#define TWO 2

static const int table[] = {1, 2};

static bool one_line(int a) { return a < 3; }

static int sample(const struct thing *thing, size_t len) {
  struct thing *next = thing->next;
  const char *text = "a && b";
  int sum = 0;
  assert(len > 0);
  for (size_t i = 0; i < len; i++) sum += table[i];
  if (!next && (text[0] == 'x' ||
                len >= 0x10)) {
    next_call(next, 1 /* one + one */, true);
    WT__WARN_LIMITED(next, limit, 1, "%d", 1);
  } else if (sum > 7) {
    return -1;
  } else {
    break;
  }
  return sum;
}
