/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signals.h"

static pid_t pager;

/* -F: a page that fits needs no pager. -R: our colours. -X: what was read stays on the screen. */
static void run_pager(void)
{
	const char *command = getenv("PAGER");

	if (command && *command)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	else
		execlp("less", "less", "-FRX", (char *)NULL);
	/* no pager: hand everything on */
	execlp("cat", "cat", (char *)NULL);
	_exit(127);
}

void pager_start(void)
{
	const char *command = getenv("PAGER");
	int ends[2];

	if ((command && strcmp(command, "cat") == 0) || pipe2(ends, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	pager = fork();
	if (pager == 0) {
		signals_restore();
		dup2(ends[0], STDIN_FILENO);
		run_pager();
	}
	if (pager > 0)
		dup2(ends[1], STDOUT_FILENO);
	else
		pager = 0;
	close(ends[0]);
	close(ends[1]);
}

void pager_wait(void)
{
	if (!pager)
		return;
	/* ^C is for the pager from here on: it stops a search there */
	signal(SIGINT, SIG_IGN);
	fclose(stdout);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
	pager = 0;
}
