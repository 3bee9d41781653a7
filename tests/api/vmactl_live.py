#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmactl and a real vmad, held against what /proc says; and --local, which starts one by itself."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
TOP_BUILDDIR = os.environ.get('TOP_BUILDDIR', TOP_SRCDIR)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402
from vmad import BINARY, NOBODY, Vmad  # noqa: E402

VMACTL = os.path.join(TOP_BUILDDIR, 'client/vmactl')
SECONDS = 60
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith('VMACTL_')} | {'LC_ALL': 'C.UTF-8'}


class Sleeper:
    """A process that stays as it is while a case looks at it: cat, once it has handed back what it was given."""

    def __init__(self):
        self.process = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(b'x')
        self.process.stdin.flush()
        self.process.stdout.read(1)
        self.pid = str(self.process.pid)
        while self.state() != 'S':      # until it waits for more
            pass

    def state(self):
        with open(f'/proc/{self.pid}/stat', encoding='ascii') as file:
            return file.read().rsplit(')', 1)[1].split()[0]

    def maps(self):
        """[[range, perms, offset, device, inode, path], ...]"""
        with open(f'/proc/{self.pid}/maps', encoding='utf-8') as file:
            return [line.rstrip('\n').split(None, 5) for line in file]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def run(vmad, *arguments, **more):
    """Runs vmactl against a vmad, or as it stands where that is None."""
    place = ['--socket', vmad.socket] if vmad else []
    return subprocess.run([VMACTL, *place, *arguments], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=SECONDS, check=False, text=True, **more)


def good(done, code=0):
    """Its output, where it ended as expected."""
    tap.equal(done.returncode, code, f'exit code ({done.stderr})')
    return done.stdout


def maps_agree_with_proc():
    """maps shows what /proc/PID/maps holds, in every form"""
    with Vmad() as vmad, Sleeper() as cat:
        truth = [row[:2] for row in cat.maps()]
        tap.equal([line.split() for line in good(run(vmad, 'maps', '-n', '-o', 'range,perms', cat.pid)).splitlines()], truth, 'table')
        tap.equal([line.split() for line in good(run(vmad, 'maps', '-rn', '-o', 'range,perms', cat.pid)).splitlines()], truth, 'raw')
        document = json.loads(good(run(vmad, 'maps', '-J', cat.pid)))
        tap.equal([[f'{row["start"][2:]}-{row["end"][2:]}', row['perms']] for row in document['vmas']], truth, 'document')
        lines = [json.loads(line) for line in good(run(vmad, 'maps', '--ndjson', cat.pid)).splitlines()]
        tap.equal(len(lines), len(truth) + 2, 'lines')
        tap.truth(re.match(rf'process {cat.pid}, cat: {len(truth)} VMAs, complete \(maps\)\n', good(run(vmad, 'maps', cat.pid))), 'first line')


def json_is_the_daemons():
    """--json is what vmad answers to the same question, byte for byte"""
    with Vmad() as vmad, Sleeper() as cat:
        for path, arguments in ((f'/v1/processes/{cat.pid}/vmas', ['maps', cat.pid]), (f'/v1/processes/{cat.pid}/pages/0x1000', ['show', cat.pid, '1000']),
                                ('/v1/capabilities', ['doctor'])):
            tap.equal(good(run(vmad, '--json', *arguments)).encode(), vmad.get(path).body, path)


def usage_is_shown():
    """maps --usage and a column of smaps show what is resident"""
    with Vmad() as vmad, Sleeper() as cat:
        rows = [line.split() for line in good(run(vmad, 'maps', '-bn', '-o', 'rss,pss,flags', cat.pid)).splitlines()]
        tap.equal(len(rows), len(cat.maps()), 'rows')
        tap.truth(any(int(row[0]) > 0 and 'rd' in row[2:] for row in rows), rows)


def an_address_is_explained():
    """show: the VMA that holds an address, by the address and by FILE+OFFSET, a gap as a gap"""
    with Vmad() as vmad, Sleeper() as cat:
        code = next(row for row in cat.maps() if row[1] == 'r-xp' and '/libc.so' in row[5])
        start, offset, base = int(code[0].split('-')[0], 16), int(code[2], 16), os.path.basename(code[5])
        text = good(run(vmad, 'show', cat.pid, f'{start + 0x123:x}'))
        tap.truth(text.startswith(f'{start + 0x123:x}   {base} + 0x{offset + 0x123:x} '), text)
        tap.truth(f'VMA      {code[0]}  r-xp' in text, text)
        tap.equal(good(run(vmad, 'show', cat.pid, f'{base}+{offset + 0x123:x}')).splitlines()[0], text.splitlines()[0], 'FILE+OFFSET')
        tap.truth('\nflags    rd ' in good(run(vmad, 'show', '--usage', cat.pid, f'{start:x}')), 'flags')
        tap.truth('\ngap      0-' in good(run(vmad, 'show', cat.pid, '0')), 'the gap below')


def processes_are_listed():
    """ps counts VMAs, by pid and by name; find looks into all processes"""
    with Vmad() as vmad, Sleeper() as cat:
        count = len(cat.maps())
        for target in ([cat.pid], ['name:cat'], ['--comm', 'cat'], []):
            rows = [line.split() for line in good(run(vmad, 'ps', '-rn', '-o', 'pid,comm,vma_count', *target)).splitlines()]
            tap.truth([cat.pid, 'cat', str(count)] in rows, f'{target}: {rows}')
        rows = good(run(vmad, 'find', '-rn', '-o', 'pid,perms', '--comm', 'cat', '--kind', 'stack')).splitlines()
        tap.truth(f'{cat.pid} rw-p' in rows, rows)
        tap.equal(good(run(vmad, 'maps', 'self', '-rn', '-o', 'comm', '--kind', 'stack')), 'vmactl\n', 'self')


