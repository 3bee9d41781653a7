# SPDX-License-Identifier: GPL-2.0-or-later
"""vmad in two halves, as systemd starts them, but without systemd: a worker, and openers that come to it.

    with Worker() as worker, worker.opener():
        worker.get('/v1/processes')
"""
import os
import signal
import socket
import subprocess

from activated import Activated, listen_tcp, listen_unix
from vmad import BINARY, READY_SECONDS


def listen_for_openers(directory):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(os.path.join(directory, 'worker.sock'))
    listener.listen(8)
    return listener


SOCKETS = {
    'vmad-unix': lambda directory: listen_unix(os.path.join(directory, 'vmad.sock')),
    'vmad-root': lambda directory: listen_unix(os.path.join(directory, 'root.sock'), 0o600),
    'vmad-tcp': lambda _: listen_tcp(),
    'vmad-worker': listen_for_openers,
}


class Worker(Activated):
    """The half that talks to clients; it starts without an opener."""

    def __init__(self, **more):
        super().__init__(sockets=SOCKETS, arguments=['--role', 'worker'], **more)

    def opener(self, *arguments, environment=None):
        return Opener(self, *arguments, environment=environment)


class Opener:
    """The other half: comes to a worker's socket, and is there until the end of the with block."""

    def __init__(self, worker, *arguments, environment=None):
        self.process = subprocess.Popen(
            [BINARY, '--role', 'opener', '--worker-socket', os.path.join(worker.directory, 'worker.sock'), '--listen', f'unix:{worker.socket}',
             '--listen', f'unix:{worker.root_socket}', *arguments], stderr=subprocess.PIPE, cwd='/',
            env={**os.environ, **(environment or {})})
        line = self.process.stderr.readline().decode()
        if line != 'vmad: ready\n':
            self.process.kill()
            raise RuntimeError(f'the opener said {line!r}')

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(READY_SECONDS)
        self.process.stderr.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
