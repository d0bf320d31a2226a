#include "base/mem.h"
#include "core/circle_b.h" /* EXPECT: it leads back */
