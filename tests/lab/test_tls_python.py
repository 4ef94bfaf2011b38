"""TLS with Python's ssl (OpenSSL): how connections end, much data both ways, certificates, what a peer does wrong."""
import socket
import ssl
import threading
import warnings

import lab
import tls_lab
from tls_lab import VERSIONS

NUMBERS = {'12': ssl.TLSVersion.TLSv1_2, '13': ssl.TLSVersion.TLSv1_3}
SIZES = 1, 2, 16383, 16384, 16385, 100000, 3 << 20  # octets, around a record's most


class Python(tls_lab.TLSLab):
    def context(self, is_server, version=None, identity=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        if version:
            context.minimum_version = context.maximum_version = NUMBERS[version]
        if identity or is_server:
            context.load_cert_chain(*(identity or (self.server, self.server_key)))
        return context

    def serve(self, context, talk):
        """Calls talk(connection) for one connection, in a thread; returns the port."""
        def open_socket():
            listener = socket.socket()
            listener.bind(('127.0.0.1', 0))
            listener.listen(8)
            listener.settimeout(lab.DEADLINE)
            return listener
        listener = self.space.call(open_socket)
        self.addCleanup(listener.close)

        def run():
            try:
                plain, _ = listener.accept()
                with plain:  # empty once it is wrapped
                    plain.settimeout(lab.DEADLINE)
                    with context.wrap_socket(plain, server_side=True) as connection:
                        talk(connection)
            except OSError as error:
                self.said.append(str(error))
        self.said = []
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join, lab.DEADLINE)
        return listener.getsockname()[1]

    def call(self, server, context):
        plain = self.space.call(socket.socket)
        self.addCleanup(plain.close)
        plain.settimeout(lab.DEADLINE)
        plain.connect(('127.0.0.1', server.port))
        connection = context.wrap_socket(plain, server_hostname='localhost')
        self.addCleanup(connection.close)
        return connection

    def read_all(self, connection):
        pieces = []
        while True:
            piece = connection.recv(65536)
            if not piece:
                return b''.join(pieces)
            pieces.append(piece)


