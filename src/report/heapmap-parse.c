/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --heap START:SIZE[:HEADER] */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/heapmap.h"

#define MAX_HEADER 4096

/* strtoull would take blanks and signs.  NULL: there is no number. */
static const char *take_number(const char *s, uint64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return NULL;
	errno = 0;
	*out = strtoull(s, &end, !strncmp(s, "0x", 2) || !strncmp(s, "0X", 2) ? 16 : 10);
	return errno || end[-1] == 'x' || end[-1] == 'X' ? NULL : end;
}

/* 20480, 20K, 0x5000 */
static const char *take_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *end = take_number(s, out), *unit;
	unsigned shift;

	if (!end || !*end || !(unit = strchr(units, *end)))
		return end;
	shift = 10 * (unsigned)(unit - units + 1);
	if (*out > UINT64_MAX >> shift)
		return NULL;
	*out <<= shift;
	return end + 1;
}

/* What has a header is rounded up to its multiples by the allocators of small targets. */
static struct heapmap_layout layout_for(uint64_t header)
{
	struct heapmap_layout l = { .header = (uint32_t)header };

	if (header && !(header & (header - 1)))
		l.align = (uint32_t)header;
	return l;
}

const char *heapmap_region_parse(const char *text, struct heapmap_region *out)
{
	uint64_t start, size, header = 0;
	const char *at = take_number(text, &start);

	if (!at || *at != ':' || !(at = take_size(at + 1, &size)) || (*at && *at != ':'))
		return "is not like 0x20000000:20K or 0x20000000:20K:4";
	if (*at && (!(at = take_number(at + 1, &header)) || *at || header > MAX_HEADER))
		return "has no header of 0 to 4096 bytes";
	if (!size || size <= header)
		return "has no room for a block";
	if (size - 1 > UINT64_MAX - start)
		return "reaches beyond the end of memory";
	*out = (struct heapmap_region){ .start = start, .size = size, .name = "heap",
					.layout = layout_for(header), .fixed = true };
	return NULL;
}
