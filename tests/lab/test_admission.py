"""Whom a listener lets in by its rules, and a program that is denied the local network."""
import os
import shutil
import socket
import tempfile
import unittest

import lab

SERVER = os.environ.get('LAB_SERVER', 'build/tests/lab/lab_server')


class Admission(lab.Lab):
    """The client's namespace listens; the server's connects to it, by nws and by a second link to wwan0."""

    def setUp(self):
        super().setUp()
        self.config = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.config)
        os.mkdir(os.path.join(self.config, 'libnw'))
        self.server.ip('link', 'add', 'second', 'address', '02:00:00:00:77:12', 'type', 'veth', 'peer', 'name',
                       'wwan0', 'netns', self.client.name, 'address', '02:00:00:00:77:11')
        self.server.ip('link', 'set', 'second', 'up')
        self.server.ip('addr', 'add', '10.79.0.2/24', 'dev', 'second')
        self.server.ip('neigh', 'add', '10.79.0.1', 'lladdr', '02:00:00:00:77:11', 'dev', 'second')
        self.client.ip('addr', 'add', '10.79.0.1/24', 'dev', 'wwan0')
        self.client.ip('link', 'set', 'wwan0', 'up')
        self.client.ip('neigh', 'add', '10.79.0.2', 'lladdr', '02:00:00:00:77:12', 'dev', 'wwan0')
        lab.wait_until(lambda: b'state UP' in self.client.ip('link', 'show', 'wwan0').stdout, 'the carrier')

    def run_peer(self, program, *words):
        return lab.Peer(self.spawn(self.client.inside(program, *words),
                                   env=dict(os.environ, NW_LOG='debug', XDG_CONFIG_HOME=self.config)))

    def write(self, text):
        path = os.path.join(self.config, 'libnw', 'network.conf')
        with open(path + '.new', 'w') as out:
            out.write(text)
        os.rename(path + '.new', path)

    def open(self, address, kind=socket.SOCK_STREAM):
        s = self.server.call(lambda: socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, kind))
        self.addCleanup(s.close)
        s.settimeout(lab.DEADLINE)
        s.connect((address, 7000))
        return s

    def is_served(self, address, kind=socket.SOCK_STREAM):
        s = self.open(address, kind)
        try:
            s.sendall(b'hello')
            return s.recv(100) == b're:hello'
        except ConnectionError:
            return False

    def refused(self, address):
        """Accepted by the kernel, closed by us without a word."""
        s = self.open(address)
        try:
            self.assertEqual(s.recv(100), b'')
        except ConnectionError:
            pass

    def test_prohibited_type(self):
        server = self.run_peer(SERVER, '-p', 'cellular', 7000)
        server.wait_for('state ready')
        self.refused('10.79.0.1')
        self.assertTrue(self.is_served('10.77.0.1'))
        self.assertTrue(self.is_served('2001:db8:77::1'))
        server.wait_for('came 2001:db8:77::2')
        self.assertEqual(len([l for l in server.lines if l.startswith('came')]), 2)

    def test_prohibited_type_by_way_of_another_address(self):
        """The address of an allowed interface, reached by the prohibited one: what counts is how it came."""
        server = self.run_peer(SERVER, '-e', 7000)
        server.wait_for('state ready')
        self.server.ip('route', 'add', '10.77.0.1/32', 'dev', 'second', 'src', '10.79.0.2')
        self.server.ip('neigh', 'add', '10.77.0.1', 'lladdr', '02:00:00:00:77:11', 'dev', 'second')
        self.refused('10.77.0.1')

    def test_multipath_listener_with_rules(self):
        server = self.run_peer(SERVER, '-m', 1, '-p', 'cellular', 7000)
        server.wait_for('state ready')
        self.refused('10.79.0.1')
        self.assertTrue(self.is_served('10.77.0.1'))

    def test_datagrams(self):
        server = self.run_peer(SERVER, '-u', '-p', 'cellular', 7000)
        server.wait_for('state ready')
        self.open('10.79.0.1', socket.SOCK_DGRAM).send(b'refused')
        self.assertTrue(self.is_served('10.77.0.1', socket.SOCK_DGRAM))
        server.wait_for('came')
        self.assertEqual([l for l in server.lines if l.startswith('came')], ['came 10.77.0.2'])

    def test_required_interface(self):
        """Bound to it: by another one the kernel itself refuses."""
        server = self.run_peer(SERVER, '-I', 'nwc', 7000)
        server.wait_for('state ready')
        self.assertTrue(self.is_served('10.77.0.1'))
        self.assertRaises(ConnectionRefusedError, self.open, '10.79.0.1')

    def test_required_interface_for_datagrams(self):
        server = self.run_peer(SERVER, '-u', '-I', 'nwc', 7000)
        server.wait_for('state ready')
        self.assertTrue(self.is_served('10.77.0.1', socket.SOCK_DGRAM))
        s = self.open('10.79.0.1', socket.SOCK_DGRAM)
        s.send(b'hello')
        self.assertRaises(ConnectionRefusedError, s.recv, 10)

    def test_required_type_comes_later(self):
        self.client.ip('link', 'set', 'wwan0', 'down')
        server = self.run_peer(SERVER, '-r', 'cellular', 7000)
        self.assertEqual(server.wait_for('state waiting'), 'state waiting posix 100')
        self.client.ip('link', 'set', 'wwan0', 'up')
        self.client.ip('neigh', 'replace', '10.79.0.2', 'lladdr', '02:00:00:00:77:12', 'dev', 'wwan0')
        server.wait_for('state ready')
        self.assertTrue(self.is_served('10.79.0.1'))

    # --- the local network denied ---

    DENIED = '[local-network]\ndeny = %s\n'

    def test_denied_connection(self):
        """It waits and its path says why, by address and by name; other networks and itself stay open."""
        self.write(self.DENIED % lab.PEER)
        self.listen('10.77.0.2', self.say('hello'))
        self.server.ip('addr', 'add', '10.99.0.1/32', 'dev', 'lo')
        self.client.ip('route', 'add', '10.99.0.1/32', 'via', '10.77.0.2')
        self.listen('10.99.0.1', self.say('hello'))
        with open(os.path.join(self.client.folder, 'hosts'), 'a') as hosts:
            hosts.write('10.77.0.2 near.lab.test\n')
        waiting = [self.run_peer(lab.PEER, *words, 7000)
                   for words in (('10.77.0.2',), ('near.lab.test',), ('-u', '10.77.0.2'), ('-u', '224.0.0.251'))]
        for peer in waiting:
            self.assertEqual(peer.wait_for('path').split()[-2:], ['reason', '3'])  # local_network_denied
            self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 100')
        self.run_peer(lab.PEER, '10.99.0.1', 7000).wait_for('finished 5')
        self.write('')
        for peer in waiting[:3]:
            peer.wait_for('state ready')  # by itself

    def test_denied_while_ready(self):
        """A connection that has been made is no longer viable, and again when the denial is taken back."""
        self.write('')
        self.listen('10.77.0.2', lambda s: s.recv(1))
        peer = self.run_peer(lab.PEER, '10.77.0.2', 7000)
        peer.wait_for('viable 1')
        self.write(self.DENIED % lab.PEER)
        peer.wait_for('viable 0')
        self.write('')
        peer.wait_for('viable 1')

    def test_denied_listener(self):
        self.write(self.DENIED % SERVER)
        server = self.run_peer(SERVER, '-L', '10.77.0.1', 7000)
        self.assertEqual(server.wait_for('state waiting'), 'state waiting posix 100')
        everywhere = self.run_peer(SERVER, 7001)
        everywhere.wait_for('state ready')
        self.write('')
        server.wait_for('state ready')
        self.assertTrue(self.is_served('10.77.0.1'))

    def test_denied_peers(self):
        """A listener on any address: those of the local network are turned away."""
        self.write(self.DENIED % SERVER)
        server = self.run_peer(SERVER, 7000)
        server.wait_for('state ready')
        self.refused('10.77.0.1')
        self.assertEqual([l for l in server.lines if l.startswith('came')], [])


if __name__ == '__main__':
    lab.main()
