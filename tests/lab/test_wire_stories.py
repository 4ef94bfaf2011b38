"""Connections on a wire that changes under them: it is lost and comes back, flaps, narrows, drops, and gets a rival."""
import socket
import time
import unittest

import lab

V4, V6 = '10.77.0.2', '2001:db8:77::2'
EMSGSIZE = 90


class Stories(lab.WiredLab):
    conditions = {'both': 'delay=10ms'}

    def link(self, how):
        self.client.ip('link', 'set', 'nwc', how)

    def states(self, peer):
        return [line for line in peer.lines if line.startswith('state')]

    def ready(self, *words):
        peer = self.peer(*words, 7000)
        peer.wait_for('state ready')
        peer.wait_for('viable 1')
        return peer


class Lost(Stories):
    """A stream that never pauses."""

    def setUp(self):
        super().setUp()
        self.wire.set(both='rate=20Mbit')
        self.ended = False
        self.addCleanup(setattr, self, 'ended', True)
        self.listen(V4, self.stream)

    def stream(self, s):
        while not self.ended:
            s.sendall(b'x' * 10000)

    def told_within(self, peer, line, change):
        """What happened before the change is no answer to it."""
        peer.position = len(peer.lines)
        start = time.monotonic()
        change()
        peer.wait_for(line)
        self.assertLess(time.monotonic() - start, lab.SLACK)

    def test_link_lost_in_mid_transfer(self):
        """Not viable at once, viable again, and the transfer goes on: the state never changes."""
        peer = self.ready(V4)
        for _ in range(3):  # a link that flaps: each time once
            peer.wait_for('received')
            self.told_within(peer, 'viable 0', lambda: self.link('down'))
            self.told_within(peer, 'viable 1', lambda: self.link('up'))
            peer.position = len(peer.lines)
            peer.wait_for('received')
        self.assertEqual([line for line in peer.lines if line.startswith('viable')],
                         ['viable 1'] + ['viable 0', 'viable 1'] * 3)
        self.assertEqual(self.states(peer), ['state preparing', 'state ready'])

    def test_cut_is_no_loss_of_the_link(self):
        """Packets vanish somewhere, and the link knows nothing of it: nothing is told; then the transfer goes on."""
        peer = self.ready(V4)
        peer.wait_for('received')
        self.wire.cut()
        lab.wait_until(lambda: self.wire.stats()['down']['dropped']['cut'] > 0, 'the stream is cut')
        self.wire.mend()
        peer.position = len(peer.lines)
        peer.wait_for('received')
        self.assertEqual([line for line in peer.lines if line.startswith('viable')], ['viable 1'])

    def test_way_lost_and_found(self):
        """Link and addresses stay; only the route to the server goes. Who waits for one starts when it comes."""
        peer = self.ready(V4)
        way = ('10.77.0.0/24', 'dev', 'nwc', 'src', '10.77.0.1')
        self.told_within(peer, 'viable 0', lambda: self.client.ip('route', 'del', *way))
        waiting = self.peer(V4, 7000)
        waiting.wait_for('state waiting')
        self.told_within(peer, 'viable 1', lambda: self.client.ip('route', 'add', *way))
        waiting.wait_for('state ready')
        self.assertEqual(self.states(peer), ['state preparing', 'state ready'])

    def test_interface_goes_away(self):
        peer = self.ready(V4)
        peer.wait_for('received')
        self.told_within(peer, 'viable 0', self.wire.close)
        self.assertEqual(self.states(peer), ['state preparing', 'state ready'])

    def test_better_way_comes_and_goes(self):
        """The server is behind default routes: a second one, which the kernel prefers, appears and goes."""
        far = '10.66.0.1'
        self.server.ip('addr', 'add', far + '/32', 'dev', 'nws')
        self.client.ip('route', 'add', 'default', 'dev', 'nwc', 'metric', '100')
        self.listen(far, self.stream)
        peer = self.ready(far)
        rival = lab.Wire(self, self.client, self.server, device_a='nwd', device_b='nwt', addresses_b=(),
                         addresses_a=('10.78.0.1/24',))
        self.client.ip('link', 'set', 'nwd', 'up')
        self.told_within(peer, 'better 1',
                         lambda: self.client.ip('route', 'add', 'default', 'dev', 'nwd', 'metric', '1'))
        self.told_within(peer, 'better 0', rival.close)
        self.assertEqual(self.states(peer), ['state preparing', 'state ready'])


class Datagrams(Stories):
    def setUp(self):
        super().setUp()
        self.arrived = []  # sizes
        for address in (V4, V6):
            self.listen(address, self.take, kind=socket.SOCK_DGRAM)

    def take(self, s):
        while True:
            data, sender = s.recvfrom(65536)
            if sender is None:
                return  # shut down by the end of the test
            self.arrived.append(len(data))

    def size(self, peer):
        peer.tell('size')
        return int(peer.wait_for('size').split()[1])

    def send(self, peer, size):
        peer.tell('send ' + 'x' * size)
        self.assertEqual(peer.wait_for('sent'), 'sent none 0')

    def test_narrow_path_that_says_so(self):
        """The largest datagram follows the path's MTU (RFC 1191, RFC 8201), and the connection is told of what was lost."""
        self.wire.set(both='mtu=1300,mtu-signal=yes')
        for address, headers in ((V4, 28), (V6, 48)):
            with self.subTest(address=address):
                peer = self.ready('-u', address)
                self.assertEqual(self.size(peer), 1500 - headers)
                self.send(peer, 1500 - headers)
                self.assertEqual(peer.wait_for('broken'), 'broken posix %d 0' % EMSGSIZE)
                largest = self.size(peer)
                self.assertEqual(largest, 1300 - headers)
                peer.tell('send ' + 'x' * (largest + 1))
                self.assertEqual(peer.wait_for('sent'), 'sent posix %d' % EMSGSIZE)
                self.send(peer, largest)
                lab.wait_until(lambda: largest in self.arrived, 'the largest datagram arrives')
                self.assertEqual(self.states(peer), ['state preparing', 'state ready'])
        self.assertEqual(len(self.arrived), 2)

    def test_narrow_path_that_says_nothing(self):
        """A black hole: large datagrams vanish without a word, smaller ones arrive, and nothing ends."""
        self.wire.set(both='mtu=1300')
        peer = self.ready('-u', V4)
        self.send(peer, 1400)
        lab.wait_until(lambda: self.wire.stats()['up']['dropped']['mtu'] == 1, 'it vanishes')
        self.assertEqual(self.size(peer), 1472)
        self.send(peer, 1272)
        lab.wait_until(lambda: self.arrived == [1272], 'the smaller one arrives')
        self.assertEqual(self.states(peer), ['state preparing', 'state ready'])

    def test_losses_are_counted(self):
        """What was sent, less what the wire lost, is what arrives."""
        self.wire.set(up='loss=30%')
        peer, sent = self.ready('-u', V4), 60
        for size in range(1, sent + 1):
            self.send(peer, size)
        up = lab.wait_until(lambda: (lambda up: up['packets_in'] >= sent and up)(self.wire.stats()['up']), 'all are sent')
        lost = up['dropped']['loss']
        self.assertTrue(5 < lost < 40, lost)
        lab.wait_until(lambda: len(self.arrived) + self.wire.stats()['up']['dropped']['loss'] >= sent, 'the rest arrives')
        self.assertEqual(self.arrived, sorted(set(self.arrived)))  # in order, none twice


if __name__ == '__main__':
    lab.main()
