# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that exit, exec, fork and unmap while they are read.

Never a 500, never two processes in one answer, never a list that is cut in silence.
"""
import contextlib
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from crowd import at_once, checked  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad, request  # noqa: E402
from wire import PATIENCE, wait_until  # noqa: E402

RACER = os.path.join(TOP_BUILDDIR, 'tests/live/racer')
SECONDS = 3
READERS = 3
AREAS = 3000
PAGE = os.sysconf('SC_PAGESIZE')
RANGES = [(base, base + AREAS * PAGE) for base in (0x200000000000, 0x300000000000)]
REASONS = ('target-gone', 'deadline', 'busy')
LISTS = ('/vmas', '/vmas?detail=usage')


@contextlib.contextmanager
def racer(*arguments):
    """A running racer that has begun."""
    process = subprocess.Popen([RACER, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout.readline() != b'ready\n':
            raise RuntimeError(f'racer {arguments} did not begin')
        yield process
    finally:
        process.kill()
        process.wait()


def starts(document):
    """The list's start addresses; they must ascend, and areas must not overlap."""
    last = 0
    found = []
    for area in document['vmas']:
        start, end = int(area['start'], 16), int(area['end'], 16)
        tap.truth(last <= start < end, f'{area} comes after {last:#x}')
        last = end
        found.append(start)
    return found


def in_range(addresses, flavour=0):
    low, high = RANGES[flavour]
    return [address for address in addresses if low <= address < high]


def answer(reply, pid, tally):
    """What every reply in a race must hold to; the document of a 200, or None."""
    tally[reply.status] = tally.get(reply.status, 0) + 1
    tap.truth(reply.status in (200, 404, 429, 503), f'{reply.status}: {reply.body[:400]}')
    document = reply.json()
    if reply.status != 200:
        tap.equal(document['status'], reply.status, 'problem')
        return None
    tap.equal(document['pid'], pid, 'pid')
    if 'vmas' in document:
        tap.equal(document['count'], len(document['vmas']), 'count')
        tap.truth(document['complete'] or document['reason'] in REASONS, f'verdict: {document.get("reason")}')
    return document


def goes_on(began, was_race, seconds=SECONDS):
    """For some seconds, and on a slow machine until what was asked for has happened."""
    return time.monotonic() < began + (seconds if was_race() else seconds + PATIENCE)


def readers(paths, check, was_race):
    """Several clients ask for the paths while it goes_on(); check(reply, path) judges. The first failure is raised."""
    began = time.monotonic()
    failed = threading.Event()

    def read():
        connection = vmad.connect()
        try:
            while goes_on(began, was_race) and not failed.is_set():
                path = random.choice(paths)
                check(request(connection, path), path)
        except Exception:
            failed.set()
            raise
        finally:
            connection.close()

    checked(at_once([read] * READERS))


def it_unmaps_while_it_is_read():
    """areas that stay are in every list, whatever comes and goes between them"""
    tally, sizes = {}, set()
    stay = set(range(RANGES[0][0], RANGES[0][1], 2 * PAGE))

    def was_race():
        return tally.get(200, 0) > 10 and len(sizes) > 1

    with racer('unmap') as process:

        def check(reply, _):
            document = answer(reply, process.pid, tally)
            if document is None:
                return
            tap.equal(document['complete'], True, 'the process lives')
            found = in_range(starts(document))
            tap.equal(sorted(stay - set(found)), [], 'lost')
            sizes.add(len(found))

        readers([f'/v1/processes/{process.pid}{rest}' for rest in LISTS], check, was_race)
    tap.truth(was_race(), f'it was no race: {tally}, {sizes}')
    tap.truth(404 not in tally, f'{tally}')


def one_address_of_it():
    """one address: what stays is found, what comes and goes is an area or a gap of the right size"""
    low = RANGES[0][0]
    tally, kinds = {}, set()
    with racer('unmap') as process:

        def check(reply, path):
            document = answer(reply, process.pid, tally)
            address = int(path.rsplit('/', 1)[1], 16)
            number = (address - low) // PAGE
            tap.truth(('vma' in document) != ('gap' in document), 'a VMA or a gap')
            what = document.get('vma') or document.get('gap')
            kinds.add('vma' if 'vma' in document else 'gap')
            tap.equal((what['start'], what['size_bytes']), (f'{low + number * PAGE:#x}', PAGE), f'area {number}')
            tap.truth(number % 2 or 'vma' in document, f'area {number} is always there')

        places = [low + n * PAGE + 5 for n in range(10, AREAS - 10, 7)]
        readers([f'/v1/processes/{process.pid}/vmas/{place:#x}' for place in places], check, lambda: kinds == {'vma', 'gap'})
    tap.truth(set(tally) == {200} and kinds == {'vma', 'gap'}, f'it was no race: {tally}, {kinds}')


def it_execs_while_it_is_read():
    """no list has areas of the image before and of the one after"""
    tally, flavours, ends = {}, [0, 0], {}

    def was_race():
        return flavours[0] and flavours[1] and ends.get(True)

    with racer('exec', 0) as process:
        began = procfs.stat(process.pid)['start_time_ticks']

        def check(reply, _):
            document = answer(reply, process.pid, tally)
            if document is None:
                return
            tap.equal(document['start_time_ticks'], began, 'start')
            found = starts(document)
            seen = [bool(in_range(found, flavour)) for flavour in (0, 1)]
            tap.truth(seen != [True, True], 'two images in one list')
            ends[document['complete']] = ends.get(document['complete'], 0) + 1
            for flavour in (0, 1):
                flavours[flavour] += seen[flavour]

        readers([f'/v1/processes/{process.pid}{rest}' for rest in LISTS], check, was_race)
    tap.truth(was_race(), f'it was no race: {tally}, {flavours}, {ends}')
    tap.truth(404 not in tally, f'the process was there all the time: {tally}')


