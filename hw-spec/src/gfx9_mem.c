/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of the memory, image and export formats. */
#include "gfx9_bits.h"

#define NO_SADDR 0x7f

static int32_t sign_extend(uint32_t v, unsigned bits)
{
	return (int32_t)(v << (32 - bits)) >> (32 - bits);
}

/* Of an operand register; a compare value beside the data doubles it. */
static unsigned data_dwords(const struct gv_gfx9_op *op)
{
	return op->flags & GV9_F_CMPSWAP ? op->dw * 2u : op->dw;
}

/* ---- SMEM */
static bool smem_is_buffer(const struct gv_gfx9_op *op)
{
	return (op->num >= 8 && op->num < 16) || (op->num >= 24 && op->num < 32) || op->num == 39 ||
	       (op->num >= 64 && op->num < 128);
}

/* A register, a constant of 21 bits, or both. */
static int smem_offset(struct gv_gfx9_inst *in)
{
	uint32_t w = in->word[0], v = in->word[1];
	bool imm = gv_gfx9_bit(w, 17), soe = gv_gfx9_bit(w, 14);

	in->has_offset = imm;
	in->offset = imm ? sign_extend(v, 21) : 0;
	if (!imm || soe)
		return gv_gfx9_add_sgpr(in, GV9_SOFFSET, soe ? v >> 25 : v & 0x7f, 1);
	gv_gfx9_add(in, GV9_IMM, GV9_OFF, 0);
	return 0;
}

/* No address: cache control, and the clocks, which have a result. */
static int smem_bare(struct gv_gfx9_inst *in)
{
	uint32_t w = in->word[0];

	gv_gfx9_unused(in, gv_gfx9_bit(w, 17));
	return in->op->dw ? gv_gfx9_add_sgpr(in, GV9_DST, gv_gfx9_bits(w, 6, 7), in->op->dw) : 0;
}

int gv_gfx9_fields_smem(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0], kind = GV9_F_LOAD | GV9_F_STORE | GV9_F_ATOMIC | GV9_F_PROBE;
	unsigned sdata = gv_gfx9_bits(w, 6, 7);
	unsigned dw = data_dwords(op);
	int rc = 0;

	if (!(op->flags & (kind | GV9_F_ADDRESS)) || op->flags & GV9_F_NOADDR)
		return smem_bare(in);
	in->glc = op->flags & (kind & ~GV9_F_PROBE) && gv_gfx9_bit(w, 16);
	if (op->flags & GV9_F_PROBE) { /* a number, not a register */
		in->simm = (uint16_t)sdata;
		gv_gfx9_add(in, GV9_DATA, GV9_OFF, 0);
	} else if (op->flags & kind) {
		rc = gv_gfx9_add_sgpr(in, op->flags & GV9_F_LOAD ? GV9_DST : GV9_DATA, sdata, dw);
	}
	rc = rc ? rc
	        : gv_gfx9_add_sgpr(in, GV9_SADDR, gv_gfx9_bits(w, 0, 6) * 2,
	                           smem_is_buffer(op) ? 4 : 2);
	return rc ? rc : smem_offset(in);
}

/* ---- DS */
static int ds_result(struct gv_gfx9_inst *in, unsigned reg)
{
	const struct gv_gfx9_op *op = in->op;

	if (op->flags & GV9_F_RTN)
		return gv_gfx9_add_vgpr(in, GV9_DST, reg,
		                        op->flags & GV9_F_TWICE ? op->dw * 2u : op->dw);
	gv_gfx9_unused(in, reg);
	return 0;
}

static int ds_operand(struct gv_gfx9_inst *in, bool has, enum gv_gfx9_role role, unsigned reg,
                      unsigned dwords)
{
	if (has)
		return gv_gfx9_add_vgpr(in, role, reg, dwords);
	gv_gfx9_unused(in, reg);
	return 0;
}

int gv_gfx9_fields_ds(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t v = in->word[1];
	bool data = op->flags & (GV9_F_ATOMIC | GV9_F_STORE);
	bool offset = !(op->flags & GV9_F_NOGDS && op->flags & GV9_F_NOADDR);
	int rc = ds_result(in, v >> 24);

	in->gds = gv_gfx9_bit(in->word[0], 16);
	in->offset = (int32_t)gv_gfx9_bits(in->word[0], 0, 16);
	rc = rc ? rc : ds_operand(in, !(op->flags & GV9_F_NOADDR), GV9_ADDR, v & 0xff, 1);
	rc = rc ? rc : ds_operand(in, data, GV9_DATA, v >> 8 & 0xff, op->dw);
	rc = rc ? rc : ds_operand(in, op->flags & GV9_F_TWO, GV9_DATA1, v >> 16 & 0xff, op->dw);
	gv_gfx9_unused(in, in->gds ? op->flags & GV9_F_NOGDS : op->flags & GV9_F_GDS);
	gv_gfx9_unused(in, offset ? 0 : in->word[0] & 0xffff);
	return rc;
}

