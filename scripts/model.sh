#!/bin/bash
# model.sh - the model test of the connection API at full length: a million steps in each sanitizer build.
# What:   tests/model/connection with a million calls from one seed on, with ASan + UBSan, then with TSan; a part of
#         them over TLS, and a part with system calls that fail. CI runs a bounded share of the same (meson suite "connection-model").
# Use:    scripts/model.sh [STEPS [SEED]]     builds build-asan and build-tsan as .ci/run does
# Ends:   with the tally of each run; on failure with the sequence, made smaller, and exit status 1.
set -eu
cd "$(dirname "$0")/.."
steps=${1:-1000000}
seed=${2:-$(date +%s)}
export ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:exitcode=99
# TSan's shadow memory wants addresses that are not shuffled; some machines refuse the request.
fixed=()
if setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed=(setarch "$(uname -m)" -R)
fi
for pair in build-asan:address,undefined build-tsan:thread; do
    build=${pair%%:*}
    if [ ! -f "$build/build.ninja" ]; then
        CC=clang meson setup "$build" -Db_sanitize="${pair#*:}" -Db_lundef=false -Dbuildtype=debugoptimized
    fi
    ninja -C "$build" tests/model/connection/connection_model
    echo "== $build, $steps steps from seed $seed"
    "${fixed[@]}" "$build/tests/model/connection/connection_model" --steps "$steps" --seed "$seed"
    echo "== $build, over TLS"
    "${fixed[@]}" "$build/tests/model/connection/connection_model" --steps $((steps / 10)) --seed "$seed" --tls
    echo "== $build, system calls fail"
    "${fixed[@]}" "$build/tests/model/connection/connection_model" --steps $((steps / 10)) --seed "$seed" --faults
done
