#!/bin/bash
# fuzz.sh - runs fuzz targets with libFuzzer, ASan and UBSan, and says whether they came through clean.
# Use:   scripts/fuzz.sh [--seconds N] [--jobs N] [--build FOLDER] [--merge] [NAME...]
#        no NAME: all of tests/fuzz; 60 seconds each, two at a time, in build-fuzz. Starts from the corpus in
#        tests/fuzz/corpus; what it learns stays in FOLDER/corpus. --merge runs nothing: it takes from there into
#        tests/fuzz/corpus what reaches more than the files that are there.
# Ends:  one line a target: executions, coverage (edges), features. A crash, hang, leak, or a run that ended before
#        its time is not clean: the log, the input and its path are shown. Exit status 1 when any was not clean.
set -u
cd "$(dirname "$0")/.." || exit 2
seconds=60 jobs=2 build=build-fuzz merge=no names=()
HANG=60 # seconds for one input, on a machine that has other things to do
INPUT_MAX=1024 # octets of an input: small ones are quick, and enough for every branch

while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=$2 && shift ;;
    --jobs) jobs=$2 && shift ;;
    --build) build=$2 && shift ;;
    --merge) merge=yes ;;
    -*) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done
if [ ${#names[@]} = 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        name=${file##*/fuzz_}
        names+=("${name%.c}")
    done
fi
targets=("${names[@]/#/tests/fuzz/fuzz_}")

set -e
if [ ! -f "$build/build.ninja" ]; then
    CC=clang meson setup "$build" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false >"/dev/null"
fi
ninja -C "$build" --quiet "${targets[@]}" >"$build/build.log" || { cat "$build/build.log" && exit 1; }
set +e
build=$(cd "$build" && pwd)
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
NW_TEST_DATA=${NW_TEST_DATA:-$(meson introspect "$build" --buildoptions |
    python3 -c 'import json, sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "test_data"))')}
export NW_TEST_DATA

# The last number after a word of libFuzzer's log, e.g. "cov: 123".
last() { # log, word
    grep -oE "$2: *[0-9]+" "$1" | tail -n 1 | grep -oE "[0-9]+$"
}

run() { # name
    local name=$1 log=$build/fuzz-logs/$1.log learnt=$build/corpus/$1 found=$build/found/$1 status begin took
    mkdir -p "$build/fuzz-logs" "$learnt" "$found"
    # What an earlier run found counts until it has been mended.
    if [ -n "$(ls -A "$found")" ] && "$build/tests/fuzz/fuzz_$name" "$found"/* >"$log" 2>&1 </dev/null; then
        rm -f "$found"/*
    fi
    begin=$SECONDS
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=$INPUT_MAX -timeout=$HANG \
        -report_slow_units=$HANG -print_final_stats=1 -artifact_prefix="$found/" "$learnt" "tests/fuzz/corpus/$name" >"$log" 2>&1 </dev/null
    status=$?
    took=$((SECONDS - begin))
    local verdict=clean
    if [ $status != 0 ] || [ -n "$(ls -A "$found")" ] || [ "$took" -lt "$seconds" ] ||
        ! grep -q '^Done [1-9]' "$log"; then
        verdict=FOUND
    fi
    printf '%-5s  %-12s %10s executions, coverage %5s, features %6s, corpus %5s files, %5s s\n' $verdict "$name" \
        "$(last "$log" stat::number_of_executed_units)" "$(last "$log" " cov")" "$(last "$log" " ft")" \
        "$(find "$learnt" "tests/fuzz/corpus/$name" -type f | wc -l)" "$took"
    if [ $verdict != clean ]; then
        grep -v '^#[0-9]' "$log" | tail -n 40
        find "$found" -type f
        return 1
    fi
}

# What takes no branch that the others do not take is left out. Files made here have libFuzzer's names; a seed that
# was written by hand keeps its own.
merge_one() { # name
    "$build/tests/fuzz/fuzz_$1" -set_cover_merge=1 -use_counters=0 -max_len=$INPUT_MAX \
        "tests/fuzz/corpus/$1" "$build/corpus/$1" \
        >"$build/fuzz-logs/$1-merge.log" 2>&1 || { tail -n 20 "$build/fuzz-logs/$1-merge.log" && return 1; }
    printf 'merged %-12s %5s files, %7s octets\n' "$1" "$(find "tests/fuzz/corpus/$1" -type f | wc -l)" \
        "$(du -sb "tests/fuzz/corpus/$1" | cut -f1)"
}

bad=0
for name in "${names[@]}"; do
    if [ $merge = yes ]; then
        merge_one "$name" || bad=1
        continue
    fi
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n || bad=1
    done
    run "$name" &
done
while [ -n "$(jobs -p)" ]; do
    wait -n || bad=1
done
exit $bad
