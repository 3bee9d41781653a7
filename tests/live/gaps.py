# SPDX-License-Identifier: GPL-2.0-or-later
"""Gaps against /proc, and placements against what the kernel really does: hundreds of layouts and lengths, in each way that a process can begin.

Where vmad said certain it must be right every time, and it must be certain in most.
"""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad  # noqa: E402

PAGE = os.sysconf('SC_PAGESIZE')
MIB = 1 << 20
TOP = 0x7FFFFFFFF000
MAPPER = os.path.join(TOP_BUILDDIR, 'tests/live/mapper')
STATIC = MAPPER + '-static'
STATIC_PIE = MAPPER + '-static-pie'
LOADER = '/lib64/ld-linux-x86-64.so.2'
NDJSON = {'Accept': 'application/x-ndjson'}
PROCESSES = 3  # of each way to begin
ROUNDS = 25  # questions of each process
MOST = 0.8
MOST_STATIC_PIE = 0.5  # its mmap_base is known to 8 pages only, which leaves the shortest lengths in doubt

seed = int(os.environ.get('GAPS_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 32)
chance = random.Random(seed)


class Mapper:
    """A running tests/live/mapper."""

    def __init__(self, command=(MAPPER,)):
        self.process = subprocess.Popen([*command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd='/')
        tap.equal(self.process.stdout.readline(), 'ready\n', f'{command} begins')
        self.pid = self.process.pid

    def tell(self, *words):
        """Gives a command; its answer: an address, or a word."""
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        return int(answer, 16) if re.fullmatch('[0-9a-f]+', answer) else answer

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def ask(pid, query=''):
    """The reply about a process; it must be a 200."""
    reply = vmad.get(f'/v1/processes/{pid}/gaps{query}')
    tap.equal(reply.status, 200, f'{query}: {reply.text()[:300]}')
    return reply.json()


def areas(pid):
    """[(start, end, name)] of a process's user space, from its maps."""
    return [(int(one['start'], 16), int(one['end'], 16), one.get('name')) for one in procfs.maps(pid) if int(one['start'], 16) < TOP]


def min_address():
    with open('/proc/sys/vm/mmap_min_addr', encoding='ascii') as file:
        return int(file.read())


def expected_gaps(pid, guards):
    """[(start, end, reason)] computed the slow and obvious way; guards: starts of areas that grow down."""
    found, at = [], 0
    for start, end, _ in [*areas(pid), (TOP, TOP, None)]:
        guard = max(start - 256 * PAGE, at) if start in guards else start
        low = min(max(at, min_address()), guard)
        for piece in ((at, low, 'below vm.mmap_min_addr'), (low, guard, None), (guard, start, 'stack guard gap')):
            if piece[0] < piece[1]:
                found.append(piece)
        at = max(at, end)
    return found


def told_gaps(gaps):
    for gap in gaps:
        tap.equal(gap['size_bytes'], int(gap['end'], 16) - int(gap['start'], 16), 'size')
    return [(int(gap['start'], 16), int(gap['end'], 16), gap.get('reason')) for gap in gaps]


def stack_of(pid):
    return next(start for start, _, name in areas(pid) if name == '[stack]')


def guard_of(mapper, length):
    """Maps 16M, leaves of it [4 MiB hole][area][16 pages hole][an area that grows down], and asks about a length: told, and real."""
    room = mapper.tell('map', 16 * MIB, 'none')
    mapper.tell('unmap', f'{room + 4 * MIB:x}', 5 * MIB)
    grows = room + 9 * MIB - 32 * PAGE
    mapper.tell('at', f'{grows:x}', 32 * PAGE, 'grows')
    mapper.tell('at', f'{grows - 24 * PAGE:x}', 8 * PAGE, 'plain')
    placement = ask(mapper.pid, f'?length={length}')['placement']
    return placement, mapper.tell('probe', length), room


def guards_and_other_areas():
    """placement: the guard of an area that grows down, where another area lies within it, is what the kernel makes of it"""
    needs()
    for pages in (8, 32, 700):
        with Mapper() as mapper:
            placement, real, room = guard_of(mapper, pages * PAGE)
            told = [int(one, 16) for one in placement.get('candidates', [placement['start']])]
            tap.truth(real in told, f'{pages} pages: {placement}, really {real:x}')
            tap.truth(real == told[0] or not placement['certain'], f'{pages} pages: {placement}, really {real:x}')
            if pages == 700:
                tap.equal((placement['certain'], room < real < room + 16 * MIB), (True, True), f'{placement}, {real:x} in {room:x}')


def every_gap():
    """every unmapped area, the largest, and the guard gap below the stack"""
    with Mapper() as mapper:
        document = ask(mapper.pid)
        expected = expected_gaps(mapper.pid, {stack_of(mapper.pid)})
        tap.equal(told_gaps(document['gaps']), expected, 'gaps')
        largest = max((gap for gap in expected if not gap[2]), key=lambda gap: gap[1] - gap[0])
        tap.equal(told_gaps([document['largest']]), [largest], 'largest')
        tap.equal((document['gap_count'], document['count'], document['complete']), (len(expected), len(expected), True), 'counts')
        tap.truth('placement' not in document, 'nobody asked for a placement')
        tap.equal((document['pid'], document['source']), (mapper.pid, 'maps'), 'envelope')


def an_area_that_grows_down():
    """a MAP_GROWSDOWN area has its guard gap too, which only smaps tells"""
    with Mapper() as mapper:
        room = mapper.tell('map', 64 * MIB, 'none')
        mapper.tell('unmap', f'{room:x}', 64 * MIB)
        start = room + 32 * MIB
        tap.equal(mapper.tell('at', f'{start:x}', 4 * PAGE, 'grows'), start, 'mapped')
        document = ask(mapper.pid)
        tap.equal(document['source'], 'smaps', 'source')
        tap.equal(told_gaps(document['gaps']), expected_gaps(mapper.pid, {start, stack_of(mapper.pid)}), 'gaps')


def pages_of_the_list():
    """limit= and cursor= give the same gaps in parts, and so does NDJSON"""
    with Mapper() as mapper:
        whole, parts, path = ask(mapper.pid, '?length=1M'), [], f'/v1/processes/{mapper.pid}/gaps?length=1M&limit=2'
        while path:
            part = vmad.get(path).json()
            tap.truth(part['count'] <= 2 and part['gap_count'] == whole['count'], f'{path}: {part}')
            tap.equal(part['placement'], whole['placement'], 'placement on every page')
            tap.equal(part.get('reason'), None if part['complete'] else 'limit', 'reason')
            parts += part['gaps']
            path = part.get('next')
        tap.equal(parts, whole['gaps'], 'parts together')
        first, *rows, last = vmad.get(f'/v1/processes/{mapper.pid}/gaps?length=1M', NDJSON).lines()
        tap.equal((first['begin'], last['end'], last['placement']), (True, True, whole['placement']), 'NDJSON around')
        tap.equal([{k: v for k, v in row.items() if k != 'record'} for row in rows], whole['gaps'], 'NDJSON rows')
        tap.equal({row['record'] for row in rows}, {'gap'}, 'record')


def a_thread_of_the_kernel():
    """a thread of the kernel has no gaps, and nothing can be placed"""
    if not os.path.exists('/proc/2/maps') or procfs.maps(2):
        raise tap.Skip('there is none here')
    document = ask(2, '?length=4K')
    tap.equal((document['gaps'], document['gap_count'], document['complete']), ([], 0, True), 'gaps')
    tap.truth('placement' not in document and 'largest' not in document, str(document))


def wrong_parameters():
    """length=0, an alignment that is no power of two, align without length: 400 that names it"""
    for query, parameter in (('length=0', 'length'), ('length=x', 'length'), ('length=1G&align=3', 'align'), ('length=1G&align=0', 'align'),
                             ('align=2M', 'align'), ('limit=0', 'limit'), ('what=1', 'what')):
        reply = vmad.get(f'/v1/processes/{os.getpid()}/gaps?{query}')
        tap.equal((reply.status, reply.json().get('parameter')), (400, parameter), query)
    tap.equal(vmad.get('/v1/processes/4194304/gaps').status, 404, 'nobody')
    reply = vmad.get(f'/v1/processes/{os.getpid()}/gaps?start_time_ticks=1')
    tap.equal(reply.status, 409, 'another start time')


def above_all(pid):
    """The end of what is mapped below the stack."""
    return max(end for _, end, _ in areas(pid) if end < stack_of(pid))


def length():
    """A length to ask about: each class of them."""
    kinds = (
        lambda: PAGE * chance.randrange(1, 9),
        lambda: PAGE * chance.randrange(1, 600),
        lambda: chance.randrange(1, 64 * PAGE),
        lambda: 2 * MIB * chance.randrange(1, 40),
        lambda: 2 * MIB * chance.randrange(1, 40) + PAGE * chance.randrange(1, 511),
        lambda: PAGE * chance.randrange(1, 1 << 17),
        lambda: 2 * MIB * chance.randrange(1, 256),
    )
    return chance.choice(kinds)()


def inside(area):
    """An address of an area, and how many pages follow."""
    start, size = area
    pages = max(size // PAGE, 1)
    place = chance.randrange(pages)
    return f'{start + place * PAGE:x}', pages - place


def change(mapper, made):
    """Maps something more, or makes holes in what there is, and sometimes fills them again."""
    deed = chance.randrange(10)
    if deed < 4 or not made:
        size = length()
        address = mapper.tell('map', size, chance.choice(('rw', 'none')))
        if isinstance(address, int):
            made.append((address, size))
        return
    address, pages = inside(chance.choice(made))
    if deed < 7:
        mapper.tell('unmap', address, PAGE * chance.randrange(1, pages + 1))
    else:
        mapper.tell('at', address, PAGE * chance.randrange(1, 64), 'grows' if deed == 9 else 'plain')


def was_mapped(areas, address, size):
    """Was any of it mapped then?"""
    return any(int(area['start'], 16) < address + size and address < int(area['end'], 16) for area in areas)


def one_question(mapper, align=0, tries=3):
    """Asks, maps, compares: was vmad certain?"""
    size = length()
    areas = procfs.maps(mapper.pid)
    over = (size + PAGE - 1) // PAGE * PAGE + align - PAGE if align else size
    placement = ask(mapper.pid, f'?length={size}' + (f'&align={align}' if align else ''))['placement']
    real = mapper.tell('probe', over)
    if align and isinstance(real, int):
        real = (real + align - 1) // align * align
    told = int(placement['start'], 16) if 'start' in placement else placement['errno']
    possible = [int(one, 16) for one in placement.get('candidates', [])]
    if isinstance(real, int) and was_mapped(areas, real, size) and tries:
        print(f'# seed {seed}: the layout had changed between question and mapping: once more', flush=True)
        return one_question(mapper, align, tries - 1)
    if placement['certain']:
        tap.equal(told, real, f'seed {seed}: {size} bytes, align {align}: {placement}')
    elif isinstance(real, int):
        tap.truth(real in possible, f'seed {seed}: {size} bytes went to {real:x}: {placement}')
    return placement['certain']


def many_questions(command, align=False, most=MOST):
    """Random layouts of several processes; the share of certain answers is printed."""
    certain = asked = 0
    for _ in range(PROCESSES):
        with Mapper(command) as mapper:
            made = [(above_all(mapper.pid), 64 * MIB)]  # mmap_base lies below: what is mapped there changes nothing
            for _ in range(ROUNDS):
                for _ in range(chance.randrange(4)):
                    change(mapper, made)
                certain += one_question(mapper, 1 << chance.randrange(13, 31) if align else 0)
                asked += 1
    print(f'# {asked} questions, certain in {certain} ({100 * certain // asked} %)', flush=True)
    tap.truth(certain >= most * asked, f'seed {seed}: certain in {certain} of {asked}')


def needs(*programs):
    if os.uname().machine != 'x86_64':
        raise tap.Skip('placement is known on x86-64 only')
    for program in programs:
        if not os.path.exists(program):
            raise tap.Skip(f'there is no {program}')


def an_ordinary_program():
    """placement: an ordinary program"""
    needs()
    many_questions([MAPPER])


def with_alignment():
    """placement: with align, what is left after trimming"""
    needs()
    many_questions([MAPPER], align=True)


def without_randomization():
    """placement: without address space randomization"""
    needs('/usr/bin/setarch')
    many_questions(['setarch', '-R', MAPPER])


def the_old_layout():
    """placement: the old layout, from the bottom up"""
    needs('/usr/bin/setarch')
    many_questions(['setarch', '-L', MAPPER])


def an_unlimited_stack():
    """placement: with a stack that may grow without limit"""
    needs()
    many_questions(['sh', '-c', f'ulimit -s unlimited && exec {MAPPER}'])


def a_static_program():
    """placement: a static program"""
    needs()
    many_questions([STATIC])


def a_static_pie():
    """placement: a static program that is loaded anywhere"""
    needs()
    many_questions([STATIC_PIE], most=MOST_STATIC_PIE)


def the_loader_as_a_program():
    """placement: a program that the dynamic loader was told to run"""
    needs(LOADER)
    many_questions([LOADER, MAPPER], most=MOST_STATIC_PIE)


def a_limit_refuses():
    """placement: RLIMIT_AS refuses what RLIMIT_AS refuses"""
    needs()
    with Mapper() as mapper:
        mapper.tell('limit', 'as', 64 * MIB)
        answers = set()
        for size in range(56 * MIB, 65 * MIB, MIB // 2):
            placement = ask(mapper.pid, f'?length={size}')['placement']
            real = mapper.tell('probe', size)
            tap.equal(placement['certain'], True, f'{size}: {placement}')
            tap.equal(int(placement['start'], 16) if 'start' in placement else placement['errno'], real, f'{size}: {placement}')
            answers.add('start' in placement)
        tap.equal(answers, {True, False}, 'both answers came')


def the_reasons():
    """placement: the answer says from where, into which hole, and why it is aligned"""
    needs()
    with Mapper() as mapper:
        placement = ask(mapper.pid, '?length=1G')['placement']
        loader = above_all(mapper.pid)
        tap.equal(int(placement['mmap_base'], 16), loader, 'mmap_base')
        tap.truth(placement['why'][0].startswith(f'top-down from mmap_base {loader:x} '), placement['why'])
        tap.truth(placement['why'][1].startswith('the highest hole that is large enough: '), placement['why'])
        tap.equal(placement['length_bytes'], 1 << 30, 'length')
        too_long = ask(mapper.pid, '?length=1000T')['placement']
        tap.equal((too_long['certain'], too_long['errno'], 'start' in too_long), (True, 'ENOMEM', False), 'too long')


with Vmad() as vmad:
    print(f'# GAPS_SEED={seed}', flush=True)
    tap.run([every_gap, an_area_that_grows_down, guards_and_other_areas, pages_of_the_list, a_thread_of_the_kernel, wrong_parameters, an_ordinary_program,
             with_alignment, without_randomization, the_old_layout, an_unlimited_stack, a_static_program, a_static_pie,
             the_loader_as_a_program, a_limit_refuses, the_reasons])
