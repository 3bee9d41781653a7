# SPDX-License-Identifier: GPL-2.0-or-later
"""A storm of processes: pids that are taken again at once, by processes that fork, exec and end while all are looked at. No error
that is not true, and no reply in which something of one process is told of another.

VMAD_STORM=1000000 for a million of them; some thousands otherwise.
"""
import collections
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad, is_sanitized, request  # noqa: E402

STORM = os.path.join(TOP_BUILDDIR, 'tests/faults/storm')
COUNT = int(os.environ.get('VMAD_STORM') or (12000 if is_sanitized() else 6000))  # a slow vmad sees few of those that live for a moment
SLOTS = 32
UID_FIRST, UIDS, MARKS, APART = 50000, 1000, 0x200000000000, 0x10000     # as storm.c has them
AREA = f'start={MARKS:x}&end={MARKS + COUNT * APART:x}'
CALLED = f'{os.getpid():x}'
NAME = re.compile(CALLED + r'-([0-9a-f]+)')
# 404: it has ended. 429, 503: others of this caller walk. Of a list there is always something to tell.
ONE, LIST = (200, 404, 429, 503), (200, 429, 503)


def number(comm):
    found = NAME.fullmatch(comm)
    return int(found[1], 16) if found else None


class Witness:
    """What was seen of each process, by number."""

    def __init__(self):
        self.lock = threading.Lock()
        self.began = {}
        self.asked = collections.Counter()

    def mark(self, comm, start, what):
        """A VMA of the process of that name."""
        k = number(comm)
        if k is not None and MARKS <= start < MARKS + COUNT * APART:
            tap.equal((start - MARKS) // APART, k, f'{what}: the mark of another process')

    def process(self, row, what):
        """What else is told with the name."""
        k = number(row['comm'])
        if k is None:
            return
        if 'uid' in row:
            tap.truth(row['uid'] in (0, UID_FIRST + k % UIDS), f'{what}: the uid of {row}')  # 0: it was read before it had its name
        with self.lock:
            self.asked['processes of the storm that were told of'] += 1
            tap.equal(self.began.setdefault(k, row['start_time_ticks']), row['start_time_ticks'], f'{what}: when {row} began')

    def in_order(self):
        """They began one after the other."""
        times = [self.began[k] for k in sorted(self.began)]
        tap.equal([(a, b) for a, b in zip(times, times[1:]) if a > b], [], 'later ones that began earlier')


def look_at_list(target, get):
    document = get(target, LIST)
    for row in document.get('processes', ()):
        witness.process(row, target)
        if number(row['comm']) is not None and row['pid'] >= pool:
            pids[row['pid']] = True
    for row in document.get('vmas', document.get('mappings', ())):
        witness.process(row, target)
        witness.mark(row['comm'], int(row['start'], 16), target)
    if document.get('complete') is False:
        tap.truth(document['reason'] in ('deadline', 'unreadable-process', 'limit'), f'{target}: {document["reason"]}')


def look_at_one(pid, rest, get):
    target = f'/v1/processes/{pid}{rest}'
    document = get(target, ONE)
    if 'comm' not in document:
        return
    tap.equal(document['pid'], pid, target)
    witness.process(document, target)
    for row in document.get('vmas', ()):
        witness.mark(document['comm'], int(row['start'], 16), target)
    if document.get('complete') is False:
        tap.equal(document['reason'], 'target-gone', target)


def client(rounds):
    """Asks until the storm is over."""
    connection = vmad.connect()

    def get(target, fine):
        reply = request(connection, target)
        tap.truth(reply.status in fine, f'{target}: {reply.status} {reply.body[:300]}')
        with witness.lock:
            witness.asked[reply.status] += 1
        return reply.json() if reply.status == 200 and target != '/metrics' else {}

    while storm.poll() is None:
        for target in rounds:
            look_at_list(target, get)
        for pid in list(pids)[:8]:
            for rest in ('', '/vmas', '?detail=usage', f'/vmas?detail=usage&{AREA}'):
                look_at_one(pid, rest, get)
    connection.close()


def guarded(rounds):
    try:
        client(rounds)
    except Exception as error:  # told by the main thread
        failures.append(error)
        storm.kill()


def in_a_storm():
    """lists, VMAs, mappings of a file, usage, metrics: what is told of a process is of that process alone"""
    began = time.monotonic()
    threads = [threading.Thread(target=guarded, args=(rounds,)) for rounds in (
        ['/v1/processes', f'/v1/vmas?{AREA}', '/metrics'],
        ['/v1/processes?detail=vmas', f'/v1/files/mappings?path={STORM}'],
        [f'/v1/processes?detail=usage&comm={CALLED}-*', f'/v1/vmas?comm={CALLED}-*&{AREA}'],
    )]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    status = storm.wait()
    print(f'# {COUNT} processes in {time.monotonic() - began:.1f} s, {len(witness.began)} of them seen: {dict(witness.asked)}', flush=True)
    if failures:
        raise failures[0]
    tap.equal(status, 0, 'the storm')
    tap.truth(len(witness.began) > min(50, COUNT // 100), f'{len(witness.began)} of its processes were seen')
    witness.in_order()
    tap.equal(vmad.processes(), before, 'processes of vmad: as they were')


if os.geteuid() != 0:
    print('1..0 # SKIP needs root: to choose pids, and to be many users')
    sys.exit(0)
with open('/proc/sys/kernel/pid_max', encoding='ascii') as pid_max:
    pool = int(pid_max.read()) - 300
witness, failures, pids = Witness(), [], {}
with Vmad(arguments=['--sample-interval', '1']) as vmad:
    before = vmad.processes()
    with subprocess.Popen([STORM, str(COUNT), str(SLOTS), CALLED], stdout=subprocess.PIPE) as storm:
        storm.stdout.readline()
        tap.run([in_a_storm])
