"""TLS with gnutls-serv and gnutls-cli: versions, ALPN, certificates, keys."""
import tls_lab
from tls_lab import KEY, KEY_NAME, VERSIONS

PRIORITY = {'12': 'NORMAL:-VERS-ALL:+VERS-TLS1.2', '13': 'NORMAL:-VERS-ALL:+VERS-TLS1.3'}
PSK = {'12': PRIORITY['12'] + ':+PSK:+ECDHE-PSK', '13': PRIORITY['13'] + ':+PSK:+ECDHE-PSK'}
DESCRIBED = {'12': '(TLS1.2', '13': '(TLS1.3'}


class Client(tls_lab.TLSLab):
    """lab_tls connects to gnutls-serv, which answers with what it got."""

    def serve(self, *words, identity=True):
        self.require('gnutls-serv')
        port = next(self.ports)
        shown = ('--x509certfile', self.server, '--x509keyfile', self.server_key) if identity else ()
        server = self.run_program('gnutls-serv', '--echo', '--port', port, *shown, *words)
        self.wait_for_port(port)
        server.port = port
        return server

    def test_versions(self):
        for version, number in VERSIONS.items():
            server = self.serve('--priority', PRIORITY[version])
            client = self.our_client(server.port)
            self.assertEqual(self.connect(client)[0], number)
            self.exchange(client, 'hello', 'hello')
            self.disconnect(client)

    def test_alpn(self):
        server = self.serve('--alpn', 'h2', '--alpn-fatal')
        client = self.our_client(server.port, '-A', 'http/1.1', '-A', 'h2')
        self.assertEqual(self.connect(client)[2], 'h2')
        client = self.our_client(server.port, '-A', 'other')
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2], 'tls')

    def test_client_certificate(self):
        for version in VERSIONS:
            server = self.serve('--priority', PRIORITY[version], '--x509cafile', self.ca, '--require-client-cert',
                                '--verify-client-cert')
            client = self.our_client(server.port, '-c', self.client, '-k', self.client_key)
            self.connect(client)
            self.exchange(client, 'me', 'me')

    def test_key(self):
        secrets = self.write('secrets', '%s:%s\n' % (KEY_NAME, KEY.encode().hex()))
        for version in VERSIONS:
            server = self.serve('--priority', PSK[version], '--pskpasswd', secrets, identity=False)
            client = self.our_client(server.port, '-p', KEY_NAME + ':' + KEY, trusts=False)
            self.assertEqual(self.connect(client)[0], VERSIONS[version])
            self.exchange(client, 'secret', 'secret')


class Server(tls_lab.TLSLab):
    """gnutls-cli connects to lab_tls."""

    def call(self, server, *words, anonymous=False):
        self.require('gnutls-cli')
        trust = ('--insecure',) if anonymous else ('--x509cafile', self.ca)
        return self.run_program('gnutls-cli', '127.0.0.1', '--port', server.port, *trust, *words)

    def talk(self, client, text='hello'):
        client.wait_for('Simple Client Mode')
        client.say(text + '\n')
        client.wait_for('re:' + text)

    def test_versions(self):
        server = self.our_server()
        for version, number in VERSIONS.items():
            client = self.call(server, '--priority', PRIORITY[version])
            self.talk(client)
            self.assertEqual(self.session(server)[0], number)
            self.assertIn('The certificate is trusted', client.text)
            self.assertIn(DESCRIBED[version], client.text)
            client.process.stdin.close()  # says close_notify
            server.wait_for('finished')

    def test_alpn(self):
        server = self.our_server('-A', 'h2')
        client = self.call(server, '--alpn', 'http/1.1', '--alpn', 'h2')
        client.wait_for('Application protocol: h2')
        self.assertEqual(self.session(server)[2], 'h2')

    def test_client_certificate(self):
        server = self.our_server('-r', '-a', self.ca)
        for version in VERSIONS:
            client = self.call(server, '--priority', PRIORITY[version], '--x509certfile', self.client, '--x509keyfile',
                               self.client_key)
            self.talk(client)
            self.session(server)
            self.assertIn('peer CN=Test client', server.lines)

    def test_key(self):
        server = self.our_server('-p', KEY_NAME + ':' + KEY, identity=False)
        for version in VERSIONS:
            client = self.call(server, '--priority', PSK[version], '--pskusername', KEY_NAME, '--pskkey',
                               KEY.encode().hex(), anonymous=True)
            self.talk(client, 'secret')
            self.assertEqual(self.session(server)[0], VERSIONS[version])


if __name__ == '__main__':
    tls_lab.main()
