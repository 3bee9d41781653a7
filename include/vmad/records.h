/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of the API as C structs, made from the rows of fields.def.
 *
 * A record is plain data. Every string in it is borrowed: it belongs to whoever filled the record (a stream keeps it
 * until its next call), and nobody frees a record's members.
 *
 *   type    in C                       in JSON
 *   ADDR    uint64_t                   "0x7f10a2c28000"
 *   HEX     uint64_t                   "0x1a2b" (raw flags, frame numbers)
 *   DEC     uint64_t                   "247134" (inode: JSON numbers lose the low bits above 2^53)
 *   U64     uint64_t                   4096
 *   PID     int32_t                    4242
 *   RATIO   double, 0 or more          0.0015 (six digits behind the point)
 *   BOOL    bool                       true
 *   PERMS   char[4], no NUL            "r-xp"
 *   DEVICE  uint64_t, major << 32 | minor   "fe:00", as maps prints it
 *   WORD    const char *, plain ASCII that needs no escape; never NULL where present
 *   STR     struct vmad_str, any bytes; see below
 *   WORDS   struct vmad_str, words with blanks between   ["rd","mr"]
 *   NUMBERS struct vmad_str, decimal numbers with blanks between   [4242,4243]
 *   LINES   struct vmad_str, lines with newlines between   ["top-down from ...","aligned to ..."]
 *
 * Bytes in JSON: valid UTF-8 stands for itself (control characters as \u00xx). A string that is not valid UTF-8 gets
 * each bad byte written as the four characters \xHH and each backslash doubled, and "<name>_escaped": true follows it.
 */
#ifndef VMAD_RECORDS_H
#define VMAD_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that belong to somebody else; not NUL-terminated. */
struct vmad_str {
	const char *p;
	size_t len;
};

#define VMAD_STR(literal) ((struct vmad_str){ (literal), sizeof(literal) - 1 })

/* A copy with a NUL behind it, the caller's to free(); NULL without memory. strndup(3) is for bytes that end somewhere. */
static inline char *vmad_str_copy(struct vmad_str str)
{
	char *copy = malloc(str.len + 1);

	if (!copy)
		return NULL;
	if (str.len)
		memcpy(copy, str.p, str.len);
	copy[str.len] = '\0';
	return copy;
}

#define VMAD_CTYPE_ADDR(m) uint64_t m
#define VMAD_CTYPE_HEX(m) uint64_t m
#define VMAD_CTYPE_DEC(m) uint64_t m
#define VMAD_CTYPE_U64(m) uint64_t m
#define VMAD_CTYPE_PID(m) int32_t m
#define VMAD_CTYPE_RATIO(m) double m
#define VMAD_CTYPE_BOOL(m) bool m
#define VMAD_CTYPE_PERMS(m) char m[4]
#define VMAD_CTYPE_DEVICE(m) uint64_t m
#define VMAD_CTYPE_WORD(m) const char *m
#define VMAD_CTYPE_STR(m) struct vmad_str m
#define VMAD_CTYPE_WORDS(m) struct vmad_str m
#define VMAD_CTYPE_NUMBERS(m) struct vmad_str m
#define VMAD_CTYPE_LINES(m) struct vmad_str m

enum vmad_record_id {
	VMAD_RECORD_none,
#define RECORD(record, help) VMAD_RECORD_##record,
#define FIELD(record, member, type, need, json, help)
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	VMAD_RECORDS
};

/* The bit of each member in its record's `has`; only MAY members are looked up there. */
#define RECORD(record, help) enum vmad_##record##_bit {
#define FIELD(record, member, type, need, json, help) VMAD_BIT_##record##_##member,
#define SUB(record, member, other, json, help)
#define END(record) VMAD_BITS_##record };
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

#define VMAD_HAS(record, member) (UINT64_C(1) << VMAD_BIT_##record##_##member)

#define RECORD(record, help) struct vmad_##record { uint64_t has;
#define FIELD(record, member, type, need, json, help) VMAD_CTYPE_##type(member);
#define SUB(record, member, other, json, help) const struct vmad_##other *member;
#define LIST(record, member, other, json, help) const struct vmad_##other *member; size_t member##_count;
#define END(record) };
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

#endif
