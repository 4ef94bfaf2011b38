"""A connection is told when a better way appears than its own, and when that goes again."""
import unittest

import lab


class BetterPath(lab.Lab):
    def test_better_comes_and_goes(self):
        self.server.ip('addr', 'add', '10.99.0.1/32', 'dev', 'lo')
        self.listen('10.99.0.1', lambda s: s.recv(1))
        self.client.ip('route', 'add', 'default', 'via', '10.77.0.2', 'dev', 'nwc', 'metric', '100')
        peer = self.peer('10.99.0.1', 7000)
        peer.wait_for('state ready')
        self.client.ip('link', 'add', 'nwb', 'type', 'veth', 'peer', 'name', 'nwb2')
        self.client.ip('link', 'set', 'nwb2', 'up')
        self.client.ip('link', 'set', 'nwb', 'up')
        self.client.ip('addr', 'add', '10.78.0.1/24', 'dev', 'nwb')
        self.assertFalse([line for line in peer.lines if line.startswith('better')])
        self.client.ip('route', 'add', 'default', 'via', '10.78.0.2', 'dev', 'nwb', 'metric', '1')
        self.assertEqual(peer.wait_for('better'), 'better 1')
        self.client.ip('route', 'del', 'default', 'dev', 'nwb')
        self.assertEqual(peer.wait_for('better'), 'better 0')
        self.assertEqual([line for line in peer.lines if line.startswith('state')],
                         ['state preparing', 'state ready'])  # never migrates, never changes state
        peer.tell('cancel')
        peer.wait_for('cancelled')

    def test_on_the_same_link(self):
        """A better default route leads elsewhere: what is on the connection's own link has no better way."""
        self.listen('10.77.0.2', lambda s: s.recv(1))
        peer = self.peer('10.77.0.2', 7000)
        peer.wait_for('state ready')
        self.client.ip('link', 'add', 'nwb', 'type', 'veth', 'peer', 'name', 'nwb2')
        self.client.ip('link', 'set', 'nwb2', 'up')
        self.client.ip('link', 'set', 'nwb', 'up')
        self.client.ip('addr', 'add', '10.78.0.1/24', 'dev', 'nwb')
        self.client.ip('route', 'add', 'default', 'via', '10.78.0.2', 'dev', 'nwb', 'metric', '1')
        lab.wait_until(lambda: any('path changed' in line for line in peer.log), 'the change')
        peer.tell('cancel')
        peer.wait_for('cancelled')
        self.assertNotIn('better 1', peer.lines)


if __name__ == '__main__':
    lab.main()
