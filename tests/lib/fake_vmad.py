# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for vmad: canned answers over a Unix socket, so that vmactl can be shown what a real one says rarely or never.

    with FakeVmad() as fake:
        fake.answers['/v1/health'] = Canned({'status': 'ok'})
        ... vmactl --socket fake.socket ...
        fake.requests
"""
import http.server
import json
import os
import shutil
import socketserver
import sys
import tempfile
import threading


class Canned:
    """One answer. With rows it is a list: a document or NDJSON, as the request asks.

    cut: only so many bytes of the body are sent, then the connection is closed. hang_up: no answer at all.
    """

    def __init__(
        self,
        head=None,
        name=None,
        rows=None,
        tail=None,
        record='vma',
        status=200,
        kind=None,
        body=None,
        cut=None,
        hang_up=False,
    ):
        self.head, self.name, self.rows, self.record = head or {}, name, rows, record
        self.tail = tail if tail is not None else {'count': len(rows or []), 'complete': True}
        self.status, self.kind, self.body, self.cut, self.hang_up = status, kind, body, cut, hang_up

    def document(self):
        """The bytes of the JSON form; blanks show that nobody wrote them anew."""
        if self.body is not None:
            return self.body
        if self.rows is None:
            return json.dumps(self.head, indent=1).encode() + b'\n'
        return json.dumps({**self.head, self.name: self.rows, **self.tail}, separators=(' , ', ' : ')).encode() + b'\n'

    def ndjson(self):
        """The bytes of the NDJSON form."""
        if self.rows is None or self.body is not None:
            return self.document()
        lines = [
            {'begin': True, **self.head},
            *[{'record': self.record, **row} for row in self.rows],
            {'end': True, **self.tail},
        ]
        return b''.join(json.dumps(line, separators=(',', ':')).encode() + b'\n' for line in lines)


def problem(kind, status, title, **members):
    """A problem document as vmad answers it."""
    return Canned(
        {'type': f'urn:vmad:problem:{kind}', 'title': title, 'status': status, **members},
        status=status,
        kind='application/problem+json',
    )


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from the server's table: the whole target first, then its path without the query."""

    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        fake = self.server.fake
        fake.requests.append((self.path, dict(self.headers)))
        canned = (
            fake.answers.get(self.path)
            or fake.answers.get(self.path.split('?')[0])
            or problem('no-such-path', 404, 'no such path')
        )
        wants_lines = 'ndjson' in self.headers.get('Accept', '')
        body = canned.ndjson() if wants_lines else canned.document()
        if canned.hang_up:
            self.close_connection = True
            return
        self.send_response(canned.status)
        self.send_header('Content-Type', canned.kind or ('application/x-ndjson' if wants_lines else 'application/json'))
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body if canned.cut is None else body[: canned.cut])
        self.close_connection = canned.cut is not None

    def address_string(self):
        return 'unix'

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """HTTP over a Unix socket, a thread a connection."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A vmactl that went away in the middle is what some cases are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ('unix', 0)


class FakeVmad:
    """Serves from the moment that it exists: its socket listens before anybody knows its path."""

    def __init__(self, answers=None):
        self.answers = dict(answers or {})
        self.requests = []
        self.directory = tempfile.mkdtemp(prefix='vmactl-test-')
        self.socket = os.path.join(self.directory, 'vmad.sock')
        self.server = Server(self.socket, Handler)
        self.server.fake = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def paths(self):
        """The targets that were asked for, in order."""
        return [path for path, _ in self.requests]
