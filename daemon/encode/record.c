/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The appenders are made from fields.def at compile time: keys are literals of known length, so a record of ten members
 * is ten copies and ten conversions, with one look at the room.
 */
#include "encode/record.h"

#include <ctype.h>

#include "encode/json.h"

/* Room for a value of each type; the key, its quotes, colon and comma come on top. */
#define ROOM_ADDR(v) JSON_HEX_MAX
#define ROOM_HEX(v) JSON_HEX_MAX
#define ROOM_DEC(v) (JSON_U64_MAX + 2)
#define ROOM_U64(v) JSON_U64_MAX
#define ROOM_PID(v) JSON_U64_MAX
#define ROOM_RATIO(v) JSON_RATIO_MAX
#define ROOM_BOOL(v) 5
#define ROOM_PERMS(v) JSON_STRING_MAX(4)
#define ROOM_DEVICE(v) JSON_DEVICE_MAX
#define ROOM_WORD(v) (strlen(v) + 2)
#define ROOM_STR(v) (JSON_STRING_MAX((v).len) + sizeof(",\"_escaped\":true"))
#define ROOM_NUMBERS(v) ((v).len + 2)
#define ROOM_WORDS(v) (JSON_STRING_MAX((v).len) + 8)
#define ROOM_LINES(v) ROOM_WORDS(v)

#define PUT_LITERAL(to, literal) (memcpy(to, literal, sizeof(literal) - 1), (to) + sizeof(literal) - 1)

static char *put_DEC(char *to, uint64_t value)
{
	*to++ = '"';
	to = json_put_u64(to, value);
	*to++ = '"';
	return to;
}

static char *put_BOOL(char *to, bool value)
{
	return value ? PUT_LITERAL(to, "true") : PUT_LITERAL(to, "false");
}

static char *put_PERMS(char *to, const char perms[4])
{
	bool escaped;

	return json_put_string(to, (struct vmad_str){ perms, 4 }, &escaped);
}

static char *put_WORD(char *to, const char *word)
{
	size_t len = strlen(word);

	*to++ = '"';
	memcpy(to, word, len);
	to += len;
	*to++ = '"';
	return to;
}

static char *put_parts(char *to, struct vmad_str words, char separator)
{
	const char *p = words.p, *end = words.p + words.len;
	bool first = true, escaped;

	*to++ = '[';
	while (p < end) {
		const char *next = memchr(p, separator, (size_t)(end - p));
		size_t len = (size_t)((next ? next : end) - p);

		if (len && !first)
			*to++ = ',';
		if (len) {
			to = json_put_string(to, (struct vmad_str){ p, len }, &escaped);
			first = false;
		}
		p += len + 1;
	}
	*to++ = ']';
	return to;
}

static char *put_NUMBERS(char *to, struct vmad_str numbers)
{
	*to++ = '[';
	for (size_t i = 0; i < numbers.len; i++)
		*to++ = numbers.p[i] == ' ' ? ',' : numbers.p[i];
	*to++ = ']';
	return to;
}

#define PUT_ADDR(to, v, json) json_put_hex(to, v)
#define PUT_HEX(to, v, json) json_put_hex(to, v)
#define PUT_DEC(to, v, json) put_DEC(to, v)
#define PUT_U64(to, v, json) json_put_u64(to, v)
#define PUT_PID(to, v, json) json_put_i64(to, v)
#define PUT_RATIO(to, v, json) json_put_ratio(to, v)
#define PUT_BOOL(to, v, json) put_BOOL(to, v)
#define PUT_PERMS(to, v, json) put_PERMS(to, v)
#define PUT_DEVICE(to, v, json) json_put_device(to, v)
#define PUT_WORD(to, v, json) put_WORD(to, v)
#define PUT_WORDS(to, v, json) put_parts(to, v, ' ')
#define PUT_LINES(to, v, json) put_parts(to, v, '\n')
#define PUT_NUMBERS(to, v, json) put_NUMBERS(to, v)
#define PUT_STR(to, v, json) ({						\
	bool escaped_;							\
	char *to_ = json_put_string(to, v, &escaped_);			\
	escaped_ ? PUT_LITERAL(to_, ",\"" json "_escaped\":true") : to_; })

#define IS_MUST 1
#define IS_MAY 0

