# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process of vmad's cannot do though it was taken over: system calls made in its own threads, by a library that is
loaded with it (intruder.c), and what became of them."""
import contextlib
import ctypes
import errno
import http.client
import mmap
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from roles import Worker  # noqa: E402
from vmad import TOP_BUILDDIR, Vmad, children, is_sanitized  # noqa: E402
from wire import wait_until  # noqa: E402

LIBRARY = os.path.join(TOP_BUILDDIR, 'tests/live/intruder.so')
MEMBERS = ('vmad-opener', 'vmad-worker', 'vmad-sampler')
PER_VMAD = 3    # calls, each of which ends three processes: at the tenth end within half a minute vmad gives up
KILLED, DEAF = 'killed', 'deaf'

ALLOWED = ['getpid', 'gettid']
FATAL = (
    'execve execveat clone ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kill tkill bind connect unshare setns '
    'mount umount2 pivot_root chroot move_mount fsopen open_tree bpf perf_event_open userfaultfd io_uring_setup keyctl add_key '
    'request_key init_module finit_module delete_module kexec_load reboot sethostname clock_settime mknodat fchmod fchmodat fchown '
    'fchownat linkat symlinkat renameat2 name_to_handle_at open_by_handle_at i386'
).split() + ['unshare of more']
OPENERS = 'setresuid setresgid setfsuid capget capset openat2 kcmp pidfd_open chdir fchdir'.split()
WORKERS = ['accept4', 'sendfile', 'shutdown', 'a datagram socket', 'to give way']
MEETERS = ['a socket to the worker', 'shutdown']      # and connect, as which it is FATAL to the others
DIRECTORY = 'a directory of its own'     # the opener's threads have one each; FATAL to the others
MAY = {'vmad-opener': OPENERS, 'vmad-worker': WORKERS, 'vmad-sampler': []}


class Page(ctypes.Structure):
    """What tests/live/intruder.c reads and writes."""

    _fields_ = [('call', ctypes.c_int32), ('entered', ctypes.c_int32), ('returned', ctypes.c_int32), ('result', ctypes.c_int64)]


def all_calls():
    library = ctypes.CDLL(LIBRARY)
    library.intruder_name.restype = ctypes.c_char_p
    names = []
    while (name := library.intruder_name(len(names))) is not None:
        names.append(name.decode())
    return names


def field(pid, tid, name):
    with open(f'/proc/{pid}/task/{tid}/status', encoding='ascii', errors='replace') as file:
        return re.search(rf'^{name}:\s*(.*)$', file.read(), re.M).group(1)


def is_alive(pid, tid=None):
    try:
        return field(pid, tid or pid, 'State')[0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return False


def threads(pid):
    return sorted(int(tid) for tid in os.listdir(f'/proc/{pid}/task'))


def limits(pid, tid):
    """None of a thread that has ended."""
    try:
        return [field(pid, tid, what) for what in ('Seccomp', 'NoNewPrivs')]
    except (FileNotFoundError, ProcessLookupError):
        return None


def takes_no_signal(pid, tid):
    try:
        return int(field(pid, tid, 'SigBlk'), 16) >> (signal.SIGUSR2 - 1) & 1
    except (FileNotFoundError, ProcessLookupError):
        return True


class Intruder:
    """In the process that is started with its environment, and in those that it forks."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile()
        os.chmod(self.file.name, 0o666)
        self.file.truncate(4096)
        self.memory = mmap.mmap(self.file.fileno(), 4096)
        self.page = Page.from_buffer(self.memory)
        self.environment = {'LD_PRELOAD': LIBRARY, 'VMAD_INTRUDER': self.file.name}

    def make(self, name, pid, tid=None):
        """What became of a call in that thread: a number or an errno's name, KILLED, or DEAF where the thread takes no signal, or no more."""
        tid = tid or pid
        self.page.call = CALLS.index(name)
        self.page.entered = self.page.returned = 0
        if not is_alive(pid, tid) or takes_no_signal(pid, tid):
            return DEAF
        ctypes.CDLL(None).tgkill(pid, tid, signal.SIGUSR2)
        wait_until(lambda: self.page.returned or not is_alive(pid, tid), f'an end of {name} in {pid}')
        if not self.page.entered and is_alive(pid):
            return DEAF     # that of a connection which was about to end
        tap.equal(self.page.entered, tid, f'{name}: the thread')
        if not self.page.returned:
            return KILLED
        result = self.page.result
        return errno.errorcode[-result] if result < 0 else result


