#!/bin/bash
# check_repo.sh - refuses text that must not be in the repository: paths of the machine it was written on,
# package mirrors, marks of unfinished work, whitespace damage, files too long to be read in one go.
# Use:  scripts/check_repo.sh        exit 1 when anything is found
set -u
cd "$(dirname "$0")/.." || exit 2
status=0
refuse() { # title, git grep arguments
    local title=$1 found
    shift
    found=$(git grep -nIE "$@" | head -n 20)
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$title" "$found"
        status=1
    fi
}
# The classes in brackets keep these lines from finding themselves.
refuse "a path of one machine" '/wor[k]/|/tmp/w[t]|/hom[e]/[a-z]+/|/roo[t]/' -- .
refuse "a package mirror" 'https?://([a-z0-9-]+[.])*(deb|registry|mirror|pypi)[.]' -- .
refuse "unfinished work" '\b(TOD[O]|FIXM[E])\b' -- '*.c' '*.h' '*.py' '*.sh' '*.build' Makefile
refuse "a merge mark" '^(<<<<<<<|>>>>>>>) ' -- .
refuse "a space at the end of a line" '[[:space:]]+$' -- '*.c' '*.h' '*.py' '*.sh' '*.build'
# Split while the parts are still easy to name. What is longer for a reason says so in its first lines:
# "Long:" and the reason.
lines_max=600
long=$(git ls-files '*.c' '*.h' '*.py' '*.sh' '*.build' | while IFS= read -r file; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt $lines_max ] && ! head -n 20 "$file" | grep -q 'Long:'; then
        printf '%s: %d lines\n' "$file" "$lines"
    fi
done)
if [ -n "$long" ]; then
    printf 'more than %d lines, and no reason ("Long: ...") at the top:\n%s\n' $lines_max "$long"
    status=1
fi
exit $status
