/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapcounts.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/kernel_release.h"
#include "source/kpage.h"
#include "source/pagemap.h"
#include "source/words.h"

#define HUGE_BYTES (2u << 20)

enum answer { ANSWER_UNKNOWN, ANSWER_EXACT, ANSWER_AVERAGE };

/* A huge page of our own, aligned, or NULL. *ret_area is what is to be unmapped in the end. */
static char *map_huge(char **ret_area)
{
	char *area = mmap(NULL, 2 * HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *aligned;

	*ret_area = area;
	if (area == MAP_FAILED)
		return NULL;
	aligned = (char *)(((uintptr_t)area + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1));
	if (madvise(aligned, HUGE_BYTES, MADV_HUGEPAGE) < 0)
		return NULL;
	*aligned = 1;
	return aligned;
}

/* Unmaps the second half of a huge page, and looks at the count of its last page, which nobody maps then. */
static enum answer look(int pagemap_fd, int flags_fd, int count_fd)
{
	enum answer answer = ANSWER_UNKNOWN;
	uint64_t entry, pfn, flags, count;
	char *area, *huge = map_huge(&area);
	uint64_t last = (uint64_t)(uintptr_t)huge + HUGE_BYTES - (uint64_t)sysconf(_SC_PAGESIZE);

	if (huge && pagemap_read(pagemap_fd, last, &entry, 1) == 1 && (pfn = pagemap_pfn(entry)) &&
	    words_read(flags_fd, pfn, &flags, 1) == 1 && flags & KPAGE_BIT(THP) &&
	    munmap(huge + HUGE_BYTES / 2, HUGE_BYTES / 2) == 0 && words_read(flags_fd, pfn, &flags, 1) == 1 &&
	    flags & KPAGE_BIT(THP) && words_read(count_fd, pfn, &count, 1) == 1)
		answer = count ? ANSWER_AVERAGE : ANSWER_EXACT;
	if (area != MAP_FAILED)
		munmap(area, 2 * HUGE_BYTES);
	return answer;
}

static bool ask(struct opener *opener, const struct vmad_caller *caller)
{
	struct opener_target self = { .pid = getpid(), .want = OPENER_WANT(OPENER_PAGEMAP) };
	int flags_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGEFLAGS),
	    count_fd = opener_open_frames(opener, caller, OPENER_HOST_KPAGECOUNT);
	enum answer answer = ANSWER_UNKNOWN;

	if (flags_fd >= 0 && count_fd >= 0 && opener_open(opener, caller, &self, 1, NULL) == 0) {
		if (self.fd[OPENER_PAGEMAP] >= 0)
			answer = look(self.fd[OPENER_PAGEMAP], flags_fd, count_fd);
		opener_target_close(&self);
	}
	if (flags_fd >= 0)
		close(flags_fd);
	if (count_fd >= 0)
		close(count_fd);
	return answer == ANSWER_EXACT;
}

bool mapcounts_are_exact(struct opener *opener, const struct vmad_caller *caller)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool asked, exact;
	bool answer;

	pthread_mutex_lock(&lock);
	if (!asked) {
		/* averages came with 6.15 */
		exact = kernel_release_is_before(6, 15) || ask(opener, caller);
		asked = true;
	}
	answer = exact;
	pthread_mutex_unlock(&lock);
	return answer;
}
