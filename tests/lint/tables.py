#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The .def tables agree with each other: names are unique, explained, used, and of the kind that clients may rely on."""
import os
import re
import sys

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z_0-9]+(?:\([a-z_0-9]*\))?)|([(),])')
SNAKE = re.compile(r'[a-z][a-z0-9]*(_[a-z0-9]+)*$')
NUMBERS = {'U64', 'RATIO'}


def text(path):
    """A file without its comments."""
    with open(os.path.join(TOP_SRCDIR, path), encoding='utf-8') as file:
        return re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)


def macros(source):
    """#define NAME words, without arguments: {name: words}."""
    return dict(re.findall(r'^#define (\w+) (.*)$', source, re.M))


def rows(path):
    """The rows of a table: (macro, [column, ...]); a column is a string's text, or its words with single blanks."""
    source = text(path)
    short = macros(source)
    source = re.sub(r'^#.*$', '', source, flags=re.M)
    for name, words in short.items():
        source = re.sub(rf'\b{name}\b', words, source)
    found = []
    for macro, body in re.findall(r'^([A-Z]+)\((.*?)\)$', source, re.M | re.S):
        columns = [[]]
        for string, word, mark in TOKEN.findall(body):
            if mark == ',':
                columns.append([])
            else:
                columns[-1].append(word or string)
        found.append((macro, [' '.join(column) for column in columns]))
    return found


FIELDS = rows('include/vmad/fields.def')
PARAMS = [columns for _, columns in rows('include/vmad/params.def')]
ROUTES = [columns for _, columns in rows('include/vmad/routes.def')]
PROBLEMS = [columns for _, columns in rows('include/vmad/problems.def')]
KINDS = [columns for _, columns in rows('include/vmad/kinds.def')]
METRICS = rows('include/vmad/metrics.def')
VMFLAGS = [columns for _, columns in rows('include/vmad/vmflags.def')]


def records():
    """{record: [its rows]} of fields.def."""
    found = {}
    for macro, columns in FIELDS:
        if macro == 'RECORD':
            found[columns[0]] = []
        elif macro != 'END':
            found[columns[0]].append((macro, columns))
    return found


def json_name(row):
    """The JSON name of a FIELD or SUB row."""
    macro, columns = row
    return columns[4] if macro == 'FIELD' else columns[3]


def route_records(route, always=False):
    """The records of a route's HEAD, ROWS and TAIL; only those that are always there, if so asked."""
    which = re.compile(r'R\((\w+)\)' if always else r'[RO]\((\w+)\)')
    return [which.findall(route[place]) for place in (4, 6, 7)]


def repeated(names):
    """Those that are there more than once."""
    return sorted({name for name in names if names.count(name) > 1})


def every_table_has_rows():
    """each table has rows, and each row all of its columns"""
    widths = [(PARAMS, 5), (ROUTES, 10), (PROBLEMS, 5), (KINDS, 3), (VMFLAGS, 2)]
    for table, width in widths:
        tap.truth(len(table) > 3, f'a table of {width} columns has {len(table)} rows')
        tap.equal([row for row in table if len(row) != width], [], f'rows that do not have {width} columns')
    wide = {'RECORD': 2, 'FIELD': 6, 'SUB': 5, 'LIST': 5, 'END': 1}
    tap.equal([row for row in FIELDS if len(row[1]) != wide[row[0]]], [], 'malformed rows of fields.def')


def records_open_and_close():
    """each record of fields.def is opened once and closed by its own END"""
    now = None
    for macro, columns in FIELDS:
        if macro == 'RECORD':
            tap.equal(now, None, f'open when {columns[0]} begins')
            now = columns[0]
            continue
        tap.equal(columns[0], now, f'record of {macro}({", ".join(columns[:2])})')
        if macro == 'END':
            now = None
    tap.equal(now, None, 'open at the end')
    tap.equal(repeated([columns[0] for macro, columns in FIELDS if macro == 'RECORD']), [], 'records')


def names_are_unique():
    """ids and names are unique in their tables"""
    for record, members in records().items():
        tap.equal(repeated([json_name(row) for row in members]), [], f'JSON names of {record}')
        tap.equal(repeated([columns[1] for _, columns in members]), [], f'members of {record}')
    for table, places in ((PARAMS, [0]), (PROBLEMS, [0, 1]), (KINDS, [0, 1]), (VMFLAGS, [0]), (ROUTES, [0])):
        for place in places:
            tap.equal(repeated([row[place] for row in table]), [], f'column {place}')
    tap.equal(repeated([(row[1], row[2]) for row in ROUTES]), [], 'method and path')


def names_are_snake_case():
    """JSON names and parameters are in snake_case"""
    found = [json_name(row) for members in records().values() for row in members] + [row[1] for row in PARAMS]
    tap.equal([name for name in found if not SNAKE.match(name)], [], 'names')


