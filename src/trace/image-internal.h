/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between image.c, which modules there are, and image-probes.c, what is in them. */
#ifndef TRACE_IMAGE_INTERNAL_H
#define TRACE_IMAGE_INTERNAL_H

#include "trace/image.h"

/* Finds and plants what is to be observed in a module. */
void image_plant(struct proc *p, struct task *stopped, struct module *m);
/* That was done. */
bool image_planted(const struct module *m);

#endif
