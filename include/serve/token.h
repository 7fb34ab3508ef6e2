/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secret that a server and its clients share. */
#ifndef MTRACE_SERVE_TOKEN_H
#define MTRACE_SERVE_TOKEN_H

/* The first line of a file, without its end; NULL after a message.  The caller
 * frees. */
char *token_read(const char *path);

#endif
