/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model: what the tests of this floor share: an opener on a tree, a caller, and trees that are made for one test. */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "model/target.h"
#include "opener/opener.h"
#include "unit.h"

/* This process as a caller. */
const struct vmad_caller *me(void);

/* An opener on a tree of tests/proc, on the tree made below, or on the running kernel's /proc. opener_free() is the test's. */
struct opener *open_fixture(const char *tree);
struct opener *open_made(void);
struct opener *open_proc(void);

/* A tree of its own, in the file system: made when a file is first put there, and taken away at the end of the program. */
void made_put(const char *path, const char *text, size_t len);
void made_puts(const char *path, const char *text);
/* PID/stat of a process that began at start_time_ticks. */
void made_process(int pid, const char *comm, char state, uint64_t start_time_ticks);

/* target_open() of what must be there. */
struct target opened(struct opener *opener, int pid, unsigned want);

/* fork(2). The child dies with this process, also where an assertion ends a case before it was killed. */
pid_t fork_child(void);

/* assert_str() for what is not a literal. */
void assert_bytes(struct vmad_str found, const char *expected);

#endif
