# SPDX-License-Identifier: GPL-2.0-or-later
"""A soak: every route, as several users, over both kinds of socket, while processes come and go, clients leave in the middle and
tokens are read again. No process of vmad ends, and none of them grows: not in memory, not in descriptors, not in threads.

VMAD_SOAK_SECONDS=3600 for an hour of it; some seconds otherwise.
"""
import collections
import ctypes
import hashlib
import http.client
import itertools
import json
import mmap
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import NOBODY, TOP_BUILDDIR, TOP_SRCDIR, Vmad, as_user, is_sanitized, request  # noqa: E402
from wire import Wire, wait_until  # noqa: E402

SECONDS = int(os.environ.get('VMAD_SOAK_SECONDS') or 12)
SAMPLES = 24 if SECONDS < 600 else 120
# What the line through the last two thirds of the samples may rise by, whatever the time: allocators keep some.
# In some seconds the threads' heaps have not all been made. Descriptors and threads are as many as there are answers under way;
# once there are none, they must be as before.
ALLOWED = {'anon': (8 if SECONDS < 600 else 2) << 20, 'vmas': 24}
RACER = os.path.join(TOP_BUILDDIR, 'tests/live/racer')
STRANGER = 54321
# 429 and 503: more walks at once than one caller has, 504: nobody ran for so long. 404 and 409: the process ended.
FINE = (200, 404, 409, 429, 503, 504)
TOKENS = {0: 'soak-root', NOBODY: 'soak-nobody'}
RUDE = [
    b'GET /v1/processes HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', b'GET /v1 HTTP/1.1\r\nHost: a\r\nContent-Le', b'\x16\x03\x01\x00\xff\x01\x00' * 9,
    b'POST /v1/vmas HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', b'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n',
    b'GET /' + b'x' * 9000 + b' HTTP/1.1\r\nHost: a\r\n\r\n', b'GET /v1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer none\r\n\r\n', b'',
]


def targets(victim, frame):
    """(weight, target) of each route; those that look at the whole host are rare."""
    own = f'/v1/processes/{victim.pid}'
    address = f'{victim.areas["anon"].start:#x}'
    return [(weight, target) for weight, listed in (
        (40, ['/', '/v1', '/v1/health', '/v1/openapi.json', '/v1/capabilities', '/metrics', own, f'{own}/vmas', f'{own}/vmas/{address}',
              f'{own}/pages/{address}', f'{own}/gaps?length=65536', f'{own}/vmas?limit=3', f'{own}/vmas/{address}/ops']),
        (20, ['/v1/processes', '/v1/processes?detail=vmas', f'{own}?detail=usage', f'{own}/vmas?detail=usage', f'{own}/pages',
              f'{own}/pages?detail=states', f'{own}/pages/summary', '/v1/files/pages?path=/bin/sh', f'/v1/frames/{frame:#x}']),
        (5, ['/v1/processes?detail=usage', '/v1/vmas?perms=.wx.', '/v1/vmas', f'{own}/pages?detail=flags', f'{own}/pages/summary?detail=flags',
             '/v1/files/mappings?path=/bin/sh', f'{own}/pages/{address}/mappings', '/v1/processes/0', '/v1/nothing', f'{own}/vmas?limit=x', f'{own}?start_time_ticks=1']),
        (1, ['/v1/frames', f'{own}/sharing?deadline_ms=500', f'/v1/frames/{frame:#x}/mappings?deadline_ms=500']),
    ) for target in listed]


def missing_routes(asked):
    """The paths of routes.def that are not among what is asked."""
    with open(os.path.join(TOP_SRCDIR, 'include/vmad/routes.def'), encoding='ascii') as rows:
        paths = re.findall(r'^ROUTE\(\w+, GET, "([^"]+)"', rows.read(), re.M)
    patterns = {path: re.sub(r'\\\{\w+\\\}', '[^/?]+', re.escape(path)) for path in paths}
    return [path for path, pattern in patterns.items() if not any(re.fullmatch(pattern, target.split('?')[0]) for target in asked)]


