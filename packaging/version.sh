#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Prints the version. It stands in one place: include/webtransport/version.h.

sed -n 's/^#define WT_VERSION "\(.*\)"$/\1/p' "$(dirname "$0")/../include/webtransport/version.h"
