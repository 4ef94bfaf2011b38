"""nwcat with TLS among peers that mean it ill: scripted ones that answer with nonsense, alerts, records of impossible
length, or nothing; one in between that passes each octet alone; OpenSSL that wants to negotiate anew. Each end is told
by the right error, and a listener goes on serving."""
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from support import DEADLINE, Case, Server, free_port, wait_bound

NWCERT = os.environ.get('NWCERT', 'build/tools/nwcert')
CERTS = None  # a folder with ca and server of nwcert, made once


def setUpModule():
    global CERTS
    CERTS = tempfile.mkdtemp(prefix='nwcat-hostile-')
    subprocess.run([NWCERT, 'set', '--dir', CERTS, 'localhost', '127.0.0.1'], check=True, stdout=subprocess.DEVNULL)


def tearDownModule():
    shutil.rmtree(CERTS, True)


def cert(name):
    return os.path.join(CERTS, name)


def record(kind, content, version=0x0303):
    return struct.pack('!BHH', kind, version, len(content)) + content


def message(kind, content, length=None):
    return bytes([kind]) + (len(content) if length is None else length).to_bytes(3, 'big') + content


def alert(code, level=2):
    return record(21, bytes([level, code]))


def cut(content):
    """As records of the greatest size."""
    return b''.join(record(22, content[at:at + 16384]) for at in range(0, len(content), 16384))