class Client:
    """One that asks until the end. where: a socket's path, or address and port. uid: as whom, by the socket or by a token."""

    def __init__(self, number, where, uid, victim):
        self.number, self.where, self.uid = number, where, uid
        self.random = random.Random(number)
        rows = targets(victim, frame_of_victim)
        self.weights, self.targets = zip(*rows)
        self.token = {} if isinstance(where, str) else {'Authorization': f'Bearer {TOKENS[uid]}'}
        self.told = collections.Counter()

    def connect(self):
        return vmad.connect() if isinstance(self.where, str) else http.client.HTTPConnection(*self.where, timeout=60)

    def leave(self, target):
        """Goes before the answer has come, or says what is no request."""
        fields = ''.join(f'{name}: {value}\r\n' for name, value in self.token.items())
        whole = f'GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}Accept-Encoding: gzip\r\n\r\n'.encode()
        with Wire(self.where, timeout=60) as wire:
            wire.send(self.random.choice([whole, whole, *RUDE]))
            if self.random.random() < 0.5:
                wire.socket.settimeout(0.05)
                try:
                    wire.receive(self.random.randrange(1, 2000))
                except TimeoutError:
                    pass
        self.told['left'] += 1

    def ask(self, connection, target):
        headers = self.random.choice(({}, {'Accept': 'application/x-ndjson'}, {'Accept-Encoding': 'gzip'}))
        method = 'HEAD' if self.random.random() < 0.05 else 'GET'
        if isinstance(self.where, str) and self.random.random() < 0.01:
            method, target, headers = 'POST', '/v1/tokens', {}
        reply = request(connection, target, method, {**self.token, **headers})
        fine = FINE if self.uid == 0 else (*FINE, 403)
        fine = (*fine, 400) if 'limit=x' in target or target.endswith('/0') else (*fine, 501) if '/ops' in target else fine
        tap.truth(reply.status in fine, f'uid {self.uid}: {method} {target}: {reply.status} {reply.body[:200]}')
        self.told[str(reply.status)] += 1

    def run(self, end):
        """Asks, and returns how often it was told what."""
        connection = self.connect()
        while time.monotonic() < end:
            target, = self.random.choices(self.targets, self.weights)
            counters[self.number] += 1
            if self.random.random() < 0.1:
                self.leave(target)
                continue
            try:
                self.ask(connection, target)
            except (http.client.HTTPException, ConnectionError, BrokenPipeError):
                self.told['closed'] += 1  # it had not said anything for so long
                connection = self.connect()
        return self.told


