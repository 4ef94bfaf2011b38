"""nwcat with TLS, against itself, OpenSSL and Python's ssl on loopback; the programs of examples/ for TLS."""
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

from support import DEADLINE, Case, Server, free_port, read_all, wait_bound

NWCERT = os.environ.get('NWCERT', 'build/tools/nwcert')
EXAMPLES = os.environ.get('TLS_EXAMPLES', 'build/examples')
CERTS = None  # a folder with ca, server and client of nwcert, made once


def setUpModule():
    global CERTS
    CERTS = tempfile.mkdtemp(prefix='nwcat-tls-')
    with open(os.path.join(CERTS, 'password'), 'w') as file:
        file.write('open sesame\n')
    subprocess.run([NWCERT, 'set', '--dir', CERTS, '--p12', os.path.join(CERTS, 'password'), 'localhost', '127.0.0.1',
                    '::1'], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([NWCERT, 'server', '--dir', CERTS, '--out', 'old', '--expired', '127.0.0.1'], check=True,
                   stdout=subprocess.DEVNULL)


def tearDownModule():
    shutil.rmtree(CERTS, True)


def cert(name):
    return os.path.join(CERTS, name)


class TlsCase(Case):
    def serve(self, *words):
        """nwcat -l that says nothing, and its port."""
        return self.listen(*words, stdin=subprocess.DEVNULL)

    def exchange(self, server, client, data=b'over and out\n', status=0, server_status=0):
        """One connection between two nwcats; returns what both said on standard error."""
        process, port = self.serve(*server)
        result = self.run_nwcat(*client, '127.0.0.1', port, data=data, status=status)
        out, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, server_status, err)
        if status == 0:
            self.assertEqual(out, data)
        return result.stderr.decode(), err.decode()

    def setUp(self):
        super().setUp()
        self.identity = ('-t', '--cert', cert('server.pem'))
        self.trusting = ('-t', '--ca', cert('ca.pem'))


