"""A TCP peer below the kernel's own: it plays one script to one client, and counts every segment.

It listens on a packet socket for an address that its namespace does not have, so that the kernel there answers nothing.
Source: RFC 9293 section 3; neither side uses options here but the client its own, so the MSS is 536 (section 3.7.1).
"""
import socket
import struct
import time

MSS = 536
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETH_P_IP = 0x0800


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class ScriptTcp:
    """wait_*: takes segments until what is named has come. say, acknowledge, finish: send one segment."""

    def __init__(self, packets, mac, address, client, port=7000):
        self.packets, self.mac = packets, mac
        self.address, self.client = socket.inet_aton(address), socket.inet_aton(client)
        self.port, self.client_port = port, 0
        self.next, self.wanted = 1000, 0  # our next octet; the client's
        self.data_octets = 0              # of the client, those sent again too
        self.segments_in = self.segments_out = 0
        self.ended = False                # the client's FIN or RST has come

    def take(self):
        """One segment of the client's: (flags, sequence, data)."""
        while True:
            packet = self.packets.recv(65536)
            if len(packet) < 40 or packet[9] != 6 or packet[12:16] != self.client or packet[16:20] != self.address:
                continue
            segment = packet[(packet[0] & 15) * 4:struct.unpack_from('!H', packet, 2)[0]]
            source, port, sequence, _, offset, flags = struct.unpack_from('!HHIIBB', segment)
            if port != self.port:
                continue
            self.client_port = source
            data = segment[(offset >> 4) * 4:]
            if flags & (FIN | RST):
                self.ended = True
            else:  # a large one is cut into segments on the wire only
                self.segments_in += max(1, -(-len(data) // MSS))
            self.data_octets += len(data)
            return flags, sequence, data

    def send(self, flags, sequence, data=b''):
        head = struct.pack('!HHIIBBHHH', self.port, self.client_port, sequence & 0xffffffff, self.wanted & 0xffffffff,
                           5 << 4, flags, 65535, 0, 0)
        pseudo = self.address + self.client + struct.pack('!BBH', 0, 6, len(head) + len(data))
        head = head[:16] + struct.pack('!H', checksum(pseudo + head + data)) + head[18:]
        ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(head) + len(data), 0, 0x4000, 64, 6, 0, self.address,
                         self.client)
        ip = ip[:10] + struct.pack('!H', checksum(ip)) + ip[12:]
        self.packets.sendto(ip + head + data, ('nws', ETH_P_IP, 0, 0, self.mac))
        self.segments_out += 1

    def shake_hands(self, delay):
        flags, sequence, _ = self.take()
        assert flags == SYN, flags
        time.sleep(delay)  # what the client has to measure
        self.wanted = sequence + 1
        self.send(SYN | ACK, self.next)
        self.next += 1
        flags, _, data = self.take()
        assert flags & ACK and not data

    def wait_data(self, octets):
        """Until that many octets have come in all, those that came again counted again."""
        while self.data_octets < octets:
            self.take()

    def acknowledge(self, octets):
        self.wanted += octets
        self.send(ACK, self.next)

    def say(self, data, at=0):
        """At that distance from the next octet that was not sent in order; at 0 the order goes on."""
        self.send(ACK | PSH, self.next + at, data)

    def finish(self):
        self.send(FIN | ACK, self.next)

    def wait_end(self):
        while not self.ended:
            self.take()
