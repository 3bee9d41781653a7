# SPDX-License-Identifier: GPL-2.0-or-later
"""Equal questions share one answer, of one caller only; answers may be as old as the client says; walks wait in a queue."""
import contextlib
import ctypes
import os
import re
import select
import sys
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from crowd import Crowd, at_once, checked, split  # noqa: E402
from vmad import NOBODY, Vmad, is_sanitized  # noqa: E402
from wire import Wire, descriptors, least, tasks, wait_until  # noqa: E402

SELF = os.getpid()
QUEUE = 16
PR_SET_NAME = 15
REQUEST = 'GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n'


def walk(pid, more=''):
    """A question that walks 60,000 VMAs and has a short answer."""
    return f'/v1/processes/{pid}/vmas?detail=usage&min_size_bytes=1T{more}'


def ask(target, headers=None):
    return vmad.get(target, headers)


def connected():
    """What each connection has of vmad's."""
    return tasks(vmad.pid), descriptors(vmad.pid)


def wait_for_rest():
    """Until the connections of before, but for two that may be open, count no more."""
    wait_until(lambda: all(now <= then + 2 for now, then in zip(connected(), at_rest)), 'the others to be gone')


class AtOnce:
    """Requests that are sent one right after the other, each on a connection that is there already. When each of them is looked at is for
    the kernel to say: a case that wants some of them in the air together tries again until they were."""

    def __init__(self, targets):
        wait_for_rest()
        self._stack = contextlib.ExitStack()
        self.wires = [self._stack.enter_context(Wire(vmad.socket)) for _ in targets]
        for wire in self.wires:
            wire.get('/v1/health')
        for wire, target in zip(self.wires, targets):
            wire.send(REQUEST.format(target, '').encode())

    def replies(self):
        return [wire.reply() for wire in self.wires]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()


def asked_at_once(targets):
    with AtOnce(targets) as sent:
        return sent.replies()


def equal_walks_share():
    """equal walks of one caller at once are one walk: all but who asked first get its answer, and are told its age"""
    def shared():
        replies = asked_at_once([walk(crowd.pid)] * 12)
        tap.equal({reply.status for reply in replies}, {200}, 'status')
        ages = sorted(reply.json()['age_ms'] for reply in replies)
        tap.truth(ages[0] == 0, f'one of them asks: {ages}')
        return replies if sum(age > 0 for age in ages) >= 10 else None

    replies = wait_until(shared, 'who joins learns the age of what it gets')
    bodies = set()
    for reply in replies:
        document = reply.json()
        del document['age_ms']
        bodies.add(str(document))
    tap.equal(len(bodies), 1, 'different answers')


def spelling_does_not_matter():
    """the same parameters in another order, another spelling, another max_age_ms are the same question"""
    same = [
        walk(crowd.pid), f'/v1/processes/{crowd.pid}/vmas?min_size_bytes=1T&detail=usage', walk(f'0{crowd.pid}'),
        f'/v1/processes/{crowd.pid}/vmas/?min_size_bytes=1024G&detail=%75sage', walk(crowd.pid, '&max_age_ms=1'),
    ]
    wait_until(lambda: sum(reply.json()['age_ms'] > 0 for reply in asked_at_once(same * 2)) >= 8, 'eight of ten join')


def other_questions_do_not_share():
    """other filters, and another form of the reply, are other questions"""
    targets = [walk(crowd.pid, '&perms=r...'), walk(crowd.pid, '&perms=rw..'), walk(crowd.pid, '&path=x'), walk(crowd.pid, '&path=y')]
    replies = checked(at_once([lambda target=target: ask(target) for target in targets]))
    tap.equal([reply.json()['age_ms'] for reply in replies], [0] * 4, 'ages')
    plain, lines = checked(at_once([lambda: ask(walk(crowd.pid)), lambda: ask(walk(crowd.pid), {'Accept': 'application/x-ndjson'})]))
    tap.equal((plain.headers['Content-Type'], lines.headers['Content-Type']), ('application/json', 'application/x-ndjson'), 'forms')
    tap.equal((plain.json()['complete'], lines.lines()[-1]['complete']), (True, True), 'both whole')


