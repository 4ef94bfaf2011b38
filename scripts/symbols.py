#!/usr/bin/env python3
"""Lists what a shared library exports, or compares that with a list.

Use:  symbols.py LIBRARY            prints the sorted list (make symbols keeps it in tests/abi)
      symbols.py LIBRARY LIST       prints the differences; exit 1 when there are any
"""
import re
import subprocess
import sys

# The linker's own names, and those a sanitizer runtime adds, are not ours to promise.
NOT_OURS = re.compile(r"^(_init|_fini|_end|_edata|__bss_start|__(asan|ubsan|tsan|sanitizer|odr_asan).*)$")
PUBLIC = re.compile(r"^_?(nw|sec|dispatch|kNW|Sec)_?")


def exported(library):
    output = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", library],
        check=True, capture_output=True, text=True).stdout
    names = {line.split()[0].split("@")[0] for line in output.splitlines() if line.strip()}
    return sorted(name for name in names if not NOT_OURS.match(name))


def main(argv):
    if len(argv) not in (2, 3):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    now = exported(argv[1])
    if len(argv) == 2:
        print("\n".join(now))
        return 0
    with open(argv[2], encoding="utf-8") as listed:
        before = listed.read().split()
    bad = [name for name in now if not PUBLIC.match(name) or name.startswith("nwi_")]
    gone = sorted(set(before) - set(now))
    new = sorted(set(now) - set(before))
    for title, names in (("exported but not public", bad), ("gone", gone), ("new", new)):
        for name in names:
            print(f"{title}: {name}")
    if before != sorted(before):
        print(f"{argv[2]} is not sorted")
        bad.append("order")
    if gone or new or bad:
        print("when the change is meant: make symbols, and review the difference")
        return 1
    print(f"{len(now)} exported symbols, as listed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
