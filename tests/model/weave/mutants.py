#!/usr/bin/env python3
"""mutants.py - shows that the weaver sees what it is there to see.

Compiles a woven program with one mistake in one source and runs it: the program must fail.
Use:  mutants.py BUILD                  the mistakes of mutants.txt; each has to be caught
      mutants.py BUILD --orders FILE [SCENARIOS]
                                        weakens each memory order of a source (as src/dispatch/serial.c) in
                                        turn and tells what happens: a help for review, not a test
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '../../..'))
WEAKER = {'seq_cst': ['acq_rel', 'relaxed'], 'acq_rel': ['acquire', 'release', 'relaxed'],
          'acquire': ['relaxed'], 'release': ['relaxed']}


def program_of(path):
    return 'weave_loop' if path.startswith('src/loop/') else 'weave_serial'


def commands(build, target):
    output = subprocess.run(['ninja', '-C', build, '-t', 'commands', target], check=True, capture_output=True,
                            text=True).stdout
    return [line.removeprefix('ccache ') for line in output.splitlines() if target in line]


def run_changed(build, path, text, scenarios=(), limit=600):
    """The program with `text` in place of the source: None when it holds, else the first complaint."""
    target = 'tests/model/weave/' + program_of(path)
    lines = commands(build, target)
    with tempfile.TemporaryDirectory() as folder:
        changed = os.path.join(folder, path.removeprefix('src/'))
        made, program = os.path.join(folder, 'changed.o'), os.path.join(folder, 'program')
        os.makedirs(os.path.dirname(changed))
        with open(changed, 'w') as file:
            file.write(text)
        compile_line = next((line for line in lines if line.rstrip().endswith(path)), None)
        if compile_line is None:  # weave_loop.c includes it, from the first folder that has it
            compile_line = next(line for line in lines if line.rstrip().endswith('weave_loop.c'))
            compile_line = compile_line.replace(' ', f' -iquote{folder} ', 1)
            changed = compile_line.split()[-1]
        made_before = re.search(r' -o (\S+)', compile_line).group(1)
        source = compile_line.split()[-1]
        line = compile_line.replace(' -o ' + made_before, ' -o ' + made).replace(source, changed)
        line = re.sub(r' -Werror| -MD\b| -M[QF] \S+', '', line)
        result = subprocess.run(line, shell=True, cwd=build, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f'{path}: does not compile:\n{result.stderr}')
        line = lines[-1].replace(made_before, made).replace(f'-o {target} ', f'-o {program} ')
        subprocess.run(line, shell=True, cwd=build, check=True, capture_output=True)
        try:
            result = subprocess.run([program, *scenarios], capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return 'does not end'
    for line in result.stdout.splitlines():
        if 'FAILS' in line:
            return line
    return None if result.returncode == 0 else f'ended with status {result.returncode}'


def read_source(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def named_mutants(build):
    """Blocks of mutants.txt: a title, 'file: PATH [SCENARIOS]', then '-' lines replaced by '+' lines."""
    missed = count = 0
    with open(os.path.join(ROOT, 'tests/model/weave/mutants.txt')) as file:
        blocks = [block for block in re.split(r'\n\s*\n', file.read().strip()) if block and block[0] != '#']
    for block in blocks:
        title, where, *change = block.strip().splitlines()
        path, *scenarios = where.removeprefix('file: ').split()
        old = '\n'.join(line[1:] for line in change if line.startswith('-'))
        new = '\n'.join(line[1:] for line in change if line.startswith('+'))
        text = read_source(path)
        if text.count(old) != 1:
            sys.exit(f'{title}: {path} has the text to replace {text.count(old)} times')
        complaint = run_changed(build, path, text.replace(old, new), scenarios)
        count += 1
        missed += complaint is None
        print(f'{"caught" if complaint else "MISSED"}  {title}: {complaint or ""}', flush=True)
    print(f'{count - missed} of {count} caught')
    return missed == 0


def weaken_orders(build, path, scenarios):
    text = read_source(path)
    for match in re.finditer(r'memory_order_(\w+)', text):
        line = text.count('\n', 0, match.start()) + 1
        for weaker in WEAKER.get(match.group(1), []):
            changed = text[:match.start(1)] + weaker + text[match.end(1):]
            complaint = run_changed(build, path, changed, scenarios)
            print(f'{path}:{line}: {match.group(1)} -> {weaker}: {complaint or "holds"}', flush=True)


def main():
    build = os.path.abspath(sys.argv[1])
    if sys.argv[2:3] == ['--orders']:
        weaken_orders(build, sys.argv[3], sys.argv[4:])
    elif not named_mutants(build):
        sys.exit(1)


if __name__ == '__main__':
    main()
