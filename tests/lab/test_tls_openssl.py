"""TLS with openssl s_server and s_client: versions, ALPN, suites, keys, certificates."""
import os

import tls_lab
from tls_lab import KEY, KEY_NAME, VERSIONS

PSK = ('-psk', KEY.encode().hex(), '-psk_identity', KEY_NAME)


class Client(tls_lab.TLSLab):
    """lab_tls connects to openssl s_server, which answers each line backwards."""

    def serve(self, *words, identity=True):
        return self.serve_openssl('-rev', *words, identity=identity)

    def test_versions(self):
        for version, number in VERSIONS.items():
            server = self.serve('-tls1_' + version[1])
            client = self.our_client(server.port)
            self.assertEqual(self.connect(client)[0], number)
            self.assertIn('peer CN=localhost', client.lines)
            self.exchange(client, 'hello', 'olleh')
            self.disconnect(client)
            server.wait_for('CONNECTION CLOSED')

    def test_alpn(self):
        server = self.serve('-alpn', 'h2,http/1.1')
        client = self.our_client(server.port, '-A', 'http/1.1', '-A', 'h2')
        self.assertEqual(self.connect(client)[2], 'h2')  # the server's order

    def test_a_server_that_has_only_cbc(self):
        """Suites that are appended are offered besides the usual ones."""
        for name, number in (('ECDHE-ECDSA-AES128-SHA256', 'c023'), ('ECDHE-ECDSA-AES256-SHA384', 'c024')):
            server = self.serve('-tls1_2', '-cipher', name)
            client = self.our_client(server.port, '-s', number)
            self.assertEqual(self.connect(client)[1], number)
            self.exchange(client, 'cbc', 'cbc'[::-1])

    def test_client_certificate(self):
        for version in VERSIONS:
            server = self.serve('-tls1_' + version[1], '-Verify', 1, '-verify_return_error', '-CAfile', self.ca)
            client = self.our_client(server.port, '-c', self.client, '-k', self.client_key)
            self.connect(client)
            self.exchange(client, 'me', 'em')
            server.wait_for('CN = Test client')

    def test_missing_client_certificate(self):
        server = self.serve('-tls1_2', '-Verify', 1, '-verify_return_error', '-CAfile', self.ca)
        client = self.our_client(server.port)
        client.tell('connect')
        self.assertIn(client.wait_for('state waiting').split()[2:], (['tls', '-9824'],))

    def test_key(self):
        for words, ours in ((('-tls1_2', '-cipher', 'PSK-AES128-GCM-SHA256'), ('-M', 12, '-s', 'a8')),
                            (('-tls1_3',), ())):
            server = self.serve(*PSK, *words, identity=False)
            client = self.our_client(server.port, '-p', KEY_NAME + ':' + KEY, *ours, trusts=False)
            self.connect(client)
            self.exchange(client, 'secret', 'terces')

    def test_wrong_key(self):
        server = self.serve(*PSK, '-tls1_3', identity=False)
        client = self.our_client(server.port, '-p', KEY_NAME + ':another', trusts=False)
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2], 'tls')

    def test_hello_retry(self):
        """A server that has only a group whose key was not sent with the ClientHello (RFC 8446 section 4.1.4)."""
        server = self.serve('-tls1_3', '-groups', 'P-521')
        client = self.our_client(server.port)
        self.assertEqual(self.connect(client)[0], VERSIONS['13'])
        self.exchange(client, 'twice', 'eciwt')

    def test_unknown_ca(self):
        server = self.serve()
        client = self.our_client(server.port, trusts=False)
        client.tell('connect')
        self.assertIn(client.wait_for('state waiting').split()[3], ('-9812', '-9813', '-9807'))


