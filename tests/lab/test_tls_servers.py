"""TLS with nginx and stunnel, each as server and as client."""
import socket

import lab
import tls_lab
from tls_lab import KEY, KEY_NAME, VERSIONS

SERVER = '''
ssl_certificate %(server)s;
ssl_certificate_key %(server_key)s;
'''


class Servers(tls_lab.TLSLab):
    def named(self, text):
        return text % {'folder': self.folder, 'ca': self.ca, 'server': self.server, 'server_key': self.server_key,
                       'client': self.client, 'client_key': self.client_key}

    def plain(self, port):
        s = self.space.call(socket.socket)
        self.addCleanup(s.close)
        s.settimeout(lab.DEADLINE)
        s.connect(('127.0.0.1', port))
        return s


class Nginx(Servers):
    def serve(self, settings, listen='ssl'):
        return self.serve_nginx(self.named(settings), listen)

    def get(self, client):
        client.tell('send GET / HTTP/1.0')
        client.tell('send ')  # an empty line
        return client.wait_for('got ')

    def test_versions(self):
        for version, number in VERSIONS.items():
            port = self.serve(SERVER + 'ssl_protocols TLSv1.%s; return 200 fine;' % version[1])
            client = self.our_client(port)
            self.assertEqual(self.connect(client)[0], number)
            self.assertEqual(self.get(client), 'got HTTP/1.1 200 OK')
            client.wait_for('finished')

    def test_alpn(self):
        port = self.serve(SERVER + 'return 200 fine;', 'ssl http2')
        client = self.our_client(port, '-A', 'h2', '-A', 'http/1.1')
        self.assertEqual(self.connect(client)[2], 'h2')

    def test_client_certificate(self):
        """nginx says in its answer whom it sees; without a certificate it says so over HTTP."""
        settings = SERVER + 'ssl_client_certificate %(ca)s; ssl_verify_client on; return 204;'
        port = self.serve(settings)
        for version in VERSIONS:
            client = self.our_client(port, '-c', self.client, '-k', self.client_key, '-M', version)
            self.connect(client)
            self.assertEqual(self.get(client), 'got HTTP/1.1 204 No Content')
            client = self.our_client(port, '-M', version)
            self.connect(client)
            self.assertEqual(self.get(client), 'got HTTP/1.1 400 Bad Request')

    def test_as_client(self):
        """nginx forwards to lab_tls, checks its name and shows a certificate."""
        server = self.our_server('-r', '-a', self.ca)
        port = self.serve('''
            location / {
                proxy_pass https://127.0.0.1:%d;
                proxy_ssl_verify on;
                proxy_ssl_trusted_certificate %%(ca)s;
                proxy_ssl_name localhost;
                proxy_ssl_server_name on;
                proxy_ssl_protocols TLSv1.2 TLSv1.3;
                proxy_ssl_certificate %%(client)s;
                proxy_ssl_certificate_key %%(client_key)s;
                proxy_read_timeout 2s;
            }''' % server.port, '')
        self.plain(port).sendall(b'GET /forwarded HTTP/1.0\r\n\r\n')
        self.assertEqual(self.session(server)[0], '0304')
        self.assertIn('peer CN=Test client', server.lines)
        self.assertEqual(server.wait_for('got'), 'got GET /forwarded HTTP/1.0')


class Stunnel(Servers):
    def begin(self, settings):
        self.require('stunnel4')
        port = next(self.ports)
        path = self.write('stunnel-%d.conf' % port, self.named(
            'foreground = yes\npid =\nsyslog = no\n[lab]\naccept = 127.0.0.1:%d\n' % port + settings))
        stunnel = self.run_program('stunnel4', path)
        try:
            self.wait_for_port(port)
        except AssertionError:
            raise AssertionError(stunnel.text) from None
        return port

    ECHO = 'exec = /bin/cat\nexecArgs = cat\n'
    IDENTITY = 'cert = %(server)s\nkey = %(server_key)s\n'

    def test_versions(self):
        for version, number in VERSIONS.items():
            port = self.begin(self.IDENTITY + self.ECHO + 'sslVersion = TLSv1.%s\n' % version[1])
            client = self.our_client(port)
            self.assertEqual(self.connect(client)[0], number)
            self.exchange(client, 'hello', 'hello')
            client.tell('end')
            client.wait_for('finished')

    def test_client_certificate(self):
        port = self.begin(self.IDENTITY + self.ECHO + 'CAfile = %(ca)s\nverifyChain = yes\n')
        client = self.our_client(port, '-c', self.client, '-k', self.client_key)
        self.connect(client)
        self.exchange(client, 'me', 'me')

    def secrets(self):
        return 'PSKsecrets = %s\n' % self.write('stunnel-secrets', '%s:%s\n' % (KEY_NAME, KEY.encode().hex()))

    def test_key(self):
        port = self.begin(self.secrets() + self.ECHO + 'ciphers = PSK\n')
        for version in VERSIONS:
            client = self.our_client(port, '-p', KEY_NAME + ':' + KEY, '-M', version, trusts=False)
            self.assertEqual(self.connect(client)[0], VERSIONS[version])
            self.exchange(client, 'secret', 'secret')

    def talk_through(self, port):
        s = self.plain(port)
        s.sendall(b'through\n')
        self.assertEqual(s.recv(100), b're:through\n')
        return s

    def test_as_client(self):
        server = self.our_server('-r', '-a', self.ca)
        for version, number in VERSIONS.items():
            port = self.begin(
                'client = yes\nconnect = 127.0.0.1:%d\nCAfile = %%(ca)s\nverifyChain = yes\ncheckIP = 127.0.0.1\n'
                'cert = %%(client)s\nkey = %%(client_key)s\nsslVersion = TLSv1.%s\n' % (server.port, version[1]))
            s = self.talk_through(port)
            self.assertEqual(self.session(server)[0], number)
            self.assertIn('peer CN=Test client', server.lines)
            s.close()
            server.wait_for('finished')

    def test_key_as_client(self):
        server = self.our_server('-p', KEY_NAME + ':' + KEY, identity=False)
        port = self.begin('client = yes\nconnect = 127.0.0.1:%d\n' % server.port + self.secrets())
        self.talk_through(port)
        self.session(server)


if __name__ == '__main__':
    tls_lab.main()
