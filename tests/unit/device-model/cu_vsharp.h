/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A buffer and an access to it as a test chose them, and where its bytes are. */
#ifndef GV_CU_VSHARP_H
#define GV_CU_VSHARP_H

#include "cu_mem_model.h"

/* Registers: address (one or two), the V#, the offset. */
enum { CU_VSHARP_ADDR = 2, CU_VSHARP_SRSRC = 8, CU_VSHARP_SOFFSET = 13 };

struct cu_vsharp {
	uint64_t base;
	uint32_t stride, records, index_stride, soffset, imm;
	bool swizzle, tid, idxen, offen, glc;
	unsigned dfmt, nfmt, sel[4];
	unsigned bytes; /* of a lane's access */
	bool whole;     /* it is in range or not, else dword by dword */
};

/** Anything, but what is in its range is in the memory, so that nothing faults by itself. */
void cu_vsharp_choose(struct cu_vsharp *b);
void cu_vsharp_align(struct cu_vsharp *b, uint32_t align);
/** Its registers, and those of the lanes. */
void cu_vsharp_set(const struct cu_vsharp *b, struct cu_model *m);
void cu_vsharp_lanes(const struct cu_vsharp *b, struct cu_model *m, uint32_t align);
/** For cu_enc_mubuf(). */
unsigned cu_vsharp_mode(const struct cu_vsharp *b);
/** The model's byte @byte of @lane's access; NULL: out of range. */
uint8_t *cu_vsharp_byte(const struct cu_vsharp *b, struct cu_model *m, unsigned lane,
                        uint32_t byte);
/** What @lane loads: 0 out of range, and behind the access. */
void cu_vsharp_load(const struct cu_vsharp *b, struct cu_model *m, unsigned lane, uint8_t to[16]);

#endif
