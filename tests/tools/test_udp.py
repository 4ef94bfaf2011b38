"""nwcat over UDP: client and listener, datagram borders, and how it ends."""
import os
import signal
import socket
import subprocess
import unittest

from support import Case, DEADLINE, digest, free_port, wait_bound, wait_until


def udp_socket(family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(DEADLINE)
    s.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
    return s


class Client(Case):
    def test_both_ways(self):
        for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
            with self.subTest(address=address), udp_socket(family) as server:
                client = self.nwcat('-u', address, server.getsockname()[1])
                client.stdin.write(b'question')
                client.stdin.flush()
                data, peer = server.recvfrom(65536)
                self.assertEqual(data, b'question')
                for answer in (b'one\n', b'two\n', b'three\n'):  # all of them, not the first alone
                    server.sendto(answer, peer[:2])
                    self.assertEqual(client.stdout.readline(), answer)
                client.stdin.close()
                client.send_signal(signal.SIGINT)
                self.assertEqual(client.wait(DEADLINE), 130)

    def test_shutdown_ends_at_end_of_input(self):
        with udp_socket() as server:
            self.run_nwcat('-u', '-N', '127.0.0.1', server.getsockname()[1], data=b'last words')
            self.assertEqual(server.recvfrom(65536)[0], b'last words')

    def test_silence_after_input_is_a_good_end(self):
        with udp_socket() as server:
            self.run_nwcat('-u', '-w', '0.3', '127.0.0.1', server.getsockname()[1], data=b'a')

    def test_silence_with_open_input_is_a_timeout(self):
        with udp_socket() as server:
            client = self.nwcat('-u', '-w', '0.3', '127.0.0.1', server.getsockname()[1])
            self.assertEqual(client.wait(DEADLINE), 3)

    def test_refused(self):
        port = free_port(socket.SOCK_DGRAM)
        client = self.nwcat('-u', '-w', '5', '127.0.0.1', port)
        client.stdin.write(b'anybody?')
        client.stdin.flush()
        self.assertEqual(client.wait(DEADLINE), 1)
        self.assertIn(b'refused', client.stderr.read())

    def test_to_socat(self):
        port = free_port(socket.SOCK_DGRAM)
        self.peer('socat', 'UDP4-LISTEN:%d,bind=127.0.0.1' % port, 'EXEC:cat')
        wait_bound(port, udp=True)
        client = self.nwcat('-u', '127.0.0.1', port)
        client.stdin.write(b'echo\n')
        client.stdin.flush()
        self.assertEqual(client.stdout.readline(), b'echo\n')


class Listener(Case):
    def test_from_ncat(self):
        listener, port = self.listen('-u', '127.0.0.1')
        peer = self.peer('ncat', '-u', '127.0.0.1', port)
        peer.stdin.write(b'first\n')
        peer.stdin.flush()
        self.assertEqual(listener.stdout.readline(), b'first\n')
        listener.stdin.write(b'answer\n')
        listener.stdin.flush()
        self.assertEqual(peer.stdout.readline(), b'answer\n')

    def test_first_peer_only(self):
        listener, port = self.listen('-u', '127.0.0.1', stdin=subprocess.DEVNULL)
        with udp_socket() as one, udp_socket() as two:
            one.sendto(b'one\n', ('127.0.0.1', port))
            self.assertEqual(listener.stdout.readline(), b'one\n')
            two.sendto(b'two\n', ('127.0.0.1', port))
            one.sendto(b'one again\n', ('127.0.0.1', port))
            self.assertEqual(listener.stdout.readline(), b'one again\n')

    def test_keep_open_hears_all(self):
        listener, port = self.listen('-u', '--keep-open', '127.0.0.1')
        peers = [udp_socket() for _ in range(3)]
        for peer in peers:
            peer.sendto(b'from %d\n' % peer.getsockname()[1], ('127.0.0.1', port))
            self.assertEqual(listener.stdout.readline(), b'from %d\n' % peer.getsockname()[1])
        listener.stdin.write(b'to the latest\n')
        listener.stdin.flush()
        self.assertEqual(peers[2].recvfrom(100)[0], b'to the latest\n')
        peers[0].sendto(b'still here\n', ('127.0.0.1', port))
        self.assertEqual(listener.stdout.readline(), b'still here\n')
        for peer in peers:
            peer.close()
        listener.send_signal(signal.SIGINT)
        self.assertEqual(listener.wait(DEADLINE), 130)

    def test_a_file_arrives_whole_in_datagrams(self):
        source = self.make_file('in', 100000)
        with open(self.path('out'), 'wb') as sink:
            listener, port = self.listen('-u', '127.0.0.1', stdin=subprocess.DEVNULL, stdout=sink)
            self.run_nwcat('-u', '-N', '-i', source, '127.0.0.1', port)
            wait_until(lambda: os.path.getsize(self.path('out')) == 100000, 'all of it is there')
            listener.send_signal(signal.SIGINT)
            self.assertEqual(listener.wait(DEADLINE), 130)
        self.assertEqual(digest(source), digest(self.path('out')))

    def test_both_nwcat(self):
        listener, port = self.listen('-u', '127.0.0.1')
        client = self.nwcat('-u', '127.0.0.1', port)
        for here, there in ((client, listener), (listener, client)):
            here.stdin.write(b'word\n')
            here.stdin.flush()
            self.assertEqual(there.stdout.readline(), b'word\n')
        client.send_signal(signal.SIGINT)
        wait_until(lambda: client.poll() is not None, 'the client ends')


if __name__ == '__main__':
    unittest.main(verbosity=2)
