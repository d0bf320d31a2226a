#include <nats/nats.h>
#include <hiredis.h> /* EXPECT */
