# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel decides: every caller, every sort of process, every route. What vmad answers is what a process of that caller's
without capabilities is told by procfs itself; root's is all. With procfs as it is, and with each sort of hidepid."""
import contextlib
import functools
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from caller import CLONE_NEWPID, CLONE_NEWUSER, Caller, libc  # noqa: E402
from targets import Targets  # noqa: E402
from vmad import Vmad, is_sanitized  # noqa: E402
from wire import wait_until  # noqa: E402

OWNER, OTHER, GATHERED = 61001, 61002, 61003     # uids, and gids; the last is a group that a mount's gid= lets in
CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x20000, 1 << 18, 1 << 14

# By route and detail: the files whose being readable decides, beside stat. A route that is not here needs those of the address space,
# so that a new one is in the matrix by itself.
ADDRESS_SPACE = ('maps', 'smaps', 'pagemap')
FILES = {
    'process': (),
    'process usage': ('smaps_rollup',),
    'vmas': ('maps',),
    'vmas maps': ('maps',),
    'vmas usage': ('smaps',),
    'vma': ('maps',),
    'gaps': ('maps',),
    'page': ('maps',),
}
ROOT_ONLY = {'vmas kernel', 'ops', 'sharing', 'mappings'}
NEED_MODULE = {'vmas kernel', 'ops'}    # 501 without it
PER_USER = 32   # connections
NAMES = ('stat', 'maps', 'smaps', 'smaps_rollup', 'pagemap')
STATUS = {'ENOENT': 404, 'ESRCH': 404, 'EACCES': 403, 'EPERM': 403}


def callers(vmad):
    """Each with an identity of its own; those in namespaces of their own are strangers."""
    worker = int(procfs.status(vmad.pid, 'Uid'))
    return {
        'root': lambda: Caller(),
        'owner': lambda: Caller(OWNER),
        'owner in another group': lambda: Caller(OWNER, OTHER),
        'owner with another group': lambda: Caller(OWNER, OWNER, [OTHER]),
        'other uid': lambda: Caller(OTHER),
        'same primary group': lambda: Caller(OTHER, OWNER),
        'supplementary groups': lambda: Caller(OTHER, OTHER, [0, OWNER]),
        "in the mount's group": lambda: Caller(OTHER, OTHER, [GATHERED]),
        "the worker's own user": lambda: Caller(worker),
        "root of a user namespace": lambda: Caller(OWNER, inside=CLONE_NEWUSER),
        "root's user namespace": lambda: Caller(0, 0, inside=CLONE_NEWUSER),
        'root in another pid namespace': lambda: Caller(0, 0, inside=CLONE_NEWPID),
    }


def is_stranger(name):
    return 'namespace' in name


def own_procfs(options):
    try:
        libc('mount', b'proc', b'/proc', b'proc', 0, options.encode())
    except OSError as error:
        raise tap.Skip(f'no procfs of our own: {error}') from error


class Setting:
    """A vmad, callers and targets, under one way to mount procfs."""

    def __init__(self, options):
        self.options = options
        with contextlib.ExitStack() as self._stack:
            self._start()
            self._stack = self._stack.pop_all()

    def _start(self):
        own_procfs(self.options)
        self._stack.callback(libc, 'umount2', b'/proc', 0)
        self.vmad = self._stack.enter_context(Vmad(listen=['tcp:127.0.0.1:0'], open_to_all=True))
        port = next(line for line in self.vmad.log if 'tcp:' in line).rpartition(':')[2]
        self.tcp = ('127.0.0.1', int(port))
        self.targets = self._stack.enter_context(Targets(OWNER, OTHER))
        own = wait_until(self._processes, 'its processes')
        self.pids = {**self.targets.pids, **own, 'process 1': 1}
        self.own = set(own.values())
        self.callers = {name: self._stack.enter_context(make()) for name, make in callers(self.vmad).items()}
        self.users = {name: caller for name, caller in self.callers.items() if not is_stranger(name)}
        self.addresses = {pid: self._address(pid) for pid in self.pids.values()}

    def _processes(self):
        """All of them, and the sampler, too, is who it will be."""
        found = self.vmad.processes()
        return found if len(found) == 4 and procfs.status(found['vmad-sampler'], 'Uid') != '0' else None

    @staticmethod
    def _address(pid):
        """One that is mapped, and most likely touched."""
        try:
            return next(area['start'] for area in procfs.maps(pid) if area['kind'] == 'stack')
        except (OSError, StopIteration):    # not even root's, or without memory
            return '0x1000'

    def cells(self, pids=None):
        """(key of FILES, pid, path) of everything that can be asked of these processes."""
        return [(key, pid, path.format(pid=pid, addr=self.addresses.get(pid, '0x1000')))
                for (key, path), pid in itertools.product(self.questions, pids or self.pids.values())]

    @functools.cached_property
    def questions(self):
        """(key of FILES, path) of each route that is about a process, with each of its details."""
        found = []
        for path, methods in self.vmad.get('/v1/openapi.json').json()['paths'].items():
            if '{pid}' not in path:
                continue
            for route in methods.values():
                details = [None] + [word for parameter in route['parameters'] if parameter['name'] == 'detail'
                                    for word in parameter['schema']['enum']]
                found += [(f'{route["operationId"]} {detail}', f'{path}?detail={detail}') if detail
                          else (route['operationId'], path) for detail in details]
        return found

    def told(self, caller):
        """What procfs says to it: {(pid, name): 0 or an errno's name}."""
        files = list(itertools.product(self.pids.values(), NAMES))
        return dict(zip(files, caller.read(files)))

    def close(self):
        self._stack.close()


