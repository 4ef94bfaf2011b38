"""nwlink's command line, profiles and profile files: what needs no namespace. tests/lab/test_wire.py has the rest."""
import json
import os
import re
import subprocess
import tempfile
import unittest

NWLINK = os.environ.get('NWLINK', 'build/tools/nwlink')
ROOT = os.environ.get('NW_SOURCE_ROOT', '.')


def nwlink(*words):
    done = subprocess.run([NWLINK] + list(words), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, text=True)
    return done.returncode, done.stdout, done.stderr


class Usage(unittest.TestCase):
    def refuses(self, said, *words):
        status, out, err = nwlink(*words)
        self.assertEqual((status, out), (2, ''), err)
        self.assertIn(said, err)
        self.assertTrue(err.startswith('nwlink: '), err)

    def test_help_and_version(self):
        status, out, err = nwlink('--help')
        self.assertEqual((status, err), (0, ''))
        self.assertIn('Usage: nwlink between', out)
        self.assertRegex(nwlink('--version')[1], r'^nwlink \(libnw\) \d+\.\d+')

    def test_mistakes(self):
        for said, *words in (
                ('tell a command',), ("'bridge' is not a command", 'bridge'), ('both ends', 'between', 'a'),
                ("'c' is one word too many", 'between', 'a', 'b', 'c'), ("no option '--fast'", 'between', '--fast'),
                ("no profile '4G'", 'run', '-p', '4G', '--', 'true'), ('tell a command to run', 'run', '-p', '3G'),
                ("--up: loss: '5'", 'between', 'a', 'b', '--up', 'delay=1ms,loss=5'),
                ("--down: 'speed'", 'between', 'a', 'b', '-d', 'speed=1'), ("--seed: '-1'", 'tun', 'a', 'b', '--seed', '-1'),
                ("'10.0.0.1' is not ADDRESS/PREFIX", 'between', 'a', 'b', '--address-a', '10.0.0.1'),
                ("'10.0.0.1/33'", 'between', 'a', 'b', '--address-a', '10.0.0.1/33'),
                ("'a_name_of_sixteen' is not the name", 'tun', 'a_name_of_sixteen', 'b'),
                ("--device-mtu: '20'", 'tun', 'a', 'b', '--device-mtu', '20'), ("--stats: '0'", 'tun', 'a', 'b', '--stats', '0'),
                ("--memory: '1kB'", 'tun', 'a', 'b', '--memory', '1kB'), ('needs a value', 'tun', 'a', 'b', '-p'),
                ("join takes 'a' as it is", 'join', 'a', 'b', '--tap'), ("'x' is one word too many", 'profiles', 'x'),
                ('--no-addresses, and yet', 'between', 'a', 'b', '--no-addresses', '--address-b', '10.0.0.1/8')):
            with self.subTest(words=words):
                self.refuses(said, *words)

    def test_profiles(self):
        status, out, _ = nwlink('profiles', '--json')
        self.assertEqual(status, 0)
        rows = {row['name']: row for row in map(json.loads, out.splitlines())}
        self.assertEqual(rows['3G'], {'name': '3G', 'down': 'rate=780kbit,delay=100ms', 'up': 'rate=330kbit,delay=100ms'})
        self.assertEqual(list(rows), ['100% Loss', '3G', 'DSL', 'Edge', 'High Latency DNS', 'LTE', 'Very Bad Network', 'Wi-Fi',
                                      'Wi-Fi 802.11ac', 'Perfect'])
        text = nwlink('profiles')[1]
        self.assertIn('High Latency DNS', text)
        self.assertIn('dns-delay=3s', text)

    def test_profile_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'p.ini')

            def write(text):
                with open(path, 'wb') as file:
                    file.write(text)
            write(b'# ours\n[Train]\nbase = LTE\ndown.burst = 0.5%/5%\n')
            first = json.loads(nwlink('profiles', '--profiles', path, '--json')[1].splitlines()[0])
            self.assertEqual(first, {'name': 'Train', 'down': 'rate=50Mbit,delay=50ms,burst=0.5%/5%/100%/0%',
                                     'up': 'rate=10Mbit,delay=65ms'})
            write(b'[Train]\n\ndelay = fast\n')
            self.refuses("%s:3: delay: 'fast' is not a time" % path, 'profiles', '--profiles', path)
            write(b'[Train]\n\0')
            self.refuses('has a NUL', 'profiles', '--profiles', path)
            write(b'#' * 1000001)
            self.refuses('longer than 1000000', 'profiles', '--profiles', path)
            self.refuses('No such file', 'profiles', '--profiles', path + 'x')
            self.refuses(folder + ': ', 'profiles', '--profiles', folder)

    def test_no_such_namespace(self):
        status, out, err = nwlink('between', 'nw-no-such-a', 'nw-no-such-b')
        self.assertEqual((status, out), (1, ''))
        self.assertIn("no network namespace 'nw-no-such-a'", err)

    def test_words_are_the_same_everywhere(self):
        """Every long option of --help is in the manual page and in both completions, and none is there alone."""
        def words(path):
            with open(os.path.join(ROOT, path)) as file:
                return set(re.findall(r'--[a-z][a-z-]+', file.read().replace('\\-', '-')))
        told = set(re.findall(r'--[a-z][a-z-]+', nwlink('--help')[1]))
        for path in ('man/nwlink.1', 'completions/nwlink.bash', 'completions/_nwlink'):
            self.assertEqual(told ^ words(path) - {'--timeline'}, set(), path)


if __name__ == '__main__':
    unittest.main(verbosity=2)
