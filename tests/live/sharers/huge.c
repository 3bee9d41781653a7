/* SPDX-License-Identifier: GPL-2.0-or-later */
/* huge: transparent huge pages, and hugetlb. */
#include "sharer.h"

#include <stdint.h>
#include <unistd.h>

#define HUGE_BYTES (2UL << 20)

/* The page of a huge page that this child has no more. */
static void unmap_last(char *at)
{
	munmap(at + HUGE_BYTES - page_bytes, page_bytes);
}

static void make_thp(void)
{
	char *area = map(NULL, 2 * HUGE_BYTES, ANON, -1, 0);
	char *head = (char *)(((uintptr_t)area + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1));
	char *last = head + HUGE_BYTES - page_bytes;
	pid_t child, part;

	madvise(head, HUGE_BYTES, MADV_HUGEPAGE);
	dirty(head);
	child = fork_with(leave_alone, head);
	part = fork_with(unmap_last, head);
	say_page("head of a huge page", getpid(), head);
	say_mapped(head, getpid(), 0);
	say_mapped(head, child, 0);
	say_mapped(head, part, 0);
	say_page("tail of a huge page", child, head + 7 * page_bytes);
	say_mapped(head + 7 * page_bytes, getpid(), 0);
	say_mapped(head + 7 * page_bytes, child, 0);
	say_mapped(head + 7 * page_bytes, part, 0);
	say_page("a tail that one child has unmapped", getpid(), last);
	say_mapped(last, getpid(), 0);
	say_mapped(last, child, 0);
}

static void make_hugetlb(void)
{
	char *at = map(NULL, HUGE_BYTES, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	pid_t child;

	dirty(at);
	child = fork_with(touch, at);
	say_page("hugetlb", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(at, child, 0);
	say_page("the tail of a hugetlb page", getpid(), at + 9 * page_bytes);
	say_mapped(at + 9 * page_bytes, getpid(), 0);
	say_mapped(at + 9 * page_bytes, child, 0);
}

const struct sharer_case huge_cases[] = {
	{ "thp", make_thp },
	{ "hugetlb", make_hugetlb },
	{ 0 },
};
