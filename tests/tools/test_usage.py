"""nwcat's help, mistakes on the command line, manual and completions. Touches no network."""
import os
import re
import shutil
import subprocess
import unittest

from support import Case

ROOT = os.environ.get('NW_SOURCE_ROOT', os.path.join(os.path.dirname(__file__), '..', '..'))


class Usage(Case):
    def test_help(self):
        result = self.run_nwcat('--help')
        text = result.stdout.decode()
        self.assertEqual(result.stderr, b'')
        self.assertTrue(text.startswith('Usage: nwcat'))
        self.assertLess(max(map(len, text.splitlines())), 101)

    def test_version(self):
        self.assertRegex(self.run_nwcat('--version').stdout.decode(), r'^nwcat \(libnw\) \d+\.\d+\.\d+\n$')

    def test_mistakes_name_the_value(self):
        for words, value in ((('host', '99999'), '99999'), (('-w', 'soon', 'host', '1'), 'soon'),
                             (('--unheard-of', 'host', '1'), '--unheard-of'), (('a', '1', 'extra'), 'extra'),
                             (('-z', 'host', '9-2'), '9-2'), ((), 'host')):
            with self.subTest(words=words):
                result = self.run_nwcat(*words, status=2)
                self.assertIn(value, result.stderr.decode())
                self.assertEqual(result.stdout, b'')

    def test_not_yet(self):
        self.assertIn('not yet', self.run_nwcat('-b', 'h', '1', status=2).stderr.decode())

    def test_help_that_cannot_be_written(self):
        with open('/dev/full', 'wb') as full:
            result = subprocess.run([os.environ.get('NWCAT', 'build/tools/nwcat'), '--help'], stdout=full)
        self.assertEqual(result.returncode, 5)


class Documents(Case):
    def options_in_help(self):
        text = self.run_nwcat('--help').stdout.decode()
        return set(re.findall(r'(?<![\w-])(--[a-z][a-z-]+|-[a-zA-Z0-9])(?![\w-])', text.split('Exit status')[0]))

    def test_manual_has_every_option(self):
        with open(os.path.join(ROOT, 'man', 'nwcat.1')) as file:
            manual = file.read().replace('\\-', '-')
        for option in self.options_in_help():
            self.assertIn(option, manual)

    def test_manual_is_clean(self):
        if not shutil.which('groff'):
            self.skipTest('groff is not installed')
        result = subprocess.run(['groff', '-man', '-ww', '-z', os.path.join(ROOT, 'man', 'nwcat.1')],
                                stderr=subprocess.PIPE)
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_bash_completion(self):
        script = '''source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _nwcat
                    printf '%s\\n' "${COMPREPLY[@]}"'''
        path = os.path.join(ROOT, 'completions', 'nwcat.bash')

        def complete(*words):
            result = subprocess.run(['bash', '-c', script, 'bash', path, 'nwcat', *words], check=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(result.stderr, b'')
            return set(result.stdout.decode().split())
        self.assertEqual(complete('--time'), {'--timeout', '--timeline', '--timeline-svg'})
        self.assertEqual(self.options_in_help() - complete('-'), set())
        self.assertEqual(complete('--linger', 'f'), {'forever'})
        self.assertEqual(complete('--tls-max', '1.'), {'1.0', '1.1', '1.2', '1.3'})
        self.assertIn('https', complete('--ca', 'ca.pem', 'host', 'http'))
        self.assertIn('https', complete('host', 'http'))
        os.mkdir(self.path('sub'))
        self.assertEqual(complete('-U', self.path('s')), {self.path('sub')})

    def test_zsh_completion(self):
        path = os.path.join(ROOT, 'completions', '_nwcat')
        with open(path) as file:
            text = file.read()
        for option in self.options_in_help():
            self.assertIn(option, text)
        if not shutil.which('zsh'):
            self.skipTest('zsh is not installed')
        subprocess.run(['zsh', '-n', path], check=True)


if __name__ == '__main__':
    unittest.main(verbosity=2)
