# SPDX-License-Identifier: GPL-2.0-or-later
"""vmad in two halves, as systemd starts them, but without systemd: a worker that outlives openers, and an opener that outlives workers."""
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from roles import Worker, listen_for_openers  # noqa: E402
from vmad import BINARY, NOBODY, as_user  # noqa: E402
from wire import Wire, wait_until  # noqa: E402

SELF = f'/v1/processes/{os.getpid()}/vmas?kind=stack'
TOKEN = 'a token of the opener'


def serves(worker):
    return worker.get(SELF).status == 200


def seconds_to_turn_away(worker, path):
    began = time.monotonic()
    reply = worker.get(path)
    tap.equal((reply.status, reply.headers['Retry-After']), (503, '1'), path)
    return time.monotonic() - began


def openers_come_and_go():
    """without an opener 503, at once; each that comes is met, also by a client that was there before"""
    with Worker() as worker, Wire(worker.socket) as wire:
        for path in (SELF, '/v1/health'):
            tap.truth(min(seconds_to_turn_away(worker, path) for _ in range(3)) < 1, f'{path}: at once')
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            with worker.opener() as opener:
                wait_until(lambda: serves(worker), 'an answer')
                tap.equal(wire.get(SELF).status, 200, 'who was there before')
                tap.equal(worker.get('/v1/health').status, 200, 'health')
                opener.end(number)
            wait_until(lambda: worker.get('/v1/health').status == 503, 'its end is seen')
            tap.equal(worker.get(SELF).status, 503, 'without one')
            wire.__exit__(None, None, None)
            wire.__init__(worker.socket)


def one_connection_two_openers():
    """a connection that an opener has identified goes on with the next, and is identified anew"""
    with Worker() as worker:
        with worker.opener() as first:
            wait_until(lambda: serves(worker), 'an answer')
            with Wire(worker.socket) as wire:
                tap.equal(wire.get(SELF).status, 200, 'with the first')
                first.end(signal.SIGKILL)
                with worker.opener():
                    wait_until(lambda: serves(worker), 'an answer by the second')
                    tap.equal(wire.get(SELF).status, 200, 'with the second')


def callers_stay_apart():
    """root and nobody, on connections of their own, are themselves whichever opener is asked"""
    own = os.getpid()

    def statuses(path):
        with Wire(path) as wire:
            return wire.get(f'/v1/processes/{own}/vmas').status

    with Worker() as worker:
        for _ in range(2):
            with worker.opener() as opener:
                wait_until(lambda: serves(worker), 'an answer')
                tap.equal(as_user(NOBODY, lambda: statuses(worker.socket)), 403, 'nobody')
                tap.equal(statuses(worker.root_socket), 200, 'root')
                opener.end(signal.SIGKILL)
            wait_until(lambda: worker.get('/v1/health').status == 503, 'its end is seen')


def workers_come_and_go():
    """an opener goes to the next worker at the same socket; a client of the one that was killed is not left waiting"""
    with Worker() as worker, worker.opener() as opener:
        wait_until(lambda: serves(worker), 'an answer')
        with Wire(worker.socket) as wire:
            tap.equal(wire.get(SELF).status, 200, 'a client')
            os.kill(worker.main_pid, signal.SIGKILL)
            tap.equal(wire.rest(), b'', 'the end of its connection')
        tap.equal(opener.process.poll(), None, 'the opener')
        os.unlink(os.path.join(worker.directory, 'worker.sock'))
        again = listen_for_openers(worker.directory)
        again.settimeout(10)
        again.accept()[0].close()       # it comes, and again when it is turned away
        again.accept()[0].close()
        again.close()
        worker.process.wait()
        worker.stop = lambda: 0


def the_opener_holds_tokens():
    """a token is known by the opener that has read it; SIGHUP reads them again; the sampler's numbers come with each opener"""
    with tempfile.NamedTemporaryFile('w') as file, Worker() as worker:
        def write(token):
            file.seek(0)
            file.truncate()
            file.write(f'sha256:{hashlib.sha256(token.encode()).hexdigest()} uid={NOBODY} gid={NOBODY}\n')
            file.flush()

        def answer(token):
            with Wire(('127.0.0.1', port)) as wire:
                return wire.get('/v1/processes?limit=1', f'Authorization: Bearer {token}').status

        port = next(int(line.rsplit(':', 1)[1]) for line in worker.log if 'tcp:127.0.0.1' in line)
        tap.equal(answer(TOKEN), 503, 'without an opener')
        for token in (TOKEN, 'another'):
            write(token)
            with worker.opener('--token-file', file.name, '--sample-interval', '1') as opener:
                wait_until(lambda token=token: (answer(token), answer('wrong')) == (200, 401), 'the token')
                wait_until(lambda: b'vmad_processes{' in worker.get('/metrics').body, 'numbers')
                write('new')
                opener.process.send_signal(signal.SIGHUP)
                wait_until(lambda token=token: (answer('new'), answer(token)) == (200, 401), 'the new one')
            wait_until(lambda: worker.get('/v1/health').status == 503, 'its end is seen')


def strangers_are_not_openers():
    """who comes to the worker's socket and is not root is turned away, and does no harm"""
    def come():
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
            stranger.settimeout(10)
            stranger.connect(path)
            return len(stranger.recv(1))

    with Worker() as worker:
        path = os.path.join(worker.directory, 'worker.sock')
        os.chmod(path, 0o666)
        tap.equal(as_user(NOBODY, come), 0, 'the end')
        with worker.opener():
            wait_until(lambda: serves(worker), 'an answer')


def alone_it_does_not_start():
    """a half without what it needs says so in one line: exit 1"""
    for role, said in (('worker', 'vmad: --role worker: systemd hands over no sockets for clients\n'),
                       ('both', 'vmad: --role is not all, opener or worker\nTry \'vmad --help\'.\n')):
        done = subprocess.run([BINARY, '--role', role], capture_output=True, text=True, timeout=30, check=False)
        tap.equal((done.returncode, done.stderr), (1 if role == 'worker' else 2, said), role)
    done = subprocess.run([BINARY, '--role', 'opener', '--procfs', os.path.join(os.environ['TOP_SRCDIR'], 'tests/proc/odd')],
                          capture_output=True, text=True, timeout=30, check=False)
    tap.equal((done.returncode, done.stderr), (1, "vmad: --role opener: it needs root's capabilities, and the running kernel's /proc\n"), 'opener')


if os.geteuid() != 0:
    print('1..0 # SKIP needs root: an ordinary user\'s vmad has no halves')
    sys.exit(0)
tap.run([openers_come_and_go, one_connection_two_openers, callers_stay_apart, workers_come_and_go, the_opener_holds_tokens,
         strangers_are_not_openers, alone_it_does_not_start])