def expected(name, key, pid, told):
    """The statuses that are right in a cell."""
    if key in ROOT_ONLY and name != 'root':
        return {403}
    for file in ('stat', *FILES.get(key, ADDRESS_SPACE)):
        said = told[pid, file]
        if said == 'ESRCH' and file != 'stat':
            continue    # it is there, and has no memory by nature: an answer, with nothing in it
        if said:
            return {STATUS[said], *([501] if key in NEED_MODULE else [])}
    return {200, *([501] if key in NEED_MODULE else [])}


def check(name, cells, replies, told):
    """What is wrong in these cells."""
    wrong = []
    for (key, pid, path), reply in zip(cells, replies):
        right = expected(name, key, pid, told)
        if reply['status'] not in right:
            wrong.append(f'{name}: {path}: {reply["status"]} and not {right}: {reply}')
        elif reply.get('complete') is False and key not in ROOT_ONLY:
            wrong.append(f'{name}: {path}: not whole: {reply}')
        if name != 'root' and reply.get('frames'):
            wrong.append(f'{name}: {path}: frames: {reply}')
    return wrong


def report(setting, wrong, count):
    names = {str(pid): name for name, pid in setting.pids.items()}
    for line in wrong[:20]:
        pid = line.split('/processes/')[-1].split('/')[0].split('?')[0].split(':')[0]
        print(f'# ({names.get(pid)}) {line}'[:400], flush=True)
    tap.equal(len(wrong), 0, f'wrong cells of {count}')
    print(f'# {count} cells', flush=True)


def rows_are_of_routes(setting):
    """what is said here of a route is said of one that there is"""
    tap.equal((set(FILES) | ROOT_ONLY | NEED_MODULE) - {key for key, _ in setting.questions}, set(), 'no such route')
    print(f'# {sorted(key for key, _ in setting.questions)}')
    for name, why in setting.targets.absent.items():
        print(f'# no {name}: {why}')


def every_cell(setting):
    """every caller, process and route: what the kernel tells the caller's own process"""
    cells = setting.cells()
    wrong, statuses = [], set()
    for name, caller in setting.users.items():
        before = setting.told(caller)
        replies = caller.ask(setting.vmad.socket, [path for _, _, path in cells])
        tap.equal(setting.told(caller), before, 'procfs changed its mind')
        wrong += check(name, cells, replies, before)
        statuses |= {reply['status'] for reply in replies}
    report(setting, wrong, len(cells) * len(setting.users))
    tap.truth({200, 403} <= statuses, f'all one answer: {statuses}')


def by_head(setting):
    """HEAD has the status of GET"""
    cells = setting.cells()
    wrong = []
    for name, caller in setting.users.items():
        replies = caller.ask(setting.vmad.socket, [path for _, _, path in cells], 'HEAD')
        wrong += check(name, cells, replies, setting.told(caller))
    report(setting, wrong, len(cells) * len(setting.users))


