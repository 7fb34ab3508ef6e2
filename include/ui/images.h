/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules of which the tracer sent the bytes (EV_IMAGE), because no file has them:
 * the vdso, what was deleted.  Their names are found as long as these are kept. */
#ifndef MTRACE_UI_IMAGES_H
#define MTRACE_UI_IMAGES_H

#include "base/vec.h"
#include "elf/elf_file.h"
#include "model/event.h"

struct images {
	VEC(struct elf_file *) files;
	uint32_t module;       /* of the image that is coming in, and what came of it */
	uint64_t size, have;
	uint8_t *bytes;
};

#define IMAGES_MAX 256 /* a peer that sends more is not heard */

/* Takes an EV_IMAGE; parts come in order. */
void images_take(struct images *im, const struct event *ev);
void images_release(struct images *im);

#endif