def it_exits_while_it_is_read():
    """the whole list, or one that says that it is cut, or 404"""
    tally, verdicts = {}, {'whole': 0, 'cut': 0, 'nothing': 0}

    def was_race():
        return verdicts['whole'] > 5

    most, began = 0.02, time.monotonic()
    while goes_on(began, was_race, 2 * SECONDS):
        with racer('exit') as process:
            killer = threading.Timer(random.uniform(0, most), process.kill)
            killer.start()
            for _ in range(4):
                document = answer(vmad.get(f'/v1/processes/{process.pid}{random.choice(LISTS)}'), process.pid, tally)
                if document is not None:
                    verdicts[verdict(document)] += 1
            killer.join()
        most *= 1 if was_race() else 1.05     # where a list takes longer than it has lived
    print(f'# {tally}, {verdicts}', flush=True)
    tap.truth(was_race(), f'it was no race: {tally}, {verdicts}')


def verdict(document):
    """How a list of a process that may have died in the middle ended."""
    found = in_range(starts(document))
    if not document['complete']:
        tap.equal(document['reason'], 'target-gone', 'reason')
        return 'cut'
    tap.truth(len(found) in (0, AREAS), f'a list with {len(found)} of {AREAS} areas says that it is complete')
    tap.truth(found or not document['vmas'], 'a zombie has no VMAs at all')
    return 'whole' if found else 'nothing'


def others_fork_and_exit():
    """lists of the host are whole while processes come and go"""
    tally, gone = {}, [0]
    with racer('fork') as process:

        def check(reply, path):
            tally[path] = tally.get(path, 0) + 1
            tap.equal(reply.status, 200, path + ': ' + str(reply.body[:300]))
            document = reply.json()
            records = document['vmas' if path.startswith('/v1/vmas') else 'processes']
            pids = [record['pid'] for record in records]
            tap.equal(document['count'], len(records), path)
            tap.equal(document['complete'], True, path)
            tap.equal(pids, sorted(pids), f'{path}: order')
            tap.truth(process.pid in pids, f'{path}: the racer itself is missing')
            gone[0] += document.get('processes_gone', 0)

        readers(['/v1/processes', '/v1/processes?detail=vmas', '/v1/vmas?comm=racer'], check, lambda: len(tally) == 3)
    tap.equal(len(tally), 3, f'{tally}')


def pid_of_another():
    """a pid that another process has now is a 409 for those who ask for the one before"""
    with racer('exit') as process:
        pid, began = process.pid, procfs.stat(process.pid)['start_time_ticks']
        asked = f'/v1/processes/{pid}/vmas?start_time_ticks={began}'
        tap.equal(vmad.get(asked).status, 200, 'the first process')
    tap.equal(vmad.get(asked).status, 404, 'nobody has the pid')
    wait_for_another_tick(began)
    try:
        with racer('pid', pid):
            tap.truth(procfs.stat(pid)['start_time_ticks'] != began, 'the new process began later')
            for rest in ('', '/vmas', '/vmas/0x1000'):
                reply = vmad.get(f'/v1/processes/{pid}{rest}?start_time_ticks={began}')
                tap.equal((reply.status, reply.json()['type']), (409, 'urn:vmad:problem:pid-reused'), rest)
            tap.equal(
                vmad.get(f'/v1/processes/{pid}/vmas').json()['start_time_ticks'],
                procfs.stat(pid)['start_time_ticks'],
                'without the guard',
            )
    except RuntimeError as reason:
        raise tap.Skip(f'clone3 with set_tid does not work here: {reason}') from reason


def wait_for_another_tick(began):
    """Until a process that starts now has another start time: ticks are 10 ms long."""
    while True:
        probe = subprocess.Popen(['true'])
        later = procfs.stat(probe.pid)['start_time_ticks'] > began
        probe.wait()
        if later:
            return


def vmad_is_well_afterwards():
    """no descriptor and no thread is left behind"""
    tap.equal(vmad.get('/v1/health').json()['status'], 'ok', 'health')
    # Connections that the clients closed are ending.
    wait_until(lambda: at_most(counts(), at_rest), f'threads and descriptors: {counts()} now, {at_rest} at the beginning')


def at_most(found, limits):
    return all(one <= limit for one, limit in zip(found, limits))


def counts():
    """Threads of the daemon and, where we may count them (vmad is not dumpable), its descriptors."""
    try:
        descriptors = len(os.listdir(f'/proc/{vmad.pid}/fd'))
    except PermissionError:
        descriptors = 0
    return int(procfs.status(vmad.pid, 'Threads')), descriptors


CASES = [
    it_unmaps_while_it_is_read,
    one_address_of_it,
    it_execs_while_it_is_read,
    it_exits_while_it_is_read,
    others_fork_and_exit,
    pid_of_another,
    vmad_is_well_afterwards,
]

with Vmad() as vmad:
    vmad.get('/v1/processes')
    at_rest = tuple(n + 2 for n in counts())  # a thread and its descriptor may be kept for the next one
    tap.run(CASES)
