"""DTLS where packets are lost, and where hellos come from those who do not exist."""
import os
import socket

import lab
import tls_lab
from dtls_lab import GNUTLS_PSK, OPENSSL_PSK, OURS_PSK, DTLSLab

HELLO = os.path.join(os.path.dirname(__file__), '../fuzz/corpus/dtls_hello/normal-0')
FLOOD = 10000
PATIENCE = 70  # seconds: the handshake's own patience is 60


class Loss(DTLSLab):
    """One packet in five is lost, each way: handshakes take longer and end well."""
    def test_client_key(self):
        self.join(both='loss=20%,delay=5ms', seed=5)
        server = self.gnutls_server('--pskpasswd', self.passwords(), '--priority', GNUTLS_PSK)
        client = self.ours('-u', *OURS_PSK, '10.99.0.2', server.port)
        client.tell('connect')
        client.wait_for('state ready', PATIENCE)

    def test_server_key(self):
        self.join(both='loss=20%,delay=5ms', seed=5)
        server = self.server_at('10.99.0.1', *OURS_PSK, '-s', 'a8', identity=False)
        self.run_far('openssl', 's_client', '-dtls1_2', '-connect', '10.99.0.1:%d' % server.port, '-cipher',
                     'PSK-AES128-GCM-SHA256', *OPENSSL_PSK)
        server.wait_for('state ready', PATIENCE)


class Flood(DTLSLab):
    def test_flood(self):
        """Hellos from 10,000 addresses that do not answer: each is asked for a cookie, and nothing is kept."""
        server = self.server_at(self.address)
        with open(HELLO, 'rb') as file:
            hello = file.read()

        def octets():
            with open('/proc/%d/statm' % server.process.pid) as table:
                return int(table.read().split()[1]) * os.sysconf('SC_PAGESIZE')

        def flood(count):
            answers = 0
            for i in range(count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.settimeout(lab.DEADLINE)
                    s.bind(('127.%d.%d.1' % (1 + i // 250, i % 250), 0))
                    s.sendto(hello, (self.address, server.port))
                    if i % 100 == 0:  # the listener keeps up
                        answer = s.recv(2000)
                        self.assertLess(len(answer), len(hello))
                        self.assertEqual(answer[13], 3)  # HelloVerifyRequest
                        answers += 1
            return answers
        self.space.call(lambda: flood(FLOOD // 10))  # whatever is made once
        before = octets()
        self.assertEqual(self.space.call(lambda: flood(FLOOD)), FLOOD // 100)
        self.assertLess(octets() - before, 256 * 1024)
        client = self.call_openssl(server, '-CAfile', self.ca)
        self.talk(client)


if __name__ == '__main__':
    tls_lab.main()