class Client(Python):
    """lab_tls connects."""

    def test_end_by_the_server(self):
        for version in VERSIONS:
            def talk(connection):
                connection.sendall(b'bye\n')
                connection.unwrap().close()
            client = self.our_client(self.serve(self.context(True, version), talk))
            self.connect(client)
            client.wait_for('got bye')
            client.wait_for('finished 4')

    def test_truncation(self):
        """The stream below ends without close_notify: never the end of the data."""
        for version in VERSIONS:
            def talk(connection):
                connection.sendall(b'half\n')
                plain = socket.socket(fileno=connection.detach())
                plain.shutdown(socket.SHUT_WR)
                plain.recv(100)
                plain.close()
            client = self.our_client(self.serve(self.context(True, version), talk))
            self.connect(client)
            client.wait_for('got half')
            words = client.wait_for('broken').split()
            self.assertIn(words[1:], (['tls', '-9816', '5'], ['tls', '-9805', '5']))
            self.assertFalse(any(line.startswith('finished') for line in client.lines))

    def test_half_close(self):
        """TLS 1.3: our end is said, and the peer's text still comes (RFC 8446 section 6.1)."""
        heard = []

        def talk(connection):
            heard.append(self.read_all(connection))
            connection.sendall(b'after your end\n')
            connection.unwrap().close()
        client = self.our_client(self.serve(self.context(True, '13'), talk))
        self.connect(client)
        client.tell('send last words')
        client.tell('end')
        client.wait_for('got after your end')
        client.wait_for('finished 15')
        self.assertEqual(heard, [b'last words\n'])

    def test_much(self):
        def talk(connection):
            for size in SIZES:
                connection.sendall(bytes(size))
            connection.unwrap().close()
        for version in VERSIONS:
            client = self.our_client(self.serve(self.context(True, version), talk))
            self.connect(client)
            self.assertEqual(client.wait_for('finished').split()[1], str(sum(SIZES)))

    def test_name(self):
        """The certificate is for localhost and addresses, not for what is asked."""
        def talk(connection):
            connection.recv(1)
        client = self.our_client(self.serve(self.context(True), talk), '-n', 'other.example')
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2:], ['tls', '-9843'])

    def test_old_version(self):
        context = self.context(True)
        context.set_ciphers('DEFAULT@SECLEVEL=0')
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        client = self.our_client(self.serve(context, lambda connection: None))
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2], 'tls')

    def test_not_tls(self):
        class Plain:
            @staticmethod
            def wrap_socket(plain, server_side):
                plain.sendall(b'220 mail.example ESMTP ready\r\n')
                return plain
        client = self.our_client(self.serve(Plain, lambda connection: connection.recv(1000)))
        client.tell('connect')
        self.assertEqual(client.wait_for('state waiting').split()[2], 'tls')

    def test_identities_of_nwcert(self):
        """Files, and a PKCS #12 store, are shown and taken."""
        password = self.write('password', 'open\n')
        for kind, store in (('p256', True), ('ed25519', False)):
            lab.subprocess.run([tls_lab.NWCERT, 'client', '--dir', self.folder, '--out', kind, '--key', kind,
                                *(('--p12', password) if store else ()), 'someone'],
                               check=True, stdout=lab.subprocess.DEVNULL)
            files = [('-c', self.file(kind + '.pem'), '-k', self.file(kind + '-key.pem'))]
            if store:
                files.append(('-c', self.file(kind + '.p12'), '-w', 'open'))
            for words in files:
                context = self.context(True)
                context.verify_mode = ssl.CERT_REQUIRED
                names = []
                client = self.our_client(self.serve(context, lambda c: names.append(c.getpeercert()['subject'])), *words)
                self.connect(client)
                lab.wait_until(lambda: names or self.said, 'a client of kind ' + kind)
                self.assertEqual((names, self.said), ([((('commonName', 'someone'),),)], []))


class Server(Python):
    """Python's ssl connects to lab_tls."""

    def test_end_by_the_client(self):
        server = self.our_server()
        for version in VERSIONS:
            connection = self.call(server, self.context(False, version))
            self.session(server)
            connection.sendall(b'bye\n')
            self.assertEqual(connection.recv(100), b're:bye\n')
            connection.unwrap().close()  # waits for our end, too
            server.wait_for('finished 4')

    def test_truncation(self):
        server = self.our_server()
        for version in VERSIONS:
            connection = self.call(server, self.context(False, version))
            self.session(server)
            connection.sendall(b'half\n')
            self.assertEqual(connection.recv(100), b're:half\n')
            socket.socket(fileno=connection.detach()).close()
            words = server.wait_for('broken').split()
            self.assertIn(words[1:], (['tls', '-9816', '5'], ['tls', '-9805', '5']))

    def test_much(self):
        """Records of every size, whichever way they are cut."""
        server = self.our_server()
        connection = self.call(server, self.context(False))
        self.session(server)
        for size in SIZES:
            connection.sendall(bytes(size))
        try:
            connection.unwrap().close()
        except OSError:
            pass
        self.assertEqual(server.wait_for('finished').split()[1], str(sum(SIZES)))

    def test_untrusted_client(self):
        """A certificate by another CA."""
        lab.subprocess.run([tls_lab.NWCERT, 'set', '--dir', self.file('strangers'), 'stranger'], check=True,
                           stdout=lab.subprocess.DEVNULL)
        stranger = [self.file('strangers/client' + end) for end in ('.pem', '-key.pem')]
        server = self.our_server('-r', '-a', self.ca)
        for version in VERSIONS:
            with self.assertRaises(OSError):
                connection = self.call(server, self.context(False, version, stranger))
                connection.recv(1)  # TLS 1.3: the client is ready before it is judged
            self.assertEqual(server.wait_for('state failed').split()[2], 'tls')


if __name__ == '__main__':
    tls_lab.main()
