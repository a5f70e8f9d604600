/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints docs/registers.md from the register table. */
#include <stdio.h>

#include <gv/hw_spec.h>

static const char *const banks[] = {"per function", "one for the GPU", "per queue slot", "per VMID",
                                    "per VF (PF: MAILBOX_INDEX)"};
static const char *const access_names[] = {"-", "ro", "ro, writes ignored", "rw", "w1c"};

static void print_fields(int reg)
{
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);

	for (size_t k = 0; k < n; k++) {
		if ((int)f[k].reg != reg)
			continue;
		printf("%s[%d:%d]%s", f[k].name, f[k].lo + f[k].bits - 1, f[k].lo,
		       f[k].access == GV_RW ? " " : "");
		if (f[k].access != GV_RW)
			printf(" (%s) ", access_names[f[k].access]);
	}
}

static void print_row(int reg)
{
	const struct gv_reg_info *i = gv_reg_info((enum gv_reg)reg);

	printf("| %s", i->name);
	if (i->count > 1)
		printf(" (%u, every %u B)", i->count, i->stride);
	printf(" | 0x%05x | 0x%x | %s | %s | %s | ", i->byte, i->reset, banks[i->bank],
	       access_names[i->pf], access_names[i->vf]);
	print_fields(reg);
	printf("|\n");
}

static void print_smn(void)
{
	puts("\n## SMN\n\nThrough PCIE_INDEX2 and PCIE_DATA2; one for the GPU, writes of a VF are "
	     "ignored.\n\n"
	     "| register | address | reset |\n|---|---|---|");
	for (int r = 0; r < GV_SMN_COUNT; r++) {
		const struct gv_smn_info *i = gv_smn_info((enum gv_smn)r);

		printf("| %s", i->name);
		if (i->count > 1)
			printf(" (%u, every %u B)", i->count, i->stride);
		printf(" | 0x%08x | 0x%x |\n", i->address, i->reset);
	}
}

int main(void)
{
	int block = -1;

	puts("# Registers\n\nMade by gv-hw-doc from hw-spec/include/gv/regs_*.def; do not edit.\n"
	     "Byte is the offset in BAR5. PF and VF say what each side may do.");
	for (int r = 0; r < GV_REG_COUNT; r++) {
		if ((int)gv_reg_info((enum gv_reg)r)->block != block) {
			block = (int)gv_reg_info((enum gv_reg)r)->block;
			printf("\n## %s\n\n| register | byte | reset | bank | PF | VF | fields |\n"
			       "|---|---|---|---|---|---|---|\n",
			       gv_block_name((enum gv_block)block));
		}
		print_row(r);
	}
	print_smn();
	return 0;
}
