"""nwcat -z: which ports answer."""
import socket
import unittest

from support import Case, refused_port


def listening(family=socket.AF_INET):
    s = socket.socket(family)
    s.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
    s.listen(64)
    return s, s.getsockname()[1]


class Probe(Case):
    def test_open(self):
        server, port = listening()
        with server:
            result = self.run_nwcat('-z', '127.0.0.1', port)
        self.assertEqual((result.stdout, result.stderr), (b'', b''))

    def test_open_aloud(self):
        server, port = listening()
        with server:
            result = self.run_nwcat('-z', '-v', '127.0.0.1', port)
        self.assertRegex(result.stdout.decode(), r'^127\.0\.0\.1 %d/tcp open ' % port)

    def test_closed(self):
        blocker, port = refused_port()
        with blocker:
            result = self.run_nwcat('-z', '127.0.0.1', port, status=1)
        self.assertIn('Connection refused', result.stderr.decode())
        self.assertEqual(result.stdout, b'')

    def test_no_such_name(self):
        self.run_nwcat('-z', '-w', 15, 'no-such-name.invalid', 80, status=4)

    def test_several(self):
        one, open_port = listening()
        two, closed_port = refused_port()
        with one, two:
            ports = '%d,%d' % (open_port, closed_port)
            result = self.run_nwcat('-z', '127.0.0.1', ports)
            self.assertEqual(len(result.stdout.splitlines()), 1)
            self.assertIn(b'%d/tcp open' % open_port, result.stdout)
            result = self.run_nwcat('-z', '-v', '127.0.0.1', ports)
            told = [int(line.split()[1].split('/')[0]) for line in result.stdout.decode().splitlines()]
            self.assertEqual(told, sorted((open_port, closed_port)))

    def test_range_all_told_in_order(self):
        server, port = listening()
        with server:
            low, high = max(1, port - 50), min(65535, port + 50)
            result = self.run_nwcat('-z', '-v', '127.0.0.1', '%d-%d' % (low, high))
        told = [int(line.split()[1].split('/')[0]) for line in result.stdout.decode().splitlines()]
        self.assertEqual(told, list(range(low, high + 1)))

    def test_json(self):
        one, open_port = listening()
        two, closed_port = refused_port()
        with one, two:
            result = self.run_nwcat('-z', '--json', '127.0.0.1', '%d,%d' % (open_port, closed_port))
        events = self.events(result.stdout)
        probes = {e['port']: e for e in events if e['event'] == 'probe'}
        self.assertEqual(probes[open_port]['verdict'], 'open')
        self.assertEqual(probes[closed_port]['verdict'], 'closed')
        self.assertEqual(probes[closed_port]['error']['domain'], 'posix')
        self.assertEqual(events[0]['event'], 'start')
        self.assertEqual(events[-1]['event'], 'end')
        self.assertEqual(events[-1]['status'], 0)
        self.assertEqual(result.stderr, b'')

    def test_udp(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            result = self.run_nwcat('-z', '-u', '-v', '-w', '0.2', '127.0.0.1', s.getsockname()[1])
            self.assertIn(b'no-answer', result.stdout)
            port = s.getsockname()[1]
        result = self.run_nwcat('-z', '-u', '-v', '-w', '5', '127.0.0.1', port, status=1)
        self.assertIn(b'closed', result.stdout)

    def test_unix_socket(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path('s'))
            s.listen()
            self.run_nwcat('-z', '-U', self.path('s'))
        self.run_nwcat('-z', '-U', self.path('none'), status=1)

    def test_ipv6(self):
        server, port = listening(socket.AF_INET6)
        with server:
            self.run_nwcat('-z', '::1', port)
            self.run_nwcat('-z', '-4', 'localhost', port, status=1)


if __name__ == '__main__':
    unittest.main(verbosity=2)
