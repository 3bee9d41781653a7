/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colour: on a terminal only, and not where NO_COLOR is set (https://no-color.org). */
#ifndef CLIENT_COLOUR_H
#define CLIENT_COLOUR_H

#include <jansson.h>
#include <stdbool.h>

bool colour_wanted(void);

/* What of a record deserves a look: an escape sequence for its line, or NULL. */
const char *colour_of_record(const json_t *record);

#endif
