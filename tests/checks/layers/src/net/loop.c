#include <uv.h>
#include <sys/socket.h>
#include "quic/conn.h"
#include <microhttpd.h> /* EXPECT: tools alone */
#include <cmocka.h>     /* EXPECT: tests alone */
void a(void) { WT__ERROR(log, "x"); }
