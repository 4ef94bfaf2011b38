"""nwpath on this machine as it is: help, mistakes, manual, completions, and answers that any machine gives.

What changes with the network is in tests/lab/test_nwpath.py, in namespaces.
"""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import unittest

from support import DEADLINE, Case

NWPATH = os.environ.get('NWPATH', 'build/tools/nwpath')
ROOT = os.environ.get('NW_SOURCE_ROOT', os.path.join(os.path.dirname(__file__), '..', '..'))
REASON = r'(used|next|refused|unusable)'


class Path(Case):
    def run_nwpath(self, *words, status=0, **options):
        options.setdefault('stdout', subprocess.PIPE)
        result = subprocess.run([NWPATH, *map(str, words)], stderr=subprocess.PIPE, timeout=DEADLINE, **options)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result


class Usage(Path):
    def test_help(self):
        text = self.run_nwpath('--help').stdout.decode()
        self.assertTrue(text.startswith('Usage: nwpath'))
        self.assertLess(max(map(len, text.splitlines())), 101)
        self.assertRegex(self.run_nwpath('--version').stdout.decode(), r'^nwpath \(libnw\) \d+\.\d+\.\d+\n$')

    def test_mistakes_name_the_value(self):
        for words, value in ((('--require-type', 'tin'), 'tin'), (('--require-type', 'other'), 'other'),
                             (('--interface', 'nw none'), 'nw none'), (('--changes', '0'), "'0'"),
                             (('--for', 'soon'), 'soon'), (('-4', '-6'), '-6'), (('--color=red',), 'red'),
                             (('--unheard-of',), '--unheard-of'), (('a', '1', 'extra'), 'extra'),
                             (('a', '70000'), '70000'), (('a', '--for', '1'), "'a'"), (('--for',), '--for'),
                             (('--require-type', 'wifi', '--require-type', 'wired'), 'wired')):
            with self.subTest(words=words):
                result = self.run_nwpath(*words, status=2)
                self.assertIn(value, result.stderr.decode())
                self.assertEqual(result.stdout, b'')

    def test_output_that_cannot_be_written(self):
        for words in (('--help',), ('--once',), ('127.0.0.1',), ('--once', '--json')):
            with open('/dev/full', 'wb') as full:
                self.run_nwpath(*words, status=5, stdout=full)


class Answers(Path):
    def test_loopback_line(self):
        out = self.run_nwpath('--once', '--require-type', 'loopback').stdout.decode()
        self.assertRegex(out, r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z satisfied lo\(loopback\) ipv4\b.* -- ')
        self.assertIn('lo: the only one that fits: this machine alone', out)
        self.assertEqual(out.count('\n'), 1)

    def test_nothing_is_left(self):
        out = self.run_nwpath('--once', '--require-type', 'loopback', '--prohibit-type', 'loopback', status=1)
        self.assertIn(b' unsatisfied (not-available)', out.stdout)

    def test_json(self):
        out = self.run_nwpath('--once', '--json', '--interface', 'lo').stdout.decode()
        path = json.loads(out)
        self.assertEqual((path['event'], path['status'], path['reason'], path['used']),
                         ('path', 'satisfied', None, ['lo']))
        first = path['interfaces'][0]
        self.assertEqual((first['name'], first['type'], first['verdict'], first['reason']),
                         ('lo', 'loopback', 'used', 'only'))
        self.assertIn({'address': '127.0.0.1', 'prefix': 8, 'state': 'usable'}, first['addresses'])
        for row in path['interfaces'][1:]:
            self.assertRegex(row['verdict'], REASON)
            self.assertTrue(row['text'])

    def test_ends_by_itself(self):
        self.run_nwpath('--for', 0.05, '--interface', 'lo')
        self.run_nwpath('--for', 0.05, '--interface', 'lo', '--prohibit-interface', 'lo', status=1)

    def test_ends_by_signal(self):
        process = self.spawn(NWPATH, '--interface', 'lo')
        self.assertIn(b'satisfied', process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 128 + signal.SIGTERM)

    def test_host(self):
        out = self.run_nwpath('localhost', 80).stdout.decode()
        self.assertIn('localhost port 80: 2 addresses, tried in this order\n 1. [::1]:80  from ::1  on lo', out)
        self.assertIn(' 2. 127.0.0.1:80  from 127.0.0.1  on lo', out)
        self.assertIn('order: its precedence 35 is lower than 50 (RFC 6724 rule 6)', out)
        answer = json.loads(self.run_nwpath('--json', '-4', 'localhost').stdout)
        self.assertEqual([a['address'] for a in answer['addresses']], ['127.0.0.1'])
        self.assertEqual(answer['addresses'][0]['route'], 'local')

    def test_no_such_name(self):
        out = self.run_nwpath('x.invalid', status=4).stdout.decode()
        self.assertTrue(out.startswith('x.invalid: '), out)

    def test_terminal(self):
        """Drawn in colour with the table, then ended by a signal. Not redrawn as long as nothing changes."""
        main, end = pty.openpty()
        environment = dict(os.environ, TERM='xterm')
        environment.pop('NO_COLOR', None)
        process = self.spawn(NWPATH, '--interface', 'lo', stdout=end, env=environment)
        os.close(end)
        text = b''
        while b'Changes\r\n' not in text or text.count(b'satisfied') < 2:
            text += os.read(main, 4096)
        self.assertIn(b'\033[32msatisfied lo(loopback)', text)
        self.assertIn(b'INTERFACE', text)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE), 130)
        os.close(main)


class Documents(Path):
    def options_in_help(self):
        text = self.run_nwpath('--help').stdout.decode()
        return set(re.findall(r'(?<![\w-])(--[a-z][a-z-]+|-[a-zA-Z0-9])(?![\w-])', text.split('Exit status')[0]))

    def test_manual(self):
        path = os.path.join(ROOT, 'man', 'nwpath.1')
        with open(path) as file:
            manual = file.read().replace('\\-', '-')
        for option in self.options_in_help():
            self.assertIn(option, manual)
        if shutil.which('groff'):
            result = subprocess.run(['groff', '-man', '-ww', '-z', path], stderr=subprocess.PIPE)
            self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_completions(self):
        script = '''source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _nwpath
                    printf '%s\\n' "${COMPREPLY[@]}"'''
        path = os.path.join(ROOT, 'completions', 'nwpath.bash')

        def complete(*words):
            result = subprocess.run(['bash', '-c', script, 'bash', path, 'nwpath', *words], check=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(result.stderr, b'')
            return set(result.stdout.decode().split())
        self.assertEqual(self.options_in_help() - complete('-'), set())
        self.assertEqual(complete('--require-type', 'wi'), {'wired', 'wifi'})
        self.assertEqual(complete('--interface', 'lo'), {'lo'})
        self.assertIn('https', complete('host', 'http'))
        with open(os.path.join(ROOT, 'completions', '_nwpath')) as file:
            text = file.read()
        for option in self.options_in_help():
            self.assertIn(option, text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