def as_nobody():
    """A connection of nobody's: the socket's peer is who connected."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        return Wire(vmad.socket)
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def needs_root():
    if os.geteuid() != 0:
        raise tap.Skip('needs root, who can connect as another user')


def other_callers_never_share():
    """another caller's answer is never taken: not in the air, and not from the cache"""
    needs_root()
    with Crowd(60000, uid=NOBODY) as theirs:
        target = walk(theirs.pid, '&max_age_ms=10000')
        wires = [as_nobody(), Wire(vmad.socket)]
        replies = checked(at_once([lambda wire=wire: wire.get(target) for wire in wires]))
        tap.equal([reply.json()['age_ms'] for reply in replies], [0, 0], 'two callers at once')
        wires.append(Wire(vmad.socket))
        tap.truth(wires[2].get(target).json()['age_ms'] > 0, 'the same caller takes it from the cache')
        tap.equal(wires[0].get(walk(theirs.pid, '&perms=r...&max_age_ms=10000')).json()['age_ms'], 0, 'nobody, first')
        tap.equal(wires[1].get(walk(theirs.pid, '&perms=r...&max_age_ms=10000')).json()['age_ms'], 0, 'root, after')
        for wire in wires:
            wire.close()


def max_age():
    """max_age_ms: an answer that is young enough is taken again, and says how old it is; without it the kernel is asked"""
    target = f'/v1/processes/{SELF}?detail=usage'
    first = ask(target).json()
    tap.equal(first['age_ms'], 0, 'asked')
    split(2000)
    again = ask(f'{target}&max_age_ms=10000').json()
    tap.truth(0 < again['age_ms'] <= 10000, f'age {again["age_ms"]}')
    tap.equal(again['vm_size_bytes'], first['vm_size_bytes'], 'the old answer')
    now = ask(target).json()
    tap.equal(now['age_ms'], 0, 'asked anew')
    tap.truth(now['vm_size_bytes'] > first['vm_size_bytes'], 'and it shows')
    tap.equal(ask(f'{target}&max_age_ms=0').json()['age_ms'], 0, 'max_age_ms=0')
    wait_until(lambda: ask(f'{target}&max_age_ms=20').json()['age_ms'] == 0, 'an answer older than max_age_ms is not taken')


def ages_grow():
    """a kept answer's age grows"""
    target = f'/v1/processes/{SELF}/vmas?detail=usage&kind=stack&max_age_ms=10000'
    ages = [ask(target).json()['age_ms']]
    wait_until(lambda: ages.append(ask(target).json()['age_ms']) or ages[-1] >= 30, 'an age of 30 ms', seconds=4)
    tap.equal(ages, sorted(ages), 'ages')
    packed = ask(target, {'Accept-Encoding': 'gzip'})
    tap.equal(packed.json()['complete'], True, 'the same question, compressed')


def pipelined(target, count, field=''):
    """count requests on one connection at once; their replies."""
    with Wire(vmad.socket) as wire:
        wire.send(REQUEST.format(target, field).encode() * count)
        return [wire.reply() for _ in range(count)]


def coalescing():
    """while many connections are open, requests for one process within two milliseconds share one reading of procfs"""
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(Wire(vmad.socket)) for _ in range(8)]
        for wire in others:
            wire.get('/v1/health')
    
        def shared():
            replies = pipelined(f'/v1/processes/{SELF}', 200)
            tap.equal({reply.json()['pid'] for reply in replies}, {SELF}, 'all about the same')
            readings = len({reply.headers['server-timing'] + reply.headers['date'] for reply in replies})
            for wire in others:
                wire.get('/v1/health')      # they stay
            return readings < 150

        wait_until(shared, 'less than 150 readings for 200 requests')