def unrest(end):
    """Processes that fork, exec, map and end, asked about with all others; and SIGHUP."""
    for verb in itertools.cycle((['fork'], ['exec', '0'], ['unmap'])):
        with subprocess.Popen([RACER, *verb], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as racer:
            time.sleep(0.3)
            racer.kill()
        os.kill(vmad.main_pid, signal.SIGHUP)
        if time.monotonic() > end:
            return


def least_descriptors(pids):
    """{pid: descriptors}, the least of some readings: one reply that looks at all processes holds hundreds for some milliseconds."""
    readings = []
    for _ in range(20):
        readings.append([len(os.listdir(f'/proc/{pid}/fd')) for pid in pids])
        time.sleep(0.01)
    return dict(zip(pids, map(min, zip(*readings))))


def figures(pid, descriptors):
    """What a process has: bytes, and numbers of things."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as rollup:
        sizes = {line.split()[0].rstrip(':').lower(): int(line.split()[1]) << 10 for line in rollup if line.endswith('kB\n')}
    with open(f'/proc/{pid}/maps', 'rb') as maps:
        areas = len(maps.readlines())
    return {'rss': sizes['rss'], 'pss': sizes['pss'], 'anon': sizes['anonymous'], 'vmas': areas,
            'fds': descriptors, 'tasks': len(os.listdir(f'/proc/{pid}/task'))}


def sample():
    """{name: figures} of all four processes, or however many there are."""
    pids = vmad.processes()
    descriptors = least_descriptors(pids.values())
    return {name: figures(pid, descriptors[pid]) for name, pid in pids.items()}


def say(seen):
    told = '; '.join(f'{name.removeprefix("vmad-")} rss {one["rss"] >> 10} pss {one["pss"] >> 10} anon {one["anon"] >> 10} KiB '
                     f'fds {one["fds"]} tasks {one["tasks"]} vmas {one["vmas"]}' for name, one in seen.items())
    print(f'# {sum(counters)} requests: {told}', flush=True)


def rise(values):
    """By how much the line through them rises from the first to the last: the median slope between two of them (Theil and Sen)
    does not move with a few that stand out, as the first and the last may."""
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(enumerate(values), 2)]
    return statistics.median(slopes) * (len(values) - 1)


def judge(seen):
    """Raises where one of them grew."""
    late = seen[len(seen) // 3:]
    risen = {name: {what: round(rise([one[name][what] for one in late])) for what in ALLOWED} for name in late[0]}
    print(f'# risen in the last two thirds: {json.dumps(risen)}', flush=True)
    for name, found in risen.items():
        for what, most in ALLOWED.items():
            if what == 'anon' and is_sanitized():
                continue  # it keeps what was freed, and fills what it keeps
            tap.truth(found[what] <= most, f'{name}: {what} rose by {found[what]}: {[one[name][what] for one in late]}')


def guarded(results, function, *arguments):
    try:
        results.append(function(*arguments))
    except Exception as error:  # told by the main thread
        results.append(error)


def watch(end, results):
    """Samples until the end, or until somebody failed."""
    seen, began = [], time.monotonic()
    for n in range(1, SAMPLES + 1):
        time.sleep(max(0, began + (end - began) * n / (SAMPLES + 1) - time.monotonic()))
        if results:
            break
        seen.append(sample())
        say(seen[-1])
    return seen


def soak():
    """every route as several users: no growth of memory, descriptors, threads or VMAs in any of vmad's processes"""
    tap.equal(missing_routes([target for _, target in targets(victims[0], frame_of_victim)]), [], 'routes that nobody asks for')
    pids = vmad.processes()
    end = time.monotonic() + SECONDS
    clients = [(vmad.socket, 0), (vmad.socket, 0), (vmad.socket, NOBODY), (vmad.socket, STRANGER), (tcp, 0), (tcp, NOBODY)]
    results = []
    jobs = [(as_user, uid, lambda n=n, where=where, uid=uid: Client(n, where, uid, victims[uid]).run(end), uid, (7,) if uid else ())
            for n, (where, uid) in enumerate(clients)] + [(unrest, end)]
    threads = [threading.Thread(target=guarded, args=(results, *job)) for job in jobs]
    for thread in threads:
        thread.start()
    seen = watch(end, results)
    for thread in threads:
        thread.join()
    for failure in (one for one in results if isinstance(one, Exception)):
        raise failure
    told = sum((collections.Counter(one) for one in results if one), collections.Counter())
    print(f'# {sum(counters)} requests in {SECONDS} s: {json.dumps(told)}', flush=True)
    tap.equal(vmad.processes(), pids, 'processes of vmad: as they were, none began anew')
    tap.truth(told['200'] > 20 * SECONDS ** 0.5, f'answers: {told["200"]}')
    for what in ('fds', 'tasks'):
        wait_until(lambda what=what: all(now[what] <= rest[name][what] + 2 for name, now in sample().items()), f'{what} as before: {rest}')
    judge(seen)


if os.geteuid() != 0:
    print('1..0 # SKIP needs root: vmad is not dumpable, and its descriptors cannot be counted')
    sys.exit(0)
counters = (ctypes.c_uint64 * 8).from_buffer(mmap.mmap(-1, mmap.PAGESIZE))
with tempfile.NamedTemporaryFile('w') as tokens, Victim() as roots, Victim(uid=NOBODY) as nobodys, Victim(uid=STRANGER) as strangers:
    for owner, token in TOKENS.items():
        tokens.write(f'sha256:{hashlib.sha256(token.encode()).hexdigest()} uid={owner} gid={owner} {"" if owner else "root=yes"}\n')
    tokens.flush()
    victims = {0: roots, NOBODY: nobodys, STRANGER: strangers}
    with Vmad(listen=['tcp:127.0.0.1:0'], arguments=['--token-file', tokens.name], open_to_all=True) as vmad:
        tcp = ('127.0.0.1', int(next(line for line in vmad.log if 'tcp:' in line).rpartition(':')[2]))
        page = vmad.get(f'/v1/processes/{roots.pid}/pages/{roots.areas["anon"].start:#x}').json()
        frame_of_victim = int(page['frame'], 16) if 'frame' in page else 0x1000
        for _, once in targets(roots, frame_of_victim):
            vmad.get(once)
        wait_until(lambda: vmad.get('/v1/health').status == 200, 'an answer')
        wait_until(lambda: len(os.listdir(f'/proc/{vmad.pid}/task')) < 8, 'the first connections have ended')
        rest = sample()
        tap.run([soak])
