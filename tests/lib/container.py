# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian that systemd has booted: this host's own root, read-only, below a tmpfs that takes what is written.

    container.alone()
    with Container() as box:        # box.root: its root, before it boots
        box.boot()
        box.run('systemctl', 'status').stdout

Nothing of it is seen by anybody else, and nothing stays: mounts are those of a mount namespace, processes of a pid namespace,
and control groups of a directory of their own.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from root import Root

NSPAWN = 'systemd-nspawn'
INIT = '/lib/systemd/systemd'
BOOT_SECONDS = 60
# What this host starts, or keeps, is not the container's affair.
NOT_THERE = ['etc/systemd/system/*', 'etc/rc?.d/*', 'etc/fstab', 'var/log/journal', 'etc/machine-id', 'etc/systemd/*.d', 'run/*']


def why_not():
    """Why there can be none here; or None."""
    if os.geteuid() != 0:
        return 'needs root'
    for program in (NSPAWN, INIT, 'nsenter', 'unshare'):
        if not shutil.which(program):
            return f'{program} is not installed'
    probe = subprocess.run(['unshare', '--mount', '--pid', '--fork', '--mount-proc', 'true'], capture_output=True, text=True, check=False)
    if probe.returncode:
        return f'no namespaces of its own: {probe.stderr.strip()}'
    return None if any(os.access(base, os.W_OK) for base in hierarchies()) else 'no control group can be made'


def alone():
    """Goes on in a mount and a pid namespace of its own: nothing outlives this process, however it ends."""
    if 'VMAD_ALONE' not in os.environ:
        os.environ['VMAD_ALONE'] = '1'
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork', '--kill-child',
                              sys.executable, *sys.argv])


def hierarchies():
    """Where systemd keeps its control groups: alone, or beside others' of version 1."""
    found = [path for path in ('/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified') if os.path.isdir(path)]
    return found or ['/sys/fs/cgroup']


def mount(*arguments):
    subprocess.run(['mount', *arguments], check=True)


class Container(Root):
    """See above."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='vmad-container-')
        mount('-t', 'tmpfs', '-o', 'mode=755', 'vmad-container', self.directory)
        parts = {name: os.path.join(self.directory, name) for name in ('upper', 'work', 'root')}
        for path in parts.values():
            os.mkdir(path)
        mount('-t', 'overlay', '-o', f'lowerdir=/,upperdir={parts["upper"]},workdir={parts["work"]}', 'vmad-container', parts['root'])
        super().__init__(parts['root'])
        for pattern in NOT_THERE:
            for path in glob.glob(os.path.join(self.root, pattern)):
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        self.name = os.path.basename(self.directory).replace('_', '0')
        self.groups = [os.path.join(base, self.name) for base in hierarchies()]
        self.nspawn = None
        self.init = None

    def _enter_groups(self):
        for group in self.groups:
            os.makedirs(group, exist_ok=True)
            with open(os.path.join(group, 'cgroup.procs'), 'w', encoding='ascii') as file:
                file.write('0')

    def boot(self):
        """Returns once its systemd hears systemctl."""
        with open(os.path.join(self.directory, 'console'), 'wb') as console:
            self.nspawn = subprocess.Popen(
                [NSPAWN, '--quiet', '--directory', self.root, '--machine', self.name, '--register=no', '--keep-unit',
                 '--private-network', '--link-journal=no', '--console=pipe', INIT, '--show-status=no', 'systemd.unit=multi-user.target'],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=self._enter_groups,
                env={**os.environ, 'SYSTEMD_SECCOMP': '0'})     # a host has no filter of nspawn's
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end and self.nspawn.poll() is None:
            self.init = self.init or self._find_init()
            if self.init and self.run('systemctl', 'show', '--property=Version', check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f'it does not boot: {self.console()}')

    def _find_init(self):
        for pid in children(self.nspawn.pid):
            try:
                if os.readlink(f'/proc/{pid}/exe').endswith('/systemd'):
                    return pid
            except OSError:
                pass
        return None

    def console(self):
        with open(os.path.join(self.directory, 'console'), encoding='utf-8', errors='replace') as file:
            return file.read()

    def command(self, *command):
        return ['nsenter', '--target', str(self.init), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd', *command]

    def run(self, *command, check=True, timeout=60):
        """A command in it, as root."""
        done = subprocess.run(self.command(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                              check=False, env={'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'})
        if check and done.returncode:
            raise AssertionError(f'{" ".join(command)}: status {done.returncode}: {done.stdout}{done.stderr}')
        return done

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.nspawn:
            if self.init:
                os.kill(self.init, signal.SIGKILL)      # and with it all that is in its pid namespace
            try:
                self.nspawn.wait(10)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        for group in self.groups:
            for directory, _, _ in os.walk(group, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:     # one that the kernel has not done with yet
                    pass
        subprocess.run(['umount', '--lazy', self.root, self.directory], check=False)
        os.rmdir(self.directory)


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []
