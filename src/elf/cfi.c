/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call-frame information: libdw's handles. */
#include "file.h"

static Dwarf_CFI *eh_frame(struct elf_file *f)
{
	if (!f->cfi_tried) {
		f->cfi_tried = true;
		if (file_elf(f))
			f->cfi = dwarf_getcfi_elf(f->elf);
	}
	return f->cfi;
}

/* Opening a file's DWARF uncompresses all of its sections, so look first. */
static Dwarf_CFI *debug_frame(struct elf_file *f)
{
	Dwarf *dw;

	if (!f || !file_has_dwarf(f, DWARF_FRAME))
		return NULL;
	dw = file_dwarf(f);
	return dw ? dwarf_getcfi(dw) : NULL; /* owned by dw */
}

struct Dwarf_CFI_s *elf_file_cfi(struct elf_file *f, int which)
{
	Dwarf_CFI *cfi;

	if (which == CFI_EH_FRAME)
		return eh_frame(f);
	cfi = debug_frame(f);
	return cfi ? cfi : debug_frame(file_debug(f, false));
}
