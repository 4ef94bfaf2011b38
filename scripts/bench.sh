#!/bin/bash
# bench.sh - runs the measurements of one build folder. Use: scripts/bench.sh BUILD [--json and others, see --help]
set -eu
build=${1:?usage: bench.sh BUILD [options]}
shift
[ -x "$build/bench/echo" ] || {
    echo "bench: no $build/bench/echo; run make first" >&2
    exit 1
}
exec "$build/bench/echo" "$@"
