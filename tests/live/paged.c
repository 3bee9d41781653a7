/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program with pages in every state. It prints "area NAME START PAGES" with a letter for each page, "absent NAME WHY"
 * for what this kernel does not have, then "ready"; and obeys lines on standard input: "unmap NAME", "touch NAME",
 * "discard NAME".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define GUARD_INSTALL 102			/* MADV_GUARD_INSTALL, Linux 6.13 */
#define FEATURE_WP_UNPOPULATED (1ull << 13)	/* UFFD_FEATURE_, Linux 6.4 */
#define FEATURE_POISON (1ull << 14)		/* UFFD_FEATURE_, Linux 6.6 */

struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

#define POISON_IOCTL _IOWR(UFFDIO, 0x08, struct poison)

#define HUGE_BYTES (2u << 20)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t page;

/*
 * What a page is to be, a letter each: w written, r only read, . untouched, g guard, p write-protected, m marked
 * unpopulated, x poisoned, s swapped out.
 */
struct area {
	const char *name;
	const char *(*make)(struct area *area);
	const char *pages;
	int flags;
	char *start;
};

static const char *errno_text(const char *what)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	return text;
}

static void touch(const struct area *area, const char *written, const char *read)
{
	for (size_t i = 0; area->pages[i]; i++) {
		volatile char *at = area->start + i * page;

		if (strchr(written, area->pages[i]))
			*at = (char)(i + 1);
		else if (strchr(read, area->pages[i]))
			(void)*at;
	}
}

static const char *map(struct area *area, int fd)
{
	size_t bytes = strlen(area->pages) * page;
	/* with a page on both sides that is nobody's, so that no two areas are one VMA */
	char *room = mmap(NULL, bytes + 2 * page, PROT_NONE, ANON, -1, 0);

	if (room == MAP_FAILED)
		return errno_text("room");
	munmap(room, bytes + 2 * page);
	area->start = mmap(room + page, bytes, RW, area->flags | MAP_FIXED_NOREPLACE, fd, 0);
	if (area->start == MAP_FAILED)
		return errno_text("mmap");
	madvise(area->start, bytes, MADV_NOHUGEPAGE);
	return NULL;
}

static const char *make_anon(struct area *area)
{
	const char *problem = map(area, -1);

	if (!problem)
		touch(area, "w", "r");
	return problem;
}

static const char *make_file(struct area *area)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	const char *problem;

	if (fd < 0)
		return errno_text("O_TMPFILE");
	problem = ftruncate(fd, (off_t)(strlen(area->pages) * page)) ? errno_text("ftruncate") : map(area, fd);
	close(fd);
	if (problem)
		return problem;
	madvise(area->start, strlen(area->pages) * page, MADV_RANDOM);
	touch(area, "w", "r");
	return NULL;
}

static const char *make_memfd(struct area *area)
{
	int fd = memfd_create("paged", MFD_CLOEXEC);
	const char *problem = fd < 0 || ftruncate(fd, (off_t)(strlen(area->pages) * page)) ? errno_text("memfd") : map(area, fd);

	if (problem)
		return problem;
	close(fd);
	touch(area, "w", "r");
	return NULL;
}

/* A word about pages [i, i + 1) for each that has the letter. */
static const char *for_each(struct area *area, char letter, const char *(*act)(char *at))
{
	for (size_t i = 0; area->pages[i]; i++) {
		const char *problem = area->pages[i] == letter ? act(area->start + i * page) : NULL;

		if (problem)
			return problem;
	}
	return NULL;
}

static const char *install_guard(char *at)
{
	return madvise(at, page, GUARD_INSTALL) ? errno_text("MADV_GUARD_INSTALL") : NULL;
}

static const char *make_guard(struct area *area)
{
	const char *problem = map(area, -1);

	if (problem)
		return problem;
	touch(area, "wg", "");
	return for_each(area, 'g', install_guard);
}

/* MADV_PAGEOUT is advice: whether it was taken, the page table tells who asks. */
static const char *page_out(char *at)
{
	return madvise(at, page, MADV_PAGEOUT) ? errno_text("MADV_PAGEOUT") : NULL;
}

static const char *make_swapped(struct area *area)
{
	const char *problem = map(area, -1);

	if (problem)
		return problem;
	touch(area, "ws", "");
	return for_each(area, 's', page_out);
}

static int uffd = -1;

static const char *open_uffd(struct area *area, uint64_t features, uint64_t mode)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register registration = { .range = { (uintptr_t)area->start, strlen(area->pages) * page }, .mode = mode };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (uffd < 0)
		return errno_text("userfaultfd");
	if (ioctl(uffd, UFFDIO_API, &api))
		return errno_text("UFFDIO_API");
	return ioctl(uffd, UFFDIO_REGISTER, &registration) ? errno_text("UFFDIO_REGISTER") : NULL;
}

