"""nwcat --report: both reports at the end, in words and as JSON, against peers that send known counts."""
import os
import socket
import subprocess
import unittest

from support import Case, DEADLINE, Server, read_all, refused_port

ANSWER = b'y' * 3000
PLAIN = dict(os.environ, LC_ALL='C', COLUMNS='100')


def answer(connection):
    read_all(connection)
    connection.sendall(ANSWER)


class Report(Case):
    def reports(self, stderr):
        events = self.events(stderr)
        found = [e for e in events if e['event'].endswith('_report')]
        self.assertEqual([e['event'] for e in found], ['establishment_report', 'data_transfer_report'])
        self.assertEqual(events[-1]['event'], 'end')
        return found

    def test_words(self):
        server = Server(answer)
        text = self.run_nwcat('--report', 'localhost', server.port, data=b'x' * 2000, env=PLAIN).stderr.decode()
        self.assertRegex(text, r'AAAA localhost +\|')  # the race, with the questions and TCP in it
        self.assertRegex(text, r'127\.0\.0\.1:%d +\|.*#.*\| \* connected' % server.port)
        self.assertRegex(text, r'name +\d address(es)? from cache')
        self.assertIn('127.0.0.1:%d' % server.port, text)
        self.assertRegex(text, r'TCP handshake +(< 1|\d+) ms, round trip (< 1|\d+) ms')
        self.assertRegex(text, r'over +lo \(loopback\)')
        self.assertRegex(text, r'content +1\.95 KiB +2\.93 KiB')
        self.assertRegex(text, r'transport +1\.95 KiB +2\.93 KiB')
        self.assertRegex(text, r'again +0 B +0 B')
        self.assertTrue(text.isascii())
        self.assertEqual(text.count('connected after'), 1)

    def test_race_is_drawn_once(self):
        server = Server(answer)
        text = self.run_nwcat('--report', '--timeline', '127.0.0.1', server.port, env=PLAIN).stderr.decode()
        self.assertEqual(text.count('connected after'), 1)
        self.assertLess(text.index('connected after'), text.index('Establishment of'))

    def test_json(self):
        server = Server(answer)
        result = self.run_nwcat('--report', '--json', '127.0.0.1', server.port, data=b'x' * 2000)
        self.assertEqual(result.stdout, ANSWER)
        establishment, transfer = self.reports(result.stderr)
        self.assertEqual((establishment['established'], establishment['accepted']), (True, False))
        self.assertEqual((establishment['attempt_started_after_ms'], establishment['previous_attempts']), (0, 0))
        self.assertEqual((establishment['used_proxy'], establishment['proxy']), (False, None))
        self.assertEqual(establishment['resolutions'], [])
        self.assertEqual([p['name'] for p in establishment['protocols']], ['tcp'])
        path, = transfer['paths']
        self.assertEqual((path['sent_application_bytes'], path['received_application_bytes']), (2000, 3000))
        self.assertEqual((path['sent_transport_bytes'], path['received_transport_bytes']), (2000, 3000))
        self.assertEqual((path['retransmitted_bytes'], path['duplicate_bytes'], path['out_of_order_bytes']), (0, 0, 0))
        self.assertGreater(path['sent_packets'], 0)
        self.assertGreater(path['received_packets'], 0)
        self.assertEqual((path['interface'], path['interface_type'], path['radio']), ('lo', 'loopback', None))

    def test_a_name(self):
        server = Server(answer)
        result = self.run_nwcat('--report', '--json', '-4', 'localhost', server.port)
        resolution, = self.reports(result.stderr)[0]['resolutions']
        address = '127.0.0.1:%d' % server.port
        self.assertEqual((resolution['source'], resolution['protocol'], resolution['endpoint_count'],
                          resolution['preferred'], resolution['successful']), ('cache', None, 1, address, address))

    def test_failure(self):
        blocker, port = refused_port()
        with blocker:
            words = self.run_nwcat('--report', '127.0.0.1', port, status=1, env=PLAIN).stderr.decode()
            result = self.run_nwcat('--report', '--json', '127.0.0.1', port, status=1)
        self.assertIn('no connection after', words)
        self.assertIn('Connection 1 was not established', words)
        establishment, transfer = self.reports(result.stderr)
        self.assertFalse(establishment['established'])
        self.assertEqual(transfer['paths'], [])

    def test_datagrams(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(('127.0.0.1', 0))
            process = self.nwcat('-u', '--report', '--json', '-N', '127.0.0.1', peer.getsockname()[1],
                                 stdin=subprocess.PIPE)
            process.stdin.write(b'hello')
            process.stdin.close()
            peer.settimeout(DEADLINE)
            self.assertEqual(peer.recv(100), b'hello')
            establishment, transfer = self.reports(process.stderr.read())
        self.assertEqual(establishment['protocols'], [])
        path, = transfer['paths']
        self.assertEqual((path['sent_packets'], path['sent_transport_bytes'], path['received_packets']), (1, 5, 0))

    def test_listener(self):
        listener = self.nwcat('-l', '--report', '--json', '127.0.0.1', '0', stdin=subprocess.DEVNULL)
        lines = [listener.stderr.readline(), listener.stderr.readline()]
        with socket.create_connection(('127.0.0.1', self.events(lines[1])[0]['port']), DEADLINE) as peer:
            peer.sendall(b'abc')
            peer.shutdown(socket.SHUT_WR)
            establishment, transfer = self.reports(listener.stderr.read())
        self.assertTrue(establishment['accepted'])
        self.assertEqual(transfer['paths'][0]['received_application_bytes'], 3)
        self.assertEqual(transfer['paths'][0]['received_transport_bytes'], 3)

    def test_not_with_a_probe(self):
        result = self.run_nwcat('-z', '--report', '127.0.0.1', 9, status=2)
        self.assertIn(b'--report', result.stderr)


class Example(Case):
    def test_the_example_prints_both(self):
        server = Server(answer)
        result = subprocess.run([os.environ['REPORTS_EXAMPLE'], 'localhost', str(server.port)], check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=DEADLINE)
        text = result.stdout.decode()
        self.assertRegex(text, r'established in \d+ ms after 0 failed attempts')
        self.assertRegex(text, r'resolved to \d addresses by cache in \d+ ms, connected to 127\.0\.0\.1')
        self.assertRegex(text, r'handshake in \d+ ms, round trip \d+ ms')
        self.assertRegex(text, r'sent 6 octets in \d+ packets, 0 of them again; received 3000 in \d+')


if __name__ == '__main__':
    unittest.main(verbosity=2)
