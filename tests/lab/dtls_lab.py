"""What the labs of DTLS share: servers and clients of openssl and GnuTLS, here or behind a wire."""
import os

import lab
import tls_lab
from tls_lab import KEY, KEY_NAME

OURS_PSK = ('-p', KEY_NAME + ':' + KEY)
OPENSSL_PSK = ('-psk', KEY.encode().hex(), '-psk_identity', KEY_NAME)
GNUTLS_PSK = 'NORMAL:-KX-ALL:+PSK:+ECDHE-PSK'


class DTLSLab(tls_lab.TLSLab):
    """Both ends in one namespace, at 127.0.0.1; or the other end behind a wire, at 10.99.0.2."""
    address = '127.0.0.1'

    def setUp(self):
        self.require('openssl', 'gnutls-serv', 'gnutls-cli')
        self.far = self.space

    def join(self, **conditions):
        """From here on the other end is behind a wire."""
        self.far = lab.Namespace('nwdtls%df' % os.getpid())
        self.addCleanup(self.far.remove)
        self.wire = lab.Wire(self, self.space, self.far, **conditions)

    def run_far(self, *words):
        return tls_lab.Program(self.spawn(self.far.inside(*words)))

    def listen_for(self, port):
        mark = ':%04X 00000000' % port

        def look():
            with open('/proc/thread-self/net/udp') as table:
                return mark in table.read()
        lab.wait_until(lambda: self.far.call(look), 'a socket at port %d' % port)

    def openssl_server(self, address, *words):
        port = next(self.ports)
        server = self.run_far('openssl', 's_server', '-dtls1_2', '-listen', '-accept', '%s:%d' % (address, port), *words)
        server.port = port
        self.listen_for(port)
        return server

    def gnutls_server(self, *words):
        port = next(self.ports)
        server = self.run_far('gnutls-serv', '--udp', '--echo', '--port', str(port), *words)
        server.port = port
        self.listen_for(port)
        return server

    def client_to(self, address, port, *words):
        trust = ('-a', self.ca) if '-p' not in words else ()
        return self.ours('-u', *trust, *words, address, port)

    def server_at(self, address, *words, identity=True):
        shown = ('-c', self.server, '-k', self.server_key) if identity else ()
        peer = self.ours('-u', '-l', *shown, *words, address, 0)
        peer.port = int(peer.wait_for('port').split()[1])
        return peer

    def talk(self, program, text='hello'):
        """The other end says something to our server, which answers."""
        program.say(text + '\n')
        program.wait_for('re:' + text)

    def passwords(self):
        return self.write('psk.txt', '%s:%s\n' % (KEY_NAME, KEY.encode().hex()))

    def call_openssl(self, server, *words):
        return self.run_far('openssl', 's_client', '-dtls1_2', '-connect', '%s:%d' % (self.address, server.port), *words)
