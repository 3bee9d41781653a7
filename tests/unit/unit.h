/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: what unit tests share: cmocka with its includes, cases with a sentence for a name, and files from tests/proc. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include "vmad/records.h"

#define CASE(sentence, function) { sentence, function, NULL, NULL, NULL }

/* Skips the rest of the case, and says why: tap.sh puts it behind the case's name. */
#define skip_because(why) \
	do { \
		printf("# because: %s\n", why); \
		fflush(stdout); \
		skip(); \
	} while (0)

/* Built for valgrind, and run by it? */
bool is_under_valgrind(void);

/* For cases that need what valgrind does not have, or does in its own way. */
#define skip_under_valgrind(why) \
	do { \
		if (is_under_valgrind()) \
			skip_because("under valgrind: " why); \
	} while (0)

#define NO_CLONE "it knows no clone(2) but that of threads"

/* Compares with a string literal. */
#define assert_str(str, literal) \
	do { \
		assert_int_equal((str).len, sizeof(literal) - 1); \
		assert_memory_equal((str).p, literal, sizeof(literal) - 1); \
	} while (0)

/*
 * A copy of bytes that ends where a page without any access begins: reading one byte too far is a crash. It lives until the program ends.
 */
struct vmad_str guarded(const char *bytes, size_t len);

/* A file of tests/proc, guarded, or opened. Asserts that it is there. */
struct vmad_str fixture(const char *path);
int fixture_open(const char *path);
/* Its path; static, until the next call. */
const char *fixture_path(const char *path);

/* Takes the first line, with its newline, off *text; false where there is none. */
bool next_line(struct vmad_str *text, struct vmad_str *ret_line);

/* A file without a name that holds these bytes, at its beginning. */
int file_of(const char *bytes, size_t len);

/* Number of entries of a directory of this process, such as /proc/self/fd. */
size_t count_entries(const char *path);

/* As count_entries("/proc/self/task") says of a program without threads: a sanitizer starts one of its own with the first. */
size_t usual_threads(void);

/*
 * For a forked child: ends with the test, and leaves standard output to it, whose reader waits until nobody has it open. A failed assertion
 * leaves children behind.
 */
void begin_child(void);

/* A process in this one's address space; it stays until end_process(). */
pid_t clone_vm(void);

/* What a process does that stays. */
int stay(void *unused);

/* Kills a child, and waits for its end. */
void end_process(pid_t pid);

/* For eventually(): has this child, a pid_t, ended? It is not waited for. */
bool is_zombie(void *pid);

/* Waits until `holds(arg)`, at most ten seconds; says whether it does. */
bool eventually(bool (*holds)(void *arg), void *arg);

double now_ms(void);

#endif
