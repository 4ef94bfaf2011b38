"""Every case of x509-limbo through the default evaluation. Where ours differs from what is expected there, the case
stands in limbo_differences.txt with the rule that says why, and docs/trust.md has the rule."""
import base64
import json
import os
import re
import subprocess
import sys
import unittest
from datetime import datetime

PROGRAM = os.environ.get('TRUST_CASE', 'build/tests/trust/trust_case')
DATA = os.path.join(os.environ.get('NW_TEST_DATA', '../shared/data'), 'x509-limbo', 'limbo.json')
DIFFERENCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'limbo_differences.txt')
# What is not claimed: revocation lists, DSA and the like are refused without them; a depth of one's own choice.
NOT_CLAIMED = {'has-crl', 'max-chain-depth'}


def der_of(pem):
    text = re.sub('-----[A-Z0-9 ]+-----', '', pem)
    return base64.b64decode(''.join(text.split())).hex()


def line_of(case):
    fields = ['leaf=' + der_of(case['peer_certificate'])]
    fields += ['chain=' + der_of(pem) for pem in case['untrusted_intermediates']]
    fields += ['anchor=' + der_of(pem) for pem in case['trusted_certs']]
    name = case['expected_peer_name']
    if name and name['kind'] in ('DNS', 'IP'):
        fields.append('host=' + name['value'])
    if case['validation_time']:
        fields.append('time=%d' % datetime.fromisoformat(case['validation_time']).timestamp())
    fields.append('purpose=' + case['validation_kind'].lower())
    return '\t'.join(fields)


def differences():
    with open(DIFFERENCES) as file:
        lines = [line.split('|') for line in file if line.strip() and not line.startswith('#')]
    return {fields[0].strip(): fields[1].strip() for fields in lines}


class Limbo(unittest.TestCase):
    def test_every_case(self):
        if not os.path.exists(DATA):
            print('skipped: no data')
            sys.exit(77)
        with open(DATA) as file:
            cases = [case for case in json.load(file)['testcases'] if not NOT_CLAIMED & set(case['features'])]
        result = subprocess.run([PROGRAM], input='\n'.join(map(line_of, cases)).encode(), stdout=subprocess.PIPE,
                                timeout=120, check=True)
        answers = [line.split('\t', 1) for line in result.stdout.decode().splitlines()]
        self.assertEqual(len(answers), len(cases))
        known, unexpected = differences(), []
        for case, (status, reason) in zip(cases, answers):
            as_expected = (status == '0') == (case['expected_result'] == 'SUCCESS')
            if as_expected == (case['id'] in known):
                unexpected.append('%s: %s expected, %s: %s' % (case['id'], case['expected_result'], status, reason))
            if os.environ.get('LIMBO_SHOW'):
                print(case['id'], status, reason)
        self.assertEqual(unexpected, [], '\n' + '\n'.join(unexpected))
        self.assertEqual(set(known) - {case['id'] for case in cases}, set(), 'differences of cases that are not there')


if __name__ == '__main__':
    unittest.main()
