/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C++ and Rust names made readable, by libiberty.
 *
 * Its header declares an xrealloc of another shape than ours, so this file
 * takes nothing from base/xalloc.h; and cplus_demangle() is not used, because
 * it brings D's demangler, and with that libiberty's own xmalloc. */
#ifdef HAVE_LIBIBERTY
#include <libiberty/demangle.h>
#undef ARRAY_SIZE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "elf/elf_file.h"

#ifdef HAVE_LIBIBERTY
/* Output can be exponential in the input: names from strange files have a
 * limit.  The longest in real programs are some 10 KB. */
#define MAX_MANGLED 16384

static bool looks_mangled(const char *s)
{
	/* C++ and old Rust, or new Rust; one underscore more on some systems. */
	s += strncmp(s, "__Z", 3) == 0 || strncmp(s, "__R", 3) == 0;
	return s[0] == '_' && (s[1] == 'Z' || s[1] == 'R');
}

/* An old Rust name is a C++ name too; only Rust's rules leave out the hash at
 * its end. */
static char *demangle(const char *s)
{
	const int options = DMGL_PARAMS | DMGL_ANSI;
	char *out = rust_demangle(s, options);

	return out ? out : cplus_demangle_v3(s, options);
}

char *elf_demangle(const char *mangled)
{
	size_t plain = strcspn(mangled, "@"); /* "_Znwm@plt" */
	char *copy, *s, *all;

	if (plain > MAX_MANGLED || !looks_mangled(mangled))
		return NULL;
	copy = strndup(mangled, plain);
	s = copy ? demangle(copy) : NULL;
	free(copy);
	if (!s || !mangled[plain])
		return s;
	if (asprintf(&all, "%s%s", s, mangled + plain) < 0)
		return s;
	free(s);
	return all;
}

#else /* who reads what we write does it */

char *elf_demangle(const char *mangled)
{
	(void)mangled;
	return NULL;
}

#endif
