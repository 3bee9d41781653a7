# SPDX-License-Identifier: GPL-2.0-or-later
"""Very many connections: quotas by user and by socket hold, everyone gets an answer or an end, and root keeps a way in."""
import os
import resource
import selectors
import sys
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from activated import Activated  # noqa: E402
from vmad import NOBODY  # noqa: E402
from wire import PATIENCE, Closed, Wire, descriptors, least, tasks, wait_until  # noqa: E402

PER_USER, TOLD_PER_USER, PER_SOCKET = 32, 8, 192
MANY = 2000
REFUSED_AT_ONCE, REFUSAL_SECONDS = 16, 0.01
IDLE_SECONDS = 10   # after which a connection that asks nothing loses its place
REQUEST = b'GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n'


def at_rest():
    return tasks(vmad.pid), descriptors(vmad.pid)


def settled():
    """What the cases before left behind is gone."""
    wait_until(lambda: all(now <= then for now, then in zip(at_rest(), before)), f'{at_rest()} tasks and descriptors, {before} before')


def as_uid(uid, function):
    """function() while this process's effective uid is another: that is what a socket's peer sees of it."""
    os.seteuid(uid)
    try:
        return function()
    finally:
        os.seteuid(0)


def connections(count, where=None):
    return [Wire(where or vmad.socket) for _ in range(count)]


def close(wires):
    for wire in wires:
        wire.close()


def answer_to(wire):
    """The status of a small request, with Retry-After where there is one; None: the connection ended."""
    try:
        reply = wire.reply()
    except Closed:
        return None, None
    return reply.status, reply.headers.get('retry-after')


def status(wire):
    wire.send(REQUEST)
    return answer_to(wire)


def statuses(wires):
    """Of all of them at once: one after the other, the first would be idle for too long on a slow machine."""
    for wire in wires:
        wire.send(REQUEST)
    return {answer_to(wire) for wire in wires}


def told(where):
    """The reply to a connection that is one too many. Who takes a second to ask is sent away without one."""
    def ask():
        with Wire(where) as wire:
            try:
                reply = wire.get('/v1/health')
            except Closed:
                return None
            tap.equal(wire.rest(), b'', 'and the connection ends')
            return reply

    return wait_until(ask, 'a word to the one too many')


def a_users_connections():
    """a user has 32 connections; the next one is told 429 and sent away; one less, one more"""
    settled()
    wires = connections(PER_USER)
    tap.equal(statuses(wires), {(200, None)}, 'the first 32')
    reply = told(vmad.socket)
    tap.equal((reply.status, reply.headers['retry-after'], reply.json()['type']), (429, '1', 'urn:vmad:problem:too-many'), 'the next one')
    tap.truth('user' in reply.json()['detail'] and reply.json()['mend'], 'it says why, and what helps')
    tap.equal(statuses(wires), {(200, None)}, 'the first 32 are still served')
    wires.pop().close()

    def one_more():
        with Wire(vmad.socket) as wire:
            return status(wire) == (200, None)

    wait_until(one_more, 'a place that came free')
    close(wires)


def who_comes_back_at_once():
    """of a user who is told to come back later, and comes at once, some are told so at once, and then one in 10 ms"""
    settled()
    wires = connections(PER_USER)
    tap.equal(statuses(wires), {(200, None)}, 'the first 32')
    began, refused = time.monotonic(), 0
    while refused < 2 * REFUSED_AT_ONCE:
        with Wire(vmad.socket) as wire:
            refused += status(wire) == (429, '1')     # or it was cut: those before it are still being cleaned up
    took = time.monotonic() - began
    tap.truth(took >= REFUSED_AT_ONCE * REFUSAL_SECONDS, f'{refused} refusals in {took:.3f} s')
    close(wires)


def niceness(tid):
    with open(f'/proc/{vmad.pid}/task/{tid}/stat', encoding='ascii', errors='replace') as stat:
        return int(stat.read().rpartition(')')[2].split()[16])


def threads():
    return {int(tid) for tid in os.listdir(f'/proc/{vmad.pid}/task')}


def nicer(since):
    """Of each of vmad's threads that was not there before, by how much it is nicer than the first."""
    return sorted(niceness(tid) - niceness(vmad.pid) for tid in threads() - since)