def by_token(setting):
    """over TCP with a token of the caller's own it is the same"""
    cells = [cell for cell in setting.cells() if cell[0] in ('process', 'process usage', 'vmas', 'pages', 'page')]
    wrong = []
    for name, caller in setting.users.items():
        token = caller.json(setting.vmad.socket, '/v1/tokens', 'POST')['token']
        replies = caller.ask(setting.tcp, [path for _, _, path in cells], 'GET', {'Authorization': f'Bearer {token}'})
        wrong += check(name, cells, replies, setting.told(caller))
    report(setting, wrong, len(cells) * len(setting.users))


def as_many_as_there_are(setting):
    """a list of areas has as many as maps has lines"""
    for name, caller in setting.users.items():
        told = setting.told(caller)
        pids = [pid for pid in setting.targets.pids.values() if not told[pid, 'maps']]
        for pid, reply in zip(pids, caller.ask(setting.vmad.socket, [f'/v1/processes/{pid}/vmas' for pid in pids])):
            tap.equal(reply['count'], len(caller.lines(f'/proc/{pid}/maps')), f'{name}: {pid}')


def strangers(setting):
    """callers in other user or pid namespaces get 403, whatever they ask for, and all the same"""
    cells = setting.cells() + setting.cells([nobody_has()])
    for name in filter(is_stranger, setting.callers):
        paths = [path for _, _, path in cells] + ['/v1/health', '/v1/processes', '/v1/vmas', '/v1/frames', '/nowhere']
        replies = setting.callers[name].ask(setting.vmad.socket, paths)
        tap.equal({reply['status'] for reply in replies}, {403}, name)
        tap.equal(len({reply['bytes'] for reply in replies}), 1, f'{name}: different bytes')
        tap.truth('foreign-namespace' in replies[0]['bytes'], replies[0])


VARIANTS = (('', '*/*'), ('start_time_ticks=1', '*/*'), ('max_age_ms=10000', '*/*'), ('', 'application/x-ndjson'))


def nobody_has():
    """A pid of nobody's: one that was, and comes back only after all others."""
    return next(pid for pid in range(os.getpid(), 1, -1) if not os.path.exists(f'/proc/{pid}'))


def hidden(setting):
    """a process that procfs hides is one that there is not, to the byte: by any route, any field, and though root has just been told"""
    missing, count = nobody_has(), 0
    for name, caller in setting.users.items():
        told = setting.told(caller)
        pids = [pid for pid in setting.pids.values() if told[pid, 'stat'] == 'ENOENT']
        for (_, path), (extra, accept) in itertools.product(setting.questions if pids and name != 'root' else [], VARIANTS):
            paths = [path.format(pid=pid, addr='0x1000') + (extra and f'{"&" if "?" in path else "?"}{extra}')
                     for pid in [missing, *pids[:1 if extra else None]]]
            if 'max_age' in extra:
                setting.callers['root'].ask(setting.vmad.socket, paths[-1:])
            replies = caller.ask(setting.vmad.socket, paths, 'GET', {'Accept': accept})
            tap.equal({reply['bytes'] for reply in replies}, {replies[0]['bytes']}, f'{name}: {paths}')
            tap.truth(replies[0]['status'] in (400, 403, 404), replies[0])
            count += len(replies)
    tap.truth(count, 'nothing is hidden')
    print(f'# {count} replies', flush=True)


def lists(setting):
    """/v1/processes and /v1/vmas hold what procfs lists for the caller, and of each what it may read"""
    for name, caller in setting.users.items():
        told, ours = setting.told(caller), set(setting.pids.values())
        seen = {pid for pid in caller.pids() & ours if not told[pid, 'stat']}

        def readable(file):
            return {pid for pid in seen if not told[pid, file] and caller.lines(f'/proc/{pid}/{file}')}

        for target, member, right in (
            ('/v1/processes', 'pid', seen),
            ('/v1/processes?detail=vmas', 'vma_count', readable('maps')),
            ('/v1/processes?detail=usage&deadline_ms=30000', 'pss_bytes', readable('smaps_rollup')),
        ):
            listed = caller.json(setting.vmad.socket, target)
            found = {row['pid'] for row in listed['processes'] if member in row} & ours
            tap.equal((found, listed['complete']), (right, True), f'{name}: {target}')
        listed = caller.json(setting.vmad.socket, '/v1/vmas')
        tap.equal({row['pid'] for row in listed['vmas']} & ours, readable('maps'), f'{name}: /v1/vmas')
        path = setting.targets.program
        listed = caller.json(setting.vmad.socket, f'/v1/files/mappings?path={path}')
        right = {pid for pid in readable('maps') if any(path in line for line in caller.lines(f'/proc/{pid}/maps'))}
        tap.equal({row['pid'] for row in listed['mappings']}, right, f'{name}: who maps {path}')


