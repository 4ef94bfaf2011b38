#!/bin/bash
# demo.sh - libnw's main job on real input, on this machine alone.
# What:   1. a web server on ::1 and 127.0.0.1; nwcat fetches a page by name, the race drawn in the terminal
#         2. a file sent to an nwcat listener and compared
# Use:    scripts/demo.sh [BUILD]      make demo does the set-up first
# Ends:   0 when what arrived is what was sent. Leaves no process and no file behind.
set -eu
build=${1:-build}
nwcat=$build/tools/nwcat
[ -d "$nwcat" ] && nwcat=$build/tools/nwcat/nwcat
deadline=10 # seconds that any one wait may take
dir=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Waits until a line of FILE matches PATTERN and prints its first group. The writer is process PID.
await() { # file, sed pattern, pid
    local end=$((SECONDS + deadline)) found
    while :; do
        found=$(sed -n "s/$2/\\1/p" "$1" 2>/dev/null | head -n 1)
        [ -z "$found" ] || break
        kill -0 "$3" 2>/dev/null || { cat "$1" >&2; fail "it ended early"; }
        [ $SECONDS -lt $end ] || fail "waited $deadline s for it"
        sleep 0.05
    done
    echo "$found"
}

[ -x "$nwcat" ] || fail "no $nwcat; run make first"

echo "== 1. a page by name"
mkdir "$dir/www"
cat >"$dir/www/index.html" <<'PAGE'
<!doctype html>
<title>libnw</title>
<p>This page came through Network framework on Linux.</p>
PAGE
# One port for both families: IPv4 takes what the system chooses, IPv6 the same where there is IPv6.
PYTHONUNBUFFERED=1 python3 -m http.server --bind 127.0.0.1 --directory "$dir/www" 0 >"$dir/v4.log" 2>&1 &
pids+=($!)
port=$(await "$dir/v4.log" '.* port \([0-9]*\) .*' $!)
if [ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6; then
    PYTHONUNBUFFERED=1 python3 -m http.server --bind ::1 --directory "$dir/www" "$port" >"$dir/v6.log" 2>&1 &
    pids+=($!)
    await "$dir/v6.log" '.* port \([0-9]*\) .*' $! >/dev/null
    echo "   server on [::1]:$port and 127.0.0.1:$port"
else
    echo "   server on 127.0.0.1:$port (no IPv6 here)"
fi
fetch() {
    echo "   \$ nwcat --timeline localhost $port"
    printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' |
        timeout "$deadline" "$nwcat" --timeline -w 5 localhost "$port" 2>&1 >"$dir/answer" | sed 's/^/   /'
    [ "${PIPESTATUS[1]}" = 0 ] || fail "nwcat did not fetch the page"
    sed '1,/^\r*$/d' "$dir/answer" | cmp - "$dir/www/index.html" || fail "the page differs from the file"
}
fetch
sed 's/^/   | /' "$dir/answer"
echo "   the page is the file, octet for octet"
if [ ${#pids[@]} = 2 ]; then
    echo "   the server leaves ::1; the same name again:"
    kill "${pids[1]}"
    wait "${pids[1]}" 2>/dev/null || true
    unset 'pids[1]'
    fetch
    echo "   the same page, over the address that is left"
fi

echo "== 2. a file through a listener"
head -c $((8 * 1024 * 1024 + 13)) /dev/urandom >"$dir/sent"
"$nwcat" -v -l localhost 0 </dev/null >"$dir/received" 2>"$dir/listen.log" &
listener=$!
pids+=($listener)
port=$(await "$dir/listen.log" '.*port \([0-9][0-9]*\).*' $listener)
echo "   \$ nwcat -l 0 > received &            # port $port"
echo "   \$ nwcat -N localhost $port < sent"
timeout "$deadline" "$nwcat" -N -w 5 localhost "$port" <"$dir/sent" >/dev/null || fail "nwcat did not send the file"
wait $listener || fail "the listener ended with status $?"
cmp "$dir/sent" "$dir/received" || fail "the file that arrived differs"
echo "   $(stat -c %s "$dir/received") octets arrived, all equal"
echo "demo: all as it should be"
