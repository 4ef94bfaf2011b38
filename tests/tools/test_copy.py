"""nwcat copies bytes over TCP and Unix sockets, with ncat, socat, nc and Python as peers."""
import os
import signal
import socket
import subprocess
import unittest

from support import (Case, DEADLINE, NWCAT, Server, digest, free_port, read_all, refused_port, wait_bound,
                     wait_until)

BIG = 100 * 1024 * 1024
ALL_OCTETS = bytes(range(256)) * 300


class Client(Case):
    def test_to_ncat(self):
        port = free_port()
        peer = self.peer('ncat', '-l', '127.0.0.1', port)
        wait_bound(port)
        client = self.nwcat('127.0.0.1', port)
        peer.stdin.write(b'hello from ncat\n')
        peer.stdin.flush()
        self.assertEqual(client.stdout.readline(), b'hello from ncat\n')
        client.stdin.write(b'hello from nwcat\n')
        client.stdin.flush()
        self.assertEqual(peer.stdout.readline(), b'hello from nwcat\n')
        peer.stdin.close()
        client.stdin.close()
        self.assertEqual(client.wait(DEADLINE), 0)

    def test_to_socat(self):
        port = free_port()
        self.peer('socat', 'TCP4-LISTEN:%d,bind=127.0.0.1' % port, 'EXEC:cat')
        wait_bound(port)
        self.assertEqual(self.run_nwcat('127.0.0.1', port, data=ALL_OCTETS).stdout, ALL_OCTETS)

    def test_to_nc(self):
        port = free_port()
        peer = self.peer('nc', '-l', '127.0.0.1', port, stdin=subprocess.DEVNULL)
        wait_bound(port)
        self.run_nwcat('127.0.0.1', port, data=ALL_OCTETS)
        self.assertEqual(self.end(peer), ALL_OCTETS)

    def test_names_and_families(self):
        for family, words in ((socket.AF_INET6, ('-6', 'localhost')), (socket.AF_INET, ('-4', 'localhost')),
                              (socket.AF_INET6, ('::1',)), (socket.AF_INET, ('localhost',))):
            with self.subTest(words=words):
                server = Server(lambda c: c.sendall(read_all(c)), family)
                self.assertEqual(self.run_nwcat(*words, server.port, data=b'abc').stdout, b'abc')
                server.finish()

    def test_wrong_family_is_refused(self):
        server = Server(lambda c: None)
        self.run_nwcat('-6', 'localhost', server.port, status=1)

    def test_source_address_and_port(self):
        seen, port = [], free_port()
        server = Server(lambda c: seen.append(c.getpeername()))
        self.run_nwcat('-s', '127.0.0.3', '-p', port, '127.0.0.1', server.port)
        server.finish()
        self.assertEqual(seen, [('127.0.0.3', port)])

    def test_unix_socket(self):
        server = Server(lambda c: c.sendall(read_all(c)[::-1]), path=self.path('s'))
        self.assertEqual(self.run_nwcat('-U', self.path('s'), data=b'drow').stdout, b'word')
        server.finish()
        self.run_nwcat('-U', self.path('none'), status=1)

    def test_detach_reads_no_input(self):
        server = Server(lambda c: c.sendall(b'greeting'))
        result = self.run_nwcat('-d', '127.0.0.1', server.port, data=b'never sent')
        self.assertEqual(result.stdout, b'greeting')

    def test_files_in_and_out(self):
        source = self.make_file('in', 300000)
        server = Server(lambda c: c.sendall(read_all(c)))
        self.run_nwcat('-i', source, '-o', self.path('out'), '127.0.0.1', server.port)
        self.assertEqual(digest(source), digest(self.path('out')))


