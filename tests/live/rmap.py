# SPDX-License-Identifier: GPL-2.0-or-later
"""Who maps this page: vmad's answer against what sharer made, and against a slow search through every page of every process."""
import ctypes
import errno
import fcntl
import functools
import os
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from crowd import at_once, checked  # noqa: E402
from sharer import Sharer  # noqa: E402
from vmad import NOBODY, TOP_BUILDDIR, TOP_SRCDIR, UnixConnection, Vmad, as_user, request  # noqa: E402
from wire import PATIENCE, descriptors, wait_until  # noqa: E402

PAGE = os.sysconf('SC_PAGESIZE')
PRESENT, PFN = 1 << 63, (1 << 55) - 1
WINDOW = 1 << 20  # bytes of pagemap read at a time
BLOCK = 4096
PAGEMAP_SCAN, IS_PRESENT, REGIONS = 0xC0606610, 1 << 3, 512  # include/uapi/linux/fs.h
HUGE_AREA, NEAR = 1 << 28, 1 << 22
KCMP_VM, SYS_KCMP = 1, 312
RACE_SECONDS = 4
PATIENT = '?deadline_ms=60000'  # a scan on a busy machine
KSM = '/sys/kernel/mm/ksm'
HUGE = '/proc/sys/vm/nr_hugepages'
CAPTURED = os.path.join(TOP_SRCDIR, 'tests/proc/linux-6.18')
# members of a mapping: of its VMA
MEMBERS = {'vma_start': 'start', 'vma_end': 'end', 'perms': 'perms', 'kind': 'kind', 'path': 'path', 'name': 'name'}
libc = ctypes.CDLL(None, use_errno=True)


# --- the slow way ---


