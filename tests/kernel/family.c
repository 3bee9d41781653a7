// SPDX-License-Identifier: GPL-2.0-or-later
#include "family.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ANON_PAGES 300
#define FILE_PAGES 64

struct family {
	char *anon, *shared, *file, *private;
	int fd;
};

static void make(struct family *family)
{
	family->fd = memfd_create("family", MFD_CLOEXEC);
	must(ftruncate(family->fd, FILE_PAGES * (off_t)PAGE) == 0);
	family->anon = map_anon(ANON_PAGES * PAGE);
	family->shared = map(FILE_PAGES * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	family->file = map(FILE_PAGES * PAGE, MAP_SHARED, family->fd, 0);
	family->private = map(FILE_PAGES * PAGE, MAP_PRIVATE, family->fd, 0);
	memset(family->shared, 1, FILE_PAGES * PAGE);
	for (size_t i = 0; i < FILE_PAGES; i += 2)
		family->file[i * PAGE] = 1;
}

/* Each child does with the family's memory what its number says. */
struct life {
	struct family family;
	int number;
};

static void live(void *arg)
{
	struct life *life = arg;
	struct family *family = &life->family;
	unsigned int seed = (unsigned int)life->number;

	for (int i = 0; i < 200; i++) {
		size_t page = (size_t)rand_r(&seed);

		switch (rand_r(&seed) % 5) {
		case 0:
			family->anon[page % ANON_PAGES * PAGE] = 2;
			break;
		case 1:
			family->shared[page % FILE_PAGES * PAGE] = 2;
			break;
		case 2:
			family->private[page % FILE_PAGES * PAGE] = 2;
			break;
		case 3:
			(void)*(volatile char *)&family->file[page % FILE_PAGES * PAGE];
			break;
		case 4:
			madvise(family->anon + page % ANON_PAGES * PAGE, PAGE, MADV_DONTNEED);
			break;
		}
	}
}

static void live_and_move(void *arg)
{
	struct life *life = arg;
	char *to = map(ANON_PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	live(arg);
	must(mremap(life->family.anon + 100 * PAGE, 50 * PAGE, 50 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	munmap(life->family.anon + 10 * PAGE, 20 * PAGE);
	map(FILE_PAGES / 2 * PAGE, MAP_SHARED, life->family.fd, FILE_PAGES / 2 * PAGE)[0] = 3;
}

static void live_and_fork(void *arg)
{
	struct life *life = arg;

	live(arg);
	life->number += 1000;
	child_new(live, life);
}

/* With another process that shares all of it. */
static void live_and_clone(void *arg)
{
	live_and_move(arg);
	twin_new();
}

static void (*const lives[FAMILY_CHILDREN])(void *) = { live, live_and_move, live_and_fork, live, live_and_move, live_and_clone };

void family_new(struct child children[FAMILY_CHILDREN])
{
	struct life life = { 0 };

	make(&life.family);
	for (size_t i = 0; i < FAMILY_CHILDREN; i++) {
		life.number = (int)i + 1;
		children[i] = child_new(lives[i], &life);
	}
	child_end(&children[0]);
	child_end(&children[4]);
}
