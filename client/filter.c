/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "decimal.h"
#include "number.h"
#include "query.h"

static const char *const kind_names[] = {
#define KIND(id, name, help) name,
#include "vmad/kinds.def"
#undef KIND
};

/* Is word one of the names in list, which has commas between? */
static bool in_list(const char *list, const char *word, size_t len)
{
	for (const char *p = list; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static bool is_kind(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++)
		if (strlen(kind_names[i]) == len && strncmp(kind_names[i], word, len) == 0)
			return true;
	return false;
}

void filter_print_kinds(FILE *out)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++)
		fprintf(out, "%s%s", i ? " " : "", kind_names[i]);
}

int filter_set_kinds(struct filter *filter, const char *kinds, struct trouble *trouble)
{
	const char *p = kinds;

	for (;;) {
		size_t n = strcspn(p, ",");

		if (!is_kind(p, n)) {
			trouble_set(trouble, EXIT_USAGE, "unknown kind '%.*s'", (int)n, p);
			trouble_mend(trouble, "vmactl maps --help lists the kinds");
			return EXIT_USAGE;
		}
		if (!p[n])
			break;
		p += n + 1;
	}
	filter->kinds = kinds;
	return EXIT_DONE;
}

int filter_set_perms(struct filter *filter, const char *perms, struct trouble *trouble)
{
	static const char *const allowed[] = { "r-.", "w-.", "x-.", "ps." };

	if (strlen(perms) != 4)
		goto bad;
	for (size_t i = 0; i < 4; i++)
		if (!strchr(allowed[i], perms[i]))
			goto bad;
	filter->perms = perms;
	return EXIT_DONE;
bad:
	trouble_set(trouble, EXIT_USAGE, "'%s' are no permissions", perms);
	trouble_mend(trouble, "four characters: r or -, w or -, x or -, p or s; . stands for any (.wx.)");
	return EXIT_USAGE;
}

int filter_set_user(struct filter *filter, const char *user, struct trouble *trouble)
{
	const struct passwd *entry;
	uint64_t uid;

	if (decimal_parse(user, UINT32_MAX - 1, &uid) < 0) {
		entry = getpwnam(user);
		if (!entry)
			return trouble_set(trouble, EXIT_USAGE, "'%s' is neither a user id nor a user's name", user);
		uid = entry->pw_uid;
	}
	filter->uid = (uint32_t)uid;
	filter->has_uid = true;
	return EXIT_DONE;
}

int filter_query(const struct filter *f, struct text *query)
{
	int r = 0;

	if (f->kinds)
		r |= query_add(query, "kind", f->kinds);
	if (f->perms)
		r |= query_add(query, "perms", f->perms);
	if (f->path)
		r |= query_add(query, "path", f->path);
	if (f->deleted)
		r |= query_add(query, "deleted", "true");
	if (f->has_min_size)
		r |= text_printf(query, "&min_size_bytes=%" PRIu64, f->min_size);
	if (f->has_start)
		r |= text_printf(query, "&start=0x%" PRIx64, f->start);
	if (f->has_end)
		r |= text_printf(query, "&end=0x%" PRIx64, f->end);
	if (f->comm)
		r |= query_add(query, "comm", f->comm);
	if (f->has_uid)
		r |= text_printf(query, "&uid=%" PRIu32, f->uid);
	if (f->unit)
		r |= query_add(query, "unit", f->unit);
	return r;
}

static const json_t *member(const json_t *record, const json_t *head, const char *name)
{
	const json_t *value = json_object_get(record, name);

	return value ? value : json_object_get(head, name);
}

static bool text_matches(const char *pattern, const json_t *value)
{
	return json_is_string(value) && fnmatch(pattern, json_string_value(value), 0) == 0;
}

static bool perms_match(const char *pattern, const json_t *value)
{
	const char *perms = json_string_value(value);

	if (!perms || strlen(perms) != 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (pattern[i] != '.' && pattern[i] != perms[i])
			return false;
	return true;
}

static bool reaches(const struct filter *f, const json_t *record)
{
	const char *start_text = json_string_value(json_object_get(record, "start"));
	const char *end_text = json_string_value(json_object_get(record, "end"));
	uint64_t start, end;

	if (!start_text || !end_text || address_parse_hex(start_text, &start) || address_parse_hex(end_text, &end))
		return false;
	return (!f->has_start || end > f->start) && (!f->has_end || start < f->end);
}

static bool vma_matches(const struct filter *f, const json_t *record)
{
	const char *kind = json_string_value(json_object_get(record, "kind"));

	if (f->kinds && (!kind || !in_list(f->kinds, kind, strlen(kind))))
		return false;
	if (f->perms && !perms_match(f->perms, json_object_get(record, "perms")))
		return false;
	if (f->path && !text_matches(f->path, json_object_get(record, "path")) &&
	    !text_matches(f->path, json_object_get(record, "name")))
		return false;
	if (f->deleted && !json_is_true(json_object_get(record, "deleted")))
		return false;
	if (f->has_min_size && number_member(record, "size_bytes") < f->min_size)
		return false;
	return !(f->has_start || f->has_end) || reaches(f, record);
}

bool filter_match(const struct filter *f, const json_t *record, const json_t *head)
{
	const json_t *uid = member(record, head, "uid");

	if (f->comm && !text_matches(f->comm, member(record, head, "comm")))
		return false;
	if (f->unit && !text_matches(f->unit, member(record, head, "unit")))
		return false;
	if (f->has_uid && (!json_is_number(uid) || number_value(uid) != f->uid))
		return false;
	return vma_matches(f, record);
}
