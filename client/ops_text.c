/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ops_text.h"

#include <stdbool.h>

static const char *string_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static int name_in_module(bool is_null, const char *name, const char *module, struct text *out)
{
	if (is_null)
		return text_printf(out, "NULL");
	if (!name)
		return text_printf(out, "(no symbol)");
	return text_printf(out, module ? "%s [%s]" : "%s", name, module);
}

int ops_text_table(const json_t *kernel, struct text *out)
{
	return name_in_module(!json_is_true(json_object_get(kernel, "has_vm_ops")), string_of(kernel, "vm_ops"),
			      string_of(kernel, "vm_ops_module"), out);
}

int ops_text_file(const json_t *kernel, struct text *out)
{
	static const char *const members[] = { "a_ops", "f_op" };
	int r = 0;

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const char *name = string_of(kernel, members[i]);

		if (name)
			r |= text_printf(out, "%s%s %s", out->len ? "   " : "", members[i], name);
	}
	return r;
}

int ops_text_function(const json_t *member, struct text *out)
{
	return name_in_module(json_is_true(json_object_get(member, "null")), string_of(member, "symbol"),
			      string_of(member, "module"), out);
}