def sizes_name_their_unit():
    """a number whose name says size, rss or offset says its unit too"""
    found = [columns[4] for macro, columns in FIELDS if macro == 'FIELD' and columns[2] in NUMBERS]
    tap.truth(len(found) > 20, f'{len(found)} numbers')
    sizes = [name for name in found if re.search(r'(^|_)(size|rss|pss|swap|offset|length)(_|$)', name)]
    tap.equal([name for name in sizes if not name.endswith(('_bytes', '_pages'))], [], 'names without a unit')


def everything_is_explained():
    """each record, member, parameter, route, problem, kind and flag has its line of help"""
    for macro, columns in FIELDS:
        if macro != 'END':
            tap.truth(columns[-1].strip(), f'{macro} {columns[:2]} has no help')
    for table in (PARAMS, ROUTES, PROBLEMS, KINDS, VMFLAGS):
        tap.equal([row[0] for row in table if not row[-1].strip()], [], 'rows without help')


def routes_use_what_there_is():
    """each parameter and record that a route names exists, and each path parameter is a parameter"""
    ids = {row[0] for row in PARAMS}
    for route in ROUTES:
        asked = re.findall(r'P\((\w+)\)', route[3])
        tap.equal(sorted(set(asked) - ids), [], f'parameters of {route[0]} that do not exist')
        tap.equal(repeated(asked), [], f'parameters of {route[0]}')
        in_path = re.findall(r'{(\w+)}', route[2])
        tap.equal(sorted(set(in_path) - ids), [], f'path parameters of {route[0]} that do not exist')
        for part in route_records(route):
            tap.equal(sorted(set(part) - set(records())), [], f'records of {route[0]} that do not exist')


def names_of(part, must=False):
    """JSON names of the members of these records; all, or those that are always there."""
    found = [row for record in part for row in records()[record]]
    return [json_name(row) for row in found if not must or (row[0] == 'FIELD' and row[1][3] == 'MUST')]


def replies_have_no_member_twice():
    """no object of a reply has a member twice; one that may be absent may give way to that of an optional record"""
    for route in ROUTES:
        always = route_records(route, always=True)
        head, row, tail = map(names_of, always)
        tap.equal(repeated(row), [], f'members of the rows of {route[0]}')
        tap.equal(repeated([*head, *tail, route[5]]), [], f'members of {route[0]}')
        for part, fixed in zip(route_records(route), always):
            optional = names_of([record for record in part if record not in fixed])
            tap.equal(sorted(set(optional) & set(names_of(fixed, must=True))), [], f'members of {route[0]} that cannot give way')


def nothing_is_left_over():
    """each parameter and record is used by a route or by the code"""
    asked = {name for row in ROUTES for name in re.findall(r'P\((\w+)\)', row[3]) + re.findall(r'{(\w+)}', row[2])}
    tap.equal([row[0] for row in PARAMS if row[0] not in asked], [], 'parameters that no route takes')
    used = {name for row in ROUTES for part in route_records(row) for name in part}
    used |= {columns[2] for macro, columns in FIELDS if macro in ('SUB', 'LIST')}
    tap.equal(sorted(set(records()) - used - {'problem'}), [], 'records that no route answers with')


def problems_have_real_statuses():
    """each problem has an error's status and one of vmactl's exit codes"""
    tap.equal([row for row in PROBLEMS if not 400 <= int(row[2]) <= 599], [], 'statuses')
    tap.equal([row for row in PROBLEMS if not 1 <= int(row[3]) <= 7], [], 'exit codes')
    tap.equal([row[1] for row in PROBLEMS if not re.match(r'[a-z]+(-[a-z]+)*$', row[1])], [], 'types')


def metrics_are_named_as_prometheus_wants():
    """metrics: names with units and suffixes, help, rows of a name together, and nothing that tells a place"""
    seen, last = set(), None
    for macro, columns in METRICS:
        name, labels, kind = columns[1], columns[3 if macro != 'GROUP' else 2], columns[2] if macro != 'GROUP' else 'GAUGE'
        tap.truth(re.fullmatch(r'(vmad|process)_[a-z_]+', name), name)
        tap.equal(name.endswith('_total'), kind == 'COUNTER', f'{name} is a {kind}: _total')
        tap.truth(name == last or name not in seen, f'{name}: its rows do not stand together')
        tap.truth(columns[-1].strip(), f'{name} has no help')
        tap.equal(re.findall(r'pid|addr|path', labels), [], f'labels of {name}')
        last = name
        seen.add(name)
    tap.truth(len(seen) > 30, f'{len(seen)} metrics')


tap.run([every_table_has_rows, records_open_and_close, names_are_unique, names_are_snake_case, sizes_name_their_unit,
         everything_is_explained, routes_use_what_there_is, replies_have_no_member_twice, nothing_is_left_over,
         problems_have_real_statuses, metrics_are_named_as_prometheus_wants])
