# SPDX-License-Identifier: GPL-2.0-or-later
"""A running tests/live/victim and the layout that it says it has."""
import os
import shutil
import signal
import subprocess
import tempfile

from vmad import TOP_BUILDDIR

VICTIM = os.path.join(TOP_BUILDDIR, 'tests/live/victim')


class Area:
    """One line of the layout."""

    def __init__(self, words):
        self.name, self.kind = words[0], words[1]
        self.start = int(words[2], 16)
        self.end = int(words[3], 16) if len(words) > 3 else None  # None: start only lies within it
        self.perms = words[4] if len(words) > 3 else None
        self.deleted = len(words) > 3 and words[5] == '1'
        self.shown = b'' if len(words) < 7 or words[6] == '-' else bytes.fromhex(words[6])


class Victim:
    """with Victim() as victim: victim.areas, victim.gaps, victim.absent, victim.tell('unmap anon'). comm: another name for it."""

    def __init__(self, uid=None, comm=None):
        self.directory = tempfile.mkdtemp(prefix='vmad-victim-')
        self.areas, self.gaps, self.absent = {}, [], {}
        program, identity = VICTIM, {}
        if uid is not None:
            os.chown(self.directory, uid, uid)
            program = shutil.copy(VICTIM, os.path.join(self.directory, 'victim'))
            identity = {'user': uid, 'group': uid, 'extra_groups': []}
        elif comm:
            program = os.path.join(self.directory, comm)
            os.symlink(VICTIM, program)
        self.process = subprocess.Popen(
            [program, self.directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd='/', **identity
        )
        self.pid = self.process.pid
        self._read_layout()

    def _read_layout(self):
        for line in self.process.stdout:
            what, *words = line.decode().rstrip('\n').split('\t')
            if what == 'ready':
                return
            if what == 'gap':
                self.gaps.append((int(words[1], 16), int(words[2], 16)))
            elif what == 'absent':
                self.absent[words[0]] = words[1]
            else:
                self.areas[words[0]] = Area(words)
        raise RuntimeError('the victim did not get ready')

    def tell(self, command):
        """Gives a command and waits until it is done; returns what the victim said behind "done"."""
        self.process.stdin.write(command.encode() + b'\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().split()[1:]

    def freeze(self):
        """Stops it, and waits until it has stopped."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
