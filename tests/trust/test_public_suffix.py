"""Wildcards directly below a public suffix stand for nobody; below a name that somebody registered they do. One
certificate has a wildcard below each name of the public cases."""
import json
import os
import subprocess
import tempfile
import unittest

import cases

# Suffixes of the list's private part, whose owners serve what is below them (docs/trust.md).
PRIVATE = {'uk.com'}


def a_label(name):
    return name.encode('idna').decode().lower()


class Wildcards(unittest.TestCase):
    def make(self, names):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'leaf.pem')
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                            '-subj', '/CN=wildcards', '-days', '2', '-keyout', os.path.join(folder, 'key'), '-out', path,
                            '-addext', 'subjectAltName=' + ','.join('DNS:*.' + name for name in names)],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            with open(path) as file:
                return cases.der_of(file.read())

    def test_every_name(self):
        with open(cases.data('public-suffix', 'registrable-domain.json')) as file:
            known = [case for case in json.load(file) if case['input'] and not case['input'].startswith('.')]
        names = [a_label(case['input']) for case in known]
        leaf = self.make(names)
        lines = ['leaf=%s\tanchor=%s\thost=x.%s' % (leaf, leaf, name) for name in names]
        for case, name, (status, reason) in zip(known, names, cases.evaluate(lines)):
            registered = case['registrable'] is not None or name in PRIVATE
            self.assertEqual(status == 0, registered, '%s: %s' % (name, reason))
            if not registered:
                self.assertIn('does not hold', reason)


if __name__ == '__main__':
    unittest.main()
