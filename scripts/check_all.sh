#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs every check of the tree, each first on its own bad samples in tests/checks/ (a check that cannot
# fail is none). Prints a line for each, "ok NAME" or "not ok NAME".

set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

run() {
  local name=$1
  shift
  if "$@"; then
    echo "ok $name"
  else
    echo "not ok $name"
    failed=1
  fi
}

for check in layers docs site tests spec_map abi; do
  run "check_$check finds its bad samples" python3 "scripts/check_$check.py" --self-test
  run "check_$check" python3 "scripts/check_$check.py"
done
run "check_hygiene finds its bad samples" bash scripts/check_hygiene.sh --self-test
run "check_hygiene" bash scripts/check_hygiene.sh
run "mutations are those of its sample" python3 -B scripts/mutations.py --self-test
run "the list of mutants finds its bad sample" bash -c '! scripts/mutants.py --check-list tests/checks/mutants_stale.txt >/dev/null'
run "the list of mutants is up to date" scripts/mutants.py --check-list
run "fuzz reads its sample" python3 -B scripts/fuzz.py --self-test
run "reliability finds its markers" python3 -B scripts/reliability.py --self-test
run "tally counts its sample" python3 scripts/tally.py --self-test
exit $failed
