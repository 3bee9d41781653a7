# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP as bytes: what no well-behaved client sends, and replies one after the other as they stand on the wire.

    with Wire(vmad.socket) as wire:
        wire.send(b'GET /v1/health HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
        reply = wire.reply()
        reply.status, reply.headers['content-type'], reply.body
"""
import json
import os
import re
import socket
import time

SECONDS = 20
PATIENCE = 60   # sanitizers on a loaded machine: only what never comes about takes it all


class Closed(Exception):
    """vmad closed the connection where more was wanted."""


class WireReply:
    """One reply. headers: lower-case names, of those that came twice the last."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Wire:
    """A connection. where: the path of a Unix socket, or (address, port)."""

    def __init__(self, where, timeout=SECONDS, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET6 if ':' in where[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self._connect(where, time.monotonic() + timeout)
        self.have = b''

    def _connect(self, where, end):
        """Waits for a place among those that are not yet accepted: a socket with a timeout does not do that by itself."""
        while True:
            try:
                self.socket.connect(where)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.001)

    def send(self, data):
        """Sends as much as vmad takes: one that has answered already may have closed."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def get(self, target, *fields):
        """A well-formed request without a body."""
        lines = [f'GET {target} HTTP/1.1', 'Host: localhost', *fields, '', '']
        self.send('\r\n'.join(lines).encode())
        return self.reply()

    def receive(self, most=65536):
        """What comes next; b'' at the end of the connection."""
        try:
            return self.socket.recv(most)
        except ConnectionResetError:
            return b''

    def _more(self):
        data = self.receive()
        if not data:
            raise Closed(f'the connection ended behind {self.have[-80:]!r}')
        self.have += data

    def _until(self, mark):
        while mark not in self.have:
            self._more()
        head, self.have = self.have.split(mark, 1)
        return head

    def _exactly(self, count):
        while len(self.have) < count:
            self._more()
        body, self.have = self.have[:count], self.have[count:]
        return body

    def _chunks(self):
        parts = []
        while size := int(self._until(b'\r\n'), 16):
            parts.append(self._exactly(size))
            self._exactly(2)
        self._exactly(2)
        return b''.join(parts)

    def reply(self, head=False):
        """The next reply; head: it answers HEAD and has no body."""
        first, *lines = self._until(b'\r\n\r\n').decode('latin1').split('\r\n')
        headers = {}
        for line in lines:
            name, value = line.split(':', 1)
            headers[name.lower()] = value.strip()
        status = int(re.fullmatch(r'HTTP/1\.1 (\d{3}) .*', first).group(1))
        if head or status == 304:
            return WireReply(status, headers, b'')
        if headers.get('transfer-encoding') == 'chunked':
            return WireReply(status, headers, self._chunks())
        if 'content-length' in headers:
            return WireReply(status, headers, self._exactly(int(headers['content-length'])))
        return WireReply(status, headers, self.rest())

    def rest(self):
        """All that comes until the end of the connection."""
        while data := self.receive():
            self.have += data
        body, self.have = self.have, b''
        return body

    def is_open(self):
        """Does vmad answer another request on this connection?"""
        try:
            return self.get('/v1/health').status == 200
        except (Closed, OSError):
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()


def wait_until(holds, what, seconds=PATIENCE):
    """Waits until holds() is true and returns what it returned."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        if time.monotonic() > end:
            raise AssertionError(f'not within {seconds} s: {what}')
        time.sleep(0.01)
    return value


def least(look, seconds=1):
    """The least of each number that look() returns within that time: what was closed just now is still ending."""
    looks, end = [look()], time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
        looks.append(look())
    return tuple(map(min, zip(*looks)))


def tasks(pid):
    return len(os.listdir(f'/proc/{pid}/task'))


def descriptors(pid):
    """vmad is not dumpable: only root may count its descriptors; for others there are 0, before and after."""
    try:
        return len(os.listdir(f'/proc/{pid}/fd'))
    except PermissionError:
        return 0
