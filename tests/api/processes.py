# SPDX-License-Identifier: GPL-2.0-or-later
"""As root vmad is several processes: what each may, what happens when one is killed, and what each gives back."""
import hashlib
import os
import re
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from memory import holds  # noqa: E402
from vmad import NOBODY, Vmad, free_port, is_sanitized  # noqa: E402
from wire import Wire, descriptors, wait_until  # noqa: E402
from workdir import directories, some_have_own  # noqa: E402

MEMBERS = ('vmad-opener', 'vmad-worker', 'vmad-sampler')
SELF = f'/v1/processes/{os.getpid()}/vmas'
CHANNELS = 4    # that the worker may have made meanwhile (daemon/opener/thread/queue.h)
# capabilities(7), by their numbers
PTRACE, SYS_ADMIN, READ_SEARCH, SETGID, SETUID, SETPCAP = 19, 21, 2, 6, 7, 8
OPENER = {PTRACE, SYS_ADMIN, READ_SEARCH, SETGID, SETUID}


def all_of(vmad):
    """All of its processes: {comm: pid}. The sampler has its name, and no privilege, a moment after vmad is ready."""
    def found():
        own = vmad.processes()
        return own if set(own) == {'vmad', *MEMBERS} and status(own['vmad-sampler'], 'Uid')[0] != '0' else None

    return wait_until(found, 'all are there')


def status(pid, field):
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
        return re.search(rf'^{field}:[ \t]*(.*)$', file.read(), re.M).group(1)


def capabilities(pid, which):
    mask = int(status(pid, which), 16)
    return {bit for bit in range(64) if mask >> bit & 1}


def is_dumpable(pid):
    """/proc/PID belongs to root where it is not (proc(5))."""
    return os.stat(f'/proc/{pid}/environ').st_uid == int(status(pid, 'Uid').split()[1]) != 0


def what_each_may():
    """the opener has its five capabilities; worker and sampler are another user with none; nobody gains by exec, all are filtered"""
    with Vmad() as vmad:
        own = all_of(vmad)
        # vmad is ready before it is; it reads of no process before
        wait_until(lambda: is_sanitized() or status(own['vmad-sampler'], 'Seccomp') == '2', 'the sampler is confined')
        held = capabilities(os.getpid(), 'CapPrm')
        for which in ('CapPrm', 'CapEff', 'CapBnd'):
            tap.equal(capabilities(own['vmad-opener'], which), OPENER & held, f'opener {which}')
            tap.equal(capabilities(own['vmad'], which), (OPENER | {SETPCAP}) & held, f'vmad {which}')
            for name in ('vmad-worker', 'vmad-sampler'):
                tap.equal(capabilities(own[name], which), set(), f'{name} {which}')
        for name in ('vmad-worker', 'vmad-sampler'):
            uids = set(status(own[name], 'Uid').split())
            tap.truth(len(uids) == 1 and uids != {'0'}, f'{name} {uids}')
            tap.equal(status(own[name], 'Groups').strip(), '', f'{name} groups')
            tap.equal(is_dumpable(own[name]), False, f'{name} dumpable')
        for name, pid in own.items():
            tap.equal(status(pid, 'NoNewPrivs'), '1', f'{name} no_new_privs')
            for inherited in ('CapInh', 'CapAmb'):
                tap.equal(capabilities(pid, inherited), set(), f'{name} {inherited}')
            if name != 'vmad' and not is_sanitized():
                tap.equal(status(pid, 'Seccomp'), '2', f'{name} seccomp')


def who_holds_what():
    """no listener is the opener's or the sampler's; of a client's socket the opener has a copy, as long as there is a client"""
    with Vmad(listen=[f'tcp:127.0.0.1:{free_port()}']) as vmad:
        own = all_of(vmad)
        sockets = {name: inodes(pid) for name, pid in own.items()}
        listeners = sockets['vmad'] & sockets['vmad-worker']
        tap.truth(len(listeners) >= 2, f'listeners {listeners}')
        tap.equal(listeners & (sockets['vmad-opener'] | sockets['vmad-sampler']), set(), 'listeners of others')
        with Wire(vmad.socket) as wire:
            tap.equal(wire.get(SELF).status, 200, 'a client')
            tap.equal(len(shared(own)), 1, 'its socket is the worker\'s and, to see it end, the opener\'s')
        wait_until(lambda: not shared(own), 'the end of both')


def shared(own):
    return inodes(own['vmad-opener']) & inodes(own['vmad-worker'])


def inodes(pid):
    found = set()
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.add(os.readlink(f'/proc/{pid}/fd/{fd}'))
        except FileNotFoundError:   # closed meanwhile
            pass
    return {link for link in found if link.startswith('socket:')}


def where_threads_rest():
    """the opener's threads go into the directories of processes, each for itself, and stay in none; all others stay where vmad started"""
    with Vmad() as vmad:
        own = all_of(vmad)
        tap.equal(vmad.get('/v1/vmas').status, 200, 'those of all processes')
        for name, pid in own.items():
            wait_until(lambda pid=pid: directories(pid) == {'/'}, f'{name}: none of them is in a process\'s')
            tap.truth(some_have_own(pid) in (name == 'vmad-opener', None), f'{name}: some have directories of their own')


