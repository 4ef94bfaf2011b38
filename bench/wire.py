#!/usr/bin/env python3
"""How fast nwlink's wire is, and how well it holds its delay. Needs root; run by hand: bench/wire.py [BUILD]

Two namespaces, joined by `nwlink between`. Rate: one TCP connection sends for some seconds over a perfect wire, with packets
of 1,500 octets. Delay: datagrams go up one at a time; both ends are read by the same clock, so the way up is seen alone, and
what it took without any delay is shown beside it. Late: what the wire itself says, from when a packet was due until the
far interface has it.
"""
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build')
os.environ['NWLINK'] = os.path.join(BUILD, 'tools', 'nwlink')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lab'))
import lab

SECONDS, DATAGRAMS, GAP = 3, 500, 0.004

RECEIVE = """
import socket, time
listener = socket.create_server(('10.99.0.2', 9000))
print('ready', flush=True)
s, room, count = listener.accept()[0], bytearray(1 << 20), 0
start = time.monotonic()
while True:
    size = s.recv_into(room)
    if size == 0:
        break
    count += size
print(count * 8 / (time.monotonic() - start) / 1e9)
"""
SEND = """
import socket, time
s, data = socket.create_connection(('10.99.0.2', 9000)), bytes(1 << 20)
start = time.monotonic()
while time.monotonic() - start < %d:
    s.sendall(data)
"""


class Bench(lab.Lab):
    def rewire(self, **conditions):
        """A wire whose statistics begin anew."""
        if hasattr(self, 'wire'):
            self.wire.close()
        self.wire = lab.Wire(self, self.client, self.server, **conditions)

    def late(self):
        up = self.wire.stats()['up']
        return up['late_mean_us'] / 1e3, up['late_max_us'] / 1e3

    def rate(self, conditions):
        """Gbit/s that arrive, the headers not counted; packets a second both ways; processor microseconds a packet."""
        self.rewire(both=conditions)
        receiver = self.spawn(self.server.inside(sys.executable, '-c', RECEIVE), stdin=subprocess.DEVNULL)
        receiver.stdout.readline()
        before, spent = self.wire.stats(), self.spent()
        sender = self.spawn(self.client.inside(sys.executable, '-c', SEND % SECONDS), stdin=subprocess.DEVNULL)
        rate = float(receiver.communicate()[0])
        sender.wait()
        after = self.wire.stats()
        packets = sum(after[d]['packets_out'] - before[d]['packets_out'] for d in ('up', 'down'))
        return rate, packets / SECONDS, (self.spent() - spent) / packets * 1e6

    def spent(self):
        with open('/proc/%d/stat' % self.wire.process.pid) as stat:
            return sum(map(int, stat.read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')

    def ways(self, conditions, port):
        """Milliseconds of each way up."""
        self.rewire(up=conditions)
        receiver = self.server.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sender = self.client.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        receiver.bind(('10.99.0.2', port))
        receiver.settimeout(lab.DEADLINE)
        arrived = []

        def receive():
            for _ in range(DATAGRAMS):
                sent = float(receiver.recv(100))
                arrived.append((time.monotonic() - sent) * 1e3)
        thread = threading.Thread(target=receive)
        thread.start()
        for _ in range(DATAGRAMS):
            sender.sendto(repr(time.monotonic()).encode(), ('10.99.0.2', port))
            time.sleep(GAP)
        thread.join()
        for s in (receiver, sender):
            s.close()
        return arrived


def spread(values, less=0.0):
    values = sorted(value - less for value in values)
    return '%8.3f %8.3f %8.3f' % (statistics.median(values), values[len(values) * 99 // 100], values[-1])


def main():
    lab.check_rights()
    bench = Bench()
    bench.setUp()
    try:
        print('%-24s %8s %8s %8s   %s' % ('ms beyond the delay', 'median', '99 %', 'most', 'late by the wire: mean, most'))
        for number, delay in enumerate((0, 1, 20, 100)):
            ways = bench.ways('delay=%dms' % delay, 9100 + number)
            print('%-24s %s   %8.3f %8.3f' % ('%d ms' % delay if delay else 'none', spread(ways, delay), *bench.late()))
        print('%-24s %8s %8s %8s   %s' % ('TCP over', 'Gbit/s', 'packets', 'us each', 'late by the wire: mean, most'))
        for conditions in ('perfect', 'rate=1Gbit,delay=10ms'):
            print('%-24s %8.2f %8.0f %8.1f   %8.3f %8.3f' % (conditions, *bench.rate(conditions), *bench.late()))
    finally:
        bench.doCleanups()


if __name__ == '__main__':
    main()
