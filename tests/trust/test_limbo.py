"""Every case of x509-limbo through the default evaluation. Where ours differs from what is expected there, the case
stands in limbo_differences.txt with the rule that says why, and docs/trust.md has the rule."""
import json
import os
import unittest
from datetime import datetime

import cases

# What is not claimed: revocation lists, DSA and the like are refused without them; a depth of one's own choice.
NOT_CLAIMED = {'has-crl', 'max-chain-depth'}


def line_of(case):
    fields = ['leaf=' + cases.der_of(case['peer_certificate'])]
    fields += ['chain=' + cases.der_of(pem) for pem in case['untrusted_intermediates']]
    fields += ['anchor=' + cases.der_of(pem) for pem in case['trusted_certs']]
    name = case['expected_peer_name']
    if name and name['kind'] in ('DNS', 'IP'):
        fields.append('host=' + name['value'])
    if case['validation_time']:
        fields.append('time=%d' % datetime.fromisoformat(case['validation_time']).timestamp())
    fields.append('purpose=' + case['validation_kind'].lower())
    return '\t'.join(fields)


class Limbo(unittest.TestCase):
    def test_every_case(self):
        with open(cases.data('x509-limbo', 'limbo.json')) as file:
            claimed = [case for case in json.load(file)['testcases'] if not NOT_CLAIMED & set(case['features'])]
        answers = cases.evaluate([line_of(case) for case in claimed])
        known, unexpected = cases.differences('limbo_differences.txt'), []
        for case, (status, reason) in zip(claimed, answers):
            as_expected = (status == 0) == (case['expected_result'] == 'SUCCESS')
            if as_expected == (case['id'] in known):
                unexpected.append('%s: %s expected, %s: %s' % (case['id'], case['expected_result'], status, reason))
            if os.environ.get('LIMBO_SHOW'):
                print(case['id'], status, reason)
        self.assertEqual(unexpected, [], '\n' + '\n'.join(unexpected))
        self.assertEqual(set(known) - {case['id'] for case in claimed}, set(), 'differences of cases that are not there')


if __name__ == '__main__':
    unittest.main()
