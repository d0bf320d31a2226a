#include <string.h>
#include <webtransport/error.h>
#include "base/mem.h"
#include "mem.h"
#include "wire/varint.h" /* EXPECT: up the layers */
#include <net/udp.h>     /* EXPECT: up the layers, in the other brackets */
#include "../wire/varint.h" /* EXPECT: hides its layer */
#include <sys/socket.h>  /* EXPECT: no system calls here */
#include <uv.h>          /* EXPECT: libuv */
#include <zlib.h>        /* EXPECT: a library that nothing allows */
