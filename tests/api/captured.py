#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The captured trees of tests/proc through the whole daemon, held against what is kept beside each: tests/proc/TREE.expected.

Such a file has, for each question, a line "GET path", the status, the reply (lists as NDJSON) and an empty line. --write makes them
anew from what vmad says now; what changed is to be read then, against the tree and tests/proc/README.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import TOP_SRCDIR, Vmad, distinct  # noqa: E402

TREES = os.path.join(TOP_SRCDIR, 'tests/proc')
EVERY_PROCESS = ['', '?detail=usage', '/vmas', '/vmas?detail=usage']
# Beside what every process is asked.
QUESTIONS = {
    'linux-6.18': ['/4242/vmas/0x1000', '/4242/vmas?path=*libc*', '/4242/vmas?kind=vvar,vdso,vsyscall,stack,heap'],
    'linux-3.8': [],
    'linux-2.6': [],
    'odd': [
        '/102/vmas/0x400123',                   # a file offset
        '/102/vmas/0x401000',                   # a gap
        '/102/vmas/7f0000016abc',               # no name, no file
        '/102/vmas/0xffffffffff600000',         # [vsyscall], beyond user space
        '/102/vmas/0xffffffffff5fffff',         # just below it: no gap
        '/102/vmas/0',
        '/101/vmas/0x7f0000002000',             # (deleted) twice
        '/104/vmas/0x7f0000000000',             # the leader exited
        '/2/vmas/0x1000',                       # a thread of the kernel: nothing but a gap
        '/103/vmas/0x1000',
        '/102/vmas?deleted=true',
        '/102/vmas?perms=..x.',
        '/102/vmas?kind=sysv,memfd,hugetlb,shared-anon',
        '/102/vmas?min_size_bytes=64K',
        '/102/vmas?start=0x7f0000011fff&end=0x7f0000012001',
        '/102/vmas?limit=2',
        '/102/vmas?limit=2&cursor=0:0x10400000',
        '/101/vmas?path=*(deleted)',
        '/101/vmas?path=*\\\\012*',             # the newline is escaped, as maps has it
        '/102?start_time_ticks=1',
        '/102/vmas?start_time_ticks=991&limit=1',
        '/105',                                 # a thread only
    ],
}
HOST = ['/v1/processes', '/v1/processes?detail=vmas', '/v1/processes?comm=*zomb*', '/v1/processes?limit=2', '/v1/vmas',
        '/v1/vmas?kind=private-anon', '/v1/vmas?limit=1', '/v1/vmas?comm=kinds&deleted=true']


def pids(tree):
    """Of a tree, ascending."""
    return sorted(int(name) for name in os.listdir(os.path.join(TREES, tree)) if name.isdigit())


def questions(tree):
    """All paths that a tree is asked."""
    yield from HOST
    for pid in pids(tree):
        yield from (f'/v1/processes/{pid}{rest}' for rest in EVERY_PROCESS)
    yield from (f'/v1/processes{rest}' for rest in QUESTIONS[tree])


def ask(vmad, path):
    """(status, [line of the reply, ...])"""
    reply = vmad.get(path, {'Accept': 'application/x-ndjson, application/json'})
    return reply.status, reply.text().decode().splitlines()


def expected(tree):
    """{path: (status, lines)} as it is kept."""
    with open(os.path.join(TREES, f'{tree}.expected'), encoding='utf-8') as file:
        blocks = [block.split('\n') for block in file.read().split('\n\n') if block.strip()]
    return {head.removeprefix('GET '): (int(status), lines) for head, status, *lines in blocks}


def write(tree):
    """Keeps what vmad says now."""
    with Vmad(arguments=['--procfs', os.path.join(TREES, tree)]) as vmad:
        answers = [(path, *ask(vmad, path)) for path in questions(tree)]
    with open(os.path.join(TREES, f'{tree}.expected'), 'w', encoding='utf-8') as file:
        for path, status, lines in answers:
            file.write('\n'.join([f'GET {path}', str(status), *lines, '', '']))


def parsed(lines):
    """The lines as objects, without what depends on the time."""
    objects = [json.loads(line, object_pairs_hook=distinct) for line in lines]
    for item in objects:
        item.pop('age_ms', None)
    return objects


def case_of(tree):
    """The case of one tree: all its questions."""

    def case():
        wanted = expected(tree)
        tap.equal(list(wanted), list(questions(tree)), 'questions that are kept')
        with Vmad(arguments=['--procfs', os.path.join(TREES, tree)]) as vmad:
            for path, (status, lines) in wanted.items():
                found = ask(vmad, path)
                tap.equal(found[0], status, f'status of {path}')
                for one, other in zip(parsed(found[1]), parsed(lines)):
                    tap.equal(one, other, path)
                tap.equal(len(found[1]), len(lines), f'lines of {path}')

    case.__doc__ = f'{tree}: every process, list and look-up'
    return case


def what_is_kept_can_fail():
    """a reply that differs is seen"""
    kept = expected('odd')['/v1/processes/102/vmas'][1]
    changed = [line.replace('"kind":"memfd"', '"kind":"shared-file"') for line in kept]
    tap.truth(parsed(kept) != parsed(changed), 'the memfd is not there')


def page_size():
    """Resident pages of stat are counted in the host's page size."""
    return os.sysconf('SC_PAGESIZE')


if sys.argv[1:] == ['--write']:
    for name in QUESTIONS:
        write(name)
elif page_size() != 4096:
    print('1..0 # SKIP the trees are of hosts with pages of 4 KiB')
else:
    tap.run([what_is_kept_can_fail, *(case_of(tree) for tree in QUESTIONS)])
