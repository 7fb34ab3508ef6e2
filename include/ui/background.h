/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that nobody waits for. */
#ifndef MTRACE_UI_BACKGROUND_H
#define MTRACE_UI_BACKGROUND_H

/* Has /bin/sh run the command, with nothing to read, and with these variables
 * ("NAME=VALUE", NULL behind the last) besides those of our environment.  It is no
 * child of ours when this returns, so that its end is told to nobody here.
 * `prepare` is called in it first; it makes system calls only.  0 or -errno. */
int run_in_background(const char *command, char *const *variables, void (*prepare)(void));

#endif
