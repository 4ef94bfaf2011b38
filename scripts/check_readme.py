#!/usr/bin/env python3
"""Holds the C code that README.md shows against the example files that the build compiles.

A code block is introduced by a line '<!-- examples/NAME.c -->'.
Use:  check_readme.py            exit 1 when a block differs
      check_readme.py --write    puts the files' text into README.md
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = re.compile(r"<!-- (examples/\w+\.c) -->\n```c\n(.*?)```\n", re.S)


def main(argv):
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as readme:
        text = readme.read()
    wrong = []

    def replace(match):
        with open(os.path.join(ROOT, match.group(1)), encoding="utf-8") as source:
            code = source.read()
        if code != match.group(2):
            wrong.append(match.group(1))
        return f"<!-- {match.group(1)} -->\n```c\n{code}```\n"

    fresh = BLOCK.sub(replace, text)
    if not BLOCK.search(text):
        print("README.md shows no example")
        return 1
    if "--write" in argv:
        with open(path, "w", encoding="utf-8") as readme:
            readme.write(fresh)
        return 0
    for name in wrong:
        print(f"README.md differs from {name}; run: scripts/check_readme.py --write")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
