"""nwcert as its users run it. OpenSSL and Python's ssl read, verify and use what it makes."""
import base64
import json
import os
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import unittest
from datetime import datetime, timedelta, timezone

NWCERT = os.environ.get('NWCERT', 'build/tools/nwcert')
ROOT = os.environ.get('NW_SOURCE_ROOT', os.path.join(os.path.dirname(__file__), '..', '..'))
DEADLINE = 40


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def content(self, name):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def run_tool(self, *words, status=0, feed=b''):
        result = subprocess.run([NWCERT, *words], input=feed, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result

    def make(self, *words, status=0, feed=b''):
        result = self.run_tool(words[0], '--json', '--dir', self.folder, *words[1:], status=status, feed=feed)
        return [json.loads(line) for line in result.stdout.splitlines()] if status == 0 else result

    def openssl(self, *words, status=0):
        result = subprocess.run(['openssl', *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, timeout=DEADLINE)
        self.assertEqual(result.returncode, status, result.stdout.decode())
        return result.stdout.decode()

    def text(self, name):
        return self.openssl('x509', '-in', self.path(name), '-noout', '-text')


class Set(Case):
    def test_mutual_tls_between_the_two(self):
        self.make('set', 'localhost', '127.0.0.1')
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.path('ca.pem'))
        server.load_cert_chain(self.path('server.pem'), self.path('server-key.pem'))
        server.verify_mode = ssl.CERT_REQUIRED
        client = ssl.create_default_context(cafile=self.path('ca.pem'))
        client.load_cert_chain(self.path('client.pem'), self.path('client-key.pem'))
        client.hostname_checks_common_name = False
        seen = []

        def serve(end):
            with server.wrap_socket(end, server_side=True) as secure:
                seen.append(secure.getpeercert()['subject'])
                secure.sendall(secure.recv(5))

        for name in ('localhost', '127.0.0.1'):
            here, there = socket.socketpair()
            here.settimeout(DEADLINE)
            there.settimeout(DEADLINE)
            thread = threading.Thread(target=serve, args=(there,))
            thread.start()
            with client.wrap_socket(here, server_hostname=name) as secure:
                secure.sendall(b'hello')
                self.assertEqual(secure.recv(5), b'hello')
            thread.join()
        self.assertEqual(seen, [((('commonName', 'Test client'),),)] * 2)
        here, there = socket.socketpair()
        with here, there, self.assertRaises(ssl.SSLError):
            failing = client.wrap_socket(here, server_hostname='elsewhere.example', do_handshake_on_connect=False)
            thread = threading.Thread(target=lambda: self.swallow(serve, there))
            thread.start()
            try:
                failing.do_handshake()
            finally:
                failing.close()
                thread.join()

    @staticmethod
    def swallow(serve, end):
        try:
            serve(end)
        except (ssl.SSLError, OSError):
            pass  # the client's refusal, seen from the server

    def test_keys_are_for_their_owner_alone(self):
        old = os.umask(0)
        try:
            self.make('set', 'a.example')
        finally:
            os.umask(old)
        for name in ('ca', 'server', 'client'):
            mode = stat.S_IMODE(os.stat(self.path(name + '-key.pem')).st_mode)
            self.assertEqual(mode, 0o600, name)
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name + '.pem')).st_mode), 0o644)
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ['ca-key.pem', 'ca.pem', 'client-key.pem', 'client.pem', 'server-key.pem', 'server.pem'])

    def test_nothing_is_replaced_unasked(self):
        self.make('set', 'a.example')
        before = self.content('ca.pem')
        result = self.make('set', 'a.example', status=1)
        self.assertIn(self.path('ca.pem'), result.stderr.decode())
        self.assertIn('--force', result.stderr.decode())
        self.assertEqual(self.content('ca.pem'), before)
        os.symlink('/dev/null', self.path('x.pem'))  # nor followed
        self.make('server', '-o', 'x', 'a.example', status=1)
        self.make('set', '--force', 'a.example')
        self.assertNotEqual(self.content('ca.pem'), before)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith('.new')], [])


