# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of pages: vmad against /proc/PID/pagemap and kpageflags, read here page by page."""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from paged import RESTLESS, Child, Paged, kpageflag_names, one_huge_page, state_of, stopped, words  # noqa: E402
from vmad import NOBODY, TOP_BUILDDIR, TOP_SRCDIR, Vmad, as_user, request  # noqa: E402

PAGE = os.sysconf('SC_PAGESIZE')
VMACTL = os.path.join(TOP_BUILDDIR, 'client/vmactl')
ROOT = os.geteuid() == 0


def skip(why):
    raise tap.Skip(why)


def only_root():
    if not ROOT:
        skip('frames are for root')


def is_by_number(area):
    """What is mapped by number in any process: the kernel's data for the vDSO."""
    return area.get('name', '').startswith('[vvar')


def raw_pages(pid):
    """{address: entry} of every page that a VMA covers."""
    found = {}
    for area in procfs.maps(pid):
        start, end = int(area['start'], 16), int(area['end'], 16)
        if start >> 63 or is_by_number(area):
            continue
        for i, entry in enumerate(words(f'/proc/{pid}/pagemap', start // PAGE, (end - start) // PAGE)):
            found[start + i * PAGE] = entry
    return found


def page_types():
    """The kernel's own tool: tools/mm/page-types.c, which Debian has in linux-source only."""
    return shutil.which(os.environ.get('PAGE_TYPES', 'page-types'))


def get(pid, rest=''):
    reply = vmad.get(f'/v1/processes/{pid}/pages{rest}')
    tap.equal(reply.status, 200, f'{rest}: {reply.text()[:300]}')
    return reply.json()


def expand(runs):
    """{address: run} of every page; runs are in order, whole and do not overlap."""
    pages, before = {}, 0
    for run in runs:
        start, end = int(run['start'], 16), int(run['end'], 16)
        tap.truth(before <= start < end, f'order of {run}')
        tap.equal((run['size_bytes'], run['page_count']), (end - start, (end - start) // PAGE), f'size of {run}')
        before = end
        for address in range(start, end, PAGE):
            pages[address] = run
    return pages


def shown(pid, pages):
    """Those that the kernel shows. Only PAGEMAP_SCAN tells which are mapped by number."""
    hidden = {
        address
        for area in procfs.maps(pid)
        if is_by_number(area)
        for address in range(int(area['start'], 16), int(area['end'], 16), PAGE)
    }
    return {address: run for address, run in pages.items() if 'pfn-mapping' not in run['flags'] and address not in hidden}


def compare(pid, detail, check):
    """Each page of a stopped process, by vmad and by ourselves. The kernel moves and merges pages meanwhile, but not every time."""
    return tap.settled(lambda: compare_once(pid, detail, check))


def compare_once(pid, detail, check):
    with stopped(pid):
        document = get(pid, f'?detail={detail}&max_age_ms=0')
        raw = raw_pages(pid)
    tap.equal(document['complete'], True, 'complete')
    pages = shown(pid, expand(document['runs']))
    tap.equal([hex(a) for a in sorted(set(raw) ^ set(pages))][:5], [], 'pages that only one of us has')
    for address, entry in raw.items():
        run = pages[address]
        tap.equal(run['state'], state_of(entry), f'state of {address:x}, entry {entry:x}')
        if run['state'] != 'none':
            for bit, name in ((61, 'file'), (55, 'soft-dirty')):
                tap.equal(name in run['flags'], bool(entry >> bit & 1), f'{name} of {address:x}, entry {entry:x}')
        check(address, entry, run)
    return document


def states():
    """every page of a process is in the state that pagemap tells, and runs are as long as they can be"""
    document = compare(paged.pid, 'states', lambda *_: None)
    tap.equal((document['pid'], document['page_size_bytes'], document['count']), (paged.pid, PAGE, len(document['runs'])), 'head')
    for one, two in zip(document['runs'], document['runs'][1:]):
        alike = (one['end'], one['state'], one['flags']) == (two['start'], two['state'], two['flags'])
        tap.truth(not alike, f'{one} and {two} are one run')
    tap.truth(not any('pfn' in run or 'exclusive' in run['flags'] for run in document['runs']), 'more than was asked for')


def exclusive():
    """detail=flags tells which pages nobody else maps"""

    def check(address, entry, run):
        if run['state'] == 'present':
            tap.equal('exclusive' in run['flags'], bool(entry >> 56 & 1), f'{address:x}, entry {entry:x}')

    compare(paged.pid, 'flags', check)


def frames():
    """detail=frames tells the frame of every page and its flags, as pagemap and kpageflags have them"""
    only_root()
    names = kpageflag_names()

    def check(address, entry, run):
        tap.equal('pfn' in run, run['state'] == 'present', f'pfn of {address:x}')
        if run['state'] != 'present':
            return
        pfn = int(run['pfn'], 16) + (address - int(run['start'], 16)) // PAGE
        tap.equal(pfn, entry & ((1 << 55) - 1), f'pfn of {address:x}')
        flags = words('/proc/kpageflags', pfn, 1)[0]
        expected = {names[bit] for bit in names if flags >> bit & 1} - RESTLESS
        tap.equal(expected - set(run['flags']), set(), f'flags of {address:x}, frame {pfn:x}')

    compare(paged.pid, 'frames', check)


def by_kind(rows, without=frozenset()):
    """{(state, flags): number of pages} of runs, or of the kinds of a summary."""
    kinds = collections.Counter()
    for row in rows:
        kinds[row['state'], tuple(flag for flag in row['flags'] if flag not in without)] += row['page_count']
    return kinds


def differing(one, two):
    return sorted((one - two).items()), sorted((two - one).items())


def summary():
    """a summary is what the runs come to, of all memory and of parts of it; its kinds differ, the most frequent first"""
    start = min(address for address, _ in paged.areas.values())
    for rest in ('', f'&start={start + 3 * PAGE:x}', f'&end={start + 5 * PAGE:x}', f'&start={start:x}&end={start + 64 * PAGE:x}'):
        for detail, restless in (('states', set()), ('flags', RESTLESS)):
            tap.settled(lambda rest=rest, detail=detail, restless=restless: summary_once(f'?detail={detail}&max_age_ms=0{rest}', restless))


def summary_once(rest, restless):
    with stopped(paged.pid):
        runs, document = get(paged.pid, rest), get(paged.pid, f'/summary{rest}')
    tap.equal((document['pid'], document['complete'], document['count']), (paged.pid, True, len(document['kinds'])), 'head')
    tap.equal(differing(by_kind(document['kinds'], restless), by_kind(runs['runs'], restless)), ([], []), f'{rest}: what only one of them has')
    tap.equal(len(by_kind(document['kinds'])), document['count'], 'kinds that differ')
    counts = [kind['page_count'] for kind in document['kinds']]
    tap.equal(counts, sorted(counts, reverse=True), 'the most frequent first')
    tap.truth(all(kind['size_bytes'] == kind['page_count'] * PAGE for kind in document['kinds']), 'sizes')


def summary_of_frames():
    """a summary with flags of frames, as pagemap and kpageflags have them page by page, and as page-types counts them"""
    only_root()
    tap.settled(summary_of_frames_once)


def summary_of_frames_once():
    names = kpageflag_names()
    with stopped(paged.pid):
        document = get(paged.pid, '/summary?detail=flags&max_age_ms=0')
        pfns = [entry & ((1 << 55) - 1) for entry in raw_pages(paged.pid).values() if entry >> 63]
        tool = page_types() and subprocess.run([page_types(), '-p', str(paged.pid)], stdout=subprocess.PIPE, check=True, text=True).stdout
    expected = collections.Counter()
    for pfn in pfns:
        flags = words('/proc/kpageflags', pfn, 1)[0]
        expected[frozenset(names[bit] for bit in names if flags >> bit & 1) - RESTLESS] += 1
    found = collections.Counter()
    for kind in document['kinds']:
        if kind['state'] == 'present':
            found[frozenset(kind['flags']) & set(names.values()) - RESTLESS] += kind['page_count']
    tap.equal((found - expected, expected - found), (collections.Counter(), collections.Counter()), 'frames that only one of us has')
    if tool:
        # page-types counts what the kernel mapped by number too, and frames alone
        total = int(re.search(r'^\s+total\s+(\d+)', tool, re.M)[1])
        tap.truth(0 <= total - sum(found.values()) < 64, f'page-types counts {total}, vmad {sum(found.values())}')


EXPECTED = {'w': 'present', 'r': 'present', '.': 'none', 'g': 'guard', 'p': 'present', 'm': 'marker', 'x': 'marker'}


def letters_of(name):
    if name in paged.absent:
        skip(paged.absent[name])
    start, letters = paged.areas[name]
    pages = expand(get(paged.pid, f'?start={start:x}&end={start + len(letters) * PAGE:x}&max_age_ms=0')['runs'])
    tap.equal(sorted(pages), [start + i * PAGE for i in range(len(letters))], f'pages of {name}')
    return [(letter, pages[start + i * PAGE]) for i, letter in enumerate(letters)]


def each_area(*names):
    for name in names:
        for i, (letter, run) in enumerate(letters_of(name)):
            tap.equal(run['state'], EXPECTED[letter], f'page {i} of {name} ({letter})')
            yield name, letter, run


def anonymous_memory():
    """anonymous pages that were written, only read, and not touched"""
    for name, letter, run in each_area('anon', 'untouched', 'zero'):
        tap.truth('file' not in run['flags'], f'{name}: {run}')
        if pagemap_scan():
            tap.equal('zero' in run['flags'], letter == 'r', f'{name} {letter}: {run}')


def pagemap_scan():
    return get(paged.pid, '?limit=1')['source'] == 'PAGEMAP_SCAN'


def files_and_shared_memory():
    """pages of files and of shared memory; a private copy is no page of the file any more"""
    for name in ('shared-anon', 'shared-file', 'private-file', 'memfd'):
        for letter, run in letters_of(name):
            if letter in 'wr':
                tap.equal(run['state'], 'present', f'{name} {letter}')
                tap.equal('file' in run['flags'], (name, letter) != ('private-file', 'w'), f'{name} {letter}: {run}')


def guards():
    """guard pages are neither swapped nor none"""
    list(each_area('guard'))


def markers():
    """userfaultfd: write-protected pages, marks on pages that are not there, and poison"""
    for _, letter, run in each_area('protected'):
        tap.equal('uffd-wp' in run['flags'], letter in 'pm', f'{letter}: {run}')


def poison():
    """UFFDIO_POISON leaves a marker"""
    for _, letter, run in each_area('poisoned'):
        if ROOT:
            tap.equal('poisoned' in run['flags'], letter == 'x', f'{letter}: {run}')


def huge_pages():
    """a transparent huge page is mapped huge, and is no hugetlb"""
    if 'thp' in paged.absent or 'AnonHugePages:      2048 kB' not in procfs.read(paged.pid, 'smaps').decode(errors='replace'):
        skip('no transparent huge page was to be had')
    if not pagemap_scan():
        skip('only PAGEMAP_SCAN tells')
    for _, _, run in each_area('thp'):
        tap.truth('huge-mapped' in run['flags'] and 'hugetlb' not in run['flags'], f'{run}')


def hugetlb():
    """hugetlb memory is named as such"""
    for _, _, run in each_area('hugetlb'):
        tap.truth({'huge-mapped', 'hugetlb'} <= set(run['flags']), f'{run}')


def device_memory():
    """memory that is mapped by number is not taken for empty memory"""
    if not pagemap_scan():
        skip('only PAGEMAP_SCAN tells')
    expected = {int(area['start'], 16) for area in procfs.maps(paged.pid) if is_by_number(area)}
    pages = expand(get(paged.pid)['runs'])
    tap.truth(expected, 'every process has [vvar]')
    for start in expected:
        tap.equal((pages[start]['state'], pages[start]['flags']), ('none', ['pfn-mapping']), f'{start:x}')


def ranges():
    """a range is cut at pages; what lies outside of memory is no page"""
    start, letters = paged.areas['anon']
    pages = expand(get(paged.pid, f'?start={start + 5:x}&end={start + 2 * PAGE + 1:x}')['runs'])
    tap.equal(sorted(pages), [start, start + PAGE, start + 2 * PAGE], 'three pages that the range touches')
    tap.equal(get(paged.pid, f'?start={start - PAGE:x}&end={start:x}')['runs'], [], 'a gap')
    tap.equal(get(paged.pid, '?start=ffffffffff600000')['runs'], [], 'beyond user space')
    tap.equal(len(letters) * PAGE, sum(run['size_bytes'] for run in get(paged.pid, f'?start={start:x}&end={start + len(letters) * PAGE:x}')['runs']), 'the area')


def follow(path):
    """The runs of a list in parts, and of how many parts."""
    runs, parts = [], 0
    while path:
        document = vmad.get(path).json()
        runs += document['runs']
        path = document.get('next')
        parts += 1
    tap.equal(document['complete'], True, f'the last part: {document.get("reason")}')
    return runs, parts


def parts():
    """limit= and next: the parts together are the whole"""
    with stopped(paged.pid):
        whole = get(paged.pid, '?max_age_ms=0')
        pieces, count = follow(f'/v1/processes/{paged.pid}/pages?limit=7&max_age_ms=0')
    tap.equal(pieces, whole['runs'], 'runs')
    tap.equal(count, -(-len(pieces) // 7), 'parts')


def map_memory(size, step):
    """An anonymous NORESERVE mapping with a page touched every `step` bytes, in ctypes: returns its address."""
    import ctypes  # the child's own

    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    start = libc.mmap(None, size, 3, 0x4022, -1, 0)
    if start in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), 'mmap')
    libc.madvise(start, size, 15)  # MADV_NOHUGEPAGE
    for at in range(start, start + size, step):
        ctypes.memset(at, 1, 1)
    return start


def sparse_terabyte():
    """1 TiB with 20,000 touched pages: all of them, complete, in the memory of a window"""
    size, step = 1 << 40, (1 << 40) // 20000 // PAGE * PAGE
    before = vmad.memory()
    with Child(lambda: map_memory(size, step)) as child:
        document = get(child.pid, f'?start={child.told:x}&end={child.told + size:x}&deadline_ms=20000')
    runs = document['runs']
    tap.equal(document['complete'], True, 'complete')
    tap.equal(sum(run['size_bytes'] for run in runs), size, 'bytes')
    present = [int(run['start'], 16) for run in runs if run['state'] == 'present']
    tap.equal(present, list(range(child.told, child.told + size, step)), 'touched pages')
    tap.truth(vmad.memory() - before < 8 << 20, f'vmad grew by {vmad.memory() - before} bytes')


def deadline():
    """a walk ends at its deadline, says so, and says where to go on"""
    size = 256 << 20
    with Child(lambda: map_memory(size, 2 * PAGE)) as child:
        start = child.told
        first = get(child.pid, f'?start={start:x}&end={start + size:x}&deadline_ms=1')
        tap.equal((first['complete'], first['reason']), (False, 'deadline'), 'verdict')
        rest, _ = follow(first['next'].replace('deadline_ms=1', 'deadline_ms=30000'))
        summed = get(child.pid, f'/summary?start={start:x}&end={start + size:x}&detail=flags&deadline_ms=1&max_age_ms=0')
    tap.equal((summed['complete'], summed['reason']), (False, 'deadline'), 'verdict of the sums')
    tap.truth(sum(kind['page_count'] for kind in summed['kinds']) < size // PAGE, 'sums of the part that there was time for')
    tap.truth(first['runs'] and len(first['runs']) < size // PAGE, f'{len(first["runs"])} runs within the deadline')
    tap.equal(len(expand(first['runs'] + rest)), size // PAGE, 'pages of both parts')


def exit_on_the_way():
    """a process that ends while its pages are listed: the list says so"""
    size = 512 << 20
    with Child(lambda: map_memory(size, 2 * PAGE)) as child:
        connection = vmad.connect()
        connection.request('GET', f'/v1/processes/{child.pid}/pages?deadline_ms=30000')
        response = connection.getresponse()
        text = response.read(65536)
        child.end()
        document = json.loads(text + response.read())
        connection.close()
    tap.equal((document['complete'], document['reason']), (False, 'target-gone'), 'verdict')
    expand(document['runs'])


def unmapped_on_the_way():
    """memory that comes and goes while it is listed: every answer is whole, and right about what stays"""
    start, letters = paged.areas['guard'] if 'guard' in paged.areas else paged.areas['anon']
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            paged.tell('discard', 'memfd')
            paged.tell('touch', 'memfd')

    with stopped(paged.pid):
        raw = words(f'/proc/{paged.pid}/pagemap', start // PAGE, len(letters))
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for i in range(60):
            document = get(paged.pid, f'?max_age_ms=0&detail={("states", "flags", "frames")[i % 3]}')
            tap.equal(document['complete'], True, 'complete')
            pages = expand(document['runs'])
            tap.equal([pages[start + i * PAGE]['state'] for i in range(len(letters))], [state_of(entry) for entry in raw], 'what stays')
    finally:
        stop.set()
        thread.join()


def without_memory():
    """a thread of the kernel and a zombie have no pages, and that is complete"""
    with Child(lambda: 0) as child:
        os.kill(child.pid, signal.SIGKILL)
        while procfs.stat(child.pid)['state'] != 'Z':
            time.sleep(0.001)
        for pid in [child.pid] + ([2] if ROOT else []):
            document = get(pid)
            tap.equal((document['runs'], document['complete']), ([], True), f'process {pid}')
            document = get(pid, '/summary?detail=flags')
            tap.equal((document['kinds'], document['complete']), ([], True), f'sums of process {pid}')


def errors():
    """what is wrong is named: no such process, a pid of another process, a range upside down, a captured tree"""
    tap.equal(vmad.get('/v1/processes/4194304/pages').status, 404, 'no such process')
    tap.equal(vmad.get(f'/v1/processes/{paged.pid}/pages?start_time_ticks=1').status, 409, 'start_time_ticks')
    tap.equal(vmad.get('/v1/processes/4194304/pages/summary').status, 404, 'sums of no such process')
    tap.equal(vmad.get(f'/v1/processes/{paged.pid}/pages/summary?detail=frames').status, 400, 'frames of sums')
    for bad in ('start=2000&end=1000', 'detail=all', 'limit=0', 'deadline_ms=99999999', 'end=zz'):
        tap.equal(vmad.get(f'/v1/processes/{paged.pid}/pages?{bad}').status, 400, bad)
    with Vmad(arguments=['--procfs', os.path.join(TOP_SRCDIR, 'tests/proc/linux-6.18')]) as captured:
        reply = captured.get('/v1/processes/4242/pages')
        tap.equal((reply.status, reply.json()['type']), (501, 'urn:vmad:problem:not-available'), 'a captured tree')


def ordinary_callers():
    """a caller without privileges: its own processes, without frames, and why; nobody else's, and not vmad's own"""
    only_root()

    def ask():
        child = Child(lambda: 0)
        try:
            paths = (child.pid, paged.pid, 1, vmad.pid)
            replies = [vmad.get(f'/v1/processes/{pid}/pages?detail=frames') for pid in paths]
            replies += [vmad.get(f'/v1/processes/{pid}/pages/summary?detail=flags') for pid in paths]
            return [(reply.status, reply.json()) for reply in replies]
        finally:
            child.end()

    (status, own), *others = as_user(NOBODY, ask)
    sums_status, sums = others.pop(3)
    tap.equal((sums_status, sums['complete']), (200, True), 'sums of its own')
    tap.truth('root only' in sums['missing'], sums.get('missing'))
    tap.equal((status, own['complete']), (200, True), 'its own')
    tap.truth('root only' in own['missing'], own.get('missing'))
    tap.truth(any('exclusive' in run['flags'] for run in own['runs']), 'what the page tables say is there')
    names = set(kpageflag_names().values())
    tap.truth(not any('pfn' in run or names & set(run['flags']) for run in own['runs'] + sums['kinds']), 'frames')
    for status, document in others:
        tap.truth(status in (403, 404), f'somebody else: {status}, {str(document)[:200]}')


def kernel_same_page_merging():
    """pages that KSM merged are told by the flags of their frame"""
    only_root()
    run = '/sys/kernel/mm/ksm/run'
    if 'ksm' in paged.absent or not os.path.exists(run):
        skip('no KSM')
    with open(run, encoding='ascii') as file:
        before = file.read()
    start, letters = paged.areas['ksm']
    last = time.monotonic() + 15
    found = []
    try:
        with open(run, 'w', encoding='ascii') as file:
            file.write('1')
        while time.monotonic() < last and not (found and all('ksm' in flags for flags in found)):
            document = get(paged.pid, f'?start={start:x}&end={start + len(letters) * PAGE:x}&detail=flags&max_age_ms=0')
            found = [one['flags'] for one in document['runs']]
            time.sleep(0.05)
    finally:
        with open(run, 'w', encoding='ascii') as file:
            file.write(before)
    with open(f'/proc/{paged.pid}/ksm_merging_pages', encoding='ascii') as file:
        merged = int(file.read())
    if merged < len(letters):   # by the kernel's own count: it has other memory to go through first, or somebody else stopped it
        skip(f'KSM merged {merged} of {len(letters)} pages in 15 s')
    tap.equal([flags for flags in found if 'ksm' not in flags], [], 'pages that are not merged')


def swapped():
    """pages that are swapped out, where there is swap"""
    with open('/proc/swaps', encoding='ascii') as file:
        if len(file.readlines()) < 2:
            skip('this host has no swap')
    list(run['state'] for _, run in letters_of('swapped'))
    tap.truth(any(run['state'] == 'swapped' for _, run in letters_of('swapped')), 'MADV_PAGEOUT swaps out')


def shares_an_answer():
    """the same question again, shortly after, may be answered from the first answer: age_ms says so"""
    get(paged.pid)
    tap.truth(get(paged.pid, '?max_age_ms=10000')['age_ms'] >= 0, 'age_ms')


def head_does_not_walk():
    """HEAD asks for the status alone"""
    connection = vmad.connect()
    for path in ('pages', 'pages/summary'):
        reply = request(connection, f'/v1/processes/{paged.pid}/{path}', 'HEAD')
        tap.equal((reply.status, reply.body), (200, b''), f'HEAD of {path}')
    connection.close()


def vmactl(*arguments):
    done = subprocess.run([VMACTL, '--socket', vmad.socket, *arguments], capture_output=True, encoding='utf-8', timeout=60, check=False)
    tap.equal(done.returncode, 0, f'{arguments}: {done.stderr}')
    return done.stdout


def command_line():
    """vmactl pages: runs, sums, a range, the document"""
    with stopped(paged.pid):
        document = get(paged.pid, '?max_age_ms=0')
        lines = vmactl('pages', '-rn', '-b', '-o', 'start,end,state', str(paged.pid)).splitlines()
        tap.equal([line.split() for line in lines], [[run[n].removeprefix('0x') for n in ('start', 'end', 'state')] for run in document['runs']], 'rows')
        sums = [line.split() for line in vmactl('pages', '--summary', '-rn', '-b', '-o', 'state,size_bytes', str(paged.pid)).splitlines()]
        tap.equal(sum(int(size) for _, size in sums), sum(run['size_bytes'] for run in document['runs']), 'sum')
        sizes = [int(size) for _, size in sums]
        tap.equal(sizes, sorted(sizes, reverse=True), 'the largest first')
        with tempfile.NamedTemporaryFile('w', prefix='vmad-test-') as saved:
            json.dump(document, saved)
            saved.flush()
            again = vmactl('pages', '--summary', '-rn', '-b', '-o', 'state,size_bytes', saved.name).splitlines()
        tap.equal(sorted(line.split() for line in again), sorted(sums), 'sums of a saved answer')
        kinds = json.loads(vmactl('--json', 'pages', '--summary', '--flags', str(paged.pid)))['kinds']
        tap.equal(sum(kind['size_bytes'] for kind in kinds), sum(int(size) for _, size in sums), 'with flags')
    start, letters = paged.areas['anon']
    text = vmactl('pages', str(paged.pid), f'{start:x}+{len(letters) * PAGE}')
    tap.truth(f'process {paged.pid}, paged: ' in text and 'present 36K' in text, text)
    one = json.loads(vmactl('--json', 'pages', '--flags', str(paged.pid), f'{start:x}'))
    tap.equal([run['size_bytes'] for run in one['runs']], [PAGE], 'an address is its page')


with one_huge_page():
    with Vmad(open_to_all=True) as vmad, Paged() as paged:
        tap.run([states, exclusive, frames, summary, summary_of_frames, anonymous_memory, files_and_shared_memory, guards, markers, poison, huge_pages, hugetlb,
                 device_memory, ranges, parts, sparse_terabyte, deadline, exit_on_the_way, unmapped_on_the_way, without_memory, errors,
                 ordinary_callers, kernel_same_page_merging, swapped, shares_an_answer, head_does_not_walk, command_line])  # fmt: skip
