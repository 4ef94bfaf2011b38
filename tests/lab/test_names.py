"""Names: one family late or silent, names that do not exist, servers that do not, /etc/hosts and search domains."""
import os
import signal
import socket
import time
import unittest

import lab
from script_dns import A, AAAA, SILENT, ScriptDns

V4, V6 = '10.77.0.2', '2001:db8:77::2'


class Names(lab.Lab):
    def setUp(self):
        super().setUp()
        for address in (V4, V6):
            self.listen(address, self.say('from ' + address))
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\n')

    def script(self, at=V4, **rules):
        """a=(delay, addresses), aaaa=(delay, addresses) of name.lab.test."""
        table = {('name.lab.test', {'a': A, 'aaaa': AAAA}[key]): value for key, value in rules.items()}
        servers = []

        def serve(s):
            servers.append(ScriptDns(s, table))
            servers[0].run()
        self.listen(at, serve, port=53, kind=socket.SOCK_DGRAM)
        return lab.wait_until(lambda: servers, 'the DNS server')[0]


class OneFamily(Names):
    def first_attempt(self, report):
        return report.attempts()[0]['start_ms'] / 1000

    def test_aaaa_late(self):
        """IPv4 waits for the resolution delay only, RFC 8305 section 3."""
        self.script(a=(0, [V4]), aaaa=(2, [V6]))
        report = self.nwcat('name.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        self.assertGreaterEqual(self.first_attempt(report), lab.RESOLUTION_DELAY)
        self.assertLess(report.seconds, lab.RESOLUTION_DELAY + lab.SLACK)

    def test_aaaa_silent(self):
        self.script(a=(0, [V4]), aaaa=(SILENT, []))
        report = self.nwcat('name.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        self.assertGreaterEqual(self.first_attempt(report), lab.RESOLUTION_DELAY)
        self.assertLess(report.seconds, lab.RESOLUTION_DELAY + lab.SLACK)

    def test_a_late_or_silent(self):
        """The preferred family waits for nobody."""
        for a in ((2, [V4]), (SILENT, [])):
            with self.subTest(a=a):
                if a[0] is SILENT:
                    self.doCleanups()
                    self.setUp()
                self.script(a=a, aaaa=(0, [V6]))
                report = self.nwcat('name.lab.test', 7000)
                self.assertEqual(report.out, b'from 2001:db8:77::2')
                self.assertLess(report.seconds, lab.SLACK)

    def test_a_late_is_still_raced(self):
        """The IPv6 address is dead: its attempt is there first, and IPv4 follows as its answer comes."""
        self.add_neighbour('2001:db8:77::9')
        self.script(a=(0.4, [V4]), aaaa=(0, ['2001:db8:77::9']))
        report = self.nwcat('name.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        self.assertGreaterEqual(report.seconds, 0.4)
        self.assertLess(report.seconds, 0.4 + lab.SLACK)

    def test_no_aaaa_at_all(self):
        """A quick "there is none" costs no resolution delay."""
        self.script(a=(0, [V4]), aaaa=(0, []))
        report = self.nwcat('name.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        self.assertLess(report.seconds, lab.SLACK)

    def test_late_by_less_than_the_delay(self):
        """IPv6 10 ms after IPv4 is still preferred."""
        self.script(a=(0, [V4]), aaaa=(0.010, [V6]))
        report = self.nwcat('name.lab.test', 7000)
        answers = {q['label'].split()[0]: q['end_ms'] for q in report.questions() if q['outcome'] == 'succeeded'}
        if answers['AAAA'] - answers['A'] > lab.RESOLUTION_DELAY * 1000:
            self.skipTest('the machine was too busy to answer in time')
        self.assertEqual(report.attempts()[0]['label'], '[2001:db8:77::2]:7000', report.text)


class NoName(Names):
    def test_no_such_name(self):
        self.script(a=(0, [V4]))
        report = self.nwcat('other.lab.test', 7000, status=4)
        error = report.one('error')['error']
        self.assertEqual(error['domain'], 'dns')
        self.assertEqual(error['code'], -65554)  # NoSuchRecord, as dns_sd.h names it
        self.assertLess(report.one('end')['time'], lab.SLACK)

    def test_no_server_at_the_address(self):
        """The port is unreachable, which the kernel tells at once."""
        report = self.nwcat('name.lab.test', 7000, status=4)
        self.assertEqual(report.one('error')['error']['domain'], 'dns')
        self.assertLess(report.one('end')['time'], lab.SLACK, report.text)

    def test_second_server_answers(self):
        """The first one's port is unreachable: that is told at once, so the second is asked at once."""
        self.add_address('10.77.0.3')
        self.script(at='10.77.0.3', a=(0, [V4]), aaaa=(0, [V6]))
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\nnameserver 10.77.0.3\n')
        report = self.nwcat('name.lab.test', 7000)
        self.assertIn(report.out, (b'from 10.77.0.2', b'from 2001:db8:77::2'))
        self.assertLess(report.seconds, lab.SLACK)

    def test_server_swallowed(self):
        """Nothing comes back: the patience that resolv.conf asks for bounds the wait."""
        self.add_neighbour('10.77.0.9')
        self.client.write('resolv.conf', 'nameserver 10.77.0.9\noptions timeout:1 attempts:1\n')
        report = self.nwcat('name.lab.test', 7000, status=4)
        self.assertEqual(report.one('error')['error']['domain'], 'dns')
        self.assertGreaterEqual(report.one('end')['time'], 0.9)
        self.assertLess(report.one('end')['time'], 2 + lab.SLACK)

    def test_no_way_to_the_server(self):
        self.client.write('resolv.conf', 'nameserver 192.0.2.53\n')
        report = self.nwcat('name.lab.test', 7000, status=4)
        self.assertLess(report.one('end')['time'], lab.SLACK)

    def test_cancel_during_resolution(self):
        dns = self.script(a=(SILENT, []), aaaa=(SILENT, []))
        peer = self.peer('name.lab.test', 7000)
        lab.wait_until(lambda: len(dns.asked) >= 2, 'both questions')
        peer.tell('cancel')
        self.assertEqual(peer.wait_for('state cancelled'), 'state cancelled')
        self.assertLess(int(peer.wait_for('cancelled').split()[1]), 50000 * lab.SLOW)

    def test_network_changes_during_the_first_resolution(self):
        """Nobody follows the path yet; the resolver does, and asks again: the old network may have swallowed it."""
        dns = self.script(a=(SILENT, []), aaaa=(SILENT, []))
        peer = self.peer('name.lab.test', 7000)
        lab.wait_until(lambda: len(dns.asked) >= 2, 'both questions')
        dns.rules.update({('name.lab.test', A): (0, [V4]), ('name.lab.test', AAAA): (0, [])})
        self.client.ip('addr', 'add', '10.77.0.77/24', 'dev', 'nwc')
        peer.wait_for('state ready', deadline=lab.SLACK)  # by itself it would ask again after 5 s
        peer.wait_for('finished')

    def test_interrupt_during_resolution(self):
        dns = self.script(a=(SILENT, []), aaaa=(SILENT, []))
        process = self.start_nwcat('name.lab.test', 7000)
        lab.wait_until(lambda: len(dns.asked) >= 2, 'both questions')
        began = time.monotonic()
        os.kill(process.pid, signal.SIGINT)  # ip netns exec has become nwcat
        process.communicate(timeout=lab.DEADLINE)
        self.assertLess(time.monotonic() - began, lab.SLACK)
        self.assertEqual(process.returncode, 128 + signal.SIGINT)


class Files(Names):
    def test_hosts_file(self):
        """Found there, the name is not asked for."""
        dns = self.script(a=(0, ['10.77.0.9']))
        self.client.write('hosts', '127.0.0.1 localhost\n10.77.0.2 filed.lab.test short\n2001:db8:77::2 filed.lab.test\n')
        report = self.nwcat('filed.lab.test', 7000)
        self.assertEqual(report.out, b'from 2001:db8:77::2')
        self.assertEqual(self.nwcat('short', 7000).out, b'from 10.77.0.2')
        self.assertEqual(dns.asked, [])

    def test_hosts_before_dns(self):
        self.script(a=(0, ['10.77.0.9']))
        self.client.write('hosts', '10.77.0.2 name.lab.test\n')
        self.assertEqual(self.nwcat('name.lab.test', 7000).out, b'from 10.77.0.2')

    def test_search_domain(self):
        self.script(a=(0, [V4]), aaaa=(0, []))
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\nsearch none.test lab.test\n')
        self.assertEqual(self.nwcat('name', 7000).out, b'from 10.77.0.2')
        self.nwcat('name.', 7000, status=4)  # a name with a dot at its end is whole

    def test_ndots(self):
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\nsearch test\noptions ndots:2\n')
        dns = self.script(a=(0, [V4]), aaaa=(0, []))
        self.assertEqual(self.nwcat('name.lab', 7000).out, b'from 10.77.0.2')
        self.assertEqual(dns.asked[0][0], 'name.lab.test')  # fewer dots than two: searched first

    def test_localhost_needs_no_server(self):
        dns = self.script(a=(0, [V4]))
        self.client.write('hosts', '')
        self.nwcat('localhost', 9, status=1)
        self.assertEqual(dns.asked, [])


if __name__ == '__main__':
    lab.main()
