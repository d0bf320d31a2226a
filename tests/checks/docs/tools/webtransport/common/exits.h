/* SPDX-License-Identifier: MIT */
#define EXIT_LIST(X)     \
  X(DONE, 0, "Done")     \
  X(FAILED, 1, "Failed") \
  X(USAGE, 2, "Usage")   \
  X(NO_SERVER, 3, "No")  \
  X(TIMEOUT, 4, "Late")  \
  X(LOST, 5, "Lost")     \
  X(CLOSED, 9, "Closed")