/* ---- FLAT, GLOBAL, SCRATCH */
static int flat_address(struct gv_gfx9_inst *in)
{
	unsigned addr = in->word[1] & 0xff, saddr = gv_gfx9_bits(in->word[1], 16, 7);

	if (in->op->format == GV9_SCRATCH && saddr != NO_SADDR) {
		gv_gfx9_add(in, GV9_ADDR, GV9_OFF, 0);
		return 0;
	}
	return gv_gfx9_add_vgpr(in, GV9_ADDR, addr,
	                        in->op->format == GV9_FLAT ||
	                                        (in->op->format == GV9_GLOBAL && saddr == NO_SADDR)
	                                ? 2
	                                : 1);
}

static int flat_base(struct gv_gfx9_inst *in)
{
	unsigned saddr = gv_gfx9_bits(in->word[1], 16, 7);

	if (in->op->format == GV9_FLAT) {
		gv_gfx9_unused(in, saddr);
		return 0;
	}
	if (saddr != NO_SADDR)
		return gv_gfx9_add_sgpr(in, GV9_SADDR, saddr,
		                        in->op->format == GV9_SCRATCH ? 1 : 2);
	gv_gfx9_add(in, GV9_SADDR, GV9_OFF, 0);
	return 0;
}

int gv_gfx9_fields_flat(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0], v = in->word[1];
	bool atomic = op->flags & GV9_F_ATOMIC;
	bool result = op->flags & GV9_F_LOAD || (atomic && gv_gfx9_bit(w, 16));
	bool data = atomic || op->flags & GV9_F_STORE;
	unsigned dw = data_dwords(op);
	int rc = 0;

	in->lds = gv_gfx9_bit(w, 13); /* LDS DMA exists on paper only */
	in->glc = gv_gfx9_bit(w, 16);
	in->slc = gv_gfx9_bit(w, 17);
	in->offset = op->format == GV9_FLAT ? (int32_t)gv_gfx9_bits(w, 0, 12) : sign_extend(w, 13);
	gv_gfx9_unused(in, op->format == GV9_FLAT && gv_gfx9_bit(w, 12));
	gv_gfx9_unused(in, in->lds);
	if (result)
		rc = gv_gfx9_add_vgpr(in, GV9_DST, v >> 24, op->dw);
	rc = rc ? rc : flat_address(in);
	if (data)
		rc = rc ? rc : gv_gfx9_add_vgpr(in, GV9_DATA, v >> 8 & 0xff, dw);
	return rc ? rc : flat_base(in);
}

/* ---- MUBUF, MTBUF */
static int buffer_address(struct gv_gfx9_inst *in)
{
	unsigned dwords = (unsigned)in->offen + in->idxen;

	if (dwords)
		return gv_gfx9_add_vgpr(in, GV9_ADDR, in->word[1] & 0xff, dwords);
	gv_gfx9_add(in, GV9_ADDR, GV9_OFF, 0);
	return 0;
}

static void mubuf_bits(struct gv_gfx9_inst *in)
{
	uint32_t w = in->word[0];

	in->lds = gv_gfx9_bit(w, 16);
	in->slc = gv_gfx9_bit(w, 17);
	in->tfe = gv_gfx9_bit(in->word[1], 23) && !in->lds && !(in->op->flags & GV9_F_ATOMIC);
	gv_gfx9_unused(in, in->lds && !(in->op->flags & GV9_F_LDS));
}

static void mtbuf_bits(struct gv_gfx9_inst *in)
{
	in->dfmt = (uint8_t)gv_gfx9_bits(in->word[0], 19, 4);
	in->nfmt = (uint8_t)gv_gfx9_bits(in->word[0], 23, 3);
	in->slc = gv_gfx9_bit(in->word[1], 22);
	in->tfe = gv_gfx9_bit(in->word[1], 23);
}

static int buffer_data(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	bool load = op->flags & GV9_F_LOAD;
	unsigned dw = data_dwords(op);

	if (!(op->flags & (GV9_F_LOAD | GV9_F_STORE | GV9_F_ATOMIC)))
		return 0; /* buffer_store_lds_dword */
	return gv_gfx9_add_vgpr(in, load ? GV9_DST : GV9_DATA, in->word[1] >> 8 & 0xff, dw);
}

