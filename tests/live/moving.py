# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that move, and processes that exit or exec, while they are asked about.

Never a failure, and never an answer that says that it is complete and is not. Held against tests/live/mover.c, which
tells who maps its page in each of its turns: where the turn is the same before and after a request, so is the answer.
"""
import contextlib
import itertools
import mmap
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad, is_sanitized, request  # noqa: E402

MOVER = os.path.join(TOP_BUILDDIR, 'tests/live/mover')
RACER = os.path.join(TOP_BUILDDIR, 'tests/live/racer')
SECONDS = 2
PATIENCE = 20  # more, on a machine that does much else
PAGE = os.sysconf('SC_PAGESIZE')
BOARD = struct.Struct('=7Q')  # struct board
COMPACT = '/proc/sys/vm/compact_memory'
EXITS = 8
# of an answer that is not complete because things move, or because not even root may look into somebody
REASONS = {'unreadable-process', 'unstable', 'unreached', 'not-present', 'deadline', 'busy', 'target-gone', 'not-counted', 'too-many'}


class Mover:
    """A running mover, and its board."""

    def __init__(self, how):
        self.directory = tempfile.TemporaryDirectory(prefix='vmad-mover-')
        path = f'{self.directory.name}/board'
        self.process = subprocess.Popen([MOVER, how, path], stdout=subprocess.PIPE, text=True)
        word, rest = self.process.stdout.readline().split(maxsplit=1)
        if word != 'ready':
            self.__exit__()
            raise tap.Skip(rest.strip())
        self.pid, self.address = self.process.pid, int(rest, 16)
        with open(path, 'r+b') as file:
            self.board = mmap.mmap(file.fileno(), BOARD.size)

    def look(self):
        """(turn, {(pid, address)} of those that map the page)."""
        turn, *members = BOARD.unpack(self.board[:])
        return turn, {(pid, address) for pid, address in zip(members[::2], members[1::2]) if pid}

    def path(self, rest=''):
        return f'/v1/processes/{self.pid}/pages/{self.address:#x}{rest}'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()


def document_of(reply, what):
    """Of an answer; None where too much was asked for at once."""
    if reply.status == 503:
        return None
    tap.equal(reply.status, 200, f'{what}: {reply.body[:300]}')
    document = reply.json()
    tap.truth(document.get('complete', True) or document['reason'] in REASONS, f'{what}: {document.get("reason")}')
    return document


def mappings_of(document):
    return {(pid, int(row['address'], 16)) for row in document['mappings'] for pid in row['pids']}


def check_mappings(document, still, tally):
    """still: who maps the page, where nobody moved it meanwhile."""
    found, verdict = mappings_of(document), document['complete'] or document['reason']
    tally[verdict] = tally.get(verdict, 0) + 1
    if document['complete']:
        tap.equal(document['count'], len(document['mappings']), 'count')
    if still is None:
        tally['moved'] = tally.get('moved', 0) + 1
    elif document['complete']:
        tap.equal(found, still, 'complete, and nobody moved')
        tally['still'] = tally.get('still', 0) + 1


def check_page(document, _, __):
    """There is none where no VMA is."""
    state = document.get('state')
    tap.truth(state in ('present', 'none', 'swapped', 'marker') or (state is None and 'vma' not in document), f'{document}')


def check_pages(document, _, __):
    tap.truth(document['complete'], f'pages of a process that lives: {document.get("reason")}')
    last = 0
    for run in document['runs']:
        start, end = int(run['start'], 16), int(run['end'], 16)
        tap.truth(last <= start < end, f'order of {run}')
        last = end


def check_sharing(document, _, __):
    tap.equal(document['count'], len(document['sharing']), 'count')


def ask_while_it_moves(mover):
    """All that tells of a page, in turn, for some time; who maps it most often. What came of it."""
    around = f'start={mover.address - 64 * PAGE:x}&end={mover.address + 64 * PAGE:x}&max_age_ms=0'
    kinds = [('', check_mappings)] * 8 + [
        (mover.path(), check_page),
        (f'/v1/processes/{mover.pid}/pages?{around}', check_pages),
        (f'/v1/processes/{mover.pid}/pages?detail=frames&{around}', check_pages),
    ]
    tally, end = {}, time.monotonic() + SECONDS
    connection = vmad.connect()
    for number in itertools.count():
        path, check = kinds[number % len(kinds)]
        if number % 100 == 99:
            path, check = f'/v1/processes/{mover.pid}/sharing?deadline_ms=500', check_sharing
        before, mappers = mover.look()
        path = path or '/v1/processes/%d/pages/%#x/mappings' % random.choice([(mover.pid, mover.address), *mappers])
        reply = request(connection, path)
        after, _ = mover.look()
        still = before == after and before % 2 == 0
        # A child of the mover's may have ended in between.
        document = None if reply.status == 404 and not still else document_of(reply, path)
        if document is not None:
            check(document, mappers if still else None, tally)
        if time.monotonic() > (end if is_a_race(tally) else end + PATIENCE):
            break
    connection.close()
    print(f'# {tally}', flush=True)
    tap.truth(is_a_race(tally) or is_sanitized(), f'it was no race: {tally}')


def is_a_race(tally):
    """Some answers were of what moved, and some of what did not: under a sanitizer hardly anything holds still for so long."""
    return tally.get('moved', 0) > 3 and tally.get('still', 0) > 3


def moved(how, says):
    def case():
        with Mover(how) as mover:
            ask_while_it_moves(mover)

    case.__doc__ = says
    return case


@contextlib.contextmanager
def compaction():
    """Of all memory, again and again."""
    over = threading.Event()

    def compact():
        while not over.wait(0.05):
            with open(COMPACT, 'w', encoding='ascii') as file:
                file.write('1')

    thread = threading.Thread(target=compact)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def migrated():
    """a page of three processes that the kernel migrates"""
    if not os.access(COMPACT, os.W_OK):
        raise tap.Skip('this kernel has no compaction')
    with Mover('compact') as mover, compaction():
        ask_while_it_moves(mover)


def paths_of(pid, address):
    """The last one takes longest."""
    return [
        f'/v1/processes/{pid}/pages/{address:#x}/mappings',
        f'/v1/processes/{pid}/pages/{address:#x}',
        f'/v1/processes/{pid}/vmas/{address:#x}',
        f'/v1/processes/{pid}/pages?max_age_ms=0',
        f'/v1/processes/{pid}/pages?detail=frames&max_age_ms=0',
        f'/v1/processes/{pid}/pages/summary?detail=flags&max_age_ms=0',
        f'/v1/processes/{pid}?detail=usage&max_age_ms=0',
        f'/v1/processes/{pid}/gaps',
        f'/v1/processes/{pid}/sharing?deadline_ms=300',
    ]


@contextlib.contextmanager
def racer(*arguments):
    process = subprocess.Popen([RACER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def stack_of(pid):
    """An address in use."""
    return next((int(area['end'], 16) - PAGE for area in procfs.maps(pid) if area.get('name') == '[stack]'), 0x1000)


def it_execs():
    """a process that execs: each answer is of one image, or says that it is not whole"""
    seen, end = set(), time.monotonic() + SECONDS
    connection = vmad.connect()
    with racer('exec', '0') as pid:
        for number in itertools.count():
            paths = paths_of(pid, stack_of(pid))
            path = paths[number % (len(paths) if number % 40 < len(paths) else len(paths) - 1)]
            reply = request(connection, path)
            seen.add(reply.status)
            tap.truth(reply.status in (200, 503), f'{path}: {reply.status} {reply.body[:300]}')
            document = document_of(reply, path)
            if document and document.get('complete') and 'mappings' in document:
                tap.truth(pid in {pid for pid, _ in mappings_of(document)}, f'complete without itself: {document}')
            if time.monotonic() > end:
                break
    connection.close()
    tap.truth(200 in seen, f'{seen}')


def it_exits():
    """a process that exits: gone, or not whole, or whole"""
    for path in range(len(paths_of(0, 0))):
        for _ in range(EXITS):
            with racer('exit') as pid:
                killer = threading.Timer(random.uniform(0, 0.01), os.kill, (pid, 9))
                asked = paths_of(pid, stack_of(pid))[path]
                killer.start()
                for _ in range(3):
                    reply = vmad.get(asked)
                    tap.truth(reply.status in (200, 404, 503), f'{asked}: {reply.status} {reply.body[:300]}')
                    document_of(reply, asked) if reply.status == 200 else None
                killer.join()


if os.geteuid() != 0:
    print('1..0 # SKIP frames are for root')
    sys.exit(0)
with Vmad() as vmad:
    tap.run([
        moved('unmap', 'a page that one of its three mappers unmaps and maps again'),
        moved('remap', 'a page that one of its three mappers moves to another address'),
        moved('collapse', 'a page that becomes part of a huge one, of its own, and is split off again'),
        moved('pageout', 'a page that is reclaimed and read again'),
        migrated,
        it_execs,
        it_exits,
    ])  # fmt: skip