class Server(tls_lab.TLSLab):
    """openssl s_client connects to lab_tls."""

    def call(self, server, *words, anonymous=False):
        self.require('openssl')
        trust = () if anonymous else ('-CAfile', self.ca, '-verify_return_error')
        return self.run_program('openssl', 's_client', '-connect', '127.0.0.1:%d' % server.port, *trust, *words)

    def talk(self, client, text='hello'):
        client.say(text + '\n')
        client.wait_for('re:' + text)

    def test_versions(self):
        server = self.our_server()
        for version, number in VERSIONS.items():
            client = self.call(server, '-tls1_' + version[1])
            self.talk(client)
            self.assertEqual(self.session(server)[0], number)
            self.assertIn('Verify return code: 0 (ok)', client.text)
            client.say('Q\n')
            server.wait_for('finished')

    def test_alpn(self):
        server = self.our_server('-A', 'h2', '-A', 'http/1.1')
        client = self.call(server, '-alpn', 'http/1.1,h2')
        client.wait_for('ALPN protocol: ')
        chosen = self.session(server)[2]
        self.assertIn('ALPN protocol: ' + chosen, client.text)

    def test_client_certificate(self):
        server = self.our_server('-r', '-a', self.ca)
        for version in VERSIONS:
            client = self.call(server, '-tls1_' + version[1], '-cert', self.client, '-key', self.client_key)
            self.talk(client)
            self.session(server)
            self.assertIn('peer CN=Test client', server.lines)
            self.assertIn('CN = Test CA', client.text.split('Acceptable client certificate CA names')[1])

    def test_missing_client_certificate(self):
        server = self.our_server('-r', '-a', self.ca)
        for version in VERSIONS:
            client = self.call(server, '-tls1_' + version[1])
            client.wait_for('alert')
            self.assertEqual(server.wait_for('state failed').split()[2], 'tls')

    def test_key_in_a_token(self):
        """The key stays in a token (SoftHSM), which signs each handshake."""
        self.require('softhsm2-util')
        os.mkdir(self.file('tokens'))
        config = self.write('softhsm2.conf', 'directories.tokendir = %s\nlog.level = ERROR\n' % self.file('tokens'))
        settings = dict(os.environ, SOFTHSM2_CONF=config, NW_LOG='info')
        for words in (('--init-token', '--free', '--label', 'lab', '--so-pin', '1234', '--pin', '4321'),
                      ('--import', self.server_key, '--token', 'lab', '--label', 'server', '--id', '01', '--pin', '4321')):
            tls_lab.subprocess.run(['softhsm2-util', *words], env=settings, check=True,
                                   stdout=tls_lab.subprocess.DEVNULL)
        process = self.spawn(self.space.inside(
            tls_lab.PEER, '-l', '-c', self.server, '-k', 'pkcs11:token=lab;object=server;type=private', '-w', '4321',
            '127.0.0.1', 0), env=settings)
        server = tls_lab.lab.Peer(process)
        server.port = int(server.wait_for('port').split()[1])
        for version, number in VERSIONS.items():
            self.talk(self.call(server, '-tls1_' + version[1]))
            self.assertEqual(self.session(server)[0], number)

    def test_key(self):
        server = self.our_server('-p', KEY_NAME + ':' + KEY, '-s', 'a8', identity=False)
        for words in (('-tls1_2', '-cipher', 'PSK-AES128-GCM-SHA256'), ('-tls1_3',)):
            client = self.call(server, *PSK, *words, anonymous=True)
            self.talk(client, 'secret')
            self.session(server)

    def test_hello_retry(self):
        server = self.our_server()
        self.talk(self.call(server, '-tls1_3', '-groups', 'P-521:P-256'))
        self.assertEqual(self.session(server)[0], VERSIONS['13'])

    def test_kinds_of_keys(self):
        for kind in ('p384', 'ed25519', 'rsa2048'):
            tls_lab.subprocess.run([tls_lab.NWCERT, 'server', '--dir', self.folder, '--out', kind, '--key', kind,
                                    'localhost', '127.0.0.1'], check=True, stdout=tls_lab.subprocess.DEVNULL)
            server = self.our_server('-c', self.file(kind + '.pem'), '-k', self.file(kind + '-key.pem'), identity=False)
            for version, number in VERSIONS.items():
                self.talk(self.call(server, '-tls1_' + version[1]))
                self.assertEqual(self.session(server)[0], number)

    def test_key_update(self):
        """s_client's "K": new keys, and the same asked of us (RFC 8446 section 4.6.3)."""
        server = self.our_server()
        client = self.call(server, '-tls1_3')
        self.talk(client, 'before')
        for count, text in enumerate(('after', 'and again'), 1):
            client.say('K\n')  # alone in what it reads
            client.wait_for('KEYUPDATE\n' if count == 1 else 're:after\nKEYUPDATE\n')
            self.talk(client, text)
        client.say('Q\n')
        server.wait_for('finished')

    def test_renegotiation_is_refused(self):
        """s_client's "R": TLS 1.2 has it, we do not by default; what it ends with is an error, not an end."""
        server = self.our_server()
        client = self.call(server, '-tls1_2')
        self.talk(client)
        client.say('R\n')
        client.wait_for('RENEGOTIATING')
        words = server.wait_for('broken').split()
        self.assertEqual(words[1], 'tls')


if __name__ == '__main__':
    tls_lab.main()