class Ending(Case):
    def test_half_close_from_here(self):
        """The peer sees our end, and may still answer at length."""
        def serve(c):
            asked = read_all(c)
            c.sendall(asked * 1000)
        server = Server(serve)
        self.assertEqual(len(self.run_nwcat('-N', '127.0.0.1', server.port, data=b'x' * 1000).stdout), 1000000)

    def test_half_close_from_there(self):
        """The peer has finished; what we have is still sent, all of it."""
        got, source = [], self.make_file('in', 5000000)

        def serve(c):
            c.sendall(b'done')
            c.shutdown(socket.SHUT_WR)
            got.append(read_all(c))
        server = Server(serve)
        with open(source, 'rb') as file:
            result = self.run_nwcat('127.0.0.1', server.port, stdin=file)
        server.finish()
        self.assertEqual(result.stdout, b'done')
        self.assertEqual(len(got[0]), 5000000)

    def test_idle_input_does_not_hold(self):
        server = Server(lambda c: c.sendall(b'bye'))
        client = self.nwcat('--linger', '0.1', '127.0.0.1', server.port)
        self.assertEqual(client.stdout.read(), b'bye')
        self.assertEqual(client.wait(DEADLINE), 0)  # its input is still open

    def test_linger_forever(self):
        got = []

        def serve(c):
            c.shutdown(socket.SHUT_WR)
            got.append(read_all(c))
        server = Server(serve)
        client = self.nwcat('--linger', 'forever', '-v', '-v', '127.0.0.1', server.port)
        wait_until(lambda: b'peer has sent' in client.stderr.readline(), 'the end of the peer is told')
        self.assertIsNone(client.poll())
        self.end(client, b'late')
        server.finish()
        self.assertEqual(got, [b'late'])

    def test_no_shutdown(self):
        def serve(c):
            first = c.recv(100)
            c.settimeout(0.3)
            try:
                end = c.recv(100)
            except TimeoutError:
                end = b'open'
            c.sendall(first + end)
        server = Server(serve)
        self.assertEqual(self.run_nwcat('--no-shutdown', '127.0.0.1', server.port, data=b'ab').stdout, b'abopen')

    def test_quit_after_input(self):
        server = Server(lambda c: read_all(c) and c.recv(1))
        self.run_nwcat('-q', '0.2', '--no-shutdown', '127.0.0.1', server.port, data=b'a')

    def test_peer_closes_early(self):
        """The peer goes away in the middle of our data: not a good end, and no signal."""
        def serve(c):
            c.recv(10)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        server = Server(serve)
        source = self.make_file('in', 20000000)
        with open(source, 'rb') as file:
            result = self.run_nwcat('127.0.0.1', server.port, stdin=file, status=1)
        self.assertRegex(result.stderr.decode(), 'Connection reset|Broken pipe')

    def test_large_body_then_close_reaches_a_slow_reader(self):
        body = ALL_OCTETS * 4  # what the kernel's buffers take
        server = Server(lambda c: c.sendall(body))
        client = self.nwcat('127.0.0.1', server.port, stdin=subprocess.DEVNULL)
        server.finish()  # the peer has gone before we read a single octet
        self.assertEqual(client.stdout.read(), body)
        self.assertEqual(client.wait(DEADLINE), 0)

    def test_interrupt(self):
        seen = []
        server = Server(lambda c: seen.append(read_all(c)))
        client = self.nwcat('-v', '127.0.0.1', server.port)
        self.assertIn(b'connected', self.until_connected(client))
        client.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(DEADLINE), 130)
        server.finish()
        self.assertEqual(seen, [b''])  # an orderly end, no reset

    def until_connected(self, client):
        while True:
            line = client.stderr.readline()
            if not line or b'connected to' in line:
                return line


