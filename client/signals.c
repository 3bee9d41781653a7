/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int wake[2] = { -1, -1 };
static volatile sig_atomic_t caught;

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

static void on_signal(int signum)
{
	int saved = errno;

	caught = signum;
	if (write(wake[1], "", 1) < 0)
		errno = saved;	/* the pipe is full: it is readable, and that is all that is wanted */
	errno = saved;
}

int signals_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal };	/* no SA_RESTART: a read must not go on */

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct sigaction old;

		sigaction(ends[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)	/* nohup, or a shell's background job */
			sigaction(ends[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int signals_fd(void)
{
	return wake[0];
}

int signals_caught(void)
{
	return caught;
}

void signals_restore(void)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct sigaction old;

		sigaction(ends[i], NULL, &old);
		if (old.sa_handler == on_signal)
			signal(ends[i], SIG_DFL);
	}
	signal(SIGPIPE, SIG_DFL);
}

void signals_raise(void)
{
	signals_restore();
	raise(caught);
	_exit(128 + caught);
}
