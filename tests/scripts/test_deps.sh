#!/bin/bash
# Holds scripts/deps.sh to its promises with --dry-run: nothing is installed, no network is used.
set -u
script=$(cd "$(dirname "$0")/../.." && pwd)/scripts/deps.sh
command -v dpkg-query >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
expect() { # what, text, pattern
    if ! grep -qE -e "$3" <<<"$2"; then
        printf 'FAIL %s: expected /%s/ in:\n%s\n' "$1" "$3" "$2"
        failures=$((failures + 1))
    fi
}
expect_not() {
    if grep -qE -e "$3" <<<"$2"; then
        printf 'FAIL %s: did not expect /%s/ in:\n%s\n' "$1" "$3" "$2"
        failures=$((failures + 1))
    fi
}
run() { sh "$script" --dry-run --file "$dir/list" --os-release "$dir/os" --apt-dir "$dir/apt" 2>&1; }
reset() {
    rm -rf "$dir/apt"
    mkdir -p "$dir/apt/sources.list.d"
    echo 'VERSION_CODENAME=bookworm' >"$dir/os"
}

# Everything there (dpkg itself always is): not a single command.
reset
printf '# comment\ndpkg  # why\nnw-none | dpkg\n' >"$dir/list"
out=$(run)
expect "all there" "$out" 'all packages are there'
expect_not "all there" "$out" 'would run'

# Only what is missing is named; the update comes first.
printf 'dpkg\nnw-none-a\nnw-none-b | nw-none-c\n' >"$dir/list"
out=$(run)
expect "missing" "$out" 'would run: apt-get update'
expect "missing" "$out" 'install .* nw-none-a nw-none-b$'
expect_not "missing" "$out" 'dpkg|backports'

# Backports, one-line format: the mirror and the key of the machine's own configuration.
echo 'deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main contrib' >"$dir/apt/sources.list"
echo 'nw-none @backports' >"$dir/list"
out=$(run)
expect "one line" "$out" 'URIs: http://m.example/debian$'
expect "one line" "$out" 'Signed-By: /k.gpg$'
expect "one line" "$out" '-t bookworm-backports nw-none$'

# deb822 format; the security stanza is not the archive.
reset
printf 'Types: deb\nURIs: http://a.example/security\nSuites: bookworm-security\nComponents: main\n\n' \
    >"$dir/apt/sources.list.d/debian.sources"
printf 'Types: deb\nURIs: http://b.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /d.gpg\n' \
    >>"$dir/apt/sources.list.d/debian.sources"
out=$(run)
expect "deb822" "$out" 'URIs: http://b.example/debian$'
expect "deb822" "$out" 'Signed-By: /d.gpg$'
expect_not "deb822" "$out" 'a.example'

# Already configured: not added again.
printf '\nTypes: deb\nURIs: http://c.example/debian\nSuites: bookworm-backports\nComponents: main\n' \
    >>"$dir/apt/sources.list.d/debian.sources"
out=$(run)
expect_not "there already" "$out" 'would write'
expect "there already" "$out" '-t bookworm-backports nw-none$'

# Another release has the package itself.
reset
echo 'VERSION_CODENAME=trixie' >"$dir/os"
out=$(run)
expect_not "newer release" "$out" 'backports'
expect "newer release" "$out" 'install .* nw-none$'

# No mirror to take: says what to do, fails.
reset
if out=$(run); then
    echo "FAIL no mirror: exit status 0"
    failures=$((failures + 1))
fi
expect "no mirror" "$out" 'add the suite bookworm-backports'

# Wrong use.
sh "$script" --no-such 2>/dev/null
[ $? = 2 ] || { echo "FAIL wrong use: exit status"; failures=$((failures + 1)); }
[ $failures = 0 ]
