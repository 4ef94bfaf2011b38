"""Stapled OCSP responses, made by openssl, through the public evaluation: who may have signed one, about whom, for how
long, and what it says."""
import os
import subprocess
import tempfile
import time
import unittest

import cases
import made_der

CONFIG = '''
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
serial = serial
default_md = sha256
policy = any
unique_subject = no
default_days = 90
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, digitalSignature
[leaf]
subjectAltName = DNS:a.example
extendedKeyUsage = serverAuth
[responder]
extendedKeyUsage = OCSPSigning
'''
REVOKED, UNSATISFACTORY = -9827, -9862
DAY = 24 * 60 * 60
STAPLE_PEER = os.path.abspath(os.environ.get('STAPLE_PEER', 'build/tests/trust/staple_peer'))


class Authority(unittest.TestCase):
    """A CA, its other certificates and its list of them, made once for all."""

    @classmethod
    def make(cls, folder):
        cls.folder = folder
        cls.write('config', CONFIG)
        cls.write('index.txt', '')
        cls.write('serial', '1000\n')
        cls.request('ca', 'CA', '-out', 'ca.csr')
        cls.ca('-selfsign', '-keyfile', 'ca.key', *cls.dated('ca', 'root'))
        # of the same name, with another key
        cls.request('other', 'CA', '-x509', '-days', '90', '-extensions', 'root', '-out', 'other.pem')
        for name, kind in ('good', 'leaf'), ('bad', 'leaf'), ('responder', 'responder'), ('mere', 'leaf'):
            cls.issue(name, kind)
        cls.ca('-revoke', 'bad.pem', '-crl_reason', 'keyCompromise')
        cls.der = {name: cases.der_of(cls.read(name + '.pem')) for name in ('ca', 'good', 'bad')}
        cls.now = int(time.time())

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder, name), 'w') as file:
            file.write(text)

    @classmethod
    def read(cls, name):
        with open(os.path.join(cls.folder, name)) as file:
            return file.read()

    @classmethod
    def openssl(cls, *words):
        result = subprocess.run(['openssl', *words], cwd=cls.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=60)
        if result.returncode != 0:
            raise AssertionError(result.stdout.decode())

    @classmethod
    def ca(cls, *words):
        cls.openssl('ca', '-config', 'config', '-batch', *words)

    @classmethod
    def request(cls, name, subject, *words):
        cls.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', 'config',
                    '-subj', '/CN=' + subject, '-keyout', name + '.key', *words)

    @staticmethod
    def dated(name, kind):
        start = time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() - 2 * DAY))
        return ['-notext', '-extensions', kind, '-startdate', start, '-in', name + '.csr', '-out', name + '.pem']

    @classmethod
    def issue(cls, name, kind):
        cls.request(name, name, '-out', name + '.csr')
        cls.ca(*cls.dated(name, kind))

    def respond(self, name, *words, signer='ca', issuer='ca'):
        self.openssl('ocsp', '-index', 'index.txt', '-CA', issuer + '.pem', '-issuer', issuer + '.pem', '-cert',
                     name + '.pem', '-rsigner', signer + '.pem', '-rkey', signer + '.key', '-respout', 'response.der',
                     '-noverify', *words)
        with open(os.path.join(self.folder, 'response.der'), 'rb') as file:
            return file.read().hex()


def setUpModule():
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    Authority.make(folder.name)


