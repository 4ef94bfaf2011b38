#!/usr/bin/env python3
"""check_atomics.py - each atomic operation says what it pairs with.

What:  in the folders below, an operation on an atomic object needs a comment about its order: where the
       object is declared, or in the lines before the operation (same function). An operation without an
       explicit order is sequentially consistent, and the comment has to say why that much is needed.
Use:   scripts/check_atomics.py        exit 1 when an operation has none
"""
import os
import re
import sys

FOLDERS = ['src/base', 'src/loop', 'src/dispatch', 'src/front']
NEAR = 7  # lines before an operation in which its comment may end
ORDER = re.compile(r'relaxed|acquire|release|acq_rel|seq_cst|sequential|under (the |its )?\w* ?lock', re.I)
CONSISTENT = re.compile(r'seq_cst|sequential', re.I)
OPERATION = re.compile(r'\batomic_(load|store|exchange|fetch_(?:add|sub|and|or|xor)|compare_exchange_(?:strong|weak))(_explicit)?\(')
DECLARED = re.compile(r'_Atomic\b[^;=]*?(\w+)\s*(\[[^\]]*\]\s*)?(=[^;]*)?;')


def comment_texts(text):
    """The text with everything but comments blanked, same lines."""
    kept = []
    for part in re.split(r'(/\*.*?\*/)', text, flags=re.S):
        kept.append(part if part.startswith('/*') else re.sub(r'[^\n]', ' ', part))
    return ''.join(kept).split('\n')


def comment_about(comments, first, last):
    """The comments on lines first..last (from 0), with the whole of a block that ends there."""
    while first > 0 and comments[first].strip() and '/*' not in comments[first]:
        first -= 1
    while last + 1 < len(comments) and comments[last].strip() and '*/' not in comments[last]:
        last += 1
    return ' '.join(comments[first:last + 1])


def declarations(path, text, comments, found):
    """Fields and variables with a comment about their order: on the line or right above it."""
    for match in DECLARED.finditer(text):
        first, last = text.count('\n', 0, match.start()), text.count('\n', 0, match.end())
        while first > 0 and comments[first - 1].strip() and not text.split('\n')[first - 1].rstrip().endswith(';'):
            first -= 1
        found.setdefault(match.group(1), []).append(comment_about(comments, first, last))


def operand(text, start):
    """The last name of the first argument: `state` of `&serial->state`."""
    depth, at = 0, start
    while at < len(text) and not (depth == 0 and text[at] in ',)'):
        depth += text[at] in '([' or -(text[at] in ')]')
        at += 1
    names = re.findall(r'[A-Za-z_]\w*', re.sub(r'\[.*\]', '', text[start:at]))
    return names[-1] if names else ''


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sources, missing, count = {}, [], 0
    base = {}
    for folder in FOLDERS:  # base first: its fields are used everywhere
        found = base if folder == FOLDERS[0] else dict(base)
        for name in sorted(os.listdir(folder)):
            if name.endswith(('.c', '.h')):
                path = os.path.join(folder, name)
                with open(path) as file:
                    text = file.read()
                sources[path] = text, comment_texts(text), found
                declarations(path, text, sources[path][1], found)
    for path, (text, comments, found) in sources.items():
        lines = text.split('\n')
        for match in OPERATION.finditer(text):
            line = text.count('\n', 0, match.start())
            if comments[line][:1].strip() or '/*' in lines[line][:lines[line].find('atomic_')]:
                continue  # named in a comment
            count += 1
            needed = CONSISTENT if match.group(2) is None else ORDER
            first = line
            while first > 0 and line - first < NEAR and not lines[first - 1].startswith('}'):
                first -= 1
            near = comment_about(comments, first, line)
            declared = found.get(operand(text, match.end()), [])
            if not needed.search(near) and not any(needed.search(comment) for comment in declared):
                missing.append(f'{path}:{line + 1}: {lines[line].strip()}')
    for line in missing:
        print(line)
    print(f'{count} atomic operations, {len(missing)} without a comment about their order')
    sys.exit(1 if missing else 0)


if __name__ == '__main__':
    main()
