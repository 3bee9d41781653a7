#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who maps a file and what of it is cached, against what the mappers did and what the kernel says to the test."""
import contextlib
import ctypes
import glob
import json
import mmap
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from urllib.parse import quote, quote_from_bytes

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import NOBODY, TOP_BUILDDIR, Vmad, as_user  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
PAGE = mmap.PAGESIZE
PAGES = 12
NDJSON = {'Accept': 'application/x-ndjson'}
WITHOUT_CACHESTAT = [sys.executable, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib/without.py'), 'cachestat']
VMACTL = os.path.join(TOP_BUILDDIR, 'client/vmactl')
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 4096, 16384, 1 << 18, 2
SYS_CACHESTAT = 451


def needs_root():
    if os.geteuid() != 0:
        raise tap.Skip('needs root')


def check(result):
    """A result of libc, or the error that it means."""
    if result in (-1, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def mount(source, target, kind, flags=0, data=''):
    check(LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()))


def map_file(fd, first, pages, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ):
    """Maps these pages; [address, offset, length]."""
    return [check(LIBC.mmap(None, pages * PAGE, prot, flags, fd, first * PAGE)), first * PAGE, pages * PAGE]


@contextlib.contextmanager
def process(set_up, uid=None):
    """A child that sets something up and stays: (its pid, what set_up() said)."""
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(receive)
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
                LIBC.prctl(4, 1, 0, 0, 0)
            os.write(send, json.dumps(set_up()).encode())
            os.close(send)
            while True:
                signal.pause()
        finally:
            os._exit(1)
    try:
        os.close(send)
        with os.fdopen(receive) as answer:
            text = answer.read()
        tap.truth(text, 'the child could not set itself up')
        yield pid, json.loads(text)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def new_file(name, pages=PAGES):
    """A file of so many pages, all of it written to the disk."""
    path = os.path.join(directory, name)
    with open(path, 'wb') as file:
        for page in range(pages):
            file.write(bytes([page + 1]) * PAGE)
        file.flush()
        os.fsync(file.fileno())
    return path


def uri(kind, path=None, **more):
    given = {**({} if path is None else {'path': path}), **more}
    values = [
        f'{key}={quote_from_bytes(value) if isinstance(value, bytes) else quote(str(value))}'
        for key, value in given.items()
    ]
    return f'/v1/files/{kind}?' + '&'.join(values)


def ask(kind, path=None, server=None, **more):
    reply = (server or vmad).get(uri(kind, path, **more))
    tap.equal(reply.status, 200, uri(kind, path, **more) + ': ' + reply.body.decode()[:500])
    return reply.json()


def shown(document, pid):
    """[[address, offset, bytes]] of one process, sorted."""
    rows = [row for row in document['mappings'] if row['pid'] == pid]
    return sorted([int(row['address'], 16), row['file_offset_bytes'], row['covered_bytes']] for row in rows)


def expected(mappings, start, end):
    """The same, worked out page by page from what was mapped."""
    rows = []
    for address, offset, length in mappings:
        pages = [page for page in range(offset, offset + length, PAGE) if page < end and page + PAGE > start]
        if pages:
            rows.append([address + pages[0] - offset, pages[0], len(pages) * PAGE])
    return sorted(rows)


def line_of(pid, address):
    """device, inode and path of the mapping that begins there, by /proc/PID/maps."""
    with open(f'/proc/{pid}/maps', encoding='utf-8', errors='surrogateescape') as maps:
        words = next(line.rstrip('\n').split(None, 5) for line in maps if line.startswith(f'{address:08x}-'))
    return words[3], words[4], words[5]


def map_many(path):
    """Private, shared, twice, at offsets, beyond the end; and one of another file."""
    fd = os.open(path, os.O_RDWR)
    other = os.open(sys.executable, os.O_RDONLY)
    map_file(other, 0, 1)
    return [
        map_file(fd, 0, 4),
        map_file(fd, 2, 4, mmap.MAP_SHARED),
        map_file(fd, 0, 4),
        map_file(fd, 10, 2, prot=0),
        map_file(fd, 5, 1, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE),
        map_file(fd, PAGES - 1, 5),
    ]


def whole_and_parts():
    """each mapping of a file is found, whole and by every part of it"""
    path = new_file('many')
    with process(lambda: map_many(path)) as (pid, mappings):
        document = ask('mappings', path)
        tap.equal(shown(document, pid), expected(mappings, 0, 1 << 62), 'whole')
        tap.equal((document['complete'], document['exact'], document['source']), (True, True, 'maps'), 'verdict')
        st = os.stat(path)
        tap.equal(
            (document['file']['path'], document['file']['size_bytes'], document['file']['inode']),
            (path, st.st_size, str(st.st_ino)),
            'file',
        )
        for start in (0, 1, PAGE - 1, PAGE, 3 * PAGE, 5 * PAGE + 7, 11 * PAGE, 15 * PAGE, 16 * PAGE):
            tap.equal(
                shown(ask('mappings', path, offset=start), pid), expected(mappings, start, 1 << 62), f'from {start}'
            )
            for length in (1, PAGE, PAGE + 1, 6 * PAGE):
                found = ask('mappings', path, offset=start, length=length)
                tap.equal(shown(found, pid), expected(mappings, start, start + length), f'{start}+{length}')
        tap.equal((found['offset_bytes'], found['length_bytes']), (start, length), 'the part in the reply')
        tap.equal(
            [row['comm'] for row in document['mappings'] if row['pid'] == pid][0],
            open(f'/proc/{pid}/comm').read().strip(),
            'comm',
        )


def mappings_are_those_of_maps():
    """the file of most processes: the same VMAs as every /proc/PID/maps shows, on a host that goes on"""
    own = next(line.split() for line in open('/proc/self/maps') if '/libc.so' in line or '/libc-' in line)

    def look():
        found = {}
        for name in glob.glob('/proc/[0-9]*/maps'):
            with contextlib.suppress(OSError), open(name, encoding='utf-8', errors='replace') as maps:
                found[int(name.split('/')[2])] = [line.split() for line in maps]
        return found

    before, document, after = look(), ask('mappings', own[5]), look()
    stable = {
        pid: sorted(line[0] for line in lines if line[3:5] == own[3:5])
        for pid, lines in before.items()
        if lines and after.get(pid) == lines
    }
    tap.truth(sum(bool(rows) for rows in stable.values()) >= 2, 'too few processes map it')
    for pid, wanted in stable.items():
        rows = sorted(
            f'{int(row["start"], 16):08x}-{int(row["end"], 16):08x}'
            for row in document['mappings']
            if row['pid'] == pid
        )
        tap.equal(rows, wanted, f'process {pid}')


def parts_make_the_whole():
    """limit= and next: the parts make the whole, also as NDJSON"""
    path = new_file('parts')
    with process(lambda: map_many(path)) as (pid, mappings), process(lambda: map_many(path)) as (second, _):
        whole = ask('mappings', path)
        rows, at = [], uri('mappings', path, limit=5)
        while at:
            document = vmad.get(at).json()
            rows += document['mappings']
            at = document.get('next')
        tap.equal(rows, whole['mappings'], 'parts')
        tap.equal({row['pid'] for row in rows}, {pid, second}, 'processes')
        lines = vmad.get(uri('mappings', path), NDJSON).lines()
        tap.equal((lines[0]['file'], lines[-1]['count']), (whole['file'], len(whole['mappings'])), 'NDJSON')
        tap.equal(
            [{key: value for key, value in line.items() if key != 'record'} for line in lines[1:-1]],
            whole['mappings'],
            'NDJSON',
        )
        tap.equal({line['record'] for line in lines[1:-1]}, {'mapping'}, 'records')
        only = ask('mappings', path, uid=54321)
        tap.equal((only['mappings'], only['complete']), ([], True), 'uid= of nobody here')


def deleted_files():
    """a deleted file is found by device and inode, and its path is another file's"""
    path = new_file('gone')
    with process(lambda: map_many(path)) as (pid, mappings):
        os.unlink(path)
        tap.equal(vmad.get(uri('mappings', path)).status, 404, 'no file')
        new_file('gone')
        tap.equal(ask('mappings', path)['mappings'], [], 'the new file')
        device, inode, name = line_of(pid, mappings[0][0])
        document = ask('mappings', device=device, inode=inode)
        tap.equal(shown(document, pid), expected(mappings, 0, 1 << 62), 'mappings')
        tap.equal({(row['path'], row['deleted']) for row in document['mappings']}, {(path, True)}, 'path')
        tap.equal(
            (document['file'], 'exact' in document, name),
            ({'device': device, 'inode': inode}, False, f'{path} (deleted)'),
            'file',
        )


def memfds():
    """memory that has no path is found by device and inode"""

    def set_up():
        fd = os.memfd_create('vmad-test')
        os.truncate(fd, PAGES * PAGE)
        return [map_file(fd, 1, 3, mmap.MAP_SHARED), map_file(fd, 0, 2)]

    with process(set_up) as (pid, mappings):
        device, inode, _ = line_of(pid, mappings[0][0])
        document = ask('mappings', device=device, inode=inode, offset=PAGE, length=PAGE)
        tap.equal(shown(document, pid), expected(mappings, PAGE, 2 * PAGE), 'mappings')
        tap.equal({row['kind'] for row in document['mappings']}, {'memfd'}, 'kind')
    nothing = ask('mappings', device='00:00', inode='0')
    tap.equal(nothing['mappings'], [], 'memory without a file is no file')


def other_mount_namespaces():
    """a file that a process sees under another path, in mounts of its own"""
    needs_root()
    path, place = new_file('bound'), os.path.join(directory, 'place')
    os.mkdir(place)

    def set_up():
        check(LIBC.unshare(CLONE_NEWNS))
        mount('', '/', '', MS_REC | MS_PRIVATE)
        mount(directory, place, '', MS_BIND)
        return [map_file(os.open(os.path.join(place, 'bound'), os.O_RDONLY), 1, 3)]

    with process(set_up) as (pid, mappings):
        document = ask('mappings', path)
        tap.equal(shown(document, pid), expected(mappings, 0, 1 << 62), 'mappings')
        tap.equal([row['path'] for row in document['mappings']], [os.path.join(place, 'bound')], 'its own path')
        tap.equal(vmad.get(uri('mappings', os.path.join(place, 'bound'))).status, 404, 'which is not ours')


@contextlib.contextmanager
def overlay():
    """An overlay with a file below and one above, on different file systems, so that stat and maps do not agree."""
    needs_root()
    base = os.path.join(directory, 'overlay')
    for name in ('lower', 'upper', 'merged'):
        os.makedirs(os.path.join(base, name))
    mounted = []
    try:
        mount('vmad-test', os.path.join(base, 'upper'), 'tmpfs')
        mounted.append('upper')
        for name in ('upper/up', 'upper/work'):
            os.mkdir(os.path.join(base, name))
        for name in ('lower/low', 'upper/up/high'):
            shutil.copy(new_file('copied'), os.path.join(base, name))
        try:
            mount(
                'vmad-test',
                os.path.join(base, 'merged'),
                'overlay',
                0,
                f'lowerdir={base}/lower,upperdir={base}/upper/up,workdir={base}/upper/work',
            )
        except OSError as error:
            raise tap.Skip(f'no overlayfs here: {error}') from error
        mounted.append('merged')
        yield os.path.join(base, 'merged')
    finally:
        for name in reversed(mounted):
            LIBC.umount2(os.path.join(base, name).encode(), MNT_DETACH)


def files_of_overlays():
    """overlayfs: found by the path in it, told apart although stat and maps do not agree on the inode"""
    with overlay() as merged:
        paths = [os.path.join(merged, name) for name in ('low', 'high')]
        with process(lambda: [map_file(os.open(path, os.O_RDONLY), 0, 3) for path in paths]) as (pid, mappings):
            for path, mapping in zip(paths, mappings):
                document = ask('mappings', path)
                tap.equal(shown(document, pid), [mapping], path)
                device, inode, _ = line_of(pid, mapping[0])
                tap.equal((document['file']['device'], document['file']['inode']), (device, inode), 'as maps shows it')
                tap.equal(document['exact'], True, 'each mapping was looked at')
            st = [os.stat(path) for path in paths]
            lines = [line_of(pid, mapping[0]) for mapping in mappings]
            if all(
                f'{os.major(s.st_dev):02x}:{os.minor(s.st_dev):02x}' == line[0] and str(s.st_ino) == line[1]
                for s, line in zip(st, lines)
            ):
                raise tap.Skip('here stat and maps agree on overlayfs')

            def as_nobody():
                document = vmad.get(uri('mappings', paths[0])).json()
                return [document['exact'], document['count']]

            tap.equal(as_user(NOBODY, as_nobody), [True, 0], 'nobody sees no mapping, so none is in doubt')
        with process(lambda: [map_file(os.open(paths[0], os.O_RDONLY), 0, 3)], NOBODY) as (pid, _):

            def own():
                document = vmad.get(uri('mappings', paths[0])).json()
                return [[row['pid'] for row in document['mappings']], document['exact']]

            tap.equal(as_user(NOBODY, own), [[pid], False], 'nobody cannot look which file it is')


def who_may_see_what():
    """nobody gets the mappings of its own processes, and what is cached of its own files"""
    needs_root()
    path, secret, own = new_file('shared'), new_file('secret'), new_file('own')
    os.chmod(secret, 0o600)
    os.chown(own, NOBODY, NOBODY)
    os.chmod(own, 0o400)
    with process(lambda: map_many(path)), process(lambda: [map_file(os.open(path, os.O_RDONLY), 0, 2)], NOBODY) as (
        pid,
        mappings,
    ):

        def questions():
            document = vmad.get(uri('mappings', path)).json()
            replies = [
                vmad.get(uri(*question))
                for question in (('pages', path), ('mappings', secret), ('pages', secret), ('pages', own))
            ]
            return [
                document,
                [[reply.status, reply.json().get('errno'), reply.json().get('cached_bytes')] for reply in replies],
            ]

        document, replies = as_user(NOBODY, questions)
        tap.equal((shown(document, pid), document['count']), (expected(mappings, 0, 1 << 62), 1), 'its own')
        tap.truth(document['processes_unreadable'] > 0, 'others are counted')
        tap.equal(
            replies,
            [[403, 'EPERM', None], [403, 'EACCES', None], [403, 'EACCES', None], [200, None, PAGES * PAGE]],
            'replies',
        )
        read(own)
        tap.equal(ask('pages', own)['cached_bytes'], PAGES * PAGE, 'root is told of files of others')


def odd_paths():
    """what is no regular file is an error, for root and for nobody, and nobody waits"""
    needs_root()
    names = {name: os.path.join(directory, name) for name in ('fifo', 'loop', 'socket', 'node')}
    os.mkfifo(names['fifo'], 0o666)
    os.symlink('loop', names['loop'])
    os.mknod(names['socket'], stat.S_IFSOCK | 0o666)
    os.mknod(names['node'], stat.S_IFCHR | 0o666, os.makedev(1, 3))
    regular = new_file('regular')
    bad, missing = (400, 'bad-parameter'), (404, 'no-such-file')
    rows = [
        (names['fifo'], bad),
        (names['loop'], bad),
        (names['socket'], bad),
        (names['node'], bad),
        ('/dev/null', bad),
        (directory, bad),
        (directory + '/', bad),
        ('/', bad),
        ('/proc/self/exe', bad),
        ('/proc/self/fd/0', bad),
        ('relative', bad),
        ('', bad),
        ('/' + 'x' * 300, bad),
        ('/x' * 2500, bad),
        ('/' + 'x/' * 4096, (414, 'uri-too-long')),
        (directory + '/nothing', missing),
        (regular + '/', missing),
        (regular + '/x', missing),
        (regular + '/.', missing),
        (regular + '/../regular', missing),
    ]

    def outcomes():
        found = []
        for path, _ in rows:
            for kind in ('mappings', 'pages'):
                reply = vmad.get(uri(kind, path))
                found.append([reply.status, reply.json().get('type', '').split(':')[-1]])
        return found

    wanted = [[*outcome] for _, outcome in rows for _ in range(2)]
    for who, found in (('root', outcomes()), ('nobody', as_user(NOBODY, outcomes))):
        for at, (one, other) in enumerate(zip(found, wanted)):
            tap.equal(one, other, f'{who}: {rows[at // 2][0][:100]}')


def paths_that_work():
    """links, dots, mounts on the way, and names of any bytes, for root and for nobody"""
    needs_root()
    path = new_file('found')
    os.symlink('found', os.path.join(directory, 'relative-link'))
    os.symlink(os.path.join(directory, 'relative-link'), os.path.join(directory, 'absolute-link'))
    os.symlink('../' * 10 + directory[1:], os.path.join(directory, 'up-link'))
    odd = os.path.join(directory, 'a b\n%\\c')
    os.rename(new_file('odd'), odd)
    raw = os.fsencode(directory) + b'/\xff\xfe+&=?#'
    os.rename(new_file('raw'), raw)
    with tempfile.NamedTemporaryFile(dir='/dev/shm', prefix='vmad-test-') as shm:
        shm.write(b'x' * PAGE)
        shm.flush()
        os.chmod(shm.name, 0o644)
        where = {
            path: path,
            directory + '/./relative-link': path,
            directory + '/absolute-link': path,
            directory + '/up-link//found': path,
            f'{directory}/../{os.path.basename(directory)}/found': path,
            odd: odd,
            raw: raw,
            shm.name: shm.name,
            '/proc/version': '/proc/version',
        }

        def ids():
            return [vmad.get(uri('mappings', name)).json()['file']['inode'] for name in where]

        wanted = [str(os.stat(real).st_ino) for real in where.values()]
        tap.equal(ids(), wanted, 'root')
        tap.equal(as_user(NOBODY, ids), wanted, 'nobody')
    document = ask('mappings', raw)
    tap.equal(
        (document['file']['path'].endswith('/\\xff\\xfe+&=?#'), document['file']['path_escaped']),
        (True, True),
        'bytes that are no text',
    )


def a_file_system_that_does_not_answer():
    """FUSE whose server sleeps: nobody is refused at once, root is told after a while, and vmad goes on"""
    needs_root()
    place = os.path.join(directory, 'fuse')
    os.mkdir(place)
    try:
        fd = os.open('/dev/fuse', os.O_RDWR)
    except OSError as error:
        raise tap.Skip(f'no FUSE here: {error}') from error
    os.symlink('fuse/file', os.path.join(directory, 'into-fuse'))
    mount('vmad-test', place, 'fuse', 0, f'fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other')
    try:

        def nobody():
            replies = [
                vmad.get(uri('mappings', os.path.join(directory, name)))
                for name in ('fuse/file', 'into-fuse', 'fuse/../many', 'fuse')
            ]
            return [[reply.status, reply.json().get('errno')] for reply in replies]

        tap.equal(as_user(NOBODY, nobody), [[403, 'EXDEV']] * 4, 'nobody; who waited would be told 504')
        reply = vmad.get(uri('pages', os.path.join(place, 'file')))
        tap.equal((reply.status, reply.json()['type']), (504, 'urn:vmad:problem:file-blocked'), 'root')
        tap.equal(ask('mappings', LIBRARY)['complete'], True, 'afterwards')
    finally:
        LIBC.umount2(place.encode(), MNT_DETACH)
        os.close(fd)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def mincore(path):
    """Bytes of a file in the page cache, by the test's own mincore."""
    size = os.stat(path).st_size
    pages = -(-size // PAGE)
    if not pages:
        return 0
    fd = os.open(path, os.O_RDONLY)
    address, vector = map_file(fd, 0, pages, mmap.MAP_SHARED)[0], (ctypes.c_ubyte * pages)()
    check(LIBC.mincore(ctypes.c_void_p(address), ctypes.c_size_t(pages * PAGE), vector))
    LIBC.munmap(ctypes.c_void_p(address), ctypes.c_size_t(pages * PAGE))
    os.close(fd)
    return sum(byte & 1 for byte in vector) * PAGE


def cachestat(path, offset=0, length=0):
    """[cached, dirty, writeback, evicted, recently evicted] in bytes, by the test's own cachestat; None without one."""
    fd = os.open(path, os.O_RDONLY)
    result = (ctypes.c_uint64 * 5)()
    r = LIBC.syscall(SYS_CACHESTAT, fd, (ctypes.c_uint64 * 2)(offset, length), result, 0)
    os.close(fd)
    return None if r < 0 else [number * PAGE for number in result]


MEMBERS = ['cached_bytes', 'dirty_bytes', 'writeback_bytes', 'evicted_bytes', 'recently_evicted_bytes']


def agrees(path, **part):
    """vmad's numbers are the test's own; the kernel may write back or evict meanwhile, so it may take some tries."""
    for _ in range(20):
        read(path)
        before = cachestat(path, part.get('offset', 0), part.get('length', 0))
        document = ask('pages', path, max_age_ms=0, **part)
        if before is None:
            tap.equal(document['source'], 'mincore', 'source')
            return document
        if (
            [document[member] for member in MEMBERS]
            == before
            == cachestat(path, part.get('offset', 0), part.get('length', 0))
        ):
            return document
    raise AssertionError(f'{path} {part}: {document}, but cachestat says {before}')


def cached_pages():
    """what is cached: whole, in parts, dirty, sparse, empty, dropped; as cachestat and mincore say"""
    path = new_file('cached')
    document = agrees(path)
    tap.equal(
        (document['cached_bytes'], document['examined_bytes'], document['complete']),
        (PAGES * PAGE, PAGES * PAGE, True),
        'all of it',
    )
    tap.equal(document['cached_bytes'], mincore(path), 'mincore')
    for offset, length in ((0, 1), (1, PAGE), (PAGE, 3 * PAGE), (5 * PAGE + 5, 100 * PAGE)):
        document = agrees(path, offset=offset, length=length)
        first, end = offset // PAGE, min(-(-(offset + length) // PAGE), PAGES)
        tap.equal(document['cached_bytes'], (end - first) * PAGE, f'{offset}+{length}')
        tap.equal(document['examined_bytes'], min(length, PAGES * PAGE - offset), f'{offset}+{length}')
    beyond = ask('pages', path, offset=PAGES * PAGE * 2, length=5)
    tap.equal((beyond['cached_bytes'], beyond['examined_bytes'], beyond['complete']), (0, 0, True), 'beyond the end')
    with open(path, 'ab') as file:
        file.write(b'a page that is not whole')
    beyond = ask('pages', path, offset=PAGES * PAGE * 2)
    tap.equal((beyond['cached_bytes'], beyond['examined_bytes']), (0, 0), 'nor is the page before it, where that is not whole')
    os.truncate(path, PAGES * PAGE)
    sparse = os.path.join(directory, 'sparse')
    with open(sparse, 'wb') as file:
        os.pwrite(file.fileno(), b'x' * PAGE, 1 << 40)
        os.fsync(file.fileno())
    document = ask('pages', sparse)
    tap.equal(
        (document['cached_bytes'], document['complete'], document['examined_bytes']),
        (PAGE, True, (1 << 40) + PAGE),
        'sparse',
    )
    tap.equal(ask('pages', new_file('empty', 0))['cached_bytes'], 0, 'empty')
    fd = os.open(path, os.O_RDWR)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    tap.equal(ask('pages', path, max_age_ms=0)['cached_bytes'], mincore(path), 'dropped')
    os.close(fd)


def dirty_pages():
    """dirty pages are told where the kernel has cachestat"""
    path = new_file('dirty')
    if cachestat(path) is None:
        raise tap.Skip('this kernel has no cachestat')
    for _ in range(20):
        with open(path, 'r+b') as file:
            file.write(b'y' * 3 * PAGE)
        before, document, after = cachestat(path), ask('pages', path, max_age_ms=0), cachestat(path)
        if before == after and before[1] == 3 * PAGE:
            tap.equal([document[member] for member in MEMBERS], before, 'three dirty pages')
            return
    raise AssertionError('the pages do not stay dirty')


def capability(of):
    """How what is cached is told, as /v1/capabilities has it."""
    return next(row['value'] for row in of.get('/v1/capabilities').json()['capabilities'] if row['name'] == 'page-cache')


def without_cachestat():
    """a kernel without cachestat: mincore says the same of what is cached, under the same rule, and what it does not know is absent"""
    path, own = new_file('old'), new_file('old-own')
    todays = 'mincore' if cachestat(path) is None else 'cachestat'
    with Vmad(prefix=WITHOUT_CACHESTAT, open_to_all=True) as old:
        for _ in range(20):
            read(path)
            one, other = ask('pages', path), ask('pages', path, old)
            if one['cached_bytes'] == other['cached_bytes'] == PAGES * PAGE:
                break
        tap.equal((one['cached_bytes'], other['cached_bytes']), (PAGES * PAGE,) * 2, 'both sources')
        tap.equal((other['source'], one['source']), ('mincore', todays), 'source, without and with')
        tap.equal([member for member in MEMBERS if member in other], ['cached_bytes'], 'members')
        tap.equal((capability(old), capability(vmad)), ('mincore', todays), 'the capability, without and with')
        part = ask('pages', path, old, offset=PAGE + 1, length=2 * PAGE)
        tap.equal((part['cached_bytes'], part['examined_bytes']), (3 * PAGE, 2 * PAGE), 'part')
        tap.equal(ask('pages', new_file('old-empty', 0), old)['cached_bytes'], 0, 'empty')
        with open(os.path.join(directory, 'old-sparse'), 'wb') as file:
            os.truncate(file.fileno(), 1 << 43)
        document = ask('pages', file.name, old, deadline_ms=1)
        tap.equal(
            (document['complete'], document['reason'], document['cached_bytes']), (False, 'deadline', 0), 'the deadline'
        )
        tap.truth(0 < document['examined_bytes'] < 1 << 43, 'what was looked at')
        if os.geteuid() == 0:
            os.chown(own, NOBODY, NOBODY)
            read(own)
            statuses = as_user(NOBODY, lambda: [old.get(uri('pages', name)).status for name in (path, own)])
            tap.equal(statuses, [403, 200], 'nobody is told of its own file only')


def bad_questions():
    """parameters that say nothing, too much, or two things"""
    for path, parameter in (
        ('mappings?', 'path'),
        ('mappings?device=fe:00', 'inode'),
        ('mappings?inode=1', 'device'),
        ('pages?', 'path'),
        ('mappings?path=/x&device=fe:00&inode=1', 'device'),
        ('mappings?device=fe00&inode=1', 'device'),
        ('mappings?device=:1&inode=1', 'device'),
        ('mappings?device=0x1:1&inode=1', 'device'),
        ('mappings?device=FE:00&inode=1', 'device'),
        ('mappings?device=123456789:1&inode=1', 'device'),
        ('mappings?device=1:&inode=1', 'device'),
        ('mappings?device=1:1:1&inode=1', 'device'),
        ('mappings?device=1:1&inode=-1', 'inode'),
        ('mappings?device=1:1&inode=0x1', 'inode'),
        ('mappings?device=1:1&inode=18446744073709551616', 'inode'),
        ('pages?path=/etc/passwd&length=0', 'length'),
        ('pages?path=/etc/passwd&offset=1&length=18446744073709551615', 'length'),
        ('mappings?path=/etc/passwd&offset=18446744073709551615', 'offset'),
    ):
        reply = vmad.get('/v1/files/' + path)
        tap.equal((reply.status, reply.json()['parameter']), (400, parameter), path)
    tap.equal(vmad.get('/v1/files/pages?device=1:1&inode=1').status, 400, 'pages takes a path only')
    for kind in ('pages', 'mappings'):
        for path, status in (('/etc/passwd', 200), ('/nothing', 404)):
            reply = vmad.get(uri(kind, path), method='HEAD')
            tap.equal((reply.status, reply.body), (status, b''), f'HEAD of {kind} of {path}')


def an_ordinary_users_vmad():
    """an ordinary user's vmad knows that user's files and processes"""
    needs_root()
    path, own = new_file('theirs'), new_file('mine')
    os.chown(own, NOBODY, NOBODY)
    with Vmad(uid=NOBODY) as private, process(lambda: map_many(own)), process(
        lambda: [map_file(os.open(own, os.O_RDONLY), 0, 2)], NOBODY
    ) as (pid, mappings):

        def questions():
            statuses = [
                private.get(uri('pages', name)).status for name in (own, path, directory + '/nothing', '/dev/null')
            ]
            return [private.get(uri('mappings', own)).json(), statuses, capability(private)]

        document, statuses, value = as_user(NOBODY, questions)
        tap.equal((shown(document, pid), document['count']), (expected(mappings, 0, 1 << 62), 1), 'its own')
        tap.equal(statuses, [200, 403, 404, 400], 'what is cached')
        tap.equal(value, 'mincore' if cachestat(own) is None else 'cachestat', 'the capability')


def captured_trees():
    """with a captured tree no path is opened: its files are elsewhere"""
    with Vmad(arguments=['--procfs', os.path.join(os.environ['TOP_SRCDIR'], 'tests/proc/linux-6.18')]) as captured:
        reply = captured.get(uri('mappings', '/etc/passwd'))
        tap.equal((reply.status, reply.json()['errno']), (400, 'EOPNOTSUPP'), 'by path')
        area = next(
            row
            for row in captured.get('/v1/processes/4242/vmas').json()['vmas']
            if 'path' in row and row['inode'] != '0'
        )
        document = ask('mappings', server=captured, device=area['device'], inode=area['inode'])
        tap.truth(
            (4242, area['start']) in [(row['pid'], row['start']) for row in document['mappings']], 'by device and inode'
        )


def run(*arguments, uid=None):
    identity = {} if uid is None else {'user': uid, 'group': uid, 'extra_groups': []}
    done = subprocess.run(
        [VMACTL, '--socket', vmad.socket, 'file', *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        env={'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8'},
        **identity,
    )
    return done.returncode, done.stdout, done.stderr


def vmactl_file():
    """vmactl file: what is cached, then who maps it"""
    path = new_file('asked')
    with process(lambda: map_many(path)) as (pid, mappings):
        read(path)
        for word in (path, 'asked', './asked'):
            code, text, error = run(word)
            tap.equal((code, error), (0, ''), word)
            lines = text.splitlines()
            tap.truth(lines[0].startswith(os.path.join(directory, word)) and '48K' in lines[0], lines[0])
            tap.truth(
                re.fullmatch(r'cached   48K(, .*dirty, .*in writeback; .*evicted)? \((cachestat|mincore)\)', lines[1]),
                lines[1],
            )
            tap.truth(re.match(r'6 mappings in \d+ processes read.*, complete \(maps\)', lines[3]), lines[3])
            tap.equal(len([line for line in lines if line.split()[:1] == [str(pid)]]), 6, text)
        code, text, _ = run('-rno', 'pid,address', path, f'{3 * PAGE:x}+{2 * PAGE}')
        wanted = [[str(pid), f'{row[0]:x}'] for row in expected(mappings, 3 * PAGE, 5 * PAGE)]
        tap.equal((code, sorted(line.split() for line in text.splitlines())), (0, sorted(wanted)), 'a part')
        code, text, _ = run('-rno', 'address', path, f'{2 * PAGE + 5:x}')
        tap.equal(
            sorted(text.split()), sorted(f'{row[0]:x}' for row in expected(mappings, 2 * PAGE, 3 * PAGE)), 'one page'
        )
        code, text, _ = run('-J', path)
        tap.equal([json.loads(line)['file']['path'] for line in text.splitlines()], [path] * 2, 'two documents')
        tap.equal(json.loads(text.splitlines()[1])['mappings'], ask('mappings', path)['mappings'], '--json')
        device, inode, _ = line_of(pid, mappings[0][0])
        code, text, _ = run('-rno', 'pid', f'{device}:{inode}')
        tap.equal((code, text.split()), (0, [str(pid)] * 6), 'by device and inode')
        for arguments, wanted_code in (
            (['/nothing'], 3),
            (['/'], 2),
            ([], 2),
            ([path, 'x'], 2),
            ([path, '0', '0'], 2),
            ([path, '5-5'], 2),
        ):
            code, text, error = run(*arguments)
            tap.equal((code, text, error[:8]), (wanted_code, '', 'vmactl: '), arguments)
        if os.geteuid() != 0:
            return
        if subprocess.run(['true'], user=NOBODY, check=False).returncode or not os.access(VMACTL, os.X_OK):
            return
        copy = shutil.copy(VMACTL, os.path.join(directory, 'vmactl'))
        os.chmod(copy, 0o755)
        done = subprocess.run(
            [copy, '--socket', vmad.socket, 'file', path],
            capture_output=True,
            text=True,
            check=False,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd='/',
            env={'PATH': os.environ['PATH']},
        )
        tap.truth(done.returncode == 6 and 'owns it' in done.stderr and '0 mappings' in done.stdout, f'{done}')


CASES = [
    whole_and_parts,
    mappings_are_those_of_maps,
    parts_make_the_whole,
    deleted_files,
    memfds,
    other_mount_namespaces,
    files_of_overlays,
    who_may_see_what,
    odd_paths,
    paths_that_work,
    a_file_system_that_does_not_answer,
    cached_pages,
    dirty_pages,
    without_cachestat,
    bad_questions,
    an_ordinary_users_vmad,
    captured_trees,
    vmactl_file,
]
LIBRARY = next(line.split()[5] for line in open('/proc/self/maps', encoding='utf-8') if '/libc' in line)

directory = tempfile.mkdtemp(prefix='vmad-files-', dir='/var/tmp')
os.chmod(directory, 0o755)
try:
    with Vmad(open_to_all=True) as vmad:
        tap.run(CASES)
finally:
    shutil.rmtree(directory, ignore_errors=True)