class Responses(Authority):
    def judge(self, leaf, staple, *more):
        fields = ['leaf=' + self.der[leaf], 'host=a.example', 'anchor=' + self.der['ca'], 'time=%d' % self.now, *more]
        return cases.evaluate(['\t'.join(fields + (['staple=' + staple] if staple is not None else []))])[0]

    def expect(self, expected, phrase, leaf, staple, *more):
        status, reason = self.judge(leaf, staple, *more)
        self.assertEqual(status, expected, reason)
        self.assertIn(phrase, reason)

    def test_good_from_the_issuer(self):
        staple = self.respond('good', '-ndays', '2')
        self.expect(0, 'trusted', 'good', staple)
        self.expect(0, 'trusted', 'good', staple, 'must-staple=1')

    def test_times(self):
        staple = self.respond('good', '-ndays', '2')
        self.expect(UNSATISFACTORY, 'held until', 'good', staple, 'time=%d' % (self.now + 2 * DAY + 120))
        self.expect(UNSATISFACTORY, 'does not hold before', 'good', staple, 'time=%d' % (self.now - DAY))
        endless = self.respond('good')
        self.expect(0, 'trusted', 'good', endless, 'time=%d' % (self.now + 9 * DAY))
        self.expect(UNSATISFACTORY, 'says no end', 'good', endless, 'time=%d' % (self.now + 11 * DAY))

    def test_revoked(self):
        self.expect(0, 'trusted', 'bad', None)
        self.expect(REVOKED, 'its key is known to others', 'bad', self.respond('bad', '-ndays', '2'))

    def test_about_another(self):
        self.expect(UNSATISFACTORY, 'another certificate', 'bad', self.respond('good', '-ndays', '2'))
        self.expect(UNSATISFACTORY, 'another certificate', 'good', self.respond('good', '-ndays', '2', issuer='other',
                                                                                signer='other'))

    def test_unknown(self):
        self.write('empty.txt', '')
        staple = self.respond('good', '-ndays', '2', '-index', 'empty.txt')
        self.expect(UNSATISFACTORY, 'does not know it', 'good', staple)

    def test_delegated(self):
        self.expect(0, 'trusted', 'good', self.respond('good', '-ndays', '2', signer='responder'))
        self.expect(UNSATISFACTORY, 'lacks OCSPSigning', 'good', self.respond('good', '-ndays', '2', signer='mere'))
        self.expect(UNSATISFACTORY, 'by a responder that may not', 'good',
                    self.respond('good', '-ndays', '2', signer='other'))
        self.expect(UNSATISFACTORY, 'was not signed by its issuer', 'good',
                    self.respond('good', '-ndays', '2', '-resp_no_certs', signer='responder'))

    def test_weak_digest(self):
        staple = self.respond('good', '-ndays', '2', '-rmd', 'sha1')
        self.expect(UNSATISFACTORY, 'was not signed', 'good', staple)

    def test_responder_whose_key_takes_long(self):
        """Whoever has a good certificate may send a response with any other certificate in it."""
        staple = bytes.fromhex(self.respond('good', '-ndays', '2', '-resp_no_certs'))
        _, wrapped = made_der.elements(made_der.content(staple))
        kind, octets = made_der.elements(made_der.content(made_der.content(wrapped)))
        signed, *_ = made_der.elements(made_der.content(made_der.content(octets)))
        responder = bytes.fromhex(made_der.certificate('responder', 'CA', bits=16384, exponent=1 << 200000 | 1))
        tlv = made_der.tlv
        basic = tlv(0x30, signed, made_der.SHA256_RSA, tlv(3, b'\0', b'\1' * 2048), tlv(0xa0, tlv(0x30, responder)))
        staple = tlv(0x30, tlv(10, b'\0'), tlv(0xa0, tlv(0x30, kind, tlv(4, basic))))
        begin = time.monotonic()
        self.expect(UNSATISFACTORY, 'exponent has more than 64 bits', 'good', staple.hex())
        self.assertLess(time.monotonic() - begin, 5)

    def test_damaged(self):
        staple = self.respond('good', '-ndays', '2')
        octets = bytes.fromhex(staple)
        lines, base = [], 'leaf=%s\tanchor=%s\ttime=%d\tstaple=' % (self.der['good'], self.der['ca'], self.now)
        for at in range(0, len(octets), 3):
            lines.append(base + octets[:at].hex())
            lines.append(base + (octets[:at] + bytes([octets[at] ^ 0x55]) + octets[at + 1:]).hex())
        # Certificates sent with a response of the issuer itself prove nothing, so damage there does no harm.
        certificates = staple.index(self.der['ca']) // 2 - 8  # the headers of their list as well
        for line, (status, reason) in zip(lines, cases.evaluate(lines)):
            if len(line) == len(base + staple) and status == 0:
                self.assertEqual(line[len(base):len(base) + 2 * certificates], staple[:2 * certificates])
            elif status != UNSATISFACTORY:
                self.fail('%d: %s' % (status, reason))

    def test_missing(self):
        self.expect(0, 'trusted', 'good', None)
        self.expect(UNSATISFACTORY, 'one is required', 'good', None, 'must-staple=1')

    def test_what_has_no_issuer_needs_no_status(self):
        self.expect(0, 'accepted as it is', 'good', None, 'must-staple=1', 'accepted=' + self.der['good'])


class Stapled(Authority):
    """On the wire, with OpenSSL at the other end."""

    def peer(self, *words):
        process = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)

        def end():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.addCleanup(end)
        return process

    def serve(self, name, *words):
        """openssl s_server with the certificate of that name, and its port."""
        process = self.peer('openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', name + '.pem', '-key',
                            name + '.key', *words)
        while True:
            line = process.stdout.readline()
            self.assertTrue(line, 'it has ended')
            if line.startswith(b'ACCEPT 127.0.0.1:'):
                return line.split(b':')[1].strip().decode()

    def client(self, port, wish):
        return subprocess.run([STAPLE_PEER, 'client', port, 'ca.pem', wish], cwd=self.folder, stdout=subprocess.PIPE,
                              timeout=60, check=True).stdout.decode().strip()

    def test_client(self):
        size = len(self.respond('good', '-ndays', '2')) // 2
        for version in '-tls1_2', '-tls1_3':
            port = self.serve('good', version, '-status_file', 'response.der')
            self.assertEqual(self.client(port, 'none'), 'connected %d' % size)
            self.assertEqual(self.client(port, 'asked'), 'connected %d' % size)
            self.assertEqual(self.client(port, 'required'), 'connected %d' % size)
            port = self.serve('good', version)
            self.assertEqual(self.client(port, 'asked'), 'connected 0')
            self.assertEqual(self.client(port, 'required'), str(UNSATISFACTORY))
        self.respond('bad', '-ndays', '2')
        port = self.serve('bad', '-status_file', 'response.der')
        self.assertEqual(self.client(port, 'asked'), str(REVOKED))
        self.assertEqual(self.client(port, 'none'), str(REVOKED))

    def test_server(self):
        self.respond('good', '-ndays', '2')
        for version in '-tls1_2', '-tls1_3':
            server = self.peer(STAPLE_PEER, 'server', 'good.pem', 'good.key', 'response.der')
            port = server.stdout.readline().strip().decode()
            said = subprocess.run(['openssl', 's_client', '-connect', '127.0.0.1:' + port, '-status', version],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=60).stdout
            self.assertIn(b'Cert Status: good', said)
        self.respond('bad', '-ndays', '2')
        server = self.peer(STAPLE_PEER, 'server', 'good.pem', 'good.key', 'response.der')
        self.assertEqual(server.stdout.readline().strip().decode(), '-9848')


if __name__ == '__main__':
    unittest.main()
