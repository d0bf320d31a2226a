#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The entry point of the image: what the runner's network asks for, then the endpoint.

set -e

# Routes through the simulator; from the image of the network simulator.
/setup.sh

if [ "$ROLE" = client ]; then
  /wait-for-it.sh sim:57832 -s -t 10
fi
exec /interop_endpoint
