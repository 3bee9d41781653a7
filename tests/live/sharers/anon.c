/* SPDX-License-Identifier: GPL-2.0-or-later */
/* anon: anonymous pages, of before and after copy-on-write, moved, swapped out, merged. */
#include "sharer.h"

#include <string.h>
#include <unistd.h>

static void share_and_say(const char *name, char *at)
{
	pid_t child = fork_with(touch, at);

	say_page(name, getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(at, child, 0);
}

static void make_shared_anon(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);

	dirty(at);
	share_and_say("shared anonymous", at);
}

static void make_cow_before(void)
{
	char *at = map_page(ANON, -1);

	dirty(at);
	share_and_say("before copy-on-write", at);
}

static void make_cow_after(void)
{
	char *at = map_page(ANON, -1);
	pid_t child;

	dirty(at);
	child = fork_with(dirty, at);
	say_page("the parent's after the child wrote", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_page("the child's own copy", child, at);
	say_mapped(at, child, 0);
}

static void make_cow_parent(void)
{
	char *at = map_page(ANON, -1);
	pid_t child;

	dirty(at);
	child = fork_with(leave_alone, at);
	dirty(at);
	say_page("the parent's copy after it wrote", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_page("the first page, left to the child", child, at);
	say_mapped(at, child, 0);
}

static void make_mremap(void)
{
	char *at = map_page(ANON, -1);
	pid_t child;

	dirty(at);
	find_elsewhere();
	child = fork_with(move_away, at);
	say_page("mremapped in the child", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(elsewhere, child, 0);
}

/*
 * The three are merged once KSM has been round: the test waits for that. Pages between them: neighbours would be one
 * range.
 */
static void make_ksm(void)
{
	char *area = map(NULL, 5 * page_bytes, ANON, -1, 0);

	if (madvise(area, 5 * page_bytes, MADV_MERGEABLE))
		absent("MADV_MERGEABLE");
	for (size_t i = 0; i < 5; i += 2)
		memset(area + i * page_bytes, 'k', page_bytes);
	*(pid_t *)area = getpid();
	*(pid_t *)(area + 2 * page_bytes) = getpid();
	*(pid_t *)(area + 4 * page_bytes) = getpid();
	say_page("merged by KSM", getpid(), area);
	for (size_t i = 0; i < 5; i += 2)
		say_mapped(area + i * page_bytes, getpid(), 0);
}

static void make_swapped(void)
{
	char *at = map_page(ANON, -1);

	dirty(at);
	if (madvise(at, page_bytes, MADV_PAGEOUT))
		absent("MADV_PAGEOUT");
	say_page("swapped out", getpid(), at);
}

const struct sharer_case anon_cases[] = {
	{ "shared-anon", make_shared_anon },
	{ "cow-before", make_cow_before },
	{ "cow-after", make_cow_after },
	{ "cow-parent", make_cow_parent },
	{ "mremap", make_mremap },
	{ "ksm", make_ksm },
	{ "swapped", make_swapped },
	{ 0 },
};
