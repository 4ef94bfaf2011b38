"""What the tests of nwcat share: starting it and its peers on loopback, waiting for events, cleaning up.

Nothing sleeps to synchronise: wait_until looks again until a deadline. Every process is ended by its own id.
"""
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

NWCAT = os.environ.get('NWCAT', 'build/tools/nwcat')
SLOW = 4 if os.environ.get('NW_TEST_SLOW') else 1
DEADLINE = 20 * SLOW  # seconds for anything that should take a moment


def wait_until(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError('never happened: ' + what)


def free_port(kind=socket.SOCK_STREAM):
    """A port free in both families for now."""
    with socket.socket(socket.AF_INET6, kind) as probe:
        probe.bind(('::', 0))
        return probe.getsockname()[1]


def is_bound(port, udp=False):
    """Whether some socket listens on the port (TCP) or is bound to it (UDP), without disturbing it."""
    for name in ('udp', 'udp6') if udp else ('tcp', 'tcp6'):
        with open('/proc/net/' + name) as table:
            for line in list(table)[1:]:
                fields = line.split()
                if int(fields[1].split(':')[1], 16) == port and (udp or fields[3] == '0A'):
                    return True
    return False


def wait_bound(port, udp=False):
    wait_until(lambda: is_bound(port, udp), 'something on port %d' % port)


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


class Server(threading.Thread):
    """A TCP server of ours: calls serve(socket) for each of `count` connections, one after the other."""

    def __init__(self, serve, family=socket.AF_INET, count=1, path=None):
        super().__init__(daemon=True)
        self.serve, self.count, self.error = serve, count, None
        self.listener = socket.socket(socket.AF_UNIX if path else family, socket.SOCK_STREAM)
        self.listener.settimeout(DEADLINE)
        self.listener.bind(path or ('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
        self.listener.listen(16)
        self.port = None if path else self.listener.getsockname()[1]
        self.start()

    def run(self):
        try:
            for _ in range(self.count):
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(DEADLINE)
                    self.serve(connection)
        except OSError as error:
            self.error = error
        finally:
            self.listener.close()

    def finish(self):
        self.join(DEADLINE)
        assert not self.is_alive(), 'the server is still busy'
        if self.error:
            raise self.error


def read_all(connection):
    parts = []
    while True:
        part = connection.recv(65536)
        if not part:
            return b''.join(parts)
        parts.append(part)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='nwcat-test-')
        self.addCleanup(shutil.rmtree, self.folder, True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_file(self, name, size):
        """A file of pseudo-random octets, the same on each run."""
        path = self.path(name)
        block = b''.join(hashlib.sha256(b'%d' % i).digest() for i in range(2048))
        with open(path, 'wb') as file:
            written = 0
            while written < size:
                part = block[:size - written]
                file.write(part)
                block = block[1:] + block[:1]
                written += len(part)
        return path

    def spawn(self, *words, **options):
        """Any program; ended when the test ends. Pipes unless told otherwise."""
        for name in ('stdin', 'stdout', 'stderr'):
            options.setdefault(name, subprocess.PIPE)
        process = subprocess.Popen(list(map(str, words)), **options)

        def stop():
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

    def nwcat(self, *words, **options):
        return self.spawn(NWCAT, *words, **options)

    def peer(self, name, *words, **options):
        program = shutil.which(name)
        if program is None:
            self.skipTest(name + ' is not installed')
        return self.spawn(program, *words, **options)

    def run_nwcat(self, *words, data=b'', status=0, timeout=DEADLINE, **options):
        """Runs it to its end and checks the status. `data` None: standard input is closed at once."""
        if 'stdin' not in options:
            options['input'] = data
        result = subprocess.run([NWCAT] + list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=timeout, **options)
        self.assertEqual(result.returncode, status, result.stderr.decode(errors='replace'))
        return result

    def listen(self, *words, **options):
        """Starts nwcat -l and returns it with the port that the system chose."""
        process = self.nwcat('-l', *words, '0', **options)
        line = process.stderr.readline().decode()
        self.assertRegex(line, r'listening on .*port \d+')
        words = line.split()
        return process, int(words[words.index('port') + 1])

    def end(self, process, data=None, status=0):
        """Gives the process its last input and waits for its end; returns what it wrote."""
        out, err = process.communicate(data, timeout=DEADLINE)
        self.assertEqual(process.returncode, status, (err or b'').decode(errors='replace'))
        return out

    def events(self, text):
        return [json.loads(line) for line in text.decode().splitlines()]


def refused_port():
    """A port that refuses: bound, so that nobody else gets it, but not listening."""
    blocker = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    blocker.bind(('127.0.0.1', 0))
    return blocker, blocker.getsockname()[1]
