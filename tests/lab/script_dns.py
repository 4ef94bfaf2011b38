"""A DNS server that answers by a script: addresses, how late, or not at all."""
import ipaddress
import struct
import threading

A, AAAA = 1, 28  # RFC 1035 section 3.2.2, RFC 3596 section 2.1
NXDOMAIN = 3     # RFC 1035 section 4.1.1
SILENT = None


class ScriptDns:
    """rules: {(name, type): (delay in seconds or SILENT, [addresses])}; other names do not exist."""

    def __init__(self, socket, rules):
        self.socket, self.rules, self.asked = socket, rules, []
        self.known = {name for name, _ in rules}

    def run(self):
        while True:
            try:
                message, sender = self.socket.recvfrom(4096)
            except OSError:
                return
            if len(message) < 12:
                return  # shut down
            name, kind, end = self.read_question(message)
            self.asked.append((name, kind))
            delay, addresses = self.rules.get((name, kind), (0, []))
            if delay is SILENT:
                continue
            answer = self.make_answer(message, end, kind, addresses, 0 if name in self.known else NXDOMAIN)
            timer = threading.Timer(delay, self.send, (answer, sender))
            timer.daemon = True
            timer.start()

    def send(self, answer, sender):
        try:
            self.socket.sendto(answer, sender)
        except OSError:
            pass  # the test is over

    @staticmethod
    def read_question(message):
        at, labels = 12, []
        while message[at]:
            labels.append(message[at + 1:at + 1 + message[at]].decode().lower())
            at += 1 + message[at]
        return '.'.join(labels), struct.unpack_from('!H', message, at + 1)[0], at + 5

    @staticmethod
    def make_answer(message, end, kind, addresses, rcode):
        header = message[:2] + struct.pack('!HHHHH', 0x8180 | rcode, 1, len(addresses), 0, 0)
        records = b''
        for address in addresses:
            data = ipaddress.ip_address(address).packed
            records += struct.pack('!HHHIH', 0xc00c, kind, 1, 60, len(data)) + data  # the name: a pointer to octet 12
        return header + message[12:end] + records
