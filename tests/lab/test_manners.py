"""How packets go: several paths, fast open, service classes; checked by what the kernels count and a peer sees."""
import os
import socket
import struct
import threading
import unittest

import lab

SERVER = os.environ.get('LAB_SERVER', 'build/tests/lab/lab_server')
IPPROTO_MPTCP, IP_PKTOPTIONS, IPV6_RECVTCLASS, IPV6_TCLASS = 262, 9, 66, 67
DSCP = {0: 0, 1: 1, 2: 34, 3: 46, 4: 18, 5: 40}  # nw_service_class_t -> RFC 4594, RFC 8622


class Manners(lab.Lab):
    def count(self, namespace, table, name):
        """A counter of /proc/net/netstat."""
        text = lab.subprocess.run(namespace.inside('cat', '/proc/net/netstat'), stdout=lab.subprocess.PIPE).stdout
        names, values = [line.split()[1:] for line in text.decode().splitlines() if line.startswith(table + ':')]
        return int(values[names.index(name)])

    def set(self, namespace, name, value):
        lab.subprocess.run(namespace.inside('sysctl', '-qw', '%s=%s' % (name, value)), check=True)

    def start_server(self, namespace, *words):
        server = lab.Peer(self.spawn(namespace.inside(SERVER, *words), env=dict(os.environ, NW_LOG='debug')))
        server.wait_for('state ready')
        return server

    def exchange(self, peer, server):
        peer.wait_for('state ready')
        peer.tell('send hello')
        self.assertEqual(server.wait_for('got'), 'got hello')
        self.assertEqual(peer.wait_for('received'), 'received 8')  # re:hello

    # --- Multipath TCP ---

    def test_multipath(self):
        """Both ends ask: the kernels agree on it, for each service."""
        server = self.start_server(self.server, '-m', 1, 7000)
        for service in (1, 2, 3):
            peer = self.peer('-m', service, '10.77.0.2', 7000)
            self.exchange(peer, server)
            self.assertTrue(any('several paths' in line for line in peer.log), peer.log)
        self.assertEqual(self.count(self.client, 'MPTcpExt', 'MPCapableSYNACKRX'), 3)
        self.assertEqual(self.count(self.server, 'MPTcpExt', 'MPCapableACKRX'), 3)

    def test_peer_without_multipath(self):
        server = self.start_server(self.server, 7000)
        peer = self.peer('-m', 1, '10.77.0.2', 7000)
        self.exchange(peer, server)
        self.assertEqual(self.count(self.client, 'MPTcpExt', 'MPCapableSYNTX'), 1)
        self.assertEqual(self.count(self.client, 'MPTcpExt', 'MPCapableSYNACKRX'), 0)
        self.assertTrue(any('one path: plain TCP' in line for line in peer.log), peer.log)

    def test_kernel_without_multipath(self):
        self.set(self.client, 'net.mptcp.enabled', 0)
        self.set(self.server, 'net.mptcp.enabled', 0)
        server = self.start_server(self.server, '-m', 3, 7000)
        peer = self.peer('-m', 3, '10.77.0.2', 7000)
        self.exchange(peer, server)
        self.assertTrue(any('no Multipath TCP in this kernel' in line for line in peer.log), peer.log)

    def test_multipath_listener_with_a_plain_peer(self):
        server = self.start_server(self.server, '-m', 1, 7000)
        self.exchange(self.peer('10.77.0.2', 7000), server)

    # --- fast open ---

    def test_fast_open(self):
        """The first connection brings a cookie; with it the next one's content is in the SYN."""
        self.set(self.client, 'net.ipv4.tcp_fastopen', 3)
        self.set(self.server, 'net.ipv4.tcp_fastopen', 3)
        server = self.start_server(self.server, '-F', 7000)
        for text, in_syn in (('first', 0), ('second', 1)):
            peer = self.peer('-F', '10.77.0.2', 7000)
            peer.wait_for('state preparing')
            peer.tell('early ' + text)
            self.assertEqual(server.wait_for('got'), 'got ' + text)
            peer.wait_for('state ready')
            peer.tell('send more')
            self.assertEqual(server.wait_for('got'), 'got more')  # and nothing twice
            self.assertEqual(self.count(self.server, 'TcpExt', 'TCPFastOpenPassive'), in_syn)
            self.assertEqual(self.count(self.client, 'TcpExt', 'TCPFastOpenActive'), in_syn)
            peer.tell('cancel')
            peer.wait_for('cancelled')

    def test_fast_open_waits_for_content(self):
        """Without idempotent content the connection does not proceed; content of another kind is none."""
        server = self.start_server(self.server, 7000)
        peer = self.peer('-F', '10.77.0.2', 7000)
        peer.wait_for('state preparing')
        peer.tell('send ordinary')
        other = self.peer('10.77.0.2', 7000)  # time enough for the first, if it went on
        self.exchange(other, server)
        self.assertNotIn('state ready', peer.lines)
        peer.tell('early idempotent')
        peer.wait_for('state ready')
        self.assertEqual(server.wait_for('got'), 'got ordinaryidempotent')  # the order of the stream

    def test_peer_without_fast_open(self):
        server = self.start_server(self.server, 7000)
        for text in ('one', 'two'):
            peer = self.peer('-F', '10.77.0.2', 7000)
            peer.tell('early ' + text)
            peer.wait_for('state ready')
            self.assertEqual(server.wait_for('got'), 'got ' + text)
        self.assertEqual(self.count(self.client, 'TcpExt', 'TCPFastOpenActive'), 0)

    def test_kernel_without_fast_open(self):
        self.set(self.client, 'net.ipv4.tcp_fastopen', 0)
        server = self.start_server(self.server, '-F', 7000)
        peer = self.peer('-F', '10.77.0.2', 7000)
        peer.tell('early plain')
        self.assertEqual(server.wait_for('got'), 'got plain')

    # --- service classes ---

    def receive_traffic_class(self, s):
        _, controls, _, _ = s.recvmsg(100, 256)
        return [data[0] for _, kind, data in controls if kind in (socket.IP_TOS, IPV6_TCLASS)]

    def test_service_class_of_datagrams(self):
        seen = []

        def serve(s):
            for option in ((socket.IPPROTO_IP, socket.IP_RECVTOS),) if s.family == socket.AF_INET else (
                    (socket.IPPROTO_IPV6, IPV6_RECVTCLASS),):
                s.setsockopt(*option, 1)
            ready.set()
            while True:
                seen.append(self.receive_traffic_class(s))
        for address in ('10.77.0.2', '2001:db8:77::2'):
            ready = threading.Event()
            self.listen(address, serve, kind=socket.SOCK_DGRAM)
            self.assertTrue(ready.wait(lab.DEADLINE))
            for service_class, dscp in DSCP.items():
                peer = self.peer('-u', '-c', service_class, address, 7000)
                peer.wait_for('state ready')
                peer.tell('send x')
                lab.wait_until(lambda: seen, 'the datagram')
                self.assertEqual(seen.pop()[0] >> 2, dscp, (address, service_class))

    def test_service_class_of_streams(self):
        """What the SYN bore, which the peer's kernel keeps when asked to."""
        seen = []

        def serve(s):
            controls = s.getsockopt(socket.IPPROTO_IP, IP_PKTOPTIONS, 256)
            while len(controls) >= 16:
                length, _, kind = struct.unpack_from('@Nii', controls)
                if kind == socket.IP_TOS:
                    seen.append(controls[16])
                controls = controls[(length + 7) // 8 * 8:]
        listener = self.listen('10.77.0.2', serve)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        for service_class, dscp in DSCP.items():
            self.peer('-c', service_class, '10.77.0.2', 7000).wait_for('state ready')
            lab.wait_until(lambda: seen, 'the class of the SYN')
            self.assertEqual(seen.pop() >> 2, dscp)

    def test_service_class_of_answers(self):
        """Accepted by a listener for both families, over each."""
        self.start_server(self.client, '-u', '-c', 3, 7000)
        for family, ours, theirs, option in (
                (socket.AF_INET, '10.77.0.2', '10.77.0.1', (socket.IPPROTO_IP, socket.IP_RECVTOS)),
                (socket.AF_INET6, '2001:db8:77::2', '2001:db8:77::1', (socket.IPPROTO_IPV6, IPV6_RECVTCLASS))):
            s = self.server.call(lambda: socket.socket(family, socket.SOCK_DGRAM))
            self.addCleanup(s.close)
            s.settimeout(lab.DEADLINE)
            s.setsockopt(*option, 1)
            s.bind((ours, 0))
            s.sendto(b'hello', (theirs, 7000))
            self.assertEqual(self.receive_traffic_class(s)[0] >> 2, DSCP[3], ours)


if __name__ == '__main__':
    lab.main()
