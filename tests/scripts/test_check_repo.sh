#!/bin/bash
# Holds scripts/check_repo.sh to what it is for, in a small repository made here.
set -u
script=$(cd "$(dirname "$0")/../.." && pwd)/scripts/check_repo.sh
command -v git >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
expect() { # what, status, pattern
    local out status
    git -C "$dir" add -A
    out=$(bash "$dir/scripts/check_repo.sh" 2>&1)
    status=$?
    if [ "$status" -ne "$2" ] || ! grep -qE -e "$3" <<<"$out"; then
        printf 'FAIL %s: status %d, expected %d and /%s/ in:\n%s\n' "$1" "$status" "$2" "$3" "$out"
        failures=$((failures + 1))
    fi
}
lines() { for ((i = 0; i < $1; i++)); do echo "int x$i;"; done; }

git init -q "$dir" || exit 77
mkdir "$dir/scripts" "$dir/src"
cp "$script" "$dir/scripts/"
lines 600 >"$dir/src/a.c"
expect "as long as it may be" 0 '^$'
lines 601 >"$dir/src/a.c"
expect "a line too long" 1 '^src/a.c: 601 lines$'
{ echo '/* Long: a table. */'; lines 601; } >"$dir/src/a.c"
expect "with its reason" 0 '^$'
{ lines 30; echo '/* Long: too late to be seen. */'; lines 600; } >"$dir/src/a.c"
expect "the reason stands at the top" 1 '^src/a.c: 631 lines$'
printf 'int x; \n' >"$dir/src/a.c"
expect "a space at the end" 1 '^src/a.c:1:'
printf '/* %s: later */\n' TO''DO >"$dir/src/a.c"
expect "unfinished work" 1 'unfinished work'
echo 'int x;' >"$dir/src/a.c"
expect "mended" 0 '^$'

[ "$failures" -eq 0 ] && echo ok
exit $((failures != 0))