@contextlib.contextmanager
def taken_over(sort=Vmad):
    """An intruder, and a vmad that it is in: its processes."""
    intruder = Intruder()
    vmad = sort(environment=intruder.environment)
    try:
        yield intruder, wait_until(lambda: members(vmad), 'all of its processes'), vmad
    finally:
        vmad.stop()


class Halves:
    """A worker, and an opener with its sampler that has come to it: as one vmad."""

    def __init__(self, environment):
        self.worker = Worker(environment=environment)
        self.opener = self.worker.opener(environment=environment)
        self.get = self.worker.get

    def processes(self):
        return {'vmad-worker': self.worker.main_pid, **children(self.opener.process.pid)}

    def stop(self):
        self.opener.end()
        self.worker.stop()


def serves(vmad):
    try:
        return vmad.get('/v1/processes?limit=1').status == 200
    except (OSError, http.client.HTTPException):    # the worker has just ended
        return False


def members(vmad):
    """Once all are there, confined, and at work: one that ends while vmad starts is not spoken of."""
    found = vmad.processes()
    try:
        if not set(MEMBERS) <= set(found) or any(field(found[name], found[name], 'Seccomp') != '2' for name in MEMBERS):
            return None
    except (FileNotFoundError, ProcessLookupError):
        return None
    return {name: found[name] for name in MEMBERS} if serves(vmad) else None


def every_thread(intruder, pid, name):
    """What becomes of a call in each thread that takes signals."""
    outcomes = [intruder.make(name, pid, tid) for tid in threads(pid)]
    return {outcome for outcome in outcomes if outcome != DEAF}


def whom_the_test_reaches():
    """the intruder's calls are made in each process, in the thread that is meant"""
    with taken_over() as (intruder, found, vmad):
        vmad.get('/v1/processes')
        for name, pid in found.items():
            tap.equal(intruder.make('getpid', pid), pid, name)
            for tid in threads(pid):
                tap.truth(intruder.make('gettid', pid, tid) in (tid, DEAF), f'{name}: {tid}')
                tap.truth(limits(pid, tid) in (['2', '1'], None), f'{name}: {tid}: {limits(pid, tid)}')


def without_a_filter():
    """an ordinary process of the worker's user is told something else: it is the filter that refuses"""
    intruder = Intruder()
    with subprocess.Popen(['sleep', '1000'], env={**os.environ, **intruder.environment}, user=65534, group=65534, extra_groups=[]) as process:
        try:
            wait_until(lambda: 'intruder.so' in open(f'/proc/{process.pid}/maps', encoding='utf-8').read(), 'the library')
            wait_until(lambda: int(field(process.pid, process.pid, 'SigCgt'), 16) >> (signal.SIGUSR2 - 1) & 1, 'its handler')
            told = {name: intruder.make(name, process.pid) for name in CALLS}
        finally:
            process.kill()
    print(f'# {told}')
    tap.equal([name for name in REFUSED + OPENERS + MEETERS + WORKERS if told[name] in ('EPERM', KILLED)], [], 'refused without a filter')
    tap.equal([name for name in FATAL if told[name] == KILLED], [], 'fatal without a filter')
    tap.equal(told[DIRECTORY], 0, DIRECTORY)


def refused():
    """files to write, sockets, code and the rest: EPERM in each process, in each thread; in two halves, too"""
    for sort in (Vmad, Halves):
        with taken_over(sort) as (intruder, found, vmad):
            vmad.get('/v1/processes')
            for member, pid in found.items():
                for name in REFUSED:
                    tap.equal(every_thread(intruder, pid, name), {'EPERM'}, f'{member}: {name}')
            tap.equal(vmad.get('/v1/processes').status, 200, 'it goes on')


