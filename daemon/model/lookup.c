/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/vma.h"
#include "source/procmap_query.h"
#include "source/reader.h"

/* A VMA with the memory that its name lives in. Places are copied: entry.name.p is set when the record is made. */
struct place {
	bool found;
	struct maps_entry entry;
	struct vmad_vma vma;
	char name[PROCMAP_NAME_MAX];
	char *long_name; /* instead of name, where a line of maps has more: a file may lie deeper than PATH_MAX */
};

/*
 * First address behind user space: 47 or, where a process asked for it by a hint, 56 bits (4- and 5-level page tables,
 * x86-64), 48 or 52 on arm64; without the last page on x86-64. Nothing but [vsyscall] is mapped above.
 */
#ifdef __x86_64__
#define USER_TOP UINT64_C(0x7ffffffff000)
#define USER_TOP_WIDE UINT64_C(0xfffffffffff000)
#else
#define USER_TOP (UINT64_C(1) << 48)
#define USER_TOP_WIDE (UINT64_C(1) << 52)
#endif

/* Of this machine. Asked of the kernel with a hint, the way a process would ask for the wide space. */
static uint64_t user_top;

static void learn_user_top(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t hint = USER_TOP_WIDE / 2;
	void *at = mmap((void *)(uintptr_t)hint, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	user_top = at != MAP_FAILED && (uintptr_t)at > USER_TOP ? USER_TOP_WIDE : USER_TOP;
	if (at != MAP_FAILED)
		munmap(at, page);
}

struct lookup {
	struct vmad_lookup record;
	struct vmad_gap gap;
	struct place previous, here, next;
	const char *source;
};

const struct vmad_lookup *lookup_record(const struct lookup *lookup)
{
	return &lookup->record;
}

const char *lookup_source(const struct lookup *lookup)
{
	return lookup->source;
}

void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	free(lookup->previous.long_name);
	free(lookup->here.long_name);
	free(lookup->next.long_name);
	free(lookup);
}

/* PROCMAP_QUERY, where "there is none" is no error. */
static int query(int fd, uint64_t address, bool or_next, struct place *place)
{
	int r = procmap_query(fd, address, or_next, &place->entry, place->name);

	place->found = r == 0;
	return r == -ENOENT ? 0 : r;
}

/* No VMA is smaller, whatever the page size. */
#define SMALLEST_PAGE 4096

/*
 * The highest VMA that ends at or below `below`. The kernel only looks upwards, so: step down, twice as far each time,
 * until a VMA answers that lies below; then by turns ask for the next one above it, which most often is the end, and
 * halve what lies between. A few questions beside other VMAs, 40 below the largest gap; 1 to 2 us each.
 */
static int query_previous(int fd, uint64_t below, struct place *place)
{
	struct place probe = { 0 };
	uint64_t low = 0, high = below, step = SMALLEST_PAGE;
	bool upwards = false;

	while (high > low) {
		uint64_t at = upwards || high - low <= step ? low : high - step;
		int r = query(fd, at, true, &probe);

		if (r < 0)
			return r;
		if (probe.found && probe.entry.end <= below) {
			*place = probe;
			low = probe.entry.end;
		} else {
			high = at;
		}
		upwards = place->found && !upwards;
		step = place->found ? (high - low) / 2 : step * 2;
	}
	return 0;
}

static int query_all(int fd, uint64_t address, struct lookup *lookup)
{
	uint64_t below = address;
	int r;

	lookup->previous.found = lookup->next.found = false;
	r = query(fd, address, true, &lookup->here);
	if (r < 0)
		return r;
	if (lookup->here.found && lookup->here.entry.start > address) {
		lookup->next = lookup->here;
		lookup->here.found = false;
	} else if (lookup->here.found) {
		below = lookup->here.entry.start;
		r = query(fd, lookup->here.entry.end, true, &lookup->next);
		if (r < 0)
			return r;
	}
	return below ? query_previous(fd, below, &lookup->previous) : 0;
}

static bool same_place(const struct place *a, const struct place *b)
{
	const struct maps_entry *x = &a->entry, *y = &b->entry;

	if (!a->found || !b->found)
		return a->found == b->found;
	return x->start == y->start && x->end == y->end && x->offset_bytes == y->offset_bytes &&
	       x->device == y->device && x->inode == y->inode && !memcmp(x->perms, y->perms, sizeof(x->perms)) &&
	       x->name.len == y->name.len && !memcmp(a->name, b->name, x->name.len);
}

#define QUERY_TRIES 3

/*
 * Several questions are not one moment: ask again until two rounds agree. Then all of it was so at the moment between
 * them, but for what changed and changed back.
 */
static int look_up_by_query(int fd, uint64_t address, struct lookup *lookup)
{
	struct lookup *again = calloc(1, sizeof(*again));
	int r = again ? query_all(fd, address, lookup) : -ENOMEM;

	for (int i = 0; r == 0 && i < QUERY_TRIES && !lookup->record.exact; i++) {
		r = query_all(fd, address, again);
		lookup->record.exact = same_place(&lookup->previous, &again->previous) &&
				       same_place(&lookup->here, &again->here) &&
				       same_place(&lookup->next, &again->next);
		if (r == 0 && !lookup->record.exact)
			*lookup = *again;
	}
	free(again);
	lookup->source = "PROCMAP_QUERY";
	return r;
}

