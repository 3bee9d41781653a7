/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagemap_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "source/kernel_wrote.h"

/* include/uapi/linux/fs.h of Linux 6.7, under names of our own. */
struct scan_arg {
	uint64_t size;
	uint64_t flags;			/* stays 0: both flags are about writing */
	uint64_t start, end;
	uint64_t walk_end;		/* out */
	uint64_t vec, vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

_Static_assert(sizeof(struct scan_arg) == 96, "the ABI of PAGEMAP_SCAN");
_Static_assert(sizeof(struct pagemap_region) == 24, "the ABI of PAGEMAP_SCAN");

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

static uint64_t known;

/* A kernel that does not know a category says EINVAL. */
static bool knows(int fd, uint64_t category)
{
	static char own;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), start = (uint64_t)(uintptr_t)&own / page_size * page_size;
	struct pagemap_region region;
	struct scan_arg arg = { .size = sizeof(arg), .start = start, .end = start + page_size, .vec = (uint64_t)(uintptr_t)&region, .vec_len = 1,
				.category_anyof_mask = category, .return_mask = category };

	return ioctl(fd, SCAN_IOCTL, &arg) >= 0;
}

static void probe(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t found = 0;

	if (fd < 0)
		return;
	for (uint64_t bit = PAGEMAP_SCAN_WPALLOWED; bit <= PAGEMAP_SCAN_GUARD; bit <<= 1)
		found |= knows(fd, bit) ? bit : 0;
	close(fd);
	if (found & PAGEMAP_SCAN_PRESENT && found & PAGEMAP_SCAN_SWAPPED)
		known = found;
}

uint64_t pagemap_scan_categories(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, probe);
	return known;
}

int pagemap_scan(int fd, const struct pagemap_scan_query *query, struct pagemap_region *regions, size_t room, size_t *ret_count,
		 uint64_t *ret_walk_end)
{
	uint64_t categories = pagemap_scan_categories();
	struct scan_arg arg = { .size = sizeof(arg), .start = query->start, .end = query->end, .vec = (uint64_t)(uintptr_t)regions, .vec_len = room,
				.max_pages = query->max_pages, .category_anyof_mask = query->any & categories,
				.return_mask = query->wanted ? query->wanted & categories : categories };
	int n;

	if (!categories)
		return -ENOTTY;
	do {
		n = ioctl(fd, SCAN_IOCTL, &arg);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	kernel_wrote(regions, (size_t)n * sizeof(*regions));
	*ret_count = (size_t)n;
	*ret_walk_end = arg.walk_end;
	return 0;
}

struct page pagemap_scan_decode(uint64_t categories)
{
	unsigned flags = (categories & PAGEMAP_SCAN_FILE ? PAGEFLAG_BIT(FILE) : 0) | (categories & PAGEMAP_SCAN_HUGE ? PAGEFLAG_BIT(HUGE_MAPPED) : 0) |
			 (categories & PAGEMAP_SCAN_PFNZERO ? PAGEFLAG_BIT(ZERO) : 0) |
			 (categories & PAGEMAP_SCAN_SOFT_DIRTY ? PAGEFLAG_BIT(SOFT_DIRTY) : 0);

	if (categories & PAGEMAP_SCAN_GUARD)
		return (struct page){ PAGE_GUARD, flags };
	if (!(categories & (PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_SWAPPED)))
		return (struct page){ PAGE_NONE, flags };
	if (!(categories & PAGEMAP_SCAN_WRITTEN))
		flags |= PAGEFLAG_BIT(UFFD_WP);
	return (struct page){ categories & PAGEMAP_SCAN_PRESENT ? PAGE_PRESENT : PAGE_SWAPPED, flags };
}

struct page pagemap_scan_refine(struct page scanned, uint64_t entry)
{
	struct page page = pagemap_decode(entry);

	if (page.state == PAGE_PRESENT)
		page.flags |= scanned.flags & (PAGEFLAG_BIT(ZERO) | PAGEFLAG_BIT(HUGE_MAPPED));
	return page;
}
