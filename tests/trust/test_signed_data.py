"""Signatures with good and bad keys, algorithms and octets: whether each holds, and what the rules say of its key and
algorithm. Nothing may hold that does not by arithmetic; what holds and is accepted stands in ACCEPTED, what is refused
although its arithmetic is right in REFUSED with the reason (docs/trust.md)."""
import base64
import json
import os
import subprocess
import unittest

import cases

PROGRAM = os.environ.get('SIGNATURE_CASE', 'build/tests/trust/signature_case')
ACCEPTED = {
    'ecdsa-prime256v1-sha512.pem',
    'ecdsa-secp384r1-sha256.pem',
    'ours/ecdsa-prime256v1-sha256.pem',
    'ours/rsa-pss-sha256-salt32.pem',
    'ours/rsa-pss-sha384-salt48.pem',
    'ours/rsa-pss-sha512-salt64.pem',
}
WEAK = 'RSA key of 1024 bits'
REFUSED = {
    'ours/ecdsa-prime256v1-sha256-compressed.pem': 'kind of key: unknown',  # RFC 5480: support is optional
    'rsa-pkcs1-sha1-key-params-absent.pem': WEAK,
    'rsa-pkcs1-sha1-using-pss-key-no-params.pem': '0\t',  # a key for PSS makes no other signatures
    'rsa-pkcs1-sha256.pem': WEAK,
    'rsa-pss-sha1-salt20-using-pss-key-no-params.pem': '0\t',  # PSS with SHA-1 is not known at all
    'rsa-pss-sha1-salt20.pem': '0\t',
    'rsa-pss-sha256-salt10-using-pss-key-with-params.pem': WEAK,
}
# The encoding of the key is not what it must be, yet there is but one key that it can mean, and the signature is its.
LENIENT = {'rsa-pkcs1-sha256-key-encoded-ber.pem', 'rsa-pkcs1-sha256-spki-non-null-params.pem'}


def der(tag, *contents):
    content = b''.join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def certificate(case):
    """One with the key, the algorithm and the signature of the case."""
    algorithm, key, signature = (base64.b64decode(case[name]) for name in
                                 ('algorithm_der_b64', 'spki_der_b64', 'signature_bit_string_b64'))
    name = der(0x30, der(0x31, der(0x30, b'\x06\x03\x55\x04\x03', der(0x0c, b'case'))))
    dates = der(0x30, der(0x17, b'200101000000Z'), der(0x17, b'490101000000Z'))
    body = der(0x30, der(0xa0, b'\x02\x01\x02'), b'\x02\x01\x01', algorithm, name, dates, name, key)
    return der(0x30, body, algorithm, signature)


class Signatures(unittest.TestCase):
    def test_every_case(self):
        with open(cases.data('x509-signed-data', 'signed-data.json')) as file:
            known = json.load(file)
        lines = [certificate(case).hex() + '\t' + base64.b64decode(case['data_b64']).hex() for case in known]
        result = subprocess.run([PROGRAM], input='\n'.join(lines).encode() + b'\n', stdout=subprocess.PIPE, timeout=60,
                                check=True)
        answers = result.stdout.decode().splitlines()
        self.assertEqual(len(answers), len(known))
        for case, answer in zip(known, answers):
            with self.subTest(case['file']):
                holds, _, reason = answer.partition('\t')
                if holds == '1' and case['file'] not in LENIENT:
                    self.assertIs(case['signature_valid'], True, 'it must not hold')
                if case['file'] in ACCEPTED:
                    self.assertEqual(answer, '1\t')
                elif case['signature_valid']:
                    self.assertRegex(answer, REFUSED.get(case['file'], 'nothing is known of it'))


if __name__ == '__main__':
    unittest.main()
