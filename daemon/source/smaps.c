/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/smaps.h"

#include <errno.h>
#include <string.h>

enum unit {
	UNIT_KB,	/* uint64_t member, bytes; the text says kB */
	UNIT_NUMBER,	/* uint64_t member, plain */
	UNIT_TRUTH,	/* bool member, 0 or 1 */
	UNIT_WORDS,	/* struct vmad_str member, the rest of the line */
	UNIT_SKIP,	/* known, and said already by another member */
};

struct key {
	const char *text;	/* with its colon */
	size_t len;
	enum unit unit;
	size_t offset;		/* of the member in struct vmad_usage */
	uint64_t bit;		/* in its `has` */
};

#define KEY(text, unit, member) \
	{ text ":", sizeof(text), unit, offsetof(struct vmad_usage, member), VMAD_HAS(usage, member) }

/*
 * In the order in which show_smap() prints them, so that the key after the last one is nearly always the next that
 * comes. The rollup's own keys stand at the end: it has one record only.
 */
static const struct key keys[] = {
	{ "Size:", sizeof("Size"), UNIT_SKIP, 0, 0 },
	KEY("KernelPageSize", UNIT_KB, kernel_page_size_bytes),
	KEY("MMUPageSize", UNIT_KB, mmu_page_size_bytes),
	KEY("Rss", UNIT_KB, rss_bytes),
	KEY("Pss", UNIT_KB, pss_bytes),
	KEY("Pss_Dirty", UNIT_KB, pss_dirty_bytes),
	KEY("Shared_Clean", UNIT_KB, shared_clean_bytes),
	KEY("Shared_Dirty", UNIT_KB, shared_dirty_bytes),
	KEY("Private_Clean", UNIT_KB, private_clean_bytes),
	KEY("Private_Dirty", UNIT_KB, private_dirty_bytes),
	KEY("Referenced", UNIT_KB, referenced_bytes),
	KEY("Anonymous", UNIT_KB, anonymous_bytes),
	KEY("KSM", UNIT_KB, ksm_bytes),
	KEY("LazyFree", UNIT_KB, lazy_free_bytes),
	KEY("AnonHugePages", UNIT_KB, anon_huge_pages_bytes),
	KEY("ShmemPmdMapped", UNIT_KB, shmem_pmd_mapped_bytes),
	KEY("FilePmdMapped", UNIT_KB, file_pmd_mapped_bytes),
	KEY("Shared_Hugetlb", UNIT_KB, shared_hugetlb_bytes),
	KEY("Private_Hugetlb", UNIT_KB, private_hugetlb_bytes),
	KEY("Swap", UNIT_KB, swap_bytes),
	KEY("SwapPss", UNIT_KB, swap_pss_bytes),
	KEY("Locked", UNIT_KB, locked_bytes),
	KEY("THPeligible", UNIT_TRUTH, thp_eligible),
	KEY("ProtectionKey", UNIT_NUMBER, protection_key),
	KEY("VmFlags", UNIT_WORDS, flags),
	KEY("Pss_Anon", UNIT_KB, pss_anon_bytes),
	KEY("Pss_File", UNIT_KB, pss_file_bytes),
	KEY("Pss_Shmem", UNIT_KB, pss_shmem_bytes),
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static inline bool key_matches(const struct key *key, const char *p, const char *end)
{
	return (size_t)(end - p) >= key->len && memcmp(p, key->text, key->len) == 0;
}

/* The known key that the line at p begins with: first the expected one, then any. KEY_COUNT: unknown. */
static size_t key_find(const char *p, const char *end, size_t expected)
{
	if (expected < KEY_COUNT && key_matches(&keys[expected], p, end))
		return expected;
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (key_matches(&keys[i], p, end))
			return i;
	return KEY_COUNT;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static struct vmad_str trim(const char *p, const char *end)
{
	p = skip_blanks(p, end);
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct vmad_str){ p, (size_t)(end - p) };
}

/* Where the line at p ends (at its newline, or at the end of all); *ret_next is where the next one begins. */
static const char *line_end(const char *p, const char *end, const char **ret_next)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	*ret_next = newline ? newline + 1 : end;
	return newline ? newline : end;
}

/* Blanks, a number, " kB" where the unit has it, and the end of the line. NULL: it is something else. */
static const char *parse_number(const char *p, const char *end, enum unit unit, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *digits = skip_blanks(p, end);

	for (p = digits; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
			return NULL;
	if (p == digits)
		return NULL;
	if (unit == UNIT_KB) {
		if (end - p < 3 || memcmp(p, " kB", 3) != 0 || __builtin_mul_overflow(value, 1024, &value))
			return NULL;
		p += 3;
	}
	if (p < end && *p++ != '\n')
		return NULL;
	*ret_value = value;
	return p;
}

/* Stores the value that begins at p. Returns where the next line begins, or NULL where the value is none. */
static const char *key_store(const struct key *key, const char *p, const char *end, struct vmad_usage *usage)
{
	void *member = (char *)usage + key->offset;
	const char *next;
	uint64_t value;

	switch (key->unit) {
	case UNIT_SKIP:
		line_end(p, end, &next);
		return next;
	case UNIT_WORDS:
		*(struct vmad_str *)member = trim(p, line_end(p, end, &next));
		usage->has |= key->bit;
		return next;
	case UNIT_KB:
	case UNIT_NUMBER:
	case UNIT_TRUTH:
		break;
	}
	next = parse_number(p, end, key->unit, &value);
	if (!next)
		return NULL;
	if (key->unit == UNIT_TRUTH)
		*(bool *)member = value != 0;
	else
		*(uint64_t *)member = value;
	usage->has |= key->bit;
	return next;
}

/* Passes an unknown "Key: value" on. Returns where the next line begins, or NULL where the line is none. */
static const char *key_pass_on(const char *p, const char *end, smaps_unknown_fn *unknown, void *arg)
{
	const char *next, *stop = line_end(p, end, &next), *colon = memchr(p, ':', (size_t)(stop - p));

	if (!colon || colon == p)
		return NULL;
	if (unknown)
		unknown(arg, (struct vmad_str){ p, (size_t)(colon - p) }, trim(colon + 1, stop));
	return next;
}

int smaps_parse_keys(const char *bytes, size_t len, struct vmad_usage *usage, smaps_unknown_fn *unknown, void *arg)
{
	const char *p = bytes, *end = bytes + len;
	size_t expected = 0;

	usage->has = 0;
	while (p < end) {
		size_t i = key_find(p, end, expected);

		if (i < KEY_COUNT) {
			p = key_store(&keys[i], p + keys[i].len, end, usage);
			expected = i + 1;
		} else {
			p = key_pass_on(p, end, unknown, arg);
		}
		if (!p)
			return -EINVAL;
	}
	return 0;
}

/* Keys begin with a capital; a maps line with its start address, in lower-case hexadecimal. */
static inline bool is_maps_line(char first)
{
	return (first >= '0' && first <= '9') || (first >= 'a' && first <= 'f');
}

size_t smaps_record_length(const char *bytes, size_t len, size_t *ret_keys)
{
	const char *end = bytes + len, *p = len ? memchr(bytes, '\n', len) : NULL;	/* no bytes: NULL */

	*ret_keys = p ? (size_t)(p + 1 - bytes) : len;
	while (p && ++p < end) {
		if (is_maps_line(*p))
			return (size_t)(p - bytes);
		p = memchr(p, '\n', (size_t)(end - p));
	}
	return 0;
}
