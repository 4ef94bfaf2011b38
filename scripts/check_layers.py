#!/usr/bin/env python3
"""Holds the includes of the tree against docs/layers.txt.

Refuses an include that the table does not allow, and a loop of more than three modules that need
each other (x.c and x.h are one module). Exit 1 when anything is wrong.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<((?:Network|Security|dispatch|os)/[^>]+)>)', re.M)
LOOP_MAX = 3


def read_table(path):
    table = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].strip()
            if line:
                key, _, allowed = line.partition(":")
                table[key.strip()] = set(allowed.split())
    return table


def sources(root):
    """Yields paths relative to root of every C file whose includes are ruled."""
    for top in ("src", "include", "tools", "examples", "bench"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def place(path, table):
    """The row a file belongs to: 'protocol/tcp' for src/protocol/tcp/x.c, 'tools' for tools/nwcat/x.c."""
    if path.startswith("include/"):
        return "include"
    inner = path[len("src/"):] if path.startswith("src/") else path
    folder = os.path.dirname(inner)
    while folder and folder not in table:
        folder = os.path.dirname(folder)
    return folder or None


def resolve(root, path, quoted, system):
    """The file an include means, relative to root, or None when it is not one of ours."""
    if system:
        candidates = ["include/" + system]
    else:
        candidates = [os.path.join(os.path.dirname(path), quoted), "src/" + quoted, "include/" + quoted]
        if path.startswith("tools/"):  # what tools share: "common/x.h"
            candidates.append("tools/" + quoted)
    for candidate in candidates:
        candidate = os.path.normpath(candidate)
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def loops(graph):
    """Strongly connected sets of a {module: {module}} graph (Tarjan, without recursion)."""
    index, low, on, stack, found, counter = {}, {}, set(), [], [], 0
    for start in sorted(graph):
        if start in index:
            continue
        work = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = counter
        counter += 1
        stack.append(start)
        on.add(start)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = counter
                    counter += 1
                    stack.append(other)
                    on.add(other)
                    work.append((other, iter(sorted(graph.get(other, ())))))
                    break
                if other in on:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members = []
                    while True:
                        member = stack.pop()
                        on.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    found.append(sorted(members))
    return found


def check(root):
    table = read_table(os.path.join(root, "docs/layers.txt"))
    wrong, graph, count = [], {}, 0
    for path in sources(root):
        row = place(path, table)
        if row is None:
            wrong.append(f"{path}: its folder has no row in docs/layers.txt")
            continue
        inner = path[len("src/"):] if path.startswith("src/") else path
        allowed = {row} | table.get(row, set()) | table.get(inner, set())
        module = os.path.splitext(path)[0]
        graph.setdefault(module, set())
        with open(os.path.join(root, path), encoding="utf-8") as source:
            text = source.read()
        for match in INCLUDE.finditer(text):
            target = resolve(root, path, match.group(1), match.group(2))
            if target is None:
                if match.group(1):
                    wrong.append(f'{path}: includes "{match.group(1)}", which is not there')
                continue
            count += 1
            there = place(target, table)
            if there not in allowed:
                line = text.count("\n", 0, match.start()) + 1
                wrong.append(f"{path}:{line}: {row} may not include {there} ({target})")
            if path.startswith("src/") and target.startswith("src/"):
                other = os.path.splitext(target)[0]
                if other != module:
                    graph[module].add(other)
                    graph.setdefault(other, set())
    for members in loops(graph):
        if len(members) > LOOP_MAX:
            wrong.append("a loop of %d modules: %s" % (len(members), " ".join(members)))
    return wrong, count


def main(argv):
    root = argv[1] if len(argv) > 1 else ROOT
    wrong, count = check(root)
    for line in wrong:
        print(line)
    if not wrong:
        print(f"{count} includes, all allowed by docs/layers.txt")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
