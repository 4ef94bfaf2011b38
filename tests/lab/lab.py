"""A network of the test's own: two namespaces, `client` and `server`, joined by a veth pair, or by a wire
of nwlink with delay, loss and the like (Wire, WiredLab).

The servers are threads of the test whose sockets were opened inside the namespace; the clients are nwcat and lab_peer,
started in it by `ip netns exec`, which also puts /etc/netns/NAME/* in the place of the files of the same names in /etc.
Neighbours are entered by hand, so that no test waits for neighbour discovery. Everything is removed when the test ends,
also after a signal; names carry the process id, so that several runs do not meet.
"""
import atexit
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

NWCAT = os.environ.get('NWCAT', 'build/tools/nwcat')
NWLINK = os.environ.get('NWLINK', 'build/tools/nwlink')
PEER = os.environ.get('LAB_PEER', 'build/tests/lab/lab_peer')
SLOW = 8 if os.environ.get('NW_TEST_SLOW') else 1
DEADLINE = 20 * SLOW    # seconds for anything that should take a moment
SLACK = 0.5 * SLOW      # seconds that a busy machine may add to a delay of the library
RESOLUTION_DELAY, ATTEMPT_DELAY = 0.025, 0.250  # RFC 8305 section 3 (25 ms by default here) and section 5
CLONE_NEWNET = 0x40000000
NETNS = '/run/netns/'
CONFIG = '/etc/netns/'

libc = ctypes.CDLL(None, use_errno=True)
serial = iter(range(1 << 30))


def refuse(why):
    """77: meson counts the test as skipped."""
    print('SKIP: ' + why)
    sys.stdout.flush()
    os._exit(77)


