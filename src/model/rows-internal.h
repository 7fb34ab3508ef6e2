/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading and writing of rows share. */
#ifndef MTRACE_MODEL_ROWS_INTERNAL_H
#define MTRACE_MODEL_ROWS_INTERNAL_H

#include "model/rows.h"
#include "wire-internal.h"

void shape_fields(struct fields *f, struct row_shape *s);

#endif
