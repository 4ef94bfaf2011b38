#!/bin/sh
# deps.sh - installs the Debian packages of deps.txt that this machine lacks, and nothing else.
# What:   looks with dpkg-query first, so a machine that has everything is left alone (no network, no root).
#         Packages marked @backports add the suite bookworm-backports on Debian 12 only, at the mirror that the
#         machine's own apt configuration already uses for bookworm.
# Use:    sh scripts/deps.sh [--dry-run] [--file LIST] [--os-release FILE] [--apt-dir DIR]
#         --dry-run prints the commands instead of running them. The last three are for its test.
# Exit:   0 all there; 1 could not install; 2 wrong use.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/deps.txt
os_release=/etc/os-release
apt_dir=/etc/apt
dry_run=
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) dry_run=yes ;;
    --file) list=$2; shift ;;
    --os-release) os_release=$2; shift ;;
    --apt-dir) apt_dir=$2; shift ;;
    *) echo "deps: unknown argument '$1'" >&2; exit 2 ;;
    esac
    shift
done

say() { echo "deps: $*" >&2; }

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The commands run as root: directly, by sudo, or not at all.
as_root() {
    if [ -n "$dry_run" ]; then
        echo "would run: $*"
    elif [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "needs root for: $*"
        say "run 'make deps' as root once, or install sudo; then run make again as yourself"
        exit 1
    fi
}

# Prints the words "name ..." (alternatives) and "@backports" of each line, comments removed.
requirements() { sed -e 's/#.*//' -e 's/|/ /g' "$list" | grep -v '^[[:space:]]*$' || true; }

# First alternative that apt knows, or the first one.
choose() {
    for name in "$@"; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "$1"
}

# Prints "URI<TAB>signed-by" of the first Debian 12 source found. Reads both formats of apt.
find_mirror() {
    for f in "$apt_dir"/sources.list.d/*.sources; do
        [ -f "$f" ] || continue
        awk 'function flush() { if (!off && types ~ /(^| )deb( |$)/ && suites ~ /(^| )bookworm( |$)/ &&
                                    comps ~ /(^| )main( |$)/ && uri != "") { print uri "\t" key; done = 1; exit }
                                types = suites = comps = uri = key = ""; off = 0 }
             /^#/ { next }
             /^[[:space:]]*$/ { flush(); next }
             /^[Tt]ypes:/ { $1 = ""; types = $0 }
             /^[Ss]uites:/ { $1 = ""; suites = $0 }
             /^[Cc]omponents:/ { $1 = ""; comps = $0 }
             /^[Uu][Rr][Ii]s:/ { uri = $2 }
             /^[Ss]igned-[Bb]y:/ { key = $2 }
             /^[Ee]nabled:[[:space:]]*no/ { off = 1 }
             END { if (!done) flush() }' "$f"
    done
    for f in "$apt_dir"/sources.list "$apt_dir"/sources.list.d/*.list; do
        [ -f "$f" ] || continue
        # deb [options] URI suite components
        sed -n 's/^deb[[:space:]]*\(\[[^]]*\]\)\{0,1\}[[:space:]]*\([^[:space:]]*\)[[:space:]][[:space:]]*bookworm[[:space:]].*main.*/\2 \1/p' "$f" |
            while read -r uri options; do
                key=$(echo "$options" | sed -n 's/.*signed-by=\([^] ]*\).*/\1/p')
                printf '%s\t%s\n' "$uri" "$key"
            done
    done
}

has_backports() {
    grep -rhsE '^(deb|[Ss]uites:).*bookworm-backports' "$apt_dir/sources.list" "$apt_dir/sources.list.d" |
        grep -q .
}

# Writes one sources file for the suite; removing that file undoes it.
add_backports() {
    has_backports && return 0
    mirror=$(find_mirror | head -n 1)
    uri=$(printf '%s' "$mirror" | cut -f1)
    key=$(printf '%s' "$mirror" | cut -sf2)
    if [ -z "$uri" ]; then
        say "$apt_dir names no mirror for bookworm; add the suite bookworm-backports there, then run again"
        exit 1
    fi
    text="Types: deb
URIs: $uri
Suites: bookworm-backports
Components: main"
    [ -z "$key" ] || text="$text
Signed-By: $key"
    target=$apt_dir/sources.list.d/libnw-backports.sources
    say "adding the suite bookworm-backports from $uri"
    if [ -n "$dry_run" ]; then
        printf 'would write %s:\n%s\n' "$target" "$text"
    else
        printf '%s\n' "$text" | as_root tee "$target" >/dev/null
    fi
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    say "this is not Debian or a relative of it; install by hand what $list names"
    exit 1
fi

codename=$(sed -n 's/^VERSION_CODENAME=//p' "$os_release" 2>/dev/null | tr -d '"')
missing= missing_backports=
while read -r line; do
    [ -n "$line" ] || continue
    backports= names= found=
    for word in $line; do
        if [ "$word" = @backports ]; then
            backports=yes
        else
            names="$names $word"
            if installed "$word"; then found=yes; fi
        fi
    done
    [ -z "$found" ] || continue
    if [ -n "$backports" ] && [ "$codename" = bookworm ]; then
        missing_backports="$missing_backports|$names"
    else
        missing="$missing|$names"
    fi
done <<LIST
$(requirements)
LIST

if [ -z "$missing$missing_backports" ]; then
    say "all packages are there"
    exit 0
fi

[ -z "$missing_backports" ] || add_backports
export DEBIAN_FRONTEND=noninteractive
as_root apt-get update -q

# "| a b| c" -> one chosen name each.
pick() {
    echo "$1" | tr '|' '\n' | while read -r names; do
        # shellcheck disable=SC2086 # split into alternatives on purpose
        [ -z "$names" ] || choose $names
    done
}
plain=$(pick "$missing")
if [ -n "$plain" ]; then
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $plain
fi
newer=$(pick "$missing_backports")
if [ -n "$newer" ]; then
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -t bookworm-backports $newer
fi
[ -n "$dry_run" ] || say "done"
