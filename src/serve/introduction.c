/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "introduction.h"

void introduce(struct introduction *in, char *const *words, char *const *command)
{
	*in = (struct introduction){ .cwd = getcwd(NULL, 0) };
	in->hello = (struct wire_hello){
		.tool = PACKAGE_NAME " " PACKAGE_VERSION,
		.host = gethostname(in->host, sizeof in->host - 1) ? NULL : in->host,
		.cwd = in->cwd,
		.words = (const char *const *)words,
	};
	while (words[in->hello.nwords])
		in->hello.nwords++;
	in->hello.command = command ? (uint32_t)(command - words) : in->hello.nwords;
}
