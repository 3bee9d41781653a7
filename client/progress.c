/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "size.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *p)
{
	*p = (struct progress){ .wanted = isatty(STDERR_FILENO), .began_ms = now_ms() };
	p->said_ms = p->began_ms;
}

void progress_say(struct progress *p, uint64_t bytes)
{
	char size[SIZE_HUMAN_MAX];
	int64_t now;

	if (!p->wanted)
		return;
	now = now_ms();
	if (now - p->said_ms < 1000)
		return;
	size_human(bytes, size);
	fprintf(stderr, "\rvmactl: %llds, ", (long long)(now - p->began_ms) / 1000);
	if (bytes)
		fprintf(stderr, "%s read ", size);
	else
		fprintf(stderr, "waiting for vmad ");
	p->said_ms = now;
	p->shown = true;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