SERVER_HELLO = message(2, b'\x03\x03' + bytes(32) + b'\0' + b'\x13\x01' + b'\0' + b'\0\0')
CLOSED, GRACEFUL, NEGOTIATION, OVERFLOW = -9816, -9805, -9801, -9847
RECORD, MESSAGE, DECODE, ILLEGAL, VERSION = -9849, -9856, -9859, -9830, -9836
# What is said instead of TLS: name, octets, and the errors that are right for it.
SAYINGS = [
    ('nothing', b'', {CLOSED}),
    ('a head cut off', b'\x16\x03\x03', {CLOSED}),
    ('a record cut off', record(22, SERVER_HELLO)[:20], {CLOSED}),
    ('HTTP', b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', {RECORD, VERSION}),
    ('SSH', b'SSH-2.0-OpenSSH_9.2p1\r\n', {RECORD, VERSION}),
    ('a record of 65535 octets', b'\x16\x03\x03\xff\xff' + bytes(70), {OVERFLOW}),
    ('content first', record(23, b'hello'), {RECORD}),
    ('an unknown kind of record', record(99, b'hello'), {RECORD}),
    ('many empty records', record(22, b'') * 2000, {RECORD, MESSAGE}),
]
FROM_SERVER = [
    ('handshake_failure', alert(40), {-9824}),
    ('internal_error', alert(80), {-9838}),
    ('protocol_version', alert(70), {VERSION}),
    ('close_notify', alert(0, 1), {GRACEFUL, CLOSED}),
    ('a long alert', record(21, bytes([2, 40, 0])), {RECORD, DECODE, -9824}),
    ('a certificate first', record(22, message(11, bytes(3))), {MESSAGE}),
    ('a hello of zeros', record(22, message(2, bytes(80))), {DECODE, ILLEGAL, VERSION, NEGOTIATION}),
    ('a suite that does not fit', record(22, SERVER_HELLO), {ILLEGAL, NEGOTIATION}),
    ('an unfinished message', record(22, message(2, bytes(1000), 0xffffff)), {CLOSED}),
    ('an endless message', cut(message(2, bytes(1 << 19), 0xffffff)), {DECODE}),
]
FROM_CLIENT = [
    ('HTTP GET', b'GET / HTTP/1.0\r\n\r\n', {RECORD, VERSION}),
    ('a hello of zeros', record(22, message(1, bytes(80))), {DECODE, ILLEGAL, VERSION, NEGOTIATION, RECORD}),
    ('a server\'s hello', record(22, SERVER_HELLO), {MESSAGE, RECORD}),
    ('an SSL 2 hello', b'\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10' + bytes(37), {RECORD, VERSION, DECODE}),
    ('an endless hello', cut(message(1, b'\x03\x03' + bytes(1 << 19), 0xffffff)), {DECODE, RECORD}),
]


class Ends(Case):
    def error_of(self, text):
        """The first error of TLS, or of anything, that the events tell."""
        errors = [event['error'] for event in self.events(text) if event.get('error')]
        return errors[0] if errors else None

    def listen_json(self, *words):
        """nwcat -l that tells events, and its port."""
        process = self.nwcat('-l', '-t', '--json', *words, '0', stdin=subprocess.DEVNULL)
        while True:
            event = json.loads(process.stderr.readline())
            if event['event'] == 'listening':
                return process, int(event['port'])

    def check(self, name, error, right):
        self.assertIsNotNone(error, name)
        self.assertEqual(error['domain'], 'tls', (name, error))
        if right is not None:
            self.assertIn(error['code'], right, (name, error))


class Hostile(Ends):
    def test_servers(self):
        for name, octets, right in SAYINGS + FROM_SERVER:
            with self.subTest(name):
                def serve(connection, octets=octets):
                    self.assertEqual(connection.recv(1), b'\x16')
                    connection.sendall(octets)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                server = Server(lambda connection: self.ignoring(serve, connection))
                result = self.run_nwcat('-t', '--json', '--ca', cert('ca.pem'), '127.0.0.1', server.port, status=6)
                self.check(name, self.error_of(result.stderr), right)
                server.finish()

    @staticmethod
    def ignoring(serve, connection):
        """The peer may reset what it does not want to read."""
        try:
            serve(connection)
        except OSError:
            pass

    def test_a_server_that_resets(self):
        def serve(connection):
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        server = Server(serve)
        result = self.run_nwcat('-t', '--json', '--ca', cert('ca.pem'), '127.0.0.1', server.port, status=1)
        self.assertEqual(self.error_of(result.stderr)['domain'], 'posix')
        server.finish()

    def test_a_server_that_is_silent(self):
        done = threading.Event()
        server = Server(lambda connection: done.wait(DEADLINE))
        self.run_nwcat('-t', '-w', '0.5', '--ca', cert('ca.pem'), '127.0.0.1', server.port, status=3)
        done.set()
        server.finish()

    def test_clients(self):
        """One listener, one after the other; it serves a good one at the end."""
        process, port = self.listen_json('--keep-open', '--cert', cert('server.pem'))
        for number, (name, octets, right) in enumerate(SAYINGS + FROM_CLIENT, 1):
            with self.subTest(name):
                with socket.create_connection(('127.0.0.1', port), timeout=DEADLINE) as client:
                    try:
                        client.sendall(octets)
                        client.shutdown(socket.SHUT_WR)
                        while client.recv(65536):
                            pass
                    except OSError:
                        pass
                event = {}
                while event.get('connection') != number or 'error' not in event:
                    event = json.loads(process.stderr.readline())
                self.check(name, event['error'], right)
        self.run_nwcat('-t', '--ca', cert('ca.pem'), '127.0.0.1', port, data=b'still there')
        self.assertIsNone(process.poll())

    def test_octet_by_octet(self):
        for version in '1.2', '1.3':
            process, port = self.listen('-t', '--cert', cert('server.pem'), stdin=subprocess.DEVNULL)
            with socket.create_connection(('127.0.0.1', port), timeout=DEADLINE) as onward:
                between = Server(lambda connection, onward=onward: self.pass_singly(connection, onward))
                self.run_nwcat('-t', '--ca', cert('ca.pem'), '--tls-max', version, '127.0.0.1', between.port,
                               data=b'slowly')
                between.finish()
            self.assertEqual(self.end(process), b'slowly')

    @staticmethod
    def pass_singly(one, other):
        def pump(source, target):
            try:
                target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    octets = source.recv(4096)
                    if not octets:
                        break
                    for octet in octets:
                        target.sendall(bytes([octet]))
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        back = threading.Thread(target=pump, args=(other, one), daemon=True)
        back.start()
        pump(one, other)
        back.join(DEADLINE)


class Renegotiation(Ends):
    """Nobody negotiates anew with us (docs/tls.md)."""

    def test_a_server_that_asks(self):
        port = free_port()
        server = self.peer('openssl', 's_server', '-accept', '127.0.0.1:%d' % port, '-tls1_2', '-cert',
                           cert('server.pem'), '-key', cert('server-key.pem'), stderr=subprocess.STDOUT)
        wait_bound(port)
        client = self.nwcat('-t', '--json', '--ca', cert('ca.pem'), '127.0.0.1', port)
        client.stdin.write(b'before\n')
        client.stdin.flush()
        while b'before' not in server.stdout.readline():
            pass
        server.stdin.write(b'R\n')
        server.stdin.flush()
        _, err = client.communicate(timeout=DEADLINE)
        self.assertEqual(client.returncode, 6)
        # OpenSSL ends with handshake_failure when it is told no.
        self.assertIn(self.error_of(err)['code'], {-9824, -9840})

    def test_a_client_that_asks(self):
        process, port = self.listen_json('-d', '--cert', cert('server.pem'))
        client = self.peer('openssl', 's_client', '-connect', '127.0.0.1:%s' % port, '-tls1_2', '-CAfile',
                           cert('ca.pem'), stderr=subprocess.STDOUT)
        while b'Verify return code' not in client.stdout.readline():
            pass
        client.stdin.write(b'R\n')
        client.stdin.flush()
        said, _ = client.communicate(timeout=DEADLINE)
        self.assertIn(b'no renegotiation', said)
        _, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 6)
        self.assertEqual(self.error_of(err)['code'], -9840)


if __name__ == '__main__':
    unittest.main()
