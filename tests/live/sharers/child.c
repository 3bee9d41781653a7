/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child: processes that do something with a page, and then stay. */
#include "sharer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

char *elsewhere;

static int ready_pipe[2];

int children_begin(void)
{
	return pipe(ready_pipe);
}

void child_is_ready(void)
{
	if (write(ready_pipe[1], "", 1) != 1)
		_exit(1);
}

void wait_for_child(void)
{
	char byte;

	if (read(ready_pipe[0], &byte, 1) != 1)
		exit(1);
}

void child_waits(void)
{
	child_is_ready();
	for (;;)
		pause();
}

pid_t fork_with(void (*run)(char *at), char *at)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(at);
		child_waits();
	}
	wait_for_child();
	return pid;
}

void leave_alone(char *at)
{
	(void)at;
}

void part_with(char *at)
{
	munmap(at, page_bytes);
}

void find_elsewhere(void)
{
	elsewhere = map(NULL, 3 * page_bytes, ANON, -1, 0) + page_bytes;
	munmap(elsewhere - page_bytes, 3 * page_bytes);
}

void move_away(char *at)
{
	if (mremap(at, page_bytes, page_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == MAP_FAILED)
		_exit(1);
	touch(elsewhere);
}
