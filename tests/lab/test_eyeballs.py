"""Happy Eyeballs (RFC 8305) over a wire with delay and loss: what the timeline tells and what the wire carries.

The times are those of the timeline's events: what processes take to start does not count.
"""
import socket
import struct
import threading
import unittest

import lab
from script_dns import A, AAAA, SILENT, ScriptDns

V4, V6 = '10.77.0.2', '2001:db8:77::2'
NAME = 'name.lab.test'
ATTEMPT_MS, RESOLUTION_MS = lab.ATTEMPT_DELAY * 1000, lab.RESOLUTION_DELAY * 1000
SLACK_MS = 240 * lab.SLOW  # what a busy machine may add between two events: less than one more attempt delay
ETH_P_ALL, TCP, SYN, RST, ACK = 3, 6, 2, 4, 16


class Capture:
    """TCP packets that reach the server's interface, in order: (family, source address, flags)."""

    def __init__(self, test):
        self.packets = []
        self.socket = test.server.call(self.open)
        threading.Thread(target=self.run, daemon=True).start()
        test.addCleanup(self.socket.close)

    @staticmethod
    def open():
        s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        s.bind(('nws', ETH_P_ALL))
        return s

    def run(self):
        while True:
            try:
                data, address = self.socket.recvfrom(65536)
            except OSError:
                return
            if address[2] == socket.PACKET_OUTGOING or not data:
                continue
            v6 = data[0] >> 4 == 6
            protocol, at = (data[6], 40) if v6 else (data[9], 20)
            if protocol == TCP and len(data) >= at + 14:
                self.packets.append((6 if v6 else 4, data[at + 13] & (SYN | RST | ACK)))

    def count(self, family, flags):
        return self.packets.count((family, flags))


class Eyeballs(lab.WiredLab):
    conditions = {'both': 'delay=50ms'}  # a round trip of 100 ms

    def serve(self, *addresses):
        for address in addresses:
            self.listen(address, self.say('from ' + address))

    def known(self, *addresses):
        """The name is in /etc/hosts: no question delays the race."""
        self.client.write('hosts', ''.join('%s %s\n' % (address, NAME) for address in addresses))

    def swallow(self, address):
        """Packets to it arrive, and nobody has it: not even a refusal comes back."""
        self.server.ip('route', 'add', 'blackhole', address + ('/128' if ':' in address else '/32'))

    def script(self, **rules):
        """a=(delay, addresses), aaaa=(delay, addresses) of the name, as a server of names tells them."""
        table = {(NAME, {'a': A, 'aaaa': AAAA}[key]): value for key, value in rules.items()}
        servers = []

        def serve(s):
            servers.append(ScriptDns(s, table))
            servers[0].run()
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\noptions timeout:1 attempts:4\n')
        self.listen(V4, serve, port=53, kind=socket.SOCK_DGRAM)
        return lab.wait_until(lambda: servers, 'the DNS server')[0]

    def answered(self, report, kind):
        return [q for q in report.questions() if q['label'].split()[0] == kind][0]['end_ms']

    def assert_about(self, ms, expected, report):
        self.assertGreaterEqual(ms, expected - 2, report.text)
        self.assertLess(ms, expected + SLACK_MS, report.text)

    def outcomes(self, report):
        return [(a['label'], a['outcome']) for a in report.attempts()]


