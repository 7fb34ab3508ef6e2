/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mini debug information (.gnu_debugdata): what .symtab has and .dynsym has
 * not, as an ELF file, compressed.  Fedora's libraries have it. */
#include "file.h"

#ifdef HAVE_LZMA
#include <lzma.h>

#define MAX_MINI (256u << 20) /* bytes uncompressed, and of the decoder */

static uint8_t *unxz(const uint8_t *in, size_t n, size_t *out_n)
{
	lzma_stream s = LZMA_STREAM_INIT;
	size_t cap = 65536;
	uint8_t *out;
	lzma_ret r = lzma_stream_decoder(&s, MAX_MINI, 0);

	if (r != LZMA_OK)
		return NULL;
	out = xmalloc(cap);
	s.next_in = in;
	s.avail_in = n;
	s.next_out = out;
	s.avail_out = cap;
	while ((r = lzma_code(&s, LZMA_FINISH)) == LZMA_OK && s.avail_out == 0 &&
	       cap <= MAX_MINI / 2) {
		out = xrealloc(out, cap * 2, 1);
		s.next_out = out + cap;
		s.avail_out = cap;
		cap *= 2;
	}
	*out_n = (size_t)s.total_out;
	lzma_end(&s);
	if (r == LZMA_STREAM_END)
		return out;
	free(out);
	return NULL;
}

#else

static uint8_t *unxz(const uint8_t *in, size_t n, size_t *out_n)
{
	(void)in;
	(void)n;
	(void)out_n;
	return NULL;
}

#endif

struct elf_file *file_mini(struct elf_file *f)
{
	struct section s;
	uint8_t *p;
	size_t n;

	if (f->mini_tried)
		return f->mini;
	f->mini_tried = true;
	if (image_section_typed(&f->im, SHT_SYMTAB, &s) ||
	    !image_section_named(&f->im, ".gnu_debugdata", &s) || s.type != SHT_PROGBITS)
		return NULL;
	p = unxz(f->im.p + s.offset, s.size, &n);
	if (p)
		f->mini = file_new(p, n, BACKED_BY_HEAP, f->name);
	return f->mini;
}