class Certificates(Case):
    def test_each_kind_of_key_verifies(self):
        self.make('ca')
        for kind, said in (('p256', 'prime256v1'), ('p384', 'secp384r1'), ('p521', 'secp521r1'),
                           ('ed25519', 'ED25519'), ('rsa2048', '2048 bit')):
            with self.subTest(kind=kind):
                self.make('server', '-o', kind, '-k', kind, 'a.example')
                self.assertIn(said, self.text(kind + '.pem'))
                self.openssl('verify', '-x509_strict', '-CAfile', self.path('ca.pem'), '-purpose', 'sslserver',
                             '-verify_hostname', 'a.example', self.path(kind + '.pem'))
                self.openssl('verify', '-CAfile', self.path('ca.pem'), '-purpose', 'sslclient',
                             self.path(kind + '.pem'), status=2)

    def test_names(self):
        self.make('ca')
        made, = self.make('server', 'a.example', '*.b.example', '192.0.2.1', '2001:db8::1', 'x@c.example',
                          'uri:https://d.example/', '--san', 'bücher.example')
        self.assertEqual(made['names'], ['dns:a.example', 'dns:*.b.example', 'ip:192.0.2.1', 'ip:2001:db8::1',
                                         'email:x@c.example', 'uri:https://d.example/', 'dns:xn--bcher-kva.example'])
        said = self.text('server.pem')
        for entry in ('DNS:a.example', 'DNS:*.b.example', 'IP Address:192.0.2.1', 'IP Address:2001:DB8',
                      'email:x@c.example', 'URI:https://d.example/', 'DNS:xn--bcher-kva.example'):
            self.assertIn(entry, said)
        for name in ('a..b', 'a-.example', 'a.*.example', '**.example', 'ip:300.1.1.1', 'email:@', 'a b', 'uri:x', ''):
            with self.subTest(name=name):
                result = self.make('server', name, status=2)
                self.assertIn("'%s'" % name, result.stderr.decode())

    def test_no_san_and_what_show_says_of_it(self):
        self.make('ca')
        made, = self.make('server', '--no-san', 'a.example')
        self.assertEqual(made['names'], [])
        self.assertIn('CN = a.example', self.text('server.pem'))
        self.assertIn('does not count', self.run_tool('show', self.path('server.pem')).stdout.decode())

    def test_dates(self):
        self.make('ca')
        now = datetime.now(timezone.utc)
        made, = self.make('server', 'a.example')
        begin, end = (datetime.fromisoformat(made[key].replace('Z', '+00:00')) for key in ('from', 'until'))
        self.assertLess(begin, now)
        self.assertLessEqual(end - begin, timedelta(days=398))
        made, = self.make('server', '-o', 'b', '--from', '2030-01-02', '--until', '2030-03-04T05:06:07Z', 'a.example')
        self.assertEqual((made['from'], made['until']), ('2030-01-02T00:00:00Z', '2030-03-04T05:06:07Z'))
        made, = self.make('server', '-o', 'c', '--expired', 'a.example')
        self.assertIn('has expired', self.openssl('verify', '-CAfile', self.path('ca.pem'), self.path('c.pem'),
                                                  status=2))
        self.assertIn('expired', self.run_tool('show', self.path('c.pem')).stdout.decode())
        for date in ('2030-02-31', '2030-13-01', '2030-01-01T25:00:00Z', 'tomorrow', '2030-01-01x'):
            result = self.make('server', '-o', 'd', '--from', date, 'a.example', status=2)
            self.assertIn(date, result.stderr.decode())

    def test_intermediate(self):
        self.make('ca', '-k', 'p384')
        self.make('ca', '--ca', self.path('ca.pem'), '--path-length', '0', '-k', 'ed25519')
        self.make('server', '--ca', self.path('intermediate.pem'), 'a.example')
        self.assertEqual(self.content('server.pem').count(b'BEGIN CERTIFICATE'), 2)
        self.openssl('verify', '-x509_strict', '-CAfile', self.path('ca.pem'), '-untrusted', self.path('server.pem'),
                     self.path('server.pem'))
        self.make('ca', '-o', 'third', '--ca', self.path('intermediate.pem'))
        self.make('server', '-o', 'fourth', '--ca', self.path('third.pem'), 'a.example')
        self.assertIn('path length', self.openssl('verify', '-CAfile', self.path('ca.pem'), '-untrusted',
                                                  self.path('fourth.pem'), self.path('fourth.pem'), status=2))

    def test_pkcs12(self):
        self.make('ca')
        self.make('client', '--p12', '-', 'x@a.example', feed=b's3cret word\n')
        self.assertEqual(stat.S_IMODE(os.stat(self.path('client.p12')).st_mode), 0o600)
        said = self.openssl('pkcs12', '-in', self.path('client.p12'), '-passin', 'pass:s3cret word', '-nodes')
        self.assertIn('BEGIN PRIVATE KEY', said)
        self.assertIn('BEGIN CERTIFICATE', said)
        self.openssl('pkcs12', '-in', self.path('client.p12'), '-passin', 'pass:wrong', '-nodes', status=1)
        self.make('client', '-o', 'b', '--p12', '-', 'x@a.example', feed=b'\n', status=1)

    def test_pin_and_fingerprint(self):
        made, = self.make('ca')
        said = self.openssl('x509', '-in', self.path('ca.pem'), '-noout', '-fingerprint', '-sha256')
        self.assertEqual(said.split('=')[1].strip().replace(':', '').lower(), made['sha256'])
        key = subprocess.run(['openssl', 'x509', '-in', self.path('ca.pem'), '-noout', '-pubkey'],
                             stdout=subprocess.PIPE, check=True).stdout
        der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'der'], input=key, stdout=subprocess.PIPE,
                             check=True).stdout
        pin = subprocess.run(['openssl', 'dgst', '-sha256', '-binary'], input=der, stdout=subprocess.PIPE,
                             check=True).stdout
        self.assertEqual(base64.b64encode(pin).decode(), made['pin'])
        self.openssl('x509', '-in', self.path('ca.pem'), '-outform', 'der', '-out', self.path('ca.der'))
        shown = json.loads(self.run_tool('show', '--json', self.path('ca.der')).stdout)
        self.assertEqual({**shown, 'file': ''}, {**made, 'file': ''})


