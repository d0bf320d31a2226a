/* SPDX-License-Identifier: MIT */
/* A program that pages show. */

/* Its own first words. */
#include <stdio.h>

static int one(void) {
  if (stdin) {
    puts("one");
    puts("two");
  }
  return 1;
}

int main(void) {
  return one();
}
