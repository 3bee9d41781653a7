#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completions of vmactl in bash and zsh, with pids and their names from a stand-in for vmad."""
import atexit
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
TOP_BUILDDIR = os.environ.get('TOP_BUILDDIR', TOP_SRCDIR)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402
from fake_vmad import Canned, FakeVmad  # noqa: E402

COMPLETIONS = os.path.join(TOP_SRCDIR, 'contrib/completion')
BASH_COMPLETION = '/usr/share/bash-completion/bash_completion'
SECONDS = 60
ROWS = [{'pid': 4242, 'start_time_ticks': 1, 'comm': 'nginx', 'state': 'S', 'threads': 1, 'vm_size_bytes': 0, 'rss_bytes': 0, 'unit': 'nginx.service'},
        {'pid': 4250, 'start_time_ticks': 1, 'comm': 'sshd', 'state': 'S', 'threads': 1, 'vm_size_bytes': 0, 'rss_bytes': 0, 'unit': 'ssh.service'}]
FAKE = FakeVmad({'/v1/processes': Canned({}, 'processes', ROWS, record='process')})
atexit.register(FAKE.stop)
ENVIRONMENT = {**os.environ, 'PATH': os.path.join(TOP_BUILDDIR, 'client') + ':' + os.environ['PATH'], 'VMACTL_SOCKET': FAKE.socket,
               'LC_ALL': 'C.UTF-8', 'TERM': 'dumb'}
ENVIRONMENT.pop('VMACTL_URL', None)


def bash(line, socket=None):
    """What bash offers at the end of a line."""
    if not os.path.exists(BASH_COMPLETION):
        raise tap.Skip('bash-completion is not installed')
    words = [word for word in re.split(r'([ :=])', line) if word not in ('', ' ')] + ([''] if line.endswith(' ') else [])
    script = f'''
        source {BASH_COMPLETION}
        source {shlex.quote(os.path.join(COMPLETIONS, 'vmactl.bash'))}
        COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1} COMP_LINE={shlex.quote(line)}
        COMP_POINT={len(line)} COMP_TYPE=9 COMP_KEY=9
        _vmactl 2>/dev/null
        ((${{#COMPREPLY[@]}} == 0)) || printf '%s\\n' "${{COMPREPLY[@]}}"'''
    environment = ENVIRONMENT if socket is None else {**ENVIRONMENT, 'VMACTL_SOCKET': socket}
    done = subprocess.run(['bash', '--norc', '-c', script], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
                          check=False, cwd=COMPLETIONS)
    tap.equal(done.stderr, '', f'stderr at {line!r}')
    return done.stdout.splitlines()


def kinds():
    """The names in kinds.def."""
    with open(os.path.join(TOP_SRCDIR, 'include/vmad/kinds.def'), encoding='utf-8') as file:
        return re.findall(r'^KIND\(\w+, "([a-z-]+)"', file.read(), re.M)


def bash_verbs_and_options():
    """bash: verbs, and the options that each of them has"""
    tap.equal(bash('vmactl '), ['ps', 'maps', 'show', 'ops', 'pages', 'rmap', 'frames', 'find', 'file', 'gaps', 'sharing', 'web', 'doctor'], 'verbs')
    tap.equal(bash('vmactl --json m'), ['maps'], 'a verb behind an option')
    tap.equal(bash('vmactl maps --us'), ['--usage'], 'an option of maps')
    tap.equal(bash('vmactl gaps --us'), [], 'no option of gaps')
    tap.truth({'--json', '-J', '--watch', '-h'} <= set(bash('vmactl -')), 'options without a verb')


