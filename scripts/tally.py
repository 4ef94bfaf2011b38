#!/usr/bin/env python3
"""Counts the results in meson test logs and prints the closing line.

Use:  tally.py [--extra-passed N] [--extra-failed N] LOG.json...
Exit: 1 when anything failed, or when a log is missing or holds no test (nothing ran is no success).
"""
import argparse
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def results(path):
    """Yields (name, result) of each test in one testlog.json: a JSON object a line."""
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if line.strip():
                entry = json.loads(line)
                yield entry["name"], entry["result"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extra-passed", type=int, default=0)
    parser.add_argument("--extra-failed", type=int, default=0)
    parser.add_argument("logs", nargs="+")
    args = parser.parse_args()

    passed, failed, skipped = args.extra_passed, args.extra_failed, 0
    for path in args.logs:
        ran = 0
        try:
            for name, result in results(path):
                ran += 1
                if result in PASSED:
                    passed += 1
                elif result in SKIPPED:
                    skipped += 1
                else:
                    failed += 1
                    print(f"failed: {name} ({result.lower()}), see {path}")
        except (OSError, ValueError, KeyError) as error:
            print(f"failed: cannot read {path}: {error}")
        if ran == 0:
            print(f"failed: no test ran ({path})")
            failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
