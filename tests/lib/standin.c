/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "standin.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmad/uapi.h"

#define WORDS_MAX 40
#define LINE_MAX_BYTES 2048
#define MMS_MAX 1024

static const char *text;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long generation, calls[4];

static const char *const requests[] = { "INFO", "VMAS", "RMAP", "FILEMAP" };

struct line {
	char bytes[LINE_MAX_BYTES];
	char *word[WORDS_MAX];
	size_t count;
};

void standin_text(const char *new_text)
{
	text = new_text;
}

/* The next line that begins with this word and has so many in all; *at goes on behind it. */
static bool next_line(const char **at, const char *kind, size_t least, struct line *line)
{
	while (**at) {
		size_t len = strcspn(*at, "\n");
		char *rest = line->bytes;

		snprintf(line->bytes, sizeof(line->bytes), "%.*s", (int)len, *at);
		*at += len + ((*at)[len] == '\n');
		line->count = 0;
		while (line->count < WORDS_MAX && (line->word[line->count] = strsep(&rest, " ")))
			line->count++;
		if (line->count >= least && !strcmp(line->word[0], kind))
			return true;
	}
	return false;
}

static uint64_t number(const struct line *line, size_t i)
{
	return strtoull(line->word[i], NULL, 0);
}

static bool is_table(const struct line *line, const char *name)
{
	return !strcmp(line->word[1], name);
}

/* An array of the caller's. */
struct list {
	struct vmadk_array *array;
	uint32_t width;
	bool resumes;			/* count stays within room */
	bool cut;
};

static int check_array(const struct vmadk_array *array, uint32_t width)
{
	if (array->width != width || array->pad || array->count)
		return -EINVAL;
	return array->room > VMADK_ROOM_MAX ? -E2BIG : 0;
}

/* Where the next element goes, or NULL: it has no room. */
static void *add(struct list *list)
{
	bool fits = list->array->count < list->array->room;
	void *at = (char *)(uintptr_t)list->array->at + (size_t)list->array->count * list->width;

	list->cut |= !fits;
	if (fits || !list->resumes)
		list->array->count++;
	return fits ? memset(at, 0, list->width) : NULL;
}

static uint32_t string_of(struct list *list, const char *name, const char *module)
{
	struct vmadk_string *strings = (struct vmadk_string *)(uintptr_t)list->array->at, *added;

	if (!strcmp(name, "-"))
		return 0;
	if (!strcmp(name, "?"))
		return VMADK_UNRESOLVED;
	for (uint32_t i = 0; i < list->array->count && i < list->array->room; i++) {
		if (!strcmp(strings[i].text, name))
			return i + 1;
	}
	added = add(list);
	if (!added)
		return VMADK_UNRESOLVED;
	snprintf(added->text, sizeof(added->text), "%s", name);
	snprintf(added->module, sizeof(added->module), "%s", strcmp(module, "-") ? module : "");
	return list->array->count;
}

static uint32_t symbol_of_table(struct list *strings, const char *name)
{
	const char *at = text;
	struct line line;

	while (next_line(&at, "table", 3, &line)) {
		if (is_table(&line, name))
			return string_of(strings, name, line.word[2]);
	}
	return string_of(strings, name, "-");
}

static int info(struct vmadk_info *arg)
{
	struct list reasons = { &arg->reasons, VMADK_REASON_WIDTH, false, false };
	const char *at = text;
	struct line line;

	if (arg->size != sizeof(*arg) || arg->flags || check_array(&arg->reasons, VMADK_REASON_WIDTH) < 0)
		return -EINVAL;
	arg->page_shift = (uint32_t)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	snprintf(arg->kernel, sizeof(arg->kernel), "6.12.0-standin");
	snprintf(arg->module, sizeof(arg->module), "0.1");
	if (!next_line(&at, "info", 3, &line))
		return -ENOTTY;
	arg->abi = (uint32_t)number(&line, 1);
	arg->capabilities = number(&line, 2);
	for (at = text; next_line(&at, "reason", 3, &line);) {
		struct vmadk_reason *reason = add(&reasons);

		if (!reason)
			break;
		reason->capability = number(&line, 1);
		for (size_t i = 2; i < line.count; i++)
			snprintf(reason->text + strlen(reason->text), sizeof(reason->text) - strlen(reason->text), "%s%s",
				 i > 2 ? " " : "", line.word[i]);
	}
	return 0;
}

struct vmas {
	struct vmadk_vmas *arg;
	struct list vmas, tables, members, strings;
};

