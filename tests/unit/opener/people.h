/* SPDX-License-Identifier: GPL-2.0-or-later */
/* people: processes of other users, to look at and to compare with. All of it needs root, but for people_shared(). */
#ifndef TESTS_UNIT_OPENER_PEOPLE_H
#define TESTS_UNIT_OPENER_PEOPLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "vmad/caller.h"

#define NOBODY 65534

/* Callers: root, root without capabilities, nobody, and a user with groups. */
const struct vmad_caller *people_root(void);
const struct vmad_caller *people_bare_root(void);
const struct vmad_caller *people_nobody(void);
const struct vmad_caller *people_user(void);

/* Becomes the caller, in all of the process: ids, groups and capabilities. 0 or -1. */
int people_become(const struct vmad_caller *caller);

/* A process that prepares itself and then waits to be ended. `prepare` returns 0 when all went well. */
pid_t people_start(int (*prepare)(void *arg), void *arg);
void people_end(pid_t pid);

/* Runs a function in a process of its own that became the caller (NULL: as it is). Returns what it returned, 0 to 255. */
int people_run(const struct vmad_caller *caller, int (*run)(void *arg), void *arg);

/* Not in a chroot, and not where an administrator has switched them off. */
bool people_may_have_user_namespaces(void);

/* Memory that children share; zero; until the program ends. */
void *people_shared(size_t size);

/* In a process of its own: gives up with the line's number where the condition does not hold. */
#define CHECK(condition) \
	do { \
		if (!(condition)) \
			return complain(__LINE__, #condition); \
	} while (0)
int complain(int line, const char *condition);

#endif
