# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers of a Unix socket that are not who they seem: of another user or pid namespace, or gone."""
import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import Vmad  # noqa: E402
from wire import Wire  # noqa: E402

CLIENT = """
import json, socket, sys
wire = socket.socket(socket.AF_UNIX)
wire.connect(sys.argv[1])
wire.sendall(b'GET ' + sys.argv[2].encode() + b' HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
reply = b''
while b'\\r\\n\\r\\n' not in reply or not reply.split(b'\\r\\n\\r\\n', 1)[1].endswith(b'}\\n'):
    reply += wire.recv(65536)
head, body = reply.split(b'\\r\\n\\r\\n', 1)
print(json.dumps([int(head[9:12]), json.loads(body), wire.recv(1) == b'' if b'Connection: close' in head else False]))
"""


def ask_within(unshare, target='/v1/capabilities'):
    """A request from within other namespaces: status, document, was the connection closed."""
    command = ['unshare', *unshare, sys.executable, '-c', CLIENT, vmad.socket, target]
    process = subprocess.run(command, capture_output=True, timeout=30, check=False, cwd='/')
    if process.returncode and b'unshare:' in process.stderr:
        raise tap.Skip(process.stderr.decode().strip())
    return json.loads(process.stdout)


def refused(*unshare):
    for target in ('/v1/capabilities', '/v1/processes', f'/v1/processes/{os.getpid()}/vmas', '/v1/health'):
        status, found, closed = ask_within(unshare, target)
        tap.equal((status, found['type'], closed), (403, 'urn:vmad:problem:foreign-namespace', True), target)
        tap.truth(found['mend'] and found['detail'], 'it says why, and what would help')


def another_user_namespace():
    """root of another user namespace is no root here: 403 foreign-namespace"""
    refused('--user', '--map-root-user')


def another_user_namespace_unmapped():
    """nor is a user that has no name there"""
    refused('--user')


def another_pid_namespace():
    """pids of another pid namespace mean other processes: 403 foreign-namespace"""
    refused('--pid', '--fork')


def both():
    """a container, as far as vmad is concerned: 403 foreign-namespace"""
    refused('--user', '--map-root-user', '--pid', '--fork', '--mount')


def other_namespaces_do_not_matter():
    """mount, network, UTS and IPC namespaces are not asked for"""
    status, found, _ = ask_within(['--mount', '--net', '--uts', '--ipc'])
    tap.equal((status, found['caller_uid']), (200, os.geteuid()), 'itself')


def a_peer_that_is_gone():
    """who connected and is gone cannot be asked for its namespaces: 403, for whoever holds the socket now"""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        wire = socket.socket(socket.AF_UNIX)
        wire.connect(vmad.socket)
        socket.send_fds(theirs, [b'x'], [wire.fileno()])
        os._exit(0)
    _, (fd,), _, _ = socket.recv_fds(ours, 1, 1)
    os.waitpid(child, 0)
    with Wire.__new__(Wire) as wire:
        wire.socket, wire.have = socket.socket(fileno=fd), b''
        reply = wire.get('/v1/processes')
        tap.equal((reply.status, reply.json()['type']), (403, 'urn:vmad:problem:foreign-namespace'), 'reply')
    ours.close()
    theirs.close()


def identity_is_as_of_connect():
    """a process that connected as root and is nobody now is root on that connection; on the next it is not"""
    if os.geteuid() != 0:
        raise tap.Skip('needs root')
    with Wire(vmad.socket) as wire:
        os.seteuid(65534)
        try:
            tap.equal(wire.get('/v1/capabilities').json()['caller_uid'], 0, 'the old connection')
            with Wire(vmad.socket) as other:
                tap.equal(other.get('/v1/capabilities').json()['caller_uid'], 65534, 'a new one')
        finally:
            os.seteuid(0)


with Vmad(open_to_all=True) as vmad:
    tap.run([
        another_user_namespace,
        another_user_namespace_unmapped,
        another_pid_namespace,
        both,
        other_namespaces_do_not_matter,
        a_peer_that_is_gone,
        identity_is_as_of_connect,
    ])
