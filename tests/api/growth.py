# SPDX-License-Identifier: GPL-2.0-or-later
"""Tens of thousands of requests leave nothing behind: no memory, no descriptor, no thread."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from crowd import Crowd, at_once, checked  # noqa: E402
from vmad import Vmad, is_sanitized, request  # noqa: E402
from wire import Wire, descriptors, tasks, wait_until  # noqa: E402

SELF = os.getpid()
PIPELINED = 50
KIB = 1024
TARGETS = [
    '/v1/health', f'/v1/processes/{SELF}', f'/v1/processes/{SELF}?max_age_ms=0', f'/v1/processes/{SELF}/vmas/0x1000',
    f'/v1/processes/{SELF}/vmas?limit=5', f'/v1/processes/{SELF}?detail=usage', '/v1/nothing', '/v1/processes/4194304',
    '/v1/health?x=1', '/v1/processes?limit=2',
]


def at_rest():
    return tasks(vmad.pid), descriptors(vmad.pid)


def requests(count):
    """count requests of all kinds, pipelined on one connection."""
    with Wire(vmad.socket) as wire:
        for _ in range(count // PIPELINED):
            batch = TARGETS * (PIPELINED // len(TARGETS))
            wire.send(''.join(f'GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n' for target in batch).encode())
            for _ in batch:
                wire.reply()


def from_four(count):
    checked(at_once([lambda: requests(count // 4)] * 4))


def connections(count):
    for _ in range(count):
        with Wire(vmad.socket) as wire:
            wire.get('/v1/health')


def grows(what, work, allowed):
    """The daemon's resident memory does not grow by more than that while work() runs a second and a third time."""
    if is_sanitized():
        work()
        raise tap.Skip('a sanitizer keeps what was freed')
    work()
    before = vmad.memory('RssAnon')
    work()
    work()
    grown = vmad.memory('RssAnon') - before
    print(f'# {what}: grown by {grown // KIB} KiB')
    tap.truth(grown <= allowed, f'{what}: grown by {grown // KIB} KiB')


def nothing_else():
    wait_until(lambda: at_rest() <= before, f'{at_rest()} tasks and descriptors, {before} before')


def small_requests():
    """20,000 requests of all kinds: memory, descriptors and threads as before"""
    grows('20,000 requests', lambda: from_four(10000), 512 * KIB)
    nothing_else()


def many_connections():
    """4,000 connections: memory, descriptors and threads as before"""
    grows('4,000 connections', lambda: connections(2000), 512 * KIB)
    nothing_else()


def compressed_and_kept():
    """compressed replies and cached walks: memory as before"""
    def work():
        connection = vmad.connect()
        for i in range(300):
            request(connection, f'/v1/processes/{SELF}/vmas?detail=usage&max_age_ms={i % 50}', headers={'Accept-Encoding': 'gzip'})
            request(connection, f'/v1/processes/{SELF}/vmas', headers={'Accept-Encoding': 'gzip'})
        connection.close()

    grows('900 compressed replies', work, 1024 * KIB)
    nothing_else()


def the_cache_is_bounded():
    """many different walks with big answers: the cache keeps to its 16 MiB"""
    with Crowd(2000) as crowd:
        def work():
            connection = vmad.connect()
            for i in range(60):
                target = f'/v1/processes/{crowd.pid}/vmas?detail=usage&max_age_ms=10000&limit={500 + i}'
                tap.equal(request(connection, target).status, 200, target)
            connection.close()

        start = vmad.memory('RssAnon')
        work()
        grown = vmad.memory('RssAnon') - start
        if is_sanitized():
            raise tap.Skip('a sanitizer keeps what was freed')
        print(f'# grown by {grown // KIB} KiB')
        tap.truth(grown < 24 * KIB * KIB, f'grown by {grown // KIB} KiB')
    nothing_else()


with Vmad() as vmad:
    requests(PIPELINED)
    before = wait_until(at_rest, 'a first look')
    tap.run([small_requests, many_connections, compressed_and_kept, the_cache_is_bounded])
