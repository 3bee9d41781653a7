/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pager.h"
#include "signals.h"

static bool terminal, want_pager;

void output_setup(bool paged)
{
	terminal = isatty(STDOUT_FILENO);
	want_pager = terminal && paged;
}

bool output_is_terminal(void)
{
	return terminal;
}

FILE *output(void)
{
	if (want_pager) {
		want_pager = false;
		pager_start();
	}
	return stdout;
}

bool output_lost(void)
{
	return ferror(stdout);
}

static int failed(struct trouble *trouble)
{
	if (errno == EINTR && signals_caught())
		return EXIT_INTERRUPTED;
	if (errno == EPIPE)
		return EXIT_QUIET;
	return trouble_set(trouble, EXIT_FAILED, "cannot write: %s", strerror(errno));
}

int output_write(const char *p, size_t len, struct trouble *trouble)
{
	return fwrite(p, 1, len, output()) == len ? EXIT_DONE : failed(trouble);
}

int output_flush(struct trouble *trouble)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : failed(trouble);
}

void output_close(void)
{
	pager_wait();
}
