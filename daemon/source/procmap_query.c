/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/procmap_query.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "source/kernel_wrote.h"

/* include/uapi/linux/fs.h of Linux 6.11, under names of our own: some headers have it, some do not. */
struct query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start, vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t vma_name_size;		/* in: room; out: bytes with NUL, 0 for no name */
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

_Static_assert(sizeof(struct query) == 104, "the ABI of PROCMAP_QUERY");

#define QUERY_IOCTL _IOWR('f', 17, struct query)

enum {
	QUERY_VMA_READABLE = 0x01,
	QUERY_VMA_WRITABLE = 0x02,
	QUERY_VMA_EXECUTABLE = 0x04,
	QUERY_VMA_SHARED = 0x08,
	QUERY_COVERING_OR_NEXT_VMA = 0x10,
};

static bool available;

static void probe(void)
{
	struct query query = { .size = sizeof(query), .query_flags = QUERY_COVERING_OR_NEXT_VMA };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	available = ioctl(fd, QUERY_IOCTL, &query) == 0;
	close(fd);
}

bool procmap_query_available(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, probe);
	return available;
}

/* As seq_path() prints it into maps: the newline, and nothing else, in octal. */
static int escape_name(const char *raw, char name[static PROCMAP_NAME_MAX], size_t *ret_len)
{
	size_t len = 0;

	for (; *raw; raw++) {
		bool escaped = *raw == '\n';

		if (len + (escaped ? 4 : 1) > PROCMAP_NAME_MAX)
			return -ENAMETOOLONG;
		if (escaped)
			memcpy(name + len, "\\012", 4);
		else
			name[len] = *raw;
		len += escaped ? 4 : 1;
	}
	*ret_len = len;
	return 0;
}

static void fill_entry(const struct query *query, struct maps_entry *entry)
{
	*entry = (struct maps_entry){
		.start = query->vma_start,
		.end = query->vma_end,
		.offset_bytes = query->vma_offset,
		.device = (uint64_t)query->dev_major << 32 | query->dev_minor,
		.inode = query->inode,
		.perms = {
			query->vma_flags & QUERY_VMA_READABLE ? 'r' : '-',
			query->vma_flags & QUERY_VMA_WRITABLE ? 'w' : '-',
			query->vma_flags & QUERY_VMA_EXECUTABLE ? 'x' : '-',
			query->vma_flags & QUERY_VMA_SHARED ? 's' : 'p',
		},
	};
}

int procmap_query(int maps_fd, uint64_t addr, bool or_next, struct maps_entry *entry,
		  char name[static PROCMAP_NAME_MAX])
{
	char raw[PATH_MAX];
	struct query query = {
		.size = sizeof(query),
		.query_flags = or_next ? QUERY_COVERING_OR_NEXT_VMA : 0,
		.query_addr = addr,
		.vma_name_addr = (uint64_t)(uintptr_t)raw,
		.vma_name_size = sizeof(raw),
	};
	struct maps_entry found;
	int r;

	do {
		r = ioctl(maps_fd, QUERY_IOCTL, &query);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	kernel_wrote(raw, query.vma_name_size);
	fill_entry(&query, &found);
	r = escape_name(query.vma_name_size ? raw : "", name, &found.name.len);
	if (r < 0)
		return r;
	found.name.p = name;
	*entry = found;
	return 0;
}
