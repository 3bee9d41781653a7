/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sharer: what its cases share. Each says what it made; where it cannot be made, absent() says why and ends the program. */
#ifndef TESTS_SHARER_H
#define TESTS_SHARER_H

#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

struct sharer_case {
	const char *name;
	void (*make)(void);
};

/* By kind of memory, and of mapper; each ends with one without a name. */
extern const struct sharer_case anon_cases[], file_cases[], huge_cases[], everybodys_cases[], mm_cases[], churn_cases[];

/* page.c: set by main. */
extern size_t page_bytes;

/* With errno; does not return. */
void absent(const char *what) __attribute__((noreturn));

char *map(void *at, size_t bytes, int flags, int fd, off_t offset);
char *map_page(int flags, int fd);
void touch(char *at);
void dirty(char *at);

/* A page to ask for; what is said then, up to the next one, is about it. */
void say_page(const char *name, pid_t pid, const char *at);

/* One mapping of it, of an mm that one process has, or two; 0: no sibling. */
void say_mapped(const char *at, pid_t pid, pid_t sibling);

/* All is said for now. */
void say_ready(void);

/* child.c; 0 or -1. Before all else. */
int children_begin(void);

/* What a child says when its part is done, and its parent waits for. */
void child_is_ready(void);
void wait_for_child(void);
void child_waits(void) __attribute__((noreturn));

/* A child that does this with the page, and then waits. It ends with its parent. */
pid_t fork_with(void (*run)(char *at), char *at);

/* For fork_with(). */
void leave_alone(char *at);
void part_with(char *at);

/* An address that is free in this process, and in the children that it will have; move_away() moves the page there. */
extern char *elsewhere;
void find_elsewhere(void);
void move_away(char *at);

#endif