static uint32_t table_of(struct vmas *vmas, const char *name)
{
	const struct vmadk_table *tables = (struct vmadk_table *)(uintptr_t)vmas->arg->tables.at;
	uint32_t symbol = symbol_of_table(&vmas->strings, name);
	struct vmadk_table *table;
	const char *at = text;
	struct line line;

	if (!symbol || symbol == VMADK_UNRESOLVED)
		return symbol;
	for (uint32_t i = 0; i < vmas->arg->tables.count; i++) {
		if (tables[i].symbol == symbol)
			return i + 1;
	}
	table = add(&vmas->tables);
	if (!table)
		return VMADK_UNRESOLVED;
	*table = (struct vmadk_table){ .symbol = symbol, .first = vmas->arg->members.count };
	while (vmas->arg->flags & VMADK_VMAS_MEMBERS && next_line(&at, "table", 3, &line)) {
		for (size_t i = 3; is_table(&line, name) && i < line.count; i++) {
			char *symbol_name = strchr(line.word[i], '=');
			struct vmadk_member *member = add(&vmas->members);

			if (!member)
				break;
			*symbol_name++ = '\0';
			member->name = string_of(&vmas->strings, line.word[i], "-");
			member->symbol = string_of(&vmas->strings, symbol_name, line.word[2]);
			table->members++;
		}
	}
	return vmas->arg->tables.count;
}

/* False: one of the arrays had no room. What it left behind of names nobody refers to. */
static bool add_vma(struct vmas *vmas, const struct line *line)
{
	struct vmadk_vma vma = {
		.start = number(line, 2), .end = number(line, 3), .flags = number(line, 4), .pgoff = number(line, 5),
		.vm_ops = table_of(vmas, line->word[6]), .f_op = string_of(&vmas->strings, line->word[7], "-"),
		.a_ops = string_of(&vmas->strings, line->word[8], "-"), .has = (uint32_t)number(line, 9),
		.page_prot = 0x8000000000000025, .page_shift = 12,
	};
	struct vmadk_vma *to;

	if (vmas->tables.cut || vmas->members.cut || vmas->strings.cut)
		return false;
	to = add(&vmas->vmas);
	if (to)
		*to = vma;
	return to;
}

static int vmas(struct vmadk_vmas *arg)
{
	struct vmas vmas = { arg, { &arg->vmas, VMADK_VMA_WIDTH, true, false },
			     { &arg->tables, VMADK_TABLE_WIDTH, true, false },
			     { &arg->members, VMADK_MEMBER_WIDTH, true, false },
			     { &arg->strings, VMADK_STRING_WIDTH, true, false } };
	const char *at = text;
	struct line line;
	bool known = false;

	if (arg->size != sizeof(*arg) || arg->flags & ~VMADK_VMAS_MEMBERS || arg->result ||
	    check_array(&arg->vmas, VMADK_VMA_WIDTH) < 0 || check_array(&arg->tables, VMADK_TABLE_WIDTH) < 0 ||
	    check_array(&arg->members, VMADK_MEMBER_WIDTH) < 0 || check_array(&arg->strings, VMADK_STRING_WIDTH) < 0)
		return -EINVAL;
	while (next_line(&at, "vma", 10, &line)) {
		if ((int)number(&line, 1) != arg->pid)
			continue;
		known = true;
		if (number(&line, 3) <= arg->cursor || number(&line, 2) >= arg->end)
			continue;
		if (!add_vma(&vmas, &line)) {
			arg->result = VMADK_TRUNCATED;
			return arg->vmas.count ? 0 : -ENOSPC;
		}
		arg->cursor = number(&line, 3);
	}
	return known ? 0 : -ESRCH;
}

struct places {
	struct list mappings, pids, strings;
	bool has_mm[MMS_MAX];		/* numbers that mappings have */
};

static int check_places(const struct places *places)
{
	int r = check_array(places->mappings.array, VMADK_MAPPING_WIDTH);

	if (r == 0)
		r = check_array(places->pids.array, VMADK_PID_WIDTH);
	return r == 0 ? check_array(places->strings.array, VMADK_STRING_WIDTH) : r;
}

static void add_mapping(struct places *places, const struct vmadk_mapping *mapping)
{
	struct vmadk_mapping *to = add(&places->mappings);

	if (to)
		*to = *mapping;
	places->has_mm[mapping->mm % MMS_MAX] = true;
}

static void add_pids(struct places *places)
{
	const char *at = text;
	struct line line;

	while (next_line(&at, "pid", 3, &line)) {
		struct vmadk_pid *pid = places->has_mm[number(&line, 1) % MMS_MAX] ? add(&places->pids) : NULL;

		if (pid)
			*pid = (struct vmadk_pid){ (int32_t)number(&line, 2), (uint32_t)number(&line, 1) };
	}
}

static uint32_t result_of(const struct places *places)
{
	return places->mappings.cut || places->pids.cut || places->strings.cut ? VMADK_TRUNCATED : 0;
}

static bool find_page(const struct vmadk_rmap *arg, struct line *line)
{
	bool by_pfn = arg->flags & VMADK_RMAP_PFN;
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const char *at = text;

	while (next_line(&at, "page", 7, line)) {
		if (by_pfn ? number(line, 3) == arg->pfn :
		    (int)number(line, 1) == arg->pid && number(line, 2) == (arg->address & ~(page - 1)))
			return true;
	}
	return false;
}

