// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mapper: maps and unmaps what it is told, and says where it went. Between two commands its address space does not change: the buffers of its streams are its own,
 * and nothing allocates.
 *
 *	map LENGTH PROT		private, anonymous, anywhere; PROT: "rw", or "none", which nothing has to be reserved for
 *	probe LENGTH		the same with "rw", and unmaps it again
 *	at ADDRESS LENGTH KIND	there and nowhere else; KIND: plain, grows (MAP_GROWSDOWN)
 *	unmap ADDRESS LENGTH
 *	limit as|data BYTES
 *
 * Each is answered with a line: the address in hex, "done", or the error's name.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static char in[4096], out[4096];

static void *map(uint64_t at, uint64_t length, const char *prot, int flags)
{
	int access = strcmp(prot, "none") ? PROT_READ | PROT_WRITE : PROT_NONE;

	return mmap((void *)at, length, access, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void tell(const void *address)
{
	if (address == MAP_FAILED)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%jx\n", (uintmax_t)(uintptr_t)address);
}

static void tell_result(int r)
{
	puts(r < 0 ? strerrorname_np(errno) : "done");
}

static void probe(uint64_t length)
{
	void *address = map(0, length, "rw", 0);
	int why = errno;

	/* Who is told may ask vmad at once. */
	if (address != MAP_FAILED)
		munmap(address, length);
	errno = why;
	tell(address);
}

static void limit(const char *which, uint64_t bytes)
{
	struct rlimit value = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
	int resource = strcmp(which, "as") ? RLIMIT_DATA : RLIMIT_AS;

	tell_result(setrlimit(resource, &value));
}

static void obey(const char *line)
{
	char word[16] = "";
	uint64_t address, length;

	if (sscanf(line, "map %ju %15s", &length, word) == 2)
		tell(map(0, length, word, strcmp(word, "none") ? 0 : MAP_NORESERVE));
	else if (sscanf(line, "probe %ju", &length) == 1)
		probe(length);
	else if (sscanf(line, "at %jx %ju %15s", &address, &length, word) == 3)
		tell(map(address, length, "rw", MAP_FIXED_NOREPLACE | (strcmp(word, "grows") ? 0 : MAP_GROWSDOWN)));
	else if (sscanf(line, "unmap %jx %ju", &address, &length) == 2)
		tell_result(munmap((void *)address, length));
	else if (sscanf(line, "limit %15s %ju", word, &length) == 2)
		limit(word, length);
	else
		puts("what?");
}

int main(void)
{
	static char line[256];

	setvbuf(stdin, in, _IOFBF, sizeof(in));
	setvbuf(stdout, out, _IOLBF, sizeof(out));
	puts("ready");
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
