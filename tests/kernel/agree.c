// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * agree: RMAP against brute force. Processes fork, share, copy, move and end; then all stand still, the pagemaps of all processes are
 * read from end to end, and for every page that one of them has, RMAP must name the same places.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ask.h"
#include "family.h"
#include "guest.h"
#include "places.h"

/* Those of an answer that are not ours, as (pid, address). */
static size_t told(const struct answer *answer, struct place *ret_places, size_t room)
{
	size_t count = 0;

	for (uint32_t i = 0; i < answer->mapping_count; i++) {
		for (uint32_t j = 0; j < answer->pid_count; j++) {
			if (answer->mappings[i].state != VMADK_STATE_MAPPED || answer->pids[j].mm != answer->mappings[i].mm ||
			    answer->pids[j].pid == getpid())
				continue;
			must(count < room);
			ret_places[count++] = (struct place){ answer->rmap.pfn, answer->mappings[i].address, answer->pids[j].pid,
							      false };
		}
	}
	qsort(ret_places, count, sizeof(*ret_places), places_by_pfn);
	return count;
}

static void agree_on(const struct place *group, size_t count)
{
	static struct place found[4 * ASK_ROOM];
	struct answer *answer;
	size_t n;

	must_equal(ask_address(group->pid, (void *)group->address, &answer), 0);
	must_equal(answer->rmap.pfn, group->pfn);
	n = told(answer, found, COUNT(found));
	if (answer->rmap.kind == VMADK_PAGE_ZERO || (answer->rmap.kind == VMADK_PAGE_OTHER && group->uncounted)) {
		must_equal(answer->mapping_count, 0);
		return;
	}
	if (n != count)
		fail_at(__FILE__, __LINE__, "frame %#jx (kind %u, count %d) of pid %d at %#jx: told %zu times, found %zu times",
			(uintmax_t)group->pfn, answer->rmap.kind, answer->rmap.mapcount, (int)group->pid,
			(uintmax_t)group->address, n, count);
	for (size_t i = 0; i < n; i++)
		must(found[i].pid == group[i].pid && found[i].address == group[i].address);
}

static void agree_on_all(void)
{
	size_t groups = 0, shared = 0;

	places_scan();
	for (size_t i = 0, next; i < place_count; i = next) {
		for (next = i + 1; next < place_count && places[next].pfn == places[i].pfn; next++)
			continue;
		agree_on(&places[i], next - i);
		groups++;
		shared += next - i > 1;
	}
	printf("# %zu places, %zu frames, %zu of them at several places\n", place_count, groups, shared);
	must(groups > 100);
	must(shared > 10);
}

static void families(void)
{
	struct child children[FAMILY_CHILDREN];

	family_new(children);
	agree_on_all();
}

static void with_huge_pages(void)
{
	char *at = map_aligned(4 * HUGE);

	madvise(at, 4 * HUGE, MADV_HUGEPAGE);
	memset(at, 1, 4 * HUGE);
	for (int i = 0; i < 3; i++)
		child_new(NULL, NULL);
	/* One page of the second, and the whole third one, are copied. */
	memset(at + HUGE + 5 * PAGE, 2, PAGE);
	memset(at + 2 * HUGE, 2, HUGE);
	madvise(at + 3 * HUGE, 9 * PAGE, MADV_DONTNEED);
	agree_on_all();
}

int test_agree(void)
{
	static const struct guest_case cases[] = {
		{ "RMAP and every pagemap agree on every page of families of processes", families },
		{ "the same with huge pages, whole, in pieces, copied and dropped", with_huge_pages },
	};

	return run_cases(cases, COUNT(cases));
}
