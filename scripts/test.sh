#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs every test and check of the tree and ends with the line "N passed, N failed".
#
#   scripts/test.sh [STAGE...]   stages: checks build unit threads fuzz install e2e interop (default: all,
#                               but interop, which brings Go, Rust and Firefox, only where CI is set; else `make interop`)
#
# Each stage goes on after a failure, so that one run tells of all. What a stage printed lies in
# build/results/. Variables: FUZZ_SECONDS (2, for each target), JOBS, CC_FUZZ (clang).
#
# The processors are the limit, and two stages leave them idle: `checks` has one process, and `e2e` waits much of the time. So
# these run beside the others, `e2e` as soon as there is a build, and the others with a lower priority:
#
#     build  -->  unit, the build of threads, fuzz, install  -->  the tests of threads
#     checks      e2e
#
# The tests under ThreadSanitizer come last, alone: they take several times as long as others.

set -uo pipefail
cd "$(dirname "$0")/.."

stages=("$@")
jobs=${JOBS:-$(nproc)}
fuzz_seconds=${FUZZ_SECONDS:-2}
results=build/results
tally=$results/tally
mkdir -p "$results"
: >"$tally"

# Ninja where it is installed: a fifth of the time of a build by make is make's own. A folder keeps the one it began with.
if [ -z "${CMAKE_GENERATOR:-}" ] && command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
# Of the builds with hundreds of test programs: a fast linker where it is installed, and the lines that a trace names.
lean=(-DCMAKE_C_FLAGS_DEBUG=-g1 "-DCMAKE_EXE_LINKER_FLAGS=$(! command -v mold >/dev/null || echo -fuse-ld=mold)")

# Indented, so that the line that ends the run is the only one of its kind.
show() { sed 's/^/  | /' | tail -n "$1"; }

pass() { echo "pass $*" >>"$tally"; }
fail() { echo "fail $*" >>"$tally"; }

# step NAME COMMAND...: one result; its output is shown where it fails.
step() {
  local name=$1 log=$results/$1.log
  shift
  echo "== $name"
  if "$@" >"$log" 2>&1; then
    pass "$name"
  else
    fail "$name"
    show 60 <"$log"
    return 1
  fi
}

# build NAME FOLDER CMAKE_ARGUMENTS...
build() {
  local name=$1 folder=$2
  shift 2
  step "$name" build_quietly "$folder" "$@"
}

build_quietly() {
  local folder=$1
  shift
  cmake -S . -B "$folder" "$@" && compile "$folder" all
}

# compile FOLDER TARGET: it goes on after an error.
compile() {
  local on=-k
  ! grep -q '^CMAKE_GENERATOR:INTERNAL=Ninja' "$1/CMakeCache.txt" || on=-k0
  cmake --build "$1" -j "$jobs" --target "$2" -- $on
}

# tests NAME FOLDER CTEST_ARGUMENTS...: the tests inside are counted one by one.
tests() {
  local name=$1 folder=$2
  shift 2
  local junit=$PWD/$results/$name.xml log=$results/$name.log
  echo "== $name"
  rm -f "$junit"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error --output-junit "$junit" \
    --test-output-size-passed 10000000 --test-output-size-failed 10000000 "$@" >"$log" 2>&1
  local status=$?
  if [ ! -s "$junit" ] || ! python3 scripts/tally.py "$junit" >"$results/$name.tally"; then
    fail "$name (no result)"
    show 40 <"$log"
    return
  fi
  cat "$results/$name.tally" >>"$tally"
  # What a test measured, for people.
  sed -n 's/^.*\(count: .*\)$/  \1/p' "$junit" | sed 's/&[a-z]*;/?/g'
  if [ "$status" -ne 0 ]; then
    grep -q '^fail ' "$results/$name.tally" || fail "$name (exit status $status)"
    grep -vE 'Start +[0-9]+:| Passed ' "$log" | show 120
    echo "  (all of it: $log)"
  fi
}

stage_checks() {
  local log=$results/checks.log
  echo "== checks"
  scripts/check_all.sh >"$log" 2>&1
  sed -n 's/^ok /pass /p; s/^not ok /fail /p' "$log" | tee "$results/checks.tally" >>"$tally"
  [ -s "$results/checks.tally" ] || fail "checks (no result)"
  grep -v '^ok ' "$log" | show 60
  step bench-logic python3 -B bench/test_bench.py
  step network-logic python3 -B bench/network/test_network.py
}

# All but the test programs that run in the sanitized builds alone.
stage_build() { step build build_plain; }

build_plain() { cmake -S . -B build -DWT_BUILD_TESTS=ON -DWT_BUILD_BENCH=ON && compile build plain_tests; }

stage_unit() {
  build build-sanitized build/asan -DWT_SANITIZE=ON "${lean[@]}"
  tests sanitized build/asan -j "$jobs" -LE 'script|browser'
}

# What several threads do at once, and servers with two workers, under ThreadSanitizer. The scripts wait much of the time.
stage_threads() { stage_build_threads && stage_test_threads; }

stage_build_threads() { step build-threads build_threads; }

stage_test_threads() { tests threads build/tsan -j "$((jobs * 2))" -L threads; }

build_threads() {
  cmake -S . -B build/tsan -DWT_SANITIZE_THREAD=ON "${lean[@]}" && compile build/tsan thread_tests
}

