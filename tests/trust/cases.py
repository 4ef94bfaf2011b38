"""What the tests of this folder share: the program that evaluates, and its answers."""
import base64
import os
import re
import subprocess
import sys

PROGRAM = os.environ.get('TRUST_CASE', 'build/tests/trust/trust_case')
FOLDER = os.path.dirname(os.path.abspath(__file__))


def data(*names):
    """The path of public test data; the test is skipped without them."""
    path = os.path.join(os.environ.get('NW_TEST_DATA', '../shared/data'), *names)
    if not os.path.exists(path):
        print('skipped: no data')
        sys.exit(77)
    return path


def der_of(pem):
    """The first certificate of a PEM text, as hex of its DER."""
    block = re.search('-----BEGIN [A-Z0-9 ]+-----(.*?)-----END', pem, re.DOTALL)
    return base64.b64decode(''.join(block.group(1).split())).hex()


def evaluate(lines):
    """(status, reason) of each line of KEY=VALUE fields."""
    return [(status, reason) for status, reason, *_ in judge(lines)]


def judge(lines):
    """[status, reason, the verdict of each certificate...] of each line of KEY=VALUE fields."""
    result = subprocess.run([PROGRAM], input='\n'.join(lines).encode() + b'\n', stdout=subprocess.PIPE, timeout=120,
                            check=True)
    answers = [line.split('\t') for line in result.stdout.decode(errors='replace').split('\n')[:-1]]
    assert len(answers) == len(lines)
    return [[int(status), *rest] for status, *rest in answers]


def differences(name):
    """{case: why} of a list of known differences."""
    with open(os.path.join(FOLDER, name)) as file:
        lines = [line.split('|') for line in file if line.strip() and not line.startswith('#')]
    return {fields[0].strip(): fields[1].strip() for fields in lines}