class BetweenTwo(TlsCase):
    def test_both_ways(self):
        process, port = self.listen(*self.identity)
        client = self.nwcat(*self.trusting, 'localhost', port)
        process.stdin.write(b'from the listener')
        process.stdin.close()
        self.assertEqual(client.communicate(b'from the client', timeout=DEADLINE)[0], b'from the listener')
        process.stdin = None
        self.assertEqual(self.end(process), b'from the client')

    def test_much(self):
        path = self.make_file('much', 5000000)
        process, port = self.serve(*self.identity, '-o', self.path('copy'))
        self.run_nwcat(*self.trusting, '-i', path, '127.0.0.1', port)
        self.end(process)
        with open(path, 'rb') as sent, open(self.path('copy'), 'rb') as received:
            self.assertTrue(sent.read() == received.read(), 'the copy differs')

    def test_what_was_agreed_on(self):
        said, heard = self.exchange((*self.identity, '-v', '--alpn', 'x,h2'), (*self.trusting, '-v', '--alpn', 'h2'))
        for text in (said, heard):
            self.assertRegex(text, r'nwcat: TLS 1\.3, TLS_\w+, protocol h2\n')

    def test_versions_and_suites(self):
        suite = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'
        said, _ = self.exchange(self.identity, (*self.trusting, '-v', '--tls-max', '1.2', '--ciphers', suite))
        self.assertIn('TLS 1.2, ' + suite, said)
        said, _ = self.exchange(self.identity, (*self.trusting, '-v', '--ciphers', '0x1303'))
        self.assertIn('TLS 1.3, TLS_CHACHA20_POLY1305_SHA256', said)
        said, _ = self.exchange((*self.identity, '--tls-min', '1.3'), (*self.trusting, '--tls-max', '1.2'), status=6,
                                server_status=6)
        self.assertRegex(said, r'cannot connect to 127\.0\.0\.1 port \d+: .*\(errSSLPeer\w+\)')

    def test_key_shared_beforehand(self):
        said, heard = self.exchange(('-k', 'sesame', '-v'), ('-tk', 'sesame', '-v'))
        for text in (said, heard):
            self.assertIn('nwcat: TLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256\n', text)
        said, _ = self.exchange(('-k', 'sesame', '--tls-min', '1.3'), ('-k', 'sesame', '--tls-min', '1.3', '-v'))
        self.assertRegex(said, r'TLS 1\.3, TLS_\w+')
        said, _ = self.exchange(('-k', 'sesame'), ('-k', 'simsim'), status=6, server_status=6)
        self.assertNotIn('simsim', said)

    def test_json(self):
        said, _ = self.exchange((*self.identity, '--alpn', 'h2'), (*self.trusting, '--json', '--show-certs', '--report',
                                                                    '--alpn', 'h2'))
        events = {event['event']: event for event in self.events(said.encode())}
        tls = events['tls']
        self.assertEqual((tls['connection'], tls['version'], tls['alpn'], tls['resumed'], tls['early_data']),
                         (1, 'TLS 1.3', 'h2', False, False))
        self.assertRegex(tls['suite'], '^TLS_')
        self.assertIsNone(tls['server_name'])  # an address is none
        chain = events['certificates']
        self.assertEqual((chain['trusted'], chain['status']), (True, 0))
        leaf = chain['chain'][0]
        self.assertEqual(leaf['subject'], 'CN=localhost')
        self.assertEqual(leaf['names'], ['dns:localhost', 'ip:127.0.0.1', 'ip:::1'])
        self.assertEqual(leaf['verdict'], 'trusted')
        names = [row['name'] for row in events['establishment_report']['protocols']]
        self.assertEqual(names, ['tcp', 'tls'])
        rows = events['timeline']['rows']
        self.assertEqual([(row['kind'], row['outcome']) for row in rows],
                         [('attempt', 'succeeded'), ('handshake', 'succeeded')])

    def test_report(self):
        said, _ = self.exchange(self.identity, (*self.trusting, '--report'))
        self.assertRegex(said, r'TLS handshake +[<\d]')
        self.assertRegex(said, r'TLS +.* secured')

    def test_probe(self):
        process, port = self.serve(*self.identity)
        result = self.run_nwcat('-z', '-v', *self.trusting, '127.0.0.1', port)
        self.assertRegex(result.stdout.decode(), r'^127\.0\.0\.1 %d/tcp open \(TLS 1\.3, \w+\) ' % port)
        self.end(process)
        process, port = self.serve(*self.identity)
        result = self.run_nwcat('-z', '-t', '127.0.0.1', port, status=6)
        self.assertIn('not trusted', result.stderr.decode())
        self.end(process, status=6)

    def test_datagrams(self):
        for server, client in ((('-k', 'sesame'), ('-k', 'sesame')), (self.identity, self.trusting)):
            process, port = self.listen('-u', '-v', *server)
            client = self.nwcat('-u', '-v', '-q', '0.2', *client, '127.0.0.1', port)
            client.stdin.write(b'one datagram')
            client.stdin.flush()
            self.assertEqual(os.read(process.stdout.fileno(), 100), b'one datagram')
            process.stdin.write(b'and one back')
            process.stdin.flush()
            self.assertEqual(os.read(client.stdout.fileno(), 100), b'and one back')
            _, err = client.communicate(timeout=DEADLINE)
            self.assertEqual(client.returncode, 0, err)
            self.assertRegex(err.decode(), r'DTLS 1\.2, TLS_\w+')
            self.assertRegex(err.decode(), r'secured +DTLS')
            self.end(process)  # the client has said that it goes

    def test_datagrams_refused(self):
        said, _ = self.exchange(('-u', '-k', 'sesame'), ('-u', '-k', 'simsim'), status=6, server_status=6)
        self.assertIn('errSSLUnknownPSKIdentity', said)
        process, port = self.serve('-u', *self.identity)
        result = self.run_nwcat('-z', '-u', *self.trusting, '--server-name', 'other.example', '127.0.0.1', port, status=6)
        self.assertIn("'other.example'", result.stderr.decode())
        self.end(process, status=6)

    def test_unix_socket(self):
        path = self.path('socket')
        process = self.nwcat('-l', '-v', '-U', *self.identity, path, stdin=subprocess.DEVNULL)
        self.assertIn(b'listening', process.stderr.readline())
        self.run_nwcat('-U', *self.trusting, '--server-name', 'localhost', path, data=b'near')
        self.assertEqual(self.end(process), b'near')


