# SPDX-License-Identifier: GPL-2.0-or-later
"""With whom a process shares memory: vmad's answer against every page table of every process, read page by page."""
import array
import contextlib
import mmap
import os
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import sharer  # noqa: E402
import tap  # noqa: E402
from crowd import at_once, checked  # noqa: E402
from sharer import Sharer  # noqa: E402
from vmad import BINARY, NOBODY, TOP_SRCDIR, UnixConnection, Vmad, as_user, request  # noqa: E402
from wire import PATIENCE, descriptors, wait_until  # noqa: E402

PAGE = os.sysconf('SC_PAGESIZE')
PRESENT, FILE, PFN = 1 << 63, 1 << 61, (1 << 55) - 1
KPAGE_ZERO = 1 << 24
MIB = 1 << 20
SLOW_BYTES = 16 << 30
HALF = 1 << 63  # of the address space: the kernel's
PATIENT = '?deadline_ms=60000'
RACE_SECONDS = 4
CAPTURED = os.path.join(TOP_SRCDIR, 'tests/proc/linux-6.18')


# --- the slow way ---


def living(pid):
    """The directory of a thread that has the address space: the leader may have exited."""
    for task in sorted(map(int, os.listdir(f'/proc/{pid}/task')), key=lambda task: (task != pid, task)):
        if procfs.read(f'{pid}/task/{task}', 'maps'):
            return f'{pid}/task/{task}'
    return str(pid)


def is_zero_page(pfn):
    with open('/proc/kpageflags', 'rb') as flags:
        return struct.unpack('=Q', os.pread(flags.fileno(), 8, pfn * 8))[0] & KPAGE_ZERO


