"""The wire of nwlink itself: what it does to packets between two namespaces, and how it is told."""
import errno
import hashlib
import json
import os
import pty
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import lab

IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14  # linux/in.h
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, IPV6_MTU = 23, 2, 24


def echo_service(s):
    while True:
        data, peer = s.recvfrom(65536)
        if peer is None:
            return  # shut down by the end of the test
        s.sendto(data, peer)


class Echo:
    """A datagram socket of the client, connected to an echo of the server."""

    def __init__(self, test, address='10.77.0.2', port=7000):
        test.listen(address, echo_service, port, socket.SOCK_DGRAM)
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.socket = test.client.call(lambda: socket.socket(family, socket.SOCK_DGRAM))
        test.addCleanup(self.socket.close)
        self.socket.settimeout(lab.DEADLINE)
        self.socket.connect((address, port))

    def seconds(self, data=b'x'):
        start = time.monotonic()
        self.socket.send(data)
        while self.socket.recv(65536) != data:
            pass  # an earlier one's
        return time.monotonic() - start

    def best(self):
        """The machine may be busy: what it adds differs, what the wire adds does not."""
        return min(self.seconds(b'%d' % i) for i in range(4))


class Wires(lab.WiredLab):
    def assert_takes(self, seconds, expected):
        self.assertGreaterEqual(seconds, expected)
        self.assertLess(seconds, expected + 0.025 * lab.SLOW)

    def dropped(self, direction, cause):
        return self.wire.stats()[direction]['dropped'][cause]

    def test_delay(self):
        self.wire.set(both='delay=60ms')
        for address in ('10.77.0.2', '2001:db8:77::2'):
            echo = Echo(self, address)
            self.assert_takes(echo.best(), 0.12)
        self.wire.set(up='delay=20ms')  # down stays
        self.assert_takes(echo.best(), 0.08)
        self.wire.set(profile='Perfect')
        self.assert_takes(echo.best(), 0)

    def test_only_names_are_slow(self):
        self.wire.set(up='dns-delay=100ms')
        self.assert_takes(Echo(self, port=53).best(), 0.1)
        self.assert_takes(Echo(self, port=54).best(), 0)

    def test_rate(self):
        """A quarter of a megabyte at 8 Mbit/s; with their headers the octets are 3 to 4 % more."""
        size = 250000
        self.wire.set(down='rate=8Mbit,queue=1000')
        self.listen('10.77.0.2', lambda s: s.sendall(bytes(size)))
        s = self.client.call(lambda: socket.create_connection(('10.77.0.2', 7000), lab.DEADLINE))
        self.addCleanup(s.close)
        first = len(s.recv(65536))
        start, rest = time.monotonic(), size - first
        while rest > 0:
            rest -= len(s.recv(65536))
        seconds, ideal = time.monotonic() - start, (size - first) / 1e6
        self.assertGreater(seconds, ideal * 0.95)
        self.assertLess(seconds, ideal * 1.2 + 0.05 * lab.SLOW)

    def test_tail_drop(self):
        self.wire.set(up='rate=10kbit,queue=3')
        before = self.wire.stats()['up']
        echo = Echo(self)
        for _ in range(20):
            echo.socket.send(bytes(1000))
        lab.wait_until(lambda: self.wire.stats()['up']['packets_in'] >= before['packets_in'] + 20, 'all are in')
        up = self.wire.stats()['up']
        self.assertGreaterEqual(up['dropped']['queue'], 16)  # one leaves, two wait; the kernel's own may be among them
        self.assertEqual(up['waiting'], 3)

    def test_loss_doubles_and_bursts(self):
        self.wire.set(up='loss=30%,duplicate=20%', down='burst=10%/20%')
        echo = Echo(self)
        before = self.wire.stats()
        for i in range(200):
            echo.socket.send(b'%d' % i)
        lab.wait_until(lambda: self.wire.stats()['up']['packets_in'] >= before['up']['packets_in'] + 200, 'all are in')
        lost = self.dropped('up', 'loss') - before['up']['dropped']['loss']
        self.assertTrue(30 <= lost <= 90, lost)  # 60, five standard deviations
        self.assertGreater(self.wire.stats()['up']['duplicated'], 5)
        lab.wait_until(lambda: self.dropped('down', 'burst') > 5, 'bursts on the way back')

    def test_corruption_is_noticed(self):
        """One bit of every packet is wrong: the checksums find it, and no datagram arrives."""
        self.wire.set(up='corrupt=100%')
        echo = Echo(self)
        for i in range(50):
            echo.socket.send(b'%d' % i)
        lab.wait_until(lambda: self.wire.stats()['up']['corrupted'] >= 50, 'all are in')
        self.wire.set(up='corrupt=0')
        echo.socket.send(b'whole')
        self.assertEqual(echo.socket.recv(100), b'whole')

    def test_reordering(self):
        """The last one arrives before the first that is late: by the time on the wire, not by luck."""
        self.wire.set(up='reorder=100%/80ms')
        echo = Echo(self)
        echo.socket.send(b'late')
        lab.wait_until(lambda: self.wire.stats()['up']['reordered'] > 0, 'the first is under way')
        self.wire.set(up='reorder=0')
        echo.socket.send(b'soon')
        self.assertEqual([echo.socket.recv(100), echo.socket.recv(100)], [b'soon', b'late'])

    def test_black_hole(self):
        self.wire.set(both='mtu=1300')
        echo = Echo(self)
        echo.socket.send(bytes(1273))  # 28 octets of headers: one too many
        lab.wait_until(lambda: self.dropped('up', 'mtu') == 1, 'it is gone')
        echo.seconds(bytes(1272))
        self.assertEqual(self.wire.stats()['up']['signalled'], 0)

    def test_signalled_mtu(self):
        self.wire.set(both='mtu=1300,mtu-signal=yes')
        for address, level, discover, must, mtu in (
                ('10.77.0.2', socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU),
                ('2001:db8:77::2', socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, IPV6_MTU)):
            echo = Echo(self, address)
            echo.socket.setsockopt(level, discover, must)
            echo.socket.send(bytes(1400))
            with self.assertRaises(OSError) as told:
                echo.socket.recv(1500)
            self.assertEqual(told.exception.errno, errno.EMSGSIZE)
            self.assertEqual(echo.socket.getsockopt(level, mtu), 1300)
            echo.seconds(bytes(1200))
        self.assertEqual(self.wire.stats()['up']['signalled'], 2)

    def test_cut_and_mend(self):
        self.wire.set(both='delay=5ms')
        echo = Echo(self)
        echo.seconds(b'first')
        self.wire.cut('down')
        self.assertTrue(self.wire.stats()['down']['cut'])
        echo.socket.send(b'lost')
        lab.wait_until(lambda: self.dropped('down', 'cut') > 0, 'the answer is lost')
        self.wire.set(up='delay=300ms')
        echo.socket.send(b'under way')
        lab.wait_until(lambda: self.wire.stats()['up']['under_way'] > 0, 'it is under way')
        self.wire.cut()
        before = self.wire.stats()['up']
        after = lab.wait_until(lambda: (lambda up: up['under_way'] == 0 and up)(self.wire.stats()['up']), 'it is lost as well')
        self.assertEqual(after['packets_out'], before['packets_out'])
        self.assertGreater(after['dropped']['cut'], before['dropped']['cut'])
        self.wire.mend()
        self.wire.set(profile='Perfect')
        echo.seconds(b'again')

    def test_plug(self):
        def carrier(namespace, name):
            return 'NO-CARRIER' not in namespace.ip('link', 'show', name).stdout.decode()
        echo = Echo(self)
        echo.seconds(b'first')
        self.wire.unplug('a')
        self.assertEqual((carrier(self.client, 'nwc'), carrier(self.server, 'nws')), (False, True))
        self.assertTrue(self.wire.stats()['up']['cut'] and self.wire.stats()['down']['cut'])
        self.wire.plug('a')
        self.assertTrue(carrier(self.client, 'nwc'))
        echo.seconds(b'again')
        self.wire.unplug()
        self.assertEqual((carrier(self.client, 'nwc'), carrier(self.server, 'nws')), (False, False))
        with self.assertRaisesRegex(AssertionError, "error 'c' is not a or b"):
            self.wire.plug('c')

    def test_commands(self):
        for command, why in (('dance', "'dance' is not a command"), ('up', "'' is not KEY=VALUE"),
                             ('down loss=3', "loss: '3'"), ('both delay=1ms,speed=2', "'speed'"),
                             ('profile 4G', "no profile '4G'"), ('cut left', "'left'"), ('stats now', "'now'")):
            with self.assertRaises(AssertionError) as answer:
                self.wire.tell(command)
            self.assertIn('error', str(answer.exception))
            self.assertIn(why, str(answer.exception))
        self.assertEqual(self.wire.tell('show'), {'up': 'perfect', 'down': 'perfect'})  # nothing has changed
        self.wire.tell('profile very bad network')
        self.wire.tell('  up \t rate=unlimited,loss=2%\r')
        self.assertEqual(self.wire.tell('show'), {'up': 'delay=500ms,loss=2%', 'down': 'rate=1Mbit,delay=500ms,loss=10%'})
        self.assertIn('profile', self.wire.tell('help'))
        self.wire.close()
        self.assertEqual(self.wire.process.returncode, 0)  # the end of standard input
        self.assertNotEqual(self.client.ip('link', 'show', 'nwc', check=False).returncode, 0)