def entry(pid, address):
    with open(f'/proc/{pid}/pagemap', 'rb') as pagemap:
        return struct.unpack('=Q', os.pread(pagemap.fileno(), 8, address // PAGE * 8))[0]


def frame(pid, address):
    """The page frame number; 0 where there is none."""
    value = entry(pid, address)
    return value & PFN if value & PRESENT else 0


def tasks(pid):
    """Its threads, the leader first; one that lives has the address space."""
    return sorted(map(int, os.listdir(f'/proc/{pid}/task')), key=lambda task: (task != pid, task))


def places(pid, pfn):
    """Addresses at which the process maps the frame: every page of every VMA is looked at."""
    found = set()
    for task in tasks(pid):
        directory = f'/proc/{pid}/task/{task}'
        with open(f'{directory}/maps', encoding='utf-8', errors='replace') as maps:
            areas = [[int(word, 16) for word in line.split(' ', 1)[0].split('-')] for line in maps]
        if not areas:
            continue
        with open(f'{directory}/pagemap', 'rb', buffering=0) as pagemap:
            for start, end in areas:
                for part in present(pagemap.fileno(), start, end):
                    found |= places_in(pagemap.fileno(), *part, pfn)
        break
    return found


def present(pagemap, start, end):
    """What of an area to look at: all of it; of a sanitizer's terabytes of shadow what PAGEMAP_SCAN says is present."""
    if end - start < HUGE_AREA or start >> 63:
        yield start, end
        return
    regions = ctypes.create_string_buffer(24 * REGIONS)
    while start < end:
        query = bytearray(
            struct.pack('=12Q', 96, 0, start, end, 0, ctypes.addressof(regions), REGIONS, 0, 0, IS_PRESENT, 0, IS_PRESENT)
        )
        try:
            count = fcntl.ioctl(pagemap, PAGEMAP_SCAN, query)
        except OSError as error:
            if error.errno != errno.ENOTTY:
                raise
            yield start, end
            return
        first = last = None
        for i in range(count):
            area = struct.unpack_from('=2Q', regions, 24 * i)
            if first is not None and area[0] - last > NEAR:
                yield first, last
                first = None
            first, last = area[0] if first is None else first, area[1]
        if first is not None:
            yield first, last
        start = struct.unpack_from('=Q', query, 32)[0]


def places_in(pagemap, start, end, pfn):
    """The low six bytes of an entry are bits of its frame number: bytes are found faster than numbers are compared, and bytes
    that are all alike, as where nothing is present, are told fastest."""
    found, needle = set(), pfn.to_bytes(6, 'little')
    for window in range(start // PAGE * 8, end // PAGE * 8, WINDOW):
        data = os.pread(pagemap, min(WINDOW, end // PAGE * 8 - window), window) if window < 1 << 62 else b''
        for begin in range(0, len(data), BLOCK):
            block = data[begin : begin + BLOCK]
            if block == alike(block[:8], len(block)) and block[:6] != needle:
                continue
            at = block.find(needle)
            while at >= 0:
                if at % 8 == 0:
                    value = struct.unpack_from('=Q', block, at)[0]
                    if value & PRESENT and value & PFN == pfn:
                        found.add((window + begin + at) // 8 * PAGE)
                at = block.find(needle, at + 1)
    return found


@functools.lru_cache(64)
def alike(entry, size):
    return entry * (size // 8)


def living(pid):
    """A task of the process that has its address space: kcmp looks at tasks."""
    for task in tasks(pid):
        with open(f'/proc/{pid}/task/{task}/maps', 'rb') as maps:
            if maps.read(1):
                return task
    return pid


def same_mm(one, other):
    """One that has ended has no mm any more; that says nothing about the other."""
    try:
        one = living(one)
    except OSError:
        return False
    return libc.syscall(SYS_KCMP, one, living(other), KCMP_VM, 0, 0) == 0


def search(pfn):
    """{(pids of one mm, address)} of all mappings of a frame, in all processes that can be read."""
    found = []  # [pids, addresses]
    for pid in sorted(procfs.pids()):
        try:
            addresses = places(pid, pfn)
            if not addresses:
                continue
            known = next((one for one in found if same_mm(one[0][0], pid)), None)
        except OSError:
            continue  # it has ended, or cannot be read
        if known:
            known[0].append(pid)
        else:
            found.append([[pid], addresses])
    return {(tuple(pids), address) for pids, addresses in found for address in addresses}


# --- vmad's answer ---


def answer(path):
    reply = vmad.get(path, timeout=60)
    tap.equal(reply.status, 200, f'{path}: {reply.body[:300]}')
    document = reply.json()
    tap.equal(document['count'], len(document['mappings']), 'count')
    tap.equal(document['mappings_found'], document['count'], 'mappings_found')
    tap.truth(document['complete'] or document['reason'], 'an answer that is not complete has a reason')
    if document['complete']:
        tap.truth('reason' not in document, 'no reason')
        tap.equal(document['page']['mapcount'], document['count'], 'complete: the mapcount is what was found')
    return document


def mappings(document):
    found = [(tuple(sorted(row['pids'])), int(row['address'], 16)) for row in document['mappings']]
    tap.equal(len(found), len(set(found)), f'mappings that are there twice: {found}')
    return set(found)


def area_of(pid, address):
    """The VMA of maps that holds the address."""
    for area in procfs.maps(pid):
        if int(area['start'], 16) <= address < int(area['end'], 16):
            return area
    return None


def rows_are_right(document):
    """Each mapping's name and VMA are what /proc says of its process."""
    for row in document['mappings']:
        pid = row['pids'][0]
        leader_lives = procfs.stat(pid)['state'] != 'Z'
        tap.equal(row.get('comm'), procfs.stat(pid)['comm'], 'comm')
        if not leader_lives:
            continue
        area = area_of(pid, int(row['address'], 16))
        for mine, theirs in MEMBERS.items():
            tap.equal(row.get(mine), area.get(theirs), f'{mine} of {row}')


def answer_by_frame(asked):
    """Of the frame that its page is in; where the kernel moves the page meanwhile (compaction), of the next one."""
    while True:
        pfn = frame(asked.pid, asked.address)
        document = answer(f'/v1/frames/{pfn:#x}/mappings{PATIENT}')
        if frame(asked.pid, asked.address) == pfn:
            return document


def is_right(asked, method=None):
    """Asked by address and by frame: both find what the sharer made and what the slow search finds, and say that it is all."""
    expected = search(frame(asked.pid, asked.address))
    tap.equal(expected, asked.expected, f'{asked.name}: what the slow search found, and what was made')
    for document in (answer(asked.path(PATIENT)), answer_by_frame(asked)):
        tap.equal(mappings(document), expected, asked.name)
        tap.equal(document['complete'], True, f'{asked.name}: {document.get("reason")}')
        tap.equal(document['processes_found'], len({pids for pids, _ in expected}), 'processes_found')
        rows_are_right(document)
    if method:
        tap.equal(answer(asked.path(PATIENT))['method'], method, f'{asked.name}: method')


def shared(name, doc, method=None):
    """A case: what a sharer makes is found, all of it."""

    def case():
        with Sharer(name) as sharer:
            if sharer.absent:
                raise tap.Skip(sharer.absent)
            for asked in sharer.pages:
                is_right(asked, method)

    case.__doc__ = doc
    return case


def hugetlb():
    """hugetlb, head and tail"""
    with open(HUGE, encoding='ascii') as file:
        before = file.read()
    try:
        with open(HUGE, 'w', encoding='ascii') as file:
            file.write(str(int(before) + 2))
        shared('hugetlb', '')()
    finally:
        with open(HUGE, 'w', encoding='ascii') as file:
            file.write(before)


def write_to(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def ksm():
    """pages merged by KSM"""
    try:
        with open(f'{KSM}/run', encoding='ascii') as file:
            before = file.read()
        write_to(f'{KSM}/run', '1')
    except OSError as error:
        raise tap.Skip(f'no KSM: {error}') from None
    try:
        with Sharer('ksm') as sharer:
            if sharer.absent:
                raise tap.Skip(sharer.absent)
            asked = sharer.pages[0]
            addresses = [address for _, address in asked.expected]
            end = time.monotonic() + 30
            while len({frame(asked.pid, address) for address in addresses}) > 1 and time.monotonic() < end:
                time.sleep(0.05)  # until KSM has been round
            if len({frame(asked.pid, address) for address in addresses}) > 1:
                raise tap.Skip('KSM did not merge in 30 s')
            is_right(asked, 'scan')
            tap.truth('ksm' in answer(asked.path())['page']['flags'], 'flag')
    finally:
        write_to(f'{KSM}/run', before)


def alive():
    return {int(name) for name in os.listdir('/proc') if name.isdigit()}


def nearly_right(asked):
    """Of a page that processes beside this test map, too: all that the slow search found before and after; of processes that lived all the time nothing
    that it found neither time. One that execs in between, more than once, is right and looks wrong: it is not there every time."""
    document = None

    def agrees():
        nonlocal document
        lived = alive()
        before = search(frame(asked.pid, asked.address))
        document = answer(asked.path(PATIENT))
        after = search(frame(asked.pid, asked.address))
        lived &= alive()
        found = mappings(document)
        tap.equal({one for one in before & after if one not in found}, set(), f'{asked.name}: not found')
        tap.truth(asked.expected <= found, f'{asked.name}: its own mapping')
        tap.equal({one for one in found - before - after if lived & set(one[0])}, set(), f'{asked.name}: found too much')
        tap.truth(document['complete'] or document['reason'] in ('unreadable-process', 'unstable', 'unreached'), document.get('reason'))

    tap.settled(agrees, tries=12)
    return document


def libc_text():
    """libc's text, in every process that has it"""
    with Sharer('libc') as sharer:
        document = nearly_right(sharer.pages[0])
        tap.truth(document['processes_found'] > 2, 'vmad, this test and the sharer map it')


def vdso():
    """the vdso: no file, and at another address in each process"""
    with Sharer('vdso') as sharer:
        if sharer.absent:
            raise tap.Skip(sharer.absent)
        document = nearly_right(sharer.pages[0])
        tap.equal(document['mappings'][0]['kind'], 'vdso', 'kind')


def zero_page():
    """the page of zeros is counted by nobody: never complete, and said why"""
    with Sharer('zero') as sharer:
        asked = sharer.pages[0]
        document = answer(asked.path())
        tap.equal((document['complete'], document.get('reason')), (False, 'zero-page'), 'verdict')
        tap.truth(asked.expected <= mappings(document), 'its own mapping')


def mapped_nowhere():
    """a page that is cached and mapped nowhere: complete, and empty"""
    with Sharer('nowhere') as sharer:
        asked = sharer.pages[0]
        pfn = frame(asked.pid, asked.address)
        is_right(asked)
        sharer.go_on()
        sharer.wait()
        document = answer(f'/v1/frames/{pfn:#x}/mappings')
        tap.equal((document['mappings'], document['complete'], document['page']['mapcount']), ([], True, 0), 'by frame')
        document = answer(asked.path())
        tap.equal((document['complete'], document['reason'], 'page' in document), (False, 'not-present', False), 'by address')


def not_present():
    """an address that nothing is mapped at, and one beyond user space: no page, and said so"""
    for address in (0, PAGE * 3 + 5, 0xFFFFFFFFFFFFFFFF):
        document = answer(f'/v1/processes/{os.getpid()}/pages/{address:#x}/mappings')
        tap.equal((document['reason'], document['mappings'], 'page' in document), ('not-present', [], False), hex(address))


def swapped():
    """a page that is swapped out has no frame"""
    with open('/proc/swaps', encoding='ascii') as swaps:
        if len(swaps.readlines()) < 2:
            raise tap.Skip('no swap here')
    with Sharer('swapped') as sharer:
        tap.equal(answer(sharer.pages[0].path())['reason'], 'not-present', 'reason')


def middle_of_a_page():
    """an address in the middle of a page is its page's"""
    with Sharer('shared-anon') as sharer:
        asked = sharer.pages[0]
        document = answer(f'/v1/processes/{asked.pid}/pages/{asked.address + 123:x}/mappings')
        tap.equal(mappings(document), asked.expected, 'mappings')
        tap.equal(document['address'], f'{asked.address + 123:#x}', 'the address that was asked for')


def comes_and_goes():
    """while siblings of one mm, vforks, execs and forks come and go, complete is never wrong"""
    tally = {}
    with Sharer('churn') as sharer:
        asked = sharer.pages[0]
        always = {(pids[0], address) for pids, address in asked.expected}
        end = time.monotonic() + RACE_SECONDS
        while time.monotonic() < (end if tally.get(True, 0) > 3 else end + PATIENCE):
            pfn = frame(asked.pid, asked.address)
            by_frame = sum(tally.values()) % 8 == 7
            document = answer(f'/v1/frames/{pfn:#x}/mappings' if by_frame else asked.path())
            if by_frame and frame(asked.pid, asked.address) != pfn:
                continue  # the kernel has moved the page (compaction): this frame's mappers are none of it
            found = {(pid, int(row['address'], 16)) for row in document['mappings'] for pid in row['pids']}
            verdict = document['complete'] or document['reason']
            tally[verdict] = tally.get(verdict, 0) + 1
            if document['complete']:
                tap.equal(always - found, set(), f'complete, and not all: {document}')
    print(f'# {tally}')
    tap.truth(tally.get(True, 0) > 3, f'hardly ever complete: {tally}')


def its_process_ends():
    """a process that ends while it is asked about is gone, or its page is: never a failure"""
    for _ in range(40):
        with Sharer('shared-anon') as sharer:
            asked = sharer.pages[0]
            killer = threading.Timer(0.002, sharer.process.kill)
            killer.start()
            for _ in range(6):
                reply = vmad.get(asked.path())
                tap.truth(reply.status in (200, 404), f'{reply.status}: {reply.body[:300]}')
            killer.join()


def by_frame():
    """frames: beyond memory 404, however large; frame 0 and a free one are no failure"""
    for pfn in (0x7FFFFFFFFF, 0x1FFFFFFFFFFFFFFF, 0x2000000000000001, 0xFFFFFFFFFFFFFFFF):
        reply = vmad.get(f'/v1/frames/{pfn:#x}/mappings')
        tap.equal((reply.status, reply.json()['type']), (404, 'urn:vmad:problem:no-such-frame'), hex(pfn))
    tap.equal(mappings(answer('/v1/frames/0x0/mappings')), set(), 'frame 0')


def start_time():
    """another start_time_ticks is a 409; its own is not"""
    with Sharer('shared-anon') as sharer:
        asked = sharer.pages[0]
        ticks = procfs.stat(asked.pid)['start_time_ticks']
        tap.equal(vmad.get(asked.path(f'?start_time_ticks={ticks + 1}')).status, 409, 'another')
        tap.equal(answer(asked.path(f'?start_time_ticks={ticks}'))['start_time_ticks'], ticks, 'its own')


def head():
    """HEAD finds the process or not, and looks no page up"""
    with Sharer('shared-anon') as sharer:
        path = sharer.pages[0].path()
        reply = vmad.get(path, method='HEAD')
        tap.equal((reply.status, reply.body), (200, b''), 'HEAD')
    tap.equal(vmad.get(path, method='HEAD').status, 404, 'of a process that is gone')
    tap.equal(vmad.get(path).status, 404, 'GET of it')


def a_thread_of_the_kernel():
    """a thread of the kernel has no pages: an error that says so, or none present"""
    reply = vmad.get('/v1/processes/2/pages/0x1000/mappings')
    tap.truth(reply.status in (200, 404), f'{reply.status}: {reply.body[:300]}')


def not_root():
    """others than root are told that it needs root, for their own pages too"""
    with Vmad(open_to_all=True) as open_vmad:

        def ask():
            found = []
            for path in (f'/v1/processes/{os.getpid()}/pages/0x1000/mappings', '/v1/frames/0x1000/mappings'):
                connection = UnixConnection(open_vmad.socket)
                reply = request(connection, path)
                found.append([reply.status, reply.json()['type'], 'root' in reply.json()['detail'], 'mend' in reply.json()])
                found[-1].append(request(UnixConnection(open_vmad.socket), path, 'HEAD').status)
            return found

        for row in as_user(NOBODY, ask):
            tap.equal(row, [403, 'urn:vmad:problem:not-allowed', True, True, 403], 'nobody')


def ordinary_vmad():
    """a vmad that an ordinary user runs answers its own user in the same way"""
    with Vmad(uid=NOBODY) as theirs:
        path = f'/v1/processes/{theirs.pid}/pages/0x1000/mappings'
        status = as_user(NOBODY, lambda: request(UnixConnection(theirs.socket), path).status)
        tap.equal(status, 403, 'status')


def deadline():
    """deadline_ms ends the look-up, incomplete, and in time"""
    with Sharer('libc') as sharer:
        took = []
        for _ in range(3):  # a machine may do much else in one of them
            began = time.monotonic()
            document = answer(sharer.pages[0].path('?deadline_ms=1'))
            took.append(time.monotonic() - began)
            tap.truth(document['complete'] or document['reason'] == 'deadline', document.get('reason'))
    tap.truth(min(took) < 2, f'{took} s')


def many_at_once():
    """many at once: each is answered, or told that others are under way"""
    with Sharer('mremap') as sharer:
        asked = sharer.pages[0]
        pfn = frame(asked.pid, asked.address)

        def ask(number):
            reply = vmad.get(asked.path() if number % 2 else f'/v1/frames/{pfn:#x}/mappings', timeout=60)
            tap.truth(reply.status in (200, 503), f'{reply.status}: {reply.body[:300]}')
            document = reply.json()
            if reply.status == 200 and document['complete']:
                tap.equal(mappings(document), asked.expected, 'mappings')
            elif reply.status == 200:
                tap.truth(document['reason'] in ('busy', 'unstable', 'deadline'), document['reason'])
            else:
                tap.truth(int(reply.headers['Retry-After']) > 0, 'Retry-After')
            return reply.status

        statuses = checked(at_once([lambda number=number: ask(number) for number in range(8)]))
        tap.truth(200 in statuses, f'{statuses}')


def captured():
    """a captured tree has no frames: 501"""
    with Vmad(arguments=('--procfs', CAPTURED)) as offline:
        for path in ('/v1/processes/4242/pages/0x1000/mappings', '/v1/frames/0x1/mappings'):
            reply = offline.get(path)
            tap.equal((reply.status, reply.json()['type']), (501, 'urn:vmad:problem:not-available'), path)


def nothing_leaks():
    """no descriptor stays open"""
    with Sharer('memfd') as sharer:
        for asked in sharer.pages:
            answer(asked.path())
        before = descriptors(vmad.pid)
        for _ in range(20):
            answer(sharer.pages[0].path())
        wait_until(lambda: descriptors(vmad.pid) <= before, 'descriptors; connections end after their last byte')


CASES = [
    shared('shared-anon', 'shared anonymous memory', 'same-address'),
    shared('cow-before', 'private anonymous memory before copy-on-write', 'same-address'),
    shared('cow-after', 'after the child wrote: the two pages, one mapper each', 'same-address'),
    shared('cow-parent', 'after the parent wrote: its copy, and the page that is left to the child', 'same-address'),
    shared('twice', 'a page mapped twice in one process', 'file-offset'),
    shared('mremap', 'mremapped to another address in the child', 'scan'),
    shared('private-file', 'a private file mapping, with a mapper that has its own copy', 'file-offset'),
    shared('shared-file', 'a shared file mapping, in the middle of a longer one, and moved', 'file-offset'),
    shared('deleted', 'a deleted file', 'file-offset'),
    shared('tmpfs', 'tmpfs', 'file-offset'),
    shared('memfd', 'memfd', 'file-offset'),
    shared('sysv', 'System V shared memory, attached twice', 'file-offset'),
    shared('thp', 'huge pages: head, tail, and a tail that one child has unmapped', 'same-address'),
    hugetlb,
    ksm,
    shared('clone-vm', 'one mm of two processes is one mapping, and the mapper elsewhere is not missed', 'file-offset'),
    shared('distant', 'the mapper that is not among the nearest, where two of those are one mapping, is not missed', 'same-address'),
    shared('distant-sibling', 'all pids of one mm are told, also the one that comes behind many others', 'same-address'),
    shared('vfork', 'while vfork waits: one mapping, two processes', 'same-address'),
    shared('leaders', 'processes whose leaders have exited', 'same-address'),
    libc_text,
    vdso,
    zero_page,
    mapped_nowhere,
    not_present,
    swapped,
    middle_of_a_page,
    comes_and_goes,
    its_process_ends,
    by_frame,
    start_time,
    head,
    a_thread_of_the_kernel,
    not_root,
    ordinary_vmad,
    deadline,
    many_at_once,
    captured,
    nothing_leaks,
]

if os.geteuid() != 0:
    print("1..0 # SKIP frame numbers are root's only")
    sys.exit(0)
with Vmad() as vmad:
    tap.run(CASES)