def who_has_many_gives_way():
    """of a user's connections each one's thread is nicer than those before it, up to 5: others need not wait for many"""
    settled()
    since = threads()
    wires = as_uid(NOBODY, lambda: connections(8))
    tap.equal(statuses(wires), {(200, None)}, 'all of 8')
    tap.equal(nicer(since), [0, 1, 2, 3, 4, 5, 5, 5], 'their threads')
    with Wire(vmad.socket) as wire:
        tap.equal(status(wire), (200, None), 'another user')
        tap.equal(nicer(since), [0, 0, 1, 2, 3, 4, 5, 5, 5], "another user's thread")
    close(wires)


def many_beside_another():
    """a user's 32 connections ask at once, again and again, and another user in between: each gets its answer"""
    settled()
    wires = as_uid(NOBODY, lambda: connections(PER_USER))
    with Wire(vmad.socket) as other:
        for _ in range(20):
            for wire in wires:
                wire.send(REQUEST)
            tap.equal(status(other), (200, None), 'another user')
            tap.equal({wire.reply().status for wire in wires}, {200}, 'the many')
    close(wires)


def until_ended(wires):
    """Reads until vmad has ended each of the connections: all that was said there, and the most threads meanwhile."""
    selector, said, most = selectors.DefaultSelector(), b'', 0
    for wire in wires:
        selector.register(wire.socket, selectors.EVENT_READ, wire)
    end = time.monotonic() + PATIENCE
    while selector.get_map():
        tap.truth(time.monotonic() < end, f'{len(selector.get_map())} are still open after {PATIENCE} s')
        for key, _ in selector.select(0.1):
            data = key.data.receive()
            said += data
            if not data:
                selector.unregister(key.fileobj)
        most = max(most, tasks(vmad.pid))
    return said, most


def too_many_cost_nothing():
    """no thread begins for connections that are too many even to be told so; silent ones end without a word"""
    settled()
    wires = as_uid(NOBODY, lambda: connections(PER_USER + TOLD_PER_USER + 300))
    said, most = until_ended(wires[PER_USER:])
    tap.equal(said, b'', 'no word')
    # Twice as many as there may be: one may begin before another's thread is gone.
    tap.truth(most <= before[0] + 2 * (PER_USER + TOLD_PER_USER), f'{most} threads, {before[0]} of them before')
    close(wires)


def who_waits_to_be_told():
    """those who are more than can be told at once that they are too many wait, and are told in their turn"""
    def more_were_told():
        settled()
        wires = connections(PER_USER)
        tap.equal(statuses(wires), {(200, None)}, 'the first 32')
        others = connections(TOLD_PER_USER + 40)
        for wire in others:
            wire.send(REQUEST)
        answers = [answer_to(wire) for wire in others]
        close(wires + others)
        return answers.count((429, '1')) > TOLD_PER_USER

    wait_until(more_were_told, 'more that are told')


def who_waits_finds_a_place():
    """one who waits to be told that there are too many is served where a place comes free meanwhile"""
    def served():
        settled()
        silent = connections(PER_USER + TOLD_PER_USER)
        with Wire(vmad.socket) as wire:
            wire.send(REQUEST)
            close(silent[:PER_USER])
            answer = answer_to(wire)
        close(silent)
        return answer == (200, None)

    wait_until(served, 'a place that came free in time')


def silent_connections_count():
    """a user who only connects, and says nothing, takes no more than that either"""
    settled()
    silent = as_uid(NOBODY, lambda: connections(300))
    with Wire(vmad.socket) as wire:
        tap.equal(status(wire), (200, None), 'another user')
    tap.equal(as_uid(NOBODY, lambda: status(silent[0])), (200, None), 'the first of them')
    close(silent)


