#!/bin/bash
# Installs libnw into an empty folder, then builds the examples against that copy as a user would and lets each
# client talk to each server over loopback: blocks with clang, functions with gcc.
# Use:  test_install.sh BUILD SOURCE
set -u
build=$1 source=$2
command -v pkg-config >/dev/null && command -v gcc >/dev/null || exit 77
deadline=10
dir=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$dir"
}
trap cleanup EXIT
fail() {
    echo "FAIL: $*" >&2
    exit 1
}

DESTDIR=$dir/root meson install -C "$build" --no-rebuild --quiet >"$dir/install.log" 2>&1 ||
    { cat "$dir/install.log"; fail "meson install"; }
pc=$(find "$dir/root" -name libnw.pc)
[ -n "$pc" ] || fail "no libnw.pc installed"
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$dir/root
flags=$(pkg-config --cflags --libs libnw) || fail "pkg-config"
case $flags in *"$dir/root"*) ;; *) fail "flags do not point into the installed copy: $flags" ;; esac
library=$(find "$dir/root" -name libnw.so)
export LD_LIBRARY_PATH=${library%/*}

compile() { # compiler and options, source, program
    local out=${*: -1} src=${*: -2:1}
    # shellcheck disable=SC2086 # flags are words
    (cd "$dir" && "${@:1:$#-2}" -Wall -Wextra -Werror "$src" $flags -o "$out") || fail "building $src with $1"
}
compile gcc "$source/examples/echo_client_f.c" "$dir/client_gcc"
compile gcc "$source/examples/echo_server_f.c" "$dir/server_gcc"
clients=(client_gcc) servers=(server_gcc)
if command -v clang >/dev/null; then
    compile clang -fblocks "$source/examples/echo_client.c" "$dir/client_blocks"
    compile clang -fblocks "$source/examples/echo_server.c" "$dir/server_blocks"
    compile clang "$source/examples/echo_client_f.c" "$dir/client_clang"
    clients+=(client_blocks client_clang) servers+=(server_blocks)
fi

# The headers stand in other dialects too: strict C99, C11 and C++.
printf '#include <Network/Network.h>\nint main(void) { return nw_retain(0) != 0; }\n' >"$dir/plain.c"
cp "$dir/plain.c" "$dir/plain.cc"
compile gcc -std=c99 "$dir/plain.c" "$dir/plain_c99"
compile gcc -std=c11 -pedantic "$dir/plain.c" "$dir/plain_c11"
command -v g++ >/dev/null && compile g++ "$dir/plain.cc" "$dir/plain_cc"

port_of() { # log, pid
    local end=$((SECONDS + deadline)) port=
    while [ $SECONDS -lt $end ] && kill -0 "$2" 2>/dev/null; do
        port=$(sed -n 's/^listening on port \([1-9][0-9]*\)$/\1/p' "$1")
        [ -z "$port" ] || break
        sleep 0.05
    done
    echo "$port"
}
for server in "${servers[@]}"; do
    "$dir/$server" 0 >"$dir/$server.log" 2>&1 &
    pid=$!
    pids+=("$pid")
    port=$(port_of "$dir/$server.log" $pid)
    [ -n "$port" ] || { cat "$dir/$server.log"; fail "$server does not listen"; }
    for client in "${clients[@]}"; do
        answer=$(timeout $deadline "$dir/$client" localhost "$port") || fail "$client to $server: status $?"
        [ "$answer" = hello ] || fail "$client to $server: '$answer' instead of 'hello'"
        echo "ok: $client to $server"
    done
    kill -0 $pid 2>/dev/null || fail "$server ended"
done

# Nobody listens on a port that was just given up: the client says so and fails.
if timeout $deadline "$dir/client_gcc" 127.0.0.1 1 2>"$dir/refused"; then
    fail "a closed port was no error"
fi
grep -q refused "$dir/refused" || { cat "$dir/refused"; fail "the reason is not told"; }
echo "ok: a closed port is told"
