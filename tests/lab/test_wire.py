"""The wire of nwlink itself: what it does to packets between two namespaces, and how it is told."""
import socket
import time
import unittest

import lab

DELAY = 0.08
JUST = 0.005  # seconds that the kernel and Python take


class Wires(lab.WiredLab):
    conditions = {'both': 'delay=80ms'}

    def echo(self, address='10.77.0.2'):
        def serve(s):
            while True:
                data, peer = s.recvfrom(65536)
                if peer is None:
                    return  # shut down by the end of the test
                s.sendto(data, peer)
        self.listen(address, serve, kind=socket.SOCK_DGRAM)
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        s = self.client.call(lambda: socket.socket(family, socket.SOCK_DGRAM))
        self.addCleanup(s.close)
        s.settimeout(lab.DEADLINE)
        s.connect((address, 7000))
        return s

    def round_trip(self, s, data=b'x'):
        start = time.monotonic()
        s.send(data)
        self.assertEqual(s.recv(65536), data)
        return time.monotonic() - start

    def best(self, s):
        """The machine may be busy: what it adds differs, what the wire adds does not."""
        return min(self.round_trip(s) for _ in range(4))

    def assert_takes(self, seconds, expected):
        self.assertGreaterEqual(seconds, expected)
        self.assertLess(seconds, expected + JUST * lab.SLOW + 0.02)

    def test_delay_and_changes(self):
        for address in ('10.77.0.2', '2001:db8:77::2'):
            s = self.echo(address)
            self.assert_takes(self.best(s), 2 * DELAY)
        self.wire.set(up='delay=30ms')
        self.assert_takes(self.best(s), DELAY + 0.03)
        self.wire.set(profile='Perfect')
        self.assert_takes(self.best(s), 0)

    def test_loss(self):
        self.wire.set(profile='Perfect', up='loss=30%')
        s = self.echo()
        before = self.wire.stats()['up']
        for i in range(100):
            s.send(b'%d' % i)
        after = lab.wait_until(lambda: (lambda up: up['packets_in'] >= before['packets_in'] + 100 and up)
                               (self.wire.stats()['up']), 'all have been through')
        lost = after['dropped']['loss'] - before['dropped']['loss']
        self.assertTrue(12 <= lost <= 48, lost)

    def test_cut_and_mend(self):
        self.wire.set(profile='Perfect')
        s = self.echo()
        self.round_trip(s)
        self.wire.cut('down')
        s.send(b'lost')
        lab.wait_until(lambda: self.wire.stats()['down']['dropped']['cut'] > 0, 'the answer is lost')
        self.wire.mend()
        self.round_trip(s, b'again')


if __name__ == '__main__':
    lab.main()
