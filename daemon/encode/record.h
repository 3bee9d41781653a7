/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record: the records of fields.def as JSON members.
 *
 * A run of members is text like `"pid":1,"comm":"init",`: each member ends with its comma, so that runs can be put one
 * behind the other; whoever closes the object turns the last comma into a brace (record_close). What the strings and
 * words of a record must be: vmad/records.h.
 */
#ifndef ENCODE_RECORD_H
#define ENCODE_RECORD_H

#include "encode/buf.h"
#include "vmad/records.h"

#define RECORD(record, help) void record_put_##record(struct buf *to, const struct vmad_##record *from);
#define FIELD(record, member, type, need, json, help)
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

/* Ends an object: the last member's comma becomes a brace. */
void record_close(struct buf *to);

/*
 * A member that has no row in fields.def: a key of smaps that this vmad does not know. Its name becomes snake_case,
 * with smaps_ before it where a row of fields.def has that name already. "12 kB" becomes bytes, and _bytes ends the
 * name; a number that fits into 64 bits stays one; anything else is a string.
 */
void record_put_unknown(struct buf *to, struct vmad_str key, struct vmad_str value);

#endif