static int keep_line(struct place *place, const struct maps_entry *entry)
{
	char *to = place->name;

	free(place->long_name);
	place->long_name = NULL;
	if (entry->name.len > sizeof(place->name)) {
		to = place->long_name = malloc(entry->name.len);
		if (!to)
			return -ENOMEM;
	}
	place->found = true;
	place->entry = *entry;
	memcpy(to, entry->name.p, entry->name.len);
	return 0;
}

/* Takes one line of maps into account. 1: more lines are needed; 0: the place is known; or a negative errno. */
static int place_line(struct lookup *lookup, uint64_t address, const struct maps_entry *entry)
{
	struct place *place = entry->end <= address	? &lookup->previous
			      : entry->start <= address ? &lookup->here
							: &lookup->next;
	int r = 0;

	if (place != &lookup->next || entry->start < USER_TOP_WIDE)
		r = keep_line(place, entry);
	return r < 0 ? r : place != &lookup->next;
}

/* Places lines until there is no use in more. As place_line(), and -EIO. */
static int place_lines(struct lookup *lookup, uint64_t address, struct vmad_str lines, uint64_t *seen)
{
	int more = 1;

	while (more > 0 && lines.len) {
		const char *newline = memchr(lines.p, '\n', lines.len);
		size_t len = newline ? (size_t)(newline - lines.p) + 1 : lines.len;
		struct maps_entry entry;

		more = maps_parse_line(lines.p, len, &entry) < 0 ? -EIO : place_line(lookup, address, &entry);
		++*seen;
		lines.p += len;
		lines.len -= len;
	}
	return more;
}

/*
 * maps is one moment only within one read(), which the reader's first run is: the answer is exact where the place lies
 * in that.
 */
static int look_up_by_text(int fd, pid_t pid, uint64_t address, struct lookup *lookup, struct vmad_error *err)
{
	struct reader *reader;
	struct vmad_str lines;
	uint64_t runs = 0, seen = 0;
	int more = 1;
	int r, alive;

	/* A descriptor that was read through before shows no line any more, and its duplicate has the same offset. */
	lseek(fd, 0, SEEK_SET);
	r = reader_new(dup(fd), pid, "maps", READER_UNPACED, &reader, err);
	if (r < 0)
		return r;
	lookup->previous.found = lookup->here.found = lookup->next.found = false;
	while (more > 0 && (r = reader_next(reader, &lines, err)) > 0) {
		runs++;
		more = place_lines(lookup, address, lines, &seen);
	}
	r = more < 0 ? more : r;
	alive = r == 0 && seen ? reader_target_alive(reader) : 0;
	if (r == 0 && alive <= 0)
		r = alive < 0 ? alive : -ESRCH;
	reader_free(reader);
	lookup->record.exact = runs <= 1;
	lookup->source = "maps";
	return r < 0 ? vmad_fail(err, -r, pid, "maps", "read") : 0;
}

/* What lies beyond user space is no gap: nothing can ever be mapped there. */
static void fill_gap(struct lookup *lookup, uint64_t address)
{
	uint64_t start = lookup->previous.found ? lookup->previous.entry.end : 0;
	uint64_t end = lookup->next.found ? lookup->next.entry.start : address < USER_TOP ? USER_TOP : user_top;

	if (address >= user_top && !lookup->next.found) {
		lookup->record.has |= VMAD_HAS(lookup, beyond_user_space);
		lookup->record.beyond_user_space = true;
		return;
	}
	lookup->gap = (struct vmad_gap){ .start = start, .end = end, .size_bytes = end - start };
	lookup->record.gap = &lookup->gap;
}

static const struct vmad_vma *place_record(struct place *place)
{
	if (!place->found)
		return NULL;
	place->entry.name.p = place->long_name ? place->long_name : place->name;
	place->vma = vma_record(&place->entry);
	return &place->vma;
}

static void fill_record(struct lookup *lookup, uint64_t address)
{
	struct vmad_lookup *record = &lookup->record;

	record->address = address;
	record->vma = place_record(&lookup->here);
	record->previous = place_record(&lookup->previous);
	record->next = place_record(&lookup->next);
	if (!record->vma) {
		fill_gap(lookup, address);
	} else if (lookup->here.entry.inode) {
		record->has |= VMAD_HAS(lookup, file_offset_bytes);
		record->file_offset_bytes = record->vma->offset_bytes + (address - record->vma->start);
	}
}

/* Only text knows [vsyscall], so text answers for what lies beyond user space. */
static bool may_query(const struct target *target, uint64_t address)
{
	return address < USER_TOP_WIDE && procmap_query_available() && !target_has_no_mm(target);
}

int lookup_new(struct target *target, uint64_t address, struct lookup **ret_lookup, struct vmad_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int fd = target->files.fd[OPENER_MAPS], r;

	if (!lookup)
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	pthread_once(&once, learn_user_top);
	r = may_query(target, address) ? look_up_by_query(fd, address, lookup) : -ENOTTY;
	if (r == -ENOTTY || r == -ENAMETOOLONG)
		r = look_up_by_text(fd, target->files.pid, address, lookup, err);
	if (r == -ESRCH && target_has_no_mm(target))
		r = 0;
	if (r < 0) {
		lookup_free(lookup);
		return vmad_fail(err, -r, target->files.pid, "maps", "query");
	}
	fill_record(lookup, address);
	*ret_lookup = lookup;
	return 0;
}
