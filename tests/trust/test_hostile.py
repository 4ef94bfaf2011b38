"""Certificates made to keep whoever judges them busy, or to be misread: no signature is needed to send one, so the
rules must refuse them before a key is used."""
import time
import unittest

import cases
from made_der import CA, SAN, certificate, extension, tlv

NOW = 1795000000
SECONDS = 5  # each took from ten seconds to minutes before there was a limit; now hundredths
BAD_CERT, CHAIN_INVALID = -9808, -9807
LONG = 200000  # bits


class Hostile(unittest.TestCase):
    def refused(self, status, reason, *fields):
        begin = time.monotonic()
        found = cases.evaluate(['\t'.join([*fields, f'time={NOW}', 'host=a.example'])])[0]
        self.assertLess(time.monotonic() - begin, SECONDS)
        self.assertEqual(found[0], status)
        self.assertIn(reason, found[1])

    def test_plain(self):
        """What the others are made of is refused for nothing but its issuer."""
        self.refused(-9813, 'its issuer was not sent', 'leaf=' + certificate('leaf', 'root', SAN))

    def test_many_extensions(self):
        many = [extension([43, 0x80 | number >> 7, number & 127], b'') for number in range(128, 8000)]
        self.refused(CHAIN_INVALID, 'more than 100 extensions', 'leaf=' + certificate('leaf', 'root', SAN, *many))

    def test_many_purposes(self):
        """In each of many issuers, as they would be met again in each of many paths."""
        many = tlv(0x30, *(tlv(6, bytes([43, 0x80 | number >> 7, number & 127])) for number in range(128, 4096)))
        issuer = 'chain=' + certificate('inner', 'root', CA, extension([0x55, 29, 37], many))
        self.refused(CHAIN_INVALID, 'lacks serverAuth', 'leaf=' + certificate('leaf', 'inner', SAN), *[issuer] * 60)

    def test_long_exponent(self):
        leaf = 'leaf=' + certificate('leaf', 'inner', SAN, signature=2048)
        inner = 'chain=' + certificate('inner', 'root', CA, bits=16384, exponent=1 << LONG | 1)
        self.refused(BAD_CERT, 'exponent has more than 64 bits', leaf, inner)

    def test_exponents(self):
        for exponent, reason in (1 << 64 | 1, 'more than 64 bits'), (1, 'one or even'), (65536, 'one or even'):
            self.refused(BAD_CERT, reason, 'leaf=' + certificate('leaf', 'root', SAN, exponent=exponent))
        for exponent in 3, (1 << 64) - 1:
            self.refused(-9813, 'its issuer', 'leaf=' + certificate('leaf', 'root', SAN, exponent=exponent))

    def test_key_usage_unreadable(self):
        for value in b'', b'\5\0':
            usage = extension([0x55, 29, 15], value)
            self.refused(BAD_CERT, 'its key usage', 'leaf=' + certificate('leaf', 'root', SAN, usage))


if __name__ == '__main__':
    unittest.main()
