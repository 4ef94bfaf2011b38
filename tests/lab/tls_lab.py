"""What the labs of TLS share: one namespace for a whole file, certificates by nwcert, and lab_tls at one of the ends."""
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import lab

PEER = os.environ.get('LAB_TLS', 'build/tests/lab/lab_tls')
NWCERT = os.environ.get('NWCERT', 'build/tools/nwcert')
KEY, KEY_NAME = 'a-key-of-the-lab', 'lab'  # pre-shared
VERSIONS = {'12': '0303', '13': '0304'}
NGINX = '''
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    server {
        listen 127.0.0.1:%(port)s %(listen)s;
        %(settings)s
    }
}
'''


class Program:
    """Another implementation: what it writes, on both streams, is kept; waiting looks at all of it."""

    def __init__(self, process):
        self.process, self.text = process, ''
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        try:
            while True:
                piece = os.read(stream.fileno(), 65536)
                if not piece:
                    return
                self.text += piece.decode(errors='replace')
        except (OSError, ValueError):
            pass  # closed by the end of the test

    def say(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_for(self, word):
        try:
            lab.wait_until(lambda: word in self.text, 'a line with "%s"' % word)
        except AssertionError as error:
            raise AssertionError('%s in:\n%s' % (error, self.text)) from None

    def end(self):
        """No more input; the program ends by itself."""
        self.process.stdin.close()
        return self.process.wait(lab.DEADLINE)


class TLSLab(unittest.TestCase):
    spawn = lab.Lab.spawn

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='nw-tls-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.space = lab.Namespace('nwtls%dn' % os.getpid())
        cls.addClassCleanup(cls.space.remove)
        cls.ports = iter(range(7000, 8000))
        subprocess.run([NWCERT, 'set', '--dir', cls.folder, 'localhost', '127.0.0.1', '::1'], check=True,
                       stdout=subprocess.DEVNULL)
        cls.ca, cls.server, cls.client = [cls.file(name + '.pem') for name in ('ca', 'server', 'client')]
        cls.server_key, cls.client_key = cls.file('server-key.pem'), cls.file('client-key.pem')

    @classmethod
    def file(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def write(cls, name, text):
        with open(cls.file(name), 'w') as out:
            out.write(text)
        return cls.file(name)

    # --- our end ---

    def ours(self, *words):
        process = self.spawn(self.space.inside(PEER, *words), env=dict(os.environ, NW_LOG='info'))
        return lab.Peer(process)

    def our_server(self, *words, identity=True):
        shown = ('-c', self.server, '-k', self.server_key) if identity else ()
        peer = self.ours('-l', *shown, *words, '127.0.0.1', 0)
        peer.port = int(peer.wait_for('port').split()[1])
        return peer

    def our_client(self, port, *words, trusts=True):
        return self.ours(*(('-a', self.ca) if trusts else ()), *words, '127.0.0.1', port)

    def session(self, peer):
        """The words of the next line about a session, once the connection is ready: version, suite, ..."""
        line = peer.wait_for('tls ').split()[1:]
        peer.wait_for('state ready')
        return line

    def connect(self, peer):
        peer.tell('connect')
        return self.session(peer)

    def disconnect(self, peer):
        peer.tell('cancel')
        peer.wait_for('state cancelled')

    def exchange(self, peer, text, answer):
        peer.tell('send ' + text)
        self.assertEqual(peer.wait_for('got '), 'got ' + answer)

    # --- the other end ---

    def run_program(self, *words, **options):
        return Program(self.spawn(self.space.inside(*words), **options))

    def serve_openssl(self, *words, identity=True):
        """openssl s_server at a port of its choice, which is told in `port`."""
        self.require('openssl')
        shown = ('-cert', self.server, '-key', self.server_key) if identity else ('-nocert',)
        server = self.run_program('openssl', 's_server', '-accept', '127.0.0.1:0', *shown, *words)
        server.wait_for('ACCEPT')
        server.wait_for('\n')
        server.port = int(server.text.split('ACCEPT 127.0.0.1:')[1].split()[0])
        return server

    def serve_nginx(self, settings, listen='ssl'):
        """The port of an nginx with these settings of its one server."""
        self.require('nginx')
        port = next(self.ports)
        path = self.write('nginx-%d.conf' % port, NGINX % {
            'folder': self.folder, 'port': port, 'listen': listen, 'settings': settings})
        nginx = self.run_program('/usr/sbin/nginx', '-p', self.folder, '-c', path)
        try:
            self.wait_for_port(port)
        except AssertionError:
            raise AssertionError(nginx.text) from None
        return port

    def require(self, *names):
        for name in names:
            if shutil.which(name, path=os.environ['PATH'] + ':/usr/sbin') is None:
                self.skipTest(name + ' is not installed')

    def wait_for_port(self, port):
        """Without connecting to it."""
        mark = ':%04X 00000000' % port  # a local port, then the remote address of a socket that listens
        mark6 = ':%04X 00000000000000000000000000000000' % port

        def listens():
            def look():
                texts = []
                for name in ('tcp', 'tcp6'):
                    with open('/proc/thread-self/net/' + name) as table:
                        texts.append(table.read())
                return ''.join(texts)
            text = self.space.call(look)
            return mark in text or mark6 in text
        lab.wait_until(listens, 'a listener at port %d' % port)


def main():
    lab.check_rights()
    unittest.main(warnings='ignore')  # Python's own sockets, after a handshake that was refused
