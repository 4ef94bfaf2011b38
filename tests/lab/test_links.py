"""Links that go down and come up, interfaces that come later, rules about interfaces."""
import hashlib
import threading
import unittest

import lab

CHUNK = b'\x5a' * 65536
CHUNKS = 512  # 32 MiB


class Links(lab.Lab):
    def link(self, state, name='nwc'):
        self.client.ip('link', 'set', name, state)
        if state == 'up' and name == 'nwc':  # the kernel forgot these with the link
            self.client.ip('addr', 'replace', '2001:db8:77::1/64', 'dev', 'nwc', 'nodad')
            for address in ('10.77.0.2', '2001:db8:77::2'):
                self.add_neighbour(address)

    def test_down_in_mid_transfer(self):
        """A transfer of 32 MiB is held by the server at a known place; the link goes; the rest arrives later."""
        go_on = threading.Event()

        def serve(s):
            for _ in range(4):
                s.sendall(CHUNK)
            go_on.wait(lab.DEADLINE)
            for _ in range(CHUNKS - 4):
                s.sendall(CHUNK)
        self.listen('10.77.0.2', serve)
        peer = self.peer('10.77.0.2', 7000)
        peer.wait_for('state ready')
        self.assertEqual(peer.wait_for('viable'), 'viable 1')
        lab.wait_until(lambda: sum(int(l.split()[1]) for l in peer.lines if l.startswith('received')) == 4 * len(CHUNK),
                       'the first part')
        self.link('down')
        self.assertEqual(peer.wait_for('viable'), 'viable 0')
        go_on.set()  # what is sent now is lost, and sent again by TCP
        self.link('up')
        self.assertEqual(peer.wait_for('viable'), 'viable 1')
        self.assertEqual(peer.wait_for('finished'), 'finished %d' % (CHUNKS * len(CHUNK)))
        self.assertEqual([l for l in peer.lines if l.startswith('state')], ['state preparing', 'state ready'])

    def test_nwcat_carries_on(self):
        """The same for a program that knows nothing of viability: every octet arrives, once."""
        started, go_on = threading.Event(), threading.Event()

        def serve(s):
            s.sendall(CHUNK)
            started.set()
            go_on.wait(lab.DEADLINE)
            for _ in range(CHUNKS - 1):
                s.sendall(CHUNK)
        self.listen('10.77.0.2', serve)
        process = self.start_nwcat('-d', '10.77.0.2', 7000)
        self.assertTrue(started.wait(lab.DEADLINE))
        self.link('down')
        go_on.set()
        self.link('up')
        out, err = process.communicate(timeout=lab.DEADLINE)
        self.assertEqual(process.returncode, 0, err.decode())
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(CHUNK * CHUNKS).digest())

    def test_send_to_link_local_of_a_downed_interface(self):
        """Never success: it waits with the kernel's reason, and the send ends with an error once cancelled."""
        self.link('down')
        for words in ((), ('-u',)):
            with self.subTest(words=words):
                peer = self.peer(*words, 'fe80::2%nwc', 7000)
                peer.tell('send into the void')
                state = peer.wait_for('state waiting')
                # ENETUNREACH 101 (no route), ENETDOWN 100, EADDRNOTAVAIL 99 (no source), ENODEV 19, EINVAL 22
                self.assertIn(state, ['state waiting posix %d' % code for code in (100, 101, 99, 19)])
                peer.tell('cancel')
                self.assertNotEqual(peer.wait_for('sent'), 'sent none 0')
                peer.wait_for('cancelled')
                self.assertNotIn('sent none 0', peer.lines)

    def test_send_after_the_interface_went_down(self):
        """A ready UDP connection by a link-local address; then its interface goes."""
        self.server.ip('addr', 'add', 'fe80::2/64', 'dev', 'nws', 'nodad')
        self.client.ip('addr', 'add', 'fe80::1/64', 'dev', 'nwc', 'nodad')
        self.add_neighbour('fe80::2')
        peer = self.peer('-u', 'fe80::2%nwc', 7000)
        peer.wait_for('state ready')
        peer.wait_for('viable 1')
        peer.tell('send one')
        self.assertEqual(peer.wait_for('sent'), 'sent none 0')
        self.link('down')
        peer.wait_for('viable 0')
        peer.tell('send two')
        self.assertRegex(peer.wait_for('sent'), r'^sent posix (100|101|99|19)$')
        peer.tell('cancel')
        peer.wait_for('cancelled')

    def test_waiting_until_the_interface_comes(self):
        self.listen('10.77.0.2', self.say('hello'))
        self.link('down')
        process = self.start_nwcat('--wait', '-d', '10.77.0.2', 7000)
        until = lab.lines_until(process.stderr, [])
        until('"state":"waiting"')
        self.link('up')
        until('"event":"ready"')  # by itself
        out, _ = process.communicate(timeout=lab.DEADLINE)
        self.assertEqual((out, process.returncode), (b'hello', 0))

    def test_waiting_by_name(self):
        """The name cannot even be asked for until the link is there."""
        self.listen('10.77.0.2', self.say('hello'))
        self.dnsmasq('--host-record=late.lab.test,10.77.0.2')
        self.link('down')
        peer = self.peer('late.lab.test', 7000)
        peer.wait_for('state waiting')
        self.link('up')
        peer.wait_for('state ready')
        peer.wait_for('finished 5')

    def test_change_during_the_first_attempt(self):
        """What it fails for may be over: it is tried again at once, though the change came while it was under way."""
        lab.wait_until(lambda: b'tentative' not in self.client.ip('addr', 'show', 'dev', 'nwc').stdout,
                       'the link-local address')  # a change of its own, which must not come later
        self.add_neighbour('10.77.0.9')  # the first packet vanishes
        peer = self.peer('10.77.0.9', 7000)
        peer.wait_for('state preparing')
        self.client.ip('addr', 'add', '10.77.0.77/24', 'dev', 'nwc')  # a change, of no help here
        self.add_address('10.77.0.9')  # the packet that is sent again finds nobody who listens
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 111')
        peer.wait_for('state preparing')
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 111')
        self.listen('10.77.0.9', self.say('hello'))
        self.client.ip('addr', 'del', '10.77.0.77/24', 'dev', 'nwc')
        peer.wait_for('finished 5')

    def test_required_interface_comes_up_later(self):
        """Another link leads to the server too, yet the connection waits for the required one."""
        self.listen('10.77.0.2', self.say('hello'))
        lab.wait_until(lambda: b'state UP' in self.client.ip('link', 'show', 'nwc').stdout, 'the carrier')
        peer = self.peer('-I', '10.77.0.2', '10.77.0.2', 7000)
        self.assertEqual(peer.wait_for('interface'), 'interface nwc')
        self.second_link('other0')
        self.link('down')
        self.assertEqual(self.nwcat('-d', '10.77.0.2', 7000).out, b'hello')  # without the rule: by the other link
        peer.tell('start')
        # The start may overtake the news that the link is down: then the kernel says so (ENETUNREACH).
        self.assertIn(peer.wait_for('state waiting'), ('state waiting posix 100', 'state waiting posix 101'))
        self.link('up')
        self.assertEqual(peer.wait_for('path 1').split()[2], 'nwc')
        peer.wait_for('state ready')
        peer.wait_for('finished 5')

    def second_link(self, name):
        """Another way to 10.77.0.2, less preferred by its metric; the client is 10.79.0.1 there."""
        self.server.ip('link', 'add', 'second', 'address', '02:00:00:00:77:12', 'type', 'veth', 'peer', 'name', name,
                       'netns', self.client.name, 'address', '02:00:00:00:77:11')
        self.server.ip('link', 'set', 'second', 'up')
        self.server.ip('route', 'add', '10.79.0.1', 'dev', 'second')
        self.server.ip('neigh', 'add', '10.79.0.1', 'lladdr', '02:00:00:00:77:11', 'dev', 'second')
        self.client.ip('addr', 'add', '10.79.0.1/24', 'dev', name)
        self.client.ip('link', 'set', name, 'up')
        self.client.ip('neigh', 'add', '10.77.0.2', 'lladdr', '02:00:00:00:77:12', 'dev', name)
        self.client.ip('route', 'add', '10.77.0.2', 'dev', name, 'metric', 999)

    def test_required_type_waits_until_it_exists(self):
        """A link named wwan0 counts as cellular: when it appears, the connection goes by it."""
        self.listen('10.77.0.2', self.say('hello'))
        peer = self.peer('-r', 'cellular', '10.77.0.2', 7000)
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 100')
        self.second_link('wwan0')
        self.assertEqual(peer.wait_for('path 1').split()[2], 'wwan0')
        peer.wait_for('state ready')
        peer.wait_for('finished 5')

    def test_prohibited_type(self):
        """All that leads there is a wired link: it waits, although the server is there."""
        self.listen('10.77.0.2', self.say('hello'))
        peer = self.peer('-p', 'wired', '10.77.0.2', 7000)
        self.assertEqual(peer.wait_for('state waiting'), 'state waiting posix 100')
        peer.tell('cancel')
        peer.wait_for('cancelled')
        self.assertNotIn('state ready', peer.lines)


if __name__ == '__main__':
    lab.main()
