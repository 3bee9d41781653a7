/* SPDX-License-Identifier: GPL-2.0-or-later */
/* params: the parameters of params.def, from text to typed values. */
#ifndef HTTP_PARAMS_H
#define HTTP_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_id {
	PARAM_none,
#define PARAM(id, name, type, choices, help) PARAM_##id,
#include "vmad/params.def"
#undef PARAM
	PARAMS
};

enum param_type {
	PARAM_TYPE_PID,
	PARAM_TYPE_ADDR,
	PARAM_TYPE_PFN,
	PARAM_TYPE_U64,
	PARAM_TYPE_SIZE,
	PARAM_TYPE_LIMIT,
	PARAM_TYPE_BOOL,
	PARAM_TYPE_UID,
	PARAM_TYPE_GLOB,
	PARAM_TYPE_PERMS,
	PARAM_TYPE_KINDS,
	PARAM_TYPE_FILE,
	PARAM_TYPE_DEVICE,
	PARAM_TYPE_INODE,
	PARAM_TYPE_CHOICE,
	PARAM_TYPE_CURSOR,
};

struct param {
	const char *name;
	enum param_type type;
	const char *choices;		/* with commas between; "" for types that have none */
	const char *help;
};

extern const struct param params[PARAMS];

struct param_value {
	bool given;
	uint64_t number;		/* see params.def for what it is */
	uint64_t address;		/* CURSOR: behind its colon, or 0 */
	const char *text;		/* as it came, decoded; borrowed from the uri */
};

/* 0, or -EINVAL where the text is not what the type wants; *value is untouched then. */
int param_parse(enum param_id id, const char *text, struct param_value *value);

/* Is its value the text itself, and no number? */
bool param_is_text(enum param_id id);

/* What a type wants, in words: "an address in hex, of at most 64 bits". */
const char *param_type_words(enum param_type type);

#endif
