"""Facts, not flaps: stories of a machine's network, and exactly what a path monitor tells of each.

Each story plays in a namespace of its own, `host`, whose links lead to a second one; all stories play at the same time.
A story ends with a while in which nothing more may be told. A path is written as "STATUS INTERFACES FAMILIES DNS
GATEWAYS"; most stories compare the first two, one compares all.
"""
import concurrent.futures
import os
import random
import signal
import subprocess
import threading
import time
import unittest

import lab

WATCHER = os.environ.get('PATH_WATCHER', 'build/tests/lab/path_watcher')
QUIET = 0.6 * lab.SLOW  # seconds: three times as long as the monitor may hold a setback back
APART = 0.005           # between the steps of a DHCP client
TRIES = 10              # for a story on a machine that is busy
BURST = 1000            # links
BURST_SECONDS = 1.0     # of processor time


class TooSlow(Exception):
    """The machine took longer over steps that belong together than the monitor waits: the story is played again."""


class Swift:
    """with Swift(): what is inside has to take less than the monitor waits before it tells, 200 ms."""

    def __enter__(self):
        self.begun = time.monotonic()

    def __exit__(self, kind, value, trace):
        if kind is None and time.monotonic() - self.begun > 0.15:
            raise TooSlow()


class Watcher:
    """path_watcher in the namespace; `paths` grows as it tells them."""

    def __init__(self, host, *options):
        self.paths, self.other, self.news = [], [], threading.Condition()
        self.process = subprocess.Popen(host.inside(WATCHER, *options), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait(1)

    def read(self):
        for line in self.process.stdout:
            kind, _, rest = line.decode().strip().partition(' ')
            with self.news:
                (self.paths if kind == 'path' else self.other).append(rest if kind == 'path' else (kind, rest))
                self.news.notify_all()

    def wait(self, count):
        """Until so many paths have been told."""
        with self.news:
            if not self.news.wait_for(lambda: len(self.paths) >= count, lab.DEADLINE):
                raise AssertionError('%d paths were expected: %s' % (count, self.paths))

    def wait_for(self, *words):
        """Until the latest path has these words."""
        with self.news:
            if not self.news.wait_for(lambda: self.paths[-1].split()[:len(words)] == list(words), lab.DEADLINE):
                raise AssertionError('%s never came: %s' % (words, self.paths))

    def usage(self):
        """Processor time of the watcher so far, in seconds."""
        self.process.stdin.write(b'usage\n')
        self.process.stdin.flush()
        with self.news:
            if not self.news.wait_for(lambda: self.other, lab.DEADLINE):
                raise AssertionError('it does not answer')
            return int(self.other.pop()[1]) / 1e6

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.reader.join()
        self.process.stdout.close()


class Hand:
    def __init__(self, name):
        self.process = subprocess.Popen(['ip', '-n', name, '-force', '-batch', '-'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.do('link show lo')
        self.process.stdout.readline()  # it is there

    def do(self, line):
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()

    def end(self):
        self.process.communicate()


class Story:
    """A machine with as many links as the story adds."""

    def __init__(self, name):
        mark = 'nwlab%dn%d' % (os.getpid(), next(lab.serial))
        self.name, self.watchers = name, []
        self.host, self.world = lab.Namespace(mark + 'h'), lab.Namespace(mark + 'w')

    def remove(self):
        for watcher in self.watchers:
            watcher.end()
        self.host.remove()
        self.world.remove()

    def link(self, name, number=None, metric=100):
        """A wire to the world; with a number also up, 10.NUMBER.0.2/24 and a default route."""
        lab.ip('link', 'add', name, 'netns', self.host.name, 'type', 'veth', 'peer', 'name', name, 'netns',
               self.world.name)
        self.world.ip('link', 'set', name, 'up')
        self.host.call(lambda: self.sysctl('net/ipv6/conf/%s/accept_ra' % name, 0))
        if number is not None:
            self.host.ip('link', 'set', name, 'up')
            self.world.ip('addr', 'add', '10.%d.0.1/24' % number, 'dev', name)
            self.lease(name, number, metric)

    @staticmethod
    def sysctl(name, value):
        """Inside host.call()."""
        with open('/proc/sys/' + name, 'w') as file:
            file.write(str(value))

    def lease(self, name, number, metric=100):
        self.host.ip('addr', 'add', '10.%d.0.2/24' % number, 'dev', name)
        self.route(number, metric)

    def route(self, number, metric=100, action='add'):
        self.host.ip('route', action, 'default', 'via', '10.%d.0.1' % number, 'metric', metric)

    def batch(self, text):
        done = subprocess.run(['ip', '-n', self.host.name, '-batch', '-'], input=text.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())

    def hand(self):
        """An ip(8) that has been started, so that what it is told is done at once."""
        return Hand(self.host.name)

    def steps(self, *lines):
        """One after another, a few milliseconds apart, as a DHCP client does it."""
        hand = self.hand()
        with Swift():
            for line in lines:
                hand.do(line)
                time.sleep(APART)
        hand.end()

    def watch(self, *options):
        watcher = Watcher(self.host, *options)
        self.watchers.append(watcher)
        return watcher

    @staticmethod
    def expect(watcher, *expected, quiet=QUIET):
        """Exactly these paths, and then nothing for a while."""
        watcher.wait(len(expected))
        time.sleep(quiet)
        told = [' '.join(path.split()[:len(e.split())]) for path, e in zip(watcher.paths, expected)]
        if told != list(expected) or len(watcher.paths) != len(expected):
            raise AssertionError('expected %s, told %s' % (list(expected), watcher.paths))


# --- outages: each is told once ---

def wifi_off_and_on(s):
    """Off; on: carrier, address, route. Satisfied again, and not unsatisfied 8 s later."""
    s.link('w', 1)
    watcher = s.watch()
    s.host.ip('link', 'set', 'w', 'down')
    watcher.wait_for('unsatisfied')
    s.host.ip('addr', 'flush', 'dev', 'w')
    s.host.ip('link', 'set', 'w', 'up')
    time.sleep(0.3)
    s.lease('w', 1)
    s.expect(watcher, 'satisfied w 4 - 10.1.0.1', 'unsatisfied - - - -', 'satisfied w 4 - 10.1.0.1', quiet=8)


def cable_pulled_and_put_back(s):
    s.link('e', 1)
    watcher = s.watch()
    s.world.ip('link', 'set', 'e', 'down')
    watcher.wait_for('unsatisfied')
    s.world.ip('link', 'set', 'e', 'up')
    s.expect(watcher, 'satisfied e', 'unsatisfied -', 'satisfied e')


def link_removed_and_made_anew(s):
    s.link('e', 1)
    watcher = s.watch()
    s.host.ip('link', 'del', 'e')
    watcher.wait_for('unsatisfied')
    s.link('e', 2)
    s.expect(watcher, 'satisfied e 4 - 10.1.0.1', 'unsatisfied -', 'satisfied e 4 - 10.2.0.1')


def route_lost_for_good(s):
    """Held back for a moment, then told; the route comes back."""
    s.link('e', 1)
    watcher = s.watch()
    s.host.ip('route', 'del', 'default')
    watcher.wait_for('unsatisfied')
    s.route(1)
    s.expect(watcher, 'satisfied e', 'unsatisfied -', 'satisfied e')


def router_advertisement_expires(s):
    """The route of a router that fell silent goes when its lifetime ends."""
    s.link('e')
    s.host.call(lambda: s.sysctl('net/ipv6/route/gc_interval', 1))
    s.host.ip('link', 'set', 'e', 'up')
    s.host.ip('addr', 'add', '2001:db8:1::2/64', 'dev', 'e', 'nodad')
    s.host.ip('route', 'add', 'default', 'via', '2001:db8:1::1', 'dev', 'e', 'expires', 2)
    watcher = s.watch()
    s.expect(watcher, 'satisfied e 6 - 2001:db8:1::1', 'unsatisfied -')


def outage_while_asleep(s):
    """What has ended before the machine wakes up is not told; what lasts is told once."""
    s.link('w', 1)
    watcher = s.watch()
    watcher.signal(signal.SIGSTOP)
    s.host.ip('link', 'set', 'w', 'down')
    s.host.ip('addr', 'flush', 'dev', 'w')
    time.sleep(0.5)
    s.host.ip('link', 'set', 'w', 'up')
    s.lease('w', 1)
    lab.wait_until(lambda: b'LOWER_UP' in s.host.ip('link', 'show', 'w').stdout, 'carrier')
    watcher.signal(signal.SIGCONT)
    s.expect(watcher, 'satisfied w')
    watcher.signal(signal.SIGSTOP)
    s.host.ip('link', 'set', 'w', 'down')
    watcher.signal(signal.SIGCONT)
    s.expect(watcher, 'satisfied w', 'unsatisfied -')


def asleep_within_a_setback(s):
    """The address goes, the machine sleeps, wakes up, and the address is there again."""
    s.link('w', 1)
    watcher = s.watch()
    hand = s.hand()
    with Swift():
        hand.do('addr flush dev w')
        time.sleep(0.05)  # it has been seen, and is held back
        watcher.signal(signal.SIGSTOP)
    hand.end()
    time.sleep(0.5)
    s.lease('w', 1)
    watcher.signal(signal.SIGCONT)
    s.expect(watcher, 'satisfied w')


def more_news_than_fit(s):
    """The kernel drops messages, among them that of the route: all is read anew."""
    s.link('e', 1)
    watcher = s.watch()
    watcher.signal(signal.SIGSTOP)
    s.batch(''.join('addr %s 10.9.%d.%d/32 dev lo\n' % (action, i // 250, i % 250)
                    for action in ('add', 'del') for i in range(1500)))
    s.host.ip('route', 'del', 'default')
    watcher.signal(signal.SIGCONT)
    s.expect(watcher, 'satisfied e', 'unsatisfied -')


# --- changes that leave a way out: no outage is told ---

def another_address(s):
    """As NetworkManager does it: the new one comes before the old one goes."""
    s.link('e', 1)
    watcher = s.watch()
    s.steps('addr add 10.1.0.3/24 dev e', 'addr del 10.1.0.2/24 dev e',
            'addr add 10.1.0.3/24 dev e',  # it was secondary, and went too
            'route replace default via 10.1.0.1 metric 100')
    s.expect(watcher, 'satisfied e')


def dhcp_client_starts_over(s):
    """As dhclient does it: everything goes, and comes a few milliseconds later; first in one go."""
    s.link('e', 1)
    watcher = s.watch()
    with Swift():
        s.batch('addr flush dev e\naddr add 10.1.0.7/24 dev e\nroute add default via 10.1.0.1 metric 100\n')
    s.expect(watcher, 'satisfied e')
    s.steps('addr flush dev e', 'addr add 10.1.0.8/24 dev e', 'route add default via 10.1.0.1 metric 100')
    s.expect(watcher, 'satisfied e')


def lease_renewed(s):
    s.link('e', 1)
    s.host.ip('addr', 'change', '10.1.0.2/24', 'dev', 'e', 'valid_lft', 3600, 'preferred_lft', 3600)
    watcher = s.watch()
    for lifetime in (7200, 3600, 7200):
        s.host.ip('addr', 'change', '10.1.0.2/24', 'dev', 'e', 'valid_lft', lifetime, 'preferred_lft', lifetime)
        s.route(1, action='replace')
    s.expect(watcher, 'satisfied e')


def better_route_by_the_same_link(s):
    s.link('e', 1)
    watcher = s.watch()
    s.route(1, 50)
    s.host.ip('route', 'del', 'default', 'via', '10.1.0.1', 'metric', 100)
    s.expect(watcher, 'satisfied e 4 - 10.1.0.1', quiet=0)
    s.steps('route del default via 10.1.0.1 metric 50', 'route add default via 10.1.0.1 metric 60')
    s.expect(watcher, 'satisfied e 4 - 10.1.0.1')


def better_link(s):
    """A cable is put in beside Wi-Fi, and pulled again: the path is another one, never none."""
    s.link('w', 1, metric=600)
    watcher = s.watch()
    s.link('e', 2, metric=100)
    watcher.wait_for('satisfied', 'e,w')
    s.world.ip('link', 'set', 'e', 'down')
    watcher.wait_for('satisfied', 'w')
    s.world.ip('link', 'set', 'e', 'up')
    s.expect(watcher, 'satisfied w 4 - 10.1.0.1', 'satisfied e,w 4 - 10.2.0.1,10.1.0.1', 'satisfied w 4 - 10.1.0.1',
             'satisfied e,w 4 - 10.2.0.1,10.1.0.1')


def the_first_address_of_ipv6(s):
    """An address in duplicate detection is none; then it is told once. A deprecated one remains one."""
    s.link('e')
    s.host.ip('link', 'set', 'e', 'up')
    watcher = s.watch()
    s.batch('addr add 2001:db8:1::2/64 dev e\nroute add default via 2001:db8:1::1 dev e\n')
    s.expect(watcher, 'unsatisfied - -', 'satisfied e 6')
    s.host.ip('addr', 'change', '2001:db8:1::2/64', 'dev', 'e', 'preferred_lft', 0, 'valid_lft', 600)
    s.expect(watcher, 'unsatisfied - -', 'satisfied e 6')


def ipv6_joins_and_leaves(s):
    """Beside IPv4 a router is advertised, and its route expires: no outage."""
    s.link('e', 1)
    s.host.call(lambda: s.sysctl('net/ipv6/route/gc_interval', 1))
    watcher = s.watch()
    s.host.ip('addr', 'add', '2001:db8:1::2/64', 'dev', 'e', 'nodad')
    s.host.ip('route', 'add', 'default', 'via', '2001:db8:1::1', 'dev', 'e', 'expires', 2)
    s.expect(watcher, 'satisfied e 4 - 10.1.0.1', 'satisfied e 46 - 10.1.0.1,2001:db8:1::1',
             'satisfied e 4 - 10.1.0.1')


def name_server_comes_late(s):
    s.link('e', 1)
    watcher = s.watch()
    s.host.write('resolv.conf', 'nameserver 10.1.0.1\n')
    s.expect(watcher, 'satisfied e 4 -', 'satisfied e 4 dns')


def kinds_of_monitors(s):
    """By type, by prohibition, for Ethernet."""
    s.link('e', 1)
    monitors = [(s.watch('-t', 'wired'), 'satisfied e'), (s.watch('-t', 'wifi'), 'unsatisfied -'),
                (s.watch('-p', 'wired'), 'unsatisfied -'), (s.watch('-e'), 'satisfied e - - -'),
                (s.watch('-t', 'loopback'), 'satisfied lo'), (s.watch('-t', 'other'), 'unsatisfied -')]
    s.host.ip('addr', 'flush', 'dev', 'e')
    monitors[0][0].wait(2)
    for watcher, first in monitors[1:]:
        s.expect(watcher, first, quiet=0)
    s.host.ip('link', 'set', 'e', 'down')
    monitors[3][0].wait(2)
    s.expect(monitors[3][0], 'satisfied e', 'unsatisfied -')
    s.expect(monitors[0][0], 'satisfied e', 'unsatisfied -', quiet=0)


# --- work ---

def a_thousand_links_come_and_go(s):
    """Little work, and the right path in the end."""
    pairs, last = range(BURST // 2), 'd%d' % (BURST // 2 - 1)
    s.link('e', 1)
    watcher = s.watch()
    before = watcher.usage()
    s.batch(''.join('link add d%d group 7 type veth peer name p%d\nlink set d%d up\nlink set p%d up\n' % (i, i, i, i)
                    for i in pairs))
    s.batch('addr add 10.2.0.2/24 dev %s\nroute add default via 10.2.0.1 metric 50\n' % last)
    watcher.wait_for('satisfied', last + ',e')
    s.host.ip('link', 'del', 'group', 7)
    s.expect(watcher, 'satisfied e 4', 'satisfied %s,e 4' % last, 'satisfied e 4')
    used = watcher.usage() - before
    print('%d links came and went: %.3f s of processor time' % (BURST, used))
    if used >= BURST_SECONDS:
        raise AssertionError('%.3f s of processor time for %d links' % (used, BURST))


STORIES = [  # the longest first
    wifi_off_and_on, a_thousand_links_come_and_go, cable_pulled_and_put_back, link_removed_and_made_anew,
    route_lost_for_good, router_advertisement_expires, outage_while_asleep, asleep_within_a_setback,
    more_news_than_fit, another_address, dhcp_client_starts_over, lease_renewed, better_route_by_the_same_link,
    better_link, the_first_address_of_ipv6, ipv6_joins_and_leaves, name_server_comes_late, kinds_of_monitors,
]


def play(story):
    """What went wrong; None: nothing."""
    for _ in range(TRIES):
        s = Story(story.__name__)
        try:
            story(s)
            return None
        except TooSlow:
            time.sleep(random.random())  # the others are busy, too
        except (AssertionError, OSError) as error:
            return '%s: %s' % (story.__name__, error)
        finally:
            s.remove()
    return '%s: this machine is too slow for it' % story.__name__


class Stories(unittest.TestCase):
    def test_all(self):
        only = os.environ.get('STORY')
        stories = [s for s in STORIES if only in (None, s.__name__)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
            wrong = [w for w in pool.map(play, stories) if w is not None]
        self.assertEqual(wrong, [])


if __name__ == '__main__':
    lab.main()
