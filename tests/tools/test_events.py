"""What nwcat tells: JSON events, -v, the drawing of the race, progress."""
import os
import pty
import re
import socket
import subprocess
import unittest
import xml.dom.minidom

from support import Case, DEADLINE, NWCAT, Server, read_all, refused_port


def echo(connection):
    connection.sendall(read_all(connection))


class Json(Case):
    def test_a_whole_exchange(self):
        server = Server(echo)
        result = self.run_nwcat('--json', '127.0.0.1', server.port, data=b'12345')
        self.assertEqual(result.stdout, b'12345')
        events = self.events(result.stderr)
        names = [e['event'] for e in events]
        self.assertEqual(names[0], 'start')
        self.assertEqual(names[-1], 'end')
        for earlier, later in (('start', 'ready'), ('ready', 'input_end'), ('input_end', 'peer_end'),
                               ('peer_end', 'closed'), ('closed', 'end')):
            self.assertLess(names.index(earlier), names.index(later))
        times = [e['time'] for e in events]
        self.assertEqual(times, sorted(times))
        ready = events[names.index('ready')]
        self.assertEqual(ready['remote'], '127.0.0.1:%d' % server.port)
        self.assertRegex(ready['local'], r'^127\.0\.0\.1:\d+$')
        closed = events[names.index('closed')]
        self.assertEqual((closed['sent'], closed['received']), (5, 5))
        self.assertEqual(events[-1]['status'], 0)

    def test_failure(self):
        blocker, port = refused_port()
        with blocker:
            result = self.run_nwcat('--json', '127.0.0.1', port, status=1)
        events = self.events(result.stderr)
        errors = [e for e in events if e['event'] == 'error']
        self.assertEqual(len(errors), 1)
        self.assertEqual(errors[0]['error']['text'], 'Connection refused')
        self.assertEqual(events[-1], {'event': 'end', 'time': events[-1]['time'], 'status': 1, 'sent': 0,
                                      'received': 0})

    def test_listener(self):
        listener = self.nwcat('-l', '--json', '127.0.0.1', '0', stdin=subprocess.DEVNULL)
        lines = [listener.stderr.readline(), listener.stderr.readline()]
        listening = self.events(lines[1])[0]
        self.assertEqual(listening['event'], 'listening')
        with socket.create_connection(('127.0.0.1', listening['port']), DEADLINE) as peer:
            local = '%s:%d' % peer.getsockname()
            peer.sendall(b'abc')
            peer.shutdown(socket.SHUT_WR)
            events = self.events(listener.stderr.read())
        accepted = [e for e in events if e['event'] == 'accepted'][0]
        self.assertEqual((accepted['connection'], accepted['remote']), (1, local))

    def test_file_that_cannot_be_read(self):
        result = self.run_nwcat('--json', '-i', self.path('none"\n'), '127.0.0.1', 9, status=5)
        self.assertIn('none"\n', [e for e in self.events(result.stderr) if e['event'] == 'error'][0]['message'])


class Words(Case):
    def test_silent_by_default(self):
        server = Server(echo)
        self.assertEqual(self.run_nwcat('127.0.0.1', server.port, data=b'a').stderr, b'')

    def test_verbose_shows_the_race(self):
        server = Server(echo)
        text = self.run_nwcat('-v', 'localhost', server.port, data=b'abc').stderr.decode()
        self.assertRegex(text, r'trying +(\[::1\]|127\.0\.0\.1):%d' % server.port)
        self.assertRegex(text, r'connected +127\.0\.0\.1:%d' % server.port)
        self.assertRegex(text, r'connected to 127\.0\.0\.1:%d' % server.port)
        self.assertIn('sent 3 B, received 3 B', text)
        self.assertNotIn('\033', text)


