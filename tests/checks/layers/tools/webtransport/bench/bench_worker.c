#include <uv.h>
#include <webtransport/client.h>
