"""The race of addresses on real networks: both families fine, one of them broken, one address of several dead."""
import unittest

import lab


class Race(lab.Lab):
    def serve(self, *addresses):
        for address in addresses:
            self.listen(address, self.say('from ' + address))

    def names(self, name, *addresses):
        self.dnsmasq(*['--host-record=%s.lab.test,%s' % (name, address) for address in addresses])

    def both_families(self):
        self.serve('10.77.0.2', '2001:db8:77::2')
        self.names('dual', '10.77.0.2', '2001:db8:77::2')

    def test_dual_stack_ipv6_wins(self):
        self.both_families()
        report = self.nwcat('dual.lab.test', 7000)
        self.assertEqual(report.out, b'from 2001:db8:77::2')
        self.assertEqual(report.remote, '[2001:db8:77::2]:7000')
        attempts = report.attempts()
        self.assertEqual([(a['name'], a['label'], a['outcome']) for a in attempts],
                         [('C1.1.1', '[2001:db8:77::2]:7000', 'succeeded')])
        self.assertLess(report.seconds, lab.SLACK)

    def test_ipv6_swallowed(self):
        """The SYN arrives; what would answer it is dropped. IPv4 follows after the attempt delay, and wins."""
        self.both_families()
        self.server.ip('-6', 'route', 'add', 'blackhole', '2001:db8:77::1/128')
        report = self.nwcat('dual.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        attempts = report.attempts()
        self.assertEqual([(a['name'], a['label'], a['outcome']) for a in attempts],
                         [('C1.1.1', '[2001:db8:77::2]:7000', 'abandoned'), ('C1.1.2', '10.77.0.2:7000', 'succeeded')])
        apart = (attempts[1]['start_ms'] - attempts[0]['start_ms']) / 1000
        self.assertGreaterEqual(apart, lab.ATTEMPT_DELAY)
        self.assertLess(report.seconds, lab.ATTEMPT_DELAY + lab.SLACK)
        self.assertRegex(report.text, r'C1\.1\.1 attempt-start: .*\[2001:db8:77::2\]:7000')
        self.assertRegex(report.text, r'C1\.1\.2 ready: .*10\.77\.0\.2:7000')

    def failing_at_once(self, kind, text):
        self.both_families()
        self.client.ip('-6', 'route', 'add', kind, '2001:db8:77::2/128')
        report = self.nwcat('dual.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        attempts = report.attempts()
        self.assertEqual([(a['label'], a['outcome']) for a in attempts],
                         [('[2001:db8:77::2]:7000', 'failed'), ('10.77.0.2:7000', 'succeeded')])
        self.assertIn(text, attempts[0]['note'])
        # Nothing waits for the stagger: the next attempt begins as the first has failed.
        self.assertLess(attempts[1]['start_ms'] - attempts[0]['end_ms'], lab.ATTEMPT_DELAY * 1000 / 2 * lab.SLOW)
        self.assertLess(report.seconds, lab.ATTEMPT_DELAY * lab.SLOW)

    def test_ipv6_unreachable(self):
        self.failing_at_once('unreachable', 'No route to host')

    def test_ipv6_prohibited(self):
        self.failing_at_once('prohibit', 'Permission denied')

    def test_ipv6_refused(self):
        """A reset, which comes from the other side, counts as fast too."""
        self.serve('10.77.0.2')
        self.names('dual', '10.77.0.2', '2001:db8:77::2')
        report = self.nwcat('dual.lab.test', 7000)
        self.assertEqual(report.out, b'from 10.77.0.2')
        self.assertEqual([a['outcome'] for a in report.attempts()], ['failed', 'succeeded'])
        self.assertLess(report.seconds, lab.ATTEMPT_DELAY * lab.SLOW)

    def test_ipv4_swallowed(self):
        self.serve('2001:db8:77::2')
        self.add_neighbour('10.77.0.9')
        self.names('dual', '10.77.0.9', '2001:db8:77::2')
        report = self.nwcat('dual.lab.test', 7000)
        self.assertEqual(report.remote, '[2001:db8:77::2]:7000')
        self.assertLess(report.seconds, lab.SLACK)

    def test_ipv4_unreachable(self):
        self.serve('2001:db8:77::2')
        self.names('dual', '10.77.0.9', '2001:db8:77::2')
        self.client.ip('route', 'add', 'unreachable', '10.77.0.9')
        report = self.nwcat('dual.lab.test', 7000)
        self.assertEqual(report.out, b'from 2001:db8:77::2')
        self.assertLess(report.seconds, lab.SLACK)

    def test_one_of_three_swallowed(self):
        """Whichever place the dead one got in the order: at most one attempt delay is lost."""
        for address in ('10.77.0.3', '10.77.0.4'):
            self.add_address(address)
        self.add_neighbour('10.77.0.9')  # and nobody has this address
        self.serve('10.77.0.3', '10.77.0.4')
        self.names('three', '10.77.0.9', '10.77.0.3', '10.77.0.4')
        for _ in range(3):  # dnsmasq turns the order with each answer
            report = self.nwcat('three.lab.test', 7000)
            self.assertIn(report.out, (b'from 10.77.0.3', b'from 10.77.0.4'))
            self.assertLess(report.seconds, lab.ATTEMPT_DELAY + lab.SLACK)
            for attempt in report.attempts():
                if attempt['label'] == '10.77.0.9:7000':
                    self.assertEqual(attempt['outcome'], 'abandoned')

    def test_all_swallowed(self):
        """Nobody answers: --timeout ends it, and each address was tried once, an attempt delay apart."""
        addresses = ['10.77.0.8', '10.77.0.9', '2001:db8:77::8']
        for address in addresses:
            self.add_neighbour(address)
        self.names('none', *addresses)
        report = self.nwcat('-w', 1, 'none.lab.test', 7000, status=3)
        attempts = report.attempts()
        self.assertEqual(sorted(a['label'] for a in attempts),
                         ['10.77.0.8:7000', '10.77.0.9:7000', '[2001:db8:77::8]:7000'])
        starts = [a['start_ms'] for a in attempts]
        for earlier, later in zip(starts, starts[1:]):
            self.assertGreaterEqual(later - earlier, lab.ATTEMPT_DELAY * 1000 - 1)


if __name__ == '__main__':
    lab.main()