def few_connections_share_nothing():
    """with few connections each request asks the kernel: a name that was just changed is there"""
    libc = ctypes.CDLL(None)
    wait_for_rest()
    with Wire(vmad.socket) as wire:
        for i in range(300):
            libc.prctl(PR_SET_NAME, f'few-{i}'.encode(), 0, 0, 0)
            tap.equal(wire.get(f'/v1/processes/{SELF}').json()['comm'], f'few-{i}', 'comm')


def max_age_zero_asks_anew():
    """max_age_ms=0 asks the kernel each time: a name that was just changed is there"""
    libc = ctypes.CDLL(None)
    with Wire(vmad.socket) as wire:
        for i in range(300):
            libc.prctl(PR_SET_NAME, f'name-{i}'.encode(), 0, 0, 0)
            tap.equal(wire.get(f'/v1/processes/{SELF}?max_age_ms=0').json()['comm'], f'name-{i}', 'comm')


def age_is_said_of_documents():
    """a process's document always says its age"""
    for rest in ('', '?detail=usage', '?max_age_ms=0', '?max_age_ms=5000'):
        tap.truth(ask(f'/v1/processes/{SELF}{rest}').json()['age_ms'] >= 0, rest)


def problems_are_not_kept():
    """an answer that is a problem is not taken again"""
    with Crowd(10) as short:
        pid = short.pid
    tap.equal(ask(f'/v1/processes/{pid}?detail=usage&max_age_ms=10000').status, 404, 'gone')
    tap.equal(ask(f'/v1/processes/{SELF}?detail=usage&start_time_ticks=1').status, 409, 'another process')
    ticks = procfs.stat(SELF)['start_time_ticks']
    tap.equal(ask(f'/v1/processes/{SELF}?detail=usage&start_time_ticks={ticks}').status, 200, 'this one')


def one_stream_at_a_time():
    """a list above 1 MiB goes once at a time to a caller: the second is told 429; when the first has ended, it is not"""
    target = f'/v1/processes/{crowd.pid}/vmas?detail=usage'
    with Wire(vmad.socket, receive_buffer=4096) as first, Wire(vmad.socket) as second:
        first.send(REQUEST.format(target, '').encode())
        first.receive(10)
        reply = second.get(target)
        tap.equal((reply.status, reply.headers['retry-after'], reply.json()['type']), (429, '1', 'urn:vmad:problem:too-many'), 'again')
        tap.truth('same list' in reply.json()['detail'] and reply.json()['mend'], 'it says why')
        tap.equal(second.get(walk(crowd.pid)).status, 200, 'another question about it, on the same connection')
    wait_until(lambda: ask(walk(crowd.pid, '')).status == 200, 'a short one')

    def whole():
        reply = ask(f'{target}&deadline_ms=30000')
        return reply.status == 200 and reply.json()

    tap.equal(wait_until(whole, 'the whole list')['complete'], True, 'complete')


def others_may_stream_it_too():
    """what streams to one caller streams to another as well"""
    needs_root()
    with Crowd(60000, uid=NOBODY) as theirs:
        target = f'/v1/processes/{theirs.pid}/vmas?detail=usage'
        with Wire(vmad.socket, receive_buffer=4096) as first, as_nobody() as second:
            first.send(REQUEST.format(target, '').encode())
            first.receive(10)
            tap.equal(second.get(target).status, 200, 'nobody')


def deadline():
    """deadline_ms ends a walk: the list says so, and is valid JSON"""
    document = ask(f'/v1/processes/{crowd.pid}/vmas?detail=usage&deadline_ms=5').json()
    tap.equal((document['complete'], document['reason']), (False, 'deadline'), 'verdict')
    tap.equal(document['count'], len(document['vmas']), 'count')
    *_, last = ask(f'/v1/processes/{crowd.pid}/vmas?detail=usage&deadline_ms=5', {'Accept': 'application/x-ndjson'}).lines()
    tap.equal((last['end'], last['reason']), (True, 'deadline'), 'NDJSON')