class Bulk(Case):
    def test_100_mib_through_a_listener(self):
        source = self.make_file('in', BIG)
        with open(self.path('out'), 'wb') as sink:
            listener, port = self.listen(stdin=subprocess.DEVNULL, stdout=sink)
            with open(source, 'rb') as file:
                self.run_nwcat('127.0.0.1', port, stdin=file, timeout=60 * DEADLINE / 20)
            self.end(listener)
        self.assertEqual(digest(source), digest(self.path('out')))

    def test_pipes_both_ways(self):
        server = Server(lambda c: c.sendall(read_all(c)))
        body = ALL_OCTETS * 200
        self.assertEqual(self.run_nwcat('127.0.0.1', server.port, data=body).stdout, body)

    def test_slow_reader_holds_the_sender_back(self):
        """Back-pressure: a listener whose output nobody reads takes no more than buffers hold."""
        listener, port = self.listen('127.0.0.1', stdin=subprocess.DEVNULL)
        with socket.create_connection(('127.0.0.1', port)) as sender:
            sender.setblocking(False)
            sent, block = 0, bytes(65536)
            limit = 64 * 1024 * 1024

            def stuck():
                nonlocal sent
                try:
                    while sent < limit:
                        sent += sender.send(block)
                except BlockingIOError:
                    return not wait_writable(sender)
                return True
            wait_until(stuck, 'the sender is held back')
            self.assertLess(sent, limit)
            sender.settimeout(DEADLINE)
            sender.shutdown(socket.SHUT_WR)
            self.assertEqual(len(listener.stdout.read()), sent)
        self.assertEqual(listener.wait(DEADLINE), 0)


def wait_writable(sender):
    import select
    return bool(select.select([], [sender], [], 0.5)[1])


class Listener(Case):
    def test_from_ncat(self):
        listener, port = self.listen('127.0.0.1', stdin=subprocess.DEVNULL)
        peer = self.peer('ncat', '127.0.0.1', port, stdin=subprocess.PIPE)
        peer.stdin.write(ALL_OCTETS)
        peer.stdin.close()
        self.assertEqual(listener.stdout.read(), ALL_OCTETS)
        self.assertEqual(listener.wait(DEADLINE), 0)

    def test_both_families(self):
        for address in ('127.0.0.1', '::1'):
            with self.subTest(address=address):
                listener, port = self.listen()
                with socket.create_connection((address, port), DEADLINE) as peer:
                    peer.sendall(b'ping')
                    peer.shutdown(socket.SHUT_WR)
                    self.assertEqual(self.end(listener, b'pong'), b'ping')
                    self.assertEqual(read_all(peer), b'pong')

    def test_one_client_only(self):
        listener, port = self.listen('127.0.0.1', stdin=subprocess.DEVNULL)
        with socket.create_connection(('127.0.0.1', port), DEADLINE) as first:
            first.sendall(b'one')
            self.assertEqual(listener.stdout.read(3), b'one')
            first.shutdown(socket.SHUT_WR)
            self.assertEqual(listener.wait(DEADLINE), 0)
        with self.assertRaises(OSError):
            socket.create_connection(('127.0.0.1', port), DEADLINE)

    def test_keep_open(self):
        listener, port = self.listen('--keep-open', '127.0.0.1', stdin=subprocess.DEVNULL)
        for word in (b'one\n', b'two\n', b'three\n'):
            with socket.create_connection(('127.0.0.1', port), DEADLINE) as client:
                client.sendall(word)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(listener.stdout.readline(), word)
                self.assertEqual(read_all(client), b'')
        self.assertIsNone(listener.poll())
        listener.send_signal(signal.SIGTERM)
        self.assertEqual(listener.wait(DEADLINE), 143)

    def test_keep_open_second_client_waits_its_turn(self):
        listener, port = self.listen('--keep-open', '127.0.0.1', stdin=subprocess.DEVNULL)
        with socket.create_connection(('127.0.0.1', port), DEADLINE) as first:
            first.sendall(b'one\n')
            self.assertEqual(listener.stdout.readline(), b'one\n')
            with socket.create_connection(('127.0.0.1', port), DEADLINE) as second:
                second.sendall(b'two\n')
                second.shutdown(socket.SHUT_WR)
                first.sendall(b'one again\n')
                self.assertEqual(listener.stdout.readline(), b'one again\n')
                first.shutdown(socket.SHUT_WR)
                self.assertEqual(listener.stdout.readline(), b'two\n')

    def test_keep_open_outlives_a_reset(self):
        listener, port = self.listen('--keep-open', '127.0.0.1', stdin=subprocess.DEVNULL)
        with socket.create_connection(('127.0.0.1', port), DEADLINE) as rude:
            rude.sendall(b'rude\n')
            self.assertEqual(listener.stdout.readline(), b'rude\n')
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        with socket.create_connection(('127.0.0.1', port), DEADLINE) as polite:
            polite.sendall(b'polite\n')
            self.assertEqual(listener.stdout.readline(), b'polite\n')

    def test_port_taken(self):
        with socket.socket() as holder:
            holder.bind(('127.0.0.1', 0))
            holder.listen()
            port = holder.getsockname()[1]
            result = self.run_nwcat('-l', '127.0.0.1', port, status=1)
        self.assertIn('in use', result.stderr.decode())
        self.assertIn(str(port), result.stderr.decode())

    def test_unix_socket(self):
        path = self.path('s')
        listener = self.nwcat('-l', '-U', path, stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(path), 'the socket is there')

        def connect():
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(path)
                return client
            except ConnectionRefusedError:
                client.close()
                return None
        with wait_until(connect, 'a connection') as client:
            client.sendall(b'by path')
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(self.end(listener), b'by path')
        self.assertFalse(os.path.exists(path))


