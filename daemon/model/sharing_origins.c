/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sharing_origins.h"

#include <errno.h>
#include <search.h>
#include <unistd.h>

/* Each of them is two origins: its own pages, and anonymous ones. */
struct origin {
	const char *kind;		/* of kinds.def: static */
	struct vmad_str path, name;
	uint32_t number;
};

struct sharing_area {
	struct sharing_area *next;
	uint64_t start, end;		/* page numbers */
	const struct origin *origin;
};

struct sharing_origins {
	struct chunk_store *store;
	uint64_t page_size;
	void *tree;			/* tsearch(3) */
	const struct origin **numbered;
	size_t count, capacity;
	struct sharing_area *first, *last;
};

int sharing_origins_new(struct chunk_store *store, struct sharing_origins **ret_origins)
{
	struct sharing_origins *origins = calloc(1, sizeof(*origins));

	if (!origins)
		return -ENOMEM;
	origins->store = store;
	origins->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	*ret_origins = origins;
	return 0;
}

static void keep_node(void *origin)
{
	(void)origin;	/* it is the store's */
}

void sharing_origins_free(struct sharing_origins *origins)
{
	if (!origins)
		return;
	tdestroy(origins->tree, keep_node);
	free(origins->numbered);
	free(origins);
}

static int by_bytes(struct vmad_str a, struct vmad_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int r = len ? memcmp(a.p, b.p, len) : 0;

	return r ? r : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
	const struct origin *x = a, *y = b;
	int r = strcmp(x->kind, y->kind);

	if (!r)
		r = by_bytes(x->path, y->path);
	return r ? r : by_bytes(x->name, y->name);
}

static int copy(struct chunk_store *store, struct vmad_str *str)
{
	char *bytes = str->len ? chunk_store_allocate(store, str->len) : NULL;

	if (str->len && !bytes)
		return -ENOSPC;
	if (str->len)
		memcpy(bytes, str->p, str->len);
	str->p = bytes;
	return 0;
}

static int grow(struct sharing_origins *origins)
{
	size_t capacity = origins->capacity ? origins->capacity * 2 : 64;
	const struct origin **numbered = realloc(origins->numbered, capacity * sizeof(*numbered));

	if (!numbered)
		return -ENOMEM;
	origins->numbered = numbered;
	origins->capacity = capacity;
	return 0;
}

static int add_origin(struct sharing_origins *origins, const struct origin *like, const struct origin **ret_origin)
{
	struct origin *origin = chunk_store_allocate(origins->store, sizeof(*origin));

	if (!origin)
		return -ENOSPC;
	*origin = *like;
	origin->number = (uint32_t)origins->count;
	if (copy(origins->store, &origin->path) < 0 || copy(origins->store, &origin->name) < 0)
		return -ENOSPC;
	if (origins->count == origins->capacity && grow(origins) < 0)
		return -ENOMEM;
	if (!tsearch(origin, &origins->tree, by_name))
		return -ENOMEM;
	origins->numbered[origins->count++] = origin;
	*ret_origin = origin;
	return 0;
}

static int find_origin(struct sharing_origins *origins, const struct vmad_vma *vma, const struct origin **ret_origin)
{
	struct origin like = { .kind = vma->kind };
	const struct origin *const *found;

	if (vma->has & VMAD_HAS(vma, path))
		like.path = vma->path;
	if (vma->has & VMAD_HAS(vma, name))
		like.name = vma->name;
	found = tfind(&like, &origins->tree, by_name);
	if (!found)
		return add_origin(origins, &like, ret_origin);
	*ret_origin = *found;
	return 0;
}

int sharing_origins_add(struct sharing_origins *origins, const struct vmad_vma *vma)
{
	uint64_t start = vma->start / origins->page_size, end = vma->end / origins->page_size;
	const struct origin *origin = NULL;
	struct sharing_area *area;
	int r = find_origin(origins, vma, &origin);

	if (r < 0)
		return r;
	if (origins->last && origins->last->end == start && origins->last->origin == origin) {
		origins->last->end = end;
		return 0;
	}
	area = chunk_store_allocate(origins->store, sizeof(*area));
	if (!area)
		return -ENOSPC;
	*area = (struct sharing_area){ .start = start, .end = end, .origin = origin };
	if (origins->last)
		origins->last->next = area;
	else
		origins->first = area;
	origins->last = area;
	return 0;
}

size_t sharing_origins_count(const struct sharing_origins *origins)
{
	return origins->count * 2;
}

struct vmad_sharing_origin sharing_origins_record(const struct sharing_origins *origins, size_t number)
{
	const struct origin *origin = origins->numbered[number / 2];

	return (struct vmad_sharing_origin){
		.has = (origin->path.len ? VMAD_HAS(sharing_origin, path) : 0) |
		       (origin->name.len ? VMAD_HAS(sharing_origin, name) : 0),
		.path = origin->path,
		.name = origin->name,
		.kind = origin->kind,
		.anonymous = number % 2,
	};
}

bool sharing_origins_find(const struct sharing_origins *origins, uint64_t page, bool of_file,
			  const struct sharing_area **cursor, uint32_t *ret_number)
{
	const struct sharing_area *area = *cursor && (*cursor)->start <= page ? *cursor : origins->first;

	while (area && area->end <= page)
		area = area->next;
	if (!area || area->start > page)
		return false;
	*cursor = area;
	*ret_number = area->origin->number * 2 + !of_file;
	return true;
}

bool sharing_origins_any_address(const struct sharing_origins *origins, uint64_t *ret_address)
{
	if (!origins->first)
		return false;
	*ret_address = origins->first->start * origins->page_size;
	return true;
}
