"""Path rules over real links: which interface carries an address, what a connection waits for and why."""
import socket
import time
import unittest

import lab


class Rules(lab.Lab):
    """Every link leads to 10.99.0.1 on the server when a route says so; the client is 10.79.N.1 on link N."""

    def setUp(self):
        super().setUp()
        self.links = 0
        self.server.ip('addr', 'add', '10.99.0.1/32', 'dev', 'lo')
        self.peers = []

    def add_link(self, name):
        self.links += 1
        number, far = self.links, 'far%d' % self.links
        ours, theirs = '02:00:00:00:79:%02d' % number, '02:00:00:00:78:%02d' % number
        self.server.ip('link', 'add', far, 'address', theirs, 'type', 'veth', 'peer', 'name', name,
                       'netns', self.client.name, 'address', ours)
        self.server.ip('link', 'set', far, 'up')
        self.server.ip('addr', 'add', '10.79.%d.2/24' % number, 'dev', far)
        self.server.ip('neigh', 'add', '10.79.%d.1' % number, 'lladdr', ours, 'dev', far)
        self.client.ip('addr', 'add', '10.79.%d.1/24' % number, 'dev', name)
        self.client.ip('link', 'set', name, 'up')
        self.client.ip('neigh', 'add', '10.79.%d.2' % number, 'lladdr', theirs, 'dev', name)
        lab.wait_until(lambda: b'state UP' in self.client.ip('link', 'show', name).stdout, 'the carrier')
        return '10.79.%d.2' % number

    def lead(self, name, via, metric, to='10.99.0.1/32'):
        self.client.ip('route', 'add', to, 'via', via, 'dev', name, 'metric', metric)

    def serve(self):
        def serve(s):
            self.peers.append(s.getpeername()[0])
            s.recv(1)
        self.listen('10.99.0.1', serve)

    def ready_from(self, peer, address):
        peer.wait_for('state ready')
        lab.wait_until(lambda: self.peers, 'the peer')
        self.assertEqual(self.peers, [address])
        peer.tell('cancel')
        peer.wait_for('cancelled')

    def test_second_best_has_the_route(self):
        """The kernel would go by the prohibited link; of the others the preferred one leads elsewhere only."""
        self.serve()
        modem, preferred, second = self.add_link('wwan0'), self.add_link('first'), self.add_link('second')
        self.lead('wwan0', modem, 1)
        self.lead('second', second, 2)
        self.client.ip('route', 'add', '198.51.100.0/24', 'via', preferred, 'dev', 'first')
        begun = time.monotonic()
        peer = self.peer('-e', '10.99.0.1', 7000)
        self.ready_from(peer, '10.79.3.1')
        self.assertLess(time.monotonic() - begun, 2 + lab.SLACK)  # nobody was asked for as a neighbour
        self.assertNotIn('better 1', peer.lines)
        self.assertEqual(len([l for l in peer.log if 'attempt-start' in l]), 1)

    def test_raced_on_all_that_may_carry_it(self):
        """The preferred link has a route behind which nobody answers: the next one wins after the attempt delay."""
        self.serve()
        modem, first, second = self.add_link('wwan0'), self.add_link('first'), self.add_link('second')
        self.lead('wwan0', modem, 1)
        self.lead('first', '10.79.2.77', 2)
        self.client.ip('neigh', 'add', '10.79.2.77', 'lladdr', '02:00:00:00:70:01', 'dev', 'first')
        self.lead('second', second, 3)
        peer = self.peer('-p', 'cellular', '10.99.0.1', 7000)
        self.ready_from(peer, '10.79.3.1')
        self.assertEqual(len([l for l in peer.log if 'attempt-start' in l]), 2)

    def test_datagrams(self):
        """UDP goes by the allowed link as well."""
        seen = []

        def serve(s):
            seen.append(s.recvfrom(100)[1][0])
        self.listen('10.99.0.1', serve, kind=socket.SOCK_DGRAM)
        modem, other = self.add_link('wwan0'), self.add_link('other')
        self.lead('wwan0', modem, 1)
        self.lead('other', other, 2)
        peer = self.peer('-u', '-p', 'cellular', '10.99.0.1', 7000)
        peer.wait_for('state ready')
        peer.tell('send hello')
        lab.wait_until(lambda: seen, 'the datagram')
        self.assertEqual(seen, ['10.79.2.1'])

    def test_expensive_prohibited(self):
        """It waits, its path says what was refused, and it goes on by itself once something else leads there."""
        self.serve()
        self.client.ip('link', 'set', 'nwc', 'down')
        modem = self.add_link('wwan0')
        self.lead('wwan0', modem, 1)
        peer = self.peer('-e', '10.99.0.1', 7000)
        self.assertEqual(peer.wait_for('path'), 'path 2 reason 1')  # unsatisfied, cellular_denied
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 100')
        other = self.add_link('other')
        self.lead('other', other, 99)
        self.client.ip('addr', 'add', '10.79.9.1/32', 'dev', 'other')  # a change that comes after the route
        self.ready_from(peer, '10.79.2.1')

    def test_no_route_by_what_is_allowed(self):
        """An interface fits, but leads elsewhere: the kernel's words for that, and no packet to a neighbour."""
        self.serve()
        modem = self.add_link('wwan0')
        self.lead('wwan0', modem, 1)
        peer = self.peer('-r', 'wired', '10.99.0.1', 7000)
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 101')

    def test_local_endpoint(self):
        """The local address decides the link, though the kernel would take another one to get there."""
        self.serve()
        first, second = self.add_link('first'), self.add_link('second')
        self.lead('first', first, 1)
        self.lead('second', second, 2)
        peer = self.peer('-L', '10.79.2.1', '10.99.0.1', 7000)
        self.assertEqual(peer.wait_for('path 1'), 'path 1 second 0')
        self.ready_from(peer, '10.79.2.1')
        far = int(self.server.ip('-s', '-o', 'link', 'show', 'far2').stdout.split(b'RX:')[1].split()[8])
        self.assertGreater(far, 2)  # packets came by that link

    def test_local_endpoint_that_comes_later(self):
        self.serve()
        via = self.add_link('first')
        self.lead('first', via, 1)
        peer = self.peer('-L', '10.79.1.9', '10.99.0.1', 7000)
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 99')  # EADDRNOTAVAIL
        self.server.ip('neigh', 'add', '10.79.1.9', 'lladdr', '02:00:00:00:79:01', 'dev', 'far1')
        self.client.ip('addr', 'add', '10.79.1.9/24', 'dev', 'first')
        self.ready_from(peer, '10.79.1.9')

    def test_viability_of_a_bound_connection(self):
        """Its own link loses the route, another link has one: that helps a connection of another link only."""
        self.serve()
        modem, other = self.add_link('wwan0'), self.add_link('other')
        self.lead('wwan0', modem, 1)
        self.lead('other', other, 2)
        peer = self.peer('-p', 'cellular', '10.99.0.1', 7000)
        peer.wait_for('state ready')
        peer.wait_for('viable 1')
        self.client.ip('route', 'del', '10.99.0.1/32', 'dev', 'other')
        self.client.ip('route', 'add', 'default', 'via', modem, 'dev', 'wwan0')  # a change that is told
        peer.wait_for('viable 0')
        self.client.ip('route', 'add', 'default', 'via', other, 'dev', 'other', 'metric', 7)
        peer.wait_for('viable 1')
        self.assertEqual([l for l in peer.lines if l.startswith('state')], ['state preparing', 'state ready'])


if __name__ == '__main__':
    lab.main()