class Verify(Case):
    """What the library says of chains that are wrong in one way each."""

    def verdict(self, name, *words, ca='ca.pem'):
        result = subprocess.run([NWCERT, 'verify', '--json', '--ca', self.path(ca), *words, self.path(name)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual(result.stderr, b'')
        said = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0 if said['trusted'] else 1)
        return said

    def refused(self, status, phrase, *words, **more):
        said = self.verdict(*words, **more)
        self.assertEqual(said['status'], status, said)
        self.assertIn(phrase, said['reason'])
        self.assertEqual(said['path'], [])

    def test_good_ones(self):
        self.make('ca')
        self.make('ca', '--ca', self.path('ca.pem'))
        self.make('server', '--ca', self.path('intermediate.pem'), 'a.example', '*.b.example', '192.0.2.1', '::1')
        for host in ('a.example', 'A.EXAMPLE', 'a.example.', 'x.b.example', '192.0.2.1', '::1', '0:0::1'):
            said = self.verdict('server.pem', '--host', host)
            self.assertTrue(said['trusted'], said)
        self.assertEqual(said['path'], ['CN=a.example', 'CN=Test CA intermediate', 'CN=Test CA'])
        self.assertEqual([link['verdict'] for link in said['chain']], ['trusted', 'trusted'])
        self.assertTrue(self.verdict('server.pem')['trusted'])
        self.assertTrue(self.verdict('server.pem', '--host', 'a.example', ca='server.pem')['trusted'])
        self.make('client', '--ca', self.path('ca.pem'), 'x@a.example')
        self.assertTrue(self.verdict('client.pem', '--client')['trusted'])

    def test_each_certificate(self):
        self.make('ca', '--expired')
        self.make('server', 'a.example')
        with open(self.path('both.pem'), 'wb') as file:
            file.write(self.content('server.pem') + self.content('ca.pem'))
        said = self.verdict('both.pem')
        self.assertEqual([link['subject'] for link in said['chain']], ['CN=a.example', 'CN=Test CA'])
        self.assertEqual(said['chain'][0]['verdict'], 'nothing is wrong with it by itself')
        self.assertIn('expired', said['chain'][1]['verdict'])
        text = self.run_tool('verify', '--ca', self.path('ca.pem'), self.path('both.pem'), status=1).stdout.decode()
        self.assertRegex(text, r'\n  certificate 2 \(CN=Test CA\): expired')

    def test_names(self):
        self.make('ca')
        self.make('server', 'a.example', '*.b.example', '192.0.2.1')
        for host in ('b.example', 'x.y.b.example', 'x.a.example', 'example', '192.0.2.2', '::ffff:192.0.2.1', '*.b.example',
                     'x_y.b.example', '.b.example'):
            self.refused(-9843, "'%s'" % host, 'server.pem', '--host', host)
        self.make('server', '-o', 'plain', '--no-san', 'a.example')  # the Common Name does not count
        self.refused(-9843, 'Subject Alternative Name', 'plain.pem', '--host', 'a.example')
        self.make('server', '-o', 'number', '--no-san', '192.0.2.1')
        self.refused(-9843, 'Subject Alternative Name', 'number.pem', '--host', '192.0.2.1')
        self.make('server', '-o', 'top', '*.example')
        self.refused(-9843, 'Subject Alternative Name', 'top.pem', '--host', 'a.example')

    def test_dates(self):
        self.make('ca')
        self.make('server', '--from', '2026-02-01', '--until', '2026-03-01', 'a.example')
        self.refused(-9814, '2026-03-01T00:00:00Z', 'server.pem', '--at', '2026-03-01T00:00:01Z')
        self.make('ca', '-o', 'old', '--from', '2020-01-01', '--until', '2030-01-01')
        self.make('server', '-o', 'b', '--ca', self.path('old.pem'), '--from', '2026-02-01', '--until', '2026-03-01', 'a.example')
        self.assertTrue(self.verdict('b.pem', '--at', '2026-03-01', ca='old.pem')['trusted'])
        self.assertTrue(self.verdict('b.pem', '--at', '2026-02-01', ca='old.pem')['trusted'])
        self.refused(-9815, '2026-02-01T00:00:00Z', 'b.pem', '--at', '2026-01-31T23:59:59Z', ca='old.pem')
        self.make('server', '-o', 'c', '--ca', self.path('old.pem'), '--from', '2026-02-01', '--until', '2032-01-01', 'a.example')
        self.refused(-9814, 'certificate 2', 'c.pem', '--at', '2031-01-01', ca='old.pem')

    def test_paths(self):
        self.make('ca')
        self.make('ca', '-o', 'other')
        self.make('server', 'a.example')
        self.refused(-9807, 'did not make its signature', 'server.pem', ca='other.pem')  # the same name, another key
        self.make('ca', '-o', 'third', '--cn', 'Another CA')
        self.refused(-9813, 'was not sent', 'server.pem', ca='third.pem')
        self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=self', '-addext',
                     'basicConstraints=critical,CA:FALSE', '-keyout', self.path('self.key'), '-out', self.path('self.pem'))
        self.refused(-9812, 'signed itself', 'self.pem', ca='third.pem')
        self.assertTrue(self.verdict('self.pem', ca='self.pem')['trusted'])
        self.make('ca', '--ca', self.path('ca.pem'), '--path-length', '0')
        self.make('ca', '-o', 'deep', '--ca', self.path('intermediate.pem'))
        self.make('server', '-o', 'd', '--ca', self.path('deep.pem'), 'a.example')
        self.refused(-9807, 'path length allows 0', 'd.pem')
        self.refused(-9807, "not a peer's", 'deep.pem')
        self.refused(-9808, 'clientAuth', 'server.pem', '--client')
        with open(self.path('short.pem'), 'wb') as file:  # the intermediates are missing
            file.write(self.content('d.pem').split(b'-----END')[0] + b'-----END CERTIFICATE-----\n')
        self.refused(-9813, 'certificate 1', 'short.pem')

    def test_weak_ones(self):
        self.make('ca')
        for name, words in (('rsa', ('-newkey', 'rsa:1024')), ('sha1', ('-newkey', 'rsa:2048', '-sha1'))):
            request = self.path(name + '.csr')
            self.openssl('req', '-new', '-nodes', '-keyout', self.path(name + '.key'), '-subj', '/CN=a.example', '-out',
                         request, *words)
            with open(self.path('ext'), 'w') as file:
                file.write('subjectAltName=DNS:a.example')
            self.openssl('x509', '-req', '-in', request, '-CA', self.path('ca.pem'), '-CAkey', self.path('ca-key.pem'),
                         '-extfile', self.path('ext'), '-set_serial', '7', '-out', self.path(name + '.pem'),
                         *(('-sha1',) if name == 'sha1' else ()))
        self.refused(-9808, 'RSA key of 1024 bits', 'rsa.pem')
        self.refused(-9808, 'SHA-256 is the least', 'sha1.pem')