static int rmap(struct vmadk_rmap *arg)
{
	struct places places = { { &arg->mappings, VMADK_MAPPING_WIDTH, false, false },
				 { &arg->pids, VMADK_PID_WIDTH, false, false },
				 { &arg->strings, VMADK_STRING_WIDTH, true, false }, { false } };
	bool by_pfn = arg->flags & VMADK_RMAP_PFN;
	const char *at = text;
	struct line line;

	if (arg->size != sizeof(*arg) || arg->flags & ~(VMADK_RMAP_PFN | VMADK_RMAP_NO_SCAN) || arg->result ||
	    (by_pfn ? arg->pid || arg->address : arg->pfn) || check_places(&places) < 0)
		return -EINVAL;
	if (!find_page(arg, &line))
		return by_pfn ? -ENODEV : -ENOENT;
	arg->pfn = arg->folio_pfn = number(&line, 3);
	arg->folio_pages = 1;
	arg->kind = (uint32_t)number(&line, 4);
	arg->mapcount = (int32_t)strtol(line.word[5], NULL, 0);
	arg->refcount = arg->mapcount + 1;
	arg->a_ops = string_of(&places.strings, line.word[6], "-");
	while (next_line(&at, "mapping", 10, &line)) {
		struct vmadk_mapping mapping = {
			.address = number(&line, 2), .vma_start = number(&line, 3), .vma_end = number(&line, 4),
			.vma_flags = number(&line, 5), .vma_pgoff = number(&line, 6), .mm = (uint32_t)number(&line, 7),
			.state = (uint32_t)number(&line, 8), .vm_ops = symbol_of_table(&places.strings, line.word[9]),
		};

		if (number(&line, 1) != arg->pfn)
			continue;
		add_mapping(&places, &mapping);
		arg->mapped += mapping.state == VMADK_STATE_MAPPED;
	}
	add_pids(&places);
	arg->result = result_of(&places);
	return 0;
}

static int filemap(struct vmadk_filemap *arg)
{
	struct places places = { { &arg->mappings, VMADK_MAPPING_WIDTH, false, false },
				 { &arg->pids, VMADK_PID_WIDTH, false, false },
				 { &arg->strings, VMADK_STRING_WIDTH, true, false }, { false } };
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const char *at = text;
	struct line line;
	struct stat st;

	if (arg->size != sizeof(*arg) || arg->flags || arg->result || check_places(&places) < 0)
		return -EINVAL;
	if (fstat(arg->fd, &st) < 0)
		return -EBADF;
	arg->inode = st.st_ino;
	while (next_line(&at, "filemapping", 8, &line)) {
		uint64_t first = number(&line, 5), start = number(&line, 2), end = number(&line, 3),
			 from = first > arg->first ? first : arg->first;
		struct vmadk_mapping mapping = {
			.address = start + (from - first) * page, .vma_start = start, .vma_end = end,
			.vma_flags = number(&line, 4), .vma_pgoff = first, .mm = (uint32_t)number(&line, 6),
			.vm_ops = symbol_of_table(&places.strings, line.word[7]),
		};

		if (number(&line, 1) == st.st_ino && first <= arg->last && mapping.address < end)
			add_mapping(&places, &mapping);
	}
	add_pids(&places);
	arg->result = result_of(&places);
	return 0;
}

/* The number in a `fail` or `set` line for this call; 0 where none is meant. */
static int find_order(const char *kind, unsigned request)
{
	const char *at = text;
	struct line line;

	while (next_line(&at, kind, 4, &line)) {
		if (!strcmp(line.word[1], requests[request]) && calls[request] <= number(&line, 3))
			return (int)number(&line, 2);
	}
	return 0;
}

static void count_call(unsigned request)
{
	const char *at = text;
	struct line line;

	if (next_line(&at, "generation", 2, &line) && number(&line, 1) != generation) {
		generation = number(&line, 1);
		memset(calls, 0, sizeof(calls));
	}
	calls[request]++;
}

static int answer(unsigned request, void *arg)
{
	int r = -find_order("fail", request);

	if (r < 0)
		return r;
	switch (request) {
	case 0:
		return info(arg);
	case 1:
		return vmas(arg);
	case 2:
		r = rmap(arg);
		((struct vmadk_rmap *)arg)->result |= (uint32_t)find_order("set", request);
		return r;
	default:
		r = filemap(arg);
		((struct vmadk_filemap *)arg)->result |= (uint32_t)find_order("set", request);
		return r;
	}
}

int standin_ioctl(int fd, unsigned long request, void *arg)
{
	unsigned number_of = (unsigned)(request & 0xff);
	int r;

	(void)fd;
	if (request >> 8 != VMADK_TYPE || number_of >= sizeof(requests) / sizeof(requests[0]))
		return -ENOTTY;
	pthread_mutex_lock(&lock);
	count_call(number_of);
	r = answer(number_of, arg);
	pthread_mutex_unlock(&lock);
	return r;
}
