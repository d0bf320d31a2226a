/* SPDX-License-Identifier: MIT */

static int good_one(int a) {
  return good_other(a);
}

int wt__good_two(const char *text,
                 int len) {
  return good_one(len);
}
