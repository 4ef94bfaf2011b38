"""Ethernet channels over a veth pair: frames both ways, tags, broadcast, what is refused, links that go and come."""
import errno
import os
import shutil
import socket
import unittest

import lab

CHANNEL = os.environ.get('LAB_ETHERNET', 'build/tests/lab/lab_ethernet')
HELLO = os.environ.get('ETHERNET_HELLO', 'build/examples/ethernet_hello')
ETHER_TYPE = 0x88b5  # IEEE 802 local experimental
CLIENT, SERVER = '02:00:00:00:77:01', '02:00:00:00:77:02'
ALL = 'ff:ff:ff:ff:ff:ff'
POSIX = 1


def state(name, code=0):
    return 'state %s %d %d' % (name, POSIX if code else 0, code)


class Ethernet(lab.Lab):
    def channel(self, namespace, interface, *before, ether_type=ETHER_TYPE):
        process = self.spawn(namespace.inside(*before, CHANNEL, interface, hex(ether_type)),
                             env=dict(os.environ, NW_LOG='debug'))
        peer = lab.Peer(process)
        peer.wait_for('interface')
        return peer

    def started(self, namespace, interface):
        peer = self.channel(namespace, interface)
        peer.tell('start')
        self.assertEqual(peer.wait_for('state'), state('preparing'))
        self.assertEqual(peer.wait_for('state'), state('ready'))
        return peer

    def pair(self):
        return self.started(self.client, 'nwc'), self.started(self.server, 'nws')

    def raw(self, namespace, interface, ether_type=ETHER_TYPE):
        """A plain packet socket beside the library."""
        def open_socket():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            s.bind((interface, ether_type))
            s.settimeout(lab.DEADLINE)
            return s
        s = namespace.call(open_socket)
        self.addCleanup(s.close)
        return s

    def finish(self, peer):
        peer.tell('cancel')
        self.assertEqual(peer.wait_for('state'), state('cancelled'))
        self.assertEqual(peer.process.wait(lab.DEADLINE), 0, peer.log)

    def test_frames_both_ways(self):
        a, b = self.pair()
        a.tell('send %s 0 hello' % SERVER)
        self.assertEqual(a.wait_for('sent'), 'sent 0 0')
        self.assertEqual(b.wait_for('frame'), 'frame 0 %s %s 5 hello' % (SERVER, CLIENT))
        b.tell('send %s 0 answer' % CLIENT)
        self.assertEqual(a.wait_for('frame'), 'frame 0 %s %s 6 answer' % (CLIENT, SERVER))
        for to in (ALL, '01:00:5e:00:00:63'):  # broadcast, a multicast group that nobody joined
            a.tell('send %s 0 everyone' % to)
            self.assertEqual(b.wait_for('frame'), 'frame 0 %s %s 8 everyone' % (to, CLIENT))
        a.tell('send 02:00:00:00:77:99 0 stranger')  # a veth delivers it all the same
        a.tell('send 02:00:00:00:77:99 7 stranger')
        a.tell('send %s 0 last' % SERVER)
        self.assertIn('last', b.wait_for('frame'))
        self.finish(a)
        self.finish(b)

    def test_tags(self):
        a, b = self.pair()
        for tag in (1, 42, 0xafff):  # the last: priority 5, drop eligible no, VLAN 4095
            a.tell('send %s %d tagged' % (SERVER, tag))
            self.assertEqual(b.wait_for('frame'), 'frame %d %s %s 6 tagged' % (tag, SERVER, CLIENT))
        raw = self.raw(self.server, 'nws', 3)  # ETH_P_ALL: with what is between them
        a.tell('send %s 42 seen' % SERVER)
        data, ancillary, _, _ = raw.recvmsg(100, 100)
        self.assertEqual(data[12:14], ETHER_TYPE.to_bytes(2, 'big'))  # the kernel has taken the tag out
        self.assertEqual(data[14:18], b'seen')
        self.finish(a)
        self.finish(b)

    def test_large_payloads(self):
        a, b = self.pair()
        a.tell('size')
        self.assertEqual(a.wait_for('size'), 'size 1500')
        for tag in (0, 9):
            a.tell('fill %s %d 1500' % (SERVER, tag))
            self.assertEqual(a.wait_for('sent'), 'sent 0 0')
            self.assertIn(' 1500 x', b.wait_for('frame'))
            for size in (1501, 70000):
                a.tell('fill %s %d %d' % (SERVER, tag, size))
                self.assertEqual(a.wait_for('sent'), 'sent 1 %d' % errno.EMSGSIZE)
        self.client.ip('link', 'set', 'nwc', 'mtu', 9000)
        self.server.ip('link', 'set', 'nws', 'mtu', 9000)
        for peer in (a, b):
            lab.wait_until(lambda: peer.tell('size') or peer.wait_for('size') == 'size 9000', 'the new size')
        a.tell('fill %s 0 9000' % SERVER)
        self.assertEqual(a.wait_for('sent'), 'sent 0 0')
        self.assertIn(' 9000 x', b.wait_for('frame'))
        self.finish(a)
        self.finish(b)

    def test_refused_types(self):
        for ether_type in (0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x888e, 0x0000, 0x05ff):
            peer = self.channel(self.client, 'nwc', ether_type=ether_type)
            peer.wait_for('refused')
        self.assertIn('no custom EtherType', '\n'.join(peer.log))

    def test_link_down_and_up(self):
        a, b = self.pair()
        self.client.ip('link', 'set', 'nwc', 'down')  # the peer loses its carrier with it
        for peer in (a, b):
            self.assertEqual(peer.wait_for('state'), state('waiting', errno.ENETDOWN))
            peer.tell('send %s 0 lost' % ALL)
            self.assertEqual(peer.wait_for('sent'), 'sent 1 %d' % errno.ENETDOWN)
        self.client.ip('link', 'set', 'nwc', 'up')
        for peer in (a, b):
            self.assertEqual(peer.wait_for('state'), state('preparing'))
            self.assertEqual(peer.wait_for('state'), state('ready'))
        a.tell('send %s 0 again' % SERVER)
        self.assertIn('again', b.wait_for('frame'))
        b.tell('send %s 0 answer' % CLIENT)
        self.assertIn('answer', a.wait_for('frame'))
        self.finish(a)
        self.finish(b)

    def test_down_at_the_start(self):
        a = self.channel(self.client, 'nwc')
        a.tell('send %s 0 early' % SERVER)
        self.assertEqual(a.wait_for('sent'), 'sent 1 %d' % errno.ENOTCONN)
        self.client.ip('link', 'set', 'nwc', 'down')
        a.tell('start')
        self.assertEqual(a.wait_for('state'), state('preparing'))
        a.wait_for(state('waiting', errno.ENETDOWN))  # behind ready, when the news are not in yet
        self.client.ip('link', 'set', 'nwc', 'up')
        self.assertEqual(a.wait_for('state'), state('preparing'))
        self.assertEqual(a.wait_for('state'), state('ready'))
        self.finish(a)

    def test_interface_gone(self):
        a, _ = self.pair()
        self.client.ip('link', 'del', 'nwc')
        seen = [a.wait_for('state')]
        if seen[0] == state('waiting', errno.ENETDOWN):  # it goes down first, and the two may be seen apart
            seen.append(a.wait_for('state'))
        self.assertEqual(seen[-1], state('failed', errno.ENODEV))
        a.tell('send %s 0 lost' % SERVER)
        self.assertEqual(a.wait_for('sent'), 'sent 1 %d' % errno.ENODEV)
        self.finish(a)

    def test_not_allowed(self):
        setpriv = shutil.which('setpriv')
        if setpriv is None:
            self.skipTest('setpriv is not installed')
        a = self.channel(self.client, 'nwc', setpriv, '--inh-caps', '-net_raw', '--bounding-set', '-net_raw')
        a.tell('start')
        self.assertEqual(a.wait_for('state'), state('preparing'))
        self.assertEqual(a.wait_for('state'), state('failed', errno.EPERM))
        self.assertIn('CAP_NET_RAW', '\n'.join(a.log))
        self.finish(a)

    def test_example(self):
        """Two of examples/ethernet_hello.c on one wire: the second greets, the first answers."""
        first = lab.Peer(self.spawn(self.client.inside(HELLO, 'nwc', 60)))
        first.process.stdin.close()
        heard = self.raw(self.server, 'nws')
        heard.recv(100)  # it has begun
        second = lab.Peer(self.spawn(self.server.inside(HELLO, 'nws', 60)))
        self.assertEqual(first.wait_for('hello'), 'hello from ' + SERVER)
        self.assertEqual(second.wait_for('answer'), 'answer from ' + CLIENT)

    def test_flood(self):
        """The handler of one channel hangs while frames pour in: they are bounded, and other queues go on."""
        a, b = self.pair()
        b.tell('hold')
        b.tell('lateness')
        b.wait_for('late')
        for _ in range(3):
            a.tell('flood %s 5000 1000' % SERVER)
        a.wait_for('flooded')
        b.tell('lateness')
        self.assertLess(int(b.wait_for('late').split()[1]), 1000 * lab.SLACK)
        b.tell('release')
        self.assertGreater(int(b.wait_for('frames').split()[1]), 0)
        a.tell('flood %s 20 60' % SERVER)  # it has lost some, and still receives
        before = -1
        def more():
            nonlocal before
            b.tell('release')
            now = int(b.wait_for('frames').split()[1])
            before, was = now, before
            return now == was
        lab.wait_until(more, 'the count comes to rest')
        self.assertLess(before, 15000)  # the rest did not fit
        self.finish(a)
        self.finish(b)


if __name__ == '__main__':
    lab.main()