def bash_pids():
    """bash: pids with their name; a lone one without; names and units"""
    tap.equal(bash('vmactl maps '), ['4242 (nginx)', '4250 (sshd)'], 'pids')
    tap.equal(bash('vmactl maps 425'), ['4250'], 'a lone pid')
    tap.equal(bash('vmactl maps name:ng'), ['nginx'], 'a name (what stands in front of the colon stays)')
    tap.equal(bash('vmactl show unit:'), ['nginx.service', 'ssh.service'], 'units')
    tap.equal(bash('vmactl ps se'), ['self'], 'self')
    tap.equal(bash('vmactl maps ./_v'), ['./_vmactl'], 'a saved document')


def bash_values():
    """bash: columns, kinds, and the last of a list"""
    tap.equal(bash('vmactl maps -o offset'), ['offset_bytes'], 'a column')
    tap.equal(bash('vmactl maps -o start,pss_d'), ['start,pss_dirty_bytes'], 'the last column')
    tap.equal(bash('vmactl maps -o +pss_d'), ['+pss_dirty_bytes'], 'a further column')
    tap.equal(bash('vmactl ps --sort -vma_c'), ['-vma_count'], 'a column to sort by')
    tap.equal(sorted(bash('vmactl find --kind ')), sorted(kinds()), 'kinds')
    tap.equal(bash('vmactl find --kind heap,memf'), ['heap,memfd'], 'the last kind')


def bash_without_vmad():
    """bash: without a daemon the pids come from /proc"""
    found = bash('vmactl maps ', socket='/nowhere')
    tap.truth(any(line.startswith(f'{os.getpid()} (') for line in found), f'{os.getpid()} in {found[:5]}...')


class Zsh:
    """An interactive zsh that knows the completion."""

    def __init__(self):
        if not shutil.which('zsh'):
            raise tap.Skip('zsh is not installed')
        self.directory = tempfile.mkdtemp(prefix='vmactl-zsh-')
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(COMPLETIONS)
            os.execvpe('zsh', ['zsh', '-f', '-i'], ENVIRONMENT)
        self.seen = ''
        self.say(f'PS1= PS2= RPS1=; unsetopt zle_bracketed_paste beep; fpath=({shlex.quote(COMPLETIONS)} $fpath); autoload -Uz compinit; '
                 f'compinit -u -d {self.directory}/dump; LISTMAX=9999; bindkey "^Y" list-choices; '
                 'tell() { print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N tell; bindkey "^X" tell; print re""ady')
        self.until('ready')

    def say(self, line):
        os.write(self.fd, line.encode() + b'\n')

    def until(self, wanted):
        """Everything up to the regular expression."""
        while not re.search(wanted, self.seen):
            if not select.select([self.fd], [], [], SECONDS)[0]:
                raise AssertionError(f'{wanted!r} did not come: {self.seen!r}')
            self.seen += os.read(self.fd, 65536).decode(errors='replace')
        found, self.seen = self.seen, ''
        return found

    def press(self, line, key):
        """Types a line and a key: what is shown, and the line that it has become."""
        os.write(self.fd, line.encode() + key + b'\x18')
        text = self.until(r'<<.*>>')
        return text, re.search(r'<<(.*)>>', text).group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.directory, ignore_errors=True)


def zsh_completes():
    """zsh: verbs, options, pids with their name, columns and kinds"""
    with Zsh() as zsh:
        for line, expected in (('vmactl do', 'vmactl doctor'), ('vmactl maps --us', 'vmactl maps --usage'), ('vmactl maps 425', 'vmactl maps 4250'),
                               ('vmactl maps -o offs', 'vmactl maps -o offset_bytes'), ('vmactl find --kind memf', 'vmactl find --kind memfd')):
            tap.equal(zsh.press(line, b'\t')[1].rstrip(' ,'), expected, line)
        text, _ = zsh.press('vmactl maps ', b'\x19')
        for shown in (r'4242\s+-- nginx', r'4250\s+-- sshd', 'self'):
            tap.truth(re.search(shown, text), f'{shown} in {text!r}')


tap.run([bash_verbs_and_options, bash_pids, bash_values, bash_without_vmad, zsh_completes])