class Programs(lab.Lab):
    """nwlink as a program: beside the lab's own pair of interfaces."""

    def start(self, *words, **options):
        return self.spawn([lab.NWLINK] + [str(w) for w in words], **options)

    def finish(self, process, status):
        out, err = process.communicate(timeout=lab.DEADLINE)
        self.assertEqual(process.returncode, status, err)
        return out.decode(), err.decode()

    def test_socket_and_events(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'door')
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(path)  # left behind
            process = self.start('between', '--json', '--stats', 0.02, '--seed', 18446744073709551615, '-c', path, '-p', 'lte',
                                 self.client.name, self.server.name)
            ready = json.loads(process.stdout.readline())
            self.assertEqual((ready['event'], ready['seed']), ('ready', '18446744073709551615'))
            self.assertEqual(ready['a'], {'namespace': self.client.name, 'device': 'nwlink0'})
            self.assertEqual(ready['conditions']['up'], 'rate=10Mbit,delay=65ms')
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o700)
            with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
                one.connect(path)
                other.connect(path)
                one.sendall(b'cut\n# nothing\n\nsh')
                other.sendall(b'mend up\n' + b'x' * 600)
                self.assertEqual(other.makefile().read(), 'ok\nerror the line is too long\n')
                one.sendall(b'ow\nquit\n')
                answers = one.makefile().read().splitlines()
                self.assertEqual([a.split()[0] for a in answers], ['ok', 'ok', 'ok'])
            out, _ = self.finish(process, 0)
            events = [json.loads(line) for line in out.splitlines()]
            self.assertEqual((events[-1]['event'], events[-1]['status']), ('end', 0))
            self.assertEqual({e['event'] for e in events[:-1]} - {'stats'}, set())
            self.assertEqual((events[-1]['up']['cut'], events[-1]['down']['cut']), (False, True))
            self.assertFalse(os.path.exists(path))

    def test_signal_ends_it(self):
        process = self.start('between', self.client.name, self.server.name)
        self.assertIn(b'ready', process.stdout.readline())
        process.terminate()
        self.finish(process, 143)
        self.assertNotEqual(self.client.ip('link', 'show', 'nwlink0', check=False).returncode, 0)

    def test_terminal(self):
        """Statistics are drawn in place: what goes up as many lines as it drew, and none breaks in 80 columns."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = self.start('between', '--stats', 0.02, self.client.name, self.server.name, stdout=slave)
        os.close(slave)
        seen = b''
        while seen.count(b'\033[3A\033[J') < 3:
            seen += os.read(master, 4096)
        process.terminate()
        self.assertEqual(process.wait(lab.DEADLINE), 143)
        lines = seen.decode().split('\r\n')
        self.assertTrue(lines[0].startswith('ready'))
        self.assertEqual([line.split()[0] for line in lines[2:4]], ['up', 'down'])
        self.assertLess(max(len(line.replace('\033[3A\033[J', '')) for line in lines[1:]), 80)

    def test_interface_taken_away(self):
        process = self.start('between', self.client.name, self.server.name)
        self.assertIn(b'ready', process.stdout.readline())
        self.server.ip('link', 'del', 'nwlink0')
        self.assertIn("'nwlink0' is gone", self.finish(process, 1)[1])

    def test_names_taken(self):
        self.assertIn("'nwc'", self.finish(self.start('tun', self.client.name + ':nwc', self.server.name + ':x'), 1)[1])
        self.assertIn("'none'", self.finish(self.start('join', self.client.name + ':none', self.server.name + ':nws'), 1)[1])

    @staticmethod
    def switch_ipv6_off(namespace):
        def write():
            for kind in ('default', 'all'):
                with open('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % kind, 'w') as file:
                    file.write('1')
        namespace.call(write)

    def test_without_ipv6(self):
        self.switch_ipv6_off(self.client)
        process = self.start('between', '--route-a', self.client.name, self.server.name)
        self.assertIn(b'ready', process.stdout.readline())
        self.assertIn(b'10.99.0.1/24', self.client.ip('addr', 'show', 'nwlink0').stdout)
        self.assertIn(b'default via 10.99.0.2', self.client.ip('route').stdout)
        self.assertIn("'fd00::1/64'", self.finish(self.start('tun', self.client.name + ':x', self.server.name + ':x',
                                                             '--address-a', 'fd00::1/64'), 1)[1])

    def test_same_seed_same_fate(self):
        """The same datagrams are lost and doubled on two wires of one seed, and others on a third."""
        self.switch_ipv6_off(self.client)  # its own packets come whenever they like
        heard = []
        for seed in (5, 5, 6):
            wire = lab.Wire(self, self.client, self.server, up='loss=20%,duplicate=10%,burst=2%/30%', seed=seed,
                            addresses_a=['10.99.0.1/24'], addresses_b=['10.99.0.2/24'])
            receiver = self.server.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            receiver.settimeout(lab.DEADLINE)
            receiver.bind(('10.99.0.2', 7))
            sender = self.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for i in range(150):
                sender.sendto(b'%d' % i, ('10.99.0.2', 7))
            lab.wait_until(lambda: wire.stats()['up']['packets_in'] == 150, 'all are in')
            heard.append([receiver.recv(10) for _ in range(wire.stats()['up']['packets_out'])])
            for s in (sender, receiver):
                s.close()
            wire.close()
        self.assertEqual(heard[0], heard[1])
        self.assertNotEqual(heard[0], heard[2])

    def test_ethernet(self):
        """TAP interfaces: neighbours are asked for over the wire, and the packet too large is told of."""
        wire = lab.Wire(self, self.client, self.server, both='delay=10ms,mtu=1300,mtu-signal=yes', more=['--tap'])
        self.listen('10.99.0.2', lambda s: s.sendall(bytes(100000)))
        s = self.client.call(lambda: socket.create_connection(('10.99.0.2', 7000), lab.DEADLINE))
        self.addCleanup(s.close)
        self.assertEqual(len(s.makefile('rb').read()), 100000)
        self.assertGreater(wire.stats()['down']['signalled'], 0)

    def test_run(self):
        words = ['unshare', '-rn', lab.NWLINK, 'run', '-b', 'delay=30ms']
        if subprocess.run(words[:2] + ['true'], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest('no namespaces of a user here')
        ask = ('import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(("10.99.0.2", 9))\n'
               'start = time.monotonic()\ns.send(b"x")\n'
               'try: s.recv(1)\nexcept ConnectionRefusedError: print(time.monotonic() - start)')
        out, err = self.finish(self.spawn(words + ['--', sys.executable, '-c', ask]), 0)
        self.assertGreaterEqual(float(out), 0.06)  # there and back
        self.assertIn('ready', err)
        self.finish(self.spawn(words + ['sh', '-c', 'exit 7']), 7)
        self.finish(self.spawn(words + ['sh', '-c', 'kill -9 $$']), 137)
        self.assertIn('no-such-command', self.finish(self.spawn(words + ['--', 'no-such-command']), 127)[1])

    def test_no_rights(self):
        process = self.spawn(['setpriv', '--reuid', '65534', '--clear-groups', os.path.abspath(lab.NWLINK), 'tun', 'a', 'b'])
        self.assertIn('unshare -rn nwlink', self.finish(process, 1)[1])


class Joined(lab.Lab):
    """client nwc -- wc (joined by nwlink in a third namespace) ws -- nws server."""

    def make_link(self):
        self.middle = lab.Namespace(self.client.name[:-1] + 'm')
        self.addCleanup(self.middle.remove)
        for near, far, namespace, end in (('nwc', 'wc', self.client, '01'), ('nws', 'ws', self.server, '02')):
            lab.ip('link', 'add', near, 'netns', namespace.name, 'address', '02:00:00:00:77:' + end, 'type', 'veth',
                   'peer', 'name', far, 'netns', self.middle.name)

    def test_transfer(self):
        """What the kernel hands over in pieces of 64 KiB crosses the wire as packets of 1,500 octets, whole."""
        data = os.urandom(1 << 20)
        wire = lab.Wire.join(self, self.middle, 'wc', 'ws', both='delay=10ms', down='loss=0.5%')
        for address in ('10.77.0.2', '2001:db8:77::2'):
            self.listen(address, lambda s: s.sendall(data))
            s = self.client.call(lambda: socket.create_connection((address, 7000), lab.DEADLINE))
            self.addCleanup(s.close)
            got = s.makefile('rb').read()
            self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(data).digest())
        self.assert_small(wire.stats()['down'], len(data))
        with self.assertRaisesRegex(AssertionError, "'wc' has no plug"):
            wire.unplug()
        self.middle.ip('link', 'del', 'ws')
        self.assertEqual(wire.process.wait(lab.DEADLINE), 1)

    def assert_small(self, down, least):
        self.assertGreater(down['octets_in'], 2 * least)
        self.assertGreater(down['packets_in'], 2 * least / 1448)
        self.assertEqual(down['dropped']['refused'], 0)


if __name__ == '__main__':
    lab.main()
