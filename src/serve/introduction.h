/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reader elsewhere cannot know otherwise. */
#ifndef SERVE_INTRODUCTION_H
#define SERVE_INTRODUCTION_H

#include "model/wire.h"

struct introduction {
	struct wire_hello hello; /* points into the rest, and to the words */
	char host[256], *cwd;    /* the caller frees cwd */
};

/* `words`: our own command line; `command`: what of it is launched, or NULL. */
void introduce(struct introduction *in, char *const *words, char *const *command);

#endif
