# SPDX-License-Identifier: GPL-2.0-or-later
"""vmad as systemd runs it: installed, booted, asked, killed, reloaded and stopped, in a container with the units as they are."""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import cases  # noqa: E402
import container  # noqa: E402
import tap  # noqa: E402
from vmad import is_sanitized  # noqa: E402

WATCHDOG_SECONDS = 4        # the units' own is longer than a test should take
DROP_IN = f'[Unit]\nStartLimitBurst=100\n[Service]\nWatchdogSec={WATCHDOG_SECONDS}\n'


def who_hangs_is_ended():
    """a worker, or an opener, that does not get on is ended by the watchdog, and it serves again"""
    for name in ('vmad-worker', 'vmad-opener'):
        cases.all_are_there()
        pid = cases.processes()[name]
        os.kill(pid, 19)
        cases.wait_until(lambda: cases.processes().get(name, pid) != pid and cases.serves(), f'another {name}')


def misc_device():
    """The minor number of a miscellaneous device that may be opened without harm, in the place of the helper module's; or None."""
    with open('/proc/misc', encoding='ascii') as file:
        numbers = {name: number for number, name in (line.split() for line in file)}
    return next((numbers[name] for name in ('kvm', 'fuse', 'loop-control', 'cpu_dma_latency', 'hpet') if name in numbers), None)


def the_device_is_let_through():
    """a device like the helper module's can be opened within the unit's device policy, which would refuse it otherwise"""
    minor = misc_device()
    if not minor:
        raise tap.Skip('no device that could stand in for the module\'s')
    box.run('mknod', '/dev/vmad', 'c', '10', minor)
    if os.path.isdir('/sys/fs/cgroup/devices'):     # of version 1; nspawn has it read-only
        box.run('mount', '-o', 'remount,bind,rw', '/sys/fs/cgroup/devices')
        box.run('systemctl', 'daemon-reexec')
    cases.the_device_needs_its_line()


why = container.why_not() or (is_sanitized() and 'the units bound memory to what a vmad without sanitizers needs') or None
if why:
    print(f'1..0 # SKIP {why}')
    sys.exit(0)
container.alone()
with container.Container() as box:
    cases.box = box
    cases.install(DROP_IN)
    begun = time.monotonic()
    box.boot()
    print(f'# booted within {time.monotonic() - begun:.1f} s', flush=True)
    try:
        tap.run([cases.they_start, cases.what_each_may, cases.who_gives_way, cases.root_asks, cases.members_ask, cases.tokens_are_given,
                 cases.metrics_are_there, cases.it_is_told, cases.each_is_killed, cases.the_opener_outlives_its_worker,
                 cases.without_an_opener, who_hangs_is_ended, cases.they_read_again, cases.the_first_client_starts_it,
                 cases.what_is_hidden_stays_so, the_device_is_let_through, cases.they_stop])
    finally:
        said = box.run('journalctl', '--unit=vmad*', '--output=short-monotonic', check=False).stdout.splitlines()
        print(*(f'# {line}' for line in said[-60:]), sep='\n')