def walks_queue():
    """more walks than may run at once wait; above 16 that wait, and after five seconds, 503 with Retry-After"""
    def filled():
        tally = {}
        for reply in asked_at_once([walk(crowd.pid, f'&path=p{i}') for i in range(30)]):
            tally[reply.status] = tally.get(reply.status, 0) + 1
            if reply.status == 503:
                tap.equal((reply.headers['retry-after'], reply.json()['type']), ('1', 'urn:vmad:problem:busy'), '503')
        print(f'# {tally}')
        tap.truth(set(tally) <= {200, 503} and tally.get(503, 0) <= 30 - 2, f'those that waited were served: {tally}')
        return 503 in tally

    wait_until(filled, 'a queue that is full')


def another_callers_walks():
    """while one caller's walks fill its queue, and are refused, another's are served, each of them"""
    needs_root()
    with Crowd(10, uid=NOBODY) as theirs, as_nobody() as wire:
        wire.get('/v1/health')
        targets = [walk(crowd.pid, f'&path=r{i}') for i in range(30)]

        def filled():
            with AtOnce(targets) as sent:
                statuses = [wire.get(walk(theirs.pid, f'&path=s{i}')).status for i in range(10)]
                tap.equal(statuses, [200] * 10, "another's")
                found = {reply.status for reply in sent.replies()}
            tap.truth(found <= {200, 503}, f'{found}')
            return 503 in found

        wait_until(filled, 'a queue that is full')


def walked_seconds():
    """For how long processes have been walked, by all walks together."""
    text = vmad.get('/metrics').body.decode()
    return float(re.search(r'^vmad_walk_seconds_total\{kind="process"\} (\S+)$', text, re.M).group(1))


def one_walk_for_an_mm():
    """two users' walks of one process come one after the other, though they ask for different threads of it"""
    needs_root()
    with Crowd(20000, uid=NOBODY) as theirs, Wire(vmad.socket) as first, as_nobody() as second:
        before, began = walked_seconds(), time.monotonic()

        def walks(wire, pid, name):
            return {wire.get(walk(pid, f'&path={name}{i}')).status for i in range(10)}

        statuses = checked(at_once([lambda: walks(first, theirs.pid, 'a'), lambda: walks(second, theirs.thread, 'b')]))
        walked, took = walked_seconds() - before, time.monotonic() - began
    print(f'# walked for {walked:.3f} s in {took:.3f} s')
    tap.equal(statuses, [{200}, {200}], 'statuses')
    tap.truth(0 < walked <= took, f'walked for {walked} s in {took} s')


def small_requests_do_not_wait():
    """what walks nothing does not stand in that queue"""
    def overtakes():
        with AtOnce([walk(crowd.pid, f'&path=q{i}') for i in range(10)]) as sent:
            tap.equal(small.get(f'/v1/processes/{crowd.pid}/vmas/0x1000').status, 200, 'a small one')
            answered = len(select.select([wire.socket for wire in sent.wires], [], [], 0)[0])
            walks = {reply.status for reply in sent.replies()}
            tap.truth(200 in walks and walks <= {200, 503}, f'the walks: {walks}')   # or one has waited for five seconds
        return answered < 8

    with Wire(vmad.socket) as small:
        wait_until(overtakes, 'an answer before those that wait have theirs')


with Crowd(6000 if is_sanitized() else 60000) as crowd, Vmad(open_to_all=True) as vmad:
    cases = [
        equal_walks_share,
        spelling_does_not_matter,
        other_questions_do_not_share,
        other_callers_never_share,
        max_age,
        ages_grow,
        coalescing,
        few_connections_share_nothing,
        max_age_zero_asks_anew,
        age_is_said_of_documents,
        problems_are_not_kept,
        one_stream_at_a_time,
        others_may_stream_it_too,
        deadline,
        walks_queue,
        another_callers_walks,
        one_walk_for_an_mm,
        small_requests_do_not_wait,
    ]
    ask('/v1/processes')
    at_rest = least(connected)
    tap.run(cases)