class Trust(TlsCase):
    def refused(self, *words, server=None, reason):
        said, _ = self.exchange(server or self.identity, words, status=6, server_status=6)
        self.assertEqual(said.count('\n'), 1, said)
        self.assertRegex(said, r'^nwcat: cannot connect to 127\.0\.0\.1 port \d+: certificate not trusted: .*' + reason)

    def test_reasons(self):
        self.refused('-t', reason='CN=localhost.*issuer')
        self.refused(*self.trusting, '--server-name', 'other.example', reason="CN=localhost.*'other.example'")
        self.refused(*self.trusting, server=('-t', '--cert', cert('old.pem')), reason='expired')

    def test_insecure_is_loud(self):
        said, _ = self.exchange(('-t', '--cert', cert('old.pem')), ('-t', '--insecure'))
        self.assertEqual(said.count('WARNING'), 2, said)
        self.assertIn('--insecure', said)
        self.assertIn('expired', said)

    def test_show_certs(self):
        said, _ = self.exchange(self.identity, (*self.trusting, '--show-certs'))
        for text in ('the peer sent 1 certificate: trusted', 'CN=localhost', 'CN=Test CA', 'dns:localhost', '256 bits'):
            self.assertIn(text, said)
        self.assertRegex(said, r'verdict +trusted')
        said, _ = self.exchange(('-t', '--cert', cert('old.pem')), (*self.trusting, '--show-certs'), status=6,
                                server_status=6)
        self.assertRegex(said, r'not trusted: .*expired')
        self.assertRegex(said, r'verdict +.*expired')

    def test_clients_certificate(self):
        server = (*self.identity, '--ca', cert('ca.pem'))
        _, heard = self.exchange((*server, '--show-certs'), (*self.trusting, '--cert', cert('client.pem')))
        self.assertIn('CN=Test client', heard)
        said, heard = self.exchange(server, self.trusting, status=6, server_status=6)
        self.assertIn('errSSLCertificateRequired', said)
        self.assertIn('errSSLCertificateRequired', heard)
        # A certificate of another CA, and one for servers.
        other = tempfile.mkdtemp(dir=self.folder)
        subprocess.run([NWCERT, 'set', '--dir', other, 'localhost'], check=True, stdout=subprocess.DEVNULL)
        for path in (os.path.join(other, 'client.pem'), cert('server.pem')):
            _, heard = self.exchange(server, (*self.trusting, '--cert', path), status=6, server_status=6)
            self.assertRegex(heard, r'no session with 127\.0\.0\.1:\d+: certificate not trusted: ')

    def test_store_with_password(self):
        self.exchange(('-t', '--cert', cert('server.p12'), '--password-file', cert('password')), self.trusting)

    def test_files_that_are_wrong(self):
        for words, name in ((('--ca', cert('none.pem')), 'none.pem'), (('--ca', cert('server-key.pem')), 'server-key.pem'),
                            (('--cert', cert('none.pem')), 'none.pem'),
                            (('--cert', cert('server.pem'), '--key', cert('client-key.pem')), 'client-key.pem'),
                            (('--cert', cert('server.p12'), '--password-file', cert('ca.pem')), 'server.p12'),
                            (('--cert', cert('server.p12'), '--password-file', cert('none')), 'none')):
            with self.subTest(words=words):
                said = self.run_nwcat('-t', *words, '127.0.0.1', '1', status=5).stderr.decode()
                self.assertIn(name, said)
                self.assertEqual(said.count('\n'), 1, said)