def ip(*words, check=True):
    result = subprocess.run(['ip'] + [str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and result.returncode != 0:
        raise AssertionError('ip %s: %s' % (' '.join(map(str, words)), result.stderr.decode()))
    return result


def check_rights():
    if os.geteuid() != 0:
        refuse('network namespaces need root')
    if shutil.which('ip') is None:
        refuse('ip (iproute2) is not installed')
    name = 'nwlab%dprobe' % os.getpid()
    made = ip('netns', 'add', name, check=False)
    if made.returncode != 0:
        refuse('no network namespaces here: ' + made.stderr.decode().strip())
    usable = ip('netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up', check=False)
    ip('netns', 'del', name, check=False)
    if usable.returncode != 0:
        refuse('network namespaces cannot be used here: ' + usable.stderr.decode().strip())


def wait_until(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError('never happened: ' + what)


def lines_until(stream, seen):
    """A function that reads on until a line has that word in it; the lines go to `seen`."""

    def until(word):
        for line in stream:
            seen.append(line.decode())
            if word in seen[-1]:
                return
        raise AssertionError('no "%s" in\n%s' % (word, ''.join(seen)))
    return until


class Namespace:
    """A namespace with its own resolv.conf, hosts and nsswitch.conf."""

    def __init__(self, name):
        self.name, self.folder = name, CONFIG + name
        atexit.register(self.remove)  # for a run that a signal ends
        while not os.path.isdir(self.folder):
            try:
                os.makedirs(self.folder)
            except FileNotFoundError:
                pass  # another run has just removed the empty parent
        self.write('hosts', '127.0.0.1 localhost\n::1 localhost\n')
        self.write('resolv.conf', '')
        self.write('nsswitch.conf', 'hosts: files dns\n')
        ip('netns', 'add', name)
        self.ip('link', 'set', 'lo', 'up')

    def write(self, file, text):
        with open(os.path.join(self.folder, file), 'w') as out:
            out.write(text)

    def remove(self):
        if os.path.exists(NETNS + self.name):
            ip('netns', 'del', self.name, check=False)
        shutil.rmtree(self.folder, True)
        try:
            os.rmdir(CONFIG)  # only when nobody else uses it
        except OSError:
            pass
        atexit.unregister(self.remove)

    def ip(self, *words, check=True):
        return ip('-n', self.name, *words, check=check)

    def inside(self, *words):
        return ['ip', 'netns', 'exec', self.name] + [str(w) for w in words]

    def call(self, function):
        """Runs the function in a thread that has moved into the namespace; sockets opened there stay there."""
        result = []

        def work():
            try:
                fd = os.open(NETNS + self.name, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    if libc.setns(fd, CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), 'setns')
                finally:
                    os.close(fd)
                result.append((function(), None))
            except OSError as error:
                result.append((None, error))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        value, error = result[0]
        if error:
            raise error
        return value


class Lab(unittest.TestCase):
    """client: nwc 10.77.0.1, 2001:db8:77::1 -- server: nws 10.77.0.2, 2001:db8:77::2 and whatever a test adds."""

    def setUp(self):
        atexit.register(self.doCleanups)  # after a signal unittest does not
        self.addCleanup(atexit.unregister, self.doCleanups)
        mark = 'nwlab%dn%d' % (os.getpid(), next(serial))
        self.client, self.server = Namespace(mark + 'c'), Namespace(mark + 's')
        self.addCleanup(self.client.remove)
        self.addCleanup(self.server.remove)
        self.make_link()
        self.client.ip('addr', 'add', '10.77.0.1/24', 'dev', 'nwc')
        self.client.ip('addr', 'add', '2001:db8:77::1/64', 'dev', 'nwc', 'nodad')
        self.client.ip('link', 'set', 'nwc', 'up')
        self.server.ip('link', 'set', 'nws', 'up')
        for address in ('10.77.0.2', '2001:db8:77::2'):
            self.add_address(address)
        self.add_client_neighbours()

    def make_link(self):
        ip('link', 'add', 'nwc', 'netns', self.client.name, 'address', '02:00:00:00:77:01', 'type', 'veth',
           'peer', 'name', 'nws', 'netns', self.server.name, 'address', '02:00:00:00:77:02')

    def add_client_neighbours(self):
        self.server.ip('neigh', 'add', '10.77.0.1', 'lladdr', '02:00:00:00:77:01', 'dev', 'nws')
        self.server.ip('neigh', 'add', '2001:db8:77::1', 'lladdr', '02:00:00:00:77:01', 'dev', 'nws')

    def add_neighbour(self, address):
        """Packets to the address reach the server's interface; without add_address they vanish there."""
        self.client.ip('neigh', 'replace', address, 'lladdr', '02:00:00:00:77:02', 'dev', 'nwc')

    def add_address(self, address):
        v6 = ':' in address
        self.server.ip('addr', 'add', address + ('/64' if v6 else '/24'), 'dev', 'nws', *(['nodad'] if v6 else []))
        self.add_neighbour(address)

    def spawn(self, words, bound=True, **options):
        """Starts a process that ends with the test; bound: after a while in any case, so that a read from it ends."""
        for name in ('stdin', 'stdout', 'stderr'):
            options.setdefault(name, subprocess.PIPE)
        process = subprocess.Popen(words, **options)
        timer = threading.Timer(1.5 * DEADLINE, process.kill)
        timer.daemon = True
        if bound:
            timer.start()

        def stop():
            timer.cancel()
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    try:
                        stream.close()
                    except OSError:
                        pass
        self.addCleanup(stop)
        return process

    def listen(self, address, serve, port=7000, kind=socket.SOCK_STREAM):
        """Calls serve(socket) for each connection at the address (UDP: once, with the socket), in a thread."""
        family = socket.AF_INET6 if ':' in address else socket.AF_INET

        def open_socket():
            s = socket.socket(family, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
            if kind == socket.SOCK_STREAM:
                s.listen(16)
            return s
        listener = self.server.call(open_socket)
        accepted = []

        def run():
            try:
                if kind == socket.SOCK_DGRAM:
                    serve(listener)
                    return
                while True:
                    s, _ = listener.accept()
                    accepted.append(s)
                    threading.Thread(target=self.serve_one, args=(serve, s), daemon=True).start()
            except OSError:
                pass  # closed by the end of the test
        threading.Thread(target=run, daemon=True).start()

        def stop():
            for s in [listener] + accepted:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()
        self.addCleanup(stop)
        return listener

    @staticmethod
    def serve_one(serve, s):
        try:
            serve(s)
            s.close()
        except OSError:
            pass

    def say(self, text):
        """A service that sends the text and closes."""
        return lambda s: s.sendall(text.encode())

    def dnsmasq(self, *words):
        """dnsmasq at 10.77.0.2, which the client asks; returns once it answers."""
        program = shutil.which('dnsmasq')
        if program is None:
            self.skipTest('dnsmasq is not installed')
        self.client.write('resolv.conf', 'nameserver 10.77.0.2\n')
        process = self.spawn(self.server.inside(
            program, '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file',
            '--user=root', '--listen-address=10.77.0.2', '--bind-interfaces', '--local=/lab.test/',
            '--log-facility=-', *words), stdin=subprocess.DEVNULL)
        while True:
            line = process.stderr.readline().decode()
            self.assertTrue(line, 'dnsmasq did not start')
            if 'cleared cache' in line:
                break
        threading.Thread(target=process.stderr.read, daemon=True).start()

    def start_nwcat(self, *words, **options):
        options['env'] = dict(os.environ, NW_LOG='debug', **options.get('env', {}))
        return self.spawn(self.client.inside(NWCAT, '--json', *words), **options)

    def nwcat(self, *words, status=0, data=b'', **options):
        """Runs nwcat in the client's namespace to its end."""
        process = self.start_nwcat(*words, **options)
        out, err = process.communicate(data, timeout=DEADLINE)
        self.assertEqual(process.returncode, status, err.decode(errors='replace'))
        return Report(out, err)


    def peer(self, *words):
        """Starts lab_peer in the client's namespace."""
        return Peer(self.spawn(self.client.inside(PEER, *words), env=dict(os.environ, NW_LOG='debug')))


class Wire:
    """A wire of nwlink between two namespaces, with new TUN interfaces as its ends. "Up" is from a to b.

    Conditions are words of nwlink: Wire(test, client, server, profile='LTE', down='loss=1%,delay=40ms'). What one
    direction does to its packets hangs on the seed alone. The wire goes with the test, also with one that is killed.
    """

    def __init__(self, test, a, b, *, device_a='nwa', device_b='nwb', addresses_a=('10.99.0.1/24', 'fd00:99::1/64'),
                 addresses_b=('10.99.0.2/24', 'fd00:99::2/64'), more=(), **conditions):
        words = ['between', '--device-a', device_a, '--device-b', device_b]
        for option, addresses in (('--address-a', addresses_a), ('--address-b', addresses_b)):
            for address in addresses:
                words += [option, address]
        if not addresses_a and not addresses_b:
            words += ['--no-addresses']
        self.start(test, words + list(more) + [a.name, b.name], **conditions)

    @classmethod
    def join(cls, test, namespace, device_a, device_b, **conditions):
        """A wire between two interfaces that are in the namespace already."""
        wire = cls.__new__(cls)
        wire.start(test, ['join'] + ['%s:%s' % (namespace.name, device) for device in (device_a, device_b)], **conditions)
        return wire

    def start(self, test, words, profile=None, both=None, up=None, down=None, seed=1):
        words = [NWLINK, words[0], '--control', '-', '--seed', str(seed)] + words[1:]
        if not os.environ.get('NW_TEST_SLOW'):
            words += ['--realtime']  # a busy machine shall not add to the delays
        for option, value in (('--profile', profile), ('--both', both), ('--up', up), ('--down', down)):
            words += [] if value is None else [option, value]
        self.process = test.spawn(words, bound=False)
        line = self.process.stdout.readline().decode()
        if not line.startswith('ready'):
            raise AssertionError('no wire: %s%s' % (line, self.process.stderr.read().decode()))

    def tell(self, command):
        """One command of nwlink(1); returns what stands after "ok", JSON read."""
        self.process.stdin.write((command + '\n').encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().strip()
        if answer.split(' ')[0] != 'ok':
            raise AssertionError('%s: %s' % (command, answer))
        return json.loads(answer[3:]) if answer[3:].startswith('{') else answer[3:]

    def set(self, *, profile=None, both=None, up=None, down=None):
        """Changes what is named and leaves the rest; a profile replaces all."""
        for word, value in (('profile', profile), ('both', both), ('up', up), ('down', down)):
            if value is not None:
                self.tell('%s %s' % (word, value))

    def cut(self, direction='both'):
        """Like a cable: nothing arrives, nobody is told, and the interfaces stay up."""
        self.tell('cut ' + direction)

    def mend(self, direction='both'):
        self.tell('mend ' + direction)

    def unplug(self, end=''):
        """The interface at end 'a' or 'b', or at both, loses its carrier, and nothing passes."""
        self.tell('unplug ' + end)

    def plug(self, end=''):
        self.tell('plug ' + end)

    def stats(self):
        """{'up': {...}, 'down': {...}}: packets_in, packets_out, dropped by cause, ...; see nwlink(1)."""
        return self.tell('stats')

    def close(self):
        """Takes the wire down, and its interfaces with it."""
        self.process.stdin.close()
        self.process.wait()


class WiredLab(Lab):
    """The same network with `self.wire` in place of the veth pair; `conditions` are those of its Wire.

    Its interfaces have no link layer: no neighbours are needed, and what no address takes vanishes.
    """
    conditions = {}

    def make_link(self):
        self.wire = Wire(self, self.client, self.server, device_a='nwc', device_b='nws', addresses_a=(), addresses_b=(),
                         **self.conditions)

    def add_client_neighbours(self):
        pass

    def add_neighbour(self, address):
        pass


class Peer:
    """lab_peer: lines that it wrote, in order; each is consumed by the wait that finds it."""

    def __init__(self, process):
        self.process, self.lines, self.log, self.position = process, [], [], 0
        for stream, lines in ((process.stdout, self.lines), (process.stderr, self.log)):
            threading.Thread(target=self.read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def read(stream, lines):
        try:
            for line in stream:
                lines.append(line.decode().rstrip('\n'))
        except (OSError, ValueError):
            pass  # closed by the end of the test

    def tell(self, command):
        self.process.stdin.write((command + '\n').encode())
        self.process.stdin.flush()

    def wait_for(self, start, deadline=DEADLINE):
        """The next line that starts so; lines before it are passed over."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            while self.position < len(self.lines):
                line = self.lines[self.position]
                self.position += 1
                if line.startswith(start):
                    return line
            time.sleep(0.005)
        raise AssertionError('no line "%s" in:\n%s' % (start, '\n'.join(self.lines + self.log)))


class Report:
    """What nwcat wrote: `out`, the `events` of --json, and the `log` of the library."""

    def __init__(self, out, err):
        self.out = out
        lines = err.decode().splitlines()
        self.events = [json.loads(line) for line in lines if line.startswith('{')]
        self.log = [line for line in lines if not line.startswith('{')]
        self.text = err.decode()

    def all(self, name):
        return [e for e in self.events if e['event'] == name]

    def one(self, name):
        found = self.all(name)
        assert len(found) == 1, '%d events "%s" in\n%s' % (len(found), name, self.text)
        return found[0]

    @property
    def remote(self):
        return self.one('ready')['remote']

    @property
    def seconds(self):
        return self.one('ready')['seconds']

    def attempts(self):
        """The attempts of the race in order: {name, label, outcome, start_ms, end_ms}."""
        return [row for row in self.all('timeline')[-1]['rows'] if row['kind'] == 'attempt']

    def questions(self):
        return [row for row in self.all('timeline')[-1]['rows'] if row['kind'] == 'question']


def main():
    check_rights()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # meson's way to end a test, as an interrupt
    unittest.main(verbosity=2)