class Race(Eyeballs):
    def test_slow_in_both_families(self):
        """400 ms a round trip: the second attempt begins beside the first, which goes on, and wins after 400 ms."""
        self.wire.set(both='delay=200ms')
        self.known(V6, V4)
        self.serve(V4, V6)
        seen = Capture(self)
        report = self.nwcat(NAME, 7000)
        self.assertEqual(report.out, b'from ' + V6.encode())
        first, second = report.attempts()
        self.assertEqual(first['outcome'], 'succeeded')
        self.assertEqual(second['outcome'], 'abandoned')
        self.assert_about(second['start_ms'] - first['start_ms'], ATTEMPT_MS, report)
        self.assert_about(first['end_ms'] - first['start_ms'], 400, report)
        # The wire says the same: one SYN each, and nothing took the first attempt back.
        self.assertEqual((seen.count(6, SYN), seen.count(6, RST), seen.count(6, RST | ACK)), (1, 0, 0))
        self.assertEqual(seen.count(4, SYN), 1)

    def test_first_address_swallowed(self):
        """Connected an attempt delay and a round trip after the start (section 5)."""
        self.known(V6, V4)
        self.serve(V4, V6)
        self.server.ip('-6', 'route', 'add', 'blackhole', '2001:db8:77::1/128')
        report = self.nwcat(NAME, 7000)
        self.assertEqual(self.outcomes(report), [('[%s]:7000' % V6, 'abandoned'), (V4 + ':7000', 'succeeded')])
        first, second = report.attempts()
        self.assert_about(second['end_ms'] - first['start_ms'], ATTEMPT_MS + 100, report)

    def test_sorted_and_interleaved(self):
        """IPv6 first, then the families in turn (section 4), an attempt delay apart (section 5), none ended early."""
        addresses = ['2001:db8:77::8', '2001:db8:77::9', '10.77.0.8', '10.77.0.9']
        for address in addresses:
            self.swallow(address)
        self.known(*addresses)
        report = self.nwcat('-w', '1.4', NAME, 7000, status=3)
        attempts = report.attempts()
        self.assertEqual([a['label'].startswith('[') for a in attempts], [True, False, True, False], report.text)
        self.assertEqual(len({a['label'] for a in attempts}), 4)
        for earlier, later in zip(attempts, attempts[1:]):
            self.assert_about(later['start_ms'] - earlier['start_ms'], ATTEMPT_MS, report)
            self.assertGreater(earlier['end_ms'], attempts[-1]['start_ms'], report.text)

    def test_one_of_several_slow(self):
        """The best address answers after 2.4 s, on a way of its own; the next one has won long before."""
        slow, fast = '2001:db8:77::5', '2001:db8:77::6'
        lab.Wire(self, self.client, self.server, device_a='nwd', device_b='nwt', addresses_a=(), addresses_b=(),
                 both='delay=1.2s')
        self.client.ip('link', 'set', 'nwd', 'up')
        self.server.ip('link', 'set', 'nwt', 'up')
        self.client.ip('-6', 'route', 'add', slow + '/128', 'dev', 'nwd', 'src', '2001:db8:77::1')
        for address in (slow, fast):
            self.add_address(address)
        self.serve(V4, slow, fast)
        self.known(slow, fast, V4)
        report = self.nwcat(NAME, 7000)
        attempts = report.attempts()
        self.assertEqual([a['outcome'] for a in attempts if slow in a['label']], ['abandoned'], report.text)
        self.assertEqual([a['outcome'] for a in attempts].count('succeeded'), 1)
        self.assertLess(report.seconds, lab.ATTEMPT_DELAY + 0.1 + lab.SLACK)

    def test_nothing_arrives(self):
        self.known(V6, V4)
        self.serve(V4, V6)
        self.wire.set(profile='100% Loss')
        report = self.nwcat('-w', '0.6', NAME, 7000, status=3)
        self.assertEqual([a['outcome'] for a in report.attempts()], ['abandoned'] * 2, report.text)
        self.assertGreaterEqual(self.wire.stats()['up']['dropped']['loss'], 2)


class Resolving(Eyeballs):
    def setUp(self):
        super().setUp()
        self.serve(V4, V6)

    def test_aaaa_silent(self):
        """The first attempt begins a resolution delay after A (section 3), and is the only one."""
        self.script(a=(0, [V4]), aaaa=(SILENT, []))
        report = self.nwcat(NAME, 7000)
        attempts = report.attempts()
        self.assertEqual(self.outcomes(report), [(V4 + ':7000', 'succeeded')])
        self.assertGreaterEqual(self.answered(report, 'A'), 100 - 2)  # the question crossed the wire
        self.assert_about(attempts[0]['start_ms'] - self.answered(report, 'A'), RESOLUTION_MS, report)
        self.assert_about(attempts[0]['end_ms'] - attempts[0]['start_ms'], 100, report)

    def test_aaaa_after_the_first_attempt(self):
        """What comes late joins the race, in its turn (section 3)."""
        self.script(a=(0, ['10.77.0.9']), aaaa=(0.1, [V6]))
        self.swallow('10.77.0.9')
        report = self.nwcat(NAME, 7000)
        self.assertEqual(self.outcomes(report),
                         [('10.77.0.9:7000', 'abandoned'), ('[%s]:7000' % V6, 'succeeded')], report.text)
        first, second = report.attempts()
        self.assertLess(first['start_ms'], self.answered(report, 'AAAA'))
        self.assert_about(second['start_ms'] - first['start_ms'], ATTEMPT_MS, report)

    def test_questions_lost(self):
        """Both questions are lost; they are asked again, and the race goes on as if nothing had been."""
        server = self.script(a=(0, [V4]), aaaa=(0, [V6]))
        self.wire.set(up='loss=100%')
        process = self.start_nwcat(NAME, 7000)
        lab.wait_until(lambda: self.wire.stats()['up']['dropped']['loss'] >= 2, 'two questions are lost')
        self.assertEqual(server.asked, [])
        self.wire.set(up='loss=0%')
        out, err = process.communicate(timeout=lab.DEADLINE)
        report = lab.Report(out, err)
        self.assertEqual(out, b'from ' + V6.encode(), report.text)
        self.assertEqual(report.attempts()[0]['outcome'], 'succeeded')
        self.assertEqual(sorted(set(server.asked)), [(NAME, A), (NAME, AAAA)])

    def test_slow_names(self):
        """Three seconds for each question, by the profile of that name; then nothing is slow."""
        self.script(a=(0, [V4]), aaaa=(0, [V6]))
        self.wire.set(profile='High Latency DNS')
        report = self.nwcat(NAME, 7000)
        answered = min(self.answered(report, kind) for kind in ('A', 'AAAA'))
        self.assertGreaterEqual(answered, 3000 - 2)
        self.assertLess(answered, 3000 + SLACK_MS)
        attempt = report.attempts()[0]
        self.assertLess(attempt['start_ms'] - answered, RESOLUTION_MS + SLACK_MS)
        self.assertLess(attempt['end_ms'] - attempt['start_ms'], SLACK_MS)


if __name__ == '__main__':
    lab.main()
