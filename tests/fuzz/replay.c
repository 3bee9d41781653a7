/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay: one target over its seeds, in TAP; the program's name is its name. With arguments: over those files, such as what libFuzzer found. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned cases;
static size_t hidden;		/* bytes of a path that a case's name leaves out: where the source is */

static int replay(const char *path)
{
	static uint8_t bytes[4 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	uint8_t *copy = n < 0 ? NULL : malloc((size_t)n + !n);

	if (fd >= 0)
		close(fd);
	if (!copy) {
		printf("not ok %u - cannot read %s\n", ++cases, path + hidden);
		return 1;
	}
	memcpy(copy, bytes, (size_t)n);
	LLVMFuzzerTestOneInput(copy, (size_t)n);
	free(copy);
	printf("ok %u - %s\n", ++cases, path + hidden);
	fflush(stdout);
	return 0;
}

static int replay_named(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat;
	return type == FTW_F && !strcmp(path + at->base, program_invocation_short_name) ? replay(path) : 0;
}

static int replay_any(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat;
	(void)at;
	return type == FTW_F ? replay(path) : 0;
}

static int replay_seeds(const char *top)
{
	char path[4096];
	int r;

	hidden = strlen(top) + 1;
	snprintf(path, sizeof(path), "%s/tests/proc", top);
	r = nftw(path, replay_named, 16, FTW_PHYS);
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top, program_invocation_short_name);
	return r ? r : nftw(path, replay_any, 16, FTW_PHYS);
}

int main(int argc, char **argv)
{
	const char *top = getenv("TOP_SRCDIR");
	int r = 0;

	if (argc == 1)
		r = replay_seeds(top ? top : ".");
	for (int i = 1; i < argc && r == 0; i++)
		r = replay(argv[i]);
	printf("1..%u\n", cases);
	return r || !cases;
}
