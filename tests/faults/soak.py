# SPDX-License-Identifier: GPL-2.0-or-later
"""A soak: all kinds of requests, while processes come and go and clients leave in the middle; memory and descriptors do not grow.

VMAD_SOAK_SECONDS=3600 for an hour of it; some seconds otherwise.
"""
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad, is_sanitized, request  # noqa: E402
from wire import Wire, wait_until  # noqa: E402

SECONDS = int(os.environ.get('VMAD_SOAK_SECONDS') or 12)
CLIENTS = 4
ROUNDS = 6  # times that it is looked at; the first third is for caches to fill
ALLOWED = 2 << 20  # bytes of anonymous memory, whatever the time: allocators keep some
RACER = os.path.join(TOP_BUILDDIR, 'tests/live/racer')
# 429 and 503: four clients ask for more walks at once than one caller has. 404: the process ended.
FINE = (200, 404, 409, 429, 503, 504)


def targets(pid, address):
    """A request of each kind; root's, which look at the whole host, are rare."""
    own = f'/v1/processes/{pid}'
    listed = [
        '/v1', '/v1/health', '/v1/capabilities', '/metrics', '/v1/processes', '/v1/processes?detail=vmas', own, f'{own}?detail=usage', f'{own}/vmas',
        f'{own}/vmas?detail=usage', f'{own}/vmas/{address}', f'{own}/pages', f'{own}/pages?detail=states', f'{own}/gaps?length=65536', '/v1/vmas?perms=.wx.',
        '/v1/files/pages?path=/bin/sh', '/v1/files/mappings?path=/bin/sh', '/v1/processes/0', '/v1/nothing', f'{own}/vmas?limit=x',
    ]
    return listed * 10 + ([f'{own}/pages/{address}/mappings', '/v1/frames'] if os.geteuid() == 0 else [])


def family(pid):
    """A process and those that it forked."""
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as children:
        return [pid] + [one for child in children.read().split() for one in family(int(child))]


def anonymous():
    """Bytes that vmad's processes have for themselves."""
    total = 0
    for pid in family(vmad.pid):
        with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as status:
            total += next(int(line.split()[1]) * 1024 for line in status if line.startswith('RssAnon:'))
    return total


def files_and_threads():
    return sum(len(os.listdir(f'/proc/{pid}/{what}')) for pid in family(vmad.pid) for what in ('fd', 'task'))


def client(seed, pid, address, end):
    """One request after the other; one in ten clients goes before its answer has come."""
    rng = random.Random(seed)
    asked = targets(pid, address)
    connection = vmad.connect()
    while time.monotonic() < end:
        target = rng.choice(asked)
        if rng.random() < 0.1:
            with Wire(vmad.socket) as wire:
                wire.send(f'GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n'.encode())
                wire.receive(rng.randrange(1, 2000))
            continue
        reply = request(connection, target, headers=rng.choice(({}, {'Accept': 'application/x-ndjson'}, {'Accept-Encoding': 'gzip'})))
        expected = FINE if target.startswith(f'/v1/processes/{pid}') else (*FINE, 400)
        tap.truth(reply.status in expected or 'limit=x' in target, f'{target}: {reply.status} {reply.body[:200]}')
        done.append(1)
    connection.close()


def unrest(end):
    """Processes that fork, exec, map and end, and are not asked about by name."""
    while time.monotonic() < end:
        with subprocess.Popen([RACER, 'fork'], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as racer:
            time.sleep(0.3)
            racer.kill()


def guarded(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:  # told by the main thread
        failures.append(error)


def soak():
    """all kinds of requests: no growth of memory, descriptors or threads"""
    with Victim() as victim:
        address = f'{victim.areas["anon"].start:#x}' if 'anon' in victim.areas else '0x1000'
        end = time.monotonic() + SECONDS
        jobs = [(client, n, victim.pid, address, end) for n in range(CLIENTS)] + [(unrest, end)]
        threads = [threading.Thread(target=guarded, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        seen = []
        for _ in range(ROUNDS):
            time.sleep(SECONDS / (ROUNDS + 1))
            seen.append(anonymous())
            print(f'# {len(done)} requests, {seen[-1] >> 10} KiB, {files_and_threads()} descriptors and threads', flush=True)
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    tap.truth(len(done) > 100, f'{len(done)} requests')
    wait_until(lambda: files_and_threads() <= rest + 4, 'descriptors and threads as before')
    if is_sanitized():
        raise tap.Skip('a sanitizer keeps what was freed: memory is not compared, all else was')
    tap.truth(seen[-1] <= seen[ROUNDS // 3] + ALLOWED, f'memory: {[size >> 10 for size in seen]} KiB')


done, failures = [], []
if os.geteuid() != 0:
    print('1..0 # SKIP needs root: vmad is not dumpable, and its descriptors cannot be counted')
    sys.exit(0)
with Vmad() as vmad:
    vmad.get('/v1/processes')
    vmad.get('/v1/vmas?limit=1')
    wait_until(lambda: vmad.get('/v1/health').status == 200, 'an answer')
    time.sleep(0.3)
    rest = files_and_threads()
    tap.run([soak])
