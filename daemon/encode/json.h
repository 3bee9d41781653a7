/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json: values as JSON text (RFC 8259), appended where there is room. Every function writes at `to` and returns where
 * it ended, without a NUL; the caller has made room, by the JSON_*_MAX of each. jansson is the reference that the tests
 * hold this against: it costs 10 to 20 us a VMA, this costs a fraction of one.
 */
#ifndef ENCODE_JSON_H
#define ENCODE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "vmad/records.h"

#define JSON_HEX_MAX 20		/* "0xffffffffffffffff" with its quotes */
#define JSON_U64_MAX 20		/* a sign and 19 digits, or 20 digits */
#define JSON_DEVICE_MAX 19	/* "ffffffff:ffffffff" with its quotes */
#define JSON_RATIO_MAX 32

/* Room for a string of len bytes: each byte may become \u00xx (6) or \\xHH (5). */
#define JSON_STRING_MAX(len) (6 * (len) + 2)

char *json_put_u64(char *to, uint64_t value);
char *json_put_i64(char *to, int64_t value);

/* "0x1f", with quotes. */
char *json_put_hex(char *to, uint64_t value);

/* 0.001480: six digits behind the point, never an exponent; value is 0 or more, at most 1e12. */
char *json_put_ratio(char *to, double value);

/* "fe:00", with quotes, as maps prints device numbers: at least two hex digits each. */
char *json_put_device(char *to, uint64_t device);

/*
 * A string with its quotes. Quotes, backslashes and control characters (below U+0020, U+007F to U+009F) are escaped.
 * *ret_escaped: it was not valid UTF-8, so each bad byte stands as \xHH and each backslash is doubled, once more
 * escaped for JSON.
 */
char *json_put_string(char *to, struct vmad_str string, bool *ret_escaped);

#endif
