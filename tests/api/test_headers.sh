#!/bin/sh
# Every public header compiles by itself, in C and C++, with and without blocks, without a warning.
# Use: test_headers.sh INCLUDE_DIRECTORY
set -u
include=$1
failed=0
compile() { # compile HEADER COMPILER ARGUMENTS...
    header=$1
    shift
    command -v "$1" >/dev/null 2>&1 || return 0
    if ! printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
        "$@" -Wall -Wextra -Werror -I"$include" -fsyntax-only -; then
        echo "not ok: $header with $*"
        failed=1
    fi
}
for path in "$include"/Network/*.h "$include"/Security/*.h "$include"/dispatch/*.h; do
    header=${path#"$include"/}
    compile "$header" gcc -std=gnu11 -x c
    compile "$header" clang -std=gnu11 -fblocks -x c
    compile "$header" g++ -x c++
    compile "$header" clang++ -fblocks -x c++
done
# Strict C11 knows neither gnu words nor block syntax.
compile Network/Network.h gcc -std=c11 -x c
exit $failed