def files(setting):
    """/v1/files/pages: who may open the file, and owns it or may write to it"""
    directory = setting.targets.directory
    paths = [setting.targets.program, os.path.join(directory, 'unreadable')]
    for name, uid, mode in (('own', OWNER, 0o600), ('group', OTHER, 0o660), ('private/file', 0, 0o644)):
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, 'w', encoding='ascii') as file:
            file.write('x')
        os.chown(path, uid, OWNER)
        os.chmod(path, mode)
        paths.append(path)
    for name, caller in setting.users.items():
        for path in paths:
            [reply] = caller.ask(setting.vmad.socket, [f'/v1/files/pages?path={path}'])
            said = caller.outcome(path)
            right = STATUS[said] if said else 200 if caller.may_know_cache(path) else 403
            tap.equal(reply['status'], right, f'{name}: {path}: {reply}')


def frames(setting):
    """page frames are root's alone"""
    for name, caller in setting.users.items():
        paths = ['/v1/frames/0x1'] + ([] if name == 'root' else ['/v1/frames', '/v1/frames/0x1/mappings'])
        replies = caller.ask(setting.vmad.socket, paths)
        tap.equal({reply['status'] for reply in replies}, {200 if name == 'root' else 403}, name)


def nothing_is_shared(setting):
    """the same question at the same time, and out of the cache: each caller gets an answer of its own"""
    cells = [cell for cell in setting.cells([setting.pids['owner']]) if cell[0] in ('process usage', 'vmas usage', 'pages', 'process')]
    paths = [f'{path}{"&" if "?" in path else "?"}max_age_ms=10000' for _, _, path in cells]
    told = {name: setting.told(caller) for name, caller in setting.users.items()}
    for _ in range(5):
        for caller in setting.users.values():
            caller.start_asking(setting.vmad.socket, paths * 4)
        for name, caller in setting.users.items():
            wrong = check(name, cells * 4, caller.answer(), told[name])
            tap.equal(wrong, [], name)


def own_quotas(setting):
    """a user who has all the connections that a user may have leaves others theirs"""
    greedy = setting.callers['other uid']
    greedy.hold(setting.vmad.socket, PER_USER)
    for name, caller in setting.users.items():
        [reply] = caller.ask(setting.vmad.socket, ['/v1/health'])
        tap.equal(reply['status'], 429 if caller.identity[0] == OTHER else 200, name)
    greedy.let_go()


CASES = {
    'hidepid=0': [rows_are_of_routes, every_cell, as_many_as_there_are, strangers, lists, files, frames, nothing_is_shared, own_quotas],
    'hidepid=1': [every_cell, lists],
    'hidepid=2': [every_cell, by_head, by_token, strangers, hidden, lists, nothing_is_shared],
    f'hidepid=2,gid={GATHERED}': [every_cell, lists],
    'hidepid=4': [lists],   # by number the kernel says ENOENT or EPERM, as its cache of names happens to be
}
setting = None


def under(options, case):
    """A case with one way to mount procfs; the vmad of the case before is taken where it is the same way."""
    def run():
        global setting
        if setting and setting.options != options:
            setting.close()
            setting = None
        setting = setting or Setting(options)
        case(setting)

    run.__doc__ = f'{options}: {case.__doc__}'
    return run


def main():
    if os.geteuid() != 0:
        print('1..0 # SKIP needs root, to be somebody else')
        return
    try:
        libc('unshare', CLONE_NEWNS)
        libc('mount', None, b'/', None, MS_REC | MS_PRIVATE, None)
    except OSError as error:
        print(f'1..0 # SKIP no mounts of our own: {error}')
        return
    try:
        tap.run([under(options, case) for options, cases in CASES.items() for case in cases
                 if not is_sanitized() or options in ('hidepid=0', 'hidepid=2')])    # which take their time
    finally:
        if setting:
            setting.close()


main()
