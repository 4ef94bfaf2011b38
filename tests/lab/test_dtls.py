"""DTLS with openssl s_server and s_client, gnutls-serv and gnutls-cli: certificates, keys, ALPN, refusals."""
import tls_lab
from dtls_lab import GNUTLS_PSK, OPENSSL_PSK, OURS_PSK, DTLSLab
from tls_lab import KEY, KEY_NAME

DTLS12 = 'fefd'


class Client(DTLSLab):
    def test_openssl(self):
        server = self.openssl_server(self.address, '-cert', self.server, '-key', self.server_key, '-alpn', 'coap')
        client = self.client_to(self.address, server.port, '-A', 'coap')
        version, _, protocol = self.connect(client)[:3]
        self.assertEqual((version, protocol), (DTLS12, 'coap'))
        self.assertIn('peer CN=localhost', client.lines)
        client.tell('send hello')
        server.wait_for('hello')
        server.say('welcome\n')
        client.wait_for('got welcome')
        self.disconnect(client)
        server.wait_for('DONE')  # by close_notify: UDP has no end

    def test_openssl_key(self):
        server = self.openssl_server(self.address, '-nocert', '-cipher', 'PSK-AES128-GCM-SHA256', *OPENSSL_PSK)
        client = self.client_to(self.address, server.port, *OURS_PSK, '-s', 'a8')
        self.assertEqual(self.connect(client)[1], '00a8')
        client.tell('send secret')
        server.wait_for('secret')

    def test_gnutls(self):
        server = self.gnutls_server('--x509certfile', self.server, '--x509keyfile', self.server_key)
        client = self.client_to(self.address, server.port)
        self.assertEqual(self.connect(client)[0], DTLS12)
        self.exchange(client, 'hello', 'hello')

    def test_gnutls_asks_for_a_certificate(self):
        server = self.gnutls_server('--x509certfile', self.server, '--x509keyfile', self.server_key,
                                    '--x509cafile', self.ca, '--require-client-cert', '--verify-client-cert')
        client = self.client_to(self.address, server.port, '-c', self.client, '-k', self.client_key)
        self.connect(client)
        self.exchange(client, 'me', 'me')

    def test_nobody(self):
        """The ICMP answers to two hellos in a row are an error; one alone would not be."""
        client = self.client_to(self.address, next(self.ports))
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2:], ['posix', '111'])

    def test_unknown_ca(self):
        server = self.openssl_server(self.address, '-cert', self.server, '-key', self.server_key)
        client = self.ours('-u', self.address, server.port)
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2], 'tls')


class Server(DTLSLab):
    def test_openssl(self):
        server = self.server_at(self.address, '-A', 'coap')
        client = self.call_openssl(server, '-CAfile', self.ca, '-verify_return_error', '-alpn', 'coap')
        self.talk(client)
        self.assertEqual(self.session(server)[0], DTLS12)
        self.assertIn('ALPN protocol: coap', client.text)
        client.say('Q\n')
        server.wait_for('finished')

    def test_openssl_in_pieces(self):
        """A hello in two datagrams: the cookie is in the first."""
        server = self.server_at(self.address)
        client = self.call_openssl(server, '-CAfile', self.ca, '-mtu', '256')
        self.talk(client)

    def test_openssl_key(self):
        server = self.server_at(self.address, *OURS_PSK, '-s', 'a8', identity=False)
        client = self.call_openssl(server, '-cipher', 'PSK-AES128-GCM-SHA256', *OPENSSL_PSK)
        self.talk(client, 'secret')
        self.assertEqual(self.session(server)[1], '00a8')

    def test_openssl_certificate(self):
        server = self.server_at(self.address, '-r', '-a', self.ca)
        client = self.call_openssl(server, '-cert', self.client, '-key', self.client_key)
        self.talk(client)
        self.session(server)
        self.assertIn('peer CN=Test client', server.lines)
        bare = self.call_openssl(server)
        bare.wait_for('alert')
        self.assertEqual(server.wait_for('state failed').split()[2], 'tls')

    def test_gnutls(self):
        server = self.server_at(self.address)
        client = self.run_far('gnutls-cli', '--udp', '--x509cafile', self.ca, '-p', str(server.port), self.address)
        client.wait_for('Handshake was completed')
        self.talk(client)

    def test_gnutls_key(self):
        server = self.server_at(self.address, *OURS_PSK, identity=False)
        client = self.run_far('gnutls-cli', '--udp', '--pskusername', KEY_NAME, '--pskkey', KEY.encode().hex(),
                              '--priority', GNUTLS_PSK, '-p', str(server.port), self.address)
        client.wait_for('Handshake was completed')
        self.talk(client, 'secret')


if __name__ == '__main__':
    tls_lab.main()