#define RECORD(record, help)						\
	static size_t room_##record(const struct vmad_##record *r)	\
	{								\
		size_t room = 0;					\
		(void)r;
#define FIELD(record, member, type, need, json, help)			\
		if (IS_##need || (r->has & VMAD_HAS(record, member)))	\
			room += 2 * sizeof("\"" json "\":,") + ROOM_##type(r->member);
#define SUB(record, member, other, json, help)
#define END(record)							\
		return room;						\
	}
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

#define RECORD(record, help)						\
	void record_put_##record(struct buf *buf, const struct vmad_##record *r) \
	{								\
		char *to = buf_reserve(buf, room_##record(r));		\
		if (!to)						\
			return;
#define FIELD(record, member, type, need, json, help)			\
		if (IS_##need || (r->has & VMAD_HAS(record, member))) {	\
			to = PUT_LITERAL(to, "\"" json "\":");		\
			to = PUT_##type(to, r->member, json);		\
			*to++ = ',';					\
		}
#define SUB(record, member, other, json, help)				\
		buf->len = (size_t)(to - buf->p);			\
		if (r->member) {					\
			BUF_PUT_LITERAL(buf, "\"" json "\":{");		\
			record_put_##other(buf, r->member);		\
			record_close(buf);				\
			BUF_PUT_LITERAL(buf, ",");			\
		}							\
		to = buf_reserve(buf, room_##record(r));		\
		if (!to)						\
			return;
#define LIST(record, member, other, json, help)				\
		buf->len = (size_t)(to - buf->p);			\
		BUF_PUT_LITERAL(buf, "\"" json "\":[");			\
		for (size_t i = 0; i < r->member##_count; i++) {	\
			BUF_PUT_LITERAL(buf, "{");			\
			record_put_##other(buf, &r->member[i]);		\
			record_close(buf);				\
			BUF_PUT_LITERAL(buf, ",");			\
		}							\
		buf_drop(buf, ',');					\
		BUF_PUT_LITERAL(buf, "],");				\
		to = buf_reserve(buf, room_##record(r));		\
		if (!to)						\
			return;
#define END(record)							\
		buf->len = (size_t)(to - buf->p);			\
	}
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

void record_close(struct buf *to)
{
	buf_drop(to, ',');
	BUF_PUT_LITERAL(to, "}");
}

/* AnonHugePages and Pss_Dirty become anon_huge_pages and pss_dirty. */
static size_t snake_case(char *to, struct vmad_str key)
{
	size_t len = 0;

	for (size_t i = 0; i < key.len; i++) {
		unsigned char c = (unsigned char)key.p[i];
		bool starts_word = i && isupper(c) && (islower((unsigned char)key.p[i - 1]) ||
						       (i + 1 < key.len && islower((unsigned char)key.p[i + 1])));

		if (starts_word && len && to[len - 1] != '_')
			to[len++] = '_';
		to[len++] = isalnum(c) ? (char)tolower(c) : '_';
	}
	return len;
}

/* A number, or kB as bytes; false where the value is anything else, or too large. */
static bool number_of(struct vmad_str value, uint64_t *ret_number, bool *ret_kib)
{
	uint64_t number = 0;
	size_t i = 0;

	for (; i < value.len && isdigit((unsigned char)value.p[i]); i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, value.p[i] - '0', &number))
			return false;
	*ret_kib = value.len - i == 3 && !memcmp(value.p + i, " kB", 3);
	if (*ret_kib && __builtin_mul_overflow(number, 1024, &number))
		return false;
	*ret_number = number;
	return i && (i == value.len || *ret_kib);
}

/* Names of the members that may stand beside an unknown one: an object has no member twice. */
static bool is_taken(const char *name, size_t len)
{
	static const struct vmad_str taken[] = {
#define RECORD(record, help)
#define FIELD(record, member, type, need, json, help) VMAD_STR(json),
#define SUB(record, member, other, json, help) VMAD_STR(json),
#define LIST(record, member, other, json, help) VMAD_STR(json),
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (taken[i].len == len && !memcmp(taken[i].p, name, len))
			return true;
	return false;
}

#define TAKEN_PREFIX "smaps_"

void record_put_unknown(struct buf *buf, struct vmad_str key, struct vmad_str value)
{
	uint64_t number = 0;
	bool kib = false, is_number = number_of(value, &number, &kib), escaped;
	char *to = buf_reserve(buf, 2 * key.len + sizeof("\"" TAKEN_PREFIX "_bytes\":,") + JSON_U64_MAX +
					    JSON_STRING_MAX(value.len));
	char *name;

	if (!to)
		return;
	*to++ = '"';
	name = to;
	to += snake_case(to, key);
	if (is_number && kib)
		to = PUT_LITERAL(to, "_bytes");
	if (is_taken(name, (size_t)(to - name))) {
		memmove(name + sizeof(TAKEN_PREFIX) - 1, name, (size_t)(to - name));
		memcpy(name, TAKEN_PREFIX, sizeof(TAKEN_PREFIX) - 1);
		to += sizeof(TAKEN_PREFIX) - 1;
	}
	to = PUT_LITERAL(to, "\":");
	to = is_number ? json_put_u64(to, number) : json_put_string(to, value, &escaped);
	*to++ = ',';
	buf->len = (size_t)(to - buf->p);
}
