/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: pages are mapped and touched, and told of. */
#include "sharer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RW (PROT_READ | PROT_WRITE)

size_t page_bytes;

void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

void absent(const char *what)
{
	printf("absent\t%s: %s\n", what, strerror(errno));
	say_ready();
	exit(0);
}

char *map(void *at, size_t bytes, int flags, int fd, off_t offset)
{
	char *start = mmap(at, bytes, RW, flags, fd, offset);

	if (start == MAP_FAILED)
		absent("mmap");
	return start;
}

char *map_page(int flags, int fd)
{
	return map(NULL, page_bytes, flags, fd, 0);
}

void touch(char *at)
{
	(void)*(volatile char *)at;
}

void dirty(char *at)
{
	++*(volatile char *)at;
}

void say_page(const char *name, pid_t pid, const char *at)
{
	printf("page\t%s\t%d\t%p\n", name, pid, (const void *)at);
}

void say_mapped(const char *at, pid_t pid, pid_t sibling)
{
	printf("mapped\t%p\t%d", (const void *)at, pid);
	if (sibling)
		printf("\t%d", sibling);
	putchar('\n');
}