def errors_of_a_real_vmad():
    """a process that is not there: one line, exit 3; a limit is no partial answer"""
    with Vmad() as vmad, Sleeper() as cat:
        pass
    with Vmad() as vmad:
        done = run(vmad, 'maps', cat.pid)
        tap.equal((done.returncode, done.stdout, done.stderr), (3, '', f'vmactl: process {cat.pid}: no such process\n'), 'gone')
        tap.truth('the first ones only' in good(run(vmad, 'maps', 'self', '--limit', '3')), 'limit')
        tap.equal(run(vmad, 'show', 'self', '7ffffffffffff000').returncode, 0, 'an address that nobody has')


def others_are_not_shown():
    """a caller who may not read a process: exit 4, and what would mend it"""
    if os.getuid() != 0:
        raise tap.Skip('needs root to become somebody else')
    with Vmad(open_to_all=True) as vmad, Sleeper() as cat, tempfile.TemporaryDirectory() as directory:
        vmactl = shutil.copy(VMACTL, directory)
        os.chmod(directory, 0o755)
        done = subprocess.run([vmactl, '--socket', vmad.socket, 'maps', cat.pid], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS, check=False, text=True, user=NOBODY, group=NOBODY, extra_groups=[], cwd='/')
        tap.equal((done.returncode, done.stdout), (4, ''), done.stderr)
        tap.truth(done.stderr.startswith('vmactl: not allowed: ') and '\n  mend: ' in done.stderr, done.stderr)


def saved_from_a_real_vmad():
    """what --json and --ndjson saved is shown as it was live"""
    with Vmad() as vmad, Sleeper() as cat, tempfile.TemporaryDirectory() as directory:
        live = good(run(vmad, 'maps', cat.pid))
        for form in ('--json', '--ndjson'):
            path = os.path.join(directory, 'saved')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(good(run(vmad, 'maps', cat.pid, form)))
            tap.equal(good(run(None, 'maps', path)), live, form)


class Local:
    """--local with its directory in a place of our own, so that what it leaves behind can be seen."""

    def __init__(self):
        self.runtime = tempfile.mkdtemp(prefix='vl-')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.runtime, ignore_errors=True)

    def start(self, *arguments, vmactl=VMACTL):
        return subprocess.Popen([vmactl, '--local', *arguments], env={**ENVIRONMENT, 'XDG_RUNTIME_DIR': self.runtime}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def vmads(self):
        """The processes that serve a socket below our place."""
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/cmdline', encoding='utf-8', errors='replace') as file:
                    words = file.read().split('\0')
            except OSError:
                continue
            if any(word.startswith(f'unix:{self.runtime}/') for word in words):
                found.append(pid)
        return found

    def nothing_is_left(self):
        tap.equal((os.listdir(self.runtime), self.vmads()), ([], []), 'what is left: files, processes')


def local_starts_one():
    """--local starts a private vmad, and leaves nothing behind"""
    with Local() as local, Sleeper() as cat:
        done = local.start('maps', '-rn', '-o', 'range,perms', cat.pid)
        out, err = done.communicate(timeout=SECONDS)
        tap.equal((done.returncode, err), (0, ''), 'end')
        tap.equal([line.split() for line in out.splitlines()], [row[:2] for row in cat.maps()], 'rows')
        local.nothing_is_left()
        done = local.start('maps', '4194304')
        tap.equal((done.communicate(timeout=SECONDS), done.returncode), (('', 'vmactl: process 4194304: no such process\n'), 3), 'an error')
        local.nothing_is_left()


def local_is_private():
    """--local: a directory that only its user can enter; ^C ends both and clears it away"""
    with Local() as local:
        for signum, code in ((signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)):
            watch = local.start('--watch=0.1', 'maps', 'self', '-n', '-o', 'kind')
            watch.stdout.readline()
            place = os.path.join(local.runtime, os.listdir(local.runtime)[0])
            tap.equal(os.stat(place).st_mode & 0o777, 0o700, 'mode of the directory')
            tap.equal(os.stat(os.path.join(place, 'vmad.sock')).st_mode & 0o007, 0, 'others at the socket')
            tap.truth(local.vmads(), 'a private vmad')
            watch.send_signal(signum)
            watch.communicate(timeout=SECONDS)
            tap.equal(watch.returncode, code, f'end by {signum}')
            local.nothing_is_left()


def local_that_cannot_start():
    """--local: a vmad that does not start is said in its own words; exit 5"""
    with Local() as local, tempfile.TemporaryDirectory() as directory:
        for place in ('client', 'daemon'):
            os.mkdir(os.path.join(directory, place))
        vmactl = shutil.copy(VMACTL, os.path.join(directory, 'client'))
        vmad = os.path.join(directory, 'daemon/vmad')
        with open(vmad, 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\necho "vmad: the stars are wrong" >&2\nexit 1\n')
        os.chmod(vmad, 0o755)
        done = local.start('ps', vmactl=vmactl)
        tap.equal((done.communicate(timeout=SECONDS), done.returncode), (('', 'vmactl: the private vmad ended: the stars are wrong\n'), 5), 'end')
        local.nothing_is_left()


def need_vmad(case):
    """Skips a case where the daemon was not built."""
    def run_it():
        if not os.access(BINARY, os.X_OK):
            raise tap.Skip('there is no vmad in the build tree')
        case()
    run_it.__doc__ = case.__doc__
    return run_it


tap.run([need_vmad(case) for case in (
    maps_agree_with_proc, json_is_the_daemons, usage_is_shown, an_address_is_explained, processes_are_listed, errors_of_a_real_vmad,
    others_are_not_shown, saved_from_a_real_vmad, local_starts_one, local_is_private, local_that_cannot_start)])
