# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes to look at, each of another sort: whose they are, and what they let others see.

    with Targets(OWNER, OTHER) as targets:
        targets.pids['owner'], targets.absent['setuid']     {name: pid}, {name: why there is none}
"""
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile

import procfs
from caller import CLONE_NEWPID, CLONE_NEWUSER, libc
from vmad import PR_SET_DUMPABLE

CAT = shutil.which('cat')


def become(uid, gid, inside=0):
    os.setgroups([])
    if inside & CLONE_NEWPID:
        libc('unshare', CLONE_NEWPID)
        child = os.fork()   # only children live in it
        if child:
            os.closerange(3, 1 << 20)   # among them what tells that the program runs
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xff)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if inside & CLONE_NEWUSER:
        libc('unshare', CLONE_NEWUSER)


def only_child(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as children:
        return int(children.read().split()[0])


class Targets:
    """owner and other: their uids, and gids alike."""

    def __init__(self, owner, other):
        self.owner, self.other = owner, other
        self.pids, self.absent = {}, {}
        self._stack = contextlib.ExitStack()
        self.directory = tempfile.mkdtemp(prefix='vmad-targets-')
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        self.program = self._copy('cat', 0, 0, 0o755)
        self._start()

    def _copy(self, name, uid, gid, mode):
        path = shutil.copy(CAT, os.path.join(self.directory, name))
        os.chown(path, uid, gid)
        os.chmod(path, mode)    # after chown, which takes the bits of set ids away
        return path

    def _start(self):
        owner, other = self.owner, self.other
        self._run('owner', self.program, owner, owner)
        self._run('owner in another group', self.program, owner, other)
        self._run('other', self.program, other, other)
        self._run('root', self.program, 0, 0)
        self._run('unreadable program', self._copy('unreadable', 0, 0, 0o711), owner, owner)
        self._run('another pid namespace', self.program, owner, owner, CLONE_NEWPID)
        self._set_ids()
        self._fork('not dumpable', self._undumpable)
        self._fork('zombie', lambda: os._exit(0))
        self._user_namespace()
        if procfs.stat(2) and procfs.stat(2)['comm'] == 'kthreadd':
            self.pids['kernel thread'] = 2
        else:
            self.absent['kernel thread'] = 'pid 2 is none'

    def _run(self, name, path, uid, gid, inside=0):
        """A program that echoes what it reads: once it has, it is what it will be."""
        process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd='/',
                                   preexec_fn=lambda: become(uid, gid, inside))
        self._stack.callback(self._stop, process)
        process.stdin.write(b'\n')
        process.stdin.flush()
        process.stdout.readline()
        self.pids[name] = only_child(process.pid) if inside & CLONE_NEWPID else process.pid

    @staticmethod
    def _stop(process):
        process.stdin.close()
        process.stdout.close()
        process.wait()

    def _set_ids(self):
        for name, gid, mode in (('setuid', self.owner, stat.S_ISUID), ('setgid', self.other, stat.S_ISGID)):
            if os.statvfs(self.directory).f_flag & os.ST_NOSUID:
                self.absent[name] = f'{self.directory} is mounted nosuid'
            else:
                self._run(name, self._copy(name, 0, gid, 0o755 | mode), self.owner, self.owner)

    def _user_namespace(self):
        try:
            self._run("a user namespace of the owner's", self.program, self.owner, self.owner, CLONE_NEWUSER)
        except subprocess.SubprocessError as error:
            self.absent["a user namespace of the owner's"] = str(error)

    def _undumpable(self):
        libc('prctl', PR_SET_DUMPABLE, 0, 0, 0, 0)
        os.write(1, b'\n')
        while True:
            signal.pause()

    def _fork(self, name, live):
        """This very program as the owner; ready when it has written something, or has ended."""
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(send, 1)
            os.close(send)
            try:
                become(self.owner, self.owner)
                live()
            finally:
                os._exit(1)
        os.close(send)
        os.read(receive, 1)
        os.close(receive)
        self._stack.callback(os.waitpid, child, 0)
        self._stack.callback(os.kill, child, signal.SIGKILL)
        self.pids[name] = child

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._stack.close()