class Others(TlsCase):
    """What OpenSSL and Python's ssl, which is OpenSSL's too, make of it."""

    def python_server(self, serve, **settings):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert('server.pem'), cert('server-key.pem'))
        for name, value in settings.items():
            setattr(context, name, value)

        def with_tls(connection):
            with context.wrap_socket(connection, server_side=True) as secured:
                serve(secured)
        return Server(with_tls)

    def test_client_of_python(self):
        def serve(connection):
            self.asked = read_all(connection)
            connection.sendall(b'heard')
            connection.unwrap()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.python_server(serve, maximum_version=version, minimum_version=version)
            result = self.run_nwcat(*self.trusting, 'localhost', server.port, data=b'a question')
            server.finish()
            self.assertEqual((self.asked, result.stdout), (b'a question', b'heard'))

    def test_an_end_without_notice_is_no_end(self):
        def serve(connection):
            connection.recv(100)
            connection.sendall(b'half of')
            raw = socket.socket(fileno=connection.detach())
            raw.shutdown(socket.SHUT_RDWR)
            raw.close()
        server = self.python_server(serve)
        result = self.run_nwcat(*self.trusting, '--no-shutdown', 'localhost', server.port, data=b'?', status=1)
        server.finish()
        self.assertEqual(result.stdout, b'half of')
        self.assertIn('errSSLClosedNoNotify', result.stderr.decode())

    def test_a_peer_without_tls(self):
        server = Server(lambda connection: connection.sendall(b'220 some other protocol\r\n' * 4))
        result = self.run_nwcat(*self.trusting, 'localhost', server.port, status=6)
        server.finish()
        self.assertRegex(result.stderr.decode(), r'^nwcat: cannot connect to localhost port \d+: .*\(errSSL\w+\)\n$')

    def test_server_of_python(self):
        process, port = self.listen(*self.identity, '--alpn', 'one,two', stdin=subprocess.DEVNULL)
        context = ssl.create_default_context(cafile=cert('ca.pem'))
        context.set_alpn_protocols(['two', 'three'])
        with socket.create_connection(('127.0.0.1', port), timeout=DEADLINE) as plain:
            with context.wrap_socket(plain, server_hostname='localhost') as secured:
                self.assertEqual(secured.selected_alpn_protocol(), 'two')
                secured.sendall(b'greetings')
                plain = secured.unwrap()
        self.assertEqual(self.end(process), b'greetings')

    def test_psk_of_openssl(self):
        """As Apple's sample does it: the key is its own identity, TLS 1.2, PSK-AES128-GCM-SHA256."""
        port = free_port()
        server = self.peer('openssl', 's_server', '-accept', '127.0.0.1:%d' % port, '-nocert', '-psk', 'sesame'.encode().hex(),
                           '-psk_identity', 'sesame', '-tls1_2', '-cipher', 'PSK-AES128-GCM-SHA256', '-naccept', '1',
                           '-quiet')
        wait_bound(port)
        self.run_nwcat('-k', 'sesame', '127.0.0.1', port, data=b'open\n')
        self.assertIn(b'open', server.communicate(timeout=DEADLINE)[0])
        process, port = self.listen('-k', 'sesame', stdin=subprocess.DEVNULL)
        client = self.peer('openssl', 's_client', '-connect', '127.0.0.1:%d' % port, '-psk', 'sesame'.encode().hex(),
                           '-psk_identity', 'sesame', '-tls1_2', '-quiet')
        client.communicate(b'open\n', timeout=DEADLINE)
        self.assertEqual(self.end(process), b'open\n')


class Examples(TlsCase):
    def example(self, name, *words, **options):
        path = os.path.join(EXAMPLES, name)
        if not os.path.exists(path):
            self.skipTest(name + ' is not built')
        return self.spawn(path, *words, **options)

    def server(self, *words):
        process = self.example('tls_server_f', '0', cert('server.pem'), cert('server-key.pem'), *words)
        line = process.stdout.readline().decode()
        self.assertRegex(line, r'^listening on port \d+\n$')
        return line.split()[-1]

    def test_client_and_server(self):
        port = self.server()
        client = self.example('tls_client', 'localhost', port, cert('ca.pem'))
        out, err = client.communicate(timeout=DEADLINE)
        self.assertEqual((client.returncode, out, err), (0, b'hello\n', b''))
        client = self.example('tls_client', 'localhost', port)  # its CA is none of the system's
        out, err = client.communicate(timeout=DEADLINE)
        self.assertEqual((client.returncode, out), (1, b''))
        self.assertIn(b'errSSL', err)

    def test_mutual(self):
        port = self.server(cert('ca.pem'))
        said = self.run_nwcat(*self.trusting, 'localhost', port, data=b'x', status=6).stderr.decode()
        self.assertIn('errSSLCertificateRequired', said)
        result = self.run_nwcat(*self.trusting, '--cert', cert('client.pem'), 'localhost', port, data=b'x')
        self.assertEqual(result.stdout, b'x')

    def test_pin(self):
        port = self.server()
        with open(cert('server.pem')) as file:
            der = ssl.PEM_cert_to_DER_cert(file.read())
        spki = subprocess.run(['openssl', 'x509', '-inform', 'DER', '-noout', '-pubkey'], input=der, check=True,
                              stdout=subprocess.PIPE).stdout
        key = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=spki, check=True,
                             stdout=subprocess.PIPE).stdout
        pin = hashlib.sha256(key).hexdigest()
        for given, status in ((pin, 0), ('00' + pin[2:], 1)):
            client = self.example('tls_pinned_f', 'localhost', port, given, cert('ca.pem'))
            client.communicate(timeout=DEADLINE)
            self.assertEqual(client.returncode, status)

    def test_asking(self):
        port = self.server()
        for answer, status in ((b'y\n', 0), (b'n\n', 1), (b'', 1)):
            client = self.example('tls_ask_f', 'localhost', port)
            out, _ = client.communicate(answer, timeout=DEADLINE)
            self.assertIn(b'CN=localhost', out)
            self.assertEqual(client.returncode, status)


if __name__ == '__main__':
    unittest.main(verbosity=2)