stage_fuzz() {
  build build-fuzz build/fuzz -DWT_FUZZ=ON -DCMAKE_C_COMPILER="${CC_FUZZ:-clang}" "${lean[@]}"
  echo "== fuzz"
  rm -f "$results/fuzz.tally"
  scripts/fuzz.py run --seconds "$fuzz_seconds" --tally "$results/fuzz.tally" | grep -v '^pass '
  cat "$results/fuzz.tally" >>"$tally"
  [ -s "$results/fuzz.tally" ] || fail "fuzz (no targets)"
}

stage_install() { step install bash tests/install/run.sh build; }
# Side by side: the browser test waits for timeouts of the server much of the time. The interop stage shows what the
# tests with strangers at the other end leave behind. With them is what cannot be measured in the sanitized build.
stage_e2e() {
  rm -rf "$results/suites"
  mkdir -p "$results/suites"
  WT_RESULTS_DIR=$PWD/$results/suites tests e2e build -j "$jobs" -L 'script|browser|plain'
}

# Our end is the sanitized one: what it finds there is a failure too.
stage_interop() {
  local log=$results/interop.log
  step interop-build build_interop || return
  step interop-runner python3 -B -m unittest discover -s tests/interop
  step interop-setup setup_interop || return
  step interop-firefox firefox
  step interop-docs docs
  step interop-through-the-gateway tests/interop/run.py --no-setup --native build/asan/tests/interop/interop_peer \
    --through build/asan/webtransport --peer webtransport-go --peer native
  step interop-gateway-chromium node tests/browser/through_gateway.mjs build/asan/webtransport
  step interop-envoy-chromium node tests/browser/envoy.mjs build/asan/webtransport build/interop/envoy/envoy
  echo "== interop"
  rm -f "$results/interop.tally"
  tests/interop/run.py --no-setup --native build/asan/tests/interop/interop_peer --tally "$results/interop.tally" \
    --endpoint build/asan/tools/interop/interop_endpoint --suites "$results/suites" --markdown "$results/interop.md" \
    >"$log" 2>&1
  show 60 <"$log"
  if [ -s "$results/interop.tally" ]; then
    cat "$results/interop.tally" >>"$tally"
  else
    fail "interop (no result)"
  fi
  # What a reader is shown has to be what the run shows.
  step interop-table tests/interop/suites.py compare docs/interop.md "$results/interop.md"
}

build_interop() {
  cmake -S . -B build/asan -DWT_SANITIZE=ON && cmake --build build/asan -j "$jobs" --target interop_peer --target interop_endpoint --target webtransport_tool
}

setup_interop() { scripts/setup.sh interop && scripts/setup.sh browsers && tests/interop/run.py --setup; }

# The documentation's site: it takes seconds, and its generator is installed with what this stage needs.
docs() {
  scripts/setup.sh docs && cmake -S . -B build && cmake --build build -j "$jobs" --target webtransport_documentation &&
    docs/site/build.py build/manual build/docs
}

# The checks that Chromium passes in the stage e2e.
firefox() {
  mkdir -p "$results/suites"
  WT_RESULTS_DIR=$PWD/$results/suites node tests/browser/run.mjs build/webtransport firefox
}

# The line that ends the run, and before it what failed and what ran in no build here; a stage that left no result at all
# is a failure.
summary() {
  local passed failed
  passed=$(grep -c '^pass ' "$tally")
  failed=$(grep -c '^fail ' "$tally")
  echo
  awk '{ kind = $1; sub("^[a-z]* ", "") } NR == FNR && kind == "pass" { ran[$0] = 1 }
    NR > FNR && kind == "skip" && !($0 in ran) { print "SKIPPED: " $0 }' "$tally" "$tally"
  sed -n 's/^fail /FAILED: /p' "$tally"
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# --- Order ---

# Sets `spent`: seconds of processor time of all that this shell has waited for.
note_spent() {
  local file=$results/times.$BASHPID
  times >"$file" # in a subshell it would tell of that one
  spent=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", 60 * ($1 + $3) + $2 + $4 }' "$file")
  rm -f "$file"
}

run_stage() { # run_stage NAME
  local started=$SECONDS before spent
  if ! declare -F "stage_$1" >/dev/null; then
    fail "no stage is called $1"
    return
  fi
  note_spent
  before=$spent
  "stage_$1"
  note_spent
  echo "   $1: $((SECONDS - started)) s, $((spent - before)) s of processor time"
}

# Starts a stage that mostly waits; `join` waits for its end and shows what it said. It is a process group of its own, since
# bash has others in the background ignore SIGINT, which tests send.
groups=()
beside() { # beside NAME
  set -m
  run_stage "$1" >"$results/$1.out" 2>&1 </dev/null &
  set +m
  groups+=($!)
}

join() { # join NAME...
  wait
  groups=()
  for stage in "$@"; do cat "$results/$stage.out"; done
}

end_groups() {
  for group in "${groups[@]}"; do kill -- "-$group" 2>/dev/null; done
}
trap end_groups EXIT

run_all() {
  beside checks
  run_stage build
  beside e2e
  (
    renice -n $(($(nice) + 10)) -p "$BASHPID" >/dev/null
    for stage in unit build_threads fuzz install; do run_stage $stage; done
  )
  join checks e2e
  run_stage test_threads
}

if [ ${#stages[@]} -eq 0 ]; then
  run_all
  [ -z "${CI:-}" ] || stages=(interop)
fi
for stage in "${stages[@]}"; do run_stage "$stage"; done
summary