class Mistakes(Case):
    def test_wrong_ca(self):
        result = self.make('server', 'a.example', status=1)
        self.assertIn(self.path('ca.pem'), result.stderr.decode())
        self.make('set', 'a.example')
        result = self.make('server', '-o', 'b', '--ca', self.path('server.pem'), 'a.example', status=1)
        self.assertIn('not the certificate of a CA', result.stderr.decode())
        result = self.make('server', '-o', 'b', '--ca-key', self.path('server-key.pem'), 'a.example', status=1)
        self.assertIn('not the key of the CA', result.stderr.decode())
        result = self.make('server', '-o', 'b', '--ca', '/dev/null', 'a.example', status=1)
        self.assertIn('/dev/null', result.stderr.decode())
        self.assertFalse(os.path.exists(self.path('b-key.pem')))

    def test_command_line(self):
        for words, value in (((), 'ca, server'), (('bake',), "'bake'"), (('server',), 'no name'),
                             (('ca', 'a.example'), '--cn'), (('ca', '--key', 'rsa512'), "'rsa512'"),
                             (('ca', '--days', '-1'), "'-1'"), (('ca', '--days', 'x'), "'x'"),
                             (('server', '-o', 'a/b', 'a.example'), "'a/b'"), (('show',), 'no file'), (('verify',), 'one file'), (('ca', '--host', 'a'), '--host'),
                             (('verify', '--at', 'noon', 'x'), "'noon'"),
                             (('set', '--ca', 'x', 'a.example'), '--ca'), (('ca', '--bogus'), '--bogus'),
                             (('server', '--path-length', '1', 'a.example'), '--path-length'),
                             (('ca', '--from', '2030-01-01', '--until', '2029-01-01'), '--until')):
            with self.subTest(words=words):
                result = self.run_tool(*words, status=2)
                self.assertIn(value, result.stderr.decode())
                self.assertEqual(result.stdout, b'')
        self.assertIn('/nowhere', self.run_tool('show', '/nowhere', status=1).stderr.decode())

    def test_a_terminal_is_not_obeyed(self):
        self.make('ca', '--cn', 'evil\x1b[2Jname')
        self.assertNotIn(b'\x1b', self.run_tool('show', self.path('ca.pem')).stdout)

    @staticmethod
    def source(*name):
        with open(os.path.join(ROOT, *name)) as file:
            return file.read()

    def test_help_manual_and_completions_agree(self):
        text = self.run_tool('--help').stdout.decode()
        self.assertLess(max(map(len, text.splitlines())), 101)
        manual, complete, zsh = (self.source(*name) for name in (('man', 'nwcert.1'), ('completions', 'nwcert.bash'),
                                                                 ('completions', '_nwcert')))
        manual = manual.replace('\\-', '-')
        for option in ('dir', 'out', 'ca', 'ca-key', 'key', 'days', 'from', 'until', 'expired', 'san', 'no-san', 'cn',
                       'path-length', 'p12', 'force', 'json', 'help', 'version', 'host', 'client', 'at'):
            for where in (text, manual, complete, zsh):
                self.assertIn('--' + option, where)
        self.assertRegex(self.run_tool('--version').stdout.decode(), r'^nwcert \(libnw\) \d+\.\d+\.\d+\n$')
        with open('/dev/full', 'wb') as full:
            self.assertEqual(subprocess.run([NWCERT, '--help'], stdout=full).returncode, 1)


if __name__ == '__main__':
    unittest.main()
