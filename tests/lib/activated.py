# SPDX-License-Identifier: GPL-2.0-or-later
"""A vmad that was given its sockets, as systemd gives them (sd_listen_fds(3)): the one way to a root-only socket at a path of one's own."""
import os
import socket
import sys

from vmad import Vmad

# The numbers that Popen hands over become 3, 4, ..., and LISTEN_PID is known only here.
HAND_OVER = """
import fcntl, os, sys
fds = [int(fd) for fd in sys.argv[1].split(',')]
spare = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
for i, fd in enumerate(spare):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(fds), 256)
os.environ['LISTEN_PID'] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
"""


def listen_unix(path, mode=0o666):
    """A listening Unix socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, mode)
    listener.listen(512)
    return listener


def listen_tcp(address='127.0.0.1'):
    listener = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen(512)
    return listener


class Activated(Vmad):
    """sockets: {name: how to make one, given the directory}; self.made holds them by name."""

    def __init__(self, sockets=None, names=None, **more):
        self._sockets = sockets or {
            'vmad-unix': lambda directory: listen_unix(os.path.join(directory, 'vmad.sock')),
            'vmad-root': lambda directory: listen_unix(os.path.join(directory, 'root.sock'), 0o600),
        }
        self._names = names
        self.made = {}
        super().__init__(**more)

    def _start(self, uid, listen, arguments, prefix, environment):
        self.root_socket = os.path.join(self.directory, 'root.sock')
        self.made = {name: make(self.directory) for name, make in self._sockets.items()}
        self.passed = tuple(made.fileno() for made in self.made.values())
        numbers = ','.join(str(fd) for fd in self.passed)
        names = ':'.join(self.made) if self._names is None else self._names
        environment = {**environment, 'LISTEN_FDS': str(len(self.passed)), 'LISTEN_FDNAMES': names}
        os.chmod(self.directory, 0o755)
        try:
            super()._start(uid, [], arguments, [*prefix, sys.executable, '-c', HAND_OVER, numbers], environment)
        finally:
            for made in self.made.values():
                made.close()