def frames(pid):
    """{frame: (kind, path or name, anonymous)} of each present page, by the lowest address that has it."""
    directory, found = living(pid), {}
    with open(f'/proc/{directory}/pagemap', 'rb', buffering=0) as pagemap:
        for area in procfs.maps(directory):
            start, end = int(area['start'], 16), int(area['end'], 16)
            if start >= HALF:
                continue
            origins = [(area['kind'], area.get('path', area.get('name')), anonymous) for anonymous in (True, False)]
            for window in range(start // PAGE * 8, end // PAGE * 8, MIB):
                entries = array.array('Q')
                entries.frombytes(os.pread(pagemap.fileno(), min(MIB, end // PAGE * 8 - window), window))
                for entry in entries:
                    if entry & PRESENT:
                        found.setdefault(entry & PFN, origins[bool(entry & FILE)])
    return {pfn: origin for pfn, origin in found.items() if not is_zero_page(pfn)}


def in_common(one, other):
    """{origin: pages} of what both have, by what the first has it from."""
    found = {}
    for pfn in one.keys() & other.keys():
        found[one[pfn]] = found.get(one[pfn], 0) + 1
    return found


# --- vmad's answer ---


def ask(pid, query=PATIENT, daemon=None):
    reply = (daemon or vmad).get(f'/v1/processes/{pid}/sharing{query}', timeout=120)
    tap.equal(reply.status, 200, f'{pid}{query}: {reply.body[:300]}')
    document = reply.json()
    is_sound(document)
    return document


def is_sound(document):
    """What holds of every answer, whatever the host does meanwhile."""
    rows = document['sharing']
    tap.equal(document['count'], len(rows), 'count')
    tap.equal([row['shared_bytes'] for row in rows], sorted((row['shared_bytes'] for row in rows), reverse=True), 'order')
    pids = [pid for row in rows for pid in row['pids']] + document['pids']
    tap.equal(len(pids), len(set(pids)), 'a pid that is there twice')
    tap.truth(document['pid'] in document['pids'], 'itself')
    for row in rows:
        tap.equal(row['shared_bytes'], row['shared_page_count'] * PAGE, 'pages')
        tap.equal(row['shared_page_count'], sum(origin['shared_page_count'] for origin in row['origins']), 'origins add up')
        tap.truth(0 < row['shared_bytes'] <= document['shared_with_others_bytes'], 'some of what is shared at all')
        names = [origin_of(origin) for origin in row['origins']]
        tap.equal(len(names), len(set(names)), 'an origin that is there twice')
        for origin in row['origins']:
            tap.equal(origin['shared_bytes'], origin['shared_page_count'] * PAGE, 'pages of an origin')
    tap.equal(document['complete'], 'reason' not in document, 'complete, or a reason')
    # Where not even root may look into a process, an answer is not complete, and all else holds.
    tap.truth(document.get('reason') in (None, 'unreadable-process', 'deadline', 'target-gone', 'memory-ceiling'), 'reason')
    if document['processes_unreadable']:
        tap.truth(not document['complete'], 'a process could not be looked into')


def origin_of(record):
    return record['kind'], record.get('path', record.get('name')), record['anonymous']


def row_of(document, pid):
    """{origin: pages} that it shares with this process, and with whom that is one address space."""
    for row in document['sharing']:
        if pid in row['pids']:
            return {origin_of(origin): origin['shared_page_count'] for origin in row['origins']}, row['pids']
    return {}, []


def is_right(pid, others):
    """What the process shares with each of these, that do nothing meanwhile; and the others who can be told."""

    def check():
        before = {other: frames(other) for other in (pid, *others)}
        document = ask(pid)
        after = {other: frames(other) for other in (pid, *others)}
        tap.equal(before, after, 'the sharers stand still')
        for other in others:
            tap.equal(row_of(document, other)[0], in_common(before[pid], before[other]), f'{pid} and {other}')
            tap.equal(row_of(document, other)[1][0:1] != [], bool(in_common(before[pid], before[other])), 'is there a row')
        return document

    return tap.settled(check)


def everybody(pid):
    """All that share with the process, but those that change meanwhile."""

    def is_slow(other):
        """An address space of a sanitizer is terabytes, too many to be read this slow way."""
        return (procfs.stat(other) or {'vm_size_bytes': 0})['vm_size_bytes'] >= SLOW_BYTES

    def look():
        found = {}
        for other in procfs.pids():
            if not is_slow(other):
                with contextlib.suppress(OSError):
                    found[other] = frames(other)
        return found

    def check():
        before, document, after = look(), ask(pid), look()
        tap.equal(before[pid], after[pid], 'the process stands still')
        still = [other for other in before if other not in document['pids'] and before[other] == after.get(other)]
        tap.truth(len(still) > 3, f'{len(still)} processes stood still')
        for other in still:
            tap.equal(row_of(document, other)[0], in_common(before[pid], before[other]), f'{pid} and {other}')
        rows = {one for row in document['sharing'] for one in row['pids']}
        unknown = {other for other in rows if other not in before and other not in after and procfs.stat(other) and not is_slow(other)}
        tap.equal(unknown, set(), 'unknown')

    tap.settled(check)


def shared(name, doc):
    """A case of sharer: the processes that it made, each against each."""

    def case():
        with Sharer(name) as made:
            if made.absent:
                raise tap.Skip(made.absent)
            pids = {asked.pid for asked in made.pages}
            pids |= {group[0] for asked in made.pages for group, _ in asked.expected}
            for pid in sorted(pids):
                is_right(pid, [other for other in sorted(pids) if other != pid])

    case.__doc__ = doc
    return case


def hugetlb():
    """hugetlb: shared pages, though they are no part of rss_bytes"""
    with sharer.huge_pages():
        shared('hugetlb', '')()


def ksm():
    """pages merged by KSM"""
    with sharer.ksm(), Sharer('ksm') as made:
        if made.absent:
            raise tap.Skip(made.absent)
        places = [(group[0], address) for group, address in made.pages[0].expected]
        end = time.monotonic() + 30
        while len({frame_at(*place) for place in places}) > 1:
            if time.monotonic() > end:
                raise tap.Skip('KSM did not merge in 30 s')
            time.sleep(0.05)  # until KSM has been round
        pids = sorted({pid for pid, _ in places})
        for pid in pids:
            is_right(pid, [other for other in pids if other != pid])


def frame_at(pid, address):
    with open(f'/proc/{pid}/pagemap', 'rb') as pagemap:
        return struct.unpack('=Q', os.pread(pagemap.fileno(), 8, address // PAGE * 8))[0] & PFN


def clone_vm():
    """processes of one address space: one row with both, and both are named where they are asked about"""
    with Sharer('clone-vm') as made:
        groups = {group for asked in made.pages for group, _ in asked.expected}
        pair = next(group for group in groups if len(group) == 2)
        other = next(group[0] for group in groups if len(group) == 1)
        document = is_right(other, [pair[0]])
        tap.equal(sorted(row_of(document, pair[0])[1]), sorted(pair), 'one row')
        for pid in pair:
            document = is_right(pid, [other])
            tap.equal(sorted(document['pids']), sorted(pair), 'itself and its sibling')


# --- a family that is larger than a window ---


def touch(memory, first, last):
    for at in range(first * PAGE, last * PAGE, PAGE):
        memory[at] = memory[at] + 1 & 255


@contextlib.contextmanager
def family(pages, dirty, huge=False):
    """A process with anonymous memory, a child that has written to the first `dirty` pages of it, and a grandchild."""
    receive, send = os.pipe()
    leader = os.fork()
    if leader == 0:
        try:
            os.setpgid(0, 0)
            os.close(receive)
            memory = mmap.mmap(-1, pages * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            memory.madvise(mmap.MADV_HUGEPAGE if huge else mmap.MADV_NOHUGEPAGE)
            touch(memory, 0, pages)
            pid = os.getpid()
            if os.fork() == 0:
                touch(memory, 0, dirty)
                if os.fork() == 0:
                    touch(memory, dirty, dirty + 7)
            os.write(send, struct.pack('=i', os.getpid()))
            while os.getpgid(0) == pid:
                time.sleep(1000)
        finally:
            os._exit(1)
    os.close(send)
    try:
        pids = [struct.unpack('=i', os.read(receive, 4))[0] for _ in range(3)]
        yield sorted(pids)
    finally:
        os.killpg(leader, 9)
        os.waitpid(leader, 0)
        os.close(receive)


def copy_on_write():
    """40 MiB of copy-on-write memory, a third of it written to: what is left, in each direction"""
    with family(10000, 3300) as pids:
        for pid in pids:
            document = is_right(pid, [other for other in pids if other != pid])
            tap.truth(document['shared_with_others_bytes'] >= (10000 - 3300 - 7) * PAGE, 'most of it')


def huge_pages_of_a_fork():
    """transparent huge pages after a fork, some of them split"""
    with family(10000, 300, huge=True) as pids:
        for pid in pids:
            is_right(pid, [other for other in pids if other != pid])


def sums():
    """USS and PSS are those of smaps_rollup"""
    with family(2000, 500) as pids:

        def check():
            before = procfs.rollup(pids[0])
            document = ask(pids[0])
            after = procfs.rollup(pids[0])
            private = [now['private_clean_bytes'] + now['private_dirty_bytes'] for now in (before, after)]
            pss = sorted(now['pss_bytes'] for now in (before, after))  # others map the libraries, too, and end
            tap.equal((document['uss_bytes'], document['rss_bytes']), (private[0], before['rss_bytes']), 'USS, RSS')
            tap.truth(pss[0] - MIB <= document['pss_bytes'] <= pss[1] + MIB, f'PSS: {document["pss_bytes"]}, {pss}')
            tap.equal(document['usage_source'], 'smaps_rollup', 'source')

        tap.settled(check)


def libraries():
    """libc in every process, and all else that they share"""
    with Sharer('libc') as made:
        everybody(made.pages[0].pid)


def itself():
    """vmad itself, with vmactl's and the test's libraries"""
    document = ask(vmad.pid)
    tap.truth(row_of(document, os.getpid())[0], 'it shares libc with this test')


# --- what ends, what is not there, and who may not ask ---


def a_thread_of_the_kernel():
    """a thread of the kernel shares nothing with anybody; where there is none to be seen, it does not exist"""
    for pid in procfs.pids():
        if (procfs.stat(pid) or {'ppid': None})['ppid'] == 2:
            document = ask(pid)
            tap.equal((document['sharing'], document['complete'], document['pids']), ([], True, [pid]), 'nobody')
            return
    raise tap.Skip('no thread of the kernel here')


def gone():
    """a process that ended: 404, HEAD too; another start time: 409"""
    child = subprocess.Popen(['sleep', '1000'])
    ticks = procfs.stat(child.pid)['start_time_ticks']
    path = f'/v1/processes/{child.pid}/sharing'
    tap.equal(ask(child.pid, f'?start_time_ticks={ticks}')['start_time_ticks'], ticks, 'its own start time')
    tap.equal(vmad.get(f'{path}?start_time_ticks={ticks + 1}').status, 409, 'another')
    reply = vmad.get(path, method='HEAD')
    tap.equal((reply.status, reply.body), (200, b''), 'HEAD')
    child.kill()
    child.wait()
    for method in ('GET', 'HEAD'):
        tap.equal(vmad.get(path, method=method).status, 404, method)


def ends_meanwhile():
    """a process that ends while it is asked about: gone, or said so, never a failure"""
    for delay in range(20):
        child = subprocess.Popen(['sleep', '1000'])
        killer = threading.Timer(delay / 1000, child.kill)
        killer.start()
        for _ in range(3):
            reply = vmad.get(f'/v1/processes/{child.pid}/sharing{PATIENT}', timeout=60)
            tap.truth(reply.status in (200, 404), f'{reply.status}: {reply.body[:300]}')
            if reply.status == 200:
                is_sound(reply.json())
        killer.join()
        child.wait()


def come_and_go():
    """while processes fork, exec and end all the time, each answer is sound"""
    with Sharer('churn') as made:
        end = time.monotonic() + RACE_SECONDS
        count = 0
        while time.monotonic() < (end if count > 3 else end + PATIENCE):
            ask(made.pages[0].pid)
            count += 1
    tap.truth(count > 3, f'{count} answers')


def deadline():
    """deadline_ms ends the pass, incomplete, and in time"""
    with family(50000, 0) as pids:
        took = []
        for _ in range(3):  # a machine may do much else in one of them
            began = time.monotonic()
            document = ask(pids[0], '?deadline_ms=1&max_age_ms=0')
            took.append(time.monotonic() - began)
            tap.equal((document['complete'], document['reason']), (False, 'deadline'), 'verdict')
        tap.truth(min(took) < 5, f'{took} s')


def ndjson():
    """as NDJSON: the same rows between the first line and the verdict"""
    with family(100, 50) as pids:
        reply = vmad.get(f'/v1/processes/{pids[0]}/sharing{PATIENT}', headers={'Accept': 'application/x-ndjson'})
        first, *rows, last = reply.lines()
    tap.equal((first['begin'], first['pid'], last['end'], last['count']), (True, pids[0], True, len(rows)), 'frame')
    tap.equal({row['record'] for row in rows}, {'sharing'}, 'records')
    tap.truth(all(row['origins'] for row in rows), 'origins')


def not_root():
    """others than root are told that it needs root, of their own processes too"""
    with Vmad(open_to_all=True) as open_vmad:

        def look():
            found = []
            for method in ('GET', 'HEAD'):
                reply = request(UnixConnection(open_vmad.socket), f'/v1/processes/{os.getpid()}/sharing', method)
                found.append(reply.status)
                if method == 'GET':
                    found += [reply.json()['type'], 'root' in reply.json()['detail'], 'mend' in reply.json()]
            return found

        tap.equal(as_user(NOBODY, look), [403, 'urn:vmad:problem:not-allowed', True, True, 403], 'nobody')


def ordinary_vmad():
    """a vmad that an ordinary user runs answers its own user in the same way"""
    with Vmad(uid=NOBODY) as theirs:
        path = f'/v1/processes/{theirs.pid}/sharing'
        tap.equal(as_user(NOBODY, lambda: request(UnixConnection(theirs.socket), path).status), 403, 'status')


def many_at_once():
    """many at once: each is answered, or told that others are under way"""
    with family(1000, 100) as pids:

        def ask(pid):
            reply = vmad.get(f'/v1/processes/{pid}/sharing{PATIENT}', timeout=60)
            tap.truth(reply.status in (200, 503), f'{reply.status}: {reply.body[:300]}')
            if reply.status == 200:
                is_sound(reply.json())
            else:
                tap.truth(int(reply.headers['Retry-After']) > 0, 'Retry-After')
            return reply.status

        statuses = checked(at_once([lambda pid=pids[number % 3]: ask(pid) for number in range(8)]))
        tap.truth(200 in statuses, f'{statuses}')


def answers_are_shared():
    """max_age_ms takes an answer that was made before, and says how old it is"""
    with family(100, 10) as pids:
        ask(pids[0])
        document = ask(pids[0], f'{PATIENT}&max_age_ms=9000')
        fresh = ask(pids[0], f'{PATIENT}&max_age_ms=0')
    tap.truth(document['age_ms'] < 9000, 'age')
    tap.equal(fresh['age_ms'], 0, 'asked anew')


def captured():
    """a captured tree has no page tables: 501"""
    with Vmad(arguments=('--procfs', CAPTURED)) as offline:
        reply = offline.get('/v1/processes/4242/sharing')
        tap.equal((reply.status, reply.json()['type']), (501, 'urn:vmad:problem:not-available'), 'reply')


def nothing_leaks():
    """no descriptor stays open, and memory is given back"""
    with family(2000, 100) as pids:
        ask(pids[0])
        before = descriptors(vmad.pid), vmad.memory('VmRSS')
        for _ in range(30):
            ask(pids[0])
        wait_until(lambda: descriptors(vmad.pid) <= before[0], 'descriptors; connections end after their last byte')
        tap.truth(vmad.memory('VmRSS') - before[1] < 16 << 20, 'memory')


CASES = [
    shared('shared-anon', 'shared anonymous memory'),
    shared('cow-before', 'private anonymous memory before copy-on-write'),
    shared('cow-after', 'after the child wrote'),
    shared('cow-parent', 'after the parent wrote'),
    shared('twice', 'a page mapped twice in one process is one page'),
    shared('mremap', 'mremapped to another address in the child'),
    shared('private-file', 'a private file mapping, with a mapper that has its own copy'),
    shared('shared-file', 'a shared file mapping, in the middle of a longer one, and moved'),
    shared('deleted', 'a deleted file'),
    shared('memfd', 'memfd'),
    shared('sysv', 'System V shared memory, attached twice'),
    shared('thp', 'huge pages, one of them mapped in part'),
    shared('zero', 'the page of zeros is nobody\'s'),
    shared('vfork', 'while vfork waits'),
    shared('leaders', 'processes whose leaders have exited'),
    hugetlb,
    ksm,
    clone_vm,
    copy_on_write,
    huge_pages_of_a_fork,
    sums,
    libraries,
    itself,
    a_thread_of_the_kernel,
    gone,
    ends_meanwhile,
    come_and_go,
    deadline,
    ndjson,
    not_root,
    ordinary_vmad,
    many_at_once,
    answers_are_shared,
    captured,
    nothing_leaks,
]

if os.geteuid() != 0:
    print("1..0 # SKIP frame numbers are root's only")
    sys.exit(0)
with open(BINARY, 'rb') as binary:
    if b'__asan_init' in binary.read():
        print('1..0 # SKIP every page of every process is looked at, and those of a sanitizer are terabytes of shadow; the plain build runs it')
        sys.exit(0)
with Vmad() as vmad:
    tap.run(CASES)
