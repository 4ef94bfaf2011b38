"""Sessions of TLS that are resumed, and early data, with openssl, GnuTLS's programs, nginx and Python, both roles."""
import socket
import ssl

import lab
import tls_lab
from tls_lab import VERSIONS

PRIORITY = {'12': 'NORMAL:-VERS-ALL:+VERS-TLS1.2', '13': 'NORMAL:-VERS-ALL:+VERS-TLS1.3'}
NUMBERS = {'12': ssl.TLSVersion.TLSv1_2, '13': ssl.TLSVersion.TLSv1_3}
NGINX = '''
ssl_certificate %s;
ssl_certificate_key %s;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_cache shared:lab:1m;
ssl_early_data on;
default_type text/plain;
return 200 "early=$ssl_early_data reused=$ssl_session_reused";
'''


class Client(tls_lab.TLSLab):
    """lab_tls connects twice, and once more."""

    def check(self, port, answer, *words):
        client = self.our_client(port, *words)
        for expected in ('full', 'resumed', 'resumed'):
            self.assertEqual(self.connect(client)[3], expected)
            self.exchange(client, 'again', answer)  # the ticket of TLS 1.3 has come then
            self.disconnect(client)

    def test_openssl(self):
        for version in VERSIONS:
            self.check(self.serve_openssl('-rev', '-tls1_' + version[1]).port, 'niaga')

    def test_gnutls(self):
        self.require('gnutls-serv')
        for version in VERSIONS:
            port = next(self.ports)
            self.run_program('gnutls-serv', '--echo', '--port', port, '--x509certfile', self.server, '--x509keyfile',
                             self.server_key, '--priority', PRIORITY[version])
            self.wait_for_port(port)
            self.check(port, 'again')

    def get(self, client):
        client.tell('send GET / HTTP/1.0')
        client.tell('send ')
        client.wait_for('finished')

    def test_nginx(self):
        port = self.serve_nginx(NGINX % (self.server, self.server_key))
        for version in VERSIONS:
            client = self.our_client(port, '-M', version)
            for expected in ('full', 'resumed'):
                self.assertEqual(self.connect(client)[3], expected)
                self.get(client)
                self.disconnect(client)

    def test_early_data(self):
        """The second connection's idempotent content comes before the handshake has ended."""
        server = self.serve_openssl('-tls1_3', '-early_data', '-no_anti_replay')
        client = self.our_client(server.port, '-e')
        for text, expected in (('one', ['full', 'late']), ('two', ['resumed', 'early'])):
            client.tell('connect')
            client.tell('early ' + text)
            self.assertEqual(self.session(client)[3:], expected)
            server.wait_for(text)
            client.tell('send more ' + text)
            server.wait_for('more ' + text)
            server.say('answer ' + text + '\n')  # behind the tickets
            client.wait_for('got answer ' + text)
            self.disconnect(client)
        self.assertEqual(server.text.count('Early data received'), 1)

    def test_refused_early_data(self):
        """A server that takes none gets the content after the handshake, once."""
        client = self.our_client(self.serve_openssl('-tls1_3', '-rev').port, '-e')
        for expected in (['full', 'late'], ['resumed', 'late']):
            client.tell('connect')
            client.tell('early once')
            self.assertEqual(self.session(client)[3:], expected)
            client.tell('send ')
            self.assertEqual(client.wait_for('got'), 'got ecno')
            self.disconnect(client)


