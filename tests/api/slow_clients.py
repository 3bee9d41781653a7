# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that stop or trickle: each loses its connection, thread and descriptors, and stands in nobody's way meanwhile.

The deadlines are ten seconds and more, so all of these clients are slow at once.
"""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from crowd import Crowd, at_once, checked  # noqa: E402
from vmad import Vmad  # noqa: E402
from wire import Closed, Wire, descriptors, tasks, wait_until  # noqa: E402

EARLIEST, LATEST = 8, 20  # seconds until a connection is cut: ten and more by the clock of a loaded machine
GET_ALL = 'GET /v1/processes/{}/vmas?detail=usage HTTP/1.1\r\nHost: localhost\r\n\r\n'


def until_cut(wire, step):
    """Calls step() every half second until vmad has ended the connection; how long that took."""
    began = time.monotonic()
    wire.socket.settimeout(0.5)
    while time.monotonic() - began < LATEST:
        try:
            if step() == b'':
                return time.monotonic() - began
        except TimeoutError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            return time.monotonic() - began
    raise AssertionError(f'still open after {LATEST} s')


def says_nothing():
    with Wire(vmad.socket) as wire:
        return until_cut(wire, wire.receive)


def trickles_its_head():
    with Wire(vmad.socket) as wire:
        wire.send(b'GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: ')

        def step():
            wire.socket.sendall(b'a')
            return wire.receive()

        return until_cut(wire, step)


def is_idle_after_a_reply():
    with Wire(vmad.socket) as wire:
        tap.equal(wire.get('/v1/health').status, 200, 'the first request')
        return until_cut(wire, wire.receive)


def peek_end(wire):
    """b'' where vmad has closed its end, whatever still lies in between."""
    try:
        wire.socket.sendall(b'')
        wire.socket.send(b'x', socket.MSG_NOSIGNAL)
    except (BrokenPipeError, ConnectionResetError):
        return b''
    time.sleep(0.5)
    return b'open'


def stops_reading():
    """Takes the first bytes of 44 MB, and no more."""
    with Wire(vmad.socket, receive_buffer=4096) as wire:
        wire.send(GET_ALL.format(crowd.pid).encode())
        wire.receive(1000)
        return until_cut(wire, lambda: peek_end(wire))


def trickles_its_reading():
    with Wire(vmad.socket, receive_buffer=4096) as wire:
        wire.send(f'GET /v1/processes/{crowd.pid}/vmas HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        wire.receive(1000)

        def step():
            wire.receive(100)
            return peek_end(wire)

        return until_cut(wire, step)


def reads_steadily():
    """Slow, but not that slow: 40 KB a second; it is still served when the others are cut."""
    with Wire(vmad.socket) as wire:
        wire.send(f'GET /v1/processes/{crowd.pid}/vmas?perms=r... HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        for _ in range(32):
            tap.truth(wire.receive(20000), 'a slow but steady reader is cut')
            time.sleep(0.5)


def others_meanwhile():
    """Small requests beside all of them; and the walk that the one who stopped has begun is taken from it."""
    with Wire(vmad.socket) as wire:
        end = time.monotonic() + 6
        while time.monotonic() < end:
            tap.equal(wire.get(f'/v1/processes/{os.getpid()}').status, 200, 'a small request')
            time.sleep(0.02)
    tap.equal(vmad.get(f'/v1/processes/{crowd.pid}/vmas?detail=usage&min_size_bytes=1T').status, 200, 'another walk')


def at_rest():
    return tasks(vmad.pid), descriptors(vmad.pid)


def all_at_once():
    """who says nothing, trickles a head, idles, stops reading or trickles it is cut; who reads slowly is not; others notice nothing"""
    slow = [says_nothing, trickles_its_head, is_idle_after_a_reply, stops_reading, trickles_its_reading]
    results = checked(at_once([*slow, *slow, reads_steadily, others_meanwhile]))
    for function, seconds in zip([*slow, *slow], results):
        tap.truth(EARLIEST <= seconds <= LATEST, f'{function.__name__}: cut after {seconds:.1f} s')


def nothing_is_left():
    """their threads and descriptors are gone"""
    wait_until(lambda: at_rest() <= before, f'{at_rest()} tasks and descriptors, {before} before')


def gone_in_the_middle():
    """a client that goes away in the middle of a reply leaves nothing behind either"""
    for _ in range(30):
        with Wire(vmad.socket) as wire:
            wire.send(GET_ALL.format(crowd.pid).encode())
            wire.receive(10000)
    wait_until(lambda: at_rest() <= before, f'{at_rest()} tasks and descriptors, {before} before')


def half_closed():
    """a client that has closed its sending side gets its whole reply"""
    with Wire(vmad.socket) as wire:
        wire.send(f'GET /v1/processes/{crowd.pid}/vmas HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        wire.socket.shutdown(socket.SHUT_WR)
        tap.equal(wire.reply().json()['complete'], True, 'the list')


def an_early_end_is_seen():
    """a client whose head never ends gets no reply at all, not half of one"""
    with Wire(vmad.socket) as wire:
        wire.send(b'GET /v1/health HTTP/1.1\r\nHost: localhost\r\n')
        wire.socket.shutdown(socket.SHUT_WR)
        try:
            tap.truth(False, f'a reply: {wire.reply().status}')
        except Closed:
            pass


with Crowd(60000) as crowd, Vmad() as vmad:
    vmad.get(f'/v1/processes/{crowd.pid}?detail=usage')
    before = wait_until(at_rest, 'a first look')
    tap.run([all_at_once, nothing_is_left, gone_in_the_middle, half_closed, an_early_end_is_seen])