int gv_gfx9_fields_buffer(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0], v = in->word[1];
	bool bare = !op->dw, from_lds = op->flags & GV9_F_LDS && !(op->flags & GV9_F_LOAD);
	int rc;

	if (bare) { /* cache control */
		gv_gfx9_unused(in, w & 0x1f000);
		return 0;
	}
	in->offset = (int32_t)gv_gfx9_bits(w, 0, 12);
	in->offen = gv_gfx9_bit(w, 12);
	in->idxen = gv_gfx9_bit(w, 13);
	in->glc = gv_gfx9_bit(w, 14);
	if (op->format == GV9_MTBUF)
		mtbuf_bits(in);
	else
		mubuf_bits(in);
	gv_gfx9_unused(in, from_lds && (!in->lds || in->offen || in->idxen));
	rc = buffer_data(in);
	if (!from_lds)
		rc = rc ? rc : buffer_address(in);
	rc = rc ? rc : gv_gfx9_add_sgpr(in, GV9_SADDR, (v >> 16 & 0x1f) * 4, 4);
	return rc ? rc : gv_gfx9_add_source(in, GV9_SOFFSET, v >> 24, GV9_B32);
}

/* ---- MIMG */
static unsigned image_dwords(const struct gv_gfx9_inst *in)
{
	unsigned n = (unsigned)__builtin_popcount(in->dmask);

	if (in->op->flags & GV9_F_GATHER)
		n = 4;
	if (in->d16)
		n = (n + 1) / 2;
	n = (n ? n : 1) + in->tfe;
	if (!(in->op->flags & GV9_F_ATOMIC))
		return n;
	if (in->op->flags & GV9_F_CMPSWAP)
		return n == 4 ? 4 : 2;
	return n == 2 ? 2 : 1;
}

/* Halves in registers: not of what is packed already, nor of counts. */
static bool image_has_d16(const struct gv_gfx9_op *op)
{
	return !(op->flags & GV9_F_ATOMIC) && !(op->num >= 2 && op->num <= 5) &&
	       !(op->num >= 10 && op->num <= 14) && op->num != 96;
}

int gv_gfx9_fields_image(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0], v = in->word[1];
	unsigned dwords;
	int rc;

	in->dmask = (uint8_t)gv_gfx9_bits(w, 8, 4);
	in->unorm = gv_gfx9_bit(w, 12);
	in->glc = gv_gfx9_bit(w, 13);
	in->da = gv_gfx9_bit(w, 14);
	in->a16 = gv_gfx9_bit(w, 15);
	in->tfe = gv_gfx9_bit(w, 16);
	in->lwe = gv_gfx9_bit(w, 17);
	in->slc = gv_gfx9_bit(w, 25);
	in->d16 = gv_gfx9_bit(v, 31);
	dwords = image_dwords(in);
	gv_gfx9_unused(in, w & 1);
	gv_gfx9_unused(in, in->d16 && !image_has_d16(op));
	rc = gv_gfx9_add_vgpr(in, op->flags & GV9_F_STORE ? GV9_DATA : GV9_DST, v >> 8 & 0xff,
	                      dwords);
	rc = rc ? rc : gv_gfx9_add_vgpr(in, GV9_ADDR, v & 0xff, op->dw);
	rc = rc ? rc : gv_gfx9_add_sgpr(in, GV9_SADDR, (v >> 16 & 0x1f) * 4, 8);
	if (op->flags & GV9_F_SAMPLE)
		return rc ? rc : gv_gfx9_add_sgpr(in, GV9_SAMPLER, gv_gfx9_bits(v, 21, 5) * 4, 4);
	gv_gfx9_unused(in, gv_gfx9_bits(v, 21, 5));
	return rc;
}

/* ---- EXP: compressed, two registers hold two halves each */
int gv_gfx9_fields_export(struct gv_gfx9_inst *in)
{
	uint32_t w = in->word[0], v = in->word[1];

	in->en = (uint8_t)gv_gfx9_bits(w, 0, 4);
	in->tgt = (uint8_t)gv_gfx9_bits(w, 4, 6);
	in->compr = gv_gfx9_bit(w, 10);
	in->done = gv_gfx9_bit(w, 11);
	in->vm = gv_gfx9_bit(w, 12);
	for (unsigned n = 0; n < 4; n++) {
		unsigned reg = v >> (8 * (in->compr ? n / 2 : n)) & 0xff;

		gv_gfx9_add(in, GV9_DATA, gv_gfx9_bit(in->en, n) ? GV9_VGPR + reg : GV9_OFF, 1);
	}
	return 0;
}
