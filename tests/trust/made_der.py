"""Certificates put together octet by octet, as no tool would make them."""

SHA256_RSA = bytes.fromhex('300d06092a864886f70d01010b0500')
RSA = bytes.fromhex('300d06092a864886f70d0101010500')


def tlv(tag, *parts):
    content = b''.join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, 'big'))


def name(text):
    return tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex('0603550403'), tlv(12, text.encode()))))


def extension(oid, value):
    return tlv(0x30, tlv(6, bytes(oid)), tlv(4, value))


SAN = extension([0x55, 29, 17], tlv(0x30, tlv(0x82, b'a.example')))
CA = extension([0x55, 29, 19], tlv(0x30, b'\1\1\xff'))


def certificate(subject, issuer, *extensions, bits=2048, exponent=65537, signature=256):
    """Hex of one whose signature is nobody's."""
    dates = tlv(0x30, tlv(23, b'261101000000Z'), tlv(23, b'261201000000Z'))
    numbers = tlv(0x30, integer(1 << (bits - 1) | 1), integer(exponent))
    key = tlv(0x30, RSA, tlv(3, b'\0', numbers))
    signed = tlv(0x30, tlv(0xa0, integer(2)), integer(7), SHA256_RSA, name(issuer), dates, name(subject), key,
                 tlv(0xa3, tlv(0x30, *extensions)))
    return tlv(0x30, signed, SHA256_RSA, tlv(3, b'\0', b'\1' * signature)).hex()


def split(octets):
    """(the octets of the first element's header, all of its octets)"""
    header, size = 2, octets[1]
    if size & 0x80:
        header += size & 0x7f
        size = int.from_bytes(octets[2:header], 'big')
    return header, octets[:header + size]


def content(octets):
    header, whole = split(octets)
    return whole[header:]


def elements(octets):
    """The elements that stand behind one another."""
    while octets:
        _, whole = split(octets)
        yield whole
        octets = octets[len(whole):]
