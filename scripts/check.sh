#!/bin/bash
# check.sh - runs every test of one build folder and ends with "N passed, N failed, N skipped".
# Use:  scripts/check.sh BUILD [arguments for meson test]
set -u
build=${1:?usage: check.sh BUILD [meson test arguments]}
shift
log=$build/meson-logs/testlog.json
rm -f "$log"
meson test -C "$build" --no-rebuild --print-errorlogs "$@"
status=$?
python3 "$(dirname "$0")/tally.py" "$log" || exit 1
exit $status
