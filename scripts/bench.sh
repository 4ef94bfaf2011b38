#!/bin/bash
# bench.sh - runs the measurements of one build folder, one program a question.
# Use:    scripts/bench.sh BUILD [PROGRAM...] [--rounds N] [--seconds S] [--only TEXT] [--full] [--markdown | --json]
#         Without PROGRAM: all of them, in the order of BUILD/bench/programs. --markdown writes the tables with date,
#         machine and command above them, as docs/performance.md has them; --json an array with one object a program.
# Exit:   1 when a measurement failed, 2 for wrong use, 3 when --only names no row of any program.
set -u
build=${1:?usage: bench.sh BUILD [PROGRAM...] [options], see bench.sh BUILD --help}
shift
list=$build/bench/programs
[ -r "$list" ] || {
    echo "bench: no $list; run make first" >&2
    exit 2
}
words=; [ $# -eq 0 ] || words=$(printf " %q" "$@")
programs=()
while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
    [ -x "$build/bench/$1" ] && grep -qx "$1" "$list" || {
        echo "bench: no program '$1'; there are: $(tr '\n' ' ' <"$list")" >&2
        exit 2
    }
    programs+=("$1")
    shift
done
[ ${#programs[@]} -gt 0 ] || mapfile -t programs < <(grep . "$list")

form=table
for word in "$@"; do
    case $word in
    --help) exec "$build/bench/${programs[0]}" --help ;;
    --json | --markdown) form=${word#--} ;;
    esac
done

machine() {
    local model
    model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
    printf '%s, %s processors, Linux %s' "${model:-$(uname -m)}" "$(nproc)" "$(uname -r | cut -d- -f1)"
}

if [ "$form" = markdown ]; then
    printf '%s; %s; `scripts/bench.sh BUILD%s`.\n\n' "$(date -u +%Y-%m-%d)" "$(machine)" "$words"
fi
# The programs print as they go. One without a row for --only is passed over, as long as another has one.
status=3 separator='['
for program in "${programs[@]}"; do
    [ "$form" != json ] || { printf '%s' "$separator"; separator=,; }
    "$build/bench/$program" "$@" 2> >(grep -v 'has no row that is called' >&2)
    result=$?
    [ $result -ne 2 ] || exit 2
    if [ $result -eq 3 ]; then
        [ "$form" != json ] || printf 'null'
    elif [ $status -eq 3 ] || [ $result -ne 0 ]; then
        status=$result
    fi
done
[ "$form" != json ] || echo ']'
[ $status -ne 3 ] || echo "bench: no row of ${programs[*]} is called that" >&2
exit $status
