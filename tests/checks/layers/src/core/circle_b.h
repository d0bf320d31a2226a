#include "core/circle_c.h" /* EXPECT: by way of another */