static const char *protect(char *at)
{
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)at, page }, .mode = UFFDIO_WRITEPROTECT_MODE_WP };

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp) ? errno_text("UFFDIO_WRITEPROTECT") : NULL;
}

static const char *make_protected(struct area *area)
{
	const char *problem = map(area, -1);

	if (problem)
		return problem;
	touch(area, "wp", "");
	problem = open_uffd(area, FEATURE_WP_UNPOPULATED, UFFDIO_REGISTER_MODE_WP);
	if (!problem)
		problem = for_each(area, 'p', protect);
	return problem ? problem : for_each(area, 'm', protect);
}

static const char *poison(char *at)
{
	struct poison arg = { .range = { (uintptr_t)at, page } };

	return ioctl(uffd, POISON_IOCTL, &arg) ? errno_text("UFFDIO_POISON") : NULL;
}

static const char *make_poisoned(struct area *area)
{
	const char *problem = map(area, -1);

	if (problem)
		return problem;
	touch(area, "w", "");
	problem = open_uffd(area, FEATURE_POISON, UFFDIO_REGISTER_MODE_MISSING);
	return problem ? problem : for_each(area, 'x', poison);
}

static const char *make_ksm(struct area *area)
{
	const char *problem = map(area, -1);

	if (problem)
		return problem;
	for (size_t i = 0; area->pages[i]; i++)
		memset(area->start + i * page, 0x5c, page);
	return madvise(area->start, strlen(area->pages) * page, MADV_MERGEABLE) ? errno_text("MADV_MERGEABLE") : NULL;
}

/* As many letters as a huge page has pages. */
static const char *name_huge(struct area *area)
{
	char *pages = malloc(HUGE_BYTES / page + 1);

	memset(pages, 'w', HUGE_BYTES / page);
	pages[HUGE_BYTES / page] = '\0';
	area->pages = pages;
	return NULL;
}

static const char *make_thp(struct area *area)
{
	char *room = mmap(NULL, 2 * HUGE_BYTES, RW, ANON, -1, 0);

	if (room == MAP_FAILED)
		return errno_text("mmap");
	area->start = (char *)(((uintptr_t)room + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES);
	if (madvise(area->start, HUGE_BYTES, MADV_HUGEPAGE))
		return errno_text("MADV_HUGEPAGE");
	name_huge(area);
	touch(area, "w", "");
	return NULL;
}

static const char *make_hugetlb(struct area *area)
{
	area->start = mmap(NULL, HUGE_BYTES, RW, ANON | MAP_HUGETLB, -1, 0);
	if (area->start == MAP_FAILED)
		return errno_text("MAP_HUGETLB");
	name_huge(area);
	touch(area, "w", "");
	return NULL;
}

static struct area areas[] = {
	{ "anon", make_anon, "ww.w....rw..wwww", ANON },
	{ "untouched", make_anon, "................", ANON },
	{ "zero", make_anon, ".rr.", ANON },
	{ "shared-anon", make_anon, "w.r.", MAP_SHARED | MAP_ANONYMOUS },
	{ "shared-file", make_file, "w.r.", MAP_SHARED },
	{ "private-file", make_file, "w.r.", MAP_PRIVATE },
	{ "memfd", make_memfd, "ww..", MAP_SHARED },
	{ "guard", make_guard, "wggw.g", ANON },
	{ "swapped", make_swapped, "wssw", ANON },
	{ "protected", make_protected, "wpp.mw", ANON },
	{ "poisoned", make_poisoned, "wx.x", ANON },
	{ "ksm", make_ksm, "kkkk", ANON },
	{ "thp", make_thp },
	{ "hugetlb", make_hugetlb },
};

#define AREAS (sizeof(areas) / sizeof(*areas))

static struct area *find(const char *name)
{
	for (size_t i = 0; i < AREAS; i++)
		if (!strcmp(areas[i].name, name))
			return &areas[i];
	fprintf(stderr, "paged: no such area: %s\n", name);
	exit(2);
}

static void obey(const char *command, const char *name)
{
	struct area *area = find(name);
	size_t bytes = strlen(area->pages) * page;

	if (!strcmp(command, "unmap"))
		munmap(area->start, bytes);
	else if (!strcmp(command, "discard"))
		madvise(area->start, bytes, MADV_DONTNEED);
	else
		memset(area->start, 1, bytes);
	puts("done");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char command[32], name[32];

	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: paged DIRECTORY\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < AREAS; i++) {
		const char *problem = areas[i].make(&areas[i]);

		if (problem)
			printf("absent\t%s\t%s\n", areas[i].name, problem);
		else
			printf("area\t%s\t%p\t%s\n", areas[i].name, (void *)areas[i].start, areas[i].pages);
	}
	puts("ready");
	fflush(stdout);
	while (scanf("%31s %31s", command, name) == 2)
		obey(command, name);
	return 0;
}
