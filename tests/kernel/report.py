# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP of what runs in a guest: its cases are ours."""
import re

number = failed = 0


def say(verdict, text, reason=''):
    """One case."""
    global number, failed
    number += 1
    failed += not verdict
    skip = f' # SKIP {reason}' if reason and verdict else ''
    print(f'{"" if verdict else "not "}ok {number} - {text}{skip}', flush=True)
    if reason and not verdict:
        explain(reason)


def explain(text):
    for line in text.rstrip().split('\n'):
        print(f'# {line}', flush=True)


def pass_on(series, program, text, status):
    """The cases of one program in the guest, as ours."""
    planned = int((re.search(r'^1\.\.(\d+)$', text, re.M) or [0, 0])[1])
    cases = re.findall(r'^(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$', text, re.M)
    comments = re.findall(r'^# .*$', text, re.M)
    for line in comments:
        print(line)
    for bad, sentence, reason in cases:
        say(not bad, f'{series}: {program}: {sentence}', reason)
    if len(cases) != planned or not planned:
        say(False, f'{series}: {program} runs what it planned', f'{len(cases)} of {planned} cases, status {status}\n{text[-2000:]}')


def end():
    """The plan; and the exit status of it all."""
    print(f'1..{number}')
    return failed > 0
