# SPDX-License-Identifier: GPL-2.0-or-later
"""One page: vmad against pagemap, kpageflags, kpagecount, kpagecgroup and sysfs, read here slowly."""
import contextlib
import glob
import json
import mmap
import os
import re
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
from vmad import NOBODY, TOP_BUILDDIR, TOP_SRCDIR, Vmad, as_user  # noqa: E402

PAGE = os.sysconf('SC_PAGESIZE')
VMACTL = os.path.join(TOP_BUILDDIR, 'client/vmactl')
ROOT = os.geteuid() == 0
PFN = (1 << 55) - 1
HEAD, TAIL = 1 << 15, 1 << 16


def only_root():
    if not ROOT:
        raise tap.Skip('frames are for root')


def get(pid, address, rest=''):
    reply = vmad.get(f'/v1/processes/{pid}/pages/{address:x}{rest}')
    tap.equal(reply.status, 200, f'{address:x}{rest}: {reply.text()[:300]}')
    return reply.json()


def folio(pfn):
    """First frame and number of frames of the folio, looked for frame by frame."""
    head = pfn
    while words('/proc/kpageflags', head, 1)[0] & TAIL:
        head -= 1
    end = head + 1
    while words('/proc/kpageflags', end, 1)[0] & TAIL:
        end += 1
    return head, end - head


def memory_cgroups():
    """{inode: path} of every memory control group there is."""
    root = '/sys/fs/cgroup'
    if not os.path.exists(f'{root}/cgroup.controllers'):
        root = f'{root}/memory' if os.path.exists(f'{root}/memory') else f'{root}/unified'
    return {os.stat(path).st_ino: path[len(root) :] or '/' for path, _, _ in os.walk(root)}


def node_of(pfn):
    """The node whose directory has the link to the frame's block; None where it is not told."""
    with open('/sys/devices/system/memory/block_size_bytes', encoding='ascii') as file:
        block = pfn * PAGE // int(file.read(), 16)
    nodes = glob.glob(f'/sys/devices/system/node/node*/memory{block}')
    return int(re.search(r'node(\d+)/memory', nodes[0])[1]) if len(nodes) == 1 else None


def check_frame(frame, pfn):
    """The record of a frame, each member by our own reading."""
    flags, names = words('/proc/kpageflags', pfn, 1)[0], kpageflag_names()
    tap.equal(frame['pfn'], hex(pfn), 'pfn')
    tap.equal(set(frame['flags']) - RESTLESS, {names[bit] for bit in names if flags >> bit & 1} - RESTLESS, f'flags of {pfn:x}')
    tap.equal(frame['mapcount'], words('/proc/kpagecount', pfn, 1)[0], f'mapcount of {pfn:x}')
    head, count = folio(pfn)
    found = tuple(frame[name] for name in ('folio_head_pfn', 'folio_page_count', 'folio_size_bytes', 'folio_index'))
    tap.equal(found, (hex(head), count, count * PAGE, pfn - head), f'folio of {pfn:x}')
    if os.path.exists('/proc/kpagecgroup'):
        inode = words('/proc/kpagecgroup', pfn, 1)[0]
        tap.equal(frame.get('cgroup_inode'), str(inode) if inode else None, f'cgroup_inode of {pfn:x}')
        tap.equal(frame.get('cgroup'), memory_cgroups().get(inode), f'cgroup of {pfn:x}')
    if os.path.exists('/sys/devices/system/memory/block_size_bytes') and os.path.exists('/sys/devices/system/node'):
        tap.equal(frame.get('node'), node_of(pfn), f'node of {pfn:x}')


