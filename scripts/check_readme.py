#!/usr/bin/env python3
"""Holds the C code that README.md and pages of docs show against the example files that the build compiles.

A code block is introduced by a line '<!-- examples/NAME.c -->'.
Use:  check_readme.py            exit 1 when a block differs
      check_readme.py --write    puts the files' text into the pages
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = ["README.md", "docs/how/tls_programs.md"]
BLOCK = re.compile(r"<!-- (examples/\w+\.c) -->\n```c\n(.*?)```\n", re.S)


def check(page, write):
    """What the page shows otherwise than it is built, or that it shows nothing."""
    path = os.path.join(ROOT, page)
    with open(path, encoding="utf-8") as shown:
        text = shown.read()
    wrong = []

    def replace(match):
        with open(os.path.join(ROOT, match.group(1)), encoding="utf-8") as source:
            code = source.read()
        if code != match.group(2):
            wrong.append(f"{page} differs from {match.group(1)}; run: scripts/check_readme.py --write")
        return f"<!-- {match.group(1)} -->\n```c\n{code}```\n"

    fresh = BLOCK.sub(replace, text)
    if not BLOCK.search(text):
        return [f"{page} shows no example"]
    if write:
        with open(path, "w", encoding="utf-8") as shown:
            shown.write(fresh)
        return []
    return wrong


def main(argv):
    complaints = [line for page in PAGES for line in check(page, "--write" in argv)]
    for line in complaints:
        print(line)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
