/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "number.h"

json_t *number_load(const char *p, size_t len, json_error_t *ret_error)
{
	json_t *value = json_loadb(p, len, 0, ret_error);

	if (!value && json_error_code(ret_error) == json_error_numeric_overflow)
		value = json_loadb(p, len, JSON_DECODE_INT_AS_REAL, ret_error);
	return value;
}

uint64_t number_value(const json_t *value)
{
	double real;

	if (json_is_integer(value))
		return json_integer_value(value) < 0 ? 0 : (uint64_t)json_integer_value(value);
	if (!json_is_real(value))
		return 0;
	real = json_real_value(value);
	return real <= 0 ? 0 : real >= 0x1p64 ? UINT64_MAX : (uint64_t)real;
}

uint64_t number_member(const json_t *object, const char *name)
{
	return number_value(json_object_get(object, name));
}
