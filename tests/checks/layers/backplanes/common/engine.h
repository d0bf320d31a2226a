#include <uv.h>
#include "conn.h"    /* EXPECT: common knows no kind */
#include <hiredis.h> /* EXPECT */
