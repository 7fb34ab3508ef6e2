/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secret that a server and its clients share (--token-file). */
#ifndef MTRACE_SERVE_TOKEN_H
#define MTRACE_SERVE_TOKEN_H

#include "base/types.h"

#define TOKEN_MAX 1024

/* The first line of the file.  NULL after a message; the caller frees. */
char *token_read(const char *path);
/* Takes the same time wherever they differ; NULL is equal to nothing. */
bool token_equal(const char *ours, const char *theirs);

#endif
