/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prom: numbers in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). A family is its
 * head, and then its samples: name{labels} value.
 */
#ifndef ENCODE_PROM_H
#define ENCODE_PROM_H

#include <stdint.h>

#include "encode/buf.h"

#define PROM_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* "# HELP" and "# TYPE"; type is "gauge", "counter" or "histogram". */
void prom_head(struct buf *to, const char *name, const char *type, const char *help);

/*
 * One sample. labels are written already, without braces; "" for none. The value is written as an integer where it is
 * one.
 */
void prom_sample(struct buf *to, const char *name, const char *labels, double value);

/* name="value", escaped, with a comma before it where there is something in `to` already. */
void prom_label(struct buf *to, const char *name, const char *value);

void prom_value(struct buf *to, double value);

#endif