def a_sockets_connections():
    """the socket has 192; a user without any is told 503, and root has its own socket"""
    settled()
    wires = []
    for uid in range(1001, 1001 + PER_SOCKET // PER_USER):
        wires += as_uid(uid, lambda: connections(PER_USER))
    tap.equal(statuses(wires), {(200, None)}, 'all of 192')
    reply = told(vmad.socket)
    tap.equal((reply.status, reply.headers['retry-after'], reply.json()['type']), (503, '1', 'urn:vmad:problem:busy'), 'the next one')
    with Wire(vmad.root_socket) as wire:
        tap.equal(status(wire), (200, None), "root's own socket")
    close(wires)


def who_waits_above_the_quota():
    """a silent connection above the quota ends within seconds, and before those that are within it"""
    settled()
    *within, above = connections(PER_USER + 1)
    tap.equal(above.rest(), b'', 'no word')
    tap.equal(status(within[-1]), (200, None), 'the last one within the quota')
    close([*within, above])


class Client:
    """One of the many: connects, asks, and reads until it has a status or the connection ends."""

    def __init__(self, selector):
        self.wire = Wire(vmad.socket)
        self.wire.socket.setblocking(False)
        self.wire.send(REQUEST)
        self.have, self.outcome = b'', None
        selector.register(self.wire.socket, selectors.EVENT_READ, self)

    def step(self):
        try:
            data = self.wire.socket.recv(4096)
        except ConnectionResetError:
            data = b''
        self.have += data
        if b'\r\n\r\n' in self.have:
            self.outcome = int(self.have[9:12])
        elif not data:
            self.outcome = 'closed'
        return self.outcome


def answer(selector, waiting):
    for key, _ in selector.select(0.1):
        if key.data.step():
            selector.unregister(key.fileobj)
            waiting.discard(key.data)


def very_many():
    """2,000 connections at once: each is answered, refused with Retry-After or closed; root's own socket answers all the while"""
    settled()
    selector = selectors.DefaultSelector()
    began, slowest = time.monotonic(), 0
    clients = [Client(selector) for _ in range(MANY)]
    print(f'# connected within {time.monotonic() - began:.2f} s')
    waiting = set(clients)
    while waiting and time.monotonic() - began < PATIENCE:
        answer(selector, waiting)
        asked = time.monotonic()
        with Wire(vmad.root_socket) as wire:
            tap.equal(status(wire), (200, None), "root's own socket")
        slowest = max(slowest, time.monotonic() - asked)
    took, tally = time.monotonic() - began, {}
    for client in clients:
        tally[client.outcome] = tally.get(client.outcome, 0) + 1
    print(f'# {tally}, the slowest answer on the root-only socket took {slowest * 1000:.0f} ms')
    tap.truth(set(tally) <= {200, 429, 503, 'closed'}, f'outcomes: {tally}')
    tap.truth(1 <= tally[200] <= PER_USER * (1 + took // IDLE_SECONDS), f'{tally[200]} were served in {took:.1f} s')
    tap.truth(all(b'Retry-After: 1' in client.have for client in clients if client.outcome in (429, 503)), 'Retry-After')
    close(client.wire for client in clients)


def afterwards():
    """all of their threads and descriptors are gone, and the next client is served"""
    settled()
    with Wire(vmad.socket) as wire:
        tap.equal(status(wire), (200, None), 'the main socket')


def roots_socket_is_roots():
    """the root-only socket answers nobody but root, whatever its mode"""
    os.chmod(vmad.root_socket, 0o666)
    with as_uid(NOBODY, lambda: Wire(vmad.root_socket)) as wire:
        reply = wire.get('/v1/health')
        tap.equal((reply.status, reply.json()['type']), (403, 'urn:vmad:problem:not-allowed'), 'nobody')
    os.chmod(vmad.root_socket, 0o600)


CASES = [
    a_users_connections,
    who_comes_back_at_once,
    who_has_many_gives_way,
    many_beside_another,
    too_many_cost_nothing,
    who_waits_to_be_told,
    who_waits_finds_a_place,
    silent_connections_count,
    a_sockets_connections,
    who_waits_above_the_quota,
    very_many,
    afterwards,
    roots_socket_is_roots,
]


def skip_all():
    for case in CASES:
        def skipped():
            raise tap.Skip('needs root, who can connect as several users')
        skipped.__doc__ = case.__doc__
        yield skipped


if os.geteuid() != 0:
    tap.run(list(skip_all()))
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
with Activated() as vmad:
    for path in (vmad.socket, vmad.root_socket):
        with Wire(path) as warm:
            warm.get('/v1/processes')
    before = least(at_rest)
    tap.run(CASES)