def what_each_may(sort, may):
    with taken_over(sort) as (intruder, found, _):
        for member, pid in found.items():
            for name in {*OPENERS, *MEETERS, *WORKERS}:
                outcomes = every_thread(intruder, pid, name)
                tap.truth((outcomes == {'EPERM'}) == (name not in may[member]), f'{member}: {name}: {outcomes}')


def to_each_its_own():
    """to be somebody else and to open as that one is the opener's; to talk to clients is the worker's; nothing of it is the sampler's"""
    what_each_may(Vmad, MAY)


def to_each_half_its_own():
    """in two halves it is the same, but that the opener comes to its worker"""
    what_each_may(Halves, {**MAY, 'vmad-opener': OPENERS + MEETERS})


def ends(intruder, vmad, member, name):
    """That call ends that process; vmad starts another. What it says: of opener and worker, who both end, whichever it sees first."""
    before, lines = wait_until(lambda: members(vmad), 'all of them')[member], len(vmad.log)
    tap.equal(intruder.make(name, before), KILLED, f'{member}: {name}')
    wait_until(lambda: (members(vmad) or {}).get(member, before) != before, f'another {member} after {name}')
    return wait_until(lambda: vmad.log[lines:], f'{member}: {name}: a word of it')


def fatal():
    """what nobody does who was not taken over ends the process at once, and vmad starts it again"""
    said = set()
    for some in range(0, len(FATAL), PER_VMAD):
        with taken_over() as (intruder, _, vmad):
            for name in FATAL[some:some + PER_VMAD]:
                for member in MEMBERS:
                    said |= set(ends(intruder, vmad, member, name))
    for member in MEMBERS:
        line = f'vmad: the {member.removeprefix("vmad-")} was ended by signal {signal.SIGSYS.value}: starting again'
        tap.truth(line in said, f'{line}: {said}')


def killed_half(intruder, halves, member, name):
    """That call ends that process; of the opener's half another one comes."""
    before = wait_until(lambda: members(halves), 'all of them')[member]
    tap.equal(intruder.make(name, before), KILLED, f'{member}: {name}')
    if member != 'vmad-worker':
        wait_until(lambda: (members(halves) or {}).get(member, before) != before, f'another {member} after {name}')


def a_directory_of_its_own():
    """of what a process shares out each thread of the opener may have the working directory for itself; worker and sampler end"""
    for sort in (Vmad, Halves):
        with taken_over(sort) as (intruder, found, vmad):
            tap.equal(every_thread(intruder, found['vmad-opener'], DIRECTORY), {0}, 'the opener')
            for member in ('vmad-sampler', 'vmad-worker'):
                killed_half(intruder, vmad, member, DIRECTORY)


def fatal_to_halves():
    """the same ends each process of the two halves; but connect, with which the opener comes to its worker"""
    names = [name for name in FATAL if name != 'connect']
    for some in range(0, len(names), PER_VMAD):
        with taken_over(Halves) as (intruder, found, halves):
            for name in names[some:some + PER_VMAD]:
                killed_half(intruder, halves, 'vmad-sampler', name)
                killed_half(intruder, halves, 'vmad-opener', name)
            killed_half(intruder, halves, 'vmad-worker', names[some])
    with taken_over(Halves) as (intruder, found, halves):
        tap.equal(every_thread(intruder, found['vmad-opener'], 'connect'), {'EBADF'}, 'of the opener')
        for member in ('vmad-sampler', 'vmad-worker'):
            killed_half(intruder, halves, member, 'connect')


if os.geteuid() != 0 or is_sanitized():
    print('1..0 # SKIP needs root, and a build without sanitizers: those need more than the filter lets them')
    sys.exit(0)
CALLS = all_calls()
REFUSED = [name for name in CALLS if name not in ALLOWED + FATAL + OPENERS + MEETERS + WORKERS + [DIRECTORY]]
tap.run([whom_the_test_reaches, without_a_filter, refused, to_each_its_own, to_each_half_its_own, fatal, fatal_to_halves, a_directory_of_its_own])