class Timeline(Case):
    def draw(self, *words, env=None):
        server = Server(echo)
        result = self.run_nwcat(*words, '-N', 'localhost', server.port, env=env)
        return result.stderr.decode(), server.port

    def test_text(self):
        env = dict(os.environ, LC_ALL='C', COLUMNS='100')
        text, port = self.draw('--timeline', env=env)
        self.assertIn('localhost:%d' % port, text)
        self.assertRegex(text, r'127\.0\.0\.1:%d +\|.*#.*\| \* connected' % port)
        self.assertNotIn('\033', text)
        self.assertTrue(text.isascii())

    def test_refused_addresses_are_drawn_too(self):
        """localhost has two addresses, and only IPv4 answers: the refusal of the other is in the picture."""
        text, port = self.draw('--timeline', env=dict(os.environ, LC_ALL='C'))
        rows = [line for line in text.splitlines() if '[::1]:%d' % port in line]
        if not rows:
            self.skipTest('localhost has no IPv6 address here')
        self.assertIn('Connection refused', rows[0])

    def test_svg(self):
        path = self.path('race.svg')
        _, port = self.draw('--timeline-svg', path)
        document = xml.dom.minidom.parse(path)
        self.assertEqual(document.documentElement.tagName, 'svg')
        texts = [t.firstChild.data for t in document.getElementsByTagName('text') if t.firstChild]
        self.assertTrue(any('localhost:%d' % port in t for t in texts), texts)
        self.assertTrue(any(t.startswith('connected, ') for t in texts), texts)

    def test_svg_of_a_failure(self):
        blocker, port = refused_port()
        with blocker:
            self.run_nwcat('--timeline-svg', self.path('f.svg'), '127.0.0.1', port, status=1)
        with open(self.path('f.svg')) as file:
            text = file.read()
        xml.dom.minidom.parseString(text)
        self.assertIn('Connection refused', text)
        self.assertIn('No connection', text)

    def test_svg_that_cannot_be_written(self):
        server = Server(echo)
        self.run_nwcat('--timeline-svg', self.path('no/where.svg'), '127.0.0.1', server.port, status=5)

    def on_terminal(self, env):
        """Standard error on a pseudo-terminal; what it showed."""
        server = Server(echo)
        master, slave = pty.openpty()
        process = subprocess.Popen([NWCAT, '--timeline', '127.0.0.1', str(server.port)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=slave, env=env)
        os.close(slave)
        text = b''
        try:
            while True:
                part = os.read(master, 65536)
                if not part:
                    break
                text += part
        except OSError:
            pass  # the other side has closed
        os.close(master)
        self.assertEqual(process.wait(DEADLINE), 0)
        return text.decode()

    def test_colours_on_a_terminal_unless_unwanted(self):
        env = dict(os.environ, TERM='xterm')
        env.pop('NO_COLOR', None)
        self.assertIn('\033[32m', self.on_terminal(env))
        self.assertNotIn('\033[', self.on_terminal(dict(env, NO_COLOR='1')))
        self.assertNotIn('\033[', self.on_terminal(dict(env, TERM='dumb')))


class Progress(Case):
    def test_on_request(self):
        server = Server(echo)
        result = self.run_nwcat('--progress', '127.0.0.1', server.port, data=b'x' * 2048)
        self.assertRegex(result.stderr.decode(), r'sent 2\.00 KiB, received 2\.00 KiB, [\d.]+ \w+/s\n$')

    def test_not_without_a_terminal(self):
        server = Server(echo)
        result = self.run_nwcat('-o', self.path('out'), '127.0.0.1', server.port, data=b'x')
        self.assertEqual(result.stderr, b'')

    def test_terminal_flags_stay(self):
        """Standard input on a terminal shared with others: O_NONBLOCK is never left behind."""
        import fcntl
        server = Server(lambda c: c.sendall(b'hi'))
        master, slave = pty.openpty()
        before = fcntl.fcntl(slave, fcntl.F_GETFL)
        process = subprocess.Popen([NWCAT, '127.0.0.1', str(server.port)], stdin=slave, stdout=slave,
                                   stderr=subprocess.DEVNULL)
        self.assertEqual(process.wait(DEADLINE), 0)  # a terminal as input does not hold it
        self.assertEqual(fcntl.fcntl(slave, fcntl.F_GETFL), before)
        self.assertTrue(re.search(rb'hi', os.read(master, 100)))
        os.close(master)
        os.close(slave)


if __name__ == '__main__':
    unittest.main(verbosity=2)