def check_page(address):
    """A page of a stopped process: its entry, its frame, and what the list of pages says of it."""
    entry = words(f'/proc/{paged.pid}/pagemap', address // PAGE, 1)[0]
    page = get(paged.pid, address + 123)
    query = f'?detail=flags&max_age_ms=0&start={address:x}&end={address + PAGE:x}'
    run = vmad.get(f'/v1/processes/{paged.pid}/pages{query}').json()['runs'][0]
    tap.equal((page['address'], page['page_start'], page['page_size_bytes']), (hex(address + 123), hex(address), PAGE), 'where')
    tap.equal(page['exact'], True, f'exact at {address:x}')
    tap.equal((page['state'], run['state']), (state_of(entry), state_of(entry)), f'state of {address:x}')
    tap.equal(set(page['flags']), set(run['flags']) - set(kpageflag_names().values()), f'flags of {address:x}')
    tap.equal('frame' in page, page['state'] == 'present' and ROOT, f'frame of {address:x}')
    tap.equal('swap' in page, page['state'] == 'swapped' and ROOT, f'swap of {address:x}')
    if 'frame' in page:
        check_frame(page['frame'], entry & PFN)
    if 'swap' in page:
        slot = {'area': entry & 31, 'offset_pages': (entry & PFN) >> 5, 'offset_bytes': ((entry & PFN) >> 5) * PAGE}
        tap.equal(page['swap'], slot, f'swap of {address:x}')
    return page


def every_page():
    """written, read, untouched, guard, marked, poisoned, merged, huge, of a file: each page is what /proc and sysfs say"""
    seen = set()
    with stopped(paged.pid):
        for start, letters in paged.areas.values():
            for i in [*range(min(len(letters), 16)), len(letters) - 1]:
                page = tap.settled(lambda at=start + i * PAGE: check_page(at))
                seen.add((page['state'], *page['flags']))
    tap.truth({'present', 'none'} <= {state for state, *_ in seen}, seen)


def tail_of_a_folio():
    """a page in the middle of a huge page tells its head, and its place"""
    only_root()
    for name in ('thp', 'hugetlb'):
        if name not in paged.areas:
            continue
        start, letters = paged.areas[name]
        frame = get(paged.pid, start + 5 * PAGE)['frame']
        if frame['folio_page_count'] == 1:
            continue
        tap.equal((frame['folio_index'], int(frame['pfn'], 16) - int(frame['folio_head_pfn'], 16)), (5, 5), name)
        tap.equal(frame['folio_size_bytes'], 2 << 20, name)
        return
    raise tap.Skip('no huge page was to be had')


def file_and_offset():
    """the offset in the file, by vm_pgoff; a page of the file and a private copy of it are told apart"""
    with tempfile.TemporaryFile() as file:
        file.write(b'x' * (16 * PAGE))
        file.flush()
        memory = mmap.mmap(file.fileno(), 8 * PAGE, mmap.MAP_PRIVATE, offset=4 * PAGE)
        area = next(area for area in procfs.maps(os.getpid()) if int(area['inode']) == os.fstat(file.fileno()).st_ino)
        start = int(area['start'], 16)
        (_, memory[2 * PAGE]) = (memory[0], 7)
        for i, of_file in ((0, True), (2, False)):
            address = start + i * PAGE + 0x45
            page = get(os.getpid(), address)
            tap.equal(page['file_offset_bytes'], (4 + i) * PAGE + 0x45, 'offset')
            text = f'{(4 + i) * PAGE + 0x45:#x} = {4 * PAGE:#x} (pgoff 0x4) + ({address:#x} - {start:#x})'
            tap.equal(page['file_offset_is'], text, 'arithmetic')
            tap.equal((page['state'], 'file' in page['flags']), ('present', of_file), f'page {i}')
            tap.equal((page['vma']['deleted'], page['vma']['kind']), (True, 'private-file'), 'VMA')
        memory.close()


def where_no_page_is():
    """a gap, the last address, [vsyscall], memory by number, a thread of the kernel, a zombie"""
    start, letters = paged.areas['anon']
    beyond = get(paged.pid, 0)
    tap.equal(('gap' in beyond, 'vma' in beyond, 'state' in beyond, 'frame' in beyond), (True, False, False, False), 'a gap')
    tap.equal(get(paged.pid, (1 << 64) - 1).get('beyond_user_space'), True, 'the last address')
    for area in procfs.maps(paged.pid):
        if area.get('name', '').startswith(('[vsyscall', '[vvar')):
            page = get(paged.pid, int(area['start'], 16))
            tap.equal(page['state'], 'none', area)
    with Child(lambda: 0) as child:
        os.kill(child.pid, signal.SIGKILL)
        while procfs.stat(child.pid)['state'] != 'Z':
            time.sleep(0.001)
        for pid in [child.pid] + ([2] if ROOT else []):
            page = get(pid, start)
            tap.equal(('vma' in page, 'state' in page, 'missing' in page), (False, False, False), f'process {pid}')


def errors():
    """what is wrong is named: no such process, a pid of another process, addresses that are none"""
    tap.equal(vmad.get('/v1/processes/4194304/pages/1000').status, 404, 'no such process')
    tap.equal(vmad.get(f'/v1/processes/{paged.pid}/pages/1000?start_time_ticks=1').status, 409, 'start_time_ticks')
    for bad in ('zz', '-1', '10000000000000000', '0x', '1.5', '%20', '1000?detail=flags', '1000?limit=1'):
        tap.equal(vmad.get(f'/v1/processes/{paged.pid}/pages/{bad}').status, 400, bad)
    for pid in ('0', '-1', '99999999999', 'abc'):
        tap.equal(vmad.get(f'/v1/processes/{pid}/pages/1000').status, 400, pid)


def captured_tree():
    """without a pagemap: all that maps tells, and why there is no more"""
    with Vmad(arguments=['--procfs', os.path.join(TOP_SRCDIR, 'tests/proc/linux-6.18')]) as captured:
        vma = captured.get('/v1/processes/4242/vmas').json()['vmas'][0]
        page = captured.get(f'/v1/processes/4242/pages/{vma["start"]}').json()
    tap.equal((page['vma'], 'state' in page, page['source']), (vma, False, 'maps'), 'page')
    tap.truth(page['missing'].startswith('state: pagemap cannot be read: '), page['missing'])


def ordinary_callers():
    """without privileges: the state, and why the frame is missing; nobody else's pages"""
    only_root()

    def ask():
        child = Child(lambda: 0)
        try:
            stack = next(area for area in procfs.maps(child.pid) if area.get('name') == '[stack]')
            text = next(area for area in procfs.maps(child.pid) if area['perms'] == 'r-xp')
            top = int(stack['end'], 16) - 1
            own = [(child.pid, top), (child.pid, int(text['start'], 16)), (child.pid, 0)]
            paths = [*own, (paged.pid, top), (1, top), (vmad.pid, top), (4194304, top)]
            replies = [vmad.get(f'/v1/processes/{pid}/pages/{address:x}') for pid, address in paths]
            others = [vmad.get(f'/v1/processes/{pid}/vmas/{address:x}').status for pid, address in paths]
            return [(reply.status, reply.json()) for reply in replies], others
        finally:
            child.end()

    replies, like = as_user(NOBODY, ask)
    tap.equal([status for status, _ in replies], like, 'as with the VMA at that address')
    (_, stack), (_, text), (_, gap), *others = replies
    tap.equal((stack['state'], stack['vma']['name'], 'frame' in stack), ('present', '[stack]', False), 'its stack')
    tap.equal((text['state'], text['flags'][0], 'file_offset_is' in text), ('present', 'file', True), 'its text')
    tap.truth('root only' in stack['missing'] and 'root only' in text['missing'], stack.get('missing'))
    tap.equal('missing' in gap, False, 'of a gap nothing is missing')
    tap.truth(all(status in (403, 404) for status, _ in others), f'others: {[status for status, _ in others]}')


def tells_the_same():
    """the frame of a page, the page of its mappings and the frame by its number are one"""
    only_root()
    start, _ = paged.areas['anon']

    def check():
        with stopped(paged.pid):
            frame = get(paged.pid, start)['frame']
            mappings = vmad.get(f'/v1/processes/{paged.pid}/pages/{start:x}/mappings').json()
            by_number = vmad.get(f'/v1/frames/{frame["pfn"]}').json()
        tap.equal(mappings['page'], frame, 'mappings')
        tap.equal(by_number, frame, 'by number')

    tap.settled(check)


def moving_page():
    """a page that comes and goes while it is asked for: each answer fits together"""
    start, _ = paged.areas['memfd']
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            paged.tell('discard', 'memfd')
            paged.tell('touch', 'memfd')

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(300):
            page = get(paged.pid, start)
            if page['exact']:
                tap.truth(page['state'] in ('present', 'none'), page)
                tap.equal('frame' in page, page['state'] == 'present' and ROOT, str(page))
    finally:
        stop.set()
        thread.join()


def ending_process():
    """a process that ends meanwhile: an answer, or that there is none such; never a failure"""
    seen = set()
    for i in range(40):
        with Child(lambda: 0) as child:
            stack = next(area for area in procfs.maps(child.pid) if area.get('name') == '[stack]')
            killer = threading.Timer(i / 8000, os.kill, (child.pid, signal.SIGKILL))
            killer.start()
            for _ in range(20):
                seen.add(vmad.get(f'/v1/processes/{child.pid}/pages/{int(stack["end"], 16) - 1:x}').status)
            killer.join()
            os.waitpid(child.pid, 0)
            seen.add(vmad.get(f'/v1/processes/{child.pid}/pages/1000').status)
    tap.truth(404 in seen and seen <= {200, 404}, f'{seen}')


@contextlib.contextmanager
def swap_file():
    """A little swap, where this host has none and lets us have it."""
    with open('/proc/swaps', encoding='ascii') as file:
        has = len(file.readlines()) > 1
    if has:
        yield
        return
    only_root()
    with tempfile.TemporaryDirectory(prefix='vmad-swap-', dir='/var/tmp') as directory:
        path = os.path.join(directory, 'swap')
        with open(path, 'wb') as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(bytes(8 << 20))
            os.fsync(file.fileno())
        for command in (['mkswap', path], ['swapon', path]):
            with contextlib.suppress(FileNotFoundError):
                done = subprocess.run(command, capture_output=True, encoding='utf-8', check=False)
                if done.returncode == 0:
                    continue
            raise tap.Skip(f'no swap: {command[0]} does not work here')
        try:
            yield
        finally:
            subprocess.run(['swapoff', path], check=True)


def swapped_page():
    """a page that is swapped out tells its slot"""
    with swap_file(), Paged() as other:
        start, letters = other.areas['swapped']
        with stopped(other.pid):
            pages = [get(other.pid, start + i * PAGE) for i, letter in enumerate(letters) if letter == 's']
            entries = [words(f'/proc/{other.pid}/pagemap', start // PAGE + i, 1)[0] for i, letter in enumerate(letters) if letter == 's']
        if not any(entry >> 62 & 1 for entry in entries):
            raise tap.Skip('the kernel did not swap them out')
        for page, entry in zip(pages, entries):
            if entry >> 62 & 1:
                tap.equal(page['state'], 'swapped', 'state')
                tap.equal('swap' in page, ROOT, 'slot')
            if 'swap' in page:
                found = (page['swap']['area'], page['swap']['offset_pages'], page['swap']['offset_bytes'])
                slot = (entry & PFN) >> 5
                tap.equal(found, (entry & 31, slot, slot * PAGE), 'slot')


def vmactl(*arguments, code=0):
    done = subprocess.run([VMACTL, '--socket', vmad.socket, *arguments], capture_output=True, encoding='utf-8', timeout=60, check=False)
    tap.equal(done.returncode, code, f'{arguments}: {done.stderr}')
    return done.stdout


def labelled(text):
    return {line.split(' ', 1)[0]: line[9:] for line in text.splitlines() if line and line[0] != ' '}


def command_line():
    """vmactl show tells the page and its frame; a saved answer tells it again, and nothing of another page"""
    start, _ = paged.areas['private-file']
    with stopped(paged.pid):
        lines = labelled(vmactl('show', str(paged.pid), f'{start:x}'))
        saved = vmactl('--json', 'show', str(paged.pid), f'{start:x}')
        guard = labelled(vmactl('show', str(paged.pid), f'{paged.areas["guard"][0] + PAGE:x}')) if 'guard' in paged.areas else None
    page = json.loads(saved)
    words_of_page = "present, anonymous (a private copy of the file's page)"
    tap.truth(lines['page'].startswith(words_of_page), lines['page'])
    if ROOT:
        frame = page['frame']
        tap.truth(f'frame {frame["pfn"]}, mapped 1 time (vmactl rmap {paged.pid} {start:x})' in lines['page'], lines['page'])
        tap.truth('folio of ' in lines['frame'] and f'node {frame["node"]}' in lines['frame'] if 'node' in frame else True, lines['frame'])
    if guard:
        tap.truth(guard['page'].startswith('guard: a guard page (MADV_GUARD_INSTALL)'), guard['page'])
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        file.write(saved)
        file.flush()
        tap.equal(labelled(vmactl('show', file.name, f'{start:x}'))['page'], lines['page'], 'saved')
        tap.equal('page' in labelled(vmactl('show', file.name, f'{start + PAGE:x}')), False, 'another page')
    if ROOT:
        text = vmactl('frames', page['frame']['pfn'])
        tap.truth(text.startswith(f'frame {page["frame"]["pfn"]}  ') and 'folio of ' in text, text)


with one_huge_page():
    with Vmad(open_to_all=True) as vmad, Paged() as paged:
        tap.run([every_page, tail_of_a_folio, file_and_offset, where_no_page_is, errors, captured_tree, ordinary_callers, tells_the_same,
                 moving_page, ending_process, swapped_page, command_line])  # fmt: skip