class Server(tls_lab.TLSLab):
    """Others connect to lab_tls, each time from a new process or with a kept session."""

    def test_openssl(self):
        self.require('openssl')
        server = self.our_server()
        for version in VERSIONS:
            kept = self.file('session' + version)
            for words, expected in ((('-sess_out', kept), 'full'), (('-sess_in', kept), 'resumed')):
                client = self.run_program('openssl', 's_client', '-connect', '127.0.0.1:%d' % server.port, '-CAfile',
                                          self.ca, '-tls1_' + version[1], *words)
                client.say('hello\n')
                client.wait_for('re:hello')
                self.assertEqual(self.session(server)[3], expected)
                client.say('Q\n')
                client.process.wait(lab.DEADLINE)

    def test_gnutls(self):
        """gnutls-cli --resume connects, and again with what it got."""
        self.require('gnutls-cli')
        server = self.our_server()
        for version in VERSIONS:
            client = self.run_program('gnutls-cli', '127.0.0.1', '--port', server.port, '--x509cafile', self.ca,
                                      '--priority', PRIORITY[version], '--resume', '--waitresumption')
            self.assertEqual(self.session(server)[3], 'full')
            self.assertEqual(self.session(server)[3], 'resumed')
            client.say('hello\n')
            client.wait_for('re:hello')
            self.assertIn('*** This is a resumed session', client.text)

    def test_python(self):
        server = self.our_server()
        for version in VERSIONS:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(self.ca)
            context.minimum_version = context.maximum_version = NUMBERS[version]
            session = None
            for reused in (False, True):
                with self.space.call(socket.socket) as plain:
                    plain.settimeout(lab.DEADLINE)
                    plain.connect(('127.0.0.1', server.port))
                    with context.wrap_socket(plain, server_hostname='localhost', session=session) as connection:
                        connection.sendall(b'hello\n')
                        self.assertEqual(connection.recv(100), b're:hello\n')
                        self.assertEqual(connection.session_reused, reused)
                        session = connection.session
                self.assertEqual(self.session(server)[3], 'resumed' if reused else 'full')

    def test_early_data(self):
        self.require('openssl')
        server = self.our_server('-e')
        kept, early = self.file('early-session'), self.write('early', 'first of all\n')
        for words, expected in ((('-sess_out', kept), ['full', 'late']),
                                (('-sess_in', kept, '-early_data', early), ['resumed', 'early'])):
            client = self.run_program('openssl', 's_client', '-connect', '127.0.0.1:%d' % server.port, '-CAfile',
                                      self.ca, '-tls1_3', *words)
            if 'early' in expected:
                client.wait_for('re:first of all')
                client.wait_for('Early data was accepted')
            client.say('hello\n')
            client.wait_for('re:hello')
            self.assertEqual(self.session(server)[3:], expected)
            if 'early' in expected:
                self.assertEqual(server.wait_for('got'), 'got first of all')
            self.assertEqual(server.wait_for('got'), 'got hello')
            client.say('Q\n')
            client.process.wait(lab.DEADLINE)

    @staticmethod
    def first_flight(connection):
        """A client's records up to the first of early data (type 23) and with it, as they are."""
        flight = b''
        while True:
            record = b''
            while len(record) < 5 or len(record) < 5 + int.from_bytes(record[3:5], 'big'):
                wanted = 5 if len(record) < 5 else 5 + int.from_bytes(record[3:5], 'big')
                piece = connection.recv(wanted - len(record))
                if not piece:
                    raise AssertionError('the client ended after %d octets' % len(flight))
                record += piece
            flight += record
            if record[0] == 23:
                return flight

    def test_replayed_early_data(self):
        """What an attacker has heard, he can send again (RFC 8446 section 8), but not end the handshake: before it has
        ended, nothing is delivered."""
        self.require('openssl')
        server = self.our_server('-e')
        kept, early = self.file('replayed-session'), self.write('early', 'pay once\n')
        client = self.run_program('openssl', 's_client', '-connect', '127.0.0.1:%d' % server.port, '-CAfile', self.ca,
                                  '-tls1_3', '-sess_out', kept)
        client.say('hello\n')
        client.wait_for('re:hello')
        self.session(server)
        client.say('Q\n')
        client.process.wait(lab.DEADLINE)

        relay, *attackers = [self.space.call(socket.socket) for _ in range(3)]
        for s in (relay, *attackers):
            self.addCleanup(s.close)
            s.settimeout(lab.DEADLINE)
        relay.bind(('127.0.0.1', 0))
        relay.listen()
        self.run_program('openssl', 's_client', '-connect', '127.0.0.1:%d' % relay.getsockname()[1], '-CAfile', self.ca,
                         '-tls1_3', '-sess_in', kept, '-early_data', early)
        victim, _ = relay.accept()
        with victim:
            victim.settimeout(lab.DEADLINE)
            flight = self.first_flight(victim)
        for s in attackers:
            s.connect(('127.0.0.1', server.port))
            s.sendall(flight)
            self.assertEqual(s.recv(1), b'\x16')  # a ServerHello
            s.shutdown(socket.SHUT_WR)
            server.wait_for('state failed')
        self.assertNotIn('got pay once', server.lines)


if __name__ == '__main__':
    tls_lab.main()