def nothing_piles_up():
    """after many connections, tokens and aborted requests the opener holds what it held before"""
    with tempfile.NamedTemporaryFile('w') as tokens:
        tokens.write(f'sha256:{hashlib.sha256(b"t").hexdigest()} uid={NOBODY} gid={NOBODY}\n')
        tokens.flush()
        port = free_port()
        with Vmad(listen=[f'tcp:127.0.0.1:{port}'], arguments=['--token-file', tokens.name]) as vmad:
            opener = vmad.processes()['vmad-opener']
            for _ in range(4):
                tap.equal(vmad.get(SELF).status, 200, 'first')
            before = descriptors(opener)
            for _ in range(100):
                tap.equal(vmad.get('/v1/processes?limit=1').status, 200, 'connection')
                with Wire(vmad.socket) as wire:
                    wire.send(f'GET {SELF} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
                with Wire(('127.0.0.1', port)) as wire:
                    tap.equal(wire.get('/v1/processes?limit=1', 'Authorization: Bearer t').status, 200, 'token')
            wait_until(lambda: descriptors(opener) <= before + CHANNELS, f'descriptors as before, {before}')


def serves(vmad):
    """A whole answer, of a process."""
    try:
        return vmad.get(SELF, timeout=5).status == 200
    except OSError:
        return False
    except Exception:  # http.client's own: a connection that ended
        return False


def each_is_killed():
    """kill -9 of each: it serves again, on the same sockets, and says what has happened"""
    with Vmad() as vmad:
        main = vmad.main_pid
        for name in (*MEMBERS, 'vmad-worker', 'vmad-opener'):
            before = all_of(vmad)
            os.kill(before[name], signal.SIGKILL)
            began = time.monotonic()
            wait_until(lambda: vmad.processes().get(name, before[name]) != before[name] and serves(vmad), f'an answer after {name}')
            print(f'# {name}: served again after {time.monotonic() - began:.2f} s', flush=True)
            tap.truth(any('starting again' in line for line in vmad.log), f'{name}: {vmad.log}')
        tap.equal(vmad.main_pid, main, 'the same vmad')


def no_client_hangs():
    """while the opener is killed again and again under load: 200, 503 or an end of the connection; nobody is left waiting"""
    with Vmad() as vmad:
        seen, slowest, end = {}, [0], time.monotonic() + 3

        def ask():
            while time.monotonic() < end:
                began = time.monotonic()
                try:
                    answer = vmad.get('/v1/processes?detail=vmas').status
                except TimeoutError:
                    answer = 'timeout'
                except Exception:  # the worker goes with its opener
                    answer = 'closed'
                seen[answer] = seen.get(answer, 0) + 1
                slowest[0] = max(slowest[0], time.monotonic() - began)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            opener = wait_until(lambda: vmad.processes().get('vmad-opener'), 'an opener')
            os.kill(opener, signal.SIGKILL)
            wait_until(lambda: vmad.processes().get('vmad-opener', opener) != opener and serves(vmad), 'another one')
        for thread in threads:
            thread.join()
        tap.truth(set(seen) <= {200, 503, 'closed'} and seen.get(200), f'{seen}')
        print(f'# {seen}, the slowest after {slowest[0]:.1f} s', flush=True)
        tap.equal(serves(vmad), True, 'in the end')


def a_stopped_opener():
    """an opener that does not answer: 504 within some seconds, and all is well when it goes on"""
    with Vmad() as vmad, Wire(vmad.socket) as wire:
        tap.equal(wire.get(SELF).status, 200, 'known already')
        opener = vmad.processes()['vmad-opener']
        os.kill(opener, signal.SIGSTOP)
        wait_until(lambda: status(opener, 'State')[0] == 'T', 'a stop')
        reply = wire.get(SELF)
        tap.equal(reply.status, 504, reply.body)
        reply = vmad.get('/v1/health')
        tap.equal((reply.status, reply.headers['Retry-After'] is not None), (503, True), 'one whom it does not know yet')
        tap.equal(wire.get('/v1/health').status, 200, 'one whom it knows')
        os.kill(opener, signal.SIGCONT)
        wait_until(lambda: serves(vmad), 'an answer')


def again_and_again():
    """an opener that ends whenever it is started: vmad gives up with status 1, and lets its service manager decide"""
    if is_sanitized():
        raise tap.Skip('it takes longer to start ten times than the half minute that counts')
    vmad = Vmad()
    try:
        for _ in range(30):
            if vmad.process.poll() is not None:
                break
            opener = vmad.processes().get('vmad-opener')
            if opener:
                try:
                    os.kill(opener, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                wait_until(lambda: vmad.process.poll() is not None or vmad.processes().get('vmad-opener', opener) != opener, 'a change')
        wait_until(lambda: vmad.process.poll() is not None, 'the end')
        tap.equal(vmad.process.returncode, 1, 'status')
        wait_until(lambda: 'vmad: it ends again and again: giving up' in vmad.log, 'why, in the log')
    finally:
        vmad.stop()


def the_main_one_is_killed():
    """kill -9 of the one that was started: the others do not stay behind"""
    vmad = Vmad()
    own = all_of(vmad)
    vmad.stop(signal.SIGKILL)
    wait_until(lambda: not [name for name, pid in own.items() if is_alive(pid)], 'all gone')


def is_alive(pid):
    try:
        return status(pid, 'State')[0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return False


def line(token):
    return f'sha256:{hashlib.sha256(token.encode()).hexdigest()} uid={NOBODY} gid={NOBODY}\n'


class Tokens:
    """A token file, and a vmad that reads it."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile('w')
        self.write('old', 'kept')
        port = free_port()
        self.where = '127.0.0.1', port
        self.vmad = Vmad(listen=[f'tcp:127.0.0.1:{port}'], arguments=['--token-file', self.file.name])
        return self

    def __exit__(self, *error):
        self.vmad.__exit__(*error)
        self.file.close()

    def write(self, *tokens, wrong=''):
        self.file.seek(0)
        self.file.truncate()
        self.file.write(''.join(map(line, tokens)) + wrong)
        self.file.flush()

    def read_again(self):
        os.kill(self.vmad.main_pid, signal.SIGHUP)

    def answers(self, wire=None):
        """What is told to who has each of them."""
        if not wire:
            with Wire(self.where) as wire:
                return self.answers(wire)
        return [wire.get('/v1/processes?limit=1', f'Authorization: Bearer {token}').status for token in ('old', 'kept', 'new')]


def tokens_are_read_again():
    """SIGHUP: new tokens are known, those that stayed still are, and old ones are not, without a break; a file that is wrong changes nothing"""
    with Tokens() as tokens, Wire(tokens.where) as wire:
        tap.equal(tokens.answers(wire), [200, 200, 401], 'at first')
        tokens.write('kept', 'new')
        tokens.read_again()
        wait_until(lambda: tokens.answers(wire) == [401, 200, 200], 'the new one')
        tokens.write(wrong='nonsense\n')
        tokens.read_again()
        wait_until(lambda: any('sha256:' in text for text in tokens.vmad.log), 'a line on what is wrong')
        tap.equal(tokens.answers(wire), [401, 200, 200], 'as before')
        tap.equal([text for text in tokens.vmad.log if 'sha256:' in text and re.search('[0-9a-f]{64}', text)], [], 'a hash in the log')


def another_opener(vmad):
    """Kills the one that is there."""
    before = all_of(vmad)
    os.kill(before['vmad-opener'], signal.SIGKILL)
    wait_until(lambda: not {before['vmad-opener'], before['vmad-worker']} & set(all_of(vmad).values()), 'others')
    wait_until(lambda: vmad.get('/v1/health').status == 200, 'an answer')


def another_opener_knows_the_tokens():
    """a token that was taken out is no more known by an opener that comes in the place of another, though the file is wrong by then"""
    def kill_opener():
        another_opener(tokens.vmad)
        return tokens.answers()

    with Tokens() as tokens:
        tap.equal(kill_opener(), [200, 200, 401], 'nothing has changed')
        tokens.write('kept', 'new')
        tap.equal(kill_opener(), [200, 200, 401], 'nobody has said that the file has changed')
        tokens.read_again()
        wait_until(lambda: tokens.answers() == [401, 200, 200], 'the new one')
        tap.equal(kill_opener(), [401, 200, 200], 'another opener')
        tokens.write(wrong='nonsense\n')
        tap.equal(kill_opener(), [401, 200, 200], 'another one, while the file is wrong')
        tokens.read_again()
        wait_until(lambda: any('sha256:' in text for text in tokens.vmad.log), 'a line on what is wrong')
        tap.equal(kill_opener(), [401, 200, 200], 'and once that was said')
        os.unlink(tokens.file.name)
        tap.equal(kill_opener(), [401, 200, 200], 'and where there is no file')
        tokens.file = tempfile.NamedTemporaryFile('w')


def who_knows_tokens():
    """the hashes of tokens are in the opener's memory, and in that of who starts it, but not in the worker's or the sampler's"""
    digest = hashlib.sha256(b'old').digest()
    secrets = digest, digest.hex().encode()
    with Tokens() as tokens:
        tap.equal(tokens.answers(), [200, 200, 401], 'they are known')
        for _ in range(2):
            knows = {name: holds(pid, secrets) for name, pid in all_of(tokens.vmad).items()}
            tap.equal(knows, {'vmad': True, 'vmad-opener': True, 'vmad-worker': False, 'vmad-sampler': False}, 'who knows them')
            tokens.write('old', 'kept', 'new')
            tokens.read_again()
            wait_until(lambda: tokens.answers() == [200, 200, 200], 'the new one')
            another_opener(tokens.vmad)


if os.geteuid() != 0:
    print('1..0 # SKIP needs root: an ordinary user\'s vmad is one process')
    sys.exit(0)
tap.run([what_each_may, who_holds_what, where_threads_rest, nothing_piles_up, each_is_killed, no_client_hangs, a_stopped_opener,
         again_and_again, the_main_one_is_killed, tokens_are_read_again, another_opener_knows_the_tokens, who_knows_tokens])
