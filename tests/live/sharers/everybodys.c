/* SPDX-License-Identifier: GPL-2.0-or-later */
/* everybodys: pages that others map too, whom nobody told of here. */
#include "sharer.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

static void make_libc(void)
{
	say_page("libc's text", getpid(), (char *)((uintptr_t)printf & ~(page_bytes - 1)));
	say_mapped((char *)((uintptr_t)printf & ~(page_bytes - 1)), getpid(), 0);
}

static void make_vdso(void)
{
	char *at = (char *)getauxval(AT_SYSINFO_EHDR);

	if (!at)
		absent("vdso");
	say_page("vdso", getpid(), at);
	say_mapped(at, getpid(), 0);
}

static void make_zero(void)
{
	char *at = map_page(ANON, -1);

	touch(at);
	say_page("the page of zeros", getpid(), at);
	say_mapped(at, getpid(), 0);
}

const struct sharer_case everybodys_cases[] = {
	{ "libc", make_libc },
	{ "vdso", make_vdso },
	{ "zero", make_zero },
	{ 0 },
};
