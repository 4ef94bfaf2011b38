"""nwpath in a namespace whose links, addresses and routes the test sets: each line as it changes, and the way to a
host with the reason."""
import json
import os
import pty
import subprocess
import unittest

import lab

NWPATH = os.environ.get('NWPATH', 'build/tools/nwpath')


class Paths(lab.Lab):
    def nwpath(self, *words, status=0):
        result = subprocess.run(self.client.inside(NWPATH, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=lab.DEADLINE)
        self.assertEqual(result.returncode, status, result.stdout.decode() + result.stderr.decode())
        return result.stdout.decode()

    def explain(self, *words, status=0):
        return json.loads(self.nwpath('--json', *words, status=status))

    def way(self, *words, status=0):
        """The only address's way."""
        addresses = self.explain(*words, status=status)['addresses']
        self.assertEqual(len(addresses), 1)
        return addresses[0]

    def add_link(self, name, address):
        """A second link of the client, up, whose other end is a link of the server."""
        lab.ip('link', 'add', name, 'netns', self.client.name, 'type', 'veth', 'peer', 'name', name + 's', 'netns',
               self.server.name)
        self.client.ip('addr', 'add', address, 'dev', name)
        self.client.ip('link', 'set', name, 'up')
        self.server.ip('link', 'set', name + 's', 'up')

    def route(self, *words):
        self.client.ip('route', 'add', *words)

    def route6(self, *words):
        self.client.ip('-6', 'route', 'add', *words)


class Live(Paths):
    def lines(self, *words):
        """A function that gives the next line, without its time."""
        process = self.spawn(self.client.inside(NWPATH, *words))

        def next_line():
            line = process.stdout.readline().decode().rstrip('\n')
            self.assertRegex(line, r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ')
            return line.split(' ', 1)[1]
        return process, next_line

    def test_story(self):
        """A route comes, a better link comes, the first goes, all goes: a line each, no line more."""
        self.client.ip('-6', 'addr', 'flush', 'dev', 'nwc')
        self.add_link('nwd', '10.78.0.1/24')
        self.client.ip('-6', 'addr', 'flush', 'dev', 'nwd')
        process, line = self.lines('--changes', 6)
        self.assertEqual(line(), 'unsatisfied (not-available) -- nwc: no default route; nwd: no default route')
        self.route('default', 'via', '10.77.0.2', 'dev', 'nwc', 'metric', 100)
        self.assertEqual(line(), 'satisfied nwc(wired) ipv4 gateways=10.77.0.2 -- '
                         'nwc: the only one that fits: default route, metric 100; nwd: no default route')
        self.route('default', 'via', '10.78.0.2', 'dev', 'nwd', 'metric', 50)
        self.assertEqual(line(), 'satisfied nwd(wired) nwc(wired) ipv4 gateways=10.78.0.2,10.77.0.2 -- '
                         'nwd: preferred: default route, metric 50; nwc: behind nwd: its metric 50 is lower than 100')
        self.client.ip('addr', 'add', '10.77.0.9/24', 'dev', 'nwc')  # no other path: no line
        self.client.ip('link', 'set', 'nwc', 'down')
        self.assertEqual(line(), 'satisfied nwd(wired) ipv4 gateways=10.78.0.2 -- '
                         'nwd: the only one that fits: default route, metric 50; nwc: down')
        self.server.ip('link', 'set', 'nwds', 'down')
        self.assertEqual(line(), 'unsatisfied (not-available) -- nwd: no carrier; nwc: down')
        self.server.ip('link', 'set', 'nwds', 'up')
        self.assertRegex(line(), r'^satisfied nwd\(wired\) ipv4 gateways=10\.78\.0\.2 -- nwd: the only one that fits')
        self.assertEqual(process.wait(lab.DEADLINE), 0)

    def test_rules(self):
        self.add_link('wwan0', '10.79.0.1/24')
        self.route('default', 'via', '10.79.0.2', 'dev', 'wwan0')
        out = self.nwpath('--once')
        self.assertIn(' satisfied wwan0(cellular) ipv4 expensive gateways=10.79.0.2 -- ', out)
        out = self.nwpath('--once', '--no-expensive', status=1)
        self.assertRegex(out, r' unsatisfied \(cellular-denied\) -- .*wwan0: expensive interfaces are prohibited')
        out = self.nwpath('--once', '--prohibit-type', 'cellular', status=1)
        self.assertIn(' unsatisfied (cellular-denied) -- ', out)
        self.assertIn('wwan0: type cellular is prohibited', out)
        out = self.nwpath('--once', '--interface', 'nwc', status=1)
        self.assertIn('wwan0: nwc is required', out)
        out = self.nwpath('--once', '-6', status=1)
        self.assertIn(' unsatisfied wwan0(cellular) ipv4 expensive gateways=10.79.0.2 (no IPv6) -- ', out)

    def test_json(self):
        self.route('default', 'via', '10.77.0.2', 'dev', 'nwc', 'metric', 7)
        process = self.spawn(self.client.inside(NWPATH, '--json', '--changes', 2))
        first = json.loads(process.stdout.readline())
        self.assertEqual((first['status'], first['used'], first['gateways'], first['ipv4'], first['ipv6']),
                         ('satisfied', ['nwc'], ['10.77.0.2'], True, False))
        row = first['interfaces'][0]
        self.assertEqual((row['name'], row['verdict'], row['reason'], row['metric'], row['mtu'], row['gateways']),
                         ('nwc', 'used', 'only', 7, 1500, [{'gateway': '10.77.0.2', 'metric': 7}]))
        self.route6('default', 'via', '2001:db8:77::2', 'dev', 'nwc')
        second = json.loads(process.stdout.readline())
        self.assertEqual((second['ipv6'], second['gateways']), (True, ['10.77.0.2', '2001:db8:77::2']))
        self.assertEqual(process.wait(lab.DEADLINE), 0)

    def test_terminal(self):
        """Redrawn in place when the path changes, and when a link does that the path does not use."""
        self.route('default', 'via', '10.77.0.2', 'dev', 'nwc')
        self.add_link('nwd', '10.78.0.1/24')
        main, end = pty.openpty()
        self.addCleanup(os.close, main)
        self.spawn(self.client.inside(NWPATH, '--color=never'), stdout=end, env=dict(os.environ, TERM='xterm'))
        os.close(end)
        seen = b''

        def until(*words):
            nonlocal seen
            while any(word not in seen for word in words):
                seen += os.read(main, 65536)
            seen = b''
        until(b'satisfied nwc(wired) ipv4 gateways=10.77.0.2\r\n\r\n  INTERFACE', b'nwd ', b'Changes\r\n')
        self.client.ip('link', 'set', 'nwd', 'down')
        until(b'A\r\x1b[J', b'    down\r\n')
        self.client.ip('link', 'set', 'nwc', 'down')
        until(b'A\r\x1b[J', b'unsatisfied (not-available)\r\n\r\n')


class Hosts(Paths):
    def test_two_routes(self):
        self.add_link('nwd', '10.78.0.1/24')
        self.route('default', 'via', '10.77.0.2', 'dev', 'nwc', 'metric', 100)
        self.route('default', 'via', '10.78.0.2', 'dev', 'nwd', 'metric', 50)
        way = self.way('192.0.2.1', 80)
        self.assertEqual((way['verdict'], way['route'], way['interface'], way['source'], way['gateway'], way['metric'],
                          way['prefix'], way['table']),
                         ('used', 'unicast', 'nwd', '10.78.0.1', '10.78.0.2', 50, 0, 254))
        self.assertEqual(way['text'], 'default route, metric 50, by way of 10.78.0.2 on nwd')
        way = self.way('--interface', 'nwc', '192.0.2.1')
        self.assertEqual((way['interface'], way['source'], way['gateway'], way['metric']),
                         ('nwc', '10.77.0.1', '10.77.0.2', 100))
        self.assertEqual(way['text'],
                         'default route, metric 100, by way of 10.77.0.2 on nwc, bound to it by the rules')
        way = self.way('--require-type', 'wired', '--prohibit-type', 'cellular', '192.0.2.1')
        self.assertEqual(way['text'], 'default route, metric 50, by way of 10.78.0.2 on nwd, bound to it by the rules, '
                         'then tried on nwc')
        answer = self.explain('--require-type', 'wifi', '192.0.2.1', status=1)
        self.assertIn('down', answer['error'].lower())
        self.assertEqual(answer['addresses'][0]['verdict'], 'refused')

    def test_source_and_mtu(self):
        self.client.ip('addr', 'add', '10.99.0.1/24', 'dev', 'nwc')
        way = self.way('10.99.0.7')
        self.assertEqual((way['source'], way['gateway'], way['prefix'], way['text']),
                         ('10.99.0.1', None, 24, 'route 10.99.0.0/24, metric 0, directly on nwc'))
        self.route('198.51.100.0/24', 'via', '10.77.0.2', 'src', '10.99.0.1', 'mtu', 1300)
        way = self.way('198.51.100.9')
        self.assertEqual((way['source'], way['gateway'], way['mtu']), ('10.99.0.1', '10.77.0.2', 1300))
        self.route('default', 'via', '10.77.0.2', 'table', 100)
        self.client.ip('rule', 'add', 'to', '203.0.113.0/24', 'table', 100)
        way = self.way('203.0.113.5')
        self.assertEqual((way['table'], way['text']),
                         (100, 'default route, metric 0, by way of 10.77.0.2 on nwc, table 100'))

    def test_no_way(self):
        self.assertEqual(self.way('192.0.2.1', status=1)['text'], 'no route')
        for number, (kind, text) in enumerate((('unreachable', 'a route says that it is unreachable'),
                                               ('prohibit', 'a route prohibits it'),
                                               ('blackhole', 'a route drops all packets to it (blackhole)'))):
            self.route(kind, '192.0.%d.0/24' % number)
            self.route6(kind, '2001:db8:%x::/48' % number)
            for address in ('192.0.%d.1' % number, '2001:db8:%x::1' % number):
                with self.subTest(kind=kind, address=address):
                    way = self.way(address, status=1)
                    self.assertEqual((way['route'], way['text'], way['verdict'], way['interface']),
                                     (kind, text, 'unusable', None))

    def name(self, *addresses):
        self.client.write('hosts', ''.join('%s multi.test\n' % a for a in addresses))

    def order(self, *words, status=0):
        return [(a['address'], a['rule']) for a in self.explain(*words, 'multi.test', status=status)['addresses']]

    def test_ipv6_only(self):
        """Rule 1: what cannot be reached comes last, whatever the family."""
        self.name('192.0.2.1', '2001:db8:77::2')
        self.assertEqual(self.order(), [('2001:db8:77::2', None), ('192.0.2.1', 1)])
        out = self.nwpath('multi.test', 443)
        self.assertIn(' 2. 192.0.2.1:443\n      way:   no route\n'
                      '      order: nothing can be sent to it (RFC 6724 rule 1)\n', out)
        self.assertIn(' 1. [2001:db8:77::2]:443  from 2001:db8:77::1  on nwc  mtu 1500\n'
                      '      way:   route 2001:db8:77::/64, metric 256, directly on nwc\n', out)
        self.assertEqual(self.order('-4', status=1), [('192.0.2.1', None)])

    def test_policy(self):
        """The families take turns, IPv6 first; a gai.conf that prefers IPv4 turns that round."""
        self.name('10.77.0.2', '10.77.0.3', '2001:db8:77::2', '2001:db8:77::3')
        self.assertEqual([':' in a for a, _ in self.order()], [True, False, True, False])
        self.assertEqual([a['order'] for a in self.explain('multi.test')['addresses']],
                         ['first in the order of RFC 6724 section 6', 'the turn of IPv4 (RFC 8305 section 4)',
                          'the turn of IPv6 (RFC 8305 section 4)',
                          'its precedence 35 is lower than 40 (RFC 6724 rule 6)'])
        for address in ('10.77.0.3', '2001:db8:77::3'):
            self.add_address(address)
        tried = [row['label'] for row in self.nwcat('multi.test', 7000, status=1).attempts()]  # refused one by one
        self.assertEqual([t.rsplit(':', 1)[0].strip('[]') for t in tried], [a for a, _ in self.order()])
        if not os.path.exists('/etc/gai.conf'):
            self.skipTest('no /etc/gai.conf that the namespace could replace')
        self.client.write('gai.conf', 'precedence ::ffff:0:0/96 100\nprecedence ::/0 40\n')
        self.name('10.77.0.2', '2001:db8:77::2')
        self.assertEqual(self.order(), [('10.77.0.2', None), ('2001:db8:77::2', 6)])
        self.assertEqual(self.explain('multi.test')['addresses'][1]['order'],
                         'its precedence 40 is lower than 100 (RFC 6724 rule 6)')


if __name__ == '__main__':
    lab.main()
