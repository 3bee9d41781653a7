// SPDX-License-Identifier: GPL-2.0
#include "symbols.h"

#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

/* More names than any host has tables of operations; what the caller has room for beyond it is not needed. */
#define ROOM_MAX 2048
/* Pointers whose names are not known are remembered too. */
#define UNKNOWN_MAX 64

struct known {
	const void *address;
	u32 reference;
};

struct symbols {
	struct vmadk_string *strings;
	struct known *known;
	u32 count, room;		/* of strings */
	u32 known_count, known_room;
	bool overflown;
	char text[KSYM_SYMBOL_LEN];
};

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	kvfree(symbols->strings);
	kvfree(symbols->known);
	kfree(symbols);
}

struct symbols *symbols_new(const struct vmadk_array *array)
{
	struct symbols *symbols = kzalloc(sizeof(*symbols), GFP_KERNEL_ACCOUNT);

	if (!symbols)
		return NULL;
	symbols->room = min_t(u32, array->room, ROOM_MAX);
	symbols->known_room = symbols->room + UNKNOWN_MAX;
	symbols->strings = kvmalloc_array(max(symbols->room, 1u), sizeof(*symbols->strings), GFP_KERNEL_ACCOUNT);
	symbols->known = kvmalloc_array(symbols->known_room, sizeof(*symbols->known), GFP_KERNEL_ACCOUNT);
	if (symbols->strings && symbols->known)
		return symbols;
	symbols_free(symbols);
	return NULL;
}

bool symbols_overflown(const struct symbols *symbols)
{
	return symbols->overflown;
}

static const struct known *find_known(const struct symbols *symbols, const void *address)
{
	u32 i;

	for (i = 0; i < symbols->known_count; i++) {
		if (symbols->known[i].address == address)
			return &symbols->known[i];
	}
	return NULL;
}

static u32 remember(struct symbols *symbols, const void *address, u32 reference)
{
	if (symbols->known_count < symbols->known_room)
		symbols->known[symbols->known_count++] = (struct known){ address, reference };
	return reference;
}

/* Takes up a name of this length; VMADK_UNRESOLVED where there is no room, or it is too long. */
static u32 add_string(struct symbols *symbols, const char *text, size_t length, const char *module,
		      size_t module_length)
{
	struct vmadk_string *string;

	if (length >= sizeof(string->text) || module_length >= sizeof(string->module))
		return VMADK_UNRESOLVED;
	if (symbols->count == symbols->room) {
		symbols->overflown = symbols->room > 0;
		return VMADK_UNRESOLVED;
	}
	string = &symbols->strings[symbols->count++];
	/* All of it goes to the caller. */
	memset(string, 0, sizeof(*string));
	memcpy(string->text, text, length);
	memcpy(string->module, module, module_length);
	return symbols->count;
}

/* sprint_symbol(): "name+0x0/0x98 [module]", or the bare address of what has no name. */
static u32 resolve(struct symbols *symbols, const void *address)
{
	const char *offset, *module;

	sprint_symbol(symbols->text, (unsigned long)address);
	offset = strchr(symbols->text, '+');
	if (!offset || strncmp(offset, "+0x0/", 5))
		return VMADK_UNRESOLVED;
	module = strstr(offset, " [");
	module = module ? module + 2 : "";
	return add_string(symbols, symbols->text, offset - symbols->text, module, strcspn(module, "]"));
}

u32 symbols_of(struct symbols *symbols, const void *address)
{
	const struct known *known;

	if (!address)
		return 0;
	known = find_known(symbols, address);
	return known ? known->reference : remember(symbols, address, resolve(symbols, address));
}

u32 symbols_word(struct symbols *symbols, const char *word)
{
	const struct known *known = find_known(symbols, word);

	return known ? known->reference : remember(symbols, word, add_string(symbols, word, strlen(word), "", 0));
}

int symbols_write(const struct symbols *symbols, struct vmadk_array *array)
{
	array->count = 0;
	return array_append(array, symbols->strings, symbols->count);
}
