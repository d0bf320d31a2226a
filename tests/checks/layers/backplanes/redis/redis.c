#include "engine.h"
#include "conn.h"
#include "base/mem.h"
#include "link.h"        /* EXPECT: of another backplane */
#include "wire/varint.h" /* EXPECT: not of src/base */
#include <hiredis.h>
#include <uv.h>
#include <nats/nats.h>     /* EXPECT */
#include <gnutls/gnutls.h> /* EXPECT */