class Failures(Case):
    def test_closed_input_and_input_that_is_a_folder(self):
        server = Server(lambda c: c.sendall(b'hi'), count=2)
        command = '"$0" "$@" <&-'
        result = subprocess.run(['sh', '-c', command, NWCAT, '127.0.0.1', str(server.port)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual((result.returncode, result.stdout), (0, b'hi'))
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.assertIn(b'directory', self.run_nwcat('127.0.0.1', server.port, stdin=folder, status=5).stderr)

    def test_refused(self):
        blocker, port = refused_port()
        with blocker:
            result = self.run_nwcat('127.0.0.1', port, status=1)
        self.assertIn('Connection refused', result.stderr.decode())
        self.assertIn(str(port), result.stderr.decode())

    def test_refused_by_every_address(self):
        blocker, port = refused_port()
        with blocker:
            self.run_nwcat('localhost', port, status=1)

    def test_wait_stays(self):
        blocker, port = refused_port()
        with blocker:
            result = self.run_nwcat('--wait', '-w', '0.5', '127.0.0.1', port, status=3)
        self.assertIn('no answer', result.stderr.decode())

    def test_no_such_name(self):
        self.run_nwcat('-w', 15, 'no-such-name.invalid', 80, status=4)

    def test_idle_timeout(self):
        server = Server(lambda c: c.recv(1))
        client = self.nwcat('-w', '0.3', '127.0.0.1', server.port)
        self.assertEqual(client.wait(DEADLINE), 3)
        self.assertIn(b'0.3', client.stderr.read())

    def test_connect_timeout(self):
        """A listener whose backlog is full lets connections hang."""
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            fillers = [socket.socket() for _ in range(4)]
            try:
                for filler in fillers:
                    filler.setblocking(False)
                    filler.connect_ex(('127.0.0.1', port))
                self.run_nwcat('-w', '0.5', '127.0.0.1', port, status=3)
            finally:
                for filler in fillers:
                    filler.close()

    def test_disk_full(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full')
        server = Server(lambda c: c.sendall(b'x' * 100))
        with open('/dev/full', 'wb') as full:
            result = subprocess.run([NWCAT, '127.0.0.1', str(server.port)],
                                    stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual(result.returncode, 5)
        self.assertIn(b'No space left', result.stderr)

    def test_reader_of_output_goes_away(self):
        server = Server(lambda c: c.sendall(b'x' * 50000000), count=1)
        client = self.nwcat('127.0.0.1', server.port, stdin=subprocess.DEVNULL)
        client.stdout.read(10)
        client.stdout.close()
        self.assertEqual(client.wait(DEADLINE), 5)

    def test_files_that_are_not_there(self):
        server_port = free_port()
        self.assertIn(b'none', self.run_nwcat('-i', self.path('none'), '127.0.0.1', server_port, status=5).stderr)
        self.assertIn(b'x/y', self.run_nwcat('-o', self.path('x/y'), '127.0.0.1', server_port, status=5).stderr)
        self.run_nwcat('-i', self.folder, '127.0.0.1', server_port, status=5)


if __name__ == '__main__':
    unittest.main(verbosity=2)
