#include "core/circle_a.h" /* EXPECT: likewise */
